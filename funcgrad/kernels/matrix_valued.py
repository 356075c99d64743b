"""Matrix-valued kernels, for functions with values in R^m."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.kernels.base import Kernel, common_dimension


class MatrixValuedKernel(ABC):
    """A kernel K(x, y) in R^{m x m}, for functions with m components: <u, K(., y)c> = c·u(y).

    A subclass gives the two attributes and the four methods with an underscore below, which get checked
    points (N, n).

    Attributes
    ----------
    n_components : int
        m.
    smoothness : float
        As for `Kernel`.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> K = fg.kernels.MatrixKernel(np.array([[2.0, 1.0], [1.0, 2.0]]), fg.kernels.Gaussian())
    >>> isinstance(K, fg.kernels.MatrixValuedKernel), K.gram([0.0, 1.0]).shape
    (True, (4, 4))
    """

    n_components: int
    smoothness = 0.0

    # Checked points, and multi-indices, are those of scalar kernels.
    dimension = None
    _points = Kernel._points
    _pair = Kernel._pair
    _multi_index = Kernel._multi_index
    _offers = Kernel._offers
    _single_point_ndim = Kernel._single_point_ndim
    derivative = Kernel.derivative

    @abstractmethod
    def _evaluate(self, x, y):
        """Return K at matching points, (N, m, m); one of both may be a single point (1, n)."""

    @abstractmethod
    def _gram(self, X, Y):
        """Return the Gram matrix, (N m, M m): the components of a point stand together."""

    @abstractmethod
    def _product(self, X, Y, v):
        """Return Σ_j K(X_i, Y_j) v_j for v (M, m), (N, m)."""

    @abstractmethod
    def _differentiated(self, alpha, beta):
        """Return the kernel ∂_x^α ∂_y^β K."""

    def __call__(self, x, y):
        """Return K at matching points, shape (N, m, m), or (m, m) for two single points."""
        X, Y = self._pair(x, y)
        if len(X) != len(Y) and 1 not in (len(X), len(Y)):
            raise InvalidInput(
                "`x` and `y` must hold as many points, or one of them a single point; got "
                f"{len(X)} and {len(Y)}. For all pairs use `gram`."
            )
        values = self._evaluate(X, Y)
        return values[0] if np.ndim(x) == np.ndim(y) == self._single_point_ndim() else values

    def gram(self, X, Y=None):
        """Return the Gram matrix, shape (N m, M m): the components of a point stand together."""
        if Y is None:
            X = Y = self._points(X, "X")
        else:
            X, Y = self._pair(X, Y)
        return self._gram(X, Y)

    def gram_diagonal(self, X):
        """Return the diagonal of the Gram matrix, shape (N m,)."""
        X = self._points(X, "X")
        return np.einsum("kii->ki", self._evaluate(X, X)).reshape(-1)

    def matvec(self, X, Y, v):
        """Return Σ_j K(X_i, Y_j) v_j for v of shape (M, m), shape (N, m), without the Gram matrix."""
        X, Y = self._pair(X, Y)
        v = finite_array(v, "v", ndim=2)
        if v.shape != (len(Y), self.n_components):
            raise InvalidInput(
                f"`v` must have {self.n_components} columns, a row a point; got shape {v.shape}."
            )
        return self._product(X, Y, v)


class MatrixKernel(MatrixValuedKernel):
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
        self._set_terms(((B, kernel),))

    def _set_terms(self, terms):
        self.terms = terms
        self.n_components = len(terms[0][0])
        self.dimension = common_dimension([kernel for _, kernel in terms])
        self.smoothness = min(kernel.smoothness for _, kernel in terms)

    def __repr__(self):
        return " + ".join(f"MatrixKernel({B.tolist()}, {kernel!r})" for B, kernel in self.terms)

    def __add__(self, other):
        if not isinstance(other, MatrixKernel):
            return NotImplemented
        if other.n_components != self.n_components:
            raise InvalidInput(
                f"kernels for {self.n_components} and {other.n_components} components do not add."
            )
        return _of_terms(self.terms + other.terms)

    def _points(self, x, name):
        for _, kernel in self.terms:
            x = kernel._points(x, name)
        return x

    def _evaluate(self, x, y):
        return sum(np.multiply.outer(kernel._evaluate(x, y), B) for B, kernel in self.terms)

    def _gram(self, X, Y):
        return sum(np.kron(kernel._gram(X, Y), B) for B, kernel in self.terms)

    def _product(self, X, Y, v):
        return sum(kernel._product(X, Y, v @ B) for B, kernel in self.terms)

    def _offers(self, order):
        return all(kernel._offers(order) for _, kernel in self.terms)

    def _differentiated(self, alpha, beta):
        return _of_terms(tuple((B, kernel.derivative(alpha, beta)) for B, kernel in self.terms))

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


def _of_terms(terms):
    kernel = MatrixKernel.__new__(MatrixKernel)
    kernel._set_terms(terms)
    return kernel
