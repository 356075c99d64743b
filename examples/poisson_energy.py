"""Does a network solve Poisson's equation?
========================================

Natural gradients in energy metrics beside first-order descent::

    python examples/poisson_energy.py [--quick] [--plot FILE]

-Δu = 2π² sin(πx) sin(πy) on the unit square, u = 0 on its boundary, u* = sin(πx) sin(πy). The network is a
tanh one with a hidden layer, times x(1-x)y(1-y). Two functionals have u* as their minimiser:

- the energy E(u) = ∫ ½|∇u|² - fu, whose metric is ∫ ∇v·∇w,
- the residual R(u) = ½ ∫ (Δu + f)², whose metric is ∫ Δv Δw,

both by Gauss-Legendre quadrature. Natural gradient descent in each one's own metric (`descend`) stands
beside Euclidean gradient descent with Armijo's rule and Adam on the energy.

In the energy metric the right side of the least squares is the Riesz representer of dE, for which the
Galerkin equations on the grid are solved (by fast diagonalisation); in the residual's it is the residual at
the nodes, and nothing is solved but the least squares. It is the network's descent that is shown here:
on a square those Galerkin equations alone give u*.

The quick mode, shown here and the default where CI=true, is too short for the accuracy that the long one
reaches, below 10⁻⁴ after 500 steps.
"""

import argparse
import os
import time

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

# %%
# The equation, with the error that the descents are compared by.

LOAD = "2*pi**2*sin(pi*x)*sin(pi*y)"
BAR = 1e-4  # for the relative error in H^1 after 500 steps and 5 minutes
SEED = 0


class Problem:
    """The equation on a grid of n x n nodes, and a network of some hidden units."""

    def __init__(self, n, units):
        box = fg.Box([(0, 1), (0, 1)], boundary="dirichlet")
        self.grid, self._fine = box.grid(n), box.grid(64)
        self.model = fg.models.multiply("x*(1-x)*y*(1-y)", fg.models.MLP((2, units, 1)), "x y")
        self.start = self.model.initial(SEED)
        self.energy = fg.Integral(f"(u_x**2 + u_y**2)/2 - ({LOAD})*u", "x y")
        self.residual = fg.ResidualLoss(
            f"u_xx + u_yy + {LOAD}", self.grid.nodes, "x y", weights=self.grid.weights
        )

    def error(self, theta):
        """Return ‖u - u*‖ / ‖u*‖ in H^1_0, by the model's own derivatives on a grid of 64 x 64 nodes."""
        x, y = np.pi * self._fine.nodes.T
        missed = 0.0
        for alpha, exact in (((1, 0), np.cos(x) * np.sin(y)), ((0, 1), np.sin(x) * np.cos(y))):
            difference = self.model.derivative(theta, self._fine.nodes, alpha) - np.pi * exact
            missed += self._fine.weights @ difference**2
        return np.sqrt(missed / (np.pi**2 / 2))

    def value_and_gradient(self, theta):
        """Return E∘φ and its Euclidean gradient, (p,)."""
        x, weights = self.grid.nodes, self.grid.weights
        load = 2 * np.pi**2 * np.prod(np.sin(np.pi * x), axis=1)
        u, u_x, u_y = (self.model.derivative(theta, x, alpha) for alpha in ((0, 0), (1, 0), (0, 1)))
        value = weights @ ((u_x**2 + u_y**2) / 2 - load * u)
        parts = ((-load, (0, 0)), (u_x, (1, 0)), (u_y, (0, 1)))
        return value, sum(self.model.pullback(theta, x, weights * g, alpha) for g, alpha in parts)


# %%
# The descents, each with its errors and times.


class Trace:
    """Errors and times by the number of steps."""

    def __init__(self, name, problem, every):
        self.name, self._problem, self._every = name, problem, every
        self.rows, self._steps, self._start = [], 0, time.perf_counter()
        self.record(problem.start)

    def step(self, theta, row=None):
        self._steps += 1
        if self._steps % self._every == 0:
            self.record(theta)

    def record(self, theta):
        self.rows.append((self._steps, self._problem.error(theta), time.perf_counter() - self._start))


