"""What residuals under refinement are expected to do, and how that is judged."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from funcgrad.errors import InvalidInput

# Local orders that differ by more than this are not one order.
STABLE_SPREAD = 0.3
# A verdict about an order needs this many ratios of consecutive residuals above their floors.
LEAST_RATIOS = 3


@dataclass(frozen=True)
class Judgement:
    """How a list of residuals compares with an expectation.

    Attributes
    ----------
    status : {"consistent", "exact", "inconclusive", "refuted"}
    message : str
    order : float or None
        The fitted order (of h), where one was fitted.
    spread : float or None
        Largest minus smallest local order in the window of the fit.
    used : tuple of bool
        Which levels the judgement rests on.
    """

    status: str
    message: str
    order: float | None
    spread: float | None
    used: tuple[bool, ...]

    @property
    def holds(self):
        """Whether the status is one in which the expectation is seen."""
        return self.status in ("consistent", "exact")


def local_orders(residuals):
    """Return log(r_i/r_{i+1}) / log(h_i/h_{i+1}) of consecutive scaled residuals, NaN at or under a floor."""
    orders = []
    for coarse, fine in pairwise(residuals):
        if coarse.scaled > coarse.floor and fine.scaled > fine.floor:
            orders.append(math.log(coarse.scaled / fine.scaled) / math.log(coarse.h / fine.h))
        else:
            orders.append(math.nan)
    return orders


def _at_floor(residuals):
    return [residual.scaled <= residual.floor for residual in residuals]


def _refused(residuals):
    """Return a judgement if some residual is not a finite number, else None."""
    if all(math.isfinite(residual.scaled) for residual in residuals):
        return None
    return Judgement("refuted", "a residual is not finite", None, None, (True,) * len(residuals))


@dataclass(frozen=True)
class Exact:
    """Zero to rounding: every residual lies at its floor.

    Examples
    --------
    >>> from funcgrad.theorems import Residual
    >>> residuals = [Residual(value=1e-16, scale=1.0, floor=1e-15, h=h, unknowns=1) for h in (1.0, 0.5)]
    >>> Exact().judge(residuals).status
    'exact'
    """

    def judge(self, residuals):
        """Return the `Judgement` of residuals, coarse to fine."""
        if judgement := _refused(residuals):
            return judgement
        used = (True,) * len(residuals)
        largest = max(residuals, key=lambda residual: residual.scaled / residual.floor)
        message = f"largest residual {largest.scaled:.1e} with floor {largest.floor:.1e}"
        status = "exact" if all(_at_floor(residuals)) else "refuted"
        return Judgement(status, message, None, None, used)

    def __str__(self):
        return "exact to rounding"


@dataclass(frozen=True)
class Order:
    """Algebraic order in [low, high]: residuals behave as h^q. Negative q is divergence, q = 0 neither.

    Levels at their floor are dropped. The order is fitted over the longest run of levels up to the
    finest one left whose local orders agree: a residual that first falls and then stagnates above its
    floor is thus never fitted on its falling part.

    Examples
    --------
    >>> from funcgrad.theorems import Residual
    >>> steps = (0.4, 0.2, 0.1, 0.05)
    >>> residuals = [Residual(value=3 * h**2, scale=1.0, floor=1e-15, h=h, unknowns=1) for h in steps]
    >>> Order(1.9, 2.1).judge(residuals).message
    'order 2.000, expected order in [1.9, 2.1]'
    """

    low: float
    high: float

    def __post_init__(self):
        if not self.low <= self.high:
            raise InvalidInput(f"`low` must not be above `high`; got {self.low:g} and {self.high:g}.")

    def judge(self, residuals):
        """Return the `Judgement` of residuals, coarse to fine."""
        if judgement := _refused(residuals):
            return judgement
        at_floor = _at_floor(residuals)
        if all(at_floor):
            # Zero is the limit that a positive order promises; boundedness and divergence are not seen.
            status = "exact" if self.low > 0 else "refuted"
            return Judgement(status, "at the floor at every level", None, None, (True,) * len(residuals))
        orders = np.array(local_orders(residuals))
        window = _stable_window(orders)
        used = tuple(window.start <= i <= window.stop for i in range(len(residuals)))
        if window.stop - window.start < LEAST_RATIOS:
            return Judgement("inconclusive", _why_unstable(window, at_floor), None, None, used)
        chosen = residuals[window.start : window.stop + 1]
        logs = np.log([[residual.h, residual.scaled] for residual in chosen])
        order = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
        spread = float(np.ptp(orders[window]))
        message = f"order {order:.3f}, expected {self}"
        if order > self.high and self.high > 0:
            message += "; unexpected superconvergence"
        status = "consistent" if self.low <= order <= self.high else "refuted"
        return Judgement(status, message, order, spread, used)

    def __str__(self):
        return f"order in [{self.low:g}, {self.high:g}]"


def _why_unstable(window, at_floor):
    """Say why no order was fitted, and what would help."""
    found = f"only {window.stop - window.start} consecutive ratios with a stable order"
    if sum(at_floor) > len(at_floor) / 2:
        return (
            f"{found}: {sum(at_floor)} of {len(at_floor)} levels are at their rounding floor; a better "
            "conditioned problem, with parameters in units of their size, would show more of them"
        )
    return f"{found}: the rate has not settled on these levels (`--budget full` has one more)"


def _stable_window(orders):
    """Return the slice of ratios that ends at the finest usable one and has a spread within the limit."""
    usable = np.flatnonzero(np.isfinite(orders))
    if not usable.size:
        return slice(0, 0)
    stop = usable[-1] + 1
    start = stop
    while start > 0 and np.isfinite(orders[start - 1]) and np.ptp(orders[start - 1 : stop]) <= STABLE_SPREAD:
        start -= 1
    return slice(int(start), int(stop))


def divergent(rate, tolerance=0.05):
    """Return the expectation that residuals grow as h^-rate.

    Examples
    --------
    >>> from funcgrad.theorems import Residual
    >>> steps = (0.4, 0.2, 0.1, 0.05)
    >>> residuals = [Residual(value=h**-0.5, scale=1.0, floor=1e-15, h=h, unknowns=1) for h in steps]
    >>> divergent(0.5).judge(residuals).status
    'consistent'
    """
    return Order(-rate - tolerance, -rate + tolerance)


@dataclass(frozen=True)
class Stagnant:
    """Neither zero nor infinity in the limit: above `least` at every level, order within 0.25 of zero.

    Examples
    --------
    >>> from funcgrad.theorems import Residual
    >>> residuals = [Residual(value=0.3 + h, scale=1.0, floor=1e-15, h=h, unknowns=1) for h in (0.02, 0.01)]
    >>> Stagnant(0.1).judge(residuals).status
    'consistent'
    """

    least: float

    def judge(self, residuals):
        """Return the `Judgement` of residuals, coarse to fine."""
        if judgement := _refused(residuals):
            return judgement
        used = (True,) * len(residuals)
        values = np.array([residual.scaled for residual in residuals])
        if values.min() < self.least:
            message = f"falls to {values.min():.1e}, expected to stay above {self.least:g}"
            return Judgement("refuted", message, None, None, used)
        logs = np.log([[residual.h for residual in residuals], values])
        order = float(np.polyfit(*logs, 1)[0])
        status = "consistent" if abs(order) <= 0.25 else "refuted"
        return Judgement(status, f"stays at {values[-1]:.2g}, order {order:.3f}", order, None, used)

    def __str__(self):
        return f"stays above {self.least:g}"


@dataclass(frozen=True)
class Spectral:
    """Exponential decay down to the floor: at least `rate` natural logarithms a node, then the floor.

    Examples
    --------
    >>> from funcgrad.theorems import Residual
    >>> residuals = [Residual(max(2.0**-n, 1e-16), 1.0, 1e-15, h=1 / n, unknowns=n) for n in range(4, 64, 4)]
    >>> Spectral(0.5).judge(residuals).status
    'consistent'
    """

    rate: float

    def judge(self, residuals):
        """Return the `Judgement` of residuals, coarse to fine."""
        if judgement := _refused(residuals):
            return judgement
        at_floor = _at_floor(residuals)
        everything = (True,) * len(residuals)
        if all(at_floor):
            return Judgement("exact", "at the floor at every level", None, None, everything)
        if not at_floor[-1]:
            finest = residuals[-1]
            message = f"{finest.scaled:.1e} at the finest level, above the floor {finest.floor:.1e}"
            return Judgement("refuted", message, None, None, everything)
        above = residuals[: at_floor.index(True)]
        rates = [
            math.log(coarse.scaled / fine.scaled) / (fine.unknowns - coarse.unknowns)
            for coarse, fine in pairwise(above)
        ]
        used = tuple(i < len(above) for i in range(len(residuals)))
        if len(rates) < LEAST_RATIOS:
            return Judgement("inconclusive", f"only {len(rates)} ratios above the floor", None, None, used)
        status = "consistent" if min(rates) >= self.rate else "refuted"
        message = f"falls by exp(-{min(rates):.2f}) a node or faster, expected exp(-{self.rate:.2f})"
        return Judgement(status, message, None, None, used)

    def __str__(self):
        return f"exponential decay to rounding, at least exp(-{self.rate:g} N)"
