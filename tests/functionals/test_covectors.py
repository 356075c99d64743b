"""Covectors and losses: what they give on functions, arithmetic, exactness at points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.testing import strategies
from funcgrad.testing.samples import modes, refined

CIRCLE, INTERVAL = fg.Circle(2 * np.pi), fg.Interval(0, 1)


def test_a_point_evaluation_is_exact_on_callables_and_resolved_functions():
    c = fg.PointEvaluation(0.3, weight=2.0)
    assert c(np.exp) == 2 * np.exp(0.3)
    assert c(INTERVAL.grid(20).function(np.exp)) == pytest.approx(2 * np.exp(0.3), rel=1e-14)


def test_point_derivatives_on_functions():
    f = CIRCLE.grid(40).function(lambda x: np.exp(np.sin(x)))
    first, second = (fg.PointEvaluation(0.4, derivative=k)(f) for k in (1, 2))
    value = np.exp(np.sin(0.4))
    assert first == pytest.approx(np.cos(0.4) * value, rel=1e-13)
    assert second == pytest.approx((np.cos(0.4) ** 2 - np.sin(0.4)) * value, rel=1e-12)


def test_densities_integrate_against_functions_derivatives_and_callables():
    grid = INTERVAL.grid(20)
    g = grid.function(np.exp)
    assert fg.Density(g)(lambda x: x) == pytest.approx(1.0, rel=1e-14)  # ∫ x e^x over (0,1)
    assert fg.Density(g)(grid.function(lambda x: x)) == pytest.approx(1.0, rel=1e-14)
    assert fg.Density(g, derivative=1)(grid.function(lambda x: x**2)) == pytest.approx(2.0, rel=1e-13)


@pytest.mark.parametrize(("known", "met"), [(12, 30), (30, 12)])
def test_a_density_meets_functions_of_another_grid_on_the_finer_one(known, met):
    g = INTERVAL.grid(known).function(np.exp)
    v = INTERVAL.grid(met).function(lambda x: x**3)
    exact = 6 - 2 * np.e  # ∫ x³ e^x over (0,1)
    assert fg.Density(g)(v) == pytest.approx(exact, rel=1e-12)


@given(
    grid=strategies.grids(
        domain=strategies.domains(kinds=("interval", "circle", "box", "torus"), dimensions=(1, 2)),
        nodes=st.integers(4, 9),
        spectral=True,
    ),
    order=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_a_density_gives_the_same_on_a_finer_grid_for_functions_that_its_own_resolves(grid, order, seed):
    """∫ g ∂v by the quadrature of g's grid, also for a g without the parity of ∂v."""
    rng = np.random.default_rng(seed)
    g = grid.function(rng.normal(size=len(grid)))
    low = modes(grid, len(grid))
    v = grid.function(low @ (rng.normal(size=low.shape[1]) / (1 + np.arange(low.shape[1]))))
    alpha = (order,) + (0,) * (grid.domain.dimension - 1)
    c = fg.Density(g, derivative=alpha)
    values = v.derivative_values(alpha)
    size = float(grid.weights @ np.abs(g.values)) * np.abs(values).max()
    assert c(v) == pytest.approx(float(grid.weights @ (g.values * values)), abs=1e-13 * size)
    for finer in (refined(grid), refined(refined(grid))):
        assert c(finer.function(v)) == pytest.approx(c(v), abs=1e-12 * size)


def test_components_are_the_values_on_cardinal_functions():
    grid = INTERVAL.grid(7)
    c = (
        fg.PointEvaluation(0.2)
        - 3 * fg.PointEvaluation(0.7, derivative=1)
        + fg.Density(grid.function(np.cos))
    )
    expected = [c(grid.function(row)) for row in np.eye(7)]
    np.testing.assert_allclose(c.components(grid), expected, rtol=1e-13, atol=1e-13)


@given(a=st.floats(-5, 5), b=st.floats(-5, 5), x=st.floats(0, 1), y=st.floats(0, 1))
def test_covectors_are_linear_and_form_a_vector_space(a, b, x, y):
    grid = INTERVAL.grid(6)
    u, v = grid.function(lambda t: t**3), grid.function(lambda t: 1 - t)
    c, d = fg.PointEvaluation(x), fg.Density(u) + fg.PointEvaluation(y, derivative=1)
    combined = a * c - b * d
    assert combined(v) == pytest.approx(a * c(v) - b * d(v), abs=1e-12)
    assert combined(2 * u + v) == pytest.approx(2 * combined(u) + combined(v), abs=1e-11)


