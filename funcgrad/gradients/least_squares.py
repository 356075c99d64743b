"""Least squares for the natural gradient: min |A η - r| with the whitened Jacobian A."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg


@dataclass(frozen=True)
class LeastSquares:
    """The solution of min |A η - r|² + damping |η|², and what was seen on the way.

    Attributes
    ----------
    solution : ndarray, (p,)
        Of least norm if A is rank-deficient.
    singular_values : ndarray, (min(M, p),)
        Of A, descending.
    rank : int
        How many of them exceed the cut-off.
    residual : float
        |A η - r| / |r|, 0 if r = 0.
    discarded : float
        The part of |r|² / |r|² on the left singular vectors below the cut-off.
    """

    solution: np.ndarray
    singular_values: np.ndarray
    rank: int
    residual: float
    discarded: float

    @property
    def condition(self):
        """Ratio of the largest singular value to the smallest one kept."""
        return float(self.singular_values[0] / self.singular_values[self.rank - 1]) if self.rank else np.inf


def triangular_factor(a, r=None):
    """Return the triangular factor R of [A r] = QR, (min(M, p + 1), p + 1), without forming Q."""
    stacked = a if r is None else np.column_stack([a, r])
    (factor,) = scipy.linalg.qr(stacked, mode="r", check_finite=False)
    return factor[: stacked.shape[1]]


def solve_least_squares(a, r, damping=0.0, rcond=None):
    """Return the `LeastSquares` solution by Householder QR of [A r] and the SVD of R.

    The error grows with cond(A), not with its square as for the normal equations AᵀA η = Aᵀr.

    Parameters
    ----------
    a : ndarray, (M, p)
    r : ndarray, (M,)
    damping : float
        Added to the squared singular values.
    rcond : float, optional
        Singular values up to rcond times the largest count as zero; max(M, p)·2⁻⁵² by default.
    """
    m, p = a.shape
    factor = triangular_factor(a, r)
    u, sigma, vt = scipy.linalg.svd(factor[:p, :p], full_matrices=False, check_finite=False)
    coordinates = u.T @ factor[:p, p]
    outside = factor[p, p] if len(factor) > p else 0.0
    # For M <= p the factor is wide; what its rows do not span is not there to be missed.
    cutoff = (max(m, p) * np.finfo(float).eps if rcond is None else rcond) * sigma[0]
    rank = int(np.count_nonzero(sigma > cutoff))
    kept = sigma[:rank]
    gain = kept / (kept**2 + damping)
    missed = np.concatenate([(1 - kept * gain) * coordinates[:rank], coordinates[rank:], [outside]])
    size = np.linalg.norm(factor[:, p])
    return LeastSquares(
        solution=vt[:rank].T @ (gain * coordinates[:rank]),
        singular_values=sigma,
        rank=rank,
        residual=float(np.linalg.norm(missed) / size) if size else 0.0,
        discarded=float(np.sum(coordinates[rank:] ** 2) / size**2) if size else 0.0,
    )
