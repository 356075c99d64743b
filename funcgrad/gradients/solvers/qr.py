"""Least squares by Householder QR of [A r], over blocks of rows, then the SVD of R."""

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from funcgrad.gradients.solvers.matrix import as_matrix
from funcgrad.gradients.solvers.solution import ULP, ReducedProblem

# Width of the panels in which LAPACK updates R; wider ones do more work in slow matrix-vector products.
_PANEL = 16


def triangular_factor(a, r=None):
    """Return the triangular factor R of [A r] = QR, (min(M, p + 1), p + 1), without forming Q.

    R of the first block of rows is updated by one block after the other (LAPACK's tpqrt), so that the
    memory beside A is p² numbers and a block, and the work on a block stays in the cache.

    References
    ----------
    Demmel, Grigori, Hoemmen, Langou, *Communication-optimal parallel and sequential QR and LU
    factorizations*, SIAM J. Sci. Comput. 34, 2012.
    """
    matrix = as_matrix(a)
    p = matrix.shape[1]
    columns = p if r is None else p + 1
    factor = None
    for rows in matrix.blocks:
        block = np.empty((rows.stop - rows.start, columns), order="F")
        block[:, :p] = matrix.block(rows)
        if r is not None:
            block[:, p] = r[rows]
        if factor is None:
            factor = np.asfortranarray(lapack.dgeqrf(block, overwrite_a=1)[0][:columns])
        else:
            factor = lapack.dtpqrt(0, min(_PANEL, columns), factor, block, overwrite_a=1, overwrite_b=1)[0]
    return np.triu(factor)


def reduced(factor, shape, scale=None, missing=None):
    """Return the `ReducedProblem` of A diag(scale)⁻¹ from the triangular factor of [A r], A of that shape.

    `missing`, (p,), is added to Aᵀr if given: what r does not tell of the covector on the tangent functions.

    Its solution is scale · η. The singular values of R are those of A to ulp times the largest: rank,
    spectrum, and every cut-off or damping cost O(p³) whatever the number of rows.
    """
    p = shape[1]
    square = factor[:p, :p] if scale is None else factor[:p, :p] / scale
    u, sigma, vt = scipy.linalg.svd(square, full_matrices=False, check_finite=False)
    outside = float(abs(factor[p, p])) if len(factor) > p else 0.0
    right = factor[:p, p]
    coordinates = u.T @ right
    if missing is not None:
        missing = missing if scale is None else missing / scale
        kept = sigma > max(shape) * ULP * sigma[0]
        coordinates[kept] += (vt[kept] @ missing) / sigma[kept]
    exact = _by_substitution(square, right, missing)
    return ReducedProblem(shape, sigma, vt, coordinates, outside, "qr", exact)


def _by_substitution(square, right, missing):
    """Return R⁻¹(Qᵀr + R⁻ᵀ missing), None if R is not square with a diagonal of nonzeros."""
    if len(square) < square.shape[1] or not np.all(np.diag(square)):
        return None
    if missing is not None:
        right = right + scipy.linalg.solve_triangular(square, missing, trans="T", check_finite=False)
    return scipy.linalg.solve_triangular(square, right, check_finite=False)
