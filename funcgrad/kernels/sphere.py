"""The reproducing kernel of H^s on the unit sphere in R^3.

With λ = l + 1/2 the terms a_l = 2λ (1 + ℓ²(λ² - 1/4))^{-s} decay like λ^{1-2s} only. Their expansion in
1/(λ + δ), c_0 (λ+δ)^{-p_0} + c_1 (λ+δ)^{-p_1} + ⋯ with p_k = 2s - 1 + k, is taken off and summed exactly:
Σ_l (λ+δ)^{-p} P_l(cos γ) = Γ(p)^{-1} ∫_0^∞ τ^{p-1} e^{-δτ} (4 sinh²(τ/2) + 4w)^{-1/2} dτ, w = sin²(γ/2),
by the generating function of the Legendre polynomials (DLMF 18.12.11). δ is of the size of 1/ℓ, so that
the expansion is tame down to l = 0. Derivatives in t = cos γ go under the sum: P_l^(j) are Gegenbauer's
polynomials, and the integrand becomes (2j-1)!! (4 sinh²(τ/2) + 4w)^{-j-1/2}.
"""

from functools import cached_property
from math import ceil, exp, floor, gamma, log, pi, prod, sinh, sqrt

import numpy as np
from scipy.special import zeta

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing
from funcgrad.kernels.table import dyadic_table
from funcgrad.kernels.theta import trapezoidal_step
from funcgrad.kernels.zonal import ZonalKernel

_TAIL = 2.0**-56


class SphereSobolev(ZonalKernel):
    """The reproducing kernel of H^s on the unit sphere S²: the Green function of (1 - ℓ²Δ)^s.

    Parameters
    ----------
    s : float
        The order, any real number above 1.
    length_scale : float
        ℓ, at least 1/100.

    Raises
    ------
    InvalidInput
        If `s` is not above 1, or `length_scale` below 1/100.
    DomainMismatch
        When it is evaluated at a point that is not a unit vector of R^3 to 1e-8.

    Notes
    -----
    k(x, y) = Σ_l (2l+1)/(4π) (1 + ℓ² l(l+1))^{-s} P_l(x·y), with an absolute error of some 1e-14 (1e-13 at
    the smallest ℓ) of its value on the diagonal, also for s close to 1, where the series itself hardly
    converges.

    Derivatives exist below the order 2s - 2. They take one order for each coordinate of R³ and are those of
    the extension that is constant along rays, k(x/|x|, y/|y|), as for the functions on `Sphere`.

    Examples
    --------
    >>> from funcgrad.kernels import SphereSobolev
    >>> k = SphereSobolev(2.0)
    >>> north, south = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]
    >>> k(north, north) > k(north, south)
    True
    """

    dimension = 3

    def __init__(self, s, length_scale=1.0):
        self.s = finite_number(s, "s")
        if self.s <= 1.0:
            raise InvalidInput(f"`s` must be above 1, else point evaluation is unbounded; got {self.s:g}.")
        self.length_scale = positive_number(length_scale, "length_scale")
        if self.length_scale < 0.01:
            raise InvalidInput(f"`length_scale` must be at least 0.01; got {self.length_scale:g}.")
        self.smoothness = 2.0 * self.s - 2.0

    def __repr__(self):
        return f"SphereSobolev({self.s:g}, length_scale={self.length_scale:g})"

    def _points(self, x, name):
        points = super()._points(x, name)
        lengths = np.linalg.norm(points, axis=1)
        off = np.flatnonzero(np.abs(lengths - 1.0) > 1e-8)
        if len(off):
            raise DomainMismatch(
                f"`{name}` must hold unit vectors; got length {lengths[off[0]]:.9g} at index {off[0]}; "
                "divide by the length."
            )
        return points / lengths[:, None]

    @cached_property
    def _series(self):
        return _SphereSeries(self.s, self.length_scale)

    def _zonal_profile(self, total):
        series = _SphereSeries(self.s, self.length_scale, total)
        return series.derivative, None

    @cached_property
    def _profile(self):
        """The kernel as a table in the chord |x - y|, or None for s so close to 1 that it would be huge."""
        lowest = -ceil(30.0 / min(self.s - 1.0, 1.0)) - 4
        if lowest < -500:
            return None
        return Profile(1.0, 1.0, dyadic_table(lambda r: self._series(0.25 * r * r), lowest, 2, 7, 0.0))

    def _evaluate(self, x, y):
        difference = x - y
        w = 0.25 * (difference * difference).sum(axis=-1)
        return self._series(w.ravel()).reshape(w.shape)

    def _gram(self, X, Y):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_gram(self._profile, X, Y)
        return super()._gram(X, Y)

    def _product(self, X, Y, V):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_product(self._profile, X, Y, V)
        return super()._product(X, Y, V)


