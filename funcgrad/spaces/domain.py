"""The base class of domains."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import point_array
from funcgrad.errors import DomainMismatch


class Domain(ABC):
    """A domain M of functions, with the Laplacian of its boundary condition.

    A subclass is a frozen dataclass of its geometry and gives the members below; everything else in
    funcgrad that depends on the domain goes through them.

    Attributes
    ----------
    dimension : int
        n.
    boundary : str
        "neumann", "dirichlet" or "periodic": the condition that makes the Laplacian self-adjoint.
    volume : float
        Lebesgue (Riemannian) volume of M.
    """

    dimension: int
    boundary: str

    @property
    @abstractmethod
    def volume(self):
        """Lebesgue (Riemannian) volume."""

    @abstractmethod
    def grid(self, n, rule=None):
        """Return a `Grid` of `n` nodes with the named quadrature rule (each domain has a default)."""

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
        x : array_like, (K, n)
            Points in the domain.
        derivative : int
            Order of the spatial derivative (one-dimensional domains).

        Returns
        -------
        ndarray, (K, count)
        """

    @abstractmethod
    def contains(self, x):
        """Return whether each point of `x` ``(K, n)`` lies in the closed domain, ``(K,)`` of bool."""

    def points(self, x, name="x"):
        """Return `x` as points ``(K, n)`` of the domain; raise `DomainMismatch` for one outside."""
        points = point_array(x, self.dimension, name)
        inside = self.contains(points)
        if not np.all(inside):
            outside = points[np.argmin(inside)].tolist()
            outside = outside[0] if self.dimension == 1 else outside
            raise DomainMismatch(f"`{name}` has the point {outside} outside {self}.")
        return points
