"""Kernels of circle, interval, torus, sphere: Green functions, two paths, closed forms (theory 2.4 - 2.6)."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct, dst
from scipy.special import eval_legendre, zeta

from funcgrad.errors import DomainMismatch, FuncgradError, InvalidInput
from funcgrad.kernels import IntervalSobolev, PeriodicSobolev, Sobolev, SphereSobolev, TorusSobolev
from funcgrad.kernels.periodic import closed_form, fourier_series, image_sum

# ---- circle ----


@pytest.mark.parametrize("length", [0.7, 2 * np.pi, 9.0])
@pytest.mark.parametrize("nu", [0.5, 1.5, 2.5, 5.5])
def test_circle_closed_form_images_and_waves_agree(nu, length):
    """Three independent evaluations of Σ_j h_ν(z + jL) to 1e-12 (waves where they converge)."""
    z = np.array([0.0, 1e-9, 1e-3, 0.1, 0.25, 0.4, 0.5]) * length
    closed = closed_form(int(nu), length, 0)(z)
    np.testing.assert_allclose(image_sum(nu, length, 0)(z), closed, rtol=2e-14)
    if nu > 2.0:
        np.testing.assert_allclose(fourier_series(nu, length, 0, 4000)(z), closed, rtol=1e-12)


@pytest.mark.parametrize(
    ("nu", "length"), [(0.31, 3.0), (0.05, 6.0), (1.9, 0.8), (4.2, 7.0), (2.000001, 45.0)]
)
def test_circle_of_any_order_against_a_lattice_sum_at_25_digits(nu, length):
    kernel = PeriodicSobolev(nu + 0.5, length)
    with mpmath.workdps(25):
        for d in (0.0, 1e-6, 0.2 * length, 0.5 * length):
            exact = mpmath.mpf(0)
            for j in range(-int(45 / length) - 2, int(45 / length) + 3):
                r = abs(d + j * mpmath.mpf(length))
                exact += (
                    mpmath.mpf(2) ** (nu - 1) * mpmath.gamma(nu) if r == 0 else r**nu * mpmath.besselk(nu, r)
                )
            s = mpmath.mpf(nu) + 0.5
            exact *= 2 ** (1 - s) / (mpmath.sqrt(2 * mpmath.pi) * mpmath.gamma(s))
            assert abs(float(kernel(d, 0.0) / exact - 1)) < 2e-14


def test_circle_first_order_closed_form():
    """Theory 2.4: cosh(L/2 - d) / (2 sinh(L/2))."""
    for length in (0.5, 2 * np.pi, 40.0):
        d = np.linspace(0.0, 0.5 * length, 40)
        values = PeriodicSobolev(1.0, length)(d, 0.0)
        np.testing.assert_allclose(values, np.cosh(length / 2 - d) / (2 * np.sinh(length / 2)), rtol=2e-14)


@pytest.mark.parametrize("s", [0.8, 1.0, 1.6, 2.0, 3.3])
@pytest.mark.parametrize("scale", [0.2, 1.0])
def test_circle_kernel_is_the_green_function(s, scale):
    """(1 - ℓ²Δ)^s k = δ: each wave of the sampled kernel tends to 1, at the aliasing order N^{-2s}."""
    length, mode, errors = 3.0, 2, []
    for n in (32, 64, 128):
        samples = PeriodicSobolev(s, length, scale)(length * np.arange(n) / n, 0.0)
        wave = np.fft.rfft(samples)[mode].real * length / n
        errors.append(abs(wave * (1 + (2 * np.pi * mode * scale / length) ** 2) ** s - 1))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    usable = np.array(errors[1:]) > 1e-12
    assert usable.any()
    # The order is approached from below as the mesh resolves ℓ.
    np.testing.assert_allclose(orders[usable], 2 * s, atol=0.25)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.55, 5.0), st.floats(0.3, 30.0), st.floats(-50, 50), st.floats(-50, 50))
def test_circle_is_periodic_symmetric_and_bounded_by_its_diagonal(s, length, x, y):
    k = PeriodicSobolev(s, length)
    assert k(x, y) == k(y, x)
    # x + L is itself rounded, which a rough kernel feels as |d|^{2s-1}.
    shift = 1e-13 * (np.abs([x, y]).max() + length) / length
    assert k(x + length, y) == pytest.approx(
        k(x, y), rel=1e-12, abs=40 * k(0, 0) * shift ** min(1.0, 2 * s - 1)
    )
    assert 0 < k(x, y) <= k(0.0, 0.0) * (1 + 1e-13)  # both are right to 5e-14


@pytest.mark.parametrize(("s", "length"), [(2.0, 6.0), (3.0, 0.9), (2.7, 5.0), (1.8, 2.0), (4.5, 0.5)])
def test_circle_derivatives_by_waves_of_the_kernel(s, length):
    """∂_x^a ∂_y^b k against 50-digit derivatives of the lattice sum of lines."""
    kernel, line = PeriodicSobolev(s, length), Sobolev(s, 1)
    x = np.linspace(-0.5, 0.5, 9) * length
    images = length * np.arange(-int(60 / length) - 2, int(60 / length) + 3)
    for a, b in ((1, 0), (0, 1), (1, 1), (2, 1), (2, 2)):
        if a + b < 2 * s - 1:
            summed = [line.derivative(a, b)(t + images, 0.0).sum() for t in x]
            np.testing.assert_allclose(kernel.derivative(a, b)(x, 0.0), summed, atol=1e-14 * kernel(0.0, 0.0))
    with pytest.raises(FuncgradError, match="below order"):
        kernel.derivative(3, 6)


def test_circle_short_for_its_length_scale():
    """ℓ = 100 L: the derivative's waves, not the difference of nearly equal images."""
    k, d = PeriodicSobolev(4.0, 1.0, 100.0), np.array([0.1, 0.25, 0.4])
    wave = 2 * np.pi * np.arange(1, 400)
    waves = np.sin(np.outer(d, wave)) @ (-2 * wave * (1 + (wave * 100) ** 2) ** -4.0)
    np.testing.assert_allclose(k.derivative(1)(d, 0.0), waves, rtol=1e-13)


