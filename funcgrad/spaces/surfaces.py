"""Pieces of surfaces inside a domain: flat ones, round spheres, and small circles of the unit sphere.

Each has an accurate quadrature, unit normals, and in closed form what it needs against waves, so that
integrals over it meet the Laplacian's eigenfunctions without error of quadrature.
"""

import functools
import itertools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import scipy.special

from funcgrad._checks import finite_array, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.quadrature import gauss_legendre

_gauss_legendre = functools.lru_cache(maxsize=64)(gauss_legendre)

# Two unit vectors count as perpendicular when their product is below this.
_PERPENDICULAR = 1e-12


class Surface(ABC):
    """A piece Γ of a d-dimensional surface, of codimension k, with a unit normal field ν.

    Attributes
    ----------
    n_coordinates : int
        Numbers that name a point of the space around it.
    dimension, codimension : int
        d and k.
    area : float
        Its d-dimensional volume.
    size : float
        A length below which frequencies do not see that it ends or bends.
    girth : float
        Neighbouring nodes of `quadrature(count)` are at most girth/count apart.
    is_transitive : bool
        Whether isometries that keep it take each of its points to every other one.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> ring = fg.surfaces.RoundSphere([0.0, 0.0], 2.0)
    >>> isinstance(ring, fg.surfaces.Surface), ring.codimension, round(ring.area / np.pi, 12)
    (True, 1, 4.0)
    """

    n_coordinates: int
    dimension: int
    codimension: int
    area: float
    size: float
    girth: float
    is_transitive = False

    @abstractmethod
    def quadrature(self, count):
        """Return nodes (K, n_coordinates) and weights (K,), with `count` nodes in each of d directions."""

    @abstractmethod
    def normals(self, nodes):
        """Return the unit normal ν at nodes of the surface, (K, n_coordinates)."""

    @abstractmethod
    def hull(self):
        """Return points (K, n_coordinates) that lie in a convex domain iff the surface does."""

    def check_normal_derivative(self, order):  # noqa: B027 - every order is defined unless said otherwise
        """Raise `InvalidInput` if ∂_ν^order is not defined."""

    def straight_derivatives(self, order):
        """Return {j: b_j} with ∂_ν^order = Σ_j b_j (d/dt)^j of t ↦ v(x + tν) at 0, along straight lines.

        Functions are extended from a sphere so that they are constant along rays.
        """
        return {order: 1.0}


