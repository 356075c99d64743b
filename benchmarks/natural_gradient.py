"""The natural gradient's least squares beside LAPACK, and a whole step beside a Gram-matrix script.

    python benchmarks/natural_gradient.py             # N = 10^5, p = 300, and the peak memory
    python benchmarks/natural_gradient.py --streamed  # N = 10^7, p = 200: a few minutes

Ratios are of medians in one run. dgels is timed without the copy of the matrix that it destroys.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import scipy.linalg
from refinement import refined
from scipy.linalg import blas, lapack

import funcgrad as fg
from funcgrad.gradients.least_squares import solve_least_squares

try:
    from timing import environment, median_seconds
except ImportError:  # without the load-aware timing

    def environment():
        return f"Python {sys.version.split()[0]}, numpy {np.__version__}"

    def median_seconds(function, repeats=7):
        function()
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return float(np.median(times))


N, P = 100_000, 300
STREAMED_N, STREAMED_P = 10_000_000, 200
MEGABYTE = 2**20


class Waves(fg.models.Model):
    """Σ a_k cos(kx) + b_k sin(kx), its Jacobian by the addition theorem: cheap, and large on demand."""

    def __init__(self, p):
        super().__init__(1, [f"c{i}" for i in range(p)])

    def _jacobian(self, theta, x, alpha):
        jacobian = np.empty((len(x), self.n_parameters), order="F")
        turn = np.exp(1j * x[:, 0])
        wave = turn.copy()
        for k in range(0, self.n_parameters, 2):
            jacobian[:, k], jacobian[:, k + 1] = wave.real, wave.imag
            wave *= turn
        return jacobian

    def _value(self, theta, x, alpha):
        value, turn = np.zeros(len(x)), np.exp(1j * x[:, 0])
        wave = turn.copy()
        for k in range(0, self.n_parameters, 2):
            value += theta[k] * wave.real + theta[k + 1] * wave.imag
            wave *= turn
        return value


def problem(condition):
    """A whitened Jacobian of a given condition number, and a right side not far from its range."""
    rng = np.random.default_rng(0)
    basis = np.asfortranarray(rng.normal(size=(N, P)) / np.sqrt(N))
    mixing, _ = np.linalg.qr(rng.normal(size=(P, P)))
    a = np.asfortranarray(basis @ (np.geomspace(1, 1 / condition, P)[:, None] * mixing))
    return a, a @ rng.normal(size=P) + 1e-6 * rng.normal(size=N) / np.sqrt(N)


def dgels(a, r, work):
    return lapack.dgels(a, r, lwork=work, overwrite_a=1)[1][:P, 0]


def solvers():
    work = int(lapack.dgels_lwork(N, P, 1)[0])
    square = np.random.default_rng(1).normal(size=(2000, 2000))
    gemm_rate = 2 * 2000**3 / median_seconds(lambda: blas.dgemm(1.0, square, square))
    print(f"dgemm: {gemm_rate / 1e9:.1f} GFLOP/s")
    for condition in (1e4, 1e9):
        a, r = problem(condition)
        copy = median_seconds(lambda a=a: a.copy(order="F"))
        peer = median_seconds(lambda a=a, r=r: dgels(a.copy(order="F"), r[:, None], work)) - copy
        qr = median_seconds(lambda a=a, r=r: solve_least_squares(a, r))
        reference = refined(a, r)
        size = np.linalg.norm(reference)

        def error(eta, reference=reference, size=size):
            return np.linalg.norm(eta - reference) / size

        found, peer_error = solve_least_squares(a, r), error(dgels(a.copy(order="F"), r[:, None], work))
        gelsd = scipy.linalg.lstsq(a, r, lapack_driver="gelsd")[0]
        print(
            f"cond {condition:.0e}: dgels {peer:.3f} s, relative error {peer_error:.1e}; "
            f"gelsd {error(gelsd):.1e}"
        )
        print(
            f"   qr with rank, spectrum and error bound: {qr:.3f} s, {qr / peer:.2f} of dgels, "
            f"{error(found.solution):.1e}, bound {found.error_bound:.1e}"
        )
        chosen = solve_least_squares(a, r, solver="cholesky")
        if chosen.solver == "cholesky":
            cholesky = median_seconds(lambda a=a, r=r: solve_least_squares(a, r, solver="cholesky"))
            rate = N * P * P / cholesky
            print(
                f"   cholesky, corrected: {cholesky:.3f} s, {cholesky / peer:.2f} of dgels, "
                f"{100 * rate / gemm_rate:.0f}% of the dgemm rate, {error(chosen.solution):.1e}, "
                f"{np.linalg.norm(chosen.solution - gelsd) / size:.1e} from gelsd"
            )
        else:
            print(f"   cholesky: {chosen.solver} instead, {chosen.reason}")


def whole_step():
    """A step in L2 on a grid beside the plain script: the Gram matrix and `lstsq`."""
    model, theta = Waves(P), np.random.default_rng(2).normal(size=P)
    grid = fg.Circle(2 * np.pi).grid(N)
    loss = fg.PopulationLoss(lambda x: np.exp(np.sin(x)))

    def script():
        x, w = grid.nodes, grid.weights
        jacobian = model.jacobian(theta, x)
        residual = jacobian @ theta - np.exp(np.sin(x[:, 0]))
        weighted = w[:, None] * jacobian
        return np.linalg.lstsq(jacobian.T @ weighted, weighted.T @ residual, rcond=None)[0]

    solvers = ("auto", "qr", "cholesky")
    steps = [lambda s=s: fg.natural_gradient(loss, model, theta, fg.L2(), grid, solver=s) for s in solvers]
    peer, *seconds = alternating_medians([script, *steps])
    for solver, median in zip(solvers, seconds, strict=True):
        print(f"whole step by {solver}: {median:.3f} s, {median / peer:.2f} of the script with lstsq of JᵀWJ")


def alternating_medians(functions, rounds=9):
    """Return median times of functions called in turn, so that other load meets all of them alike."""
    times = []
    for _ in range(rounds + 1):  # the first to warm up
        for function in functions:
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return np.median(np.reshape(times, (-1, len(functions)))[1:], axis=0)


def peak_memory():
    """Return the peak memory in bytes; ru_maxrss would begin at that of the process it came from."""
    try:
        with open("/proc/self/status") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except OSError:
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak(n, p, solver):
    """Print the peak memory of one step, above that before it; run in a process of its own."""
    model, theta = Waves(p), np.ones(p)
    grid = fg.Circle(2 * np.pi).grid(n)
    loss = fg.PopulationLoss(lambda x: np.exp(np.sin(x)))
    small = fg.Circle(2 * np.pi).grid(2 * p)
    fg.natural_gradient(loss, model, theta, fg.L2(), small, solver=solver)  # loads and warms everything up
    before = peak_memory()
    start = time.perf_counter()
    step = fg.natural_gradient(loss, model, theta, fg.L2(), grid, solver=solver)
    seconds = time.perf_counter() - start
    after = peak_memory()
    jacobian = 8 * n * p
    # The waves are orthogonal and the target is in H^∞: exact coefficients are known.
    # One step reaches the best approximation, and exp(sin x) has no part along cos x.
    error = abs(theta[0] - step.direction[0])
    print(
        f"N = {n:.0e}, p = {p}, {solver}: {seconds:.1f} s, process {after / MEGABYTE:.0f} MB, step "
        f"{(after - before) / MEGABYTE:.0f} MB, {(after - before) / jacobian:.3f} of the Jacobian's "
        f"{jacobian / MEGABYTE:.0f} MB; rank {step.rank}, cond {step.condition:.6f}, error {error:.1e}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streamed", action="store_true", help="N = 10^7, p = 200")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(int(options.peak[0]), int(options.peak[1]), options.peak[2])
        return
    print(environment())
    sizes = [(STREAMED_N, STREAMED_P)] if options.streamed else [(N, P)]
    if not options.streamed:
        solvers()
        whole_step()
    for n, p in sizes:
        for solver in ("qr", "cholesky"):
            subprocess.run([sys.executable, __file__, "--peak", str(n), str(p), solver], check=True)


if __name__ == "__main__":
    main()
