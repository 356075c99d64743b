"""The reproducing kernels of homogeneous H^s on the circle and the interval: periodic zeta functions."""

from functools import lru_cache
from math import factorial, gamma, pi

import numpy as np
import scipy.special

from funcgrad._checks import finite_number, positive_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel

_TERMS = 64
# Stieltjes's constants γ_j: ζ(1 + ε) = 1/ε + Σ (-1)^j γ_j ε^j / j!.
_STIELTJES = (
    0.57721566490153286555,
    -0.072815845483676727712,
    -0.009690363192872319259,
    0.0020538344203033459881,
    0.0023253700654673001985,
    0.00079332381730106273175,
    -0.00023876934543019961185,
    -0.0005272895670577510286,
)


class HomogeneousSobolev(Kernel):
    """The reproducing kernel of homogeneous H^s: the Green function of (-ℓ²Δ)^s.

    On the circle and with Neumann conditions it is that on functions of mean zero: k(x, .) represents
    v ↦ v(x) on them, and has mean zero itself.

    Parameters
    ----------
    s : float
        The order, any real number above 1/2.
    domain : Circle or Interval
    length_scale : float
        ℓ.

    Notes
    -----
    On a circle of length L it is 2/L (2πℓ/L)^{-2s} Σ_k k^{-2s} cos(2πk(x - y)/L), for whole s Bernoulli's
    polynomial of degree 2s; on an interval ± that of the circle of twice the length reflected at an end,
    + for Neumann and - for Dirichlet conditions. Derivatives exist below the order 2s - 1.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.kernels import HomogeneousSobolev
    >>> k = HomogeneousSobolev(1.0, fg.Interval(0, 1, boundary="dirichlet"))      # min(x, y)(1 - max(x, y))
    >>> round(k(0.25, 0.5), 12)
    0.125
    """

    dimension = 1

    def __init__(self, s, domain, length_scale=1.0):
        self.s = finite_number(s, "s")
        if self.s <= 0.5:
            raise InvalidInput(f"`s` must be above 1/2, else point evaluation is unbounded; got {self.s:g}.")
        self.domain, self.length_scale = domain, positive_number(length_scale, "length_scale")
        self._set_orders(0, 0)

    def _set_orders(self, alpha, beta):
        self._orders = (alpha, beta)
        self.smoothness = 2 * self.s - 1 - alpha - beta
        self._image = {"periodic": 0.0, "neumann": 1.0, "dirichlet": -1.0}[self.domain.boundary]
        self._origin = getattr(self.domain, "a", 0.0)
        self._circumference = self.domain.volume * (2 if self._image else 1)
        wave = 2 * pi / self._circumference
        order = alpha + beta
        self._amplitude = 2 / self._circumference * (wave * self.length_scale) ** (-2 * self.s) * wave**order

    def __repr__(self):
        derivative = f".derivative{self._orders}" if any(self._orders) else ""
        return (
            f"HomogeneousSobolev({self.s:g}, {self.domain!r}, length_scale={self.length_scale:g}){derivative}"
        )

    def _points(self, x, name):
        return self.domain.points(super()._points(x, name), name)

    def _evaluate(self, x, y):
        x, y = x[..., 0] - self._origin, y[..., 0] - self._origin
        direct = -1.0 if self._orders[1] % 2 else 1.0
        values = direct * self._values(x - y)
        return values + self._image * self._values(x + y) if self._image else values

    def _values(self, difference):
        order = sum(self._orders)
        turns = difference / self._circumference
        angle = 2 * pi * (turns - np.rint(turns))
        # d^m cos = (-1)^⌈m/2⌉ times cos or sin.
        sign = -1.0 if order % 4 in (1, 2) else 1.0
        series = periodic_zeta(2 * self.s - order, order % 2, np.abs(angle))
        return sign * self._amplitude * (series * np.sign(angle) if order % 2 else series)

    def _differentiated(self, alpha, beta):
        kernel = object.__new__(HomogeneousSobolev)
        kernel.s, kernel.domain, kernel.length_scale = self.s, self.domain, self.length_scale
        kernel._set_orders(self._orders[0] + alpha[0], self._orders[1] + beta[0])
        return kernel


def periodic_zeta(q, odd, angle):
    """Return Σ_{k>=1} k^{-q} cos(kθ), or sin(kθ) if `odd`, for θ in [0, π], q > 1.

    The series of the polylogarithm at 1 (DLMF 25.12.12): Σ_i σ_i ζ(q - i) θ^i/i! over i of one parity, plus
    the power θ^{q-1}. Where q - 1 is near such an n, the poles of its factor and of ζ(q - n) cancel: the
    two are taken together.
    """
    n = 2 * max(round((q - 1 - odd) / 2), 0) + odd
    theta = np.where(angle == 0, 1.0, angle)
    coefficients = _regular_coefficients(q, odd, n)
    regular = np.polynomial.polynomial.polyval(theta**2, coefficients) * theta**odd
    pair = (-1.0) ** (n // 2) * theta**n / factorial(n) * _singular_pair(q - 1 - n, n, theta)
    return np.where(angle == 0, 0.0 if odd else float(scipy.special.zeta(q)), regular + pair)


@lru_cache(maxsize=64)
def _regular_coefficients(q, odd, left_out):
    i = np.arange(odd, _TERMS + odd, 2)
    signs = np.where(i // 2 % 2 == 0, 1.0, -1.0)
    zeta = np.array([0.0 if j == left_out else float(scipy.special.zeta(q - j)) for j in i])
    return signs * zeta / np.array([float(factorial(j)) for j in i])


def _singular_pair(epsilon, n, theta):
    """Return ζ(1 + ε) - (n!/Γ(n+1+ε)) (π/2)/sin(πε/2) θ^ε."""
    if abs(epsilon) > 0.1:
        quotient = pi / 2 / np.sin(pi * epsilon / 2) * gamma(n + 1) / gamma(n + 1 + epsilon)
        return float(scipy.special.zeta(1 + epsilon)) - quotient * theta**epsilon
    # With the second term exp(εg)/ε, 1/ε goes, and g has a series in ε.
    regular = sum((-epsilon) ** j * c / factorial(j) for j, c in enumerate(_STIELTJES))
    x = (pi * epsilon / 2) ** 2
    sinc = (1 / 6, 1 / 180, 1 / 2835, 1 / 37800, 1 / 467775)  # -log(sin y / y) in powers of y² (DLMF 4.19.7)
    g = np.log(theta) + pi**2 / 4 * epsilon * sum(c * x**j for j, c in enumerate(sinc))
    g -= sum(float(scipy.special.polygamma(j, n + 1)) * epsilon**j / factorial(j + 1) for j in range(18))
    return regular - (np.expm1(epsilon * g) / epsilon if epsilon else g)
