"""The Laplacian of orders 2, 4 and 8 against findiff, numpy slicing and the copy bandwidth.

    python benchmarks/stencils.py

Everything is periodic for funcgrad and findiff (whose one-sided operator is timed if its version has no periodic
one), and measured through the public `apply` with `out=`, boundary rows included. The copy is the
fastest of numpy's and of two compiled ones, in the same run.
"""

import time
import tracemalloc

import findiff
import numba
import numpy as np
from timing import environment, median_seconds

from funcgrad.operators.finite_differences import laplacian
from funcgrad.operators.stencil_weights import central_weights


@numba.njit(parallel=True)
def copy_flat(source, target):
    for i in numba.prange(source.size):
        target[i] = source[i]


@numba.njit(parallel=True)
def copy_rows(source, target):
    for i in numba.prange(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


def copy_seconds(u, out):
    rows = (u.shape[0], -1)
    return min(
        median_seconds(lambda: np.copyto(out, u)),
        median_seconds(lambda: copy_flat(u.reshape(-1), out.reshape(-1))),
        median_seconds(lambda: copy_rows(u.reshape(rows), out.reshape(rows))),
    )


def sliced(u, order):
    """The Laplacian of the inner points, by numpy slices."""
    weights, width = [float(w) for w in central_weights(order, 2)], order // 2
    total = np.zeros(tuple(n - 2 * width for n in u.shape))
    for axis in range(u.ndim):
        for offset, weight in enumerate(weights):
            window = [slice(width, n - width) for n in u.shape]
            window[axis] = slice(offset, u.shape[axis] - 2 * width + offset)
            total += weight * u[tuple(window)]
    return total


def findiff_laplacian(dimension, order):
    return sum(findiff.FinDiff(axis, 1.0, 2, acc=order) for axis in range(dimension))


def main():
    print(environment(), f"findiff {findiff.__version__}", sep=", ")
    start = time.perf_counter()
    laplacian(9, 1.0, 2).apply(np.ones(9))
    print(f"first call, compiled or from the cache: {time.perf_counter() - start:.1f} s")
    print("grid       order  boundary     ms   of copy   findiff   slicing   peak of apply / grid")
    for shape in ((2048, 2048), (256, 256, 256)):
        u = np.random.default_rng(0).standard_normal(shape)
        out = np.zeros(shape)
        for order in (2, 4, 8):
            peer = findiff_laplacian(len(shape), order)
            peers = median_seconds(lambda: peer(u)), median_seconds(lambda: sliced(u, order))
            for boundary in ("periodic", "one-sided"):
                operator = laplacian(shape, 1.0, order, boundary)
                ours = median_seconds(lambda: operator.apply(u, out=out), repeats=15)
                copy = copy_seconds(u, out)
                tracemalloc.start()
                operator.apply(u, out=out)
                peak = tracemalloc.get_traced_memory()[1] / u.nbytes
                tracemalloc.stop()
                print(
                    f"{'x'.join(map(str, shape)):11s}{order:4d}  {boundary:9s}{1e3 * ours:8.2f}{copy / ours:9.0%}"
                    f"{peers[0] / ours:9.0f}x{peers[1] / ours:9.0f}x{peak:14.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
