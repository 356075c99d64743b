"""Gauss-Jacobi rules on [-1, 1]."""

import math

import numpy as np

from funcgrad._checks import finite_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.quadrature import _double_double as dd
from funcgrad.spaces.quadrature._three_term import gauss_from_recurrence


def gauss_jacobi(n, alpha, beta):
    """Return the Gauss rule for the density (1 - x)^alpha (1 + x)^beta, exact for degree 2n - 1.

    Σ w_k f(x_k) approximates ∫ f(x) (1 - x)^alpha (1 + x)^beta dx: the density is in the weights.

    Parameters
    ----------
    n : int
        At least 1.
    alpha, beta : float
        Exponents above -1.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In (-1, 1), right to 4 ulp. The cost is O(n²).

    Raises
    ------
    InvalidInput
        If an exponent is not above -1, or the density's integral is no normal float.
    ConvergenceError
        If an exponent is so near -1 that the outermost node, about (1 + beta)/n² from its end, merges with it
        in the eigenvalue problem (below some 1e-14).

    Notes
    -----
    Recurrence coefficients from Gautschi, *Orthogonal Polynomials: Computation and Approximation*,
    table 1.1, in double-double arithmetic.

    Examples
    --------
    Chebyshev's density 1/√(1 - x²) has equal weights π/n:

    >>> nodes, weights = gauss_jacobi(3, -0.5, -0.5)
    >>> nodes.round(6), weights.round(6)
    (array([-0.866025,  0.      ,  0.866025]), array([1.047198, 1.047198, 1.047198]))
    """
    n = whole_number(n, "n", least=1)
    alpha, beta = finite_number(alpha, "alpha"), finite_number(beta, "beta")
    for name, exponent in (("alpha", alpha), ("beta", beta)):
        if exponent <= -1:
            raise InvalidInput(
                f"`{name}` must be above -1, or the density has no integral; got {exponent:g}."
            )
    nodes, weights = gauss_from_recurrence(
        *_recurrence(n, alpha, beta), _density_integral(alpha, beta), symmetric=alpha == beta
    )
    return nodes[0], weights


def _recurrence(n, alpha, beta):
    """Return a_0 .. a_{n-1} and b_1 .. b_{n-1} of the monic Jacobi polynomials, as double-doubles."""
    a, b = dd.from_float(alpha), dd.from_float(beta)
    total = dd.add(a, b)
    k = np.arange(1.0, n)

    def shifted(x, base):
        return dd.add(dd.from_float(x), base)

    def product(first, *others):
        for other in others:
            first = dd.multiply(first, other)
        return first

    difference = dd.add(b, dd.negative(a))
    first = dd.divide(difference, shifted(2.0, total))
    rest = dd.divide(
        dd.multiply(difference, total), dd.multiply(shifted(2 * k, total), shifted(2 * k + 2, total))
    )
    diagonal = tuple(np.concatenate([[start], end]) for start, end in zip(first, rest, strict=True))
    # The factor (k + α + β) / (2k + α + β - 1) is 1 at k = 1, where both may vanish.
    upper, lower = shifted(k, total), shifted(2 * k - 1, total)
    for factor in (upper, lower):
        factor[0][:1], factor[1][:1] = 1.0, 0.0
    squares = dd.divide(
        product(dd.from_float(4 * k), shifted(k, a), shifted(k, b), upper),
        product(shifted(2 * k, total), shifted(2 * k, total), shifted(2 * k + 1, total), lower),
    )
    return diagonal, squares


def _density_integral(alpha, beta):
    """Return 2^{α+β+1} B(α+1, β+1); scipy.special.beta is 30 ulp off here, so in 30 digits."""
    import mpmath

    with mpmath.workdps(40):
        a, b = mpmath.mpf(alpha), mpmath.mpf(beta)
        integral = float(mpmath.mpf(2) ** (a + b + 1) * mpmath.beta(a + 1, b + 1))
    if not (math.isfinite(integral) and integral >= np.finfo(float).tiny):
        raise InvalidInput(
            f"`alpha` and `beta` must give a density whose integral is a normal float; got alpha={alpha:g}, "
            f"beta={beta:g} with integral {integral:g}."
        )
    return integral
