"""Finite differences: orders, exactness, adjoints, and the compiled loops against naive ones."""

import functools
import itertools
import math
import tracemalloc

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.operators import _compiled
from funcgrad.operators.finite_differences import (
    BOUNDARIES,
    ORDERS,
    derivative_on_nodes,
    first_derivative,
    laplacian,
    second_derivative,
)

EPSILON = np.finfo(float).eps
DERIVATIVES = {1: first_derivative, 2: second_derivative}
SHAPES = {1: (21,), 2: (11, 19), 3: (10, 12, 13)}
SPACING = (0.3, 0.2, 0.5)


@functools.cache
def operators(dimension, order, boundary):
    """Every operator of the module on a grid of the given dimension."""
    shape, spacing = SHAPES[dimension], SPACING[:dimension]
    built = [laplacian(shape, spacing, order, boundary)]
    for build, axis in itertools.product(DERIVATIVES.values(), range(dimension)):
        built.append(build(shape, spacing, order, boundary, axis=axis))
    return built


CASES = [
    (dimension, order, boundary)
    for dimension in (1, 2, 3)
    for order in ORDERS
    for boundary in itertools.product(BOUNDARIES, repeat=dimension)
]


def naive_line(values, spacing, derivative, order, boundary):
    """Differentiate along the last axis with sympy's weights and a loop over its nodes."""
    n, width = values.shape[-1], order // 2
    result = np.empty_like(values)
    for i in range(n):
        if boundary == "periodic" or width <= i < n - width:
            nodes = range(i - width, i + width + 1)
        elif i < width:
            nodes = range(order + derivative)
        else:
            nodes = range(n - order - derivative, n)
        weights = sympy.finite_diff_weights(derivative, [node - i for node in nodes], 0)[derivative][-1]
        result[..., i] = sum(float(w) * values[..., node % n] for w, node in zip(weights, nodes, strict=True))
    return result / spacing**derivative


@functools.cache
def magnitudes(operator):
    return abs(operator.matrix())


def rounding_bound(operator, u):
    """The largest rounding error of a sum of at most 30 products at each node, and of its weights."""
    return 32 * EPSILON * (magnitudes(operator) @ abs(u).ravel()).reshape(u.shape)


@pytest.mark.parametrize(("dimension", "order"), list(itertools.product((1, 2, 3), ORDERS)))
def test_compiled_stencils_agree_with_naive_loops(dimension, order):
    u = np.random.default_rng(order).standard_normal(SHAPES[dimension])
    boundary = ("one-sided", "periodic", "one-sided")[:dimension]
    total = 0
    for axis in range(dimension):
        for derivative, build in DERIVATIVES.items():
            moved = np.moveaxis(u, axis, -1)
            naive = naive_line(moved, SPACING[axis], derivative, order, boundary[axis])
            naive = np.moveaxis(naive, -1, axis)
            operator = build(u.shape, SPACING[:dimension], order, boundary, axis=axis)
            assert (abs(operator.apply(u) - naive) <= rounding_bound(operator, u)).all()
        total = total + naive
    operator = laplacian(u.shape, SPACING[:dimension], order, boundary)
    assert (abs(operator.apply(u) - total) <= rounding_bound(operator, u)).all()


@pytest.mark.parametrize(("dimension", "order", "boundary"), CASES)
def test_stencil_is_matrix_and_adjoint_is_exact(dimension, order, boundary):
    random = np.random.default_rng(0)
    u, v = random.standard_normal((2, *SHAPES[dimension]))
    weights = random.uniform(0.5, 2.0, SHAPES[dimension])
    for operator in operators(dimension, order, boundary):
        matrix, linear = operator.matrix(), operator.linear_operator(weights)
        product = (matrix @ u.ravel()).reshape(u.shape)
        assert (abs(operator.apply(u) - product) <= rounding_bound(operator, u)).all()
        transposed = operator.transpose()
        assert abs(transposed.matrix() - matrix.T).max() == 0
        left = math.fsum((weights * v).ravel() * linear.matvec(u.ravel()))
        right = math.fsum((weights * u).ravel() * linear.rmatvec(v.ravel()))
        scale = abs(weights * v).ravel() @ (abs(matrix) @ abs(u).ravel())
        assert abs(left - right) <= 32 * EPSILON * scale


