"""Square roots of metrics that look at values point by point: weights, blocks of them, and samples."""

import numpy as np
import scipy.linalg

from funcgrad.errors import InvalidInput
from funcgrad.operators.square_root import DiagonalRoot, SquareRoot

# A covector counts as one of a sampled metric when this share of it at most is left over.
_LEFT_OVER = 1e-8
# Singular values of samples below this times the largest are zero.
_RCOND = 1e-12


class BlockRoot(SquareRoot):
    """S = diag(√w_k R_k) on nodal values: <u, v> = Σ w_k (R_k u_k)·(R_k v_k).

    Parameters
    ----------
    weights : ndarray, (N,)
    factors : ndarray, (N,), (N, m) or (N, m, m)
        R_k: one number at a node, or one for each component, or a matrix on the components.
    """

    def __init__(self, weights, factors):
        root = np.sqrt(weights)
        self._factors = root.reshape(-1, *[1] * (factors.ndim - 1)) * factors
        self.components = factors.shape[1:2]
        if factors.ndim < 3:
            self._inverse = 1 / self._factors
        else:
            self._inverse = np.linalg.pinv(self._factors, rcond=_RCOND)

    def on_scalars(self):
        """See `SquareRoot.on_scalars`; the mean over the components, w_k tr(R_kᵀR_k)/m."""
        squares = self._factors.reshape(len(self._factors), -1) ** 2
        return DiagonalRoot(squares.sum(axis=1) / (1 if self._factors.ndim == 1 else self._factors.shape[1]))

    def _times(self, factors, values, transpose=False):
        if factors.ndim == 3:
            return np.einsum("kji,kj...->ki..." if transpose else "kij,kj...->ki...", factors, values)
        return factors.reshape(factors.shape + (1,) * (values.ndim - factors.ndim)) * values

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._times(self._factors, values)

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._times(self._factors, r, transpose=True)

    def solve(self, r):
        """See `SquareRoot.solve`; of least norm where R_k is singular."""
        return self._times(self._inverse, r)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`; what a singular R_k does not see is refused."""
        r = self._times(self._inverse, components, transpose=True)
        _require_seen(components, self.apply_transpose(r))
        return r


class SampledRoot(SquareRoot):
    """S = B E: a grid's functions are evaluated at points by E, and measured there by a `BlockRoot` B.

    Fewer points than nodes leave functions that S does not see: representers are those of least norm
    in nodal values, and covectors must look at the points only.
    """

    def __init__(self, interpolation, at_points, components):
        self._e, self._at_points = interpolation, at_points
        # The unknowns' shape on the nodes: (N,) or (N, m).
        self.components = components
        size = int(np.prod(components, dtype=int))
        unit = np.eye(interpolation.shape[1] * size).reshape(interpolation.shape[1], *components, -1)
        image = self.apply(unit)
        self._shape = image.shape[:-1]
        u, sigma, vt = scipy.linalg.svd(image.reshape(-1, image.shape[-1]), full_matrices=False)
        kept = sigma > _RCOND * sigma.max(initial=0.0)
        self._u, self._sigma, self._vt = u[:, kept], sigma[kept], vt[kept]

    def on_scalars(self):
        """See `SquareRoot.on_scalars`."""
        return SampledRoot(self._e, self._at_points.on_scalars(), ())

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._at_points.apply(np.tensordot(self._e, values, axes=1))

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return np.tensordot(self._e.T, self._at_points.apply_transpose(r), axes=1)

    def solve(self, r):
        """See `SquareRoot.solve`; of least norm."""
        flat = r.reshape(self._u.shape[0], -1)
        solution = self._vt.T @ ((self._u.T @ flat) / self._sigma[:, None])
        return solution.reshape(-1, *self.components, *r.shape[len(self._shape) :])

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`; a covector that looks elsewhere than at the points is refused."""
        flat = components.reshape(self._vt.shape[1], -1)
        r = (self._u @ ((self._vt @ flat) / self._sigma[:, None])).reshape(
            *self._shape, *components.shape[1 + len(self.components) :]
        )
        _require_seen(components, self.apply_transpose(r))
        return r


def _require_seen(components, represented):
    if np.linalg.norm(components - represented) > _LEFT_OVER * np.linalg.norm(components):
        raise InvalidInput(
            "the covector is not bounded in the metric: it sees functions that the metric gives norm zero "
            "(between the points of an empirical measure, or along outputs that a likelihood ignores)."
        )


def looks_at_points_only(c, points):
    """Return whether a covector is a sum of evaluations, without derivatives, at some of the points."""
    known = {tuple(point) for point in (points + 0.0).tolist()}
    return not (c.densities or c.surfaces) and all(
        not any(atom.derivative) and tuple(x + 0.0 for x in atom.point) in known for atom in c.atoms
    )
