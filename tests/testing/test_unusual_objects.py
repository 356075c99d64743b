"""Right objects of an unusual kind are not refused: units, kinks in θ, narrow kernels, formed matrices."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

import funcgrad as fg
from funcgrad.functionals import from_callable
from funcgrad.testing import (
    ConformanceError,
    check_domain,
    check_functional,
    check_kernel,
    check_metric,
    check_model,
)


class Formula:
    """A model of one coordinate by its value and its Jacobian; no subclass of the library's."""

    dimension = 1

    def __init__(self, value, jacobian, n_parameters):
        self.value, self.of_parameters, self.n_parameters = value, jacobian, n_parameters

    def __call__(self, theta, x):
        return self.value(theta, x[:, 0])

    def jacobian(self, theta, x):
        return np.stack(self.of_parameters(theta, x[:, 0]), axis=-1)


# Of |θ| and Re θ the complex step gives a derivative that is another number, and no error.
LENGTH = Formula(
    lambda t, x: np.linalg.norm(t) * x + t[0],
    lambda t, x: (t[0] / np.linalg.norm(t) * x + 1, t[1] / np.linalg.norm(t) * x),
    2,
)
REAL_PART = Formula(
    lambda t, x: np.abs(t[0]) * x + t[1], lambda t, x: (np.sign(t[0]) * x, np.ones_like(x)), 2
)
# Twice the unit of the test's step is negative, where the value is not defined.
LOGARITHM = Formula(lambda t, x: np.log(t[0]) * (1 + x), lambda t, x: ((1 + x) / t[0],), 1)
UNITS = Formula(
    lambda t, x: 1e8 * t[0] * np.sin(1e6 * t[1] * x),
    lambda t, x: (1e8 * np.sin(1e6 * t[1] * x), 1e14 * t[0] * x * np.cos(1e6 * t[1] * x)),
    2,
)


@pytest.mark.parametrize(
    ("model", "theta"),
    [
        (LENGTH, [1.0, 0.5]),
        (REAL_PART, [-1.3, 0.4]),
        (LOGARITHM, [0.01]),
        (UNITS, [1e-8, 2e-6]),
    ],
    ids=["norm", "abs", "log", "units"],
)
def test_models_whose_parameters_have_no_complex_step_or_small_units(model, theta):
    check_model(model, theta=theta)


def test_a_wrong_jacobian_of_a_model_without_a_complex_step_is_caught_all_the_same():
    wrong = Formula(LENGTH.value, lambda t, x: (t[0] * x + 1, t[1] * x), 2)
    with pytest.raises(ConformanceError, match=r"number 0 at x = .* by differences it is "):
        check_model(wrong, theta=[1.0, 0.5])


def test_single_precision_is_named_and_not_taken_for_a_wrong_jacobian():
    single = Formula(lambda t, x: (t[0] * np.sin(x)).astype(np.float32), lambda t, x: (np.sin(x),), 1)
    with pytest.raises(
        ConformanceError, match=r"model-shapes: failed: the value is of type float32, .* in float64"
    ):
        check_model(single, theta=[1.0])


@pytest.mark.parametrize("kernel", [fg.kernels.Matern(2.5, 1e-3), fg.kernels.Gaussian(1e-3)], ids=str)
def test_kernels_much_narrower_than_the_domain(kernel):
    results = check_kernel(kernel)
    assert next(result for result in results if result.id == "kernel-derivative").status == "passed"


class AbsoluteDeviation:
    """∫|f - c|, which has a kink where f = c at a node."""

    def __init__(self, c):
        self.c = c

    def __call__(self, f):
        return float(f.grid.integrate(np.abs(f.values - self.c)))

    def differential(self, f):
        return fg.Density(f.grid.function(np.sign(f.values - self.c)))


def test_a_kink_is_called_a_kink():
    f = fg.Circle().grid(24).function(lambda x: 1 + np.sin(x))
    check_functional(AbsoluteDeviation(0.3), f=f)
    with pytest.raises(
        ConformanceError,
        match=r"has a kink where .* its slopes to the left and to the right are -6.28\d* and -5.75",
    ):
        check_functional(AbsoluteDeviation(float(f.values[6])), f=f)


def test_a_functional_with_a_logarithm_near_the_edge_of_where_it_is_defined():
    entropy = from_callable(
        lambda f: float(f.grid.integrate(f.values * np.log(f.values))),
        lambda f: fg.Density(f.grid.function(np.log(f.values) + 1)),
    )
    check_functional(entropy, f=fg.Circle().grid(24).function(lambda x: 1e-4 * (2 + np.sin(x))))


@pytest.mark.parametrize(
    "domain",
    [
        fg.Interval(1e4, 1e4 + 1),
        fg.Interval(0.0, 1e-6),
        fg.Box([(0, 1e-3), (0, 1e3)]),
        fg.Torus((1e-3, 1e3)),
    ],
    ids=str,
)
def test_domains_far_from_the_origin_or_of_unequal_sides(domain):
    check_domain(domain)


