"""
Does it matter in which metric one fits?
========================================

Twelve noisy data, a polynomial of degree nine, and natural gradient descent in three metrics: L2 of the
data's points, where each step is one of Gauss and Newton's; L2 of the interval; and H^1. All minimise the
same loss over the same functions. What differs is the way, and where it passes on it.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

STEPS, DRAWS = 20, 8
interval, model = fg.Interval(-1, 1), fg.models.Polynomial(9)
x_test = np.linspace(-1, 1, 201)


def truth(x):
    return np.sin(3 * x) + 0.3 * x


def descend(name, x, y):
    """Return the iterates of descent from zero, (STEPS + 1, p)."""
    metric = fg.Sobolev(1.0, length_scale=0.3) if name == "H^1" else fg.L2()
    domain = fg.PointSet(interval, x) if name == "L2 of the data" else interval.grid(32)
    path = [np.zeros(model.n_parameters)]
    options = {"damping": 0.0, "max_iterations": STEPS, "callback": lambda theta, row: path.append(theta)}
    fg.descend(fg.EmpiricalLoss(x, y), model, path[0], metric, domain, **options)
    return path + [path[-1]] * (STEPS + 1 - len(path))  # those that converged earlier stay


def errors(path):
    """Return the root mean square error against the truth at each step."""
    return [np.sqrt(np.mean((model(theta, x_test) - truth(x_test)) ** 2)) for theta in path]


names = ("L2 of the data", "L2", "H^1")
rng = np.random.default_rng(0)
samples = [(x, truth(x) + 0.2 * rng.standard_normal(12)) for x in rng.uniform(-1, 1, (DRAWS, 12))]
paths = {name: [descend(name, x, y) for x, y in samples] for name in names}
median = {name: np.median([errors(path) for path in found], axis=0) for name, found in paths.items()}

# %%
# In the metric of the data one step fits the noise. Functions that are small at the data cost nothing in
# it, whatever they do in between. H^1 charges for that, and comes near to the truth on its way; going on,
# every metric ends at the same interpolant.

print(f"Median of {DRAWS} draws, root mean square error against the truth\n{'step':>6}", end="")
print("".join(f"{name:>17}" for name in names))
for k in (0, 1, 2, 5, 10, 20):
    print(f"{k:6d}" + "".join(f"{median[name][k]:17.3f}" for name in names))

best = {name: median[name].min() for name in names}
assert best["H^1"] < 0.5 * median["L2 of the data"][-1]
assert best["H^1"] < best["L2"]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
final = [errors(path)[-1] for path in paths["L2 of the data"]]
typical, when = int(np.argsort(final)[DRAWS // 2]), int(median["H^1"].argmin())
x, y = samples[typical]
left.plot(x, y, "k.", label="data")
left.plot(x_test, truth(x_test), "0.7", lw=3, label="truth")
for name, colour in zip(names, ("C3", "C1", "C0"), strict=True):
    left.plot(x_test, model(paths[name][typical][when], x_test), colour, label=name)
    right.semilogy(median[name], "o-", color=colour, ms=3, label=name)
left.set(title=f"A typical draw after {when} steps", xlabel="x", ylim=(-2.2, 2.2))
left.legend(fontsize=8)
right.set(title=f"Error, median of {DRAWS} draws", xlabel="step")
right.legend(fontsize=8)
plt.show()
