"""Natural gradient descent: exactness, invariance, the NIST reference problems, mesh-independence."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput

EPS = np.finfo(float).eps
DECAY = fg.models.Symbolic("a*(1 - exp(-b*x))", "x", "a b")


def nist_fits():
    path = Path(__file__).parents[2] / "examples" / "nist_fits.py"
    specification = importlib.util.spec_from_file_location("nist_fits", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


NIST = nist_fits()


@pytest.mark.parametrize("name", NIST.problem_names())
def test_nist_certified_parameters_from_both_starting_points(name):
    """At least 8 digits of every parameter, and of the residual sum of squares, by one set of settings."""
    problem = NIST.read_problem(name)
    for start in problem.starts:
        found = NIST.fit(problem, start)
        assert found.success, found.message
        assert NIST.digits(found.theta, problem.certified) > 8
        assert 2 * found.value == pytest.approx(problem.residual_sum_of_squares, rel=1e-8)


def test_nist_reader_against_the_files():
    """All twelve are read; the certified residual sum of squares is that of the certified parameters."""
    assert len(NIST.problem_names()) == 12
    for name in NIST.problem_names():
        problem = NIST.read_problem(name)
        residuals = problem.model(problem.certified, problem.x) - problem.y
        # Lanczos3: parameters of 11 digits leave 1e-5 of a sum of squares of 1e-8.
        rel = 1e-4 if name == "Lanczos3" else 1e-7
        assert residuals @ residuals == pytest.approx(problem.residual_sum_of_squares, rel=rel)


@given(
    data=st.lists(st.integers(1, 9), min_size=3, max_size=12).filter(lambda x: len(set(x)) >= 2),
    seed=st.integers(0, 10**6),
)
def test_gauss_newton_is_the_natural_gradient_in_l2_of_the_data(data, seed):
    """η = N (JᵀJ)⁻¹Jᵀ(f - y) for the empirical measure, weights 1/N; repeated measurements included."""
    rng = np.random.default_rng(seed)
    x, y = np.array(data, dtype=float), rng.normal(size=len(data))
    theta = np.array([1.0, 0.4])
    points = fg.PointSet(fg.Interval(0, 10), x)
    step = fg.natural_gradient(fg.EmpiricalLoss(x, y), DECAY, theta, fg.L2(), points)
    jacobian, residuals = DECAY.jacobian(theta, x), DECAY(theta, x) - y
    gauss_newton = np.linalg.lstsq(jacobian, residuals, rcond=None)[0]
    np.testing.assert_allclose(
        step.direction, len(x) * gauss_newton, rtol=0, atol=1e-11 * np.linalg.norm(len(x) * gauss_newton)
    )
    counting = fg.PointSet(fg.Interval(0, 10), x, np.ones(len(x)))
    same = fg.natural_gradient(fg.EmpiricalLoss(x, y), DECAY, theta, fg.L2(), counting)
    np.testing.assert_allclose(same.direction, gauss_newton, atol=1e-11 * np.linalg.norm(gauss_newton))


@given(seed=st.integers(0, 10**6), p=st.integers(1, 5), steps=st.sampled_from(["exact", 0.5]))
def test_a_linear_model_under_a_quadratic_loss(seed, p, steps):
    """One exact step reaches the minimum; a step of t leaves the factor (1 - t)² of the excess loss."""
    rng = np.random.default_rng(seed)
    x, y = np.linspace(0, 1, 9), rng.normal(size=9)
    model, loss = fg.models.Polynomial(p), fg.EmpiricalLoss(x, y)
    points = fg.PointSet(fg.Interval(0, 1), x, np.ones(9))
    found = fg.descend(
        loss, model, rng.normal(size=p + 1), fg.L2(), points, step=steps, damping=0.0, max_iterations=4
    )
    exact = np.linalg.lstsq(model.jacobian(np.zeros(p + 1), x), y, rcond=None)[0]
    minimum = loss(lambda x: model(exact, x))
    excess = found.history["loss"] - minimum
    # Chosen to be above rounding: the excess of the second row is that of one step.
    factor = 0.0 if steps == "exact" else 0.25
    assert excess[1] == pytest.approx(factor * excess[0], abs=1e-12 * found.history["loss"][0])
    if steps == "exact":
        assert found.success
        np.testing.assert_allclose(found.theta, exact, rtol=1e-8, atol=1e-8)


def test_the_minimum_agrees_with_scipy_in_every_metric_and_by_every_rule():
    """The metric changes the path, not the stationary point."""
    model = fg.models.Symbolic("a*sin(x + b) + c", "x", "a b c")
    x, y = np.array([0.3, 1.7, 4.0, 5.0]), np.array([1.0, -0.5, 0.2, 0.8])
    loss, circle = fg.EmpiricalLoss(x, y), fg.Circle(2 * np.pi)
    peer = scipy.optimize.least_squares(
        lambda t: model(t, x) - y, [1, 0, 0], lambda t: model.jacobian(t, x), xtol=1e-15, gtol=1e-15
    )
    for metric in (fg.L2(), fg.Sobolev(1.0), fg.Sobolev(0.75)):
        for damping in ("levenberg-marquardt", 0.0, 1e-2):
            found = fg.descend(loss, model, [1, 0, 0], metric, circle, damping=damping)
            assert found.success
            np.testing.assert_allclose(found.theta, peer.x, rtol=1e-6)
            assert np.all(np.diff(found.history["loss"]) <= 64 * EPS * found.history["loss"][0])


class Scaled(fg.models.Model):
    """The decay in other units: θ_i multiplied by u_i."""

    def __init__(self, units):
        super().__init__(1, ("a", "b"))
        self.units = np.array(units)

    def _value(self, theta, x, alpha):
        return DECAY(self.units * theta, x)

    def _jacobian(self, theta, x, alpha):
        return DECAY.jacobian(self.units * theta, x) * self.units


@given(a=st.floats(0.01, 100), b=st.floats(0.01, 100))
def test_the_path_does_not_depend_on_the_units_of_the_parameters(a, b):
    """Both rules: damping by the columns' norms, and none."""
    x = np.array([1.0, 2.0, 3.0, 5.0])
    loss = fg.EmpiricalLoss(x, [1.0, 1.4, 1.8, 1.7])
    scaled = Scaled([a, b])
    points = fg.PointSet(fg.Interval(0, 5), x)
    for damping in ("levenberg-marquardt", 0.0):
        first = fg.descend(loss, DECAY, [1, 1], fg.L2(), points, damping=damping, max_iterations=3)
        second = fg.descend(loss, scaled, [1 / a, 1 / b], fg.L2(), points, damping=damping, max_iterations=3)
        np.testing.assert_allclose(first.history["loss"], second.history["loss"], rtol=1e-7)


