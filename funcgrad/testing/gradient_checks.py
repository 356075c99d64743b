"""Checks of gradients: the Riesz identity, steepest ascent, refinement."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.gradients import gradient as riesz_gradient
from funcgrad.gradients.arguments import require
from funcgrad.spaces import Function
from funcgrad.testing.conformance import (
    ROUNDING,
    CheckResult,
    NotApplicable,
    OnFail,
    Trial,
    changed,
    check_of,
    run_checks,
    snapshot,
)
from funcgrad.testing.metric_subject import MetricSubject, l2_norm
from funcgrad.testing.protocols import FunctionalLike, MetricFieldLike, MetricLike
from funcgrad.testing.samples import combination, refined


@dataclasses.dataclass
class GradientSubject:
    """A gradient, as a function of f, with its functional, its metric and the f at which it is checked."""

    object: Callable[[Function], Function]
    functional: FunctionalLike
    metric: MetricLike
    f: Function
    field: MetricLike | MetricFieldLike

    def at(self, f):
        """Return the subject of the same gradient at another function."""
        return GradientSubject(self.object, self.functional, _metric_at(self.field, f), f, self.field)

    @cached_property
    def g(self):
        """The gradient at f."""
        return self.object(self.f)

    @cached_property
    def space(self):
        """The metric on the grid of f."""
        return MetricSubject(self.metric, self.f.grid)

    def tolerance(self, v):
        """Return what rounding may change in <∇F, v>."""
        c = self.functional.differential(self.f)
        return self.space.condition * self.space.rounding(self.g, v) + ROUNDING * len(self.f.grid) * abs(c(v))


def _metric_at(metric, f):
    return metric.at(f) if isinstance(metric, MetricFieldLike) else metric


def is_a_function(subject, rng):
    """The gradient is a function on the grid of f."""
    g = subject.g
    right = getattr(g, "grid", None) == subject.f.grid and g.values.shape == subject.f.values.shape
    message = f"it must be a Function on {subject.f.grid!r} like f; it is {type(g).__name__}"
    yield Trial({"f": subject.f}, float(not right), 0.0, message)


def riesz_identity(subject, rng):
    """<∇F, v> = dF(v) in the metric."""
    c = subject.functional.differential(subject.f)
    for j, v in enumerate(subject.space.functions):
        left, right = subject.metric.inner(subject.g, v), c(_as_the_metric_sees(subject.metric, v))
        ratio = f"; their quotient is {left / right:.6g}" if right else ""
        message = (
            f"it is not the gradient in {subject.metric}: <∇F, v> = {left:.9g} and dF(v) = {right:.9g} for v "
            f"= mode {j}{ratio}"
        )
        yield Trial({"f": subject.f, "v": v}, abs(left - right), subject.tolerance(v), message)


def elsewhere(subject, rng):
    """The Riesz identity holds at another function too: at 5f/4, in the metric there."""
    f = 1.25 * subject.f
    try:
        there = subject.at(f)
        there.functional.differential(f)
        _ = there.g
    except FuncgradError as why:
        raise NotApplicable(f"5f/4 is refused: {why}") from why
    for trial in riesz_identity(there, rng):
        message = f"right at f and not at 5f/4: is a gradient kept? There {trial.message}"
        yield dataclasses.replace(trial, message=message)


def _as_the_metric_sees(metric, v):
    """Return v, or in an RKHS the function of least norm with its nodal values, as a callable."""
    kernel, nodes = getattr(metric, "kernel", None), v.grid.nodes
    if kernel is None:
        return v
    coefficients = kernel.solve(nodes, v.values)
    return lambda *x: kernel.gram(np.column_stack(x), nodes) @ coefficients


def steepest(subject, rng):
    """No direction of norm 1 is steeper than the gradient's own."""
    c, metric = subject.functional.differential(subject.f), subject.metric
    length = math.sqrt(abs(metric.inner(subject.g, subject.g)))
    for trial in range(6):
        coefficients = rng.normal(size=len(subject.space.functions))
        if trial == 0:
            coefficients = np.array([float(c(v)) for v in subject.space.functions])
        v = combination(subject.space.functions, coefficients)
        slope, norm = c(v), subject.space.norm(v)
        if norm == 0:  # dF vanishes on all modes
            continue
        message = (
            f"a direction is steeper than the gradient: |dF(v)|/‖v‖ = {abs(slope) / norm:.9g}, ‖∇F‖ = "
            f"{length:.9g}"
        )
        yield Trial(
            {"v": v}, abs(slope) - length * norm, subject.tolerance(v) + ROUNDING * length * norm, message
        )


