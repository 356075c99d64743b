"""
Do points and curves on the sphere have gradients?
==================================================

On the unit sphere, n = 2, a point evaluation has a gradient in H^s iff s > 1. An integral along a curve,
of codimension one, needs s > ½ only. Between the two there are metrics in which a measurement along the
equator has a gradient and one at the pole has none.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

sphere = fg.Sphere()
pole = fg.PointEvaluation([0.0, 0.0, 1.0])
equator = fg.SurfaceIntegral(fg.surfaces.SmallCircle([0, 0, 1], np.pi / 2))
orders = (0.4, 0.6, 0.9, 1.1, 1.5)
found = {s: [fg.gradient_exists(c, fg.Sobolev(s), sphere) for c in (pole, equator)] for s in orders}

print(f"{'s':>5}{'pole':>8}{'growth':>9}{'2 - 2s':>8}{'equator':>11}{'growth':>9}{'1 - 2s':>8}")
for s, (at_pole, on_equator) in found.items():
    print(f"{s:5.1f}{at_pole.exists!s:>8}{at_pole.evidence.fitted_growth:9.3f}{2 - 2 * s:8.1f}", end="")
    print(f"{on_equator.exists!s:>11}{on_equator.evidence.fitted_growth:9.3f}{1 - 2 * s:8.1f}")
    assert (bool(at_pole), bool(on_equator)) == (s > 1, s > 0.5)

# %%
# Where they exist, the gradients are functions: of the pole, the kernel of H^s on the sphere, from a
# series of Legendre polynomials.

metric = fg.Sobolev(1.5)
grid = sphere.grid(64)
angle = np.linspace(0, np.pi, 181)
meridian = np.column_stack([np.sin(angle), 0 * angle, np.cos(angle)])
kernel = fg.kernels.SphereSobolev(1.5)
from_grid = metric.riesz(pole, grid)(meridian)
from_series = kernel.gram([[0.0, 0.0, 1.0]], meridian)[0]
print(f"\nH^1.5 at the pole: grid {from_grid[0]:.4f}, series {from_series[0]:.4f}")
print(f"‖δ‖² = {metric.dual_norm(pole, sphere) ** 2:.4f}")
assert np.abs(from_grid - from_series).max() < 0.02 * from_series[0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for s, colour in zip(orders, ("C3", "C1", "C2", "C0", "C4"), strict=True):
    for existence, style in zip(found[s], ("o-", "s--"), strict=True):
        evidence = existence.evidence
        left.loglog(evidence.cutoffs, evidence.squared_dual_norms, style, color=colour, ms=3)
    left.plot([], [], color=colour, label=f"s = {s}")
left.set(title="Squared dual norms (dashed: the equator)", xlabel="cut-off frequency Λ")
left.legend(fontsize=8)
right.plot(np.degrees(angle), from_series, "C4", label="pole")
right.plot(np.degrees(angle), metric.riesz(equator, grid)(meridian), "C0--", label="equator")
right.set(title="Gradients in H^1.5 along a meridian", xlabel="angle from the pole, degrees")
right.legend(fontsize=8)
plt.show()
