"""How checks are run and reported: ids, expected failures, what happens on failure, pytest cases."""

import math
import warnings

import numpy as np
import pytest
import wrong_metrics
import wrong_objects as wrong

import funcgrad as fg
from funcgrad.testing import (
    Check,
    ConformanceError,
    ConformanceWarning,
    Trial,
    check_all,
    check_compiled,
    check_functional,
    check_kernel,
    check_metric,
    check_model,
    check_operator,
    parametrize_with_checks,
)
from funcgrad.testing.conformance import run_check
from funcgrad.testing.taylor import derivative_trials, extrapolated_derivative, taylor_trials

SEMIDEFINITE = fg.L2(measure=[0.1, 0.5, 2.0])
REASON = {"metric-definite": "three points do not see all functions"}


def by_id(results):
    return {result.id: result for result in results}


def test_ids_are_stable():
    ids = [result.id for result in check_metric(fg.Sobolev(1.0))]
    assert ids == [
        "metric-members",
        "metric-symmetric",
        "metric-bilinear",
        "metric-positive",
        "metric-definite",
        "metric-norm",
        "metric-flat",
        "metric-riesz",
        "metric-riesz-control",
        "metric-dual-norm",
        "metric-dual-bound",
        "metric-refinement",
        "metric-one-more",
        "metric-length-scale",
        "metric-order",
        "metric-square-root",
        "metric-repeatable",
        "metric-inputs",
    ]


def test_an_expected_failure_is_none_and_keeps_its_reason():
    with pytest.raises(ConformanceError, match="metric-definite: failed: it is not definite"):
        check_metric(SEMIDEFINITE)
    result = by_id(check_metric(SEMIDEFINITE, expected_failures=REASON))["metric-definite"]
    assert (result.status, result.message, result.ok) == ("expected failure", REASON["metric-definite"], True)
    assert result.margin < 0


def test_an_expected_failure_that_passes_is_a_failure():
    with pytest.raises(ConformanceError, match=r"metric-definite: unexpected pass: .*take it off"):
        check_metric(fg.L2(), expected_failures=REASON)


def test_expected_failures_need_a_known_id_and_a_reason():
    with pytest.raises(fg.InvalidInput, match="did you mean 'metric-definite'"):
        check_metric(fg.L2(), expected_failures={"metric-definit": "because"})
    with pytest.raises(fg.InvalidInput, match="must be the reason"):
        check_metric(fg.L2(), expected_failures={"metric-definite": " "})