@dataclass(frozen=True)
class Flat(Surface):
    """The segment, parallelogram, ... {origin + Σ t_i edge_i : 0 <= t_i <= 1}, of codimension n - d.

    On a torus an edge of the axis' length makes it a closed line.

    Parameters
    ----------
    origin : array_like, (n,)
    edges : array_like, (d, n) or (n,)
        Linearly independent, d < n.
    normal : array_like, (n,), optional
        The direction of normal derivatives, perpendicular to the edges. In codimension 1 it is known
        up to its sign: (e_2, -e_1) for an edge e in the plane, the cross product of the two in space.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> segment = fg.surfaces.Flat([0, 0], [3, 4])
    >>> segment.area, segment.codimension, segment.normal
    (5.0, 1, (0.8, -0.6))
    """

    origin: tuple
    edges: tuple
    normal: tuple | None = None

    def __post_init__(self):
        origin, edges = (
            finite_array(self.origin, "origin", ndim=1),
            np.atleast_2d(finite_array(self.edges, "edges")),
        )
        n = origin.size
        if edges.ndim != 2 or edges.shape[1] != n or not 1 <= len(edges) < n:
            raise InvalidInput(f"`edges` must be (d, {n}) with 1 <= d < {n}; got shape {edges.shape}.")
        lengths = np.linalg.norm(edges, axis=1)
        if lengths.min() == 0 or np.linalg.matrix_rank(edges / lengths[:, None], 1e-9) < len(edges):
            raise InvalidInput("`edges` must be linearly independent.")
        normal = _flat_normal(edges, self.normal)
        object.__setattr__(self, "origin", tuple(origin.tolist()))
        object.__setattr__(self, "edges", tuple(map(tuple, edges.tolist())))
        object.__setattr__(self, "normal", normal)

    @property
    def n_coordinates(self):
        """n."""
        return len(self.origin)

    @property
    def dimension(self):
        """d."""
        return len(self.edges)

    @property
    def codimension(self):
        """n - d."""
        return self.n_coordinates - self.dimension

    @property
    def area(self):
        """The length of a segment, the area of a parallelogram."""
        edges = np.array(self.edges)
        return float(math.sqrt(np.linalg.det(edges @ edges.T)))

    @property
    def size(self):
        """The shortest edge."""
        return float(np.linalg.norm(self.edges, axis=1).min())

    @property
    def girth(self):
        """π/2 times the longest edge: Gauss's nodes are that much wider apart in the middle."""
        return float(np.pi / 2 * np.linalg.norm(self.edges, axis=1).max())

    @property
    def midpoint(self):
        """The centre, (n,)."""
        return np.array(self.origin) + np.sum(self.edges, axis=0) / 2

    def quadrature(self, count):
        """See `Surface.quadrature`; Gauss-Legendre along each edge."""
        t, w = _gauss_legendre(count)
        axes = np.meshgrid(*[(t + 1) / 2] * self.dimension, indexing="ij")
        weights = np.ones(1)
        for _ in self.edges:
            weights = np.multiply.outer(weights, w / 2).reshape(-1)
        nodes = np.array(self.origin) + np.stack([a.reshape(-1) for a in axes], axis=1) @ np.array(self.edges)
        return nodes, self.area * weights

    def normals(self, nodes):
        """See `Surface.normals`."""
        return np.broadcast_to(self.normal, nodes.shape)

    def hull(self):
        """See `Surface.hull`; the corners."""
        corners = list(itertools.product((0.0, 1.0), repeat=self.dimension))
        return np.array(self.origin) + np.array(corners) @ np.array(self.edges)

    def wave_integrals(self, frequencies, order):
        """Return ∫_Γ ∂_ν^order e^{iξ·x} dσ for frequencies ξ (n, K), complex (K,): products of sinc."""
        edges = np.array(self.edges)
        values = self.area * np.exp(1j * (self.midpoint @ frequencies))
        for phase in edges @ frequencies:
            values *= np.sinc(phase / (2 * np.pi))
        return values * (1j * (np.array(self.normal) @ frequencies)) ** order if order else values

    def check_normal_derivative(self, order):
        """See `Surface.check_normal_derivative`."""
        if order and self.normal is None:
            raise InvalidInput(
                f"a flat surface of codimension {self.codimension} has many normals; give `normal` for a "
                "normal derivative."
            )


