"""Theorems about natural gradients: natural-gradient-is-projection and tangent-gradient-exists."""

from dataclasses import replace

import numpy as np

from funcgrad.errors import ConvergenceError, DomainMismatch, InvalidInput
from funcgrad.functionals import EmpiricalLoss, PopulationLoss
from funcgrad.gradients.natural_gradient import (
    interpolation_errors,
    model_function,
    natural_gradient,
    resolving_grid,
    whitened_jacobian,
)
from funcgrad.metrics import L2, Sobolev
from funcgrad.models import Linear, Polynomial, Symbolic
from funcgrad.spaces import Box, Circle, Interval, Sphere, Torus
from funcgrad.theorems.common import (
    BOUNDED,
    EPS,
    PAPER,
    differential,
    dual_length,
    even_rule,
    require_compact,
    require_loss_at_points,
    require_one_output,
    require_spectral,
    resolving_points,
    some_loss,
    step,
    unbounded_control,
    where_not_stationary,
)
from funcgrad.theorems.existence import evenly_spread, representer_norm
from funcgrad.theorems.expectations import Exact, Stagnant, divergent
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Instance, Residual, Theorem
from funcgrad.theorems.reference import Reference, fine_rule, point_factors, reference, require_modes


def model_instance(label, domain, metric, functional, model, theta):
    """Return the instance of a model at θ, the functional differentiated at f_θ."""
    theta = np.asarray(theta, dtype=float)
    return Instance(label, domain, metric, functional, model_function(model, theta), model, theta)


# Relative singular values of tangent functions of norm 1: up to the first the functions are dependent, up to
# the second so nearly that nothing in double precision depends on them continuously.
_ROUNDING, _NEARLY_DEPENDENT = 32 * EPS, 1e-6
# Rounding up to this leaves half the digits.
_LARGEST_NOISE = 1e-6


def problem_instance(problem, metric):
    """Return the user's instance; raise `DoesNotApply` where no grid resolves the tangent functions."""
    require_compact(problem)
    require_one_output(problem)
    return instance_of_any_output(problem, metric)


def instance_of_any_output(problem, metric):
    """Return the same for a model with any number of outputs."""
    domain, model, theta = problem.domain, problem.model, problem.theta
    require_compact(problem)
    require_spectral(problem)
    require_loss_at_points(problem)
    if metric.order > 0.5:
        _require_zero_at_ends(problem)
    if metric.order == 1 and isinstance(domain, Interval | Box):
        _require_slopes(problem)
    # On boxes only sums of eigenfunctions have powers of the Laplacian that are not whole, and those of axes
    # with ends and without.
    whole = (0, 1) if not isinstance(domain, Box) or len({*_ends(domain)}) == 1 else (0,)
    by_modes = isinstance(domain, Box) and metric.order not in whole
    rule = even_rule(domain) if by_modes else None
    try:
        grid = resolving_grid(domain, model, theta, rule)
    except (ConvergenceError, DomainMismatch, InvalidInput) as error:
        if by_modes:
            error = f"{error} On boxes {metric} acts on sums of eigenfunctions only."
        raise DoesNotApply(str(error)) from None
    _require_rank(problem, grid)
    _require_quiet(metric, grid)
    instance = model_instance(problem.label, domain, metric, problem.functional, model, theta)
    instance = replace(instance, rule=rule, data={"nodes": grid.shape[0]})
    require_modes(instance)
    return instance


def _ends(box):
    """Whether each axis of a box has ends."""
    return [axis.boundary != "periodic" for axis in box.factors]


def _require_quiet(metric, grid):
    """Raise `DoesNotApply` where the metric multiplies rounding so much that half the digits are lost.

    On the finest levels, that is, which have four times the nodes.
    """
    noise = _metric_noise(metric, grid) * 4 ** max(metric.order, 0)
    if EPS * noise > _LARGEST_NOISE:
        raise DoesNotApply(
            f"{metric} multiplies rounding in the tangent functions by up to {noise:.0e} on the grids that "
            "resolve them; take a metric of lower order, or a shorter length scale"
        )


