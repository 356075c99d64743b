"""Least-squares solvers: against mpmath by condition number, against each other, and their error bounds."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.gradients.least_squares import solve_least_squares, triangular_factor
from funcgrad.gradients.solvers import matrix as solver_matrix
from funcgrad.gradients.solvers import solve_by_lsmr

EPS = np.finfo(float).eps


def drawn_problem(rng, m, p, log_condition, log_residual):
    """A of the given condition number, and r with a relative 10^log_residual outside its range."""
    k = min(m, p)
    u, _ = np.linalg.qr(rng.normal(size=(m, k)))
    v, _ = np.linalg.qr(rng.normal(size=(p, k)))
    sigma = 10.0 ** -np.linspace(0, log_condition, k)
    a = (u * sigma) @ v.T
    eta = v @ rng.normal(size=k)
    outside = rng.normal(size=m)
    outside -= u @ (u.T @ outside)
    image = a @ eta
    if np.linalg.norm(outside) > 1e-8:
        outside *= np.linalg.norm(image) / np.linalg.norm(outside)
    return a, image + 10.0**log_residual * outside


def exact_solution(a, r, damping=0.0):
    """Least squares in 60 digits: of AᵀAη = Aᵀr, or of least norm η = Aᵀ(AAᵀ)⁻¹r for M < p."""
    m, p = a.shape
    with mpmath.workdps(60):
        big, right = mpmath.matrix(a.tolist()), mpmath.matrix(r.tolist())
        if m >= p:
            solution = mpmath.lu_solve(big.T * big + mpmath.mpf(damping) * mpmath.eye(p), big.T * right)
        else:
            solution = big.T * mpmath.lu_solve(big * big.T + mpmath.mpf(damping) * mpmath.eye(m), right)
        return np.array([float(entry) for entry in solution])


def solved(a, r, damping=0.0, solver="qr"):
    """By one solver; "lsmr" until its Krylov space is exhausted, where its bound covers everything."""
    if solver == "lsmr":
        return solve_by_lsmr(a, r, damping, tolerance=0.0)
    return solve_least_squares(a, r, damping, solver=solver)


def relative_error(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


problems = given(
    seed=st.integers(0, 10**6),
    log_condition=st.floats(0, 12),
    log_residual=st.floats(-16, 0),
    p=st.integers(1, 7),
    extra=st.integers(0, 12),
    solver=st.sampled_from(["qr", "cholesky", "lsmr", "auto"]),
)


@problems
def test_the_error_bound_holds(seed, log_condition, log_residual, p, extra, solver):
    """|δη| / |η| <= κε + κ²ερ up to cond 1e12, for every solver."""
    a, r = drawn_problem(np.random.default_rng(seed), p + extra, p, log_condition, log_residual)
    found = solved(a, r, solver=solver)
    assert found.rank == p or solver == "lsmr"  # one direction is enough where singular values coincide
    assert relative_error(found.solution, exact_solution(a, r)) <= found.error_bound


@problems
def test_the_error_bound_holds_with_damping(seed, log_condition, log_residual, p, extra, solver):
    rng = np.random.default_rng(seed)
    a, r = drawn_problem(rng, p + extra, p, log_condition, log_residual)
    damping = 10.0 ** rng.uniform(-20, 1)
    found = solved(a, r, damping, solver)
    assert relative_error(found.solution, exact_solution(a, r, damping)) <= found.error_bound


@pytest.mark.parametrize("solver", ["qr", "cholesky", "lsmr"])
def test_the_error_bound_holds_for_many_rows(solver):
    """Whole numbers, whose normal equations are exact in float64; 50,000 rows, cond 7·10⁴."""
    rng = np.random.default_rng(9)
    a = rng.integers(-20, 21, size=(50_000, 4)).astype(float)
    a[:, 3] = 40 * a[:, 0] + 15 * a[:, 1] + (np.arange(50_000) % 9 == 0)
    r = a @ [3.0, -2.0, 1.0, 5.0] + rng.integers(-50, 51, size=50_000)
    with mpmath.workdps(40):
        exact = mpmath.lu_solve(mpmath.matrix((a.T @ a).tolist()), mpmath.matrix((a.T @ r).tolist()))
        exact = np.array([float(entry) for entry in exact])
    found = solved(a, r, solver=solver)
    assert 6e4 < found.condition < 7e4
    assert relative_error(found.solution, exact) <= found.error_bound < 1e-5


@given(seed=st.integers(0, 10**6), log_condition=st.floats(0, 12), p=st.integers(1, 12))
def test_a_gradient_in_the_tangent_space_is_found_to_100_ulp_of_the_condition(seed, log_condition, p):
    """Where ∇F lies in the tangent space (ρ <= 1/κ) the error is 100·ulp·cond(SJ), not its square."""
    a, r = drawn_problem(np.random.default_rng(seed), 2 * p + 3, p, log_condition, -log_condition - 1)
    found = solve_least_squares(a, r)
    kappa = 10.0**log_condition if p > 1 else 1.0
    assert relative_error(found.solution, exact_solution(a, r)) <= 100 * EPS * kappa
    assert found.condition == pytest.approx(kappa, rel=100 * EPS * kappa + 1e-12)


@given(seed=st.integers(0, 10**6), log_condition=st.floats(0, 5.9), m=st.integers(1, 6))
def test_the_kernel_solution_has_least_norm_and_keeps_its_bound(seed, log_condition, m):
    """η = Aᵀ(AAᵀ)⁻¹r for fewer rows than parameters, with an error of κ and not κ²."""
    a, r = drawn_problem(np.random.default_rng(seed), m, m + 3, log_condition, -16)
    exact = exact_solution(a, r)
    found = solve_least_squares(a, r, solver="auto")
    assert found.solver == "kernel"
    assert relative_error(found.solution, exact) <= found.error_bound
    for other in ("qr", "lsmr"):
        same = solved(a, r, solver=other)
        assert relative_error(same.solution, exact) <= same.error_bound


@given(seed=st.integers(0, 10**6), solver=st.sampled_from(["qr", "cholesky", "lsmr"]))
def test_diagnostics_are_those_of_a_dense_decomposition(seed, solver):
    """Rank, singular values, residual, length and slope, by numpy's SVD of A itself."""
    rng = np.random.default_rng(seed)
    a, r = drawn_problem(rng, 14, 5, rng.uniform(0, 3), rng.uniform(-3, 0))
    damping = 10.0 ** rng.uniform(-8, 1)
    found = solved(a, r, damping, solver)
    eta = np.linalg.solve(a.T @ a + damping * np.eye(5), a.T @ r)
    image = a @ eta
    np.testing.assert_allclose(found.singular_values, np.linalg.svd(a, compute_uv=False), rtol=1e-8)
    assert found.residual == pytest.approx(np.linalg.norm(r - image) / np.linalg.norm(r), abs=1e-9)
    assert found.length == pytest.approx(np.linalg.norm(image), rel=1e-9)
    assert found.slope == pytest.approx(r @ image, rel=1e-9)
    assert found.solver == solver


