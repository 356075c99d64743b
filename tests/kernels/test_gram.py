"""Gram matrices: positive definiteness, low rank, systems, mixed functionals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import ConvergenceError, FuncgradError, InvalidInput, NotPositiveDefinite
from funcgrad.kernels import (
    ArcCosine,
    Evaluations,
    Gaussian,
    IntervalSobolev,
    Matern,
    PeriodicSobolev,
    Polynomial,
    Radial,
    ReLUTangent,
    Sobolev,
    SphereSobolev,
    TensorProduct,
    TorusSobolev,
    functional_gram,
    gram_solver,
)

ULP = np.finfo(float).eps

ON_THE_PLANE = [
    Matern(0.5), Matern(1.5, 0.2), Matern(2.5), Gaussian(0.3), Matern(0.9), Sobolev(3.4, 2), Sobolev(1.02, 2),
    Polynomial(4), ArcCosine(0), ArcCosine(1), ReLUTangent(3), TorusSobolev(1.7, [0.8, 1.3], 0.2),
    Gaussian() * Matern(1.5) + 0.1 * Polynomial(2), TensorProduct(PeriodicSobolev(1.0, 1.0), Sobolev(1.2, 1)),
    TensorProduct(IntervalSobolev(0.7, 0.0, 1.0), IntervalSobolev(1.5, 0.0, 1.0, "dirichlet")),
]  # fmt: skip


@st.composite
def planar_points(draw):
    """Up to 30 points of the unit square with clusters at distances down to 1e-12, and duplicates."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    points = rng.random((draw(st.integers(2, 10)), 2))
    cluster = points[0] + 10.0 ** -draw(st.integers(1, 12)) * rng.random((draw(st.integers(0, 15)), 2))
    copies = points[: draw(st.integers(0, 5))]
    return np.clip(np.concatenate([points, cluster, copies]), 0.0, 1.0)


@pytest.mark.parametrize("kernel", ON_THE_PLANE, ids=repr)
@settings(deadline=None, max_examples=12)
@given(planar_points())
def test_gram_matrices_are_positive_semidefinite(kernel, X):
    """Smallest eigenvalue above -N ulp times the largest, with duplicates and clusters."""
    K = kernel.gram(X)
    np.testing.assert_allclose(K, K.T, rtol=1e-13)
    eigenvalues = np.linalg.eigvalsh(K)
    assert eigenvalues[0] >= -len(X) * ULP * eigenvalues[-1]
    np.testing.assert_allclose(kernel.gram_diagonal(X), np.diag(K), rtol=1e-14)


@pytest.mark.parametrize("kernel", [Matern(1.5), Matern(1.2), Gaussian(0.2), Sobolev(1.9, 3)], ids=repr)
def test_large_compiled_gram_matrices_are_positive_semidefinite(kernel):
    X = np.random.default_rng(0).random((400, 3))
    X[200:250] = X[:50]
    X[250:300] = X[:50] + 1e-9
    eigenvalues = np.linalg.eigvalsh(kernel.gram(X))
    assert eigenvalues[0] >= -len(X) * ULP * eigenvalues[-1]


def test_sphere_gram_matrix_is_positive_semidefinite():
    x = np.random.default_rng(0).standard_normal((150, 3))
    x[50:100] = x[:50] + 1e-7
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for s in (1.05, 2.0, 4.0):
        eigenvalues = np.linalg.eigvalsh(SphereSobolev(s, 0.3).gram(x))
        assert eigenvalues[0] >= -len(x) * ULP * eigenvalues[-1]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(-9, -1))
def test_low_rank_trace_error_is_the_trace_of_the_error(seed, log_tolerance):
    X = np.random.default_rng(seed).random((60, 2))
    kernel, tolerance = Matern(2.5, 0.7), 10.0**log_tolerance
    F, pivots, trace_error = kernel.low_rank(X, tolerance)
    error = kernel.gram(X) - F @ F.T
    assert trace_error == pytest.approx(np.trace(error), abs=60 * 60 * ULP)
    assert trace_error <= tolerance * 60
    assert np.abs(error[pivots]).max() < 1e-12
    assert np.linalg.eigvalsh(error)[[0, -1]] == pytest.approx([0, trace_error], abs=trace_error + 1e-13)


def test_low_rank_of_a_finite_rank_kernel_stops_at_its_rank():
    X = np.random.default_rng(0).random((50, 2))
    assert Polynomial(2).low_rank(X, 1e-15).factor.shape == (50, 6)
    with pytest.raises(NotPositiveDefinite, match="pivoted Cholesky left"):
        Radial(lambda r: np.cos(3 * r) + r).low_rank(X, 1e-6)
    with pytest.raises(InvalidInput, match="`tolerance` must be positive"):
        Matern(0.5).low_rank(X, 0.0)


def test_cholesky_solves_and_whitens():
    X = np.linspace(0.0, 3.0, 40)
    kernel, b = Matern(1.5), np.random.default_rng(0).standard_normal((40, 3))
    solver = kernel.solver(X)
    assert (solver.method, solver.jitter) == ("cholesky", 0.0)
    K = kernel.gram(X)
    np.testing.assert_allclose(K @ solver.solve(b), b, atol=40 * ULP * np.linalg.cond(K))
    assert np.array_equal(kernel.solve(X, b[:, 0]), solver.solve(b[:, 0]))
    energy = b[:, 0] @ kernel.solve(X, b[:, 0])
    assert (solver.whiten(b[:, 0]) ** 2).sum() == pytest.approx(energy, rel=1e-8)


