"""Numerical evidence on the existence of gradients: how dual norms grow, found without the analysis."""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.functionals.covector import Covector
from funcgrad.functionals.sampled_density import FITTED_OCTAVES, window_sums
from funcgrad.functionals.surface_term import SurfaceTerm
from funcgrad.functionals.terms import Atom
from funcgrad.operators.square_root import reciprocal
from funcgrad.spaces.euclidean import Euclidean

# Octaves of frequencies that the evidence sums over.
_OCTAVES = 8
# Modes that the evidence takes in n dimensions, where an octave is 2^n times the modes below it; at most
# _MOST_MODES, and at most _MOST_VALUES numbers for all the points of a covector.
_MODES = {1: 2**12, 2: 2**18, 3: 2**20}
_MOST_MODES = 2**21
_MOST_VALUES = 2**26
# Nodes of the finest grid that a metric without a Sobolev order is looked at on.
_MOST_NODES = 2**11
# Exponents of growth nearer to zero than this are not told from a logarithm: in one dimension, and in more,
# where the modes of an octave are not spread as evenly.
_GROWTH_TOLERANCE = 0.02
_GROWTH_TOLERANCE_MORE = 0.04


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
        above 0 like Λ^g. Minus infinity if the last octaves add nothing, NaN if it cannot be fitted.
    predicted_growth : float
        The same from the regularity of the covector: 2(threshold - s).
    verdict : bool or None
        Whether the dual norms stay bounded; None where the fit cannot tell.
    resolved : bool
        Whether the cut-offs lie above 1/ℓ, and above the inverse of the distance of any two points or
        surfaces and of a quarter of a surface's size.

    Examples
    --------
    >>> import funcgrad as fg
    >>> evidence = fg.gradient_exists(fg.PointEvaluation(0.3), fg.Sobolev(1.0), fg.Circle(1.0)).evidence
    >>> evidence.verdict, evidence.predicted_growth, len(evidence.cutoffs)
    (True, -1.0, 8)
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
            return "the cut-offs do not resolve 1/ℓ and the covector's lengths: nothing is concluded"
        if math.isnan(self.predicted_growth):
            trend = "settle" if self.fitted_growth < 0 else "grow"
            return f"the squared dual norms {trend} under refinement (exponent {self.fitted_growth:+.3f})"
        if math.isnan(self.fitted_growth):
            return "some of the last octaves add nothing but rounding: nothing is concluded"
        if self.fitted_growth == -math.inf:
            return "the dual norms are bounded: the last octaves add nothing"
        if self.verdict is None:
            return (
                f"an octave adds as much as the one before (exponent {self.fitted_growth:+.3f}): like log Λ"
            )
        if self.verdict:
            return f"what an octave adds decays like Λ^{self.fitted_growth:.3f}: the dual norms are bounded"
        return f"the squared dual norms grow like Λ^{self.fitted_growth:.3f}"


def octave_sums(c, metric, domain, counts):
    """Return Σ |c(e_k)|²/σ(λ_k) over the modes below the first count and between consecutive ones, ``(J,)``.

    Each is summed by itself, so that small ones keep their digits.
    """
    terms = _terms(c, metric, domain, counts[-1])
    return np.array([terms[i:j].sum() for i, j in zip([0, *counts[:-1]], counts, strict=True)])


def _terms(c, metric, domain, count):
    """|c(e_k)|²/σ(λ_k) for the first modes, (count,)."""
    return squared_coefficients(c, domain, count) * reciprocal(
        metric.symbol(domain.laplacian_spectrum(count))
    )


@lru_cache(maxsize=4)
def squared_coefficients(c, domain, count):
    """Return |c(e_k)|² for the first modes, (count,); kept, since a sweep of s asks for them again."""
    return (c.coefficients(domain, count).reshape(count, -1) ** 2).sum(axis=1)


def _growth(frequencies, sums):
    """Return the exponent of what the windows hold, and that extrapolated from the first to the last ones."""
    half = FITTED_OCTAVES
    whole, first, last = (
        np.polyfit(np.log(frequencies[part]), np.log(sums[part]), 1)[0]
        for part in (slice(None), slice(None, half), slice(-half, None))
    )
    return float(whole), float(2 * last - first)


