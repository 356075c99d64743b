"""The square root of a sum of metrics: the roots of its terms, stacked."""

from functools import cached_property

import numpy as np
import scipy.linalg

from funcgrad.errors import ConvergenceError, NotPositiveDefinite
from funcgrad.operators.square_root import DiagonalRoot, MeanZeroRoot, SpectralRoot, SquareRoot
from funcgrad.spaces.spectral_grid import SpectralGrid

# Up to this many unknowns S is a dense matrix with a QR factorisation.
_MOST_DENSE = 1024
# Beyond it, systems with SᵀS are solved to this relative residual.
TOLERANCE = 1e-12
_MOST_STEPS = 1000


def sum_root(grid, terms):
    """Return the `SquareRoot` of Σ_i a_i <., .>_i on a grid, for pairs (a_i, S_i), the strongest first.

    Diagonal where all terms are, on the nodes or in the grid's transform; otherwise the roots stacked.
    """
    roots = [root for _, root in terms]
    if all(isinstance(root, DiagonalRoot) for root in roots):
        return DiagonalRoot(sum(a * root.weights for a, root in terms))
    symbols = [_symbol(grid, root) for root in roots]
    if any(symbol is None for symbol in symbols):
        return StackedRoot(grid, terms)
    total = sum(a * symbol for (a, _), symbol in zip(terms, symbols, strict=True))
    total = np.where(np.all(symbols, axis=0), total, 0.0)  # 0 where a term's space lacks the mode
    root = SpectralRoot(grid, lambda eigenvalues: total)
    return MeanZeroRoot(grid, root) if any(isinstance(r, MeanZeroRoot) for r in roots) else root


def _symbol(grid, root):
    """Return the symbol of a root that is diagonal in the grid's transform, else None."""
    if isinstance(root, MeanZeroRoot):
        root = root.unrestricted
    if isinstance(root, SpectralRoot):
        return root.symbol
    if isinstance(root, DiagonalRoot) and isinstance(grid, SpectralGrid):
        ratio = root.weights / grid.weights
        if np.ptp(ratio) <= 4 * np.finfo(float).eps * ratio[0]:
            return np.full_like(grid.eigenvalues, ratio[0])
    return None


