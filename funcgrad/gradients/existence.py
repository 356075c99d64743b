"""Whether a gradient exists: the analytic verdict and, computed apart from it, numerical evidence."""

import math
from dataclasses import dataclass, field, replace

from funcgrad.errors import ContradictoryEvidence, FuncgradError, InvalidInput
from funcgrad.functionals.covector import sum_of_terms
from funcgrad.functionals.functional import Functional
from funcgrad.functionals.sampled_density import estimated_order, resolved_modes
from funcgrad.functionals.terms import DensityTerm
from funcgrad.gradients.arguments import require
from funcgrad.gradients.evidence import Evidence, kernel_evidence, refinement_evidence, spectral_evidence
from funcgrad.metrics import RKHS, SpectralMetric
from funcgrad.spaces import Euclidean


@dataclass(frozen=True)
class Existence:
    """The verdict of `gradient_exists`; true in a condition iff the gradient is known to exist.

    Attributes
    ----------
    exists : bool or None
        None where it is not known.
    threshold : float
        The Sobolev order that decides (in an RKHS: that would decide on the Sobolev scale).
    reason : str
    evidence : Evidence or None

    Examples
    --------
    >>> import funcgrad as fg
    >>> found = fg.gradient_exists(fg.PointEvaluation(0.3), fg.L2(), fg.Circle(1.0))
    >>> found.exists, found.threshold, round(found.evidence.fitted_growth, 6)
    (False, 0.5, 1.0)
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
            known = not math.isnan(e.predicted_growth)
            predicted = f" (predicted exponent {e.predicted_growth:+.3f})" if known else ""
            lines.append(f"  evidence: {e.description}{predicted}")
            lines.append(
                f"            ‖dF‖² = {e.squared_dual_norms[0]:.6g} at Λ = {e.cutoffs[0]:.4g}, "
                f"{e.squared_dual_norms[-1]:.6g} at Λ = {e.cutoffs[-1]:.4g}"
            )
        return "\n".join(lines)

    def plot(self, ax=None):
        """Draw the squared dual norms against the cut-off, with the predicted growth."""
        from funcgrad.plots.existence import plot_existence

        return plot_existence(self, ax)


def gradient_exists(c, metric, domain, at=None):
    """Return whether a covector has a Riesz representer in a metric: the `Existence` verdict.

    The analysis compares the metric's Sobolev order with the covector's threshold: n/2 + |α| for a point
    evaluation of ∂^α, k/2 + j for an integral of ∂_ν^j over a surface of codimension k. In an RKHS it asks
    whether ∂_x^α ∂_y^α K exists. The evidence sums the squared dual norm over the eigenfunctions of the
    Laplacian (in an RKHS: over difference quotients of shrinking steps) and fits its growth without
    knowing the analysis.

    A density is known by its samples. In L2 and above, its derivatives counted, it is bounded; below, its
    order is estimated from the decay of its coefficients, with an interval inside which the verdict is
    None. An energy metric is compared with the Sobolev norm that it is equivalent to, if its coefficients are
    elliptic (`metrics.Energy`); the reason states the bounds. A metric of one's own that states no Sobolev
    order has no analysis: the verdict is None, and the evidence shows its dual norms on refined grids.

    Parameters
    ----------
    c : Covector or Functional
        For a functional, its differential at the function `at`.
    metric : Metric
    domain : Domain
    at : Function, optional
        Where a functional is differentiated, and the base point of a metric that depends on one.

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
    require("covector", c, "c")
    require("metric", metric, "metric")
    require("domain", domain, "domain")
    c, metric = _covector_and_metric(c, metric, at)
    verdict = analyse(c, metric, domain)
    evidence = _evidence(c, metric, domain, verdict)
    seen = None if evidence is None else evidence.verdict
    if None not in (verdict.exists, seen) and verdict.exists != seen:
        answer = "exists" if verdict.exists else "does not exist"
        raise ContradictoryEvidence(
            f"the analysis says the gradient {answer} in {metric} on {domain} ({verdict.reason}), but "
            f"{evidence.description}. One of them is wrong."
        )
    return Existence(verdict.exists, verdict.threshold, verdict.reason, metric, domain, evidence)


def _covector_and_metric(c, metric, at):
    if isinstance(c, Functional):
        if at is None:
            raise InvalidInput("give `at`, the function at which the functional is differentiated.")
        c = c.differential(at)
    if hasattr(metric, "at"):
        if at is None:
            raise InvalidInput(f"{metric} depends on the base point; give `at`, or take `metric.at(f)`.")
        metric = metric.at(at)
    return c, metric


