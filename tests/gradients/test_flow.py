"""Flows: exact decay for linear models, energy decay, events; kernel flow against the matrix exponential."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import ConvergenceError, DegenerateModelWarning, InvalidInput

WAVES = fg.models.Symbolic("a*sin(x + b) + c", "x", "a b c")
LOSS = fg.EmpiricalLoss([0.3, 1.7, 4.0, 5.0], [1.0, -0.5, 0.2, 0.8])
CIRCLE = fg.Circle(2 * np.pi)


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), p=st.integers(1, 4))
def test_a_linear_model_under_a_quadratic_loss_decays_at_the_exact_rate(seed, p):
    """θ_t - θ_* = e^{-t}(θ_0 - θ_*), F - F_* = e^{-2t}(F_0 - F_*), in L2, whatever the basis."""
    rng = np.random.default_rng(seed)
    x, y, theta = np.linspace(0, 1, 8), rng.normal(size=8), rng.normal(size=p + 1)
    model, loss = fg.models.Polynomial(p), fg.EmpiricalLoss(x, y)
    points = fg.PointSet(fg.Interval(0, 1), x, np.ones(8))
    path = fg.flow(loss, model, theta, fg.L2(), points, (0, 2), t_eval=[0, 0.5, 2])
    exact = np.linalg.lstsq(model.jacobian(theta, x), y, rcond=None)[0]
    decay = np.exp(-path.t)
    expected = exact + decay[:, None] * (theta - exact)
    np.testing.assert_allclose(path.theta, expected, atol=1e-6 * np.linalg.norm(theta - exact))
    minimum = loss(lambda x: model(exact, x))
    excess = path.value - minimum
    np.testing.assert_allclose(excess, decay**2 * excess[0], rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("metric", [fg.L2(), fg.Sobolev(1.0), fg.Sobolev(2.0)], ids=str)
def test_energy_decay(metric):
    """dF/dt = -‖dφ(η)‖²: F at the end is F at the start minus the integral, by Simpson's rule."""
    t = np.linspace(0, 1, 65)
    path = fg.flow(LOSS, WAVES, [1.0, 0.0, 0.0], metric, CIRCLE, (0, 1), t_eval=t, rtol=1e-10, atol=1e-12)
    integral = (t[1] / 3) * (path.norm**2 @ np.r_[1, np.tile([4, 2], 31), 4, 1])
    assert path.value[-1] == pytest.approx(path.value[0] - integral, rel=1e-6)
    assert np.all(np.diff(path.value) < 0)


def test_the_flow_of_functions_does_not_depend_on_the_parametrisation():
    """f_t is the same for a sin(x + b) and for u sin x + v cos x."""
    other = fg.models.Symbolic("u*sin(x) + v*cos(x) + c", "x", "u v c")
    first = fg.flow(LOSS, WAVES, [1.0, 0.4, 0.0], fg.Sobolev(1.0), CIRCLE, (0, 1), rtol=1e-10)
    start = [np.cos(0.4), np.sin(0.4), 0.0]
    second = fg.flow(LOSS, other, start, fg.Sobolev(1.0), CIRCLE, (0, 1), rtol=1e-10)
    x = np.linspace(0, 6, 7)
    np.testing.assert_allclose(WAVES(first.theta[-1], x), other(second.theta[-1], x), atol=1e-8)


