"""The Matérn function h_ν(z) = 2^{1-ν} z^ν K_ν(z) / Γ(ν) and its derivatives, for every real ν > 0.

All radial Sobolev kernels are multiples of h_ν (theory: A. Erdélyi, *Higher Transcendental Functions* II,
7.2; NIST DLMF 10.29, 10.30). With t = z²/2 differentiation lowers the index,
(d/dt)^j z^ν K_ν(z) = (-1)^j z^{ν-j} K_{ν-j}(z) (DLMF 10.29.4).
"""

from math import factorial, gamma, lgamma

import numpy as np
from scipy.special import kve

# exp(-z) underflows before this; larger arguments are moved here, where the product is already 0.
_FAR = 1000.0
# Below this the first terms of the series in z at 0 are exact to rounding, whatever ν.
_NEAR = 1e-20


def matern_function(nu, z):
    """Return h_ν(z) for an array z >= 0; h_ν(0) = 1.

    The relative error is a few units of rounding from z = 0 up to underflow.
    """
    z = np.minimum(z, _FAR)
    return scaled_matern_function(nu, z) * np.exp(-z)


def scaled_matern_function(nu, z):
    """Return e^z h_ν(z) for an array 0 <= z <= 1000.

    h_{ν+1} = h_ν + z² / (4ν(ν-1)) h_{ν-1} (DLMF 10.29.1) has positive terms only, so it may be climbed
    from ν in (0, 2] without loss; overflow of K_ν at small z never enters.
    """
    lowest = nu - np.ceil(nu) + 1.0
    if nu <= 2.0:
        return _lowest_orders(nu, z)
    before, current = _lowest_orders(lowest, z), _lowest_orders(lowest + 1.0, z)
    square = z * z
    for order in lowest + np.arange(1.0, np.rint(nu - lowest)):
        before, current = current, current + square / (4.0 * order * (order - 1.0)) * before
    return current


def _lowest_orders(nu, z):
    """Return e^z h_ν(z) for 0 < ν <= 2."""
    if nu == 0.5:
        return np.ones_like(z)
    if nu == 1.5:
        return 1.0 + z
    safe = np.maximum(z, _NEAR)
    values = (2.0 ** (1.0 - nu) / gamma(nu)) * safe**nu * scaled_bessel_k(nu, safe)
    near = z < _NEAR
    if nu < 1.0 and near.any():
        with np.errstate(divide="ignore"):
            exponent = 2.0 * nu * np.log(0.5 * z[near]) + lgamma(1.0 - nu) - lgamma(1.0 + nu)
        values[near] = -np.expm1(exponent)
    else:
        values[near] = 1.0
    return values


def scaled_bessel_k(nu, z):
    """Return e^z K_ν(z) for 0 <= ν <= 2 and an array 0 < z <= 1000, within a few units of rounding.

    The series behind scipy's `kve` loses up to 2e-13 as z nears 2 from below. There
    K_ν(z) = ∫_0^∞ exp(-z cosh t) cosh(νt) dt (DLMF 10.32.9) by the trapezoidal rule is exact to rounding
    with 30 nodes, since the integrand is entire and decays doubly exponentially.
    """
    values = kve(nu, z)
    middle = (z > 0.3) & (z < 2.0)
    if middle.any():
        argument, step = z[middle], 0.2
        total = np.full_like(argument, 0.5 * step)
        for t in step * np.arange(1.0, 31.0):
            total += step * np.cosh(nu * t) * np.exp(-2.0 * np.sinh(0.5 * t) ** 2 * argument)
        values[middle] = total
    return values


def matern_radial_derivative(nu, order, power, z):
    """Return z^power (d/dt)^order h_ν, t = z²/2, for an array z >= 0.

    `power` must exceed 2(order - ν) where ν <= order, so that the product tends to 0 at z = 0.
    """
    z = np.minimum(z, _FAR)
    index = nu - order
    sign = -1.0 if order % 2 else 1.0
    if index > 0.0:
        return matern_lowering_constant(nu, order) * z**power * matern_function(index, z)
    if index == 0.0:
        safe = np.maximum(z, 1e-300)
        return sign / (2.0 ** (nu - 1.0) * gamma(nu)) * z**power * scaled_bessel_k(0.0, safe) * np.exp(-z)
    constant = sign * 2.0 ** (-index - nu) * gamma(-index) / gamma(nu)
    return constant * z ** (power + 2.0 * index) * matern_function(-index, z)


def matern_lowering_constant(nu, order):
    """Return c with (d/dt)^order h_ν = c h_{ν - order}, t = z²/2, for order < ν."""
    return (-1.0) ** order / np.prod(2.0 * (nu - np.arange(1.0, order + 1.0)))


def hermite_coefficients(order):
    """Return (i, c_i) with d^m/dx^m f(x²/2) = Σ_i c_i x^{m-2i} f^{(m-i)}(x²/2), m = `order`."""
    return [
        (i, factorial(order) / (factorial(order - 2 * i) * factorial(i) * 2**i))
        for i in range(order // 2 + 1)
    ]


def matern_line_derivative_terms(nu, order, z):
    """Return the terms whose sum is d^m/dz^m h_ν(z), m = `order`, for z >= 0."""
    return [
        c * matern_radial_derivative(nu, order - i, order - 2 * i, z) for i, c in hermite_coefficients(order)
    ]


def matern_line_derivative(nu, order, z):
    """Return d^m/dz^m h_ν(z), m = `order`, for an array z >= 0."""
    return sum(matern_line_derivative_terms(nu, order, z))
