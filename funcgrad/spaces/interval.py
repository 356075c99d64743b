"""The interval."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from funcgrad._checks import finite_number, one_of, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.domain import Domain


@dataclass(frozen=True)
class Interval(Domain):
    """The interval [a, b] with Neumann or Dirichlet conditions.

    Parameters
    ----------
    a, b : float
        The ends, a < b.
    boundary : {"neumann", "dirichlet"}
        The condition of the Laplacian behind `Sobolev` metrics. L2 does not depend on it.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> fg.Interval(0, np.pi, boundary="dirichlet").laplacian_spectrum(3)
    array([1., 4., 9.])
    """

    a: float = 0.0
    b: float = 1.0
    boundary: str = "neumann"
    dimension: ClassVar[int] = 1

    def __post_init__(self):
        object.__setattr__(self, "a", finite_number(self.a, "a"))
        object.__setattr__(self, "b", finite_number(self.b, "b"))
        if not self.a < self.b:
            raise InvalidInput(f"an interval needs `a` < `b`; got a = {self.a:g}, b = {self.b:g}.")
        one_of(self.boundary, ("neumann", "dirichlet"), "boundary")

    @property
    def length(self):
        """b - a."""
        return self.b - self.a

    @property
    def volume(self):
        """b - a."""
        return self.length

    def grid(self, n, rule="gauss-legendre"):
        """Return a grid of `n` nodes.

        With "gauss-legendre" (default) or "clenshaw-curtis" its functions are polynomials; with
        "midpoint" they are the cosine (Neumann) or sine (Dirichlet) sums of the Laplacian's
        eigenfunctions.
        """
        from funcgrad.spaces.polynomial_grid import PolynomialGrid
        from funcgrad.spaces.spectral_grid import HalfRangeGrid

        one_of(rule, ("gauss-legendre", "clenshaw-curtis", "midpoint"), "rule on an interval")
        n = whole_number(n, "n", least=1)
        return HalfRangeGrid(self, n) if rule == "midpoint" else PolynomialGrid(self, n, rule)

    def _modes(self, count):
        first = 0 if self.boundary == "neumann" else 1
        return np.arange(first, first + whole_number(count, "count"))

    def laplacian_spectrum(self, count):
        """Return (kπ/(b-a))², k = 0, 1, ... (Neumann) or k = 1, 2, ... (Dirichlet), ``(count,)``."""
        return (np.pi / self.length * self._modes(count)) ** 2

    def eigenfunctions(self, count, x, derivative=0):
        """Return √(2/(b-a)) cos(kπ(x-a)/(b-a)) (Neumann; 1/√(b-a) for k = 0) or the sines (Dirichlet).

        See `Domain.eigenfunctions`.
        """
        mode = self._modes(count)
        frequency = np.pi / self.length * mode
        quarter_turns = whole_number(derivative, "derivative") - (self.boundary == "dirichlet")
        phase = (self.points(x) - self.a) * frequency + quarter_turns * (np.pi / 2)
        amplitude = np.where(mode == 0, 1.0, np.sqrt(2.0)) / np.sqrt(self.length)
        return amplitude * frequency**derivative * np.cos(phase)

    def contains(self, x):
        """Return whether a <= x <= b."""
        return ((x >= self.a) & (x <= self.b)).all(axis=1)

    def __str__(self):
        return f"the interval [{self.a:g}, {self.b:g}] ({self.boundary})"
