"""Gauss rules from the three-term recurrence of their orthogonal polynomials.

Nodes of the Golub-Welsch eigenvalue problem have an absolute error of a few ulp of the largest; two or three
Newton steps in double-double arithmetic make every node, and the weight that follows from Christoffel's
formula w = μ_0 / Σ_{j<n} p_j(x)², right to rounding. O(n²) operations.
"""

import numpy as np
import scipy.linalg

from funcgrad.errors import ConvergenceError
from funcgrad.spaces.quadrature import _double_double as dd

_RESCALE_EVERY = 8
_MOST_STEPS = 5
_SETTLED = 1e-18


def gauss_from_recurrence(diagonal, squares, total, symmetric=False):
    """Return nodes (as double-doubles) and weights of the Gauss rule, in increasing order.

    Parameters
    ----------
    diagonal, squares : double-doubles of shape (n,) and (n - 1,)
        a_k and b_k of the monic recurrence p_{k+1} = (x - a_k) p_k - b_k p_{k-1}, b from b_1 on.
    total : float
        The integral of the weight function.
    symmetric : bool
        True if every a_k is zero: only non-negative nodes are then computed.
    """
    nodes, mantissa, exponent = christoffel_rule(diagonal, squares, total, symmetric)
    return nodes, np.ldexp(mantissa, exponent)


def christoffel_rule(diagonal, squares, total, symmetric=False):
    """Return the rule of `gauss_from_recurrence`, its weights as arrays of mantissas and powers of two."""
    off_diagonal = dd.sqrt(squares)
    guess = scipy.linalg.eigvalsh_tridiagonal(diagonal[0], off_diagonal[0])
    n = guess.size
    gap = np.diff(guess).min(initial=1.0)
    if symmetric:
        guess = guess[n // 2 :]
        if n % 2:
            guess[0] = 0.0
    nodes = dd.from_float(guess)
    for _ in range(_MOST_STEPS):
        step, sums, exponent = _newton_step(nodes, diagonal, off_diagonal)
        nodes = dd.add(nodes, (-step, np.zeros_like(step)))
        # The sums, taken before this step, vary over lengths of about the gap.
        error = abs(step).max() / gap
        if error < _SETTLED and (np.diff(nodes[0]) > 0).all():
            break
    else:
        raise ConvergenceError(
            f"Newton's method for {n} nodes stopped at a step of {error:.1e} node spacings."
        )
    mantissa = total / sums
    if symmetric:
        mirrored = slice(n % 2, None)
        nodes = tuple(np.concatenate([-part[mirrored][::-1], part]) for part in nodes)
        mantissa, exponent = (np.concatenate([half[mirrored][::-1], half]) for half in (mantissa, exponent))
    return nodes, mantissa, exponent


def _newton_step(x, diagonal, off_diagonal):
    """Return p_n / p_n', s and e at x, near the zeros of p_n, with Σ_{j<n} p_j² = s 2^{-e}, p_0 = 1.

    By Christoffel and Darboux √b_n (p_n' p_{n-1} - p_n p_{n-1}') = Σ_{j<n} p_j², so at a zero the sum of
    squares gives both. Polynomials that outgrow the floats carry a power of two of their own.
    """
    n = diagonal[0].size
    previous, current = dd.from_float(np.zeros_like(x[0])), dd.from_float(np.ones_like(x[0]))
    squares, carry = np.ones_like(x[0]), np.zeros_like(x[0])
    exponent = np.zeros(x[0].shape, dtype=np.int64)
    root = dd.from_float(0.0)
    for k in range(n):
        a = diagonal[0][k], diagonal[1][k]
        following = dd.multiply(dd.add(x, dd.negative(a)), current)
        following = dd.add(following, dd.negative(dd.multiply(root, previous)))
        if k == n - 1:
            break
        root = off_diagonal[0][k], off_diagonal[1][k]
        previous, current = current, dd.divide(following, root)
        squares, error = dd.two_sum(squares, current[0] ** 2)
        carry += error + 2 * current[0] * current[1]
        if k % _RESCALE_EVERY == 0:
            shift = np.frexp(squares)[1] // 2
            exponent += shift
            previous, current = (tuple(np.ldexp(part, -shift) for part in p) for p in (previous, current))
            squares, carry = np.ldexp(squares, -2 * shift), np.ldexp(carry, -2 * shift)
    squares = squares + carry
    return following[0] * current[0] / squares, squares, -2 * exponent
