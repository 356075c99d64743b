"""Exactness, symmetry, convergence and refusals of the quadrature rules."""

from fractions import Fraction

import flint
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import ConvergenceError, InvalidInput
from funcgrad.spaces import quadrature
from funcgrad.spaces.quadrature import RULES, rule_named

ULP = 2.0**-52
LEAST = {"trapezoid": 2, "gauss-lobatto": 2, "clenshaw-curtis": 2, "simpson": 3}
ALGEBRAIC = sorted(set(RULES) - {"periodic-trapezoid"})


def some_size(name, n):
    """The size nearest to n that the rule takes."""
    n = max(n, LEAST.get(name, 1))
    return n + 1 - n % 2 if name == "simpson" else n


def legendre_defect(nodes, weights, degree):
    """Σ w P_d(x) in ball arithmetic, which is ∫ P_d = 0 if the rule is exact; and the rounding it may show.

    With w and x right to 4 ulp the sum is off by at most 4 ulp of Σ w (|P_d| + |x P_d'|).
    """
    flint.ctx.prec = 100 + 3 * degree
    defect, rounding = arb(0), arb(0)
    for x, w in zip(nodes, weights, strict=True):
        x, w = arb(float(x)), arb(float(w))
        value = x.legendre_p(degree)
        slope = (degree + 1) / arb(2) * x.jacobi_p(degree - 1, 1, 1)
        defect += w * value
        rounding += w * (abs(value) + abs(x * slope))
    return abs(float(defect)), 4 * ULP * float(rounding)


@pytest.mark.parametrize("name", ALGEBRAIC)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13, 40, 51, 60])
def test_degree_of_exactness_is_sharp(name, n):
    """Legendre polynomials are integrated exactly up to the stated degree and not at the next one."""
    n = some_size(name, n)
    nodes, weights = rule_named(name).function(n)
    degree = rule_named(name).degree(n)
    for d in {1, 2, degree - 1, degree} & set(range(1, degree + 1)):
        defect, rounding = legendre_defect(nodes, weights, d)
        assert defect <= rounding
    defect, rounding = legendre_defect(nodes, weights, degree + 1)
    assert defect > 1e4 * rounding


@pytest.mark.parametrize("n", [1, 2, 3, 8, 33, 200])
def test_periodic_trapezoid_is_exact_for_trigonometric_degree_below_n(n):
    x, w = quadrature.periodic_trapezoid(n)
    for m in range(1, RULES["periodic-trapezoid"].degree(n) + 1):
        # Phases π m x are off by at most 3 ulp of π m, and the sum of the weights is 2.
        assert abs(w @ np.exp(1j * np.pi * m * x)) <= 2 * 3 * ULP * np.pi * m
    assert abs(w @ np.exp(1j * np.pi * n * x)) == pytest.approx(2)


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, -0.5), (-0.9, 2.3), (3, 0)])
@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_gauss_jacobi_is_exact_for_degree_2n_minus_1_only(alpha, beta, n):
    """Jacobi polynomials have integral zero against the density."""
    flint.ctx.prec = 300
    nodes, weights = quadrature.gauss_jacobi(n, alpha, beta)

    def defect(degree):
        values = [arb(float(x)).jacobi_p(degree, alpha, beta) for x in nodes]
        slopes = [
            arb(degree + alpha + beta + 1) / 2 * arb(float(x)).jacobi_p(degree - 1, alpha + 1, beta + 1)
            for x in nodes
        ]
        terms = [arb(float(w)) * v for w, v in zip(weights, values, strict=True)]
        sizes = [
            w * (abs(float(v)) + abs(x * float(s)))
            for w, v, x, s in zip(weights, values, nodes, slopes, strict=True)
        ]
        return abs(float(sum(terms, arb(0)))), 4 * ULP * sum(sizes)

    for degree in {1, n, 2 * n - 1}:
        value, rounding = defect(degree)
        assert value <= rounding
    value, rounding = defect(2 * n)
    assert value > 1e6 * rounding


def hermite_defect(nodes, weights, degree, lebesgue):
    """Σ w H_d(x), times exp(-x²) in the Lebesgue rule, and the rounding it may show, in ball arithmetic."""
    flint.ctx.prec = 300
    total, size = arb(0), arb(0)
    for x, w in zip(nodes, weights, strict=True):
        x, w = arb(float(x)), arb(float(w))
        value, slope = x.hermite_h(degree), 2 * degree * x.hermite_h(degree - 1)
        if lebesgue:
            w *= (-x * x).exp()
            slope -= 2 * x * value
        total += w * value
        size += w * (abs(value) + abs(x * slope))
    return abs(float(total)), 4 * ULP * float(size)


