"""Square roots of metrics on a grid: S with <u, v> = (Su)·(Sv)."""

import math
from abc import ABC, abstractmethod

import numpy as np
import scipy.linalg

from funcgrad.errors import DomainMismatch, InvalidInput

# A function counts as of mean zero, or as vanishing at the ends, when it does so to this fraction of its
# largest value.
_NEGLIGIBLE = 1e-9
# A function counts as in a space of finite dimension when this share of its nodal values at most is outside.
_OUTSIDE = 1e-8


class SquareRoot(ABC):
    """A square root S of a metric on the functions of a grid: <u, v> = (Su)·(Sv).

    S is (M, N) with M >= N and acts on the first axis of nodal values (N, ...). A covector c is given by
    its components c_j = c(L_j) on the grid's cardinal functions. The Riesz representer of c is then
    ``solve(solve_transpose(c))``, its dual norm the length of ``solve_transpose(c)``, and a subclass
    gives these three maps without ever forming the Gram matrix SᵀS.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Circle(2 * np.pi).grid(16)
    >>> root = fg.Sobolev(1.0).square_root(grid)
    >>> u = np.sin(grid.nodes[:, 0])
    >>> round(float(np.sum(root.apply(u) ** 2)) / np.pi, 12)                # ∫ sin² + cos²
    2.0
    """

    # Whether S is diagonal, so that it can be taken on some of the nodes at a time (`DiagonalRoot.part`).
    is_diagonal = False
    # The axes of values (N, *components, ...) that S couples beside the nodes.
    components = ()

    # Rows (k, N) of evaluations or integrals that vanish on the space; None if it is all functions.
    constraints = None
    # The `operators.jets.JetRows` that S consists of, in order, if it takes derivatives at points: functions
    # that know theirs are then not differentiated on the grid.
    jets = None
    # Points (K, n) where functions must vanish, if S does not see that from `jets`.
    boundary_points = None

    def on_scalars(self):
        """Return the square root on functions of one component, for a metric that weights or couples them.

        Most treat every component alike, whatever their number: S itself.
        """
        return self

    @abstractmethod
    def apply(self, values):
        """Return S u, (M, ...), of nodal values (N, ...)."""

    @abstractmethod
    def apply_transpose(self, r):
        """Return Sᵀ r, (N, ...): the components of the covector v ↦ r·(Sv)."""

    @abstractmethod
    def solve(self, r):
        """Return the u that minimises |S u - r|."""

    @abstractmethod
    def solve_transpose(self, components):
        """Return the r in the range of S with Sᵀ r = c: the whitened covector."""


class DiagonalRoot(SquareRoot):
    """S = diag(√w): the L2 metric on a grid with quadrature weights w (times a density)."""

    is_diagonal = True

    def __init__(self, weights):
        self._root = np.sqrt(weights)

    @property
    def weights(self):
        """The squares of the diagonal, (N,)."""
        return self._root**2

    def part(self, nodes):
        """Return S on a slice of the nodes."""
        part = DiagonalRoot.__new__(DiagonalRoot)
        part._root = self._root[nodes]
        return part

    def _column(self, array):
        return self._root.reshape(-1, *[1] * (np.ndim(array) - 1))

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._column(values) * values

    apply_transpose = apply

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return r / self._column(r)

    solve_transpose = solve


class SpectralRoot(SquareRoot):
    """S = √w T⁻¹ σ^{1/2} T on a grid of weights w with the fast transform T: the metric of symbol σ.

    The symbol is a function of the eigenvalue λ of -Δ, positive, or 0 for modes that the space does not
    contain: `solve` and `solve_transpose` then work on the span of the others. T is orthogonal in
    Σ w_j u_j v_j, so that S is symmetric where the weights are equal.
    """

    def __init__(self, grid, symbol):
        self._grid = grid
        self.symbol = symbol(grid.eigenvalues)
        self._half_power = np.sqrt(self.symbol)
        self._inverse = reciprocal(self._half_power)
        self._root_weights = np.sqrt(grid.weights)

    def _column(self, array):
        return self._root_weights.reshape(-1, *[1] * (np.ndim(array) - 1))

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._column(values) * self._grid.multiply(self._half_power, values)

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._column(r) ** 2 * self._grid.multiply(self._half_power, r / self._column(r))

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return self._grid.multiply(self._inverse, r / self._column(r))

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        weights = self._column(components) ** 2
        return self._column(components) * self._grid.multiply(self._inverse, components / weights)


