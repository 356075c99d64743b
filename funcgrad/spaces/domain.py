"""The base class of domains."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import point_array, whole_number
from funcgrad.errors import DomainMismatch, InvalidInput


class Domain(ABC):
    """A domain M of functions, with the Laplacian of its boundary condition.

    A subclass is a frozen dataclass of its geometry and gives the members below; everything else in
    funcgrad that depends on the domain goes through them.

    Attributes
    ----------
    dimension : int
        n.
    n_coordinates : int
        Numbers that name a point: n, but on the sphere 3.
    boundary : str or tuple of str
        "neumann", "dirichlet" or "periodic", for a box one an axis: the condition that makes the
        Laplacian self-adjoint.
    volume : float
        Lebesgue (Riemannian) volume of M.

    Examples
    --------
    >>> import funcgrad as fg
    >>> square = fg.Box([(0, 1), (0, 1)], boundary="dirichlet")
    >>> isinstance(square, fg.Domain), square.dimension, square.volume
    (True, 2, 1.0)
    """

    dimension: int
    boundary: str | tuple[str, ...]

    @property
    def n_coordinates(self):
        """How many numbers name a point."""
        return self.dimension

    @property
    @abstractmethod
    def volume(self):
        """Lebesgue (Riemannian) volume."""

    @abstractmethod
    def grid(self, n, rule=None):
        """Return a `Grid` of `n` nodes (an axis); `rule` names the quadrature, each domain has a default."""

    @abstractmethod
    def laplacian_spectrum(self, count):
        """Return the `count` smallest eigenvalues of -Δ, ascending, with multiplicity, ``(count,)``."""

    @abstractmethod
    def eigenfunctions(self, count, x, derivative=0):
        """Return the eigenfunctions of -Δ that belong to `laplacian_spectrum`, at points.

        They are orthonormal in L2(M).

        Parameters
        ----------
        count : int
            How many.
        x : array_like, (K, n_coordinates)
            Points in the domain.
        derivative : int or multi-index
            The spatial derivative: one order for each coordinate.

        Returns
        -------
        ndarray, (K, count)
        """

    def surface_integrals(self, count, surface, order=0):
        """Return ∫_Γ ∂_ν^order e_k dσ for the first `count` eigenfunctions, exactly, ``(count,)``.

        `surface` is one of `funcgrad.surfaces`.
        """
        raise InvalidInput(f"{surface} is not a surface in {self}.")

    @abstractmethod
    def contains(self, x):
        """Return whether each point of `x` ``(K, n_coordinates)`` lies in the closed domain, ``(K,)``."""

    @abstractmethod
    def distance(self, x, y):
        """Return the distance of each point of `x` from that of `y`, along the domain, ``(K,)``.

        Either may be a single point.
        """

    def effective_derivative(self, point, derivative):
        """Return the multi-index that decides how singular v ↦ ∂^α v(point) is, or None if it is zero.

        That is `derivative` itself, unless the boundary condition makes the covector vanish.
        """
        return derivative

    def points(self, x, name="x"):
        """Return `x` as points ``(K, n_coordinates)``; raise `DomainMismatch` for one outside."""
        points = point_array(x, self.n_coordinates, name)
        inside = self.contains(points)
        if not np.all(inside):
            outside = points[np.argmin(inside)].tolist()
            outside = outside[0] if len(outside) == 1 else outside
            raise DomainMismatch(f"`{name}` has the point {outside} outside {self}.")
        return points

    def multi_index(self, derivative):
        """Return `derivative` as a tuple of orders, one a coordinate; 0 is no derivative in any dimension.

        Examples
        --------
        >>> import funcgrad as fg
        >>> fg.Circle().multi_index(2), fg.Torus((1, 1)).multi_index(0)
        ((2,), (0, 0))
        """
        entries = derivative if isinstance(derivative, (tuple, list, np.ndarray)) else (derivative,)
        orders = tuple(whole_number(entry, "derivative") for entry in entries)
        if orders == (0,):
            return (0,) * self.n_coordinates
        if len(orders) != self.n_coordinates:
            raise InvalidInput(
                f"`derivative` must hold {self.n_coordinates} order(s) on {self}, one a coordinate; "
                f"got {derivative!r}."
            )
        return orders

    def from_unit_cube(self, u):
        """Return the points of coordinates `u` ``(K, n)`` in the unit cube, by a map of equal volumes."""
        raise InvalidInput(f"{self} has infinite volume: no uniform points exist on it.")

    def sobol_points(self, n, seed):
        """Return `n` scrambled Sobol points, `n` a power of two, with weights volume/n, as a `PointSet`.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> points = fg.Box([(0, 1), (0, 2)]).sobol_points(1024, seed=0)
        >>> round(float(points.integrate(points.nodes.prod(axis=1))), 3)
        1.0
        """
        from funcgrad.spaces.point_set import PointSet
        from funcgrad.spaces.quadrature import sobol

        nodes, weights = sobol(n, self.dimension, seed)
        return PointSet(
            self, self.from_unit_cube((nodes + 1) / 2), weights * (self.volume / 2**self.dimension), "sobol"
        )


def periodic_difference(difference, period):
    """Return the representative of smallest size of differences modulo `period`."""
    return difference - period * np.round(difference / period)
