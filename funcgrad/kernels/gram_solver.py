"""Low-rank factors of Gram matrices, and systems with them."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from funcgrad._checks import finite_array, finite_number, positive_number
from funcgrad.errors import ConvergenceError, InvalidInput, NotPositiveDefinite

# Above this size systems are solved on the matrix-free product.
LARGEST_CHOLESKY = 8192
MOST_STEPS = 2000
_ULP = np.finfo(float).eps


class LowRank(NamedTuple):
    """K ≈ F Fᵀ by pivoted Cholesky.

    Attributes
    ----------
    factor : ndarray, shape (N, rank)
        F.
    pivots : ndarray of int, shape (rank,)
        The points chosen, in order; the approximation is exact at them.
    trace_error : float
        trace(K - F Fᵀ) >= 0, which also bounds the spectral norm of the error.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import Gaussian
    >>> x = np.linspace(0, 1, 200)
    >>> found = Gaussian(0.5).low_rank(x, 1e-10)
    >>> found.factor.shape[1] < 20, found.trace_error < 1e-10 * 200
    (True, True)
    """

    factor: np.ndarray
    pivots: np.ndarray
    trace_error: float


def pivoted_cholesky(kernel, X, tolerance):
    """Return the `LowRank` factor of the Gram matrix at checked points; see `Kernel.low_rank`."""
    tolerance = positive_number(tolerance, "tolerance")
    residual = kernel._evaluate(X, X)
    trace, n = residual.sum(), len(X)
    floor = n * _ULP * residual.max(initial=0.0)
    rows = np.empty((min(n, 64), n))
    pivots = []
    while residual.sum() > tolerance * trace and len(pivots) < n:
        pivot = int(np.argmax(residual))
        if residual[pivot] <= floor:
            break
        rank = len(pivots)
        if rank == len(rows):
            rows = np.concatenate([rows, np.empty((min(rank, n - rank), n))])
        row = kernel._gram(X[pivot : pivot + 1], X)[0] - rows[:rank, pivot] @ rows[:rank]
        row /= np.sqrt(residual[pivot])
        rows[rank] = row
        pivots.append(pivot)
        residual = residual - row * row
        if residual.min() < -floor - 1e3 * _ULP * trace:
            raise NotPositiveDefinite(
                f"{kernel!r} is not positive definite at these points: pivoted Cholesky left a diagonal "
                f"entry {residual.min():.3g}."
            )
        residual = np.maximum(residual, 0.0)
        residual[pivots] = 0.0
    factor = np.ascontiguousarray(rows[: len(pivots)].T)
    return LowRank(factor, np.array(pivots, dtype=int), float(residual.sum()))


class GramSolver:
    """Solves (K + jitter I) a = b for one set of points, factored once; made by `Kernel.solver`.

    Attributes
    ----------
    jitter : float
        What was added to the diagonal; 0 unless asked for.
    method : {"cholesky", "conjugate gradients"}
    factor : ndarray, shape (N, N), or None
        Lower triangular L with K + jitter I = L Lᵀ, for Cholesky.

    Examples
    --------
    >>> from funcgrad.kernels import Sobolev
    >>> solver = Sobolev(1.0, 1).solver([0.0, 1.0])
    >>> solver.solve([0.5, 0.5]).round(4), solver.method
    (array([0.7311, 0.7311]), 'cholesky')
    """

    def __init__(self, kernel, X, jitter=0.0):
        self._kernel, self._points = kernel, X
        self.factor = None
        if len(X) <= LARGEST_CHOLESKY:
            self.method = "cholesky"
            self.factor, self.jitter = cholesky_with_jitter(kernel._gram(X, X), jitter, kernel)
        else:
            self.method = "conjugate gradients"
            self.jitter = given_jitter(jitter)
            self._precondition = low_rank_preconditioner(pivoted_cholesky(kernel, X, 1e-3), self.jitter)

    def solve(self, b):
        """Return a for one right side, shape (N,), or several, shape (N, m).

        Raises
        ------
        ConvergenceError
            If conjugate gradients stay above a relative residual of 1e-10.
        """
        b = finite_array(b, "b")
        if b.ndim not in (1, 2) or len(b) != len(self._points):
            n = len(self._points)
            raise InvalidInput(f"`b` must have shape ({n},) or ({n}, m); got {b.shape}.")
        if self.factor is not None:
            return cho_solve((self.factor, True), b)

        def product(v):
            return self._kernel._product(self._points, self._points, v[:, None])[:, 0] + self.jitter * v

        columns = [
            conjugate_gradients(product, self._precondition, column, self._kernel)
            for column in b.reshape(len(b), -1).T
        ]
        return np.stack(columns, axis=1).reshape(b.shape)

    def whiten(self, b):
        """Return L^{-1} b, so that bᵀ (K + jitter I)^{-1} b = |L^{-1} b|²; for Cholesky only."""
        if self.factor is None:
            raise InvalidInput(f"`whiten` needs a Cholesky factor: at most {LARGEST_CHOLESKY} points.")
        return solve_triangular(self.factor, finite_array(b, "b"), lower=True)


def conjugate_gradients(product, precondition, b, kernel, tolerance=1e-10):
    """Return x with product(x) = b to a relative residual; both functions map (N,) to (N,)."""
    x, r = np.zeros_like(b), b.copy()
    z = precondition(r)
    p, rz = z.copy(), r @ z
    target = tolerance * np.linalg.norm(b)
    for _ in range(MOST_STEPS):
        if np.linalg.norm(r) <= target:
            return x
        Kp = product(p)
        curvature = p @ Kp
        if curvature <= 0.0:
            raise NotPositiveDefinite(
                f"{kernel!r} is not positive definite to rounding at these points; give a `jitter`."
            )
        step = rz / curvature
        x += step * p
        r -= step * Kp
        z = precondition(r)
        rz, before = r @ z, rz
        p = z + (rz / before) * p
    reached = np.linalg.norm(r) / np.linalg.norm(b)
    raise ConvergenceError(
        f"conjugate gradients reached a relative residual of {reached:.1e} in {MOST_STEPS} steps, not "
        f"{tolerance:.0e}; the Gram matrix is ill-conditioned: give a larger `jitter` or fewer points."
    )


def given_jitter(jitter):
    """Return the jitter as a number that is not negative, or raise."""
    jitter = finite_number(jitter, "jitter")
    if jitter < 0.0:
        raise InvalidInput(f"`jitter` must not be negative; got {jitter:g}.")
    return jitter


def jitters_to_try(jitter, trace):
    """Return the one given, or for "smallest" 0, ulp·trace, 10 ulp·trace, ..."""
    if not isinstance(jitter, str):
        return [given_jitter(jitter)]
    if jitter != "smallest":
        raise InvalidInput(f"`jitter` must be a number or 'smallest'; got {jitter!r}.")
    return [0.0, *map(float, trace * _ULP * 10.0 ** np.arange(8))]


def cholesky_with_jitter(K, jitter, kernel):
    """Return L and the jitter used, K + jitter I = L Lᵀ."""
    tries = jitters_to_try(jitter, np.trace(K))
    for added in tries:
        try:
            return cholesky(K + added * np.eye(len(K)), lower=True, check_finite=False), added
        except np.linalg.LinAlgError:
            continue
    raise NotPositiveDefinite(
        f"the Gram matrix of {kernel!r} of size {len(K)} is not positive definite to rounding (jitter "
        f"{tries[-1]:.1e}): points coincide, or lie too close for so smooth a kernel. Give `jitter`, or "
        "jitter='smallest', or use `low_rank`."
    )


def low_rank_preconditioner(low_rank, jitter):
    """Return r ↦ (F Fᵀ + δ I)^{-1} r by Woodbury's identity, δ the mean of what F leaves out, plus jitter."""
    F = low_rank.factor
    delta = jitter + max(low_rank.trace_error / len(F), _ULP * np.square(F).sum() / len(F))
    inner = cho_factor(F.T @ F + delta * np.eye(F.shape[1]), lower=True, check_finite=False)
    return lambda r: (r - F @ cho_solve(inner, F.T @ r)) / delta
