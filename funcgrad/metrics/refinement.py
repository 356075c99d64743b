"""Limits of numbers that are known on refined grids."""

from funcgrad.errors import ConvergenceError, FuncgradError, InvalidInput

# Two refinements must agree to this.
_TOLERANCE = 1e-6
_MOST_NODES = 2**20


def refined_limit(squared_norm, domain, rules=("midpoint", None), most_nodes=_MOST_NODES, first=16):
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
    first : int
        The first n.

    Raises
    ------
    ConvergenceError
        If two refinements do not agree.
    InvalidInput
        If there are not enough grids.
    """
    for rule in rules:
        squares, limits = [], []
        n = first
        while n**domain.dimension <= most_nodes:
            try:
                squares.append(float(squared_norm(domain.grid(n, rule))))
            except ConvergenceError:
                raise
            except FuncgradError:  # the rule, or the metric on its grids, is not available
                break
            if len(squares) >= 3:
                first, second, third = squares[-3:]
                curvature = (third - second) - (second - first)
                limits.append(third - (third - second) ** 2 / curvature if curvature else third)
                if len(limits) >= 2 and abs(limits[-1] - limits[-2]) <= _TOLERANCE * limits[-1]:
                    return limits[-1]
            n *= 2
        if len(limits) >= 2:
            reached = abs(limits[-1] / limits[-2] - 1)
            raise ConvergenceError(
                f"the squared dual norm is known to a relative {reached:.1e} only, not {_TOLERANCE:.0e}: it "
                "converges slowly; `whiten` gives it on one grid."
            )
    raise InvalidInput(f"the metric works on no grids of {domain}.")
