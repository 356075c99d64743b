"""The extension of a metric on parameters to all functions: definition, square root, dual norms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.metrics import TangentExtended

UNIT, CIRCLE = fg.Interval(0, 1), fg.Circle(2 * np.pi)
WAVE = fg.models.Symbolic("a*sin(x + b) + c", "x", "a b c")
PAIR = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x) + a"], "x", "a b c")
THETA = np.array([1.2, 0.4, -0.5])
DENSITY = fg.models.Symbolic("1 + a*sin(x) + b*cos(x)", "x", "a b")
CASES = {
    "L2": (WAVE, THETA, fg.L2(), UNIT.grid(10)),
    "H^1": (WAVE, THETA, fg.Sobolev(1), UNIT.grid(12)),
    "H^0.7 circle": (WAVE, THETA, fg.Sobolev(0.7), CIRCLE.grid(9)),
    "RKHS": (WAVE, THETA, fg.RKHS(fg.kernels.Matern(1.5)), UNIT.grid(8)),
    "two outputs": (PAIR, THETA, fg.Sobolev(1), CIRCLE.grid(8)),
    "a sum": (WAVE, THETA, fg.L2() + fg.RKHS(fg.kernels.Matern(0.5)), UNIT.grid(8)),
    "Fisher-Rao": (DENSITY, THETA[1:], fg.FisherRao(), CIRCLE.grid(12)),
    "Wasserstein": (DENSITY, THETA[1:], fg.Wasserstein(), CIRCLE.grid(12)),
}


def by_definition(model, theta, h, base, u, v):
    """h(a, b) + <u - Σ a_i φ_i, v - Σ b_i φ_i> with a, b from the normal equations."""
    grid = u.grid
    phis = [grid.function(phi) for phi in np.moveaxis(model.jacobian(theta, grid.nodes), -1, 0)]
    gram = np.array([[base.inner(p, q) for q in phis] for p in phis])
    a, b = (np.linalg.solve(gram, [base.inner(p, w) for p in phis]) for w in (u, v))

    def outside(w, coordinates):
        return w - sum((x * p for x, p in zip(coordinates, phis, strict=True)), 0 * w)

    return a @ h @ b + base.inner(outside(u, a), outside(v, b))


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_it_is_the_metric_of_its_definition(case, seed):
    model, theta, base, grid = CASES[case]
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(len(theta), len(theta))) + 3 * np.eye(len(theta))
    h = root.T @ root
    metric = TangentExtended(model, theta, h, base)
    at = metric.on_functions(grid)
    shape = (len(grid),) if model.n_outputs == 1 else (len(grid), model.n_outputs)
    u, v = (grid.function(rng.normal(size=shape)) for _ in range(2))
    if case == "Wasserstein":
        u, v = (w - grid.function(np.full(len(grid), w.values.mean())) for w in (u, v))
    size = metric.norm(u) * metric.norm(v)
    exact = by_definition(model, theta, h, at, u, v)
    assert metric.inner(u, v) == pytest.approx(exact, abs=1e-9 * size)
    assert metric.flat(u)(v) == pytest.approx(exact, abs=1e-7 * size)
    # Its square root, adjoint and inverse.
    S = metric.square_root(grid)
    r = rng.normal(size=S.apply(u.values).shape)
    assert np.sum(r * S.apply(u.values)) == pytest.approx(
        np.sum(S.apply_transpose(r) * u.values), abs=1e-9 * np.linalg.norm(r) * metric.norm(u)
    )
    c = fg.Density(grid.function(rng.normal(size=shape)))
    g = metric.riesz(c, grid)
    assert metric.inner(g, v) == pytest.approx(c(v), abs=1e-8 * metric.norm(g) * metric.norm(v))
    # On the tangent space it is h.
    jacobian = model.jacobian(theta, grid.nodes)
    a, b = rng.normal(size=(2, len(theta)))
    first, second = grid.function(jacobian @ a), grid.function(jacobian @ b)
    assert metric.inner(first, second) == pytest.approx(
        a @ h @ b, abs=1e-9 * math.sqrt((a @ h @ a) * (b @ h @ b))
    )
    np.testing.assert_allclose(fg.gram(model, theta, metric, grid), h, rtol=1e-9, atol=1e-9 * np.abs(h).max())


def test_with_the_pulled_back_metric_it_is_the_metric_itself():
    grid = UNIT.grid(12)
    G = fg.gram(WAVE, THETA, fg.Sobolev(1), grid)
    metric = TangentExtended(WAVE, THETA, (G + G.T) / 2, fg.Sobolev(1))
    u = grid.function(np.exp)
    assert metric.norm(u) == pytest.approx(fg.Sobolev(1).norm(u), rel=1e-12)


def test_the_dual_norm_over_all_functions():
    """That in H^1, less the tangent part's bᵀG⁻¹b, plus bᵀh⁻¹b; for cos x, sin x orthogonal, by hand."""
    model = fg.models.Linear(["sin(x)", "cos(x)"])
    h, x = np.diag([2.0, 5.0]), 0.3
    metric = TangentExtended(model, [0.0, 0.0], h, fg.Sobolev(1))
    delta = fg.PointEvaluation(x)
    ambient = 0.5 / math.tanh(math.pi)
    b = np.array([math.sin(x), math.cos(x)])
    exact = ambient - np.sum(b**2) / (2 * np.pi) + np.sum(b**2 / np.diag(h))
    assert metric.dual_norm(delta, CIRCLE) ** 2 == pytest.approx(exact, rel=1e-12)
    # Every function v has |v(x)| <= ‖δ‖ ‖v‖, with near equality for the representer on a fine grid.
    grid = CIRCLE.grid(512)
    g = metric.riesz(delta, grid)
    assert g(x) / metric.norm(g) == pytest.approx(math.sqrt(exact), rel=2e-3)
    assert metric.dual_norm(fg.PointEvaluation(x, derivative=1), CIRCLE) == math.inf
    kinked = fg.models.Linear([lambda x: np.abs(np.sin(x))])
    with pytest.raises(fg.ConvergenceError, match="not resolved"):
        TangentExtended(kinked, [0.0], None, fg.Sobolev(1)).dual_norm(delta, CIRCLE)


