"""The reproducing kernel of H^s on a circle: images, closed forms, Fourier series.

Everything here is dimensionless: lengths are in units of ℓ, L is the circumference, and
p_m(z) = Σ_{j ∈ Z} D^m g(z + jL), g(z) = h_ν(|z|), is the m-th derivative of the periodised line kernel.
"""

from functools import cached_property, lru_cache
from math import ceil, comb, exp, expm1, factorial, gamma, log2, pi, sqrt

import numpy as np

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.bessel import matern_function, matern_line_derivative
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing
from funcgrad.kernels.homogeneous import periodic_zeta
from funcgrad.kernels.matern import Sobolev
from funcgrad.kernels.table import dyadic_table
from funcgrad.kernels.theta import FarImages

# Sums are cut where a bound on the rest is below this fraction of the kernel's size.
_TAIL = 2.0**-56
_MANY = 1 << 30
_MOST_PIECES = 1 << 17


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
        If `s` is not above 1/2.

    Notes
    -----
    k(x, y) = L^{-1} Σ_k (1 + (2πkℓ/L)²)^{-s} cos(2πk(x - y)/L) = Σ_j K_s(x - y + jL), K_s the kernel of the
    line. Integer s has a closed form (for s = 1, cosh((L/2 - d)/ℓ) / (2ℓ sinh(L/2ℓ)), d the distance);
    otherwise the first sum is taken where few terms bring its tail below 2^-56 of the kernel's size, else
    the three nearest images and all others together by theta functions, or for ℓ >= L/π an expansion in
    periodic zeta functions. Derivatives exist below the order 2s - 1; the error of one of order m is a few
    units of rounding of k(x, x)/ℓ^m, and of its own size for ℓ >= L/π.

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

    @cached_property
    def _profile(self):
        return compiled_profile(self.s, self.length, self.length_scale, ((-1.0, 1.0),))

    def _gram(self, X, Y):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_gram(self._profile, X, Y)
        return super()._gram(X, Y)

    def _product(self, X, Y, V):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_product(self._profile, X, Y, V)
        return super()._product(X, Y, V)

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


@lru_cache(maxsize=16)
def compiled_profile(s, length, length_scale, reflections, mean=True):
    """Return the `Profile` of Σ weight k(x + sign y) over (sign, weight), k the kernel of the circle.

    On a circle so long that its kernel is to rounding the line's at the distances d and L - d, those two are
    taken; otherwise one table in d, on pieces that resolve e^{-d}. None where a table would be huge.
    """
    ratio, nu = length / length_scale, s - 0.5
    if matern_function(nu, np.array([ratio]))[0] < _TAIL:
        line = Sobolev(s, 1, length_scale)
        images = [(sign, shift, weight) for shift in (0.0, length) for sign, weight in reflections]
        shape = line._shape
        return None if shape is None else Profile(line.amplitude, length_scale, shape, length, tuple(images))
    highest = ceil(log2(0.5 * ratio))
    lowest = min(highest, 0) - ceil(28.0 / min(nu, 1.0)) - 6
    piece_bits = 7 + max(highest - 3, 0)
    if lowest < -1000 or (highest - lowest) << piece_bits > _MOST_PIECES:
        return None
    values = periodised(s, length, length_scale, 0, mean)
    table = dyadic_table(lambda z: values(length_scale * z), lowest, highest, piece_bits, 0.0)
    images = tuple((sign, 0.0, weight) for sign, weight in reflections)
    return Profile(1.0, length_scale, table, length, images)


@lru_cache(maxsize=64)
def periodised(s, length, length_scale, order, mean=True):
    """Return the function d ↦ D^order k(d) of the kernel of H^s on the circle, d any real array.

    Without its `mean` 1/L, which is nearly all of the kernel on a short circle, differences of k keep
    their relative accuracy.
    """
    ratio, nu = length / length_scale, s - 0.5
    amplitude = gamma(nu) / (sqrt(4.0 * pi) * gamma(s)) * length_scale ** (-1.0 - order)
    unit_values = unit_periodised(nu, ratio, order, mean)

    def values(difference):
        # The remainder is exact; |z| keeps the kernel exactly symmetric.
        z = (difference - length * np.rint(difference / length)) / length_scale
        folded = amplitude * unit_values(np.abs(z))
        return folded * np.sign(z) if order % 2 else folded

    return values


