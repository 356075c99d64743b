"""Theorems along the scale of Sobolev spaces: riesz-isometry, sobolev-scale and l2-limit."""

import math
from dataclasses import replace

import numpy as np

from funcgrad.functionals import EmpiricalLoss, PopulationLoss
from funcgrad.gradients.natural_gradient import natural_gradient
from funcgrad.metrics import L2, Sobolev
from funcgrad.spaces import Box, Circle, Interval, Sphere, Torus
from funcgrad.theorems.common import (
    BOUNDED,
    EPS,
    PAPER,
    differential,
    refinements,
    rounding_floor,
    some_loss,
    step,
    unbounded_control,
    where_not_stationary,
)
from funcgrad.theorems.expectations import Exact, Order, Stagnant
from funcgrad.theorems.natural_gradients import (
    problem_instance,
    projection_instances,
    resolved_grid,
)
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem
from funcgrad.theorems.riesz import riesz_problem, zero

# --- riesz-isometry -----------------------------------------------------------------------------------


def _isometry_instances(rng):
    circle = Circle(2 * np.pi)
    instances = [
        Instance(f"loss at points, {Sobolev(s)}, circle", circle, Sobolev(s), some_loss(circle, rng), zero)
        for s in (1.25, 2.0)
    ]
    for boundary in ("neumann", "dirichlet"):
        interval = Interval(0.0, 2.0, boundary)
        label = f"loss at points, H^1.5, {boundary} interval"
        loss = some_loss(interval, rng)
        instances.append(Instance(label, interval, Sobolev(1.5), loss, zero, rule="midpoint"))
    target = PopulationLoss(lambda x: np.cos(x) - 0.5 * np.sin(3 * x))
    instances += [
        Instance(f"population loss, {metric}, circle", circle, metric, target, zero)
        for metric in (L2(), Sobolev(0.75))
    ]
    torus, sphere, box = Torus((2 * np.pi, 4.0)), Sphere(), Box([(0, 1), (0, 1)], "dirichlet")
    spaces = [
        ("torus", torus, Sobolev(1.75), None),
        ("torus of dimension 3", Torus((4, 4, 4)), Sobolev(2.0), None),
        ("sphere", sphere, Sobolev(1.5), None),
        ("Dirichlet box", box, Sobolev(1.75, 0.5), "midpoint"),
    ]
    return instances + [
        Instance(f"loss at points, {metric}, {name}", domain, metric, some_loss(domain, rng), zero, rule=rule)
        for name, domain, metric, rule in spaces
    ]


def _closed_dual_norm(instance, grid):
    """‖dF‖: for losses at points over the whole space, by the reproducing kernel; else of the target's modes.

    The built-in target cos x - ½ sin 3x has L2 norms √π and ½√π at the eigenvalues 1 and 9.
    """
    if isinstance(instance.functional, EmpiricalLoss):
        return instance.metric.dual_norm(differential(instance, grid), instance.domain)
    order = instance.metric.order
    return math.sqrt(np.pi * (2.0**-order + 0.25 * 10.0**-order))


def _isometry_residual(instance, n, tilt=0.0):
    """(‖dF‖ - dF(g)/‖g‖) / ‖dF‖ for the representer g on n nodes, tilted out of its direction.

    The tilt is towards the lowest non-constant eigenfunction made orthogonal to g.
    """
    grid, metric = instance.grid(n), instance.metric
    c = differential(instance, grid)
    g = metric.riesz(c, grid)
    direction = g / metric.norm(g)
    if tilt:
        other = grid.function(instance.domain.eigenfunctions(3, grid.nodes)[:, 1])
        other = other - metric.inner(other, direction) * direction
        direction = direction + (tilt / metric.norm(other)) * other
        direction = direction / metric.norm(direction)
    exact = _closed_dual_norm(instance, grid)
    return Residual(abs(exact - c(direction)), exact, rounding_floor(grid, metric), step(grid), n)


def _isometry_expectation(instance):
    if not isinstance(instance.functional, EmpiricalLoss):
        return Exact()
    order = 2 * instance.metric.order - instance.domain.dimension
    return Order(order - 0.1, order + 0.1)


def _isometry_levels(instance):
    if "levels" in instance.data:
        return instance.data["levels"]
    if instance.domain.dimension == 1:
        return refinements(instance, first=64)
    return [16, 32, 64, 128] if instance.domain.dimension == 2 else [8, 16, 32, 64]


def _isometry_problem(problem):
    instance = riesz_problem(problem)
    n = problem.domain.dimension
    if problem.metric.order > 1.5 + n / 2:
        raise DoesNotApply(
            f"the representers reach rounding before their order 2s - {n} shows; take s up to {1.5 + n / 2:g}"
        )
    return instance


RIESZ_ISOMETRY = Theorem(
    id="riesz-isometry",
    statement="The gradient's norm is the dual norm of the differential, and its direction the steepest: "
    "dF(∇F/‖∇F‖) = ‖dF‖.",
    latex=r"\|\nabla F\| = \|dF\|_* = dF\!\left(\nabla F/\|\nabla F\|\right)",
    source="Riesz representation theorem; " + PAPER,
    hypotheses=(BOUNDED,),
    instances=_isometry_instances,
    from_problem=_isometry_problem,
    levels=_isometry_levels,
    residual=_isometry_residual,
    expectation=_isometry_expectation,
    controls=(
        Control(
            "a direction tilted by 45 degrees",
            breaks="statement",
            residual=lambda instance, n: _isometry_residual(instance, n, tilt=1.0),
            failure=lambda instance: Stagnant(1e-2),
        ),
        unbounded_control(),
    ),
)


