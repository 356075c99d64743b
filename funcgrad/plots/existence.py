"""The figure of an existence verdict."""

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.plots import new_axes


def plot_existence(existence, ax=None):
    """Draw what each octave of frequencies adds to the squared dual norm, with the predicted slope.

    A falling line means that the dual norms converge: the gradient exists.
    """
    ax = new_axes() if ax is None else ax
    evidence = existence.evidence
    if evidence is None:
        raise InvalidInput(f"there is nothing to draw: {existence.reason}.")
    cutoffs, norms = evidence.cutoffs, evidence.squared_dual_norms
    added = np.diff(norms)
    ax.loglog(cutoffs, norms, "o-", label=r"$\|dF\|^2$ below the cut-off")
    ax.loglog(cutoffs[1:], added, "s-", label="added by the last octave")
    if np.isfinite(evidence.predicted_growth) and added[-1] > 0:
        predicted = added[-1] * (cutoffs[1:] / cutoffs[-1]) ** evidence.predicted_growth
        ax.loglog(
            cutoffs[1:], predicted, "k--", label=rf"predicted, $\Lambda^{{{evidence.predicted_growth:+.3g}}}$"
        )
    answer = {True: "exists", False: "does not exist", None: "is undecided"}[existence.exists]
    ax.set_title(f"The gradient {answer} in {existence.metric}\non {existence.domain}", fontsize=10)
    ax.set_xlabel(r"cut-off frequency $\Lambda$")
    ax.set_ylabel("squared dual norm")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax
