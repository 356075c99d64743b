"""All checks of an object, whatever it is, and pytest cases of them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from funcgrad._checks import one_of
from funcgrad.errors import InvalidInput
from funcgrad.functionals import Covector
from funcgrad.testing.conformance import (
    ROUNDING,
    Check,
    CheckResult,
    NotApplicable,
    OnFail,
    Subject,
    Trial,
    applicable,
    check_of,
    expected_failures_of,
    generator_for,
    given,
    report,
    run_check,
    run_checks,
    seed_of,
)
from funcgrad.testing.domain_checks import DOMAIN_CHECKS, domain_subject
from funcgrad.testing.functional_checks import FUNCTIONAL_CHECKS, functional_subject
from funcgrad.testing.kernel_checks import KERNEL_CHECKS, kernel_subject
from funcgrad.testing.metric_checks import METRIC_CHECKS
from funcgrad.testing.metric_field_checks import METRIC_FIELD_CHECKS
from funcgrad.testing.metric_subject import metric_subject
from funcgrad.testing.model_checks import MODEL_CHECKS, model_subject
from funcgrad.testing.operator_checks import OPERATOR_CHECKS, operator_subject

if TYPE_CHECKING:  # nothing here needs pytest but to make cases for it
    import pytest

# What tells the kinds of objects apart, in the order in which they are asked: members, checks, subject.
_KINDS = (
    (("inner", "riesz"), METRIC_CHECKS, metric_subject),
    (("at",), [*METRIC_CHECKS, *METRIC_FIELD_CHECKS], metric_subject),
    (("laplacian_spectrum", "grid"), DOMAIN_CHECKS, domain_subject),
    (("differential",), FUNCTIONAL_CHECKS, functional_subject),
    (("jacobian", "n_parameters"), MODEL_CHECKS, model_subject),
    (("gram",), KERNEL_CHECKS, kernel_subject),
    (("apply",), OPERATOR_CHECKS, operator_subject),
    (("first_derivative", "weights"), OPERATOR_CHECKS, operator_subject),
    (("forward", "backward"), OPERATOR_CHECKS, operator_subject),
)


def suite_of(thing: object, options: Mapping[str, object]) -> tuple[Sequence[Check], Subject]:
    """Return the checks for an object and their subject, by what members the object has."""
    for members, checks, subject_of in _KINDS:
        if all(hasattr(thing, name) for name in members) or (
            members == ("differential",) and isinstance(thing, Covector)
        ):
            known = list(inspect.signature(subject_of).parameters)[1:]
            for name in options:
                one_of(name, known, f"option for {type(thing).__name__}")
            return checks, subject_of(thing, **options)
    raise InvalidInput(
        f"{thing!r} is no metric (`inner`, `riesz`, or `at`), domain (`laplacian_spectrum`, `grid`), "
        "functional (`differential`), model (`jacobian`, `n_parameters`), kernel (`gram`) or operator "
        "(`apply`)."
    )


def check_all(
    thing: object,
    *,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
    **options: object,
) -> list[CheckResult]:
    """Run all the checks for an object, whose kind is told by its members.

    Parameters
    ----------
    thing : object
        A metric, kernel, functional, covector, model, operator or domain.
    rng, expected_failures, on_fail
        See `check_metric`.
    **options
        Those of the check of its kind: `grid` of a metric or domain, `at` of a metric that depends on its
        base point, `domain` of a kernel or model, `theta`
        of a model, `f` of a functional, `shape` and `weights` of an operator.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_all
    >>> for thing in (fg.L2(), fg.kernels.Gaussian(), fg.PointEvaluation(0.3), fg.models.Polynomial(2)):
    ...     assert all(result.ok for result in check_all(thing))
    """
    checks, subject = suite_of(thing, options)
    return run_checks(checks, subject, rng, expected_failures, on_fail)


class BoundCheck:
    """A check of one object, ready to run: what `parametrize_with_checks` hands to a test.

    Calling it returns the `CheckResult`, or raises `ConformanceError`.
    """

    def __init__(self, check: Check, subject: Subject, seed: int, reason: str | None):
        self.check, self.subject, self._seed, self._reason = check, subject, seed, reason

    def __call__(self):
        """Run the check."""
        result = run_check(self.check, self.subject, generator_for(self.check, self._seed), self._reason)
        report([result], given(self.subject), "raise")
        return result

    def __repr__(self):
        return f"<{self.check.id} of {given(self.subject)!r}>"


def parametrize_with_checks(
    objects: Sequence[object],
    *,
    rng: int | np.random.Generator = 0,
    expected_failures: Callable[[object], Mapping[str, str]] | None = None,
) -> "pytest.MarkDecorator":
    """Return a decorator that makes a pytest case of each check of each object.

    The test takes one argument, `check`, and calls it. Checks for which an object lacks the (optional)
    members make no case.

    Parameters
    ----------
    objects : sequence
        Objects, or pairs (object, options) with the options of `check_all` as a dict.
    rng : int or numpy.random.Generator
    expected_failures : callable, optional
        Of an object: a dict from ids of checks to reasons, as for `check_metric`.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import parametrize_with_checks
    >>> @parametrize_with_checks([fg.L2(), (fg.Sobolev(1.0), {"grid": fg.Interval(0, 1).grid(12)})])
    ... def test_my_metrics(check):
    ...     check()
    """
    import pytest

    if not isinstance(objects, Sequence):
        raise InvalidInput(f"`objects` must be a list of objects, or of pairs with options; got {objects!r}.")
    if expected_failures is not None and not callable(expected_failures):
        raise InvalidInput(
            f"`expected_failures` must be a function of the object here; got {expected_failures!r}: write "
            "lambda thing: ..."
        )
    seed = seed_of(rng)
    cases, ids = [], []
    for i, entry in enumerate(objects):
        thing, options = _with_options(entry)
        checks, subject = suite_of(thing, options)
        reasons = {} if expected_failures is None else expected_failures(thing)
        reasons = expected_failures_of(reasons, [check.id for check in checks])
        for check in applicable(checks, subject):
            cases.append(BoundCheck(check, subject, seed, reasons.get(check.id)))
            ids.append(f"{i}-{type(thing).__name__}-{check.id}")
    return pytest.mark.parametrize("check", cases, ids=ids)


def _with_options(entry: object) -> tuple[object, dict[str, object]]:
    if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], dict):
        return entry
    return entry, {}


class _CompiledSubject:
    def __init__(self, function: Callable[..., object], arguments: Sequence[object]):
        self.object, self.arguments = function, arguments


def _agrees_with_source(subject, rng):
    """The compiled function does what its Python source does."""
    source = getattr(subject.object, "py_func", None)
    if source is None:
        raise NotApplicable("it is not compiled: it has no `py_func`")
    ours = [np.array(a, copy=True) if isinstance(a, np.ndarray) else a for a in subject.arguments]
    theirs = [np.array(a, copy=True) if isinstance(a, np.ndarray) else a for a in subject.arguments]
    compiled, interpreted = subject.object(*ours), source(*theirs)
    pairs = [("the returned value", compiled, interpreted)] if interpreted is not None else []
    pairs += [
        (f"argument {i}", mine, other)
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True))
        if isinstance(mine, np.ndarray)
    ]
    for name, mine, other in pairs:
        mine, other = np.asarray(mine, dtype=float), np.asarray(other, dtype=float)
        error = float(np.abs(mine - other).max(initial=0.0))
        scale = float(np.abs(other).max(initial=0.0))
        message = f"compiled and interpreted disagree in {name}: off by {error:.3g} of {scale:.3g}"
        yield Trial({"arguments": subject.arguments}, error, ROUNDING * scale, message)


COMPILED_CHECKS = [check_of("compiled-source", _agrees_with_source)]


def check_compiled(
    function: Callable[..., object],
    arguments: Sequence[object],
    *,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that a function compiled by numba gives what its Python source gives, results and outputs.

    Parameters
    ----------
    function : numba dispatcher
    arguments : tuple
        Arrays are copied; those that the function writes to are compared too.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import numba, numpy as np
    >>> from funcgrad.testing import check_compiled
    >>> @numba.njit
    ... def total(values):
    ...     out = 0.0
    ...     for value in values:
    ...         out += value
    ...     return out
    >>> [result.status for result in check_compiled(total, (np.linspace(0, 1, 5),))]
    ['passed']
    """
    subject = _CompiledSubject(function, tuple(arguments))
    return run_checks(COMPILED_CHECKS, subject, rng, expected_failures, on_fail)
