"""Numerical evidence on the existence of gradients: how dual norms grow, found without the analysis."""

import math
from dataclasses import dataclass

import numpy as np

from funcgrad.functionals.covector import Atom, Covector
from funcgrad.operators.square_root import reciprocal
from funcgrad.spaces.euclidean import Euclidean

# Octaves of frequencies that the evidence sums over, and how many of the last ones the growth is fitted to.
_OCTAVES = 8
_FITTED = 4
# Modes that the evidence takes in n dimensions, where an octave is 2^n times the modes below it; at most
# _MOST_MODES, and at most _MOST_VALUES numbers for all the points of a covector.
_MODES = {1: 2**12, 2: 2**20}
_MOST_MODES = 2**22
_MOST_VALUES = 2**26
# Eigenfunctions are evaluated in blocks of points of at most this many numbers (32 MB), or one point.
_BLOCK_ENTRIES = 2**22
# A density on a grid of more dimensions is looked at in no more modes than this.
_DENSITY_MODES = 2**12
# Exponents of growth nearer to zero than this are not told from a logarithm: in one dimension, and in more,
# where the modes of an octave are not spread as evenly.
_GROWTH_TOLERANCE = 0.02
_GROWTH_TOLERANCE_MORE = 0.05


@dataclass(frozen=True)
class Evidence:
    """Squared dual norms of a covector restricted to the eigenfunctions below a growing cut-off.

    Attributes
    ----------
    cutoffs : ndarray, (J,)
        Frequencies Λ = √λ, an octave apart.
    squared_dual_norms : ndarray, (J,)
        Σ |c(e_k)|²/σ(λ_k) over λ_k <= Λ².
    fitted_growth : float
        Exponent g of what an octave adds, ~ Λ^g: below 0 the sum converges, at 0 it grows like log Λ,
        above 0 like Λ^g. Minus infinity if the last octaves add nothing.
    predicted_growth : float
        The same from the regularity of the covector: 2(threshold - s).
    verdict : bool or None
        Whether the dual norms stay bounded; None where the fit cannot tell.
    resolved : bool
        Whether the cut-offs lie above 1/ℓ and above the inverse distance of any two points.
    """

    cutoffs: np.ndarray
    squared_dual_norms: np.ndarray
    fitted_growth: float
    predicted_growth: float
    verdict: bool | None
    resolved: bool = True

    @property
    def description(self):
        """The growth in words."""
        if not self.resolved:
            return "the cut-offs resolve neither 1/ℓ nor the closest points: nothing is concluded"
        if self.fitted_growth == -math.inf:
            return "the dual norms are bounded: the last octaves add nothing"
        if self.verdict is None:
            return (
                f"an octave adds as much as the one before (exponent {self.fitted_growth:+.3f}): like log Λ"
            )
        if self.verdict:
            return f"what an octave adds decays like Λ^{self.fitted_growth:.3f}: the dual norms are bounded"
        return f"the squared dual norms grow like Λ^{self.fitted_growth:.3f}"


def spectral_coefficients(c, domain, count):
    """Return c(e_k) for the first `count` eigenfunctions of -Δ, ``(count,)`` or ``(count, m)``.

    A density contributes to the modes that its grid resolves, and is taken to end there. What rounding of
    the phases kωx alone explains is set to zero, as at the ends of a Dirichlet interval.
    """
    total = 0.0
    for points, alpha, weights in c.point_groups():
        total = total + _pairing(domain, count, points, alpha, weights)
    for g, alpha in c.densities:
        resolved = min(count, len(g.grid), max(_DENSITY_MODES, g.grid.shape[0]))
        weighted = (g.grid.weights * g.values.T).T
        components = _pairing(domain, resolved, g.grid.nodes, alpha, weighted)
        padding = [(0, count - resolved)] + [(0, 0)] * (components.ndim - 1)
        total = total + np.pad(components, padding)
    return np.zeros(count) if np.isscalar(total) else total


