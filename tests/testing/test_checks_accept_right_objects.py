"""No right object is refused: every check holds for objects drawn by the strategies.

A few of each kind in every run; 200 with ``--hypothesis-profile=funcgrad-thorough``.
"""

import math

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


@DRAWN
@given(st.data(), st.integers(0, 9))
def test_right_metrics(data, seed):
    grid = data.draw(strategies.grids())
    check_metric(data.draw(strategies.metrics(grid=st.just(grid))), grid=grid, rng=seed)


# Each kind by itself: as many are drawn of each.
@pytest.mark.parametrize("kind", ["sum", "tangent-extended"])
@DRAWN
@given(data=st.data(), seed=st.integers(0, 9))
def test_right_metrics_made_of_others(kind, data, seed):
    kinds, boundaries = ("interval", "circle"), st.sampled_from(["neumann", "periodic"])
    domains = strategies.domains(kinds=kinds, dimensions=(1,), boundaries=boundaries)
    nodes = st.integers(12, 24)
    if kind == "tangent-extended":  # on grids that hold the tangent functions
        grid = data.draw(domains).grid(data.draw(nodes))
    else:
        grid = data.draw(strategies.grids(domain=domains, nodes=nodes))
    check_metric(data.draw(strategies.metrics(grid=st.just(grid), kinds=(kind,))), grid=grid, rng=seed)


@pytest.mark.parametrize("kind", ["fisher-rao", "fisher", "energy", "gauss-newton", "sum", "wasserstein"])
@DRAWN
@given(data=st.data(), seed=st.integers(0, 9))
def test_right_metrics_that_depend_on_their_base_point(kind, data, seed):
    drawn = data.draw(strategies.metric_fields(kinds=(kind,)))
    check_metric(drawn.field, at=drawn.base, rng=seed)


EVERYWHERE = ("interval", "circle", "sphere", "euclidean", "torus", "box")


@DRAWN
@given(st.data(), st.integers(0, 9))
def test_right_kernels(data, seed):
    domain = data.draw(strategies.domains(kinds=EVERYWHERE))
    condition = data.draw(st.sampled_from([1e8, math.inf]))
    kernel = data.draw(strategies.kernels(domain=st.just(domain), condition=condition))
    check_kernel(kernel, domain=domain, rng=seed, largest=40)


@DRAWN
@given(st.data(), st.integers(0, 9))
def test_right_matrix_valued_kernels(data, seed):
    domain = data.draw(strategies.domains(kinds=EVERYWHERE))
    condition = data.draw(st.sampled_from([1e8, math.inf]))
    kernel = data.draw(strategies.matrix_kernels(domain=st.just(domain), condition=condition))
    check_kernel(kernel, domain=domain, rng=seed, largest=12)


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