@dataclass(frozen=True)
class RoundSphere(Surface):
    """The circle (in the plane) or the sphere (in space) of a centre and a radius; ν points outwards.

    Parameters
    ----------
    center : array_like, (n,), n = 2 or 3
    radius : float
    axis : array_like, (3,), optional
        In space: the circle perpendicular to this axis, of codimension 2, instead of the sphere.

    Examples
    --------
    >>> import funcgrad as fg
    >>> circle = fg.surfaces.RoundSphere([0, 0, 0], 0.5, axis=[0, 0, 1])
    >>> circle.dimension, circle.codimension, round(circle.area, 6)
    (1, 2, 3.141593)
    """

    center: tuple
    radius: float
    axis: tuple | None = None
    is_transitive = True

    def __post_init__(self):
        center = finite_array(self.center, "center", ndim=1)
        if center.size not in (2, 3):
            raise InvalidInput(f"`center` must have 2 or 3 coordinates; got {center.size}.")
        object.__setattr__(self, "center", tuple(center.tolist()))
        object.__setattr__(self, "radius", positive_number(self.radius, "radius"))
        if self.axis is not None:
            if center.size != 3:
                raise InvalidInput("`axis` is for circles in space; in the plane leave it out.")
            object.__setattr__(self, "axis", _unit(self.axis, 3, "axis"))

    @property
    def n_coordinates(self):
        """n."""
        return len(self.center)

    @property
    def codimension(self):
        """1, for a circle in space 2."""
        return 1 if self.axis is None else 2

    @property
    def dimension(self):
        """1 for a circle, 2 for a sphere."""
        return self.n_coordinates - self.codimension

    @property
    def area(self):
        """2πr or 4πr²."""
        return 2 * math.pi * self.radius if self.dimension == 1 else 4 * math.pi * self.radius**2

    @property
    def size(self):
        """The radius."""
        return self.radius

    @property
    def girth(self):
        """2πr."""
        return 2 * math.pi * self.radius

    def quadrature(self, count):
        """See `Surface.quadrature`; equispaced points of a circle, times Gauss-Legendre on a sphere."""
        angle = 2 * np.pi / count * np.arange(count)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        if self.dimension == 1:
            directions = circle if self.axis is None else circle @ np.array(_perpendicular_pair(self.axis))
            weights = np.full(count, self.area / count)
        else:
            z, w = _gauss_legendre(count)
            ring = np.sqrt((1 - z) * (1 + z))[:, None, None] * circle
            height = np.broadcast_to(z[:, None, None], (count, count, 1))
            directions = np.concatenate([ring, height], axis=2).reshape(-1, 3)
            weights = self.area * np.repeat(w / 2, count) / count
        return np.array(self.center) + self.radius * directions, weights

    def normals(self, nodes):
        """See `Surface.normals`; radial."""
        return (nodes - np.array(self.center)) / self.radius

    def hull(self):
        """See `Surface.hull`; the ends of its extent along each axis of the coordinates."""
        axis = np.zeros(self.n_coordinates) if self.axis is None else np.array(self.axis)
        extent = self.radius * np.diag(np.sqrt(np.maximum(1 - axis**2, 0.0)))
        return np.concatenate([np.array(self.center) - extent, np.array(self.center) + extent])

    def wave_integrals(self, frequencies, order):
        """Return ∫_Γ ∂_ν^order e^{iξ·x} dσ for frequencies ξ (n, K), complex (K,): Bessel functions."""
        squared = np.sum(frequencies**2, axis=0)
        if self.axis is not None:
            squared = np.maximum(squared - (np.array(self.axis) @ frequencies) ** 2, 0.0)
        rho = np.sqrt(squared)
        bessel = _circular_mean if self.dimension == 1 else _spherical_mean
        amplitude = self.area * rho**order * bessel(rho * self.radius, order)
        return amplitude * np.exp(1j * (np.array(self.center) @ frequencies))


