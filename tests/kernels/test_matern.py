"""Theory 2.1 - 2.3: the Sobolev kernel of R^n and its derivatives against mpmath at 50 digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.kernels import Gaussian, Matern, Radial, Sobolev
from funcgrad.kernels.bessel import matern_function, matern_line_derivative_terms

BAR = 5e-14


def sobolev_by_mpmath(s, n, r):
    s, r = mpmath.mpf(s), mpmath.mpf(r)
    nu = s - mpmath.mpf(n) / 2
    constant = 2 ** (1 - s) / ((2 * mpmath.pi) ** (mpmath.mpf(n) / 2) * mpmath.gamma(s))
    return constant * r**nu * mpmath.besselk(nu, r)


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mpmath.workdps(50):
        yield


def random_orders(rng, n, count):
    """Orders s in (n/2, n/2 + 6], a third of them with ν close to a whole number."""
    nu = 6.0 - rng.uniform(0.0, 6.0, count)
    nu[::3] = rng.integers(1, 7, len(nu[::3])) - 10.0 ** rng.uniform(-13, -1, len(nu[::3]))
    return nu + 0.5 * n


@pytest.mark.parametrize("n", [1, 2, 3])
def test_sobolev_kernel_is_the_bessel_potential(n):
    rng = np.random.default_rng(n)
    for s in random_orders(rng, n, 60):
        radii = np.append(10.0 ** rng.uniform(-12.0, np.log10(700.0), 4), rng.uniform(1.0, 2.0))
        points = np.zeros((5, n))
        points[:, 0] = radii
        values = Sobolev(s, n)(points, np.zeros((1, n)))
        exact = [sobolev_by_mpmath(s, n, r) for r in radii]
        errors = [abs(float(v / e - 1)) for v, e in zip(values, exact, strict=True)]
        assert max(errors) < BAR, (s, radii, errors)


@pytest.mark.parametrize(
    "nu", [0.06, 0.3, 0.5, 0.97, 1.0, 1.3, 1.5, 2.0, 2.5, 2.9999999, 4.2, 7.0, 13.0, 19.5]
)
def test_compiled_profile_is_the_matern_function(nu):
    """The tables and exponential polynomials of the compiled loops, from r = 0 to underflow."""
    rng = np.random.default_rng(1)
    radii = np.concatenate([10.0 ** rng.uniform(-13, np.log10(700), 20000), [0.0, 1e-170, 1e-300, 2000.0]])
    kernel = Sobolev(nu + 0.5, 1)
    values = kernel.gram([0.0], radii)[0] / kernel.amplitude
    exact = matern_function(nu, radii)
    assert np.all(np.abs(values - exact) <= 3e-14 * exact)


def test_underflow_is_gradual_and_never_nan():
    values = Sobolev(1.0, 1).gram(np.zeros(1), np.linspace(700.0, 800.0, 20000))[0]
    assert np.all(np.diff(values) <= 0.0)
    assert values[-1] == 0.0
    assert Sobolev(3.3, 1)(0.0, 1e300) == 0.0


@pytest.mark.parametrize(("n", "s"), [(1, 1.0), (2, 1.5), (3, 2.0), (1, 0.51), (2, 7.3), (3, 1.5 + 1e-9)])
def test_diagonal(n, s):
    """Theory 2.2: K_s(0) = Γ(s - n/2) / ((4π)^{n/2} Γ(s))."""
    exact = mpmath.gamma(mpmath.mpf(s) - mpmath.mpf(n) / 2) / (
        (4 * mpmath.pi) ** (mpmath.mpf(n) / 2) * mpmath.gamma(s)
    )
    origin = np.zeros((1, n))
    assert (
        abs(
            float(Sobolev(s, n)(origin, origin)[0] if n == 1 else Sobolev(s, n)(origin[0], origin[0])) / exact
            - 1
        )
        < 1e-14
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_exponential_kernel(n):
    """Theory 2.3: for s = (n+1)/2 the kernel is a multiple of exp(-r)."""
    r = np.linspace(0.0, 30.0, 50)
    points = np.zeros((50, n))
    points[:, -1] = r
    k = Sobolev((n + 1) / 2, n, length_scale=2.0)
    values = k(points, np.zeros((1, n)))
    np.testing.assert_allclose(values / values[0], np.exp(-r / 2.0), rtol=1e-14)


def test_length_scale_and_matern_normalisation():
    x = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_allclose(Sobolev(1.7, 1, 0.3).gram(x), Sobolev(1.7, 1).gram(x / 0.3) / 0.3, rtol=1e-13)
    sobolev, matern = Sobolev(2.4, 1, 0.5 / np.sqrt(2 * 1.9)), Matern(1.9, 0.5)
    np.testing.assert_allclose(matern.gram(x), sobolev.gram(x) / sobolev(0.0, 0.0), rtol=1e-13)
    # ν -> ∞ is the Gaussian; the difference is O(1/ν).
    gaps = [np.abs(Matern(nu).gram(x) - Gaussian().gram(x)).max() for nu in (50.0, 100.0, 200.0)]
    assert gaps[0] / gaps[1] == pytest.approx(2.0, abs=0.1)
    assert gaps[1] / gaps[2] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives_against_mpmath(n):
    """Every partial derivative below the smoothness, scaled by a bound of that derivative at r."""
    rng = np.random.default_rng(n)
    for _ in range(12):
        s = n / 2 + rng.uniform(1.1, 6.0)
        order = int(rng.integers(1, min(4, np.ceil(2 * s - n) - 1) + 1))
        alpha = np.bincount(rng.integers(0, n, order), minlength=n)
        direction = rng.standard_normal(n)
        r = 10.0 ** rng.uniform(-3, 1.5)
        x = r * direction / np.linalg.norm(direction)
        k = Sobolev(s, n)
        value = k.derivative(tuple(alpha))(x.reshape(1, n), np.zeros((1, n)))[0]
        exact = mpmath.diff(
            lambda *y, s=s: sobolev_by_mpmath(s, n, mpmath.sqrt(sum(t * t for t in y))),
            tuple(map(mpmath.mpf, x)),
            tuple(map(int, alpha)),
        )
        bound = k.amplitude * sum(abs(t) for t in matern_line_derivative_terms(k.nu, order, np.array([r])))[0]
        # Rounding of r itself costs r units of rounding.
        assert abs(value - float(exact)) < (BAR + r * 2e-16) * bound, (s, alpha, r)


def test_derivatives_on_the_diagonal():
    """Even derivatives at r = 0 from the series; odd ones vanish; no 0·∞ for any real order."""
    # h_ν = 1 - z²/(4(ν-1)) + ...: -k''(0) = amplitude / (2(ν-1)).
    k = Sobolev(3.7, 1)
    assert k.derivative(1, 1)(0.2, 0.2) == pytest.approx(k.amplitude / (2 * (k.nu - 1)), rel=1e-14)
    for s in (1.6, 2.0, 2.5, 3.0, 3.25, 4.5):
        for order in range(1, int(np.ceil(2 * s - 1))):
            at_zero, nearby = Sobolev(s, 1).derivative(order)([0.0, 1e-200], [0.0, 0.0])
            assert np.isfinite(at_zero)
            assert at_zero == pytest.approx(nearby, abs=1e-60)
            assert order % 2 == 0 or at_zero == 0.0


def test_sobolev_derivative_lowers_the_order():
    """(1 - d²/dx²) K_s = K_{s-1} on the line, and the recursion K_s' = -r K_{s-1} / (2(s-1))."""
    r = np.concatenate([10.0 ** np.linspace(-8, 0, 9), np.linspace(1.5, 20, 9)])
    for s in (2.2, 3.0, 4.9):
        k, lower = Sobolev(s, 1), Sobolev(s - 1, 1)
        second = k.derivative(2)(r, 0.0)
        np.testing.assert_allclose(k(r, 0.0) - second, lower(r, 0.0), rtol=1e-13)
        np.testing.assert_allclose(k.derivative(1)(r, 0.0), -r * lower(r, 0.0) / (2 * (s - 1)), rtol=1e-13)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.6, 6.0), st.integers(0, 3), st.integers(0, 3))
