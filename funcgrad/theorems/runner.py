"""Checking theorems: refinement, expectations, controls, oracles."""

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np

from funcgrad._checks import finite_array, near_match, one_of, whole_number
from funcgrad.errors import DegenerateModelWarning, FuncgradError, InvalidInput
from funcgrad.theorems.expectations import Exact, Order, Stagnant
from funcgrad.theorems.provenance import provenance
from funcgrad.theorems.record import DoesNotApply, Instance, Problem, Residual, Theorem
from funcgrad.theorems.registry import catalogue
from funcgrad.theorems.verdict import CaseResult, ControlResult, Series, Verdict

BUDGETS = ("quick", "full")
# How many times a full run draws the instances.
FULL_DRAWS = 3
# Agreement to rounding means something up to this size of rounding, half the digits.
LARGEST_FLOOR = 1e-6
# Multiples of its rounding floor from which a residual is something else for certain.
_VISIBLE = 1e3


def verify(
    id,
    problem=None,
    seed=0,
    budget="quick",
    *,
    model=None,
    theta=None,
    functional=None,
    metric=None,
    domain=None,
):
    """Check one theorem of the catalogue and return its `Verdict`.

    Parameters
    ----------
    id : str or Theorem
        See ``theorems.catalogue()``; a theorem of one's own is given itself.
    problem : theorems.Problem, optional
        The user's own model, data, domain and metric, in place of the built-in instances.
    seed : int
        Of the drawn parts of the built-in instances.
    budget : {"quick", "full"}
        "full" adds a level of refinement and draws the instances three times.
    model, theta, functional, metric, domain : optional
        The parts of a problem, in place of `problem`: all five, or none.

    Returns
    -------
    Verdict
        With a problem that the theorem says nothing about, the status is "vacuous" and `skipped`
        tells why. An exception while it is checked is its failure: the status is "refuted" and `error`
        tells which.

    Examples
    --------
    >>> import funcgrad as fg
    >>> fg.verify("no-l2-gradient").status
    'consistent'
    >>> verdict = fg.verify(
    ...     "tangent-gradient-exists",
    ...     model=fg.models.Polynomial(2),
    ...     theta=[1.0, 0.5, -0.2],
    ...     functional=fg.EmpiricalLoss([0.1, 0.4, 0.9], [1.0, 2.0, 0.5]),
    ...     metric=fg.L2(),
    ...     domain=fg.Interval(0, 1),
    ... )
    >>> verdict.status
    'exact'
    """
    theorem = find(id)
    seed, budget = whole_number(seed, "seed"), one_of(budget, BUDGETS, "budget")
    problem = _assembled(problem, model, theta, functional, metric, domain)
    blank = blank_verdict(theorem, seed, budget)
    cases, skipped = [], []
    try:
        with warnings.catch_warnings():
            # That a user's model is degenerate is what the report is about.
            warnings.simplefilter("ignore", DegenerateModelWarning)
            for case in checked_cases(theorem, problem, seed, budget, skipped):
                if not _is_repeated(case, cases):
                    cases.append(case)
    except Exception as error:  # whatever it is, it is this theorem's failure, and the others go on
        return replace(blank, cases=tuple(cases), skipped=tuple(skipped), error=described(error))
    return replace(blank, cases=tuple(cases), skipped=tuple(skipped))


def checked_cases(theorem, problem, seed, budget, skipped):
    """Yield the `CaseResult` of each instance, one after another.

    The instances that do not meet the hypotheses, and why not, are added to `skipped`.
    """
    for draw, index, instance in instances(theorem, problem, seed, budget, skipped):
        margins = {hypothesis.name: float(hypothesis.margin(instance)) for hypothesis in theorem.hypotheses}
        unmet = [hypothesis for hypothesis in theorem.hypotheses if not margins[hypothesis.name] > 0]
        if unmet:
            skipped.append((instance.label, unmet[0].unmet.format(metric=instance.metric)))
        else:
            case = check_instance(theorem, instance, margins, budget, problem is not None)
            yield replace(case, draw=draw, index=index)


def find(id):
    """Return the theorem of that id; raise `InvalidInput` with a near match if there is none.

    A `Theorem` is returned as it is.
    """
    if isinstance(id, Theorem):
        return id
    theorems = {theorem.id: theorem for theorem in catalogue()}
    if id not in theorems:
        raise InvalidInput(f"unknown theorem {id!r}{near_match(id, theorems)}")
    return theorems[id]


def blank_verdict(theorem, seed, budget):
    """Return the `Verdict` on a theorem of which nothing has been checked yet."""
    return Verdict(
        theorem.id,
        theorem.statement,
        theorem.latex,
        theorem.source,
        seed,
        budget,
        provenance=provenance(),
    )


def described(error):
    """Return an exception as one line: the kind is told unless the message was written for users."""
    message = " ".join(str(error).split())
    return message if isinstance(error, FuncgradError) else f"{type(error).__name__}: {message}"


def _assembled(problem, model, theta, functional, metric, domain):
    parts = {"model": model, "theta": theta, "functional": functional, "metric": metric, "domain": domain}
    missing = [f"`{name}`" for name, part in parts.items() if part is None]
    if len(missing) == len(parts):
        if problem is not None and not hasattr(problem, "label"):
            raise InvalidInput(
                f"`problem` must be a theorems.Problem, or give its parts by name; got {problem!r}."
            )
        return problem
    if problem is not None:
        raise InvalidInput("give either `problem` or its parts, not both.")
    if missing:
        raise InvalidInput(f"a problem of your own needs all of its parts; missing: {', '.join(missing)}.")
    return Problem(model, finite_array(theta, "theta", ndim=1), functional, domain, metric)