def analyse(c, metric, domain):
    """Return the analytic verdict alone: an `Existence` without evidence."""
    for term in c.terms:
        term.check_domain(domain)
    # What a boundary condition annihilates, it does for the functions that satisfy it: the domain of σ(-Δ).
    effective = c.effective(_spectral_domain(metric, domain))
    regularity = effective.regularity_in(domain.dimension)
    equivalence = _equivalence(metric, c)
    if equivalence is not None:
        found = analyse(c, equivalence.metric, domain)
        return replace(found, metric=metric, reason=f"the metric is {equivalence}; {found.reason}")
    own = _own_analysis(metric, c)
    if own is not None:
        return Existence(own[0], regularity.order, own[1], metric, domain)
    if not isinstance(metric, SpectralMetric):
        reason = f"{metric} states no Sobolev order: there is no analysis, only evidence"
        return Existence(None, regularity.order, reason, metric, domain)
    of_exact = _exact_terms(effective).regularity_in(domain.dimension)
    if _deciding_densities(effective, metric, domain):
        return _analyse_densities(effective, of_exact, metric, domain)
    deciding = regularity if regularity.admits(metric.order) else of_exact
    return Existence(deciding.admits(metric.order), deciding.order, deciding.reason, metric, domain)


def _spectral_domain(metric, domain):
    return metric.spectral_domain(domain) if isinstance(metric, SpectralMetric) else domain


def _equivalence(metric, c):
    """Return the `Equivalence` of a metric with one on the Sobolev scale, as far as a covector sees it."""
    return metric.equivalence_for(c) if hasattr(metric, "equivalence_for") else None


def _own_analysis(metric, c):
    return metric.analysis(c) if hasattr(metric, "analysis") else None


def _exact_terms(c):
    return sum_of_terms(term for term in c.terms if not isinstance(term, DensityTerm))


def _deciding_densities(c, metric, domain):
    """Return the densities that L2 does not settle, [] if another term is unbounded anyway."""
    if not _exact_terms(c).regularity_in(domain.dimension).admits(metric.order):
        return []
    return [term for term in c.terms if isinstance(term, DensityTerm) and term.order > metric.order]


def _analyse_densities(c, of_exact, metric, domain):
    """The verdict where it depends on how regular densities are of which only samples are known."""
    rough = _deciding_densities(c, metric, domain)
    estimates = [estimated_order(term, domain) for term in rough]
    if None in estimates:
        reason = f"a density known by its samples may be rougher than H^{-metric.order:g} needs"
        return Existence(None, float(max(term.order for term in rough)), reason, metric, domain)
    answers = [estimate.admits(metric.order) for estimate in estimates]
    exists = False if False in answers else None if None in answers else True
    worst = max(estimates, key=lambda estimate: estimate.high)
    middle = worst.high if worst.low == -math.inf else (worst.low + worst.high) / 2
    interval = f"in ({worst.low:.2f}, {worst.high:.2f})" if worst.low > -math.inf else f"< {worst.high:.2f}"
    reason = f"by the decay of its samples' coefficients the density's threshold is {interval}"
    return Existence(exists, max(middle, of_exact.order), reason, metric, domain)


def _evidence(c, metric, domain, verdict):
    if isinstance(metric, RKHS):
        return kernel_evidence(c, metric)
    equivalence = _equivalence(metric, c)
    if equivalence is not None:
        return _evidence(c, equivalence.metric, domain, verdict)
    own = _own_analysis(metric, c)
    if own is not None and own[0] is not None:  # points of a measure: nothing to refine
        return None
    if not isinstance(metric, SpectralMetric):
        return _refined(c, metric, domain, required=own is None)
    growth = 2 * (verdict.threshold - metric.order)
    # Where densities decide, no more modes count than their samples tell the coefficients of.
    deciding = _deciding_densities(c.effective(metric.spectral_domain(domain)), metric, domain)
    if not (c.atoms or c.surfaces or isinstance(domain, Euclidean)):
        deciding = c.terms
    known = [resolved_modes(term, domain) for term in deciding]
    limit = {"most_modes": max(min(known), 16)} if known else {}
    return spectral_evidence(c, metric, metric.spectral_domain(domain), growth, **limit)


def _refined(c, metric, domain, required):
    """The evidence on refined grids; None where there are none, unless it is all that there is."""
    try:
        return refinement_evidence(c, metric, domain)
    except FuncgradError:
        if required:
            raise
        return None