# --- sobolev-scale ------------------------------------------------------------------------------------

_SCALE_NODES = 64


def _scale_instances(rng):
    circle, interval = Circle(5.0), Interval(-1, 1)
    bump = PopulationLoss(lambda x: np.exp(np.cos(2 * np.pi * x / 5)))
    ramp = PopulationLoss(lambda x: np.cos(np.pi * (x + 1) / 2) + 0.3)
    hill = PopulationLoss(lambda x, y: np.exp(np.cos(x) * np.sin(y)))
    cap = PopulationLoss(lambda x, y, z: np.exp(z) + x * y)
    return [
        Instance("population loss, circle", circle, L2(), bump, zero),
        Instance("population loss, interval, cosines", interval, L2(), ramp, zero, rule="midpoint"),
        Instance("population loss, torus", Torus((2 * np.pi, 2 * np.pi)), L2(), hill, zero),
        Instance("population loss, sphere", Sphere(), L2(), cap, zero),
    ]


def _scale_residual(instance, level, limit=0.0, scale=Sobolev):
    """‖∇_s F - ∇_limit F‖_0 / ‖∇_0 F‖_0 at s = 2^-level, plus the rise of ‖∇_s F‖_s from s to 2s, per s.

    `scale` gives the metric of an order. A rise is of the size of s, so it is divided by s: it stays.
    """
    s, grid = 2.0**-level, instance.grid(_SCALE_NODES)
    c = differential(instance, grid)
    gradients = [scale(order).riesz(c, grid) for order in (s, 2 * s, limit)]
    low, high = (scale(order).norm(g) for order, g in zip((s, 2 * s), gradients, strict=False))
    size = L2().norm(L2().riesz(c, grid))
    rise = max(0.0, high - low * (1 + 8 * EPS)) / s
    return Residual(L2().norm(gradients[0] - gradients[2]) + rise, size, rounding_floor(grid, L2()), s, level)


def _homogeneous(order):
    """(-ℓ²Δ)^s with ℓ = 0.3, whose lowest eigenvalues on the instances' domains are below 1."""
    return Sobolev(order, 0.3, homogeneous=True)


def _no_problem(problem):
    raise DoesNotApply("it needs a differential with a density in L2; a loss at points has no L2 gradient")


SOBOLEV_SCALE = Theorem(
    id="sobolev-scale",
    statement="‖∇_s F‖_s does not increase with s, and ∇_s F tends to the L2 gradient as s → 0, like s.",
    latex=r"\|\nabla_sF\|_s=\|dF\|_{-s}\searrow,\qquad \nabla_sF\to\nabla_0F\ (s\to0)",
    source="Neuberger, Sobolev Gradients and Differential Equations; " + PAPER,
    hypotheses=(BOUNDED,),
    instances=_scale_instances,
    from_problem=_no_problem,
    levels=lambda instance: list(range(3, 12)),
    residual=_scale_residual,
    expectation=lambda instance: Order(0.95, 1.05),
    controls=(
        Control(
            "∇_{1/4} F as the limit",
            breaks="statement",
            residual=lambda instance, level: _scale_residual(instance, level + 3, limit=0.25),
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "an operator with an eigenvalue below 1: the norms must rise",
            breaks="statement",
            residual=lambda instance, level: _scale_residual(instance, level + 3, scale=_homogeneous),
            failure=lambda instance: Stagnant(0.1),
        ),
        unbounded_control(),
    ),
)


# --- l2-limit -----------------------------------------------------------------------------------------


def _limit_instances(rng):
    return [
        replace(instance, metric=Sobolev(1.0))
        for instance in projection_instances(rng)
        if not isinstance(instance.domain, Interval)
    ]


def _limit_residual(instance, level, limit=0.0):
    """‖dφ(η_s) - dφ(η_limit)‖_0 relative to ‖dφ(η_limit)‖_0 at s = 2^-level."""
    s, grid = 2.0**-level, resolved_grid(instance)

    def pushforward(order):
        model, theta = instance.model, instance.theta
        metric = Sobolev(order, instance.metric.length_scale)
        return natural_gradient(instance.functional, model, theta, metric, grid).pushforward

    found, target = pushforward(s), pushforward(limit)
    size = L2().norm(target)
    return Residual(L2().norm(found - target), size, 100 * rounding_floor(grid, L2()), s, level)


def _limit_problem(problem):
    if not isinstance(problem.domain, Circle | Torus | Sphere):
        raise DoesNotApply(
            "where there are ends it needs the natural gradient in H^s of small s; take a circle, a torus or "
            "the sphere"
        )
    # L2 has no length scale: the waves of the domain then have that of H^s.
    side = problem.domain.volume ** (1 / problem.domain.dimension)
    length_scale = getattr(problem.metric, "length_scale", side / (2 * np.pi))
    return problem_instance(problem, Sobolev(1.0, length_scale))


L2_LIMIT = Theorem(
    id="l2-limit",
    statement="As s → 0 the H^s natural gradient tends to the L2 one, like s.",
    latex=r"\eta_s\to\eta_0,\qquad G_s\to G_0\quad (s\to 0)",
    source=PAPER,
    hypotheses=(),
    instances=_limit_instances,
    from_problem=where_not_stationary(_limit_problem),
    levels=lambda instance: list(range(3, 12)),
    residual=_limit_residual,
    expectation=lambda instance: Order(0.9, 1.1),
    controls=(
        Control(
            "the H^{1/4} natural gradient as the limit",
            breaks="statement",
            residual=lambda instance, level: _limit_residual(instance, level + 3, limit=0.25),
            failure=lambda instance: Stagnant(1e-4),
        ),
    ),
)
