"""The Clenshaw-Curtis rule on [-1, 1]."""

import numpy as np
from numpy.polynomial.polynomial import polyval

from funcgrad._checks import whole_number

_NEAR_END = 16
_TAIL_TERMS = 10


def clenshaw_curtis(n):
    """Return the Clenshaw-Curtis rule: n Chebyshev points of the second kind, endpoints included.

    It integrates the interpolating polynomial exactly: degree n - 1, by symmetry n when n is odd.

    Parameters
    ----------
    n : int
        At least 2.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        In [-1, 1], right to 4 ulp; the weights are positive. The cost is O(n).

    Notes
    -----
    The usual cosine sum for the weights (Waldvogel, BIT 46, 2006) is, with N = n - 1 and θ = kπ/N, after
    2/(4j²-1) = 1/(2j-1) - 1/(2j+1) and summation by parts,

        w_k = (2/N) (2 sin θ Σ_{j=1}^{⌊N/2⌋} sin((2j-1)θ)/(2j-1) + (-1)^k e_k),

    e_k = N/(N²-1) for even and (cos θ)/N for odd N. The 16 nodes nearest each end take it as it stands.
    Elsewhere the sum is replaced by π/4 less its tail, whose asymptotic series in 1/(N sin θ)² is below
    rounding after ten terms. A fast Fourier transform would lose 12 ulp.

    Examples
    --------
    >>> nodes, weights = clenshaw_curtis(3)
    >>> nodes, weights.round(6)
    (array([-1.,  0.,  1.]), array([0.333333, 1.333333, 0.333333]))
    """
    n = whole_number(n, "n", least=2)
    last = n - 1
    nodes = np.sin(np.pi * np.arange(-last, n, 2) / (2 * last))
    end = 1 / (last**2 - 1) if last % 2 == 0 else 1 / last**2
    k = np.arange(1, last // 2 + 1)  # the other half by symmetry
    weights = np.full(n, end)
    weights[k] = np.concatenate(
        [_weights_near_end(last, k[:_NEAR_END]), _weights_inside(last, k[_NEAR_END:])]
    )
    weights[last - k] = weights[k]
    return nodes, weights


def _weights_near_end(last, k):
    """Return the weights of the nodes cos(kπ/last) by summation."""
    sines = np.sin(np.pi * np.arange(last // 2 + 1) / last)
    odd = np.arange(1, 2 * (last // 2), 2)
    sums = np.empty(k.size)
    for i, multiple in enumerate(k):
        turn = odd * multiple % (2 * last)  # in units of π/last, exactly
        folded = np.minimum(turn % last, last - turn % last)
        sums[i] = np.sum(np.where(turn < last, sines[folded], -sines[folded]) / odd)
    theta = np.pi * k / last
    edge = last / (last**2 - 1) if last % 2 == 0 else np.cos(theta) / last
    return (2 / last) * (2 * np.sin(theta) * sums + (-1.0) ** k * edge)


def _weights_inside(last, k):
    """Return the weights of the nodes cos(kπ/last), k > 16, by the asymptotic series.

    The tail of the sum is (-1)^k/2 Σ_j (-1)^j f^{(2j)}(θ) / last^{2j+1}, f the cosecant if `last` is even and
    the cotangent if it is odd; its first term cancels against e_k.
    """
    theta = np.pi * k / last
    sine = np.sin(theta)
    series = polyval((last * sine) ** -2.0, _tail_coefficients(last))
    if last % 2 == 0:
        tail = series / last - 1 / (last * (last**2 - 1))
    else:
        tail = np.cos(theta) * series / last
    return np.pi * sine / last - (2 / last) * (-1.0) ** k * tail


def _tail_coefficients(last):
    """Return c_i with Σ_{j>=1} (-1)^j f^{(2j)} sin θ / last^{2j} = (1 or cos θ) Σ_i c_i (last sin θ)^{-2i}.

    By (sin^{-q})'' = q(q+1) sin^{-q-2} - q² sin^{-q} and
    (cos sin^{-q})'' = cos (q(q+1) sin^{-q-2} - (q-1)² sin^{-q}).
    """
    q = 2 * np.arange(_TAIL_TERMS + 1) + 1.0
    kept = q**2 if last % 2 == 0 else (q - 1) ** 2
    derivative = np.zeros(_TAIL_TERMS + 1)
    derivative[0] = 1.0
    total = np.zeros(_TAIL_TERMS + 1)
    for _ in range(_TAIL_TERMS):
        raised = np.concatenate([[0.0], (q * (q + 1) * derivative)[:-1]])
        derivative = kept * derivative / last**2 - raised
        total += derivative
    return total
