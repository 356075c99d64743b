"""Cost of (1 - Δ)^s and of a differential with slopes on periodic grids beside bare Fourier transforms.

Run from the repository: ``python benchmarks/spectral.py``.
"""

import os

import numpy as np
import scipy.fft
from timing import environment, median_seconds

import funcgrad as fg

BAR = 1.3
TURNS = 7


def against_a_bare_pair(shape, s=0.75):
    """Print the ratio for one grid; the symbol is formed once, as `Sobolev.square_root` does."""
    grid = fg.Torus([2 * np.pi] * len(shape)).grid(shape)
    values = np.random.default_rng(0).normal(size=len(grid))
    symbol = fg.Sobolev(s).symbol(grid.eigenvalues)
    array = values.reshape(shape)
    # By turns, so that a change of the machine's pace meets both.
    turns = [
        (
            median_seconds(lambda: grid.multiply(symbol, values)),
            median_seconds(lambda: scipy.fft.irfftn(scipy.fft.rfftn(array), s=shape)),
        )
        for _ in range(TURNS)
    ]
    ours, bare = np.median(turns, axis=0)
    ratios = np.sort([ours / bare for ours, bare in turns])
    print(
        f"(1-Δ)^{s:g}, periodic {' x '.join(map(str, shape))}: {1e3 * ours:.1f} ms, "
        f"{np.median(ratios):.2f} times the bare rfftn + irfftn ({1e3 * bare:.1f} ms), "
        f"in {TURNS} turns from {ratios[0]:.2f} to {ratios[-1]:.2f}; bar {BAR}"
    )


def slopes_against_the_laplacian(n):
    """Print the ratio of dF, F = ∫ |∇u|²/2, on the cardinal functions to -Δu times weights by `scipy.fft`."""
    grid = fg.Torus((2 * np.pi, 2 * np.pi)).grid(n)
    F = fg.Integral("(u_x**2 + u_y**2)/2", "x y")
    u = grid.function(lambda x, y: np.exp(np.sin(x + 2 * y)))
    squares = np.add.outer(scipy.fft.fftfreq(n, 1 / n) ** 2, scipy.fft.rfftfreq(n, 1 / n) ** 2)
    weight = grid.weights[0]

    def by_hand():
        spectrum = scipy.fft.rfftn(u.values.reshape(n, n))
        return weight * scipy.fft.irfftn(squares * spectrum, s=(n, n)).reshape(-1)

    def ours():
        return F.differential(u).components(grid)

    error = np.abs(ours() - by_hand()).max() / np.abs(by_hand()).max()
    turns = [(median_seconds(ours), median_seconds(by_hand)) for _ in range(TURNS)]
    seconds, ratio = np.median(turns, axis=0), np.median([a / b for a, b in turns])
    print(
        f"dF of ∫|∇u|²/2, periodic {n} x {n}: {1e3 * seconds[0]:.1f} ms, {ratio:.1f} times -Δu by scipy.fft "
        f"({1e3 * seconds[1]:.1f} ms), which knows that it is one; difference {error:.0e}"
    )


def cost_against_size(name, grid_of, sizes):
    """Print the exponent of the cost in the number of nodes."""
    counts, seconds = [], []
    for size in sizes:
        grid = grid_of(size)
        values, symbol = np.ones(len(grid)), 1 + grid.eigenvalues
        counts.append(len(grid))
        seconds.append(median_seconds(lambda grid=grid, v=values, symbol=symbol: grid.multiply(symbol, v)))
    slope = np.polyfit(np.log(counts), np.log(seconds), 1)[0]
    print(f"{name}: " + ", ".join(f"{n}: {1e3 * t:.2f} ms" for n, t in zip(counts, seconds, strict=True)))
    print(f"  exponent of the cost over {np.log10(counts[-1] / counts[0]):.1f} decades: {slope:.2f}")


def main():
    workers = os.cpu_count()
    print(environment())
    with scipy.fft.set_workers(workers):
        print(f"{workers} workers")
        against_a_bare_pair((1024, 1024))
        against_a_bare_pair((128, 128, 128))
    print("1 worker")
    against_a_bare_pair((1024, 1024))
    against_a_bare_pair((128, 128, 128))
    for n in (63, 64, 255, 256):  # on even grids the slopes are taken on n + 1 nodes
        slopes_against_the_laplacian(n)
    neumann = fg.Box([(0, 1), (0, 1)])
    torus = fg.Torus((1, 1))
    cost_against_size(
        "(1-Δ) on a square, Neumann", lambda n: neumann.grid(n, "midpoint"), [64, 256, 1024, 2048]
    )
    cost_against_size("(1-Δ) on a torus", torus.grid, [64, 256, 1024, 2048])
    # n³ for 2n² nodes: exponent 3/2.
    cost_against_size("(1-Δ) on the sphere", fg.Sphere().grid, [16, 32, 64, 128, 256])


if __name__ == "__main__":
    main()
