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
        values = self.grid.evaluate(self.values, x)
        if np.ndim(x) == (0 if self.grid.domain.n_coordinates == 1 else 1):
            return values[0].item() if values.ndim == 1 else values[0]
        return values

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
