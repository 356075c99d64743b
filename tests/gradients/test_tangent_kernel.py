"""Tangent kernels: the NTK, and reproducing kernels of pushed-forward metrics."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput, NotPositiveDefinite

MODEL = fg.models.Symbolic("a*sin(x + b) + c*x", "x", "a b c")
THETA = np.array([1.2, 0.4, -0.5])
X, Y = np.linspace(0, 1, 5), np.linspace(0.2, 0.9, 4)


def naive_kernel(h, x, y):
    inverse = np.linalg.inv(h)
    phi, psi = MODEL.jacobian(THETA, x), MODEL.jacobian(THETA, y)
    return np.array(
        [[sum(p[i] * inverse[i, j] * q[j] for i in range(3) for j in range(3)) for q in psi] for p in phi]
    )


def test_the_ntk_sums_products_of_tangent_functions():
    kernel = fg.tangent_kernel(MODEL, THETA)
    np.testing.assert_allclose(kernel.gram(X, Y), naive_kernel(np.eye(3), X, Y), rtol=1e-14)
    assert kernel(0.3, 0.7) == pytest.approx(naive_kernel(np.eye(3), [0.3], [0.7])[0, 0], rel=1e-14)
    np.testing.assert_allclose(
        kernel.matvec(X, Y, np.arange(4.0)), kernel.gram(X, Y) @ np.arange(4.0), rtol=1e-13
    )
    np.testing.assert_allclose(kernel.gram_diagonal(X), np.diag(kernel.gram(X)), rtol=1e-14)


@given(seed=st.integers(0, 1000))
def test_the_generalised_kernel_uses_the_inverse_metric(seed):
    root = np.random.default_rng(seed).normal(size=(3, 3)) + 3 * np.eye(3)
    h = root.T @ root
    kernel = fg.tangent_kernel(MODEL, THETA, metric=h)
    np.testing.assert_allclose(kernel.gram(X, Y), naive_kernel(h, X, Y), atol=1e-10 * np.linalg.cond(h))


def test_the_kernel_of_a_metric_on_functions_reproduces_tangent_functions():
    """<K_h(x, .), φ_i> = φ_i(x) in the metric that was pulled back."""
    domain, metric = fg.Interval(0, 1), fg.Sobolev(1.0)
    kernel = fg.tangent_kernel(MODEL, THETA, metric=metric, domain=domain)
    grid = domain.grid(32)
    section = grid.function(kernel.gram(grid.nodes, [0.3])[:, 0])
    for i in range(3):
        phi = grid.function(MODEL.jacobian(THETA, grid.nodes)[:, i])
        assert metric.inner(section, phi) == pytest.approx(phi(0.3), rel=1e-10)


PAIR = fg.models.Symbolic(["a*sin(x + b)", "c*x*a"], "x", "a b c")
PLANE = fg.models.Symbolic("a*sin(x + b*y) + c*x*y", "x y", "a b c")
NETWORK = fg.models.MLP([2, 5, 3], "tanh")


def random_metric(p, rng):
    q, _ = np.linalg.qr(rng.normal(size=(p, p)))
    h = (q * rng.uniform(0.5, 5, p)) @ q.T
    return (h + h.T) / 2


CASES = {
    "one output": (MODEL, THETA),
    "two outputs": (PAIR, THETA),
    "two inputs": (PLANE, THETA),
    "a network": (NETWORK, NETWORK.initial(0)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("columns", [1, 12], ids=["one column", "many columns"])
@settings(max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_products_gram_matrices_and_derivatives_against_sums_over_parameters(case, columns, seed):
    """Σ_ij h^ij ∂^α φ_i(x) ∂^β φ_j(y)ᵀ, by a loop over the entries."""
    model, theta = CASES[case]
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(size=(4, model.dimension)), rng.uniform(size=(5, model.dimension))
    h = random_metric(len(theta), rng)
    alpha, beta = (tuple(rng.integers(0, 2, model.dimension).tolist()) for _ in range(2))
    kernel = fg.tangent_kernel(model, theta, h)
    kernel = kernel.derivative(alpha, beta)
    p, m, inverse = len(theta), model.n_outputs, np.linalg.inv(h)
    phi = model.jacobian_derivative(theta, x, alpha).reshape(4, m, p)
    psi = model.jacobian_derivative(theta, y, beta).reshape(5, m, p)
    exact = np.einsum("kap,pq,lbq->kalb", phi, inverse, psi).reshape(4 * m, 5 * m)
    scale = np.abs(exact).max() * np.linalg.cond(h)
    np.testing.assert_allclose(kernel.gram(x, y), exact, atol=1e-13 * scale)
    v = rng.normal(size=(5, m) if m > 1 else (5, columns))
    product = (exact @ v.reshape(5 * m, -1)).reshape(4, -1)
    np.testing.assert_allclose(kernel.matvec(x, y, v), product, atol=1e-12 * scale)
    matching = np.array([exact.reshape(4, m, 5, m)[k, :, k] for k in range(4)])
    np.testing.assert_allclose(kernel(x, y[:4]), matching if m > 1 else matching[:, 0, 0], atol=1e-13 * scale)


def test_products_go_over_blocks_of_points_and_never_hold_the_jacobian(monkeypatch):
    kernel = fg.tangent_kernel(NETWORK, NETWORK.initial(0))
    rng = np.random.default_rng(0)
    x, y, v = rng.normal(size=(70, 2)), rng.normal(size=(50, 2)), rng.normal(size=(50, 3))
    exact = kernel.gram(x, y) @ v.reshape(-1)
    np.testing.assert_allclose(kernel.matvec(x, y, v).reshape(-1), exact, rtol=1e-11)
    module = sys.modules[type(kernel).__module__]
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 9 * kernel.n_components * NETWORK.n_parameters)
    largest = []
    original = type(NETWORK).jacobian_derivative
    monkeypatch.setattr(
        type(NETWORK),
        "jacobian_derivative",
        lambda self, theta, points, alpha: (
            largest.append(len(points)) or original(self, theta, points, alpha)
        ),
    )
    many = np.stack([v] * 20, axis=-1)
    np.testing.assert_allclose(kernel._apply(x, y, many)[..., 7].reshape(-1), exact, rtol=1e-11)
    assert max(largest) == 9


@pytest.mark.parametrize("case", CASES)
def test_low_rank_factors_are_exact_from_the_number_of_parameters_on(case):
    model, theta = CASES[case]
    x = np.random.default_rng(1).uniform(size=(40, model.dimension))
    kernel = fg.tangent_kernel(model, theta)
    gram = kernel.gram(x)
    whole = kernel.low_rank(x, 1e-30)
    assert whole.factor.shape[1] <= len(theta)
    np.testing.assert_allclose(whole.factor @ whole.factor.T, gram, atol=1e-13 * np.abs(gram).max())
    for tolerance in (1e-1, 1e-3):
        cut = kernel.low_rank(x, tolerance)
        left = gram - cut.factor @ cut.factor.T
        assert np.trace(left) == pytest.approx(cut.trace_error, abs=1e-13 * np.trace(gram))
        assert cut.trace_error <= tolerance * np.trace(gram)
        assert np.abs(left[cut.pivots]).max() < 1e-13 * np.trace(gram)
        # One column less is not enough, and those of the general pivoted Cholesky do as well.
        shorter = gram - cut.factor[:, :-1] @ cut.factor[:, :-1].T
        assert np.trace(shorter) > tolerance * np.trace(gram)
    with pytest.raises(InvalidInput, match="`tolerance` must be positive"):
        kernel.low_rank(x, 0.0)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_its_rkhs_is_the_tangent_space_with_the_metric_on_parameters(case, seed):
    """‖Ja‖² = aᵀha; K(x, .)c reproduces; ‖δ_x·c‖² = cᵀK(x, x)c; every covector has a gradient."""
    model, theta = CASES[case]
    rng = np.random.default_rng(seed)
    h = random_metric(len(theta), rng)
    space = fg.RKHS(fg.tangent_kernel(model, theta, h))
    domain = fg.Interval(0, 1) if model.dimension == 1 else fg.Box([(0, 1), (0, 1)])
    grid = domain.grid(12 if model.dimension == 1 else 6)
    jacobian = model.jacobian(theta, grid.nodes)
    a, b = rng.normal(size=(2, len(theta)))
    u, v = grid.function(jacobian @ a), grid.function(jacobian @ b)
    tolerance = 1e-9 * np.linalg.cond(h) * np.linalg.cond(jacobian.reshape(-1, len(theta)))
    size = np.sqrt((a @ h @ a) * (b @ h @ b))
    assert space.inner(u, v) == pytest.approx(a @ h @ b, abs=tolerance * size)
    point, order = rng.uniform(size=model.dimension), (1,) + (0,) * (model.dimension - 1)
    weight = rng.normal(size=model.n_outputs) if model.n_outputs > 1 else 1.3
    for derivative in ((0,) * model.dimension, order):
        c = fg.PointEvaluation(point, derivative, weight)
        row = (
            weight @ model.jacobian_derivative(theta, point[None], derivative).reshape(-1, len(theta))
            if (model.n_outputs > 1)
            else weight * model.jacobian_derivative(theta, point[None], derivative)[0]
        )
        g = space.riesz(c, grid)
        assert space.inner(g, u) == pytest.approx(
            row @ a, abs=tolerance * np.abs(row).max() * np.abs(a).max()
        )
        assert space.dual_norm(c, domain) ** 2 == pytest.approx(row @ np.linalg.solve(h, row), rel=1e-10)
        assert np.linalg.norm(space.whiten(c, grid)) == pytest.approx(space.dual_norm(c, domain), rel=1e-6)
    # Pulled back it is h, and the natural gradient is the h-gradient.
    np.testing.assert_allclose(fg.gram(model, theta, space, grid), h, atol=tolerance * np.abs(h).max())
    with pytest.raises(InvalidInput, match="not in the space"):
        space.norm(grid.function(rng.normal(size=u.values.shape)))


@pytest.mark.parametrize("case", CASES)
def test_every_derivative_has_a_gradient_in_the_tangent_space(case):
    model, theta = CASES[case]
    space = fg.RKHS(fg.tangent_kernel(model, theta))
    domain = fg.Interval(0, 1) if model.dimension == 1 else fg.Box([(0, 1), (0, 1)])
    weight = [1.0, -0.5, 2.0][: model.n_outputs] if model.n_outputs > 1 else 1.0
    order = (1,) + (0,) * (model.dimension - 1)
    c = fg.PointEvaluation([0.3, 0.6][: model.dimension], order, weight)
    assert fg.gradient_exists(c, space, domain).exists is True


def test_the_natural_gradient_in_the_rkhs_of_the_tangent_space_is_the_euclidean_one():
    loss = fg.EmpiricalLoss([0.2, 0.9], [[1.0, 0.0], [0.3, -1.0]])
    space, interval = fg.RKHS(fg.tangent_kernel(PAIR, THETA)), fg.Interval(0, 1)
    slope = np.einsum("kap,ka->p", PAIR.jacobian(THETA, loss.x), PAIR(THETA, loss.x) - loss.y)
    for solver in ("qr", "lsmr"):
        step = fg.natural_gradient(loss, PAIR, THETA, space, interval.grid(12), solver=solver)
        np.testing.assert_allclose(step.direction, slope, rtol=1e-9)


def test_the_kernel_of_a_metric_that_depends_on_the_base_point():
    field, grid = fg.Fisher(fg.metrics.Poisson()), fg.Interval(0, 1).grid(12)
    kernel = fg.tangent_kernel(MODEL, THETA, field, grid)
    np.testing.assert_allclose(
        kernel.gram(X, Y), naive_kernel(fg.gram(MODEL, THETA, field, grid), X, Y), rtol=1e-8
    )


def test_a_model_without_derivatives_refuses_those_of_its_kernel():
    kinked = fg.models.MLP([1, 3, 1], "relu")
    kernel = fg.tangent_kernel(kinked, kinked.initial(0))
    assert kernel(0.3, 0.3) > 0
    with pytest.raises(InvalidInput, match="smooth"):
        fg.RKHS(kernel).dual_norm(fg.PointEvaluation(0.3, derivative=1), fg.Interval(0, 1))


def test_bad_metrics_are_refused():
    with pytest.raises(InvalidInput, match="`domain` is needed"):
        fg.tangent_kernel(MODEL, THETA, metric=fg.L2())
    with pytest.raises(InvalidInput, match=r"symmetric \(3, 3\)"):
        fg.tangent_kernel(MODEL, THETA, metric=np.eye(2))
    with pytest.raises(NotPositiveDefinite, match="must be positive definite"):
        fg.tangent_kernel(MODEL, THETA, metric=np.diag([1.0, 1.0, -1.0]))
    dependent = fg.models.Symbolic("(a + b)*x", "x", "a b")
    with pytest.raises(NotPositiveDefinite, match="are dependent"):
        fg.tangent_kernel(dependent, [1.0, 1.0], metric=fg.L2(), domain=fg.Interval(0, 1))
