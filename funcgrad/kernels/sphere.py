"""The reproducing kernel of H^s on the unit sphere in R^3.

With λ = l + 1/2 the terms a_l = 2λ (1 + ℓ²(λ² - 1/4))^{-s} decay like λ^{1-2s} only. Their expansion in
1/(λ + δ), c_0 (λ+δ)^{-p_0} + c_1 (λ+δ)^{-p_1} + ⋯ with p_k = 2s - 1 + k, is taken off and summed exactly:
Σ_l (λ+δ)^{-p} P_l(cos γ) = Γ(p)^{-1} ∫_0^∞ τ^{p-1} e^{-δτ} (4 sinh²(τ/2) + 4w)^{-1/2} dτ, w = sin²(γ/2),
by the generating function of the Legendre polynomials (DLMF 18.12.11). δ is of the size of 1/ℓ, so that
the expansion is tame down to l = 0.
"""

from functools import cached_property
from math import ceil, exp, floor, gamma, log, pi, sinh, sqrt

import numpy as np
from scipy.special import zeta

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing
from funcgrad.kernels.table import dyadic_table

_TAIL = 2.0**-56


class SphereSobolev(Kernel):
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

    Examples
    --------
    >>> from funcgrad.kernels import SphereSobolev
    >>> k = SphereSobolev(2.0)
    >>> north, south = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]
    >>> k(north, north) > k(north, south)
    True
    """

    dimension = 3
    smoothness = 0.0

    def __init__(self, s, length_scale=1.0):
        self.s = finite_number(s, "s")
        if self.s <= 1.0:
            raise InvalidInput(f"`s` must be above 1, else point evaluation is unbounded; got {self.s:g}.")
        self.length_scale = positive_number(length_scale, "length_scale")
        if self.length_scale < 0.01:
            raise InvalidInput(f"`length_scale` must be at least 0.01; got {self.length_scale:g}.")

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
    """The function w ↦ Σ_l a_l P_l(1 - 2w) / 4π on [0, 1]."""

    def __init__(self, s, length_scale):
        self.powers, self.constants, self.shift, radius = _expansion(s, length_scale)
        n_terms = _terms_needed(s, len(self.powers), self.shift, radius)
        half = np.arange(n_terms) + 0.5
        exact = 2.0 * half * (1.0 + length_scale**2 * (half * half - 0.25)) ** -s
        expanded = sum(
            c * (half + self.shift) ** -p for p, c in zip(self.powers, self.constants, strict=True)
        )
        self.rest = exact - expanded

    def __call__(self, w):
        # Rounding may carry w of antipodes above 1.
        w = np.minimum(w, 1.0)
        return (self._legendre_sum(w) + self._expanded_sum(w)) / (4.0 * pi)

    def _legendre_sum(self, w):
        """Σ rest_l P_l(1 - 2w); the recurrence runs in P_l and P_l - P_{l-1}, exact near w = 0."""
        value, step = np.ones_like(w), np.zeros_like(w)
        total = np.full_like(w, self.rest[0])
        for l in range(1, len(self.rest)):
            step = ((l - 1.0) * step - 2.0 * (2.0 * l - 1.0) * w * value) / l
            value = value + step
            total += self.rest[l] * value
        return total

    def _expanded_sum(self, w):
        """Σ_k c_k Σ_l (λ+δ)^{-p_k} P_l: the trapezoidal rule in u = log τ.

        The integrand is analytic for |Im u| < π/2 and grows there like (cos Im u)^{-p}: with a step of 0.12
        the error is below e^{-π²/step} (2πe / (step p))^p = 1e-17 for all p.
        """
        if not len(self.powers):
            return np.zeros_like(w)
        at_zero = sum(c * zeta(p, 0.5 + self.shift) for p, c in zip(self.powers, self.constants, strict=True))
        out = np.full_like(w, at_zero)
        # Chords below 1e-150 are 0: w would underflow.
        away = w > 1e-300
        if not away.any():
            return out
        step = 0.12
        last = log((80.0 + 2.0 * self.powers[-1]) / (self.shift + 0.5))
        first = 0.5 * log(w[away].min()) - 40.0 / self.powers[0]
        total = np.zeros(int(away.sum()))
        # Whole multiples of the step: nodes near u = 0, where the integral lies, keep their last digits.
        for i in range(floor(first / step), ceil(last / step)):
            tau = exp(step * i)
            weight = sum(c * tau**p / gamma(p) for p, c in zip(self.powers, self.constants, strict=True))
            total += step * weight * exp(-self.shift * tau) * 0.5 / np.sqrt(sinh(0.5 * tau) ** 2 + w[away])
        out[away] = total
        return out


def _expansion(s, length_scale):
    """Return p_k, c_k, δ and the distance R of the singularities in a_l ~ Σ_k c_k (λ + δ)^{-p_k}.

    In v = 1/(λ+δ), a_l = 2 ℓ^{-2s} v^{2s-1} (1 - δv) ((1 - δv)² + c v²)^{-s} with c = ℓ^{-2} - 1/4; the
    factors after v^{2s-1} are analytic for |v| < 1/R. Fast decaying terms need little expansion.
    """
    c = length_scale**-2 - 0.25
    shift = 4.0 * sqrt(max(c, 0.25))
    radius = sqrt(shift**2 + c) if c > 0.0 else shift + sqrt(-c)
    n_powers = max(0, 10 - int(2.0 * s))
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


def _terms_needed(s, n_powers, shift, radius):
    """Return the number of terms after which Σ |rest_l| is below 2^-56 of a part of Σ a_l.

    On |v| = 1/(2R) the analytic factor is at most 4^{s+1}, so by Cauchy's estimate
    rest_l / (2 ℓ^{-2s}) <= 8 · 4^s v^{2s-1} (2Rv)^K for 4Rv <= 1;
    Σ a_l / (2 ℓ^{-2s}) is at least ∫ λ (λ² + δ²)^{-s} dλ from 1/2.
    """
    exponent = 2.0 * s - 2.0 + n_powers
    size = (0.25 + shift**2) ** (1.0 - s) / (2.0 * (s - 1.0))
    bound = 8.0 * 4.0**s * (2.0 * radius) ** n_powers / exponent / (_TAIL * size)
    return int(max(bound ** (1.0 / exponent), 4.0 * radius)) + 2
