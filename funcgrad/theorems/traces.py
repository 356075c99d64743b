"""The theorem about integrals over surfaces: trace-threshold.

On closed lines and planes and on the equator what an octave adds is compared with its value; elsewhere with
its rate of growth (see `growth`).
"""

from functools import lru_cache

import numpy as np

from funcgrad.functionals import SurfaceIntegral
from funcgrad.gradients.evidence import octave_sums
from funcgrad.metrics import Sobolev
from funcgrad.spaces import Box, Euclidean, Sphere, Torus
from funcgrad.spaces.surfaces import Flat, RoundSphere, SmallCircle
from funcgrad.theorems.common import EPS, PAPER, require_spectral
from funcgrad.theorems.existence import predicted_octave
from funcgrad.theorems.expectations import Order, Stagnant, divergent
from funcgrad.theorems.growth import (
    growth_instances,
    growth_levels,
    growth_problem,
    growth_residual,
    is_of_growth,
)
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem


def _trace_instances(rng):
    x = float(rng.uniform(0, 2 * np.pi))
    turn = 2 * np.pi
    plane, space = Torus((turn, turn)), Torus((turn, turn, turn))
    wall = Flat([x, 0.0, 0.0], [[0.0, turn, 0.0], [0.0, 0.0, turn]])
    cases = [
        ("closed line, torus", plane, Flat([x, 0.0], [0.0, turn]), (8, 16, 32, 64)),
        ("closed plane, torus", space, wall, (3, 6, 12, 24)),
        ("equator, sphere", Sphere(), SmallCircle([0.0, 0.0, 1.0], np.pi / 2), (8, 16, 32, 64)),
    ]
    # One covector for all s, so that its coefficients are computed once.
    return [
        Instance(f"s = {s:g}, {label}", domain, Sobolev(s), data=data)
        for label, domain, surface, levels in cases
        for data in [{"surface": surface, "integral": SurfaceIntegral(surface), "levels": levels}]
        for s in (0.25, 0.5, 0.75)
    ] + _surfaces_that_bend_or_end(x)


def _surfaces_that_bend_or_end(x):
    """Circles, spheres, segments, closed lines; normal derivatives; codimensions 1 to 3."""
    turn = 2 * np.pi
    plane, space, four = (Torus((turn,) * n) for n in (2, 3, 4))
    across = Flat([x, 0, 0], [0, 0, turn], normal=[1, 0, 0])
    cases = [
        ("a circle in ", plane, RoundSphere([x, 1], 2.0), 0),
        ("a circle in ", plane, RoundSphere([x, 1], 2.0), 1),
        ("a circle in ", Euclidean(2), RoundSphere([x, 1], 1.0), 0),
        ("a segment in ", Euclidean(2), Flat([x, 0], [1, 2]), 1),
        ("a segment in ", Box([(0, 2), (0, 3)], "dirichlet"), Flat([0.5, 0.5], [1, 2]), 0),
        ("a sphere in ", space, RoundSphere([x, 1, 1], 2.0), 0),
        ("a sphere in ", Euclidean(3), RoundSphere([x, 1, 1], 1.0), 1),
        ("a parallelogram in ", Euclidean(3), Flat([x, 0, 0], [[1, 0, 0], [0, 1, 0.5]]), 0),
        ("a closed line in ", space, across, 0),
        ("a closed line in ", space, across, 1),
        ("a circle in ", Euclidean(3), RoundSphere([x, 1, 1], 1.0, axis=[1, 2, 2]), 0),
        ("a closed line in ", four, Flat([x, 0, 0, 0], [0, 0, 0, turn]), 0),
        ("a latitude of ", Sphere(), SmallCircle([1, 2, 2], 1.1), 0),
        ("a latitude of ", Sphere(), SmallCircle([1, 2, 2], 1.1), 2),
    ]
    instances = []
    for name, domain, surface, order in cases:
        derivative = f"∂_ν^{order} on " if order else ""
        data = {"surface": surface, "derivative": order}
        threshold = surface.codimension / 2 + order
        c = SurfaceIntegral(surface, order)
        instances += growth_instances(c, domain, threshold, (-0.25, 0.0, 0.25), data, derivative + name)
    return instances


@lru_cache(maxsize=16)
def _cutoff(domain, m):
    """A frequency between those of the modes m and m + 1 along the surface's normal, and the modes below."""
    if isinstance(domain, Sphere):
        # On the equator odd degrees contribute nothing: the degree 2m + 1 is halfway between two even ones.
        degree = 2 * m + 1
        return np.sqrt(degree * (degree + 1.0)), degree**2
    frequency = m + 0.5
    n = domain.dimension
    ball = {2: np.pi, 3: 4 * np.pi / 3}[n]
    enough = int(ball * (frequency + n) ** n) + 1
    return frequency, int(np.searchsorted(domain.laplacian_spectrum(enough), frequency**2))


