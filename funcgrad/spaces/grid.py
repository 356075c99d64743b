"""Functions on a grid."""

import math
from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput

# Interpolation matrices are formed in blocks of rows of at most this many entries (32 MB).
_BLOCK_ENTRIES = 2**22


class Grid(ABC):
    """Nodes and quadrature weights on a domain, and the interpolant that their values stand for.

    A vector of values on a grid is a function: the interpolant of those values in the grid's own space
    (trigonometric, polynomial, ...). Subclasses give that space by the two abstract methods below.

    Attributes
    ----------
    domain : Domain
    nodes : ndarray, (N, n_coordinates)
    weights : ndarray, (N,)
        Quadrature weights of Lebesgue measure: they sum to the volume, not to 1.
    rule : str
        The quadrature rule's name.
    shape : tuple of int
        Nodes along each axis: ``values.reshape(grid.shape)`` is the array on a tensor grid.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Interval(0, 1).grid(4)
    >>> grid.nodes.shape, round(float(grid.weights.sum()), 12)
    ((4, 1), 1.0)
    >>> round(float(grid.integrate(grid.nodes[:, 0] ** 7)), 12)
    0.125
    """

    def __init__(self, domain, nodes, weights, rule, shape=None):
        self.domain = domain
        self.nodes = nodes
        self.weights = weights
        self.rule = rule
        self.shape = (len(weights),) if shape is None else shape
        nodes.flags.writeable = False
        weights.flags.writeable = False

    @abstractmethod
    def interpolation_matrix(self, x, derivative=0):
        """Return the cardinal functions, or a spatial derivative of theirs, at points.

        Entry (k, j) is L_j(x_k), where L_j is 1 at node j and 0 at the others.

        Parameters
        ----------
        x : array_like, (K, n_coordinates)
        derivative : int or multi-index

        Returns
        -------
        ndarray, (K, N)
        """

    @abstractmethod
    def differentiate(self, values, derivative=1):
        """Return the nodal values of the interpolant's derivative; `values` is (N,) or (N, m)."""

    def of_derivatives(self, derivative):
        """Return the grid of the same nodes whose functions contain the derivatives of this one's."""
        return self

    def for_slopes(self):
        """Return the grid on which products of its functions' derivatives are integrated: mostly itself.

        On a periodic axis with an even number N of nodes the highest cosine has slope zero at each of
        them, and so has the highest sine at the midpoints of an axis with Dirichlet conditions; N + 1 nodes
        hold it and see its slope.
        """
        return self

    @property
    def _key(self):
        """What two equal grids of one class have in common."""
        return self.domain, self.rule, self.shape

    def __len__(self):
        return len(self.weights)

    def __eq__(self, other):
        return type(self) is type(other) and self._key == other._key

    def __hash__(self):
        return hash((type(self), self._key))

    def __repr__(self):
        size = " x ".join(map(str, self.shape))
        return f"<{self.rule} grid of {size} nodes on {self.domain}>"

    @property
    def axes(self):
        """The name and the coordinates of each axis of an array of the grid's `shape`: a tuple of pairs."""
        return (("x", self.nodes[:, 0]),)

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

        A callable gets the coordinates as separate arrays of shape (N,), so that `numpy.sin` or
        ``lambda x, y: x * y`` works; it returns (N,) or (N, m) values, or a constant. A `Function` of
        another grid on the same domain is interpolated. An `xarray.DataArray` must have this grid's
        coordinates (see `Function.to_xarray`).

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
        if hasattr(f, "dims") and hasattr(f, "coords"):
            from funcgrad.spaces.interchange import values_from_xarray

            return Function(self, values_from_xarray(f, self))
        if not callable(f):
            return Function(self, f)
        return Function(self, sample(f, self.nodes))

    def evaluate(self, values, x, derivative=0):
        """Return the interpolant of nodal values (N,) or (N, m), or a derivative of it, at points (K, ...).

        The same as ``interpolation_matrix(x, derivative) @ values``, in blocks of points.
        """
        x = self.domain.points(x)
        result = np.empty((len(x), *np.shape(values)[1:]))
        for block in self.blocks(len(x)):
            result[block] = self.interpolation_matrix(x[block], derivative) @ values
        return result

    def components(self, x, weights, derivative=0):
        """Return Σ_k w_k ∂^α L_j(x_k) for each node j, (N,) or (N, m): the transpose of `evaluate`."""
        x = self.domain.points(x)
        result = np.zeros((len(self), *weights.shape[1:]))
        for block in self.blocks(len(x)):
            result += self.interpolation_matrix(x[block], derivative).T @ weights[block]
        return result

    def components_at_nodes(self, weights, grid, derivative=0):
        """Return Σ_k w_k ∂^α L_j(x_k) over the nodes x_k of another grid, (N,) or (N, m).

        The transpose of taking a derivative at that grid's nodes; axis by axis, and by fast transforms,
        where the grids allow it. `weights` is (K,) or (K, m).

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> coarse, fine = (fg.Circle(2 * np.pi).grid(n) for n in (8, 12))
        >>> w = np.cos(fine.nodes[:, 0])
        >>> bool(np.allclose(coarse.components_at_nodes(w, fine, 1), coarse.components(fine.nodes, w, 1)))
        True
        """
        return self.components(grid.nodes, weights, derivative)

    def common_refinement(self, grid):
        """Return the grid of the more nodes, axis by axis: it resolves functions of both."""
        return self if len(self) >= len(grid) else grid

    def blocks(self, count):
        """Yield slices of `count` points whose interpolation matrices are of bounded size."""
        rows = max(1, _BLOCK_ENTRIES // len(self))
        for start in range(0, count, rows):
            yield slice(start, start + rows)

    def resample(self, values, grid):
        """Return the values of the interpolant of nodal values at the nodes of another grid."""
        return self.evaluate(values, grid.nodes)

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
        """Draw nodal values: a line in one dimension, colours in two; return the matplotlib axes."""
        from funcgrad.spaces.drawing import draw

        return draw(self, self.values(values), ax, **style)


def sample(f, points, name="f"):
    """Return the values (K,) or (K, m) of a callable of coordinate arrays at points (K, n_coordinates)."""
    values = finite_array(f(*points.T), f"{name}(x)")
    if values.ndim == 0:
        return np.full(len(points), float(values))
    if values.ndim > 2 or len(values) != len(points):
        raise InvalidInput(
            f"`{name}` must return values of shape ({len(points)},) or ({len(points)}, m), or a constant; "
            f"got {values.shape}."
        )
    return values


def along_axis(function, array, shape, axis):
    """Apply a map of arrays (n, K) to one axis of an array whose first axis stands for `shape` in C order.

    Returns the array with its first axis flat again.
    """
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    columns = array.reshape(before, shape[axis], after * math.prod(array.shape[1:])).swapaxes(0, 1)
    result = function(columns.reshape(shape[axis], -1)).reshape(-1, *columns.shape[1:]).swapaxes(0, 1)
    return result.reshape(-1, *array.shape[1:])
