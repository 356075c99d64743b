"""Finite-difference weights against sympy's, and exact on the polynomials that define them."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.operators.stencil_weights import (
    central_weights,
    exact_weights,
    fornberg_weights,
    one_sided_weights,
)

EPSILON = np.finfo(float).eps


def sympy_weights(offsets, derivative):
    offsets = [sympy.Rational(offset.numerator, offset.denominator) for offset in map(Fraction, offsets)]
    return [
        Fraction(int(w.p), int(w.q))
        for w in sympy.finite_diff_weights(derivative, offsets, 0)[derivative][-1]
    ]


@pytest.mark.parametrize("order", [2, 4, 6, 8])
@pytest.mark.parametrize("derivative", [1, 2, 3, 4])
def test_central_weights_are_those_of_sympy(order, derivative):
    weights = central_weights(order, derivative)
    width = len(weights) // 2
    assert list(weights) == sympy_weights(range(-width, width + 1), derivative)
    assert [(-1) ** derivative * w for w in reversed(weights)] == list(weights)


@pytest.mark.parametrize("order", [1, 2, 4, 8])
@pytest.mark.parametrize("derivative", [1, 2])
@pytest.mark.parametrize("position", [0, 1, 3])
def test_one_sided_weights_are_those_of_sympy(order, derivative, position):
    offsets = [node - position for node in range(order + derivative)]
    assert list(one_sided_weights(order, derivative, position)) == sympy_weights(offsets, derivative)


distinct_offsets = st.lists(
    st.fractions(min_value=-3, max_value=3, max_denominator=8), min_size=2, max_size=7, unique=True
)


@given(distinct_offsets, st.data())
def test_exact_weights_differentiate_every_monomial_exactly(offsets, data):
    derivative = data.draw(st.integers(0, len(offsets) - 1))
    weights = exact_weights(offsets, derivative)
    for degree in range(len(offsets)):
        value = sum(w * x**degree for w, x in zip(weights, offsets, strict=True))
        assert value == (sympy.factorial(degree) if degree == derivative else 0)


@given(distinct_offsets, st.data())
def test_float_weights_are_the_exact_ones_to_rounding(offsets, data):
    derivative = data.draw(st.integers(0, len(offsets) - 1))
    nodes = np.array([float(x) for x in offsets])  # eighths and the like: rounded, so taken as they are
    exact = np.array(exact_weights([Fraction(x) for x in nodes], derivative), float)
    computed = fornberg_weights(nodes, 0.0, derivative)
    # Each of the width steps multiplies a weight by differences rounded once and divides by others.
    # Where terms of opposite sign cancel, the error is relative to the largest weight.
    bound = 16 * len(nodes) ** 2 * EPSILON * abs(exact).max()
    assert abs(computed - exact).max() <= bound


def test_many_formulas_at_once_are_the_single_ones():
    nodes = np.sort(np.random.default_rng(0).random((5, 4)), axis=1)
    together = fornberg_weights(nodes, nodes[:, 1], 2)
    for row, weights in zip(nodes, together, strict=True):
        assert np.array_equal(fornberg_weights(row, row[1], 2), weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fornberg_weights([0.0, 1.0], 0.0, 2), "needs at least 3 nodes; got 2"),
        (lambda: fornberg_weights([0.0, 1.0, 0.0], 0.0, 1), "`nodes` of one formula must be distinct"),
        (lambda: fornberg_weights([0.0, np.nan], 0.0, 1), "`nodes` must be finite"),
        (lambda: fornberg_weights([0.0, 1.0], [0.0], 1), "`at` must have the shape"),
        (lambda: exact_weights([0, 1, 1], 1), "`offsets` must be distinct"),
        (lambda: central_weights(3, 1), "`order` of a central formula must be even; got 3"),
        (lambda: central_weights(2, 0), "`derivative` must be at least 1"),
        (lambda: one_sided_weights(2, 1, -1), "`position` must be at least 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