def instances(theorem, problem, seed, budget, skipped):
    """Yield (draw, index, instance): the built-in ones, or the user's.

    A reason why a theorem does not apply to the user's problem is added to `skipped`.
    """
    if problem is not None:
        try:
            yield 0, 0, theorem.from_problem(problem)
        except DoesNotApply as reason:
            skipped.append((problem.label, str(reason)))
        return
    for draw in range(FULL_DRAWS if budget == "full" else 1):
        found, random = drawn_instances(theorem, seed, draw)
        if draw and not random:
            return
        for index, instance in enumerate(found):
            yield draw, index, instance


def drawn_instances(theorem, seed, draw):
    """Return the built-in instances of a draw, and whether anything in them is random."""
    rng = np.random.default_rng([seed, draw] if draw else seed)
    before = rng.bit_generator.state
    drawn = theorem.instances(rng)
    if isinstance(drawn, Instance):
        raise InvalidInput("`instances` must return a sequence of instances; got a single one.")
    return drawn, rng.bit_generator.state != before


def _is_repeated(case, cases):
    """Whether another draw of an instance in which nothing is random was checked before."""
    return any(other.label == case.label and other.series == case.series for other in cases)


def check_instance(theorem, instance, margins, budget="quick", own=False):
    """Return the `CaseResult` of one instance that meets the hypotheses, `own` if it is a user's."""
    levels = theorem.levels(instance)
    if budget == "full":
        levels = one_level_more(levels)
    expectation = theorem.expectation(instance)
    series = _visible(_series(theorem.residual, instance, levels, expectation))
    controls = tuple(_control(control, instance, levels, expectation, own) for control in theorem.controls)
    if own:
        series = _told_apart(series, controls)
    oracle = None
    if theorem.oracle is not None and (residual := theorem.oracle(instance)) is not None:
        exact = Exact()
        oracle = Series((residual,), str(exact), exact.judge([residual]), (None,))
    return CaseResult(instance.label, margins, series, controls, oracle)


def _visible(series):
    """Return a series whose agreement shows something: inconclusive where rounding may be as large."""
    floor = max(residual.floor for residual in series.residuals)
    if series.judgement.status != "exact" or floor <= LARGEST_FLOOR:
        return series
    message = (
        f"rounding may reach {floor:.1e} here, so that agreement shows nothing: tangent functions less alike "
        "(fewer parameters), a metric of lower order, or data of the model's size would lower it"
    )
    return replace(series, judgement=replace(series.judgement, status="inconclusive", message=message))


def _told_apart(series, controls):
    """Return a series of the user's problem: inconclusive where a false statement passes there too.

    On built-in instances that is a blind check. On the user's, a statement nearby may be as true.
    """
    blind = [control.name for control in controls if not control.detected]
    if not series.judgement.holds or not blind:
        return series
    message = (
        f"{series.judgement.message}; but so it is here, or nearly, for a statement that is false elsewhere "
        f"({blind[0]}): this problem does not tell them apart"
    )
    return replace(series, judgement=replace(series.judgement, status="inconclusive", message=message))


def one_level_more(levels):
    """Return levels of refinement continued by one, if they are in arithmetic or geometric progression.

    Examples
    --------
    >>> one_level_more([16, 32, 64]), one_level_more(range(4, 7)), one_level_more([1, 2, 7])
    ([16, 32, 64, 128], [4, 5, 6, 7], [1, 2, 7])
    """
    levels = list(levels)
    if len(levels) < 3:
        return levels
    last, previous = levels[-1], levels[-2]
    if len({fine - coarse for coarse, fine in pairwise(levels)}) == 1:
        return [*levels, last + (last - previous)]
    if all(fine * previous == coarse * last for coarse, fine in pairwise(levels)):
        return [*levels, last * last // previous]
    return levels


def _series(residual, instance, levels, expectation):
    residuals = tuple(residual(instance, level) for level in levels)
    for found in residuals:
        if not isinstance(found, Residual):
            raise InvalidInput(f"`residual` must return a Residual; got {type(found).__name__}.")
    if not hasattr(expectation, "judge"):
        raise InvalidInput(f"an expectation must be one of Order, Exact, Spectral, ...; got {expectation!r}.")
    order = (expectation.low, expectation.high) if isinstance(expectation, Order) else None
    return Series(residuals, str(expectation), expectation.judge(residuals), tuple(levels), order)


def _control(control, instance, levels, expectation, own):
    failure = control.failure(instance)
    levels = levels if control.levels is None else control.levels(instance)
    series = _series(control.residual, instance, levels, failure)
    if own and isinstance(failure, Stagnant):
        # How far off a false statement is depends on the problem; what counts is that it is no rounding.
        floor = max(residual.floor for residual in series.residuals)
        failure = replace(failure, least=min(failure.least, _VISIBLE * floor))
        judgement = failure.judge(series.residuals)
        series = replace(series, expectation=str(failure), judgement=judgement)
    detected = series.judgement.holds and not expectation.judge(series.residuals).holds
    return ControlResult(control.name, control.breaks, detected, series)
