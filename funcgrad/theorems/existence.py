"""Theorems about the existence of gradients: evaluation- and derivative-threshold, no-l2-gradient.

In one dimension, and on the sphere, what an octave adds to a dual norm is compared with its value; elsewhere
with its rate of growth (see `growth`).
"""

from dataclasses import replace

import numpy as np

from funcgrad.functionals import EmpiricalLoss, PointEvaluation, PopulationLoss
from funcgrad.gradients.evidence import octave_sums
from funcgrad.metrics import L2, Sobolev
from funcgrad.spaces import Box, Circle, Euclidean, Interval, Sphere, Torus
from funcgrad.theorems.common import (
    EPS,
    PAPER,
    differential,
    dual_length,
    even_rule,
    refinements,
    require_apart,
    require_compact,
    require_loss_at_points,
    require_one_output,
    require_spectral,
    resolving_points,
    rounding_floor,
    separating_levels,
)
from funcgrad.theorems.expectations import Exact, Order, Stagnant, divergent
from funcgrad.theorems.growth import (
    growth_instances,
    growth_levels,
    growth_problem,
    growth_residual,
    is_of_growth,
)
from funcgrad.theorems.record import Control, Hypothesis, Instance, Residual, Theorem
from funcgrad.theorems.reference import point_factors

# --- evaluation-threshold -----------------------------------------------------------------------------


def _threshold_instance(label, domain, metric, derivative=0):
    # A third of the way along, what the eigenfunctions add at a point has period 3 in their number, and
    # sums over multiples of 3 modes see its mean.
    start = getattr(domain, "a", 0.0)
    return Instance(
        label, domain, metric, data={"point": start + domain.volume / 3, "derivative": derivative}
    )


def _threshold_instances(rng):
    cases = [(Circle(2 * np.pi), s) for s in (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0, 2.0)]
    cases += [(Interval(0, 1, "neumann"), s) for s in (0.25, 0.5, 0.75)]
    cases += [(Interval(-1, 1, "dirichlet"), s) for s in (0.25, 0.5, 1.0)]
    instances = [_threshold_instance(f"s = {s:g}, {domain}", domain, Sobolev(s)) for domain, s in cases]
    point = np.array([0.6, 0.0, 0.8])
    return (
        instances
        + [
            Instance(f"s = {s:g}, sphere", Sphere(), Sobolev(s), data={"point": point, "derivative": 0})
            for s in (0.5, 0.9, 1.0, 1.1, 1.5)
        ]
        + _points_in(DOMAINS, 0, (-1.0, -0.25, -0.05, 0.0, 0.05, 0.25, 1.0))
    )


# Where points are looked at besides circles and intervals; a point's coordinates are three of these.
_TURN = 2 * np.pi
DOMAINS = (
    Euclidean(1),
    Torus((_TURN, _TURN)),
    Euclidean(2),
    Box(((0, 2), (0, 3)), "neumann"),
    Torus((_TURN, _TURN, _TURN)),
    Euclidean(3),
    Box(((0, 2), (0, 3), (0, 2)), "dirichlet"),
)
_COORDINATES = (0.7, 1.1, 0.9)
# Of the sides of a user's domain.
_FRACTIONS = np.array([[0.35, 0.37, 0.45]])


def _points_in(domains, order, offsets):
    """Return instances of ∂_1^order δ_x for metrics around the threshold n/2 + order."""
    instances = []
    for domain in domains:
        n = domain.dimension
        point = np.array([0.6, 0.0, 0.8] if isinstance(domain, Sphere) else _COORDINATES[:n])
        c = PointEvaluation(point, [order] + [0] * (len(point) - 1))
        data = {"point": point, "derivative": order}
        instances += growth_instances(c, domain, n / 2 + order, offsets, data)
    return instances


