"""The unit sphere."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from funcgrad._checks import one_of, whole_number
from funcgrad.spaces.domain import Domain

# Points farther from the sphere than this are refused; nearer ones are projected to it.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Sphere(Domain):
    """The unit sphere S² in R³, of dimension 2.

    Points are unit vectors (x, y, z), so that no point is singular. A derivative is a multi-index of three
    orders: ∂^α of f(x/|x|), the extension that is constant along rays. First ones are the Cartesian
    components of the surface gradient; the sum of the second ones is the Laplace-Beltrami operator.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> sphere = fg.Sphere()
    >>> sphere.laplacian_spectrum(5)
    array([0., 2., 2., 2., 6.])
    >>> f = sphere.grid(8).function(lambda x, y, z: x * z**2)
    >>> round(f([0.6, 0.0, 0.8]), 12), round(fg.L2().norm(f) ** 2 / np.pi, 12)
    (0.384, 0.114285714286)
    """

    dimension: ClassVar[int] = 2
    boundary: ClassVar[str] = "periodic"
    n_coordinates: ClassVar[int] = 3

    @property
    def volume(self):
        """4π."""
        return 4 * math.pi

    def grid(self, n, rule=None):
        """Return the grid of `n` Gauss-Legendre latitudes and 2n equispaced longitudes.

        Its functions are the spherical polynomials of degree n - 1; it integrates those of degree 2n - 1
        exactly. Memory for the transform is 4n³ bytes.
        """
        from funcgrad.spaces.spherical_grid import SphericalGrid

        one_of(rule or "gauss-legendre", ("gauss-legendre",), "rule on a sphere")
        return SphericalGrid(self, whole_number(n, "n", least=1))

    def laplacian_spectrum(self, count):
        """Return l(l+1), each 2l + 1 times, ``(count,)``."""
        l = np.sqrt(np.arange(whole_number(count, "count"))).astype(int)
        return l * (l + 1.0)

    def eigenfunctions(self, count, x, derivative=0):
        """Return the real spherical harmonics in the order l² + l + m; see `spherical_harmonics`."""
        from funcgrad.spaces.spherical_harmonics import derivative_matrix, real_harmonics

        x, orders = self.points(x), self.multi_index(derivative)
        degree = math.isqrt(max(whole_number(count, "count") - 1, 0))
        values = real_harmonics(degree + sum(orders), x)
        if sum(orders) > 0:
            values = values @ derivative_matrix(degree, orders)
        return values[:, :count]

    def surface_integrals(self, count, surface, order=0):
        """See `Domain.surface_integrals`; for circles on the sphere, by the formula of Funk and Hecke."""
        from funcgrad.spaces.surfaces import SmallCircle

        if not isinstance(surface, SmallCircle):
            return super().surface_integrals(count, surface, order)
        degree = math.isqrt(max(count - 1, 0))
        factors = np.repeat(surface.zonal_integrals(degree, order), 2 * np.arange(degree + 1) + 1)
        return factors[:count] * self.eigenfunctions(count, [surface.axis])[0]

    def contains(self, x):
        """Return whether |x| = 1, up to 1e-9."""
        return np.abs(np.linalg.norm(x, axis=1) - 1) <= _TOLERANCE

    def points(self, x, name="x"):
        """See `Domain.points`; the points are normalised."""
        points = super().points(x, name)
        return points / np.linalg.norm(points, axis=1, keepdims=True)

    def distance(self, x, y):
        """Return the angle between the points, the length of the arc; see `Domain.distance`."""
        x, y = self.points(x), self.points(y, "y")
        return np.arctan2(np.linalg.norm(np.cross(x, y), axis=1), np.sum(x * y, axis=1))

    def effective_derivative(self, point, derivative):
        """Return the multi-index without the orders along the axis that goes through the point.

        There ∂_j is the derivative along the ray: a multiple of what the others leave, zero if nothing.
        """
        norm = math.hypot(*point)
        orders = [order if abs(x) != norm else 0 for x, order in zip(point, derivative, strict=True)]
        return None if any(derivative) and not any(orders) else tuple(orders)

    def from_unit_cube(self, u):
        """See `Domain.from_unit_cube`; Archimedes' map: z and the longitude are uniform."""
        z, longitude = 2 * u[:, 0] - 1, 2 * np.pi * u[:, 1]
        s = np.sqrt((1 - z) * (1 + z))
        return np.stack([s * np.cos(longitude), s * np.sin(longitude), z], axis=1)

    def __str__(self):
        return "the unit sphere"
