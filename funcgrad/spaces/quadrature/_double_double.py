"""Arithmetic on unevaluated sums of two floats (about 32 digits), elementwise on arrays.

A double-double is a pair (high, low) with |low| <= ulp(high)/2. Sources: Dekker, Numer. Math. 18 (1971);
Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26 (2005).
"""

import numpy as np

_SPLITTER = 2.0**27 + 1


def two_sum(a, b):
    """Return the rounded sum and its exact error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _fast_two_sum(a, b):
    total = a + b
    return total, b - (total - a)


def _split(a):
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def two_product(a, b):
    """Return the rounded product and its exact error (no overflow above 1e300)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def from_float(a):
    """Return `a` as a double-double."""
    a = np.asarray(a, dtype=np.float64)
    return a, np.zeros_like(a)


def add(x, y):
    """Return x + y."""
    total, error = two_sum(x[0], y[0])
    return _fast_two_sum(total, error + (x[1] + y[1]))


def negative(x):
    """Return -x."""
    return -x[0], -x[1]


def multiply(x, y):
    """Return x y."""
    product, error = two_product(x[0], y[0])
    return _fast_two_sum(product, error + (x[0] * y[1] + x[1] * y[0]))


def divide(x, y):
    """Return x / y."""
    quotient = x[0] / y[0]
    rest = add(x, negative(multiply((quotient, 0.0 * quotient), y)))
    return _fast_two_sum(quotient, (rest[0] + rest[1]) / y[0])


def sqrt(x):
    """Return the square root of x > 0."""
    root = np.sqrt(x[0])
    rest = add(x, negative(multiply((root, 0.0 * root), (root, 0.0 * root))))
    return _fast_two_sum(root, (rest[0] + rest[1]) / (2 * root))