def natural(problem, name, functional, metric, steps):
    trace = Trace(name, problem, max(1, steps // 25))
    found = fg.descend(
        functional,
        problem.model,
        problem.start,
        metric,
        problem.grid,
        first_damping=10.0,
        tolerance=1e-14,
        max_iterations=steps,
        callback=trace.step,
    )
    trace.record(found.theta)
    return trace


def euclidean(problem, steps):
    """Gradient descent: the step is doubled after a success, halved until Armijo's condition holds."""
    trace, theta, length = Trace("Euclidean gradient", problem, max(1, steps // 25)), problem.start, 1.0
    value, gradient = problem.value_and_gradient(theta)
    for _ in range(steps):
        square = gradient @ gradient
        while True:
            reached = problem.value_and_gradient(theta - length * gradient)
            if reached[0] <= value - 1e-4 * length * square:
                break
            length /= 2
        theta, (value, gradient), length = theta - length * gradient, reached, 2 * length
        trace.step(theta)
    return trace


def adam(problem, steps, rate=1e-2):
    """Adam with a rate that falls to zero as a cosine (Kingma & Ba, 2015; usual constants)."""
    trace, theta = Trace("Adam", problem, max(1, steps // 25)), problem.start
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    for k in range(1, steps + 1):
        _, gradient = problem.value_and_gradient(theta)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        direction = mean / (1 - 0.9**k) / (np.sqrt(square / (1 - 0.999**k)) + 1e-8)
        theta = theta - rate * (1 + np.cos(np.pi * k / steps)) / 2 * direction
        trace.step(theta)
    return trace


def plot(traces, file):
    """Show the errors against steps and seconds, or draw them to a file."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for trace in traces:
        steps, errors, seconds = np.array(trace.rows).T
        axes[0].semilogy(steps, errors, label=trace.name)
        axes[1].semilogy(seconds, errors)
    axes[0].set(xlabel="step", ylabel="relative error in $H^1$")
    axes[1].set(xlabel="seconds")
    axes[0].legend(fontsize="small")
    if file is None:
        plt.show()
    else:
        figure.savefig(file, dpi=150)
        print(f"figure in {file}")


# %%
# All from one start.


def main():
    parser = argparse.ArgumentParser(description="Poisson's equation by natural gradients in energy metrics.")
    ci = os.environ.get("CI") == "true"
    parser.add_argument("--quick", action=argparse.BooleanOptionalAction, default=ci)
    parser.add_argument("--plot", metavar="FILE", help="draw the errors to this file")
    options = parser.parse_args()
    nodes, units, steps = (16, 10, 25) if options.quick else (32, 32, 500)
    problem = Problem(nodes, units)
    p = problem.model.n_parameters
    print(f"{nodes} x {nodes} Gauss nodes, {units} tanh units, {p} parameters, seed {SEED}\n")
    traces = [
        natural(problem, "energy metric", problem.energy, fg.metrics.Energy(problem.energy), steps),
        natural(
            problem, "residual's metric", problem.residual, fg.metrics.GaussNewton(problem.residual), steps
        ),
        euclidean(problem, 4 * steps),
        adam(problem, 10 * steps),
    ]
    print(f"{'descent':22}{'steps':>7}{'seconds':>9}{'relative error in H^1':>24}")
    for trace in traces:
        count, error, seconds = trace.rows[-1]
        print(f"{trace.name:22}{count:7d}{seconds:9.1f}{error:24.2e}")
    plot(traces, options.plot)
    bar, natural_errors = (0.05 if options.quick else BAR), [trace.rows[-1][1] for trace in traces[:2]]
    assert max(natural_errors) <= bar, f"the natural gradients were to reach a relative error of {bar:g}"


if __name__ == "__main__":
    main()
