"""Summation by parts: integration by parts holds to rounding, whatever the functions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.operators.summation_by_parts import SummationByParts

EPSILON = np.finfo(float).eps
SHAPES = {1: (17,), 2: (9, 14), 3: (8, 10, 9)}
GRIDS = [(dimension, order, axis) for dimension in (1, 2, 3) for order in (2, 4) for axis in range(dimension)]


def across_axis(pair, axis):
    """The quadrature weights without those along an axis: what integrates over its faces."""
    line = SummationByParts(pair.shape[axis], pair.spacing[axis], pair.order).weights
    return pair.weights / line.reshape([-1 if a == axis else 1 for a in range(len(pair.shape))])


def defect(terms, scale):
    """The sum of terms that should cancel, in ulps of the products that they are sums of."""
    return abs(math.fsum(np.concatenate([np.ravel(term) for term in terms]))) / (EPSILON * scale)


@given(st.sampled_from(GRIDS), st.integers(0, 2**32 - 1), st.floats(0.01, 10))
@settings(deadline=None)
def test_integration_by_parts_holds_to_rounding(grid, seed, spacing):
    dimension, order, axis = grid
    pair = SummationByParts(SHAPES[dimension], spacing, order)
    u, v = np.random.default_rng(seed).standard_normal((2, *pair.shape))
    w, across = pair.weights, across_axis(pair, axis)
    face = across.take(0, axis)
    u_start, u_end, v_start, v_end = (f.take(node, axis) for f in (u, v) for node in (0, -1))

    derivative = pair.first_derivative(axis)
    volume = (w * u * derivative.apply(v), w * derivative.apply(u) * v)
    boundary = (face * u_end * v_end, -face * u_start * v_start)
    scale = (w * abs(u)).ravel() @ (abs(derivative.matrix()) @ abs(v).ravel())
    assert defect((*volume, *(-term for term in boundary)), scale) < 100

    second, stiffness = pair.second_derivative(axis), pair.stiffness(axis)
    slope_start, slope_end = pair.boundary_derivative(v, axis)
    volume = (w * u * second.apply(v), across * u * stiffness.apply(v))
    boundary = (face * u_end * slope_end, -face * u_start * slope_start)
    scale = (w * abs(u)).ravel() @ (abs(second.matrix()) @ abs(v).ravel())
    assert defect((*volume, *(-term for term in boundary)), scale) < 100


@pytest.mark.parametrize(("order", "n"), list(itertools.product((2, 4), (8, 9, 30))))
def test_the_matrices_have_the_structure_that_gives_it(order, n):
    pair = SummationByParts(n, 0.1, order)
    norm, derivative = np.diag(pair.weights), pair.first_derivative().matrix().toarray()
    b = np.zeros((n, n))
    b[0, 0], b[-1, -1] = -1, 1
    q = norm @ derivative
    assert abs(q + q.T - b).max() <= 4 * EPSILON
    m = pair.stiffness().matrix().toarray()
    assert np.array_equal(m, m.T)
    eigenvalues = np.linalg.eigvalsh(m)
    assert eigenvalues[0] >= -16 * EPSILON * eigenvalues[-1]
    assert eigenvalues[1] > 0.01  # constants alone are in the kernel
    s = np.array([pair.boundary_derivative(e) for e in np.eye(n)]).T
    b_s = np.vstack([-s[:1], np.zeros((n - 2, n)), s[1:]])
    second = pair.second_derivative().matrix().toarray()
    assert abs(norm @ second + m - b_s).max() <= 8 * EPSILON * abs(norm @ second).max()


@pytest.mark.parametrize(("order", "derivative"), list(itertools.product((2, 4), (1, 2))))
def test_orders_inside_and_at_the_ends(order, derivative):
    inside, ends, steps = [], [], (0.02, 0.01)
    for step in steps:
        x = step * np.arange(round(2 / step) + 1)
        pair = SummationByParts(x.size, step, order)
        operator = pair.first_derivative() if derivative == 1 else pair.second_derivative()
        error = abs(operator.apply(np.exp(x)) - np.exp(x))
        inside.append(error[4:-4].max())
        ends.append(max(error[:4].max(), error[-4:].max()))
    slopes = [np.log2(errors[0] / errors[1]) for errors in (inside, ends)]
    assert abs(slopes[0] - order) < 0.2
    assert abs(slopes[1] - order / 2) < 0.2


@pytest.mark.parametrize("order", [2, 4])
def test_orders_of_the_quadrature_and_of_the_boundary_derivative(order):
    quadrature, slopes, steps = [], [], (0.05, 0.025)
    for step in steps:
        x = step * np.arange(round(1 / step) + 1)
        pair = SummationByParts(x.size, step, order)
        quadrature.append(abs(pair.weights @ np.exp(x) - (np.e - 1)))
        slopes.append(abs(pair.boundary_derivative(np.exp(x)) - np.exp(x[[0, -1]])).max())
    assert abs(np.log2(quadrature[0] / quadrature[1]) - order) < 0.2
    # S is one-sided with order + 1 nodes at order 2, and with 4 at order 4: of order 2 and 3.
    assert abs(np.log2(slopes[0] / slopes[1]) - (2 if order == 2 else 3)) < 0.2


def test_the_laplacian_is_the_sum_of_the_second_derivatives():
    pair = SummationByParts((9, 10, 11), (0.1, 0.2, 0.3), 4)
    u = np.random.default_rng(0).standard_normal(pair.shape)
    total = sum(pair.second_derivative(axis).apply(u) for axis in range(3))
    scale = abs(pair.laplacian().matrix()) @ abs(u).ravel()
    assert (abs(pair.laplacian().apply(u) - total).ravel() <= 32 * EPSILON * scale).all()


@pytest.mark.parametrize(("dimension", "order", "axis"), GRIDS)
def test_adjoint_in_its_own_quadrature(dimension, order, axis):
    pair = SummationByParts(SHAPES[dimension], 0.1, order)
    u, v = np.random.default_rng(2).standard_normal((2, pair.weights.size))
    for operator in (pair.first_derivative(axis), pair.second_derivative(axis)):
        linear, w = operator.linear_operator(pair.weights), pair.weights.ravel()
        terms = (w * v * linear.matvec(u), -w * u * linear.rmatvec(v))
        assert defect(terms, (w * abs(v)) @ (abs(operator.matrix()) @ abs(u))) < 32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SummationByParts(20, 0.1, 6), "unknown order 6; known: 2, 4"),
        (lambda: SummationByParts((20, 7), 0.1, 4), "at least 8 nodes on each axis at order 4; got 7"),
        (lambda: SummationByParts(20, 0.0, 4), "`spacing` must be positive"),
        (lambda: SummationByParts(20, 0.1, 4).first_derivative(1), "unknown axis 1"),
        (
            lambda: SummationByParts(20, 0.1, 4).boundary_derivative(np.ones(19)),
            "`u` must have the grid's shape",
        ),
        (lambda: SummationByParts(20, 0.1, 4).boundary_derivative([np.nan] * 20), "`u` must be finite"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