def unit_periodised(nu, length, order, mean=True):
    """Return the function z ↦ p_order(z) on [0, L/2], or p_0 less its mean."""
    with_mean = mean and order == 0
    n_waves = _waves_needed(nu, length, order, with_mean)
    # On a long circle the kernel falls far below its mean, and waves would only be right to its rounding.
    if n_waves < 200 and (length < 6.0 or not with_mean):
        return fourier_series(nu, length, order, n_waves, with_mean)
    if length <= pi:
        return zeta_series(nu, length, order, with_mean)
    # The images' derivatives nearly cancel, the waves never do.
    if not with_mean and n_waves < 4096:
        return fourier_series(nu, length, order, n_waves, with_mean)
    if nu % 1.0 == 0.5 and nu < 20.0:
        values = closed_form(int(nu), length, order)
    else:
        values = image_sum(nu, length, order)
    constant = _line_integral(nu) / length
    return (lambda z: values(z) - constant) if order == 0 and not mean else values


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


def image_sum(nu, length, order):
    """Return p_m as the three nearest images plus the sum of all others (`theta.FarImages`)."""
    sign, others = -1.0 if order % 2 else 1.0, None
    # Beyond, the others are below e^{-60} of the value at L/2.
    if length < 60.0:
        others = FarImages(nu + 0.5, np.array([length]), np.array([0.5 * length]), np.array([1]), (order,))
    at_zero = gamma(nu) / (sqrt(4.0 * pi) * gamma(nu + 0.5))

    def values(z):
        near = matern_line_derivative(nu, order, length + z)
        near += sign * matern_line_derivative(nu, order, length - z)
        if others is not None:
            near += others(z[..., None]) / at_zero
        return near + matern_line_derivative(nu, order, z)

    return values


def zeta_series(nu, length, order, mean=True):
    """Return p_m on a circle with ω = 2π/L >= 2, where (1 + ω²k²)^{-s} = Σ_q C(-s, q) (ωk)^{-2s-2q}.

    Each power of k sums to a periodic zeta function; relative to the first wave nothing is lost, however
    short the circle.
    """
    s, wave = nu + 0.5, 2.0 * pi / length
    binomials = [1.0]
    while abs(binomials[-1]) > 2.0**-60:
        q = len(binomials)
        binomials.append(binomials[-1] * (1.0 - s - q) / q / wave**2)
    sign = -1.0 if order % 4 in (1, 2) else 1.0
    factor = sign * 2.0 / length * _line_integral(nu) * wave ** (order - 2.0 * s)
    constant = _line_integral(nu) / length if mean and order == 0 else 0.0

    def values(z):
        terms = (
            binomial * periodic_zeta(2.0 * (s + q) - order, order % 2, wave * z)
            for q, binomial in enumerate(binomials)
        )
        return factor * sum(terms) + constant

    return values


def fourier_series(nu, length, order, n_waves, mean=True):
    """Return p_m by its Fourier series with `n_waves` cosines (sines for odd m)."""
    k = 2.0 * pi / length * np.arange(1.0, n_waves + 1.0)
    coefficients = 2.0 / length * _line_integral(nu) * (1.0 + k * k) ** (-nu - 0.5) * k**order
    if order % 4 in (1, 2):
        coefficients = -coefficients
    constant = _line_integral(nu) / length if mean and order == 0 else 0.0
    wave = np.sin if order % 2 else np.cos

    def values(z):
        out = np.zeros_like(z)
        for wave_number, coefficient in zip(k[::-1], coefficients[::-1], strict=True):
            out += coefficient * wave(wave_number * z)
        return out + constant

    return values


def _waves_needed(nu, length, order, mean):
    """Return N such that 2 Σ_{k>N} (2πk/L)^{m-2s} is below 2^-56 of the series' first term."""
    power, base = 2.0 * nu + 1.0 - order, 2.0 * pi / length
    first = 1.0 if mean else base**order * (1.0 + base * base) ** (-nu - 0.5)
    bound = 2.0 * base**-power / ((power - 1.0) * _TAIL * first)
    exponent = np.log(bound) / (power - 1.0)
    return int(np.exp(exponent)) + 1 if exponent < 20.0 else _MANY


def _line_integral(nu):
    """Return ∫ h_ν(|z|) dz over the line."""
    return sqrt(4.0 * pi) * gamma(nu + 0.5) / gamma(nu)
