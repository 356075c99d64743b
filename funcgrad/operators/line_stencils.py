"""Difference operators on a line, uniform or not: what a difference operator on a grid is a sum of.

A uniform line has an interior stencil, even or odd, and is periodic or closed at each end by a small
dense block. Its transpose has the same form, so that adjoints need no matrix.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse


@dataclass(frozen=True, eq=False)
class LineStencil:
    """A difference operator on a uniform line: interior stencil, and dense blocks at its ends if any.

    Attributes
    ----------
    length : int
        Number of nodes.
    half : numpy.ndarray, shape (w + 1,)
        Interior stencil: ``half[0] * u[i] + sum_q half[q] * (u[i + q] + sign * u[i - q])``.
    sign : float
        1.0 for an even stencil; -1.0 for an odd one, whose ``half[0]`` is 0.
    start, end : numpy.ndarray, shape (rows, nodes)
        The first and the last rows, on the first and the last nodes; no rows if periodic.
    """

    length: int
    half: np.ndarray
    sign: float
    start: np.ndarray
    end: np.ndarray

    @property
    def is_periodic(self):
        """Whether the line closes on itself."""
        return self.start.size == 0

    def matrix(self):
        """Return the operator as a `scipy.sparse` CSR array."""
        n, top, (bottom, right) = self.length, self.start.shape[0], self.end.shape
        inside = np.arange(top, n - bottom)
        entries = [(inside, inside, np.full(inside.size, self.half[0]))]
        for q in range(1, self.half.size):
            entries.append((inside, (inside + q) % n, np.full(inside.size, self.half[q])))
            entries.append((inside, (inside - q) % n, np.full(inside.size, self.sign * self.half[q])))
        for block, row, column in ((self.start, 0, 0), (self.end, n - bottom, n - right)):
            i, j = np.indices(block.shape)
            entries.append((i.ravel() + row, j.ravel() + column, block.ravel()))
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        matrix = scipy.sparse.coo_array((values, (rows, columns)), shape=(n, n)).tocsr()
        matrix.eliminate_zeros()
        return matrix

    def transposed(self):
        """Return the operator of the transposed matrix."""
        half = self.sign * self.half if self.sign < 0 else self.half
        if self.is_periodic:
            return LineStencil(self.length, half, self.sign, self.start, self.end)
        width = self.half.size - 1
        # Row i of the transpose departs from its interior stencil while column i meets a closure.
        rows = max(self.start.shape[1], self.end.shape[1], self.start.shape[0] + width)
        nodes = rows + width
        if self.length < 2 * nodes:
            return LineStencil(self.length, half, self.sign, self.matrix().toarray().T, np.zeros((0, 0)))
        short = LineStencil(2 * nodes, self.half, self.sign, self.start, self.end).matrix().toarray().T
        return LineStencil(self.length, half, self.sign, short[:rows, :nodes], short[-rows:, -nodes:])


@dataclass(frozen=True, eq=False)
class NodeStencil:
    """An operator on a line whose row i has weights of its own on consecutive nodes from ``first[i]`` on."""

    weights: np.ndarray
    first: np.ndarray

    def matrix(self):
        """Return the operator as a `scipy.sparse` CSR array."""
        n, width = self.weights.shape
        columns = (self.first[:, None] + np.arange(width)).ravel()
        return scipy.sparse.csr_array((self.weights.ravel(), columns, np.arange(n + 1) * width), shape=(n, n))

    def transposed(self):
        """Return the operator of the transposed matrix."""
        matrix = self.matrix().T.tocsr()
        matrix.sort_indices()
        n = matrix.shape[0]
        first, last = matrix.indices[matrix.indptr[:-1]], matrix.indices[matrix.indptr[1:] - 1]
        width = int((last - first).max()) + 1
        first = np.minimum(first, n - width).astype(np.int64)
        weights = np.zeros((n, width))
        rows = np.repeat(np.arange(n), np.diff(matrix.indptr))
        weights[rows, matrix.indices - first[rows]] = matrix.data
        return NodeStencil(weights, first)


def mirrored(start, sign):
    """Return the block that closes the end of a line as `start` closes its start."""
    return sign * start[::-1, ::-1]
