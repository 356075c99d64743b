"""
Why does descent get slower on finer grids?
===========================================

Steepest descent for E(u) = ½‖u‖²_{H^1} + ¼∫u⁴ - ∫gu, in L2 and in H^1, on finer and finer grids. The
functional is the same; the number of steps is a property of the metric.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

circle, H1 = fg.Circle(2 * np.pi), fg.Sobolev(1.0)
energy = fg.Integral("u_x**2/2 + u**2/2 + u**4/4 - u/(1 + 8*sin(x/2)**2)", "x")
CURVATURE = 3.0  # a bound of the second variation in H^1, for the functions met here


def descend(metric, n, bound):
    """Return E's gradient norms in H^1 along descent with the step 1/bound, until they fall by 10⁻³."""
    grid, norms = circle.grid(n), []
    u = grid.function(lambda x: 0.0 * x)
    while not norms or norms[-1] > 1e-3 * norms[0]:
        dE = energy.differential(u)
        norms.append(np.linalg.norm(H1.whiten(dE, grid)))
        u = u - (1 / bound) * metric.riesz(dE, grid)
    return np.array(norms)


# %%
# In L2 the step is limited by the largest eigenvalue that the grid has, of the size of h⁻²; in H^1 the
# second variation is bounded whatever the grid.

sizes = (7, 13, 25, 49)
runs = {
    "L2": [descend(fg.L2(), n, CURVATURE + circle.grid(n).eigenvalues.max()) for n in sizes],
    "H^1": [descend(H1, n, CURVATURE) for n in sizes],
}
steps = {name: [len(norms) - 1 for norms in found] for name, found in runs.items()}
print(f"{'nodes':>6}{'steps, L2':>12}{'steps, H^1':>12}")
for n, slow, fast in zip(sizes, steps["L2"], steps["H^1"], strict=True):
    print(f"{n:6d}{slow:12d}{fast:12d}")

assert max(steps["H^1"]) == min(steps["H^1"])
assert 3.2 < steps["L2"][-1] / steps["L2"][-2] < 4.2  # h^{-2}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for n, norms, shade in zip(sizes, runs["L2"], (0.4, 0.6, 0.8, 1.0), strict=True):
    left.semilogy(norms / norms[0], color="C0", alpha=shade, label=f"L2, {n} nodes")
left.semilogy(runs["H^1"][-1] / runs["H^1"][-1][0], color="C3", lw=2, label="H^1, any")
left.set(xlabel="step", ylabel="norm of the gradient", xscale="log", title="Descent")
left.legend(fontsize=8)
right.loglog(sizes, steps["L2"], "o-", color="C0", label="L2")
right.loglog(sizes, steps["H^1"], "s-", color="C3", label="H^1")
right.loglog(sizes, steps["L2"][-1] * (np.array(sizes) / sizes[-1]) ** 2, "k--", lw=0.8, label="h⁻²")
right.set(xlabel="nodes", ylabel="steps", title="Steps needed", xticks=sizes, xticklabels=sizes)
right.minorticks_off()
right.legend(fontsize=8)
plt.show()
