"""Gram matrices and matrix-free products beside scikit-learn, cdist + numpy, and GPyTorch, KeOps if there.

Run `python benchmarks/kernels.py` on an otherwise idle machine. Every figure is a median, every claim a
ratio to a peer measured in the same run, on the same points, after their results were seen to agree.
"""

import os
import subprocess
import sys
import tempfile
import time
import tracemalloc

import numba
import numpy as np
from scipy.spatial.distance import cdist
from sklearn.gaussian_process.kernels import Matern as ScikitMatern
from timing import environment, median_seconds

from funcgrad._compiled import compiled
from funcgrad.kernels import IntervalSobolev, Matern, PeriodicSobolev, Sobolev
from funcgrad.kernels._compiled import LARGEST_POWER, LOG2E, LOWER, raised_power

N_GRAM, N_PRODUCT, N_HUGE = 4096, 50_000, 1_000_000


@compiled(parallel=True)
def store(out):
    for i in numba.prange(out.shape[0]):
        out[i] = 1.0


@compiled()
def exp_and_sqrt_row(numbers, out):
    for j in range(out.size):
        r = min(np.sqrt(numbers[j]), LARGEST_POWER / LOG2E)
        out[j] = LOWER * raised_power(LOG2E, r)


@compiled(parallel=True)
def exp_and_sqrt(numbers, rows):
    """The work no kernel e^{-√s} can do without, on data that stay in the first-level cache."""
    for _ in numba.prange(rows):
        exp_and_sqrt_row(numbers, np.empty(numbers.size))


def cdist_matern(X, nu):
    z = np.sqrt(2.0 * nu) * cdist(X, X)
    return {0.5: lambda: 1.0, 1.5: lambda: 1.0 + z, 2.5: lambda: 1.0 + z + z * z / 3.0}[nu]() * np.exp(-z)


def gpytorch_gram(X, nu):
    """Return GPyTorch's Gram matrix on the CPU as a function, or None if it is not installed."""
    try:
        import gpytorch
        import torch
    except ImportError:
        return None
    torch.set_num_threads(numba.get_num_threads())
    kernel, points = gpytorch.kernels.MaternKernel(nu=nu).double(), torch.from_numpy(X)
    kernel.lengthscale = 1.0

    def gram():
        with torch.no_grad():
            return kernel(points).to_dense().numpy()

    return gram


def gpytorch_ratio(ours, X, nu, seconds):
    gram = gpytorch_gram(X, nu)
    if gram is None:
        return "-"
    np.testing.assert_allclose(ours.gram(X)[::97], gram()[::97], rtol=1e-6)
    return f"{median_seconds(gram) / seconds:.1f}"


def gram_matrices():
    rng = np.random.default_rng(0)
    fresh_store = median_seconds(lambda: store(np.empty((N_GRAM, N_GRAM))))
    reused = np.empty((N_GRAM, N_GRAM))
    reused_store = median_seconds(lambda: store(reused))
    size = 8e-9 * N_GRAM**2
    print(
        f"\nGram matrix {N_GRAM}², result allocated afresh; storing alone {1e3 * fresh_store:.1f} ms, "
        f"{size / fresh_store:.1f} GB/s (into memory already touched {1e3 * reused_store:.1f} ms, "
        f"{size / reused_store:.1f} GB/s)"
    )
    print(" d   nu    funcgrad ms   of the store rate   times scikit-learn   cdist + numpy   GPyTorch")
    reference = {}
    for d in (1, 2, 3):
        X = rng.random((N_GRAM, d))
        for nu in (0.5, 1.5, 2.5):
            ours, peer = Matern(nu), ScikitMatern(nu=nu)
            np.testing.assert_allclose(ours.gram(X)[::97], peer(X[::97], X), rtol=1e-6)
            seconds = median_seconds(lambda ours=ours, X=X: ours.gram(X))
            scikit = median_seconds(lambda peer=peer, X=X: peer(X))
            plain = median_seconds(lambda X=X, nu=nu: cdist_matern(X, nu))
            reference[d, nu] = seconds
            print(
                f" {d}   {nu}   {1e3 * seconds:11.1f}   {fresh_store / seconds:17.2f}"
                f"   {scikit / seconds:18.1f}   {plain / seconds:13.1f}"
                f"   {gpytorch_ratio(ours, X, nu, seconds):>8}"
            )
    for kernel in (PeriodicSobolev(1.7, 1.0, 0.3), IntervalSobolev(1.7, 0.0, 1.0, "dirichlet")):
        X = rng.random((N_GRAM, 1))
        seconds = median_seconds(lambda kernel=kernel, X=X: kernel.gram(X))
        print(f" {kernel!r}: {1e3 * seconds:.1f} ms")
    X = rng.random((N_GRAM, 2))
    for nu in (1.3, 3.2):
        seconds = median_seconds(lambda nu=nu: Matern(nu).gram(X))
        ratio = median_seconds(lambda nu=nu: ScikitMatern(nu=nu)(X[:512], X)) * N_GRAM / 512 / seconds
        slower = seconds / reference[2, 1.5]
        print(
            f" 2   {nu}   {1e3 * seconds:11.1f}   {slower:.1f} times nu = 3/2; {ratio:.0f} times as fast as "
            "scikit-learn (from 512 of its rows)"
        )
    kernel = Sobolev(3.7, 2)
    slopes, values = (
        median_seconds(lambda k=k: k.gram(X)) for k in (kernel.derivative((1, 0), (1, 0)), kernel)
    )
    print(f" {kernel!r}, ∂ in x and y: {1e3 * slopes:.1f} ms, {slopes / values:.1f} times the values")