def test_rmatvec_is_the_weighted_transpose_and_by_default_the_transpose():
    operator = laplacian((10, 12), 0.1, 4, "one-sided")
    weights = np.random.default_rng(3).uniform(0.5, 2.0, (10, 1))
    full, dense = np.broadcast_to(weights, (10, 12)).ravel(), operator.matrix().toarray()
    adjoint = operator.linear_operator(weights).rmatmat(np.eye(120))
    assert np.allclose(adjoint, dense.T * full / full[:, None], rtol=1e-13, atol=1e-10)
    assert np.allclose(operator.linear_operator().rmatmat(np.eye(120)), dense.T, rtol=1e-14)


def measured_order(errors, steps):
    return np.log(errors[0] / errors[1]) / np.log(steps[0] / steps[1])


@pytest.mark.parametrize(("order", "derivative"), list(itertools.product(ORDERS, (1, 2))))
def test_order_of_periodic_differences(order, derivative):
    errors, steps = [], []
    for n in (72, 144):
        x = 2 * np.pi * np.arange(n) / n
        u, exact = np.sin(3 * x), 3**derivative * np.sin(3 * x + derivative * np.pi / 2)
        errors.append(abs(DERIVATIVES[derivative](n, x[1], order).apply(u) - exact).max())
        steps.append(x[1])
    assert abs(measured_order(errors, steps) - order) < 0.2


