"""Functions on a set of points: exact at the points, repeated points included, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput

points = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda p: (p[0] / 3, p[1] / 3)),
    min_size=1,
    max_size=9,
)


@given(x=points, seed=st.integers(0, 10**6))
def test_evaluation_and_its_transpose(x, seed):
    """Σ_k w_k u(x_k) = Σ_j c_j u_j for every u, and both are those of the interpolation matrix."""
    rng = np.random.default_rng(seed)
    grid = fg.PointSet(fg.Euclidean(2), x, rng.uniform(0.5, 2, len(x)))
    u = grid.function(rng.normal(size=(len(x), 2)))
    at = np.array(x)[rng.integers(0, len(x), 5)]
    weights = rng.normal(size=(5, 2))
    components = grid.components(at, weights)
    assert np.sum(weights * u(at)) == pytest.approx(np.sum(components * u.values), abs=1e-12)
    np.testing.assert_allclose(grid.interpolation_matrix(at) @ u.values, u(at), atol=1e-14)


@given(x=points)
def test_a_function_of_the_coordinates_is_exact_at_the_points(x):
    grid = fg.PointSet(fg.Euclidean(2), x)
    f = grid.function(lambda x, y: x + 10 * y)
    np.testing.assert_allclose(f(x), np.array(x) @ [1, 10], rtol=1e-15)
    loss = fg.EmpiricalLoss(x, np.zeros(len(x)))
    c = loss.differential(f)
    assert c(f) == pytest.approx(np.sum((np.array(x) @ [1, 10]) ** 2), rel=1e-13)


def test_repeated_points_have_the_weighted_mean():
    grid = fg.PointSet(fg.Interval(0, 1), [0.5, 0.5, 0.2], [1.0, 3.0, 1.0])
    assert grid.function([0.0, 4.0, 7.0])(0.5) == 3.0
    np.testing.assert_allclose(fg.PointEvaluation(0.5).components(grid), [0.25, 0.75, 0.0])


def test_between_the_points_and_for_derivatives_there_is_one_clear_error():
    grid = fg.PointSet(fg.Interval(0, 1), [0.1, 0.4])
    f = grid.function(np.sin)
    for refused in (lambda: f(0.2), f.derivative, lambda: fg.PointEvaluation(0.3).components(grid)):
        with pytest.raises(InvalidInput, match="cannot evaluate them elsewhere, or differentiate"):
            refused()
    with pytest.raises(DomainMismatch, match="outside"):
        f(1.5)


def test_equal_sets_are_equal():
    first, second = (fg.PointSet(fg.Interval(0, 1), [0.1, 0.4]) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != fg.PointSet(fg.Interval(0, 1), [0.1, 0.4], [1.0, 1.0])
