"""Square roots made of a function's derivatives at points, one group of rows for each point."""

from dataclasses import dataclass

import numpy as np

from funcgrad.errors import DomainMismatch
from funcgrad.spaces.spectral_grid import SpectralGrid

# A function counts as vanishing on the boundary when it does so to this fraction of its largest value,
# and outright below the second: the difference of two such functions may be rounding only.
_NEGLIGIBLE, _ROUNDING = 1e-9, 1e-12


@dataclass(frozen=True, eq=False)
class JetRows:
    """The rows R_k (∂^α_s u_i_s(x_k))_s: combinations of derivatives of a function at points.

    Attributes
    ----------
    points : ndarray, (K, n)
    slots : tuple of (int or None, multi-index)
        The component i_s and the derivative α_s; None for functions of one component, or for all of
        them, one like the other.
    factors : ndarray, (K, r, s)
        R_k.
    """

    points: np.ndarray
    slots: tuple
    factors: np.ndarray

    def __len__(self):
        return self.factors.shape[0] * self.factors.shape[1]

    def part(self, chosen):
        """Return the rows of a slice of the points."""
        return JetRows(self.points[chosen], self.slots, self.factors[chosen])

    def apply(self, derivative):
        """Return the rows, (K r, ...), of functions known by their derivatives.

        Parameters
        ----------
        derivative : callable
            Of points (K, n) and a multi-index α: ∂^α u there, (K, ...), with an axis for the components
            next if the slots name them.
        """
        jets, result = {}, None
        for s, (component, alpha) in enumerate(self.slots):
            used = np.flatnonzero(self.factors[:, :, s].any(axis=0))
            if used.size and alpha not in jets:
                jets[alpha] = derivative(self.points, alpha)
            for row in used:
                jet = jets[alpha] if component is None else jets[alpha][:, component]
                if result is None:
                    result = np.zeros((*self.factors.shape[:2], *jet.shape[1:]))
                result[:, row] += self.factors[:, row, s].reshape(-1, *[1] * (jet.ndim - 1)) * jet
        return result.reshape(-1, *result.shape[2:])

    def pull(self, r):
        """Yield (α, component, weights (K, ...)) with r·(rows of u) = Σ weights · ∂^α u_component."""
        r = r.reshape(*self.factors.shape[:2], *r.shape[1:])
        for s, (component, alpha) in enumerate(self.slots):
            yield alpha, component, np.einsum("kr,kr...->k...", self.factors[:, :, s], r)


def vanishing_axes(grid):
    """Return, for each axis of a grid, whether functions on it must be made to vanish at both ends.

    With Dirichlet conditions they must, but for sums of sines, which do by themselves.
    """
    factors = getattr(grid, "factors", (grid,))
    return tuple(
        factor.domain.boundary == "dirichlet" and not isinstance(factor, SpectralGrid) for factor in factors
    )


def boundary_points(grid):
    """Return points (K, n) on the faces where the grid's functions must be made to vanish."""
    factors, points = getattr(grid, "factors", (grid,)), [np.empty((0, len(vanishing_axes(grid))))]
    for axis, vanishing in enumerate(vanishing_axes(grid)):
        if vanishing:
            lines = [factor.nodes[:, 0] for factor in factors]
            lines[axis] = np.array([factors[axis].domain.a, factors[axis].domain.b])
            mesh = np.meshgrid(*lines, indexing="ij")
            points.append(np.stack([coordinate.ravel() for coordinate in mesh], axis=1))
    return np.concatenate(points)


def require_vanishing(at_boundary, values, domain):
    """Raise `DomainMismatch` unless values on the boundary are below 1e-9 of the largest inside."""
    largest = np.abs(at_boundary).max(initial=0.0)
    if largest > max(_NEGLIGIBLE * np.abs(values).max(initial=0.0), _ROUNDING):
        raise DomainMismatch(
            f"a function that is {largest:.3g} on the boundary is not in the Sobolev space with Dirichlet "
            f"conditions on {domain}, whose functions vanish there."
        )
