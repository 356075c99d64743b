"""The figure of a comparison of metrics."""

import numpy as np

from funcgrad.plots import new_axes


def plot_comparison(comparison, ax=None):
    """Draw the loss above the lowest one that any metric reached, against the step."""
    ax = new_axes() if ax is None else ax
    lowest = min(found.history["loss"].min() for found in comparison.descents.values())
    for name, found in comparison.descents.items():
        excess = found.history["loss"] - lowest
        # What is zero to rounding has no place on a logarithmic axis.
        ax.semilogy(np.where(excess > 0, excess, np.nan), "o-", markersize=3, label=name)
    ax.set_title("Natural gradient descent by metric", fontsize=10)
    ax.set_xlabel("step")
    ax.set_ylabel("loss above the lowest reached")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax
