"""Wrong kinds of arguments are named at the door, with what to give instead."""

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.errors import InvalidInput
from funcgrad.theorems import Problem

CIRCLE = fg.Circle(2 * np.pi)
LOSS, H1 = fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5]), fg.Sobolev(1.0)
F = CIRCLE.grid(16).function(np.sin)
MODEL, THETA = fg.models.Symbolic("a*sin(x + b)", "x", "a b"), [1.0, 0.5]
DELTA = fg.PointEvaluation(0.3)

WRONG = {
    "a metric by name": (
        lambda: fg.gradient(LOSS, F, "H1"),
        r"`metric` must be a metric, .*got 'H1'",
    ),
    "a class": (lambda: fg.gradient(LOSS, F, fg.Sobolev), "got the class Sobolev itself: call it"),
    "a plain function": (
        lambda: fg.gradient(LOSS, np.sin, H1),
        r"`f` must be a Function, .*got <ufunc",
    ),
    "f and F exchanged": (lambda: fg.gradient(F, LOSS, H1), "`F` must be a functional, such as"),
    "a point for its evaluation": (lambda: fg.gradient_exists(0.3, H1, CIRCLE), "`c` must be a covector"),
    "a grid for its domain": (lambda: fg.gradient_exists(DELTA, H1, F.grid), "`domain` must be a domain"),
    "model and loss exchanged": (
        lambda: fg.natural_gradient(MODEL, LOSS, THETA, H1, CIRCLE),
        r"`F` must be a functional, .*got Symbolic",
    ),
    "a function for a model": (
        lambda: fg.natural_gradient(LOSS, np.sin, THETA, H1, CIRCLE),
        "`model` must be a model, such as",
    ),
    "metric and domain exchanged": (
        lambda: fg.descend(LOSS, MODEL, THETA, CIRCLE, H1),
        r"`metric` must be a metric, .*got Circle",
    ),
    "a domain by name": (lambda: fg.gram(MODEL, THETA, H1, "circle"), "`domain` must be a domain or a grid"),
    "a flow without a functional": (
        lambda: fg.flow(0, MODEL, THETA, H1, CIRCLE, 1.0),
        "`F` must be a functional",
    ),
    "a tolerance below zero": (
        lambda: fg.descend(LOSS, MODEL, THETA, H1, CIRCLE, tolerance=-1),
        "`tolerance` must not be negative; got -1",
    ),
    "too few parameters": (lambda: fg.tangent_kernel(MODEL, [1.0]), "`theta` must have 2 entries; got 1"),
    "a problem's parameters": (
        lambda: Problem(MODEL, [1.0], LOSS, CIRCLE, H1),
        r"`theta` must have 2 entries, one a parameter of Symbolic.*; got \[1.0\]",
    ),
    "a problem's metric": (lambda: Problem(MODEL, THETA, LOSS, H1, CIRCLE), "`metric` must be a metric"),
    "a loss for a problem": (lambda: fg.verify("ntk-gradient", LOSS), "`problem` must be a theorems.Problem"),
    "values for a function": (lambda: H1.norm(F.values), r"`u` must be a Function, .*got ndarray"),
    "a function for a covector": (lambda: H1.riesz(F, F.grid), "`c` must be a Covector, such as"),
    "a domain for a grid": (lambda: H1.riesz(DELTA, CIRCLE), "`grid` must be a Grid, such as"),
    "a number for a function": (lambda: LOSS(3.0), "a functional takes a Function or a callable; got float"),
    "rows of different lengths": (
        lambda: fg.kernels.Gaussian().gram([[0.1, 0.2], [0.3]]),
        "`X` must be an array.*; its rows have different lengths",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_to_give(name):
    run, message = WRONG[name]
    with pytest.raises(InvalidInput, match=message):
        run()


def test_a_misspelt_name_carries_what_python_needs_to_suggest_another():
    with pytest.raises(AttributeError, match="natural_gradiant") as caught:
        _ = fg.natural_gradiant
    assert (caught.value.name, caught.value.obj) == ("natural_gradiant", fg)
