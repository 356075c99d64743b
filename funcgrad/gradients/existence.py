"""Whether a gradient exists: the analytic verdict and, computed apart from it, numerical evidence."""

import math
from dataclasses import dataclass, field

import numpy as np

from funcgrad.errors import ContradictoryEvidence, DomainMismatch
from funcgrad.functionals.covector import Atom, Covector
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
    """

    cutoffs: np.ndarray
    squared_dual_norms: np.ndarray
    fitted_growth: float
    predicted_growth: float
    verdict: bool | None

    @property
    def description(self):
        """The growth in words."""
        if self.fitted_growth == -math.inf:
            return "the dual norms are bounded: the last octaves add nothing"
        if self.verdict is None:
            return (
                f"an octave adds as much as the one before (exponent {self.fitted_growth:+.3f}): like log Λ"
            )
        if self.verdict:
            return f"what an octave adds decays like Λ^{self.fitted_growth:.3f}: the dual norms are bounded"
        return f"the squared dual norms grow like Λ^{self.fitted_growth:.3f}"


@dataclass(frozen=True)
class Existence:
    """The verdict of `gradient_exists`; true in a condition iff the gradient is known to exist.

    Attributes
    ----------
    exists : bool or None
        None where it is not known.
    threshold : float
        The Sobolev order that decides.
    reason : str
    evidence : Evidence or None
    """

    exists: bool | None
    threshold: float
    reason: str
    metric: object = field(repr=False)
    domain: object = field(repr=False)
    evidence: Evidence | None = field(repr=False, default=None)

    def __bool__(self):
        return self.exists is True

    def __str__(self):
        answer = {True: "exists", False: "does not exist", None: "may or may not exist"}[self.exists]
        lines = [f"The gradient {answer} in {self.metric} on {self.domain}.", f"  because {self.reason}"]
        if self.evidence is not None:
            e = self.evidence
            lines.append(f"  evidence: {e.description} (predicted exponent {e.predicted_growth:+.3f})")
            lines.append(
                f"            ‖dF‖² = {e.squared_dual_norms[0]:.6g} at Λ = {e.cutoffs[0]:.4g}, "
                f"{e.squared_dual_norms[-1]:.6g} at Λ = {e.cutoffs[-1]:.4g}"
            )
        return "\n".join(lines)

    def plot(self, ax=None):
        """Draw the squared dual norms against the cut-off, with the predicted growth."""
        from funcgrad.plots.existence import plot_existence

        return plot_existence(self, ax)


def gradient_exists(c, metric, domain):
    """Return whether a covector has a Riesz representer in a metric: the `Existence` verdict.

    The analysis compares the metric's Sobolev order with the covector's threshold (n/2 + |α| for a point
    evaluation of ∂^α). The evidence sums the squared dual norm over the eigenfunctions of the Laplacian
    and fits its growth without knowing the threshold.

    Parameters
    ----------
    c : Covector
        For a functional, its differential at some function: ``F.differential(f)``.
    metric : Metric
    domain : Domain

    Returns
    -------
    Existence

    Raises
    ------
    ContradictoryEvidence
        If the two verdicts disagree.

    Examples
    --------
    >>> import funcgrad as fg
    >>> delta, circle = fg.PointEvaluation(0.3), fg.Circle(1.0)
    >>> [bool(fg.gradient_exists(delta, metric, circle)) for metric in (fg.L2(), fg.Sobolev(1))]
    [False, True]
    """
    verdict = analyse(c, metric, domain)
    evidence = spectral_evidence(c, metric, domain, predicted_growth=2 * (verdict.threshold - metric.order))
    if None not in (verdict.exists, evidence.verdict) and verdict.exists != evidence.verdict:
        answer = "exists" if verdict.exists else "does not exist"
        raise ContradictoryEvidence(
            f"the analysis says the gradient {answer} in {metric} on {domain} ({verdict.reason}), but "
            f"{evidence.description}. One of them is wrong."
        )
    return Existence(verdict.exists, verdict.threshold, verdict.reason, metric, domain, evidence)


def analyse(c, metric, domain):
    """Return the analytic verdict alone: an `Existence` without evidence."""
    _check_domain(c, domain)
    effective = Covector(c.densities, _effective_atoms(c.atoms, domain))
    regularity = effective.regularity_in(domain.dimension)
    exists, reason = regularity.admits(metric.order), regularity.reason
    if not exists and not effective.atoms:
        exists = None
        reason = f"a density known by its samples may be rougher than H^{-metric.order:g} needs"
    return Existence(exists, regularity.order, reason, metric, domain)


def _effective_atoms(atoms, domain):
    """Yield atoms with the derivatives that count, without those that the boundary condition annihilates."""
    for atom in atoms:
        derivative = domain.effective_derivative(atom.point, atom.derivative)
        if derivative is not None:
            yield Atom(atom.point, derivative, atom.weight)


def _check_domain(c, domain):
    for atom in c.atoms:
        domain.points([atom.point], "point of the covector")
    for g, _ in c.densities:
        if g.grid.domain != domain:
            raise DomainMismatch(f"the covector has a density on {g.grid.domain}, not on {domain}.")


def spectral_coefficients(c, domain, count):
    """Return c(e_k) for the first `count` eigenfunctions of -Δ, ``(count,)`` or ``(count, m)``.

    A density contributes to the modes that its grid resolves, and is taken to end there.
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
    terms = squares.sum(axis=1) / metric.symbol(domain.laplacian_spectrum(counts[-1]))
    return np.array([terms[i:j].sum() for i, j in zip([0, *counts[:-1]], counts, strict=True)])


