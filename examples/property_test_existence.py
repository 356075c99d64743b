"""The conditions for a gradient to exist, as property tests to copy.

    python examples/property_test_existence.py
    pytest examples/property_test_existence.py

Hypothesis draws domains, metrics, covectors and models; a failure comes back as the smallest one. Replace a
strategy (`funcgrad.testing.strategies`) or an object by your own, and keep the test.
"""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import check_metric, strategies

quick = settings(max_examples=15, deadline=None, derandomize=True)

LINES = strategies.domains(kinds=("circle", "interval"), boundaries=st.just("neumann"))
GRIDS = strategies.grids(domain=LINES, nodes=st.integers(16, 24), spectral=True)
QUARTERS = st.integers(0, 12).map(lambda quarters: quarters / 4)


@quick
@given(order=QUARTERS, derivative=st.integers(0, 2), domain=LINES)
def test_a_point_derivative_has_a_gradient_iff_the_order_exceeds_its_threshold(order, derivative, domain):
    """∂^α δ_x is bounded on H^s iff s > n/2 + |α|."""
    point = strategies_point(domain)
    answer = fg.gradient_exists(fg.PointEvaluation(point, derivative), fg.Sobolev(order), domain)
    assert answer.exists == (order > 0.5 + derivative)


@quick
@given(st.data())
def test_bounded_differentials_have_gradients_and_unbounded_ones_do_not(data):
    grid = data.draw(GRIDS)
    metric = fg.Sobolev(data.draw(st.sampled_from([0.0, 0.75, 1.0, 2.0])))
    f = data.draw(strategies.functions(grid=st.just(grid)))
    bounded = data.draw(strategies.functionals(grid=st.just(grid), bounded_in=metric))
    g = fg.gradient(bounded, f, metric)
    v = data.draw(strategies.functions(grid=st.just(grid)))
    assert math.isclose(metric.inner(g, v), bounded.differential(f)(v), rel_tol=1e-9, abs_tol=1e-9)
    unbounded = data.draw(strategies.functionals(grid=st.just(grid), unbounded_in=metric))
    try:
        fg.gradient(unbounded, f, metric)
    except fg.GradientDoesNotExist:
        pass
    else:
        raise AssertionError(f"{unbounded!r} has a gradient in {metric}")


@quick
@given(strategies.broken_problems(broken="bounded"))
def test_a_natural_gradient_exists_where_the_gradient_does_not(problem):
    """Every covector is bounded on the tangent space of a model, which is finite-dimensional."""
    step = fg.natural_gradient(problem.functional, problem.model, problem.theta, problem.metric, problem.grid)
    assert step.rank == problem.model.n_parameters
    assert np.isfinite(step.direction).all()


@quick
@given(strategies.problems(margin=0.25))
def test_the_natural_gradient_is_the_projection_of_the_gradient(problem):
    """<∇F - dφ(η), φ_i> = 0: what is left of the gradient is orthogonal to the tangent functions."""
    gradient = fg.gradient(problem.functional, problem.f, problem.metric)
    at_f = fg.LinearFunctional(problem.functional.differential(problem.f))
    step = fg.natural_gradient(at_f, problem.model, problem.theta, problem.metric, problem.grid)
    left = gradient - step.pushforward
    tangent = problem.model.jacobian(problem.theta, problem.grid.nodes)
    for column in tangent.T:
        phi = problem.grid.function(column)
        size = problem.metric.norm(gradient) * problem.metric.norm(phi)
        assert abs(problem.metric.inner(left, phi)) <= 1e-9 * size


class WeightedH1:
    """A metric of one's own: <u, v> = ∫ 2uv + u'v'. Any object with these five members will do."""

    def inner(self, u, v):
        return 2 * fg.L2().inner(u, v) + u.grid.integrate(u.derivative().values * v.derivative().values)

    def norm(self, u):
        return math.sqrt(self.inner(u, u))

    def flat(self, u):
        return fg.Density(2 * u) + fg.Density(u.derivative(), derivative=1)

    def riesz(self, c, grid):
        scaled = fg.Sobolev(1.0, length_scale=1 / math.sqrt(2))  # 2 <u, v> = ∫ 2uv + u'v' with ℓ² = 1/2
        return scaled.riesz(c, grid) / 2

    def dual_norm(self, c, domain):
        return fg.Sobolev(1.0, length_scale=1 / math.sqrt(2)).dual_norm(c, domain) / math.sqrt(2)


@quick
@given(circle=strategies.domains(kinds=("circle",)), seed=st.integers(0, 5))
def test_a_metric_of_ones_own_keeps_the_contract(circle, seed):
    check_metric(WeightedH1(), grid=circle.grid(25), rng=seed)


def strategies_point(domain):
    """Return a point of the interior that is no node of a usual grid."""
    return float(domain.from_unit_cube(np.array([[0.3141]]))[0, 0])


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"{test.__name__.removeprefix('test_').replace('_', ' ')}: holds for all that was drawn")
