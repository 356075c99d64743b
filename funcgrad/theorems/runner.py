"""Checking theorems: refinement, expectations, controls, oracles."""

import platform
from dataclasses import replace

import numpy as np

from funcgrad._checks import near_match, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.theorems.expectations import Exact
from funcgrad.theorems.record import DoesNotApply, Theorem
from funcgrad.theorems.registry import catalogue
from funcgrad.theorems.verdict import CaseResult, ControlResult, Series, Verdict


def verify(id, problem=None, seed=0):
    """Check one theorem of the catalogue and return its `Verdict`.

    Parameters
    ----------
    id : str or Theorem
        See ``theorems.catalogue()``; a theorem of one's own is given itself.
    problem : theorems.Problem, optional
        The user's own model, data, domain and metric, in place of the built-in instances.
    seed : int
        Of the drawn parts of the built-in instances.

    Returns
    -------
    Verdict
        With a problem that the theorem says nothing about, the status is "vacuous" and `skipped`
        tells why.

    Examples
    --------
    >>> import funcgrad as fg
    >>> fg.verify("no-l2-gradient").status
    'consistent'
    """
    theorem = find(id)
    seed = whole_number(seed, "seed")
    blank = Verdict(
        theorem.id, theorem.statement, theorem.latex, theorem.source, seed, provenance=provenance()
    )
    cases, skipped = [], []
    try:
        for instance in _instances(theorem, problem, seed, skipped):
            margins = {
                hypothesis.name: float(hypothesis.margin(instance)) for hypothesis in theorem.hypotheses
            }
            unmet = [hypothesis for hypothesis in theorem.hypotheses if not margins[hypothesis.name] > 0]
            if unmet:
                skipped.append((instance.label, unmet[0].unmet.format(metric=instance.metric)))
            else:
                cases.append(check_instance(theorem, instance, margins))
    except Exception as error:  # whatever it is, it is this theorem's failure, and the others go on
        return replace(
            blank, cases=tuple(cases), skipped=tuple(skipped), error=f"{type(error).__name__}: {error}"
        )
    return replace(blank, cases=tuple(cases), skipped=tuple(skipped))


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


def _instances(theorem, problem, seed, skipped):
    if problem is None:
        return theorem.instances(np.random.default_rng(seed))
    try:
        return [theorem.from_problem(problem)]
    except DoesNotApply as reason:
        skipped.append((problem.label, str(reason)))
        return []


def check_instance(theorem, instance, margins):
    """Return the `CaseResult` of one instance that meets the hypotheses."""
    levels = theorem.levels(instance)
    expectation = theorem.expectation(instance)
    series = _series(theorem.residual, instance, levels, expectation)
    controls = tuple(_control(control, instance, levels, expectation) for control in theorem.controls)
    oracle = None
    if theorem.oracle is not None and (residual := theorem.oracle(instance)) is not None:
        exact = Exact()
        oracle = Series((residual,), str(exact), exact.judge([residual]))
    return CaseResult(instance.label, margins, series, controls, oracle)


def _series(residual, instance, levels, expectation):
    residuals = tuple(residual(instance, level) for level in levels)
    return Series(residuals, str(expectation), expectation.judge(residuals))


def _control(control, instance, levels, expectation):
    failure = control.failure(instance)
    levels = levels if control.levels is None else control.levels(instance)
    series = _series(control.residual, instance, levels, failure)
    detected = series.judgement.holds and not expectation.judge(series.residuals).holds
    return ControlResult(control.name, control.breaks, detected, series)


def provenance():
    """Return versions and machine, as text, for the report."""
    import scipy

    import funcgrad

    return {
        "funcgrad": funcgrad.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "machine": f"{platform.machine()} {platform.system()}",
    }
