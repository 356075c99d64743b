"""Kernels of the distance alone: k(x, y) = f(|x - y|), with exact derivatives of any order."""

from abc import abstractmethod
from itertools import product
from math import inf, prod

import numpy as np

from funcgrad._checks import finite_array, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.bessel import hermite_coefficients
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing


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
        self.smoothness = kernel.smoothness - sum(alpha) - sum(beta)

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _evaluate(self, x, y):
        kernel, orders = self.kernel, np.add(self.alpha, self.beta)
        difference = (x - y) / kernel.scale
        z = _length(difference)
        # At z = 0 every term with a power of the direction has the limit 0.
        direction = difference / np.where(z > 0.0, z, 1.0)[..., None]
        total, sum_ = int(orders.sum()), np.zeros_like(z)
        for choice in product(*(hermite_coefficients(int(order)) for order in orders)):
            lowered = sum(i for i, _ in choice)
            term = prod(c for _, c in choice) * kernel._radial(z, total - lowered, total - 2 * lowered)
            for axis, (i, _) in enumerate(choice):
                power = int(orders[axis]) - 2 * i
                if power:
                    term = term * direction[..., axis] ** power
            sum_ += term
        sign = -1.0 if sum(self.beta) % 2 else 1.0
        return sign * kernel.amplitude / kernel.scale**total * sum_

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
        return np.exp(-0.5 * z * z)

    def _radial(self, z, order, power):
        return (-1.0) ** order * z**power * np.exp(-0.5 * z * z)


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