@pytest.mark.parametrize("lebesgue", [False, True])
@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_gauss_hermite_is_exact_for_degree_2n_minus_1_only(n, lebesgue):
    """Hermite polynomials have integral zero against exp(-x²)."""
    rule = quadrature.gauss_hermite_lebesgue if lebesgue else quadrature.gauss_hermite
    for degree in {1, n, 2 * n - 1}:
        defect, rounding = hermite_defect(*rule(n), degree, lebesgue)
        assert defect <= rounding
    defect, rounding = hermite_defect(*rule(n), 2 * n, lebesgue)
    assert defect > 1e4 * rounding


@settings(deadline=None)
@given(name=st.sampled_from(sorted(RULES)), n=st.integers(1, 400))
def test_rules_are_positive_increasing_symmetric_and_of_total_two(name, n):
    n = some_size(name, n)
    nodes, weights = rule_named(name).function(n)
    assert nodes.shape == weights.shape == (n,)
    assert nodes.dtype == weights.dtype == np.float64
    assert (weights > 0).all()
    assert (np.diff(nodes) > 0).all()
    assert nodes[0] >= -1
    assert nodes[-1] <= 1
    assert abs(float(sum(map(Fraction, weights.tolist()))) - 2) <= 2 * 4 * ULP
    if name == "periodic-trapezoid":
        np.testing.assert_array_equal(nodes[1:], -nodes[:0:-1])
    else:
        np.testing.assert_array_equal(nodes, -nodes[::-1])
    np.testing.assert_array_equal(weights, weights[::-1])


@settings(max_examples=50, deadline=None)
@given(data=st.data(), name=st.sampled_from(ALGEBRAIC), n=st.integers(1, 12))
def test_polynomials_of_admissible_degree_are_integrated_exactly(data, name, n):
    n = some_size(name, n)
    degree = rule_named(name).degree(n)
    coefficients = data.draw(st.lists(st.integers(-9, 9), min_size=1, max_size=degree + 1))
    nodes, weights = (list(map(Fraction, array.tolist())) for array in rule_named(name).function(n))
    approximate = sum(
        w * c * x**j for x, w in zip(nodes, weights, strict=True) for j, c in enumerate(coefficients)
    )
    exact = sum(Fraction(2 * c, j + 1) for j, c in enumerate(coefficients) if j % 2 == 0)
    # 4 ulp on w and on x: the monomial w x^j is off by at most 4 (j + 1) ulp, to first order.
    size = sum(
        w * abs(c * x**j) * (j + 1)
        for x, w in zip(nodes, weights, strict=True)
        for j, c in enumerate(coefficients)
    )
    assert abs(approximate - exact) <= Fraction(4.001 * ULP) * size


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 60), alpha=st.floats(-0.99, 20), beta=st.floats(-0.99, 20))
def test_gauss_jacobi_reflects_and_is_positive(n, alpha, beta):
    """x -> -x exchanges the exponents."""
    x, w = quadrature.gauss_jacobi(n, alpha, beta)
    y, v = quadrature.gauss_jacobi(n, beta, alpha)
    assert (w > 0).all()
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(v[::-1], w, rtol=8 * ULP, atol=0)
    np.testing.assert_allclose(-y[::-1], x, rtol=8 * ULP, atol=1e-28)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 300))
def test_gauss_hermite_is_symmetric_with_total_root_pi(n):
    x, w = quadrature.gauss_hermite(n)
    np.testing.assert_array_equal(x, -x[::-1])
    np.testing.assert_array_equal(w, w[::-1])
    assert (w > 0).all()
    assert w.sum() == pytest.approx(np.sqrt(np.pi), rel=4 * ULP + n * ULP)


def observed_orders(name, sizes):
    """Local orders of |Q_n exp - ∫ exp| in 1/(n-1)."""
    errors = []
    for n in sizes:
        x, w = rule_named(name).function(n)
        errors.append(abs(np.exp(x) @ w - 2 * np.sinh(1)))
    sizes = np.array(sizes) if name == "midpoint" else np.array(sizes) - 1
    return -np.diff(np.log(errors)) / np.diff(np.log(sizes))


@pytest.mark.parametrize(("name", "order"), [("midpoint", 2), ("trapezoid", 2), ("simpson", 4)])
def test_order_of_the_composite_rules(name, order):
    assert abs(observed_orders(name, [9, 17, 33, 65, 129, 257]) - order).max() < 0.05