def test_jitter_only_if_asked_and_reported():
    X = np.array([0.0, 0.0, 1.0])
    with pytest.raises(NotPositiveDefinite, match="points coincide"):
        Gaussian().solver(X)
    solver = Gaussian().solver(X, jitter="smallest")
    assert 0.0 < solver.jitter < 1e-13
    assert Gaussian().solver(X, jitter=0.5).jitter == 0.5
    np.testing.assert_allclose(
        (Gaussian().gram(X) + 0.5 * np.eye(3)) @ Gaussian().solve(X, X, 0.5), X, atol=1e-15
    )
    assert Gaussian().solver([0.0, 1.0], jitter="smallest").jitter == 0.0
    with pytest.raises(InvalidInput, match="`jitter` must be a number or 'smallest'"):
        Gaussian().solver(X, jitter="some")
    with pytest.raises(InvalidInput, match="`jitter` must not be negative"):
        Gaussian().solver(X, jitter=-1.0)
    with pytest.raises(InvalidInput, match=r"`b` must have shape \(3,\)"):
        solver.solve([1.0])


def test_conjugate_gradients_agree_with_cholesky(monkeypatch):
    X = np.random.default_rng(0).random((300, 2))
    b = np.random.default_rng(1).standard_normal((300, 2))
    kernel = Matern(1.5, 0.5)
    direct = kernel.solve(X, b, jitter=1e-3)
    monkeypatch.setattr(gram_solver, "LARGEST_CHOLESKY", 100)
    solver = kernel.solver(X, jitter=1e-3)
    assert solver.method == "conjugate gradients"
    # The residual is 1e-10, the error at most the condition number (5e5) times that.
    np.testing.assert_allclose(solver.solve(b), direct, atol=1e-6 * np.abs(direct).max())
    residual = kernel.gram(X) @ solver.solve(b[:, 0]) + 1e-3 * solver.solve(b[:, 0]) - b[:, 0]
    assert np.linalg.norm(residual) < 2e-10 * np.linalg.norm(b[:, 0])
    assert np.array_equal(solver.solve(np.zeros(300)), np.zeros(300))
    with pytest.raises(InvalidInput, match="`whiten` needs"):
        solver.whiten(b)
    monkeypatch.setattr(gram_solver, "MOST_STEPS", 30)
    with pytest.raises((ConvergenceError, NotPositiveDefinite), match="`jitter`"):
        Gaussian(2.0).solver(X).solve(b[:, 0])


def test_gram_of_values_derivatives_and_integrals():
    """One call; entries against closed forms in H^2(R), k = (1 + r) e^{-r} / 4."""
    k = Sobolev(2.0, 1)
    nodes, weights = np.polynomial.legendre.leggauss(30)
    integral = Evaluations(1.5 + nodes / 2, weights=weights / 2)  # over (1, 2)
    G = functional_gram(k, [Evaluations([0.0, 0.5]), Evaluations(0.0, derivative=1), integral])
    assert G.shape == (4, 4)
    np.testing.assert_allclose(G, G.T, atol=1e-16)
    # ∫_1^2 (1 + r) e^{-r} dr / 4 = [-(2 + r) e^{-r}]_1^2 / 4; -k'(x) = x e^{-x} / 4 is the derivative's.
    assert G[0, 3] == pytest.approx((3 * np.exp(-1) - 4 * np.exp(-2)) / 4, rel=1e-14)
    assert G[1, 2] == pytest.approx(0.5 * np.exp(-0.5) / 4, rel=1e-14)
    assert G[2, 2] == pytest.approx(0.25, rel=1e-14)
    assert G[2, 3] == pytest.approx((2 * np.exp(-1) - 3 * np.exp(-2)) / 4, rel=1e-14)
    assert np.linalg.eigvalsh(G)[0] > 0
    # Least-norm interpolation of a value, a slope and an integral meets the data.
    coefficients = np.linalg.solve(G, [1.0, 2.0, -1.0, 0.5])
    functionals = [Evaluations([0.0, 0.5]), Evaluations(0.0, derivative=1), integral]
    fit = lambda x: functional_gram(k, Evaluations(x), functionals) @ coefficients  # noqa: E731
    np.testing.assert_allclose(fit([0.0, 0.5]), [1.0, 2.0], atol=1e-13)
    assert (fit([1e-5]) - fit([-1e-5]))[0] / 2e-5 == pytest.approx(-1.0, abs=1e-4)
    with pytest.raises(FuncgradError, match="below order 3"):
        functional_gram(k, Evaluations(0.0, derivative=2))
    with pytest.raises(InvalidInput, match="`weights` must have 2 columns"):
        functional_gram(k, Evaluations([0.0, 1.0], weights=[1.0]))


def test_functionals_in_two_dimensions():
    k, x = Sobolev(4.0, 2), np.array([[0.1, 0.2], [0.4, -0.3]])
    G = functional_gram(k, [Evaluations(x), Evaluations(x, (1, 0)), Evaluations(x, (0, 2))])
    np.testing.assert_allclose(G[2:4, 4:], k.derivative((1, 0), (0, 2)).gram(x), rtol=1e-15)
    assert np.linalg.eigvalsh(G)[0] > 0
