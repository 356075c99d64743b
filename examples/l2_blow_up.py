"""
What happens if one computes an L2 gradient that does not exist?
================================================================

The loss ½Σ(f(x_i) - y_i)² looks at points, and has no gradient in L2. On any grid there is a representer
all the same. Refine the grid and see what it does; then do the same in H^1, where the gradient exists.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

circle = fg.Circle(2 * np.pi)
loss = fg.EmpiricalLoss([1.0, 2.5, 4.5], [-1.0, 0.7, -0.4])
sizes = [2**k for k in range(5, 12)]
metrics = {"L2": fg.L2(), "H^1": fg.Sobolev(1.0)}


def representer(metric, n):
    grid = circle.grid(n)
    return metric.riesz(loss.differential(lambda x: 0.0 * x), grid)


gradients = {name: [representer(metric, n) for n in sizes] for name, metric in metrics.items()}
norms = {name: [metrics[name].norm(g) for g in gs] for name, gs in gradients.items()}

# %%
# In L2 the norms grow like h^{-1/2}: every refinement by four doubles them. In H^1 they converge to the
# dual norm of the differential.

dual = fg.Sobolev(1.0).dual_norm(loss.differential(lambda x: 0.0 * x), circle)
print(f"{'nodes':>6}{'L2':>12}{'H^1':>12}")
for i, n in enumerate(sizes):
    print(f"{n:6d}{norms['L2'][i]:12.4f}{norms['H^1'][i]:12.6f}")
print(f"{'limit':>6}{'none':>12}{dual:12.6f}")

growth = np.polyfit(np.log(sizes), np.log(norms["L2"]), 1)[0]
assert abs(growth - 0.5) < 0.02
assert abs(norms["H^1"][-1] - dual) < 1e-3 * dual

# %%
# The spikes on the left are all that the "L2 gradient" is: descent along it moves f at the data and
# nowhere else. The H^1 gradient is a sum of kernels, the same on every grid that can draw it.

figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained")
x = np.linspace(0, 2 * np.pi, 1200)
for ax, name in zip(axes, metrics, strict=False):
    for n, shade in ((256, "C0"), (128, "C1"), (64, "C2")):
        ax.plot(x, gradients[name][sizes.index(n)](x), color=shade, lw=1, label=f"{n} nodes")
    ax.plot(loss.x[:, 0], 0 * loss.x[:, 0], "k|", ms=10)
    ax.set(title=f"In {name}", xlabel="x")
    ax.legend(fontsize=8)
axes[0].set_xlim(0.5, 1.5)
axes[2].loglog(sizes, norms["L2"], "o-", label="L2")
axes[2].loglog(sizes, norms["H^1"], "s-", label="H^1")
axes[2].set(title="Their norms, each in its metric", xlabel="nodes")
axes[2].legend(fontsize=8)
plt.show()
