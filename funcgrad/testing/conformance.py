"""What a conformance check is, how checks are run, and what is reported.

A check is a plain function of (subject, generator) that yields `Trial`s, from small inputs to large ones, so
that the first one to fail is the smallest. It knows nothing of pytest or hypothesis.
"""

import inspect
import math
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from funcgrad._checks import one_of, whole_number
from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.testing.doors import require_reasons

EPS = float(np.finfo(float).eps)
# What a few dozen floating-point operations may lose; checks multiply it by the condition of what they ask.
ROUNDING = 64 * EPS
# What a kernel's values may lose: tabulated profiles are good to some hundred units of rounding.
VALUE_ROUNDING = 4 * ROUNDING


class ConformanceError(FuncgradError, AssertionError):
    """An object does not keep its contract; the message says which parts, and for which input.

    Attributes
    ----------
    results : list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import ConformanceError, check_metric
    >>> try:
    ...     check_metric(fg.L2(measure=[0.1, 0.5]))
    ... except ConformanceError as error:
    ...     print([result.id for result in error.results if not result.ok])
    ['metric-definite']
    """

    def __init__(self, message, results):
        super().__init__(message)
        self.results = results


class ConformanceWarning(UserWarning):
    """The same as a warning, for ``on_fail="warn"``.

    Examples
    --------
    >>> import warnings, funcgrad as fg
    >>> from funcgrad.testing import check_metric
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     results = check_metric(fg.L2(measure=[0.1, 0.5]), on_fail="warn")
    >>> caught[0].category.__name__
    'ConformanceWarning'
    """


class NotApplicable(Exception):
    """Raised by a check that has nothing to say about its object, with the reason."""


class Finding(Exception):
    """Raised where an object fails before there is anything to compare.

    Parameters
    ----------
    message : str
        What is wrong.
    input : object
        What was tried.
    """

    def __init__(self, message: str, input: object):
        super().__init__(message)
        self.input = input


class Subject(Protocol):
    """What checks are asked about: an object, with the grid, points or parameters on which it is tried."""

    @property
    def object(self) -> object:
        """The object itself."""


OnFail = Literal["raise", "warn", "return"]


@dataclass(frozen=True)
class Trial:
    """One comparison of a check.

    Attributes
    ----------
    input : object
        What was tried: a string, an array, or a dict of them.
    error, tolerance : float
        The trial fails if the error exceeds the tolerance, or is NaN.
    message : str
        What is wrong if it fails, in the words of the object's user.

    Examples
    --------
    >>> from funcgrad.testing import Trial
    >>> round(Trial("x = 1", error=1e-15, tolerance=1e-12, message="it is off").margin, 12)
    3.0
    """

    input: object
    error: float
    tolerance: float
    message: str

    @property
    def margin(self):
        """Decimal digits between error and tolerance; negative if it fails."""
        if math.isnan(self.error) or math.isnan(self.tolerance):
            return -math.inf
        if self.error <= 0:
            return math.inf
        if self.tolerance <= 0 or math.isinf(self.error):
            return -math.inf
        return math.log10(self.tolerance / self.error)


@dataclass(frozen=True)
class Check:
    """A check with its stable id.

    Attributes
    ----------
    id : str
        Such as "metric-symmetric".
    statement : str
        What must hold.
    run : callable
        Of (subject, numpy.random.Generator): yields trials, or raises `NotApplicable`.
    needs : tuple of str
        Members without which the object is not asked.

    Examples
    --------
    >>> from funcgrad.testing.metric_checks import METRIC_CHECKS
    >>> METRIC_CHECKS[1]
    Check(id='metric-symmetric', statement='<u, v> = <v, u>.', needs=('inner',))
    """

    id: str
    statement: str
    run: Callable[..., Iterator[Trial]] = field(repr=False)
    needs: tuple[str, ...] = ()


