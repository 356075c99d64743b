"""Powers of sparse matrices by rational approximation: the bound, the operator, refusals."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import ConvergenceError, InvalidInput, NotPositiveDefinite
from funcgrad.operators import FiniteDifferenceLaplacian, PowerRoot, RationalPower, sobolev_power
from funcgrad.operators.rational_power import _Pencil, fit_negative_power, stieltjes_poles

EPS = np.finfo(float).eps


@settings(max_examples=40, deadline=None)
@given(
    beta=st.floats(0.01, 0.99),
    decades=st.floats(0, 9),
    tolerance=st.sampled_from([1e-3, 1e-6, 1e-9, 1e-11]),
)
def test_bound_of_the_fit_holds_everywhere(beta, decades, tolerance):
    """|λ^β r(λ) - 1| is below the bound on a mesh far finer than the samples it was fitted on."""
    condition = 10.0**decades
    t, c, bound = fit_negative_power(beta, condition, tolerance)
    x = np.exp(np.linspace(0, np.log(condition), 20_001))[:, None]
    error = np.abs(x[:, 0] ** beta * (c / (x + t)).sum(axis=1) - 1).max()
    assert error <= bound <= tolerance
    assert (t > 0).all()


@pytest.mark.parametrize("condition", [2.0, 50.0, 1e4, 1e8])
def test_poles_are_zolotarevs(condition):
    """Against mpmath's Jacobi dn at 50 digits, where nothing is lost near the quarter period."""
    n = 9
    with mpmath.workdps(50):
        b = mpmath.mpf(condition)
        delta = mpmath.sqrt(b * b - b)
        a = (delta + 1 - b) / (delta - 1 + b)
        K = mpmath.ellipk(1 - a * a)
        expected = []
        for j in range(1, n + 1):
            w = -mpmath.ellipfun("dn", (2 * j - 1) * K / (2 * n), m=1 - a * a)
            expected.append(float(-(w * (delta + b) + b - delta) / (1 + w)))
    # The largest are like 1/(1 - dn), which loses ε/(1 - dn); scipy's dn is of first order in 1 - m next to
    # m = 1, an error of the order √(1 - m) = 1/4κ midway.
    np.testing.assert_allclose(stieltjes_poles(condition, n), expected, rtol=1e-11 + 0.25 / condition)


def test_number_of_poles_follows_zolotarevs_rate():
    """The error decays like exp(-nπ²/log(16κ)), for β = 1/2 like 4 times the square: n within a step of 4."""
    for condition in (1e2, 1e4, 1e6, 1e8):
        per_digit = np.log(16 * condition) / np.pi**2
        assert abs(len(fit_negative_power(0.3, condition, 1e-10)[0]) - np.log(1e10) * per_digit) <= 4
        assert abs(len(fit_negative_power(0.5, condition, 1e-10)[0]) - np.log(4e10) * per_digit / 2) <= 4


def random_pencil(seed, size=40):
    rng = np.random.default_rng(seed)
    K = scipy.sparse.random_array((size, size), density=0.1, rng=rng)
    K = K @ K.T + 0.01 * scipy.sparse.eye_array(size)
    return scipy.sparse.csr_array(K), rng.uniform(0.3, 3, size), rng.normal(size=(size, 3))


@settings(max_examples=25, deadline=None)
@given(s=st.floats(-3, 3), seed=st.integers(0, 2**32 - 1))
def test_power_is_that_of_the_dense_pencil(s, seed):
    """Against the eigenvectors of K v = λ W v, in the weighted norm, within tolerance and rounding."""
    K, w, u = random_pencil(seed)
    eigenvalues, V = scipy.linalg.eigh(K.toarray(), np.diag(w))
    power = RationalPower(K, s, w, tolerance=1e-9)
    lower, upper = power.bounds
    assert lower <= eigenvalues[0] * (1 + 1e-9)
    assert eigenvalues[-1] <= upper * (1 + 1e-9)
    coefficients = V.T @ (w[:, None] * u)
    got = V.T @ (w[:, None] * power.apply(u))
    error = np.linalg.norm(got - eigenvalues[:, None] ** s * coefficients)
    scale = np.linalg.norm(eigenvalues[:, None] ** s * coefficients)
    rounding = 100 * EPS * (eigenvalues[-1] / eigenvalues[0]) ** max(1, abs(s)) * (1 + abs(s))
    assert error <= (power.error_bound + rounding) * scale


