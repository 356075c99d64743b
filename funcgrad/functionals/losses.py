"""Losses: at the points of data, and against a target function."""

import numpy as np

from funcgrad._checks import finite_array, point_array
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector, Density, point_evaluations
from funcgrad.functionals.functional import Functional, SecondVariation
from funcgrad.functionals.pointwise_form import PointwiseForm
from funcgrad.functionals.pointwise_losses import loss_named
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import sample


class EmpiricalLoss(Functional):
    """F(f) = Σ_i w_i ℓ((Pf)(x_i), y_i): a loss of data, by default ½ Σ_i |f(x_i) - y_i|².

    It is a sum unless `mean` asks for 1/K of it. P is the identity, or a linear differential operator
    Σ_α a_α ∂^α: data of derivatives (add such losses for Sobolev training), or the residual of a linear
    equation at points. For residuals that are not linear see `ResidualLoss`.

    Parameters
    ----------
    x : array_like, (K, n) or (K,)
    y : array_like, (K,) or (K, m)
    loss : {"squared", "pseudo-huber", "logistic", "cross-entropy", "poisson"} or PointwiseLoss
        ℓ; see `funcgrad.functionals.pointwise_losses`.
    weights : array_like, (K,), optional
        w, 1 each by default.
    mean : bool
        Whether to divide by K.
    operator : dict, optional
        From multi-indices α (in one dimension numbers) to a_α: a number, (K,) values at the points, or a
        callable of the coordinates.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> loss = fg.EmpiricalLoss(x=[0.0, 1.0], y=[1.0, 3.0])
    >>> loss(lambda x: 0 * x), loss.differential(lambda x: 0 * x)(lambda x: x)
    (5.0, -3.0)
    >>> u = fg.Circle(2 * np.pi).grid(16).function(np.sin)
    >>> residual = fg.EmpiricalLoss([0.5, 1.0], [0.0, 0.0], operator={2: 1.0, 0: 1.0})     # u'' + u
    >>> round(residual(u), 12)
    0.0
    """

    def __init__(self, x, y, loss="squared", weights=None, mean=False, operator=None):
        x = finite_array(x, "x")
        self.x = point_array(x, x.shape[1] if x.ndim == 2 else 1, "x")
        self.loss = loss_named(loss)
        self.y = self.loss.targets(y)
        count = len(self.x)
        if self.y.ndim not in (1, 2) or len(self.y) != count or count == 0:
            raise InvalidInput(
                f"`y` must have one row for each of the {count} points, at least one; "
                f"got shape {self.y.shape}."
            )
        self.weights = np.ones(count) if weights is None else finite_array(weights, "weights")
        if self.weights.shape != (count,) or np.any(self.weights < 0):
            raise InvalidInput(f"`weights` must be {count} numbers, none negative, one a point.")
        self.weights = self.weights / count if mean else self.weights
        self.operator = None if operator is None else _operator(operator, self.x)

    def predictions(self, f):
        """Return (Pf)(x_i), (K,) or (K, m); f is a `Function`, or a callable if P takes no derivatives."""
        if not callable(f):
            raise InvalidInput(f"a functional takes a Function or a callable; got {type(f).__name__}.")
        values = self._predictions(f)
        if values.shape != self.y.shape:
            raise InvalidInput(f"`f` gives values of shape {values.shape} for data `y` of {self.y.shape}.")
        return values

    def _predictions(self, f):
        if self.operator is None:
            return f(self.x) if isinstance(f, Function) else sample(f, self.x)
        total = 0.0
        for alpha, factor in self.operator.items():
            if isinstance(f, Function):
                values = f.derivative_values(alpha, self.x)
            elif not any(alpha):
                values = sample(f, self.x)
            else:
                raise InvalidInput("a loss on derivatives needs a Function; got a callable without them.")
            total = total + _rows(factor, values)
        return total

    def residuals(self, f):
        """Return (Pf)(x_i) - y_i, (K,) or (K, m)."""
        return self.predictions(f) - self.y

    def __call__(self, f):
        """Return F(f)."""
        return float(self.weights @ self.loss.value(self.predictions(f), self.y))

    def differential(self, f):
        """Return v ↦ Σ_i w_i ℓ'(z_i, y_i) · (Pv)(x_i): evaluations at points only."""
        return self._at_points(self.loss.derivative(self.predictions(f), self.y))

    def second_variation(self, f):
        """Return (v, w) ↦ Σ_i w_i (Pw)(x_i) · ℓ''(z_i, y_i) (Pv)(x_i)."""
        z = self.predictions(f)

        def apply(v):
            return self._at_points(self.loss.second_derivative(z, self.y, self.predictions(v)))

        hessian = self.weights[:, None, None] * _hessian(self.loss, z, self.y)
        operator = {(0,) * self.x.shape[1]: np.ones(len(self.x))} if self.operator is None else self.operator
        factors = np.stack(list(operator.values()), axis=1)
        # Of Pv = Σ_α a_α ∂^α v: a_α a_β for each entry of the Hessian in the components.
        matrices = np.einsum("ks,kt,kij->ksitj", factors, factors, hessian)
        size = factors.shape[1] * hessian.shape[1]
        slots = _slots(operator, z)
        return SecondVariation(apply, [PointwiseForm(self.x, slots, matrices.reshape(-1, size, size))])

    def _at_points(self, slopes):
        weighted = _rows(self.weights, slopes)
        if self.operator is None:
            return point_evaluations(self.x, weighted)
        parts = [point_evaluations(self.x, _rows(a, weighted), alpha) for alpha, a in self.operator.items()]
        return sum(parts, Covector())

    def __repr__(self):
        return f"EmpiricalLoss({len(self.x)} points)"


