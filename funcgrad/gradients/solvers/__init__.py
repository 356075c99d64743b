"""Least squares for the natural gradient, one algorithm a file: qr, cholesky, kernel, lsmr, kronecker."""

from funcgrad.gradients.solvers.cholesky import solve_by_cholesky
from funcgrad.gradients.solvers.kernel import solve_by_kernel
from funcgrad.gradients.solvers.kronecker import KroneckerProblem, solve_by_kronecker
from funcgrad.gradients.solvers.lsmr import solve_by_lsmr
from funcgrad.gradients.solvers.matrix import DenseMatrix
from funcgrad.gradients.solvers.qr import reduced, triangular_factor
from funcgrad.gradients.solvers.solution import LeastSquares, ReducedProblem

__all__ = [
    "DenseMatrix",
    "KroneckerProblem",
    "LeastSquares",
    "ReducedProblem",
    "reduced",
    "solve_by_cholesky",
    "solve_by_kernel",
    "solve_by_kronecker",
    "solve_by_lsmr",
    "triangular_factor",
]
