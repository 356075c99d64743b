"""The reproducing kernel of H^s on a flat torus: the lattice sum of the kernel of R^n."""

from functools import cached_property
from itertools import product
from math import gamma, pi

import numpy as np

from funcgrad._checks import finite_array, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel, row_blocks
from funcgrad.kernels.bessel import matern_line_derivative_terms
from funcgrad.kernels.matern import Sobolev
from funcgrad.kernels.theta import FarImages

_TAIL = 2.0**-56
_MOST_TERMS = 1 << 17
# What the far images of a pair cost, in images taken one by one.
_COST_OF_FAR = 20


class TorusSobolev(Kernel):
    """The reproducing kernel of H^s on a flat torus: the Green function of (1 - ℓ²Δ)^s.

    Parameters
    ----------
    s : float
        The order, any real number above n/2.
    lengths : sequence of float
        The n circumferences; coordinates are taken modulo them. On a circle use `PeriodicSobolev`.
    length_scale : float
        ℓ.

    Raises
    ------
    InvalidInput
        If `s` is not above n/2, or if one circumference is so many times another that 2^17 images are near.

    Notes
    -----
    Σ_{j ∈ Z^n} K_s(x - y + jL), K_s the kernel of R^n, over all images within a radius beyond which their
    sum is below 2^-56 of the kernel's least value: an integral bounds the tail. Where that takes many, for
    ℓ not much shorter than L, only the nearest are summed one by one and the far ones together, by theta
    functions (`theta.FarImages`), so that ℓ may be as long as one likes. Derivatives exist below the order
    2s - n; the error of one of order m is a few units of rounding of k(x, x)/ℓ^m.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import TorusSobolev
    >>> k = TorusSobolev(2.0, [1.0, 2.0])
    >>> bool(np.isclose(k([0.1, 0.2], [0.6, 0.4]), k([0.1, 0.2], [-0.4, 2.4]), rtol=1e-14))
    True
    """

    def __init__(self, s, lengths, length_scale=1.0):
        lengths = finite_array(lengths, "lengths", ndim=1)
        self.lengths = np.array([positive_number(length, "lengths") for length in lengths])
        self._free = Sobolev(s, len(self.lengths), length_scale)
        self.s, self.length_scale = self._free.s, self._free.length_scale
        self.dimension, self.smoothness = self._free.dimension, self._free.smoothness
        self._images = _LatticeSum(self, (0,) * self.dimension, (0,) * self.dimension)

    def __repr__(self):
        lengths = ", ".join(f"{length:g}" for length in self.lengths)
        return f"TorusSobolev({self.s:g}, [{lengths}], length_scale={self.length_scale:g})"

    def _evaluate(self, x, y):
        return self._images._evaluate(x, y)

    def _gram(self, X, Y):
        return self._images._gram(X, Y)

    def _product(self, X, Y, V):
        return self._images._product(X, Y, V)

    def _differentiated(self, alpha, beta):
        return _LatticeSum(self, alpha, beta)


