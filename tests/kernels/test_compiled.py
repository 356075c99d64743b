"""The compiled loops against plain evaluation and their own source, and their pitfalls."""

import struct

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.kernels import Gaussian, Matern, Sobolev, SphereSobolev
from funcgrad.kernels import _compiled as loops
from funcgrad.kernels.fused import Profile, fused_gram, fused_product
from funcgrad.kernels.table import dyadic_table

ULP = np.finfo(float).eps
KERNELS = [Matern(0.5, 0.7), Matern(1.5), Matern(2.5), Gaussian(0.4), Matern(1.3), Sobolev(3.2, 3)]


def points(n, d, seed=0):
    return np.random.default_rng(seed).random((n, d))


def naive_gram(kernel, X, Y):
    return np.array([[kernel(x[None], y[None])[0] for y in Y] for x in X])


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_gram_and_product_against_pairwise_evaluation(kernel, d):
    d = kernel.dimension or d
    X, Y = points(9, d), points(2500, d, 1)  # more columns than one tile
    K = kernel.gram(X, Y)
    some = [0, 1, 2047, 2048, 2049, 2499]
    np.testing.assert_allclose(K[:, some], naive_gram(kernel, X, Y[some]), rtol=2e-14)
    V = np.random.default_rng(2).standard_normal((2500, 3))
    bound = 2500 * ULP * (K @ np.abs(V))
    assert np.all(np.abs(kernel.matvec(X, Y, V) - K @ V) <= bound)
    assert np.array_equal(kernel.matvec(X, Y, V[:, 0]), kernel.matvec(X, Y, V)[:, 0])


@pytest.mark.parametrize("n", [128, 129, 255, 256, 300, 641])
def test_symmetric_loop_is_the_rectangular_loop(n):
    """Each pair once, mirrored: equal to the last bit, for odd and even numbers of blocks."""
    X = points(n, 2)
    kernel = Matern(1.3)
    assert np.array_equal(kernel.gram(X), kernel.gram(X, X.copy()))


def test_gram_is_exactly_symmetric_and_the_product_does_not_depend_on_threads_or_rows():
    X = points(300, 2)
    kernel = Matern(1.5)
    assert np.array_equal(kernel.gram(X), kernel.gram(X).T)
    v = points(300, 1)[:, 0]
    together = kernel.matvec(X, X, v)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert np.array_equal(kernel.matvec(X, X, v), together)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(kernel.matvec(X[57:200], X, v), together[57:200])


def pairwise(kernel, X, Y):
    return kernel(np.repeat(X, len(Y), axis=0), np.tile(Y, (len(X), 1))).reshape(len(X), len(Y))


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([Matern(2.5, 0.3), Matern(3.2), Sobolev(5.7, 2), Sobolev(3.4, 2, 0.2), Gaussian(0.4)]),
    st.tuples(*[st.integers(0, 1)] * 4),
)
def test_compiled_derivatives_are_the_evaluated_ones(kernel, orders):
    """To 5e-14 of a bound of that derivative on all of R^2; in one call, in blocks and as a product."""
    X, Y = 2.0 * points(150, 2), 2.0 * points(130, 2, 1)
    X[0], X[1] = Y[0], 1e120
    derivative = kernel.derivative(orders[:2], orders[2:])
    K, exact = derivative.gram(X, Y), pairwise(derivative, X, Y)
    order = sum(orders)
    bound = kernel.amplitude * kernel.scale**-order * max(1.0, *radial_bounds(kernel, order))
    assert np.all(np.abs(K - exact) <= 5e-14 * bound)
    assert np.all(K[1] == 0.0)
    v = points(130, 1, 2)[:, 0]
    assert np.all(np.abs(derivative.matvec(X, Y, v) - K @ v) <= 130 * ULP * (np.abs(K) @ v))