def test_what_happens_on_failure_is_chosen():
    with pytest.warns(ConformanceWarning, match="metric-definite"):
        warned = check_metric(SEMIDEFINITE, on_fail="warn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returned = check_metric(SEMIDEFINITE, on_fail="return")
    assert [result.status for result in warned] == [result.status for result in returned]
    with pytest.raises(fg.InvalidInput, match="on_fail"):
        check_metric(fg.L2(), on_fail="ignore")


def test_the_smallest_failing_input_is_returned():
    results = by_id(check_metric(wrong_metrics.AsymmetricMetric(fg.L2()), on_fail="return"))
    assert set(results["metric-symmetric"].input) == {"u", "v"}
    # The Gram matrix fails with 40 points; the message is about as few as show it.
    kernel = by_id(check_kernel(wrong.KernelNotQuitePositive(), on_fail="return"))["kernel-positive"]
    assert len(kernel.input["X"]) <= 8


def test_results_do_not_depend_on_other_checks_and_repeat():
    first = check_model(fg.models.Polynomial(2), rng=3)
    again = check_model(fg.models.Polynomial(2), rng=np.int64(3))
    assert first == again
    check_model(fg.models.Polynomial(2), rng=np.random.default_rng(0))


def test_a_missing_member_is_named():
    class Half:
        def inner(self, u, v):
            return 0.0

    with pytest.raises(ConformanceError, match="it has no `norm`, which a metric must have"):
        check_metric(Half())


def test_an_error_of_the_object_is_a_failure_of_the_check():
    class Broken(wrong.PlainKernel):
        def gram(self, X, Y=None):
            raise RuntimeError("no memory")

    with pytest.raises(
        ConformanceError, match=r"kernel-symmetric, .*: failed: it raised RuntimeError: no memory"
    ):
        check_kernel(Broken())


def test_what_is_wrong_is_said_once_for_all_the_checks_that_find_it():
    with pytest.raises(ConformanceError) as caught:
        check_metric(fg.metrics.Energy(fg.Integral("-u_x**2/2 + u**2/2")))
    assert str(caught.value).count("takes none of the functions tried") == 1
    assert "metric-symmetric, metric-bilinear, metric-positive" in str(caught.value)


def test_a_metric_that_takes_no_covector_is_told_so():
    class Refusing(wrong_metrics.Wrapped):
        def riesz(self, c, grid):
            raise fg.InvalidInput("not today.")

    with pytest.raises(ConformanceError, match=r"`riesz` takes none of the covectors tried: not today\."):
        check_metric(Refusing(fg.L2()))


def test_a_dual_norm_that_is_refused_is_no_failure_and_a_stated_accuracy_is_granted():
    class Coarse(wrong_metrics.Wrapped):
        dual_norm_accuracy = 1e-3

        def dual_norm(self, c, domain):
            return (1 - 0.9e-3) * self.metric.dual_norm(c, domain)

    class Refusing(wrong_metrics.Wrapped):
        def dual_norm(self, c, domain):
            raise fg.InvalidInput("it is not known.")

    check_metric(Coarse(fg.Sobolev(1.0)))
    Coarse.dual_norm_accuracy = 1e-4
    with pytest.raises(ConformanceError, match="metric-dual-norm: failed"):
        check_metric(Coarse(fg.Sobolev(1.0)))
    results = by_id(check_metric(Refusing(fg.Sobolev(1.0))))
    for name in ("metric-dual-norm", "metric-dual-bound"):
        assert (results[name].status, results[name].message) == ("not applicable", "it is not known.")


def test_a_metric_that_depends_on_its_base_point_is_checked_where_one_says():
    interval = fg.Interval(0, 1)
    base = interval.grid(12).function(lambda x: 1 + x)
    results = by_id(check_metric(fg.FisherRao(), at=base))
    assert results["field-stale"].status == results["metric-riesz"].status == "passed"
    assert [result.id for result in check_all(fg.FisherRao(), at=base)] == list(results)
    with pytest.raises(fg.InvalidInput, match=r"raised InvalidInput: .* positive density.* as `at`\."):
        check_metric(fg.FisherRao(), at=base - 2.0 * base)
    with pytest.raises(
        fg.InvalidInput, match="`at` is for metrics that depend on their base point; L2 does not"
    ):
        check_metric(fg.L2(), at=base)


def test_a_check_with_nothing_to_try_does_not_pass():
    class Subject:
        object = None

    result = run_check(Check("empty", "nothing", lambda subject, rng: iter(())), Subject(), None)
    assert result.status == "failed"
    assert "nothing to try" in result.message


def test_margins_are_digits_and_nan_fails():
    assert Trial(None, 1e-15, 1e-12, "").margin == pytest.approx(3.0)
    assert Trial(None, 0.0, 0.0, "").margin == math.inf
    assert Trial(None, 1e-9, 0.0, "").margin == -math.inf
    assert Trial(None, math.nan, 1.0, "").margin == -math.inf


def test_check_all_tells_kinds_apart():
    for thing, prefix in (
        (fg.L2(), "metric"),
        (fg.kernels.Matern(1.5), "kernel"),
        (fg.PointEvaluation(0.3), "functional"),
        (fg.PopulationLoss(np.cos), "functional"),
        (fg.models.Polynomial(1), "model"),
        (fg.Circle(), "domain"),
        (fg.operators.FiniteDifferenceLaplacian(12, 0.1, "neumann"), "operator"),
    ):
        results = check_all(thing)
        assert all(result.id.startswith(prefix) for result in results)
        assert sum(result.status == "passed" for result in results) >= 2
    with pytest.raises(fg.InvalidInput, match=r"is no metric \(`inner`, `riesz`, or `at`\)"):
        check_all(3.0)


@parametrize_with_checks(
    [
        fg.L2(),
        (fg.Sobolev(1.0), {"grid": fg.Interval(0, 1).grid(10)}),
        SEMIDEFINITE,
        (fg.models.Symbolic("a*sin(b*x)", parameters="a b"), {"theta": [1.0, 2.0]}),
        wrong.PlainKernel(),
    ],
    expected_failures=lambda thing: REASON if thing is SEMIDEFINITE else {},
)
def test_the_decorator_makes_a_case_of_each_check(check):
    assert check().ok


def test_a_case_of_the_decorator_fails_where_the_object_is_wrong():
    mark = parametrize_with_checks([wrong.OneWrongSign()])
    cases = dict(zip(mark.mark.kwargs["ids"], mark.mark.args[1], strict=True))
    assert "0-OneWrongSign-model-jacobian" in cases
    assert "0-OneWrongSign-model-products" not in cases  # it has no such members
    with pytest.raises(ConformanceError, match="model-jacobian"):
        cases["0-OneWrongSign-model-jacobian"]()


def test_extrapolated_derivatives_bound_their_error():
    """Against closed forms, from smooth to rough at the step's scale."""
    for function, exact in (
        (np.sin, 1.0),
        (lambda t: np.exp(3 * t), 3.0),
        (lambda t: 1 / (1.5 + t), -1 / 2.25),
        (lambda t: np.sin(20 * t) + 1e3, 20.0),
    ):
        value, bound = extrapolated_derivative(function, 0.1)
        assert abs(value - exact) <= bound
        assert bound < 1e-7 * abs(exact)


def test_entries_that_do_not_settle_are_left_out():
    def value(t):
        return np.array([np.sign(t) * math.sqrt(abs(t)), np.sin(t)])

    trials = list(derivative_trials(value, np.array([9.0, 1.0]), 0.1, str))
    assert [trial.message.startswith("(1,)") and trial.margin > 0 for trial in trials] == [True]


@pytest.mark.parametrize(
    ("value", "slope", "passes"),
    [
        (lambda t: math.exp(t), lambda t: math.exp(t), True),
        (lambda t: 3 * t + 1, lambda t: 3.0, True),
        (lambda t: t**3, lambda t: 3 * t**2, True),
        (lambda t: 1e-6 * t**2 + t**3, lambda t: 2e-6 * t + 3 * t**2, True),
        (lambda t: math.exp(t), lambda t: 1.0001 * math.exp(t), False),
        (lambda t: math.exp(t), lambda t: 1.0, False),
        (lambda t: 3 * t, lambda t: 3 + t, False),
        (lambda t: t**2 / 2, lambda t: 2 * t, False),
        (lambda t: abs(t), lambda t: 0.0, False),
    ],
)
def test_taylor_tests_are_two_sided(value, slope, passes):
    trials = list(taylor_trials(value, slope, 1.0, "F'", None))
    assert all(trial.margin >= 0 for trial in trials) == passes


def test_compiled_functions_agree_with_their_source():
    from funcgrad.operators import _compiled

    u = np.random.default_rng(0).normal(size=12)
    first = np.clip(np.arange(12) - 1, 0, 9).astype(np.int64)
    arguments = (np.empty(12), u, np.random.default_rng(1).normal(size=(12, 3)), first)
    (result,) = check_compiled(_compiled.apply_rows, arguments)
    assert result.status == "passed"

    class Fast:
        def __init__(self, function, py_func):
            self.function, self.py_func = function, py_func

        def __call__(self, *arguments):
            return self.function(*arguments)

    with pytest.raises(ConformanceError, match="compiled and interpreted disagree in the returned value"):
        check_compiled(Fast(np.sum, lambda x: np.sum(x) * (1 + 1e-9)), (u + 3.0,))


PLAIN = type("Plain", (), {"apply": lambda self, u: u})()
ARGUMENTS = {
    "a class for a metric": (lambda: check_metric(fg.L2), "a metric is to be checked; got the class L2"),
    "a number for a grid": (lambda: check_metric(fg.L2(), grid=12), "`grid` must be a Grid, .*; got 12"),
    "a callable for a base point": (
        lambda: check_metric(fg.FisherRao(), at=np.sin),
        "`at` must be a Function, made with `grid.function",
    ),
    "no components": (lambda: check_metric(fg.L2(), components=0), "`components` must be at least 1; got 0"),
    "reasons in a list": (
        lambda: check_metric(fg.L2(), expected_failures=["metric-definite"]),
        "`expected_failures` must be a dict from ids of checks to reasons",
    ),
    "a plane for a kernel of lines": (
        lambda: check_kernel(fg.kernels.PeriodicSobolev(1.0, 1.0), domain=fg.Torus((1, 1))),
        "`domain` must have points of 1 coordinates, which .* have 2",
    ),
    "too few parameters": (
        lambda: check_model(fg.models.Polynomial(2), theta=[1.0]),
        r"`theta` must have the 3 parameters of Polynomial\(2\); got 1",
    ),
    "a callable for a function": (
        lambda: check_functional(fg.PopulationLoss(np.cos), f=np.sin),
        "`f` must be a Function",
    ),
    "a word for a shape": (
        lambda: check_operator(PLAIN, shape="a"),
        "`shape` must be a whole number; got 'a'",
    ),
    "an option of another kind": (
        lambda: check_all(fg.L2(), theta=[1.0]),
        "unknown option for L2 'theta'; known: grid, at, components",
    ),
    "one object for a list": (
        lambda: parametrize_with_checks(fg.L2()),
        "`objects` must be a list of objects",
    ),
    "a dict for a function": (
        lambda: parametrize_with_checks([fg.L2()], expected_failures={"metric-definite": "x"}),
        "`expected_failures` must be a function of the object here; .*: write lambda thing",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_argument_is_named_and_is_no_wrong_object(name):
    run, message = ARGUMENTS[name]
    with pytest.raises(fg.InvalidInput, match=message):
        run()
