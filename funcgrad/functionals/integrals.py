"""Functionals from formulas: integrals of a Lagrangian, and losses of the residual of an equation."""

import numpy as np

from funcgrad._checks import finite_array, point_array
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector, point_evaluations
from funcgrad.functionals.functional import Functional, SecondVariation
from funcgrad.functionals.jets import JetFormula
from funcgrad.functionals.pointwise_form import PointwiseForm
from funcgrad.functionals.pointwise_losses import loss_named
from funcgrad.spaces.function import Function


class Integral(Functional):
    """F(u) = ∫ L(x, u, ∂u, ∂²u) dx over the domain of u, for a formula L.

    The first variation is in weak form, v ↦ Σ_α ∫ ∂L/∂u_α ∂^α v: nothing is integrated by parts, so
    there are no boundary terms, and no boundary condition is assumed of u or v. (The Euler-Lagrange
    equation holds at stationary u with the natural boundary conditions, or those of the domain.) On a
    grid, F is its quadrature of L, and the variations are the exact derivatives of that; with derivatives
    of u, that of `Grid.for_slopes`: on a periodic axis with an even number of nodes one node more, since the
    slope of the highest cosine vanishes at its own nodes.

    Parameters
    ----------
    lagrangian : str
        A formula in the variables, the unknowns and their derivatives ``u_x``, ``u_xy``, ... up to the
        second order.
    variables : str or sequence of str
        The coordinates' names.
    unknowns : str or sequence of str
        The components' names.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> F = fg.Integral("u_x**2/2 + u**4/4 - u", variables="x")
    >>> u = fg.Circle(2 * np.pi).grid(32).function(np.sin)
    >>> round(F(u) / np.pi, 12)                                         # 1/2 + 3/16
    0.6875
    >>> print(F.euler_lagrange_latex())
    u^{3}{\\left(x \\right)} - \\frac{d^{2}}{d x^{2}} u{\\left(x \\right)} - 1 = 0
    >>> g = fg.gradient(F, u, fg.L2())                                  # u³ - u'' - 1
    >>> bool(abs(g(0.5) - (np.sin(0.5) ** 3 + np.sin(0.5) - 1)) < 1e-12)
    True
    """

    def __init__(self, lagrangian, variables="x", unknowns="u"):
        self._formula = JetFormula(lagrangian, variables, unknowns)

    def _integrated(self, f):
        """f as a function on the grid whose quadrature is taken."""
        if not isinstance(f, Function):
            raise InvalidInput(f"`f` must be a Function, whose grid integrates; got {type(f).__name__}.")
        return f.on(f.grid.for_slopes()) if any(any(alpha) for _, alpha in self._formula.slots) else f

    def _jet(self, f):
        self._formula.check_dimension(f.grid.domain.n_coordinates, f"points of {f.grid.domain}")
        self._formula.check_components(f.values)
        return self._formula.jet(f.derivative_values)

    def __call__(self, f):
        """Return F(f), by quadrature."""
        f = self._integrated(f)
        jet = self._jet(f)
        return float(f.grid.integrate(self._formula.evaluate(f.grid.nodes, jet)))

    def differential(self, f):
        """Return v ↦ Σ_α ∫ ∂L/∂u_α ∂^α v: densities against derivatives."""
        f = self._integrated(f)
        jet = self._jet(f)
        columns = [self._formula.evaluate(f.grid.nodes, jet, s) for s in range(len(self._formula.slots))]
        return self._densities(f, columns)

    def second_variation(self, f):
        """Return (v, w) ↦ Σ_{α,β} ∫ ∂²L/∂u_α∂u_β ∂^α v ∂^β w."""
        f = self._integrated(f)
        jet, slots = self._jet(f), range(len(self._formula.slots))
        matrix = [[self._formula.evaluate(f.grid.nodes, jet, s, t) for s in slots] for t in slots]

        def apply(v):
            direction = self._jet(v.on(f.grid))
            return self._densities(f, [sum(map(np.multiply, row, direction)) for row in matrix])

        return SecondVariation(apply, [_form(self._formula, f, f.grid.nodes, f.grid.weights, matrix)])

    def _densities(self, f, columns):
        by_derivative = self._formula.grouped(columns, f.values.ndim == 2)
        return Covector([(Function(f.grid, values), alpha) for alpha, values in by_derivative.items()])

    def euler_lagrange_latex(self):
        """Return the Euler-Lagrange equations Σ_α (-1)^|α| D^α ∂L/∂u_α = 0 as LaTeX, one line an unknown."""
        return self._formula.euler_lagrange_latex()

    def __repr__(self):
        return f"Integral({self._formula.text!r})"


