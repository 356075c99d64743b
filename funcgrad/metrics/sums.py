"""Sums and positive multiples of metrics."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from funcgrad._checks import positive_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector, sum_of_terms
from funcgrad.functionals.terms import DensityTerm
from funcgrad.metrics.base import Metric, MetricField, SpectralMetric, at_base_point, bounded_on_scale
from funcgrad.metrics.refinement import REFINED_ACCURACY, refined_limit
from funcgrad.operators.stacked_root import sum_root


@dataclass(frozen=True)
class MetricSum(Metric):
    """<u, v> = Σ_i a_i <u, v>_i for metrics <., .>_i and a_i > 0, on the functions that are in every space.

    It is written ``2 * fg.L2() + fg.Sobolev(1)``. The sum is as strong as the strongest of its terms: a
    covector that is bounded in one of them is bounded in the sum.

    On a grid S stacks √a_i S_i; where all terms are diagonal in the grid's transform, so is the sum.
    Otherwise representers are solved for, by a QR factorisation of S up to 1024 unknowns, and beyond that by
    conjugate gradients to a relative residual of 1e-12.

    Parameters
    ----------
    terms : tuple of (float, Metric)

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> metric = 3 * fg.L2() + fg.Sobolev(1)
    >>> print(metric)
    3 L2 + H^1
    >>> round(metric.norm(fg.Circle(2 * np.pi).grid(16).function(np.sin)) ** 2 / np.pi, 12)     # 3 + 2
    5.0
    """

    terms: tuple

    # That two extrapolations agree is no bound of their error, of which twice as much has been seen.
    dual_norm_accuracy = 10 * REFINED_ACCURACY

    def square_root(self, grid):
        """See `Metric.square_root`."""
        return _sum_root(self, grid)

    def flat(self, u):
        """See `Metric.flat`."""
        return sum((a * metric.flat(u) for a, metric in self.terms), Covector())

    def analysis(self, c):
        """See `Metric.analysis`: bounded if each of its terms is so in one of the metrics."""
        verdicts = [self._verdict(term) for term in c.terms]
        for answer in (False, None):
            if answer in verdicts:
                where = "in no term of the sum" if answer is False else "in a term of the sum, or not"
                return answer, f"{c.terms[verdicts.index(answer)].regularity().reason}: bounded {where}"
        return True, "each of its terms is bounded in one of the metrics that are added"

    def _verdict(self, term):
        answers = [_bounds(metric, term) for _, metric in self.terms]
        return True if True in answers else None if None in answers else False

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`.

        Of densities, on the common refinement of their grids. Otherwise over the functions of refined grids,
        squared and extrapolated until two refinements agree to a relative 1e-6.

        Raises
        ------
        ConvergenceError
            If they do not.
        """
        if self._admits(c, domain) is False:
            return math.inf
        if all(isinstance(term, DensityTerm) for term in c.terms):
            grids = [g.grid for g, _ in c.densities]
            if not grids:
                return 0.0
            common = functools.reduce(lambda one, other: one.common_refinement(other), grids)
            return float(np.linalg.norm(self.whiten(c, common)))
        return math.sqrt(refined_limit(lambda grid: np.sum(self.whiten(c, grid) ** 2), domain))

    def _admits(self, c, domain):
        return self.analysis(c)[0]

    def __str__(self):
        return " + ".join(f"{'' if a == 1 else f'{a:g} '}{metric}" for a, metric in self.terms)


@dataclass(frozen=True)
class SpectralSum(MetricSum, SpectralMetric):
    """A sum of metrics on the Sobolev scale: its symbol is the sum of theirs, its order the largest."""

    @property
    def order(self):
        """The largest of the terms' orders."""
        return self._strongest.order

    @property
    def _strongest(self):
        return max((metric for _, metric in self.terms), key=lambda metric: metric.order)

    def symbol(self, eigenvalues):
        """Return Σ a_i σ_i(λ), and 0 for modes that the space of a term does not contain."""
        symbols = [metric.symbol(eigenvalues) for _, metric in self.terms]
        total = sum(a * symbol for (a, _), symbol in zip(self.terms, symbols, strict=True))
        return np.where(np.all(symbols, axis=0), total, 0.0)

    def spectral_domain(self, domain):
        """See `SpectralMetric.spectral_domain`: the strongest term's."""
        return self._strongest.spectral_domain(domain)

    def green_kernel(self, domain):
        """Raise: no closed form is known."""
        raise InvalidInput(f"the reproducing kernel of {self} has no closed form here.")

    def analysis(self, c):
        """See `Metric.analysis`: None, the order decides."""

    def _admits(self, c, domain):
        return self.bounds(c, domain)


@dataclass(frozen=True)
class FieldSum(MetricField):
    """A sum of metrics of which some depend on the base point; ``at(f)`` is the `MetricSum` there."""

    terms: tuple

    def at(self, f):
        """Return the sum at a base point."""
        return sum_of_metrics([(a, at_base_point(metric, f)) for a, metric in self.terms])

    __str__ = MetricSum.__str__


def sum_of_metrics(terms):
    """Return Σ a_i <., .>_i for pairs (a_i, metric), sums among them taken apart."""
    flat = []
    for a, metric in terms:
        parts = metric.terms if isinstance(metric, MetricSum | FieldSum) else ((1.0, metric),)
        flat += [(positive_number(a, "factor") * b, part) for b, part in parts]
    if any(isinstance(metric, MetricField) for _, metric in flat):
        return FieldSum(tuple(flat))
    return (SpectralSum if all(_is_on_the_scale(metric) for _, metric in flat) else MetricSum)(tuple(flat))


def _is_on_the_scale(metric):
    """Return whether the metric's order alone says which covectors are bounded."""
    return isinstance(metric, SpectralMetric) and metric.analysis(Covector()) is None


def _bounds(metric, term):
    """Return whether one term of a covector is bounded in a metric; None if that is not known."""
    c = sum_of_terms([term])
    own = metric.analysis(c)
    if own is not None:
        return own[0]
    if not isinstance(metric, SpectralMetric):
        return None
    return bounded_on_scale(c, metric.order)


@functools.lru_cache(maxsize=8)
def _sum_root(metric, grid):
    strongest_first = sorted(metric.terms, key=lambda term: -getattr(term[1], "order", 0.0))
    return sum_root(grid, [(a, part.square_root(grid)) for a, part in strongest_first])
