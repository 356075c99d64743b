"""Every node and every weight against ball arithmetic: 4 ulp relative, at every size.

The oracles take nodes from the zeros of the classical polynomials, evaluated by their hypergeometric series,
and weights from closed forms in the polynomials' derivatives; none shares a formula with the code.
"""

import flint
import numpy as np
import pytest
from flint import arb

from funcgrad.spaces import quadrature
from funcgrad.spaces.quadrature import _bessel
from funcgrad.spaces.quadrature import _double_double as dd

ULP = 2.0**-52
BOUND = 4


@pytest.fixture(autouse=True)
def _restore_precision():
    precision = flint.ctx.prec
    yield
    flint.ctx.prec = precision


def worst_ulp(values, exact):
    """Largest relative error in units of 2^-52; a zero must be zero."""
    worst = 0.0
    for value, true in zip(values, exact, strict=True):
        if true == 0:
            assert value == 0
        else:
            worst = max(worst, abs(float((arb(float(value)) - true) / true)) / ULP)
    return worst


def some(n):
    """Every index of a small rule; of a large one both sides of each switch of formula, and the middle."""
    if n <= 40:
        return np.arange(n)
    middle = np.arange(n // 2 - 2, n // 2 + 3)
    return np.unique(np.concatenate([np.arange(24), middle, np.linspace(0, n - 1, 12).astype(int)]))


def newton(x, function, derivative):
    """The zero of an analytic function near the float x, to the working precision."""
    x = arb(float(x))
    for _ in range(4):
        x = (x - function(x) / derivative(x)).mid()
    return x if abs(x) > 1e-60 else arb(0)


def legendre_oracle(n, indices):
    pairs = [arb.legendre_p_root(n, n - 1 - int(k), weight=True) for k in indices]
    nodes = [arb(0) if 2 * k + 1 == n else pair[0] for k, pair in zip(indices, pairs, strict=True)]
    return nodes, [pair[1] for pair in pairs]


def lobatto_oracle(n, x):
    """Zeros of P'_{n-1} and ±1; w = 2 / (n (n-1) P_{n-1}²)."""
    flint.ctx.prec = 200 + 5 * n
    nodes = [
        arb(float(v))
        if abs(v) == 1
        else newton(v, lambda t: t.jacobi_p(n - 2, 1, 1), lambda t: arb(n + 1) / 2 * t.jacobi_p(n - 3, 2, 2))
        for v in x
    ]
    return nodes, [2 / (n * (n - 1) * t.legendre_p(n - 1) ** 2) for t in nodes]


def jacobi_oracle(n, alpha, beta, x):
    """Zeros of P_n^{(α,β)}; w = Γ(n+α+1)Γ(n+β+1) 2^{α+β+1} / (Γ(n+α+β+1) n! (1-x²) P_n'²)."""
    flint.ctx.prec = 200 + 5 * n
    a, b = arb(alpha), arb(beta)

    def derivative(t):
        return (n + a + b + 1) / 2 * t.jacobi_p(n - 1, a + 1, b + 1)

    constant = (n + a + 1).gamma() * (n + b + 1).gamma() / (n + a + b + 1).gamma() / arb(n + 1).gamma()
    constant *= arb(2) ** (a + b + 1)
    nodes = [newton(v, lambda t: t.jacobi_p(n, a, b), derivative) for v in x]
    return nodes, [constant / ((1 - t * t) * derivative(t) ** 2) for t in nodes]


def hermite_oracle(n, x):
    """Zeros of H_n; w = 2^{n-1} n! √π / (n² H_{n-1}²)."""
    flint.ctx.prec = 200 + 5 * n
    nodes = [newton(v, lambda t: t.hermite_h(n), lambda t: 2 * n * t.hermite_h(n - 1)) for v in x]
    constant = arb(2) ** (n - 1) * arb(n + 1).gamma() * arb.pi().sqrt() / n**2
    return nodes, [constant / t.hermite_h(n - 1) ** 2 for t in nodes]


def clenshaw_curtis_oracle(n, indices):
    """Waldvogel's cosine sum, by Clenshaw's recurrence; the weight of cos(kπ/N)."""
    flint.ctx.prec = 160
    last = n - 1
    nodes, weights = [], []
    for k in map(int, indices):
        nodes.append(arb.sin_pi_fmpq(flint.fmpq(2 * k - last, 2 * last)))
        cosine = arb.cos_pi_fmpq(flint.fmpq(2 * k, last))
        first = second = arb(0)
        for j in range(last // 2, 0, -1):
            coefficient = arb(1 if 2 * j == last else 2) / (4 * j * j - 1)
            first, second = coefficient + 2 * cosine * first - second, first
        total = 1 - (cosine * first - second)
        weights.append(total * (1 if k in (0, last) else 2) / last)
    return nodes, weights


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