class ResidualLoss(Functional):
    """F(u) = Σ_i w_i ℓ(R(x_i, u, ∂u, ∂²u)): the loss of an equation's residual R at points, by default ½R².

    It is a sum unless `mean` asks for 1/K of it.

    Parameters
    ----------
    residual : str
        A formula, as for `Integral`.
    x : array_like, (K, n) or (K,)
    variables, unknowns : str or sequence of str
    loss : str or PointwiseLoss
        ℓ(R, 0).
    weights : array_like, (K,), optional
    mean : bool

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> u = fg.Circle(2 * np.pi).grid(16).function(np.sin)
    >>> round(fg.ResidualLoss("u_xx + u**3", x=[np.pi / 2, 1.0])(u), 12)        # ½ (sin 1 - sin³ 1)²
    0.030171408102
    """

    def __init__(self, residual, x, variables="x", unknowns="u", loss="squared", weights=None, mean=False):
        self._formula = JetFormula(residual, variables, unknowns)
        self.x = point_array(x, self._formula.dimension, "x")
        self.loss = loss_named(loss)
        count = len(self.x)
        self.weights = np.ones(count) if weights is None else finite_array(weights, "weights")
        if count == 0 or self.weights.shape != (count,) or np.any(self.weights < 0):
            raise InvalidInput("`weights` must be a number for each of the points `x`, at least one of them.")
        self.weights = self.weights / count if mean else self.weights

    def _jet(self, f):
        if not isinstance(f, Function):
            raise InvalidInput(f"`f` must be a Function, with derivatives; got {type(f).__name__}.")
        self._formula.check_components(f.values)
        return self._formula.jet(lambda alpha: f.derivative_values(alpha, self.x))

    def residuals(self, f):
        """Return R at the points, (K,)."""
        return self._formula.evaluate(self.x, self._jet(f))

    def __call__(self, f):
        """Return F(f)."""
        r = self.residuals(f)
        return float(self.weights @ self.loss.value(r, np.zeros_like(r)))

    def _linearised(self, jet):
        return [self._formula.evaluate(self.x, jet, s) for s in range(len(self._formula.slots))]

    def differential(self, f):
        """Return v ↦ Σ_i w_i ℓ'(R_i) Σ_α ∂R/∂u_α ∂^α v(x_i)."""
        jet = self._jet(f)
        r = self._formula.evaluate(self.x, jet)
        slope = self.weights * self.loss.derivative(r, np.zeros_like(r))
        return self._at_points(f, [slope * column for column in self._linearised(jet)])

    def second_variation(self, f):
        """Return (v, w) ↦ Σ_i w_i (ℓ''(R_i) R'[v] R'[w] + ℓ'(R_i) R''[v, w])."""
        jet = self._jet(f)
        r, slots = self._formula.evaluate(self.x, jet), range(len(jet))
        slope = self.loss.derivative(r, np.zeros_like(r))
        curvature = [[slope * self._formula.evaluate(self.x, jet, s, t) for s in slots] for t in slots]
        squares = self._squares(jet, r)
        return self._bilinear(f, squares + np.reshape(curvature, squares.shape))

    def gauss_newton(self, f):
        """Return (v, w) ↦ Σ_i w_i ℓ''(R_i) R'[v] R'[w]: without the residual's own curvature."""
        jet = self._jet(f)
        return self._bilinear(f, self._squares(jet, self._formula.evaluate(self.x, jet)))

    def _squares(self, jet, r):
        """ℓ''(R) R'⊗R' at the points, (slots, slots, K)."""
        gradient = np.reshape(self._linearised(jet), (len(jet), len(r)))
        curvature = self.loss.second_derivative(r, np.zeros_like(r), np.ones_like(r))
        return curvature * gradient[:, None] * gradient

    def _bilinear(self, f, matrix):
        """The `SecondVariation` Σ_i w_i jet(v)ᵀ M_i jet(w) of matrices (slots, slots, K)."""

        def apply(v):
            direction = self._jet(v)
            columns = [self.weights * sum(map(np.multiply, row, direction)) for row in matrix]
            return self._at_points(f, columns)

        return SecondVariation(apply, [_form(self._formula, f, self.x, self.weights, matrix)])

    def _at_points(self, f, columns):
        by_derivative = self._formula.grouped(columns, f.values.ndim == 2)
        parts = [point_evaluations(self.x, weights, alpha) for alpha, weights in by_derivative.items()]
        return sum(parts, Covector())

    def __repr__(self):
        return f"ResidualLoss({self._formula.text!r}, {len(self.x)} points)"


def _form(formula, f, points, weights, matrix):
    """The `PointwiseForm` of weights (K,) times matrices [[(K,), ...], ...] in the formula's slots."""
    several = f.values.ndim == 2
    slots = tuple((component if several else None, alpha) for component, alpha in formula.slots)
    matrices = np.reshape(matrix, (len(slots), len(slots), len(points)))
    return PointwiseForm(points, slots, np.moveaxis(weights * matrices, -1, 0))
