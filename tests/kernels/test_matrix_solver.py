"""Systems and low-rank factors of matrix-valued kernels against the dense Gram matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.kernels import Gaussian, Linear, Matern, MatrixKernel, gram_solver, matrix_solver

ULP = np.finfo(float).eps
COUPLING = np.array([[2.0, 1.0, 0.0], [1.0, 1.5, -0.5], [0.0, -0.5, 1.0]])
SINGULAR = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
X = np.random.default_rng(0).random((25, 2))
B = np.random.default_rng(1).standard_normal((25, 3))

SEPARABLE = MatrixKernel(COUPLING, Matern(1.5))
TWO_TERMS = SEPARABLE + MatrixKernel(SINGULAR, Matern(0.5, 0.3))


@pytest.mark.parametrize(
    ("kernel", "jitter", "method"),
    [
        (SEPARABLE, 0.0, "kronecker"),
        (SEPARABLE, 0.3, "kronecker"),
        (MatrixKernel(SINGULAR, Matern(0.5)), 0.1, "kronecker"),
        (TWO_TERMS, 0.0, "cholesky"),
        (TWO_TERMS, 0.2, "cholesky"),
    ],
    ids=["separable", "with jitter", "singular", "two terms", "two terms with jitter"],
)
def test_solutions_and_whitening_are_those_of_the_dense_matrix(kernel, jitter, method):
    dense = kernel.gram(X) + jitter * np.eye(75)
    solver = kernel.solver(X, jitter)
    assert (solver.method, solver.jitter) == (method, jitter)
    a = solver.solve(B)
    residual = kernel.matvec(X, X, a) + jitter * a - B
    assert np.abs(residual).max() < 75 * ULP * np.linalg.norm(dense, 2) * np.abs(a).max()
    exact = np.linalg.solve(dense, B.ravel())
    bound = 75 * ULP * np.linalg.cond(dense) * np.linalg.norm(exact)
    assert np.linalg.norm(kernel.solve(X, B, jitter).ravel() - exact) < bound
    energy = np.sum(solver.whiten(B) ** 2)
    assert energy == pytest.approx(B.ravel() @ exact, rel=75 * ULP * np.linalg.cond(dense))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(-8, 0))
def test_the_kronecker_solution_is_the_dense_one(seed, m, log_jitter):
    """(K ⊗ B + δ I) a = b for a random coupling, of any rank."""
    rng = np.random.default_rng(seed)
    C = rng.standard_normal((m, int(rng.integers(1, m + 1))))
    coupling, jitter = C @ C.T, 10.0**log_jitter
    coupling = 0.5 * (coupling + coupling.T)
    kernel, points, b = MatrixKernel(coupling, Matern(1.5, 0.4)), rng.random(9), rng.standard_normal((9, m))
    dense = kernel.gram(points) + jitter * np.eye(9 * m)
    exact = np.linalg.solve(dense, b.ravel())
    bound = 100 * m * ULP * np.linalg.cond(dense) * np.linalg.norm(exact)
    assert np.linalg.norm(kernel.solve(points, b, jitter).ravel() - exact) <= bound


def test_conjugate_gradients_agree_with_cholesky(monkeypatch):
    direct = TWO_TERMS.solve(X, B, 1e-2)
    for module in (gram_solver, matrix_solver):
        monkeypatch.setattr(module, "LARGEST_CHOLESKY", 20)
    for kernel in (TWO_TERMS, SEPARABLE):
        solver = kernel.solver(X, 1e-2)
        a = solver.solve(B)
        residual = kernel.matvec(X, X, a) + 1e-2 * a - B
        # Along each eigenvector of the coupling the residual is met in the eigenvalue's unit.
        assert np.linalg.norm(residual) < 1e-9 * np.linalg.norm(B)
    assert TWO_TERMS.solver(X, 1e-2).method == "conjugate gradients"
    np.testing.assert_allclose(TWO_TERMS.solve(X, B, 1e-2), direct, atol=1e-7 * np.abs(direct).max())
    with pytest.raises(InvalidInput, match="`whiten` needs a factor"):
        TWO_TERMS.solver(X, 1e-2).whiten(B)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(-8, -1))
def test_low_rank_trace_error_is_the_trace_of_the_error(seed, log_tolerance):
    points, tolerance = np.random.default_rng(seed).random((40, 2)), 10.0**log_tolerance
    for kernel in (SEPARABLE, TWO_TERMS):
        G = kernel.gram(points)
        F, pivots, trace_error = kernel.low_rank(points, tolerance)
        error = G - F @ F.T
        assert trace_error == pytest.approx(np.trace(error), abs=120 * ULP * np.trace(G))
        assert trace_error <= tolerance * np.trace(G)
        assert np.linalg.eigvalsh(error)[0] > -120 * ULP * np.trace(G)
        assert len(pivots) * 3 >= F.shape[1]


def test_a_coupling_of_rank_one_has_a_factor_of_the_scalar_rank():
    kernel = MatrixKernel(np.ones((3, 3)), Linear())
    assert kernel.low_rank(X, 1e-14).factor.shape == (75, 2)


def test_jitter_is_the_smallest_that_serves():
    twice = np.concatenate([X[:5], X[:5]])
    for kernel in (MatrixKernel(COUPLING, Gaussian()), TWO_TERMS, MatrixKernel(SINGULAR, Matern(0.5))):
        with pytest.raises(NotPositiveDefinite):
            kernel.solver(twice)
        solver = kernel.solver(twice, jitter="smallest")
        assert 0.0 < solver.jitter < 1e-12 * np.trace(kernel.gram(twice))
        b = kernel.matvec(twice, twice, np.ones((10, 3)))
        residual = kernel.matvec(twice, twice, solver.solve(b)) - b
        assert np.abs(residual).max() < 1e-10 * np.abs(b).max()


def test_bad_input():
    with pytest.raises(NotPositiveDefinite, match="`B` is singular"):
        MatrixKernel(SINGULAR, Matern(0.5)).solver(X)
    with pytest.raises(InvalidInput, match=r"`b` must have shape \(25, 3\); got \(3, 25\)"):
        SEPARABLE.solve(X, B.T)
    with pytest.raises(InvalidInput, match="`jitter` must be a number or 'smallest'"):
        SEPARABLE.solver(X, "least")
    with pytest.raises(InvalidInput, match="`jitter` must not be negative"):
        TWO_TERMS.solver(X, -1.0)
    with pytest.raises(InvalidInput, match="`X` must be finite"):
        SEPARABLE.solver([[0.0, np.nan]])
