"""Figure of a comparison of metrics."""

import numpy as np


def plot_comparison(comparison, ax=None):
    """Draw the loss above the lowest one reached, and the norm of the gradient, against the step.

    Parameters
    ----------
    comparison : funcgrad.gradients.Comparison
    ax : pair of matplotlib axes, optional

    Returns
    -------
    pair of matplotlib axes
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    lowest = min(found.history["loss"].min() for found in comparison.descents.values())
    for name, found in comparison.descents.items():
        excess = found.history["loss"] - lowest
        # What is zero to rounding has no place on a logarithmic axis.
        ax[0].semilogy(np.where(excess > 0, excess, np.nan), label=name)
        norm = found.history["norm"]
        ax[1].semilogy(np.where(norm > 0, norm, np.nan), label=name)
    ax[0].set(xlabel="step", ylabel="loss above the lowest reached")
    ax[1].set(xlabel="step", ylabel="norm of the gradient in the metric")
    ax[0].legend()
    return ax
