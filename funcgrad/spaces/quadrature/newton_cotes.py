"""Composite rules on equally spaced nodes of [-1, 1]."""

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.errors import InvalidInput


def midpoint(n):
    """Return the composite midpoint rule: n cells, each with its middle; exact for degree 1, order 2.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In (-1, 1); every weight is 2/n.

    Examples
    --------
    >>> midpoint(2)
    (array([-0.5,  0.5]), array([1., 1.]))
    """
    n = whole_number(n, "n", least=1)
    return np.arange(1 - n, n, 2) / n, np.full(n, 2 / n)


def trapezoid(n):
    """Return the composite trapezoid rule, endpoints included; exact for degree 1, order 2.

    Parameters
    ----------
    n : int
        At least 2.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In [-1, 1].

    Examples
    --------
    >>> trapezoid(3)
    (array([-1.,  0.,  1.]), array([0.5, 1. , 0.5]))
    """
    n = whole_number(n, "n", least=2)
    weights = np.full(n, 2 / (n - 1))
    weights[[0, -1]] = 1 / (n - 1)
    return _equally_spaced(n), weights


def periodic_trapezoid(n):
    """Return the trapezoid rule for functions of period 2: n equal weights, the node 1 left out as -1 again.

    Exact for trigonometric polynomials of degree n - 1, that is for exp(iπmx) with |m| <= n - 1, and
    geometrically convergent for periodic analytic functions (Trefethen and Weideman, SIAM Review 56, 2014).

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In [-1, 1); every weight is 2/n.

    Examples
    --------
    >>> periodic_trapezoid(4)
    (array([-1. , -0.5,  0. ,  0.5]), array([0.5, 0.5, 0.5, 0.5]))
    """
    n = whole_number(n, "n", least=1)
    return np.arange(-n, n, 2) / n, np.full(n, 2 / n)


def simpson(n):
    """Return the composite Simpson rule, endpoints included; exact for degree 3, order 4.

    Parameters
    ----------
    n : int
        Odd and at least 3.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In [-1, 1].

    Examples
    --------
    >>> nodes, weights = simpson(5)
    >>> nodes, weights * 6
    (array([-1. , -0.5,  0. ,  0.5,  1. ]), array([1., 4., 2., 4., 1.]))
    """
    n = whole_number(n, "n", least=3)
    if n % 2 == 0:
        raise InvalidInput(f"`n` must be odd, as Simpson's rule takes cells in pairs; got {n}, take {n + 1}.")
    weights = np.full(n, 8 / (3 * (n - 1)))
    weights[2:-1:2] = 4 / (3 * (n - 1))
    weights[[0, -1]] = 2 / (3 * (n - 1))
    return _equally_spaced(n), weights


def _equally_spaced(n):
    return np.arange(1 - n, n, 2) / (n - 1)