class PopulationLoss(Functional):
    """F(f) = ∫ ℓ(f(x), y(x)) ρ(x) dx over the domain, by default ½ ∫ |f - y|².

    Parameters
    ----------
    y : callable, Function or array
        The target; whatever ``grid.function`` takes on the grid of f.
    loss : str or PointwiseLoss
        ℓ, as in `EmpiricalLoss`.
    density : callable or Function, optional
        ρ >= 0 with respect to Lebesgue measure, 1 by default. (Against the measure of data the loss is
        an `EmpiricalLoss` with ``mean=True``.)

    Examples
    --------
    >>> import funcgrad as fg
    >>> f = fg.Interval(0, 1).grid(4).function(lambda x: x)
    >>> round(fg.PopulationLoss(lambda x: 0.0)(f), 12)
    0.166666666667
    """

    def __init__(self, y, loss="squared", density=None):
        self.y = y
        self.loss = loss_named(loss)
        self.density = density

    def _on(self, grid):
        """The targets and the density at the nodes."""
        target = self.loss.targets(grid.function(self.y).values)
        density = np.ones(len(grid)) if self.density is None else grid.function(self.density).values
        if density.ndim != 1 or density.min() < 0:
            raise InvalidInput("`density` must be one number at each point, not negative.")
        return target, density

    def __call__(self, f):
        """Return F(f); f must be a `Function`, whose grid integrates."""
        target, density = self._on(f.grid)
        return float(f.grid.integrate(density * self.loss.value(f.values, target)))

    def differential(self, f):
        """Return v ↦ ∫ ρ ℓ'(f, y) · v: a density."""
        target, density = self._on(f.grid)
        return Density(Function(f.grid, _rows(density, self.loss.derivative(f.values, target))))

    def second_variation(self, f):
        """Return (v, w) ↦ ∫ ρ w · ℓ''(f, y) v."""
        target, density = self._on(f.grid)

        def apply(v):
            direction = f.grid.function(v).values
            curvature = self.loss.second_derivative(f.values, target, direction)
            return Density(Function(f.grid, _rows(density, curvature)))

        weights = (f.grid.weights * density)[:, None, None]
        slots = _slots([(0,) * f.grid.domain.n_coordinates], f.values)
        form = PointwiseForm(f.grid.nodes, slots, weights * _hessian(self.loss, f.values, target))
        return SecondVariation(apply, [form])


def _slots(derivatives, values):
    """Return (component, α) for each derivative and component of functions like (K,) or (K, m) values."""
    components = [None] if values.ndim == 1 else range(values.shape[1])
    return tuple((component, alpha) for alpha in derivatives for component in components)


def _hessian(loss, z, y):
    """Return ∂²ℓ/∂z² at each point, (K, m, m)."""
    if z.ndim == 1:
        return loss.second_derivative(z, y, np.ones_like(z))[:, None, None]
    units = np.eye(z.shape[1])
    columns = [loss.second_derivative(z, y, np.broadcast_to(unit, z.shape)) for unit in units]
    return np.stack(columns, axis=-1)


def _operator(operator, x):
    """Return {multi-index: (K,) values at the points} of a user's operator."""
    if not isinstance(operator, dict) or not operator:
        raise InvalidInput("`operator` must be a dict {multi-index: factor}, such as {2: 1.0, 0: -1.0}.")
    n, result = x.shape[1], {}
    for alpha, factor in operator.items():
        alpha = tuple(np.atleast_1d(alpha).tolist())
        alpha = (0,) * n if alpha == (0,) else alpha
        if len(alpha) != n or not all(isinstance(a, int) and a >= 0 for a in alpha):
            raise InvalidInput(f"`operator` must have multi-indices of {n} orders as keys; got {alpha!r}.")
        values = sample(factor, x, "operator") if callable(factor) else finite_array(factor, "operator")
        if values.shape not in ((), (len(x),)):
            raise InvalidInput(f"`operator` must have factors that are numbers or ({len(x)},) arrays.")
        result[alpha] = np.broadcast_to(values, (len(x),))
    return result


def _rows(factors, values):
    return factors.reshape(-1, *[1] * (values.ndim - 1)) * values
