"""Circle and interval: compiled loops against plain evaluation, and length scales far above their size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.kernels import HomogeneousSobolev, IntervalSobolev, PeriodicSobolev
from funcgrad.kernels.periodic import closed_form, fourier_series, unit_periodised, zeta_series

ULP = np.finfo(float).eps
ORDERS = [0.7, 1.0, 1.7, 3.0, 9.0]
# Circumferences in length scales: where waves, zeta functions, closed forms, images, and the line serve.
LENGTHS = [1e-6, 2 * np.pi, 30.0, 1000.0]


def pairwise(kernel, X, Y):
    return kernel._evaluate(X[:, None, None], Y[None, :, None])


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("s", ORDERS)
def test_compiled_circle_is_the_plain_evaluation(s, length):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-2, 2, 130) * length, rng.uniform(-2, 2, 140) * length
    x[1], x[2], x[3] = x[0] + 1e-9 * length, y[0], y[1] + 0.5 * length
    kernel = PeriodicSobolev(s, length)
    assert kernel._profile is not None
    exact = pairwise(kernel, x, y)
    # Rounding of a difference, 4L ulp, moves e^{-d} by as much; the rest is the table's.
    np.testing.assert_allclose(kernel.gram(x, y), exact, rtol=8e-15 + 4 * length * ULP, atol=1e-300)
    K = kernel.gram(x)
    assert np.array_equal(K, K.T)
    V = rng.standard_normal((140, 3))
    product = kernel.matvec(x, y, V)
    assert np.all(
        np.abs(product - exact @ V) < 200 * ULP * (exact @ np.abs(V)) + 1e-14 * np.abs(V).sum() * exact.max()
    )
    assert np.array_equal(kernel.matvec(x, y, V[:, 1]), product[:, 1])


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("s", ORDERS)
def test_compiled_interval_is_the_plain_evaluation(s, length, boundary):
    a, b = -1.0, -1.0 + 0.5 * length if length > 1e-3 else -1.0 + 0.5
    scale = (b - a) / (0.5 * length)
    x = np.random.default_rng(1).uniform(a, b, 150)
    x[:4] = a, b, x[5], np.clip(x[5] + 1e-9, a, b)
    kernel = IntervalSobolev(s, a, b, boundary, scale)
    exact = pairwise(kernel, x, x)
    bound = (8e-15 + 2 * ULP * (1 + length)) * exact.max()
    np.testing.assert_allclose(kernel.gram(x), exact, rtol=0, atol=bound)
    np.testing.assert_allclose(kernel.gram(x[:120], x), kernel.gram(x)[:120], rtol=0, atol=bound)
    V = np.random.default_rng(2).standard_normal((150, 2))
    np.testing.assert_allclose(kernel.matvec(x, x, V), exact @ V, rtol=0, atol=150 * bound)
    if boundary == "dirichlet":
        assert np.abs(kernel.gram(x)[:2]).max() <= bound


def test_first_order_dirichlet_kernel_keeps_its_relative_accuracy_at_the_ends():
    """sinh(min) sinh(1 - max)/sinh 1, compiled, for points 1e-12 off an end."""
    x = np.concatenate([10.0 ** np.linspace(-12, -1, 100), 1 - 10.0 ** np.linspace(-3, -1, 60)])
    low, high = np.minimum.outer(x, x), np.maximum.outer(x, x)
    exact = np.sinh(low) * np.sinh(1 - high) / np.sinh(1)
    np.testing.assert_allclose(IntervalSobolev(1.0, 0.0, 1.0, "dirichlet").gram(x), exact, rtol=5e-15)


@pytest.mark.parametrize("length", [1e-4, 0.4, 3.0])
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_zeta_series_is_the_fourier_series(length, order):
    """Two paths for ℓ >= L/π, for derivatives too, relative to the first wave."""
    z = np.array([0.0, 1e-3, 0.2, 0.31, 0.5]) * length
    for nu in (4.5, 5.1, 6.5):
        waves = fourier_series(nu, length, order, 3000, mean=False)(z)
        np.testing.assert_allclose(
            zeta_series(nu, length, order, mean=False)(z), waves, rtol=0, atol=1e-12 * np.abs(waves).max()
        )


@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5])
def test_zeta_series_is_the_closed_form(nu):
    z = np.array([0.0, 1e-3, 0.2, 0.31, 0.5]) * 2.7
    for order in range(int(2 * nu)):
        closed = closed_form(int(nu), 2.7, order)(z)
        np.testing.assert_allclose(
            zeta_series(nu, 2.7, order)(z),
            closed,
            rtol=0,
            atol=2e-14 * np.abs(closed_form(int(nu), 2.7, 0)(z)[0]),
        )


@settings(deadline=None, max_examples=40)
@given(st.floats(0.55, 7.0), st.floats(-4, 1.6), st.integers(0, 3))
def test_neighbouring_paths_join(s, log_length, order):
    """p_m(z; L) is smooth in L, through every change of path."""
    if order >= 2 * s - 1:
        order = 0
    nu, length = s - 0.5, 10.0**log_length
    steps = length * (1 + 1e-4 * np.arange(-2, 3))
    z = np.array([0.05, 0.25, 0.5])[:, None]
    values = np.array([unit_periodised(nu, L, order)(L * z)[:, 0] for L in steps]).T
    fourth = values @ [1, -4, 6, -4, 1]
    # The scale of a derivative is k(x, x)/ℓ^m; the fourth difference of a smooth function is 1e-16 of it.
    bound = 1e-12 * max(np.abs(values).max(), unit_periodised(nu, length, 0)(np.zeros(1))[0])
    assert np.all(np.abs(fourth) < bound)


@pytest.mark.parametrize("scale", [1e2, 1e5])
@pytest.mark.parametrize("s", [0.8, 1.0, 1.7, 2.0, 3.5])
def test_long_length_scales_tend_to_the_homogeneous_space(s, scale):
    """ℓ >> b - a: ℓ^{2s} k -> the kernel of (-Δ)^s, with derivatives; the correction is s/(πℓ)²."""
    domain = fg.Interval(0, 1, boundary="dirichlet")
    kernel, limit = IntervalSobolev(s, 0.0, 1.0, "dirichlet", scale), HomogeneousSobolev(s, domain)
    x = np.array([0.1, 0.35, 0.8])
    correction = 2 * s / (np.pi * scale) ** 2 + 1e-13
    np.testing.assert_allclose(scale ** (2 * s) * kernel.gram(x), limit.gram(x), rtol=correction)
    if s > 1.5:
        slope = scale ** (2 * s) * kernel.derivative(1, 1).gram(x)
        bound = correction * np.abs(slope).max()
        np.testing.assert_allclose(slope, limit.derivative(1, 1).gram(x), rtol=0, atol=3 * bound)


@settings(deadline=None, max_examples=15)
@given(
    st.floats(0.55, 6.0),
    st.floats(-3, 3),
    st.sampled_from(["circle", "neumann", "dirichlet"]),
    st.integers(0, 2**32 - 1),
)
def test_gram_matrices_are_positive_semidefinite(s, log_scale, kind, seed):
    """With duplicates and clusters, for length scales far below and above the domain's size."""
    rng, scale = np.random.default_rng(seed), 10.0**log_scale
    x = rng.random(130)
    x[60:90], x[90:] = x[:30], np.clip(x[:40] + 10.0 ** -rng.integers(1, 13) * rng.random(40), 0, 1)
    kernel = PeriodicSobolev(s, 1.0, scale) if kind == "circle" else IntervalSobolev(s, 0.0, 1.0, kind, scale)
    for points in (x, x[30:120]):  # compiled, plain
        eigenvalues = np.linalg.eigvalsh(kernel.gram(points))
        assert eigenvalues[0] >= -len(points) * ULP * eigenvalues[-1]
