"""Square roots of metrics on a grid: S with <u, v> = (Su)·(Sv)."""

from abc import ABC, abstractmethod

import numpy as np
import scipy.linalg

from funcgrad.errors import DomainMismatch, InvalidInput


class SquareRoot(ABC):
    """A square root S of a metric on the functions of a grid: <u, v> = (Su)·(Sv).

    S is (M, N) with M >= N and acts on the first axis of nodal values (N, ...). A covector c is given by
    its components c_j = c(L_j) on the grid's cardinal functions. The Riesz representer of c is then
    ``solve(solve_transpose(c))``, its dual norm the length of ``solve_transpose(c)``, and a subclass
    gives these three maps without ever forming the Gram matrix SᵀS.
    """

    # Whether S is diagonal, so that it can be taken on some of the nodes at a time (`DiagonalRoot.part`).
    is_diagonal = False

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

    The symbol is a positive function of the eigenvalue λ of -Δ. T is orthogonal in Σ w_j u_j v_j, so that
    S is symmetric where the weights are equal.
    """

    def __init__(self, grid, symbol):
        self._grid = grid
        self._half_power = np.sqrt(symbol(grid.eigenvalues))
        self._inverse = 1 / self._half_power
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
    """S = L⁻¹ for a lower triangular L: the metric u·(LLᵀ)⁻¹v, as of the Gram matrix of a kernel."""

    def __init__(self, factor):
        self._factor = factor

    def _solve(self, right, trans):
        flat = right.reshape(len(right), -1)
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
        return _matmul(self._factor, r)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        return _matmul(self._factor.T, components)


class DerivativeRoot(SquareRoot):
    """S = [√w; ℓ √w D]: the H^1 metric ∫ uv + ℓ² ∫ u'v' on a polynomial grid.

    With Neumann conditions nothing is imposed (the condition is natural: the representer satisfies it
    in the limit). With Dirichlet conditions the space is that of the grid's polynomials that vanish at
    both ends; a function that does not is refused.
    """

    # A function counts as vanishing at the ends when its values there are below this times its largest,
    # or below the second number outright: the difference of two such functions may be rounding only.
    BOUNDARY_TOLERANCE = 1e-9, 1e-12

    def __init__(self, grid, length_scale):
        self._domain = grid.domain
        root = np.sqrt(grid.weights)[:, None]
        self._matrix = np.vstack([np.diag(root[:, 0]), length_scale * root * grid.differentiation_matrix])
        self._ends = self._basis = None
        constrained = self._matrix
        if self._domain.boundary == "dirichlet":
            if len(grid) < 3:
                raise InvalidInput(f"H^1 with Dirichlet conditions needs at least 3 nodes; got {grid!r}.")
            self._ends = grid.interpolation_matrix([self._domain.a, self._domain.b])
            self._basis = scipy.linalg.null_space(self._ends)
            constrained = self._matrix @ self._basis
        self._q, self._r = scipy.linalg.qr(constrained, mode="economic")

    def apply(self, values):
        """See `SquareRoot.apply`."""
        if self._ends is not None:
            at_ends = np.abs(self._ends @ values).max(initial=0.0)
            relative, absolute = self.BOUNDARY_TOLERANCE
            if at_ends > max(relative * np.abs(values).max(initial=0.0), absolute):
                raise DomainMismatch(
                    f"a function that is {at_ends:.3g} at an end is not in H^1 with Dirichlet conditions "
                    f"on {self._domain}, whose functions vanish there."
                )
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


def _matmul(matrix, array):
    """Apply a matrix to the first axis of an array with any further axes."""
    return np.tensordot(matrix, array, axes=1)


def _solve_triangular(r, right, trans="N"):
    flat = right.reshape(len(right), -1)
    return scipy.linalg.solve_triangular(r, flat, trans=trans).reshape(-1, *right.shape[1:])
