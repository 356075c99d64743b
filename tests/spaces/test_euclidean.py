"""Grids of Euclidean space: Hermite functions, the mapped line, truncation."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput
from funcgrad.spaces.line_grids import hermite_functions

EPS = np.finfo(float).eps
line, plane = fg.Euclidean(1), fg.Euclidean(2)


def test_hermite_functions_are_scipys():
    t = np.linspace(-6, 6, 25)
    psi = hermite_functions(30, t)
    for k in (0, 1, 2, 13, 29):
        norm = math.sqrt(2.0**k * math.factorial(k) * math.sqrt(math.pi))
        expected = scipy.special.eval_hermite(k, t) * np.exp(-(t**2) / 2) / norm
        np.testing.assert_allclose(psi[:, k], expected, atol=1e-13)


def test_hermite_functions_of_high_degree_do_not_underflow():
    """Orthonormal in their own quadrature, at degrees where e^{-x²/2} is zero in float64."""
    grid = line.grid(1600)
    psi = hermite_functions(1600, grid.nodes[:, 0])
    assert np.exp(-(grid.nodes[-1, 0] ** 2) / 2) == 0
    last = psi[:, -3:]
    np.testing.assert_allclose((last.T * grid.weights) @ last, np.eye(3), atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 25), st.floats(0.2, 5), st.integers(0, 2**32 - 1))
def test_hermite_grid_is_exact_on_its_space(n, scale, seed):
    coefficients = np.random.default_rng(seed).normal(size=n)
    grid = line.grid(n, scale=scale)

    def f(x):
        return hermite_functions(n, x / scale) @ coefficients

    u = grid.function(f)
    x = scale * np.linspace(-5, 5, 11)
    np.testing.assert_allclose(u(x), f(x), atol=1e-12 * np.linalg.norm(coefficients))
    assert grid.integrate(u.values**2) == pytest.approx(scale * coefficients @ coefficients, rel=1e-12)


@pytest.mark.parametrize("rule", ["gauss-hermite", "mapped", "truncated"])
@pytest.mark.parametrize("alpha", [(0, 0), (1, 0), (1, 1), (0, 2)])
def test_derivatives_of_a_gaussian(rule, alpha):
    """∂_x^a e^{-x²/2} = (-1)^a He_a(x) e^{-x²/2} on every kind of grid."""
    f = plane.grid(60 if rule != "mapped" else 160, rule).function(lambda x, y: np.exp(-(x**2 + y**2) / 2))
    x = np.random.default_rng(0).normal(size=(8, 2))
    factors = [(-1) ** a * scipy.special.eval_hermitenorm(a, x[:, i]) for i, a in enumerate(alpha)]
    expected = np.prod(factors, axis=0) * np.exp(-(x**2).sum(axis=1) / 2)
    np.testing.assert_allclose(
        f.grid.evaluate(f.values, x, alpha), expected, atol=2e-6 if rule == "mapped" else 1e-11
    )


def test_hermite_convergence_is_geometric_for_a_narrower_gaussian():
    """e^{-b x²/2} has Hermite coefficients like ((b-1)/(b+1))^{k/2}: n is predicted for 1e-12."""
    b = 3.0
    ratio = math.sqrt((b - 1) / (b + 1))
    n = math.ceil(math.log(1e-12) / math.log(ratio)) + 4

    def error(n):
        f = line.grid(n).function(lambda x: np.exp(-b * x**2 / 2))
        x = np.linspace(-3, 3, 61)
        return abs(f(x) - np.exp(-b * x**2 / 2)).max()

    assert error(n) < 2e-12
    assert error(n // 2) > 1e-8


def test_mapped_grid_is_exact_for_rational_functions_of_its_poles():
    """1/(1+x²) = sin²θ: four nodes are enough; its integral is π."""
    f = line.grid(8, "mapped").function(lambda x: 1 / (1 + x**2))
    x = np.array([-30.0, -1.0, 0.0, 0.3, 100.0])
    np.testing.assert_allclose(f(x), 1 / (1 + x**2), atol=8 * EPS)
    np.testing.assert_allclose(f.derivative()(x), -2 * x / (1 + x**2) ** 2, atol=64 * EPS)
    assert f.integral() == pytest.approx(math.pi, rel=8 * EPS)


@pytest.mark.parametrize("width", [0.5, 2.0])
def test_mapped_grid_converges_at_the_rate_of_the_pole(width):
    """1/(w²+x²) on the map of scale 1: the pole at iw lies arctanh(min(w, 1/w)) off the real axis in θ."""
    strip = math.atanh(min(width, 1 / width))
    n = math.ceil(math.log(1e13) / strip) + 4

    def error(n):
        f = line.grid(n, "mapped").function(lambda x: 1 / (width**2 + x**2))
        x = np.linspace(-4, 4, 41)
        return abs(f(x) - 1 / (width**2 + x**2)).max() * width**2

    assert error(n) < 1e-12
    assert error(n // 2) > 1e-9
    assert line.grid(n, "mapped").function(lambda x: 1 / (width**2 + x**2)).integral() == pytest.approx(
        math.pi / width, rel=1e-12
    )


@pytest.mark.parametrize("half", [2.0, 4.0, 6.0])
def test_truncation_error_bounds_what_is_left_out(half):
    def f(x, y):
        return np.exp(-(x**2) / 2 - np.abs(y))

    grid = plane.grid(64, "truncated", scale=half)
    u = grid.function(f)
    stated = plane.truncation_error(u)
    assert stated == pytest.approx(math.exp(-half))  # on the faces y = ±L, at x = 0
    outside = np.array([[0.0, half + 0.01], [half + 0.01, 0.0], [half + 1, half + 1], [0.3, -half - 0.1]])
    assert np.all(u(outside) == 0)
    assert np.all(f(*outside.T) <= stated)


@pytest.mark.parametrize("half", [5.0, 8.0, 14.0])
@pytest.mark.parametrize("s", [-1.0, 0.75, 1.0, 2.0])
def test_sobolev_norm_on_a_truncated_grid_is_the_integral_over_frequencies(s, half):
    """‖e^{-x²/2}‖_s² = ∫ (1+ξ²)^s e^{-ξ²} dξ, up to the images at distance 2L.

    For s = -1 these add 2 (∫ e^x e^{-x²/2} dx)² e^{-2L}/2 = 2πe e^{-2L}, 12.7 e^{-2L} relative to the norm.
    """
    f = line.grid(int(16 * half), "truncated", scale=half).function(lambda x: np.exp(-(x**2) / 2))
    xi, w = np.polynomial.hermite.hermgauss(240)
    exact = float(w @ (1 + xi**2) ** s)
    assert fg.Sobolev(s).norm(f) ** 2 == pytest.approx(exact, rel=16 * math.exp(-2 * half) + 1e-12)


def test_dual_norm_of_an_evaluation_on_the_line_is_that_of_the_bessel_kernel():
    """‖δ‖² = K_1(0) = 1/2 in H^1(R)."""
    assert fg.Sobolev(1).dual_norm(fg.PointEvaluation(0.3), line) ** 2 == pytest.approx(0.5, rel=1e-13)


def test_refusals():
    with pytest.raises(InvalidInput, match="truncated grid"):
        line.truncation_error(line.grid(5).function(np.ones(5)))
    with pytest.raises(InvalidInput, match="`f` must be a function on a truncated grid"):
        plane.truncation_error(line.grid(5, "truncated").function(np.ones(5)))
    with pytest.raises(InvalidInput, match="not available on"):
        fg.Sobolev(1).square_root(line.grid(5))
