"""The L2 metric."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Density
from funcgrad.metrics.base import SpectralMetric
from funcgrad.operators.square_root import DiagonalRoot


@dataclass(frozen=True)
class L2(SpectralMetric):
    """<u, v> = ∫ u v, with Lebesgue measure on the domain.

    Point evaluations are unbounded in it, so a loss that looks at points has no L2 gradient.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Circle(2 * np.pi).grid(16)
    >>> round(fg.L2().norm(grid.function(np.sin)) ** 2, 12)
    3.14159265359
    """

    order: ClassVar[float] = 0.0

    def square_root(self, grid):
        """Return diag(√w)."""
        return _l2_root(grid)

    def symbol(self, eigenvalues):
        """Return 1."""
        return np.ones_like(eigenvalues)

    def green_kernel(self, domain):
        """Raise: L2 has no reproducing kernel."""
        raise InvalidInput("L2 has no reproducing kernel: point evaluation is unbounded in it.")

    def flat(self, u):
        """See `Metric.flat`."""
        return Density(u)

    def __str__(self):
        return "L2"


@lru_cache(maxsize=8)
def _l2_root(grid):
    return DiagonalRoot(grid.weights)
