"""The theorem about integrals over surfaces: trace-threshold."""

import numpy as np

from funcgrad.functionals import SurfaceIntegral
from funcgrad.gradients.evidence import octave_sums
from funcgrad.metrics import Sobolev
from funcgrad.spaces import Sphere, Torus
from funcgrad.spaces.surfaces import Flat, SmallCircle
from funcgrad.theorems.common import EPS, PAPER
from funcgrad.theorems.existence import predicted_octave
from funcgrad.theorems.expectations import Order, Stagnant, divergent
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
    return [
        Instance(f"s = {s:g}, {label}", domain, Sobolev(s), data={"surface": surface, "levels": levels})
        for label, domain, surface, levels in cases
        for s in (0.25, 0.5, 0.75)
    ]


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
    domain, surface = instance.domain, instance.data["surface"]
    (low, below), (high, above) = (_cutoff(domain, level) for level in (m, 2 * m))
    added = octave_sums(SurfaceIntegral(surface), instance.metric, domain, [below, above])[1]
    predicted = surface.area * predicted_octave(instance.metric, low, high, 2 * shift)
    return Residual(abs(added - predicted), predicted, 64 * EPS * m, 1 / m, above)


def _no_surface(problem):
    raise DoesNotApply("in one dimension a surface is a point: see evaluation-threshold")


TRACE_THRESHOLD = Theorem(
    id="trace-threshold",
    statement="The integral over a surface of codimension k has a gradient in H^s iff s > k/2: its squared "
    "dual norm grows like Λ^{k-2s} (here k = 1, n = 2 and 3).",
    latex=r"\left(v\mapsto\int_\Gamma v\,d\sigma\right)\in H^{-s}(M)\iff s>k/2",
    source="Adams & Fournier, Sobolev Spaces (trace theorem); " + PAPER,
    hypotheses=(),
    instances=_trace_instances,
    from_problem=_no_surface,
    levels=lambda instance: instance.data["levels"],
    residual=_trace_residual,
    expectation=lambda instance: Order(1.7, 2.3),
    controls=(
        Control(
            "the claim with the point's threshold n/2",
            breaks="statement",
            residual=lambda instance, m: _trace_residual(instance, m, (instance.domain.dimension - 1) / 2),
            failure=lambda instance: Stagnant(0.5),
        ),
        Control(
            "the claim with threshold k/2 - 1/4",
            breaks="statement",
            residual=lambda instance, m: _trace_residual(instance, m, -0.25),
            failure=lambda instance: divergent(0.5, 0.25),
        ),
    ),
)
