"""How regular a density is that is known by samples: estimated from the decay of its coefficients."""

import math
from dataclasses import dataclass

import numpy as np

from funcgrad.errors import ConvergenceError
from funcgrad.functionals.covector import sum_of_terms
from funcgrad.operators.square_root import reciprocal
from funcgrad.spaces.euclidean import Euclidean

# The last octaves of frequencies, to which growth and decay are fitted.
FITTED_OCTAVES = 3
# The estimate is never called more precise than this: the coefficients near the grid's resolution are
# aliased (for a jump by 5% at the frequencies that are used).
_LEAST_HALF_WIDTH = 0.1
# The share of a squared dual norm that samples may leave out.
_TOLERANCE = 1e-6
# Coefficients below this times the largest are rounding.
_ROUNDING = 1e-13


def window_sums(terms, spectrum, cutoff):
    """Return the centres Λ of windows of frequencies over the last octaves, and what they hold: (J,) each.

    The windows are cos² in log Λ, an octave wide and half an octave apart: sharp ones would see how
    many waves of an oscillating coefficient, and how many eigenvalues, fall into each.
    """
    floor = cutoff**2 * 4.0 ** -(FITTED_OCTAVES + 1)
    octave = np.log2(np.maximum(spectrum, floor)) / 2 - math.log2(cutoff)
    centres = -0.5 - 0.5 * np.arange(2 * FITTED_OCTAVES - 1)[::-1]
    sums = []
    for centre in centres:
        first, last = np.searchsorted(octave, [centre - 0.5, centre + 0.5])
        window = np.cos(np.pi * (octave[first:last] - centre)) ** 2
        sums.append(window @ terms[first:last])
    return cutoff * 2.0**centres, np.array(sums)


@dataclass(frozen=True)
class OrderEstimate:
    """An interval for the Sobolev order above which a covector is bounded; (-∞, high) for a smooth density.

    Attributes
    ----------
    low, high : float
    """

    low: float
    high: float

    def admits(self, s):
        """Return whether the covector is bounded on H^s, None inside the interval."""
        return True if s > self.high else False if s < self.low else None


def resolved_modes(term, domain):
    """Return how many coefficients a density's samples tell: up to a quarter of the nodes along an axis."""
    grid = term.g.grid
    axes = 2 * len(grid) if len(grid.shape) == 1 and domain.boundary == "periodic" else len(grid)
    return axes // 4**domain.dimension


def estimated_order(term, domain):
    """Return the `OrderEstimate` of v ↦ ∫ g ∂^α v from g's samples, None if they are too few.

    If the coefficients c(e_k) decay so that windows of frequencies hold Σ |c(e_k)|² ~ Λ^{2q}, then the
    covector lies in H^{-s} for s > q; for a density with jumps q = -1/2. The half-width is the difference
    of the slope's two halves, at least 0.1. Coefficients that decay to rounding, or ever faster by more
    than an order, bound q from above only.
    """
    count = resolved_modes(term, domain)
    if isinstance(domain, Euclidean) or count < 16:
        return None
    squares = np.sum(sum_of_terms([term]).coefficients(domain, count).reshape(count, -1) ** 2, axis=1)
    spectrum = domain.laplacian_spectrum(count)
    frequencies, sums = window_sums(squares, spectrum, math.sqrt(spectrum[-1]))
    largest, floor = squares.max(), squares.max() * _ROUNDING**2
    if largest == 0:
        return OrderEstimate(-math.inf, -math.inf)
    if np.any(sums <= count * floor):
        # From the largest coefficient to rounding in this many octaves, or fewer.
        peak = math.sqrt(max(spectrum[np.argmax(squares)], spectrum[spectrum > 0][0]))
        decay = math.log2(_ROUNDING) / max(math.log2(math.sqrt(spectrum[-1]) / peak), 1.0)
        return OrderEstimate(-math.inf, decay)
    half = FITTED_OCTAVES
    whole, first, last = (
        float(np.polyfit(np.log(frequencies[part]), np.log(sums[part]), 1)[0]) / 2
        for part in (slice(None), slice(None, half), slice(-half, None))
    )
    if last < first - 1:  # faster than any power, as far as it is seen
        return OrderEstimate(-math.inf, whole + _LEAST_HALF_WIDTH)
    width = max(abs(last - first), _LEAST_HALF_WIDTH)
    return OrderEstimate(whole - width, whole + width)


def sampled_bound(term, metric, domain):
    """Return whether a density is bounded in a `SpectralMetric` that is too weak for all of L2.

    Raises
    ------
    ConvergenceError
        If its samples do not tell, or what they leave out is above a relative 1e-6 of the squared dual norm.
    """
    of_metric = metric.spectral_domain(domain)
    estimate = estimated_order(term, of_metric)
    answer = None if estimate is None else estimate.admits(metric.order)
    if answer is None:
        seen = (
            "too few" if estimate is None else f"of order between {estimate.low:.2f} and {estimate.high:.2f}"
        )
        raise ConvergenceError(
            f"whether a density is bounded in {metric}, as it is above its order, is not known from its "
            f"samples on {term.g.grid!r} ({seen}). Take a finer grid."
        )
    if answer:
        _require_all_of_the_norm(term, metric, of_metric)
    return answer


def _require_all_of_the_norm(term, metric, domain):
    """Raise unless the last octave that the samples resolve adds next to nothing to the squared dual norm."""
    count = resolved_modes(term, domain)
    spectrum = domain.laplacian_spectrum(count)
    squares = np.sum(sum_of_terms([term]).coefficients(domain, count).reshape(count, -1) ** 2, axis=1)
    terms = squares * reciprocal(metric.symbol(spectrum))
    share = terms[spectrum > spectrum[-1] / 4].sum() / max(terms.sum(), np.finfo(float).tiny)
    if share > _TOLERANCE:
        raise ConvergenceError(
            f"the dual norm of a density in {metric} is finite, but its samples on {term.g.grid!r} leave "
            f"out a share of about {share:.1e} of its square, more than {_TOLERANCE:.0e}. Take a finer grid."
        )
