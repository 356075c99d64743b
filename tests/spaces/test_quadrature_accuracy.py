"""Every node and every weight against ball arithmetic: 4 ulp relative, at every size."""

import flint
import numpy as np
import pytest
from flint import arb
from quadrature_oracles import (
    ULP,
    clenshaw_curtis_oracle,
    hermite_oracle,
    jacobi_oracle,
    legendre_oracle,
    lobatto_oracle,
    some,
    worst_ulp,
)

from funcgrad.spaces import quadrature
from funcgrad.spaces.quadrature import _bessel
from funcgrad.spaces.quadrature import _double_double as dd

BOUND = 4


@pytest.fixture(autouse=True)
def _restore_precision():
    precision = flint.ctx.prec
    yield
    flint.ctx.prec = precision


@pytest.mark.parametrize(
    "sizes", [range(1, 49), range(49, 101), (150, 200, 999, 1000, 10_001, 100_000, 10**6)]
)
def test_gauss_legendre(sizes):
    flint.ctx.prec = 120
    for n in sizes:
        x, w = quadrature.gauss_legendre(n)
        indices = some(n) if n > 100 else np.arange((n + 1) // 2)
        nodes, weights = legendre_oracle(n, indices)
        assert worst_ulp(x[indices], nodes) <= BOUND, n
        assert worst_ulp(w[indices], weights) <= BOUND, n


def test_gauss_lobatto():
    for n in [*range(2, 60), 100, 101, 175, 400]:
        x, w = quadrature.gauss_lobatto(n)
        indices = some(n) if n > 100 else np.arange((n + 1) // 2)
        nodes, weights = lobatto_oracle(n, x[indices])
        assert worst_ulp(x[indices], nodes) <= BOUND, n
        assert worst_ulp(w[indices], weights) <= BOUND, n


def test_large_gauss_lobatto():
    """Beyond 400 nodes the expansion is compared with the recurrence in double-double arithmetic."""
    n = 2000
    x, w = quadrature.gauss_lobatto(n)
    interior, weights = quadrature.gauss_jacobi(n - 2, 1, 1)
    assert abs(x[1:-1] / interior - 1).max() <= 3 * ULP
    middle = slice(n // 4, 3 * n // 4)  # where 1 - x² of a rounded x is right
    assert abs(w[1:-1] * (1 - interior**2) / weights - 1)[middle].max() <= 8 * ULP


@pytest.mark.parametrize("sizes", [range(2, 101), (999, 1000, 10_007, 65_538)])
def test_clenshaw_curtis(sizes):
    for n in sizes:
        x, w = quadrature.clenshaw_curtis(n)
        indices = np.arange((n + 1) // 2) if n <= 100 else some(n)
        indices = indices if n <= 2000 else indices[::4]
        nodes, weights = clenshaw_curtis_oracle(n, indices)
        assert worst_ulp(x[indices], nodes) <= BOUND, n
        assert worst_ulp(w[indices], weights) <= BOUND, n


@pytest.mark.parametrize(
    ("alpha", "beta"),
    [
        (0, 0),
        (0.5, -0.5),
        (-0.5, -0.5),
        (-0.9, 2.3),
        (3.7, 0.2),
        (20, 0.3),
        (1000, -0.3),
        (-0.999, 5),
        (-1 + 1e-6, -0.5),
    ],
)
def test_gauss_jacobi(alpha, beta):
    for n in (1, 2, 3, 4, 9, 24, 77, 200):
        x, w = quadrature.gauss_jacobi(n, alpha, beta)
        indices = some(n)
        nodes, weights = jacobi_oracle(n, alpha, beta, x[indices])
        assert worst_ulp(x[indices], nodes) <= BOUND, n
        assert worst_ulp(w[indices], weights) <= BOUND, n


def test_gauss_jacobi_of_many_nodes():
    """α = 1/2, β = -1/2: nodes cos(2kπ/(2n+1)), weights 4π/(2n+1) sin²(kπ/(2n+1)), at every node."""
    flint.ctx.prec = 120
    n = 2500
    x, w = quadrature.gauss_jacobi(n, 0.5, -0.5)
    k = range(n, 0, -1)
    nodes = [arb.cos_pi_fmpq(flint.fmpq(2 * i, 2 * n + 1)) for i in k]
    weights = [4 * arb.pi() / (2 * n + 1) * arb.sin_pi_fmpq(flint.fmpq(i, 2 * n + 1)) ** 2 for i in k]
    assert worst_ulp(x, nodes) <= BOUND
    assert worst_ulp(w, weights) <= BOUND


@pytest.mark.parametrize("sizes", [range(1, 61), (100, 371, 372, 1000)])
def test_gauss_hermite(sizes):
    for n in sizes:
        x, w = quadrature.gauss_hermite(n)
        same, lebesgue = quadrature.gauss_hermite_lebesgue(n)
        np.testing.assert_array_equal(x, same)
        indices = np.arange((n + 1) // 2) if n <= 100 else some(n)
        nodes, weights = hermite_oracle(n, x[indices])
        assert worst_ulp(x[indices], nodes) <= BOUND, n
        normal = [i for i, weight in enumerate(weights) if weight > 2.3e-308]
        assert worst_ulp(w[indices[normal]], [weights[i] for i in normal]) <= BOUND, n
        plain = [weight * (t * t).exp() for t, weight in zip(nodes, weights, strict=True)]
        assert worst_ulp(lebesgue[indices], plain) <= BOUND, n


def test_gauss_hermite_weights_underflow_where_stated():
    tiny = np.finfo(float).tiny
    assert quadrature.gauss_hermite(370)[1].min() >= tiny > quadrature.gauss_hermite(371)[1].min()
    assert quadrature.gauss_hermite(388)[1].min() > 0 == quadrature.gauss_hermite(389)[1].min()
    x, w = quadrature.gauss_hermite(500)
    _, weights = hermite_oracle(500, x[:40])
    for value, true in zip(w[:40], weights, strict=True):
        assert abs(float(arb(float(value)) - true)) <= max(BOUND * ULP * float(true), 2.0**-1074)


@pytest.mark.parametrize("alpha", [0, 1])
def test_the_angle_solves_the_liouville_green_equation(alpha):
    """θ'² (ν² + λ/sin²θ) + {θ, φ}/2 = ν² + λ/φ², λ = 1/4 - α², up to the first term left out, ν^{-8}."""
    lam = 0.25 - alpha**2
    flint.ctx.prec = 200
    for nu in (50.5, 101.0):
        scale = arb(nu) ** -2
        for phi in (0.3, 0.9, 1.5):
            series = flint.arb_series([arb(phi), 1], prec=5)
            square = series * series
            factor = flint.arb_series([1], prec=5)
            for m, coefficients in enumerate(_bessel._MAP[alpha], start=1):
                g = flint.arb_series([0], prec=5)
                for c in reversed(coefficients):
                    g = g * square + c
                factor += g * scale**m
            theta = series * factor
            d0, d1, d2, d3 = (theta[i] * f for i, f in enumerate((1, 1, 2, 6)))
            schwarzian = d3 / d1 - arb(1.5) * (d2 / d1) ** 2
            left = d1**2 * (nu**2 + lam / d0.sin() ** 2) + schwarzian / 2
            defect = abs(float(left - arb(nu) ** 2 - lam / arb(phi) ** 2))
            assert defect <= 5 * nu**-8 + 1e-13


def test_double_double_arithmetic_keeps_thirty_digits():
    rng = np.random.default_rng(1)
    flint.ctx.prec = 300
    x, y = ((a, a * 2.0**-54 * rng.uniform(-1, 1, 50)) for a in rng.uniform(0.5, 2, (2, 50)))

    def exact(pair, i):
        return arb(float(pair[0][i])) + arb(float(pair[1][i]))

    results = {
        "add": (dd.add(x, y), lambda a, b: a + b),
        "multiply": (dd.multiply(x, y), lambda a, b: a * b),
        "divide": (dd.divide(x, y), lambda a, b: a / b),
        "sqrt": (dd.sqrt(x), lambda a, b: a.sqrt()),
    }
    for name, (result, function) in results.items():
        for i in range(50):
            true = function(exact(x, i), exact(y, i))
            assert abs(float((exact(result, i) - true) / true)) <= 2.0**-101, name
