"""Quotients of polynomials."""

from itertools import product
from math import comb, prod

import numpy as np

from funcgrad.models.base import Model, random_generator
from funcgrad.models.bases import monomial


class Rational(Model):
    """f_θ = P/Q, P = Σ_k a_k x^k, Q = 1 + Σ_{k≠0} b_k x^k, over monomials of bounded total degree.

    Parameters
    ----------
    numerator_degree, denominator_degree : int
    dimension : int
        n.

    Notes
    -----
    θ holds the a_k, then the b_k without the constant, which is 1; monomials in the order of
    `bases.monomial`. Derivatives follow from fQ = P and Leibniz' rule, in every order. At a pole the value is
    infinite and is refused. `initial` draws a from the standard normal and takes Q = 1.

    Examples
    --------
    >>> from funcgrad.models import Rational
    >>> runge = Rational(0, 2)
    >>> runge([1.0, 0.0, 25.0], [0.0, 0.2])
    array([1. , 0.5])
    """

    def __init__(self, numerator_degree, denominator_degree, dimension=1):
        self._top = monomial(numerator_degree, dimension)
        self._bottom = monomial(denominator_degree, dimension)
        self.numerator_degree, self.denominator_degree = int(numerator_degree), int(denominator_degree)
        names = [f"a{k}" for k in range(self._top.size)] + [f"b{k}" for k in range(1, self._bottom.size)]
        super().__init__(self._top.dimension, names)

    def __repr__(self):
        dimension = "" if self.dimension == 1 else f", dimension={self.dimension}"
        return f"Rational({self.numerator_degree}, {self.denominator_degree}{dimension})"

    def initial(self, seed):
        """Draw the numerator from the standard normal; the denominator is 1."""
        theta = np.zeros(self.n_parameters)
        theta[: self._top.size] = random_generator(seed).standard_normal(self._top.size)
        return theta

    def _value(self, theta, x, alpha):
        return self._quotients(theta, x, alpha)[alpha]

    def _jacobian(self, theta, x, alpha):
        # ∂f/∂a_k = x^k/Q and ∂f/∂b_k = -x^k f/Q.
        values = self._quotients(theta, x, alpha)
        tops = {beta: self._top.evaluate(x, beta) for beta in values}
        bottoms = {}
        for beta in values:
            monomials = {gamma: self._bottom.evaluate(x, gamma)[:, 1:] for gamma in _below(beta)}
            bottoms[beta] = -sum(
                _ways(beta, gamma) * monomials[gamma] * values[_difference(beta, gamma)][:, None]
                for gamma in _below(beta)
            )
        numerators = {beta: np.concatenate([tops[beta], bottoms[beta]], axis=1) for beta in values}
        return self._divided(theta, x, numerators)[alpha]

    def _quotients(self, theta, x, alpha):
        """Return ∂^β f for all β <= α."""
        coefficients = theta[: self._top.size]
        return self._divided(
            theta, x, {beta: self._top.evaluate(x, beta) @ coefficients for beta in _below(alpha)}
        )

    def _divided(self, theta, x, numerators):
        """Return ∂^β (p/Q) from ∂^β p, lower β first: Q ∂^β f = ∂^β p - Σ_γ C(β,γ) ∂^γ Q ∂^{β-γ} f."""
        coefficients = np.append(1.0, theta[self._top.size :])
        quotients = {}
        for beta, numerator in numerators.items():
            tail = (1,) * (numerator.ndim - 1)
            rest = numerator
            for gamma in _below(beta)[1:]:
                denominator = (self._bottom.evaluate(x, gamma) @ coefficients).reshape(-1, *tail)
                rest = rest - _ways(beta, gamma) * denominator * quotients[_difference(beta, gamma)]
            bottom = self._bottom.evaluate(x, (0,) * self.dimension) @ coefficients
            quotients[beta] = rest / bottom.reshape(-1, *tail)
        return quotients


def _below(alpha):
    """Return the multi-indices β <= α, zero first."""
    return list(product(*(range(order + 1) for order in alpha)))


def _difference(beta, gamma):
    return tuple(b - c for b, c in zip(beta, gamma, strict=True))


def _ways(beta, gamma):
    return prod(map(comb, beta, gamma))
