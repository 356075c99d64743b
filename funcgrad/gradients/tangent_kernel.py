"""Tangent kernels of a model: the neural tangent kernel and its generalisation to any metric."""

import numpy as np
import scipy.linalg

from funcgrad._checks import finite_array, positive_number
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.gradients.arguments import require
from funcgrad.gradients.least_squares import triangular_factor
from funcgrad.gradients.natural_gradient import grid_for, whitened_jacobian
from funcgrad.kernels import Kernel, LowRank, MatrixValuedKernel
from funcgrad.models.adapted import as_model

# Entries of a Jacobian that a product with the kernel holds at once: 2 MB.
_BLOCK_ENTRIES = 1 << 18


class TangentFeatures:
    """Tangent functions orthonormalised in a metric h = RᵀR on parameters, R⁻ᵀφ: what makes the kernels.

    A kernel K(x, y) = (∂^α R⁻ᵀφ)(x)·(∂^β R⁻ᵀφ)(y) keeps the orders α and β, so that its derivatives are
    of the same kind.

    Parameters
    ----------
    model : Model
    theta : array_like, (p,)
    factor : ndarray, (p, p), optional
        Upper triangular R with h = RᵀR; the identity if not given.
    """

    def __init__(self, model, theta, factor=None):
        self.model, self.theta, self.factor = model, finite_array(theta, "theta", ndim=1), factor
        if self.theta.size != model.n_parameters:
            raise InvalidInput(f"`theta` must have {model.n_parameters} entries; got {self.theta.size}.")
        self.dimension, self.n_components = model.dimension, model.n_outputs
        # As smooth as the model, which refuses derivatives that it does not have.
        self.smoothness = np.inf
        self._orders = (0,) * model.dimension, (0,) * model.dimension

    def features(self, x):
        """Return R⁻ᵀφ(x), (N, p), or (N, m, p) for m outputs."""
        return self._features(self._points(x, "x"), 0)

    def _features(self, x, side):
        jacobian = self.model.jacobian_derivative(self.theta, x, self._orders[side])
        if self.factor is None:
            return jacobian
        flat = jacobian.reshape(-1, jacobian.shape[-1])
        return scipy.linalg.solve_triangular(self.factor, flat.T, trans="T").T.reshape(jacobian.shape)

    def _differentiated(self, alpha, beta):
        kernel = type(self)(self.model, self.theta, self.factor)
        left, right = self._orders
        kernel._orders = tuple(np.add(left, alpha).tolist()), tuple(np.add(right, beta).tolist())
        return kernel

    def _apply(self, X, Y, V):
        """Return Σ_j K(X_i, Y_j) V_j for V of shape (M, [m,] k), with blocks of the Jacobian at most.

        For few columns, by the model's own products with its Jacobian and its transpose.
        """
        if 4 * V.shape[-1] <= self.model.n_parameters:
            return np.stack([self._apply_one(X, Y, column) for column in np.moveaxis(V, -1, 0)], axis=-1)
        total = 0.0
        for rows in self._blocks(len(Y)):
            features = self._features(Y[rows], 1)
            total = total + np.tensordot(features, V[rows], axes=[range(V.ndim - 1)] * 2)
        out = np.empty((len(X), *V.shape[1:]))
        for rows in self._blocks(len(X)):
            out[rows] = self._features(X[rows], 0) @ total
        return out

    def _apply_one(self, X, Y, v):
        a = self.model.pullback(self.theta, Y, v, self._orders[1])
        if self.factor is not None:
            a = scipy.linalg.solve_triangular(self.factor, a, trans="T")
            a = scipy.linalg.solve_triangular(self.factor, a)
        return self.model.pushforward(self.theta, X, a, self._orders[0])

    def _blocks(self, count):
        rows = max(1, _BLOCK_ENTRIES // (self.n_components * self.model.n_parameters))
        return [slice(start, start + rows) for start in range(0, count, rows)]

    def low_rank(self, X, tolerance):
        """Return a factor F with k(X, X) ≈ F Fᵀ, by pivoted QR of the features; see `Kernel.low_rank`.

        For m outputs the rows are those of the Gram matrix, the components of a point together.
        """
        features = self.features(X)
        features = features.reshape(-1, features.shape[-1])
        r, pivots = scipy.linalg.qr(features.T, mode="r", pivoting=True)
        left = np.append(np.cumsum((r**2).sum(axis=1)[::-1])[::-1], 0.0)
        allowed = max(positive_number(tolerance, "tolerance"), len(r) * np.finfo(float).eps)
        rank = int(np.argmax(left <= allowed * left[0]))
        factor = np.empty((len(features), rank))
        factor[pivots] = r[:rank].T
        return LowRank(factor, pivots[:rank], float(left[rank]))

    def __repr__(self):
        metric = "the Euclidean metric" if self.factor is None else "a metric on parameters"
        orders = "" if not any(map(any, self._orders)) else f", differentiated {self._orders}"
        return f"<tangent kernel of {self.model!r} in {metric}{orders}>"


class TangentKernel(TangentFeatures, Kernel):
    """K_h(x, y) = Σ_ij h^ij φ_i(x) φ_j(y), the kernel of the tangent space of a model at θ, with one output.

    The tangent space span φ_i with the pushed-forward metric h is an RKHS, and this is its reproducing
    kernel; for the Euclidean metric h = I it is the neural tangent kernel Θ. Made by `tangent_kernel`.

    Examples
    --------
    >>> import funcgrad as fg
    >>> ntk = fg.tangent_kernel(fg.models.Polynomial(1), [0.0, 0.0])
    >>> ntk(2.0, 3.0)                                                         # 1 + xy
    7.0
    """

    def _evaluate(self, x, y):
        x, y = (np.atleast_2d(points) for points in (x, y))
        left, right = (self._features_of(points, side) for side, points in enumerate((x, y)))
        return np.einsum("...i,...i->...", left, right)

    def _features_of(self, points, side):
        flat = self._features(points.reshape(-1, points.shape[-1]), side)
        return flat.reshape(*points.shape[:-1], -1)

    def _gram(self, X, Y):
        return self._features(X, 0) @ self._features(Y, 1).T

    def _product(self, X, Y, V):
        return self._apply(X, Y, V)


class MatrixTangentKernel(TangentFeatures, MatrixValuedKernel):
    """K_h(x, y) = Σ_ij h^ij φ_i(x) φ_j(y)ᵀ, (m, m): the tangent kernel of a model with m outputs.

    Examples
    --------
    >>> import funcgrad as fg
    >>> model = fg.models.Symbolic(["a*x", "a + b"], "x", "a b")
    >>> fg.tangent_kernel(model, [0.0, 0.0])(2.0, 3.0)                  # (x, 1)(y, 1)ᵀ + (0, 1)(0, 1)ᵀ
    array([[6., 2.],
           [3., 2.]])
    """

    def _evaluate(self, x, y):
        return np.einsum("kip,kjp->kij", self._features(x, 0), self._features(y, 1))

    def _gram(self, X, Y):
        p = self.model.n_parameters
        return self._features(X, 0).reshape(-1, p) @ self._features(Y, 1).reshape(-1, p).T

    def _product(self, X, Y, v):
        return self._apply(X, Y, v[..., None])[..., 0]


def tangent_kernel(model, theta, metric=None, domain=None):
    """Return the tangent kernel of a model at θ: the NTK, or the generalised tangent kernel of a metric.

    Its RKHS is the tangent space with the pushed-forward metric, ``RKHS(tangent_kernel(...))``.

    Parameters
    ----------
    model : Model
        With m outputs it is a matrix-valued kernel.
    theta : array_like, (p,)
    metric : None, (p, p) array_like, Metric or MetricField
        None for the Euclidean metric on parameters; a positive definite matrix h; or a metric on
        functions, which is pulled back to parameters.
    domain : Domain or Grid, optional
        Where a metric on functions integrates.

    Returns
    -------
    TangentKernel or MatrixTangentKernel

    Raises
    ------
    NotPositiveDefinite
        If the metric on parameters is not positive definite, as for a degenerate model.

    Examples
    --------
    >>> import funcgrad as fg
    >>> ntk = fg.tangent_kernel(fg.models.Polynomial(2), [0.0, 0.0, 0.0])
    >>> ntk(2.0, 3.0)                                     # 1 + 2·3 + 2²·3²
    43.0
    """
    require("model", model, "model")
    model = as_model(model, theta, domain)
    kind = TangentKernel if model.n_outputs == 1 else MatrixTangentKernel
    if metric is None:
        return kind(model, theta)
    if hasattr(metric, "square_root") or hasattr(metric, "at"):
        return kind(model, theta, _pulled_back_factor(model, theta, metric, domain))
    matrix = finite_array(metric, "metric")
    p = model.n_parameters
    if matrix.shape != (p, p) or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise InvalidInput(f"`metric` must be a symmetric ({p}, {p}) matrix; got shape {matrix.shape}.")
    try:
        return kind(model, theta, scipy.linalg.cholesky(matrix))
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefinite("`metric` must be positive definite; it is not.") from error


def _pulled_back_factor(model, theta, metric, domain):
    """Return R with G = RᵀR, from the whitened Jacobian."""
    if domain is None:
        raise InvalidInput("`domain` is needed to pull a metric on functions back to parameters.")
    grid = grid_for(domain, model, theta)
    factor = triangular_factor(whitened_jacobian(model, theta, metric, grid))
    diagonal = np.abs(np.diag(factor))
    if len(factor) < factor.shape[1] or diagonal.min() <= len(grid) * np.finfo(float).eps * diagonal.max():
        raise NotPositiveDefinite(
            f"the tangent functions of {model!r} are dependent at this `theta`: the pulled-back metric has "
            "no inverse."
        )
    return factor