@dataclass(frozen=True)
class SmallCircle(Surface):
    """The circle of the unit sphere at an angle from an axis, a circle of latitude; ν points away from it.

    Parameters
    ----------
    axis : array_like, (3,)
    angle : float
        γ in radians, 0 < γ < π.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> equator = fg.surfaces.SmallCircle([0, 0, 1], np.pi / 2)
    >>> round(fg.SurfaceIntegral(equator)(lambda x, y, z: x**2), 12) == round(np.pi, 12)
    True
    """

    axis: tuple
    angle: float
    n_coordinates = 3
    dimension = 1
    codimension = 1
    is_transitive = True

    def __post_init__(self):
        object.__setattr__(self, "axis", _unit(self.axis, 3, "axis"))
        object.__setattr__(self, "angle", positive_number(self.angle, "angle"))
        if not self.angle < math.pi:
            raise InvalidInput(f"`angle` must lie between 0 and π; got {self.angle:g}.")

    @property
    def area(self):
        """2π sin γ."""
        return 2 * math.pi * math.sin(self.angle)

    @property
    def size(self):
        """sin γ."""
        return math.sin(self.angle)

    @property
    def girth(self):
        """2π sin γ."""
        return self.area

    def quadrature(self, count):
        """See `Surface.quadrature`; equispaced points."""
        angle = 2 * np.pi / count * np.arange(count)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ np.array(_perpendicular_pair(self.axis))
        nodes = math.cos(self.angle) * np.array(self.axis) + math.sin(self.angle) * circle
        return nodes, np.full(count, self.area / count)

    def normals(self, nodes):
        """See `Surface.normals`; tangent to the sphere."""
        return (nodes * math.cos(self.angle) - np.array(self.axis)) / math.sin(self.angle)

    def hull(self):
        """See `Surface.hull`; some points of the circle."""
        return self.quadrature(4)[0]

    def zonal_integrals(self, degree, order):
        """Return 2π sin γ ∂_γ^order P_l(cos γ) for l = 0, ..., degree.

        Times Y_lm(axis) it is the integral of the harmonic Y_lm (Funk and Hecke).
        """
        x, s, l = math.cos(self.angle), math.sin(self.angle), np.arange(degree + 1)
        p = scipy.special.eval_legendre(l, x)
        derivatives = [p, -l / s * (np.concatenate([[0.0], p[:-1]]) - x * p)]
        cotangent = _cotangent_derivatives(x / s, order)
        # Legendre's equation y'' = -cot γ y' - l(l+1) y, differentiated.
        for m in range(order - 1):
            product_rule = sum(math.comb(m, i) * cotangent[i] * derivatives[m + 1 - i] for i in range(m + 1))
            derivatives.append(-product_rule - l * (l + 1.0) * derivatives[m])
        return self.area * derivatives[order]

    def straight_derivatives(self, order):
        """See `Surface.straight_derivatives`: the line x + tν is seen under the angle arctan t.

        So ∂_ν^order of f is that of F(tan γ), F its values along the line: b_j is the coefficient of
        γ^order/order! in tan^j γ / j!.
        """
        # Taylor coefficients of tan: (tan)' = 1 + tan².
        tangent = np.zeros(order + 1)
        for k in range(order):
            tangent[k + 1] = ((k == 0) + tangent[: k + 1] @ tangent[k::-1]) / (k + 1)
        power, result = np.zeros(order + 1), {}
        power[0] = 1.0
        for j in range(order + 1):
            if power[order]:
                result[j] = float(math.factorial(order) / math.factorial(j) * power[order])
            power = np.convolve(power, tangent)[: order + 1]
        return result


def _cotangent_derivatives(cot, count):
    """Return cot γ and its first derivatives, polynomials in cot γ by cot' = -1 - cot²."""
    polynomial, values = np.polynomial.Polynomial([0.0, 1.0]), []
    for _ in range(count):
        values.append(float(polynomial(cot)))
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([-1.0, 0.0, -1.0])
    return values


def _circular_mean(z, order):
    """d^order/dz^order of the mean of e^{iz cos t} over a circle, J_0(z)."""
    return scipy.special.jvp(0, z, order)


def _spherical_mean(z, order):
    """d^order/dz^order of the mean of e^{iz cos t} over a sphere, j_0(z) = sin z / z."""
    combination = {0: 1.0}
    for _ in range(order):  # (2l + 1) j_l' = l j_{l-1} - (l + 1) j_{l+1}
        following = {}
        for l, a in combination.items():
            if l > 0:
                following[l - 1] = following.get(l - 1, 0.0) + a * l / (2 * l + 1)
            following[l + 1] = following.get(l + 1, 0.0) - a * (l + 1) / (2 * l + 1)
        combination = following
    return sum(a * scipy.special.spherical_jn(l, z) for l, a in combination.items())


def _unit(vector, n, name):
    vector = finite_array(vector, name)
    length = np.linalg.norm(vector)
    if vector.shape != (n,) or length == 0:
        raise InvalidInput(f"`{name}` must be a vector of {n} numbers, not all zero.")
    return tuple((vector / length).tolist())


def _flat_normal(edges, normal):
    d, n = edges.shape
    if normal is None:
        if n - d != 1 or n > 3:
            return None
        normal = [edges[0, 1], -edges[0, 0]] if n == 2 else np.cross(*edges)
        return _unit(normal, n, "normal")
    unit = _unit(normal, n, "normal")
    lengths = np.linalg.norm(edges, axis=1)
    if np.abs(edges @ np.array(unit) / lengths).max() > _PERPENDICULAR:
        raise InvalidInput("`normal` must be perpendicular to the edges.")
    return unit


def _perpendicular_pair(axis):
    """Return two unit vectors perpendicular to each other and to a unit axis."""
    axis = np.array(axis)
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    return first, np.cross(axis, first)