class TriangularRoot(SquareRoot):
    """S = L⁻¹ for a lower triangular L: the metric u·(LLᵀ)⁻¹v, as of the Gram matrix of a kernel.

    Of a matrix-valued kernel for m components L is (Nm, Nm), the components of a node together.
    """

    def __init__(self, factor, components=()):
        self._factor, self.components = factor, components

    def _solve(self, right, trans):
        flat = right.reshape(len(self._factor), -1)
        solution = scipy.linalg.solve_triangular(self._factor, flat, lower=True, trans=trans)
        return solution.reshape(right.shape)

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._solve(values, "N")

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._solve(r, "T")

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return (self._factor @ r.reshape(len(self._factor), -1)).reshape(r.shape)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        return (self._factor.T @ components.reshape(len(self._factor), -1)).reshape(components.shape)


class FiniteRankRoot(SquareRoot):
    """S = Σ⁻¹Uᵀ for features F = UΣVᵀ: the metric of the Gram matrix FFᵀ on its range; others are refused.

    Its r rows, r the rank, are coordinates of the functions of a space of finite dimension, as a tangent
    space is. Every covector is bounded there.

    Parameters
    ----------
    features : ndarray, (N, p) or (N, m, p)
    """

    def __init__(self, features):
        self.components = features.shape[1:-1]
        self._shape = features.shape[:-1]
        u, sigma, _ = scipy.linalg.svd(features.reshape(-1, features.shape[-1]), full_matrices=False)
        kept = sigma > max(features.shape) * np.finfo(float).eps * sigma.max(initial=0.0)
        self._u, self._sigma = u[:, kept], sigma[kept][:, None]

    def apply(self, values):
        """See `SquareRoot.apply`."""
        flat = values.reshape(len(self._u), -1)
        coordinates = self._u.T @ flat
        outside = np.linalg.norm(flat - self._u @ coordinates, axis=0)
        sizes = np.linalg.norm(flat, axis=0)
        if np.any(outside > _OUTSIDE * sizes):
            share = np.max(outside[sizes > 0] / sizes[sizes > 0])
            raise InvalidInput(
                f"a function is not in the space, which has dimension {len(self._sigma)}: a share of "
                f"{share:.2g} of its nodal values is outside."
            )
        return (coordinates / self._sigma).reshape(-1, *self._further(values))

    def _further(self, values):
        """Return the axes of values behind the nodes and the components that S couples."""
        return values.shape[len(self._shape) :]

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return (self._u @ (r.reshape(len(r), -1) / self._sigma)).reshape(*self._shape, *r.shape[1:])

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return (self._u @ (self._sigma * r.reshape(len(r), -1))).reshape(*self._shape, *r.shape[1:])

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        coordinates = self._u.T @ components.reshape(len(self._u), -1)
        return (self._sigma * coordinates).reshape(-1, *self._further(components))


