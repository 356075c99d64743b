"""Does the metric matter for classification?
==========================================

Digits by a network: the Euclidean gradient beside natural gradients in several metrics::

    python examples/digits.py --plot digits.png     # 10 seeds, some minutes
    python examples/digits.py --quick               # 2 seeds, seconds; the default if CI=true

200 of scikit-learn's digits (8 x 8 pixels, so functions on R^64) are classified by a tanh network under
cross-entropy; the other 1,597 are the test. Metrics are L2 of the data, the Fisher metric of the classes
(Amari's natural gradient), and H^s on the batch through the Matérn kernel, which is that of H^s(R^64) for
s = 32 + ν up to a factor. Methods and figures are those of `sobolev_training.py`. Shown here is the quick
mode, whose five steps of a network with four hidden units tell no more than that everything runs.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.special
from sobolev_training import Watch, arguments, plot, print_table, train

import funcgrad as fg

try:
    from sklearn.datasets import load_digits
except ImportError:
    raise SystemExit(
        "this example needs scikit-learn for its data: pip install scikit-learn, or pip install '.[examples]'"
    ) from None

SMOOTHNESS = (0.5, 1.5, 2.5)
CLASSES = 10
LENGTH_SCALE = 3.0  # about the median distance of two images


def methods():
    """Return the methods by name."""
    metrics = {"L2": fg.L2(), "Fisher": fg.Fisher(fg.metrics.Categorical())}
    for nu in SMOOTHNESS:
        metrics[f"H^{32 + nu:g}"] = fg.RKHS(fg.kernels.Matern(nu, length_scale=LENGTH_SCALE))
    named = {"Euclidean": None}
    for name, metric in metrics.items():
        named[f"{name}, exact"] = (metric, "qr")
        named[f"{name}, Kronecker"] = (metric, "kronecker")
    return named


def cross_entropy(logits, labels):
    return float(np.mean(scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]))


def one_seed(seed, steps, budget, trained=200, hidden=8):
    """Train by every method from one start on one sample."""
    rng = np.random.default_rng(seed)
    images, labels = load_digits(return_X_y=True)
    images, order = images / 16, rng.permutation(len(labels))
    own, other = order[:trained], order[trained:]
    x, y = images[own], labels[own]
    model = fg.models.MLP((64, hidden, CLASSES))
    theta = model.initial(rng)
    data = fg.PointSet(fg.Euclidean(64), x)
    functional = fg.EmpiricalLoss(x, np.eye(CLASSES)[y], loss="cross-entropy", mean=True)
    runs = {}
    for name, method in methods().items():
        watch = Watch(
            lambda at: cross_entropy(model(at, x), y),
            lambda at: float(np.mean(model(at, images[other]).argmax(axis=1) != labels[other])),
            theta,
            budget,
        )
        runs[name] = train(method, functional, model, theta, data, watch, steps)
    return runs


QUANTITIES = {"loss": "cross-entropy on the sample", "test": "share of errors on the test"}


def main():
    options = arguments("Classification of digits by a network, in several metrics.")
    seeds, steps, budget, size = (2, 5, 0.3, (60, 4)) if options.quick else (10, 40, 6.0, (200, 8))
    one_seed(0, 1, 0.0, *size)  # loads and compiles what is used for the first time
    results = {}
    for seed in range(seeds):
        for name, run in one_seed(seed, steps, budget, *size).items():
            results.setdefault(name, []).append(run)
        print(f"seed {seed} done", flush=True)
    at_steps, at_seconds = ((2, 5), (0.1, 0.3)) if options.quick else ((5, 15, 40), (0.3, 1, 3))
    print_table(results, at_steps, at_seconds, QUANTITIES)
    plot(results, options.plot, QUANTITIES, steps, budget)
    plt.show()
    assert all(run.loss[-1] < run.loss[0] for runs in results.values() for run in runs)


if __name__ == "__main__":
    main()
