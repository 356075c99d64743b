"""How dual norms of points and surfaces grow with the frequency, in any dimension."""

import math

import numpy as np

from funcgrad.gradients.evidence import squared_coefficients
from funcgrad.metrics import Sobolev
from funcgrad.spaces import Euclidean
from funcgrad.theorems.common import EPS
from funcgrad.theorems.record import DoesNotApply, Instance, Residual

# Frequencies of the levels in units of the first wave's, by dimension; the windows reach up to twice these.
_LEVELS = {1: (8, 16, 32, 64, 128), 2: (8, 16, 32, 64), 3: (5, 8, 13, 20), 4: (3, 4.25, 6, 8.5)}


# The longest side in units of the shortest, up to which low modes are those of the plane, or of space.
_LONGEST = 4


def growth_instances(c, domain, threshold, offsets, data=None, name=""):
    """Return instances for a covector in H^s, s the threshold plus each offset.

    The threshold is stated here and not asked of the covector. On Euclidean space the sums are those of a
    torus around the covector.
    """
    instances = []
    for offset in offsets:
        s = threshold + offset
        label = f"s = {s:g}, {name}{domain}"
        content = {**(data or {}), "covector": c, "threshold": threshold}
        instances.append(Instance(label, domain, Sobolev(s), data=content))
    return instances


def growth_problem(problem, c, threshold, data=None):
    """Return the instance for a covector in the user's metric.

    Raises `DoesNotApply` where there are too many modes, or the lowest ones see one side only.
    """
    domain, metric = problem.domain, problem.metric
    n = domain.dimension
    if n not in _LEVELS:
        raise DoesNotApply(f"it is checked in up to {max(_LEVELS)} dimensions, not on {domain}")
    sides = [factor.volume for factor in getattr(domain, "factors", ())] or [1.0]
    if max(sides) > _LONGEST * min(sides):
        raise DoesNotApply(
            f"{domain} is so long that its low modes are those of a line; take sides of up to {_LONGEST} : 1"
        )
    content = {**(data or {}), "covector": c, "threshold": threshold}
    return Instance(problem.label, domain, metric, data=content)


def is_of_growth(instance):
    """Return whether an instance is one of `growth_instances`."""
    return "covector" in instance.data


def growth_levels(instance):
    """Return the levels of an instance."""
    return _LEVELS[instance.domain.dimension]


def growth_residual(instance, level, shift=0.0):
    """Return Σ_k w_k |c(e_k)|²/(1+ℓ²λ_k)^s in a window of frequencies, over what is claimed of it.

    The claim is ∫ w ω^{2p}/(1+ℓ²ω²)^s dω/ω with p the threshold, so that it grows like Λ^{2p-2s}. If it is
    right the quotient tends to a constant: it is of order 0. The window w is cos² in log ω from Λ/2 to 2Λ:
    a sharp one would see how many eigenvalues, and waves of c(e_k), fall into it.
    """
    c, metric, domain = instance.data["covector"], instance.metric, _with_modes(instance)
    # The frequency √λ of which there are as many modes below as on a torus of side 2π below the level.
    n = domain.dimension
    unit = 2 * math.pi / domain.volume ** (1 / n)
    cutoff = level * unit
    # One count for all levels, so that the coefficients are computed once.
    count = _count_below(n, 2 * max(level, *growth_levels(instance)))
    spectrum = domain.laplacian_spectrum(count)
    first, last = np.searchsorted(spectrum, [(cutoff / 2) ** 2, (2 * cutoff) ** 2])
    inside = spectrum[first:last]
    window = np.cos(np.pi / 2 * (np.log2(inside) / 2 - math.log2(cutoff))) ** 2
    squares = squared_coefficients(c, domain, count)[first:last]
    value = float(window @ (squares / metric.symbol(inside)))
    t, weights = np.polynomial.legendre.leggauss(24)
    omega = cutoff * 2.0**t
    powers = omega ** (2 * (instance.data["threshold"] + shift))
    claim = float(weights @ (np.cos(np.pi / 2 * t) ** 2 * powers / metric.symbol(omega**2)))
    return Residual(value, claim, 64 * EPS, 1 / level, last - first)


def _count_below(n, radius):
    """The number of points of the lattice Z^n in a ball, by its volume, and a fifth for boundaries."""
    return math.ceil(1.2 * math.pi ** (n / 2) / math.gamma(n / 2 + 1) * radius**n)


def _with_modes(instance):
    domain = instance.domain
    if not isinstance(domain, Euclidean):
        return domain
    points = np.concatenate([term.hull() for term in instance.data["covector"].terms])
    extent = float(np.ptp(points, axis=0).max())
    return domain.enclosing_torus(points, margin=extent / 2 or math.pi)
