"""What several theorems measure."""

import dataclasses
import math

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.functionals import EmpiricalLoss
from funcgrad.functionals.covector import point_evaluations
from funcgrad.metrics import Sobolev
from funcgrad.spaces import Box, Circle, Euclidean, Interval, Sphere, Torus
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.theorems.expectations import Stagnant
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Residual

EPS = np.finfo(float).eps
PAPER = "Bai, Rosenberg, Xu, A Geometric Understanding of Natural Gradient (arXiv:2202.06232)"


def differential(instance, grid, functional=None):
    """Return dF at the instance's function, as seen from a grid.

    Losses at points evaluate that function where the points are, densities on the grid.
    """
    functional = instance.functional if functional is None else functional
    exact = isinstance(functional, EmpiricalLoss) and functional.operator is None
    return functional.differential(instance.f if exact else grid.function(instance.f))


def dual_length(c, metric, grid):
    """Return the dual norm of a covector restricted to the functions of a grid."""
    return float(np.linalg.norm(metric.whiten(c, grid)))


def rounding_floor(grid, metric):
    """Return the relative size of rounding in a Riesz representer on a grid.

    A transform of N values loses a few log N ulp. Differentiation matrices on polynomial grids have
    entries up to N²/2 times those of their product with a smooth function (Baltensperger 2000).
    """
    if isinstance(grid, PolynomialGrid) and metric.order != 0:
        return EPS * (64 + len(grid) ** 2)
    return EPS * 64 * math.log2(len(grid) + 2)


def step(grid):
    """Return the level's h: the side of a cube of the domain's volume over the number of nodes."""
    return (grid.domain.volume / len(grid)) ** (1 / grid.domain.dimension)


def refinements(instance, first=16, count=6):
    """Return `count` numbers of nodes, doubling, from `first` for each wave of the metric's length scale."""
    length_scale = getattr(instance.metric, "length_scale", 1.0)
    waves = max(1.0, instance.domain.volume / (2 * math.pi * length_scale))
    levels = [first * 2 ** (math.ceil(math.log2(waves)) + j) for j in range(count)]
    return resolving_points(instance, levels)


# Nodes that lie closer than this fraction of the domain are not told apart by refinement.
_CLOSEST = 1 / 512


def resolving_points(instance, levels):
    """Return numbers of nodes, doubled until the coarsest has four for each gap between the loss's points.

    Before that a grid sees several points as one, and rates are those of another loss.
    """
    if not isinstance(instance.functional, EmpiricalLoss) or instance.domain.dimension > 1:
        return list(levels)
    gaps = np.diff(np.unique(instance.functional.x)) / instance.domain.volume
    needed = 4 / max(gaps.min(initial=1.0), _CLOSEST)
    factor = 2 ** max(0, math.ceil(math.log2(needed / levels[0])))
    return [factor * n for n in levels]


# Gaps on a line, as parts of it, that the coarser half of the levels see as none, and that all levels do.
_SEEN_LATE, _NEVER_SEEN = 1 / 4096, 1e-9


def require_apart(instance):
    """Raise `DoesNotApply` where much of dF on a line is at points that only some levels tell apart.

    Representers have norms like Σ c_i² n, plus 2 Σ c_i c_j n for the pairs that n nodes see as one.
    """
    domain, loss = instance.domain, instance.functional
    if domain.dimension > 1:
        return
    factors = weighted_slopes(loss, loss.predictions(instance.f))
    order = np.argsort(loss.x[:, 0])
    x, c = loss.x[order, 0], factors[order]
    sums = np.append(0.0, np.cumsum(c))
    first, last = (
        np.searchsorted(x, x + part * domain.volume, "right") for part in (_NEVER_SEEN, _SEEN_LATE)
    )
    if 2 * abs(c @ (sums[last] - sums[first])) > 0.2 * (c @ c):
        raise DoesNotApply(
            f"many of the {len(x)} points lie closer than the coarser grids tell apart; leave "
            "out points that nearly coincide, or take a part of the data"
        )


# Nodes an axis of the coarsest level in dimensions 2 and 3, so that grids eight times as fine fit.
_COARSEST = {2: 64, 3: 8}