def energy(grid):
    """½∫(u'² + u²) - ∫u, whose second variation is the H^1 inner product."""

    def value(u):
        return float(grid.integrate(0.5 * (u.derivative().values ** 2 + u.values**2) - u.values))

    def differential(u):
        return fg.Density(u.derivative(), 1) + fg.Density(u - grid.function(lambda x: 1.0 + 0 * x))

    return fg.functionals.from_callable(value, differential)


def test_mesh_independence():
    """In the energy's metric one step for every n; in L2 the steps grow like n², by the condition number."""
    steps = {"H^1": [], "L2": []}
    for n in (4, 8, 16):
        model = fg.models.Linear([f"sin({k}*pi*x)" for k in range(1, n + 1)])
        grid = fg.Interval(0, 1, "dirichlet").grid(4 * n + 16)
        start = 1.0 / np.arange(1, n + 1)
        for name, metric in (("H^1", fg.Sobolev(1.0)), ("L2", fg.L2())):
            found = fg.descend(
                energy(grid), model, start, metric, grid, damping=0.0, tolerance=1e-4, max_iterations=5000
            )
            assert found.status == "converged"
            steps[name].append(len(found.history) - 1)
    assert steps["H^1"] == [1, 1, 1]
    growth = np.log2(np.array(steps["L2"][1:]) / np.array(steps["L2"][:-1]))
    assert np.all((growth > 1.5) & (growth < 2.5)), steps


