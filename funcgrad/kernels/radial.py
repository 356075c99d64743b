"""Kernels of the distance alone: k(x, y) = f(|x - y|), with exact derivatives of any order."""

from abc import abstractmethod
from itertools import product
from math import prod

import numpy as np

from funcgrad.kernels.base import Kernel
from funcgrad.kernels.bessel import hermite_coefficients


class RadialKernel(Kernel):
    """k(x, y) = A f(z), z = |x - y| / scale.

    To implement one, set `amplitude`, `scale`, `dimension`, `smoothness` and write `_profile`, f itself,
    and `_radial`, its derivatives.
    """

    amplitude = 1.0
    scale = 1.0

    @abstractmethod
    def _profile(self, z):
        """Return f(z) for an array z >= 0."""

    def _radial(self, z, order, power):
        """Return z^power (d/dt)^order f, t = z²/2; `power` is large enough for a limit at z = 0."""
        raise NotImplementedError

    def _evaluate(self, x, y):
        return self.amplitude * self._profile(_length(x - y) / self.scale)

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


def _added(first, second):
    return tuple(a + b for a, b in zip(first, second, strict=True))


def _length(difference):
    """Return Euclidean lengths over the last axis; exact where one coordinate alone differs."""
    if difference.shape[-1] == 1:
        return np.abs(difference[..., 0])
    return np.sqrt(np.einsum("...k,...k->...", difference, difference))
