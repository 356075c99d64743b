"""
Which second-order Sobolev metric, and what happens at the ends?
================================================================

Spectral H² is the square of the Neumann operator 1 - D²; W^{2,2} measures two derivatives and imposes
nothing. The gradients of one functional in the two agree in equation, not in boundary conditions.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

interval = fg.Interval(0, 1)
grid = interval.grid(48)
spectral, weak = fg.Sobolev(2), fg.Sobolev(2, definition="derivative")
functional = fg.Density(grid.function(np.exp))  # v ↦ ∫ e^x v

# %%
# Both gradients solve the same equation, with the natural conditions of their metrics.

print("The gradient g of v ↦ ∫ e^x v solves g - 2g'' + g'''' = e^x on (0, 1) in both. At x = 1:\n")
print(f"{'':14s}{'g':>10s}{'g-prime':>10s}{'g-second':>10s}{'g-third':>10s}{'2g-prime - g-third':>20s}")
gradients = {str(metric): metric.riesz(functional, grid) for metric in (spectral, weak)}
for metric, g in gradients.items():
    values = [g.derivative(j)(1.0) if j else g(1.0) for j in range(4)]
    row = "".join(f"{v:10.5f}" for v in values)
    print(f"{metric:14s}{row}{2 * values[1] - values[3]:20.5f}")
print("\nSpectral H²: g' = g''' = 0. W^{2,2}: g'' = 0 and 2g' = g''', the natural conditions.\n")
assert abs(gradients["H^2"].derivative(1)(1.0)) < 1e-6 < 0.05 < gradients["W^2,2"].derivative(1)(1.0)

# %%
# A function with a slope at the ends has no finite norm in the spectral space.

print("The squared norm of f(x) = x, whose derivative does not vanish at the ends, as the grid is refined:\n")
print(f"{'nodes':>8s}{'H^1':>12s}{'H^2':>14s}{'W^2,2':>12s}")
for n in (8, 16, 32, 64, 128):
    f = interval.grid(n).function(lambda x: x)
    norms = [metric.norm(f) ** 2 for metric in (fg.Sobolev(1), spectral, weak)]
    print(f"{n:8d}{norms[0]:12.6f}{norms[1]:14.4f}{norms[2]:12.6f}")
print("\nH^1: 1/3 + 1. W^{2,2}: 1/3 + 2. In spectral H², x has infinite norm: it is not in the space.\n")

# %%
# So at an end the functions of W^{2,2} can do more: evaluations have larger norms there.

print("The largest value a function of norm 1 can take at an end and in the middle, ‖δ_x‖:\n")
for x in (0.0, 0.5):
    norms = [metric.dual_norm(fg.PointEvaluation(x), interval) for metric in (spectral, weak)]
    print(f"  x = {x}: H² {norms[0]:.6f}, W^2,2 {norms[1]:.6f}")
print("\nAt an end it is larger in W^{2,2}: functions may have a slope there.")
slope = weak.dual_norm(fg.PointEvaluation(0.0, derivative=1), interval)
print(f"\nSlope at the end, v ↦ v'(0): norm {slope:.6f} in W^2,2; zero on spectral H².")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
x = np.linspace(0, 1, 201)
for (name, g), colour in zip(gradients.items(), ("C0", "C1"), strict=True):
    left.plot(x, g(x), colour, label=name)
    right.plot(x, g.derivative(1)(x), colour, label=name)
left.set(title="The gradient g", xlabel="x")
right.set(title="Its derivative", xlabel="x")
right.axhline(0, color="0.7", lw=0.8)
left.legend(fontsize=8)
plt.show()
