"""Limits of numbers that are known on refined grids."""

import math

import numpy as np

from funcgrad.errors import ConvergenceError, FuncgradError, InvalidInput

# Two refinements must agree to this.
REFINED_ACCURACY = 1e-6
_MOST_NODES = 2**20


def refined_limit(squared_norm, domain, rules=("midpoint", None), most_nodes=_MOST_NODES):
    """Return the limit of a squared norm on n, 2n, 4n, ... nodes an axis, to a relative 1e-6.

    By Aitken's rule: the error is taken to be near a power of n.

    Parameters
    ----------
    squared_norm : callable
        Of a grid; it may raise where the metric is not available on it.
    domain : Domain
    rules : sequence of str or None
        Of the grids, in the order in which they are tried.
    most_nodes : int
        Of a grid.

    Raises
    ------
    ConvergenceError
        If two refinements do not agree.
    InvalidInput
        If there are not enough grids.
    """
    for rule in rules:
        limits = []
        for squares in _refinements(squared_norm, domain, rule, 16, most_nodes):
            if len(squares) >= 3:
                before, last_but_one, last = squares[-3:]
                curvature = (last - last_but_one) - (last_but_one - before)
                limits.append(last - (last - last_but_one) ** 2 / curvature if curvature else last)
                if len(limits) >= 2 and abs(limits[-1] - limits[-2]) <= REFINED_ACCURACY * limits[-1]:
                    return limits[-1]
        if len(limits) >= 2:
            raise _slow(abs(limits[-1] / limits[-2] - 1), REFINED_ACCURACY)
    raise InvalidInput(f"the metric works on no grids of {domain}.")


def settled_value(squared_norm, domain, most_nodes, tolerance):
    """Return the limit where the error falls at least like 1/n: the last of three within `tolerance`."""
    change = math.inf
    for squares in _refinements(squared_norm, domain, None, 16 if domain.dimension == 1 else 4, most_nodes):
        if len(squares) >= 3:
            change = np.abs(np.diff(squares[-3:])).max() / squares[-1] if squares[-1] else 0.0
            if change <= tolerance:
                return squares[-1]
    raise _slow(change, tolerance)


def _refinements(squared_norm, domain, rule, n, most_nodes):
    """Yield the list of squared norms on n, 2n, 4n, ... nodes, one longer each time."""
    squares = []
    while n**domain.dimension <= most_nodes:
        try:
            squares.append(float(squared_norm(domain.grid(n, rule))))
        except ConvergenceError:
            raise
        except FuncgradError:  # the rule, or the metric on its grids, is not available
            return
        yield squares
        n *= 2


def _slow(reached, tolerance):
    return ConvergenceError(
        f"the squared dual norm is known to a relative {reached:.1e} only, not {tolerance:.0e}: it "
        "converges slowly; `whiten` gives it on one grid."
    )
