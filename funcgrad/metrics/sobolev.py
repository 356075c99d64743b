"""The Sobolev metrics H^s."""

from dataclasses import dataclass
from functools import lru_cache

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector, Density
from funcgrad.metrics.base import SpectralMetric
from funcgrad.operators.square_root import DerivativeRoot, DiagonalRoot, SpectralRoot
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.function import Function
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import SpectralGrid


@dataclass(frozen=True)
class Sobolev(SpectralMetric):
    """<u, v>_s = <(1 - ℓ²Δ)^s u, v>_0, with the Laplacian of the domain's boundary condition.

    On grids of the Laplacian's eigenfunctions (those of circles, tori and the sphere, the rule "midpoint"
    of intervals and boxes, "truncated" of Euclidean space) it is available for every real s, on the
    polynomial grids of the interval for s = 0 and 1.

    Parameters
    ----------
    order : float
        s, any real number.
    length_scale : float
        ℓ, in the units of the domain's coordinate.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> circle = fg.Circle(2 * np.pi)
    >>> H1 = fg.Sobolev(1.0)
    >>> round(H1.norm(circle.grid(16).function(np.sin)) ** 2 / np.pi, 12)      # 1 + 1²
    2.0
    >>> round(float(H1.dual_norm(fg.PointEvaluation(0.3), circle) ** 2 * 2 * np.tanh(np.pi)), 12)
    1.0
    """

    order: float
    length_scale: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "order", finite_number(self.order, "order"))
        object.__setattr__(self, "length_scale", positive_number(self.length_scale, "length_scale"))

    def square_root(self, grid):
        """See `Metric.square_root`."""
        return _sobolev_root(self, grid)

    def symbol(self, eigenvalues):
        """Return (1 + ℓ²λ)^s."""
        return (1 + self.length_scale**2 * eigenvalues) ** self.order

    def green_kernel(self, domain):
        """Return the Green function of (1 - ℓ²Δ)^s, a kernel; s > 1/2."""
        from funcgrad import kernels

        if domain.dimension != 1:
            raise InvalidInput(
                f"the Green function of {self} on {domain} is not available; on one grid take "
                "`metric.riesz(c, grid)` and its norm."
            )
        if domain.boundary == "periodic":
            return kernels.PeriodicSobolev(self.order, domain.volume, self.length_scale)
        if isinstance(domain, Euclidean):
            return kernels.Sobolev(self.order, 1, self.length_scale)
        return kernels.IntervalSobolev(self.order, domain.a, domain.b, domain.boundary, self.length_scale)

    def flat(self, u):
        """See `Metric.flat`."""
        if isinstance(u.grid, SpectralGrid):
            return Density(Function(u.grid, u.grid.multiply(self.symbol(u.grid.eigenvalues), u.values)))
        self.square_root(u.grid)  # refuses orders other than 0 and 1
        derivative = [(self.length_scale**2 * u.derivative(), 1)] if self.order == 1 else []
        return Covector([(u, 0), *derivative])

    def __str__(self):
        scale = "" if self.length_scale == 1 else f" with length scale {self.length_scale:g}"
        return f"H^{self.order:g}{scale}"


@lru_cache(maxsize=16)
def _sobolev_root(metric, grid):
    if metric.order == 0:
        return DiagonalRoot(grid.weights)
    if isinstance(grid, SpectralGrid):
        return SpectralRoot(grid, metric.symbol)
    if metric.order == 1 and isinstance(grid, PolynomialGrid):
        return DerivativeRoot(grid, metric.length_scale)
    raise InvalidInput(
        f"{metric} is not available on {grid!r}; take a grid of the Laplacian's eigenfunctions: rule "
        '"midpoint" on axes with ends, "trapezoid" on periodic ones, "truncated" on Euclidean space.'
    )
