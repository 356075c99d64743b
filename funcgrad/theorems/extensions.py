"""The theorem gtk-extends: a metric on parameters extends to all functions."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from funcgrad.errors import NotPositiveDefinite
from funcgrad.functionals import EmpiricalLoss, PopulationLoss
from funcgrad.gradients.natural_gradient import natural_gradient
from funcgrad.metrics import L2, FisherRao, Sobolev, TangentExtended
from funcgrad.models import Linear, Symbolic
from funcgrad.spaces import Box, Interval, Sphere, Torus
from funcgrad.theorems.common import EPS, PAPER, step, where_not_stationary
from funcgrad.theorems.expectations import Exact, Stagnant
from funcgrad.theorems.natural_gradients import (
    fit_floor,
    model_instance,
    problem_instance,
    projection_instances,
    resolved_grid,
)
from funcgrad.theorems.pullbacks import doubled
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Residual, Theorem
from funcgrad.theorems.reference import (
    Reference,
    box_tangent,
    composite_rule,
    point_factors,
    reference,
    tangent_by_modes,
)


def _instances(rng):
    """The instances in one dimension with a metric each, planes and space, and normal densities."""
    torus, square = Torus((2 * np.pi, 2 * np.pi)), Box([(0, 1), (0, 2)])
    cube, line = Box([(0, 1)] * 3), Interval(-8, 8)
    waves = Symbolic("a*sin(x + b)*cos(y) + c*cos(x - 2*y)", "x y", "a b c")
    growth = Symbolic("a*exp(b*x)*y + c", "x y", "a b c")
    normal = Symbolic("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))", "x", "m s")
    planes = Symbolic("a*x + b*y*z + exp(c*z)", "x y z", "a b c")

    def loss(domain, dimension):
        return EmpiricalLoss(domain.from_unit_cube(rng.uniform(0.1, 0.9, (5, dimension))), rng.normal(size=5))

    return [
        *(
            i
            for i in projection_instances(rng)
            if i.domain.dimension == 1 and not i.label.startswith("H^1 at")
        ),
        model_instance("H^1.5, torus, waves", torus, Sobolev(1.5), loss(torus, 2), waves, [1.0, 0.4, -0.7]),
        model_instance("L2, rectangle, growth", square, L2(), loss(square, 2), growth, [1.0, 0.5, -0.2]),
        model_instance("L2, cube", cube, L2(), loss(cube, 3), planes, [1.0, 0.5, -0.2]),
        model_instance("Fisher-Rao, normal densities", line, FisherRao(), loss(line, 1), normal, [0.3, 0.8]),
    ]


def _reference(instance, basis=None):
    """The `Reference` of the tangent functions, or of a linear model's, in coordinates of the metric."""
    domain, metric = instance.domain, instance.metric
    model = instance.model if basis is None else basis
    theta = instance.theta if basis is None else np.zeros(basis.n_parameters)
    if isinstance(domain, Torus):
        return Reference(tangent_by_modes(domain, metric, model, theta), np.zeros(0))
    if isinstance(domain, Box):
        return Reference(box_tangent(domain, metric, model, theta), np.zeros(0))
    if isinstance(metric, FisherRao):
        x, w = composite_rule(domain, domain.length / 64)
        root = np.sqrt(w / instance.model(instance.theta, x))
        return Reference(root[:, None] * model.jacobian(theta, x), np.zeros(0))
    # Any functional whose gradient has a closed form there will do.
    middle = getattr(domain, "a", 0.0) + 0.4 * domain.volume
    functional = EmpiricalLoss([middle], [1.0]) if metric.order else PopulationLoss(np.zeros_like)
    return reference(replace(instance, model=model, theta=theta, functional=functional, f=lambda x: 0 * x))


@lru_cache(maxsize=32)
def _probes(domain):
    """Two functions outside the tangent spaces, as a linear model; they satisfy the boundary condition."""
    if domain.dimension > 1:
        names = "x y z"[: 2 * domain.dimension - 1].split()
        axes = list(zip(domain.factors, names, strict=True))
        return Linear(["*".join(_wave(axis, name, k) for axis, name in axes) for k in (2, 3)], names)
    return Linear([_wave(domain, "x", k) for k in (3, 5)])


def _wave(axis, name, k):
    """The k-th wave of an axis that satisfies its boundary condition, as a formula."""
    shape = "sin" if axis.boundary == "dirichlet" else "cos"
    frequency = (2 if axis.boundary == "periodic" else 1) * np.pi / axis.volume
    return f"{shape}({k * frequency!r}*({name} - {getattr(axis, 'a', 0.0)!r}))"


def _parameter_metric(exact):
    """A symmetric positive definite h far from the Euclidean metric and from G, in the parameters' units."""
    p = len(exact.column_norms)
    root = np.eye(p) + 0.5 * np.random.default_rng(p).uniform(-1, 1, (p, p))
    h = exact.column_norms[:, None] * (root.T @ root) * exact.column_norms
    return (h + h.T) / 2


