"""
When does a point have a gradient?
==================================

Point evaluation v ↦ v(x) is bounded on H^s exactly for s > n/2, so on the circle for s > ½. Below a
cut-off Λ of the frequencies its squared dual norm is always finite; whether it stays so as Λ grows
decides.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

circle = fg.Circle(2 * np.pi)
delta = fg.PointEvaluation(1.0)
orders = np.array([0.0, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.75, 1.0])
found = [fg.gradient_exists(delta, fg.Sobolev(s), circle) for s in orders]
growth = np.array([existence.evidence.fitted_growth for existence in found])

# %%
# Each octave of frequencies adds Λ^{1-2s} to the squared dual norm. The exponent is fitted without
# knowing the theorem; the verdict is that of the analysis.

print(f"{'s':>6}{'exists':>8}{'growth':>9}{'1 - 2s':>9}{'‖δ‖² at the last cut-off':>27}")
for s, existence, exponent in zip(orders, found, growth, strict=True):
    last = existence.evidence.squared_dual_norms[-1]
    print(f"{s:6.2f}{existence.exists!s:>8}{exponent:9.3f}{1 - 2 * s:9.3f}{last:27.4f}")

assert [bool(existence) for existence in found] == list(orders > 0.5)
assert np.allclose(growth, 1 - 2 * orders, atol=0.02)

# %%
# On the left the dual norms, on the right the exponents. At s = ½ every octave adds the same: the sum
# grows like a logarithm, and the threshold itself is excluded.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
colours = plt.colormaps["viridis"](0.9 * orders)
for s, existence, colour in zip(orders, found, colours, strict=True):
    if s in (0.0, 0.3, 0.5, 0.6, 1.0):
        evidence = existence.evidence
        left.loglog(
            evidence.cutoffs, evidence.squared_dual_norms, "o-", color=colour, ms=4, label=f"s = {s:g}"
        )
left.set(xlabel="cut-off frequency Λ", ylabel="squared dual norm of δ", title="Below a cut-off")
left.legend(fontsize=8)
right.axvspan(0.5, 1.0, color="0.93")
right.axhline(0, color="0.6", lw=0.8)
right.plot(orders, 1 - 2 * orders, "k--", lw=1, label="1 - 2s")
right.plot(orders, growth, "o", color="C0", label="fitted")
right.text(0.75, 0.6, "the gradient\nexists", ha="center")
right.set(xlabel="order s", ylabel="exponent of an octave", title="The threshold")
right.legend(fontsize=8, loc="lower left")
plt.show()
