"""Summation by parts: difference operators and the quadrature with which they integrate by parts.

On a line with nodes x_0 .. x_N, the quadrature H is diagonal, the first derivative is ``D = H^-1 Q``
with ``Q + Q^T = B = diag(-1, 0, .., 0, 1)``, and the second is ``D_2 = H^-1 (-M + B S)`` with M
symmetric positive semidefinite and S a first derivative at the two ends. Hence, to rounding,

    (u, D v)_H + (D u, v)_H = u_N v_N - u_0 v_0,
    (u, D_2 v)_H = -u^T M v + u_N (S v)_N - u_0 (S v)_0.

The operators of interior order 4 are of order 2 in the four rows at each end; those of interior
order 2 are of order 1 there.

The first derivatives are those of B. Strand, J. Comput. Phys. 110 (1994) 47-67; the second those of
K. Mattsson and J. Nordström, J. Comput. Phys. 199 (2004) 503-540.
"""

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from funcgrad._checks import finite_array, one_of
from funcgrad.errors import InvalidInput
from funcgrad.operators.finite_differences import DifferenceOperator, grid_of_lines
from funcgrad.operators.line_stencils import LineStencil, mirrored
from funcgrad.operators.stencil_weights import central_weights


def _rows(*rows):
    return [[Fraction(entry) for entry in row.split()] for row in rows]


# For unit spacing: the first entries of H, the first rows of D and D_2, and S at the first node.
_NORM = {2: _rows("1/2")[0], 4: _rows("17/48 59/48 43/48 49/48")[0]}
_FIRST = {
    2: _rows("-1 1"),
    4: _rows(
        "-24/17 59/34 -4/17 -3/34 0 0",
        "-1/2 0 1/2 0 0 0",
        "4/43 -59/86 0 59/86 -4/43 0",
        "3/98 0 -59/98 0 32/49 -4/49",
    ),
}
_SECOND = {
    2: _rows("1 -2 1"),
    4: _rows(
        "2 -5 4 -1 0 0",
        "1 -2 1 0 0 0",
        "-4/43 59/43 -110/43 59/43 -4/43 0",
        "-1/49 0 59/49 -118/49 64/49 -4/49",
    ),
}
_BOUNDARY = {2: _rows("-3/2 2 -1/2")[0], 4: _rows("-11/6 3 -3/2 1/3")[0]}


@dataclass(frozen=True, eq=False)
class SummationByParts:
    """Difference operators on a uniform grid that integrate by parts exactly along every axis.

    Parameters
    ----------
    shape : int or sequence of int
        Number of nodes along each of the one to three axes, both ends included: at least 3 for order
        2 and 8 for order 4.
    spacing : float or sequence of float
        Distance of neighbouring nodes, the same on every axis or one for each.
    order : {2, 4}
        Order of accuracy in the interior.

    Raises
    ------
    InvalidInput
        On an unknown order or too few nodes.

    Examples
    --------
    >>> import numpy as np
    >>> pair = SummationByParts(21, 0.05, order=4)
    >>> x = np.linspace(0, 1, 21)
    >>> u, v = np.sin(x), np.exp(x)
    >>> derivative = pair.first_derivative()
    >>> parts = pair.weights @ (u * derivative.apply(v)) + pair.weights @ (derivative.apply(u) * v)
    >>> bool(abs(parts - (u[-1] * v[-1] - u[0] * v[0])) < 1e-14)
    True
    """

    shape: tuple
    spacing: tuple
    order: int

    def __post_init__(self):
        shape, spacing, _ = grid_of_lines(self.shape, self.spacing, "one-sided")
        one_of(self.order, tuple(_NORM), "order")
        least = {2: 3, 4: 8}[self.order]
        if min(shape) < least:
            raise InvalidInput(
                f"`shape` needs at least {least} nodes on each axis at order {self.order}; got {min(shape)}."
            )
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "spacing", spacing)

    @functools.cached_property
    def weights(self):
        """The quadrature H, of the grid's shape: the products of the weights along the axes."""
        total = np.ones(())
        for length, spacing in zip(self.shape, self.spacing, strict=True):
            line = np.ones(length)
            ends = np.array(_NORM[self.order], float)
            line[: ends.size], line[-ends.size :] = ends, ends[::-1]
            total = np.multiply.outer(total, spacing * line)
        return total

    def first_derivative(self, axis=0):
        """Return D along an axis, a `DifferenceOperator`."""
        return self._along(axis, 1, _FIRST[self.order], self._step(axis))

    def second_derivative(self, axis=0):
        """Return D_2 along an axis, a `DifferenceOperator`."""
        return self._along(axis, 2, _SECOND[self.order], self._step(axis) ** 2)

    def stiffness(self, axis=0):
        """Return M along an axis, a `DifferenceOperator`; it holds no weights of the other axes."""
        return self._along(axis, 2, _stiffness_rows(self.order), -self._step(axis))

    def laplacian(self):
        """Return the sum of the second derivatives along all axes, a `DifferenceOperator`."""
        lines = (self.second_derivative(axis).lines[axis] for axis in range(len(self.shape)))
        return DifferenceOperator(self.shape, tuple(lines))

    def boundary_derivative(self, u, axis=0):
        """Return S u, the derivative at the first and at the last nodes of an axis.

        Parameters
        ----------
        u : array_like, of the grid's shape

        Returns
        -------
        numpy.ndarray, shape (2, ...)
            The other axes follow.
        """
        u = finite_array(u, "u")
        if u.shape != self.shape:
            raise InvalidInput(f"`u` must have the grid's shape {self.shape}; got {u.shape}.")
        row = np.array(_BOUNDARY[self.order], float) / self._step(axis)
        u = np.moveaxis(u, axis, 0)
        return np.stack([np.tensordot(row, u[: row.size], 1), np.tensordot(-row, u[: -row.size - 1 : -1], 1)])

    def _step(self, axis):
        return self.spacing[one_of(axis, range(len(self.shape)), "axis")]

    def _along(self, axis, derivative, rows, scale):
        """Return the operator along an axis whose first rows, for unit spacing and sign, are given."""
        weights = central_weights(self.order, derivative)
        half = np.array(weights[len(weights) // 2 :], float) / scale
        start, sign = np.array(rows, float) / abs(scale), (-1.0) ** derivative
        lines = [None] * len(self.shape)
        lines[axis] = LineStencil(self.shape[axis], half, sign, start, mirrored(start, sign))
        return DifferenceOperator(self.shape, tuple(lines))


def _stiffness_rows(order):
    """Return the first rows of M = -H D_2 + B S."""
    rows = [
        [-weight * entry for entry in row] for weight, row in zip(_NORM[order], _SECOND[order], strict=True)
    ]
    for node, entry in enumerate(_BOUNDARY[order]):
        rows[0][node] -= entry
    return rows
