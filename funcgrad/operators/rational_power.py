"""Real powers of sparse positive definite operators without a known eigenbasis, by rational approximation."""

import math
from functools import lru_cache

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
import scipy.special

from funcgrad._checks import finite_array, finite_number, positive_number
from funcgrad.errors import ConvergenceError, InvalidInput, NotPositiveDefinite

_EPS = np.finfo(float).eps
_MOST_POLES = 128
# Factorisations are kept for further products as long as they have fewer entries than this (1 GB).
_KEPT_ENTRIES = 1 << 27


class RationalPower:
    """A^s for A = W^{-1} K, K sparse symmetric positive definite, W the diagonal matrix of weights.

    A is self-adjoint and positive in the inner product Σ w_i u_i v_i. With s = k - β, k whole and
    0 <= β < 1, A^s b = r(A) A^k b, where r(λ) = Σ c_j/(λ + t_j), t_j > 0, is within `tolerance` of λ^{-β},
    relatively, on the whole spectrum: every component of r(A) b in the eigenvectors of A, and so
    its weighted norm, has that relative error. Each product takes about n = 10 to 50 sparse solves
    (`shifts`), and `error_bound` is the proved error of r. To it comes the rounding of products and solves
    with K, at worst about ε cond(A) for each.

    Parameters
    ----------
    matrix : sparse array or matrix, (N, N)
        K.
    s : float
        Any real number.
    weights : float or array_like, (N,)
        The diagonal of W, positive.
    tolerance : float
        Relative.

    Attributes
    ----------
    bounds : tuple of float
        Between which the spectrum of A lies: the lower one certified by the inertia of a factorisation,
        the upper one a norm of A.
    shifts, coefficients : ndarray, (n,)
        t_j and c_j; empty if s is whole.
    error_bound : float
        Of r, relative; at most the tolerance.

    Raises
    ------
    NotPositiveDefinite
        If A is not positive definite to working precision.
    ConvergenceError
        If the tolerance is not reached with 128 poles. The best possible is about 1e-12 at cond(A) = 1e10.

    Notes
    -----
    The t_j are the optimal poles for Stieltjes functions on an interval (Zolotarev's; Massei & Robol, BIT 61,
    2021), the c_j are fitted. The error decays like exp(-nπ²/log(16 cond A)), and for β = 1/2 like the
    square of it.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from funcgrad.operators import RationalPower
    >>> K = scipy.sparse.diags_array([1.0, 4.0, 100.0])
    >>> RationalPower(K, -0.5).apply(np.ones(3)).round(9)
    array([1. , 0.5, 0.1])
    """

    def __init__(self, matrix, s, weights=1.0, tolerance=1e-10):
        self._set(_Pencil(matrix, weights), finite_number(s, "s"), positive_number(tolerance, "tolerance"))

    def _set(self, pencil, s, tolerance):
        self._pencil, self.s, self.tolerance = pencil, s, tolerance
        self.bounds, self.shape = pencil.bounds, (pencil.size,)
        self._whole = math.ceil(s)
        beta = self._whole - s
        self.shifts = self.coefficients = np.zeros(0)
        self.error_bound = 0.0
        if beta > 0:
            lower, upper = pencil.bounds
            shifts, coefficients, self.error_bound = fit_negative_power(beta, upper / lower, tolerance)
            self.shifts, self.coefficients = shifts * lower, coefficients * lower ** (1 - beta)
        return self

    def apply(self, values):
        """Return A^s of values (N, ...)."""
        result = finite_array(values, "values")
        if result.shape[:1] != self.shape:
            raise InvalidInput(f"`values` must have shape ({self.shape[0]}, ...); got {result.shape}.")
        for _ in range(abs(self._whole)):
            # Products before the fractional part, which damps the rounding that they amplify.
            result = self._pencil.multiply(result) if self._whole > 0 else self._pencil.solve(0.0, result)
        if len(self.shifts):
            terms = zip(self.coefficients, self.shifts, strict=True)
            result = sum(c * self._pencil.solve(t, result, len(self.shifts)) for c, t in terms)
        return result

    def _of_order(self, s):
        return object.__new__(RationalPower)._set(self._pencil, s, self.tolerance)

    @property
    def inverse(self):
        """A^{-s}."""
        return self._of_order(-self.s)

    @property
    def square_root(self):
        """A^{s/2}."""
        return self._of_order(self.s / 2)

    def __repr__(self):
        return f"<A^{self.s:g} to {self.tolerance:.1g}, A ({self.shape[0]}, {self.shape[0]}) sparse>"