def test_qr_of_blocks_is_qr_of_the_whole(monkeypatch):
    """R is unique up to the signs of its rows; 9 blocks, the last one short."""
    monkeypatch.setattr(solver_matrix, "BLOCK_ENTRIES", 60)
    rng = np.random.default_rng(3)
    a, r = rng.normal(size=(100, 5)), rng.normal(size=100)
    assert len(solver_matrix.DenseMatrix(a).blocks) == 9
    (whole,) = scipy.linalg.qr(np.column_stack([a, r]), mode="r")
    blocked = triangular_factor(a, r)
    np.testing.assert_allclose(np.abs(blocked), np.abs(whole[:6]), rtol=1e-12, atol=1e-13)
    for solver in ("qr", "cholesky", "lsmr"):
        found = solve_least_squares(a, r, solver=solver)
        np.testing.assert_allclose(found.solution, np.linalg.lstsq(a, r, rcond=None)[0], rtol=1e-12)


def test_degenerate_problems_have_least_norm_and_their_rank():
    """The pseudo-inverse, by qr and lsmr; cholesky and kernel give the problem to qr and say so."""
    rng = np.random.default_rng(4)
    a = rng.normal(size=(20, 3)) @ rng.normal(size=(3, 6))
    r = rng.normal(size=20)
    exact = np.linalg.pinv(a, rcond=1e-10) @ r
    for solver in ("qr", "cholesky", "lsmr"):
        found = solve_least_squares(a, r, solver=solver)
        np.testing.assert_allclose(found.solution, exact, rtol=1e-9, err_msg=solver)
        assert found.rank == 3
        assert relative_error(found.solution, exact) <= found.error_bound
    assert solve_least_squares(a, r, solver="cholesky").solver == "qr"
    assert "forbids 'cholesky'" in solve_least_squares(a, r, solver="cholesky").reason
    wide = solve_least_squares(a.T @ np.ones((20, 9)), rng.normal(size=6), solver="kernel")
    assert wide.solver == "qr"
    assert "forbids 'kernel'" in wide.reason