def keops_product(X, v):
    """Return KeOps' product for nu = 3/2 as a function, or None if KeOps is not installed."""
    try:
        from pykeops.numpy import LazyTensor
    except ImportError:
        return None
    r = ((LazyTensor(X[:, None, :]) - LazyTensor(X[None, :, :])) ** 2).sum(-1).sqrt() * np.sqrt(3.0)
    return lambda: ((1.0 + r) * (-r).exp()) @ v[:, None]


def blocked_numpy_product(X, v, nu):
    rows = 256
    for start in range(0, 8 * rows, rows):
        z = np.sqrt(2.0 * nu) * cdist(X[start : start + rows], X)
        ((1.0 + z) * np.exp(-z)) @ v
    return 8 * rows * len(X)


def products():
    rng = np.random.default_rng(0)
    numbers = rng.random(2048)
    rows = 20_000
    limit = rows * numbers.size / median_seconds(lambda: exp_and_sqrt(numbers, rows)) * 1e-9
    print(f"\nProduct {N_PRODUCT} x {N_PRODUCT}, nu = 3/2; the exp and square root alone {limit:.2f} Gpair/s")
    for d in (2, 3):
        X, v = rng.random((N_PRODUCT, d)), rng.random(N_PRODUCT)
        kernel = Matern(1.5)
        kernel.matvec(X[:200], X, v)
        tracemalloc.start()
        kernel.matvec(X, X, v)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        rate = 1e-9 * N_PRODUCT**2 / median_seconds(lambda k=kernel, X=X, v=v: k.matvec(X, X, v))
        start = time.perf_counter()
        pairs = blocked_numpy_product(X, v, 1.5)
        blocked = 1e-9 * pairs / (time.perf_counter() - start)
        line = f" d = {d}: {rate:.2f} Gpair/s, {rate / limit:.0%} of the limit, "
        line += f"{rate / blocked:.1f} times blocked numpy"
        keops = keops_product(X, v)
        if keops is not None:
            np.testing.assert_allclose(keops()[:100, 0], kernel.matvec(X[:100], X, v), rtol=1e-6)
            line += f", {rate * median_seconds(keops) * 1e9 / N_PRODUCT**2:.1f} times KeOps"
        print(
            f"{line}, peak memory {peak:.1f} MB (points and vectors {8e-6 * N_PRODUCT * (2 * d + 3):.1f} MB)"
        )
    X, v = rng.random((N_HUGE, 3)), rng.random(N_HUGE)
    block = 2000
    seconds = median_seconds(lambda: Matern(1.5).matvec(X[:block], X, v))
    print(
        f" 10^6 x 10^6, d = 3: one block of {block} rows {seconds:.2f} s, so "
        f"{seconds * N_HUGE / block / 60:.0f} minutes in all (extrapolated)"
    )


def first_calls():
    """Time the first Gram matrix in a new process, without and with what the first one cached."""
    code = (
        "import time, numpy as np; from funcgrad.kernels import Matern; X = np.random.rand(500, 2); "
        "t = time.perf_counter(); Matern(1.5).gram(X); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment_variables = {**os.environ, "NUMBA_CACHE_DIR": folder}
        seconds = [
            float(subprocess.check_output([sys.executable, "-c", code], env=environment_variables))
            for _ in range(2)
        ]
    print(f"\nFirst call, importing numba: compiling {seconds[0]:.1f} s, from the cache {seconds[1]:.2f} s")


if __name__ == "__main__":
    print(environment())
    gram_matrices()
    products()
    first_calls()
