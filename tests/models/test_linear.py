import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.models import Linear

EPS = np.finfo(float).eps
POINTS = np.linspace(-1.0, 2.0, 7)
# Integers over 1024: no coefficient is so small that its products underflow.
coefficients = st.lists(st.integers(-100_000, 100_000).map(lambda k: k / 1024), min_size=3, max_size=3)


def waves():
    return Linear(
        [lambda x: 1.0, np.sin, np.cos],
        derivatives={
            1: [lambda x: 0.0, np.cos, lambda x: -np.sin(x)],
            (2,): [lambda x: 0.0, lambda x: -np.sin(x), lambda x: -np.cos(x)],
        },
    )


@given(coefficients, coefficients)
def test_the_model_is_linear_and_its_jacobian_constant(first, second):
    model = waves()
    first, second = np.array(first), np.array(second)
    total = model(first, POINTS) + model(second, POINTS)
    scale = np.abs(first).sum() + np.abs(second).sum()
    # Two sums of three products with factors at most 1: below 8 roundings of the scale.
    np.testing.assert_allclose(model(first + second, POINTS), total, rtol=0, atol=8 * EPS * scale)
    assert (model.jacobian(first, POINTS) == model.jacobian(second, POINTS)).all()
    assert (model.jacobian(first, POINTS) == np.stack([np.ones(7), np.sin(POINTS), np.cos(POINTS)], 1)).all()


@pytest.mark.parametrize("order", [0, 1, 2])
def test_callables_and_formulas_of_one_basis_agree(order):
    formulas, theta = Linear(["1", "sin(x)", "cos(x)"]), [0.5, 2.0, -3.0]
    np.testing.assert_allclose(
        waves().derivative(theta, POINTS, order),
        formulas.derivative(theta, POINTS, order),
        rtol=0,
        atol=16 * EPS,
    )
    np.testing.assert_allclose(
        waves().jacobian_derivative(theta, POINTS, order),
        formulas.jacobian_derivative(theta, POINTS, order),
        rtol=0,
        atol=2 * EPS,
    )


def test_two_coordinates():
    points = np.array([[1.0, 2.0], [3.0, -1.0]])
    for basis in (["x*y", "y**2"], [lambda x, y: x * y, lambda x, y: y**2]):
        model = Linear(basis, x="x y")
        assert model.jacobian([0.0, 0.0], points).tolist() == [[2.0, 4.0], [-3.0, 1.0]]
        assert model([1.0, 10.0], points).tolist() == [42.0, 7.0]
    assert Linear(["x*y", "y**2"], x="x y").derivative([1.0, 10.0], points, (0, 2)).tolist() == [20.0, 20.0]


def test_a_basis_of_one_formula():
    model = Linear(["x**2"])
    assert model.jacobian([5.0], [1.0, 2.0]).tolist() == [[1.0], [4.0]]
    assert repr(model) == "Linear([x**2])"


def test_a_derivative_that_is_not_given_is_refused_with_what_to_do():
    with pytest.raises(InvalidInput, match=r"derivative \(3,\) .*given: \(1,\), \(2,\).*pass `derivatives="):
        waves().derivative([1.0, 1.0, 1.0], POINTS, 3)


@pytest.mark.parametrize(
    ("basis", "options", "message"),
    [
        ("x", {}, "must be a sequence of functions"),
        (np.sin, {}, "must be a sequence of functions"),
        ([], {}, "at least one function"),
        (["x", np.sin], {}, "all formulas or all callables"),
        ([np.sin, 2.0], {}, "all formulas or all callables"),
        (["x + z"], {}, "unknown name `z`"),
        (["x"], {"derivatives": {1: ["1"]}}, "must be left out"),
        ([np.sin], {"derivatives": {1: []}}, "must hold 1 functions"),
        ([np.sin], {"derivatives": {(1, 0): [np.cos]}}, "`alpha` must have 1 entries"),
    ],
)
def test_a_bad_basis_is_refused(basis, options, message):
    with pytest.raises(InvalidInput, match=message):
        Linear(basis, **options)


@pytest.mark.parametrize("function", [lambda x: x[:2], lambda x: x[:, None], lambda x: 1j * x])
def test_a_basis_function_that_returns_the_wrong_thing_is_named(function):
    with pytest.raises(InvalidInput, match="basis function 1 must return 7 real numbers"):
        Linear([np.sin, function])([1.0, 1.0], POINTS)


def test_a_basis_function_that_is_not_finite_is_refused_at_its_point():
    with pytest.raises(InvalidInput, match=r"Jacobian is -inf at x = \[0.0\]"):
        Linear([np.log]).jacobian([1.0], [1.0, 0.0])
