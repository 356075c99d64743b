"""Whether a gradient exists: the analytic verdict and, computed apart from it, numerical evidence."""

import math
from dataclasses import dataclass, field

import numpy as np

from funcgrad.errors import ContradictoryEvidence, DomainMismatch
from funcgrad.functionals.covector import Covector
from funcgrad.operators.square_root import reciprocal
from funcgrad.spaces.interval import Interval

# Octaves of modes that the evidence sums over, and how many of the last ones the growth is fitted to.
_OCTAVES = 8
_FITTED = 4
# Exponents of growth nearer to zero than this are not told from a logarithm.
_GROWTH_TOLERANCE = 0.02


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
    growth = 2 * (verdict.threshold - metric.order)
    evidence = spectral_evidence(c, metric, metric.spectral_domain(domain), growth)
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
    # What a boundary condition annihilates, it does for the functions that satisfy it: the domain of σ(-Δ).
    spectral = metric.spectral_domain(domain)
    effective = Covector(c.densities, [atom for atom in c.atoms if not _vanishes(atom, spectral)])
    regularity = effective.regularity
    exists, reason = regularity.admits(metric.order), regularity.reason
    if not exists and not effective.atoms:
        exists = None
        reason = f"a density known by its samples may be rougher than H^{-metric.order:g} needs"
    return Existence(exists, regularity.order, reason, metric, domain)


def _vanishes(atom, domain):
    """Whether the boundary condition annihilates an atom: even orders at Dirichlet ends, odd at Neumann."""
    if not isinstance(domain, Interval) or atom.point[0] not in (domain.a, domain.b):
        return False
    odd = sum(atom.derivative) % 2 == 1
    return odd if domain.boundary == "neumann" else not odd


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
    for points, derivative, weights in c.point_groups():
        for start in range(0, len(points), 16):
            block = slice(start, start + 16)
            sections = domain.eigenfunctions(count, points[block], sum(derivative))
            total = total + np.tensordot(sections.T, weights[block], axes=1)
    for g, order in c.densities:
        resolved = min(count, len(g.grid))
        sections = domain.eigenfunctions(resolved, g.grid.nodes, order)
        components = (sections.T * g.grid.weights) @ g.values
        padding = [(0, count - resolved)] + [(0, 0)] * (components.ndim - 1)
        total = total + np.pad(components, padding)
    return np.zeros(count) if np.isscalar(total) else total


def octave_sums(c, metric, domain, counts):
    """Return Σ |c(e_k)|²/σ(λ_k) over the modes below the first count and between consecutive ones, ``(J,)``.

    Each is summed by itself, so that small ones keep their digits.
    """
    coefficients = spectral_coefficients(c, domain, counts[-1])
    squares = coefficients.reshape(counts[-1], -1) ** 2
    terms = squares.sum(axis=1) * reciprocal(metric.symbol(domain.laplacian_spectrum(counts[-1])))
    return np.array([terms[i:j].sum() for i, j in zip([0, *counts[:-1]], counts, strict=True)])


def spectral_evidence(c, metric, domain, predicted_growth):
    """Return the `Evidence`: squared dual norms below growing cut-offs, and their fitted growth."""
    # The first cut-off lies well above 1/ℓ, where the symbol has become a power.
    length_scale = getattr(metric, "length_scale", 1.0)
    first = 32 * 2 ** max(0, math.ceil(math.log2(domain.volume / (2 * math.pi * length_scale))))
    counts = [first * 2**j for j in range(_OCTAVES)]
    sums = octave_sums(c, metric, domain, counts)
    cutoffs = np.sqrt(domain.laplacian_spectrum(counts[-1])[np.array(counts) - 1])
    added, total = sums[-_FITTED:], sums.sum()
    if np.all(added <= np.finfo(float).tiny) or total == 0:
        growth, verdict = -math.inf, True
    elif np.any(added <= np.finfo(float).tiny):
        growth, verdict = math.nan, None
    else:
        growth = float(np.polyfit(np.log(cutoffs[-_FITTED:]), np.log(added), 1)[0])
        verdict = None if abs(growth) <= _GROWTH_TOLERANCE else growth < 0
    return Evidence(cutoffs, np.cumsum(sums), growth, predicted_growth, verdict)
