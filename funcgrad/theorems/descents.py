"""Theorems about following gradients: energy-decay and mesh-independence."""

import numpy as np

from funcgrad.errors import ConvergenceError
from funcgrad.functionals import Density, Integral, from_callable
from funcgrad.gradients.natural_gradient import model_function
from funcgrad.metrics import L2, Energy, Sobolev
from funcgrad.metrics.base import at_base_point
from funcgrad.spaces import Circle, Interval, Sphere, Torus
from funcgrad.theorems.common import EPS, PAPER, where_not_stationary
from funcgrad.theorems.expectations import Order, Stagnant, divergent
from funcgrad.theorems.natural_gradients import (
    euclidean_direction,
    fit_floor,
    natural_direction,
    projection_instances,
    referenced_instance,
    resolved_grid,
)
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem
from funcgrad.theorems.reference import reference

# --- energy-decay -------------------------------------------------------------------------------------


def _decay_residual(instance, level, direction_of=natural_direction):
    """dF/dt along θ' = -η by a central difference of step 2^-level, plus ‖dφ(η)‖², against ‖dφ(η)‖².

    The time is measured in units in which the parameters change by their own size.
    """
    model, theta, F = instance.model, instance.theta, instance.functional
    grid = resolved_grid(instance)
    exact = reference(instance)
    direction = direction_of(instance, grid)
    square = float(np.sum((exact.tangent @ direction) ** 2))
    scale = np.where(theta != 0, np.abs(theta), 1.0)
    h = 2.0**-level
    step = h / np.max(np.abs(direction) / scale)

    def value(parameters):
        return F(grid.function(model_function(model, parameters)))

    slope = (value(theta - step * direction) - value(theta + step * direction)) / (2 * step)
    rounding = 16 * EPS * (abs(value(theta)) + square * step) / step
    # η has the error of a least-squares fit, relative to ‖∇F‖.
    fit = fit_floor(exact, grid, instance.metric) * np.linalg.norm(exact.gradient) * np.sqrt(square)
    return Residual(abs(slope + square), square, (rounding + fit) / square, h, len(theta))


ENERGY_DECAY = Theorem(
    id="energy-decay",
    statement="Along θ' = -η the functional decays at the rate ‖dφ(η)‖².",
    latex=r"\frac{d}{dt}F(f_{\theta(t)})=-\|d\varphi(\eta)\|^2\quad\text{along }\theta'=-\eta",
    source=PAPER,
    hypotheses=(),
    instances=projection_instances,
    from_problem=where_not_stationary(referenced_instance),
    levels=lambda instance: list(range(4, 12)),
    residual=_decay_residual,
    expectation=lambda instance: Order(1.9, 2.1),
    controls=(
        Control(
            "the Euclidean gradient's flow",
            breaks="statement",
            residual=lambda instance, level: _decay_residual(instance, level + 4, euclidean_direction),
            failure=lambda instance: Stagnant(1e-3),
        ),
    ),
)


# --- mesh-independence --------------------------------------------------------------------------------

_REDUCTION = 1e-3
_MOST_STEPS = 100_000
# The step, in units of 1/L for L a bound of the second variation; descent is stable below 2.
_RELAXATION = 1.8


def _mesh_instances(rng):
    domains = [
        Circle(2 * np.pi),
        Interval(0, 3),
        Interval(0, 3, "dirichlet"),
        Torus((2 * np.pi, 3)),
        Sphere(),
    ]
    return [
        Instance(
            f"½‖u‖²_H¹ + ¼∫u⁴ - ∫gu, {domain}",
            domain,
            Sobolev(1.0),
            rule="midpoint" if isinstance(domain, Interval) else None,
        )
        for domain in domains
    ] + [
        Instance(
            "½∫((1+x/3)u'² + 16u²) + ¼∫u⁴ - ∫gu in the metric of its quadratic part, [0, 3]",
            Interval(0, 3),
            Energy(Integral("((1 + x/3)*u_x**2 + 16*u**2)/2")),
            rule="midpoint",
        )
    ]