def _require_rank(problem, grid):
    """Raise `DoesNotApply` where rounding decides the rank of the tangent functions, or nearly so.

    The library decides it from columns as they are, the reference from scaled ones. Models that are
    degenerate to rounding pass.
    """
    tangent = whitened_jacobian(problem.model, problem.theta, L2(), grid)
    norms = np.linalg.norm(tangent, axis=0)
    scaled = _relative_spectrum(tangent / np.where(norms > 0, norms, 1.0))
    if np.any(doubtful := (scaled > _ROUNDING) & (scaled <= _NEARLY_DEPENDENT)):
        raise DoesNotApply(
            f"the tangent functions are dependent up to {scaled[doubtful][-1]:.1g} of their size, and "
            "rounding hides too much; take fewer parameters, or others"
        )
    # The factor leaves room for finer grids, and for metrics in which the norms are farther apart.
    cutoff = 1e3 * max(tangent.shape) * EPS
    as_they_are = _relative_spectrum(tangent)
    if np.count_nonzero(as_they_are > cutoff) < np.count_nonzero(scaled > _ROUNDING):
        raise DoesNotApply(
            f"the tangent functions have norms from {norms[norms > 0].min():.1g} to {norms.max():.1g}, and "
            "rounding in the large ones hides the small ones; take units in which the parameters are alike"
        )


def _relative_spectrum(matrix):
    sigma = np.linalg.svd(matrix, compute_uv=False)
    return sigma / (sigma[0] or 1.0)


def require_immersion(instance):
    """Raise `DoesNotApply` unless the tangent functions are independent: otherwise G has no inverse."""
    tangent = _l2_tangent(instance, lambda x: instance.model.jacobian(instance.theta, x))
    if Reference(tangent, np.zeros(0)).independence <= _NEARLY_DEPENDENT:
        raise DoesNotApply(
            "the tangent functions are dependent, so that the model is not an immersion here and its metric "
            "on parameters has no inverse: see degenerate-model"
        )


def _require_zero_at_ends(problem):
    """Raise `DoesNotApply` if a tangent function does not vanish where Dirichlet conditions hold."""
    domain = problem.domain
    x = domain.sobol_points(64, seed=0).nodes
    tangent = np.abs(problem.model.jacobian(problem.theta, x))
    for i, axis in enumerate(getattr(domain, "factors", (domain,))):
        if isinstance(axis, Interval) and axis.boundary == "dirichlet":
            for end in (axis.a, axis.b):
                face = x.copy()
                face[:, i] = end
                at_end = np.abs(problem.model.jacobian(problem.theta, face))
                if np.any(at_end > 1e3 * EPS * tangent.max(axis=0)):
                    raise DoesNotApply(
                        f"the tangent functions do not vanish at the ends, as those of {problem.metric} do"
                    )


def _require_slopes(problem):
    """Raise `DoesNotApply` unless the tangent functions have derivatives, which references in H^1 are of."""
    first = (1,) + (0,) * (problem.domain.dimension - 1)
    try:
        problem.model.jacobian_derivative(problem.theta, problem.functional.x[:1], first)
    except InvalidInput as error:
        raise DoesNotApply(str(error)) from None


def referenced_instance(problem):
    """Return the user's instance in the user's metric; raise `DoesNotApply` where it has no reference."""
    instance = problem_instance(problem, problem.metric)
    reference(instance)
    return instance


def in_own_units(instance):
    """Return an instance with every parameter measured in its own size.

    In units in which one tangent function is 10⁵ times the others, nothing is left of these in Θ, nor in
    singular vectors.
    """
    units = np.where(instance.theta != 0, np.abs(instance.theta), 1.0)
    model = instance.model.reparametrise(lambda t: units * t, lambda t: np.diag(units))
    return replace(instance, model=model, theta=instance.theta / units)


def immersed_instance(problem):
    """Return `referenced_instance`; raise `DoesNotApply` where the model is not an immersion."""
    instance = referenced_instance(problem)
    require_immersion(instance)
    return instance


