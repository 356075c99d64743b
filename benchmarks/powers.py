"""Powers of 1 - Δ_h beside a sparse factorisation and beside bare transforms.

    python benchmarks/powers.py

Bars: (1 - Δ_h)^{-1} on 512² at least 100 times as fast as splu with its factorisation and 3 times its
repeated solve; (1 - Δ_h)^{1/2} on periodic grids at most 1.3 times a bare rfftn + irfftn pair with the same
workers; cost against size N log N over three decades.
"""

import numpy as np
import scipy.fft
import scipy.sparse
import scipy.sparse.linalg
from timing import environment, median_seconds

from funcgrad.operators import FiniteDifferenceLaplacian, sobolev_power

WORKERS = 2


def report(name, ours, peer_name, peer, bar):
    times = f"{ours * 1e3:9.2f} ms   {peer_name:24s} {peer * 1e3:9.2f} ms"
    print(f"{name:40s} {times}   {peer / ours:8.2f}x  (bar {bar})")


def beside_splu(n, boundary):
    laplacian = FiniteDifferenceLaplacian((n, n), 1 / n, boundary)
    K = scipy.sparse.csc_array(scipy.sparse.eye_array(n * n) + laplacian.matrix())
    b = np.random.default_rng(0).normal(size=(n, n))
    inverse = sobolev_power(laplacian, 1.0).inverse
    error = np.abs(K @ inverse.apply(b).ravel() - b.ravel()).max() / np.abs(b).max()
    ours = median_seconds(lambda: inverse.apply(b))
    # With the set-up of the eigenvalues, against a factorisation, which is set-up.
    fresh = median_seconds(
        lambda: sobolev_power(FiniteDifferenceLaplacian((n, n), 1 / n, boundary), 1.0).inverse.apply(b)
    )
    factor = scipy.sparse.linalg.splu(K)
    flat = b.ravel()
    solve = median_seconds(lambda: factor.solve(flat))
    both = median_seconds(lambda: scipy.sparse.linalg.splu(K).solve(flat))
    report(f"(1 - Δ_h)^-1 {boundary} {n}²", ours, "splu, factor and solve", both, ">= 100")
    report("    with our set-up", fresh, "splu, factor and solve", both, "-")
    report("", ours, "splu, repeated solve", solve, ">= 3")
    print(f"    residual of ours: {error:.1e} of max |b|")


def beside_bare_transforms(shape):
    P = sobolev_power(FiniteDifferenceLaplacian(shape, 0.1, "periodic"), 0.5)
    u = np.random.default_rng(0).normal(size=shape)
    ours = median_seconds(lambda: P.apply(u))
    bare = median_seconds(lambda: scipy.fft.irfftn(scipy.fft.rfftn(u), s=shape))
    report(f"(1 - Δ_h)^1/2 periodic {shape}", ours, "bare rfftn + irfftn", bare, ">= 0.77")


def scaling():
    print("cost against size, 1-D Neumann: ms, and ns per N log2 N")
    for n in (1 << k for k in range(11, 22, 2)):
        P = sobolev_power(FiniteDifferenceLaplacian(n, 1 / n, "neumann"), -0.5)
        u = np.random.default_rng(0).normal(size=n)
        seconds = median_seconds(lambda P=P, u=u: P.apply(u))
        print(f"    N = {n:8d}  {seconds * 1e3:9.3f}  {seconds * 1e9 / (n * np.log2(n)):6.2f}")


if __name__ == "__main__":
    print(environment())
    with scipy.fft.set_workers(WORKERS):
        beside_splu(512, "dirichlet")
        beside_splu(512, "neumann")
        beside_bare_transforms((1024, 1024))
        beside_bare_transforms((128, 128, 128))
        scaling()
