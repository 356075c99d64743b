"""Derivatives of kernels of the angle: arc-cosine and Sobolev kernels on the sphere."""

from itertools import product
from math import pi

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.kernels import ArcCosine, Evaluations, ReLUTangent, SphereSobolev, functional_gram
from funcgrad.kernels.sphere import _SphereSeries
from funcgrad.kernels.theta import trapezoidal_step

ULP = np.finfo(float).eps
SPHERE = fg.Sphere()


def unit_vectors(count, seed=0):
    x = np.random.default_rng(seed).standard_normal((count, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def multi_indices(n, total):
    return [orders for orders in product(range(total + 1), repeat=2 * n) if sum(orders) == total]


# ---- the arc-cosine kernel ----


def arc_cosine_formula(n):
    x, y = sympy.symbols(f"x:{n}"), sympy.symbols(f"y:{n}")
    size = sympy.sqrt(sum(a * a for a in x)) * sympy.sqrt(sum(b * b for b in y))
    t = sum(a * b for a, b in zip(x, y, strict=True)) / size
    return x + y, size * (sympy.sqrt(1 - t * t) + (sympy.pi - sympy.acos(t)) * t) / sympy.pi


@pytest.mark.parametrize("total", [1, 2])
def test_arc_cosine_derivatives_against_sympy_at_50_digits(total):
    """All of them in the plane, from nearly parallel to nearly opposite points."""
    names, formula = arc_cosine_formula(2)
    angles = np.array([1e-9, 1e-4, 0.3, 1.5, 1.7, 3.0, pi - 1e-5, pi - 1e-9])
    x = np.stack([np.cos(0.3 + 0 * angles), np.sin(0.3 + 0 * angles)], axis=1)
    y = 1.7 * np.stack([np.cos(0.3 + angles), np.sin(0.3 + angles)], axis=1)
    for orders in multi_indices(2, total):
        pairs = [(name, order) for name, order in zip(names, orders, strict=True) if order]
        exact = sympy.lambdify(names, sympy.diff(formula, *pairs), "mpmath")
        with mpmath.workdps(50):
            expected = [
                float(mpmath.re(exact(*map(mpmath.mpf, a), *map(mpmath.mpf, b))))
                for a, b in zip(x, y, strict=True)
            ]
        values = ArcCosine(1).derivative(orders[:2], orders[2:])(x, y)
        np.testing.assert_allclose(values, expected, rtol=0, atol=20 * ULP)


def test_arc_cosine_derivatives_of_one_variable():
    """On the line the kernel is 2 E[relu(w x) relu(w y)] = xy for one sign, 0 for two."""
    x, y = np.array([2.0, -2.0, 2.0]), np.array([3.0, -0.5, -1.0])
    k, same = ArcCosine(1), np.array([1.0, 1.0, 0.0])
    assert np.array_equal(k.derivative(1)(x, y), same * y)
    assert np.array_equal(k.derivative(0, 1)(x, y), same * x)
    assert np.array_equal(k.derivative(1, 1)(x, y), same)
    assert np.array_equal(k.derivative(2)(x, y), 0 * same)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(-14, 0))
def test_eulers_identity(seed, n, log_gap):
    """k is homogeneous of degree 1 in each argument: Σ x_i ∂_i k = k and Σ x_i ∂_i ∂_{y_j} k = ∂_{y_j} k."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, n))
    y = rng.choice([-1.0, 1.0]) * x + 10.0**log_gap * rng.standard_normal((1, n))
    k, axes = ArcCosine(1), np.eye(n, dtype=int)
    size = np.linalg.norm(x) * np.linalg.norm(y)
    total = sum(x[:, i] * k.derivative(tuple(axes[i]))(x, y) for i in range(n))
    assert abs(total - k(x, y)) < 10 * n * ULP * size
    none = (0,) * n
    for j in range(n):
        slope = k.derivative(none, tuple(axes[j]))
        total = sum(x[:, i] * slope.derivative(tuple(axes[i]), none)(x, y) for i in range(n))
        assert abs(total - slope(x, y)) < 20 * n * ULP * np.linalg.norm(x)


def test_central_differences_have_order_two():
    x, y = np.random.default_rng(3).uniform(-1, 1, (2, 4, 3))
    h_x, h_y = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    k = ArcCosine(1)
    exact = k.derivative((1, 0, 0), (0, 0, 1))(x, y)
    errors = []
    for h in (2e-2, 1e-2, 5e-3):
        difference = sum(i * j * k(x + i * h * h_x, y + j * h * h_y) for i in (1, -1) for j in (1, -1)) / (
            4 * h * h
        )
        errors.append(np.abs(difference - exact).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


def test_arc_cosine_derivatives_are_gaussian_expectations():
    """∂_x ∂_y k = 2 E[step(w·x) step(w·y) w wᵀ]: a Gram matrix of directions, unit on the diagonal."""
    x, k = np.array([[0.3, 0.4]]), ArcCosine(1)
    diagonal = [
        k.derivative(a, b)(x, 2 * x)[0] for a, b in [((1, 0), (1, 0)), ((1, 0), (0, 1)), ((0, 1), (0, 1))]
    ]
    np.testing.assert_allclose(diagonal, [1.0, 0.0, 1.0], atol=2 * ULP)


# ---- the sphere ----

ORDERS = [
    ((1, 0, 0), (0, 0, 0)),
    ((1, 0, 0), (0, 1, 0)),
    ((0, 2, 0), (0, 0, 0)),
    ((1, 1, 0), (0, 0, 2)),
    ((2, 1, 0), (1, 0, 1)),
]


@pytest.mark.parametrize(("s", "scale", "degree"), [(8.0, 1.0, 120), (9.0, 0.3, 200)])
def test_sphere_derivatives_are_those_of_the_spherical_harmonics(s, scale, degree):
    """Σ (1+ℓ²l(l+1))^{-s} ∂^α Y_lm(x) ∂^β Y_lm(y), the function layer's derivatives, also at close points."""
    x, y = unit_vectors(6), unit_vectors(6, 1)
    y[0], y[1], y[2] = x[0], x[1] + 1e-7 * y[1], -x[2] + 1e-6 * y[2]
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    count, k = (degree + 1) ** 2, SphereSobolev(s, scale)
    rates = (1 + scale**2 * SPHERE.laplacian_spectrum(count)) ** -s
    for alpha, beta in ORDERS:
        first, second = (SPHERE.eigenfunctions(count, p, a) for p, a in ((x, alpha), (y, beta)))
        bound = np.sqrt((first**2 @ rates) * (second**2 @ rates))
        error = np.abs(k.derivative(alpha, beta)(x, y) - (first * second) @ rates)
        assert np.all(error < 5e-14 * bound), (alpha, beta)


def coefficients_of(section, x, degree):
    """L2 coefficients of a function of y on the sphere by polar coordinates about x, w = t^8."""
    t, weights = np.polynomial.legendre.leggauss(300)
    t, weights = (t + 1) / 2, weights / 2
    w, weights = t**8, weights * 8 * t**7
    angles = 2 * pi * np.arange(24) / 24
    first = np.cross(x, np.eye(3)[np.argmin(np.abs(x))])
    first /= np.linalg.norm(first)
    around = np.outer(np.cos(angles), first) + np.outer(np.sin(angles), np.cross(x, first))
    y = (1 - 2 * w)[:, None, None] * x + (2 * np.sqrt(w * (1 - w)))[:, None, None] * around
    values = section(y.reshape(-1, 3)) * np.repeat(2 * weights * 2 * pi / 24, 24)
    return values @ SPHERE.eigenfunctions((degree + 1) ** 2, y.reshape(-1, 3))


@pytest.mark.parametrize(
    ("s", "scale", "alpha"),
    [
        (1.6, 0.7, (1, 0, 0)),
        (2.1, 1.0, (1, 1, 0)),
        (2.1, 0.2, (0, 0, 2)),
        (2.6, 0.6, (1, 0, 2)),
        (3.0, 0.5, (1, 1, 1)),
    ],
)
def test_sphere_derivatives_represent_derivative_evaluations(s, scale, alpha):
    """Theory 2.7: <∂_x^α k(x, .), Y>_s = ∂^α Y(x) for harmonics, also for rough kernels."""
    x, degree = unit_vectors(1, 5)[0], 4
    section = lambda y: SphereSobolev(s, scale).derivative(alpha).gram(x[None], y)[0]  # noqa: E731
    symbol = (1 + scale**2 * SPHERE.laplacian_spectrum((degree + 1) ** 2)) ** s
    exact = SPHERE.eigenfunctions((degree + 1) ** 2, x[None], alpha)[0]
    np.testing.assert_allclose(coefficients_of(section, x, degree) * symbol, exact, atol=1e-11 * symbol.max())


@pytest.mark.parametrize(("s", "total"), [(1.6, 1), (2.1, 2), (3.3, 4), (4.9, 3)])
def test_sphere_profiles_whose_terms_are_powers(s, total):
    """ℓ = 2 leaves one integral; r^i g^(j) at 30 digits, from r = 1e-12 to almost opposite points."""
    series = _SphereSeries(s, 2.0, total)
    r = np.array([1e-12, 1e-6, 1e-3, 0.05, 0.3, 1.0, 1.7])
    for order in range(total + 1):
        for power in range(max(0, 2 * order - total), order + 1):
            exact = [power_profile(s, order, power, t) for t in r]
            values = series.derivative(order, power, r)
            np.testing.assert_allclose(values, exact, rtol=0, atol=2e-14 * np.abs(exact).max())


def power_profile(s, order, power, r):
    with mpmath.workdps(30):
        p, r, step = 2 * mpmath.mpf(s) - 1, mpmath.mpf(r), mpmath.mpf("0.1")
        first, last = int((mpmath.log(r) - 60 / p) / step) - 1, int(mpmath.log(200) / step) + 1
        nodes = [mpmath.exp(step * i) for i in range(first, last)]
        terms = [t**p * (4 * mpmath.sinh(t / 2) ** 2 + r * r) ** (-order - mpmath.mpf(1) / 2) for t in nodes]
        constant = (-2) ** order * r**power * mpmath.fac2(2 * order - 1) * 2 * mpmath.mpf(4) ** -s
        return float(constant * step * mpmath.fsum(terms) / mpmath.gamma(p) / (4 * mpmath.pi))


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1), st.floats(2.05, 5.0), st.floats(0.4, 3.0))
def test_sphere_derivatives_vanish_along_rays_and_are_symmetric(seed, s, scale):
    """Σ x_i ∂_i k = 0, Σ x_i ∂_i ∂_{y_j} k = 0, ∂_x^α ∂_y^β k(x, y) = ∂_x^β ∂_y^α k(y, x)."""
    rng = np.random.default_rng(seed)
    x = unit_vectors(8, seed)
    y = rng.choice([-1.0, 1.0], (8, 1)) * x + 10.0 ** rng.uniform(-14, 0, (8, 1)) * unit_vectors(8, seed + 1)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    k, axes, none = SphereSobolev(s, scale), [tuple(a) for a in np.eye(3, dtype=int)], (0, 0, 0)
    slope = k.derivative(none, axes[1])
    size = k.derivative(axes[0], axes[0]).gram([[0.0, 0.0, 1.0]])[0, 0]
    along_ray = sum(x[:, i] * k.derivative(axes[i])(x, y) for i in range(3))
    assert np.all(np.abs(along_ray) < 1e-14 * np.sqrt(size * k.gram(x[:1])[0, 0]))
    along_ray = sum(x[:, i] * slope.derivative(axes[i], none)(x, y) for i in range(3))
    assert np.all(np.abs(along_ray) < 2e-14 * size)
    mixed = k.derivative(axes[0], axes[2])(x, y)
    np.testing.assert_allclose(mixed, k.derivative(axes[2], axes[0])(y, x), rtol=0, atol=1e-14 * size)
    assert np.array_equal(mixed, k.derivative(axes[0]).derivative(none, axes[2])(x, y))