def spectral_evidence(c, metric, domain, predicted_growth, most_modes=_MOST_MODES):
    """Return the `Evidence`: squared dual norms below growing cut-offs, and their fitted growth.

    On Euclidean space, whose spectrum is continuous, it is taken on a torus around the points: growth is
    a matter of their neighbourhood.
    """
    length_scale = getattr(metric, "length_scale", 1.0)
    domain = _with_eigenfunctions(c, domain, length_scale)
    apart = _least_distance(c, domain)
    count = min(most_modes, _mode_count(c, domain, length_scale, apart))
    counts, cutoffs = _octaves(domain, count)
    # Before the frequency 1/ℓ the symbol is not yet a power; before the inverse distance of two points
    # they act as one, and their weights may cancel.
    resolved = len(cutoffs) > FITTED_OCTAVES and bool(
        cutoffs[-FITTED_OCTAVES] * min(length_scale, apart) >= 4
    )
    terms = _terms(c, metric, domain, counts[-1])
    sums = np.add.reduceat(terms, [0, *counts[:-1]])
    nothing = sums[-FITTED_OCTAVES:] <= _rounding(c, metric, domain, counts)[-FITTED_OCTAVES:]
    if not resolved:
        growth, verdict = math.nan, None
    elif np.all(nothing) or sums.sum() == 0:
        growth, verdict = -math.inf, True
    elif np.any(nothing):
        growth, verdict = math.nan, None
    else:
        growth, later = _growth(*window_sums(terms, domain.laplacian_spectrum(counts[-1]), cutoffs[-1]))
        tolerance = _GROWTH_TOLERANCE if domain.dimension == 1 else _GROWTH_TOLERANCE_MORE
        clear = abs(growth) > tolerance and growth * later > 0
        verdict = growth < 0 if clear else None
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
    if any(order for _, order, *_ in c.surfaces):
        return Evidence(1 / steps[:2], norms[:2], math.nan, math.nan, None, False)
    if highest == 0 or norms[0] == 0:  # no quotients: the norm is exact at every step
        return Evidence(1 / steps[:2], norms[:2], -math.inf, -math.inf, True)
    usable = int(np.argmin(np.append(added > 100 * rounding, False)))
    first = max(0, usable - FITTED_OCTAVES)
    growth, spread = -math.inf, math.inf
    if usable - first >= 3:
        slopes = np.diff(np.log2(added[first:usable]))
        growth, spread = float(slopes.mean()), float(np.ptp(slopes))
    resolved = spread < 0.2
    verdict = None if abs(growth) <= 2 * _GROWTH_TOLERANCE or not resolved else growth < 0
    return Evidence(1 / steps[: usable + 1], norms[: usable + 1], growth, predicted, verdict, resolved)


def refinement_evidence(c, metric, domain):
    """Return the `Evidence` in any metric that works on grids: squared dual norms on n, 2n, 4n, ... nodes.

    They increase to the squared dual norm where the grids' functions are nested and dense; what each
    refinement adds is fitted. Finitely many grids prove nothing, so no verdict is drawn.
    """
    sizes = [2**j for j in range(2, 12) if 2 ** (j * domain.dimension) <= _MOST_NODES]
    norms, used = [], []
    for n in sizes:
        try:
            norms.append(float(np.sum(metric.whiten(c, domain.grid(n)) ** 2)))
        except FuncgradError:
            continue
        used.append(n)
    if len(used) < 2:
        raise InvalidInput(f"{metric} works on no grids of {domain} that could show a dual norm grow.")
    added = np.abs(np.diff(norms))[-FITTED_OCTAVES:]
    growth = -math.inf
    if np.all(added > 64 * np.finfo(float).eps * norms[-1]) and len(added) > 1:
        growth = float(np.polyfit(np.log(used[-len(added) :]), np.log(added), 1)[0])
    return Evidence(np.array(used, dtype=float), np.array(norms), growth, math.nan, None)


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
        diagonal = float(np.max(metric.kernel.gram_diagonal(np.array([atom.point]))))
        order = sum(atom.derivative)
        total += np.sqrt(diagonal) * np.linalg.norm(atom.weight) * (2 / steps) ** order
    return np.finfo(float).eps * total**2


def _rounding(c, metric, domain, counts):
    """What rounding alone may add to each of the `octave_sums`: a relative 64 ε √λ of each term at a point.

    Terms below it vanish: point evaluations where the boundary condition makes every function zero.
    """
    spectrum = domain.laplacian_spectrum(counts[-1])
    squares = sum(np.sum(atom.weight**2) * spectrum ** sum(atom.derivative) for atom in c.atoms)
    squares += sum(t.mass**2 * spectrum**t.order for t in c.terms if isinstance(t, SurfaceTerm))
    squares += sum(
        float(g.grid.weights @ np.abs(g.values).reshape(len(g.grid), -1).sum(axis=1)) ** 2
        * spectrum ** sum(alpha)
        for g, alpha in c.densities
    )
    relative = (64 * np.finfo(float).eps) ** 2 / domain.volume
    terms = relative * spectrum * squares * reciprocal(metric.symbol(spectrum))
    return np.finfo(float).tiny + np.add.reduceat(terms, [0, *counts[:-1]])


def _with_eigenfunctions(c, domain, length_scale):
    if not isinstance(domain, Euclidean):
        return domain
    points = np.concatenate([term.hull() for term in c.terms] or [np.zeros((1, domain.dimension))])
    # As near as the covector is large, for as high a frequency as its modes reach.
    extent = float(np.ptp(points, axis=0).max())
    return domain.enclosing_torus(points, margin=min(math.pi * length_scale, extent / 2 or math.inf))


def _least_distance(c, domain):
    """The least length in the covector: between two points, of a surface, or between two surfaces."""
    return min(_least_distance_of_points(c, domain), _least_length_of_surfaces(c, domain))


def _least_length_of_surfaces(c, domain):
    surfaces = [surface for surface, *_ in c.surfaces]
    samples = [surface.quadrature(8)[0] for surface in surfaces]
    lengths = [surface.size / 4 for surface in surfaces]  # four waves along it, for an edge or a bend
    for first, second in itertools.combinations(samples, 2):
        distances = np.array([domain.distance(second, point) for point in first])
        # Hausdorff's: zero for one surface given twice, not for two that cross.
        apart = max(distances.min(axis=0).max(), distances.min(axis=1).max())
        lengths += [apart] if apart > 0 else []
    return min(lengths, default=math.inf)


def _least_distance_of_points(c, domain):
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
        count = max(count, math.ceil(2 ** (FITTED_OCTAVES + 1) * domain.volume / apart))
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
