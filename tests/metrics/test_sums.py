"""Sums of metrics: inner products add, representers solve, and the strongest term decides existence."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput, NotPositiveDefinite
from funcgrad.metrics import Bernoulli, Categorical
from funcgrad.operators import stacked_root

EPS = np.finfo(float).eps
UNIT, PINNED, CIRCLE = fg.Interval(0, 1), fg.Interval(0, 1, "dirichlet"), fg.Circle(2 * np.pi)


def density(grid):
    return grid.function(lambda *x: 2 + np.sin(2 * np.pi * x[0] / grid.domain.factors[0].volume))


def base(grid):
    return grid.function(lambda x: 1.5 + np.cos(x))


# The sum, its grid, and whether functions of the grid must have mass zero or vanish at the ends.
CASES = {
    "both diagonal": (fg.L2() + 0.5 * fg.L2(measure=lambda x: 1 + x), UNIT.grid(9), None),
    "both spectral": (3 * fg.L2() + fg.Sobolev(1.5), CIRCLE.grid(16), None),
    "spectral and homogeneous": (fg.Sobolev(0.5) + fg.Sobolev(-1, homogeneous=True), CIRCLE.grid(9), "mean"),
    "spectral and a density": (fg.Sobolev(1) + fg.L2(measure=lambda x: 2 + np.sin(x)), CIRCLE.grid(12), None),
    "derivatives and a density": (fg.Sobolev(1) + fg.L2(measure=lambda x: 1 + x), UNIT.grid(10), None),
    "fractional on polynomials": (
        2 * fg.Sobolev(0.6) + fg.Sobolev(2, definition="derivative"),
        UNIT.grid(8),
        None,
    ),
    "Dirichlet": (fg.Sobolev(1) + fg.L2(measure=lambda x: 1 + x), PINNED.grid(10), "ends"),
    "points and derivatives": (fg.L2(measure=[0.1, 0.6]) + fg.Sobolev(1), UNIT.grid(8), None),
    "a kernel and L2": (fg.RKHS(fg.kernels.Matern(1.5)) + 0.1 * fg.L2(), UNIT.grid(7), None),
    "Wasserstein and L2": ((fg.Wasserstein() + fg.L2()).at(base(CIRCLE.grid(10))), CIRCLE.grid(10), "mean"),
    "Wasserstein and H^1": ((fg.Wasserstein() + fg.Sobolev(1)).at(base(UNIT.grid(9))), UNIT.grid(9), "mean"),
    "three terms": (fg.L2() + fg.RKHS(fg.kernels.Matern(0.5)) + 2 * fg.Sobolev(1), UNIT.grid(8), None),
}


def in_the_space(values, grid, constraint):
    if constraint == "mean":
        return values - grid.weights @ values / grid.weights.sum()
    if constraint == "ends":
        x = grid.nodes[:, 0]
        return (x * (1 - x)) * np.polynomial.Polynomial(values[: len(x) - 2])(x)
    return values


@pytest.mark.parametrize("largest", [10**6, 0], ids=["dense", "conjugate gradients"])
@pytest.mark.parametrize("case", CASES)
@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_inner_products_add_and_representers_represent(case, largest, seed):
    metric, grid, constraint = CASES[case]
    rng = np.random.default_rng(seed)
    u, v, w = (grid.function(in_the_space(rng.normal(size=len(grid)), grid, constraint)) for _ in range(3))
    exact = sum(a * part.inner(u, v) for a, part in metric.terms)
    size = metric.norm(u) * metric.norm(v)
    assert metric.inner(u, v) == pytest.approx(exact, abs=1e-11 * size)
    assert metric.flat(u)(v) == pytest.approx(exact, abs=1e-8 * size)
    c = fg.Density(grid.function(rng.normal(size=len(grid))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacked_root, "_MOST_DENSE", largest)
        root = stacked_root.sum_root(
            grid, [(a, part.square_root(grid)) for a, part in reversed(metric.terms)]
        )
        r = root.solve_transpose(c.components(grid))
        g = root.solve(r)
    dual = np.linalg.norm(r)
    # <g, w> = c(w) for every w of the space, and r = Sg.
    assert metric.inner(fg.Function(grid, g), w) == pytest.approx(c(w), abs=1e-8 * dual * metric.norm(w))
    np.testing.assert_allclose(root.apply(g), r, atol=1e-8 * dual)
    noise = rng.normal(size=r.shape)
    assert np.sum(noise * root.apply(u.values)) == pytest.approx(
        np.sum(root.apply_transpose(noise) * u.values), abs=1e-9 * np.linalg.norm(noise) * metric.norm(u)
    )


def test_terms_on_the_sobolev_scale_stay_diagonal():
    """3 + (1 + λ) = 4 (1 + λ/4): H^1 of half the length scale, four times."""
    metric, same = 3 * fg.L2() + fg.Sobolev(1), fg.Sobolev(1, 0.5)
    grid = CIRCLE.grid(64)
    c = fg.PointEvaluation(0.3)
    root = metric.square_root(grid)
    assert type(root).__name__ == "SpectralRoot"
    np.testing.assert_allclose(metric.riesz(c, grid).values, same.riesz(c, grid).values / 4, atol=1e-15)
    weighted = fg.L2() + 2 * fg.L2(measure=lambda x: 1 + x)
    assert weighted.square_root(UNIT.grid(5)).is_diagonal
    assert not (fg.Sobolev(1) + fg.L2(measure=lambda x: 2 + np.sin(x))).square_root(grid).is_diagonal


def test_the_dual_norm_of_a_point_in_a_sum():
    """Over all functions: that of H^1 with ℓ = 1/2, by extrapolation of refined grids to 1e-6."""
    metric, delta = 3 * fg.L2() + fg.Sobolev(1), fg.PointEvaluation(0.3)
    for domain in (CIRCLE, UNIT, PINNED):
        exact = fg.Sobolev(1, 0.5).dual_norm(delta, domain) / 2
        assert metric.dual_norm(delta, domain) == pytest.approx(exact, rel=1e-5)
    torus = fg.Torus((2 * np.pi, 2 * np.pi))
    exact = math.sqrt(np.sum(1 / (1 + (1 + torus.laplacian_spectrum(4000)) ** 2)) / (4 * np.pi**2))
    found = (fg.L2() + fg.Sobolev(2)).dual_norm(fg.PointEvaluation([0.3, 1.0]), torus)
    assert found == pytest.approx(exact, rel=1e-3)  # 4000 modes leave out Σ λ⁻² ≈ 4e-4 of it
    grid = CIRCLE.grid(32)
    c = fg.Density(grid.function(np.cos))
    assert metric.dual_norm(c, CIRCLE) ** 2 == pytest.approx(np.pi / 5, rel=1e-13)
    # Doubling a metric divides squared dual norms by two.
    twice = fg.Sobolev(1) + fg.Sobolev(1)
    assert twice.dual_norm(delta, CIRCLE) ** 2 == pytest.approx(
        fg.Sobolev(1).dual_norm(delta, CIRCLE) ** 2 / 2, rel=1e-5
    )


def test_the_strongest_term_decides_existence():
    delta, slope = fg.PointEvaluation(0.3), fg.PointEvaluation(0.3, derivative=1)
    assert fg.gradient_exists(delta, fg.L2() + fg.Sobolev(1), CIRCLE).exists is True
    assert fg.gradient_exists(delta, fg.L2() + fg.Sobolev(0.4), CIRCLE).exists is False
    assert fg.gradient_exists(slope, fg.L2() + fg.Sobolev(1), CIRCLE).exists is False
    assert (fg.L2() + fg.Sobolev(0.4)).dual_norm(delta, CIRCLE) == math.inf
    kernel = fg.RKHS(fg.kernels.Matern(0.5))
    assert fg.gradient_exists(delta, fg.L2() + kernel, UNIT).exists is True
    assert fg.gradient_exists(slope, fg.L2() + kernel, UNIT).exists is False
    assert fg.gradient_exists(slope, fg.Sobolev(2) + kernel, UNIT).exists is True
    assert (fg.L2() + kernel).dual_norm(slope, UNIT) == math.inf
    points = fg.L2(measure=[0.3]) + fg.L2()
    assert fg.gradient_exists(delta, points, UNIT).exists is True
    assert fg.gradient_exists(fg.PointEvaluation(0.4), points, UNIT).exists is False


def test_pulled_back_metrics_add_and_the_natural_gradient_solves_with_the_sum():
    """G = 2 G_1 + G_2, with A = [√2 S_1 J; S_2 J]."""
    model, theta = fg.models.Symbolic("a*exp(-b*x) + c", "x", "a b c"), [1.0, 0.7, 0.2]
    first, second = fg.L2(measure=lambda x: 1 + x), fg.Sobolev(1)
    metric, grid = 2 * first + second, UNIT.grid(16)
    grams = [fg.gram(model, theta, m, grid) for m in (first, second, metric)]
    np.testing.assert_allclose(grams[2], 2 * grams[0] + grams[1], rtol=1e-13)
    loss = fg.EmpiricalLoss([0.2, 0.9], [1.0, 0.0])
    slope = loss.differential(lambda x: model(theta, x)).components(grid) @ model.jacobian(theta, grid.nodes)
    step = fg.natural_gradient(loss, model, theta, metric, grid)
    np.testing.assert_allclose(step.direction, np.linalg.solve(grams[2], slope), rtol=1e-8)


def test_an_energy_adds_to_other_metrics():
    """D²E + a<., .>_0: E = ∫ (u² + u_x²)/2 + (u - 1)⁴ has the second variation of H^1 at u = 1."""
    grid = UNIT.grid(10)
    energy = fg.metrics.Energy(fg.Integral("u**2/2 + u_x**2/2 + (u - 1)**4"))
    one, u, v = grid.function(lambda x: 1 + 0 * x), grid.function(np.exp), grid.function(np.cos)
    metric = (energy + 2 * fg.L2()).at(one)
    expected = fg.Sobolev(1.0).inner(u, v) + 2 * fg.L2().inner(u, v)
    assert metric.inner(u, v) == pytest.approx(expected, rel=1e-12)
    c = fg.PointEvaluation(0.3)
    assert metric.inner(metric.riesz(c, grid), v) == pytest.approx(math.cos(0.3), rel=1e-8)


def test_a_sum_with_a_metric_that_depends_on_the_base_point_does_too():
    model, theta = fg.models.Symbolic("a*x - b", "x", "a b"), [2.0, 0.5]
    field = fg.Fisher(Bernoulli()) + 0.1 * fg.Sobolev(1)
    grams = [fg.gram(model, theta, m, UNIT.grid(12)) for m in (fg.Fisher(Bernoulli()), fg.Sobolev(1), field)]
    np.testing.assert_allclose(grams[2], grams[0] + 0.1 * grams[1], rtol=1e-13)
    assert str(2 * field) == "2 the Fisher metric of Bernoulli() + 0.2 H^1"


def test_a_term_that_is_singular_alone_is_not_in_a_sum():
    """Softmax's information ignores constants of the logits; L2 does not."""
    grid = UNIT.grid(5)
    f = grid.function(lambda x: np.column_stack([x, 1 - x, x**2]))
    metric = (fg.Fisher(Categorical()) + fg.Sobolev(1)).at(f)
    one = fg.Density(grid.function(lambda x: np.column_stack([1 + x, x, 0 * x])))
    g = metric.riesz(one, grid)
    v = grid.function(np.random.default_rng(0).normal(size=(5, 3)))
    assert metric.inner(g, v) == pytest.approx(one(v), rel=1e-10)
    twice = fg.L2(measure=[0.1, 0.6]) + fg.RKHS(fg.kernels.Matern(0.5))
    twice.riesz(fg.PointEvaluation(0.2), grid)
    with pytest.raises(NotPositiveDefinite, match="some functions norm zero"):
        (fg.L2(measure=[0.1, 0.6]) + fg.Fisher(Bernoulli(), measure=[0.1])).at(grid.function(np.sin)).riesz(
            fg.PointEvaluation(0.1), grid
        )