class _SphereSeries:
    """The function w ↦ Σ_l a_l P_l(1 - 2w) / 4π on [0, 1] and its derivatives up to an order."""

    def __init__(self, s, length_scale, order=0):
        self.powers, self.constants, self.shift, radius = _expansion(s, length_scale, order)
        n_terms = _terms_needed(s, len(self.powers), self.shift, radius, order)
        half = np.arange(n_terms) + 0.5
        exact = 2.0 * half * (1.0 + length_scale**2 * (half * half - 0.25)) ** -s
        expanded = sum(
            c * (half + self.shift) ** -p for p, c in zip(self.powers, self.constants, strict=True)
        )
        self.rest = exact - expanded

    def __call__(self, w):
        return self.derivative(0, 0, 2.0 * np.sqrt(w))

    def derivative(self, order, power, r):
        """Return r^power (d/dw)^order of the function at w = r²/4."""
        # Rounding may carry the chord of antipodes above 2.
        r = np.minimum(r, 2.0)
        smooth = r**power * self._legendre_sum(0.25 * r * r, order)
        return (-2.0) ** order * (smooth + self._expanded_sum(r, order, power)) / (4.0 * pi)

    def _legendre_sum(self, w, order):
        """Σ rest_l P_l^(j)(1 - 2w), j = `order`.

        The recurrence of G_n = P_{n+j}^(j)(t) / P_{n+j}^(j)(1) (DLMF 18.9.1) runs in G_n and G_n - G_{n-1},
        exact near w = 0.
        """
        half = np.arange(len(self.rest)) + 0.5
        weights = (self.rest * _derivative_at_one(half, order))[order:]
        value, step = np.ones_like(w), np.zeros_like(w)
        total = np.full_like(w, weights[0])
        for n in range(1, len(weights)):
            step = ((n - 1.0) * step - 2.0 * (2.0 * (n + order) - 1.0) * w * value) / (n + 2.0 * order)
            value = value + step
            total += weights[n] * value
        return total

    def _expanded_sum(self, r, order, power):
        """r^i Σ_k c_k Σ_l (λ+δ)^{-p_k} P_l^(j), by the trapezoidal rule in u = log τ.

        Powers of r and τ are joined before they can overflow: 2j + 1 - i is below every p_k.
        """
        if not len(self.powers):
            return np.zeros_like(r)
        out = np.full_like(r, 0.0 if power else self._expanded_at_zero(order))
        # Chords below 1e-150 are 0: their squares would underflow.
        away = r > 1e-150
        if not away.any():
            return out
        step = trapezoidal_step(self.powers[-1] + order + 0.5, 2.0**-80)
        last = log((80.0 + 2.0 * self.powers[-1]) / (self.shift + 0.5))
        first = log(0.5 * r[away].min()) - 40.0 / self.powers[0]
        square, excess = r[away] ** 2, 2.0 * order + 1.0 - power
        total = np.zeros(len(square))
        # Whole multiples of the step: nodes near u = 0, where the integral lies, keep their last digits.
        for i in range(floor(first / step), ceil(last / step)):
            tau = exp(step * i)
            weight = sum(
                c * tau ** (p - excess) / gamma(p) for p, c in zip(self.powers, self.constants, strict=True)
            )
            distance = 1.0 / (4.0 * sinh(0.5 * tau) ** 2 + square)
            term = np.sqrt(tau**2 * distance) if excess == 1 else (tau**2 * distance) ** (0.5 * excess)
            if power:
                term *= (square * distance) ** (0.5 * power)
            total += step * weight * exp(-self.shift * tau) * term
        out[away] = float(prod(range(1, 2 * order, 2))) * total
        return out

    def _expanded_at_zero(self, order):
        """Σ_k c_k Σ_l (λ+δ)^{-p_k} P_l^(j)(1): a polynomial in λ + δ, each power a zeta function."""
        if self.powers[0] <= 2.0 * order + 1.0:
            return 0.0
        polynomial = np.polynomial.Polynomial([1.0])
        for i in range(1, order + 1):
            polynomial *= np.polynomial.Polynomial([self.shift**2 - (i - 0.5) ** 2, -2.0 * self.shift, 1.0])
            polynomial /= 2.0 * i
        return sum(
            c * e * zeta(p - q, 0.5 + self.shift)
            for p, c in zip(self.powers, self.constants, strict=True)
            for q, e in enumerate(polynomial.coef)
        )