class _Pencil:
    """K and W with the bounds of the spectrum of W^{-1}K and the factorisations of K + tW."""

    def __init__(self, matrix, weights):
        self._matrix = _symmetric_sparse(matrix)
        self.size = self._matrix.shape[0]
        weights = finite_array(weights, "weights")
        if weights.shape not in ((), (self.size,)) or not (weights > 0).all():
            raise InvalidInput(
                f"`weights` must be a positive number or {self.size} of them; got shape {weights.shape}."
            )
        self._weights = np.broadcast_to(weights, self.size)
        self._factors = {}
        self.bounds = self._spectrum_bounds()

    def multiply(self, values):
        """Return W^{-1} K u."""
        flat = values.reshape(self.size, -1)
        return (self._matrix @ flat / self._weights[:, None]).reshape(values.shape)

    def solve(self, shift, values, count=1):
        """Return (A + t)^{-1} u; the factorisation is kept if `count` like it have room."""
        factor = self._factors.get(shift)
        if factor is None:
            factor = self._factor(shift)
            if count * factor.nnz <= _KEPT_ENTRIES:
                self._factors[shift] = factor
        flat = self._weights[:, None] * values.reshape(self.size, -1)
        return factor.solve(flat).reshape(values.shape)

    def _factor(self, shift):
        """Factor K + tW with pivots on the diagonal, whose signs are then those of its eigenvalues."""
        shifted = scipy.sparse.csc_array(self._matrix + shift * scipy.sparse.diags_array(self._weights))
        try:
            return scipy.sparse.linalg.splu(
                shifted,
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True, "Equil": False},
            )
        except RuntimeError as error:  # exactly singular
            raise NotPositiveDefinite(f"`matrix` is singular (shift {shift:.3g}).") from error

    def _is_positive(self, shift):
        factor = self._factor(shift)
        on_diagonal = np.array_equal(factor.perm_r, factor.perm_c)
        return on_diagonal and bool((factor.U.diagonal() > 0).all())

    def _spectrum_bounds(self):
        rows = np.bincount(
            self._matrix.indices, weights=np.abs(self._matrix.data), minlength=self.size
        )  # of |K|, which is symmetric
        upper = float((rows / self._weights).max())
        if upper == 0 or not self._is_positive(0.0):
            raise NotPositiveDefinite(
                "`matrix` is not positive definite: it has a pivot that is not positive."
            )
        lower = 0.9 * self._smallest_eigenvalue()
        if lower < self.size * _EPS * upper:
            raise NotPositiveDefinite(
                f"`matrix` is singular to working precision: its smallest eigenvalue is about {lower:.2g}, "
                f"its largest at most {upper:.2g}."
            )
        while not self._is_positive(-lower):  # the estimate had not converged
            lower /= 2
        return lower, upper

    def _smallest_eigenvalue(self):
        """Estimate it from above, by inverse iteration in a Krylov space."""
        if self.size < 32:
            return scipy.linalg.eigh(self._matrix.toarray(), np.diag(self._weights), eigvals_only=True)[0]
        root = np.sqrt(self._weights)
        inverse = scipy.sparse.linalg.LinearOperator(
            (self.size, self.size),
            matvec=lambda v: root * self.solve(0.0, v.ravel() / root),
            dtype=float,
        )
        start = np.random.default_rng(0).normal(size=self.size)
        largest = scipy.sparse.linalg.eigsh(inverse, k=1, v0=start, tol=1e-2, return_eigenvectors=False)
        return 1 / float(largest[0])