def test_history_callback_and_progress(capsys):
    x = np.array([1.0, 2.0, 3.0, 5.0])
    loss, points = fg.EmpiricalLoss(x, [1.0, 1.4, 1.8, 1.7]), fg.PointSet(fg.Interval(0, 5), x)
    seen = []
    found = fg.descend(
        loss,
        DECAY,
        [1, 1],
        fg.L2(),
        points,
        callback=lambda theta, row: seen.append((theta, float(row["loss"]))) or len(seen) == 2,
        progress=True,
    )
    assert found.status == "stopped"
    assert not found.success
    assert len(found.history) == 3
    assert [loss for _, loss in seen] == found.history["loss"][1:].tolist()
    np.testing.assert_array_equal(seen[-1][0], found.theta)
    assert np.all(found.history["rank"] == 2)
    assert "loss" in capsys.readouterr().out
    norm = fg.natural_gradient(loss, DECAY, [1, 1], fg.L2(), points)
    assert found.history["norm"][0] == pytest.approx(fg.L2().norm(norm.pushforward), rel=1e-12)


def test_statuses_name_causes_and_remedies():
    x = np.array([1.0, 2.0, 3.0])
    points = fg.PointSet(fg.Interval(0, 5), x)
    loss = fg.EmpiricalLoss(x, [1.0, 1.4, 1.8])
    short = fg.descend(loss, DECAY, [1, 1], fg.L2(), points, max_iterations=1)
    assert short.status == "iterations"
    assert "Raise it" in short.message
    wrong = fg.functionals.from_callable(loss, lambda f: -1.0 * loss.differential(f))
    line = fg.models.Polynomial(1)
    for damping in (0.0, "levenberg-marquardt"):
        uphill = fg.descend(wrong, line, [1, 1], fg.L2(), points, damping=damping)
        assert uphill.status == "stalled"
        assert "check it by differences" in uphill.message
        np.testing.assert_array_equal(uphill.theta, [1, 1])


def test_a_step_out_of_the_models_domain_is_taken_back():
    """log(b) refuses b <= 0; the full step from b = 4 would go there."""
    model = fg.models.Symbolic("log(b)*x", "x", "b")
    x = np.array([1.0, 2.0])
    points = fg.PointSet(fg.Interval(0, 2), x)
    for damping in (0.0, "levenberg-marquardt"):
        found = fg.descend(fg.EmpiricalLoss(x, -x), model, [4.0], fg.L2(), points, damping=damping)
        assert found.success
        assert found.theta[0] == pytest.approx(np.exp(-1), rel=1e-9)


def test_bad_input_gets_one_clear_error():
    x = np.array([1.0, 2.0])
    loss, points = fg.EmpiricalLoss(x, x), fg.PointSet(fg.Interval(0, 2), x)
    for argument, match in (
        ({"damping": -1.0}, "`damping` must not be negative"),
        ({"damping": "marquardt"}, "`damping`"),
        ({"step": 0.0}, "`step` must be positive"),
        ({"max_iterations": -1}, "`max_iterations`"),
        ({"tolerance": np.nan}, "`tolerance` must be finite"),
    ):
        with pytest.raises(InvalidInput, match=match):
            fg.descend(loss, DECAY, [1, 1], fg.L2(), points, **argument)
    with pytest.raises(InvalidInput, match="two of one name"):
        fg.compare_metrics(loss, DECAY, [1, 1], [fg.L2(), fg.L2()], points)


def test_comparison_prints_and_plots():
    x = np.array([1.0, 2.0, 3.0])
    loss = fg.EmpiricalLoss(x, [1.0, 1.4, 1.8])
    both = fg.compare_metrics(loss, DECAY, [1, 1], [fg.L2(), fg.Sobolev(1.0)], fg.Interval(0, 5))
    assert "H^1" in str(both)
    axes = both.plot()
    assert [line.get_label() for line in axes.get_lines()] == ["L2", "H^1"]


def test_first_damping_shortens_the_first_steps():
    """λ at the start divides the first step of a one-parameter model by 1 + λ, and is checked."""
    model, grid = fg.models.Symbolic("a*x", "x", "a"), fg.Interval(0, 1).grid(4)
    loss = fg.PopulationLoss(lambda x: x)
    for damping in (1e-3, 1.0, 9.0):
        seen = []
        fg.descend(
            loss,
            model,
            [0.0],
            fg.L2(),
            grid,
            first_damping=damping,
            callback=lambda theta, row, seen=seen: seen.append(theta) or True,
        )
        assert seen[0][0] == pytest.approx(1 / (1 + damping), rel=1e-12)
    with pytest.raises(InvalidInput, match="`first_damping` must be positive"):
        fg.descend(loss, model, [0.0], fg.L2(), grid, first_damping=0.0)
