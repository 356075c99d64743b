"""
What is a natural gradient where the model is degenerate?
=========================================================

Two exponentials with the same rate are one: a e^{-bx} + c e^{-dx} has dependent tangent functions at b =
d, and its Gram matrix has no inverse. The natural gradient exists nevertheless, as a function.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

interval = fg.Interval(0, 3)
two = fg.models.Symbolic("a*exp(-b*x) + c*exp(-d*x)", "x", "a b c d")
one = fg.models.Symbolic("a*exp(-b*x)", "x", "a b")
loss = fg.PopulationLoss(lambda x: np.exp(-x) + 0.5 * np.exp(-0.3 * x))

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    step = fg.natural_gradient(loss, two, [0.5, 1.0, 0.7, 1.0], fg.L2(), interval)
reduced = fg.natural_gradient(loss, one, [1.2, 1.0], fg.L2(), interval)
print("warned:", caught[0].message)
warnings.simplefilter("ignore", fg.DegenerateModelWarning)  # we know by now
print(f"rank {step.rank} of 4, singular values {step.singular_values.round(3)}")

# %%
# The solution of least norm pushes forward to the same function as the model with one exponential: the
# projection onto a tangent space that is the same. Damping, (G + λ)⁻¹, moves the function by O(λ).

x = np.linspace(0, 3, 200)
exact = reduced.pushforward(x)
print(f"least norm: largest difference of the functions {np.abs(step.pushforward(x) - exact).max():.1e}")

dampings = 10.0 ** np.arange(-6, 0.1)
biases = []
for damping in dampings:
    damped = fg.natural_gradient(loss, two, [0.5, 1.0, 0.7, 1.0], fg.L2(), interval, damping=damping)
    biases.append(np.abs(damped.pushforward(x) - exact).max())
    print(f"damping {damping:.0e}: {biases[-1]:.1e}")

assert step.rank == 2
assert np.abs(step.pushforward(x) - exact).max() < 1e-12
assert abs(np.polyfit(np.log(dampings[:4]), np.log(biases[:4]), 1)[0] - 1) < 0.05

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot(x, exact, lw=5, color="0.8", label="one exponential")
left.plot(x, step.pushforward(x), "C0", label="two, least norm")
left.plot(x, damped.pushforward(x), "C3--", label="two, damping 1")
left.set(title="The natural gradient as a function", xlabel="x")
left.legend(fontsize=8)
right.loglog(dampings, biases, "o-", color="C3")
right.set(title="What damping does to it", xlabel="damping λ", ylabel="largest difference")
plt.show()
