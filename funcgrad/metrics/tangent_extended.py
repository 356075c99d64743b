"""A metric on parameters, extended from a model's tangent space to all functions."""

import math
from functools import lru_cache

import numpy as np
import scipy.linalg

from funcgrad._checks import finite_array
from funcgrad.errors import ConvergenceError, InvalidInput, NotPositiveDefinite
from funcgrad.metrics.base import Metric, SpectralMetric, at_base_point, bounded_on_scale
from funcgrad.operators.square_root import SquareRoot
from funcgrad.spaces.function import Function

# The dual norm over all functions is refined until two grids agree to this.
_TOLERANCE = 1e-10
_MOST_NODES = 2**14


class TangentExtended(Metric):
    """<u, v> = h(a, b) + <(1-P)u, (1-P)v>, where Pu = Σ a_i φ_i, Pv = Σ b_i φ_i: the extension of h.

    P is the projection onto the tangent space of a model at θ, orthogonal in a metric on functions. On the
    tangent space this is the metric h of its coordinates, on the complement the metric on functions, and
    both are orthogonal: an inner product on the whole space, in which the natural gradient is the gradient
    h⁻¹ ∂(F∘φ) in parameters. With h = 1, the default, that is the Euclidean gradient; with h = G the whole
    is the metric on functions itself.

    Parameters
    ----------
    model : Model
        An immersion at θ.
    theta : array_like, (p,)
    h : array_like, (p, p), optional
        Symmetric positive definite; the identity if not given.
    metric : Metric or MetricField, optional
        The metric on functions, L2 if not given. One that depends on the base point is taken at f_θ.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> line, loss = fg.models.Polynomial(1), fg.EmpiricalLoss([0.2, 0.9], [1.0, 0.0])
    >>> metric = fg.metrics.TangentExtended(line, [0.0, 0.0], metric=fg.Sobolev(1))
    >>> step = fg.natural_gradient(loss, line, [0.0, 0.0], metric, fg.Interval(0, 1))
    >>> step.direction.round(12)                                # Σ (f(x_i) - y_i) (1, x_i)
    array([-1. , -0.2])

    References
    ----------
    Bai, Rosenberg, Xu, *Generalized Tangent Kernel*, arXiv:2202.06232.
    """

    # Relative to what `dual_norm` refines.
    dual_norm_accuracy = _TOLERANCE

    def __init__(self, model, theta, h=None, metric=None):
        from funcgrad.metrics.l2 import L2

        self.model, self.theta = model, finite_array(theta, "theta", ndim=1)
        self.metric = L2() if metric is None else metric
        p = model.n_parameters
        matrix = np.eye(p) if h is None else finite_array(h, "h")
        if matrix.shape != (p, p) or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0):
            raise InvalidInput(f"`h` must be a symmetric ({p}, {p}) matrix; got shape {matrix.shape}.")
        try:
            self.factor = scipy.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as error:
            raise NotPositiveDefinite("`h` must be positive definite; it is not.") from error

    def on_functions(self, grid):
        """Return the metric on functions, at f_θ on a grid if it depends on the base point."""
        if not hasattr(self.metric, "at"):
            return self.metric
        return at_base_point(self.metric, Function(grid, self.model(self.theta, grid.nodes)))

    def square_root(self, grid):
        """Return BS: S of the metric on functions, and B the change of metric on the tangent space.

        Raises
        ------
        NotPositiveDefinite
            If the tangent functions are dependent: coordinates of Pu are then not determined.
        """
        return _extended_root(self, grid)

    def flat(self, u):
        """See `Metric.flat`; Σ_i (G⁻¹ha)_i <φ_i, .> + <(1-P)u, .>."""
        root = self.square_root(u.grid)
        coordinates = root.coordinates(u.values)
        jacobian = self.model.jacobian(self.theta, u.grid.nodes)
        change = root.gram_solve(self.factor.T @ (self.factor @ coordinates)) - coordinates
        return self.on_functions(u.grid).flat(Function(u.grid, u.values + jacobian @ change))

    def analysis(self, c):
        """See `Metric.analysis`: as in the metric on functions, since the two are equivalent."""
        if hasattr(self.metric, "at"):
            return None
        own = self.metric.analysis(c)
        if own is not None or not isinstance(self.metric, SpectralMetric):
            return own
        return bounded_on_scale(c, self.metric.order), c.regularity.reason

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`: ‖c‖² in the metric on functions, less bᵀG⁻¹b, plus bᵀh⁻¹b, b_i = c(φ_i).

        G is taken on grids refined until the result agrees to a relative 1e-10.

        Raises
        ------
        ConvergenceError
            If it does not.
        """
        last, n = math.nan, 16
        while n**domain.dimension <= _MOST_NODES:
            grid = domain.grid(n)
            root, metric = self.square_root(grid), self.on_functions(grid)
            outside = metric.dual_norm(c, domain)
            if outside == math.inf:
                return math.inf
            b = np.array([c(Function(grid, phi)) for phi in np.moveaxis(self._jacobian(grid), -1, 0)])
            within = np.sum(scipy.linalg.solve_triangular(self.factor, b, trans="T") ** 2)
            squared = outside**2 - b @ root.gram_solve(b) + within
            if abs(squared - last) <= _TOLERANCE * (outside**2 + within):
                return math.sqrt(max(squared, 0.0))
            last, n = squared, 2 * n
        raise ConvergenceError(f"the tangent functions of {self.model!r} are not resolved on {domain}.")

    def _jacobian(self, grid):
        return self.model.jacobian(self.theta, grid.nodes)

    def __str__(self):
        return f"{self.metric} with a metric on the tangent space of {self.model!r}"


class ExtendedRoot(SquareRoot):
    """BS with B = 1 + Q(HR⁻¹ - 1)Qᵀ, for the whitened Jacobian A = SJ = QR and h = HᵀH.

    B is the identity off the range of Q, so its inverse and transpose are of the same form.

    Parameters
    ----------
    root : SquareRoot
    a : ndarray, (M, p)
        A, the rows of all components stacked.
    h_factor : ndarray, (p, p)
        Upper triangular H.
    """

    def __init__(self, root, a, h_factor):
        self._base, self.components, self.constraints = root, root.components, root.constraints
        self._q, self._r = scipy.linalg.qr(a, mode="economic")
        diagonal = np.abs(np.diag(self._r))
        if len(a) < a.shape[1] or diagonal.min() <= len(a) * np.finfo(float).eps * diagonal.max():
            raise NotPositiveDefinite(
                "the tangent functions are dependent at this `theta`: a metric on parameters does not extend."
            )
        identity = np.eye(len(h_factor))
        self._change = scipy.linalg.solve_triangular(self._r, h_factor.T, trans="T").T - identity
        self._inverse_change = self._r @ scipy.linalg.solve_triangular(h_factor, identity) - identity

    def coordinates(self, values):
        """Return the a with Pu = Σ a_i φ_i, (p,), for nodal values (N,) or (N, m)."""
        return scipy.linalg.solve_triangular(self._r, self._q.T @ self._base.apply(values).reshape(-1))

    def gram_solve(self, b):
        """Return G⁻¹b, G = RᵀR the pulled-back metric."""
        half = scipy.linalg.solve_triangular(self._r, b, trans="T")
        return scipy.linalg.solve_triangular(self._r, half)

    def _times(self, change, r):
        flat = r.reshape(len(self._q), -1)
        return (flat + self._q @ (change @ (self._q.T @ flat))).reshape(r.shape)

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._times(self._change, self._base.apply(values))

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._base.apply_transpose(self._times(self._change.T, r))

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return self._base.solve(self._times(self._inverse_change, r))

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        return self._times(self._inverse_change.T, self._base.solve_transpose(components))


@lru_cache(maxsize=8)
def _extended_root(metric, grid):
    root = metric.on_functions(grid).square_root(grid)
    a = root.apply(metric._jacobian(grid))
    return ExtendedRoot(root, a.reshape(-1, a.shape[-1]), metric.factor)
