"""Kernels of the angle, k(x, y) = |x|^a |y|^a g(w) with w = sin²(γ/2), and their exact derivatives.

A derivative is a coefficient of Taylor's expansion in the displacements ε of x and η of y. With u, v the unit
vectors along x, y, e = u - v and r = |e| = 2√w,

    4 w(ε, η) = (|e + ε - η|² - (|u+ε| - |v+η|)²) / (|u+ε| |v+η|) = r² + 4 (r A + B),

A the first-order part divided by r, B the rest. So ∂_x^α ∂_y^β k collects r^i g^(j)(w) A^i B^{j-i} /
i! (j-i)! with i + 2(j - i) <= |α| + |β|: a singular g^(j) meets the power of r that tames it.
"""

from abc import abstractmethod
from math import factorial, inf

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel

# Pairs whose expansions are held at once.
_BLOCK_PAIRS = 1 << 14


class ZonalKernel(Kernel):
    """k(x, y) = |x|^a |y|^a g(w), w = sin²(γ/2), γ the angle between x and y.

    To implement one, set `degree` (a) and write `_evaluate` and `_zonal_profile`. Derivatives are those in
    the coordinates of R^n; with a = 0 that is of the extension that is constant along rays, as of functions
    on `Sphere`.
    """

    degree = 0

    @abstractmethod
    def _zonal_profile(self, total):
        """Return near(order, power, r) = r^power g^(order)(w), r = 2√w, and the same of w ↦ g(1 - w).

        `total` is the order of the derivative asked for, power >= 2 order - total. None for the second one
        says that g is smooth at w = 1.
        """

    def _differentiated(self, alpha, beta):
        return ZonalDerivative(self, alpha, beta)