def test_large_grids_are_solved_by_conjugate_gradients():
    torus = fg.Torus((2 * np.pi, 2 * np.pi))
    grid = torus.grid(48)
    metric = (fg.Sobolev(1) + fg.FisherRao()).at(grid.function(lambda x, y: 2 + np.sin(x) * np.cos(y)))
    c = fg.Density(grid.function(lambda x, y: np.exp(np.cos(x)) * np.sin(y)))
    g = metric.riesz(c, grid)
    v = grid.function(lambda x, y: np.sin(x + y) + np.sin(y))
    assert metric.inner(g, v) == pytest.approx(c(v), rel=1e-11)


def test_what_is_not_a_metric_does_not_add():
    with pytest.raises(TypeError):
        fg.L2() + 1
    with pytest.raises(TypeError):
        fg.L2() * fg.L2()
    with pytest.raises(InvalidInput, match="`factor` must be positive"):
        -1 * fg.L2()
    with pytest.raises(InvalidInput, match="`factor` must be positive"):
        fg.Fisher(Bernoulli()) * 0.0
    metric = fg.Sobolev(1) + fg.L2()
    with pytest.raises(DomainMismatch):
        metric.inner(UNIT.grid(4).function(np.sin), UNIT.grid(5).function(np.sin))
    with pytest.raises(InvalidInput, match="mean zero"):
        (fg.L2() + fg.Sobolev(1, homogeneous=True)).norm(CIRCLE.grid(8).function(lambda x: 1 + np.sin(x)))
    with pytest.raises(InvalidInput, match="has no closed form"):
        (fg.L2() + fg.Sobolev(1)).green_kernel(CIRCLE)
