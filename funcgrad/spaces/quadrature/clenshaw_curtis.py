"""The Clenshaw-Curtis rule on [-1, 1]."""

import numpy as np
import scipy.fft

from funcgrad._checks import whole_number


def clenshaw_curtis(n):
    """Return the Clenshaw-Curtis rule: n Chebyshev points of the second kind, endpoints included.

    It integrates the interpolating polynomial exactly: degree n - 1, by symmetry n when n is odd.

    Parameters
    ----------
    n : int
        Number of nodes, at least 2.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In increasing order in [-1, 1]; the weights are positive and add up to 2. Each node and each
        weight is right to 4 ulp; the cost is O(n log n).

    Raises
    ------
    InvalidInput
        If `n` is not a whole number of at least 2.

    Notes
    -----
    The usual cosine sum for the weights (Waldvogel, BIT 46, 2006) is, with N = n - 1 and θ = kπ/N, after
    2/(4j²-1) = 1/(2j-1) - 1/(2j+1) and summation by parts,

        w_k = (2/N) (2 sin θ Σ_{j=1}^{⌊N/2⌋} sin((2j-1)θ)/(2j-1) + (-1)^k e_k),

    e_k = N/(N²-1) for even and (cos θ)/N for odd N. The sum is of order one at every node, so that
    weights near the ends, smaller by a factor N, lose no digits in the sine transform.

    Examples
    --------
    >>> nodes, weights = clenshaw_curtis(3)
    >>> nodes, weights.round(6)
    (array([-1.,  0.,  1.]), array([0.333333, 1.333333, 0.333333]))
    """
    n = whole_number(n, "n", least=2)
    last = n - 1
    k = np.arange(n)
    nodes = np.sin(np.pi * (2 * k - last) / (2 * last))
    end = 1 / (last**2 - 1) if last % 2 == 0 else 1 / last**2
    weights = np.full(n, end)
    if n > 2:
        half = np.arange(1, last // 2 + 1)  # by symmetry
        weights[half] = _interior_weights(last)[half - 1]
        weights[last - half] = weights[half]
    return nodes, weights


def _interior_weights(last):
    """Return the weights of the nodes cos(kπ/last), 0 < k < last."""
    k = np.arange(1, last)
    theta = np.pi * k / last
    coefficients = np.zeros(last - 1)
    coefficients[0 : 2 * (last // 2) : 2] = 1 / np.arange(1.0, 2 * (last // 2), 2)
    sums = scipy.fft.dst(coefficients, type=1) / 2
    sign = 1 - 2 * (k % 2)
    edge = last / (last**2 - 1) if last % 2 == 0 else np.cos(theta) / last
    return (2 / last) * (2 * np.sin(theta) * sums + sign * edge)