class DerivativeRoot(SquareRoot):
    """S stacks √C(k,j) ℓ^j √w D^j, j = 0, ..., k: the metric Σ_j C(k,j) ℓ^{2j} ∫ D^j u D^j v of W^{k,2}.

    Nothing is imposed at the ends of the polynomial grid (conditions are natural: the representer
    satisfies them in the limit), unless `vanishing` is set: then the space is that of the grid's
    polynomials that vanish at both ends, and a function that does not is refused.
    """

    def __init__(self, grid, length_scale, order=1, vanishing=False):
        if vanishing and len(grid) < 3:
            raise InvalidInput(f"H^1 with Dirichlet conditions needs at least 3 nodes; got {grid!r}.")
        self._grid, self._basis = grid, None
        block = np.diag(np.sqrt(grid.weights))
        blocks = [block]
        for j in range(1, order + 1):
            block = length_scale * block @ grid.differentiation_matrix
            blocks.append(np.sqrt(math.comb(order, j)) * block)
        constrained = self._matrix = np.vstack(blocks)
        if vanishing:
            self._basis = scipy.linalg.null_space(_end_values(grid))
            constrained = self._matrix @ self._basis
        self._q, self._r = scipy.linalg.qr(constrained, mode="economic")

    def apply(self, values):
        """See `SquareRoot.apply`."""
        if self._basis is not None:
            require_vanishing_ends(self._grid, values)
        return _matmul(self._matrix, values)

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return _matmul(self._matrix.T, r)

    def solve(self, r):
        """See `SquareRoot.solve`."""
        coordinates = _solve_triangular(self._r, _matmul(self._q.T, r))
        return coordinates if self._basis is None else _matmul(self._basis, coordinates)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`; with Dirichlet conditions, Sᵀr = c on the constrained space."""
        restricted = components if self._basis is None else _matmul(self._basis.T, components)
        return _matmul(self._q, _solve_triangular(self._r, restricted, trans="T"))

    @property
    def constraints(self):
        """See `SquareRoot.constraints`."""
        return None if self._basis is None else _end_values(self._grid)


class MeanZeroRoot(SquareRoot):
    """The square root of a metric on the functions of mean zero; others are refused.

    A covector is restricted to these functions, so it has its representer among them whatever it does
    to constants.

    Parameters
    ----------
    grid : Grid
    root : SquareRoot
        Of the metric; what its `solve` returns has mean zero.
    """

    def __init__(self, grid, root):
        self._mean, self._root = grid.weights / grid.weights.sum(), root

    @property
    def unrestricted(self):
        """The root that it restricts."""
        return self._root

    @property
    def constraints(self):
        """See `SquareRoot.constraints`."""
        return self._mean[None]

    def apply(self, values):
        """See `SquareRoot.apply`."""
        mean = np.abs(self._mean @ values).max(initial=0.0)
        if mean > _NEGLIGIBLE * np.abs(values).max(initial=0.0):
            raise InvalidInput(
                f"a homogeneous metric takes functions of mean zero; got one of mean {mean:.3g}: subtract it."
            )
        return self._root.apply(values)

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._root.apply_transpose(r)

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return self._root.solve(r)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        return self._root.solve_transpose(components)


def require_vanishing_ends(grid, values):
    """Raise `DomainMismatch` unless a function's values at both ends are below 1e-9 of its largest.

    Values below 1e-12 pass outright: the difference of two such functions may be rounding only.
    """
    at_ends = np.abs(_matmul(_end_values(grid), values)).max(initial=0.0)
    if at_ends > max(_NEGLIGIBLE * np.abs(values).max(initial=0.0), 1e-12):
        raise DomainMismatch(
            f"a function that is {at_ends:.3g} at an end is not in the Sobolev space with Dirichlet "
            f"conditions on {grid.domain}, whose functions vanish there."
        )


def reciprocal(symbol):
    """Return 1/symbol, and 0 where the symbol is 0."""
    return np.divide(1.0, symbol, out=np.zeros_like(symbol), where=symbol != 0)


def _end_values(grid):
    return grid.interpolation_matrix([grid.domain.a, grid.domain.b])


def _matmul(matrix, array):
    """Apply a matrix to the first axis of an array with any further axes."""
    return np.tensordot(matrix, array, axes=1)


def _solve_triangular(r, right, trans="N"):
    flat = right.reshape(len(right), -1)
    return scipy.linalg.solve_triangular(r, flat, trans=trans).reshape(-1, *right.shape[1:])
