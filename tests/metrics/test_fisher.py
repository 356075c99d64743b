"""Fisher metrics, and L2 of densities and of points: information, Gram matrices, natural gradients."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, GradientDoesNotExist, InvalidInput
from funcgrad.metrics import Bernoulli, Categorical, Gaussian, Poisson

EPS = np.finfo(float).eps
INTERVAL = fg.Interval(0, 1)
GRID = INTERVAL.grid(12)
X = np.array([0.1, 0.35, 0.5, 0.9])


def outcomes(likelihood, z):
    """(probability, log p's gradient in z) of every outcome y, Poisson's cut where it is below 1e-20."""
    if isinstance(likelihood, Bernoulli):
        p = scipy.special.expit(z[0])
        return [(p, [1 - p]), (1 - p, [-p])]
    if isinstance(likelihood, Categorical):
        p = scipy.special.softmax(z)
        return [(p[k], np.eye(len(z))[k] - p) for k in range(len(z))]
    mean = math.exp(z[0])
    return [(math.exp(y * z[0] - mean - math.lgamma(y + 1)), [y - mean]) for y in range(100)]


@pytest.mark.parametrize(
    ("likelihood", "m"), [(Bernoulli(), 1), (Poisson(), 1), (Categorical(), 2), (Categorical(), 4)], ids=str
)
@given(seed=st.integers(0, 1000))
def test_the_information_is_the_mean_of_the_squared_score(likelihood, m, seed):
    """RᵀR = Σ_y p(y) ∇log p ∇log pᵀ, summed over all outcomes."""
    z = np.random.default_rng(seed).normal(size=m)
    exact = sum(p * np.outer(score, score) for p, score in outcomes(likelihood, z))
    root = likelihood.root(z if m == 1 else z[None])[0]
    information = root**2 if m == 1 else root.T @ root
    np.testing.assert_allclose(information, exact[0, 0] if m == 1 else exact, rtol=1e-11, atol=4 * EPS)


CASES = [
    (Gaussian(0.5), lambda x: np.sin(x), None),
    (Bernoulli(), lambda x: 3 * x - 1, None),
    (Poisson(), lambda x: np.cos(3 * x), lambda x: 1 + x),
    (Poisson(), lambda x: np.column_stack([x, 1 - x]), None),
    (Categorical(), lambda x: np.column_stack([x, 1 - x, x**2]), lambda x: 2 - x),
    (Bernoulli(), lambda x: 3 * x - 1, X),
    (Categorical(), lambda x: np.column_stack([x, 1 - x, x**2]), X),
]


def information(likelihood, z):
    root = likelihood.root(z)
    if root.ndim == 3:
        return np.einsum("kji,kjl->kil", root, root)
    return root**2 if root.ndim == 1 else np.einsum("ki,ij->kij", root**2, np.eye(root.shape[1]))


@pytest.mark.parametrize(("likelihood", "base", "measure"), CASES, ids=str)
def test_the_inner_product_is_the_integral_of_the_information(likelihood, base, measure):
    f = GRID.function(base)
    metric = fg.Fisher(likelihood, measure).at(f)
    rng = np.random.default_rng(0)
    u, v = (GRID.function(rng.normal(size=f.values.shape)) for _ in range(2))
    if measure is X:
        x, weights = X, np.full(len(X), 1 / len(X))
    else:
        x, weights = GRID.nodes, GRID.weights * (1 if measure is None else measure(GRID.nodes[:, 0]))
    blocks = information(likelihood, f(x))
    a, b = u(x), v(x)
    if blocks.ndim == 1:
        exact = np.sum(weights * a * blocks * b)
    else:
        exact = np.einsum("k,ki,kij,kj->", weights, a, blocks, b)
    scale = metric.norm(u) * metric.norm(v)
    assert metric.inner(u, v) == pytest.approx(exact, abs=100 * EPS * scale)
    assert metric.flat(u)(v) == pytest.approx(exact, abs=1e-12 * scale)
    # S and Sᵀ are adjoint, and the representer of <u, .> acts as u does.
    root = metric.square_root(GRID)
    r = rng.normal(size=root.apply(u.values).shape)
    assert np.sum(root.apply(u.values) * r) == pytest.approx(
        np.sum(u.values * root.apply_transpose(r)), rel=1e-11
    )
    g = metric.riesz(metric.flat(u), GRID)
    assert metric.inner(g, v) == pytest.approx(exact, abs=1e-10 * scale)


MODEL = fg.models.Symbolic("a*exp(-b*x) + c", x="x", parameters="a b c")
THETA = np.array([1.0, 0.7, 0.2])


@pytest.mark.parametrize("likelihood", [Gaussian(0.3), Bernoulli(), Poisson()], ids=str)
def test_on_parameters_it_is_the_fisher_information_matrix_of_data(likelihood):
    """(1/N) Σ_i I(f(x_i)) ∂f(x_i) ∂f(x_i)ᵀ, and η solves F η = ∂ of the mean loss."""
    metric = fg.Fisher(likelihood, measure=X)
    jacobian = MODEL.jacobian(THETA, X)
    exact = jacobian.T @ (information(likelihood, MODEL(THETA, X))[:, None] * jacobian) / len(X)
    grid = INTERVAL.grid(24)
    np.testing.assert_allclose(fg.gram(MODEL, THETA, metric, grid), exact, rtol=1e-11)
    loss = fg.EmpiricalLoss(X, [1.0, 0.0, 1.0, 1.0], mean=True)
    slope = jacobian.T @ (MODEL(THETA, X) - loss.y) / len(X)
    step = fg.natural_gradient(loss, MODEL, THETA, metric, grid)
    np.testing.assert_allclose(step.direction, np.linalg.solve(exact, slope), rtol=1e-7)


def test_kullback_leibler_is_half_the_squared_fisher_length():
    """KL(θ, θ+ε) = ½ εᵀFε + O(|ε|³) for Bernoulli outputs at the points."""
    F = fg.gram(MODEL, THETA, fg.Fisher(Bernoulli(), measure=X), INTERVAL.grid(24))
    direction = np.array([0.3, -0.5, 0.2])
    z = MODEL(THETA, X)
    errors = []
    for t in 2.0 ** -np.arange(3, 8):
        w = MODEL(THETA + t * direction, X)
        p = scipy.special.expit(z)
        kl = np.mean(p * (z - w) + np.logaddexp(0, w) - np.logaddexp(0, z))
        errors.append(abs(kl - t * t / 2 * direction @ F @ direction))
    orders = -np.diff(np.log2(errors))
    assert np.all(np.abs(orders - 3) < 0.2), orders


def test_gaussian_fisher_is_l2_over_the_variance():
    f = GRID.function(np.sin)
    u = GRID.function(np.cos)
    for measure in (None, lambda x: 1 + x, X):
        fisher = fg.Fisher(Gaussian(0.5), measure).at(f)
        assert fisher.norm(u) ** 2 == pytest.approx(4 * fg.L2(measure).norm(u) ** 2, rel=1e-13)


def test_the_natural_gradient_of_classes_ignores_constants_of_the_logits():
    """Softmax's information is singular along (1, ..., 1); the gradient is orthogonal to it and least."""
    f = GRID.function(lambda x: np.column_stack([x, 1 - x, 0 * x]))
    loss = fg.PopulationLoss(lambda x: np.column_stack([x, 1 - x, 0 * x]), loss="cross-entropy")
    g = fg.gradient(loss, f, fg.Fisher(Categorical()))
    np.testing.assert_allclose(g.values.sum(axis=1), 0, atol=1e-10)
    metric = fg.Fisher(Categorical()).at(f)
    v = GRID.function(np.random.default_rng(0).normal(size=f.values.shape))
    assert metric.inner(g, v) == pytest.approx(loss.differential(f)(v), rel=1e-10)
    one = fg.Density(GRID.function(lambda x: np.column_stack([1 + 0 * x, 0 * x, 0 * x])))
    assert fg.gradient_exists(one, fg.Fisher(Categorical()), INTERVAL, at=f).exists is False


# --- L2 of measures ---------------------------------------------------------------------------------------


def test_l2_of_a_density_divides_gradients_by_it():
    rho = GRID.function(lambda x: 1 + x)
    g = fg.gradient(fg.PopulationLoss(np.cos), GRID.function(np.sin), fg.L2(measure=rho))
    x = GRID.nodes[:, 0]
    np.testing.assert_allclose(g.values, (np.sin(x) - np.cos(x)) / (1 + x), rtol=1e-14, atol=1e-15)
    metric = fg.L2(measure=lambda x: 1 + x)
    u = GRID.function(np.exp)
    assert metric.norm(u) ** 2 == pytest.approx(metric.flat(u)(u), rel=1e-13)
    assert metric.dual_norm(fg.Density(u), INTERVAL) ** 2 == pytest.approx(
        GRID.integrate(np.exp(2 * x) / (1 + x)), rel=1e-13
    )


def test_l2_of_points_has_gradients_of_losses_there_and_only_there():
    metric = fg.L2(measure=X)
    f = GRID.function(np.sin)
    loss = fg.EmpiricalLoss(X, np.ones(4), mean=True)
    assert fg.gradient_exists(loss, metric, INTERVAL, at=f).exists is True
    g = fg.gradient(loss, f, metric)
    np.testing.assert_allclose(g(X), np.sin(X) - 1, rtol=1e-10)
    assert metric.dual_norm(loss.differential(f), INTERVAL) == pytest.approx(metric.norm(g), rel=1e-10)
    elsewhere = fg.EmpiricalLoss([0.2], [0.0])
    assert metric.dual_norm(elsewhere.differential(f), INTERVAL) == math.inf
    with pytest.raises(GradientDoesNotExist, match="its own points and nothing else"):
        fg.gradient(elsewhere, f, metric)
    with pytest.raises(InvalidInput, match="gives norm zero"):
        metric.riesz(fg.PointEvaluation(0.2), GRID)
    few = INTERVAL.grid(3)  # fewer nodes than points: every covector of the grid is bounded
    metric.riesz(fg.PointEvaluation(0.2), few)


def test_points_given_twice_weigh_twice():
    metric = fg.L2(measure=[0.5, 0.5, 0.2])
    assert metric.dual_norm(fg.PointEvaluation(0.5), INTERVAL) ** 2 == pytest.approx(1.5)
    assert metric.norm(GRID.function(lambda x: x)) ** 2 == pytest.approx((2 * 0.25 + 0.04) / 3)
    fisher = fg.Fisher(Gaussian(2.0), measure=[0.5, 0.5, 0.2]).at(GRID.function(np.sin))
    assert fisher.dual_norm(fg.PointEvaluation(0.5), INTERVAL) ** 2 == pytest.approx(6.0)


def test_the_empirical_metric_tends_to_the_density_metric():
    """The midpoint rule's points, by themselves: order 2."""
    u = GRID.function(np.exp)
    errors = []
    for n in (20, 40, 80, 160):
        points = (np.arange(n) + 0.5) / n
        errors.append(abs(fg.L2(measure=points).norm(u) ** 2 - (np.e**2 - 1) / 2))
    assert np.all(np.abs(np.log2(np.divide(errors[:-1], errors[1:])) - 2) < 0.01)


def test_point_losses_have_no_fisher_gradient_over_lebesgue_measure():
    f = GRID.function(np.sin)
    loss = fg.EmpiricalLoss([0.3], [1.0], loss="logistic")
    with pytest.raises(GradientDoesNotExist):
        fg.gradient(loss, f, fg.Fisher(Bernoulli()))
    step = fg.natural_gradient(loss, MODEL, THETA, fg.Fisher(Bernoulli()), INTERVAL.grid(24))
    assert step.rank == 3


BAD_INPUT = [
    (lambda: fg.Fisher("gaussian"), InvalidInput, "`likelihood` must be one of"),
    (lambda: Gaussian(0.0), InvalidInput, "`sigma` must be positive"),
    (lambda: fg.Fisher(Bernoulli()).at(np.sin), InvalidInput, "`f` must be a Function"),
    (lambda: fg.L2(measure=[]), InvalidInput, "at least one point"),
    (lambda: fg.L2(measure=[np.nan]), InvalidInput, "`measure` must be finite"),
    (
        lambda: fg.L2(measure=lambda x: x - 0.5).norm(GRID.function(np.sin)),
        InvalidInput,
        "positive number at each point",
    ),
    (lambda: fg.L2(measure=[2.0]).norm(GRID.function(np.sin)), DomainMismatch, "outside"),
    (
        lambda: fg.Fisher(Categorical()).at(GRID.function(np.sin)).norm(GRID.function(np.sin)),
        InvalidInput,
        "a component for each class",
    ),
    (
        lambda: fg.Fisher(Bernoulli()).at(GRID.function(np.sin)).square_root(fg.Circle(1.0).grid(4)),
        DomainMismatch,
        "the base point lives on",
    ),
    (
        lambda: fg.gradient_exists(fg.PointEvaluation(0.3), fg.Fisher(Bernoulli()), INTERVAL),
        InvalidInput,
        "depends on the base point",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT)
def test_bad_input_gets_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
