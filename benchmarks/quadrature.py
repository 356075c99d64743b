"""Cost of the quadrature rules beside numpy, scipy and, if it is there, fastgl.

Run from the repository: ``python benchmarks/quadrature.py``.
"""

import numpy as np
import scipy.special
from timing import environment, median_seconds

from funcgrad.spaces import quadrature

try:
    import fastgl
except ImportError:
    fastgl = None


def against_peers():
    """The peers diagonalise, O(n²): 2000 nodes are what they do in reasonable time."""
    ours = median_seconds(lambda: quadrature.gauss_legendre(100_000))
    print(f"gauss_legendre(100000): {1e3 * ours:.1f} ms")
    if fastgl is not None:
        theirs = median_seconds(lambda: fastgl.roots_legendre(100_000))
        print(f"  fastgl, same size (nodes near 0 off by 3e4 ulp): {theirs / ours:.2f} times that")
    n = 2000
    ours = median_seconds(lambda: quadrature.gauss_legendre(n))
    print(f"gauss_legendre({n}): {1e3 * ours:.2f} ms")
    for name, peer in {
        "scipy.special.roots_legendre": scipy.special.roots_legendre,
        "numpy.polynomial.legendre.leggauss": np.polynomial.legendre.leggauss,
    }.items():
        print(f"  {name}, same size: {median_seconds(lambda peer=peer: peer(n)) / ours:.0f} times that")


def cost_against_size(name, rule, sizes):
    seconds = [median_seconds(lambda n=n: rule(n)) for n in sizes]
    slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    print(f"{name}: " + ", ".join(f"{n}: {1e3 * s:.2f} ms" for n, s in zip(sizes, seconds, strict=True)))
    print(f"  exponent of the cost over {np.log10(sizes[-1] / sizes[0]):.1f} decades: {slope:.2f}")


def main():
    print(environment())
    against_peers()
    large = [1000, 10_000, 100_000, 1_000_000]
    cost_against_size("gauss_legendre", quadrature.gauss_legendre, large)
    cost_against_size("gauss_lobatto", quadrature.gauss_lobatto, large)
    cost_against_size("clenshaw_curtis", quadrature.clenshaw_curtis, large)
    cost_against_size("gauss_hermite", quadrature.gauss_hermite, [100, 300, 1000, 3000])
    cost_against_size("gauss_jacobi", lambda n: quadrature.gauss_jacobi(n, 0.5, -0.3), [100, 300, 1000, 3000])


if __name__ == "__main__":
    main()