def test_the_flow_is_the_limit_of_small_steps_at_first_order():
    """Explicit steps θ - tη of descend: error halves with t."""
    options = {"damping": 0.0, "tolerance": 0.0}
    exact = fg.flow(LOSS, WAVES, [1.0, 0.0, 0.0], fg.L2(), CIRCLE, (0, 0.2), rtol=1e-10).theta[-1]
    errors = []
    for n in (20, 40, 80):
        found = fg.descend(
            LOSS, WAVES, [1.0, 0.0, 0.0], fg.L2(), CIRCLE, step=0.2 / n, max_iterations=n, **options
        )
        errors.append(np.linalg.norm(found.theta - exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 1, atol=0.15)


def test_events_and_dense_output():
    def lost_half(t, theta):
        return LOSS(lambda x: WAVES(theta, x)) - 0.5

    lost_half.terminal = True
    path = fg.flow(
        LOSS, WAVES, [1.0, 0.0, 0.0], fg.L2(), CIRCLE, (0, 50), events=lost_half, dense_output=True
    )
    assert path.status == "event"
    assert path.value[-1] == pytest.approx(0.5, abs=1e-6)
    np.testing.assert_allclose(path.solution(path.events[0][0]), path.theta[-1], atol=1e-8)


def test_a_degenerate_model_flows_by_least_norm_and_warns_once():
    model = fg.models.Symbolic("(a + b)*sin(x) + c", "x", "a b c")
    with pytest.warns(DegenerateModelWarning, match="rank 2 with 3 parameters") as record:
        path = fg.flow(LOSS, model, [0.5, 0.5, 0.0], fg.L2(), CIRCLE, (0, 0.1))
    assert len(record) == 1
    np.testing.assert_allclose(path.theta[:, 0], path.theta[:, 1], atol=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), repeat=st.booleans())
def test_kernel_flow_is_the_matrix_exponential(seed, n, repeat):
    """The residuals obey r' = -K r: r_t = exp(-tK) r_0, repeated points counted as often as they occur."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 1, n))
    x, y = (np.r_[x, x[0]] if repeat else x), rng.normal(size=n + repeat)
    loss, kernel = fg.EmpiricalLoss(x, y), fg.kernels.Matern(1.5)
    path = fg.kernel_flow(
        loss, np.sin, fg.RKHS(kernel), fg.Interval(0, 1), (0, 3), t_eval=[0, 1, 3], rtol=1e-10, atol=1e-12
    )
    start = np.sin(x) - y
    gram = kernel.gram(x.reshape(-1, 1))
    for k, t in enumerate(path.t):
        residuals = scipy.linalg.expm(-t * gram) @ start
        np.testing.assert_allclose(path(x, k) - y, residuals, atol=1e-7)
        assert path.value[k] == pytest.approx(residuals @ residuals / 2, abs=1e-7)
        assert path.norm[k] == pytest.approx(np.sqrt(residuals @ gram @ residuals), abs=1e-7)


def test_kernel_flow_in_a_sobolev_metric_tends_to_the_interpolant_of_least_norm():
    x, y = np.array([0.2, 0.7]), np.array([1.0, -1.0])
    interval, H1 = fg.Interval(0, 1), fg.Sobolev(1.0)
    path = fg.kernel_flow(fg.EmpiricalLoss(x, y), lambda x: 0 * x, H1, interval, (0, 200))
    kernel = H1.green_kernel(interval)
    coefficients = np.linalg.solve(kernel.gram(x.reshape(-1, 1)), y)
    np.testing.assert_allclose(path.coefficients[-1], coefficients, atol=1e-6)
    at = np.linspace(0, 1, 9)
    expected = kernel.gram(at.reshape(-1, 1), x.reshape(-1, 1)) @ coefficients
    np.testing.assert_allclose(path(at), expected, atol=1e-6)


def test_bad_input_gets_one_clear_error():
    interval = fg.Interval(0, 1)
    loss = fg.EmpiricalLoss([0.2], [1.0])
    with pytest.raises(InvalidInput, match="`F` must be a functional that looks at fixed points"):
        fg.kernel_flow(fg.PopulationLoss(np.sin), np.sin, fg.Sobolev(1.0), interval, (0, 1))
    with pytest.raises(InvalidInput, match="must be an RKHS, or Sobolev of order above"):
        fg.kernel_flow(loss, np.sin, fg.L2(), interval, (0, 1))
    blowing = fg.functionals.from_callable(loss, lambda f: -1e3 * loss.differential(f))
    exponential = fg.models.Symbolic("exp(a)", "x", "a")
    with pytest.raises((ConvergenceError, InvalidInput)):
        fg.flow(blowing, exponential, [1.0], fg.L2(), fg.PointSet(interval, [0.2]), (0, 1e3))