# ---- interval ----


def test_interval_first_order_closed_forms():
    """Theory 2.5, and the same by images."""
    x, y = np.meshgrid(np.linspace(0, 1, 12), np.linspace(0, 1, 12))
    low, high = np.minimum(x, y).ravel(), np.maximum(x, y).ravel()
    for boundary, c, sign in (("neumann", np.cosh, 1), ("dirichlet", np.sinh, -1)):
        kernel = IntervalSobolev(1.0, 0.0, 1.0, boundary)
        exact = c(low) * c(1 - high) / np.sinh(1)
        np.testing.assert_allclose(kernel(x.ravel(), y.ravel()), exact, rtol=1e-14, atol=1e-16)
        circle = PeriodicSobolev(1.0, 2.0)
        images = circle(low, high) + sign * circle(low + high, 0.0)
        np.testing.assert_allclose(images, exact, atol=1e-15)


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("s", [3.5, 4.0, 5.2])
def test_interval_by_images_is_the_eigen_expansion(s, boundary):
    a, b, scale, length = -0.4, 0.9, 0.6, 1.3
    kernel = IntervalSobolev(s, a, b, boundary, scale)
    x = np.linspace(a, b, 11)
    m = np.arange(1, 3000)
    rates = (1 + (np.pi * m * scale / length) ** 2) ** -s
    phi = np.sqrt(2 / length) * (np.cos if boundary == "neumann" else np.sin)(
        np.pi * np.outer(x - a, m) / length
    )
    expanded = (phi * rates) @ phi.T + (1 / length if boundary == "neumann" else 0.0)
    np.testing.assert_allclose(kernel.gram(x), expanded, rtol=1e-12, atol=1e-12 * expanded.max())


@pytest.mark.parametrize("s", [0.9, 1.0, 1.7, 2.0])
def test_interval_kernel_is_the_green_function(s):
    """The cosine (sine) coefficients of k(., y) times (1 + ℓ²λ)^s are those of δ_y, at the order N^{-2s}."""
    y, mode = 0.3, 3
    for boundary in ("neumann", "dirichlet"):
        errors = []
        for n in (64, 128, 256):
            x = (np.arange(n) + 0.5) / n
            samples = IntervalSobolev(s, 0.0, 1.0, boundary)(x, y)
            if boundary == "neumann":
                coefficient, exact = dct(samples, type=2)[mode] / n, 2 * np.cos(np.pi * mode * y)
            else:
                coefficient, exact = dst(samples, type=2)[mode - 1] / n, 2 * np.sin(np.pi * mode * y)
            errors.append(abs(coefficient * (1 + (np.pi * mode) ** 2) ** s / exact - 1))
        # Aliases are the modes 2jN ± m, j >= 1: their sum is bounded by a zeta function.
        aliases = 2 * zeta(2 * s) * (np.pi * (2 * np.array([64, 128, 256]) - mode)) ** (-2 * s)
        assert np.all(errors < aliases * (1 + (np.pi * mode) ** 2) ** s * 2 / abs(exact) + 1e-13)