def test_mixed_functionals_on_the_sphere():
    """Values, slopes and an integral: a Gram matrix, and least-norm data met by the interpolant."""
    k, x = SphereSobolev(3.2, 0.7), unit_vectors(5)
    grid = SPHERE.grid(12)
    functionals = [
        Evaluations(x),
        Evaluations(x[:2], (1, 0, 0)),
        Evaluations(x[:2], (0, 0, 2)),
        Evaluations(grid.nodes, weights=grid.weights),
    ]
    G = functional_gram(k, functionals)
    np.testing.assert_allclose(G, G.T, atol=1e-14 * np.abs(G).max())
    eigenvalues = np.linalg.eigvalsh(G)
    assert eigenvalues[0] > 0
    # (1 - ℓ²Δ)^s 1 = 1, so ∫ k(x, .) = 1, up to the rule's error: the grid's degree 23 sees l <= 23 only.
    np.testing.assert_allclose(G[:5, -1], 1.0, atol=12 * 24 ** (2 - 2 * 3.2) * 0.7 ** (-2 * 3.2))
    data = np.arange(10.0)
    coefficients = np.linalg.solve(G, data)
    met = functional_gram(k, functionals, functionals) @ coefficients
    np.testing.assert_allclose(met, data, atol=10 * ULP * np.linalg.cond(G) * 9)
    # The slope seen by differences of the interpolant along the sphere.
    fit = lambda p: functional_gram(k, Evaluations(p), functionals) @ coefficients  # noqa: E731
    steps = x[0] + 1e-4 * np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    plus, minus = fit(steps / np.linalg.norm(steps, axis=1, keepdims=True))
    assert (plus - minus) / 2e-4 == pytest.approx(data[5], abs=1e-4)