def check_of(id: str, run: Callable[..., Iterator[Trial]], *needs: str) -> Check:
    """Return the check that a function makes, whose docstring is its statement."""
    return Check(id, inspect.getdoc(run) or "", run, needs)


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes
    ----------
    id : str
    status : {"passed", "failed", "expected failure", "unexpected pass", "not applicable"}
    margin : float
        Decimal digits between the largest error and its tolerance: infinite if exact, negative if failed,
        NaN if the check did not apply.
    message : str
        What is wrong; why an expected failure is expected; why a check does not apply.
    input : object
        The smallest input that failed, None if none did.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_metric
    >>> result = check_metric(fg.L2())[0]
    >>> result.id, result.status, result.margin, result.ok
    ('metric-members', 'passed', inf, True)
    """

    id: str
    status: str
    margin: float
    message: str = ""
    input: object = field(default=None, repr=False)

    @property
    def ok(self):
        """Whether nothing is wrong: neither a failure nor an unexpected pass."""
        return self.status not in ("failed", "unexpected pass")

    def __str__(self):
        margin = "" if math.isnan(self.margin) else f" ({self.margin:.1f} digits to spare)"
        shown = margin if self.status == "passed" else f": {self.message}"
        return f"{self.id}: {self.status}{shown}"


def run_check(
    check: Check, subject: Subject, rng: np.random.Generator, reason: str | None = None
) -> CheckResult:
    """Return the `CheckResult` of one check; `reason` says why its failure is expected, if it is."""
    worst, count = math.inf, 0
    first: Trial | None = None
    try:
        for trial in check.run(subject, rng):
            count += 1
            worst = min(worst, trial.margin)
            if trial.margin < 0 and first is None:
                first = trial
    except NotApplicable as why:
        return CheckResult(check.id, "not applicable", math.nan, str(why))
    except Finding as why:
        first = Trial(why.input, math.nan, 0.0, str(why))
    except Exception as error:  # whatever the user's object raises is a finding about it
        first = Trial(None, math.nan, 0.0, f"it raised {type(error).__name__}: {error}")
    if count == 0 and first is None:
        first = Trial(None, math.nan, 0.0, "the check found nothing to try: its result would mean nothing")
    if first is None:
        if reason is None:
            return CheckResult(check.id, "passed", worst)
        message = f"it was expected to fail ({reason}), and passes: take it off the expected failures"
        return CheckResult(check.id, "unexpected pass", worst, message)
    worst = min(worst, first.margin)
    if reason is not None:
        return CheckResult(check.id, "expected failure", worst, reason, first.input)
    return CheckResult(check.id, "failed", worst, first.message, first.input)


def run_checks(
    checks: Sequence[Check],
    subject: Subject,
    rng: int | np.random.Generator,
    expected_failures: Mapping[str, str] | None,
    on_fail: OnFail,
) -> list[CheckResult]:
    """Run checks on a subject and report: see `check_metric` for the options."""
    one_of(on_fail, ("raise", "warn", "return"), "on_fail")
    expected = expected_failures_of(expected_failures, [check.id for check in checks])
    seed = seed_of(rng)
    results = [
        run_check(check, subject, generator_for(check, seed), expected.get(check.id))
        for check in applicable(checks, subject)
    ]
    report(results, given(subject), on_fail)
    return results


def given(subject: Subject) -> object:
    """Return the object that the user gave, which may be what made the one that is checked."""
    return getattr(subject, "given", subject.object)


def applicable(checks: Sequence[Check], subject: Subject) -> list[Check]:
    """Return the checks for which the subject's object has the members."""
    return [check for check in checks if all(hasattr(subject.object, name) for name in check.needs)]


def seed_of(rng: int | np.random.Generator) -> int:
    """Return a seed: a whole number as it is, one drawn from a generator."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**32))
    return whole_number(rng, "rng")


def generator_for(check: Check, seed: int) -> np.random.Generator:
    """Return the generator of a check: its draws depend on its id and the seed, not on other checks."""
    return np.random.default_rng([seed, zlib.crc32(check.id.encode())])


def expected_failures_of(expected_failures: Mapping[str, str] | None, ids: Sequence[str]) -> dict[str, str]:
    """Return checked reasons by id."""
    require_reasons(expected_failures)
    expected = dict(expected_failures or {})
    for name, reason in expected.items():
        one_of(name, ids, "id in `expected_failures`")
        if not isinstance(reason, str) or not reason.strip():
            raise InvalidInput(f"`expected_failures[{name!r}]` must be the reason, a text; got {reason!r}.")
    return expected


def report(results: Sequence[CheckResult], of: object, on_fail: OnFail) -> None:
    """Raise or warn if some of the results are not ok; `of` is the object as its user gave it."""
    bad = [result for result in results if not result.ok]
    if not bad or on_fail == "return":
        return
    said: dict[str, list[str]] = {}
    for result in bad:
        said.setdefault(f"{result.status}: {result.message}", []).append(result.id)
    lines = "\n".join(f"  {', '.join(ids)}: {wrong}" for wrong, ids in said.items())
    message = f"{of!r} fails {len(bad)} of {len(results)} checks:\n{lines}"
    if on_fail == "raise":
        raise ConformanceError(message, results)
    warnings.warn(message, ConformanceWarning, stacklevel=4)


def require_members(names: Sequence[str], what: str) -> Check:
    """Return the check that an object has the members of its contract."""

    def run(subject, rng):
        for name in names:
            missing = not hasattr(subject.object, name)
            message = f"it has no `{name}`, which a {what} must have (needed: {', '.join(names)})"
            yield Trial(name, float(missing), 0.0, message)

    return Check(f"{what}-members", f"it has the members of a {what}", run)


def snapshot(*arrays):
    """Return copies of arrays, to see afterwards whether a call changed them."""
    return [np.array(array, copy=True) for array in arrays]


def changed(arrays, copies):
    """Return the largest change of arrays since their `snapshot`; infinite for another shape."""
    pairs = zip(arrays, copies, strict=True)
    return max(
        float(np.abs(array - copy).max(initial=0.0)) if np.shape(array) == copy.shape else math.inf
        for array, copy in pairs
    )


def rounding_trial(what: str, array: object, input: object) -> Trial:
    """Return the trial of whether numbers are at least of double precision: others are lost in rounding."""
    dtype = getattr(array, "dtype", np.dtype(float))
    coarse = np.issubdtype(dtype, np.inexact) and float(np.finfo(dtype).eps) > EPS
    message = (
        f"{what} is of type {dtype}, whose rounding hides what is checked: compute it in float64 (in JAX "
        "by jax_enable_x64)"
    )
    return Trial(input, float(coarse), 0.0, message)