def _derivative_at_one(half, order):
    """Return P_l^(j)(1) = Π_{i=1}^j (λ² - (i - 1/2)²) / (2i), λ = l + 1/2, j = `order`."""
    factors = [(half * half - (i - 0.5) ** 2) / (2.0 * i) for i in range(1, order + 1)]
    return prod(factors, start=np.ones_like(half))


def _expansion(s, length_scale, order):
    """Return p_k, c_k, δ and the distance R of the singularities in a_l ~ Σ_k c_k (λ + δ)^{-p_k}.

    In v = 1/(λ+δ), a_l = 2 ℓ^{-2s} v^{2s-1} (1 - δv) ((1 - δv)² + c v²)^{-s} with c = ℓ^{-2} - 1/4; the
    factors after v^{2s-1} are analytic for |v| < 1/R. Fast decaying terms need little expansion, terms that
    are to be differentiated `order` times more.
    """
    c = length_scale**-2 - 0.25
    shift = 4.0 * sqrt(max(c, 0.25))
    radius = sqrt(shift**2 + c) if c > 0.0 else shift + sqrt(-c)
    n_powers = max(0, 10 + order - int(2.0 * s))
    # Power of the quadratic 1 + q_1 v + q_2 v² by J. C. P. Miller's recurrence.
    q1, q2 = -2.0 * shift, shift**2 + c
    series = [1.0]
    for k in range(1, n_powers):
        before = series[k - 2] if k > 1 else 0.0
        series.append(((-s - k + 1.0) * q1 * series[k - 1] + (-2.0 * s - k + 2.0) * q2 * before) / k)
    series = np.array(series)[:n_powers]
    series[1:] -= shift * series[:-1].copy()
    powers = 2.0 * s - 1.0 + np.arange(n_powers)
    return powers, 2.0 * length_scale ** (-2.0 * s) * series, shift, radius


def _terms_needed(s, n_powers, shift, radius, order):
    """Return the number of terms after which Σ |rest_l| λ^m is below 2^-56 of a part of Σ a_l λ^m.

    m is `order`: derivatives of total order m bring that many powers of λ. On |v| = 1/(2R) the analytic
    factor is at most 4^{s+1}, so by Cauchy's estimate rest_l / (2 ℓ^{-2s}) <= 8 · 4^s v^{2s-1} (2Rv)^K for
    4Rv <= 1; Σ a_l λ^m / (2 ℓ^{-2s}) is at least ∫ λ^{m+1} (2λ²)^{-s} dλ from δ.
    """
    excess = 2.0 * s - 2.0 - order
    size = 2.0**-s * shift**-excess / excess
    exponent = excess + n_powers
    bound = 8.0 * 4.0**s * (2.0 * radius) ** n_powers / exponent / (_TAIL * size)
    return int(max(bound ** (1.0 / exponent), 4.0 * radius)) + 2
