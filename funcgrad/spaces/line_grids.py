"""Grids on the real line."""

import numpy as np

from funcgrad.spaces.grid import Grid
from funcgrad.spaces.interval import Interval
from funcgrad.spaces.quadrature import gauss_hermite_lebesgue
from funcgrad.spaces.spectral_grid import FourierGrid


class HermiteGrid(Grid):
    """N Gauss-Hermite nodes; values stand for p(x) e^{-x²/2L²}, p of degree N - 1, L the scale."""

    def __init__(self, domain, n, scale):
        nodes, weights = gauss_hermite_lebesgue(n)
        super().__init__(domain, scale * nodes.reshape(-1, 1), scale * weights, "gauss-hermite")
        self.scale = scale
        # The Hermite functions are orthonormal in the quadrature, so this takes values to coefficients.
        self._analysis = hermite_functions(n, nodes).T * weights

    @property
    def _key(self):
        return (*super()._key, self.scale)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; a sum of Hermite functions."""
        (order,) = self.domain.multi_index(derivative)
        modes = hermite_functions(len(self) + order, self.domain.points(x)[:, 0] / self.scale)
        root = np.sqrt(np.arange(modes.shape[1]) / 2)
        for _ in range(order):  # ψ_k' = √(k/2) ψ_{k-1} - √((k+1)/2) ψ_{k+1}
            lower = np.pad(modes[:, :-2] * root[1 : modes.shape[1] - 1], [(0, 0), (1, 0)])
            modes = lower - modes[:, 1:] * root[1 : modes.shape[1]]
        return modes @ self._analysis / self.scale**order

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`."""
        return self.interpolation_matrix(self.nodes, derivative) @ self.values(values)


class MappedGrid(Grid):
    """Midpoints θ_j = (j + ½)π/N, x = -L cot θ; values stand for their trigonometric sum of period π in θ.

    The space holds rational functions with poles at ±iL (Christov 1982; Boyd, Chebyshev and Fourier
    Spectral Methods, ch. 17). Functions that decay like |x|^-2 or faster are integrated spectrally if they
    are analytic at infinity.
    """

    def __init__(self, domain, n, scale):
        angles = np.pi / n * (np.arange(n) + 0.5)
        self._circle = FourierGrid(Interval(0, np.pi, "periodic"), n, np.pi / (2 * n), np.pi)
        nodes = -scale * np.cos(angles) / np.sin(angles)
        super().__init__(domain, nodes.reshape(-1, 1), np.pi / n * scale / np.sin(angles) ** 2, "mapped")
        self.scale = scale
        self._slope = np.sin(angles) ** 2 / scale  # dθ/dx

    @property
    def _key(self):
        return (*super()._key, self.scale)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`."""
        angles = np.arctan2(self.scale, -self.domain.points(x)[:, 0])
        return self._circle.interpolation_matrix(angles) @ self.differentiate(np.eye(len(self)), derivative)

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`; d/dx = (dθ/dx) d/dθ."""
        (order,) = self.domain.multi_index(derivative)
        values = self.values(values)
        for _ in range(order):
            values = (self._slope * self._circle.differentiate(values).T).T
        return values


class TruncatedGrid(FourierGrid):
    """N equispaced nodes on [-L, L); values stand for their trigonometric sum there, and zero outside."""

    def __init__(self, domain, n, scale):
        super().__init__(domain, n, -scale, 2 * scale)
        self.rule = "truncated"
        self.scale = scale

    def _with(self, n):
        return TruncatedGrid(self.domain, n, self.scale)

    @property
    def _key(self):
        return (*super()._key, self.scale)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`."""
        x = self.domain.points(x)
        return super().interpolation_matrix(x, derivative) * (np.abs(x) <= self.scale)


def hermite_functions(count, t):
    """Return the orthonormal Hermite functions ψ_k(t) = H_k(t) e^{-t²/2}/√(2^k k! √π), k < count, (K, count).

    By the three-term recurrence with the Gaussian spread over its steps, lest it underflow at the start.
    """
    g = np.exp(-(t**2) / (2 * count))
    modes = np.empty((len(t), count))
    modes[:, 0] = np.pi**-0.25
    for k in range(count - 1):
        modes[:, k + 1] = np.sqrt(2 / (k + 1)) * t * g * modes[:, k]
        if k > 0:
            modes[:, k + 1] -= np.sqrt(k / (k + 1)) * g**2 * modes[:, k - 1]
    remaining = 1 - np.arange(count) / count
    return modes * np.exp(-(t[:, None] ** 2) / 2 * remaining)