def test_whole_powers_are_products_and_solves():
    K, w, u = random_pencil(7)
    A = K.toarray() / w[:, None]
    np.testing.assert_allclose(
        RationalPower(K, 2.0, w).apply(u), A @ A @ u, rtol=0, atol=1e-12 * abs(A).max() ** 2
    )
    np.testing.assert_allclose(A @ RationalPower(K, -1.0, w).apply(u), u, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(RationalPower(K, 0.0, w).apply(u), u)


def test_it_agrees_with_the_fast_transforms():
    """(1 - Δ_h)^s on 50 x 40 nodes, without and with the knowledge of its eigenbasis."""
    laplacian = FiniteDifferenceLaplacian((50, 40), 0.02, ("neumann", "dirichlet"))
    K = scipy.sparse.eye_array(2000) + laplacian.matrix()
    u = np.random.default_rng(0).normal(size=2000)
    for s in (-1.5, -0.5, 0.3, 0.5):
        expected = sobolev_power(laplacian, s).apply(u.reshape(50, 40)).ravel()
        got = RationalPower(K, s, tolerance=1e-11).apply(u)
        assert np.linalg.norm(got - expected) <= 2e-11 * np.linalg.norm(expected)


def test_inverse_and_square_root():
    K, w, u = random_pencil(3)
    power = RationalPower(K, 0.8, w, 1e-11)
    np.testing.assert_allclose(power.inverse.apply(power.apply(u)), u, rtol=0, atol=1e-8)
    half = power.square_root
    np.testing.assert_allclose(half.apply(half.apply(u)), power.apply(u), rtol=0, atol=1e-8)
    S = PowerRoot(power, w)
    expected = np.sum(w[:, None] * u * power.apply(u))
    np.testing.assert_allclose(np.sum(S.apply(u) ** 2), expected, rtol=1e-9)
    np.testing.assert_allclose(S.solve(S.apply(u)), u, rtol=0, atol=1e-8)
    np.testing.assert_allclose(S.apply_transpose(S.solve_transpose(u)), u, rtol=0, atol=1e-8)


def test_lower_bound_is_certified_by_inertia(monkeypatch):
    """Neither a cluster of small eigenvalues nor an estimate ten times too large gives a wrong bound."""
    eigenvalues = np.concatenate([[1.0], 1.001 + 1e-4 * np.arange(60), [1e5]])
    power = RationalPower(scipy.sparse.diags_array(eigenvalues), 0.5)
    assert 0.4 <= power.bounds[0] <= 1.0
    assert power.bounds[1] == 1e5
    monkeypatch.setattr(_Pencil, "_smallest_eigenvalue", lambda self: 10.0)
    assert 0.4 <= RationalPower(scipy.sparse.diags_array(eigenvalues), 0.5).bounds[0] <= 1.0


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (scipy.sparse.diags_array([1.0, -1.0, 2.0]), NotPositiveDefinite, "not positive"),
        (scipy.sparse.csr_array([[0.0, 1.0], [1.0, 0.0]]), NotPositiveDefinite, "`matrix` is"),
        (scipy.sparse.csr_array((3, 3)), NotPositiveDefinite, "`matrix` is"),
        (FiniteDifferenceLaplacian((9, 9), 0.1, "neumann").matrix(), NotPositiveDefinite, "`matrix` is"),
        (scipy.sparse.diags_array([1.0, 1e-18]), NotPositiveDefinite, "working precision"),
        (np.eye(3), InvalidInput, "scipy.sparse"),
        (scipy.sparse.csr_array(np.ones((2, 3))), InvalidInput, "square"),
        (scipy.sparse.csr_array([[1.0, 1.0], [0.0, 1.0]]), InvalidInput, "symmetric"),
        (scipy.sparse.diags_array([1.0, np.nan]), InvalidInput, "`matrix` must be finite"),
    ],
)
def test_bad_matrices_are_refused(matrix, error, message):
    with pytest.raises(error, match=message):
        RationalPower(matrix, 0.5)


def test_other_bad_input_is_refused():
    K = scipy.sparse.diags_array([1.0, 2.0])
    with pytest.raises(InvalidInput, match="`weights`"):
        RationalPower(K, 0.5, weights=[1.0, -1.0])
    with pytest.raises(InvalidInput, match="`tolerance` must be positive"):
        RationalPower(K, 0.5, tolerance=0.0)
    with pytest.raises(InvalidInput, match=r"shape \(2, \.\.\.\)"):
        RationalPower(K, 0.5).apply(np.ones(3))
    with pytest.raises(ConvergenceError, match="the best is"):
        RationalPower(scipy.sparse.diags_array([1.0, 1e10]), 0.1, tolerance=1e-15)
