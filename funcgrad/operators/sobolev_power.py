"""Powers (1 - ℓ²Δ)^s, with their inverses and square roots, on whatever has an eigenbasis of Δ."""

import numpy as np

from funcgrad._checks import finite_array, finite_number, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.operators.eigenbasis import Eigenbasis, GalerkinEigenbasis
from funcgrad.operators.square_root import SquareRoot
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import SpectralGrid


def sobolev_power(space, s, length_scale=1.0):
    """Return the operator (1 - ℓ²Δ)^s.

    Parameters
    ----------
    space : Grid or Eigenbasis
        A grid of the Laplacian's eigenfunctions (of circles, tori, the sphere, of midpoints), or of
        polynomials on the interval; or a `FiniteDifferenceLaplacian`, a `TensorEigenbasis`, or
        another `Eigenbasis` of -Δ.
    s : float
        Any real number.
    length_scale : float
        ℓ.

    Returns
    -------
    SobolevPower

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> from funcgrad.operators import sobolev_power
    >>> grid = fg.Circle(2 * np.pi).grid(16)
    >>> P = sobolev_power(grid, 1.5)
    >>> u = np.sin(grid.nodes[:, 0])
    >>> bool(np.allclose(P.apply(u), 2**1.5 * u)), bool(np.allclose(P.inverse.apply(P.apply(u)), u))
    (True, True)
    """
    if isinstance(space, SpectralGrid):
        basis = _GridEigenbasis(space)
    elif isinstance(space, PolynomialGrid):
        basis = GalerkinEigenbasis(space)
    elif isinstance(space, Eigenbasis):
        basis = space
    else:
        raise InvalidInput(
            f"`space` must be a grid of the Laplacian's eigenfunctions, a polynomial grid of an interval, or "
            f"an Eigenbasis of -Δ; got {space!r}. For a sparse matrix use `RationalPower`."
        )
    return SobolevPower(basis, s, length_scale)


class SobolevPower:
    """(1 + ℓ²A)^s on an eigenbasis of A: exact but for the rounding of two transforms.

    The powers of one basis commute, and those of orders s and t are in product that of s + t.

    Parameters
    ----------
    basis : Eigenbasis
    s, length_scale : float

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.operators import FiniteDifferenceLaplacian, SobolevPower
    >>> half = SobolevPower(FiniteDifferenceLaplacian((8,), 0.5, "neumann"), 0.5)
    >>> u = np.sin(np.arange(8.0))
    >>> bool(np.allclose(half.inverse.apply(half.apply(u)), u))
    True
    """

    def __init__(self, basis, s, length_scale=1.0):
        self.basis, self.s = basis, finite_number(s, "s")
        self.length_scale = positive_number(length_scale, "length_scale")
        if np.min(basis.eigenvalues) < -1e-12 * np.max(np.abs(basis.eigenvalues)):
            raise InvalidInput("`space` must have non-negative eigenvalues, those of -Δ.")
        self._symbol = (1 + self.length_scale**2 * np.maximum(basis.eigenvalues, 0.0)) ** self.s

    def apply(self, values):
        """Return the power of nodal values ``basis.shape + (...)``."""
        array = finite_array(values, "values")
        shape = self.basis.shape
        if array.shape[: len(shape)] != shape:
            raise InvalidInput(f"`values` must have shape {shape} + (...); got {array.shape}.")
        return self.basis.multiply(self._symbol, array)

    @property
    def inverse(self):
        """(1 - ℓ²Δ)^{-s}."""
        return SobolevPower(self.basis, -self.s, self.length_scale)

    @property
    def square_root(self):
        """(1 - ℓ²Δ)^{s/2}."""
        return SobolevPower(self.basis, self.s / 2, self.length_scale)

    def __repr__(self):
        return f"<(1 - ℓ²Δ)^{self.s:g}, ℓ = {self.length_scale:g}, on {self.basis.shape} nodes>"


class PowerRoot(SquareRoot):
    """S = √w P^{1/2}: the metric <u, v> = Σ_i w_i u_i (Pv)_i of an operator P self-adjoint in weights w.

    Parameters
    ----------
    power : SobolevPower or RationalPower
        P, positive.
    weights : float or array_like, (N,)
        Of the N nodes in C order, the same for all or one each.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.operators import FiniteDifferenceLaplacian, PowerRoot, sobolev_power
    >>> laplacian = FiniteDifferenceLaplacian((8, 8), 1 / 8, "neumann")
    >>> S = PowerRoot(sobolev_power(laplacian, 0.75), weights=1 / 64)
    >>> round(float(np.sum(S.apply(np.ones(64)) ** 2)), 12)
    1.0
    """

    def __init__(self, power, weights):
        self._half, self._inverse_half = power.square_root, power.inverse.square_root
        self._shape = power.shape if hasattr(power, "shape") else power.basis.shape
        weights = finite_array(weights, "weights")
        size = int(np.prod(self._shape))
        if weights.shape not in ((), (size,)) or not (weights > 0).all():
            raise InvalidInput(
                f"`weights` must be a positive number or {size} of them; got shape {weights.shape}."
            )
        self._root = np.broadcast_to(np.sqrt(weights), size)

    def _weighted(self, array):
        return self._root.reshape(-1, *[1] * (np.ndim(array) - 1)) * array

    def _unweighted(self, array):
        return array / self._root.reshape(-1, *[1] * (np.ndim(array) - 1))

    def _on_nodes(self, power, array):
        return power.apply(array.reshape(*self._shape, *array.shape[1:])).reshape(array.shape)

    def apply(self, values):
        """See `SquareRoot.apply`."""
        return self._weighted(self._on_nodes(self._half, values))

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`; the transpose of P^{1/2} is w P^{1/2}/w."""
        return self._weighted(self._weighted(self._on_nodes(self._half, self._unweighted(r))))

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return self._on_nodes(self._inverse_half, self._unweighted(r))

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        c = self._unweighted(self._unweighted(components))
        return self._weighted(self._on_nodes(self._inverse_half, c))


class _GridEigenbasis(Eigenbasis):
    """The eigenbasis that a `SpectralGrid` transforms to; on the sphere with more nodes than eigenfunctions.

    There values stand for their projection onto these, and so the inverse of a power is one on their span.
    """

    def __init__(self, grid):
        self._grid = grid
        self.shape, self.eigenvalues = (len(grid),), grid.eigenvalues

    def forward(self, values):
        return self._grid.forward(values)

    def backward(self, coefficients):
        return self._grid.backward(coefficients)