def runge_rates(function, sizes):
    """Rate of decay of the error for 1/(1+25x²), in units of the ln ρ of its Bernstein ellipse."""
    log_rho = np.log((1 + np.sqrt(26)) / 5)
    errors = []
    for n in sizes:
        x, w = function(n)
        errors.append(abs(w @ (1 / (1 + 25 * x**2)) - 0.4 * np.arctan(5)))
    return -np.diff(np.log(errors)) / np.diff(sizes) / log_rho


def test_gauss_legendre_converges_as_rho_to_minus_2n():
    assert abs(runge_rates(quadrature.gauss_legendre, range(13, 74, 4)) - 2).max() < 0.01


def test_clenshaw_curtis_converges_as_rho_to_minus_2n_then_as_rho_to_minus_n():
    """The kink phenomenon of Weideman and Trefethen, Numer. Math. 107 (2007)."""
    assert abs(runge_rates(quadrature.clenshaw_curtis, range(9, 34, 4)) - 2).max() < 0.05
    late = runge_rates(quadrature.clenshaw_curtis, range(85, 102, 4))
    assert (late > 1).all()
    assert (late < 1.25).all()


def test_periodic_trapezoid_error_is_geometric():
    """1/(5/4 - cos πx) has integral 8/3 and aliasing error (16/3) q/(1 - q), q = (-1/2)^n."""
    for n in range(1, 40):
        x, w = quadrature.periodic_trapezoid(n)
        error = w @ (1 / (1.25 - np.cos(np.pi * x))) - 8 / 3
        expected = (16 / 3) * (-0.5) ** n / (1 - (-0.5) ** n)
        assert abs(error - expected) <= 1e-14


def test_gaussian_density_from_gauss_hermite():
    """Moments of the standard normal: E x^{2m} = (2m-1)!!."""
    x, w = quadrature.gauss_hermite(10)
    x, w = np.sqrt(2) * x, w / np.sqrt(np.pi)
    moments = [w @ x ** (2 * m) for m in range(10)]
    np.testing.assert_allclose(moments, np.cumprod([1, *range(1, 19, 2)]), rtol=1e-13)


def test_lebesgue_integral_from_gauss_hermite():
    """∫ exp(-x²/2) dx = √(2π), at a size where the Gauss-Hermite weights themselves underflow."""
    x, w = quadrature.gauss_hermite_lebesgue(400)
    assert np.isfinite(w).all()
    assert w @ np.exp(-(x**2) / 2) == pytest.approx(np.sqrt(2 * np.pi), rel=1e-14)


def test_tensor_product_is_the_product_in_c_order():
    rules = [quadrature.simpson(3), quadrature.gauss_legendre(4), quadrature.trapezoid(2)]
    nodes, weights = quadrature.tensor_product(rules)
    assert nodes.shape == (24, 3)
    values = (nodes[:, 0] ** 2 * nodes[:, 1] ** 6 * (1 + nodes[:, 2])).reshape(3, 4, 2)
    assert np.sum(values * weights.reshape(3, 4, 2)) == pytest.approx((2 / 3) * (2 / 7) * 2, rel=1e-14)
    index = 0
    for x, a in zip(*rules[0], strict=True):
        for y, b in zip(*rules[1], strict=True):
            for z, c in zip(*rules[2], strict=True):
                np.testing.assert_array_equal(nodes[index], [x, y, z])
                assert weights[index] == a * b * c
                index += 1


@settings(deadline=None)
@given(
    name=st.sampled_from(sorted(RULES)),
    n=st.integers(1, 40),
    a=st.floats(-1e3, 1e3),
    length=st.floats(1e-3, 1e3),
)
def test_mapped_rules_keep_their_ends_order_and_total(name, n, a, length):
    b = a + length
    nodes, weights = rule_named(name).function(some_size(name, n))
    x, w = quadrature.map_to_interval(nodes, weights, a, b)
    assert (x >= a).all()
    assert (x <= b).all()
    assert (np.diff(x) > 0).all()
    assert (nodes[0] == -1) == (x[0] == a) or nodes[0] > -1
    assert nodes[-1] < 1 or x[-1] == b
    assert w.sum() == pytest.approx(b - a, rel=1e-13)
    # The first moment (b² - a²)/2 of a symmetric rule.
    if name != "periodic-trapezoid":
        assert w @ x == pytest.approx((b + a) * (b - a) / 2, abs=1e-13 * (abs(a) + length) * length)


