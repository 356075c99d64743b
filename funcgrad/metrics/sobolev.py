"""The Sobolev metrics H^s and W^{k,2}."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from funcgrad._checks import finite_number, one_of, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector, Density
from funcgrad.metrics.base import SpectralMetric
from funcgrad.operators.eigenbasis import GalerkinRoot
from funcgrad.operators.square_root import (
    DerivativeRoot,
    DiagonalRoot,
    MeanZeroRoot,
    SpectralRoot,
)
from funcgrad.operators.tensor_derivative_root import TensorDerivativeRoot
from funcgrad.spaces.circle import Circle
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.function import Function
from funcgrad.spaces.interval import Interval
from funcgrad.spaces.polynomial_grid import PolynomialGrid, is_polynomial_product
from funcgrad.spaces.product import Box, ProductDomain, Torus
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.spaces.sphere import Sphere


@dataclass(frozen=True, repr=False)
class Sobolev(SpectralMetric):
    """<u, v>_s = <(1 - ℓ²Δ)^s u, v>_0, with the Laplacian of the domain's boundary condition.

    Available for every real s on grids of the Laplacian's eigenfunctions, where the power is exact: those of
    circles, tori and the sphere, the rule "midpoint" of intervals and boxes, "truncated" of Euclidean space.
    On the polynomial grids of an interval it is exact for s = 0 and 1, and otherwise taken on the
    eigenfunctions of the Laplacian among the grid's polynomials, of which about the lower 2/π are accurate
    (see `operators.GalerkinEigenbasis`).

    Parameters
    ----------
    order : float
        s, any real number; a whole number k >= 0 for ``definition="derivative"``.
    length_scale : float
        ℓ, in the units of the domain's coordinate.
    definition : {"spectral", "derivative"}
        "derivative" is W^{k,2}: <u, v> = Σ_{j<=k} C(k,j) ℓ^{2j} <D^j u, D^j v>_0, without any boundary
        condition, whatever the domain's is. It is the spectral one on the circle, and for k = 1 that of
        the Neumann condition on an interval. For k >= 2 on an interval it is another space: the spectral
        functions have a vanishing derivative at the ends once s > 3/2.
    homogeneous : bool
        <u, v> = <(-ℓ²Δ)^s u, v>_0, s negative or not, on the functions of mean zero, others are refused;
        the Riesz representer of a covector is that of its restriction to them. With Dirichlet
        conditions -Δ is positive and every function is taken.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> circle = fg.Circle(2 * np.pi)
    >>> H1 = fg.Sobolev(1.0)
    >>> round(H1.norm(circle.grid(16).function(np.sin)) ** 2, 12)           # (1 + 1²) π
    6.28318530718
    >>> round(H1.dual_norm(fg.PointEvaluation(0.3), circle) ** 2, 12)       # ½ coth π
    0.501870936599
    >>> W2 = fg.Sobolev(2, definition="derivative")
    >>> round(W2.norm(fg.Interval(0, 1).grid(8).function(lambda x: x**2)) ** 2, 12)  # 1/5 + 2·4/3 + 4
    6.866666666667
    """

    order: float
    length_scale: float = 1.0
    definition: str = "spectral"
    homogeneous: bool = False

    def __post_init__(self):
        object.__setattr__(self, "order", finite_number(self.order, "order"))
        object.__setattr__(self, "length_scale", positive_number(self.length_scale, "length_scale"))
        one_of(self.definition, ("spectral", "derivative"), "definition")
        if not isinstance(self.homogeneous, bool | np.bool_):
            raise InvalidInput(f"`homogeneous` must be True or False; got {self.homogeneous!r}.")
        if self.definition == "derivative" and (self.order < 0 or self.order % 1 != 0):
            raise InvalidInput(
                '`order` must be a whole number of derivatives, 0 or more, for definition="derivative"; got '
                f'{self.order:g}. Take definition="spectral".'
            )
        if self.definition == "derivative" and self.homogeneous:
            raise InvalidInput(
                '`homogeneous` goes with definition="spectral" only: k-th derivatives alone vanish on all '
                "polynomials of degree below k."
            )

    def square_root(self, grid):
        """See `Metric.square_root`."""
        return _sobolev_root(self, grid)

    def symbol(self, eigenvalues):
        """Return (1 + ℓ²λ)^s; (ℓ²λ)^s if homogeneous, and 0 at λ = 0, whose constants are left out."""
        scaled = self.length_scale**2 * np.asarray(eigenvalues, dtype=float)
        if not self.homogeneous:
            return (1 + scaled) ** self.order
        return np.power(scaled, self.order, out=np.zeros_like(scaled), where=scaled > 0)

    def spectral_domain(self, domain):
        """See `SpectralMetric.spectral_domain`: W^{k,2} of an interval from a circle of twice its length."""
        if self.definition == "derivative" and isinstance(domain, Interval):
            return Circle(2 * domain.length)
        return domain

    def green_kernel(self, domain):
        """Return the reproducing kernel, for s > n/2: the Green function of the metric's operator."""
        from funcgrad import kernels

        if self.homogeneous:
            return kernels.HomogeneousSobolev(self.order, domain, self.length_scale)
        if self.definition == "derivative" and isinstance(domain, Interval):
            return kernels.DerivativeSobolev(int(self.order), domain.a, domain.b, self.length_scale)
        if isinstance(domain, Euclidean):
            return kernels.Sobolev(self.order, domain.dimension, self.length_scale)
        if isinstance(domain, Sphere):
            return kernels.SphereSobolev(self.order, self.length_scale)
        if domain.dimension == 1 and isinstance(domain, ProductDomain):
            return self.green_kernel(domain.factors[0])
        if isinstance(domain, Torus):
            return kernels.TorusSobolev(self.order, domain.lengths, self.length_scale)
        if isinstance(domain, Box):
            return kernels.BoxSobolev(self.order, domain.bounds, domain.boundary, self.length_scale)
        if domain.boundary == "periodic":
            return kernels.PeriodicSobolev(self.order, domain.volume, self.length_scale)
        return kernels.IntervalSobolev(self.order, domain.a, domain.b, domain.boundary, self.length_scale)

    def _squared_dual_norm(self, c, domain):
        # W^{k,2} differs from the spectral space where there are ends.
        ends = {"neumann", "dirichlet"}.intersection(np.atleast_1d(domain.boundary))
        if not c.surfaces or (self.definition == "derivative" and ends):
            return super()._squared_dual_norm(c, domain)
        from funcgrad.metrics.heat import squared_dual_norm

        return squared_dual_norm(c, domain, self.order, self.length_scale, self.homogeneous)

    def flat(self, u):
        """See `Metric.flat`."""
        if self._stacks_derivatives(u.grid):
            return Covector(self._weak_terms(u))
        if isinstance(u.grid, SpectralGrid) and not self.homogeneous:
            return Density(Function(u.grid, u.grid.multiply(self.symbol(u.grid.eigenvalues), u.values)))
        root = self.square_root(u.grid)
        weights = u.grid.weights.reshape(-1, *[1] * (u.values.ndim - 1))
        return Density(Function(u.grid, root.apply_transpose(root.apply(u.values)) / weights))

    def _weak_terms(self, u):
        """The pairs (a_α ∂^α u, α) of <u, v> = Σ a_α ∫ ∂^α u ∂^α v; off the line, of the first order."""
        n = u.grid.domain.dimension
        indices = [(j,) for j in range(int(self.order) + 1)]
        if n > 1:
            indices = [(0,) * n, *map(tuple, np.eye(n, dtype=int).tolist())][: 1 + n * int(self.order)]
        return [(_binomial(self, sum(alpha)) * u.derivative(alpha), alpha) for alpha in indices]

    def _stacks_derivatives(self, grid):
        exact = self.definition == "derivative" or (self.order in (0, 1) and not self.homogeneous)
        return exact and not isinstance(grid, SpectralGrid)

    def __repr__(self):
        options = "" if self.definition == "spectral" else f", definition={self.definition!r}"
        options += ", homogeneous=True" if self.homogeneous else ""
        return f"Sobolev(order={self.order!r}, length_scale={self.length_scale!r}{options})"

    def __str__(self):
        scale = "" if self.length_scale == 1 else f" with length scale {self.length_scale:g}"
        space = f"W^{self.order:g},2" if self.definition == "derivative" else f"H^{self.order:g}"
        return f"{'homogeneous ' if self.homogeneous else ''}{space}{scale}"


