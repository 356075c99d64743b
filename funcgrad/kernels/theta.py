"""Trapezoidal sums on the half line, and the far images of a lattice sum through theta functions."""

from math import atan, exp, hypot, pi


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
