"""The base class of grids."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput


class Grid(ABC):
    """Nodes and quadrature weights on a domain, and the interpolant that their values stand for.

    A vector of values on a grid is a function: the interpolant of those values in the grid's own space
    (trigonometric, polynomial, ...). Subclasses give that space by the two abstract methods below.

    Attributes
    ----------
    domain : Domain
    nodes : ndarray, (N, n)
    weights : ndarray, (N,)
        Quadrature weights of Lebesgue measure: they sum to the volume, not to 1.
    rule : str
        The quadrature rule's name.
    """

    def __init__(self, domain, nodes, weights, rule):
        self.domain = domain
        self.nodes = nodes
        self.weights = weights
        self.rule = rule
        nodes.flags.writeable = False
        weights.flags.writeable = False

    @abstractmethod
    def interpolation_matrix(self, x, derivative=0):
        """Return the cardinal functions, or a spatial derivative of theirs, at points.

        Entry (k, j) is L_j(x_k), where L_j is 1 at node j and 0 at the others.

        Parameters
        ----------
        x : array_like, (K, n)
        derivative : int

        Returns
        -------
        ndarray, (K, N)
        """

    @abstractmethod
    def differentiate(self, values, order=1):
        """Return the nodal values of the interpolant's derivative; `values` is (N,) or (N, m)."""

    def of_derivatives(self, order):
        """Return the grid of the same nodes whose functions contain the derivatives of this one's."""
        return self

    def __len__(self):
        return len(self.weights)

    def __eq__(self, other):
        return (
            type(self) is type(other)
            and self.domain == other.domain
            and self.rule == other.rule
            and len(self) == len(other)
        )

    def __hash__(self):
        return hash((type(self), self.domain, self.rule, len(self)))

    def __repr__(self):
        return f"<{self.rule} grid of {len(self)} nodes on {self.domain}>"

    def values(self, values, name="values"):
        """Return `values` as a float64 array (N,) or (N, m), or raise."""
        array = finite_array(values, name)
        if array.ndim not in (1, 2) or len(array) != len(self):
            raise InvalidInput(
                f"`{name}` must have shape ({len(self)},) or ({len(self)}, m) on {self!r}; got {array.shape}."
            )
        return array

    def function(self, f):
        """Return the `Function` of a callable, an array of nodal values, or another `Function`.

        A callable gets the n coordinates as separate arrays of shape (N,), so that `numpy.sin` or
        ``lambda x, y: x * y`` works; it returns (N,) or (N, m) values, or a constant. A `Function` of
        another grid on the same domain is interpolated.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> f = fg.Circle(2 * np.pi).grid(16).function(np.sin)
        >>> round(f(np.pi / 6), 12)
        0.5
        """
        from funcgrad.spaces.function import Function

        if isinstance(f, Function):
            return f if f.grid == self else Function(self, f.grid.resample(f.values, self))
        if not callable(f):
            return Function(self, f)
        return Function(self, sample(f, self.nodes))

    def resample(self, values, grid):
        """Return the values of the interpolant of nodal values at the nodes of another grid."""
        return self.interpolation_matrix(grid.nodes) @ values

    def integrate(self, values):
        """Return ∫ over the domain of nodal values (N,) or (N, m), by the grid's quadrature.

        Examples
        --------
        >>> import funcgrad as fg
        >>> grid = fg.Interval(0, 1).grid(5)
        >>> round(float(grid.integrate(grid.nodes[:, 0] ** 2)), 14)
        0.33333333333333
        """
        return self.weights @ self.values(values)

    def plot(self, values, ax=None, **style):
        """Draw nodal values against the first coordinate (one-dimensional grids)."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure(layout="constrained").subplots()
        ax.plot(self.nodes[:, 0], values, **style)
        ax.set_xlabel("x")
        return ax


def sample(f, points, name="f"):
    """Return the values (K,) or (K, m) of a callable of n coordinate arrays at points (K, n)."""
    values = finite_array(f(*points.T), f"{name}(x)")
    if values.ndim == 0:
        return np.full(len(points), float(values))
    if values.ndim > 2 or len(values) != len(points):
        raise InvalidInput(
            f"`{name}` must return values of shape ({len(points)},) or ({len(points)}, m), or a constant; "
            f"got {values.shape}."
        )
    return values
