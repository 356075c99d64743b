"""Scrambled Sobol points."""

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.errors import InvalidInput


def sobol(n, dimension, seed):
    """Return scrambled Sobol points in [-1, 1]^dimension with equal weights.

    A randomised quasi-Monte Carlo rule: unbiased over seeds, each point uniform, and every dyadic interval of
    every axis with 1/n of its length holds one point (Owen, J. Complexity 14, 1998). For smooth integrands
    the error falls nearly as n^{-3/2}.

    Parameters
    ----------
    n : int
        Number of points, a power of two up to 2^30: other sizes lose the balance of the points.
    dimension : int
        From 1 to 21201.
    seed : int or numpy.random.Generator
        Fixes the scrambling; the same integer gives the same points.

    Returns
    -------
    nodes : array of shape (n, dimension)
    weights : array of shape (n,)
        Each is 2^dimension / n.

    Raises
    ------
    InvalidInput
        If `n` is no power of two, or `dimension` or `seed` is not a whole number in its range.

    Examples
    --------
    >>> nodes, weights = sobol(1024, 2, seed=0)
    >>> bool(abs(weights @ (nodes**2).prod(axis=1) - 4 / 9) < 1e-3)
    True
    """
    from scipy.stats import qmc  # half a second, so on first use

    n = whole_number(n, "n", least=1)
    dimension = whole_number(dimension, "dimension", least=1)
    if n & (n - 1) or n > 2**30:
        raise InvalidInput(
            f"`n` must be a power of two up to 2^30; got {n}, take {min(2**30, _power_above(n))}."
        )
    if dimension > qmc.Sobol.MAXDIM:
        raise InvalidInput(f"`dimension` must be at most {qmc.Sobol.MAXDIM}; got {dimension}.")
    if not isinstance(seed, np.random.Generator):
        seed = np.random.default_rng(whole_number(seed, "seed"))
    points = qmc.Sobol(dimension, scramble=True, seed=seed).random(n)
    return 2 * points - 1, np.full(n, 2.0**dimension / n)


def _power_above(n):
    return 1 << (n - 1).bit_length()
