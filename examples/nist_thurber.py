"""
Does natural gradient descent solve a hard fit?
===============================================

Thurber, a problem of the "higher" level of difficulty in the reference data sets of NIST: a rational
function with seven parameters for the mobility of electrons. In L2 with the measure of the data's points
the natural gradient is the Gauss-Newton direction. NIST certifies the answer to eleven digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from nist_fits import digits, fit, read_problem

problem = read_problem("Thurber")
found = [fit(problem, start) for start in problem.starts]

# %%
# Both starting points lead to the certified parameters.

print(f"{'':8}{'certified':>20}{'from start 1':>20}{'from start 2':>20}")
for i, name in enumerate(problem.model.parameter_names):
    print(f"{name:8}{problem.certified[i]:20.10f}" + "".join(f"{f.theta[i]:20.10f}" for f in found))
for number, descent in enumerate(found, 1):
    agreed = digits(descent.theta, problem.certified)
    print(f"start {number}: {len(descent.history) - 1} steps, {descent.status}, {agreed:.1f} digits")
    assert agreed > 9

# %%
# The last steps gain digits fast; then the loss cannot tell steps apart any more, and the descent says so
# and stops.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
x = np.linspace(problem.x.min(), problem.x.max(), 300)
left.plot(problem.x[:, 0], problem.y, "k.", label="data")
left.plot(x, problem.model(problem.starts[0], x), "C3--", lw=1, label="start 1")
left.plot(x, problem.model(found[0].theta, x), "C0", label="fit")
left.set(xlabel="log of the density", ylabel="mobility", title="Thurber", ylim=(-50, 1600))
left.legend(fontsize=8)
for number, descent in enumerate(found, 1):
    right.semilogy(descent.history["norm"] / descent.history["norm"][0], label=f"start {number}")
right.set(xlabel="step", ylabel="norm of the projected gradient", title="Descent")
right.legend(fontsize=8)
plt.show()
