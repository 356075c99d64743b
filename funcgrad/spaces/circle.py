"""The circle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from funcgrad._checks import one_of, point_array, positive_number, whole_number
from funcgrad.spaces.domain import Domain, periodic_difference


@dataclass(frozen=True)
class Circle(Domain):
    """The circle R / length Z, with coordinate x in [0, length).

    Points outside that range are taken modulo the length.

    Parameters
    ----------
    length : float
        The circumference, 2π by default.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> circle = fg.Circle(2 * np.pi)
    >>> circle.laplacian_spectrum(5)
    array([0., 1., 1., 4., 4.])
    """

    length: float = 2 * np.pi
    dimension: ClassVar[int] = 1
    boundary: ClassVar[str] = "periodic"

    def __post_init__(self):
        object.__setattr__(self, "length", positive_number(self.length, "length"))

    @property
    def volume(self):
        """The length."""
        return self.length

    def grid(self, n, rule=None):
        """Return the equispaced grid of `n` nodes x_j = j length/n (spectrally accurate here)."""
        from funcgrad.spaces.spectral_grid import FourierGrid

        one_of(rule or "trapezoid", ("trapezoid",), "rule on a circle")
        return FourierGrid(self, whole_number(n, "n", least=1), 0.0, self.length)

    def laplacian_spectrum(self, count):
        """Return 0, ω², ω², 4ω², 4ω², ... with ω = 2π/length, ``(count,)``."""
        mode = (np.arange(whole_number(count, "count")) + 1) // 2
        return (2 * np.pi / self.length * mode) ** 2

    def eigenfunctions(self, count, x, derivative=0):
        """Return 1/√length, then √(2/length) cos(kωx), √(2/length) sin(kωx) for k = 1, 2, ...

        See `Domain.eigenfunctions`.
        """
        (order,) = self.multi_index(derivative)
        amplitude, frequency, phase = self.waves(count)
        # d^j/dx^j cos(t) = cos(t + jπ/2).
        return (
            amplitude * frequency**order * np.cos(self.points(x) * frequency + (phase + order * (np.pi / 2)))
        )

    def waves(self, count):
        """Return amplitude, frequency and phase at 0 of each eigenfunction, A cos(ωx + φ): (count,) each."""
        index = np.arange(whole_number(count, "count"))
        sine = (index > 0) & (index % 2 == 0)  # sin is cos shifted back by π/2
        amplitude = np.where(index == 0, 1.0, np.sqrt(2.0)) / np.sqrt(self.length)
        return amplitude, 2 * np.pi / self.length * ((index + 1) // 2), np.where(sine, -np.pi / 2, 0.0)

    def contains(self, x):
        """Every real coordinate names a point of the circle."""
        return np.ones(len(x), dtype=bool)

    def distance(self, x, y):
        """Return the length of the shorter arc; see `Domain.distance`."""
        difference = point_array(x, 1, "x") - point_array(y, 1, "y")
        return np.abs(periodic_difference(difference, self.length))[:, 0]

    def from_unit_cube(self, u):
        """See `Domain.from_unit_cube`."""
        return self.length * u

    def __str__(self):
        return f"the circle of length {self.length:g}"
