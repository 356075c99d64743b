"""What a solver asks of a whitened Jacobian: its blocks of rows, and products with it."""

import numpy as np

# A block of rows of this many numbers (2.4 MB) stays in the cache while LAPACK works on it.
BLOCK_ENTRIES = 300_000


def row_blocks(n_rows, n_columns):
    """Return slices of rows, each a block that stays in the cache but no wider than tall."""
    rows = max(BLOCK_ENTRIES // n_columns, n_columns + 1)
    return [slice(start, min(start + rows, n_rows)) for start in range(0, n_rows, rows)]


class DenseMatrix:
    """A matrix (M, p) held in memory.

    A matrix that is not held is any object with these members: `shape`, `blocks` (slices of rows that
    cover 0, ..., M - 1 in order), `block(rows)`, `matvec` and `rmatvec`.
    """

    def __init__(self, a):
        self.a = a
        self.shape = a.shape
        self.blocks = row_blocks(*a.shape)

    def block(self, rows):
        """Return a block of rows, not to be modified."""
        return self.a[rows]

    def matvec(self, x):
        """Return A x, (M,)."""
        return self.a @ x

    def rmatvec(self, y):
        """Return Aᵀ y, (p,)."""
        return self.a.T @ y


def as_matrix(a):
    """Return an array as a `DenseMatrix`, other matrices as they are."""
    return DenseMatrix(a) if isinstance(a, np.ndarray) else a