def separating_levels(instance, first):
    """Return numbers of nodes in space for a user's loss, as `resolving_points` does on a line.

    Raises `DoesNotApply` if the points nearly coincide.
    """
    most, needed = _COARSEST.get(instance.domain.dimension, 0), nodes_between_points(instance)
    if isinstance(instance.domain, Sphere):
        most, needed = 16, needed / 2  # transforms are dense
    if first > most:
        raise DoesNotApply(
            f"to resolve the length scale of {instance.metric}, grids need {first} nodes an axis, and finer "
            "ones are too large; take a larger length scale"
        )
    while first < needed:
        first *= 2
        if first > most:
            raise DoesNotApply(
                f"to tell the nearest points of the data apart, grids need {needed:.0f} nodes an axis, and "
                "finer ones are too large; leave out points that nearly coincide"
            )
    return [first * 2**j for j in range(5 if 2 * first <= most else 4)]


def nodes_between_points(instance):
    """Return twice the side of a cube of the domain's volume over the least distance of the loss's points."""
    domain, x = instance.domain, np.unique(instance.functional.x, axis=0)
    first, second = np.triu_indices(len(x), 1)
    distances = domain.distance(x[first], x[second])
    side = domain.volume ** (1 / domain.dimension)
    return 2 * side / distances.min(initial=side)


def new_part(instance, n, metric=None, functional=None):
    """Return the `Residual` ‖g_2n - g_n‖ / ‖g_2n‖ between the representers on n and on 2n nodes.

    It is the largest error of <g_n, v> = dF(v) over the unit ball of the finer grid's functions, and
    tends to zero iff the representers converge, so iff dF is bounded.
    """
    metric = instance.metric if metric is None else metric
    coarse, fine = instance.grid(n), instance.grid(2 * n)
    g = metric.riesz(differential(instance, coarse, functional), coarse)
    finer = metric.riesz(differential(instance, fine, functional), fine)
    size = metric.norm(finer)
    floor = rounding_floor(fine, metric) + _amplified_rounding(finer, metric) / (size or 1.0)
    return Residual(metric.norm(finer - fine.function(g)), size, floor, step(coarse), n)


def _amplified_rounding(f, metric):
    """The norm of what rounding leaves in the values of f, which transforms spread over all modes alike.

    A transform of N values loses log N ulp of their root mean square; a mode is multiplied by the root of the
    metric's symbol.
    """
    grid = f.grid
    if metric.order <= 0 or not hasattr(grid, "eigenvalues"):
        return 0.0
    size = np.linalg.norm(np.sqrt(grid.weights) * f.values)
    return float(EPS * math.log2(len(grid) + 2) * size * np.sqrt(np.mean(metric.symbol(grid.eigenvalues))))


def eigenfunctions_by_hand(domain, length_scale):
    """Yield (v, λ) for L2-normalised eigenfunctions v of -Δ, written out here and not taken from the domain.

    Their frequencies are the lowest ones and some around 1/ℓ, where metrics differ; products in more
    dimensions, and zonal and tesseral harmonics on the sphere.
    """
    if isinstance(domain, Sphere):
        yield from _harmonics_by_hand()
        return
    factors = getattr(domain, "factors", (domain,))
    for of_axes in zip(*[_on_axis(factor, length_scale) for factor in factors], strict=False):
        functions, eigenvalues = zip(*of_axes, strict=True)
        yield lambda *x, f=functions: math.prod(v(t) for v, t in zip(f, x, strict=True)), sum(eigenvalues)


def _harmonics_by_hand():
    yield lambda x, y, z: math.sqrt(3 / (4 * math.pi)) * z, 2.0
    yield lambda x, y, z: math.sqrt(15 / (4 * math.pi)) * x * y, 6.0
    yield lambda x, y, z: math.sqrt(7 / (16 * math.pi)) * z * (5 * z**2 - 3), 12.0


def _on_axis(domain, length_scale):
    length, start = domain.volume, getattr(domain, "a", 0.0)
    waves = length / (2 * math.pi * length_scale)
    modes = sorted({1, 2, 3, *(max(1, round(factor * waves)) for factor in (0.5, 1, 2))})
    shapes = {"periodic": (np.cos, np.sin), "neumann": (np.cos,), "dirichlet": (np.sin,)}[domain.boundary]
    for k in modes:
        omega = (2 if domain.boundary == "periodic" else 1) * math.pi * k / length
        for shape in shapes:
            yield lambda x, w=omega, f=shape: math.sqrt(2 / length) * f(w * (x - start)), omega**2


def another_metric(metric):
    """Return a metric near the given one: twice its length scale; H^1 for L2."""
    if metric.order == 0:
        return Sobolev(1.0)
    return dataclasses.replace(metric, length_scale=2 * metric.length_scale)


def excess_order(instance):
    """Return the metric's order minus the differential's threshold: positive iff dF is bounded."""
    regularity = differential(instance, instance.grid(8)).regularity_in(instance.domain.dimension)
    excess = instance.metric.order - regularity.order
    return math.inf if excess == 0 and not regularity.strict else excess


