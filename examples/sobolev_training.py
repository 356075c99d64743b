"""Which metric trains a network?
==============================

Regression: the Euclidean gradient beside natural gradients in L2 and in Sobolev spaces::

    python examples/sobolev_training.py --plot regression.png   # 10 seeds, some minutes
    python examples/sobolev_training.py --quick                 # 2 seeds, seconds; the default if CI=true

300 noisy samples of a function on a square are fitted by a tanh network. All methods start from the same
parameters and choose their steps alone: the natural gradients by `descend` (Levenberg and Marquardt's
damping), the Euclidean gradient by Armijo's rule. A Sobolev metric of order s is taken on the batch, through
the matrix of the kernel of H^s at its points; it is used exactly and through Kronecker factors. Time is the
processor's, so that other programs do not count. Shown here is the quick mode, whose two seeds and ten
steps tell no more than that everything runs; intervals are of the long mode's ten seeds.
"""

import argparse
import os
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
import scipy.stats

import funcgrad as fg

# %%
# Training by any of the methods, and what is recorded of it.

ARMIJO = 1e-4
FEWEST = 5  # seeds that an interval is made of; those of two are wider than anything between the methods


@dataclass
class Run:
    """Losses of one training, the start first, with the processor's seconds spent on it until then."""

    seconds: list = field(default_factory=list)
    loss: list = field(default_factory=list)
    test: list = field(default_factory=list)


class Watch:
    """Records a run; what the recording itself takes is not counted."""

    def __init__(self, loss, test, theta, budget):
        self.run, self.loss, self.test, self.budget = Run(), loss, test, budget
        self.spent = 0.0
        self.start = time.process_time()
        self(theta)

    def __call__(self, theta, row=None):
        entered = time.process_time()
        self.run.seconds.append(entered - self.start - self.spent)
        self.run.loss.append(self.loss(theta))
        self.run.test.append(self.test(theta))
        self.spent += time.process_time() - entered
        return self.run.seconds[-1] > self.budget


def euclidean_descent(functional, model, theta, data, steps, callback):
    """θ ← θ - t ∂F~(θ): t is doubled after each step, and halved until it satisfies Armijo's condition."""

    def function(at):
        return data.function(lambda *x: model(at, np.column_stack(x)))

    t = 1.0
    for _ in range(steps):
        f = function(theta)
        gradient = model.pullback(theta, data.nodes, functional.differential(f).components(data))
        value, square = functional(f), gradient @ gradient
        while functional(function(theta - t * gradient)) > value - ARMIJO * t * square:
            t /= 2
        theta, t = theta - t * gradient, 2 * t
        if callback(theta):
            break


def train(method, functional, model, theta, data, watch, steps):
    """Train by a method, (metric, solver) or None for the Euclidean gradient, and return the `Run`."""
    if method is None:
        euclidean_descent(functional, model, theta, data, steps, watch)
    else:
        metric, solver = method
        fg.descend(
            functional, model, theta, metric, data, solver=solver, max_iterations=steps, callback=watch
        )
    return watch.run


def summary(runs, quantity, places, of):
    """Return mean and half-width of the 95% t-interval of log10 of a quantity at steps or seconds, (K,).

    A run that has ended keeps its last value. Without an interval, of too few seeds, the half-width is NaN.
    """
    rows = []
    for run in runs:
        position = run.seconds if of == "seconds" else np.arange(len(run.loss))
        index = np.searchsorted(position, places, side="right") - 1
        rows.append(np.log10(np.maximum(getattr(run, quantity), 1e-300))[np.maximum(index, 0)])
    rows = np.array(rows)
    if len(rows) < FEWEST:
        return rows.mean(axis=0), np.full(len(places), np.nan)
    half = scipy.stats.t.ppf(0.975, len(rows) - 1) * rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    return rows.mean(axis=0), half


def print_table(results, steps, seconds, quantities):
    """Print geometric means, with the factor of their 95% interval, at some steps and times."""
    places = [("step", steps, "steps"), ("second", seconds, "seconds")]
    for quantity, name in quantities.items():
        seeds = len(next(iter(results.values())))
        interval = " ×/÷ 95% t-interval" if seeds >= FEWEST else ""
        print(f"\n{name}: geometric mean{interval} over {seeds} seeds")
        print(" " * 24 + "".join(f"{f'{word} {at:g}':>17}" for word, ats, _ in places for at in ats))
        for method, runs in results.items():
            cells = []
            for _, ats, of in places:
                means, halves = summary(runs, quantity, np.array(ats, dtype=float), of)
                factors = ["" if np.isnan(half) else f" ×/÷ {10**half:.2f}" for half in halves]
                cells += [f"{10**mean:9.2e}{factor}" for mean, factor in zip(means, factors, strict=True)]
            print(f"{method:24}" + "".join(f"{cell:>17}" for cell in cells))


