"""The figure of a theorem's verdict."""

import numpy as np

from funcgrad.plots import new_axes

# A residual of zero has no place on a logarithmic axis; it is drawn where half an ulp would be.
_SMALLEST = 1e-17
# More instances than this are not told apart by colours; they share one, and the legend counts them.
_MOST_COLOURS = 6


def plot_verdict(verdict, ax=None):
    """Draw the scaled residuals of every instance against h, the expected slopes, floors and controls.

    Levels that the judgement does not rest on are drawn hollow, controls dashed, expected slopes as broad
    bands, and rounding floors dotted where residuals come near them.
    """
    ax = new_axes() if ax is None else ax
    few = len(verdict.cases) <= _MOST_COLOURS
    for case in verdict.cases:
        for control in case.controls:
            _line(ax, control.series, color="tab:orange", linestyle="--", linewidth=0.9, alpha=0.6, zorder=1)
    for number, case in enumerate(verdict.cases):
        colour = f"C{number if number < 1 else number + 1}" if few else "tab:blue"
        _draw_case(ax, case, colour, case.label if few else None)
    _name_what_is_drawn(ax, verdict, few)
    ax.set_xscale("log")
    ax.set_yscale("log")
    if verdict.cases:
        # A control that falls to zero would leave no room for the rest.
        lowest = min(_points(case.series)[1].min() for case in verdict.cases)
        ax.set_ylim(bottom=max(ax.get_ylim()[0], lowest / 30))
    ax.xaxis.set_minor_formatter("")
    ax.set_title(f"{verdict.id}: {verdict.shown_status}", fontsize=11, loc="left")
    ax.set_xlabel("h")
    ax.set_ylabel("residual / scale")
    ax.grid(alpha=0.25, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_case(ax, case, colour, label):
    h, residuals = _points(case.series)
    order, used = case.series.expected_order, np.array(case.series.judgement.used)
    if order is not None and case.series.judgement.order is not None and used.any():
        window = h[used]
        slope = residuals[used][-1] * (window / window[-1]) ** np.mean(order)
        ax.plot(window, slope, color="0.5", linewidth=6, alpha=0.2, solid_capstyle="butt", zorder=0)
    floors = np.array([residual.floor for residual in case.series.residuals])
    if residuals.min() < 1e3 * floors.max():
        ax.plot(h, floors, color="0.5", linestyle=":", linewidth=0.8, zorder=0)
    ax.plot(h, residuals, color=colour, linewidth=1.3, label=label, zorder=2)
    ax.plot(h[used], residuals[used], "o", color=colour, markersize=4, zorder=3)
    ax.plot(h[~used], residuals[~used], "o", color=colour, markersize=4, markerfacecolor="white", zorder=3)


def _name_what_is_drawn(ax, verdict, few):
    """The legend, below the figure, where it hides nothing."""
    if not verdict.cases:
        return
    if not few:
        ax.plot([], [], "o-", color="tab:blue", markersize=4, label=f"{len(verdict.cases)} instances")
    ax.plot([], [], "--", color="tab:orange", label="controls, which must fail")
    if any(case.series.expected_order is not None for case in verdict.cases):
        ax.plot([], [], color="0.5", linewidth=6, alpha=0.2, label="expected slope")
    ax.plot([], [], ":", color="0.5", label="rounding floor")
    ax.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.14), ncols=2)


def _line(ax, series, **style):
    ax.plot(*_points(series), **style)


def _points(series):
    pairs = np.array([(residual.h, residual.scaled) for residual in series.residuals])
    return pairs[:, 0], np.maximum(pairs[:, 1], _SMALLEST)