def _pairing(domain, count, points, alpha, weights):
    """Σ_i w_i ∂^α e_k(x_i) for the first `count` eigenfunctions, (count,) or (count, m)."""
    total, rows = 0.0, max(1, _BLOCK_ENTRIES // count)
    for start in range(0, len(points), rows):
        block = slice(start, start + rows)
        sections = domain.eigenfunctions(count, points[block], alpha)
        total = total + np.tensordot(sections.T, weights[block], axes=1)
    return total


def octave_sums(c, metric, domain, counts):
    """Return Σ |c(e_k)|²/σ(λ_k) over the modes below the first count and between consecutive ones, ``(J,)``.

    Each is summed by itself, so that small ones keep their digits.
    """
    coefficients = spectral_coefficients(c, domain, counts[-1])
    squares = coefficients.reshape(counts[-1], -1) ** 2
    terms = squares.sum(axis=1) * reciprocal(metric.symbol(domain.laplacian_spectrum(counts[-1])))
    return np.array([terms[i:j].sum() for i, j in zip([0, *counts[:-1]], counts, strict=True)])


def spectral_evidence(c, metric, domain, predicted_growth):
    """Return the `Evidence`: squared dual norms below growing cut-offs, and their fitted growth.

    On Euclidean space, whose spectrum is continuous, it is taken on a torus around the points: growth is
    a matter of their neighbourhood.
    """
    length_scale = getattr(metric, "length_scale", 1.0)
    domain = _with_eigenfunctions(c, domain, length_scale)
    apart = _least_distance(c, domain)
    counts, cutoffs = _octaves(domain, _mode_count(c, domain, length_scale, apart))
    # Before the frequency 1/ℓ the symbol is not yet a power; before the inverse distance of two points
    # they act as one, and their weights may cancel.
    resolved = bool(cutoffs[-_FITTED] * min(length_scale, apart) >= 4)
    sums = octave_sums(c, metric, domain, counts)
    added, total = sums[-_FITTED:], sums.sum()
    nothing = added <= _rounding(c, metric, domain, counts)[-_FITTED:]
    if np.all(nothing) or total == 0:
        growth, verdict = -math.inf, True
    elif np.any(nothing):
        growth, verdict = math.nan, None
    else:
        growth = float(np.polyfit(np.log(cutoffs[-_FITTED:]), np.log(added), 1)[0])
        tolerance = _GROWTH_TOLERANCE if domain.dimension == 1 else _GROWTH_TOLERANCE_MORE
        verdict = None if abs(growth) <= tolerance or not resolved else growth < 0
    return Evidence(cutoffs, np.cumsum(sums), growth, predicted_growth, verdict, resolved)


def kernel_evidence(c, metric):
    """Return the `Evidence` in an RKHS: squared dual norms of difference quotients with shrinking steps.

    Each ∂^α δ_x is replaced by central differences of step h = 1/Λ, which only need the kernel's values.
    If the derivative's representer exists the quotients converge, at a rate of h² at best; otherwise
    their norms diverge. Steps at which rounding shows are left out.
    """
    kernel, highest = metric.kernel, max((sum(atom.derivative) for atom in c.atoms), default=0)
    steps = getattr(kernel, "length_scale", 1.0) / 4 * 0.5 ** np.arange(3 * _OCTAVES)
    norms = np.array([metric.dual_norm(_difference_quotients(c, h), None) ** 2 for h in steps])
    added = np.abs(np.diff(norms))
    predicted = max(2 * highest - kernel.smoothness, -2.0) if highest else -math.inf
    rounding = np.finfo(float).eps * norms[1:] + _quotient_rounding(c, metric, steps[1:])
    if highest == 0 or norms[0] == 0:  # no quotients: the norm is exact at every step
        return Evidence(1 / steps[:2], norms[:2], -math.inf, -math.inf, True)
    usable = int(np.argmin(np.append(added > 100 * rounding, False)))
    first = max(0, usable - _FITTED)
    growth, spread = -math.inf, math.inf
    if usable - first >= 3:
        slopes = np.diff(np.log2(added[first:usable]))
        growth, spread = float(slopes.mean()), float(np.ptp(slopes))
    resolved = spread < 0.2
    verdict = None if abs(growth) <= 2 * _GROWTH_TOLERANCE or not resolved else growth < 0
    return Evidence(1 / steps[: usable + 1], norms[: usable + 1], growth, predicted, verdict, resolved)


def _difference_quotients(c, h):
    """Return the covector with every derivative replaced by central differences of step h."""
    atoms = []
    for atom in c.atoms:
        stencil = [((), 1.0)]
        for x, order in zip(atom.point, atom.derivative, strict=True):
            binomial = [(-1) ** (order - j) * math.comb(order, j) / h**order for j in range(order + 1)]
            shifted = [x + (j - order / 2) * h for j in range(order + 1)]
            stencil = [
                ((*point, y), w * v) for point, w in stencil for y, v in zip(shifted, binomial, strict=True)
            ]
        zero = (0,) * len(atom.point)
        atoms += [Atom(point, zero, weight * atom.weight) for point, weight in stencil]
    return Covector(c.densities, atoms)


def _quotient_rounding(c, metric, steps):
    """An ulp of the kernel's diagonal for each pair of evaluations in the quotients, (J,)."""
    total = np.zeros(len(steps))
    for atom in c.atoms:
        diagonal = float(metric.kernel.gram_diagonal(np.array([atom.point]))[0])
        order = sum(atom.derivative)
        total += np.sqrt(diagonal) * np.linalg.norm(atom.weight) * (2 / steps) ** order
    return np.finfo(float).eps * total**2


def _rounding(c, metric, domain, counts):
    """What rounding alone may add to each of the `octave_sums`: a relative 64 ε √λ of each term at a point.

    Terms below it vanish: point evaluations where the boundary condition makes every function zero.
    """
    spectrum = domain.laplacian_spectrum(counts[-1])
    squares = sum(np.sum(atom.weight**2) * spectrum ** sum(atom.derivative) for atom in c.atoms)
    relative = (64 * np.finfo(float).eps) ** 2 / domain.volume
    terms = relative * spectrum * squares * reciprocal(metric.symbol(spectrum))
    return np.finfo(float).tiny + np.add.reduceat(terms, [0, *counts[:-1]])


def _with_eigenfunctions(c, domain, length_scale):
    if not isinstance(domain, Euclidean):
        return domain
    supports = [[atom.point] for atom in c.atoms] + [g.grid.nodes for g, _ in c.densities]
    points = np.concatenate([np.zeros((0, domain.dimension)), *supports])
    points = points if len(points) else np.zeros((1, domain.dimension))
    return domain.enclosing_torus(points, margin=math.pi * length_scale)


def _least_distance(c, domain):
    """The least distance of two of the covector's points, infinite if there is one only."""
    points = np.unique([atom.point for atom in c.atoms], axis=0)
    if len(points) < 2:
        return math.inf
    if domain.dimension == 1:
        cyclic = [points, points[:1]] if domain.boundary == "periodic" else [points]
        points = np.concatenate(cyclic)
        return float(domain.distance(points[1:], points[:-1]).min())
    return min(
        float(domain.distance(points[i + 1 :], points[i : i + 1]).min()) for i in range(len(points) - 1)
    )


def _mode_count(c, domain, length_scale, apart):
    """How many modes to take: enough for the last octaves to resolve 1/ℓ and the points, by Weyl's law."""
    n = domain.dimension
    count = _MODES.get(n, _MOST_MODES) * max(1, math.ceil(domain.volume / (2 * math.pi * length_scale) ** n))
    if n == 1 and apart < math.inf:
        count = max(count, math.ceil(2 ** (_FITTED + 1) * domain.volume / apart))
    return min(count, _MOST_MODES, max(_MODES[1], _MOST_VALUES // max(1, len(c.atoms))))


def _octaves(domain, count):
    """Return how many eigenvalues lie below cut-offs an octave apart, and these, ascending: two arrays.

    The highest lies just below the last of `count` eigenvalues, so that no eigenspace is cut in two.
    """
    spectrum = domain.laplacian_spectrum(count)
    cutoffs = np.sqrt(spectrum[-1]) * (1 - 1e-9) * 0.5 ** np.arange(_OCTAVES)[::-1]
    counts = np.searchsorted(spectrum, cutoffs**2)
    octaves = np.count_nonzero(counts > 1)
    return counts[-octaves:], cutoffs[-octaves:]