def resolved_grid(instance):
    """Return the grid of the instance's rule that resolves its tangent functions, to rounding.

    `resolving_grid` does to 1e-12; where that is not rounding yet, twice its nodes do.
    """
    grid = resolving_grid(instance.domain, instance.model, instance.theta, instance.rule)
    errors = interpolation_errors(grid, instance.model, instance.theta)
    if errors.max() <= EPS * (64 + grid.shape[0]):
        return grid
    return instance.grid(2 * grid.shape[0])


# Nodes on a line from which matrices of four times their number take too long.
_MANY = 512


def resolved_levels(instance):
    """Return the number of nodes an axis that resolves the tangent functions, twice and four times it.

    In more dimensions, and where there are many, half again and twice.
    """
    n = resolved_grid(instance).shape[0]
    few = instance.domain.dimension == 1 and n <= _MANY
    return [n, 2 * n, 4 * n] if few else [n, 3 * n // 2, 2 * n]


def fit_floor(exact, grid, metric):
    """Rounding of a least-squares fit: κ ulp for κ the condition number of the scaled columns.

    Of scaled ones, since neither QR nor substitution in R mixes columns: their lengths, the units of the
    parameters, do not count (Higham, Accuracy and Stability, theorem 19.4). A metric adds `_metric_noise`. A
    degenerate model is solved in singular vectors, which do mix the columns.
    """
    noise = 64 + _metric_noise(metric, grid)
    return EPS * noise * (exact.condition if exact.independence > _ROUNDING else exact.mixed_condition)


def _metric_noise(metric, grid):
    """By what a metric multiplies the rounding of nodal values, against the norm of a slow function.

    Derivatives on polynomial grids of n nodes add n ulp (the larger errors, n² ulp, sit where weights are
    small), and as many those of the n-th mode of an axis: of order s, (1 + (ℓω)²)^{s/2} for its frequency ω.
    """
    if not metric.order:
        return 0.0
    axes = getattr(grid.domain, "factors", (grid.domain,))
    sides = [np.pi] if isinstance(grid.domain, Sphere) else [axis.volume for axis in axes]
    omega = max(np.pi * n / side for n, side in zip(grid.shape, sides, strict=False))
    waves = getattr(metric, "length_scale", 1.0) * omega
    return max(*grid.shape, (1 + waves**2) ** (max(metric.order, 0) / 2))


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
        *_instances_in_space(rng),
    ]


def _instances_in_space(rng):
    """Return instances on tori, boxes and the sphere.

    On boxes the functions extend evenly (Neumann) or oddly (Dirichlet) to analytic periodic ones, so that
    sums of eigenfunctions resolve them.
    """
    torus, long, cube = Torus((2 * np.pi, 2 * np.pi)), Torus((2 * np.pi, 3)), Torus(3 * (2 * np.pi,))
    box, pinned, sphere = Box([(0, 1), (0, 2)]), Box([(0, 1), (0, 1)], "dirichlet"), Sphere()
    bump = Symbolic("a*exp(b*cos(x) + c*sin(y))", "x y", "a b c")
    waves = Symbolic("a*sin(x + b)*cos(2*pi*y/3) + c*cos(2*x) + d*sin(2*pi*y/3)", "x y", "a b c d")
    deep = Symbolic("a*sin(x + b)*cos(y) + c*cos(z)*sin(y) + d", "x y z", "a b c d")
    even = Symbolic("a*exp(b*cos(pi*x)*cos(pi*y/2)) + c*cos(2*pi*x)", "x y", "a b c")
    odd = Symbolic("a*sin(pi*x)*sin(pi*y)*exp(b*cos(pi*x)) + c*sin(2*pi*x)*sin(pi*y)", "x y", "a b c")
    zonal = Symbolic("a*exp(b*z) + c*x*y", "x y z", "a b c")
    target = PopulationLoss(lambda x, y: np.exp(np.sin(x) * np.cos(y)))

    def at_points(label, domain, metric, model, theta, rule=None):
        loss = some_loss(domain, rng, size=8)
        return replace(model_instance(label, domain, metric, loss, model, theta), rule=rule)

    return [
        model_instance("L2, population loss, torus", torus, L2(), target, bump, [0.8, 0.5, 0.6]),
        at_points("H^1.5, torus, waves", long, Sobolev(1.5), waves, [1.0, 0.4, -0.7, 0.2]),
        at_points("H^2 at ℓ = 0.3, torus, bump", torus, Sobolev(2.0, 0.3), bump, [0.8, 0.5, 0.6]),
        at_points("H^2, torus of dimension 3, waves", cube, Sobolev(2.0), deep, [1.0, 0.4, -0.7, 0.2]),
        at_points("H^1.5, Neumann box", box, Sobolev(1.5), even, [0.9, 0.7, 0.3], "midpoint"),
        at_points("H^2, Dirichlet box", pinned, Sobolev(2.0), odd, [0.9, 0.7, 0.3], "midpoint"),
        at_points("H^1.25, sphere", sphere, Sobolev(1.25), zonal, [0.9, 0.7, 0.3]),
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


NATURAL_GRADIENT_IS_PROJECTION = Theorem(
    id="natural-gradient-is-projection",
    statement="The natural gradient pushes forward to the orthogonal projection of the gradient onto the "
    "tangent space, in every metric in which the gradient exists.",
    latex=r"d\varphi(\eta) = P\,\nabla F",
    source=PAPER,
    hypotheses=(BOUNDED,),
    instances=projection_instances,
    from_problem=where_not_stationary(referenced_instance),
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
        unbounded_control(),
    ),
)


