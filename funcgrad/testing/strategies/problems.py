"""Strategies for whole problems: well-posed ones, and ones in which one named hypothesis is broken."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from funcgrad._checks import one_of, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals import EmpiricalLoss, Functional
from funcgrad.metrics import L2, Metric, Sobolev
from funcgrad.models import Model
from funcgrad.spaces import Circle, Domain, Function, Grid, Interval
from funcgrad.testing.strategies.functionals import functionals, points
from funcgrad.testing.strategies.given import inner
from funcgrad.testing.strategies.models import models
from funcgrad.testing.strategies.spaces import domains, functions, length_scales

# The hypotheses that `broken_problems` can break.
BREAKABLE = ("bounded", "immersion", "definite")


@dataclass(frozen=True)
class DrawnProblem:
    """A functional of a model in a metric, with all that is needed to pose it.

    Attributes
    ----------
    domain : Domain
    grid : Grid
    metric : Metric
    functional : Functional
    f : Function
        Where the functional is differentiated.
    model : Model
    theta : ndarray, (p,)
    margin : float
        By how much the metric's order exceeds what point evaluations need: positive if it bounds them.
    broken : str or None
        The one hypothesis that does not hold: "bounded" (dF in the metric), "immersion" (of the model), or
        "definite" (the metric on the tangent functions).

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> drawn = find(strategies.problems(), lambda drawn: True)
    >>> drawn.domain, drawn.margin, drawn.broken
    (Interval(a=0.0, b=1.0, boundary='neumann'), 0.5, None)
    """

    domain: Domain
    grid: Grid
    metric: Metric
    functional: Functional
    f: Function
    model: Model
    theta: NDArray
    margin: float
    broken: str | None = None


@st.composite
def problems(draw, *, margin=0.25, domain=None):
    """Return a strategy for well-posed problems.

    dF is bounded in the metric by a margin, the model is an immersion and the metric definite.

    Parameters
    ----------
    margin : float
        The least by which the metric's Sobolev order exceeds n/2.
    domain : strategy, optional
        Of intervals (not Dirichlet: models need not vanish at the ends) and circles.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> problem = find(strategies.problems(), lambda problem: True)
    >>> bool(fg.gradient_exists(problem.functional, problem.metric, problem.domain, at=problem.f))
    True
    """
    return draw(_problem(margin, domain, None))


@st.composite
def broken_problems(draw, *, broken=None, margin=0.25, domain=None):
    """Return a strategy for problems in which exactly one hypothesis is broken.

    Parameters
    ----------
    broken : {"bounded", "immersion", "definite"}, optional
        Which; drawn if not given. "bounded": a loss at points in a metric whose order is below n/2 by the
        margin. "immersion": a parameter too many. "definite": L2 of fewer points than parameters.
    margin, domain
        As for `problems`.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> problem = find(strategies.broken_problems(broken="bounded"), lambda problem: True)
    >>> problem.broken, problem.margin
    ('bounded', -0.5)
    """
    broken = (
        draw(st.sampled_from(BREAKABLE)) if broken is None else one_of(broken, BREAKABLE, "broken hypothesis")
    )
    return draw(_problem(margin, domain, broken))


@st.composite
def _problem(draw, margin, domain, broken):
    positive_number(margin, "margin")
    boundaries = st.sampled_from(["neumann", "periodic"])
    usual = {"kinds": ("interval", "circle"), "dimensions": (1,), "boundaries": boundaries}
    on = draw(inner(domain, "domain", lambda: domains(**usual)))
    if not isinstance(on, Interval | Circle) or on.boundary == "dirichlet":
        raise InvalidInput(
            f"`domain` of problems must be a circle, or an interval that is not Dirichlet's; got {on}."
        )
    drawn = draw(models(domain=st.just(on), dependent=broken == "immersion"))
    spectral = on.boundary == "periodic"
    grid = on.grid(32) if spectral else on.grid(24)
    excess = (
        -margin - draw(st.integers(0, 1)) / 8 if broken == "bounded" else margin + draw(st.integers(0, 4)) / 4
    )
    # On an interval order 1 is exact with polynomials, and 0 below it.
    order = on.dimension / 2 + excess
    if not spectral:
        order = 0.0 if broken == "bounded" else max(1.0, float(round(order)))
    metric = Sobolev(order, draw(length_scales())) if order else L2()
    if broken == "bounded":
        functional = draw(functionals(grid=st.just(grid), unbounded_in=metric))
    elif broken == "definite":
        nodes = np.array([draw(points(domain=on))])
        functional = EmpiricalLoss(nodes, [2.0])
        metric = L2(measure=nodes)
        if drawn.model.n_parameters == 1:  # one point determines one parameter
            drawn = draw(_more_parameters(on))
    else:
        functional = draw(functionals(grid=st.just(grid), bounded_in=metric))
    f = draw(functions(grid=st.just(grid)))
    return DrawnProblem(
        on, grid, metric, functional, f, drawn.model, drawn.theta, order - on.dimension / 2, broken
    )


def _more_parameters(domain):
    return models(domain=st.just(domain), nonlinear=True)
