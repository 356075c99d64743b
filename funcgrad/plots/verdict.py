"""The figure of a theorem's verdict."""

from funcgrad.plots import new_axes


def plot_verdict(verdict, ax=None):
    """Draw the scaled residuals of every instance against h, the controls dashed and grey."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax = new_axes() if ax is None else ax
    for case in verdict.cases:
        for control in case.controls:
            _draw(ax, control.series, color="0.7", linestyle="--", linewidth=0.8)
        _draw(ax, case.series, marker="o", label=case.label)
    ax.set_title(f"{verdict.id}: {verdict.status} (controls dashed)", fontsize=10)
    ax.set_xlabel("h")
    ax.set_ylabel("scaled residual")
    ax.grid(alpha=0.3)
    if ax.get_xscale() == "log":  # labels at 1, 2, 5: not too few in one decade, nor too many in three
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    if verdict.cases:
        ax.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1))  # beside the lines, not on them
    return ax


def _draw(ax, series, **style):
    positive = [(residual.h, residual.scaled) for residual in series.residuals if residual.scaled > 0]
    if positive:
        ax.loglog(*zip(*positive, strict=True), **style)