class StackedRoot(SquareRoot):
    """S = [√a_1 S_1; √a_2 S_2; ...], on the functions that are in the space of every term.

    Up to 1024 unknowns `solve` and `solve_transpose` use a QR factorisation of S, beyond that conjugate
    gradients on SᵀS to a relative residual of 1e-12, preconditioned by the first term.

    Parameters
    ----------
    grid : Grid
    terms : sequence of (float, SquareRoot)
        The strongest one first.
    """

    def __init__(self, grid, terms):
        self._nodes = len(grid)
        self._terms = [(np.sqrt(a), root) for a, root in terms]
        self.components = max((root.components for _, root in terms), key=len)
        self._size = int(np.prod(self.components, dtype=int))
        rows = [root.constraints for _, root in terms if root.constraints is not None]
        self.constraints = np.concatenate(rows) if rows else None
        probe = np.zeros((len(grid), *self.components))
        self._ends = np.cumsum([len(root.apply(probe)) for _, root in terms])

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return np.concatenate([a * root.apply(values) for a, root in self._terms])

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        parts = np.split(r, self._ends[:-1])
        return sum(a * root.apply_transpose(part) for part, (a, root) in zip(parts, self._terms, strict=True))

    @cached_property
    def _dense(self):
        return _DenseSolver(self) if self._nodes * self._size <= _MOST_DENSE else None

    def solve(self, r):
        """See `SquareRoot.solve`."""
        if self._dense is not None:
            return self._dense.solve(r)
        return self._conjugate_gradients(self.apply_transpose(r))

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        if self._dense is not None:
            return self._dense.solve_transpose(components)
        return self.apply(self._conjugate_gradients(components))

    def _of_first(self, c):
        """Return the representer in the first term's metric."""
        a, root = self._terms[0]
        return root.solve(root.solve_transpose(c)) / a**2

    @cached_property
    def _projection(self):
        """Rows C of all components' constraints, and D: x - DCx is in the space, nearest in the first."""
        rows = np.kron(self.constraints, np.eye(self._size))
        columns = rows.T.reshape(self._nodes, *self.components, -1)
        directions = self._of_first(columns).reshape(rows.shape[1], -1)
        return rows, directions @ np.linalg.pinv(rows @ directions, rcond=1e-10)

    def _precondition(self, c):
        x = self._of_first(c)
        if self.constraints is None:
            return x
        rows, directions = self._projection
        flat = x.reshape(rows.shape[1], -1)
        return (flat - directions @ (rows @ flat)).reshape(x.shape)

    def _restricted(self, c):
        """Return a covector's components without those that the constraints annihilate."""
        if self.constraints is None:
            return c
        rows, directions = self._projection
        flat = c.reshape(rows.shape[1], -1)
        return (flat - rows.T @ (directions.T @ flat)).reshape(c.shape)

    def _conjugate_gradients(self, c):
        """Solve SᵀS x = c, columns at once, each with its own step lengths."""
        axes = tuple(range(1 + len(self.components)))
        x, r = np.zeros_like(c), self._restricted(c)
        z = self._precondition(r)
        p, rz = z.copy(), np.sum(r * z, axis=axes)
        target = TOLERANCE**2 * rz
        for _ in range(_MOST_STEPS):
            if np.all(rz <= target):
                return x
            q = self.apply_transpose(self.apply(p))
            step = _ratio(rz, np.sum(p * q, axis=axes))
            x, r = x + step * p, self._restricted(r - step * q)
            z = self._precondition(r)
            rz, before = np.sum(r * z, axis=axes), rz
            p = z + _ratio(rz, before) * p
        reached = np.sqrt(np.max(_ratio(rz, target))) * TOLERANCE
        raise ConvergenceError(
            f"conjugate gradients on a sum of metrics reached a relative residual of {reached:.1e} in "
            f"{_MOST_STEPS} steps, not {TOLERANCE:.0e}: its terms differ too much; take fewer nodes."
        )


class _DenseSolver:
    """QR of the matrix of a `StackedRoot` on a basis of the functions that satisfy its constraints."""

    def __init__(self, root):
        self._components, size = root.components, int(np.prod(root.components, dtype=int))
        basis = np.eye(root._nodes)
        if root.constraints is not None:
            basis = scipy.linalg.null_space(root.constraints)
        self._basis = np.kron(basis, np.eye(size))
        image = root.apply(self._basis.reshape(root._nodes, *root.components, -1))
        self._shape = image.shape[:-1]
        self._q, self._r = scipy.linalg.qr(image.reshape(-1, image.shape[-1]), mode="economic")
        diagonal = np.abs(np.diag(self._r))
        if diagonal.min(initial=np.inf) <= len(image) * np.finfo(float).eps * diagonal.max(initial=0.0):
            raise NotPositiveDefinite("the sum of metrics gives some functions norm zero on this grid.")

    def solve(self, r):
        flat = r.reshape(len(self._q), -1)
        x = self._basis @ scipy.linalg.solve_triangular(self._r, self._q.T @ flat)
        return x.reshape(-1, *self._components, *r.shape[len(self._shape) :])

    def solve_transpose(self, components):
        flat = self._basis.T @ components.reshape(len(self._basis), -1)
        r = self._q @ scipy.linalg.solve_triangular(self._r, flat, trans="T")
        return r.reshape(*self._shape, *components.shape[1 + len(self._components) :])


def _ratio(a, b):
    return np.divide(a, b, out=np.zeros_like(np.asarray(a, dtype=float)), where=np.asarray(b) != 0)
