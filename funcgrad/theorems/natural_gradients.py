"""Theorems about natural gradients: natural-gradient-is-projection and tangent-gradient-exists."""

import numpy as np

from funcgrad.errors import ConvergenceError, DomainMismatch
from funcgrad.functionals import EmpiricalLoss, PopulationLoss
from funcgrad.gradients.natural_gradient import model_function, natural_gradient, resolving_grid
from funcgrad.metrics import L2, Sobolev
from funcgrad.models import Linear, Polynomial, Symbolic
from funcgrad.spaces import Circle, Interval
from funcgrad.theorems.common import (
    BOUNDED,
    EPS,
    PAPER,
    differential,
    require_line,
    require_loss_at_points,
    require_spectral,
    resolving_points,
    step,
    unbounded_control,
)
from funcgrad.theorems.existence import representer_norm
from funcgrad.theorems.expectations import Exact, Stagnant, divergent
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Instance, Residual, Theorem
from funcgrad.theorems.reference import Reference, composite_rule, point_factors, reference
from funcgrad.theorems.riesz import some_loss


def model_instance(label, domain, metric, functional, model, theta):
    """Return the instance of a model at θ, the functional differentiated at f_θ."""
    theta = np.asarray(theta, dtype=float)
    return Instance(label, domain, metric, functional, model_function(model, theta), model, theta)


def problem_instance(problem, metric):
    """Return the user's instance; raise `DoesNotApply` where no grid resolves the tangent functions."""
    require_line(problem)
    require_spectral(problem)
    require_loss_at_points(problem)
    if metric.order > 0.5 and problem.domain.boundary == "dirichlet":
        _require_zero_at_ends(problem)
    try:
        resolving_grid(problem.domain, problem.model, problem.theta)
    except (ConvergenceError, DomainMismatch) as error:
        raise DoesNotApply(str(error)) from error
    return model_instance(
        problem.label, problem.domain, metric, problem.functional, problem.model, problem.theta
    )


def _require_zero_at_ends(problem):
    domain = problem.domain
    x = np.linspace(domain.a, domain.b, 33)
    tangent = np.abs(problem.model.jacobian(problem.theta, x))
    if np.any(tangent[[0, -1]] > 1e3 * EPS * tangent.max(axis=0)):
        raise DoesNotApply(
            f"the tangent functions do not vanish at the ends, as those of {problem.metric} do"
        )


def referenced_instance(problem):
    """Return the user's instance in the user's metric; raise `DoesNotApply` where it has no reference."""
    instance = problem_instance(problem, problem.metric)
    reference(instance)
    return instance


def resolved_levels(instance):
    """Return the number of nodes that resolves the tangent functions, twice and four times it."""
    n = len(resolving_grid(instance.domain, instance.model, instance.theta))
    return [n, 2 * n, 4 * n]


def fit_floor(exact, grid, metric):
    """Rounding of a least-squares fit: κ ulp for κ the condition number of the scaled columns.

    Derivatives on polynomial grids add N ulp (the larger errors, N² ulp, sit where weights are small).
    """
    noise = 64 + (len(grid) if metric.order else 0)
    return EPS * noise * exact.condition


# --- natural-gradient-is-projection -------------------------------------------------------------------

_DECAY = ("a*(1 - exp(-b*x))", "x", "a b")


def projection_instances(rng):
    """Return models, domains, metrics and functionals for which the gradient has a closed form."""
    circle = Circle(2 * np.pi)
    decay = Symbolic(*_DECAY)
    wave = Symbolic("a*sin(x + b) + c*cos(2*x) + d", "x", "a b c d")
    bump = Symbolic("a*exp(b*cos(x - c))", "x", "a b c")
    cosines = Linear(["1", "cos(pi*x)", "cos(2*pi*x) + x**2*(3 - 2*x)"])
    pinned = Linear(["x*(1-x)", "sin(pi*x)*exp(x)", "x**2*(1-x)"])
    unit, pinned_unit = Interval(0, 1), Interval(0, 1, "dirichlet")
    wave_theta, bump_theta = [1.0, 0.4, -0.7, 0.2], [0.8, 0.7, 1.1]
    theta = rng.normal(size=3)

    def loss(domain):
        return some_loss(domain, rng, size=6)

    target = PopulationLoss(lambda x: np.exp(-x) + 0.1 * np.cos(3 * x))
    periodic_target = PopulationLoss(lambda x: np.exp(np.sin(x)))
    long = Interval(0, 5)
    return [
        model_instance("H^1, Neumann, saturation", long, Sobolev(1.0), loss(long), decay, [2.0, 0.7]),
        model_instance(
            "H^1 at ℓ = 0.2, Neumann, saturation", long, Sobolev(1.0, 0.2), loss(long), decay, [2, 0.7]
        ),
        model_instance("H^1, Neumann, linear", unit, Sobolev(1.0), loss(unit), cosines, theta),
        model_instance("H^1, Dirichlet, linear", pinned_unit, Sobolev(1.0), loss(pinned_unit), pinned, theta),
        model_instance("L2, population loss, saturation", long, L2(), target, decay, [2.0, 0.7]),
        model_instance("L2, population loss, cubic", unit, L2(), target, Polynomial(3), rng.normal(size=4)),
        model_instance("L2, population loss, circle", circle, L2(), periodic_target, bump, bump_theta),
        *(
            model_instance(f"H^{s:g}, circle, waves", circle, Sobolev(s), loss(circle), wave, wave_theta)
            for s in (0.75, 1.0, 2.5)
        ),
        model_instance("H^1, circle, bump", circle, Sobolev(1.0), loss(circle), bump, bump_theta),
    ]


