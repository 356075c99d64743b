"""Trapezoidal sums on the half line, and the far images of a lattice sum through theta functions."""

from math import atan, ceil, exp, floor, hypot, lgamma, log, pi, sqrt

import numpy as np
from numpy.polynomial import chebyshev
from numpy.polynomial.hermite import hermval

# Points whose polynomials are held at once.
_BLOCK = 1 << 13


def trapezoidal_step(growth, tolerance):
    """Return h such that the trapezoidal rule in u = log t has a relative error below `tolerance`.

    For a positive integrand, analytic for |Im u| < π/2, whose integral along Im u = φ is (cos φ)^{-q} times
    larger, q = `growth`, the error is below 2 e^{-2πφ/h} (cos φ)^{-q} for every φ (L. N. Trefethen and
    J. A. C. Weideman 2014); the least is at tan φ = 2π/(hq).
    """
    step, error = 0.5, 1.0
    while error > tolerance:
        step *= 0.95
        slope = 2.0 * pi / (step * growth)
        error = 2.0 * exp(-2.0 * pi * atan(slope) / step) * hypot(1.0, slope) ** growth
    return step


class FarImages:
    """D^γ Σ_j K_s(d + jL) over the lattice points j with |j_i| > J_i for some i, for |d_i| <= w_i; ℓ = 1.

    Parameters
    ----------
    s : float
        The order of the kernel K_s of R^n.
    lengths, half_widths : ndarray, (n,)
        L and w.
    kept : ndarray of int, (n,)
        J: the images left out of the sum.
    orders : tuple of int
        γ.

    Notes
    -----
    K_s(d) = Γ(s)^{-1} ∫ t^{s-1} e^{-t} Π_i (4πt)^{-1/2} e^{-d_i²/4t} dt; summed over all images each Gaussian
    is a theta function. That is summed as it stands for small t and by its Fourier series for large t
    (Jacobi's identity, DLMF 20.7.32): a few terms serve, however short the lengths. The integral is the
    trapezoidal rule in log t to 2^-60. What depends on d is analytic as far as the first image in the sum:
    a Chebyshev series in each d_i, cut at 2^-52 of its largest coefficient.
    """

    def __init__(self, s, lengths, half_widths, kept, orders):
        self.half_widths, self.orders = half_widths, orders
        distance = ((kept + 1) * lengths - half_widths).min()
        first, last = log(distance**2 / 240.0), log(s + 12.0 * sqrt(s) + 60.0)
        step = trapezoidal_step(s + 0.5 * len(lengths) + sum(orders), 2.0**-60)
        t = np.exp(step * np.arange(floor(first / step), ceil(last / step) + 1))
        weights = step * np.exp(s * np.log(t) - t - lgamma(s))
        # Beyond a length scale the degree must also resolve e^{±d}.
        nodes = chebyshev.chebpts1(24 + int(1.5 * half_widths.max()))
        axes = [
            _near_and_far(*axis, nodes, t) for axis in zip(lengths, half_widths, kept, orders, strict=True)
        ]
        self.coefficients = _chebyshev_coefficients(_sum_over_t(weights, axes), orders)

    def __call__(self, d):
        """Return the sum at differences d, shape (..., n)."""
        flat = (d / self.half_widths).reshape(-1, d.shape[-1])
        out = np.empty(len(flat))
        for start in range(0, len(flat), _BLOCK):
            block = flat[start : start + _BLOCK]
            values = self._waves(block, -1) @ self.coefficients.reshape(-1, self.coefficients.shape[-1]).T
            for axis in range(d.shape[-1] - 2, -1, -1):
                waves = self._waves(block, axis)
                values = np.einsum("pab,pb->pa", values.reshape(len(block), -1, waves.shape[1]), waves)
            out[start : start + _BLOCK] = values[:, 0]
        return out.reshape(d.shape[:-1])

    def _waves(self, points, axis):
        """Return the Chebyshev polynomials of one coordinate that have the parity of the sum."""
        odd = self.orders[axis] % 2
        degree = 2 * (self.coefficients.shape[axis] - 1) + odd
        return chebyshev.chebvander(points[:, axis], degree)[:, odd::2]


def _near_and_far(length, half_width, kept, order, nodes, t):
    """Return D^m Σ_j (4πt)^{-1/2} e^{-(d + jL)²/4t} over |j| <= J and over |j| > J, two arrays (t, d)."""
    d, t = half_width * nodes, t[:, None]

    def images(numbers, t):
        root = 2.0 * np.sqrt(t)
        total = np.zeros((len(t), len(d)))
        for j in numbers:
            y = (d + j * length) / root
            total += hermval(y, [0.0] * order + [1.0]) * np.exp(-y * y)
        return (-1.0) ** order * total / (sqrt(pi) * root ** (order + 1))

    near, far = images(range(-kept, kept + 1), t), np.empty((len(t), len(d)))
    # The series gives near and far together: it serves where far is not much the smaller.
    short = 4.0 * pi * t[:, 0] < (2.0 * (kept + 1) * length) ** 2
    far[short] = images([j for k in range(kept + 1, 8 * (kept + 1)) for j in (-k, k)], t[short])
    waves = 2.0 * pi / length * np.arange(4.0)[:, None, None]
    series = waves**order * np.exp(-t[~short] * waves**2) * np.cos(waves * d + 0.5 * pi * order)
    far[~short] = (series.sum(axis=0) * 2.0 - series[0]) / length - near[~short]
    return near, far


def _sum_over_t(weights, axes):
    """Return Σ_t weight (Π_i (near_i + far_i) - Π_i near_i), without subtracting what nearly cancels."""
    total = 0.0
    for q, weight in enumerate(weights):
        near, rest = np.array(weight), np.array(0.0)
        for axis_near, axis_far in axes:
            rest = np.multiply.outer(rest, axis_near[q] + axis_far[q]) + np.multiply.outer(near, axis_far[q])
            near = np.multiply.outer(near, axis_near[q])
        total = total + rest
    return total


def _chebyshev_coefficients(values, orders):
    """Return the Chebyshev coefficients of values at Chebyshev points along each axis, cut at 2^-52.

    Along each axis only those of the parity of its order, the others vanish.
    """
    count = len(values)
    transform = 2.0 / count * chebyshev.chebvander(chebyshev.chebpts1(count), count - 1).T
    transform[0] *= 0.5
    for axis, order in enumerate(orders):
        values = np.moveaxis(np.tensordot(transform[order % 2 :: 2], values, axes=(1, axis)), 0, axis)
    largest = np.abs(values).max()
    for axis in range(len(orders)):
        sizes = np.abs(np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)).max(axis=1)
        values = np.take(values, range(np.flatnonzero(sizes >= 2.0**-52 * largest)[-1] + 1), axis=axis)
    return values