BOUNDED = Hypothesis(
    "dF is bounded in the metric",
    excess_order,
    "dF is unbounded in {metric}: point evaluations need a Sobolev order above n/2",
)


def even_rule(domain):
    """Return the rule, one for each axis, of grids whose functions are the Laplacian's eigenfunctions."""
    if not isinstance(domain, Interval | Box):
        return None
    rules = [
        "trapezoid" if axis.boundary == "periodic" else "midpoint"
        for axis in getattr(domain, "factors", (domain,))
    ]
    return rules[0] if len(set(rules)) == 1 else tuple(rules)


# Nodes an axis, by `nodes_between_points`, at which rates are seen with the levels of built-in instances.
_TOLD_APART = 64


def some_loss(domain, rng, size=3):
    """Return an empirical loss at points drawn from the middle of a domain, with residuals away from zero.

    One point from the middle of each of `size` slices: where two nearly meet, their errors nearly cancel.
    """
    u = rng.uniform(0.1, 0.9, (size, domain.dimension))
    u[:, 0] = 0.1 + 0.8 * (np.arange(size) + rng.uniform(0.2, 0.8, size)) / size
    x = domain.from_unit_cube(u)
    return EmpiricalLoss(x, rng.choice([-1.0, 1.0], size) * rng.uniform(1.0, 2.0, size))


def loss_at_points(instance):
    """Return the instance's functional if it is a loss at points that coarse grids tell apart.

    Else another one on its domain, always the same.
    """
    at_points = isinstance(instance.functional, EmpiricalLoss)
    if at_points and (instance.domain.dimension == 1 or nodes_between_points(instance) <= _TOLD_APART):
        return instance.functional
    return some_loss(instance.domain, np.random.default_rng(0))


