"""Matrix-free least squares by Golub-Kahan bidiagonalisation."""

import math
from dataclasses import replace

import numpy as np
import scipy.linalg

from funcgrad.gradients.solvers.matrix import as_matrix
from funcgrad.gradients.solvers.solution import ULP, ReducedProblem

# The projected problem is solved, to see whether to stop, whenever the Krylov space has grown by a quarter.
_GROWTH = 1.25


def solve_by_lsmr(a, r, damping=0.0, rcond=None, tolerance=1e-12, reason=""):
    """Return the `LeastSquares` solution from products with A and Aᵀ alone.

    Golub and Kahan's process builds orthonormal v_1, ..., v_k from which the problem is projected to a
    bidiagonal one. As in LSMR it stops on the gradient, |Aᵀ(r - Aη) - λη| <= tolerance · |A| |r - Aη|
    (or on the residual itself, <= tolerance · |r|). The v_i are kept orthogonal by full
    reorthogonalisation, which plain LSMR leaves out: at most rank(A) steps are then needed at any
    condition number, for k·p numbers of memory.

    The `error_bound` of a process that stopped before is finite only with damping: the gradient of the
    directions that were not met, over a singular value that nobody knows, may move η anywhere.

    References
    ----------
    Fong, Saunders, *LSMR: an iterative algorithm for sparse least-squares problems*, SIAM J. Sci.
    Comput. 33, 2011.
    Simon, Zha, *Low-rank matrix approximation using the Lanczos bidiagonalization process*, SIAM J. Sci.
    Comput. 21, 2000: one-sided reorthogonalisation is enough.
    """
    matrix = as_matrix(a)
    m, p = matrix.shape
    beta = np.linalg.norm(r)
    left = r / beta if beta else r
    v = matrix.rmatvec(left)
    alpha = np.linalg.norm(v)
    if not alpha:
        return _reduced(matrix.shape, [0.0], [0.0], np.zeros((1, p)), beta).solve(damping, rcond, reason)
    basis, alphas, betas = [v / alpha], [alpha], []
    check = 1
    while True:
        left = matrix.matvec(basis[-1]) - alphas[-1] * left
        betas.append(np.linalg.norm(left))
        scale = np.hypot(np.linalg.norm(alphas), np.linalg.norm(betas))
        if betas[-1] > ULP * scale:
            left = left / betas[-1]
            v = matrix.rmatvec(left) - betas[-1] * basis[-1]
            v = _orthogonalised(v, basis)
            alpha = np.linalg.norm(v)
        else:
            alpha = 0.0
        k = len(basis)
        exhausted = alpha <= p * ULP * scale or k == min(m, p)
        if k >= check or exhausted:
            check = int(np.ceil(_GROWTH * k))
            problem = _reduced(matrix.shape, alphas, betas, np.array(basis), beta)
            solution = problem.solve(damping, rcond, reason)
            # The gradient in the next direction, v_{k+1}: the others are solved exactly.
            y = np.array(basis) @ solution.solution
            gradient = alpha * betas[-1] * abs(y[-1])
            missed = solution.residual * beta
            if k == min(m, p):
                return solution
            if exhausted:
                # Directions of singular values below √ulp of the largest look the same as none at all.
                hidden = p * ULP * scale**2 * np.linalg.norm(solution.solution)
                return _with_truncation(solution, max(gradient, hidden), damping)
            if gradient <= tolerance * scale * missed or missed <= tolerance * beta:
                return _with_truncation(solution, gradient, damping)
        basis.append(v / alpha)
        alphas.append(alpha)


def _with_truncation(solution, gradient, damping):
    """Add |gradient|/λ to the error bound: (AᵀA + λ)⁻¹ <= 1/λ is all that is known of unmet directions."""
    size = damping * np.linalg.norm(solution.solution)
    return replace(solution, error_bound=solution.error_bound + gradient / size if size else math.inf)


def _orthogonalised(v, basis):
    """Return v minus its components along the basis, taken off twice."""
    vectors = np.array(basis)
    for _ in range(2):
        v = v - vectors.T @ (vectors @ v)
    return v


def _reduced(shape, alphas, betas, basis, size):
    """Return the problem projected to the span of the basis: B lower bidiagonal, right side |r| e_1."""
    k = len(alphas)
    bidiagonal = np.zeros((k + 1, k))
    bidiagonal[np.arange(k), np.arange(k)] = alphas
    bidiagonal[np.arange(1, k + 1), np.arange(k)] = betas
    u, sigma, vt = scipy.linalg.svd(bidiagonal, check_finite=False)
    coordinates = size * u[0]
    return ReducedProblem(shape, sigma, vt @ basis, coordinates[:k], float(abs(coordinates[k])), "lsmr")
