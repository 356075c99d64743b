"""
Which kernel belongs to an interval?
====================================

The Matérn kernel is the Green function of 1 - ℓ²Δ on the whole line. On an interval the same operator has
other Green functions, one a boundary condition. What goes wrong if the line's kernel is used there, and
does refinement help?
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

LENGTH = 0.1
interval, H1 = fg.Interval(0, 1), fg.Sobolev(1.0, length_scale=LENGTH)
kernels = {
    "Neumann": fg.kernels.IntervalSobolev(1.0, 0, 1, "neumann", LENGTH),
    "Dirichlet": fg.kernels.IntervalSobolev(1.0, 0, 1, "dirichlet", LENGTH),
    "the line": fg.kernels.Sobolev(1.0, 1, LENGTH),
}

# %%
# A kernel of this H^1 must reproduce, <K(x, ·), v> = v(x), for functions v without a condition at the
# ends. The inner product is taken on both sides of x, where K has its kink.


def defect(kernel, x, n):
    """Return <K(x, ·), v> - v(x) for v(t) = 1 + sin 2t by Gauss's rule of n nodes on (0, x) and on (x, 1)."""
    total = 0.0
    for a, b in ((0.0, x), (x, 1.0)):
        grid = fg.Interval(a, b).grid(n)
        section = grid.function(lambda t: kernel.gram([x], t)[0])
        total += H1.inner(section, grid.function(lambda t: 1 + np.sin(2 * t)))
    return total - (1 + np.sin(2 * x))


print(f"<K(x, ·), v> - v(x) at x = 0.1\n{'nodes':>6}" + "".join(f"{name:>14}" for name in kernels))
for n in (8, 16, 32, 64):
    print(f"{n:6d}" + "".join(f"{defect(kernel, 0.1, n):14.1e}" for kernel in kernels.values()))

assert abs(defect(kernels["Neumann"], 0.1, 64)) < 1e-12
assert abs(defect(kernels["the line"], 0.1, 64)) > 0.1 > 0.01 > abs(defect(kernels["the line"], 0.5, 64))

# %%
# The error is one of modelling: no refinement removes it. It is local, of the size e^{-2d/ℓ} at a
# distance d from an end, so in the middle of a long interval the choice does not matter. The Dirichlet
# kernel is right for functions that vanish at the ends, and for no others.

x = np.linspace(0.02, 0.98, 41)
errors = {name: [abs(defect(kernel, x0, 48)) for x0 in x] for name, kernel in kernels.items()}
fine = np.linspace(0, 0.7, 141)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for (name, kernel), style in zip(kernels.items(), ("C0-", "C1-", "C3--"), strict=True):
    left.plot(fine, kernel.gram([0.1], fine)[0], style, label=name)
    right.semilogy(x, np.maximum(errors[name], 1e-16), style, label=name)
left.set(title="K(0.1, ·)", xlabel="x")
left.legend(fontsize=8)
right.set(title="error of <K(x, ·), v> = v(x)", xlabel="x")
plt.show()
