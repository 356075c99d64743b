from fractions import Fraction
from math import perm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.models import Linear, Polynomial

EPS = np.finfo(float).eps


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=15),
    st.floats(-1.5, 1.5),
    st.integers(0, 6),
)
def test_value_and_derivatives_agree_with_rational_arithmetic(theta, x, order):
    model = Polynomial(len(theta) - 1)
    # Below 1e-20 a power may underflow, and the bound would need absolute terms.
    x = x if abs(x) > 1e-20 else 0.0
    terms = [
        perm(k, order) * Fraction(x) ** (k - order) if k >= order else Fraction(0) for k in range(len(theta))
    ]
    exact = sum(c * t for c, t in zip(theta, terms, strict=True))
    size = float(sum(abs(c * t) for c, t in zip(theta, terms, strict=True)))
    # Horner's rule: |error| <= 2p eps Σ|terms| (Higham, Accuracy and Stability, section 5.1).
    bound = 2 * len(theta) * EPS * size + 1e-300
    assert abs(model.derivative(theta, [x], order)[0] - float(exact)) <= bound
    jacobian = model.jacobian_derivative(theta, [x], order)[0]
    for computed, term in zip(jacobian, terms, strict=True):
        assert abs(computed - float(term)) <= len(theta) * EPS * abs(float(term)) + 1e-300


def test_agrees_with_the_same_basis_written_as_formulas():
    formulas = Linear([f"x**{k}" for k in range(6)])
    x = np.linspace(-2, 2, 9)
    theta = np.arange(1.0, 7.0)
    for order in range(8):
        np.testing.assert_allclose(
            Polynomial(5).jacobian_derivative(theta, x, order),
            formulas.jacobian_derivative(theta, x, order),
            rtol=8 * EPS,
        )


def test_jacobian_column_is_contiguous_and_names_count_from_zero():
    model = Polynomial(3)
    assert model.jacobian(np.ones(4), [0.1, 0.2]).flags.f_contiguous
    assert model.parameter_names == ("c0", "c1", "c2", "c3")
    assert repr(model) == "Polynomial(3)"


@pytest.mark.parametrize("degree", [-1, 1.5, "2", None])
def test_a_bad_degree_is_refused(degree):
    with pytest.raises(InvalidInput, match="`degree` must be"):
        Polynomial(degree)


def test_overflow_is_refused_at_its_point():
    with pytest.raises(InvalidInput, match=r"is inf at x = \[1e\+200\]"):
        Polynomial(2)([1.0, 1.0, 1.0], [1.0, 1e200])