def test_derivatives_compose_and_are_antisymmetric(s, a, b):
    k = Sobolev(s, 1)
    if a + b >= 2 * s - 1:
        with pytest.raises(FuncgradError, match=r"continuous only below order"):
            k.derivative(a, b)
        return
    x, y = np.array([0.3, 1.0, -2.0]), np.array([0.1, 1.0, 2.5])
    composed = k.derivative(a, 0).derivative(0, b)(x, y)
    np.testing.assert_array_equal(composed, k.derivative(a, b)(x, y))
    np.testing.assert_allclose(k.derivative(a, b)(x, y), k.derivative(b, a)(y, x), rtol=1e-14)


def test_smoothness_is_in_the_message():
    with pytest.raises(FuncgradError, match=r"order 2 .*below order 1\.5"):
        Sobolev(1.25, 1).derivative(1, 1)
    with pytest.raises(FuncgradError, match=r"below order 1;"):
        Matern(0.5).derivative(1)


def test_gaussian_and_radial_derivatives_match_closed_forms():
    x = np.array([0.0, 0.4, -1.3, 2.0])
    g = np.exp(-x * x / (2 * 0.49))
    k = Gaussian(0.7)
    np.testing.assert_allclose(k.derivative(1)(x, 0.0), -x / 0.49 * g, rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(
        k.derivative(2, 1)(x, 0.0), (x**3 / 0.49**3 - 3 * x / 0.49**2) * g, rtol=1e-13, atol=1e-300
    )
    own = Radial(lambda r: 1 / (1 + r**2), [lambda r: -2 / (1 + r**2) ** 2, lambda r: 8 / (1 + r**2) ** 3])
    np.testing.assert_allclose(own.derivative(1, 1)(x, 0.0), (2 - 6 * x**2) / (1 + x**2) ** 3, rtol=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sobolev(0.5, 1), r"`s` must be above dimension/2 = 0.5"),
        (lambda: Sobolev(np.nan, 1), r"`s` must be finite"),
        (lambda: Sobolev(2.0, 0), r"`dimension` must be at least 1"),
        (lambda: Sobolev(2.0, 1, -1.0), r"`length_scale` must be positive"),
        (lambda: Matern(0.0), r"`nu` must be positive"),
        (lambda: Matern(1.0)([0.0, 1.0], [0.0, 1.0, 2.0]), r"For all pairs use `gram`"),
        (lambda: Matern(1.0).gram([np.inf]), r"`X` must be finite"),
        (lambda: Matern(1.0).gram([[0.0, 1.0]], [[0.0]]), r"as many coordinates; got 2 and 1"),
        (lambda: Matern(1.0).gram([1j]), r"`X` must be real"),
        (lambda: Matern(1.0).matvec([0.0], [0.0, 1.0], [1.0]), r"`v` must have shape \(2,\)"),
        (lambda: Sobolev(2.0, 2).derivative(1), r"`alpha` must hold 2 order"),
        (lambda: Radial(lambda r: 1.0)(0.0, 1.0), r"`function` must return an array"),
        (lambda: Radial(lambda r: r / 0.0 if np.any(r) else r * np.nan)(0.0, 0.0), r"must be finite"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
