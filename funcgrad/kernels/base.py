"""The contract of a reproducing kernel, and what every kernel gets from it."""

from abc import ABC, abstractmethod
from math import inf

import numpy as np

from funcgrad._checks import finite_array, point_array, whole_number
from funcgrad.errors import FuncgradError, InvalidInput

# Entries of a Gram matrix that a generic (not compiled) product holds at once: 8 MB.
_BLOCK_ENTRIES = 1 << 20


class Kernel(ABC):
    """A real kernel k(x, y) on points of a domain.

    **To implement a kernel**, derive from this class, set the two attributes and write `_evaluate`;
    everything else (Gram matrices, products, factorisations, sums and products of kernels) follows.
    Write `_differentiated` as well to offer derivatives, and override `_gram` and `_product` only
    where a faster way is known. Kernels are immutable.

    Attributes
    ----------
    dimension : int or None
        The number of coordinates of a point; None if the kernel takes points of any dimension.
    smoothness : float
        The derivative ∂_x^α ∂_y^β k exists and is continuous, also on the diagonal, iff |α| + |β| is
        below this number (2s - n for the Sobolev kernel of order s in n dimensions).

    Notes
    -----
    Points are arrays of shape ``(N, n)``. In one dimension ``(N,)`` and numbers are taken as well,
    also by a kernel of any dimension; a single point of a kernel of fixed dimension n may have shape
    ``(n,)``.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import Kernel
    >>> class Brownian(Kernel):
    ...     dimension = 1
    ...
    ...     def _evaluate(self, x, y):
    ...         return np.minimum(x, y)[..., 0]
    >>> (Brownian() + 1.0 * Brownian()).gram([1.0, 2.0])
    array([[2., 2.],
           [2., 4.]])
    """

    dimension: int | None = None
    smoothness: float = 0.0

    @abstractmethod
    def _evaluate(self, x, y):
        """Return k(x, y) for float64 arrays x, y of shapes ``(..., n)`` that broadcast."""

    def _differentiated(self, alpha, beta):
        """Return the kernel ∂_x^α ∂_y^β k for tuples of whole numbers whose sum is below `smoothness`."""
        raise FuncgradError(f"{type(self).__name__} does not offer derivatives.")

    def _offers(self, order):
        """Return whether derivatives of this total order exist; kernels made of others let those decide."""
        return order < self.smoothness

    def _points(self, x, name):
        """Return the points as ``(N, n)``, checked; kernels on a bounded domain extend this."""
        if self.dimension is not None:
            return point_array(x, self.dimension, name)
        array = finite_array(x, name)
        if array.ndim <= 1:
            return array.reshape(-1, 1)
        if array.ndim == 2:
            return array
        raise InvalidInput(f"`{name}` must be points of shape (N,) or (N, n); got shape {array.shape}.")

    def _pair(self, X, Y):
        X, Y = self._points(X, "X"), self._points(Y, "Y")
        if X.shape[1] != Y.shape[1]:
            raise InvalidInput(
                f"`X` and `Y` must have as many coordinates; got {X.shape[1]} and {Y.shape[1]}."
            )
        return X, Y

    def __call__(self, x, y):
        """Evaluate the kernel on matching points.

        Parameters
        ----------
        x, y : array_like
            As many points in `x` as in `y`, or a single point in one of them, which is paired with
            every point of the other.

        Returns
        -------
        float or ndarray, shape (N,)
            A number if both are given as single points. For all pairs see `gram`.
        """
        points_x, points_y = self._points(x, "x"), self._points(y, "y")
        if points_x.shape[1] != points_y.shape[1]:
            raise InvalidInput(
                f"`x` and `y` must have as many coordinates; got {points_x.shape[1]} and {points_y.shape[1]}."
            )
        if len(points_x) != len(points_y) and 1 not in (len(points_x), len(points_y)):
            raise InvalidInput(
                f"`x` and `y` must hold as many points, or one of them a single point; got "
                f"{len(points_x)} and {len(points_y)}. For all pairs use `gram`."
            )
        values = self._evaluate(points_x, points_y)
        single = np.ndim(x) == np.ndim(y) == self._single_point_ndim()
        return float(values[0]) if single and len(values) == 1 else values

    def _single_point_ndim(self):
        return 1 if self.dimension is not None and self.dimension > 1 else 0

    def gram(self, X, Y=None):
        """Return the Gram matrix k(X_i, Y_j), shape (N, M); `Y` is `X` if not given."""
        if Y is None:
            X = Y = self._points(X, "X")
        else:
            X, Y = self._pair(X, Y)
        return self._gram(X, Y)

    def _gram(self, X, Y):
        out = np.empty((len(X), len(Y)))
        for rows in row_blocks(len(X), Y.size):
            out[rows] = self._evaluate(X[rows, None, :], Y[None, :, :])
        return out

    def gram_diagonal(self, X):
        """Return k(X_i, X_i), shape (N,)."""
        X = self._points(X, "X")
        return self._evaluate(X, X)

    def matvec(self, X, Y, v):
        """Return Σ_j k(X_i, Y_j) v_j without storing the Gram matrix.

        Parameters
        ----------
        X, Y : array_like
            N and M points.
        v : array_like, shape (M,) or (M, m)
            One right side, or m at once.

        Returns
        -------
        ndarray, shape (N,) or (N, m)
            The sums over j run in an order that depends on neither the number of threads nor N.
        """
        X, Y = self._pair(X, Y)
        v = finite_array(v, "v")
        if v.ndim not in (1, 2) or len(v) != len(Y):
            raise InvalidInput(f"`v` must have shape ({len(Y)},) or ({len(Y)}, m); got shape {v.shape}.")
        product = self._product(X, Y, v.reshape(len(Y), -1))
        return product.reshape(len(X), *v.shape[1:])

    def _product(self, X, Y, V):
        out = np.empty((len(X), V.shape[1]))
        for rows in row_blocks(len(X), Y.size):
            out[rows] = self._evaluate(X[rows, None, :], Y[None, :, :]) @ V
        return out

    def low_rank(self, X, tolerance):
        """Return a factor F with k(X, X) ≈ F Fᵀ by pivoted Cholesky.

        Parameters
        ----------
        X : array_like
            N points.
        tolerance : float
            Points are added until trace(K - F Fᵀ) <= `tolerance` trace(K), or to rounding.

        Returns
        -------
        LowRank
            `factor` (N, rank), `pivots` and the `trace_error`, which bounds the error's spectral norm too.
        """
        from funcgrad.kernels.gram_solver import pivoted_cholesky

        return pivoted_cholesky(self, self._points(X, "X"), tolerance)

    def solver(self, X, jitter=0.0):
        """Return a `GramSolver` for K a = b, K = k(X, X), factored once for many right sides.

        Parameters
        ----------
        X : array_like
            N points; up to 8192 by Cholesky, beyond by conjugate gradients on the matrix-free product,
            preconditioned by a low-rank factor.
        jitter : float or "smallest"
            Added to the diagonal; "smallest" finds the least power of ten times rounding with which
            Cholesky succeeds. The solver reports it.

        Raises
        ------
        NotPositiveDefinite
            If K (with the jitter) is not positive definite to rounding.
        """
        from funcgrad.kernels.gram_solver import GramSolver

        return GramSolver(self, self._points(X, "X"), jitter)

    def solve(self, X, b, jitter=0.0):
        """Return a with (k(X, X) + jitter I) a = b, `b` of shape (N,) or (N, m); see `solver`."""
        return self.solver(X, jitter).solve(b)

    def derivative(self, alpha, beta=None):
        """Return the kernel ∂_x^α ∂_y^β k, exact.

        Parameters
        ----------
        alpha, beta : int or tuple of int
            Orders of differentiation in the first and second argument, one number a coordinate; a
            number alone in one dimension. `beta` is zero if not given.

        Raises
        ------
        FuncgradError
            If |α| + |β| is not below `smoothness`; the message states it.

        Notes
        -----
        ∂_x^α k(x, .) is the Riesz representer of v ↦ ∂^α v(x) in the kernel's space, and
        ∂_x^α ∂_y^β k(x, y) the inner product of two such representers.
        """
        alpha = self._multi_index(alpha, "alpha")
        beta = (0,) * len(alpha) if beta is None else self._multi_index(beta, "beta")
        if len(alpha) != len(beta):
            raise InvalidInput(f"`alpha` and `beta` must be of one length; got {alpha} and {beta}.")
        order = sum(alpha) + sum(beta)
        if order == 0:
            return self
        if not self._offers(order):
            raise FuncgradError(
                f"`alpha` and `beta` ask for a derivative of order {order} of {self!r}, whose derivatives "
                f"are continuous only below order {self.smoothness:g}; take a smoother kernel."
            )
        return self._differentiated(alpha, beta)

    def _multi_index(self, orders, name):
        orders = (orders,) if np.ndim(orders) == 0 else tuple(orders)
        if self.dimension is not None and len(orders) != self.dimension:
            raise InvalidInput(
                f"`{name}` must hold {self.dimension} order(s), one a coordinate; got {orders}."
            )
        return tuple(whole_number(order, name) for order in orders)

    def __add__(self, other):
        if not isinstance(other, Kernel):
            return NotImplemented
        from funcgrad.kernels.algebra import Sum

        return Sum(self, other)

    def __mul__(self, other):
        from funcgrad.kernels.algebra import Product, Scaled

        if isinstance(other, Kernel):
            return Product(self, other)
        if np.ndim(other) == 0 and np.isrealobj(other) and not isinstance(other, str):
            return Scaled(other, self)
        return NotImplemented

    __rmul__ = __mul__


def row_blocks(n_rows, n_columns):
    """Yield slices over the rows of a matrix so that a block stays small."""
    step = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def common_dimension(kernels):
    """Return the one dimension that the kernels share (None if all take any), or raise."""
    dimensions = {kernel.dimension for kernel in kernels} - {None}
    if len(dimensions) > 1:
        raise InvalidInput(f"the kernels must act on points of one dimension; got {sorted(dimensions)}.")
    return dimensions.pop() if dimensions else None


def described(number):
    """Return a number as it is shown in a kernel's name."""
    return "inf" if number == inf else f"{number:g}"