def test_mixed_functionals_of_the_arc_cosine_kernel():
    x = np.random.default_rng(0).uniform(-1, 1, (6, 2))
    G = functional_gram(ArcCosine(1), [Evaluations(x), Evaluations(x, (1, 0)), Evaluations(x, (0, 1))])
    np.testing.assert_allclose(G, G.T, atol=4 * ULP)
    assert np.linalg.eigvalsh(G)[0] > -18 * ULP * np.linalg.norm(G, 2)
    # Euler: k(x_i, .) = Σ_k x_ik ∂_k k(x_i, .), so values are combinations of slopes.
    combined = x[:, :1] * G[6:12] + x[:, 1:] * G[12:]
    np.testing.assert_allclose(combined, G[:6], atol=10 * ULP)


def test_dual_norms_of_derivatives_on_the_sphere():
    c = fg.PointEvaluation([0.6, 0.0, 0.8], derivative=(0, 1, 0))
    squared = SphereSobolev(2.5).derivative((0, 1, 0), (0, 1, 0))([0.6, 0.0, 0.8], [0.6, 0.0, 0.8])
    # Each of two tangential slopes has Σ (2l+1)/(4π) l(l+1)/2 (1 + l(l+1))^{-s}.
    exact = mpmath.nsum(
        lambda l: (2 * l + 1) * l * (l + 1) / (8 * mpmath.pi) * (1 + l * (l + 1)) ** -2.5, [1, mpmath.inf]
    )
    assert squared == pytest.approx(float(exact), rel=1e-10)
    for metric in (fg.RKHS(SphereSobolev(2.5)), fg.Sobolev(2.5)):
        assert metric.dual_norm(c, SPHERE) == pytest.approx(np.sqrt(squared), rel=1e-14)
    assert fg.RKHS(SphereSobolev(2.0)).dual_norm(c, SPHERE) == np.inf


