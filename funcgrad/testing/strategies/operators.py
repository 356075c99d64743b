"""Strategies for operators on nodal values."""

from typing import NamedTuple

from hypothesis import strategies as st

from funcgrad.metrics import L2, Sobolev
from funcgrad.operators import FiniteDifferenceLaplacian, sobolev_power
from funcgrad.operators.finite_differences import first_derivative, laplacian, second_derivative
from funcgrad.operators.summation_by_parts import SummationByParts
from funcgrad.spaces import Circle, Interval
from funcgrad.testing.protocols import Operator
from funcgrad.testing.strategies.given import sampled_kinds
from funcgrad.testing.strategies.spaces import lengths


class DrawnOperator(NamedTuple):
    """An operator with what `check_operator` needs to know of it.

    Attributes
    ----------
    operator : object
    shape : tuple of int
        Of the values that it takes.
    weights : float or None
        Of the inner product in which it is self-adjoint, None if it is not.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> drawn = find(strategies.operators(), lambda drawn: True)
    >>> drawn.shape, drawn.weights
    ((12,), None)
    """

    operator: Operator
    shape: tuple[int, ...]
    weights: float | None


KINDS = ("difference", "laplacian", "summation by parts", "power", "square root")


@st.composite
def operators(draw, *, kinds=KINDS):
    """Return a strategy for operators; they shrink to a first derivative of order 2 on 12 nodes.

    Parameters
    ----------
    kinds : sequence of str
        Among "difference", "laplacian", "summation by parts", "power" (of 1 - Δ), "square root" (a metric's).

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import check_operator, strategies
    >>> drawn = find(strategies.operators(), lambda drawn: True)
    >>> all(result.ok for result in check_operator(drawn.operator, shape=drawn.shape))
    True
    """
    kind = draw(sampled_kinds(kinds, KINDS))
    # Every kind draws the same, lest one that needs less counts as simpler.
    n, spacing = draw(st.integers(12, 20)), draw(lengths()) / 16
    order, one_sided, in_plane = draw(st.integers(1, 4)), draw(st.booleans()), draw(st.booleans())
    s = draw(st.integers(-4, 4)) / 2
    boundary = draw(st.sampled_from(["periodic", "neumann", "dirichlet"]))
    shape = (12, n) if in_plane else (n,)
    if kind == "difference":
        make = second_derivative if s < 0 else first_derivative
        closure = "one-sided" if one_sided else "periodic"
        return DrawnOperator(make(shape, spacing, 2 * order, closure, len(shape) - 1), shape, None)
    if kind == "laplacian":
        shape = (6, n) if in_plane else (n,)
        order = min(order, 2)
        return DrawnOperator(laplacian(shape, spacing, 2 * order), shape, 1.0)
    if kind == "summation by parts":
        return DrawnOperator(SummationByParts(shape, spacing, 2 * min(order, 2)), shape, None)
    if kind == "power":
        return DrawnOperator(sobolev_power(FiniteDifferenceLaplacian(n, spacing, boundary), s), (n,), 1.0)
    grid = (Interval(0.0, 1.0) if one_sided else Circle(1.0)).grid(n)
    return DrawnOperator((Sobolev(s, 0.5) if s else L2()).square_root(grid), (n,), None)
