"""The L2 metric, of Lebesgue measure, of a density, or of points."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from funcgrad._checks import finite_array, point_array
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Density, point_evaluations
from funcgrad.metrics.base import SpectralMetric
from funcgrad.metrics.measures import BlockRoot, SampledRoot, looks_at_points_only
from funcgrad.operators.square_root import DiagonalRoot
from funcgrad.spaces.function import Function


@dataclass(frozen=True)
class L2(SpectralMetric):
    """<u, v> = ∫ u v dμ, with Lebesgue measure on the domain if nothing else is given.

    Point evaluations are unbounded in it, so a loss that looks at points has no L2 gradient. (In the
    empirical measure of points, evaluations at these points are bounded, and nothing else is.)

    Parameters
    ----------
    measure : callable, Function or array_like, optional
        A positive density with respect to Lebesgue measure, or points (N, n) for their empirical
        measure, of weight 1/N each. The functions of a grid that vanish at all of the points then have
        norm zero: representers are those of least norm in nodal values.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Circle(2 * np.pi).grid(16)
    >>> round(fg.L2().norm(grid.function(np.sin)) ** 2, 12)
    3.14159265359
    >>> data = fg.L2(measure=[0.0, np.pi / 2])
    >>> round(data.norm(grid.function(np.sin)) ** 2, 12)
    0.5
    """

    measure: Any = None
    order: ClassVar[float] = 0.0

    def __post_init__(self):
        if self.measure is None or callable(self.measure):
            return
        points = finite_array(self.measure, "measure")
        points = point_array(points, points.shape[1] if points.ndim == 2 else 1, "measure")
        if len(points) == 0:
            raise InvalidInput("`measure` must hold at least one point.")
        object.__setattr__(self, "measure", tuple(map(tuple, points.tolist())))

    @property
    def points(self):
        """The points (N, n) of an empirical measure, None for a density."""
        return np.array(self.measure) if isinstance(self.measure, tuple) else None

    def square_root(self, grid):
        """Return diag(√(wρ)), or the rows √(1/N) of interpolation at the points."""
        return _l2_root(self, grid)

    def symbol(self, eigenvalues):
        """Return 1 (for a density that is bounded above and below, of an equivalent metric)."""
        return np.ones_like(eigenvalues)

    def green_kernel(self, domain):
        """Raise: L2 has no reproducing kernel."""
        raise InvalidInput("L2 has no reproducing kernel: point evaluation is unbounded in it.")

    def flat(self, u):
        """See `Metric.flat`."""
        if self.measure is None:
            return Density(u)
        if self.points is None:
            rho = density_at(self.measure, u.grid)
            return Density(Function(u.grid, (rho * u.values.T).T))
        return point_evaluations(self.points, u(self.points) / len(self.points))

    def analysis(self, c):
        """See `Metric.analysis`; of points, the evaluations there and nothing else."""
        if self.points is None:
            return None
        if looks_at_points_only(c, self.points):
            return True, "it evaluates at points of the measure only"
        return False, "the empirical measure bounds evaluations at its own points and nothing else"

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`; Σ |w_i|²/m_i for points of masses m_i."""
        if self.points is None:
            return super().dual_norm(c, domain)
        if not looks_at_points_only(c, self.points):
            return math.inf
        points, counts = np.unique(self.points, axis=0, return_counts=True)
        masses = dict(zip(map(tuple, points.tolist()), counts / len(self.points), strict=True))
        return math.sqrt(sum(np.sum(atom.weight**2) / masses[atom.point] for atom in c.atoms))

    def __str__(self):
        if self.measure is None:
            return "L2"
        return "L2 of a density" if self.points is None else f"L2 of {len(self.measure)} points"


def density_at(measure, grid):
    """Return the values (N,) of a positive density, a callable or a `Function`, at a grid's nodes."""
    values = grid.function(measure).values
    if values.ndim != 1 or not np.all(values > 0):
        raise InvalidInput("`measure` must be one positive number at each point, a density.")
    return values


@lru_cache(maxsize=8)
def _l2_root(metric, grid):
    if metric.measure is None:
        return DiagonalRoot(grid.weights)
    if metric.points is None:
        return DiagonalRoot(grid.weights * density_at(metric.measure, grid))
    points = grid.domain.points(metric.points, "measure")
    weights = np.full(len(points), 1 / len(points))
    return SampledRoot(grid.interpolation_matrix(points), BlockRoot(weights, np.ones(len(points))), ())
