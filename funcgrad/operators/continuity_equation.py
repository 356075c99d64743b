"""Square roots of the Wasserstein metric: the potential p with -∇·(ρ∇p) = u, no flux at the boundary."""

import functools

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from funcgrad.errors import InvalidInput
from funcgrad.operators.square_root import SquareRoot

# A function counts as of mass zero when its mean is below this times its largest value.
_NEGLIGIBLE = 1e-9


class ContinuityRoot(SquareRoot):
    """S u = √ρ ∇p with -∇·(ρ∇p) = u: <u, v> = ∫ ρ ∇p·∇q, on functions of mass zero; others are refused.

    A covector of density g has the whitened form √ρ ∇g, and the representer -∇·(ρ∇g), whatever it does to
    constants.

    Parameters
    ----------
    grid : Grid
    """

    def __init__(self, grid):
        self._weights, self._volume = grid.weights, grid.weights.sum()

    @property
    def constraints(self):
        """See `SquareRoot.constraints`."""
        return self._weights[None]

    def _require_mass_zero(self, values):
        mass = np.abs(self._weights @ values).max(initial=0.0)
        if mass > _NEGLIGIBLE * self._volume * np.abs(values).max(initial=0.0):
            raise InvalidInput(
                f"the Wasserstein metric takes functions of mass zero; got one of mass {mass:.3g}. Densities "
                "of a model must keep their mass: normalise it, or take a domain on which it is normalised."
            )


class StaggeredRoot(ContinuityRoot):
    """By finite volumes on a tensor grid of equal cells: p at the nodes, ρ∇p on the faces between them.

    On a face ∇p is the difference quotient, and ρ the mean of both sides, so -∇·(ρ∇) = W⁻¹GᵀRG is
    symmetric, singular on constants alone, and of order 2 in the spacing. It is factored once.

    Parameters
    ----------
    grid : Grid
        Of equal weights.
    axes : sequence of (int, float, bool)
        Nodes, spacing, and whether it is periodic, of each axis.
    rho : ndarray, (N,)
    """

    def __init__(self, grid, axes, rho):
        super().__init__(grid)
        self._gradient = _on_faces(axes, lambda h: (-1 / h, 1 / h))
        faces = _on_faces(axes, lambda h: (0.5, 0.5)) @ rho
        self._cell = grid.weights[0]
        self._root = np.sqrt(self._cell * faces)
        # p is 0 at the node of largest density: elsewhere the ground would hang on a weak link.
        self._free = np.delete(np.arange(len(rho)), np.argmax(rho))
        self._factors = None

    def _potential(self, components):
        """Return p, (N, k), with GᵀRG p = c for the components c of a covector that annihilates constants."""
        if self._factors is None:
            matrix = self._gradient.T @ scipy.sparse.diags_array(self._root**2) @ self._gradient
            matrix = matrix.tocsc()[self._free][:, self._free]
            self._factors = scipy.sparse.linalg.splu(
                matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        p = np.zeros_like(components)
        if len(self._free):
            p[self._free] = self._factors.solve(components[self._free])
        return p

    def apply(self, values):
        """See `SquareRoot.apply`."""
        self._require_mass_zero(values)
        flat = values.reshape(len(values), -1)
        r = self._root[:, None] * (self._gradient @ self._potential(self._cell * flat))
        return r.reshape(-1, *values.shape[1:])

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        flat = self._gradient.T @ (self._root[:, None] * r.reshape(len(r), -1))
        return self._cell * self._potential(flat).reshape(-1, *r.shape[1:])

    def solve(self, r):
        """See `SquareRoot.solve`."""
        flat = self._gradient.T @ (self._root[:, None] * r.reshape(len(r), -1))
        return flat.reshape(-1, *r.shape[1:]) / self._cell

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        flat = self._gradient @ (components.reshape(len(components), -1) / self._cell)
        return (self._root[:, None] * flat).reshape(-1, *components.shape[1:])


def _on_faces(axes, weights):
    """Return the sparse matrix of two-node combinations on the faces of all axes, axis after axis."""
    blocks = []
    for axis, (n, h, periodic) in enumerate(axes):
        left, right = weights(h)
        line = scipy.sparse.diags_array([left, right], offsets=[0, 1], shape=(n - 1, n), format="lil")
        if periodic and n > 1:
            last = scipy.sparse.lil_array((1, n))
            last[0, n - 1], last[0, 0] = left, right
            line = scipy.sparse.vstack([line, last])
        factors = [line if i == axis else scipy.sparse.eye_array(size) for i, (size, _, _) in enumerate(axes)]
        blocks.append(functools.reduce(scipy.sparse.kron, factors))
    return scipy.sparse.vstack(blocks, format="csr")


class PrimitiveRoot(ContinuityRoot):
    """On a Gauss-Legendre grid, exactly for its polynomials: ρp' = -U, the antiderivative, so <u, v> = ∫UV/ρ.

    U has degree N and vanishes at both ends, and the Gauss nodes see all such. With polynomials g of the
    grid ∫ U g' is exact, so S and √(wρ) g' are adjoint. The values √(w/ρ) U leave out one direction of R^N,
    √(ρ/w)/P_{N-1}.

    Parameters
    ----------
    grid : PolynomialGrid
    rho : ndarray, (N,)
    """

    def __init__(self, grid, rho):
        super().__init__(grid)
        n, self._half = len(grid), grid.domain.length / 2
        self._xi = (grid.nodes[:, 0] - (grid.domain.a + grid.domain.b) / 2) / self._half
        self._derivative = grid.differentiation_matrix
        degree = np.arange(n)
        legendre = np.polynomial.legendre.legvander(self._xi, n - 1) * np.sqrt(degree + 0.5)
        # ∫ of the orthonormal P_k is β_k P_{k+1} - β_{k-1} P_{k-1}, and P_N vanishes at the nodes.
        raising = np.diag(1 / np.sqrt((2 * degree[:-1] + 1) * (2 * degree[:-1] + 3)), -1)
        self._flux = legendre @ (raising.T - raising) @ (legendre.T * grid.weights)
        self._scale = np.sqrt(grid.weights / rho)
        missed = 1 / (self._scale * legendre[:, -1])
        self._missed = missed / np.linalg.norm(missed)

    def _seen(self, r):
        """Return r without the direction that S leaves out."""
        return r - np.multiply.outer(self._missed, self._missed @ r)

    def apply(self, values):
        """See `SquareRoot.apply`."""
        self._require_mass_zero(values)
        flat = values.reshape(len(values), -1)
        return (self._scale[:, None] * (self._flux @ flat)).reshape(values.shape)

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return (self._flux.T @ (self._scale[:, None] * r.reshape(len(r), -1))).reshape(r.shape)

    def solve(self, r):
        """See `SquareRoot.solve`; -U' of U = (1 - ξ²) q with q of degree N - 2."""
        flat = self._seen(r.reshape(len(r), -1)) / self._scale[:, None]
        bump, xi = ((1 - self._xi) * (1 + self._xi))[:, None], self._xi[:, None]
        q = flat / bump
        return (2 * xi / self._half * q - bump * (self._derivative @ q)).reshape(r.shape)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        flat = components.reshape(len(components), -1) / self._weights[:, None]
        r = (self._weights / self._scale)[:, None] * (self._derivative @ flat)
        return self._seen(r).reshape(components.shape)