class _LatticeSum(Kernel):
    """Σ_j ∂_x^α ∂_y^β k(x + jL, y), k the kernel of R^n: near images one by one, far ones together."""

    def __init__(self, torus, alpha, beta):
        self.torus, self.alpha, self.beta = torus, alpha, beta
        self.lengths, self.dimension = torus.lengths, torus.dimension
        self.smoothness = torus.smoothness - sum(alpha) - sum(beta)
        self._kernel = torus._free.derivative(alpha, beta)
        radius = _cut_radius(torus, sum(alpha) + sum(beta)) * torus.length_scale
        # Folded coordinates differ by less than a period.
        every = _images_within(radius, np.ceil(radius / self.lengths) + 1, self.lengths)
        # Images that are left out stay twice the longest period away.
        self._kept = np.ceil(2.0 * self.lengths.max() / self.lengths)
        near = _images_within(radius, self._kept, self.lengths)
        self._far = every is None or (near is not None and len(near) + _COST_OF_FAR < len(every))
        self._shifts = near if self._far else every
        if self._shifts is None:
            raise InvalidInput(
                f"the circumferences {self.lengths.tolist()} are too different: within the longest lie more "
                f"than {_MOST_TERMS} images."
            )

    def __repr__(self):
        return f"{self.torus!r}.derivative({self.alpha}, {self.beta})"

    @cached_property
    def _far_images(self):
        torus, orders = self.torus, tuple(np.add(self.alpha, self.beta))
        sides = self.lengths / torus.length_scale
        unit = FarImages(torus.s, sides, sides, self._kept.astype(int), orders)
        factor = (-1.0) ** sum(self.beta) * torus.length_scale ** -float(self.dimension + sum(orders))
        return lambda difference: factor * unit(difference / torus.length_scale)

    def _differentiated(self, alpha, beta):
        added = (
            tuple(map(sum, zip(*pair, strict=True))) for pair in ((self.alpha, alpha), (self.beta, beta))
        )
        return _LatticeSum(self.torus, *added)

    def _folded(self, points):
        return points - self.lengths * np.floor(points / self.lengths)

    def _evaluate(self, x, y):
        x, y = self._folded(x), self._folded(y)
        near = sum(self._kernel._evaluate(x + shift, y) for shift in self._shifts)
        return near + self._far_images(x - y) if self._far else near

    def _gram(self, X, Y):
        X, Y = self._folded(X), self._folded(Y)
        out = np.zeros((len(X), len(Y)))
        for shift in self._shifts:
            out += self._kernel._gram(X + shift, Y)
        for rows, far in self._far_rows(X, Y):
            out[rows] += far
        return out

    def _product(self, X, Y, V):
        X, Y = self._folded(X), self._folded(Y)
        out = sum(self._kernel._product(X + shift, Y, V) for shift in self._shifts)
        for rows, far in self._far_rows(X, Y):
            out[rows] += far @ V
        return out

    def _far_rows(self, X, Y):
        for rows in row_blocks(len(X), Y.size) if self._far else ():
            yield rows, self._far_images(X[rows, None, :] - Y[None, :, :])


def _images_within(radius, counts, lengths):
    """Return the shifts jL, |j_i| <= counts_i, of images that may come within a radius; None if too many."""
    if np.prod(2.0 * counts + 1.0) > _MOST_TERMS:
        return None
    shifts = np.array(list(product(*(np.arange(-c, c + 1.0) for c in counts)))) * lengths
    nearest = np.linalg.norm(np.maximum(np.abs(shifts) - lengths, 0.0), axis=1)
    shifts = shifts[nearest <= radius]
    # Small terms first.
    return shifts[np.argsort(-np.linalg.norm(shifts, axis=1), kind="stable")]


def _cut_radius(torus, order):
    """Return R, in units of ℓ, such that images at distances beyond R are negligible.

    A term of size B(z), B(z) <= B(R) (z/R)^{ν+1/2} e^{R-z}, stands for less than the integral of B over its
    cell, moved inwards by the cell's diagonal.
    """
    sides = torus.lengths / torus.length_scale
    n, nu = torus.dimension, torus.smoothness / 2.0
    diagonal = np.linalg.norm(sides)
    z = np.arange(nu + n + 1.0, 800.0, 0.5)
    sphere = 2.0 * pi ** (n / 2.0) / gamma(n / 2.0)
    tail = sphere * z ** (n - 1.0) * _size(nu, order, z) / (1.0 - (nu + n - 0.5) / z) / np.prod(sides)
    least = _size(nu, order, np.array([0.5 * diagonal]))[0]
    return z[np.flatnonzero(tail <= _TAIL * least)[0]] + diagonal


def _size(nu, order, z):
    """Bound |∂^γ h_ν(|z|)|, |γ| = `order`: along a line the coefficients are the largest."""
    return sum(np.abs(term) for term in matern_line_derivative_terms(nu, order, z))
