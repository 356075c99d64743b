"""The reproducing kernel of H^s on a circle: sums over images, closed forms, Fourier series.

Everything here is dimensionless: lengths are in units of ℓ, L is the circumference, and
p_m(z) = Σ_{j ∈ Z} D^m g(z + jL), g(z) = h_ν(|z|), is the m-th derivative of the periodised line kernel.
"""

from functools import lru_cache
from math import comb, exp, expm1, factorial, gamma, pi, sqrt

import numpy as np
from numpy.polynomial import chebyshev

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.bessel import matern_line_derivative, matern_line_derivative_terms

# Sums are cut where a bound on the rest is below this fraction of the kernel's size.
_TAIL = 2.0**-56
_MOST_TERMS = 1 << 18


class PeriodicSobolev(Kernel):
    """The reproducing kernel of H^s on a circle: the Green function of (1 - ℓ²Δ)^s.

    Parameters
    ----------
    s : float
        The order, any real number above 1/2.
    length : float
        The circumference L; points are arc lengths, taken modulo L.
    length_scale : float
        ℓ.

    Raises
    ------
    InvalidInput
        If `s` is not above 1/2, or if neither sum below converges within 2^18 terms (s below 1 and ℓ
        hundreds of times L).

    Notes
    -----
    k(x, y) = L^{-1} Σ_k (1 + (2πkℓ/L)²)^{-s} cos(2πk(x - y)/L) = Σ_j K_s(x - y + jL), K_s the kernel of the
    line. Integer s has a closed form (for s = 1, cosh((L/2 - d)/ℓ) / (2ℓ sinh(L/2ℓ)), d the distance);
    otherwise the shorter of the two sums is taken, with a bound on its tail below 2^-56 of the kernel's
    size. Derivatives exist below the order 2s - 1; the error of one of order m is a few units of rounding
    of k(x, x)/ℓ^m.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import PeriodicSobolev
    >>> k = PeriodicSobolev(1.0, 2 * np.pi)
    >>> k(0.3, 0.3 + 2 * np.pi) == k(0.3, 0.3)
    True
    """

    dimension = 1

    def __init__(self, s, length, length_scale=1.0):
        self.s = finite_number(s, "s")
        if self.s <= 0.5:
            raise InvalidInput(f"`s` must be above 1/2, else point evaluation is unbounded; got {self.s:g}.")
        self.length = positive_number(length, "length")
        self.length_scale = positive_number(length_scale, "length_scale")
        self.smoothness = 2.0 * self.s - 1.0
        self._values = periodised(self.s, self.length, self.length_scale, 0)

    def __repr__(self):
        return f"PeriodicSobolev({self.s:g}, length={self.length:g}, length_scale={self.length_scale:g})"

    def _evaluate(self, x, y):
        return self._values(x[..., 0] - y[..., 0])

    def _differentiated(self, alpha, beta):
        return _PeriodicDerivative(self, alpha[0], beta[0])


class _PeriodicDerivative(Kernel):
    """∂_x^α ∂_y^β k of a kernel on the circle."""

    dimension = 1

    def __init__(self, kernel, alpha, beta):
        self.kernel, self.alpha, self.beta = kernel, alpha, beta
        self.smoothness = kernel.smoothness - alpha - beta
        self._values = periodised(kernel.s, kernel.length, kernel.length_scale, alpha + beta)
        self._sign = -1.0 if beta % 2 else 1.0

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _evaluate(self, x, y):
        return self._sign * self._values(x[..., 0] - y[..., 0])

    def _differentiated(self, alpha, beta):
        return _PeriodicDerivative(self.kernel, self.alpha + alpha[0], self.beta + beta[0])


@lru_cache(maxsize=64)
def periodised(s, length, length_scale, order):
    """Return the function d ↦ D^order k(d) of the kernel of H^s on the circle, d any real array."""
    ratio, nu = length / length_scale, s - 0.5
    amplitude = gamma(nu) / (sqrt(4.0 * pi) * gamma(s)) * length_scale ** (-1.0 - order)
    unit_values = unit_periodised(nu, ratio, order)

    def values(difference):
        # The remainder is exact; |z| keeps the kernel exactly symmetric.
        z = (difference - length * np.rint(difference / length)) / length_scale
        folded = amplitude * unit_values(np.abs(z))
        return folded * np.sign(z) if order % 2 else folded

    return values


def unit_periodised(nu, length, order):
    """Return the function z ↦ p_order(z) on [0, L/2]: closed form, Fourier series or images."""
    n_waves = _waves_needed(nu, length, order)
    # On a short circle the images' derivatives nearly cancel, the waves never do.
    if order and n_waves < 4096:
        return fourier_series(nu, length, order, n_waves)
    if nu % 1.0 == 0.5 and nu < 20.0:
        return closed_form(int(nu), length, order)
    n_images = _images_needed(nu, length, order)
    if min(n_images, n_waves) > _MOST_TERMS:
        raise InvalidInput(
            f"`length_scale` is {1 / length:g} times the circumference, too large for s = {nu + 0.5:g}; "
            "take a smaller one or a larger s."
        )
    if n_waves < min(n_images, 200):
        return fourier_series(nu, length, order, n_waves)
    return image_sum(nu, length, order, n_images)


