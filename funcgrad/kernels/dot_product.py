"""Kernels of the inner product alone: k(x, y) = f(<x, y>), with exact derivatives."""

from abc import abstractmethod
from itertools import product
from math import comb, inf, perm, prod

import numpy as np

from funcgrad._checks import finite_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel


class DotProductKernel(Kernel):
    """k(x, y) = f(<x, y>), of any dimension and infinitely smooth.

    To implement one, write `_scalar`.
    """

    smoothness = inf

    @abstractmethod
    def _scalar(self, t, order):
        """Return the derivative f^(order)(t)."""

    def _evaluate(self, x, y):
        return self._scalar((x * y).sum(axis=-1), 0)

    def _gram(self, X, Y):
        return self._scalar(X @ Y.T, 0)

    def _differentiated(self, alpha, beta):
        return _DotProductDerivative(self, alpha, beta)


class _DotProductDerivative(Kernel):
    """∂_x^α ∂_y^β f(<x, y>): first ∂_x^α gives y^α f^(|α|), then Leibniz' rule for ∂_y^β."""

    smoothness = inf

    def __init__(self, kernel, alpha, beta):
        self.kernel, self.alpha, self.beta = kernel, alpha, beta
        self.dimension = len(alpha)

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _evaluate(self, x, y):
        t = (x * y).sum(axis=-1)
        total = np.zeros_like(t)
        pairs = list(zip(self.alpha, self.beta, strict=True))
        for on_power in product(*(range(min(pair) + 1) for pair in pairs)):
            ways = prod(comb(b, g) * perm(a, g) for (a, b), g in zip(pairs, on_power, strict=True))
            term = ways * self.kernel._scalar(t, sum(self.alpha) + sum(self.beta) - sum(on_power))
            for axis, ((a, b), g) in enumerate(zip(pairs, on_power, strict=True)):
                term = term * y[..., axis] ** (a - g) * x[..., axis] ** (b - g)
            total += term
        return total

    def _differentiated(self, alpha, beta):
        added = (
            tuple(map(sum, zip(*pair, strict=True))) for pair in ((self.alpha, alpha), (self.beta, beta))
        )
        return _DotProductDerivative(self.kernel, *added)


class Polynomial(DotProductKernel):
    """(<x, y> + c)^d.

    Parameters
    ----------
    degree : int
        d >= 1.
    offset : float
        c >= 0; with c = 0 only monomials of degree d are in the space.

    Examples
    --------
    >>> from funcgrad.kernels import Polynomial
    >>> Polynomial(2)(3.0, 1.0)
    16.0
    """

    def __init__(self, degree, offset=1.0):
        self.degree = whole_number(degree, "degree", least=1)
        self.offset = finite_number(offset, "offset")
        if self.offset < 0.0:
            raise InvalidInput(f"`offset` must not be negative; got {self.offset:g}.")

    def __repr__(self):
        return f"Polynomial({self.degree}, offset={self.offset:g})"

    def _scalar(self, t, order):
        if order > self.degree:
            return np.zeros_like(t)
        return float(perm(self.degree, order)) * (t + self.offset) ** (self.degree - order)


class Linear(Polynomial):
    """<x, y>: the kernel of the linear functions with the Euclidean norm of their coefficients.

    Examples
    --------
    >>> from funcgrad.kernels import Linear
    >>> Linear()([[1.0, 2.0]], [[3.0, 4.0]])
    array([11.])
    """

    def __init__(self):
        super().__init__(1, 0.0)

    def __repr__(self):
        return "Linear()"

    def _product(self, X, Y, V):
        return X @ (Y.T @ V)
