"""Gauss-Legendre and Gauss-Lobatto rules on [-1, 1]."""

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.spaces.quadrature import _bessel
from funcgrad.spaces.quadrature import _double_double as dd
from funcgrad.spaces.quadrature._three_term import gauss_from_recurrence


def gauss_legendre(n):
    """Return the Gauss-Legendre rule, exact for polynomials of degree 2n - 1.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In (-1, 1), right to 4 ulp; the cost is O(n) from n = 50 on.

    Notes
    -----
    Up to 49 nodes: Newton's method on the three-term recurrence in double-double arithmetic. Beyond: the
    uniform asymptotic expansion in zeros of the Bessel function J_0 (see `_bessel`).

    Examples
    --------
    >>> nodes, weights = gauss_legendre(3)
    >>> nodes.round(6), weights.round(6)
    (array([-0.774597,  0.      ,  0.774597]), array([0.555556, 0.888889, 0.555556]))
    """
    n = whole_number(n, "n", least=1)
    if n >= _bessel.LEAST_NODES:
        return _mirror(n, *_bessel.ultraspherical_half(n, alpha=0))
    nodes, weights = gauss_from_recurrence(
        dd.from_float(np.zeros(n)), _ultraspherical_squares(n, 0), 2.0, symmetric=True
    )
    return nodes[0], weights


def gauss_lobatto(n):
    """Return the Gauss-Lobatto rule: both endpoints are nodes; exact for polynomials of degree 2n - 3.

    Parameters
    ----------
    n : int
        At least 2.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In [-1, 1], right to 4 ulp; the cost is O(n) from n = 52 on.

    Notes
    -----
    The interior is the Gauss rule for the weight function 1 - x², its weights divided by 1 - x² (Davis and
    Rabinowitz, *Methods of Numerical Integration*, 2.7).

    Examples
    --------
    >>> nodes, weights = gauss_lobatto(4)
    >>> nodes.round(6), weights.round(6)
    (array([-1.      , -0.447214,  0.447214,  1.      ]), array([0.166667, 0.833333, 0.833333, 0.166667]))
    """
    n = whole_number(n, "n", least=2)
    interior = n - 2
    if interior >= _bessel.LEAST_NODES:
        nodes, weights = _mirror(interior, *_bessel.ultraspherical_half(interior, alpha=1))
    elif interior:
        x, weights = gauss_from_recurrence(
            dd.from_float(np.zeros(interior)), _ultraspherical_squares(interior, 1), 4 / 3, symmetric=True
        )
        nodes, density = x[0], dd.add(dd.from_float(1.0), dd.negative(dd.multiply(x, x)))
        weights = weights / density[0]
    else:
        nodes = weights = np.empty(0)
    end = 2 / (n * (n - 1))
    return np.concatenate([[-1.0], nodes, [1.0]]), np.concatenate([[end], weights, [end]])


def _ultraspherical_squares(n, alpha):
    """Return b_1 .. b_{n-1} of the monic polynomials orthogonal for (1 - x²)^α, α = 0 or 1."""
    k = np.arange(1.0, n)
    return dd.divide(
        dd.from_float(k * (k + 2 * alpha)),
        dd.from_float((2 * k + 2 * alpha - 1) * (2 * k + 2 * alpha + 1)),
    )


def _mirror(n, half_nodes, half_weights):
    """Return the whole symmetric rule from its non-negative half, given in decreasing order."""
    positive = slice(0, n // 2)
    nodes = np.concatenate([-half_nodes, half_nodes[positive][::-1]])
    weights = np.concatenate([half_weights, half_weights[positive][::-1]])
    if n % 2:
        nodes[n // 2] = 0.0
    return nodes, weights