def spectral_evidence(c, metric, domain, predicted_growth):
    """Return the `Evidence`: squared dual norms below growing cut-offs, and their fitted growth.

    On Euclidean space, whose spectrum is continuous, it is taken on a torus around the points: growth is
    a matter of their neighbourhood.
    """
    length_scale = getattr(metric, "length_scale", 1.0)
    domain = _with_eigenfunctions(c, domain, length_scale)
    counts, cutoffs = _octaves(domain, _mode_count(c, domain, length_scale))
    sums = octave_sums(c, metric, domain, counts)
    added, total = sums[-_FITTED:], sums.sum()
    nothing = added <= _rounding(c, metric, domain, counts)[-_FITTED:]
    if np.all(nothing) or total == 0:
        growth, verdict = -math.inf, True
    elif np.any(nothing):
        growth, verdict = math.nan, None
    else:
        growth = float(np.polyfit(np.log(cutoffs[-_FITTED:]), np.log(added), 1)[0])
        # Before the frequency 1/ℓ the symbol is not yet a power.
        tolerance = _GROWTH_TOLERANCE if domain.dimension == 1 else _GROWTH_TOLERANCE_MORE
        unclear = abs(growth) <= tolerance or cutoffs[-_FITTED] * length_scale < 4
        verdict = None if unclear else growth < 0
    return Evidence(cutoffs, np.cumsum(sums), growth, predicted_growth, verdict)


def _rounding(c, metric, domain, counts):
    """What rounding alone may add to each of the `octave_sums`: a relative 64 ε √λ of each term at a point.

    Terms below it vanish: point evaluations where the boundary condition makes every function zero.
    """
    spectrum = domain.laplacian_spectrum(counts[-1])
    squares = sum(np.sum(atom.weight**2) * spectrum ** sum(atom.derivative) for atom in c.atoms)
    terms = (64 * np.finfo(float).eps) ** 2 * spectrum * squares / (metric.symbol(spectrum) * domain.volume)
    return np.finfo(float).tiny + np.add.reduceat(terms, [0, *counts[:-1]])


def _with_eigenfunctions(c, domain, length_scale):
    if not isinstance(domain, Euclidean):
        return domain
    supports = [[atom.point] for atom in c.atoms] + [g.grid.nodes for g, _ in c.densities]
    points = np.concatenate([np.zeros((0, domain.dimension)), *supports])
    points = points if len(points) else np.zeros((1, domain.dimension))
    return domain.enclosing_torus(points, margin=math.pi * length_scale)


def _mode_count(c, domain, length_scale):
    """How many modes to take: enough for the last octaves to lie above 1/ℓ, by Weyl's law."""
    n = domain.dimension
    wavelengths = domain.volume / (2 * math.pi * length_scale) ** n
    count = _MODES.get(n, _MOST_MODES) * max(1, math.ceil(wavelengths))
    return count if n == 1 else min(count, _MOST_MODES, _MOST_VALUES // max(1, len(c.atoms)))


def _octaves(domain, count):
    """Return how many eigenvalues lie below cut-offs an octave apart, and these, ascending: two arrays.

    The highest lies just below the last of `count` eigenvalues, so that no eigenspace is cut in two.
    """
    spectrum = domain.laplacian_spectrum(count)
    cutoffs = np.sqrt(spectrum[-1]) * (1 - 1e-9) * 0.5 ** np.arange(_OCTAVES)[::-1]
    counts = np.searchsorted(spectrum, cutoffs**2)
    octaves = np.count_nonzero(counts > 1)
    return counts[-octaves:], cutoffs[-octaves:]