def _symmetric_sparse(matrix):
    if not scipy.sparse.issparse(matrix):
        raise InvalidInput(f"`matrix` must be a scipy.sparse array; got {type(matrix).__name__}.")
    if matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InvalidInput(f"`matrix` must be square; got shape {matrix.shape}.")
    matrix = scipy.sparse.csc_array(matrix)
    finite_array(matrix.data, "matrix")
    matrix = matrix.astype(float)
    asymmetry = abs(matrix - matrix.T).max()
    if asymmetry > 1e-12 * abs(matrix).max():
        raise InvalidInput(f"`matrix` must be symmetric; it differs from its transpose by {asymmetry:.3g}.")
    return matrix


@lru_cache(maxsize=64)
def fit_negative_power(beta, condition, tolerance):
    """Return t, c and a bound on max |λ^β r(λ) - 1| over 1 <= λ <= condition, r(λ) = Σ c_j/(λ + t_j).

    The bound holds between the samples too. In x = log λ the error e is analytic in the strip
    |Im x| <= π/2 and there at most 1 + 2Σ|φ_j|, φ_j = c_j t_j^{β-1}, since |λ + t| >= (|λ| + t)/2 for
    Re λ >= 0 and λ^β t^{1-β} <= λ + t. Its Chebyshev polynomial of degree m is therefore within
    2(1 + 2Σ|φ_j|) ρ^{-m}/(ρ - 1) of it, ρ the Bernstein ellipse in the strip; and a polynomial of degree m
    is nowhere above 1/cos(π/8) times its largest value on 4m Chebyshev points (Ehlich & Zeller 1964).

    Raises
    ------
    ConvergenceError
        If the bound stays above the tolerance with up to 128 poles.
    """
    condition = max(condition, 2.0)
    half = math.log(condition) / 2
    rho = math.pi / 2 / half + math.hypot(1.0, math.pi / 2 / half)
    degree = math.ceil(math.log(1e4 / ((rho - 1) * tolerance)) / math.log(rho))
    angles = np.pi / (4 * degree) * (np.arange(4 * degree) + 0.5)
    samples = np.exp(half * (1 + np.cos(angles)))[:, None]
    best = math.inf
    # β = 1/2 needs half as many as this, no other more than it and a few.
    expected = math.log(4 / tolerance) * math.log(16 * condition) / math.pi**2
    for n in range(max(4, int(expected / 8) * 4), min(int(2 * expected) + 8, _MOST_POLES) + 1, 4):
        t = stieltjes_poles(condition, n)
        basis = samples**beta * t ** (1 - beta) / (samples + t)
        phi = np.linalg.lstsq(basis, np.ones(len(samples)), rcond=None)[0]
        size = 1 + 2 * np.abs(phi).sum()
        between = 2 * size * rho**-degree / (rho - 1)
        seen = np.abs(basis @ phi - 1).max() + len(t) * _EPS * size
        bound = (seen + between) / math.cos(math.pi / 8) + between
        if bound <= tolerance:
            return t, phi * t ** (1 - beta), float(bound)
        if bound > 0.9 * best:  # further poles only add rounding
            break
        best = bound
    raise ConvergenceError(
        f"`tolerance` {tolerance:.2g} is not reached for the power {-beta:g} on a spectrum of condition "
        f"{condition:.2g} with {n} poles; the best is {best:.2g}."
    )


def stieltjes_poles(condition, n):
    """Return the n numbers t_j > 0 for which -t_j are Zolotarev's poles of [1, condition] and (-∞, 0].

    A Möbius map takes the two to [a, 1] and [-1, -a], where the poles are -dn((2j - 1)K/2n) of
    complementary modulus a.
    """
    b = condition
    delta = math.sqrt(b * (b - 1))
    gap = b / (delta + b)  # b - delta, without cancellation
    a = (1 - gap) / (delta + b - 1)
    quarter_period = scipy.special.ellipkm1(a * a)
    u = (2 * np.arange(1, n + 1) - 1) / (2 * n) * quarter_period
    # dn(u) dn(K - u) = a; near K, dn itself would lose its digits.
    near = scipy.special.ellipj(np.minimum(u, quarter_period - u), 1 - a * a)[2]
    dn = np.where(2 * u <= quarter_period, near, a / near)
    return (dn * (delta + b) - gap) / (1 - dn)
