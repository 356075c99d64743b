"""Kernels of the distance alone: k(x, y) = f(|x - y|), with exact derivatives of any order."""

from abc import abstractmethod
from itertools import product
from math import inf, prod

import numpy as np

from funcgrad._checks import finite_array, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel, row_blocks
from funcgrad.kernels.bessel import hermite_coefficients
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing

# In units of the scale; the profiles that are compiled underflow to 0 before.
_FAR = 1000.0


class RadialKernel(Kernel):
    """k(x, y) = A f(z), z = |x - y| / scale.

    To implement one, set `amplitude`, `scale`, `dimension`, `smoothness` and write `_profile`, f itself,
    and `_radial`, its derivatives. A kernel whose profile the compiled loops know sets `_shape` (see
    `fused.Profile`); None leaves it to numpy.
    """

    amplitude = 1.0
    scale = 1.0
    _shape: tuple | None = None

    @abstractmethod
    def _profile(self, z):
        """Return f(z) for an array z >= 0."""

    def _radial(self, z, order, power):
        """Return z^power (d/dt)^order f, t = z²/2; `power` is large enough for a limit at z = 0.

        Asked only of kernels with a `smoothness` above 0, which must have it; the others refuse derivatives.
        """
        raise NotImplementedError

    def _compiled_radial(self, order):
        """Return (c, shape), where (d/dt)^order f is c times a profile of that shape.

        The shape is None where the compiled loops know none.
        """
        return 1.0, self._shape if order == 0 else None

    def _evaluate(self, x, y):
        return self.amplitude * self._profile(_length(x - y) / self.scale)

    def _gram(self, X, Y):
        if worth_fusing(X, Y) and self._shape is not None:
            return fused_gram(Profile(self.amplitude, self.scale, self._shape), X, Y)
        return super()._gram(X, Y)

    def _product(self, X, Y, V):
        if worth_fusing(X, Y) and self._shape is not None:
            return fused_product(Profile(self.amplitude, self.scale, self._shape), X, Y, V)
        return super()._product(X, Y, V)

    def _differentiated(self, alpha, beta):
        return RadialDerivative(self, alpha, beta)


class RadialDerivative(Kernel):
    """∂_x^α ∂_y^β k of a radial kernel k.

    With f a function of t = z²/2, ∂^γ f = Σ_i Π_k c(γ_k, i_k) z_k^{γ_k - 2 i_k} f^{(|γ| - |i|)}, one Hermite
    polynomial a coordinate. Powers of z are joined to f^{(j)} before they can overflow at z = 0.
    """

    def __init__(self, kernel, alpha, beta):
        self.kernel, self.alpha, self.beta = kernel, alpha, beta
        self.dimension = len(alpha)
        orders = _added(alpha, beta)
        total = sum(orders)
        self.smoothness = kernel.smoothness - total
        self._factor = (-1.0) ** sum(beta) * kernel.amplitude / kernel.scale**total
        self._terms = []  # (constant, powers of z, order of the derivative of f)
        for choice in product(*map(hermite_coefficients, orders)):
            lowered = [i for i, _ in choice]
            powers = [order - 2 * i for order, i in zip(orders, lowered, strict=True)]
            self._terms.append((prod(c for _, c in choice), powers, total - sum(lowered)))

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _evaluate(self, x, y):
        difference = (x - y) / self.kernel.scale
        z = _length(difference)
        # At z = 0 every term with a power of the direction has the limit 0.
        direction = difference / np.where(z > 0.0, z, 1.0)[..., None]
        total = 0.0
        for constant, powers, order in self._terms:
            term = constant * self.kernel._radial(z, order, sum(powers))
            for axis, power in enumerate(powers):
                if power:
                    term = term * direction[..., axis] ** power
            total = total + term
        return self._factor * total

    def _gram(self, X, Y):
        radial = {order: self.kernel._compiled_radial(order) for _, _, order in self._terms}
        if not worth_fusing(X, Y) or any(shape is None for _, shape in radial.values()):
            return super()._gram(X, Y)
        out = np.empty((len(X), len(Y)))
        for rows in row_blocks(len(X), len(Y)):
            out[rows] = self._compiled_block(X[rows], Y, radial)
        return out

    def _product(self, X, Y, V):
        out = np.empty((len(X), V.shape[1]))
        for rows in row_blocks(len(X), len(Y)):
            out[rows] = self._gram(X[rows], Y) @ V
        return out

    def _compiled_block(self, X, Y, radial):
        scale, total = self.kernel.scale, 0.0
        values = {
            order: c * fused_gram(Profile(self._factor, scale, shape), X, Y)
            for order, (c, shape) in radial.items()
        }
        for constant, powers, order in self._terms:
            term = constant * values[order]
            for axis, power in enumerate(powers):
                if power:
                    difference = (X[:, None, axis] - Y[None, :, axis]) / scale
                    # Profiles are 0 beyond: 0·∞ must not arise.
                    term *= np.clip(difference, -_FAR, _FAR) ** power
            total = total + term
        return total

    def _differentiated(self, alpha, beta):
        return RadialDerivative(self.kernel, _added(self.alpha, alpha), _added(self.beta, beta))


