"""What strategies are given: values for strategies, unknown kinds, what cannot be drawn."""

import numpy as np
import pytest
from hypothesis import find, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import strategies

UNIT = fg.Interval(0, 1)
CIRCLE = st.just(fg.Circle().grid(24))
TWICE = st.just(np.array([[0.5], [0.5]]))
WRONG = {
    "a kind with a slip": (lambda: strategies.domains(kinds=("intervall",)), "did you mean 'interval'"),
    "a kind for a sequence": (
        lambda: strategies.domains(kinds="interval"),
        r"`kinds` must be a sequence such as \('interval',\); got 'interval'",
    ),
    "no kind": (lambda: strategies.metrics(kinds=()), r"`kinds` must be a sequence .*; got \(\)"),
    "an interval in the plane": (
        lambda: strategies.domains(kinds=("interval",), dimensions=(2,)),
        r"none of the `kinds` \('interval',\) works in the `dimensions` \(2,\)",
    ),
    "a domain for a strategy": (
        lambda: strategies.grids(domain=UNIT),
        r"`domain` must be a hypothesis strategy; got Interval\(.*\): write st.just",
    ),
    "a number for a strategy": (lambda: strategies.metrics(order=1.0), "`order` must be a hypothesis"),
    "a metric that the grid cannot have": (
        lambda: strategies.metrics(kinds=("derivative",), grid=CIRCLE),
        r"none of the `kinds` \('derivative',\) works on <trapezoid grid of 24 nodes",
    ),
    "a field that is unknown": (
        lambda: strategies.metric_fields(kinds=("fisher_rao",)),
        "did you mean 'fisher-rao'",
    ),
    "an operator that is unknown": (
        lambda: strategies.operators(kinds=("powers",)),
        "did you mean 'power'",
    ),
    "zeros at the ends of a circle": (
        lambda: strategies.functions(grid=CIRCLE, boundary="vanishing"),
        "`boundary` 'vanishing' is for grids of intervals and boxes; got <trapezoid",
    ),
    "a mean of zero on one node": (
        lambda: strategies.functions(grid=st.just(UNIT.grid(1)), zero_mean=True),
        "no function but 0 of .* has `zero_mean`; draw grids of more nodes",
    ),
    "no magnitude": (lambda: strategies.functions(magnitude=0.0), "`magnitude` must be positive; got 0"),
    "a negative smoothness": (
        lambda: strategies.functions(smoothness=-1.0),
        "`smoothness` must be 0 or more",
    ),
    "points that coincide": (
        lambda: strategies.kernels(domain=st.just(UNIT), points=TWICE),
        "no length scale gives .* `condition` 1e.08 at the `points`: are two of them equal",
    ),
    "a model on the sphere": (
        lambda: strategies.models(domain=st.just(fg.Sphere())),
        "`domain` of models must be an interval, .*; got the unit sphere",
    ),
    "a problem with Dirichlet's condition": (
        lambda: strategies.problems(domain=st.just(fg.Interval(0, 1, "dirichlet"))),
        r"`domain` of problems must be a circle, or an interval .*\(dirichlet\)",
    ),
    "a margin below 0": (lambda: strategies.problems(margin=-1.0), "`margin` must be positive; got -1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_drawn_is_named(name):
    strategy, message = WRONG[name]
    with pytest.raises(fg.InvalidInput, match=message):
        find(strategy(), lambda drawn: True, settings=settings(max_examples=5, database=None))
