"""Functions on a grid."""

import numpy as np

from funcgrad._checks import finite_number
from funcgrad.errors import DomainMismatch


class Function:
    """A real function, or m of them, given by its values on a grid.

    It stands for the grid's interpolant of those values, and is a vector: it can be added to another on
    the same grid and multiplied by numbers. Products of functions are not formed silently (they need
    not be resolved by the grid): write ``grid.function(f.values * g.values)``.

    Parameters
    ----------
    grid : Grid
    values : array_like, (N,) or (N, m)

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Interval(-1, 1).grid(8)
    >>> f = 2 * grid.function(lambda x: x**2) - grid.function(1.0 * np.ones(8))
    >>> round(f(0.5), 12)
    -0.5
    """

    # numpy's scalars and arrays leave `2.0 * f` to us instead of looping over f.
    __array_ufunc__ = None

    def __init__(self, grid, values):
        self.grid = grid
        self.values = grid.values(values).copy()
        self.values.flags.writeable = False

    def __call__(self, x):
        """Return the values (K,) or (K, m) at points (K, n_coordinates); at a single point, a number or (m,).

        A single point is a number in one dimension and an array (n_coordinates,) in more.
        """
        values = self.derivative_values(0, x)
        if np.ndim(x) == (0 if self.grid.domain.n_coordinates == 1 else 1):
            return values[0].item() if values.ndim == 1 else values[0]
        return values

    def derivative_values(self, derivative, x=None):
        """Return ∂^derivative f at points (K, n_coordinates), or at the nodes: (K,) or (K, m)."""
        if x is None:
            return self.grid.differentiate(self.values, derivative)
        return self.grid.evaluate(self.values, x, derivative)

    def derivative(self, derivative=1):
        """Return the derivative of the interpolant, of an order or a multi-index.

        It lives on the same nodes. Where it satisfies another boundary condition (an odd derivative of a
        cosine series is a sine series, and conversely), it is a function on that domain.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> f = fg.Torus((2 * np.pi, 2 * np.pi)).grid(16).function(lambda x, y: np.sin(x + 2 * y))
        >>> bool(np.allclose(f.derivative((0, 2)).values, -4 * f.values))
        True
        """
        return Function(
            self.grid.of_derivatives(derivative), self.grid.differentiate(self.values, derivative)
        )

    def on(self, grid):
        """Return it as a function on another grid of the same domain: the interpolant of its values there.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> f = fg.Circle(2 * np.pi).grid(8).function(np.sin)
        >>> bool(np.allclose(f.on(fg.Circle(2 * np.pi).grid(20)).values, np.sin(np.pi / 10 * np.arange(20))))
        True
        """
        return self if grid == self.grid else Function(grid, self.grid.resample(self.values, grid))

    def integral(self):
        """Return ∫ f over the domain, by the grid's quadrature: a number, or (m,) of them."""
        integral = self.grid.integrate(self.values)
        return float(integral) if self.values.ndim == 1 else integral

    def _same_grid(self, other):
        if not isinstance(other, Function):
            return None
        if other.grid != self.grid:
            raise DomainMismatch(
                f"functions on different grids: {self.grid!r} and {other.grid!r}; "
                "bring one over with `grid.function(f)`."
            )
        if other.values.shape != self.values.shape:
            raise DomainMismatch(
                f"functions with different numbers of components: values {self.values.shape} "
                f"and {other.values.shape}."
            )
        return other.values

    def __add__(self, other):
        values = self._same_grid(other)
        return NotImplemented if values is None else Function(self.grid, self.values + values)

    def __sub__(self, other):
        values = self._same_grid(other)
        return NotImplemented if values is None else Function(self.grid, self.values - values)

    def __mul__(self, scalar):
        if isinstance(scalar, Function):
            raise TypeError(
                "a Function is multiplied by numbers only; for a product on the grid write "
                "`grid.function(f.values * g.values)`."
            )
        return Function(self.grid, finite_number(scalar, "scalar") * self.values)

    __rmul__ = __mul__

    def __truediv__(self, scalar):
        return self * (1 / finite_number(scalar, "scalar"))

    def __neg__(self):
        return Function(self.grid, -self.values)

    def __repr__(self):
        return f"<Function {self.values.shape} on {self.grid!r}>"

    def plot(self, ax=None, **style):
        """Draw the function on a domain of dimension 1 or 2; return the matplotlib axes."""
        return self.grid.plot(self.values, ax, **style)

    def to_xarray(self):
        """Return the values as an `xarray.DataArray` with the grid's coordinates.

        Its axes are those of `Grid.axes`, with one more, "component", for functions with m components.
        ``grid.function(array)`` is the way back.
        """
        from funcgrad.spaces.interchange import to_xarray

        return to_xarray(self)


class ExactFunction(Function):
    """A function that is known beyond its values on a grid, with its derivatives, as a model's is.

    Sums and multiples of such functions are again such functions.

    Parameters
    ----------
    grid : Grid
    derivative : callable
        Of points (K, n) and a multi-index α: ∂^α f there, (K,) or (K, m), or None where it is not known;
        the interpolant's is taken then.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> from funcgrad.spaces.function import ExactFunction
    >>> grid = fg.Interval(0, 1).grid(3)
    >>> f = ExactFunction(grid, lambda x, alpha: np.exp(x[:, 0]))
    >>> bool(f(0.3) == np.exp(0.3)), bool(grid.function(f.values)(0.3) == np.exp(0.3))
    (True, False)
    """

    def __init__(self, grid, derivative):
        self._of_points, self._at_nodes, self.grid = derivative, {}, grid
        super().__init__(grid, self._derivative(grid.nodes, (0,) * grid.domain.n_coordinates))

    def _derivative(self, x, alpha):
        """∂^α f at points, None if not known; what is asked for at the nodes is kept."""
        if x is not self.grid.nodes:
            return self._of_points(x, alpha)
        if alpha not in self._at_nodes:
            self._at_nodes[alpha] = self._of_points(x, alpha)
        return self._at_nodes[alpha]

    def derivative_values(self, derivative, x=None):
        """See `Function.derivative_values`; exact."""
        domain = self.grid.domain
        points = self.grid.nodes if x is None or x is self.grid.nodes else domain.points(x)
        known = self._derivative(points, domain.multi_index(derivative))
        return super().derivative_values(derivative, x) if known is None else known

    def on(self, grid):
        """See `Function.on`; as exact as before."""
        return self if grid == self.grid else ExactFunction(grid, self._known_or_interpolated)

    def _known_or_interpolated(self, x, alpha):
        known = self._of_points(x, alpha)
        return Function.derivative_values(self, alpha, x) if known is None else known

    def __add__(self, other):
        if not isinstance(other, ExactFunction) or self._same_grid(other) is None:
            return super().__add__(other)
        return ExactFunction(self.grid, lambda x, alpha: _plus(self, other, x, alpha))

    def __mul__(self, scalar):
        product = super().__mul__(scalar)  # refuses what is not a number
        return ExactFunction(product.grid, lambda x, alpha: _times(scalar, self._derivative(x, alpha)))

    __rmul__ = __mul__

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return self + -1.0 * other if isinstance(other, ExactFunction) else super().__sub__(other)


def _plus(f, g, x, alpha):
    both = f._derivative(x, alpha), g._derivative(x, alpha)
    return None if any(part is None for part in both) else both[0] + both[1]


def _times(scalar, values):
    return None if values is None else scalar * values
