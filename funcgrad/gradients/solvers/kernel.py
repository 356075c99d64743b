"""Least squares with more parameters than rows, through the tangent kernel AAᵀ."""

import math

import numpy as np
import scipy.linalg
from scipy.linalg import blas

from funcgrad.errors import ConvergenceError
from funcgrad.gradients.solvers.cholesky import _CORRECTIONS, permitted, spectrum_of_gram
from funcgrad.gradients.solvers.matrix import as_matrix
from funcgrad.gradients.solvers.solution import LeastSquares, rounding_error


def solve_by_kernel(a, r, damping=0.0, rcond=None):
    """Return η = Aᵀ(AAᵀ + λ)⁻¹ r as a `LeastSquares`, or None and the condition that forbids it.

    AAᵀ, (M, M), is the Gram matrix of the tangent kernel at the nodes. The weights (AAᵀ + λ)⁻¹ r are
    corrected from the residual r - Aη, so that the error grows with cond(A) and not with its square.
    A has at most as many rows as columns.
    """
    matrix = as_matrix(a)
    full = np.concatenate([matrix.block(rows) for rows in matrix.blocks])
    gram = np.asfortranarray(blas.dsyrk(1.0, np.asfortranarray(full)))
    gram = np.triu(gram) + np.triu(gram, 1).T
    sigma, condition = spectrum_of_gram(gram)
    if not permitted(condition, rcond):
        return None, condition
    gram[np.diag_indices(len(gram))] += damping
    factor = scipy.linalg.cho_factor(gram, lower=False, overwrite_a=True, check_finite=False)
    weights, last = np.zeros(len(full)), math.inf
    for _ in range(_CORRECTIONS):
        image = full @ (full.T @ weights)
        correction = scipy.linalg.cho_solve(factor, r - image - damping * weights)
        size = np.linalg.norm(correction)
        if size >= last / 2:
            break
        weights, last = weights + correction, size
    else:
        raise ConvergenceError(f"corrections of the kernel solution did not converge (cond {condition:.2g}).")
    solution = full.T @ weights
    image = full @ solution
    missed, norm = np.linalg.norm(r - image), np.linalg.norm(r)
    return LeastSquares(
        solution=solution,
        singular_values=sigma,
        rank=len(sigma),
        residual=float(missed / norm) if norm else 0.0,
        discarded=0.0,
        length=float(np.linalg.norm(image)),
        slope=float(r @ image),
        error_bound=rounding_error(sigma, len(sigma), damping, solution, missed),
        solver="kernel",
    ), condition
