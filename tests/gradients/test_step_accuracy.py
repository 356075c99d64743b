"""The whole natural gradient against closed forms and mpmath, as the tangent space becomes degenerate."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian

EPS = np.finfo(float).eps
LINE = fg.Interval(0, 1)
METRICS = {
    "L2": fg.L2(),
    "L2 of a density": fg.L2(lambda x: 1 + x),
    "H^1": fg.Sobolev(1.0, length_scale=0.3),
    "RKHS": fg.RKHS(fg.kernels.Matern(0.5)),
    "Fisher": fg.Fisher(fg.metrics.Gaussian(0.5)),
}
SOLVERS = ("qr", "cholesky", "auto")


def hilbert_condition(p):
    with mpmath.workdps(60):
        eigenvalues = mpmath.eigsy(mpmath.hilbert(p), eigvals_only=True)
        return float(mpmath.sqrt(max(eigenvalues) / min(eigenvalues)))


@pytest.mark.parametrize("p", range(2, 10))
def test_the_reported_condition_is_that_of_the_hilbert_matrix(p):
    """G_ij = 1/(i + j + 1) for monomials in L2(0, 1), and cond(SJ)² = cond(G)."""
    step = fg.natural_gradient(
        fg.PopulationLoss(np.exp), fg.models.Polynomial(p - 1), np.zeros(p), fg.L2(), LINE.grid(40)
    )
    exact = hilbert_condition(p)
    assert step.condition == pytest.approx(exact, rel=100 * EPS * exact)


@given(
    seed=st.integers(0, 10**6),
    p=st.integers(1, 16),
    case=st.sampled_from(sorted(METRICS)),
    solver=st.sampled_from(SOLVERS),
)
def test_of_a_covector_of_the_tangent_space_the_error_is_cond_ulp(seed, p, case, solver):
    """Of v ↦ <f_c, v> the natural gradient is c: exact to 100·ulp·cond(SJ), for cond up to 1e12."""
    model, grid, metric = fg.models.Polynomial(p - 1), LINE.grid(40), METRICS[case]
    c = np.random.default_rng(seed).normal(size=p)
    f = grid.function(model(c, grid.nodes))
    flat = (metric.at(f) if hasattr(metric, "at") else metric).flat(f)
    step = fg.natural_gradient(fg.LinearFunctional(flat), model, c, metric, grid, solver=solver)
    assert step.condition < 3e12
    error = np.linalg.norm(step.direction - c) / np.linalg.norm(c)
    assert error <= 100 * EPS * step.condition
    assert error <= step.error_bound


def exact_step(p):
    """G⁻¹b in 60 digits for ½∫(0 - e^x)² and monomials on (0, 1), and |e^x - its projection| / |G^½η|."""
    with mpmath.workdps(60):
        b = mpmath.matrix([-mpmath.quad(lambda x, i=i: mpmath.exp(x) * x**i, [0, 1]) for i in range(p)])
        eta = mpmath.lu_solve(mpmath.hilbert(p), b)
        square = (mpmath.exp(2) - 1) / 2  # ∫ e^{2x}
        missed = mpmath.sqrt(abs(square - (b.T * eta)[0]))
        return np.array([float(entry) for entry in eta]), float(missed)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("p", range(1, 17))
def test_of_the_population_loss_the_error_is_that_of_the_bound(p, solver):
    """100·ulp·κ(1 + κρ): where e^x is resolved, from p = 12 on, that is 100·ulp·κ, at κ up to 1e12."""
    model, grid = fg.models.Polynomial(p - 1), LINE.grid(40)
    step = fg.natural_gradient(
        fg.PopulationLoss(np.exp), model, np.zeros(p), fg.L2(), grid, solver=solver, rcond=0.0
    )
    exact, missed = exact_step(p)
    error, size = np.linalg.norm(step.direction - exact), np.linalg.norm(exact)
    kappa, rho = step.condition, missed / (step.singular_values[0] * size)
    assert error <= 100 * EPS * kappa * (1 + kappa * rho) * size
    assert error <= step.error_bound * size
    if p >= 12:
        assert kappa * rho < 10


# --- the other solvers ------------------------------------------------------------------------------------


@pytest.fixture
def streamed(monkeypatch):
    """Jacobians are not held, and are asked for in blocks of p + 1 nodes."""
    monkeypatch.setattr("funcgrad.gradients.whitened_jacobian.LARGEST_HELD", 0)
    monkeypatch.setattr("funcgrad.gradients.solvers.matrix.BLOCK_ENTRIES", 1)


@pytest.mark.parametrize("solver", ["qr", "cholesky", "lsmr"])
@pytest.mark.parametrize("case", ["L2", "L2 of a density"])
@pytest.mark.parametrize("p", range(1, 17))
@pytest.mark.usefixtures("streamed")
def test_streamed_over_blocks_the_error_is_that_of_the_bound(p, case, solver):
    """Of v ↦ <f_c, v> the natural gradient is c, to 100·ulp·cond(SJ), over several blocks of nodes."""
    model, grid, metric = fg.models.Polynomial(p - 1), LINE.grid(40), METRICS[case]
    c = np.random.default_rng(p).normal(size=p)
    flat = metric.flat(grid.function(model(c, grid.nodes)))
    matrix = WhitenedJacobian(model, c, metric, grid)
    assert not matrix.held
    assert len(matrix.blocks) > 1
    step = fg.natural_gradient(fg.LinearFunctional(flat), model, c, metric, grid, solver=solver)
    error = np.linalg.norm(step.direction - c) / np.linalg.norm(c)
    assert error <= step.error_bound
    if solver != "lsmr":  # whose Krylov space ends where directions are hidden: the bound knows that
        assert error <= 100 * EPS * step.condition


@pytest.mark.parametrize("p", range(1, 17))
def test_of_products_only_the_error_is_that_of_the_bound(p):
    """By LSMR singular values below √ulp of the largest look like none: the bound is infinite, or true."""
    model, grid = fg.models.Polynomial(p - 1), LINE.grid(40)
    step = fg.natural_gradient(
        fg.PopulationLoss(np.exp), model, np.zeros(p), fg.L2(), grid, solver="lsmr", rcond=0.0
    )
    exact, _ = exact_step(p)
    error = np.linalg.norm(step.direction - exact)
    assert error <= step.error_bound * np.linalg.norm(exact)
    if p <= 8:  # cond(A) <= 1e4: every direction is seen
        assert step.error_bound < 1e-2
        assert error <= 100 * EPS * step.condition**2 * np.linalg.norm(exact)


def exact_least_norm_step(nodes, weights, p, values):
    """Aᵀ(AAᵀ)⁻¹r in 60 digits for A_ki = √w_k x_k^i, r_k = √w_k g_k, and cond(A)."""
    with mpmath.workdps(60):
        x, w = [mpmath.mpf(float(t)) for t in nodes], [mpmath.mpf(float(t)) for t in weights]
        a = mpmath.matrix([[mpmath.sqrt(wk) * xk**i for i in range(p)] for xk, wk in zip(x, w, strict=True)])
        r = mpmath.matrix([mpmath.sqrt(wk) * mpmath.mpf(float(g)) for wk, g in zip(w, values, strict=True)])
        eta = a.T * mpmath.lu_solve(a * a.T, r)
        eigenvalues = mpmath.eigsy(a * a.T, eigvals_only=True)
        condition = mpmath.sqrt(max(eigenvalues) / min(eigenvalues))
        return np.array([float(entry) for entry in eta]), float(condition)


@pytest.mark.parametrize("solver", ["kernel", "qr", "auto"])
@pytest.mark.parametrize("n", range(1, 17))
def test_with_more_parameters_than_nodes_the_error_is_cond_ulp(n, solver):
    """η = Aᵀ(AAᵀ)⁻¹r, of least norm: to 100·ulp·cond(A), for cond up to 1e12 ("kernel" to 1e6, then QR)."""
    p, grid = n + 3, LINE.grid(n)
    model, g = fg.models.Polynomial(p - 1), np.random.default_rng(n).normal(size=n)
    exact, condition = exact_least_norm_step(grid.nodes[:, 0], grid.weights, p, g)
    c = fg.LinearFunctional(fg.Density(grid.function(g)))
    with pytest.warns(fg.DegenerateModelWarning):
        step = fg.natural_gradient(c, model, np.zeros(p), fg.L2(), grid, solver=solver, rcond=0.0)
    error = np.linalg.norm(step.direction - exact) / np.linalg.norm(exact)
    assert condition < 1e13
    of_products = condition if step.solver == "kernel" else 1.0  # from the eigenvalues of AAᵀ
    assert step.condition == pytest.approx(condition, rel=100 * EPS * condition * of_products)
    assert error <= 100 * EPS * condition
    assert error <= step.error_bound
    assert step.solver == ("qr" if solver == "qr" or condition > 1e6 else "kernel")


@given(seed=st.integers(0, 10**6), exponents=st.lists(st.integers(-12, 12), min_size=2, max_size=6))
def test_the_step_does_not_depend_on_the_units_of_the_parameters(seed, exponents):
    """Neither QR nor substitution in R mixes columns: in units 2^k, which round nothing, η_k is 2^-k η."""
    p, units = len(exponents), 2.0 ** np.array(exponents)
    model, grid = fg.models.Polynomial(p - 1), LINE.grid(40)
    theta = np.random.default_rng(seed).normal(size=p)
    in_units = model.reparametrise(lambda t: units * t, lambda t: np.diag(units))
    loss, H1 = fg.EmpiricalLoss([0.2, 0.5, 0.9], [1.0, -2.0, 0.5]), fg.Sobolev(1.0)
    own = fg.natural_gradient(loss, model, theta, H1, grid, solver="qr")
    other = fg.natural_gradient(loss, in_units, theta / units, H1, grid, solver="qr")
    np.testing.assert_allclose(units * other.direction, own.direction, rtol=1e-14)
