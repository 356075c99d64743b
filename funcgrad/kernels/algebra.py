"""Sums, products and multiples of kernels; each is a kernel again (N. Aronszajn 1950).

Their derivatives exist where the parts' do: it is the parts that refuse an order.
"""

from itertools import pairwise, product
from math import comb, prod

import numpy as np

from funcgrad._checks import positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel, common_dimension


class Sum(Kernel):
    """k_1 + k_2, written ``k1 + k2``."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.dimension = common_dimension((first, second))
        self.smoothness = min(first.smoothness, second.smoothness)

    def __repr__(self):
        return f"({self.first!r} + {self.second!r})"

    def _points(self, x, name):
        return self.second._points(self.first._points(x, name), name)

    def _evaluate(self, x, y):
        return self.first._evaluate(x, y) + self.second._evaluate(x, y)

    def _gram(self, X, Y):
        out = self.first._gram(X, Y)
        out += self.second._gram(X, Y)
        return out

    def _product(self, X, Y, V):
        return self.first._product(X, Y, V) + self.second._product(X, Y, V)

    def _offers(self, order):
        return True

    def _differentiated(self, alpha, beta):
        return Sum(self.first.derivative(alpha, beta), self.second.derivative(alpha, beta))


class Scaled(Kernel):
    """c k with c > 0, written ``c * k``."""

    def __init__(self, factor, kernel):
        self.factor, self.kernel = positive_number(factor, "factor"), kernel
        self.dimension, self.smoothness = kernel.dimension, kernel.smoothness

    def __repr__(self):
        return f"{self.factor:g} * {self.kernel!r}"

    def _points(self, x, name):
        return self.kernel._points(x, name)

    def _evaluate(self, x, y):
        return self.factor * self.kernel._evaluate(x, y)

    def _gram(self, X, Y):
        out = self.kernel._gram(X, Y)
        out *= self.factor
        return out

    def _product(self, X, Y, V):
        return self.factor * self.kernel._product(X, Y, V)

    def _offers(self, order):
        return True

    def _differentiated(self, alpha, beta):
        return Scaled(self.factor, self.kernel.derivative(alpha, beta))


class Product(Kernel):
    """k_1 k_2 pointwise, written ``k1 * k2``."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.dimension = common_dimension((first, second))
        self.smoothness = min(first.smoothness, second.smoothness)

    def __repr__(self):
        return f"({self.first!r} * {self.second!r})"

    def _points(self, x, name):
        return self.second._points(self.first._points(x, name), name)

    def _evaluate(self, x, y):
        return self.first._evaluate(x, y) * self.second._evaluate(x, y)

    def _gram(self, X, Y):
        out = self.first._gram(X, Y)
        out *= self.second._gram(X, Y)
        return out

    def _offers(self, order):
        return True

    def _differentiated(self, alpha, beta):
        """Leibniz' rule: every way to split the derivatives between the two factors."""
        total = None
        for split in product(*(range(order + 1) for order in alpha + beta)):
            rest = tuple(order - part for order, part in zip(alpha + beta, split, strict=True))
            n = len(alpha)
            term = Product(
                self.first.derivative(split[:n], split[n:]), self.second.derivative(rest[:n], rest[n:])
            )
            ways = prod(comb(order, part) for order, part in zip(alpha + beta, split, strict=True))
            term = term if ways == 1 else Scaled(ways, term)
            total = term if total is None else Sum(total, term)
        return total


class TensorProduct(Kernel):
    """k_1(x_1, y_1) k_2(x_2, y_2) ⋯ on a product of domains: a kernel for each block of coordinates.

    Parameters
    ----------
    *kernels : Kernel
        Each of a fixed dimension, which is the number of coordinates it takes.

    Notes
    -----
    Its space is the tensor product of the factors' spaces. For Sobolev kernels that is the space of
    dominating mixed smoothness, not H^s of the product domain.

    Examples
    --------
    >>> from funcgrad.kernels import PeriodicSobolev, Sobolev, TensorProduct
    >>> cylinder = TensorProduct(PeriodicSobolev(1.0, 1.0), Sobolev(1.0, 1))
    >>> cylinder.dimension
    2
    """

    def __init__(self, *kernels):
        if not kernels:
            raise InvalidInput("`kernels` must hold at least one kernel.")
        for kernel in kernels:
            whole_number(kernel.dimension, f"dimension of {kernel!r}", least=1)
        self.kernels = kernels
        ends = np.cumsum([0, *(kernel.dimension for kernel in kernels)])
        self._blocks = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.dimension = int(ends[-1])
        self.smoothness = min(kernel.smoothness for kernel in kernels)

    def __repr__(self):
        return f"TensorProduct({', '.join(map(repr, self.kernels))})"

    def _points(self, x, name):
        points = super()._points(x, name)
        for kernel, block in zip(self.kernels, self._blocks, strict=True):
            kernel._points(points[:, block], name)
        return points

    def _evaluate(self, x, y):
        factors = zip(self.kernels, self._blocks, strict=True)
        return prod(kernel._evaluate(x[..., block], y[..., block]) for kernel, block in factors)

    def _gram(self, X, Y):
        factors = zip(self.kernels, self._blocks, strict=True)
        return prod(kernel._gram(X[:, block], Y[:, block]) for kernel, block in factors)

    def _offers(self, order):
        return True

    def _differentiated(self, alpha, beta):
        factors = zip(self.kernels, self._blocks, strict=True)
        return TensorProduct(*(kernel.derivative(alpha[block], beta[block]) for kernel, block in factors))
