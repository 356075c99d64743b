"""Models times given functions: Leibniz' rule against the formula written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_oracles import assert_products_agree, assert_same_derivatives

from funcgrad.errors import InvalidInput
from funcgrad.models import MLP, Symbolic, multiply, stack

PRODUCT = multiply("x*(1-x)*exp(y)", Symbolic("a*sin(b*x + y)", "x y", "a b"), "x y")
WRITTEN_OUT = Symbolic("x*(1-x)*exp(y)*a*sin(b*x + y)", "x y", "a b")


@given(seed=st.integers(0, 1000))
def test_a_product_is_the_formula_of_the_product(seed):
    rng = np.random.default_rng(seed)
    theta, x = rng.normal(size=2), rng.uniform(-1, 1, size=(7, 2))
    assert_same_derivatives(PRODUCT, WRITTEN_OUT, theta, x, roundings=256)
    assert_products_agree(PRODUCT, theta, x)


def test_every_output_is_multiplied():
    model = stack([MLP((2, 3, 1)), MLP((2, 2, 1))])
    theta, x = model.initial(0), np.random.default_rng(0).uniform(size=(5, 2))
    product = multiply("x*y", model, "x y")
    np.testing.assert_allclose(product(theta, x), x.prod(axis=1)[:, None] * model(theta, x), rtol=1e-15)
    assert_products_agree(product, theta, x)
    assert product.parameter_names == model.parameter_names
    np.testing.assert_array_equal(product.initial(3), model.initial(3))


def test_bad_arguments_are_refused():
    with pytest.raises(InvalidInput, match="`model` must be a model"):
        multiply("x", "sin(x)")
    with pytest.raises(InvalidInput, match="`x` must name the 2 coordinate"):
        multiply("x", MLP((2, 3, 1)))
    with pytest.raises(InvalidInput):
        multiply("x*z", MLP((2, 3, 1)), "x y")
