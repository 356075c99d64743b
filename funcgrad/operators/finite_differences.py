"""Finite differences on uniform grids of one to three axes, and on arbitrary nodes of a line.

An operator is a sum over axes of difference operators on lines (`line_stencils`), which a compiled loop
applies all at once.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from funcgrad._checks import finite_array, one_of, positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.operators.line_stencils import LineStencil, NodeStencil, mirrored
from funcgrad.operators.stencil_weights import central_weights, fornberg_weights, one_sided_weights

ORDERS = (2, 4, 6, 8)
BOUNDARIES = ("periodic", "one-sided")


def first_derivative(shape, spacing, order, boundary="periodic", axis=0):
    """Return the first derivative along an axis of a uniform grid.

    Parameters
    ----------
    shape : int or sequence of int
        Number of nodes along each of the one to three axes.
    spacing : float or sequence of float
        Distance of neighbouring nodes, the same on every axis or one for each.
    order : {2, 4, 6, 8}
        Order of accuracy, in the interior and in the closures at a boundary alike.
    boundary : str or sequence of str
        "periodic" (the node after the last is the first) or "one-sided", for all axes or for each.
    axis : int
        The axis to differentiate along.

    Returns
    -------
    DifferenceOperator

    Raises
    ------
    InvalidInput
        On an unknown order or boundary, or too few nodes: ``order + 1`` are needed on an axis.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 11)
    >>> derivative = first_derivative(11, 0.1, order=2, boundary="one-sided")
    >>> np.allclose(derivative.apply(x**2), 2 * x)
    True
    """
    return _along(1, shape, spacing, order, boundary, axis)


def second_derivative(shape, spacing, order, boundary="periodic", axis=0):
    """Return the second derivative along an axis of a uniform grid.

    Parameters, result and errors are those of `first_derivative`, but a one-sided axis needs
    ``order + 2`` nodes.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 11)
    >>> np.allclose(second_derivative(11, 0.1, order=4, boundary="one-sided").apply(x**3), 6 * x)
    True
    """
    return _along(2, shape, spacing, order, boundary, axis)


def laplacian(shape, spacing, order, boundary="periodic"):
    """Return the Laplacian, the sum of the second derivatives along the axes of a uniform grid.

    Parameters, result and errors are those of `second_derivative`.

    Examples
    --------
    >>> import numpy as np
    >>> t = 2 * np.pi * np.arange(32) / 32
    >>> u = np.sin(t)[:, None] * np.cos(t)
    >>> operator = laplacian((32, 32), t[1], order=8)
    >>> bool(abs(operator.apply(u) + 2 * u).max() < 1e-7)
    True
    """
    shape, spacing, boundary = grid_of_lines(shape, spacing, boundary)
    lines = [_line(2, *line, order) for line in zip(shape, spacing, boundary, strict=True)]
    return DifferenceOperator(shape, tuple(lines))


def derivative_on_nodes(nodes, derivative, order):
    """Return the derivative of any order on increasing nodes of a line.

    Each row uses the ``order + derivative`` nodes around its own, with Fornberg's weights: it is exact
    for polynomials of degree ``order + derivative - 1``, and of order `order` in the largest spacing.

    Parameters
    ----------
    nodes : array_like, shape (n,)
        Strictly increasing.
    derivative, order : int
        At least 1.

    Returns
    -------
    DifferenceOperator

    Raises
    ------
    InvalidInput
        If the nodes do not increase or are fewer than ``order + derivative``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 0.1, 0.3, 0.4, 0.8, 1.0])
    >>> np.allclose(derivative_on_nodes(x, 1, order=2).apply(x**2), 2 * x)
    True
    """
    nodes = finite_array(nodes, "nodes", ndim=1)
    derivative = whole_number(derivative, "derivative", least=1)
    width = whole_number(order, "order", least=1) + derivative
    if nodes.size < width:
        raise InvalidInput(
            f"`nodes` must be at least {width} (order {order} + derivative {derivative}); got {nodes.size}."
        )
    steps = np.diff(nodes)
    if not (steps > 0).all():
        where = int(np.argmin(steps > 0))
        raise InvalidInput(f"`nodes` must increase; node {where + 1} does not exceed node {where}.")
    first = np.clip(np.arange(nodes.size) - (width - 1) // 2, 0, nodes.size - width)
    weights = fornberg_weights(nodes[first[:, None] + np.arange(width)], nodes, derivative)
    return DifferenceOperator((nodes.size,), (NodeStencil(weights, first),))


@dataclass(frozen=True, eq=False)
class DifferenceOperator:
    """A linear operator on grid values: a sum over axes of difference operators on lines.

    Attributes
    ----------
    shape : tuple of int
        Shape of the grid values it takes and gives.
    lines : tuple of LineStencil, NodeStencil or None
        The operator along each axis; None where the axis takes no part.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.operators.finite_differences import second_derivative
    >>> operator = second_derivative((6,), 1.0, order=2)
    >>> operator.apply(np.arange(6.0) ** 2)[1:-1]
    array([2., 2., 2., 2.])
    >>> bool((operator.matrix() @ np.arange(6.0) == operator.apply(np.arange(6.0))).all())
    True
    """

    shape: tuple
    lines: tuple

    def apply(self, u, out=None):
        """Return the operator applied to grid values, without forming a matrix.

        Parameters
        ----------
        u : array_like, of the operator's shape
        out : numpy.ndarray, optional
            Where the result goes: float64, C-contiguous, of the operator's shape, apart from `u`. With
            it, and `u` such an array too, nothing of the grid's size is allocated.

        Raises
        ------
        InvalidInput
            On a wrong shape or kind, and if `u` has entries that are not finite or so large that the
            result overflows; `out` is then partly overwritten.
        """
        u = _values(u, self.shape)
        out = np.empty(self.shape) if out is None else _destination(out, u)
        if self._run(out.reshape(-1), u.reshape(-1)):
            finite_array(u, "u")
            raise InvalidInput("`u` is too large: its differences overflow. Scale it down.")
        return out

    def transpose(self):
        """Return the operator of the transposed matrix, the adjoint for equal weights."""
        lines = tuple(line and line.transposed() for line in self.lines)
        return DifferenceOperator(self.shape, lines)

    def matrix(self):
        """Return the operator on flattened grid values (C order) as a `scipy.sparse` CSR array."""
        total = 0
        for axis, line in enumerate(self.lines):
            if line is not None:
                before, after = math.prod(self.shape[:axis]), math.prod(self.shape[axis + 1 :])
                inner = scipy.sparse.kron(line.matrix(), scipy.sparse.eye_array(after))
                total = total + scipy.sparse.kron(scipy.sparse.eye_array(before), inner)
        return scipy.sparse.csr_array(total)

    def linear_operator(self, weights=None):
        """Return the operator A as a `scipy.sparse.linalg.LinearOperator` on flattened grid values.

        Its adjoint (`rmatvec`, `.H`, and since all is real also `.T`) belongs to the inner product
        ``sum(weights * u * v)`` of the grid: it is ``W^-1 A^T W``, applied without a matrix.

        Parameters
        ----------
        weights : array_like, optional
            Positive, of the operator's shape or one that broadcasts to it; equal weights by default,
            for which the adjoint is the transpose.
        """
        from scipy.sparse.linalg import LinearOperator

        weights = 1.0 if weights is None else _weights(weights, self.shape)
        transpose = self.transpose()
        size = math.prod(self.shape)

        def matvec(u):
            return self.apply(u.reshape(self.shape)).reshape(-1)

        def rmatvec(v):
            return (transpose.apply(weights * v.reshape(self.shape)) / weights).reshape(-1)

        return LinearOperator((size, size), matvec=matvec, rmatvec=rmatvec, dtype=np.float64)

    def _run(self, out, u):
        """Apply to flat arrays; return a number above 0 if the result is not finite."""
        from funcgrad.operators import _compiled

        if isinstance(self.lines[0], NodeStencil):
            return _compiled.apply_rows(out, u, self.lines[0].weights, self.lines[0].first)
        return _compiled.sweep(out, u, *self._plan)

    @functools.cached_property
    def _plan(self):
        """The arrays that `_compiled.sweep` takes: see there."""
        shape, lines = _three_axes(self.shape, self.lines)
        taking_part = [line for line in lines if line is not None]
        width = max(line.half.size for line in taking_part) - 1
        width = 4 if width == 3 else width  # the compiled loops have 1, 2 and 4
        blocks = [block for line in taking_part for block in (line.start, line.end)]
        half, sign = np.zeros((3, width + 1)), np.ones(3)
        closures = np.zeros((3, 2, *np.max([block.shape for block in blocks], axis=0)))
        counts = np.zeros((3, 6), np.int64)
        counts[:, 0] = shape
        for axis, line in enumerate(lines):
            if line is not None:
                half[axis, : line.half.size], sign[axis] = line.half, line.sign
                counts[axis, 1:] = math.prod(shape[axis + 1 :]), *line.start.shape, *line.end.shape
                for side, block in enumerate((line.start, line.end)):
                    closures[axis, side, : block.shape[0], : block.shape[1]] = block
        return half, sign, closures, counts, _tile(shape, lines)


def _along(derivative, shape, spacing, order, boundary, axis):
    shape, spacing, boundary = grid_of_lines(shape, spacing, boundary)
    axis = one_of(axis, range(len(shape)), "axis")
    lines = [None] * len(shape)
    lines[axis] = _line(derivative, shape[axis], spacing[axis], boundary[axis], order)
    return DifferenceOperator(shape, tuple(lines))


def _line(derivative, length, spacing, boundary, order):
    """Return the derivative on a uniform line, closed at its stated order."""
    order = one_of(order, ORDERS, "order")
    scale = spacing**derivative
    weights = central_weights(order, derivative)
    width = len(weights) // 2
    half = np.array(weights[width:], float) / scale
    sign = (-1.0) ** derivative
    if boundary == "periodic":
        _enough_nodes(length, order + 1, order, boundary)
        return LineStencil(length, half, sign, np.zeros((0, 0)), np.zeros((0, 0)))
    _enough_nodes(length, order + derivative, order, boundary)
    rows = [one_sided_weights(order, derivative, position) for position in range(width)]
    start = np.array(rows, float) / scale
    return LineStencil(length, half, sign, start, mirrored(start, sign))


def _enough_nodes(length, least, order, boundary):
    if length < least:
        raise InvalidInput(
            f"a {boundary} axis needs at least {least} nodes at order {order}; got {length}. "
            "Refine the grid or lower the order."
        )


def grid_of_lines(shape, spacing, boundary):
    """Return shape, spacings and boundaries, one for each axis.

    Examples
    --------
    >>> grid_of_lines((4, 8), 0.5, "periodic")
    ((4, 8), (0.5, 0.5), ('periodic', 'periodic'))
    """
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if not 1 <= len(shape) <= 3:
        raise InvalidInput(f"`shape` must have one to three axes; got {len(shape)}.")
    shape = tuple(whole_number(length, "shape", least=1) for length in shape)
    spacing = (spacing,) * len(shape) if np.ndim(spacing) == 0 else tuple(spacing)
    boundary = (boundary,) * len(shape) if isinstance(boundary, str) else tuple(boundary)
    for name, values in (("spacing", spacing), ("boundary", boundary)):
        if len(values) != len(shape):
            raise InvalidInput(f"`{name}` must be one or {len(shape)}, one for each axis; got {len(values)}.")
    spacing = tuple(positive_number(step, "spacing") for step in spacing)
    return shape, spacing, tuple(one_of(kind, BOUNDARIES, "boundary") for kind in boundary)


def _values(u, shape):
    """Return `u` as a contiguous float64 array; whether it is finite is seen in the result."""
    if np.iscomplexobj(u):
        raise InvalidInput("`u` must be real; got complex numbers.")
    try:
        u = np.asarray(u, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"`u` must be an array of numbers; got {type(u).__name__}.") from error
    if u.shape != shape:
        raise InvalidInput(f"`u` must have the operator's shape {shape}; got {u.shape}.")
    return u


def _destination(out, u):
    suits = isinstance(out, np.ndarray) and out.dtype == np.float64 and out.flags.c_contiguous
    if not (suits and out.flags.writeable and out.shape == u.shape):
        raise InvalidInput(f"`out` must be a writeable, C-contiguous float64 array of shape {u.shape}.")
    if np.may_share_memory(out, u):
        raise InvalidInput("`out` must not share memory with `u`: neighbours are read after it is written.")
    return out


def _weights(weights, shape):
    weights = finite_array(weights, "weights")
    if not (weights > 0).all():
        raise InvalidInput(f"`weights` must be positive; the least is {weights.min():g}.")
    try:
        return np.broadcast_to(weights, shape)
    except ValueError as error:
        raise InvalidInput(f"`weights` must broadcast to {shape}; got shape {weights.shape}.") from error


def _three_axes(shape, lines):
    """Return the grid as three axes, those around a single axis that takes part merged into one."""
    active = [axis for axis, line in enumerate(lines) if line is not None]
    if len(active) > 1:
        missing = 3 - len(shape)
        return (1,) * missing + shape, (None,) * missing + lines
    axis = active[0]
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if after == 1:
        return (1, before, shape[axis]), (None, None, lines[axis])
    return (before, shape[axis], after), (None, lines[axis], None)


def _tile(shape, lines):
    """Return the box that one thread sweeps: the rows it comes back to fit the second-level cache."""
    columns = min(shape[2], 2048 if shape[1] > 1 else 16384)
    if lines[0] is not None:
        return np.array([64, min(shape[1], max(1, 16384 // columns)), columns])
    rows = min(shape[1], max(64, 65536 // columns))
    return np.array([min(shape[0], max(1, 65536 // (rows * columns))), rows, columns])