class ZonalDerivative(Kernel):
    """∂_x^α ∂_y^β of a zonal kernel."""

    def __init__(self, kernel, alpha, beta):
        self.kernel, self.alpha, self.beta = kernel, tuple(alpha), tuple(beta)
        self.dimension, self._total = len(self.alpha), sum(alpha) + sum(beta)
        self.smoothness = kernel.smoothness - self._total
        self._near, self._far = kernel._zonal_profile(self._total)

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _points(self, x, name):
        return self.kernel._points(super()._points(x, name), name)

    def _differentiated(self, alpha, beta):
        return ZonalDerivative(self.kernel, np.add(self.alpha, alpha), np.add(self.beta, beta))

    def _evaluate(self, x, y):
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = (np.broadcast_to(p, shape).reshape(-1, shape[-1]) for p in (x, y))
        out = np.empty(len(x))
        for start in range(0, len(x), _BLOCK_PAIRS):
            block = slice(start, start + _BLOCK_PAIRS)
            out[block] = self._pairs(x[block], y[block])
        return out.reshape(shape[:-1])

    def _pairs(self, x, y):
        u, size_x = _unit(x, self.kernel.degree, self.alpha)
        v, size_y = _unit(y, self.kernel.degree, self.beta)
        out, opposite = np.empty(len(u)), np.zeros(len(u), dtype=bool)
        if self._far is not None:
            opposite = (u * v).sum(axis=1) < 0.0
            sign = -1.0 if sum(self.beta) % 2 else 1.0
            out[opposite] = sign * self._at_unit_vectors(u[opposite], -v[opposite], self._far)
        out[~opposite] = self._at_unit_vectors(u[~opposite], v[~opposite], self._near)
        return size_x * size_y * out

    def _at_unit_vectors(self, u, v, profile):
        series = _Series(self.alpha + self.beta)
        e, degree, total = u - v, self.kernel.degree, self._total
        r = np.sqrt((e * e).sum(axis=1))
        length, length_y = series.length(u, 0), series.length(v, len(self.alpha))
        sizes = series.product(length, length_y)
        along = _along_the_chord(series, u, v, e, r)
        A, B = _expanded_chord(series, along, r, length, length_y, series.power(sizes, -1, total))
        powers_of_A = series.powers(A, total)
        powers_of_B = series.powers(B, total // 2)
        factor = sizes if degree == 1 else series.one(r)
        out = np.zeros_like(r)
        for b, power_of_B in enumerate(powers_of_B):
            weighted = series.product(factor, power_of_B)
            for i in range(total - 2 * b + 1):
                coefficient = series.last_coefficient(weighted, powers_of_A[i])
                if coefficient is not None:
                    out += coefficient / (factorial(i) * factorial(b)) * profile(i + b, i, r)
        return out * np.prod([float(factorial(order)) for order in self.alpha + self.beta])


def _unit(points, degree, orders):
    """Return the unit vectors and |x|^{a - |α|}, to which the derivative of order α is homogeneous."""
    lengths = np.sqrt((points * points).sum(axis=1))
    if any(orders) and not lengths.all():
        raise InvalidInput(
            "a derivative of a kernel of the angle does not exist at the origin; leave it out."
        )
    safe = np.where(lengths > 0.0, lengths, 1.0)
    return points / safe[:, None], lengths ** (degree - sum(orders)) if any(orders) or degree else 1.0


def _along_the_chord(series, u, v, e, r):
    """Return <e/r, ε - η>, 0 at r = 0."""
    # u and v are unit vectors to rounding only: the parts of e along them are set to ±r²/2.
    half = 0.5 * r * r
    from_x = e + (half - (e * u).sum(axis=1))[:, None] * u
    from_y = e - (half + (e * v).sum(axis=1))[:, None] * v
    return series.linear([*(np.hstack([from_x, -from_y]) / np.where(r > 0.0, r, 1.0)[:, None]).T])


def _expanded_chord(series, along, r, length_x, length_y, inverse_sizes):
    """Return A and B of w(ε, η) = r²/4 + r A + B."""
    gap = series.sum(length_x, length_y, -1.0)
    quadratic = series.scaled(series.product(gap, gap), -1.0)
    n = len(series.highest) // 2
    for axis in range(n):
        difference = series.linear([float(axis == k) - float(axis + n == k) for k in range(2 * n)])
        quadratic = series.sum(quadratic, series.product(difference, difference))
    A = series.sum(series.scaled(along, 2.0), series.scaled(series.part(inverse_sizes, 1, 1), r))
    B = series.scaled(series.part(inverse_sizes, 2), r * r)
    B = series.sum(B, series.product(series.scaled(along, 2.0 * r), series.part(inverse_sizes, 1)))
    B = series.sum(B, series.product(quadratic, inverse_sizes))
    return series.scaled(A, 0.25), series.scaled(B, 0.25)


class _Series:
    """Power series in several variables, cut at the exponents of one monomial: {exponents: coefficients}."""

    def __init__(self, highest):
        self.highest = tuple(int(order) for order in highest)

    def one(self, like):
        return {(0,) * len(self.highest): np.ones_like(like)}

    def linear(self, coefficients):
        """Σ_k c_k (variable k)."""
        series = {}
        for k, (coefficient, highest) in enumerate(zip(coefficients, self.highest, strict=True)):
            if highest:
                series[tuple(int(j == k) for j in range(len(self.highest)))] = coefficient
        return series

    def sum(self, first, second, factor=1.0):
        total = dict(first)
        for key, value in second.items():
            total[key] = total.get(key, 0.0) + factor * value
        return total

    def scaled(self, series, factor):
        return {key: factor * value for key, value in series.items()}

    def part(self, series, lowest, highest=inf):
        """The terms of these total orders."""
        return {key: value for key, value in series.items() if lowest <= sum(key) <= highest}

    def product(self, first, second):
        total = {}
        for a, p in first.items():
            for b, q in second.items():
                key = tuple(i + j for i, j in zip(a, b, strict=True))
                if all(i <= h for i, h in zip(key, self.highest, strict=True)):
                    total[key] = total[key] + p * q if key in total else p * q
        return total

    def powers(self, series, highest):
        """series^0, ..., series^highest."""
        powers = [{(0,) * len(self.highest): 1.0}]
        for _ in range(highest):
            powers.append(self.product(powers[-1], series))
        return powers

    def power(self, series, exponent, total):
        """series^exponent for a series whose constant is 1, by the binomial series."""
        rest = self.part(series, 1)
        result, term, coefficient = self.powers(rest, 0)[0], self.powers(rest, 0)[0], 1.0
        for k in range(1, total + 1):
            coefficient *= (exponent - k + 1) / k
            term = self.product(term, rest)
            result = self.sum(result, term, coefficient)
        return result

    def length(self, unit, first):
        """|u + ε| for unit vectors (N, n); the components of ε are the variables from `first` on."""
        n, total = unit.shape[1], sum(self.highest)
        coefficients = [0.0] * len(self.highest)
        coefficients[first : first + n] = 2.0 * unit.T
        square = {(0,) * len(self.highest): np.ones(len(unit)), **self.linear(coefficients)}
        for k in range(first, first + n):
            variable = self.linear([float(j == k) for j in range(len(self.highest))])
            square = self.sum(square, self.product(variable, variable))
        return self.power(square, 0.5, total)

    def last_coefficient(self, first, second):
        """The coefficient of the monomial itself in a product, None if there is none."""
        total = None
        for a, p in first.items():
            q = second.get(tuple(h - i for h, i in zip(self.highest, a, strict=True)))
            if q is not None:
                total = p * q if total is None else total + p * q
        return total