def _derivative_instances(rng):
    domains = [Circle(2 * np.pi), Interval(0, 1, "neumann"), Interval(-1, 1, "dirichlet")]
    return [
        _threshold_instance(f"order {j}, s = {j + s:g}, {domain}", domain, Sobolev(j + s), j)
        for j in (1, 2)
        for s in (0.25, 0.5, 0.75)
        for domain in domains
    ] + [
        instance
        for order in (1, 2)
        for instance in _points_in((*DOMAINS, Sphere()), order, (-0.25, 0.0, 0.25))
    ]


def predicted_octave(metric, low, high, power):
    """(1/π) ∫ (1+ℓ²ω²)^{-s} ω^power dω over an octave of frequencies.

    The squares of ∂^j e_k have mean ω^{2j}/volume and the frequencies the density volume/π. By Gauss's rule
    with 24 nodes, on an octave exact to rounding.
    """
    nodes, weights = np.polynomial.legendre.leggauss(24)
    omega = (high + low) / 2 + (high - low) / 2 * nodes
    length_scale = getattr(metric, "length_scale", 1.0)
    density = (1 + (length_scale * omega) ** 2) ** -metric.order * omega**power
    return (high - low) / 2 * float(weights @ density) / np.pi


def _cutoff(domain, m):
    """A frequency halfway between two, after m of them (3m on a line), and the number of modes below it."""
    if isinstance(domain, Sphere):
        return np.sqrt((m + 0.5) * (m + 1.5)), (m + 1) ** 2
    # Whole triples of modes, and pairs on the circle; frequencies written out, not taken from the domain.
    if isinstance(domain, Circle):
        return 2 * np.pi / domain.length * (3 * m + 0.5), 2 * (3 * m) + 1
    return np.pi / domain.length * (3 * m + (0.5 if domain.boundary == "dirichlet" else -0.5)), 3 * m


def _threshold_levels(instance):
    if is_of_growth(instance):
        return growth_levels(instance)
    return [16, 32, 64, 128] if isinstance(instance.domain, Sphere) else refinements(instance)


def _threshold_residual(instance, n, shift=0.0, point=None):
    """Relative difference of what an octave adds to ‖∂^j δ_x‖² from the prediction.

    A claim whose threshold is shifted predicts a growth of which the exponent is shifted twice as much.
    """
    if is_of_growth(instance):
        return growth_residual(instance, n, shift)
    domain, metric, derivative = instance.domain, instance.metric, instance.data["derivative"]
    c = PointEvaluation(instance.data["point"] if point is None else point, derivative)
    (low, below), (high, above) = (_cutoff(domain, m) for m in (n, 2 * n))
    added = octave_sums(c, metric, domain, [below, above])[1]
    if isinstance(domain, Sphere):  # (1/2π) ∫ ... ω dω: the degree l has 2l + 1 harmonics
        predicted = predicted_octave(metric, low, high, 1 + 2 * shift) / 2
    else:
        predicted = predicted_octave(metric, low, high, 2 * (derivative + shift))
    predicted *= getattr(metric, "length_scale", 1.0) ** (2 * shift)  # a claim without units of its own
    # Rounding: blocked summation of 3n terms and the phases kωx, whose error grows with k.
    return Residual(abs(added - predicted), predicted, 16 * EPS * np.sqrt(n), 1 / n, above)


def _octave_expectation(instance):
    """The order of a sum over an octave against the integral, by the Euler-Maclaurin formula.

    On circle and sphere the cut-offs are midpoints and the error is that of the slope of the terms, of order
    2; on the interval the cosines of twice the phase leave one of their values, of order 1. Terms like ω^p
    tend to a constant at p = 0, and both gain 2; at p = 1 their slope does, and the first gains 2.
    """
    if is_of_growth(instance):
        return Order(-0.05, 0.05)
    domain, derivative = instance.domain, instance.data["derivative"]
    order = 1 if isinstance(domain, Interval) else 2
    power = 2 * derivative + domain.dimension - 1 - 2 * instance.metric.order
    order += 2 * (power == 0 or (power == 1 and order == 2))
    return Order(order - 0.2, order + 0.2)


