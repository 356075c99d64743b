"""Figures of residuals under refinement as SVG, drawn for a page: colours and fonts are the style sheet's."""

import math
from html import escape

WIDTH, HEIGHT = 320, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 34
# A residual of zero has no place on a logarithmic axis; it is drawn where half an ulp would be.
_SMALLEST = 1e-17
_NEAR = 1e3
_DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def residual_figure(claim, controls, label):
    """Return the SVG of a claim's residuals against h with its floor and expected slope, and of its controls.

    Parameters
    ----------
    claim : dict
        A series as in the JSON report: its `levels` and `expected_order`.
    controls : sequence of dict
        Likewise, each with a `name`.
    label : str
        What a reader who does not see the figure is told.
    """
    lines = [points(series) for series in (claim, *controls)]
    everything = [point for line in lines for point in line]
    if not everything:
        return ""
    floors = [(level["h"], level["floor"]) for level in claim["levels"]]
    # A floor far below everything would leave no room for the rest.
    floors = floors if min(y for _, y in everything) < _NEAR * max(y for _, y in floors) else []
    # A control that falls to zero would not either: it runs along the bottom.
    lowest = min((y for _, y in lines[0] + floors), default=_SMALLEST) / 10
    plane = _Plane([(h, max(residual, lowest)) for h, residual in everything + floors])
    parts = [plane.axes(), plane.line(floors, "floor")]
    if slope := _expected(claim, lines[0]):
        parts.append(plane.line(slope, "slope"))
    parts += [plane.line(line, "control") + plane.marks(line, "control") for line in lines[1:]]
    parts.append(plane.line(lines[0], "claim") + plane.marks(lines[0], "claim"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def points(series):
    """Return the pairs (h, residual) of a series that can be drawn."""
    pairs = [(level["h"], level["residual"]) for level in series["levels"]]
    return [
        (h, max(residual, _SMALLEST))
        for h, residual in pairs
        if isinstance(residual, float | int) and isinstance(h, float | int) and h > 0
    ]


def _expected(claim, line):
    """Two points of the expected slope through the finest level that was used."""
    if claim["expected_order"] is None or claim["order"] is None or len(line) < 2:
        return None
    order = sum(claim["expected_order"]) / 2
    used = [(level["h"], level["residual"]) for level in claim["levels"] if level["used"]]
    if not used or not isinstance(used[-1][1], float | int) or used[-1][1] <= 0:
        return None
    h, residual = used[-1]
    coarsest = max(h for h, _ in used)
    return [(h, residual), (coarsest, residual * (coarsest / h) ** order)]


class _Plane:
    """A plane with two logarithmic axes around some points."""

    def __init__(self, pairs):
        self.x, self.y = (_range([pair[i] for pair in pairs], least) for i, least in ((0, 0.5), (1, 1.0)))

    def at(self, point):
        (low_x, high_x), (low_y, high_y) = self.x, self.y
        x = (math.log10(point[0]) - low_x) / (high_x - low_x)
        y = (math.log10(max(point[1], _SMALLEST)) - low_y) / (high_y - low_y)
        return (
            _LEFT + x * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - min(max(y, 0.0), 1.0) * (HEIGHT - _TOP - _BOTTOM),
        )

    def line(self, pairs, kind):
        places = " ".join("{:.1f},{:.1f}".format(*self.at(pair)) for pair in pairs)
        return f'<polyline class="{kind}" points="{places}"/>' if len(pairs) > 1 else ""

    def marks(self, pairs, kind):
        radius = 3.2 if kind == "claim" else 2.4
        return "".join(
            '<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>'.format(kind, *self.at(pair), radius)
            for pair in pairs
        )

    def axes(self):
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        parts = []
        for tick in _ticks(*self.y):
            _, y = self.at((1.0, tick))
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_written(tick)}</text>')
        for tick in _ticks(*self.x):
            x, _ = self.at((tick, 1.0))
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
            parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{_written(tick)}</text>')
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(
            f'<text class="name" x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 5}" text-anchor="middle">h</text>'
        )
        return "".join(parts)


def _range(values, least):
    """The range of the decimal logarithms with a margin, at least some wide."""
    logs = [math.log10(max(value, _SMALLEST)) for value in values]
    low, high = min(logs), max(logs)
    margin = max(0.06 * (high - low), (least - (high - low)) / 2, 0.05)
    return low - margin, high + margin


def _ticks(low, high):
    """Powers of ten in a range, at most six; 1, 2, 5 times them where there are fewer than two."""
    step = max(1, math.ceil((high - low) / 6))
    powers = [10.0**k for k in range(math.ceil(low), math.floor(high) + 1) if k % step == 0]
    if len(powers) >= 2:
        return powers
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks = [m * 10.0**k for k in decades for m in (1, 2, 5)]
    return [tick for tick in ticks if low <= math.log10(tick) <= high]


def _written(tick):
    exponent = math.log10(tick)
    if -3 < exponent < 3:
        return f"{tick:g}"
    whole = math.floor(exponent + 1e-9)
    factor = round(tick / 10.0**whole)
    return ("" if factor == 1 else f"{factor}·") + "10" + str(whole).translate(_DIGITS)