def _residual(instance, n, metric_of=TangentExtended, model=None):
    """The larger of two errors: that of η against h⁻¹∂F~, and that of inner products of four functions.

    The functions are two tangent functions and two others; their inner products are those of the definition,
    h(a, b) + <(1-P)u, (1-P)v>, in the reference's coordinates.
    """
    exact, grid = _reference(instance), instance.grid(n)
    h = _parameter_metric(exact)
    model, theta = (instance.model, instance.theta) if model is None else model(instance)
    floor = fit_floor(exact, grid, L2() if instance.metric == FisherRao() else instance.metric)
    # Functions are taken to the metric h and back: twice the rounding, in that metric.
    floor *= 2 * np.linalg.cond(h / np.outer(exact.column_norms, exact.column_norms))
    try:
        if len(theta) > len(h):
            h = np.pad(h, (0, 1)) + np.diag(np.append(np.zeros(len(h)), np.trace(h)))
        metric = metric_of(model, theta, h, instance.metric)
        found = natural_gradient(instance.functional, model, theta, metric, grid).direction
    except NotPositiveDefinite:
        return Residual(1.0, 1.0, floor, step(grid), n)
    slopes, terms = _slopes(instance)
    gradient = np.linalg.solve(h, slopes)
    error = _length(h, found - gradient) / _length(h, gradient)
    # Near a minimum the terms of ∂F~ cancel, and what is left has their rounding.
    floor *= max(1.0, _length(h, np.linalg.solve(h, terms)) / _length(h, gradient))
    defect = _inner_product_error(instance, exact, h, metric, grid)
    return Residual(float(max(error, defect)), 1.0, floor, step(grid), n)


def _length(h, a):
    return float(np.sqrt(a @ h @ a))


def _slopes(instance):
    """∂F~, and the sums of the sizes of its terms: dF on the tangent functions.

    Exactly for a loss at points and by the reference for others.
    """
    loss = instance.functional
    if isinstance(loss, EmpiricalLoss):
        transposed, factors = instance.model.jacobian(instance.theta, loss.x).T, point_factors(instance)
    else:
        exact = reference(instance)
        transposed, factors = exact.tangent.T, exact.gradient
    return transposed @ factors, np.abs(transposed) @ np.abs(factors)


def _inner_product_error(instance, exact, h, metric, grid):
    if hasattr(metric, "at"):
        metric = metric.at(grid.function(instance.f))
    probes = _probes(instance.domain)
    at_nodes = np.hstack(
        [instance.model.jacobian(instance.theta, grid.nodes)[:, [0, -1]], probes.jacobian([0, 0], grid.nodes)]
    )
    functions = [grid.function(values) for values in at_nodes.T]
    found = np.array([[metric.inner(u, v) for v in functions] for u in functions])
    coordinates = np.hstack([exact.tangent[:, [0, -1]], _reference(instance, probes).tangent])
    scaled = exact.tangent / exact.column_norms
    a = np.linalg.lstsq(scaled, coordinates, rcond=None)[0] / exact.column_norms[:, None]
    outside = coordinates - exact.tangent @ a
    expected = a.T @ h @ a + outside.T @ outside
    sizes = np.sqrt(np.diag(expected))
    return float(np.abs((found - expected) / np.outer(sizes, sizes)).max())


def _levels(instance):
    """The number of nodes along an axis that resolves the tangent functions, and its double."""
    n = resolved_grid(instance).shape[0]
    return [n, 2 * n]


def _problem(problem):
    if isinstance(problem.domain, Sphere):
        raise DoesNotApply(f"it is checked on intervals, boxes, circles and tori, not {problem.domain}")
    if isinstance(problem.domain, Box) and problem.metric.order not in (0, 1):
        raise DoesNotApply(f"on boxes it is checked in L2 and H^1, not {problem.metric}")
    instance = problem_instance(problem, problem.metric)
    _reference(instance)
    return instance


GTK_EXTENDS = Theorem(
    id="gtk-extends",
    statement="For a metric h on parameters, h(coordinates of Pu, Pv) + <(1-P)u, (1-P)v> is an inner product "
    "on the whole space, in which the natural gradient is the h-gradient.",
    latex=r"\langle u,v\rangle_{\mathrm{GTK}}=h(Pu,Pv)+\langle(1-P)u,(1-P)v\rangle,\qquad "
    r"\eta_{\mathrm{GTK}}=h^{-1}\partial\tilde F",
    source=PAPER,
    hypotheses=(
        Hypothesis(
            "the model is an immersion",
            lambda instance: _reference(instance).independence - 1e3 * EPS,
            "the tangent functions are dependent",
        ),
    ),
    instances=_instances,
    from_problem=where_not_stationary(_problem),
    levels=_levels,
    residual=_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the metric on functions alone",
            breaks="statement",
            residual=lambda instance, n: _residual(instance, n, lambda model, theta, h, metric: metric),
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "the Euclidean metric in place of h",
            breaks="statement",
            residual=lambda instance, n: _residual(
                instance, n, lambda model, theta, h, metric: TangentExtended(model, theta, None, metric)
            ),
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "a parameter given twice: no coordinates, no extension",
            breaks="the model is an immersion",
            residual=lambda instance, n: _residual(instance, n, model=doubled),
            failure=lambda instance: Stagnant(1.0),
        ),
    ),
)
