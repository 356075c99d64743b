"""The Wasserstein metric of positive densities (Otto's)."""

import math
from dataclasses import dataclass

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector
from funcgrad.metrics.base import MetricField
from funcgrad.metrics.fisher_rao import DensityMetric
from funcgrad.operators.continuity_equation import PrimitiveRoot, StaggeredRoot
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import LineGrid

# Rounding of the flow U, an ulp of its largest value, adds ulp²/ρ to squared norms; taking ρ to be at least
# an ulp of its own largest value keeps that at an ulp, and what flows of bounded velocity lose by it too.
_ULP = np.finfo(float).eps


@dataclass(frozen=True)
class Wasserstein(MetricField):
    """The Wasserstein-2 metric <u, v>_ρ = ∫ ρ ∇p·∇q, where -∇·(ρ∇p) = u without flux over the boundary.

    It depends on the base point ρ, a positive density: ``metric.at(rho)`` is the metric there. It measures
    functions of mass zero by the kinetic energy of the flow that they change ρ by, a weighted homogeneous
    H^{-1} norm; others are refused. The representer of a covector of density g is -∇·(ρ∇g), so that the
    gradient flow of an entropy is a diffusion (Jordan, Kinderlehrer, Otto). It depends on g up to a constant
    only. Where ρ is below an ulp of its largest value it is taken to be that: what flows there is rounding.

    ====================================================  ====================================================
    grid                                                  -∇·(ρ∇)
    ====================================================  ====================================================
    interval, "gauss-legendre"                            by antiderivatives, ∫UV/ρ: as exact as the grid
    equispaced: circle, torus, interval and box of rule   staggered differences, of order 2 in the spacing
    "midpoint" (or with periodic axes)
    ====================================================  ====================================================

    Examples
    --------
    The normal densities: dm² + dσ².

    >>> import funcgrad as fg
    >>> normal = fg.models.Symbolic("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))", "x", "m s")
    >>> fg.gram(normal, [0.0, 0.5], fg.Wasserstein(), fg.Interval(-4, 4)).round(9) + 0.0
    array([[1., 0.],
           [0., 1.]])

    References
    ----------
    Otto, *The geometry of dissipative evolution equations: the porous medium equation*, 2001.
    """

    def at(self, f):
        """Return the metric at a positive density, a `Function`."""
        return WassersteinAt(f)

    def __str__(self):
        return "the Wasserstein metric"


class WassersteinAt(DensityMetric):
    """The Wasserstein metric at a density; where that is bounded above and below, equivalent to H^{-1}."""

    order = -1.0

    def _make_root(self, grid, rho):
        rho = np.maximum(rho, _ULP * rho.max())
        if isinstance(grid, PolynomialGrid) and grid.rule == "gauss-legendre":
            return PrimitiveRoot(grid, rho)
        lines = getattr(grid, "factors", (grid,))
        if not all(isinstance(line, LineGrid) for line in lines):
            raise InvalidInput(
                f'{self} is not available on {grid!r}; take `domain.grid(n, rule="midpoint")`, of equal '
                'cells (or "gauss-legendre" on an interval).'
            )
        axes = [(len(line), line.length / len(line), line.domain.boundary == "periodic") for line in lines]
        return StaggeredRoot(grid, axes, rho)

    def symbol(self, eigenvalues):
        """Return 1/λ and 0 for constants: that of the homogeneous H^{-1}, an equivalent metric."""
        return np.divide(1.0, eigenvalues, out=np.zeros_like(eigenvalues), where=eigenvalues > 0)

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`; (∫ρ|∇g|²)^½ for a density g, taken as the function of its grid."""
        if c.atoms or c.surfaces or any(any(alpha) for _, alpha in c.densities):
            return math.inf
        total = 0.0
        for density in c.densities:
            total += Covector(c.densities)(self.riesz(Covector(densities=[density]), density[0].grid))
        return math.sqrt(max(total, 0.0))

    def __str__(self):
        return "the Wasserstein metric at a density"