def unbounded_control(functional_of=loss_at_points):
    """Return the control that breaks `BOUNDED` alone: point evaluations in L2, whose representers diverge.

    `functional_of` gives the loss at points for an instance.
    """
    from funcgrad.metrics import L2

    return Control(
        "the same in L2 for a loss at points: the representers must not converge",
        breaks=BOUNDED.name,
        residual=lambda instance, n: new_part(instance, n, metric=L2(), functional=functional_of(instance)),
        failure=lambda instance: Stagnant(0.3),
        levels=lambda instance: resolving_points(
            instance, [n // 4 ** (instance.domain.dimension - 1) for n in (128, 256, 512)]
        ),
    )


def require_line(problem):
    """Raise `DoesNotApply` unless the problem's domain is a circle or an interval with ends."""
    require_compact(problem)
    if not isinstance(problem.domain, Interval | Circle):
        raise DoesNotApply(
            f"on a problem of one's own it is checked on intervals and circles, not {problem.domain}"
        )


# Lengths of an interval from 0 up to which rounding of x is less than other rounding.
_FARTHEST = 256


def require_compact(problem):
    """Raise `DoesNotApply` unless the problem's domain is one whose eigenfunctions are written out here.

    An interval with ends, a circle, a box, a torus or the sphere.
    """
    domain = problem.domain
    if not isinstance(domain, Interval | Circle | Box | Torus | Sphere):
        raise DoesNotApply(
            f"on a problem of one's own it is checked on intervals, boxes, circles, tori and the sphere, not "
            f"{domain}"
        )
    if isinstance(domain, Interval) and domain.boundary == "periodic":
        raise DoesNotApply(f"a periodic interval is a circle; take `circle {domain.length:g}`")
    for axis in getattr(domain, "factors", (domain,)):
        if isinstance(axis, Interval) and max(abs(axis.a), abs(axis.b)) > _FARTHEST * axis.length:
            raise DoesNotApply(
                f"{domain} is so far from 0 that its coordinates lose digits, and functions of them more; "
                "measure x from its start"
            )


# Nodes an axis at which a model must be finite.
_SEEN = {1: 64, 2: 16, 3: 8}


def require_loss_at_points(problem):
    """Raise `DoesNotApply` unless the functional is a loss of values at points, with a differential.

    One that is not zero on the functions of the domain, and a model with finite values there.
    """
    loss = problem.functional
    if not isinstance(loss, EmpiricalLoss) or loss.operator is not None:
        raise DoesNotApply("the functional is not a loss at points")
    predictions = problem.model(problem.theta, loss.x)
    slopes = np.abs(loss.loss.derivative(predictions, loss.y)).max()
    if slopes <= 64 * EPS * max(np.abs(loss.y).max(), np.abs(predictions).max()):
        raise DoesNotApply(
            "the model fits the data exactly, so that the differential and every gradient are zero; take "
            "other parameters"
        )
    _require_differential(problem, predictions)
    _require_finite(problem)


def _require_differential(problem, predictions):
    """Raise `DoesNotApply` if the weights of the point evaluations are zero, or cancel to rounding."""
    loss, domain = problem.functional, problem.domain
    factors = weighted_slopes(loss, predictions)
    if not factors.any():
        raise DoesNotApply(
            "every weight of the loss is zero where the model misses the data, so that the differential and "
            "every gradient are zero; take other weights"
        )
    left = point_evaluations(loss.x, factors)
    if left is not None:
        left = left.effective(domain)
    rounding = 64 * EPS * np.abs(factors).max()
    if left is None or all(np.abs(atom.weight).max() <= rounding for atom in left.atoms):
        raise DoesNotApply(
            f"the misfits at equal points cancel, or lie where the functions on {domain} vanish, so that the "
            "differential and every gradient are zero; take other data"
        )


def _require_finite(problem):
    """Raise `DoesNotApply` if the model has no finite values on a coarse grid of the domain."""
    domain = problem.domain
    if not isinstance(domain, Euclidean):
        try:
            problem.model(problem.theta, domain.grid(_SEEN[domain.dimension]).nodes)
        except InvalidInput as error:
            raise DoesNotApply(str(error)) from None


# Slopes of the loss that cancel to this part of their terms are those of a minimum, to half the digits.
_STATIONARY = 1e-8


def where_not_stationary(from_problem):
    """Return `from_problem` for a statement about dF on the tangent functions, which says nothing of zeros.

    It raises `DoesNotApply` where the loss is stationary in the parameters, to half the digits.
    """

    def found(problem):
        instance = from_problem(problem)
        loss, model, theta = problem.functional, problem.model, problem.theta
        factors = weighted_slopes(loss, model(theta, loss.x))
        terms = (factors[..., None] * model.jacobian(theta, loss.x)).reshape(-1, len(theta))
        if np.all(np.abs(terms.sum(axis=0)) <= _STATIONARY * np.abs(terms).sum(axis=0)):
            raise DoesNotApply(
                "the parameters are those of a minimum, or of another stationary point of the loss, where "
                "every natural gradient is zero; take other parameters"
            )
        return instance

    return found


def weighted_slopes(loss, predictions):
    """w_i ∂ℓ/∂z of a loss at points, (K,) or (K, m)."""
    return (loss.weights * loss.loss.derivative(predictions, loss.y).T).T


def require_one_output(problem):
    """Raise `DoesNotApply` unless the functions of the problem's model have numbers for values."""
    if problem.model.n_outputs != 1:
        raise DoesNotApply(f"the model has {problem.model.n_outputs} outputs: see vector-valued")


def require_spectral(problem):
    """Raise `DoesNotApply` unless the problem's metric is (1 - ℓ²Δ)^s, whose symbol the checks write out."""
    metric = problem.metric
    plain = getattr(metric, "definition", "spectral") == "spectral" and not getattr(
        metric, "homogeneous", False
    )
    if not hasattr(metric, "symbol") or not plain:
        raise DoesNotApply(f"{problem.metric} is not one of the Sobolev scale")
    _require_scale(problem)


# Sides of the domain in units of the length scale, by dimension: above, grids that resolve the length scale
# have too many nodes; below, the metric sees little but the constants.
_LARGEST_SIDE = {1: 4096, 2: 64, 3: 16}
_SMALLEST_SIDE = 1e-3


def _require_scale(problem):
    """Raise `DoesNotApply` if the metric's length scale is far from the size of the domain."""
    domain, metric = problem.domain, problem.metric
    if metric.order == 0 or isinstance(domain, Euclidean):
        return
    sides = [factor.volume for factor in getattr(domain, "factors", (domain,))]
    if isinstance(domain, Sphere):
        sides = [2 * math.pi]
    least, most = min(sides) / metric.length_scale, max(sides) / metric.length_scale
    largest = _LARGEST_SIDE.get(domain.dimension, _LARGEST_SIDE[3])
    if least < _SMALLEST_SIDE or most > largest:
        raise DoesNotApply(
            f"the length scale {metric.length_scale:g} of {metric} is far from the size of {domain}, so that "
            f"{'rounding hides all but the constants' if least < _SMALLEST_SIDE else 'grids are too large'}; "
            f"take one from {max(sides) / largest:.2g} to {min(sides) / _SMALLEST_SIDE:.2g}"
        )