def _end_of_domain(instance, level):
    """The residual at an end, or in a face, whose boundary condition makes the covector vanish."""
    order = instance.data["derivative"]
    boundary = "neumann" if order % 2 else "dirichlet"
    if is_of_growth(instance):
        n = instance.domain.dimension
        stand_in = Box([(0, 2)] * n, boundary)
        c = PointEvaluation([0.0] + [0.9] * (n - 1), [order] + [0] * (n - 1))
        (annihilated,) = growth_instances(c, stand_in, n / 2 + order, [instance.metric.order - n / 2 - order])
        return growth_residual(annihilated, level)
    stand_in = Interval(0.0, instance.domain.volume, boundary)
    return _threshold_residual(
        Instance("", stand_in, instance.metric, data=instance.data), level, point=stand_in.a
    )


def _annihilated(instance):
    """How the control at an end fails: all of the prediction is missing, or what should grow is zero."""
    return Exact() if is_of_growth(instance) else Stagnant(0.99)


def _threshold_problem(problem, derivative=0):
    require_spectral(problem)
    domain, metric = problem.domain, problem.metric
    if isinstance(domain, Interval | Circle):
        require_compact(problem)
        return _threshold_instance(problem.label, domain, metric, derivative)
    if isinstance(domain, Euclidean):
        point = np.array(_COORDINATES[: domain.dimension])
    else:
        point = domain.from_unit_cube(_FRACTIONS[:, : domain.dimension])[0]
    c = PointEvaluation(point, [derivative] + [0] * (len(point) - 1))
    data = {"point": point, "derivative": derivative}
    return growth_problem(problem, c, domain.dimension / 2 + derivative, data)


def _distance_to_end(instance):
    domain, point = instance.domain, np.atleast_1d(instance.data["point"])
    axes = getattr(domain, "factors", (domain,))
    ends = [(x, axis) for x, axis in zip(point, axes, strict=False) if isinstance(axis, Interval)]
    return min((min(x - axis.a, axis.b - x) / axis.volume for x, axis in ends), default=np.inf)


INTERIOR = Hypothesis(
    "x lies inside", _distance_to_end, "the point lies on the boundary, where the covector may vanish"
)


def _closed_form_norm(instance):
    """‖δ_x‖² against theory's closed forms at s = 1: by the kernel to rounding, by its modes to 0.1%."""
    domain, metric = instance.domain, instance.metric
    if metric.order != 1 or is_of_growth(instance) or isinstance(domain, Sphere):
        return None
    x, scale = instance.data["point"], metric.length_scale
    computed = metric.dual_norm(PointEvaluation(x), domain) ** 2
    length = domain.volume / scale
    if isinstance(domain, Circle):
        exact = 1 / (2 * scale * np.tanh(length / 2))
    else:
        t = (x - domain.a) / scale
        f = np.cosh if domain.boundary == "neumann" else np.sinh
        if length > 300:  # both factors overflow beyond; e^-300 from the far end is below rounding
            exact = 1 / (2 * scale)
        else:
            exact = f(t) * f(length - t) / (scale * np.sinh(length))
    defect, coarse = abs(computed - exact), abs(_norm_of_modes(instance) - exact)
    return Residual(defect + (coarse if coarse > 1e-3 * exact else 0.0), exact, 64 * EPS, 1.0, 1)


def _norm_of_modes(instance):
    """‖δ_x‖² at s = 1 as the sum over the modes below a cut-off Λ and ∫_Λ^∞ (1+ℓ²ω²)^{-1} dω/π."""
    scale = instance.metric.length_scale
    cutoff, count = _cutoff(instance.domain, _threshold_levels(instance)[-1])
    below = octave_sums(PointEvaluation(instance.data["point"]), instance.metric, instance.domain, [count])[0]
    return below + (np.pi / 2 - np.arctan(scale * cutoff)) / (np.pi * scale)


