"""Tangent kernels of a model: the neural tangent kernel and its generalisation to any metric."""

import numpy as np
import scipy.linalg

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.gradients.least_squares import triangular_factor
from funcgrad.gradients.natural_gradient import grid_for, whitened_jacobian
from funcgrad.kernels import Kernel


class TangentKernel(Kernel):
    """K_h(x, y) = Σ_ij h^ij φ_i(x) φ_j(y), the kernel of the tangent space of a model at θ.

    The tangent space span φ_i with the pushed-forward metric h is an RKHS, and this is its reproducing
    kernel; for the Euclidean metric h = I it is the neural tangent kernel Θ.

    Parameters
    ----------
    model : Model
        With one output.
    theta : array_like, (p,)
    factor : ndarray, (p, p), optional
        Upper triangular R with h = RᵀR; the identity if not given.

    Examples
    --------
    >>> import funcgrad as fg
    >>> ntk = fg.tangent_kernel(fg.models.Polynomial(1), [0.0, 0.0])
    >>> ntk(2.0, 3.0)                                                         # 1 + xy
    7.0
    """

    def __init__(self, model, theta, factor=None):
        if model.n_outputs != 1:
            raise InvalidInput(f"a tangent kernel needs a model with one output; got {model.n_outputs}.")
        self.model, self.theta, self.factor = model, finite_array(theta, "theta", ndim=1), factor
        self.dimension = model.dimension

    def features(self, x):
        """Return R⁻ᵀφ(x), (N, p): the tangent functions orthonormalised in h."""
        jacobian = self.model.jacobian(self.theta, x)
        if self.factor is None:
            return jacobian
        return scipy.linalg.solve_triangular(self.factor, jacobian.T, trans="T").T

    def _evaluate(self, x, y):
        x, y = (np.atleast_2d(points) for points in (x, y))
        left, right = (self._features_of(points) for points in (x, y))
        return np.einsum("...i,...i->...", left, right)

    def _features_of(self, points):
        return self.features(points.reshape(-1, points.shape[-1])).reshape(*points.shape[:-1], -1)

    def _gram(self, X, Y):
        return self.features(X) @ self.features(Y).T

    def _product(self, X, Y, V):
        return self.features(X) @ (self.features(Y).T @ V)

    def __repr__(self):
        metric = "the Euclidean metric" if self.factor is None else "a metric on parameters"
        return f"<tangent kernel of {self.model!r} in {metric}>"


def tangent_kernel(model, theta, metric=None, domain=None):
    """Return the tangent kernel of a model at θ: the NTK, or the generalised tangent kernel of a metric.

    Parameters
    ----------
    model : Model
    theta : array_like, (p,)
    metric : None, (p, p) array_like or Metric
        None for the Euclidean metric on parameters; a positive definite matrix h; or a metric on
        functions, which is pulled back to parameters.
    domain : Domain or Grid, optional
        Where a metric on functions integrates.

    Returns
    -------
    TangentKernel

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
    if metric is None:
        return TangentKernel(model, theta)
    if hasattr(metric, "square_root"):
        if domain is None:
            raise InvalidInput("`domain` is needed to pull a metric on functions back to parameters.")
        grid = grid_for(domain, model, theta)
        factor = triangular_factor(whitened_jacobian(model, theta, metric, grid))
        diagonal = np.abs(np.diag(factor))
        if (
            len(factor) < factor.shape[1]
            or diagonal.min() <= len(grid) * np.finfo(float).eps * diagonal.max()
        ):
            raise NotPositiveDefinite(
                f"the tangent functions of {model!r} are dependent at this `theta`: the pulled-back metric "
                "has no inverse."
            )
        return TangentKernel(model, theta, factor)
    matrix = finite_array(metric, "metric")
    p = model.n_parameters
    if matrix.shape != (p, p) or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
        raise InvalidInput(f"`metric` must be a symmetric ({p}, {p}) matrix; got shape {matrix.shape}.")
    try:
        return TangentKernel(model, theta, scipy.linalg.cholesky(matrix))
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefinite("`metric` must be positive definite; it is not.") from error
