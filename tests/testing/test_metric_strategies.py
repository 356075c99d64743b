"""What the strategies for metrics and kernels promise holds for what they draw."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import strategies
from funcgrad.testing.strategies.kernels import lattice

DRAWN = settings(max_examples=200 if settings.default.max_examples >= 200 else 20)


@DRAWN
@given(st.data())
def test_covectors_bounded_in_an_rkhs_have_a_finite_dual_norm(data):
    interval = fg.Interval(0, 1)
    metric = fg.RKHS(data.draw(strategies.kernels(domain=st.just(interval))))
    grid = st.just(interval.grid(8))
    assert math.isfinite(
        metric.dual_norm(data.draw(strategies.covectors(grid=grid, bounded_in=metric)), interval)
    )


@DRAWN
@given(st.data())
def test_metrics_work_on_their_grid_and_are_definite(data):
    grid = data.draw(strategies.grids())
    metric = data.draw(strategies.metrics(grid=st.just(grid)))
    u = data.draw(strategies.functions(grid=st.just(grid), nonzero=True))
    assert metric.norm(u) > 0


@DRAWN
@given(st.data())
def test_homogeneous_metrics_are_definite_on_functions_of_mean_zero(data):
    grid = data.draw(strategies.grids(spectral=True))
    metric = data.draw(strategies.metrics(grid=st.just(grid), kinds=("homogeneous",)))
    assert metric.homogeneous
    zero_mean = "dirichlet" not in getattr(grid.domain, "boundary", "")
    u = data.draw(strategies.functions(grid=st.just(grid), nonzero=True, zero_mean=zero_mean))
    assert metric.norm(u) > 0


@DRAWN
@given(st.data())
def test_kernels_keep_the_bound_on_the_condition_number(data):
    bound = data.draw(st.sampled_from([10.0, 1e4, 1e8]))
    interval = fg.Interval(0, 1)
    X = data.draw(st.lists(st.integers(0, 32), min_size=2, max_size=8, unique=True))
    X = np.array(X)[:, None] / 34 + 0.01
    kernel = data.draw(strategies.kernels(domain=st.just(interval), points=st.just(X), condition=bound))
    assert np.linalg.cond(kernel.gram(X)) <= bound


@DRAWN
@given(st.data())
def test_matrix_valued_kernels_are_definite_with_the_components_asked_for(data):
    """Each term's condition is at most 4 times the scalar kernel's, and terms of a sum only add."""
    interval = fg.Interval(0, 1)
    m = data.draw(st.integers(1, 3))
    kernel = data.draw(
        strategies.matrix_kernels(domain=st.just(interval), components=st.just(m), condition=1e4)
    )
    X = lattice(interval)
    assert kernel.n_components == m
    assert kernel.gram(X).shape == (6 * m, 6 * m)
    for coupling, scalar in kernel.terms:
        assert np.linalg.cond(coupling) <= 4 * (1 + 64 * np.finfo(float).eps)
        assert np.linalg.cond(scalar.gram(X)) <= 1e4
    kernel.solver(X)


@DRAWN
@given(strategies.metric_fields(kinds=("fisher-rao", "fisher", "energy", "gauss-newton", "sum")), st.data())
def test_metrics_at_a_base_point_are_definite_there_and_at_its_double(drawn, data):
    u = data.draw(strategies.functions(grid=st.just(drawn.grid), nonzero=True))
    assert drawn.metric.norm(u) > 0
    assert drawn.field.at(2 * drawn.base).norm(u) > 0


@DRAWN
@given(strategies.metric_fields(kinds=("wasserstein",)), st.data())
def test_wasserstein_metrics_are_definite_on_functions_of_mass_zero(drawn, data):
    assert drawn.field == fg.Wasserstein()
    u = data.draw(strategies.functions(grid=st.just(drawn.grid), zero_mean=True, nonzero=True))
    assert drawn.metric.norm(u) > 0