EVALUATION_THRESHOLD = Theorem(
    id="evaluation-threshold",
    statement="Point evaluation has a gradient in H^s iff s > n/2: below the frequency Λ, ‖δ_x‖² in the dual "
    "grows like Λ^{n-2s}, log Λ at s = n/2; for n = 1 by ∫ (1+ℓ²ω²)^{-s} dω/π an octave. Here n = 1, 2, 3.",
    latex=r"\delta_x\in H^{-s}(M)\iff s>n/2,\qquad "
    r"\|\delta_x\|^2_{\le 2\Lambda}-\|\delta_x\|^2_{\le\Lambda}\sim \tfrac1\pi\int_\Lambda^{2\Lambda}"
    r"(1+\ell^2\omega^2)^{-s}\,d\omega",
    source="Adams & Fournier, Sobolev Spaces (embedding theorem); " + PAPER,
    hypotheses=(INTERIOR,),
    instances=_threshold_instances,
    from_problem=_threshold_problem,
    levels=_threshold_levels,
    residual=_threshold_residual,
    expectation=_octave_expectation,
    controls=(
        Control(
            "the claim with threshold n/2 - 1/4",
            breaks="statement",
            residual=lambda instance, n: _threshold_residual(instance, n, shift=-0.25),
            failure=lambda instance: divergent(0.5, 0.15),
        ),
        Control(
            "an end where the boundary condition annihilates the covector",
            breaks=INTERIOR.name,
            residual=_end_of_domain,
            failure=_annihilated,
        ),
    ),
    oracle=_closed_form_norm,
)


DERIVATIVE_THRESHOLD = Theorem(
    id="derivative-threshold",
    statement="The evaluation of a derivative of order |α| has a gradient in H^s iff s > n/2 + |α|: its "
    "squared dual norm grows like Λ^{n+2|α|-2s}, log Λ at equality. Here n = 1, 2, 3.",
    latex=r"\partial^\alpha\delta_x\in H^{-s}(M)\iff s>n/2+|\alpha|",
    source="Adams & Fournier, Sobolev Spaces (embedding theorem); " + PAPER,
    hypotheses=(INTERIOR,),
    instances=_derivative_instances,
    from_problem=lambda problem: _threshold_problem(problem, derivative=1),
    levels=_threshold_levels,
    residual=_threshold_residual,
    expectation=_octave_expectation,
    controls=(
        Control(
            "the claim with threshold n/2, without |α|",
            breaks="statement",
            residual=lambda instance, n: _threshold_residual(instance, n, -instance.data["derivative"]),
            failure=lambda instance: divergent(2.0 * instance.data["derivative"], 0.2),
        ),
        Control(
            "an end where the boundary condition annihilates the covector",
            breaks=INTERIOR.name,
            residual=_end_of_domain,
            failure=_annihilated,
        ),
    ),
)


# --- no-l2-gradient -----------------------------------------------------------------------------------


def _pointwise_instances(rng):
    circle, interval = Circle(2 * np.pi), Interval(-1, 1)
    x, y = np.array([0.3, 1.7, 4.0]), np.array([1.0, -0.5, 0.2])
    return [
        Instance("three points, circle", circle, L2(), EmpiricalLoss(x, y), np.sin),
        Instance("three points, interval, Gauss-Legendre", interval, L2(), EmpiricalLoss(x / 5, y), np.sin),
        Instance(
            "three points, interval, Clenshaw-Curtis",
            interval,
            L2(),
            EmpiricalLoss(x / 5, y),
            np.sin,
            rule="clenshaw-curtis",
        ),
        Instance(
            "one point, Dirichlet interval, sines",
            Interval(0, 1, "dirichlet"),
            L2(),
            EmpiricalLoss([0.4], [1.0]),
            np.sin,
            rule="midpoint",
        ),
        *_in_more_dimensions(y),
    ]


