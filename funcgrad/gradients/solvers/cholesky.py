"""Least squares by Cholesky factorisation of AᵀA, corrected from the residual in function space."""

import math

import numpy as np
import scipy.linalg
from scipy.linalg import blas

from funcgrad.errors import ConvergenceError
from funcgrad.gradients.solvers.matrix import DenseMatrix, as_matrix
from funcgrad.gradients.solvers.solution import ULP, LeastSquares, rounding_error

# The factor of AᵀA is a solver of relative accuracy κ² ulp; up to this κ a correction gains three digits.
LARGEST_CONDITION = 1e6
_CORRECTIONS = 8


def solve_by_cholesky(a, r, damping=0.0, rcond=None):
    """Return the `LeastSquares` solution from AᵀA, or None and the condition that forbids it.

    AᵀA costs half of a QR factorisation, at the rate of matrix products. Corrections Aᵀ(r - Aη), formed
    from the residual in function space, bring the accuracy to that of orthogonal factorisations.

    Returns
    -------
    LeastSquares or None
    float
        cond(A), estimated from the eigenvalues of AᵀA.
    """
    matrix = as_matrix(a)
    gram, right = _normal_equations(matrix, r)
    sigma, condition = spectrum_of_gram(gram)
    if not permitted(condition, rcond):
        return None, condition
    gram[np.diag_indices(len(gram))] += damping
    factor = scipy.linalg.cho_factor(gram, lower=False, overwrite_a=True, check_finite=False)
    solution = scipy.linalg.cho_solve(factor, right)
    last = contraction = math.inf
    for _ in range(_CORRECTIONS):
        defect, missed = _defect(matrix, r, solution)
        correction = scipy.linalg.cho_solve(factor, defect - damping * solution)
        size, length = np.linalg.norm(correction), np.linalg.norm(solution)
        if size >= last / 2:  # no longer falling: at the level of rounding
            break
        contraction = min(contraction, size / length) if length else 0.0
        solution, last = solution + correction, size
        if contraction * size <= ULP * condition * length:  # what the next one would be
            break
    else:
        raise ConvergenceError(
            f"corrections of the Cholesky solution did not converge (cond {condition:.2g})."
        )
    slope = right @ solution
    norm = np.linalg.norm(r)
    return LeastSquares(
        solution=solution,
        singular_values=sigma,
        rank=len(sigma),
        residual=float(missed / norm) if norm else 0.0,
        discarded=0.0,
        length=math.sqrt(max(slope - damping * (solution @ solution), 0.0)),
        slope=float(slope),
        error_bound=rounding_error(sigma, len(sigma), damping, solution, missed),
        solver="cholesky",
    ), condition


def spectrum_of_gram(gram):
    """Return the singular values of A from AAᵀ or AᵀA, descending, and the condition number."""
    eigenvalues = scipy.linalg.eigvalsh(gram, check_finite=False)[::-1]
    sigma = np.sqrt(np.maximum(eigenvalues, 0.0))
    # Eigenvalues below this are rounding: the condition is then known to be large, not how large.
    hidden = len(gram) * ULP * eigenvalues[0]
    return sigma, float(sigma[0] / sigma[-1]) if eigenvalues[-1] > hidden else math.inf


def permitted(condition, rcond):
    """Return whether normal equations can be trusted, and no singular value is to be cut off."""
    return condition <= LARGEST_CONDITION and (rcond is None or condition * rcond < 1)


def _normal_equations(matrix, r):
    """Return AᵀA, its upper triangle mirrored, and Aᵀr, accumulated over blocks of rows.

    A matrix that is held is one block: threads share a large product better than many small ones.
    """
    p = matrix.shape[1]
    gram, right = np.zeros((p, p), order="F"), np.zeros(p)
    for rows in [slice(None)] if isinstance(matrix, DenseMatrix) else matrix.blocks:
        block = matrix.block(rows)
        # BLAS takes columns: of a matrix stored by rows those of its transpose, without a copy.
        by_rows = block.flags.c_contiguous
        columns = block.T if by_rows else np.asfortranarray(block)
        gram = blas.dsyrk(1.0, columns, beta=1.0, c=gram, trans=not by_rows, overwrite_c=1)
        right += block.T @ r[rows]
    return np.triu(gram) + np.triu(gram, 1).T, right


def _defect(matrix, r, solution):
    """Return Aᵀ(r - Aη) and |r - Aη| in one pass over the blocks."""
    defect, square = np.zeros(len(solution)), 0.0
    for rows in matrix.blocks:
        block = matrix.block(rows)
        residual = r[rows] - block @ solution
        defect += block.T @ residual
        square += residual @ residual
    return defect, math.sqrt(square)
