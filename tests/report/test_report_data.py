"""The JSON report follows its published schema, and what is recorded can be computed again and compared."""

import copy
import json
import math

import jsonschema
import pytest

import funcgrad as fg
from funcgrad.problems import read_problem
from funcgrad.report.compare import compare
from funcgrad.report.json import SCHEMA, plain, report_json
from funcgrad.report.record import Report
from funcgrad.report.replay import differences, replay
from funcgrad.theorems.runner import one_level_more

IDS = ("no-l2-gradient", "evaluation-representer", "ntk-gradient", "sobolev-gradient-smooths")
PROBLEM = {
    "model": "a*exp(-b*x) + c",
    "parameters": "a=2, b=0.7, c=0.1",
    "data": {"x": [0.3, 1.0, 2.0, 3.5], "y": [1.0, 0.2, 0.4, 0.1]},
    "domain": "interval 0 4",
    "metric": "sobolev 1",
}


def data_of(report):
    return json.loads(report_json(report))


@pytest.fixture(scope="module")
def built_in(verdict_of):
    return data_of(Report("funcgrad verify", 0, "quick", tuple(map(verdict_of, IDS)), ("riesz",)))


@pytest.fixture(scope="module")
def own():
    text, problem = read_problem(**PROBLEM)
    verdicts = tuple(fg.verify(id, problem) for id in IDS)
    return data_of(Report("funcgrad verify --model ...", 0, "quick", verdicts, (), text.as_dict()))


@pytest.fixture(scope="module")
def schema():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def test_reports_follow_the_schema(built_in, own, schema):
    jsonschema.validate(built_in, schema)
    jsonschema.validate(own, schema)
    assert own["verdicts"][3]["shown_status"] == "not applicable"


def test_a_verdict_that_ended_in_an_error_follows_the_schema(schema, monkeypatch):
    monkeypatch.setattr(fg.L2, "riesz", lambda self, c, grid: 1 / 0)
    verdict = fg.verify("riesz-representation")
    assert verdict.error == "ZeroDivisionError: division by zero"
    jsonschema.validate(data_of(Report("funcgrad verify", 0, "quick", (verdict,))), schema)


@pytest.mark.parametrize("path", [("schema_version",), ("verdicts", 0, "status"), ("verdicts", 0, "seed")])
def test_the_schema_refuses_what_is_wrong(built_in, schema, path):
    wrong = copy.deepcopy(built_in)
    *outer, last = path
    place = wrong
    for key in outer:
        place = place[key]
    place[last] = "proved"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_infinities_are_written_as_texts():
    assert plain({"a": [math.inf, -math.inf, 1.5]}) == {"a": ["inf", "-inf", 1.5]}


@pytest.mark.parametrize("which", ["built_in", "own"])
def test_what_is_recorded_is_found_again(which, request):
    found = list(replay(request.getfixturevalue(which)))
    assert len(found) == (4 if which == "built_in" else 3)
    assert all(one.agrees for one in found), [str(one) for one in found if not one.agrees]


def test_a_replay_notices_another_residual_another_seed_and_an_instance_that_is_gone(built_in):
    wrong = copy.deepcopy(built_in)
    wrong["verdicts"][0]["instances"][0]["levels"][0]["residual"] *= 1 + 1e-5
    wrong["verdicts"][1]["instances"][0]["label"] = "another"
    wrong["verdicts"][2]["seed"] = 1
    found = list(replay(wrong))
    assert [one.agrees for one in found] == [False, False, False, True]
    assert "no such instance" in str(found[1])


def test_other_platforms_are_told(built_in):
    assert differences(built_in) == []
    elsewhere = copy.deepcopy(built_in)
    elsewhere["provenance"]["numpy"] = "1.0"
    [line] = differences(elsewhere)
    assert line.startswith("numpy: 1.0 then,")


def changed(report, change):
    other = copy.deepcopy(report)
    change(other["verdicts"][0], other["verdicts"][0]["instances"][0])
    return compare(report, other)


def test_a_report_does_not_differ_from_itself(built_in):
    assert compare(built_in, built_in) == []


CHANGES = [
    (lambda v, i: v.update(shown_status="refuted", holds=False), "status: consistent -> refuted", True),
    (lambda v, i: i.update(order=i["order"] + 0.1), "fitted order", False),
    (lambda v, i: i.update(order=None), "fitted order: -0.502 -> none", False),
    (lambda v, i: i["levels"][1].update(residual=1e3), "residual at level 128", False),
    (lambda v, i: i["controls"][0].update(detected=False), "detected -> undetected", True),
    (lambda v, i: i["levels"].pop(), "level 2048: present -> absent", False),
    (lambda v, i: v["instances"].pop(), "instance: present -> absent", False),
    (lambda v, i: v.update(id="another"), "theorem: ", False),
]


@pytest.mark.parametrize(("change", "words", "worse"), CHANGES)
def test_a_change_is_told(built_in, change, words, worse):
    changes = changed(built_in, change)
    assert words in str(changes[0])
    assert any(one.worse for one in changes) is worse
    assert len(changes) == (2 if "theorem" in words else 1)


def test_residuals_under_their_floors_and_within_rounding_are_the_same(built_in):
    def move(verdict, instance):
        instance["levels"][0]["residual"] *= 1.5
        instance["order"] += 0.01

    assert changed(built_in, move) == []


def test_a_full_run_adds_a_level_and_draws_random_instances_again(verdict_of):
    quick, full = verdict_of("ntk-gradient"), fg.verify("ntk-gradient", budget="full")
    assert full.holds is True, str(full)
    assert len(full.cases) == 3 * len(quick.cases)
    assert {case.draw for case in full.cases} == {0, 1, 2}
    assert full.cases[0].series.levels == tuple(one_level_more(quick.cases[0].series.levels))
    assert full.cases[0].series.residuals[:-1] == quick.cases[0].series.residuals
    # Nothing is random in these, so they are not drawn again.
    quick, full = verdict_of("no-l2-gradient"), fg.verify("no-l2-gradient", budget="full")
    assert len(full.cases) == len(quick.cases)
