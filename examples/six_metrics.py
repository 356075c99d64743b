"""
How does the gradient depend on the metric?
===========================================

One functional, ½∫(f - y)² with a target that jumps, at one function, f = 0; and its gradient in six
metrics. The differential is the same throughout. A gradient is a choice.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

circle = fg.Circle(2 * np.pi)
grid = circle.grid(512)
zero = grid.function(lambda x: 0.0 * x)
target = grid.function(lambda x: np.where((x > 1.5) & (x < 4.5), -1.0, 0.5) - 0.5 * np.cos(3 * x))
loss = fg.PopulationLoss(target)
dF = loss.differential(zero)

metrics = [
    fg.L2(),
    fg.L2(measure=lambda x: 1 + 0.5 * np.cos(x)),
    fg.Sobolev(0.5),
    fg.Sobolev(1.0),
    fg.Sobolev(1.0, length_scale=0.2),
    fg.Sobolev(2.0),
]
names = ["L2", "L2 of a density", "H^½", "H^1", "H^1, ℓ = 0.2", "H^2"]
gradients = [metric.riesz(dF, grid) for metric in metrics]

# %%
# Every one of them represents dF in its own metric, <∇F, v> = dF(v), and none does in another. The
# squared norm ‖∇F‖² is the rate at which F falls along its flow.

v = grid.function(lambda x: np.exp(np.sin(x)))
print(f"{'metric':16}{'<∇F, v> - dF(v)':>18}{'‖∇F‖²':>9}{'largest slope':>15}")
for name, metric, g in zip(names, metrics, gradients, strict=True):
    defect, slope = (
        metric.inner(g, v) - dF(v),
        np.abs(np.diff(g.values)).max() / np.diff(grid.nodes[:2, 0])[0],
    )
    print(f"{name:16}{defect:18.1e}{metric.norm(g) ** 2:9.4f}{slope:15.2f}")
    assert abs(defect) < 1e-10

squares = [metric.norm(g) ** 2 for metric, g in zip(metrics, gradients, strict=True)]
assert squares[0] > squares[2] > squares[3] > squares[5]  # the norm does not increase with the order
assert abs(metrics[3].inner(gradients[0], v) - dF(v)) > 0.1  # the L2 gradient is not one in H^1

# %%
# The L2 gradient keeps the jumps; H^s divides the frequency k by (1 + k²)^s, and ℓ says from which
# frequency on. A density divides: where data are rare the gradient is large.

figure, axes = plt.subplots(2, 3, figsize=(10, 5), sharex=True, layout="constrained")
for ax, name, g in zip(axes.flat, names, gradients, strict=True):
    ax.plot(grid.nodes[:, 0], gradients[0].values, color="0.8", lw=1)
    ax.plot(grid.nodes[:, 0], g.values, color="C0")
    ax.set_title(name, fontsize=10)
    ax.axhline(0, color="0.8", lw=0.6)
    ax.set_ylim(-1.6, 3.2)
plt.show()
