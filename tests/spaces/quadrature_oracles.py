"""Nodes and weights of the quadrature rules in ball arithmetic, to hold the rules against.

Nodes are zeros of the classical polynomials, evaluated by their hypergeometric series, and weights come from
closed forms in the polynomials' derivatives; no formula is shared with the code.
"""

import flint
import numpy as np
from flint import arb

ULP = 2.0**-52


def worst_ulp(values, exact):
    """Largest relative error in units of 2^-52; a zero must be zero, the exact values known far better."""
    worst = 0.0
    for value, true in zip(values, exact, strict=True):
        if true == 0:
            assert value == 0
        else:
            error = (arb(float(value)) - true) / true
            assert error.rad() < 1e-3 * ULP
            worst = max(worst, abs(float(error)) / ULP)
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
    """Waldvogel's cosine sum, by Clenshaw's recurrence; the weight of cos(kπ/N).

    The recurrence runs on midpoints, as balls would swell exponentially; its errors grow like N² 2^-200.
    """
    flint.ctx.prec = 200
    last = n - 1
    nodes, weights = [], []
    for k in map(int, indices):
        nodes.append(arb.sin_pi_fmpq(flint.fmpq(2 * k - last, 2 * last)))
        cosine = arb.cos_pi_fmpq(flint.fmpq(2 * k, last))
        first = second = arb(0)
        for j in range(last // 2, 0, -1):
            coefficient = arb(1 if 2 * j == last else 2) / (4 * j * j - 1)
            first, second = (coefficient + 2 * cosine * first - second).mid(), first
        total = 1 - (cosine * first - second)
        weights.append(total * (1 if k in (0, last) else 2) / last)
    return nodes, weights