@pytest.mark.parametrize(("order", "derivative"), list(itertools.product(ORDERS, (1, 2))))
def test_order_inside_a_line_with_ends(order, derivative):
    errors, steps = [], (0.08, 0.04)
    for step in steps:
        x = step * np.arange(round(2.4 / step) + 1)
        operator = DERIVATIVES[derivative](x.size, step, order, "one-sided")
        error = operator.apply(np.exp(3 * x)) - 3**derivative * np.exp(3 * x)
        errors.append(abs(error[x.size // 2]))
    assert abs(measured_order(errors, steps) - order) < 0.2


@pytest.mark.parametrize(("order", "derivative"), list(itertools.product(ORDERS, (1, 2))))
@pytest.mark.parametrize("end", [False, True])
def test_order_in_every_row_of_the_closures(order, derivative, end):
    # The Taylor series of u at the end begins with the first power that is not differentiated exactly:
    # any other u would add terms with no error, but with the rounding that hides an error of order 8.
    power, steps, errors = order + derivative, (0.01, 0.005), []
    polynomial = np.polynomial.Polynomial([0] * power + [1, 0, 1])
    for step in steps:
        x = step * np.arange(24)
        u, exact = polynomial(x), polynomial.deriv(derivative)(x)
        if end:
            u, exact = u[::-1], (-1) ** derivative * exact[::-1]
        error = DERIVATIVES[derivative](24, step, order, "one-sided").apply(u) - exact
        errors.append(error[-(order // 2) :] if end else error[: order // 2])
    orders = np.log2(abs(errors[0] / errors[1]))
    assert (abs(orders - order) < 0.2).all()


@pytest.mark.parametrize(("dimension", "order"), list(itertools.product((2, 3), ORDERS)))
def test_order_of_the_laplacian(dimension, order):
    errors, steps = [], []
    for n in (24, 48) if order < 8 else (20, 32):
        axis = 2 * np.pi * np.arange(n) / n
        u = math.prod(np.meshgrid(*[np.sin(axis)] * dimension, indexing="ij"))
        errors.append(abs(laplacian(u.shape, axis[1], order).apply(u) + dimension * u).max())
        steps.append(axis[1])
    assert abs(measured_order(errors, steps) - order) < 0.2


@pytest.mark.parametrize(("order", "derivative"), list(itertools.product((1, 2, 3, 4), (1, 2, 3))))
def test_order_on_arbitrary_nodes(order, derivative):
    errors, steps = [], (0.025, 0.0125)
    for step in steps:
        t = np.arange(0, 1 + step / 2, step)
        x = t + 0.1 * np.sin(5 * t)  # smooth, so that the spacing halves with the step
        errors.append(abs(derivative_on_nodes(x, derivative, order).apply(np.exp(x)) - np.exp(x)).max())
    assert abs(measured_order(errors, steps) - order) < 0.2


coefficients = st.lists(st.floats(-1, 1).map(lambda c: round(c, 9)), min_size=1, max_size=9)


@given(coefficients, st.sampled_from(ORDERS), st.sampled_from((1, 2)))
@settings(deadline=None)
def test_polynomials_up_to_the_stated_degree_are_differentiated_exactly(c, order, derivative):
    polynomial = np.polynomial.Polynomial(c[: order + derivative])
    x = np.linspace(-1, 1, 23)
    operator = DERIVATIVES[derivative](23, x[1] - x[0], order, "one-sided")
    # The nodes are rounded too: an error of one ulp of x moves u by at most the sum of |k c_k|.
    data = EPSILON * sum(k * abs(ck) for k, ck in enumerate(polynomial.coef))
    bound = rounding_bound(operator, abs(polynomial(x)) + data / EPSILON)
    assert (abs(operator.apply(polynomial(x)) - polynomial.deriv(derivative)(x)) <= bound).all()


@given(coefficients, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_polynomials_are_differentiated_exactly_on_arbitrary_nodes(c, order, derivative, seed):
    polynomial = np.polynomial.Polynomial(c[: order + derivative])
    gaps = np.random.default_rng(seed).uniform(0.5, 1.5, 15)
    x = np.cumsum(gaps) / gaps.sum()
    operator = derivative_on_nodes(x, derivative, order)
    data = sum(k * abs(ck) for k, ck in enumerate(polynomial.coef))
    # The weights are rounded like test_stencil_weights allows, relative to the largest of a row.
    largest = abs(operator.matrix()).max(axis=1).toarray().ravel()
    size = abs(polynomial(x)).max() + data
    bound = 16 * (order + derivative) ** 3 * EPSILON * largest * size
    assert (abs(operator.apply(polynomial(x)) - polynomial.deriv(derivative)(x)) <= bound).all()


@given(st.sampled_from(CASES), st.floats(-3, 3), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_operators_are_linear_and_differentiate_constants_to_zero(case, factor, seed):
    u, v = np.random.default_rng(seed).standard_normal((2, *SHAPES[case[0]]))
    for operator in operators(*case):
        bound = rounding_bound(operator, abs(u) + abs(factor * v))
        combined = operator.apply(u) + factor * operator.apply(v)
        assert (abs(operator.apply(u + factor * v) - combined) <= 2 * bound).all()
        ones = np.ones(operator.shape)
        assert (abs(operator.apply(factor * ones)) <= abs(factor) * rounding_bound(operator, ones)).all()


@given(st.integers(1, 3), st.sampled_from(ORDERS), st.data())
@settings(deadline=None, max_examples=25)
def test_periodic_operators_commute_with_shifts(dimension, order, data):
    shift = data.draw(st.tuples(*[st.integers(-9, 9)] * dimension))
    axes = tuple(range(dimension))
    u = np.random.default_rng(0).standard_normal(SHAPES[dimension])
    for operator in operators(dimension, order, "periodic"):
        shifted = np.roll(operator.apply(u), shift, axes)
        bound = rounding_bound(operator, np.roll(u, shift, axes))
        assert (abs(operator.apply(np.roll(u, shift, axes)) - shifted) <= 2 * bound).all()


@pytest.mark.parametrize(
    "shape", [(70, 2100), (10, 10, 2100), (66, 10, 12), (10, 40, 500), (40000,), (9, 7000, 2), (300, 1, 9)]
)
def test_grids_of_many_tiles_agree_with_the_matrix(shape):
    u = np.random.default_rng(1).standard_normal(shape)
    axes = [axis for axis, n in enumerate(shape) if n >= 9]
    built = [second_derivative(shape, 1.0, 8, "periodic", axis=axis) for axis in axes]
    built += [first_derivative(shape, 1.0, 6, "one-sided", axis=axis) for axis in axes]
    if len(axes) == len(shape):
        built.append(laplacian(shape, 1.0, 8, "one-sided" if min(shape) > 9 else "periodic"))
    for operator in built:
        product = (operator.matrix() @ u.ravel()).reshape(shape)
        assert (abs(operator.apply(u) - product) <= rounding_bound(operator, u)).all()


@pytest.mark.parametrize("order", ORDERS)
def test_compiled_loops_are_their_python_source(order, monkeypatch):
    shape, boundary = (10, 11, 12), ("one-sided", "periodic", "one-sided")
    u = np.random.default_rng(5).standard_normal(shape)
    built = [laplacian(shape, SPACING, order, boundary), first_derivative(shape, SPACING, order, "one-sided")]
    expected = [operator.apply(u) for operator in built]
    for name, function in vars(_compiled).copy().items():
        if hasattr(function, "py_func"):
            monkeypatch.setattr(_compiled, name, function.py_func)
    for operator, compiled in zip(built, expected, strict=True):
        assert (abs(operator.apply(u) - compiled) <= rounding_bound(operator, u)).all()


def test_compiled_loop_on_nodes_is_its_python_source(monkeypatch):
    x = np.linspace(0, 1, 12) ** 2
    operator = derivative_on_nodes(x, 2, 3)
    expected = operator.apply(np.sin(x))
    monkeypatch.setattr(_compiled, "apply_rows", _compiled.apply_rows.py_func)
    assert (abs(operator.apply(np.sin(x)) - expected) <= rounding_bound(operator, np.sin(x))).all()
    dense, linear = operator.matrix().toarray(), operator.linear_operator()
    assert np.array_equal(operator.transpose().matrix().toarray(), dense.T)
    assert np.allclose(linear.rmatvec(x), dense.T @ x, rtol=1e-13, atol=1e-13 * abs(dense).max())


def test_with_out_nothing_of_the_grids_size_is_allocated():
    operator, u, out = laplacian((512, 512), 0.1, 4, ("periodic", "one-sided")), np.ones((512, 512)), None
    out = operator.apply(u)
    tracemalloc.start()
    assert operator.apply(u, out=out) is out
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < u.nbytes / 50


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_an_entry_that_is_not_finite_is_found_wherever_it_is(bad, boundary):
    built = [*operators(1, 6, boundary), *operators(2, 6, boundary), *operators(2, 2, boundary)]
    built += [first_derivative((5, 6, 2), 1.0, 2, boundary, axis=1), laplacian((7, 6), 1.0, 4, boundary)]
    for operator in built + [operator.transpose() for operator in built]:
        for index in np.ndindex(operator.shape):
            u = np.ones(operator.shape)
            u[index] = bad
            with pytest.raises(InvalidInput, match="`u` must be finite"):
                operator.apply(u)


PERIODIC = laplacian((9, 9), 1.0, 2)
VALUES = np.ones((9, 9))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laplacian((9, 9), 1.0, 3), "unknown order 3; known: 2, 4, 6, 8"),
        (lambda: laplacian((9, 9), 1.0, 2, "periodc"), "unknown boundary 'periodc'; did you mean 'periodic'"),
        (lambda: first_derivative(8, 1.0, 8), "needs at least 9 nodes at order 8; got 8"),
        (lambda: second_derivative(9, 1.0, 8, "one-sided"), "needs at least 10 nodes at order 8; got 9"),
        (lambda: first_derivative((9, 9), 1.0, 2, axis=2), "unknown axis 2"),
        (lambda: laplacian((9, 9, 9, 9), 1.0, 2), "`shape` must have one to three axes; got 4"),
        (lambda: laplacian((9, 9), (1.0,), 2), "`spacing` must be one or 2"),
        (lambda: laplacian((9, 9), -1.0, 2), "`spacing` must be positive"),
        (
            lambda: derivative_on_nodes([0, 1, 1, 2], 1, 1),
            "`nodes` must increase; node 2 does not exceed node 1",
        ),
        (
            lambda: derivative_on_nodes([0, 1, 2], 2, 2),
            r"`nodes` must be at least 4 \(order 2 \+ derivative 2\)",
        ),
        (lambda: derivative_on_nodes([0, np.nan, 2], 1, 1), "`nodes` must be finite"),
        (
            lambda: PERIODIC.apply(np.ones((9, 8))),
            r"`u` must have the operator's shape \(9, 9\); got \(9, 8\)",
        ),
        (lambda: PERIODIC.apply(1j * VALUES), "`u` must be real"),
        (lambda: PERIODIC.apply("word"), "`u` must be an array of numbers"),
        (lambda: PERIODIC.apply(1.5e308 * (-1.0) ** np.indices((9, 9)).sum(0)), "`u` is too large"),
        (lambda: PERIODIC.apply(VALUES, out=VALUES), "`out` must not share memory"),
        (lambda: PERIODIC.apply(VALUES, out=np.ones((9, 9), int)), "`out` must be a writeable"),
        (lambda: PERIODIC.linear_operator(0 * VALUES), "`weights` must be positive"),
        (lambda: PERIODIC.linear_operator(np.ones(8)), r"`weights` must broadcast to \(9, 9\)"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
