"""The Laplacian of orders 2, 4 and 8 against findiff, numpy slicing and the copy bandwidth.

    python benchmarks/stencils.py

Ours is measured through the public `apply` with `out=`, boundary rows included, periodic and one-sided;
findiff's has one-sided rows as well; the slicing leaves the boundary out. The copy is the fastest of
numpy's and two compiled ones. The first call takes its time once: later processes find the cache.
"""

import functools
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


def sliced(order, u):
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
    second = [findiff.Diff(axis, 1.0, acc=order) ** 2 for axis in range(dimension)]
    return sum(second[1:], second[0])


def measure(u, out, order, boundary, peer_seconds):
    """Print one line: a Laplacian against the copy and its peers."""
    operator = laplacian(u.shape, 1.0, order, boundary)
    ours = median_seconds(lambda: operator.apply(u, out=out), repeats=15)
    copy = copy_seconds(u, out)
    tracemalloc.start()
    operator.apply(u, out=out)
    peak = tracemalloc.get_traced_memory()[1] / u.nbytes
    tracemalloc.stop()
    grid, ratios = "x".join(map(str, u.shape)), "".join(f"{peer / ours:9.0f}x" for peer in peer_seconds)
    print(
        f"{grid:11s}{order:4d}  {boundary:9s}{1e3 * ours:8.2f}{copy / ours:9.0%}{ratios}{peak:10.0e}",
        flush=True,
    )


def main():
    print(environment(), f"findiff {findiff.__version__}", sep=", ")
    start = time.perf_counter()
    laplacian(9, 1.0, 2).apply(np.ones(9))
    print(f"first call, compiled or from the cache: {time.perf_counter() - start:.1f} s")
    print("grid       order  boundary     ms  of copy   findiff   slicing  peak memory / grid")
    for shape in ((2048, 2048), (256, 256, 256)):
        u, out = np.random.default_rng(0).standard_normal(shape), np.zeros(shape)
        for order in (2, 4, 8):
            peer = findiff_laplacian(len(shape), order)
            peers = [
                median_seconds(functools.partial(f, u)) for f in (peer, functools.partial(sliced, order))
            ]
            for boundary in ("periodic", "one-sided"):
                measure(u, out, order, boundary, peers)


if __name__ == "__main__":
    main()
