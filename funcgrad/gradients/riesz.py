"""Riesz gradients of functionals."""

from funcgrad.errors import GradientDoesNotExist, InvalidInput
from funcgrad.gradients.arguments import require
from funcgrad.gradients.existence import analyse, gradient_exists
from funcgrad.metrics.base import at_base_point


def gradient(F, f, metric):
    """Return the gradient of a functional at a function: the Riesz representer of its differential.

    It is computed among the functions of f's grid, so ∇F satisfies <∇F, v> = dF(v) for each of those;
    where ∇F has a kink (point evaluations in H^1) it is their best approximation of it in the metric.

    Parameters
    ----------
    F : Functional
    f : Function
    metric : Metric

    Returns
    -------
    Function
        On the grid of f.

    Raises
    ------
    GradientDoesNotExist
        If the differential is unbounded in the metric. On every fixed grid it would have a
        representer, which diverges as the grid is refined.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> f = fg.Circle(2 * np.pi).grid(64).function(np.sin)
    >>> loss = fg.EmpiricalLoss(x=[0.3, 1.7], y=[1.0, -0.5])
    >>> fg.gradient(loss, f, fg.L2())
    Traceback (most recent call last):
        ...
    funcgrad.errors.GradientDoesNotExist: ... has no gradient in L2 ...
    """
    require("functional", F, "F")
    require("function", f, "f")
    require("metric", metric, "metric")
    c = F.differential(f)
    metric = at_base_point(metric, f)
    verdict = analyse(c, metric, f.grid.domain)
    if verdict.exists is False:
        existence = gradient_exists(c, metric, f.grid.domain)
        raise GradientDoesNotExist(
            f"{F!r} has no gradient in {metric} on {f.grid.domain}: {verdict.reason}. Use a Sobolev metric "
            f"of order above {verdict.threshold:g}; for a model, `natural_gradient` exists all the same.",
            existence,
        )
    return metric.riesz(c, f.grid)


def steepest_direction(F, f, metric):
    """Return ∇F/‖∇F‖, the unit direction in which F grows fastest: at the rate ‖∇F‖ = ‖dF‖_*.

    Raises
    ------
    GradientDoesNotExist
        As `gradient` does.
    InvalidInput
        If the gradient is zero.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> f = fg.Circle(2 * np.pi).grid(16).function(np.sin)
    >>> v = fg.steepest_direction(fg.PopulationLoss(lambda x: 0.0), f, fg.Sobolev(1.0))
    >>> round(fg.Sobolev(1.0).norm(v), 12)
    1.0
    """
    metric = at_base_point(metric, f)
    g = gradient(F, f, metric)
    length = metric.norm(g)
    if length == 0:
        raise InvalidInput(f"the gradient of {F!r} at `f` is zero: no direction is steepest.")
    return g / length
