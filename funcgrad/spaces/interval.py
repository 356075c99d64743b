"""The interval."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from funcgrad._checks import finite_number, one_of, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.circle import Circle
from funcgrad.spaces.domain import Domain

_POLYNOMIAL_RULES = ("gauss-legendre", "gauss-lobatto", "clenshaw-curtis")
_SPLINE_RULES = ("trapezoid", "simpson")


@dataclass(frozen=True)
class Interval(Domain):
    """The interval [a, b] with Neumann, Dirichlet or periodic conditions.

    With periodic conditions its ends are one point, and points outside are taken modulo b - a: it is the
    circle of that length, with coordinates that start at a.

    Parameters
    ----------
    a, b : float
        The ends, a < b.
    boundary : {"neumann", "dirichlet", "periodic"}
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
        one_of(self.boundary, ("neumann", "dirichlet", "periodic"), "boundary")

    @property
    def length(self):
        """b - a."""
        return self.b - self.a

    @property
    def volume(self):
        """b - a."""
        return self.length

    @property
    def _circle(self):
        return Circle(self.length)

    def grid(self, n, rule=None):
        """Return a grid of `n` nodes.

        ======================================================  ==============================================
        rule                                                    its functions
        ======================================================  ==============================================
        "gauss-legendre" (default), "gauss-lobatto",            polynomials of degree n - 1
        "clenshaw-curtis"
        "midpoint"                                              cosine (Neumann) or sine (Dirichlet) sums: the
                                                                Laplacian's eigenfunctions
        "trapezoid", "simpson"                                  cubic splines: on equispaced nodes polynomials
                                                                are ill-conditioned
        "trapezoid" with periodic conditions, where it is the   trigonometric sums: the Laplacian's
        only one and the default                                eigenfunctions
        ======================================================  ==============================================
        """
        from funcgrad.spaces.polynomial_grid import PolynomialGrid
        from funcgrad.spaces.spectral_grid import FourierGrid, HalfRangeGrid
        from funcgrad.spaces.spline_grid import SplineGrid

        n = whole_number(n, "n", least=1)
        if self.boundary == "periodic":
            one_of(rule or "trapezoid", ("trapezoid",), "rule on a periodic interval")
            return FourierGrid(self, n, self.a, self.length)
        rule = rule or "gauss-legendre"
        one_of(rule, (*_POLYNOMIAL_RULES, "midpoint", *_SPLINE_RULES), "rule on an interval")
        if rule == "midpoint":
            return HalfRangeGrid(self, n)
        return (PolynomialGrid if rule in _POLYNOMIAL_RULES else SplineGrid)(self, n, rule)

    def _modes(self, count):
        first = 0 if self.boundary == "neumann" else 1
        return np.arange(first, first + whole_number(count, "count"))

    def laplacian_spectrum(self, count):
        """Return the `count` smallest eigenvalues of -Δ, ``(count,)``.

        (kπ/(b-a))², k = 0, 1, ... (Neumann) or k = 1, 2, ... (Dirichlet); those of the circle (periodic).
        """
        if self.boundary == "periodic":
            return self._circle.laplacian_spectrum(count)
        return (np.pi / self.length * self._modes(count)) ** 2

    def eigenfunctions(self, count, x, derivative=0):
        """Return √(2/(b-a)) cos(kπ(x-a)/(b-a)) (Neumann; 1/√(b-a) for k = 0), the sines (Dirichlet), or both.

        See `Domain.eigenfunctions`, and `Circle.eigenfunctions` for the periodic ones.
        """
        x = self.points(x)
        if self.boundary == "periodic":
            return self._circle.eigenfunctions(count, x - self.a, derivative)
        (order,) = self.multi_index(derivative)
        amplitude, frequency, phase = self.waves(count)
        return amplitude * frequency**order * np.cos((x - self.a) * frequency + (phase + order * (np.pi / 2)))

    def waves(self, count):
        """Return the amplitude, frequency and phase at a of each eigenfunction, A cos(ω(x-a) + φ)."""
        if self.boundary == "periodic":
            return self._circle.waves(count)
        mode = self._modes(count)
        amplitude = np.where(mode == 0, 1.0, np.sqrt(2.0)) / np.sqrt(self.length)
        return (
            amplitude,
            np.pi / self.length * mode,
            np.full(count, -(self.boundary == "dirichlet") * (np.pi / 2)),
        )

    def contains(self, x):
        """Return whether a <= x <= b; with periodic conditions every real coordinate will do."""
        return ((x >= self.a) & (x <= self.b)).all(axis=1) | (self.boundary == "periodic")

    def distance(self, x, y):
        """Return |x - y|, with periodic conditions the length of the shorter arc; see `Domain.distance`."""
        if self.boundary == "periodic":
            return self._circle.distance(x, y)
        return np.abs(self.points(x) - self.points(y, "y"))[:, 0]

    def effective_derivative(self, point, derivative):
        """Return None at an end for even orders (Dirichlet) and odd ones (Neumann): they vanish there."""
        if self.boundary == "periodic" or point[0] not in (self.a, self.b):
            return derivative
        odd = derivative[0] % 2 == 1
        return None if odd == (self.boundary == "neumann") else derivative

    def from_unit_cube(self, u):
        """See `Domain.from_unit_cube`."""
        return self.a + self.length * u

    def __str__(self):
        return f"the interval [{self.a:g}, {self.b:g}] ({self.boundary})"