def _in_more_dimensions(y):
    points = np.array([[0.3, 0.4, 0.7], [1.7, 0.9, 0.2], [1.1, 1.6, 1.3]])
    on_sphere = points / np.linalg.norm(points, axis=1, keepdims=True)
    finest = {2: (8, 16, 32, 64, 128), 3: (4, 8, 16, 32)}
    cases = [
        ("torus", Torus((_TURN, _TURN)), None),
        ("box, Gauss-Legendre", Box([(0, 2), (0, 2)]), None),
        ("torus in space", Torus((_TURN, _TURN, _TURN)), None),
        ("Dirichlet box, sines", Box([(0, 2), (0, 2), (0, 2)], "dirichlet"), "midpoint"),
        ("sphere", Sphere(), None),
    ]
    return [
        Instance(
            f"three points, {label}",
            domain,
            L2(),
            EmpiricalLoss(on_sphere if isinstance(domain, Sphere) else points[:, : domain.dimension], y),
            lambda *x: np.sin(x[0]) * x[1] * (2 - x[1]),
            rule=rule,
            data={"levels": finest[domain.dimension]},
        )
        for label, domain, rule in cases
    ]


def representer_norm(instance, n, functional=None):
    """L2 norm of the representer on n nodes, against the size of the factors of the point evaluations."""
    grid = instance.grid(n)
    size = np.linalg.norm(point_factors(instance))
    c = differential(instance, grid, functional)
    h = (grid.domain.volume / len(grid)) ** (1 / grid.domain.dimension)
    return Residual(dual_length(c, L2(), grid), max(size, EPS), rounding_floor(grid, L2()), h, len(grid))


def evenly_spread(instance):
    """Return the instance with nodes that do not crowd at the ends, where representers would grow faster.

    The functions of n Gauss-Legendre nodes tell points apart to 1/n inside, and to 1/n² at the ends.
    """
    return replace(instance, rule=even_rule(instance.domain))


def _fitted(instance):
    """The same points with data that the function fits exactly."""
    loss = instance.functional
    return EmpiricalLoss(loss.x, loss.predictions(instance.f))


def _pointwise_problem(problem):
    require_compact(problem)
    require_loss_at_points(problem)
    require_one_output(problem)
    from funcgrad.gradients.natural_gradient import model_function

    f, domain = model_function(problem.model, problem.theta), problem.domain
    instance = evenly_spread(Instance(problem.label, domain, L2(), problem.functional, f))
    require_apart(instance)
    if domain.dimension == 1:
        return instance
    return replace(instance, data={"levels": separating_levels(instance, 16 if domain.dimension == 2 else 8)})


def _misfit(instance):
    size = np.linalg.norm(instance.functional.y) or 1.0
    return float(np.linalg.norm(point_factors(instance)) / size) - 64 * EPS


def _rate_of_representers(instance):
    """h^{-n/2}; on polynomial grids, whose nodes are not spread evenly, in the limit only."""
    n = instance.domain.dimension
    return divergent(n / 2, 0.05 if n == 1 else 0.1)


NO_L2_GRADIENT = Theorem(
    id="no-l2-gradient",
    statement="A loss at points has no L2 gradient: its representers on grids of spacing h grow like "
    "h^{-n/2}.",
    latex=r"\|g_h\|_{L^2}\sim h^{-n/2}\quad\text{for } F(f)=\tfrac12\sum_i (f(x_i)-y_i)^2",
    source=PAPER,
    hypotheses=(
        Hypothesis(
            "the function does not fit the data exactly",
            _misfit,
            "the function fits the data exactly, so the differential is zero",
        ),
    ),
    instances=_pointwise_instances,
    from_problem=_pointwise_problem,
    levels=lambda instance: (
        instance.data.get("levels") or resolving_points(instance, [64 * 2**j for j in range(6)])
    ),
    residual=representer_norm,
    expectation=_rate_of_representers,
    controls=(
        Control(
            "the population loss ½∫(f-y)²: its representers must stay bounded",
            breaks="statement",
            residual=lambda instance, n: representer_norm(
                instance, n, PopulationLoss(lambda *x: 1.0 + instance.f(*x))
            ),
            failure=lambda instance: Order(-0.05, 0.05),
        ),
        Control(
            "data that the function fits exactly: the representers must vanish",
            breaks="the function does not fit the data exactly",
            residual=lambda instance, n: representer_norm(instance, n, _fitted(instance)),
            failure=lambda instance: Exact(),
        ),
    ),
)
