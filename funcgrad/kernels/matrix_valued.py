"""Matrix-valued kernels, for functions with values in R^m."""

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.kernels.base import Kernel


class MatrixKernel:
    """K(x, y) = Σ_q k_q(x, y) B_q: a sum of separable terms, a scalar kernel times a coupling matrix.

    Parameters
    ----------
    B : array_like, shape (m, m)
        The coupling, symmetric positive semidefinite; the identity leaves the components independent.
    kernel : Kernel
        The scalar kernel k. Terms are added with ``+``.

    Raises
    ------
    NotPositiveDefinite
        If `B` has a negative eigenvalue.

    Notes
    -----
    Σ_j K(x, x_j) c_j with c_j in R^m is the general element of its space (M. A. Álvarez, L. Rosasco,
    N. D. Lawrence, *Kernels for vector-valued functions*, 2012: the model of coregionalisation).

    Examples
    --------
    >>> from funcgrad.kernels import Gaussian, MatrixKernel
    >>> K = MatrixKernel([[1.0, 0.5], [0.5, 1.0]], Gaussian())
    >>> K.gram([0.0, 1.0]).shape, K.matvec([0.0], [0.0, 1.0], [[1.0, 0.0], [0.0, 0.0]])
    ((4, 4), array([[1. , 0.5]]))
    """

    def __init__(self, B, kernel):
        B = finite_array(B, "B", ndim=2)
        if B.shape[0] != B.shape[1] or not np.array_equal(B, B.T):
            raise InvalidInput(f"`B` must be a symmetric matrix; got shape {B.shape}.")
        eigenvalues = np.linalg.eigvalsh(B)
        if eigenvalues[0] < -len(B) * np.finfo(float).eps * np.abs(eigenvalues).max():
            raise NotPositiveDefinite(
                f"`B` has the eigenvalue {eigenvalues[0]:.3g}; it must have none below 0."
            )
        if not isinstance(kernel, Kernel):
            raise InvalidInput(f"`kernel` must be a Kernel; got {type(kernel).__name__}.")
        self.terms = ((B, kernel),)
        self.n_components = len(B)

    def __repr__(self):
        return " + ".join(f"MatrixKernel({B.tolist()}, {kernel!r})" for B, kernel in self.terms)

    def __add__(self, other):
        if not isinstance(other, MatrixKernel):
            return NotImplemented
        if other.n_components != self.n_components:
            raise InvalidInput(
                f"kernels for {self.n_components} and {other.n_components} components do not add."
            )
        total = MatrixKernel(*self.terms[0])
        total.terms = self.terms + other.terms
        return total

    def __call__(self, x, y):
        """Return K at matching points, shape (N, m, m), or (m, m) for two single points."""
        return sum(np.multiply.outer(kernel(x, y), B) for B, kernel in self.terms)

    def gram(self, X, Y=None):
        """Return the Gram matrix, shape (N m, M m): the components of a point stand together."""
        return sum(np.kron(kernel.gram(X, Y), B) for B, kernel in self.terms)

    def matvec(self, X, Y, v):
        """Return Σ_j K(X_i, Y_j) v_j for v of shape (M, m), shape (N, m), in O(N + M) memory."""
        v = finite_array(v, "v", ndim=2)
        if v.shape[1] != self.n_components:
            raise InvalidInput(f"`v` must have {self.n_components} columns; got shape {v.shape}.")
        return sum(kernel.matvec(X, Y, v @ B) for B, kernel in self.terms)

    def low_rank(self, X, tolerance):
        """Return a factor F of the Gram matrix, G ≈ F Fᵀ, by pivoted Cholesky of each term's scalar part.

        Parameters
        ----------
        X : array_like
            N points.
        tolerance : float
            trace(G - F Fᵀ) <= `tolerance` trace(G), or to rounding.

        Returns
        -------
        LowRank
            `factor` (N m, rank), the `pivots` of each term, one after another, and the `trace_error`.
        """
        from funcgrad.kernels.matrix_solver import low_rank_of_sum

        return low_rank_of_sum(self.terms, X, tolerance)

    def solver(self, X, jitter=0.0):
        """Return a `MatrixGramSolver` for G a = b, factored once for many right sides.

        A single term costs what its scalar kernel does: one factor of size N serves all components
        (one for each eigenvalue of `B` with a jitter). See `Kernel.solver` for `jitter`.

        Raises
        ------
        NotPositiveDefinite
            If G (with the jitter) is not positive definite to rounding, so also if `B` is singular.
        """
        from funcgrad.kernels.matrix_solver import MatrixGramSolver

        return MatrixGramSolver(self, self.terms[0][1]._points(X, "X"), jitter)

    def solve(self, X, b, jitter=0.0):
        """Return a with Σ_j K(X_i, X_j) a_j + jitter a_i = b_i, `b` of shape (N, m); see `solver`."""
        return self.solver(X, jitter).solve(b)

    def derivative(self, alpha, beta=None):
        """Return the kernel ∂_x^α ∂_y^β K; see `Kernel.derivative`."""
        total = MatrixKernel(*self.terms[0])
        total.terms = tuple((B, kernel.derivative(alpha, beta)) for B, kernel in self.terms)
        return total
