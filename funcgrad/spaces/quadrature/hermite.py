"""Gauss-Hermite rules on the real line."""

import math

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.spaces.quadrature import _double_double as dd
from funcgrad.spaces.quadrature._three_term import christoffel_rule

# ln 2 as a double-double.
_LN2 = (math.log(2), 2.3190468138462996e-17)


def gauss_hermite(n):
    """Return the Gauss rule for the density exp(-x²) on the real line, exact for degree 2n - 1.

    Σ w_k f(x_k) approximates ∫ f(x) exp(-x²) dx (the physicists' weight). For the standard normal density
    take nodes √2 x_k and weights w_k / √π; for ∫ f(x) dx take `gauss_hermite_lebesgue`. Rules on R^n are
    tensor products.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        Right to 4 ulp. From n = 371 on the outermost weights, about exp(-2n), fall
        below 2.2e-308: they are then subnormal (rounded to a multiple of 4.9e-324), from n = 389 on zero.
        The cost is O(n²).

    Examples
    --------
    >>> nodes, weights = gauss_hermite(2)
    >>> nodes.round(6), weights.round(6)
    (array([-0.707107,  0.707107]), array([0.886227, 0.886227]))
    """
    nodes, mantissa, exponent = _rule(n)
    return nodes[0], np.ldexp(mantissa, exponent)


def gauss_hermite_lebesgue(n):
    """Return the Gauss-Hermite rule for ∫ f(x) dx over the real line: weights w_k exp(x_k²).

    It is exact for f(x) = p(x) exp(-x²), p a polynomial of degree 2n - 1. The weights are formed without
    passing through w_k, so that none underflows.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        Right to 4 ulp. The cost is O(n²).

    Examples
    --------
    >>> nodes, weights = gauss_hermite_lebesgue(20)
    >>> bool(abs(weights @ np.exp(-(nodes**2)) - np.sqrt(np.pi)) < 1e-14)
    True
    """
    nodes, mantissa, exponent = _rule(n)
    square = dd.multiply(nodes, nodes)
    power = np.rint(square[0] / _LN2[0])
    rest = dd.add(square, dd.negative(dd.multiply(dd.from_float(power), _LN2)))
    return nodes[0], np.ldexp(mantissa * np.exp(rest[0]), power.astype(np.int64) + exponent)


def _rule(n):
    """Return nodes as double-doubles, and weights as mantissa and power of two."""
    n = whole_number(n, "n", least=1)
    squares = dd.from_float(np.arange(1.0, n) / 2)
    return christoffel_rule(dd.from_float(np.zeros(n)), squares, math.sqrt(math.pi), symmetric=True)
