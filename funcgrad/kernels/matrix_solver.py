"""Systems with Gram matrices of matrix-valued kernels, by their Kronecker structure where they have one."""

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.kernels.gram_solver import (
    LARGEST_CHOLESKY,
    GramSolver,
    LowRank,
    cholesky_with_jitter,
    conjugate_gradients,
    given_jitter,
    jitters_to_try,
    low_rank_preconditioner,
)

_ULP = np.finfo(float).eps


class MatrixGramSolver:
    """Solves (G + jitter I) a = b, G = Σ_q K_q ⊗ B_q, factored once; made by `MatrixKernel.solver`.

    Attributes
    ----------
    jitter : float
        What was added to the diagonal; 0 unless asked for.
    method : {"kronecker", "cholesky", "conjugate gradients"}
        A single term K ⊗ B is taken apart along B's eigenvectors into systems of N unknowns; a sum is
        factored as it stands up to 8192 unknowns, and beyond left to conjugate gradients.
    """

    def __init__(self, kernel, X, jitter=0.0):
        self._shape = (len(X), kernel.n_components)
        if len(kernel.terms) == 1:
            self.method = "kronecker"
            trace = np.trace(kernel.terms[0][0]) * kernel.terms[0][1].gram_diagonal(X).sum()
            self._parts, self.jitter = _first_definite(
                lambda added: _EigenvectorSystems(*kernel.terms[0], X, added), jitter, trace
            )
        elif len(X) * kernel.n_components <= LARGEST_CHOLESKY:
            self.method = "cholesky"
            factor, self.jitter = cholesky_with_jitter(kernel.gram(X), jitter, kernel)
            self._parts = _Factor(factor)
        else:
            self.method, self.jitter = "conjugate gradients", given_jitter(jitter)
            self._parts = _Iteration(kernel, X, self.jitter)

    def solve(self, b):
        """Return a for a right side of shape (N, m)."""
        return self._parts.solve(self._right_side(b))

    def whiten(self, b):
        """Return R b with RᵀR = (G + jitter I)^{-1}, (N, m); not for conjugate gradients."""
        if self.method == "conjugate gradients":
            raise InvalidInput(f"`whiten` needs a factor: at most {LARGEST_CHOLESKY} unknowns.")
        return self._parts.whiten(self._right_side(b))

    def _right_side(self, b):
        b = finite_array(b, "b")
        if b.shape != self._shape:
            raise InvalidInput(f"`b` must have shape {self._shape}; got {b.shape}.")
        return b


class _EigenvectorSystems:
    """K ⊗ B + δ I along B's eigenvectors q_c: the systems λ_c K + δ I = λ_c (K + δ/λ_c I)."""

    def __init__(self, B, kernel, X, jitter):
        self.eigenvalues, self.eigenvectors = np.linalg.eigh(B)
        null = self.eigenvalues <= len(B) * _ULP * self.eigenvalues[-1]
        if null.any() and jitter == 0.0:
            raise NotPositiveDefinite(
                f"`B` is singular (eigenvalue {self.eigenvalues[0]:.1e}), and with it the Gram matrix; give "
                "a `jitter`."
            )
        self.jitter, solvers = jitter, {}
        self.solvers = [None] * len(B)
        for c in np.flatnonzero(~null):
            added = jitter / self.eigenvalues[c]
            if added not in solvers:
                solvers[added] = GramSolver(kernel, X, added)
            self.solvers[c] = solvers[added]

    def _systems(self, b):
        return zip((b @ self.eigenvectors).T, self.eigenvalues, self.solvers, strict=True)

    def solve(self, b):
        columns = [
            column / self.jitter if solver is None else solver.solve(column) / eigenvalue
            for column, eigenvalue, solver in self._systems(b)
        ]
        return np.stack(columns, axis=1) @ self.eigenvectors.T

    def whiten(self, b):
        columns = [
            column / np.sqrt(self.jitter) if solver is None else solver.whiten(column) / np.sqrt(eigenvalue)
            for column, eigenvalue, solver in self._systems(b)
        ]
        return np.stack(columns, axis=1)


class _Factor:
    """G + δ I = L Lᵀ."""

    def __init__(self, factor):
        self.factor = factor

    def solve(self, b):
        return cho_solve((self.factor, True), b.ravel()).reshape(b.shape)

    def whiten(self, b):
        return solve_triangular(self.factor, b.ravel(), lower=True).reshape(b.shape)


class _Iteration:
    """Preconditioned conjugate gradients on the matrix-free product."""

    def __init__(self, kernel, X, jitter):
        self.kernel, self.points, self.jitter = kernel, X, jitter
        self.precondition = low_rank_preconditioner(low_rank_of_sum(kernel.terms, X, 1e-3), jitter)

    def solve(self, b):
        def product(v):
            v = v.reshape(b.shape)
            return (self.kernel.matvec(self.points, self.points, v) + self.jitter * v).ravel()

        return conjugate_gradients(product, self.precondition, b.ravel(), self.kernel).reshape(b.shape)


def _first_definite(make, jitter, trace):
    """Return make(δ) and δ for the first jitter with which the matrix is positive definite."""
    tries = jitters_to_try(jitter, trace)
    for added in tries[:-1]:
        try:
            return make(added), added
        except NotPositiveDefinite:
            continue
    return make(tries[-1]), tries[-1]


def low_rank_of_sum(terms, X, tolerance):
    """Return the `LowRank` factor [F_1 ⊗ C_1, F_2 ⊗ C_2, ...], K_q ≈ F_q F_qᵀ, B_q = C_q C_qᵀ.

    trace(K ⊗ B) = trace(K) trace(B): a relative error of the trace in each term is that of the whole.
    """
    factors, pivots, trace_error = [], [], 0.0
    for B, kernel in terms:
        F, chosen, error = kernel.low_rank(X, tolerance)
        eigenvalues, eigenvectors = np.linalg.eigh(B)
        kept = eigenvalues > len(B) * _ULP * eigenvalues[-1]
        factors.append(np.kron(F, eigenvectors[:, kept] * np.sqrt(eigenvalues[kept])))
        pivots.append(chosen)
        trace_error += error * np.trace(B)
    return LowRank(np.hstack(factors), np.concatenate(pivots), trace_error)