def test_sobol_points_are_balanced_and_reproducible():
    """Every dyadic interval of length 1/n of every axis holds exactly one point."""
    for n in (1, 2, 64, 1024):
        nodes, weights = quadrature.sobol(n, 3, seed=4)
        assert nodes.shape == (n, 3)
        assert weights.sum() == pytest.approx(8)
        cells = np.floor((nodes + 1) / 2 * n).astype(int)
        np.testing.assert_array_equal(np.sort(cells, axis=0), np.tile(np.arange(n)[:, None], 3))
    np.testing.assert_array_equal(nodes, quadrature.sobol(1024, 3, seed=4)[0])
    np.testing.assert_array_equal(nodes, quadrature.sobol(1024, 3, seed=np.random.default_rng(4))[0])
    assert (nodes != quadrature.sobol(1024, 3, seed=5)[0]).any()


def test_scrambled_sobol_error_falls_nearly_as_n_to_minus_three_halves():
    """Owen: root mean square over scramblings, for a smooth integrand; plain Monte Carlo has order 1/2."""
    powers = np.arange(4, 13)
    errors = []
    for p in powers:
        draws = (quadrature.sobol(2**p, 2, seed) for seed in range(24))
        errors.append(
            np.sqrt(np.mean([(w @ np.exp(x.sum(axis=1)) - 4 * np.sinh(1) ** 2) ** 2 for x, w in draws]))
        )
    order = -np.polyfit(powers, np.log2(errors), 1)[0]
    assert 1.3 < order < 1.7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q: q.gauss_legendre(0), "`n` must be at least 1; got 0"),
        (lambda q: q.gauss_legendre(2.5), "`n` must be a whole number"),
        (lambda q: q.gauss_legendre("3"), "`n` must be a whole number"),
        (lambda q: q.gauss_lobatto(1), "`n` must be at least 2"),
        (lambda q: q.clenshaw_curtis(1), "`n` must be at least 2"),
        (lambda q: q.midpoint(0), "`n` must be at least 1"),
        (lambda q: q.periodic_trapezoid(-1), "`n` must be at least 1"),
        (lambda q: q.trapezoid(1), "`n` must be at least 2"),
        (lambda q: q.simpson(2), "`n` must be at least 3"),
        (lambda q: q.simpson(4), "`n` must be odd.*got 4, take 5"),
        (lambda q: q.gauss_hermite(0), "`n` must be at least 1"),
        (lambda q: q.gauss_hermite_lebesgue(1.0), "`n` must be a whole number"),
        (lambda q: q.gauss_jacobi(0, 0, 0), "`n` must be at least 1"),
        (lambda q: q.gauss_jacobi(3, -1, 0), "`alpha` must be above -1"),
        (lambda q: q.gauss_jacobi(3, 0, -1.5), "`beta` must be above -1"),
        (lambda q: q.gauss_jacobi(3, np.nan, 0), "`alpha` must be finite"),
        (lambda q: q.gauss_jacobi(3, 0, 1j), "`beta` must be real"),
        (lambda q: q.gauss_jacobi(3, 5000, 0), "normal float"),
        (lambda q: q.map_to_interval([0], [2], 1, 1), "`a` must be below `b`"),
        (lambda q: q.map_to_interval([0], [2], 0, np.inf), "`b` must be finite"),
        (lambda q: q.map_to_interval([0, 1], [2], 0, 1), "`nodes` and `weights` must match"),
        (lambda q: q.map_to_interval([np.nan], [2], 0, 1), "`nodes` must be finite"),
        (lambda q: q.tensor_product([]), "at least one rule"),
        (lambda q: q.tensor_product([([0], [2], [3])]), r"`rules\[0\]` must be a pair"),
        (lambda q: q.tensor_product([([[0]], [2])]), "`nodes` must have 1 dimension"),
        (lambda q: q.sobol(100, 2, 0), "`n` must be a power of two.*got 100, take 128"),
        (lambda q: q.sobol(0, 2, 0), "`n` must be at least 1"),
        (lambda q: q.sobol(4, 0, 0), "`dimension` must be at least 1"),
        (lambda q: q.sobol(4, 30_000, 0), "`dimension` must be at most 21201"),
        (lambda q: q.sobol(4, 2, None), "`seed` must be a whole number"),
        (
            lambda q: q.rule_named("gaus-legendre"),
            "unknown rule 'gaus-legendre'; did you mean 'gauss-legendre'",
        ),
        (lambda q: q.rule_named("xyzzy"), "known: .*clenshaw-curtis"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(quadrature)


def test_a_node_merged_with_its_end_is_an_error_and_not_a_wrong_rule():
    with pytest.raises(ConvergenceError, match="Newton's method for 30 nodes"):
        quadrature.gauss_jacobi(30, -1 + 1e-12, 0)