def descent(subject, rng):
    """F decreases along -∇F at the rate ‖∇F‖²."""
    F, f, g = subject.functional, subject.f, subject.g
    square = subject.metric.inner(g, g)
    size = l2_norm(g)
    if size == 0:
        yield Trial({"f": f}, abs(square), 0.0, "the gradient vanishes and its norm does not")
        return
    t = 1e-4 * max(1.0, l2_norm(f)) / size
    rate = (float(F(f + t * g)) - float(F(f - t * g))) / (2 * t)
    message = f"F changes along the gradient at the rate {rate:.6g}, not at ‖∇F‖² = {square:.6g}"
    yield Trial({"f": f}, abs(rate - square), 1e-4 * max(abs(square), abs(rate)), message)


def refinement(subject, rng):
    """The gradient is the same on twice the nodes, but for what the coarser grid cannot hold."""
    f = subject.f
    fine = refined(f.grid)
    finer = subject.object(fine.function(f))
    v = subject.space.functions[: max(1, len(subject.space.functions) // 2)]
    for j, u in enumerate(v):
        coarse = float(np.sum(f.grid.integrate(subject.g.values * u.values)))
        on_fine = float(np.sum(fine.integrate(finer.values * fine.function(u).values)))
        size = max(abs(coarse), abs(on_fine), 0.05 * l2_norm(subject.g) * l2_norm(u))
        message = (
            f"∫ ∇F v is {coarse:.6g} on {len(f.grid)} nodes and {on_fine:.6g} on {len(fine)}, v = mode {j}: "
            "is a cell's volume missing, or is the gradient's limit no function?"
        )
        yield Trial({"v": u}, abs(coarse - on_fine) / size if size else 0.0, 0.1, message)


def inputs_unchanged(subject, rng):
    """f is not written to, and the gradient is the same every time."""
    f = subject.f
    copies = snapshot(f.values, f.grid.nodes, f.grid.weights)
    again = subject.object(f)
    change = changed((f.values, f.grid.nodes, f.grid.weights), copies)
    yield Trial({"f": f}, change, 0.0, "the gradient changed the function that it was given")
    error = float(np.abs(again.values - subject.g.values).max())
    yield Trial({"f": f}, error, 0.0, f"the gradient was another the second time: off by {error:.3g}")


GRADIENT_CHECKS = [
    check_of("gradient-function", is_a_function),
    check_of("gradient-riesz", riesz_identity),
    check_of("gradient-elsewhere", elsewhere),
    check_of("gradient-steepest", steepest),
    check_of("gradient-descent", descent),
    check_of("gradient-refinement", refinement),
    check_of("gradient-inputs", inputs_unchanged),
]


def check_gradient(
    functional: FunctionalLike,
    f: Function,
    metric: MetricLike | MetricFieldLike,
    *,
    gradient: Callable[[Function], Function] | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that a gradient is the Riesz representer of a differential in a metric.

    Parameters
    ----------
    functional : object
        F, with `differential(f)`.
    f : Function
    metric : object
        One that depends on its base point is taken at f.
    gradient : callable, optional
        Of f, the gradient as a Function on its grid: your own; by default `funcgrad.gradient`.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    A gradient of ½∫u² that forgets the metric is one in L2 only:

    >>> import numpy as np, funcgrad as fg
    >>> from funcgrad.testing import check_gradient
    >>> F, f = fg.PopulationLoss(lambda x: 0.0), fg.Circle().grid(16).function(np.sin)
    >>> all(result.ok for result in check_gradient(F, f, fg.L2(), gradient=lambda u: u))
    True
    >>> results = check_gradient(F, f, fg.Sobolev(1.0), gradient=lambda u: u, on_fail="return")
    >>> print(next(result for result in results if not result.ok))
    gradient-riesz: failed: it is not the gradient in H^1: <∇F, v> = ...; their quotient is 2
    """
    require("functional", functional, "functional")
    require("function", f, "f")
    require("metric", metric, "metric")
    if gradient is None:

        def gradient(u):
            return riesz_gradient(functional, u, metric)

    subject = GradientSubject(gradient, functional, _metric_at(metric, f), f, metric)
    return run_checks(GRADIENT_CHECKS, subject, rng, expected_failures, on_fail)
