"""Gram matrices and matrix-free products of profiles of the distance through the compiled loops."""

from typing import NamedTuple

import numpy as np

from funcgrad.kernels.table import DyadicTable

# Below this many pairs the compiled loops are not worth their start.
_FEW_PAIRS = 1 << 14
# Squares of coordinates up to this are finite; the compiled loops rely on it.
_LARGEST = 1e150


class Profile(NamedTuple):
    """What the compiled loops need to know of a kernel A f(|x - y| / scale).

    `shape` is ("exponential", q1, q2) for f = (1 + q1 z + q2 z²) e^{-z}, ("gaussian",) for f = e^{-z²/2},
    a `DyadicTable` of f, or ("first order",) for the points (x, left, right) of `IntervalSobolev` with s = 1.
    On a circle of length `period` the kernel is Σ weight f(|shift - d|/scale) over the `images`
    (sign, shift, weight), d the distance of x + sign y from 0 modulo the period; the first has weight 1.
    """

    amplitude: float
    scale: float
    shape: tuple | DyadicTable
    period: float = 0.0
    images: tuple = ()

    def arguments(self):
        """Return the tail of the compiled functions' argument lists."""
        images = np.array(self.images, dtype=float).reshape(-1, 3)
        return images, *self._shape_arguments()

    def _shape_arguments(self):
        numbers = np.zeros(6)
        numbers[:2], numbers[5] = (self.amplitude, 1.0 / self.scale), self.period
        if isinstance(self.shape, DyadicTable):
            table = self.shape
            least, most = 2.0**table.lowest_exponent, np.nextafter(2.0**table.highest_exponent, 0.0)
            numbers[2:5] = table.decay, least, most
            return 2, numbers, table.coefficients, table.lowest_exponent, table.piece_bits
        name, *constants = self.shape
        numbers[2 : 2 + len(constants)] = constants
        return ("exponential", "gaussian", "table", "first order").index(name), numbers, np.zeros(1), 0, 0


def worth_fusing(X, Y):
    """Return whether the compiled loops may and should be used for these points."""
    largest = max(np.abs(X).max(initial=0.0), np.abs(Y).max(initial=0.0))
    return len(X) * len(Y) >= _FEW_PAIRS and largest < _LARGEST


def fused_gram(profile, X, Y):
    """Return the Gram matrix, computed in parallel over rows."""
    from funcgrad.kernels._compiled import radial_gram, radial_gram_symmetric

    out = np.empty((len(X), len(Y)))
    # Mirroring scatters the first touches of memory: that costs more than an exponential, less than a table.
    if Y is X and isinstance(profile.shape, DyadicTable):
        radial_gram_symmetric(_coordinates(X), *profile.arguments(), out)
    else:
        radial_gram(_coordinates(X), _coordinates(Y), *profile.arguments(), out)
    return out


def fused_product(profile, X, Y, V):
    """Return Σ_j k(X_i, Y_j) V_jc, shape (N, m), without storing the Gram matrix."""
    from funcgrad.kernels._compiled import radial_product

    out = np.empty((len(X), V.shape[1]))
    radial_product(_coordinates(X), _coordinates(Y), np.ascontiguousarray(V.T), *profile.arguments(), out)
    return out


def _coordinates(points):
    return np.ascontiguousarray(points.T)