def natural_direction(instance, grid):
    """Return the natural gradient η of an instance on a grid, (p,)."""
    model, theta = instance.model, instance.theta
    return natural_gradient(instance.functional, model, theta, instance.metric, grid).direction


def euclidean_direction(instance, grid):
    """Return the Euclidean gradient ∂(F∘φ) of an instance on a grid, (p,): dF on the tangent functions."""
    c = differential(instance, grid)
    return c.components(grid) @ instance.model.jacobian(instance.theta, grid.nodes)


def _projection_residual(instance, n, direction_of=natural_direction):
    """Distance in the metric of dφ(η) from the reference's projection of ∇F, against ‖∇F‖."""
    exact, grid = reference(instance), instance.grid(n)
    pushed = exact.tangent @ direction_of(instance, grid)
    distance = np.linalg.norm(pushed - exact.tangent @ exact.projection)
    size = np.linalg.norm(exact.gradient)
    return Residual(float(distance), float(size), fit_floor(exact, grid, instance.metric), step(grid), n)


def _loss_at_points(instance):
    if isinstance(instance.functional, EmpiricalLoss):
        return instance.functional
    return some_loss(instance.domain, np.random.default_rng(0))


NATURAL_GRADIENT_IS_PROJECTION = Theorem(
    id="natural-gradient-is-projection",
    statement="The natural gradient pushes forward to the orthogonal projection of the gradient onto the "
    "tangent space, in every metric in which the gradient exists.",
    latex=r"d\varphi(\eta) = P\,\nabla F",
    source=PAPER,
    hypotheses=(BOUNDED,),
    instances=projection_instances,
    from_problem=referenced_instance,
    levels=resolved_levels,
    residual=_projection_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the pushforward of the Euclidean gradient",
            breaks="statement",
            residual=lambda instance, n: _projection_residual(instance, n, euclidean_direction),
            failure=lambda instance: Stagnant(1e-4),
        ),
        unbounded_control(_loss_at_points),
    ),
)


# --- tangent-gradient-exists --------------------------------------------------------------------------


def _tangent_instances(rng):
    return [
        model_instance(
            instance.label.replace("H^1", "L2"),
            instance.domain,
            L2(),
            instance.functional,
            instance.model,
            instance.theta,
        )
        for instance in projection_instances(rng)
        if isinstance(instance.functional, EmpiricalLoss) and instance.metric == Sobolev(1.0)
    ]


def _l2_tangent(instance, functions):
    """Return √w-weighted values, (M, q), of functions x -> (K, q) on a rule finer than the library's."""
    domain = instance.domain
    if isinstance(domain, Circle):
        x = domain.length / 1025 * np.arange(1025)
        return np.sqrt(domain.length / 1025) * functions(x)
    x, w = composite_rule(domain, domain.length / 16)
    return np.sqrt(w)[:, None] * functions(x)


def _outside(x, domain):
    """A function outside the tangent spaces: a bump that no model here contains."""
    middle = getattr(domain, "a", 0.0) + 0.37 * domain.volume
    return (1 / (1 + 20 * np.sin(np.pi * (x - middle) / domain.volume) ** 2))[:, None]


def _tangent_residual(instance, n, test_functions=None):
    """Largest |<dφ(η), v>_0 - dF(v)| / ‖v‖ over v in span φ_i (or given test functions)."""
    model, theta, loss = instance.model, instance.theta, instance.functional
    grid = instance.grid(n)
    found = natural_gradient(loss, model, theta, L2(), grid)
    if test_functions is None:

        def test_functions(x):
            return model.jacobian(theta, x)

    tangent = _l2_tangent(instance, lambda x: model.jacobian(theta, x))
    tested = Reference(_l2_tangent(instance, test_functions), np.zeros(0))
    at_points, norms = test_functions(loss.x[:, 0]), tested.column_norms
    factors = point_factors(instance)
    defect = np.abs(tested.tangent.T @ (tangent @ found.direction) - factors @ at_points) / norms
    # dF(φ_j) is a sum with cancellation; its size without is what rounding is relative to.
    size = float(np.max(np.abs(factors) @ np.abs(at_points) / norms))
    floor = fit_floor(Reference(tangent, np.zeros(0)), grid, L2())
    return Residual(float(defect.max()), size, floor, step(grid), n)


TANGENT_GRADIENT_EXISTS = Theorem(
    id="tangent-gradient-exists",
    statement="Where the loss at points has no L2 gradient, the L2 natural gradient still exists, and its "
    "pushforward represents dF on the tangent space.",
    latex=r"\langle d\varphi(\eta), v\rangle_{L^2} = dF(v)\quad\text{for } v\in\mathrm{span}\,\varphi_i",
    source=PAPER,
    hypotheses=(
        Hypothesis(
            "the tangent space is finite-dimensional",
            lambda instance: 1.0 if instance.model is not None else -1.0,
            "the problem has no model",
        ),
    ),
    instances=_tangent_instances,
    from_problem=lambda problem: problem_instance(problem, L2()),
    levels=resolved_levels,
    residual=_tangent_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "dF on a function outside the tangent space",
            breaks="statement",
            residual=lambda instance, n: _tangent_residual(
                instance, n, lambda x: _outside(x, instance.domain)
            ),
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "all functions of the grid as the tangent space: the representers must diverge",
            breaks="the tangent space is finite-dimensional",
            residual=representer_norm,
            failure=lambda instance: divergent(0.5),
            levels=lambda instance: resolving_points(instance, (256, 512, 1024, 2048, 4096)),
        ),
    ),
)
