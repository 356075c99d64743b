"""Theorems over processes: the same figures with any number of them, and every way in which one may end."""

import multiprocessing
import os

import pytest

import funcgrad as fg
from funcgrad.errors import InvalidInput
from funcgrad.theorems import workers
from funcgrad.theorems.workers import verify_all

IDS = ["no-l2-gradient", "evaluation-representer", "ntk-gradient"]


class Deadly:
    """A problem whose functional ends the process that looks at it."""

    label = "deadly"
    domain = fg.Circle(1.0)

    @property
    def functional(self):
        os._exit(7)


def test_the_figures_are_the_same_with_any_number_of_processes(monkeypatch):
    alone = list(workers._in_processes(IDS, (None, 3, "quick"), 1))
    together = {verdict.id: verdict for verdict in verify_all(IDS, seed=3, jobs=2)}
    assert [verdict.id for verdict in alone] == IDS
    assert alone[0].provenance["BLAS threads"] == "1"
    # Bitwise, not within a tolerance.
    assert [together[id].as_dict() for id in IDS] == [verdict.as_dict() for verdict in alone]


def test_in_this_process_the_figures_are_those_too():
    """To rounding: here BLAS may take more threads than one, and sum in another order."""
    (here,) = verify_all(["no-l2-gradient"], seed=3)
    (there,) = workers._in_processes(["no-l2-gradient"], (None, 3, "quick"), 1)
    assert (here.status, here.skipped) == (there.status, there.skipped)
    for a, b in zip(here.cases, there.cases, strict=True):
        assert (a.label, a.margins, a.series.levels) == (b.label, b.margins, b.series.levels)
        for first, second in zip(a.series.residuals, b.series.residuals, strict=True):
            assert abs(first.scaled - second.scaled) <= first.floor * first.scaled


def test_a_process_that_dies_is_its_theorems_failure_and_the_others_go_on():
    ids = ["no-l2-gradient", "ntk-gradient", "mesh-independence"]
    found = {verdict.id: verdict for verdict in verify_all(ids, problem=Deadly(), jobs=2)}
    assert set(found) == set(ids)
    assert found["no-l2-gradient"].error == "the process that checked it ended with code 7"
    assert found["no-l2-gradient"].status == found["ntk-gradient"].status == "refuted"
    assert found["mesh-independence"].shown_status == "not applicable"
    assert not multiprocessing.active_children()


def test_what_is_interrupted_leaves_no_process_behind():
    verdicts = verify_all(IDS, jobs=2)
    next(verdicts)
    with pytest.raises(KeyboardInterrupt):
        verdicts.throw(KeyboardInterrupt)
    assert not multiprocessing.active_children()


def test_bad_arguments_are_told_at_once():
    with pytest.raises(InvalidInput, match="`jobs` must be at least 1"):
        verify_all(IDS, jobs=0)
    with pytest.raises(InvalidInput, match="unknown theorem"):
        verify_all(["no-such-theorem"], jobs=2)