def test_dirichlet_kernel_vanishes_at_the_ends_and_neumann_has_no_slope():
    y = np.linspace(0.0, 2.0, 9)
    for s in (1.0, 1.3, 2.0, 3.7):
        assert np.array_equal(IntervalSobolev(s, 0.0, 2.0, "dirichlet")(0.0, y), np.zeros(9))
    slope = IntervalSobolev(2.3, 0.0, 2.0, "neumann").derivative(1)(0.0, y)
    np.testing.assert_allclose(slope, 0.0, atol=1e-16)


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_interval_derivatives_by_central_differences(boundary):
    """The rate of central differences is h², from k alone."""
    k, y = IntervalSobolev(3.2, 0.0, 1.0, boundary), np.array([0.15, 0.5, 0.95])
    steps = np.array([0.04, 0.02, 0.01])
    errors = [
        np.abs((k(0.4 + h, y) - k(0.4 - h, y)) / (2 * h) - k.derivative(1)(0.4, y)).max() for h in steps
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)
    dk = k.derivative(1)
    errors = [
        np.abs((dk(0.4, y + h) - dk(0.4, y - h)) / (2 * h) - k.derivative(1, 1)(0.4, y))[:2].max()
        for h in steps
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.3)


def test_outside_the_interval():
    with pytest.raises(DomainMismatch, match=r"`y` must lie in \[0, 1\]; got 1.5 at index 1"):
        IntervalSobolev(1.0, 0.0, 1.0)(0.5, [0.5, 1.5])
    with pytest.raises(DomainMismatch, match="`X`"):
        IntervalSobolev(2.0, 0.0, 1.0).derivative(1).gram([-0.1])
    with pytest.raises(InvalidInput, match="`a` must be below `b`"):
        IntervalSobolev(1.0, 1.0, 1.0)
    with pytest.raises(InvalidInput, match="did you mean 'neumann'"):
        IntervalSobolev(1.0, 0.0, 1.0, boundary="neuman")
    with pytest.raises(InvalidInput, match="`s` must be above 1/2"):
        IntervalSobolev(0.5, 0.0, 1.0)


# ---- torus ----


@pytest.mark.parametrize("lengths", [(2.0, 3.0), (1.5, 2.0, 2.5)])
def test_torus_lattice_sum_is_the_fourier_sum(lengths):
    """Two paths: images and waves, s = 8 so that few waves suffice."""
    k, L = TorusSobolev(8.0, lengths, 0.3), np.array(lengths)
    x = np.random.default_rng(0).uniform(-3, 3, (6, len(L)))
    waves = np.stack(np.meshgrid(*[np.arange(-24, 25)] * len(L), indexing="ij"), axis=-1).reshape(-1, len(L))
    rates = (1 + ((2 * np.pi * 0.3 * waves / L) ** 2).sum(axis=1)) ** -8.0 / L.prod()
    phase = 2 * np.pi * x @ (waves / L).T
    np.testing.assert_allclose(k(x, np.zeros(len(L))), np.cos(phase) @ rates, rtol=1e-12)
    np.testing.assert_allclose(
        k.derivative((1, 0, 0)[: len(L)])(x, np.zeros(len(L))),
        -np.sin(phase) @ (rates * 2 * np.pi * waves[:, 0] / L[0]),
        rtol=1e-12,
        atol=1e-13 * rates.sum(),
    )


def test_torus_in_one_dimension_is_the_circle():
    x = np.linspace(-4.0, 4.0, 9)
    for s in (0.8, 1.0, 2.4):
        np.testing.assert_allclose(
            TorusSobolev(s, [2.5], 0.7).gram(x), PeriodicSobolev(s, 2.5, 0.7).gram(x), rtol=1e-13
        )


def test_torus_compiled_and_plain_agree():
    x = np.random.default_rng(0).random((130, 2))
    k = TorusSobolev(1.4, [1.0, 1.0], 0.3)
    K = k.gram(x)
    np.testing.assert_allclose(K[:3], [k(row, x) for row in x[:3]], rtol=3e-14)
    np.testing.assert_allclose(k.matvec(x, x, x[:, 0]), K @ x[:, 0], rtol=1e-13)
    with pytest.raises(InvalidInput, match=r"\[1e-05, 1.0\] are too different"):
        TorusSobolev(2.0, [1e-5, 1.0], 10.0)