def plot(results, path, quantities, max_steps, max_seconds):
    """Draw every quantity against step and against time, mean and interval of log10; to a file if given."""
    figure, axes = plt.subplots(
        len(quantities), 2, figsize=(12, 4.2 * len(quantities)), sharey="row", layout="constrained"
    )
    metrics = list(dict.fromkeys(name.split(",")[0] for name in results))
    for row, (quantity, label) in zip(axes, quantities.items(), strict=True):
        for ax, of, places in (
            (row[0], "steps", np.arange(max_steps + 1.0)),
            (row[1], "seconds", np.geomspace(max_seconds / 300, max_seconds, 120)),
        ):
            for name, runs in results.items():
                mean, half = summary(runs, quantity, places, of)
                colour, style = f"C{metrics.index(name.split(',')[0])}", "--" if "Kronecker" in name else "-"
                ax.plot(places, 10**mean, style, color=colour, label=name, linewidth=1.6)
                if not np.isnan(half).any():
                    ax.fill_between(
                        places, 10 ** (mean - half), 10 ** (mean + half), color=colour, alpha=0.12
                    )
            ax.set_yscale("log")
            ax.set_xlabel("step" if of == "steps" else "seconds")
        row[1].set_xscale("log")
        row[0].set_ylabel(label)
    axes[0, 1].legend(fontsize=8, ncols=2)
    if path is not None:
        figure.savefig(path, dpi=110)
        plt.close(figure)


def arguments(description):
    """Return the options --quick and --plot of the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", default=os.environ.get("CI") == "true")
    parser.add_argument("--plot", metavar="FILE", help="draw the losses to this file")
    return parser.parse_args()


# %%
# The regression problem: a function with a kink, and noise.

SQUARE = fg.Box([(-1, 1), (-1, 1)])
ORDERS = (1.25, 1.5, 2.5)  # above n/2 = 1, where point evaluations have gradients
NOISE = 0.1


def target(x, y):
    return np.sin(3 * x) * np.cos(2 * y) + np.abs(x - y)


def methods():
    """Return the methods by name."""
    named = {"Euclidean": None, "L2, exact": (fg.L2(), "qr"), "L2, Kronecker": (fg.L2(), "kronecker")}
    for s in ORDERS:
        metric = fg.RKHS(fg.kernels.Sobolev(s, 2, length_scale=0.5))
        named[f"H^{s:g}, exact"] = (metric, "qr")
        named[f"H^{s:g}, Kronecker"] = (metric, "kronecker")
    return named


def one_seed(seed, steps, budget):
    """Train by every method from one start on one sample."""
    rng = np.random.default_rng(seed)
    model = fg.models.MLP((2, 12, 12, 1))
    theta = model.initial(rng)
    x, clean = rng.uniform(-1, 1, (300, 2)), rng.uniform(-1, 1, (2000, 2))
    y = target(*x.T) + NOISE * rng.normal(size=len(x))
    data, functional = fg.PointSet(SQUARE, x), fg.EmpiricalLoss(x, y, mean=True)
    runs = {}
    for name, method in methods().items():
        watch = Watch(
            lambda at: float(np.mean((model(at, x) - y) ** 2)),
            lambda at: float(np.mean((model(at, clean) - target(*clean.T)) ** 2)),
            theta,
            budget,
        )
        runs[name] = train(method, functional, model, theta, data, watch, steps)
    return runs


QUANTITIES = {"loss": "mean square on the noisy sample", "test": "mean square error against the truth"}


def main():
    options = arguments("Regression by a network, in several metrics.")
    seeds, steps, budget = (2, 10, 0.3) if options.quick else (10, 200, 10.0)
    one_seed(0, 1, 0.0)  # loads and compiles what is used for the first time
    results = {}
    for seed in range(seeds):
        for name, run in one_seed(seed, steps, budget).items():
            results.setdefault(name, []).append(run)
        print(f"seed {seed} done", flush=True)
    at_steps, at_seconds = ((3, 10), (0.1, 0.3)) if options.quick else ((10, 50, 200), (0.3, 1, 3))
    print_table(results, at_steps, at_seconds, QUANTITIES)
    plot(results, options.plot, QUANTITIES, steps, budget)
    plt.show()
    assert all(run.loss[-1] < run.loss[0] for runs in results.values() for run in runs)


if __name__ == "__main__":
    main()