def _binomial(metric, j):
    return math.comb(int(metric.order), j) * metric.length_scale ** (2 * j)


@lru_cache(maxsize=16)
def _sobolev_root(metric, grid):
    if metric.homogeneous:
        return _homogeneous_root(metric, grid)
    if metric.definition == "derivative":
        _require_dense(metric, grid)
    if metric.order == 0:
        return DiagonalRoot(grid.weights)
    if isinstance(grid, SpectralGrid):
        return SpectralRoot(grid, metric.symbol)
    if metric.order == 1 and is_polynomial_product(grid):
        imposes_nothing = metric.definition == "derivative"
        vanishing = (False,) * len(grid.factors) if imposes_nothing else None
        return TensorDerivativeRoot(grid, 1.0, _squares(metric, grid), vanishing)
    if not isinstance(grid, PolynomialGrid):
        raise InvalidInput(
            f"{metric} is not available on {grid!r}; take a grid of the Laplacian's eigenfunctions: rule "
            '"midpoint" on axes with ends, "trapezoid" on periodic ones, "truncated" on Euclidean space.'
        )
    if metric.definition == "derivative":
        return DerivativeRoot(grid, metric.length_scale, int(metric.order))
    if metric.order == 1:
        return DerivativeRoot(grid, metric.length_scale, vanishing=grid.domain.boundary == "dirichlet")
    return GalerkinRoot(grid, metric.symbol, metric.order)


def _homogeneous_root(metric, grid):
    if isinstance(grid, SpectralGrid):
        root = SpectralRoot(grid, metric.symbol)
    elif metric.order == 1 and is_polynomial_product(grid):
        root = TensorDerivativeRoot(grid, 0.0, _squares(metric, grid))
    else:
        root = GalerkinRoot(grid, metric.symbol, metric.order)
    return root if "dirichlet" in np.atleast_1d(grid.domain.boundary) else MeanZeroRoot(grid, root)


def _squares(metric, grid):
    return [metric.length_scale**2] * len(grid.factors)


def _require_dense(metric, grid):
    """Refuse W^{k,2} on sums of eigenfunctions whose boundary condition keeps them from being dense in it."""
    allowed = {"periodic": math.inf, "neumann": 1, "dirichlet": 0}
    highest = min(allowed.get(boundary, math.inf) for boundary in np.atleast_1d(grid.domain.boundary))
    if isinstance(grid, SpectralGrid) and metric.order > highest:
        raise InvalidInput(
            f"{metric} imposes no boundary condition, and the functions of {grid!r} satisfy one; take a grid "
            'of polynomials, `domain.grid(n, rule="gauss-legendre")`.'
        )