class Gaussian(RadialKernel):
    """exp(-|x - y|² / (2ℓ²)), of any dimension and infinitely smooth.

    Parameters
    ----------
    length_scale : float
        ℓ.

    Examples
    --------
    >>> from funcgrad.kernels import Gaussian
    >>> k = Gaussian()
    >>> k.derivative(1, 1)(0.5, 0.5)             # the inner product of two derivative evaluations
    1.0
    """

    smoothness = inf
    _shape = ("gaussian",)

    def __init__(self, length_scale=1.0):
        self.scale = self.length_scale = positive_number(length_scale, "length_scale")

    def __repr__(self):
        return f"Gaussian(length_scale={self.length_scale:g})"

    def _profile(self, z):
        return self._radial(z, 0, 0)

    def _radial(self, z, order, power):
        z = np.minimum(z, _FAR)
        return (-1.0) ** order * z**power * np.exp(-0.5 * z * z)

    def _compiled_radial(self, order):
        return (-1.0) ** order, self._shape


class Radial(RadialKernel):
    """A kernel of the user's own: k(x, y) = f(|x - y|).

    Parameters
    ----------
    function : callable
        f, from an array of distances r >= 0 to an array of that shape. That the kernel is positive
        definite in the dimension it is used in is the user's to know (`low_rank` and `solver` notice).
    derivatives : sequence of callable
        ((1/r) d/dr)^j f for j = 1, 2, ..., each finite at r = 0; a kernel with J of them offers
        derivatives up to |α| + |β| = J.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import Radial
    >>> inverse_quadratic = Radial(lambda r: 1 / (1 + r**2), [lambda r: -2 / (1 + r**2) ** 2])
    >>> inverse_quadratic([0.0, 0.0], [0.0, 1.0])
    array([1. , 0.5])
    """

    def __init__(self, function, derivatives=()):
        self.function, self.derivatives = function, tuple(derivatives)
        self.smoothness = len(self.derivatives) + 1.0

    def __repr__(self):
        return f"Radial({getattr(self.function, '__name__', self.function)!s})"

    def _profile(self, z):
        values = finite_array(self.function(z), "function(r)")
        if values.shape != z.shape:
            raise InvalidInput(
                f"`function` must return an array of its argument's shape {z.shape}; got {values.shape}."
            )
        return values

    def _radial(self, z, order, power):
        f = self.derivatives[order - 1] if order else self.function
        return z**power * finite_array(f(z), f"derivatives[{order - 1}](r)")


def _added(first, second):
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _length(difference):
    """Return Euclidean lengths over the last axis; exact where one coordinate alone differs."""
    if difference.shape[-1] == 1:
        return np.abs(difference[..., 0])
    return np.sqrt(np.einsum("...k,...k->...", difference, difference))
