"""Losses: at the points of data, and against a target function."""

import numpy as np

from funcgrad._checks import finite_array, point_array
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Density, point_evaluations
from funcgrad.functionals.functional import Functional
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import sample


class EmpiricalLoss(Functional):
    """F(f) = ½ Σ_i |f(x_i) - y_i|²: the squared loss of data (a sum, not a mean).

    Parameters
    ----------
    x : array_like, (K, n) or (K,)
    y : array_like, (K,) or (K, m)

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> loss = fg.EmpiricalLoss(x=[0.0, 1.0], y=[1.0, 3.0])
    >>> loss(lambda x: 0 * x), loss.differential(lambda x: 0 * x)(lambda x: x)
    (5.0, -3.0)
    """

    def __init__(self, x, y):
        x = finite_array(x, "x")
        self.x = point_array(x, x.shape[1] if x.ndim == 2 else 1, "x")
        self.y = finite_array(y, "y")
        if self.y.ndim not in (1, 2) or len(self.y) != len(self.x) or len(self.x) == 0:
            raise InvalidInput(
                f"`y` must have one row for each of the {len(self.x)} points, at least one; "
                f"got shape {self.y.shape}."
            )

    def residuals(self, f):
        """Return f(x_i) - y_i, (K,) or (K, m)."""
        values = f(self.x) if isinstance(f, Function) else sample(f, self.x)
        if values.shape != self.y.shape:
            raise InvalidInput(f"`f` gives values of shape {values.shape} for data `y` of {self.y.shape}.")
        return values - self.y

    def __call__(self, f):
        """Return ½ Σ_i |f(x_i) - y_i|²."""
        return float(0.5 * np.sum(self.residuals(f) ** 2))

    def differential(self, f):
        """Return v ↦ Σ_i (f(x_i) - y_i) · v(x_i): point evaluations only."""
        return point_evaluations(self.x, self.residuals(f))

    def __repr__(self):
        return f"EmpiricalLoss({len(self.x)} points)"


class PopulationLoss(Functional):
    """F(f) = ½ ∫ |f - y|² over the domain: the squared loss against a target function.

    Parameters
    ----------
    y : callable, Function or array
        The target; whatever ``grid.function`` takes on the grid of f.

    Examples
    --------
    >>> import funcgrad as fg
    >>> f = fg.Interval(0, 1).grid(4).function(lambda x: x)
    >>> round(fg.PopulationLoss(lambda x: 0.0)(f), 12)
    0.166666666667
    """

    def __init__(self, y):
        self.y = y

    def __call__(self, f):
        """Return ½ ∫ |f - y|²; f must be a `Function`, whose grid integrates."""
        difference = f - f.grid.function(self.y)
        return float(0.5 * np.sum(f.grid.integrate(difference.values**2)))

    def differential(self, f):
        """Return v ↦ ∫ (f - y) · v: a density."""
        return Density(f - f.grid.function(self.y))
