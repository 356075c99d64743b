"""The catalogue notices when the library is broken; `funcgrad audit --quick` asks it of every fault."""

from dataclasses import replace

import pytest

import funcgrad as fg
from funcgrad import cli
from funcgrad.errors import InvalidInput
from funcgrad.metrics.sobolev import Sobolev, _sobolev_root
from funcgrad.theorems import audit as auditing
from funcgrad.theorems.audit import audit, find_fault, inspect
from funcgrad.theorems.faults import FAULTS, Fault
from funcgrad.theorems.runner import verify_to_first_failure


def test_there_are_enough_faults_and_their_likely_theorems_exist():
    ids = {theorem.id for theorem in fg.theorems.catalogue()}
    assert len(FAULTS) >= 25
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(set(fault.likely) <= ids for fault in FAULTS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::funcgrad.DegenerateModelWarning")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_noticed_by_the_theorem_it_should_be_noticed_by(fault):
    finding = inspect(fault, quick=True)
    assert finding.caught, str(finding)
    assert finding.noticed[0][0] in fault.likely


def test_a_check_up_to_the_first_failure_is_the_whole_one_where_there_is_none():
    id = "no-l2-gradient"
    whole = fg.verify(id)
    assert verify_to_first_failure(id).as_dict() == whole.as_dict()
    with find_fault("weights-without-volume").injected():
        first, failing = verify_to_first_failure(id), fg.verify(id)
    assert first.holds is failing.holds is False
    assert len(first.cases) < len(failing.cases)
    assert first.cases == failing.cases[: len(first.cases)]


def test_a_fault_leaves_no_trace_behind():
    fault = find_fault("sobolev-constant")
    original, metric, grid = vars(Sobolev)["symbol"], fg.Sobolev(1.0), fg.Circle(1.0).grid(8)
    f = grid.function(lambda x: 1 + 0 * x)
    right = metric.norm(f)
    with fault.injected():
        assert _sobolev_root.cache_info().currsize == 0  # what was factored before would hide it
        assert metric.norm(f) == pytest.approx(1.001**0.5 * right, rel=1e-14)
    assert vars(Sobolev)["symbol"] is original
    assert metric.norm(f) == right


def test_a_fault_is_taken_out_when_its_check_crashes():
    fault = find_fault("sobolev-constant")
    original = vars(Sobolev)["symbol"]
    with pytest.raises(ZeroDivisionError), fault.injected():
        raise ZeroDivisionError
    assert vars(Sobolev)["symbol"] is original


HARMLESS = Fault("harmless", "nothing is changed", "metrics.base:Metric.riesz", lambda original: original, ())


def test_what_is_no_fault_goes_unnoticed_and_the_audit_fails(monkeypatch, capsys):
    theorems = tuple(t for t in fg.theorems.catalogue() if t.id in ("no-l2-gradient", "sobolev-kernel"))
    monkeypatch.setattr(auditing, "catalogue", lambda: theorems)
    monkeypatch.setattr(auditing, "FAULTS", (HARMLESS,))
    assert cli.main(["audit"]) == cli.EXIT_REFUTED
    out = capsys.readouterr().out
    assert "noticed by none of 2 theorems" in out
    assert "0 of 1 faults caught" in out


def test_audit_from_the_command_line(capsys):
    assert cli.main(["audit", "weights-without-volume", "--quick"]) == cli.EXIT_OK
    assert "noticed by no-l2-gradient (refuted)\n1 of 1 faults caught" in capsys.readouterr().out


def test_faults_that_do_not_exist_are_told():
    with pytest.raises(InvalidInput, match="did you mean 'cut-off'"):
        audit(["cut-of"])
    stale = replace(HARMLESS, target="metrics.base:Metric.reisz")
    with pytest.raises(InvalidInput, match="has no target"), stale.injected():
        pass
