"""How residuals are judged: orders are two-sided, stagnation is seen, floors are honoured."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funcgrad.errors import InvalidInput
from funcgrad.theorems.expectations import Exact, Order, Spectral, Stagnant, divergent
from funcgrad.theorems.record import Residual, Theorem
from funcgrad.theorems.registry import catalogue
from funcgrad.theorems.runner import verify


def series(values, floor=1e-14, first=8):
    return [Residual(float(v), 1.0, floor, 1 / (first * 2**j), first * 2**j) for j, v in enumerate(values)]


def power(order, count=6, constant=1.0):
    return series([constant * (8 * 2**j) ** -float(order) for j in range(count)])


@given(order=st.floats(-3, 4), constant=st.floats(1e-3, 1e3))
def test_a_power_is_fitted_by_its_order(order, constant):
    judgement = Order(order - 0.1, order + 0.1).judge(power(order, constant=constant))
    assert judgement.status == "consistent"
    assert judgement.order == pytest.approx(order, abs=1e-9)


@given(order=st.floats(0.5, 3), off=st.sampled_from([-0.4, 0.4]))
def test_an_order_is_refuted_on_either_side(order, off):
    judgement = Order(order - 0.1, order + 0.1).judge(power(order + off))
    assert judgement.status == "refuted"
    assert ("superconvergence" in judgement.message) is (off > 0)


def test_a_residual_that_falls_and_then_stagnates_is_refuted():
    falling = [4.0**-j for j in range(5)]
    assert Order(1.9, 2.1).judge(series([*falling, *[falling[-1]] * 4])).status == "refuted"
    # Stagnation that has lasted for one ratio only cannot be told from noise, and is not called convergence.
    assert Order(1.9, 2.1).judge(series([*falling, falling[-1]])).status == "inconclusive"


def test_levels_at_the_floor_are_dropped():
    values = [4.0 ** -(5 * j) for j in range(3)] + [1e-16, 3e-16]
    assert Order(9, 11).judge(series(values, floor=1e-15)).status == "inconclusive"
    judgement = Order(1.9, 2.1).judge(series([4.0**-j for j in range(6)] + [2e-16], floor=1e-14))
    assert judgement.status == "consistent"
    assert judgement.used == (True,) * 6 + (False,)


def test_too_few_ratios_are_inconclusive():
    assert Order(1.9, 2.1).judge(power(2, count=3)).status == "inconclusive"
    assert Order(1.9, 2.1).judge(power(2, count=4)).status == "consistent"


def test_zero_is_exact_for_convergence_but_no_divergence():
    zeros = series([0.0, 1e-16, 0.0, 0.0])
    assert Order(0.9, 1.1).judge(zeros).status == "exact"
    assert divergent(0.5).judge(zeros).status == "refuted"
    assert Order(-0.05, 0.05).judge(zeros).status == "refuted"


def test_exact_needs_every_level_at_its_floor():
    assert Exact().judge(series([1e-15, 0, 1e-15])).status == "exact"
    assert Exact().judge(series([1e-15, 1e-12, 1e-15])).status == "refuted"


def test_stagnation_is_bounded_below_and_does_not_drift():
    assert Stagnant(0.1).judge(series([0.5, 0.4, 0.5])).holds
    assert not Stagnant(0.1).judge(series([0.5, 0.05, 0.5])).holds
    assert not Stagnant(0.1).judge(power(-0.5)).holds


def test_spectral_decay_ends_at_the_floor():
    fast = [Residual(np.exp(-1.5 * n), 1.0, 1e-13, 1 / n, n) for n in range(4, 40, 4)]
    assert Spectral(1.0).judge(fast).status == "consistent"
    assert Spectral(2.0).judge(fast).status == "refuted"
    algebraic = [Residual(n**-4.0, 1.0, 1e-13, 1 / n, n) for n in range(4, 40, 4)]
    assert Spectral(0.1).judge(algebraic).status == "refuted"


@pytest.mark.parametrize("expectation", [Exact(), Order(1, 2), Stagnant(0.1), Spectral(1.0)])
def test_nan_is_refuted(expectation):
    assert expectation.judge(series([1.0, np.nan, 0.1, 0.01])).status == "refuted"
    assert expectation.judge(series([1.0, np.inf, 0.1, 0.01])).status == "refuted"


def test_a_theorem_without_a_control_cannot_be_registered():
    theorem = catalogue()[0]
    assert isinstance(theorem, Theorem)
    with pytest.raises(InvalidInput, match="needs a negative control"):
        replace(theorem, controls=())
    with pytest.raises(InvalidInput, match="dF is bounded in the metric"):
        replace(theorem, controls=theorem.controls[:1])
    with pytest.raises(InvalidInput, match="unknown hypotheses"):
        replace(theorem, hypotheses=())


def test_a_residual_is_a_size_and_an_order_an_interval():
    """A residual of the wrong sign would else lie below every floor, and its theorem be exact."""
    with pytest.raises(InvalidInput, match=r"`value` of a residual is a size; got -0\.1"):
        Residual(-0.1, 1.0, 1e-13, 0.1, 10)
    for scale in (0.0, -1.0):
        with pytest.raises(InvalidInput, match="`scale` of a residual must be positive"):
            Residual(0.1, scale, 1e-13, 0.1, 10)
    assert Residual(0.0, 0.0, 1e-13, 0.1, 10).scaled == 0
    with pytest.raises(InvalidInput, match="`low` must not be above `high`; got 2 and 1"):
        Order(2.0, 1.0)


@pytest.mark.parametrize(
    ("part", "given", "message"),
    [
        ("controls", "the first", "`controls` must be a tuple, also of a single one"),
        ("controls", (1.0,), r"`controls` must hold Control records; got \(1.0,\)"),
        ("levels", (8, 16), r"`levels` must be a function; got \(8, 16\)"),
        ("expectation", Order(1, 2), "`expectation` must be a function; got Order"),
    ],
)
def test_the_parts_of_a_theorem_are_looked_at(part, given, message):
    first = catalogue()[0]
    part_given = first.controls[0] if given == "the first" else given
    with pytest.raises(InvalidInput, match=message):
        replace(first, **{part: part_given})


@pytest.mark.parametrize(
    ("part", "given", "message"),
    [
        ("residual", lambda instance, level: 0.1, "`residual` must return a Residual; got float"),
        ("expectation", lambda instance: "order 1", "an expectation must be one of Order, .*; got 'order 1'"),
        ("instances", lambda rng: catalogue()[0].instances(rng)[0], "must return a sequence of instances"),
    ],
)
def test_what_the_parts_of_a_theorem_return_is_looked_at(part, given, message):
    verdict = verify(replace(catalogue()[0], **{part: given}))
    assert verdict.status == "refuted"
    assert re.search(message, verdict.error)