@given(seed=st.integers(0, 10**6), rank=st.integers(1, 4), log_gap=st.floats(0.5, 8))
def test_the_error_bound_of_a_cut_off_knows_the_gap(seed, rank, log_gap):
    """Truncation at a gap of the spectrum, against mpmath's SVD."""
    rng = np.random.default_rng(seed)
    u, _ = np.linalg.qr(rng.normal(size=(9, 5)))
    v, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    sigma = np.where(np.arange(5) < rank, 1.0, 10.0**-log_gap) * np.linspace(1, 0.8, 5)
    a, r = (u * sigma) @ v.T, rng.normal(size=9)
    found = solve_least_squares(a, r, rcond=10.0 ** (-log_gap / 2))
    assert found.rank == rank
    with mpmath.workdps(40):
        left, values, right = mpmath.svd_r(mpmath.matrix(a.tolist()))
        coordinates = left.T * mpmath.matrix(r.tolist())
        exact = np.array(
            [float(sum(coordinates[k] / values[k] * right[k, j] for k in range(rank))) for j in range(5)]
        )
    assert relative_error(found.solution, exact) <= found.error_bound


def test_cholesky_beyond_its_condition_is_refused_and_within_is_as_good_as_gelsd():
    """Without corrections the error would be cond² ulp: 1e-6 here."""
    rng = np.random.default_rng(5)
    a, r = drawn_problem(rng, 400, 30, 5.0, -5.0)
    found = solve_least_squares(a, r, solver="cholesky")
    peer = scipy.linalg.lstsq(a, r, lapack_driver="gelsd")[0]
    assert found.solver == "cholesky"
    assert relative_error(found.solution, peer) < 1e-11
    plain = scipy.linalg.cho_solve(scipy.linalg.cho_factor(a.T @ a), a.T @ r)
    assert relative_error(plain, peer) > 1e-9
    worse, right = drawn_problem(rng, 400, 30, 7.0, -5.0)
    assert solve_least_squares(worse, right, solver="cholesky").solver == "qr"
    assert solve_least_squares(a, r, solver="cholesky", rcond=1e-3).rank < 30


def test_lsmr_against_scipy():
    """The same minimiser, in at most p steps where scipy's needs thousands for lost orthogonality."""
    rng = np.random.default_rng(6)
    a, r = drawn_problem(rng, 200, 40, 3.0, -1.0)
    peer = scipy.sparse.linalg.lsmr(a, r, damp=0.01, atol=1e-14, btol=1e-14, conlim=0, maxiter=10_000)[0]
    found = solve_least_squares(a, r, damping=1e-4, solver="lsmr")
    np.testing.assert_allclose(found.solution, peer, rtol=0, atol=1e-9 * np.linalg.norm(peer))
    assert len(found.singular_values) <= 40


def test_lsmr_stops_early_where_few_directions_matter():
    """A spectrum of three clusters needs three steps."""
    rng = np.random.default_rng(7)
    u, _ = np.linalg.qr(rng.normal(size=(90, 60)))
    v, _ = np.linalg.qr(rng.normal(size=(60, 60)))
    a = (u * np.repeat([1.0, 0.5, 0.1], 20)) @ v.T
    found = solve_least_squares(a, rng.normal(size=90), solver="lsmr")
    assert len(found.singular_values) <= 5


@given(seed=st.integers(0, 10**6), log_damping=st.floats(-6, 0))
def test_the_bound_of_an_early_stop_holds_with_damping_and_is_infinite_without(seed, log_damping):
    """|δη| <= |gradient| / λ."""
    a, r = drawn_problem(np.random.default_rng(seed), 30, 12, 5.0, 0.0)
    damping = 10.0**log_damping
    found = solve_by_lsmr(a, r, damping, tolerance=1e-4)
    assert len(found.singular_values) < 12
    assert relative_error(found.solution, exact_solution(a, r, damping)) <= found.error_bound < np.inf
    assert solve_by_lsmr(a, r, tolerance=1e-4).error_bound == np.inf


def test_zero_right_side_and_zero_matrix():
    for solver in ("qr", "cholesky", "lsmr"):
        still = solve_least_squares(np.eye(4)[:, :2], np.zeros(4), solver=solver)
        np.testing.assert_array_equal(still.solution, 0)
        assert still.residual == 0
        nothing = solve_least_squares(np.zeros((4, 2)), np.ones(4), solver=solver)
        np.testing.assert_array_equal(nothing.solution, 0)
        assert nothing.rank == 0
        assert nothing.residual == 1


def test_the_choice_is_by_shape_and_said():
    rng = np.random.default_rng(8)
    tall = solve_least_squares(rng.normal(size=(9, 3)), np.ones(9), solver="auto")
    assert (tall.solver, tall.reason) == ("qr", "9 rows, at least as many as the 3 parameters")
    wide = solve_least_squares(rng.normal(size=(3, 9)), np.ones(3), solver="auto")
    assert (wide.solver, wide.reason) == ("kernel", "3 rows, fewer than the 9 parameters")
    forced = solve_least_squares(rng.normal(size=(9, 3)), np.ones(9), solver="kernel")
    assert forced.solver == "qr"
    assert "at most as many rows" in forced.reason
    with pytest.raises(InvalidInput, match="unknown solver 'choleski'; did you mean 'cholesky'"):
        solve_least_squares(np.eye(2), np.ones(2), solver="choleski")