class Robin:
    """[0, 1] with e'(0) = 0 and e'(1) = -e(1): eigenfunctions cos kx with k tan k = 1; no subclass."""

    dimension, volume = 1, 1.0

    def __init__(self):
        roots = [
            brentq(lambda k: k * np.sin(k) - np.cos(k), j * np.pi, (j + 0.5) * np.pi, xtol=1e-15)
            for j in range(12)
        ]
        self._k = np.array(roots)

    def grid(self, n, rule=None):
        return fg.Interval(0, 1).grid(n, rule=rule)

    def from_unit_cube(self, u):
        return u

    def laplacian_spectrum(self, count):
        return self._k[:count] ** 2

    def eigenfunctions(self, count, x, alpha=0):
        k = self._k[:count]
        size = 1 / np.sqrt(0.5 + np.sin(2 * k) / (4 * k))
        return size * k**alpha * np.cos(k * x + alpha * np.pi / 2)


def test_a_domain_with_a_boundary_condition_of_ones_own():
    assert {result.status for result in check_domain(Robin())} == {"passed"}


def test_what_a_domain_lacks_is_named_once():
    class NoPoints(Robin):
        from_unit_cube = property()

    with pytest.raises(ConformanceError, match=r"fails 1 of 5 checks:\n.*it has no `from_unit_cube`"):
        check_domain(NoPoints())


class Formed:
    """∫ auv + bu'v' by its matrix, as finite elements have it; the least that a metric needs."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def matrix(self, grid):
        slopes = np.stack([grid.function(e).derivative().values for e in np.eye(len(grid))], axis=1)
        x = grid.nodes[:, 0]
        a, b = (grid.weights * np.broadcast_to(part(x), x.shape) for part in (self.a, self.b))
        return np.diag(a) + slopes.T @ (b[:, None] * slopes)

    def inner(self, u, v):
        return float(u.values @ self.matrix(u.grid) @ v.values)

    def norm(self, u):
        return math.sqrt(self.inner(u, u))

    def flat(self, u):
        return fg.Density(u.grid.function(self.matrix(u.grid) @ u.values / u.grid.weights))

    def riesz(self, c, grid):
        return grid.function(np.linalg.solve(self.matrix(grid), c.components(grid)))

    def dual_norm(self, c, domain):
        raise fg.InvalidInput("it is not known over all functions")


UNIT = fg.Interval(0, 1)
FORMED = {
    "variable coefficients": (Formed(lambda x: 1 + x, np.exp), UNIT),
    "a coefficient that jumps": (Formed(np.ones_like, lambda x: np.where(x < 0.5, 1.0, 100.0)), UNIT),
    "a small mass": (Formed(lambda x: 1e-6, lambda x: 1.0), UNIT),
    "a large mass": (Formed(lambda x: 1e6, lambda x: 1.0), UNIT),
    "a long interval": (Formed(lambda x: 1.0, lambda x: 1.0), fg.Interval(0, 1e3)),
    "far from the origin": (Formed(lambda x: 1.0, lambda x: 1.0), fg.Interval(1e3, 1e3 + 1)),
}


@pytest.mark.parametrize("name", FORMED)
def test_metrics_by_their_matrix(name):
    metric, domain = FORMED[name]
    check_metric(metric, grid=domain.grid(12))


@pytest.mark.parametrize("length_scale", [1e-3, 1e3])
@pytest.mark.parametrize("order", [1.0, 2.0])
def test_metrics_with_a_length_scale_far_from_the_extent(order, length_scale):
    """1 + ℓ²λ is 1 for a constant and 1e9 for a wave; a Gram matrix loses the 1, no inner product does."""
    check_metric(fg.Sobolev(order, length_scale), grid=UNIT.grid(12))


def test_a_metric_that_loses_all_digits_is_told_so():
    with pytest.raises(ConformanceError, match=r"condition 8.6e\+13, which leaves no digit: try fewer nodes"):
        check_metric(fg.Sobolev(3.0, 1e3), grid=UNIT.grid(12))


class Coupled:
    """∫ u·Bv for functions with two components."""

    B = np.array([[2.0, 0.9], [0.9, 1.0]])

    def inner(self, u, v):
        return float(u.grid.integrate(np.einsum("ni,ij,nj->n", u.values, self.B, v.values)))

    def norm(self, u):
        return math.sqrt(self.inner(u, u))

    def flat(self, u):
        return fg.Density(u.grid.function(u.values @ self.B))

    def riesz(self, c, grid):
        return grid.function(fg.L2().riesz(c, grid).values @ np.linalg.inv(self.B))

    def dual_norm(self, c, domain):
        raise fg.InvalidInput("it is not known over all functions")


def test_a_metric_that_couples_components():
    check_metric(Coupled(), grid=UNIT.grid(12), components=2)
