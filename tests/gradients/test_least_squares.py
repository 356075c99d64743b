"""The whitened Jacobian in blocks, held or not, and the solvers on it."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.gradients import whitened_jacobian as module
from funcgrad.gradients.least_squares import solve_least_squares
from funcgrad.gradients.solvers import matrix as solver_matrix
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian

WAVES = fg.models.Symbolic("a*sin(x + b) + c*cos(2*x) + d", "x", "a b c d")
TWO = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x + b)"], "x", "a b c")
CIRCLE, INTERVAL = fg.Circle(2 * np.pi), fg.Interval(0, 5)
DECAY = fg.models.Symbolic("a*(1 - exp(-b*x))", "x", "a b")
CASES = {
    "L2": (WAVES, [1.0, 0.4, -0.7, 0.2], fg.L2(), CIRCLE.grid(60)),
    "L2, two outputs": (TWO, [1.0, 0.4, -0.7], fg.L2(), CIRCLE.grid(60)),
    "H^0.75": (WAVES, [1.0, 0.4, -0.7, 0.2], fg.Sobolev(0.75), CIRCLE.grid(60)),
    "H^1, two outputs": (TWO, [1.0, 0.4, -0.7], fg.Sobolev(1.0), CIRCLE.grid(60)),
    "H^1 by derivatives": (DECAY, [2.0, 0.7], fg.Sobolev(1.0), INTERVAL.grid(30)),
    "RKHS": (DECAY, [2.0, 0.7], fg.RKHS(fg.kernels.Matern(1.5)), INTERVAL.grid(12)),
    "data": (DECAY, [2.0, 0.7], fg.L2(), fg.PointSet(INTERVAL, [1.0, 2.0, 2.0, 3.5, 4.0])),
}


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks of seven nodes and more, so that small problems have several."""
    monkeypatch.setattr(solver_matrix, "BLOCK_ENTRIES", 14)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_the_blocks_and_products_are_those_of_s_times_j(case, held):
    model, theta, metric, grid = CASES[case]
    jacobian = model.jacobian(theta, grid.nodes)
    whole = metric.square_root(grid).apply(jacobian).reshape(-1, model.n_parameters)
    a = WhitenedJacobian(model, np.array(theta), metric, grid, held=held)
    rng = np.random.default_rng(0)
    eta, r = rng.normal(size=model.n_parameters), rng.normal(size=len(whole))
    assert a.shape == whole.shape
    assert [rows.start for rows in a.blocks[1:]] == [rows.stop for rows in a.blocks[:-1]]
    np.testing.assert_allclose(
        np.concatenate([a.block(rows) for rows in a.blocks]), whole, rtol=1e-13, atol=1e-14
    )
    np.testing.assert_allclose(a.toarray(), whole, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(a.matvec(eta), whole @ eta, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(a.rmatvec(r), whole.T @ r, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(a.pushforward(eta), jacobian @ eta, rtol=1e-12)
    np.testing.assert_allclose(a.f.values, model(theta, grid.nodes), rtol=1e-14)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("solver", ["qr", "cholesky", "lsmr", "auto"])
def test_all_solvers_give_one_natural_gradient_in_every_metric(case, solver):
    model, theta, metric, grid = CASES[case]
    functional = fg.LinearFunctional(fg.Density(grid.function(model(np.array(theta) + 0.3, grid.nodes))))
    by_qr = fg.natural_gradient(functional, model, theta, metric, grid, solver="qr")
    other = fg.natural_gradient(functional, model, theta, metric, grid, solver=solver)
    difference = np.linalg.norm(other.direction - by_qr.direction)
    # lsmr stops at a gradient of 1e-12.
    allowed = by_qr.error_bound + (1e-11 * by_qr.condition**2 if solver == "lsmr" else other.error_bound)
    assert difference <= allowed * np.linalg.norm(by_qr.direction)
    assert other.solver == {"auto": "qr"}.get(solver, solver)
    assert other.residual == pytest.approx(by_qr.residual, abs=1e-9)


@pytest.mark.usefixtures("short_blocks")
@given(seed=st.integers(0, 10**6), damping=st.sampled_from([0.0, 0.1]))
def test_a_streamed_step_is_the_held_one(seed, damping):
    rng = np.random.default_rng(seed)
    theta, grid = rng.normal(size=4), CIRCLE.grid(50)
    loss = fg.PopulationLoss(lambda x: np.exp(np.sin(x)))
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        for largest in (10**9, 0):
            patch.setattr(module, "LARGEST_HELD", largest)
            steps.append(fg.natural_gradient(loss, WAVES, theta, fg.L2(), grid, damping=damping))
    held, streamed = steps
    np.testing.assert_array_equal(streamed.direction, held.direction)
    # Products of blocks may add their four terms in another order.
    terms = np.abs(WAVES.jacobian(theta, grid.nodes)) @ np.abs(held.direction)
    difference = np.abs(streamed.pushforward.values - held.pushforward.values)
    assert np.all(difference <= 4 * np.finfo(float).eps * terms)


class Counted(fg.models.Model):
    """Monomials, whose largest Jacobian is kept count of."""

    def __init__(self):
        super().__init__(1, [f"c{i}" for i in range(20)])
        self.largest = 0

    def _jacobian(self, theta, x, alpha):
        self.largest = max(self.largest, len(x))
        return np.cos(np.arange(20) * x)

    def _value(self, theta, x, alpha):
        return np.cos(np.arange(20) * x) @ theta


def test_no_solver_asks_for_a_whole_large_jacobian(monkeypatch):
    """Nor does the pushforward: memory is a few blocks of nodes."""
    monkeypatch.setattr(module, "LARGEST_HELD", 0)
    loss, grid = fg.PopulationLoss(np.cos), CIRCLE.grid(100_000)
    for solver in ("qr", "cholesky", "lsmr"):
        model = Counted()
        step = fg.natural_gradient(loss, model, np.zeros(20), fg.L2(), grid, solver=solver)
        assert model.largest * 20 <= solver_matrix.BLOCK_ENTRIES
        np.testing.assert_allclose(-step.direction, np.arange(20) == 1, atol=1e-12)


def test_more_parameters_than_nodes():
    """Least norm, and a warning with the rank: on three points five monomials are dependent."""
    points = fg.PointSet(INTERVAL, [1.0, 2.0, 4.0])
    loss = fg.EmpiricalLoss([1.0, 2.0, 4.0], [1.0, 0.0, 2.0])
    model = fg.models.Polynomial(4)
    with pytest.warns(fg.DegenerateModelWarning, match="rank 3 with 5 parameters"):
        step = fg.natural_gradient(loss, model, np.zeros(5), fg.L2(), points)
    assert step.solver == "kernel"
    jacobian = model.jacobian(np.zeros(5), [1.0, 2.0, 4.0])
    exact = np.linalg.pinv(jacobian) @ (-3 * np.array([1.0, 0.0, 2.0]))
    np.testing.assert_allclose(step.direction, exact, rtol=1e-10)


def test_bad_input_gets_one_clear_error():
    loss, grid = fg.PopulationLoss(np.cos), CIRCLE.grid(8)
    theta = [1.0, 0.4, -0.7, 0.2]
    with pytest.raises(fg.InvalidInput, match="did you mean 'lsmr'"):
        fg.natural_gradient(loss, WAVES, theta, fg.L2(), grid, solver="lsqr")
    for rcond in (-0.1, 1.0, np.nan):
        with pytest.raises(fg.InvalidInput, match="`rcond`"):
            fg.natural_gradient(loss, WAVES, theta, fg.L2(), grid, rcond=rcond)


@pytest.mark.parametrize(("condition", "used"), [(1e3, "cholesky"), (1e8, "qr")])
def test_large_problems_try_the_normal_equations_first(monkeypatch, condition, used):
    """ "auto" takes them where the condition number permits it, says why, and agrees with "qr"."""
    monkeypatch.setattr("funcgrad.gradients.least_squares._LARGE", 1000)
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.normal(size=(60, 6)))
    v, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    a, r = (u * np.geomspace(1, 1 / condition, 6)) @ v, rng.normal(size=60)
    found, by_qr = (solve_least_squares(a, r, solver=solver) for solver in ("auto", "qr"))
    assert found.solver == used
    assert ("permits it" if used == "cholesky" else "forbids 'cholesky'") in found.reason
    allowed = (found.error_bound + by_qr.error_bound) * np.linalg.norm(by_qr.solution)
    assert np.linalg.norm(found.solution - by_qr.solution) <= allowed


@pytest.mark.parametrize("metric", [fg.L2(), fg.Sobolev(1)], ids=str)
def test_functions_of_a_model_do_not_keep_its_jacobian_alive(metric):
    """The Jacobian is freed when it is done with, by its last reference and not by a collector of cycles."""
    model, grid = fg.models.Polynomial(3), fg.Box([(0, 1)]).grid(9)
    a = WhitenedJacobian(model, np.zeros(4), metric, grid)
    a.toarray()
    kept = a.f, a.tangent(np.ones(4))
    gone = weakref.ref(a)
    gc.disable()
    try:
        del a
        assert gone() is None
    finally:
        gc.enable()
    assert kept[1](0.5) == pytest.approx(1.875)