def test_a_gradient_exists_as_in_the_metric_on_functions():
    delta = fg.PointEvaluation(0.3)
    for base, exists in ((fg.L2(), False), (fg.Sobolev(1), True), (fg.RKHS(fg.kernels.Matern(0.5)), True)):
        metric = TangentExtended(WAVE, THETA, None, base)
        assert fg.gradient_exists(delta, metric, UNIT).exists is exists
    sphere = fg.Sphere()
    on_sphere = TangentExtended(fg.models.Linear([lambda x, y, z: x], "x y z"), [1.0], None, fg.Sobolev(1.2))
    north = fg.PointEvaluation([0.0, 0.0, 1.0])  # bounded for s > 1, in space for s > 3/2
    assert on_sphere.analysis(north)[0] is None
    assert on_sphere.dual_norm(north, sphere) > 0


def test_the_natural_gradient_is_the_euclidean_one_and_descent_follows_it():
    loss = fg.EmpiricalLoss([0.2, 0.9, 0.5], [1.0, 0.0, 0.3])
    slope = WAVE.jacobian(THETA, loss.x).T @ (WAVE(THETA, loss.x) - loss.y)
    for base in (fg.L2(), fg.Sobolev(1)):
        step = fg.natural_gradient(loss, WAVE, THETA, TangentExtended(WAVE, THETA, None, base), UNIT)
        np.testing.assert_allclose(step.direction, slope, rtol=1e-11)


def test_bad_metrics_on_parameters_are_refused():
    with pytest.raises(InvalidInput, match=r"`h` must be a symmetric \(3, 3\)"):
        TangentExtended(WAVE, THETA, np.eye(2))
    with pytest.raises(NotPositiveDefinite, match="`h` must be positive definite"):
        TangentExtended(WAVE, THETA, -np.eye(3))
    twice = fg.models.Symbolic("(a + b)*x", "x", "a b")
    with pytest.raises(NotPositiveDefinite, match="dependent"):
        TangentExtended(twice, [1.0, 1.0]).square_root(UNIT.grid(6))
