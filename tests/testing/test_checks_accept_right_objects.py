"""No right object is refused: every check holds for objects drawn by the strategies.

A few of each kind in every run; 200 with ``--hypothesis-profile=funcgrad-thorough``.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import (
    check_domain,
    check_functional,
    check_gradient,
    check_kernel,
    check_metric,
    check_model,
    check_operator,
    strategies,
)

DRAWN = settings(max_examples=200 if settings.default.max_examples >= 200 else 8)


@st.composite
def metrics_on_grids(draw):
    grid = draw(strategies.grids())
    return draw(strategies.metrics(grid=st.just(grid))), grid


@DRAWN
@given(metrics_on_grids(), st.integers(0, 9))
def test_right_metrics(drawn, seed):
    metric, grid = drawn
    check_metric(metric, grid=grid, rng=seed)


@st.composite
def kernels_on_domains(draw):
    domain = draw(strategies.domains(kinds=("interval", "circle", "sphere", "euclidean")))
    return draw(strategies.kernels(domain=st.just(domain))), domain


@DRAWN
@given(kernels_on_domains(), st.integers(0, 9))
def test_right_kernels(drawn, seed):
    kernel, domain = drawn
    check_kernel(kernel, domain=domain, rng=seed)


@st.composite
def functionals_at_functions(draw):
    grid = draw(strategies.grids())
    return draw(strategies.functionals(grid=st.just(grid))), draw(strategies.functions(grid=st.just(grid)))


@DRAWN
@given(functionals_at_functions(), st.integers(0, 9))
def test_right_functionals(drawn, seed):
    functional, f = drawn
    check_functional(functional, f=f, rng=seed)


@DRAWN
@given(strategies.models(), st.integers(0, 9))
def test_right_models(drawn, seed):
    check_model(drawn.model, theta=drawn.theta, domain=drawn.domain, rng=seed)


@DRAWN
@given(strategies.operators(), st.integers(0, 9))
def test_right_operators(drawn, seed):
    check_operator(drawn.operator, shape=drawn.shape, weights=drawn.weights, rng=seed)


@DRAWN
@given(
    st.one_of(strategies.domains(dimensions=(1, 2, 3)), strategies.domains(kinds=("euclidean",))),
    st.integers(0, 9),
)
def test_right_domains(domain, seed):
    check_domain(domain, rng=seed)


@DRAWN
@given(strategies.problems(), st.integers(0, 9))
def test_right_gradients(problem, seed):
    check_gradient(problem.functional, problem.f, problem.metric, rng=seed)


@pytest.mark.parametrize("rule", ["gauss-legendre", "clenshaw-curtis", "midpoint", "trapezoid"])
def test_grids_of_a_lower_order_converge(rule):
    interval = fg.Interval(0, 2)
    check_domain(interval, grid=interval.grid(48, rule=rule))
