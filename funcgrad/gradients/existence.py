"""Whether a gradient exists: the analytic verdict and, computed apart from it, numerical evidence."""

from dataclasses import dataclass, field

from funcgrad.errors import ContradictoryEvidence, InvalidInput
from funcgrad.gradients.evidence import Evidence, kernel_evidence, spectral_evidence
from funcgrad.metrics import RKHS, SpectralMetric


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
    evaluation of ∂^α); in an RKHS it asks whether ∂_x^α ∂_y^α K exists. The evidence sums the squared
    dual norm over the eigenfunctions of the Laplacian (in an RKHS: over difference quotients of shrinking
    steps) and fits its growth without knowing the analysis.

    Parameters
    ----------
    c : Covector
        For a functional, its differential at some function: ``F.differential(f)``.
    metric : L2, Sobolev or RKHS
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
    if isinstance(metric, RKHS):
        evidence = kernel_evidence(c, metric)
    else:
        growth = 2 * (verdict.threshold - metric.order)
        evidence = spectral_evidence(c, metric, domain, predicted_growth=growth)
    if None not in (verdict.exists, evidence.verdict) and verdict.exists != evidence.verdict:
        answer = "exists" if verdict.exists else "does not exist"
        raise ContradictoryEvidence(
            f"the analysis says the gradient {answer} in {metric} on {domain} ({verdict.reason}), but "
            f"{evidence.description}. One of them is wrong."
        )
    return Existence(verdict.exists, verdict.threshold, verdict.reason, metric, domain, evidence)


def analyse(c, metric, domain):
    """Return the analytic verdict alone: an `Existence` without evidence."""
    for term in c.terms:
        term.check_domain(domain)
    effective = c.effective(domain)
    regularity = effective.regularity_in(domain.dimension)
    if isinstance(metric, RKHS):
        return Existence(metric.admits(c), regularity.order, metric.reason(c), metric, domain)
    if not isinstance(metric, SpectralMetric):
        raise InvalidInput(f"existence is decided for L2, Sobolev and RKHS metrics; got {metric}.")
    exists, reason = regularity.admits(metric.order), regularity.reason
    if not exists and not (effective.atoms or effective.surfaces):
        exists = None
        reason = f"a density known by its samples may be rougher than H^{-metric.order:g} needs"
    return Existence(exists, regularity.order, reason, metric, domain)
