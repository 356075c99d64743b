"""The kernels of homogeneous H^s and of W^{k,2}."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, FuncgradError, InvalidInput
from funcgrad.kernels import DerivativeSobolev, HomogeneousSobolev, IntervalSobolev, PeriodicSobolev
from funcgrad.kernels.homogeneous import periodic_zeta


@pytest.mark.parametrize(
    "q", [1.001, 1.05, 1.3, 2, 2 + 1e-7, 2.95, 3, 3 + 1e-9, 3.1, 4, 5.0999, 5.1001, 7.7, 12]
)
def test_periodic_zeta_is_the_polylogarithm(q):
    """Against mpmath at 40 digits, also where the poles of the two parts cancel: to 64 ulp of ζ(q)."""
    for theta in (0.0, 1e-3, 0.5, 1.0, 2.0, 3.0, np.pi):
        with mpmath.workdps(40):
            size = abs(mpmath.zeta(mpmath.mpf(q)))
            z = mpmath.polylog(q, mpmath.expj(mpmath.mpf(theta))) if theta else mpmath.mpc(size)
        for odd, exact in ((0, z.real), (1, z.imag)):
            got = float(periodic_zeta(q, odd, np.array(theta)))
            assert abs(got - exact) < 64 * 2.3e-16 * size, (theta, odd)


def test_whole_orders_are_bernoullis_polynomials():
    x = np.linspace(0, 1, 11)
    k = HomogeneousSobolev(1.0, fg.Circle(1.0))
    np.testing.assert_allclose(k.gram([0.0], x)[0], (x**2 - x + 1 / 6) / 2, rtol=0, atol=1e-16)
    k = HomogeneousSobolev(2.0, fg.Circle(1.0))
    np.testing.assert_allclose(
        k.gram([0.0], x)[0], -(x**4 - 2 * x**3 + x**2 - 1 / 30) / 24, rtol=0, atol=2e-17
    )
    x, y = x[:, None], x[None, :]
    low, high = np.minimum(x, y), np.maximum(x, y)
    k = HomogeneousSobolev(1.0, fg.Interval(0, 1, "dirichlet"))
    np.testing.assert_allclose(k.gram(x, x), low * (1 - high), rtol=0, atol=1e-15)
    k = HomogeneousSobolev(1.0, fg.Interval(0, 1))
    np.testing.assert_allclose(k.gram(x, x), (x**2 + y**2) / 2 - high + 1 / 3, rtol=0, atol=1e-15)


@settings(max_examples=25, deadline=None)
@given(s=st.floats(0.8, 4), scale=st.floats(0.2, 3), seed=st.integers(0, 2**32 - 1))
def test_inhomogeneous_kernels_tend_to_it(s, scale, seed):
    """As ℓ -> ∞, ℓ^{2s} (k_ℓ - 1/|M|) tends to the homogeneous kernel at ℓ = 1, at the rate ℓ^{-2}."""
    x, y = np.random.default_rng(seed).uniform(0, 1, size=(2, 5))
    limit = HomogeneousSobolev(s, fg.Circle(1.0), scale).gram(x, y)
    ell = 20.0
    k = (PeriodicSobolev(s, 1.0, ell * scale).gram(x, y) - 1) * ell ** (2 * s)
    first_order = s / (2 * np.pi * ell * scale) ** 2
    assert np.abs(k - limit).max() <= (2 * first_order + 1e-13 * ell ** (2 * s)) * limit.max() + np.abs(
        limit
    ).max() * 2 * first_order + 1e-14 * ell ** (2 * s)


@pytest.mark.parametrize(
    "kernel",
    [
        HomogeneousSobolev(2.3, fg.Interval(0, 1), 0.4),
        HomogeneousSobolev(2.2, fg.Interval(0, 1, "dirichlet")),
        HomogeneousSobolev(2.5, fg.Circle(1.0)),
        DerivativeSobolev(3, 0.0, 1.0, 0.4),
    ],
    ids=repr,
)
def test_derivatives_are_limits_of_differences(kernel):
    x, y, h = 0.31, 0.77, 1e-5
    for alpha, beta in ((1, 0), (0, 1), (1, 1), (2, 1)):
        lower = kernel.derivative(alpha - 1, beta) if alpha else kernel.derivative(0, beta - 1)
        dx, dy = (h, 0) if alpha else (0, h)
        difference = (lower(x + dx, y + dy) - lower(x - dx, y - dy)) / (2 * h)
        exact = kernel.derivative(alpha, beta)(x, y)
        assert abs(difference - exact) < 1e-6 * (1 + abs(exact)), (alpha, beta)


def test_derivative_kernel_of_first_order_is_neumanns():
    x = np.linspace(-1, 2, 13)
    for ell in (0.1, 1.0, 4.0):
        got = DerivativeSobolev(1, -1.0, 2.0, ell).gram(x)
        np.testing.assert_allclose(got, IntervalSobolev(1.0, -1.0, 2.0, "neumann", ell).gram(x), rtol=1e-13)


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 4), scale=st.floats(0.2, 2), seed=st.integers(0, 2**32 - 1))
def test_derivative_kernel_is_symmetric_and_positive(k, scale, seed):
    x = np.random.default_rng(seed).uniform(0, 1, size=6)
    gram = DerivativeSobolev(k, 0.0, 1.0, scale).gram(x)
    tolerance = 1e-11 * gram.max()
    assert np.abs(gram - gram.T).max() <= tolerance
    assert np.linalg.eigvalsh(gram).min() >= -tolerance


def test_bad_input_is_refused():
    with pytest.raises(InvalidInput, match="above 1/2"):
        HomogeneousSobolev(0.5, fg.Circle(1.0))
    with pytest.raises(DomainMismatch):
        HomogeneousSobolev(1.0, fg.Interval(0, 1))(0.5, 1.5)
    with pytest.raises(DomainMismatch):
        DerivativeSobolev(2, 0.0, 1.0)(0.5, 1.5)
    with pytest.raises(InvalidInput, match="`order`"):
        DerivativeSobolev(0, 0.0, 1.0)
    with pytest.raises(InvalidInput, match="`a` must be below `b`"):
        DerivativeSobolev(1, 1.0, 1.0)
    with pytest.raises(FuncgradError, match="in each argument"):
        DerivativeSobolev(3, 0.0, 1.0).derivative(3, 0)
    with pytest.raises(FuncgradError, match="derivative"):
        HomogeneousSobolev(1.0, fg.Circle(1.0)).derivative(1, 0)