def _load(domain):
    """A bump g in the middle of a domain, a callable of coordinates."""

    def load(*x):
        if isinstance(domain, Sphere):
            return 1 / (2 - x[2])
        parts = 0.0
        for factor, t in zip(getattr(domain, "factors", (domain,)), x, strict=True):
            middle = getattr(factor, "a", 0.0) + factor.length / 2
            parts = parts + np.sin(np.pi * (t - middle) / factor.length) ** 2
        return 1 / (1 + 8 * parts)

    return load


def _quartic_energy(grid, metric):
    """E(u) = ½‖u‖² + ¼∫u⁴ - ∫gu on a grid with the norm of a metric, a `Functional`."""
    g = grid.function(_load(grid.domain)).values

    def value(u):
        return 0.5 * metric.norm(u) ** 2 + float(grid.integrate(u.values**4 / 4 - g * u.values))

    def differential(u):
        return metric.flat(u) + Density(grid.function(u.values**3 - g))

    return from_callable(value, differential)


def _steps_needed(instance, n, metric_of, stable):
    """Steps of steepest descent from 0 until the gradient's dual norm in the energy's metric falls by 10⁻³.

    The step is 1.8 over a bound `stable` of the second variation in the metric that is descended in,
    `metric_of` the energy's.
    """
    grid = instance.grid(n)
    u = grid.function(np.zeros(len(grid)))
    dual = at_base_point(instance.metric, u)
    energy, metric = _quartic_energy(grid, dual), metric_of(dual)
    first = None
    for steps in range(_MOST_STEPS):
        c = energy.differential(u)
        size = np.linalg.norm(dual.whiten(c, grid))
        first = size if first is None else first
        if size <= _REDUCTION * first:
            return steps
        u = u - (_RELAXATION / stable) * metric.riesz(c, grid)
    raise ConvergenceError(f"steepest descent in {metric} on {grid!r} is not done after {_MOST_STEPS} steps.")


# ∫ 3u²v² is at most twice ‖v‖² for the functions met here, |u| <= 0.8.
_CURVATURE = 3.0


def _mesh_residual(instance, n):
    steps = _steps_needed(instance, n, lambda metric: metric, _CURVATURE)
    return Residual(float(steps), 1.0, EPS, 1 / n, n)


def _l2_residual(instance, n):
    """The same in L2, where the second variation is bounded by the largest eigenvalue of the grid.

    With the coefficient 1 + x/3 on (0, 3) it is at most twice that of -Δ, and 16.
    """
    largest = float(np.max(instance.grid(n).eigenvalues))
    if isinstance(instance.metric, Energy):
        largest = 2 * largest + 16
    steps = _steps_needed(instance, n, lambda metric: L2(), _CURVATURE + largest)
    return Residual(float(steps), 1.0, EPS, 1 / n, n)


def _l2_levels(instance):
    if isinstance(instance.metric, Energy):
        return [8, 12, 16, 24]
    return [12, 16, 24, 32] if instance.domain.dimension == 1 else [6, 8, 12, 16]


def _no_energy(problem):
    raise DoesNotApply("it is about minimising an energy over all functions, without a model")


MESH_INDEPENDENCE = Theorem(
    id="mesh-independence",
    statement="Steepest descent in the metric of the energy takes a number of steps bounded as h → 0; in L2 "
    "it grows like h^{-2}.",
    latex=r"\#\text{steps}_{H^1}=O(1),\qquad \#\text{steps}_{L^2}\sim h^{-2}",
    source="Neuberger, Sobolev Gradients and Differential Equations",
    hypotheses=(),
    instances=_mesh_instances,
    from_problem=_no_energy,
    levels=lambda instance: [8, 16, 32, 64, *([128, 256] if instance.domain.dimension == 1 else [])],
    residual=_mesh_residual,
    expectation=lambda instance: Order(-0.05, 0.05),
    controls=(
        Control(
            "descent in L2",
            breaks="statement",
            residual=_l2_residual,
            failure=lambda instance: divergent(2.0, 0.15),
            levels=_l2_levels,
        ),
    ),
)