# ---- sphere ----


def unit_vectors(cosines):
    return np.stack([np.sqrt(1 - cosines**2), np.zeros_like(cosines), cosines], axis=1)


@pytest.mark.parametrize("scale", [0.1, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("s", [1.0001, 1.05, 1.5, 2.0, 2.8, 6.0])
def test_sphere_diagonal_by_zeta_functions(s, scale):
    """Σ_l 2λ (1 + ℓ²(λ² - 1/4))^{-s} by Euler-Maclaurin at 30 digits, an independent summation."""
    with mpmath.workdps(30):

        def term(half):
            return 2 * half * (1 + mpmath.mpf(scale) ** 2 * (half**2 - 0.25)) ** -mpmath.mpf(s)

        start = 400
        exact = mpmath.fsum(term(l + mpmath.mpf(1) / 2) for l in range(start))
        base = 1 + mpmath.mpf(scale) ** 2 * (mpmath.mpf(start) ** 2 - mpmath.mpf(1) / 4)
        # Midpoint Euler-Maclaurin: ∫ from `start`, whose integral is elementary, then B_2(1/2), B_4(1/2).
        exact += base ** (1 - mpmath.mpf(s)) / ((s - 1) * mpmath.mpf(scale) ** 2)
        exact += mpmath.diff(term, start) / 24 - 7 * mpmath.diff(term, start, 3) / 5760
        exact += 31 * mpmath.diff(term, start, 5) / 967680
    value = SphereSobolev(s, scale)([0.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    assert abs(float(4 * np.pi * value / exact - 1)) < 1e-14 / min(1.0, scale)


def test_sphere_off_the_diagonal_by_the_plain_series():
    cosines = np.array([-1.0, -0.9, -0.2, 0.3, 0.8])
    l = np.arange(4000)
    for s, scale in ((4.0, 1.0), (5.5, 0.3), (7.0, 2.5)):
        weights = (2 * l + 1) / (4 * np.pi) * (1 + scale**2 * l * (l + 1.0)) ** -s
        series = np.array([(weights * eval_legendre(l, c)).sum() for c in cosines])
        kernel = SphereSobolev(s, scale)
        north = np.array([0.0, 0.0, 1.0])
        np.testing.assert_allclose(
            kernel(unit_vectors(cosines), north), series, atol=1e-13 * kernel(north, north)
        )


@pytest.mark.parametrize("s", [1.2, 1.5, 2.0, 3.1])
def test_sphere_kernel_is_the_green_function(s):
    """2π ∫ k P_l = (1 + ℓ²l(l+1))^{-s}, by Gauss' rule in t, w = t^8, where the kernel is smooth."""
    t, weights = np.polynomial.legendre.leggauss(400)
    t, weights = (t + 1) / 2, weights / 2
    w, weights = t**8, weights * 8 * t**7
    values = SphereSobolev(s, 0.6)._series(w)
    for l in (0, 1, 2, 7):
        coefficient = 2 * np.pi * 2 * (weights * values * eval_legendre(l, 1 - 2 * w)).sum()
        assert coefficient == pytest.approx((1 + 0.36 * l * (l + 1)) ** -s, rel=1e-10)


def test_sphere_whose_terms_are_powers():
    """ℓ = 2: 1 + ℓ² l(l+1) = 4 λ², so that the diagonal is 2·4^{-s} ζ(2s - 1, 1/2) / 4π."""
    for s in (1.02, 1.5, 3.0):
        north = [0.0, 0.0, 1.0]
        exact = 2 * 4.0**-s * zeta(2 * s - 1, 0.5) / (4 * np.pi)
        assert SphereSobolev(s, 2.0)(north, north) == pytest.approx(exact, rel=1e-14)


def test_sphere_bad_input():
    with pytest.raises(DomainMismatch, match="unit vectors; got length 2 at index 0"):
        SphereSobolev(2.0)([0.0, 0.0, 2.0], [0.0, 0.0, 1.0])
    with pytest.raises(InvalidInput, match="`s` must be above 1"):
        SphereSobolev(1.0)
    with pytest.raises(InvalidInput, match=r"at least 0\.01"):
        SphereSobolev(2.0, 0.001)