def _trace_residual(instance, m, shift=0.0):
    """Relative difference of what an octave adds to ‖δ_Γ‖² from (|Γ|/π) ∫ (1+ω²)^{-s} ω^{2·shift} dω.

    Per unit of area the integral over a surface of codimension 1 is the evaluation of a function of one
    variable, and its squared dual norm grows as that does.
    """
    if is_of_growth(instance):
        return growth_residual(instance, m, shift)
    domain, surface = instance.domain, instance.data["surface"]
    (low, below), (high, above) = (_cutoff(domain, level) for level in (m, 2 * m))
    added = octave_sums(instance.data["integral"], instance.metric, domain, [below, above])[1]
    predicted = surface.area * predicted_octave(instance.metric, low, high, 2 * shift)
    return Residual(abs(added - predicted), predicted, 64 * EPS * m, 1 / m, above)


def _points_shift(instance):
    """What the threshold n/2 of points is above k/2."""
    return (instance.domain.dimension - instance.data["surface"].codimension) / 2


def _refuted_by_points(instance):
    """How the point's threshold fails: nothing is left of the sums against it, or all of the prediction."""
    if is_of_growth(instance):
        return divergent(-2 * _points_shift(instance), 0.25)
    return Stagnant(0.5)


def _radius_in(domain):
    """The radius of a circle or sphere in a domain, on which the lowest level sees whole waves.

    In space the levels are few and low, in units of the side of a cube of the domain's volume: at radii of
    0.3 and 0.4 of that, waves of the sphere itself tilt the fitted order by 0.05, at 0.35 by 0.01.
    """
    least = min(factor.volume for factor in domain.factors)
    if domain.dimension == 2:
        return 0.3 * least
    radius = 0.35 * domain.volume ** (1 / 3)
    if radius > 0.4 * least:
        raise DoesNotApply(
            f"{domain} is too flat for a sphere that its low modes see; take sides that are more alike"
        )
    return radius


def _trace_problem(problem):
    """A circle or sphere in the middle of the user's domain."""
    domain = problem.domain
    if domain.dimension == 1:
        raise DoesNotApply("in one dimension a surface is a point: see evaluation-threshold")
    require_spectral(problem)
    if isinstance(domain, Sphere):
        surface = SmallCircle([1, 2, 2], 1.1)
    elif domain.dimension > 3:
        raise DoesNotApply(
            f"on a problem of one's own it is checked in two and three dimensions, not {domain}"
        )
    elif isinstance(domain, Euclidean):
        surface = RoundSphere(np.full(domain.dimension, 1.0), 1.0)
    else:
        middle = domain.from_unit_cube(np.array([[0.45, 0.52, 0.48]])[:, : domain.dimension])[0]
        surface = RoundSphere(middle, _radius_in(domain))
    return growth_problem(problem, SurfaceIntegral(surface), 0.5, {"surface": surface, "derivative": 0})


TRACE_THRESHOLD = Theorem(
    id="trace-threshold",
    statement="The integral over a surface of codimension k has a gradient in H^s iff s > k/2: its squared "
    "dual norm grows like Λ^{k-2s}, log Λ at s = k/2; with a normal derivative of order j iff s > k/2 + j. "
    "Here k = 1, 2, 3 and n = 2, 3, 4.",
    latex=r"\left(v\mapsto\int_\Gamma v\,d\sigma\right)\in H^{-s}(M)\iff s>k/2",
    source="Adams & Fournier, Sobolev Spaces (trace theorem); " + PAPER,
    hypotheses=(),
    instances=_trace_instances,
    from_problem=_trace_problem,
    levels=lambda instance: growth_levels(instance) if is_of_growth(instance) else instance.data["levels"],
    residual=_trace_residual,
    expectation=lambda instance: Order(-0.05, 0.05) if is_of_growth(instance) else Order(1.7, 2.3),
    controls=(
        Control(
            "the claim with the point's threshold n/2",
            breaks="statement",
            residual=lambda instance, m: _trace_residual(instance, m, _points_shift(instance)),
            failure=_refuted_by_points,
        ),
        Control(
            "the claim with threshold k/2 - 1/4",
            breaks="statement",
            residual=lambda instance, m: _trace_residual(instance, m, -0.25),
            failure=lambda instance: divergent(0.5, 0.25),
        ),
    ),
)
