"""Strategies for covectors and functionals, bounded in a metric or not."""

import math

import numpy as np
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.functionals import (
    Covector,
    Density,
    EmpiricalLoss,
    Integral,
    LinearFunctional,
    PointEvaluation,
    PopulationLoss,
)
from funcgrad.metrics import RKHS
from funcgrad.testing.strategies.given import inner
from funcgrad.testing.strategies.spaces import functions, grids


def highest_order(metric, domain):
    """Return the highest order of point derivatives that a metric bounds, -1 if not even values."""
    if isinstance(metric, RKHS):
        return max(0, math.ceil(metric.kernel.smoothness / 2) - 1) if metric.kernel.smoothness < 20 else 10
    order = getattr(metric, "order", None)
    if order is None:
        raise InvalidInput(f"{metric} states no Sobolev order: which covectors it bounds is not known.")
    return max(-1, math.ceil(order - domain.dimension / 2) - 1)


@st.composite
def points(draw, *, domain):
    """Return a strategy for points of a domain: near sixteenths of it, off its boundary and usual nodes."""
    units = [draw(st.integers(1, 15)) / 16 + 1 / 97 for _ in range(domain.dimension)]
    if math.isinf(domain.volume):
        return np.array([2 * u - 1 for u in units])
    return domain.from_unit_cube(np.array([units]))[0]


@st.composite
def covectors(draw, *, grid=None, bounded_in=None, unbounded_in=None):
    """Return a strategy for covectors: point evaluations, their derivatives, densities, and sums.

    They shrink to one evaluation, or one density, with the weight 1.

    Parameters
    ----------
    grid : strategy, optional
        Of the grids on which densities live; its domain is where the points are.
    bounded_in : metric, optional
        Only covectors that have a Riesz representer in it.
    unbounded_in : metric, optional
        Only covectors that have none in it.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> rough = find(strategies.covectors(unbounded_in=fg.Sobolev(1.0)), lambda c: True)
    >>> rough.regularity.admits(1.0)
    False

    """
    on = draw(inner(grid, "grid", grids))
    least, most = _orders(on.domain, bounded_in, unbounded_in)
    total = Covector()
    count = draw(st.integers(1, 2))
    for k in range(count):
        may_be_density = unbounded_in is None or k > 0
        orders = list(range(least if k == 0 else 0, most + 1))
        kinds = [*(["point"] if orders else []), *(["density"] if may_be_density else [])]
        weight = float(draw(st.sampled_from([1, 2, -1])))
        if draw(st.sampled_from(kinds)) == "density":
            total = total + weight * Density(draw(functions(grid=st.just(on), nonzero=True)))
            continue
        # Derivatives along a coordinate; on the sphere those of values only, which no point annihilates.
        alpha = [0] * on.domain.n_coordinates
        alpha[0] = draw(st.sampled_from(orders)) if on.domain.n_coordinates == on.domain.dimension else 0
        point = draw(points(domain=on.domain))
        total = total + weight * PointEvaluation(point, tuple(alpha), 1.0 + 0.25 * k)
    return total


def _orders(domain, bounded_in, unbounded_in):
    """Return the lowest and the highest order of point derivatives to draw."""
    if bounded_in is not None and unbounded_in is not None:
        raise InvalidInput("give `bounded_in` or `unbounded_in`, not both.")
    if bounded_in is not None:
        return 0, min(2, highest_order(bounded_in, domain))
    if unbounded_in is not None:
        least = highest_order(unbounded_in, domain) + 1
        if domain.n_coordinates != domain.dimension and least > 0:
            raise InvalidInput(
                f"on {domain} only covectors of values are drawn, and {unbounded_in} bounds those."
            )
        return least, least
    return 0, 1


@st.composite
def functionals(draw, *, grid=None, bounded_in=None, unbounded_in=None):
    """Return a strategy for functionals whose differentials are bounded in a metric, or not, or either.

    They shrink to a squared loss at one point, or against zero where points are unbounded.

    Parameters
    ----------
    grid : strategy, optional
        Of grids; the functions to differentiate at live there.
    bounded_in, unbounded_in : metric, optional
        As for `covectors`, at every function.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.functionals(), lambda functional: True)
    EmpiricalLoss(1 points)
    """
    on = draw(inner(grid, "grid", grids))
    at_points = True
    population, linear = unbounded_in is None, True
    if bounded_in is not None or unbounded_in is not None:
        values_bounded = highest_order(bounded_in if unbounded_in is None else unbounded_in, on.domain) >= 0
        at_points = values_bounded == (bounded_in is not None)
    kinds = ["empirical"] * at_points + ["population", "integral"] * population + ["linear"] * linear
    # The data of a loss are drawn for every kind, lest one that needs less counts as simpler.
    x = np.array([draw(points(domain=on.domain)) for _ in range(draw(st.integers(1, 3)))])
    # Far above the functions drawn: residuals, and with them the differential, do not vanish.
    y = [2.0 + draw(st.integers(0, 4)) for _ in x]
    loss = draw(st.sampled_from(["squared", "pseudo-huber"]))
    kind = draw(st.sampled_from(kinds))
    if kind == "empirical":
        return EmpiricalLoss(x, y, loss=loss)
    if kind == "population":
        target = draw(functions(grid=st.just(on)))
        return PopulationLoss(
            target, loss=draw(st.sampled_from(["squared", "poisson"])) if _positive(target) else "squared"
        )
    if kind == "integral":
        names = ["x", "y", "z"][: on.domain.n_coordinates]
        formula = draw(st.sampled_from(["u**2/2", "u**4/4 - u", "exp(u)", "u**2/2 + u**3/6"]))
        return Integral(formula, variables=names)
    return LinearFunctional(
        draw(covectors(grid=st.just(on), bounded_in=bounded_in, unbounded_in=unbounded_in))
    )


def _positive(target):
    return bool((target.values >= 0).all())