def closed_form(degree, length, order):
    """Return p_m for ν = degree + 1/2, where h_ν(z) = P(z) e^{-z}.

    Σ_{j>=0} (z + jL)^i q^j with q = e^{-L} is a sum of derivatives of the geometric series, all of whose
    terms are positive.
    """
    line = np.zeros(degree + 1)
    for k in range(degree + 1):
        line[k] = 2.0**k * factorial(degree) * factorial(2 * degree - k)
        line[k] /= factorial(2 * degree) * factorial(k) * factorial(degree - k)
    for _ in range(order):
        line = np.append(line[1:] * np.arange(1.0, degree + 1.0), 0.0) - line
    moments = length ** np.arange(degree + 1.0) * _geometric_moments(length, degree)
    summed = [
        sum(line[i] * comb(i, k) * moments[i - k] for i in range(k, degree + 1)) for k in range(degree + 1)
    ]
    sign = -1.0 if order % 2 else 1.0

    def values(z):
        far = length - z
        right = np.polynomial.polynomial.polyval(z, summed) * np.exp(-z)
        return right + sign * np.polynomial.polynomial.polyval(far, summed) * np.exp(-far)

    return values


def _geometric_moments(length, degree):
    """Return Σ_{j>=0} j^k q^j, q = e^{-length}, for k = 0..degree (Eulerian polynomials, DLMF 26.14)."""
    q, rest = exp(-length), -expm1(-length)
    moments = [1.0 / rest]
    for k in range(1, degree + 1):
        eulerian = [
            sum((-1) ** j * comb(k + 1, j) * (n + 1 - j) ** k for j in range(n + 1)) for n in range(k)
        ]
        moments.append(sum(a * q ** (n + 1) for n, a in enumerate(eulerian)) / rest ** (k + 1))
    return np.array(moments)


def image_sum(nu, length, order, n_images):
    """Return p_m as the three nearest images plus a Chebyshev series for all others.

    The others are analytic in z out to ±2L, so on |z| <= L/2 the series converges like 7.8^{-degree}.
    """
    # Towards L = 40, where the others vanish, the degree must also resolve e^{±z}.
    n_nodes = 20 + int(min(length, 40.0))
    points = chebyshev.chebpts1(n_nodes)
    nodes = 0.5 * length * points
    sign = -1.0 if order % 2 else 1.0
    others = np.zeros(n_nodes)
    step = (1 << 20) // n_nodes
    for start in range(2, n_images + 1, step):
        j = length * np.arange(start, min(start + step, n_images + 1))
        right, left = (matern_line_derivative(nu, order, j + side * nodes[:, None]) for side in (1.0, -1.0))
        others += (right + sign * left).sum(axis=1)
    # Interpolation at the Chebyshev points; only the coefficients of the sum's parity remain.
    series = 2.0 / n_nodes * chebyshev.chebvander(points, n_nodes - 1).T @ others
    series[0] *= 0.5
    series[(order + 1) % 2 :: 2] = 0.0
    series = chebyshev.chebtrim(series, 2.0**-54 * np.abs(series).max())

    def values(z):
        near = matern_line_derivative(nu, order, length + z)
        near += sign * matern_line_derivative(nu, order, length - z)
        near += chebyshev.chebval(2.0 / length * z, series)
        return near + matern_line_derivative(nu, order, z)

    return values


def _images_needed(nu, length, order):
    """Return M such that the images beyond M add less than 2^-56 of the kernel's size at L/2.

    z^{1/2} K_μ(z) e^z decreases for |μ| >= 1/2 and z^{|μ|} K_μ(z) e^z always, so every term of D^m g shrinks
    from an image to the next at least by (1 + L/z)^{ν+1/2} e^{-L}: the tail is a geometric series.
    """
    size = _term_sizes(nu, order, np.array([0.5 * length]))[0]
    images = np.unique(np.rint(2.0 ** np.arange(1.0, 18.01, 0.125)).astype(int))
    ratio = (1.0 + 1.0 / images) ** (nu + 0.5) * np.exp(-length)
    with np.errstate(divide="ignore"):
        tail = 2.0 * _term_sizes(nu, order, (images + 0.5) * length) / np.maximum(1.0 - ratio, 0.0)
    enough = np.flatnonzero(tail <= _TAIL * size)
    return int(images[enough[0]]) + 1 if len(enough) else 2 * _MOST_TERMS


def _term_sizes(nu, order, z):
    return sum(np.abs(term) for term in matern_line_derivative_terms(nu, order, z))


def fourier_series(nu, length, order, n_waves):
    """Return p_m by its Fourier series with `n_waves` cosines (sines for odd m)."""
    k = 2.0 * pi / length * np.arange(1.0, n_waves + 1.0)
    coefficients = 2.0 / length * _line_integral(nu) * (1.0 + k * k) ** (-nu - 0.5) * k**order
    if order % 4 in (1, 2):
        coefficients = -coefficients
    constant = _line_integral(nu) / length if order == 0 else 0.0
    wave = np.sin if order % 2 else np.cos

    def values(z):
        out = np.zeros_like(z)
        for wave_number, coefficient in zip(k[::-1], coefficients[::-1], strict=True):
            out += coefficient * wave(wave_number * z)
        return out + constant

    return values


def _waves_needed(nu, length, order):
    """Return N such that 2 Σ_{k>N} (2πk/L)^{m-2s} is below 2^-56 of the series' first term."""
    power, base = 2.0 * nu + 1.0 - order, 2.0 * pi / length
    first = 1.0 if order == 0 else base**order * (1.0 + base * base) ** (-nu - 0.5)
    bound = 2.0 * base**-power / ((power - 1.0) * _TAIL * first)
    exponent = np.log(bound) / (power - 1.0)
    return int(np.exp(exponent)) + 1 if exponent < 20.0 else 2 * _MOST_TERMS


def _line_integral(nu):
    """Return ∫ h_ν(|z|) dz over the line."""
    return sqrt(4.0 * pi) * gamma(nu + 0.5) / gamma(nu)
