"""The Fisher-Rao metric of positive densities."""

from dataclasses import dataclass

import numpy as np

from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.functionals.covector import Density
from funcgrad.metrics.base import MetricField, SpectralMetric
from funcgrad.operators.square_root import DiagonalRoot
from funcgrad.spaces.function import Function


@dataclass(frozen=True)
class FisherRao(MetricField):
    """The metric <u, v>_ρ = ∫ uv/ρ on the tangent functions u, v of a positive density ρ.

    It depends on the base point ρ: ``metric.at(rho)`` is the metric there. On the parameters of a family of
    probability densities its Gram matrix is the Fisher information matrix. It is the only Riemannian metric,
    up to a factor, that sufficient statistics leave unchanged (Chentsov).

    Densities may have any mass (as intensities of point processes have), and so may tangent functions. The
    gradient of F with ∇_0 F = g is then ρg; along the densities of mass 1 it is ρ(g - ∫ρg). The natural
    gradient of a model whose densities have one mass is the same in both.

    Examples
    --------
    The normal densities: dm²/σ² + 2 dσ²/σ².

    >>> import funcgrad as fg
    >>> normal = fg.models.Symbolic("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))", "x", "m s")
    >>> fg.gram(normal, [0.0, 0.5], fg.FisherRao(), fg.Interval(-4, 4)).round(9) + 0.0
    array([[4., 0.],
           [0., 8.]])
    """

    def at(self, f):
        """Return the metric at a positive density, a `Function`."""
        return FisherRaoAt(f)

    def __str__(self):
        return "the Fisher-Rao metric"


class DensityMetric(SpectralMetric):
    """A metric at a base density ρ: what such metrics share.

    Parameters
    ----------
    base : Function
        With one component, positive at its grid's nodes.
    """

    def __init__(self, base):
        if not isinstance(base, Function):
            raise InvalidInput(f"`f` must be a Function; got {type(base).__name__}.")
        self.base, self._root = base, None
        positive_values(base)

    def square_root(self, grid):
        """See `Metric.square_root`."""
        if self._root is None or self._root[0] != grid:
            if grid.domain != self.base.grid.domain:
                raise DomainMismatch(
                    f"the base density lives on {self.base.grid.domain}, not on {grid.domain}."
                )
            self._root = grid, self._make_root(grid, positive_values(grid.function(self.base)))
        return self._root[1]

    def flat(self, u):
        """See `Metric.flat`."""
        root = self.square_root(u.grid)
        return Density(Function(u.grid, (root.apply_transpose(root.apply(u.values)).T / u.grid.weights).T))

    def green_kernel(self, domain):
        """Raise: point evaluation is unbounded, as in L2."""
        raise InvalidInput(f"{self} has no reproducing kernel: point evaluation is unbounded in it.")


class FisherRaoAt(DensityMetric):
    """The Fisher-Rao metric at a density; where that is bounded above and below, equivalent to L2."""

    order = 0.0

    def _make_root(self, grid, rho):
        return DiagonalRoot(grid.weights / rho)

    def symbol(self, eigenvalues):
        """Return 1: that of L2, an equivalent metric."""
        return np.ones_like(eigenvalues)

    def __str__(self):
        return "the Fisher-Rao metric at a density"


def positive_values(rho):
    """Return the values (N,) of a base density, or raise and say where it is not positive."""
    if rho.values.ndim != 1:
        raise InvalidInput(f"`f` must be one density, values (N,); got {rho.values.shape}.")
    lowest = int(np.argmin(rho.values))
    if not rho.values[lowest] > 0:
        raise InvalidInput(
            f"`f` must be a positive density; it is {rho.values[lowest]:.3g} at "
            f"x = {rho.grid.nodes[lowest].tolist()} of {rho.grid!r}."
        )
    return rho.values
