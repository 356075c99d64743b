"""Polynomials in one variable, in the monomial basis."""

import math

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.models.base import Model
from funcgrad.models.bases import monomial


class Polynomial(Model):
    """The polynomial f_θ(x) = Σ_k θ_k x^k, k = 0 .. degree, on the real line.

    Its monomials are nearly dependent for high degrees: the condition of their Gram matrix on [-1, 1]
    grows like (1+√2)^{4·degree}, which makes them the standard hard case of a natural gradient.

    Parameters
    ----------
    degree : int
        The highest power.

    Examples
    --------
    >>> from funcgrad.models import Polynomial
    >>> parabola = Polynomial(2)
    >>> parabola([1.0, 0.0, 3.0], [0.0, 1.0, 2.0])
    array([ 1.,  4., 13.])
    >>> parabola.derivative([1.0, 0.0, 3.0], [0.0, 1.0, 2.0], 1)
    array([ 0.,  6., 12.])
    """

    def __init__(self, degree):
        self.degree = whole_number(degree, "degree")
        self._basis = monomial(degree)
        super().__init__(dimension=1, parameter_names=[f"c{k}" for k in range(self.degree + 1)])

    def __repr__(self):
        return f"Polynomial({self.degree})"

    def _value(self, theta, x, alpha):
        (order,) = alpha
        if order > self.degree:
            return np.zeros(len(x))
        # Horner's rule, on the coefficients k (k-1) ... (k-order+1) θ_k of the derivative.
        factors = np.array([float(math.perm(k, order)) for k in range(order, self.degree + 1)])
        return np.polynomial.polynomial.polyval(x[:, 0], factors * theta[order:])

    def _jacobian(self, theta, x, alpha):
        return self._basis.evaluate(x, alpha)