def test_terms_at_one_point_are_combined_and_cancel():
    delta = fg.PointEvaluation(0.3)
    assert len((delta + 2 * delta).atoms) == 1
    assert (delta - delta).atoms == ()
    assert (delta - delta).regularity.admits(-100)
    assert len((delta + fg.PointEvaluation(0.3, derivative=1)).atoms) == 2


def test_regularity_names_the_worst_term():
    density = fg.Density(INTERVAL.grid(4).function(np.cos))
    assert density.regularity.order == 0
    assert density.regularity.admits(0)
    mixed = density + fg.PointEvaluation(0.3) + fg.PointEvaluation(0.3, derivative=2)
    assert mixed.regularity.order == 2.5
    assert not mixed.regularity.admits(2.5)
    assert "order 2" in str(mixed.regularity)


def test_vector_valued_covectors():
    grid = INTERVAL.grid(8)
    f = grid.function(lambda x: np.column_stack([x, x**2]))
    c = fg.PointEvaluation(0.5, weight=[1.0, 4.0])
    assert c(f) == pytest.approx(0.5 + 4 * 0.25)
    assert c.components(grid).shape == (8, 2)
    assert fg.Density(f)(f) == pytest.approx(1 / 3 + 1 / 5)


def test_a_covector_is_not_a_function():
    grid = INTERVAL.grid(4)
    with pytest.raises(InvalidInput):
        grid.function(fg.Density(grid.function(np.cos)))
    with pytest.raises(TypeError):
        _ = grid.function(np.cos) + fg.PointEvaluation(0.3)


LOSSES = [
    fg.EmpiricalLoss([0.2, 0.7, 0.7], [1.0, -1.0, 2.0]),
    fg.PopulationLoss(np.sin),
    fg.LinearFunctional(fg.PointEvaluation(0.1)),
    2.0 * fg.PopulationLoss(np.sin) - fg.EmpiricalLoss([0.5], [0.0]),
]


@pytest.mark.parametrize("F", LOSSES, ids=["empirical", "population", "linear", "combination"])
def test_differentials_by_a_two_sided_taylor_test(F):
    """F(f+tv) - F(f) - t dF(v) = O(t²) exactly: all of these are quadratic."""
    rng = np.random.default_rng(0)
    grid = INTERVAL.grid(8)
    f = grid.function(rng.normal(size=8))
    for _ in range(3):
        v = grid.function(rng.normal(size=8))
        slope = F.differential(f)(v)
        for t in (1e-1, 1e-2):
            central = (F(f + t * v) - F(f - t * v)) / (2 * t)
            assert central == pytest.approx(slope, rel=1e-11)


def test_the_empirical_loss_is_half_the_sum_of_squares():
    loss = fg.EmpiricalLoss(x=[0.0, 1.0], y=[1.0, 3.0])
    assert loss(lambda x: 0 * x) == 5.0
    several = fg.EmpiricalLoss([[0.0], [1.0]], [[1.0, 0.0], [0.0, 2.0]])
    assert several(lambda x: np.column_stack([x, x])) == 0.5 * (1 + 0 + 1 + 1)


BAD_INPUT = [
    (lambda: fg.PointEvaluation([[0.1], [0.2]]), InvalidInput, "one point"),
    (lambda: fg.PointEvaluation(0.1, derivative=-1), InvalidInput, "`derivative` must be at least 0"),
    (lambda: fg.PointEvaluation(0.1, derivative=(1, 1)), InvalidInput, "1 entries"),
    (lambda: fg.Density(np.ones(3)), InvalidInput, "must be a Function"),
    (lambda: fg.EmpiricalLoss([0.1, 0.2], [1.0]), InvalidInput, "one row for each of the 2 points"),
    (lambda: fg.EmpiricalLoss([], []), InvalidInput, "at least one"),
    (lambda: fg.EmpiricalLoss([0.1], [np.nan]), InvalidInput, "`y` must be finite"),
    (lambda: fg.LinearFunctional(np.sin), InvalidInput, "must be a Covector"),
    (lambda: fg.PointEvaluation(0.1, derivative=1)(np.sin), InvalidInput, "needs a Function"),
    (lambda: fg.PointEvaluation(1.5)(INTERVAL.grid(4).function(np.sin)), DomainMismatch, "outside"),
    (
        lambda: fg.Density(INTERVAL.grid(4).function(np.sin)).components(CIRCLE.grid(4)),
        DomainMismatch,
        "meets functions on",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT)
def test_bad_input_gets_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
