"""The square root of first-order energies with constant coefficients on tensor grids of polynomials."""

import functools

import numpy as np
import scipy.linalg

from funcgrad.errors import InvalidInput
from funcgrad.operators.jets import JetRows, boundary_points, require_vanishing, vanishing_axes
from funcgrad.operators.square_root import SquareRoot, reciprocal
from funcgrad.spaces.grid import along_axis


class TensorDerivativeRoot(SquareRoot):
    """S stacks √(w a_0) u and √(w a_i) ∂_i u at each node: the metric a_0 ∫uv + Σ_i a_i ∫∂_i u ∂_i v.

    SᵀS is inverted by fast diagonalisation: along each axis the functions that diagonalise mass and
    stiffness at once are found from the singular vectors of √w D √w⁻¹, not from its square, and nothing
    of the size of the whole grid squared is formed. Each solve is followed by one step of refinement.

    Parameters
    ----------
    grid : TensorGrid
        Of polynomial grids.
    mass : float
        a_0 >= 0. With 0, and no axis on which functions vanish, the solves give functions of mean zero.
    stiffness : sequence of float, (n,)
        a_i > 0.
    vanishing : sequence of bool, (n,), optional
        On which axes functions vanish at both ends; by default where the boundary condition says so.

    References
    ----------
    Lynch, Rice, Thomas, *Direct solution of partial difference equations by tensor product methods*,
    Numer. Math. 6, 1964.
    """

    def __init__(self, grid, mass, stiffness, vanishing=None):
        self._grid = grid
        self._vanishing = vanishing_axes(grid) if vanishing is None else tuple(vanishing)
        self._matrices = [factor.differentiation_matrix for factor in grid.factors]
        axes = [_axis_modes(f, zero) for f, zero in zip(grid.factors, self._vanishing, strict=True)]
        self._modes = [modes for modes, _ in axes]
        eigenvalues = [a * values for a, (_, values) in zip(stiffness, axes, strict=True)]
        self._inverse = reciprocal(mass + functools.reduce(np.add.outer, eigenvalues))
        n = len(grid.factors)
        slots = [((0,) * n, mass)] if mass else []
        slots += [(tuple(int(i == j) for j in range(n)), a) for i, a in enumerate(stiffness)]
        weights = np.sqrt(np.multiply.outer(grid.weights, [a for _, a in slots]))
        self._weights = weights
        self._has_mass = bool(mass)
        self.jets = (JetRows(grid.nodes, tuple((None, s) for s, _ in slots), _diagonal(weights)),)
        self.boundary_points = boundary_points(grid) if any(self._vanishing) else None

    def apply(self, values):
        """See `SquareRoot.apply`."""
        if self.boundary_points is not None:
            flat = values.reshape(len(values), -1)
            require_vanishing(self._on_faces(flat), flat, self._grid.domain)
        return self._stacked(values)

    def _on_faces(self, values):
        """The values at both ends of the axes on which functions vanish, flat."""
        faces = []
        for axis, (factor, zero) in enumerate(zip(self._grid.factors, self._vanishing, strict=True)):
            if zero:
                ends = factor.interpolation_matrix([factor.domain.a, factor.domain.b])
                faces.append(along_axis(ends.__matmul__, values, self._grid.shape, axis).ravel())
        return np.concatenate(faces)

    def _stacked(self, values):
        parts = [values] if self._has_mass else []
        parts += [along_axis(d.__matmul__, values, self._grid.shape, i) for i, d in enumerate(self._matrices)]
        stacked = np.stack(parts, axis=1)
        return (_column(self._weights, stacked) * stacked).reshape(-1, *values.shape[1:])

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        stacked = r.reshape(*self._weights.shape, *r.shape[1:])
        stacked = _column(self._weights, stacked) * stacked
        total = stacked[:, 0] if self._has_mass else 0.0
        for i, d in enumerate(self._matrices):
            total = total + along_axis(d.T.__matmul__, stacked[:, i + self._has_mass], self._grid.shape, i)
        return total

    def _inverse_of_square(self, components):
        """(SᵀS)⁻¹c among the functions that vanish where they must."""
        root = np.sqrt(self._grid.weights).reshape(-1, *[1] * (components.ndim - 1))
        array, shape = components / root, list(self._grid.shape)
        for axis, modes in enumerate(self._modes):
            array = along_axis(modes.T.__matmul__, array, shape, axis)
            shape[axis] = modes.shape[1]
        array = self._inverse.reshape(-1, *[1] * (array.ndim - 1)) * array
        for axis, modes in enumerate(self._modes):
            array = along_axis(modes.__matmul__, array, shape, axis)
            shape[axis] = modes.shape[0]
        return array / root

    def solve(self, r):
        """See `SquareRoot.solve`."""
        u = self._inverse_of_square(self.apply_transpose(r))
        return u + self._inverse_of_square(self.apply_transpose(r - self._stacked(u)))

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`; on the functions that vanish where they must."""
        u = self._inverse_of_square(components)
        u = u + self._inverse_of_square(components - self.apply_transpose(self._stacked(u)))
        return self._stacked(u)


def _axis_modes(factor, vanishing):
    """Return √w e_k, (n, k), and λ_k of the functions with ∫e_k e_l = δ_kl, ∫e_k' e_l' = λ_k δ_kl."""
    root = np.sqrt(factor.weights)
    derivative = root[:, None] * factor.differentiation_matrix / root
    if not vanishing:
        _, sigma, vt = scipy.linalg.svd(derivative)
        sigma[-1] = 0.0  # the constants
        return vt.T, sigma**2
    if len(factor) < 3:
        raise InvalidInput(f"H^1 with Dirichlet conditions needs at least 3 nodes an axis; got {factor!r}.")
    ends = factor.interpolation_matrix([factor.domain.a, factor.domain.b]) / root
    basis = scipy.linalg.null_space(ends)
    _, sigma, vt = scipy.linalg.svd(derivative @ basis, full_matrices=False)
    return basis @ vt.T, sigma**2


def _column(weights, stacked):
    return weights.reshape(*weights.shape, *[1] * (stacked.ndim - 2))


def _diagonal(rows):
    """(K, s) to the (K, s, s) diagonal matrices."""
    return np.einsum("ks,st->kst", rows, np.eye(rows.shape[1]))