def radial_bounds(kernel, order):
    """Return max |z^power (d/dt)^j f| over z, of the terms of a partial derivative of that order."""
    z = np.linspace(0.0, 20.0, 2001)
    terms = [(order - i, order - 2 * i) for i in range(order // 2 + 1)]
    return [np.abs(kernel._radial(z, *term)).max() for term in terms]


def test_derivatives_the_tables_do_not_know_are_evaluated():
    """Order 2 of ν = 1.3 leads to K of negative index."""
    X = points(200, 1)
    derivative = Matern(1.3).derivative(1, 1)
    assert np.array_equal(derivative.gram(X), pairwise(derivative, X, X))


def test_far_points_do_not_reach_the_compiled_loops():
    X = np.append(points(200, 1), [[1e200]], axis=0)
    K = Matern(1.3).gram(X)
    assert np.array_equal(K[-1, :-1], np.zeros(200))
    assert K[-1, -1] == 1.0


@settings(deadline=None)
@given(st.floats(0.001, 1000.0), st.floats(0.0, 1000.0))
def test_power_of_two_within_an_ulp_of_the_unrounded_product(rate, exponent):
    x = exponent / rate
    with mpmath.workdps(40):
        exact = float(mpmath.mpf(2) ** (loops.RAISE - mpmath.mpf(rate) * mpmath.mpf(x)))
    assert abs(loops.raised_power(rate, x) - exact) <= 1.01 * np.spacing(exact)


def test_power_of_two_ends_at_zero():
    assert loops.raised_power(1.0, loops.LARGEST_POWER - 1.0) == 2.0**-1022
    assert loops.raised_power(1.0, loops.LARGEST_POWER) == 0.0


def test_exponential_over_its_whole_range():
    z = np.concatenate([np.linspace(0.0, 760.0, 400001), 10.0 ** np.linspace(-300, -1, 1000)])
    loops.gaussian_profile(np.array([1.0, 2.0]), 0.5 * z, values := np.empty_like(z))
    exact = np.exp(-z)
    # Power and amplitude round once each; log2(e) in float64 is off by 1.41e-17 of itself.
    assert np.all(np.abs(values - exact) <= (2.0 + 1.5e-17 / 2.0**-53 * z) * np.spacing(exact))


def test_reassociation_breaks_a_rounding_by_addition():
    """Why none of these loops may be compiled with 'reassoc': the rounding constant folds away."""
    broken = numba.njit(fastmath=True)(loops.squared_arcs.py_func)
    loops.squared_arcs(0.9, -1.0, np.zeros(8), 1.0, 0.0, right := np.empty(8))
    broken(0.9, -1.0, np.zeros(8), 1.0, 0.0, wrong := np.empty(8))
    np.testing.assert_allclose(right, 0.01)
    assert wrong[0] == 0.0
    for name in ("squared_arcs", "raised_power", "exponential_profile", "gaussian_profile", "table_profile"):
        assert not {"reassoc", "afn"} & set(getattr(loops, name).targetoptions["fastmath"])


def test_dot_error_bound():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(2048) * 10.0 ** rng.uniform(-8, 8, 2048), rng.standard_normal(2048)
    exact = float(np.sum(a.astype(np.longdouble) * b))
    assert abs(loops.dot(a, b) - exact) <= 2048 * ULP * np.abs(a * b).sum()


def test_compiled_loops_agree_with_their_source(monkeypatch):
    """Every function in plain Python, called through plain Python."""
    X, Y = points(3, 4), points(5, 4, 1)
    V = points(5, 2, 2)
    images = ((-1.0, 0.0, 1.0), (1.0, 0.7, -0.3))
    table = dyadic_table(lambda z: 1.0 / (1.0 + z), -6, 3, 7, 0.5)
    profiles = [
        Profile(2.0, 0.5, ("exponential", 1.0, 0.25)),
        Profile(2.0, 0.5, ("gaussian",)),
        Profile(1.0, 0.5, table),
        Profile(1.0, 0.5, table, 0.7, images),
        Profile(2.0, 0.5, ("exponential", 0.0, 0.0), 0.7, images[:1]),
        Profile(2.0, 1.0, ("first order",)),
    ]
    many = points(140, 1, 3)  # more than one block of the symmetric loop
    compiled = [(fused_gram(p, X, Y), fused_product(p, X, Y, V)) for p in profiles]
    symmetric = fused_gram(profiles[2], many, many)
    for name, value in list(vars(loops).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(loops, name, value.py_func)
    monkeypatch.setattr(loops, "float_to_bits", lambda x: struct.unpack("<q", struct.pack("<d", x))[0])
    monkeypatch.setattr(
        loops, "bits_to_float", lambda n: struct.unpack("<d", struct.pack("<Q", n % 2**64))[0]
    )
    monkeypatch.setattr(loops, "multiply_add", lambda a, b, c: a * b + c)
    for profile, (gram, product) in zip(profiles, compiled, strict=True):
        # The compiler contracts multiply-adds, the interpreter does not.
        np.testing.assert_allclose(gram, fused_gram(profile, X, Y), rtol=2e-14)
        np.testing.assert_allclose(product, fused_product(profile, X, Y, V), rtol=2e-14)
    np.testing.assert_allclose(symmetric, fused_gram(profiles[2], many, many), rtol=2e-14)


def test_table_order_of_convergence():
    """The error of degree 5 is ρ^{-6}, ρ of the Bernstein ellipse of a piece that touches z = 0."""
    z = np.random.default_rng(0).uniform(0.3, 3.9, 20001)
    errors = []
    for bits in (0, 1, 2, 3):
        table = dyadic_table(lambda z: np.log(z) + 3.0, -3, 2, bits, 0.0)
        values = fused_gram(Profile(1.0, 1.0, table), np.zeros((1, 1)), z[:, None])[0]
        errors.append(np.abs(values - np.log(z) - 3.0).max())
    centre = 2.0 ** np.arange(1.0, 5.0) + 1.0  # in units of half a piece
    rho = centre + np.sqrt(centre**2 - 1.0)
    orders, expected = np.diff(np.log2(errors)), -6.0 * np.diff(np.log2(rho))
    np.testing.assert_allclose(orders, expected, atol=0.25)


def test_sphere_table_is_the_series():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((130, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x[1] = x[0] + 1e-9
    for s in (1.3, 2.0, 4.4):
        kernel = SphereSobolev(s, 0.4)
        K = kernel.gram(x)
        np.testing.assert_allclose(K[0], kernel(x[0], x), rtol=0, atol=2e-14 * K[0, 0])