# ---- where derivatives end ----


@pytest.mark.parametrize(
    ("kernel", "alpha", "beta", "smoothness"),
    [
        (ArcCosine(0), (1, 0), (0, 0), "1"),
        (ArcCosine(1), (1, 1), (1, 0), "3"),
        (ReLUTangent(1), (0, 1), (0, 0), "1"),
        (ReLUTangent(4), (0, 0), (1, 0), "1"),
        (SphereSobolev(2.0), (1, 0, 0), (0, 1, 0), "2"),
        (SphereSobolev(1.3), (1, 0, 0), (0, 0, 0), "0.6"),
    ],
    ids=repr,
)
def test_past_the_smoothness(kernel, alpha, beta, smoothness):
    with pytest.raises(FuncgradError, match=f"continuous only below order {smoothness};"):
        kernel.derivative(alpha, beta)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_smoothness_of_the_network_kernels(depth):
    """Drops from parallel points: |h| for the tangent kernel and order 0, |h| in ∂_x ∂_y for order 1."""
    h = np.array([1e-3, 1e-4])
    y = np.stack([np.cos(h), np.sin(h)], axis=1)
    one = [[1.0, 0.0]]
    for kernel, power in ((ReLUTangent(depth), 1), (ArcCosine(0), 1)):
        drops = kernel(one, one)[0] - kernel(one, y)
        assert np.log10(drops[0] / drops[1]) == pytest.approx(power, abs=0.01)
    # κ_1 = 1 - γ²/2 + γ³/(3π): the second derivative falls off like |γ|.
    second = ArcCosine(1).derivative((0, 1), (0, 1))
    drops = second(one, one)[0] - second(one, y)
    assert np.log10(drops[0] / drops[1]) == pytest.approx(1.0, abs=0.01)


def test_bad_input():
    with pytest.raises(InvalidInput, match="does not exist at the origin"):
        ArcCosine(1).derivative((1, 0)).gram([[0.0, 0.0]], [[1.0, 0.0]])
    assert ArcCosine(1).derivative((1, 0))([1.0, 0.0], [0.0, 0.0]) == 0.0
    with pytest.raises(InvalidInput, match=r"`alpha` must hold 3 order"):
        SphereSobolev(3.0).derivative((1, 0))
    with pytest.raises(InvalidInput, match=r"points of shape \(N, 2\)"):
        ArcCosine(1).derivative((1, 0)).gram([[1.0, 2.0, 3.0]])
    with pytest.raises(FuncgradError, match="unit vectors"):
        SphereSobolev(3.0).derivative((1, 0, 0)).gram([[2.0, 0.0, 0.0]])


def test_trapezoidal_step_meets_its_tolerance():
    """∫ e^{qu - e^u} du = Γ(q), whose integrand grows like (cos Im u)^{-q}: the bound is met and not idle."""
    for q in (0.7, 3.0, 12.5, 40.0):
        for tolerance in (1e-4, 1e-8):
            step = trapezoidal_step(q, tolerance)
            error = max(trapezoidal_error(q, step, shift) for shift in (0.0, 0.3, 0.6))
            assert error < tolerance
            assert max(trapezoidal_error(q, 2 * step, shift) for shift in (0.0, 0.3, 0.6)) > tolerance


def trapezoidal_error(q, step, shift):
    u = step * (shift + np.arange(-int(40 / q / step), int(6.5 / step)))
    total = step * np.sum(np.exp(q * u - np.exp(u) - float(mpmath.loggamma(q))))
    return abs(total - 1)
