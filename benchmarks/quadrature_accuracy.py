"""Worst relative error of nodes and weights, in ulp (2^-52), against ball arithmetic.

Run from the repository: ``python benchmarks/quadrature_accuracy.py``. Needs python-flint.
"""

import sys
from pathlib import Path

import flint
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "spaces"))

import quadrature_oracles as oracles

from funcgrad.spaces import quadrature


def jacobi(alpha, beta):
    return (
        lambda n: quadrature.gauss_jacobi(n, alpha, beta),
        lambda n, x, indices: oracles.jacobi_oracle(n, alpha, beta, x[indices]),
    )


SMALL = range(2, 201)
CASES = {
    "gauss-legendre": (
        quadrature.gauss_legendre,
        lambda n, x, indices: oracles.legendre_oracle(n, indices),
        [SMALL, (500, 1000, 2000), (10**4, 10**5, 10**6)],
    ),
    "gauss-lobatto": (
        quadrature.gauss_lobatto,
        lambda n, x, indices: oracles.lobatto_oracle(n, x[indices]),
        [SMALL, (400, 1000)],
    ),
    "clenshaw-curtis": (
        quadrature.clenshaw_curtis,
        lambda n, x, indices: oracles.clenshaw_curtis_oracle(n, indices),
        [SMALL, (500, 1000), (10_007, 65_538, 10**5)],
    ),
    "gauss-jacobi (1/2, -1/2)": (*jacobi(0.5, -0.5), [range(2, 81), (200, 1000)]),
    "gauss-jacobi (-0.9, 2.3)": (*jacobi(-0.9, 2.3), [range(2, 81), (200, 1000)]),
    "gauss-jacobi (20, 0.3)": (*jacobi(20, 0.3), [range(2, 81), (200, 1000)]),
    "gauss-hermite": (
        quadrature.gauss_hermite,
        lambda n, x, indices: oracles.hermite_oracle(n, x[indices]),
        [SMALL, (370,)],
    ),
    "gauss-hermite, Lebesgue": (
        quadrature.gauss_hermite_lebesgue,
        lambda n, x, indices: lebesgue(*oracles.hermite_oracle(n, x[indices])),
        [SMALL, (370, 1000, 3000)],
    ),
}


def lebesgue(nodes, weights):
    return nodes, [w * (x * x).exp() for x, w in zip(nodes, weights, strict=True)]


def worst_over(rule, oracle, sizes):
    """Largest errors over the whole left half up to 2000 (slow oracles: 100) nodes, beyond over some."""
    worst = np.zeros(2)
    for n in sizes:
        flint.ctx.prec = 150
        x, w = rule(n)
        fast = oracle is CASES["gauss-legendre"][1] or oracle is CASES["clenshaw-curtis"][1]
        indices = np.arange((n + 1) // 2) if n <= (2000 if fast else 100) else oracles.some(n)
        nodes, weights = oracle(n, x, indices)
        worst = np.maximum(
            worst, [oracles.worst_ulp(x[indices], nodes), oracles.worst_ulp(w[indices], weights)]
        )
    return worst


def main():
    print("rule | sizes | node | weight")
    for name, (rule, oracle, groups) in CASES.items():
        for sizes in groups:
            label = (
                f"{sizes[0]} .. {sizes[-1]}, each" if isinstance(sizes, range) else ", ".join(map(str, sizes))
            )
            node, weight = worst_over(rule, oracle, sizes)
            print(f"{name} | {label} | {node:.1f} | {weight:.1f}", flush=True)


if __name__ == "__main__":
    main()
