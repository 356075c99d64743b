"""Least squares for the natural gradient: min |A η - r| with the whitened Jacobian A."""

from dataclasses import replace

from funcgrad._checks import one_of
from funcgrad.gradients.solvers import (
    LeastSquares,
    reduced,
    solve_by_cholesky,
    solve_by_kernel,
    solve_by_kronecker,
    solve_by_lsmr,
    triangular_factor,
)
from funcgrad.gradients.solvers.cholesky import LARGEST_CONDITION

__all__ = ["SOLVERS", "LeastSquares", "solve_least_squares", "triangular_factor"]

SOLVERS = ("auto", "qr", "cholesky", "kernel", "lsmr", "kronecker")

# Above this many unknowns, R and its singular vectors (3 GB) are too many: products only.
_LARGEST_FACTOR = 12_000
# From this many multiplications on, and this many rows a parameter, normal equations are tried first: where
# they are refused, the time they took is a third of what QR takes.
_LARGE, _TALL = 10**9, 4


def solve_least_squares(a, r, damping=0.0, rcond=None, solver="qr"):
    """Return the `LeastSquares` solution of min |A η - r|² + damping |η|².

    The error grows with cond(A), not with its square as for the normal equations AᵀA η = Aᵀr.

    Parameters
    ----------
    a : ndarray (M, p), or a matrix given by blocks and products (see `solvers.matrix`)
    r : ndarray, (M,)
    damping : float
        Added to the squared singular values.
    rcond : float, optional
        Singular values up to rcond times the largest count as zero; max(M, p)·2⁻⁵² by default.
    solver : {"qr", "cholesky", "kernel", "lsmr", "kronecker", "auto"}
        ==========  ==========================================================================
        "qr"        Householder QR of [A r] over blocks of rows, then the SVD of R
        "cholesky"  AᵀA, with corrections from the residual; where cond(A) <= 1e6, else "qr"
        "kernel"    AAᵀ, with corrections; for M <= p, where cond(A) <= 1e6, else "qr"
        "lsmr"      products with A and Aᵀ only
        "kronecker" an approximation, for `WhitenedJacobian`s of layered models (`solvers.kronecker`)
        "auto"      "qr" for M >= p ("cholesky" first where M p² > 10⁹), "kernel" for M < p, "lsmr"
                    above 12,000 unknowns of both kinds
        ==========  ==========================================================================

        What was used, and why, is in the result.
    """
    one_of(solver, SOLVERS, "solver")
    if solver == "kronecker":  # before the shape, which may ask for the whole of A
        return solve_by_kronecker(a, r, damping, rcond, "asked for")
    m, p = a.shape
    chosen, reason = (solver, "asked for") if solver != "auto" else _choice(m, p)
    if chosen == "kernel" and m > p:
        chosen, reason = "qr", f"`kernel` needs at most as many rows as parameters: {m} rows, {p} parameters"
    if chosen == "lsmr":
        return solve_by_lsmr(a, r, damping, rcond, reason=reason)
    if chosen in ("cholesky", "kernel"):
        solve = solve_by_cholesky if chosen == "cholesky" else solve_by_kernel
        found, condition = solve(a, r, damping, rcond)
        if found is not None:
            return replace(found, reason=reason)
        reason = f"cond {condition:.2g} forbids {chosen!r}, which needs at most {LARGEST_CONDITION:.0e}"
        if rcond is not None:
            reason += f" and below 1/rcond = {1 / rcond:.2g}" if rcond else ""
    return reduced(triangular_factor(a, r), a.shape).solve(damping, rcond, reason)


def _choice(m, p):
    if min(m, p) > _LARGEST_FACTOR:
        return "lsmr", f"{m} rows and {p} parameters are too many to factor"
    if m < p:
        return "kernel", f"{m} rows, fewer than the {p} parameters"
    if m * p**2 >= _LARGE and m >= _TALL * p:
        return "cholesky", f"{m} rows and {p} parameters are many, and the condition number permits it"
    return "qr", f"{m} rows, at least as many as the {p} parameters"