# --- tangent-gradient-exists --------------------------------------------------------------------------


def _tangent_instances(rng):
    """Return the losses at points, each model once, in L2."""
    instances = {
        id(instance.model): replace(instance, label=f"L2, {instance.label.split(', ', 1)[1]}", metric=L2())
        for instance in projection_instances(rng)
        if isinstance(instance.functional, EmpiricalLoss)
    }
    return list(instances.values())


def _l2_tangent(instance, functions):
    """Return √w-weighted values, (M, q), of functions x -> (K, q) on a rule finer than the library's."""
    x, w = fine_rule(instance.domain, instance.data.get("nodes", 0))
    return np.sqrt(w)[:, None] * functions(x)


def _outside(x, domain):
    """A function outside the tangent spaces: a bump that no model here contains."""
    if domain.dimension > 1:
        x = x[:, 0]
    length = domain.volume ** (1 / domain.dimension)
    middle = getattr(domain, "a", 0.0) + 0.37 * length
    return (1 / (1 + 20 * np.sin(np.pi * (x.reshape(-1) - middle) / length) ** 2))[:, None]


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
    at_points, norms = test_functions(loss.x), tested.column_norms
    factors = point_factors(instance)
    defect = np.abs(tested.tangent.T @ (tangent @ found.direction) - factors @ at_points) / norms
    # dF(φ_j) is a sum with cancellation; its size without is what rounding is relative to.
    size = float(np.max(np.abs(factors) @ np.abs(at_points) / norms))
    floor = fit_floor(Reference(tangent, np.zeros(0)), grid, L2())
    # It is relative to the whitened dF too, which is long for points at ends, where nodes crowd.
    whitened = dual_length(differential(instance, grid), L2(), grid)
    return Residual(float(defect.max()), size, floor + 8 * EPS * whitened / max(size, EPS), step(grid), n)


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
    from_problem=where_not_stationary(lambda problem: problem_instance(problem, L2())),
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
            failure=lambda instance: Stagnant(1e-5),
        ),
        Control(
            "all functions of the grid as the tangent space: the representers must diverge",
            breaks="the tangent space is finite-dimensional",
            residual=lambda instance, n: representer_norm(evenly_spread(instance), n),
            failure=lambda instance: divergent(
                instance.domain.dimension / 2, 0.05 if instance.domain.dimension == 1 else 0.2
            ),
            levels=lambda instance: resolving_points(
                instance,
                [n // (1, 16, 64)[instance.domain.dimension - 1] for n in (256, 512, 1024, 2048, 4096)],
            ),
        ),
    ),
)
