"""Every theorem of the catalogue holds, every control is detected, and the verdicts can be read."""

import json

import numpy as np
import pytest

import funcgrad as fg
from funcgrad import theorems
from funcgrad.errors import InvalidInput
from funcgrad.models import Polynomial, Symbolic
from funcgrad.theorems.registry import catalogue

IDS = [theorem.id for theorem in catalogue()]


@pytest.mark.parametrize("id", IDS)
def test_a_theorem_holds_and_its_controls_are_detected(id, verdict_of):
    verdict = verdict_of(id)
    assert verdict.holds is True, str(verdict)
    assert verdict.cases
    assert all(control.detected for case in verdict.cases for control in case.controls)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("id", ["natural-gradient-is-projection", "ntk-gradient", "tangent-gradient-exists"])
def test_other_seeds_draw_other_instances_that_hold(id, seed):
    verdict = fg.verify(id, seed=seed)
    assert verdict.holds is True, str(verdict)


def test_a_seed_repeats_its_figures():
    first, second = (fg.verify("tangent-gradient-exists", seed=3).as_dict() for _ in range(2))
    assert first == second


def test_a_verdict_prints_renders_to_json_and_plots(verdict_of):
    verdict = verdict_of("no-l2-gradient")
    text = str(verdict)
    assert "no-l2-gradient  CONSISTENT" in text
    assert "control detected" in text
    assert "hypothesis: the function does not fit the data exactly" in text
    data = json.loads(verdict.to_json())
    assert data["holds"] is True
    assert len(data["instances"][0]["levels"]) == 6
    ax = verdict.plot()
    assert ax.get_xlabel() == "h"


def problem(model, theta, x, y, domain, metric):
    return theorems.Problem(model, np.array(theta), fg.EmpiricalLoss(x, y), domain, metric)


def statuses(own):
    return {id: fg.verify(id, own) for id in IDS}


def test_a_problem_of_ones_own_is_checked_by_what_applies():
    x = np.linspace(0.2, 3.8, 9)
    own = problem(
        Symbolic("a*exp(-b*x) + c", "x", "a b c"),
        [2.0, 0.7, 0.1],
        x,
        np.exp(-x) + 0.1 * np.cos(9 * x),
        fg.Interval(0, 4),
        fg.Sobolev(1.0, 0.5),
    )
    found = statuses(own)
    not_applicable = {
        "sobolev-gradient-smooths": "no L2 gradient",
        "sobolev-scale": "no L2 gradient",
        "l2-limit": "take a circle",
        "sample-consistency": "population loss",
        "mesh-independence": "without a model",
        "infinite-width": "growing width",
        "kronecker-exactness": "not made of layers",
        "trace-threshold": "a surface is a point",
        "vector-valued": "one output",
    }
    for id, verdict in found.items():
        if id in not_applicable:
            assert verdict.status == "vacuous"
            assert not_applicable[id] in verdict.skipped[0][1]
        else:
            assert verdict.holds is True, str(verdict)


@pytest.mark.parametrize("metric", [fg.L2(), fg.Sobolev(0.5), fg.Sobolev(0.25)])
def test_what_needs_a_gradient_does_not_apply_where_there_is_none(metric):
    model = Symbolic("a*sin(x) + b", "x", "a b")
    own = problem(model, [1.0, 0.2], [0.5, 1.0, 2.0], [1.0, 0.0, 0.3], fg.Circle(2 * np.pi), metric)
    found = statuses(own)
    for id in ("riesz-representation", "natural-gradient-is-projection"):
        assert found[id].status == "vacuous"
        assert "unbounded" in found[id].skipped[0][1]
    for id in ("evaluation-threshold", "no-l2-gradient", "tangent-gradient-exists", "ntk-gradient"):
        assert found[id].holds is True, str(found[id])


def test_a_layer_of_ones_own_is_checked_and_a_network_is_told_why_not():
    x, found = np.linspace(0.2, 3.8, 9), {}
    for widths in ((1, 1), (1, 3, 1)):
        network = fg.models.MLP(widths)
        own = problem(network, network.initial(0), x, np.cos(x), fg.Interval(0, 4), fg.Sobolev(1.0))
        found[len(widths)] = fg.verify("kronecker-exactness", own)
    assert found[2].status == "exact", str(found[2])
    assert "has hidden layers" in found[3].skipped[0][1]


def test_a_model_that_fits_exactly_and_one_that_is_not_periodic_are_explained():
    fitted = problem(Polynomial(1), [0.0, 1.0], [0.2, 0.8], [0.2, 0.8], fg.Interval(0, 1), fg.Sobolev(1.0))
    assert "fits the data exactly" in fg.verify("no-l2-gradient", fitted).skipped[0][1]
    line = problem(Polynomial(1), [0.0, 1.0], [0.2, 0.8], [1.0, 0.0], fg.Circle(1.0), fg.Sobolev(1.0))
    assert "periodic" in fg.verify("natural-gradient-is-projection", line).skipped[0][1]


def test_a_crash_is_the_theorems_failure(monkeypatch):
    from funcgrad.metrics import L2

    def broken(self, c, grid):
        raise ArithmeticError("broken on purpose")

    monkeypatch.setattr(L2, "riesz", broken)
    verdict = fg.verify("riesz-representation")
    assert verdict.holds is False
    assert "broken on purpose" in verdict.error


def test_an_unknown_theorem_gets_a_near_match():
    with pytest.raises(InvalidInput, match="did you mean 'riesz-representation'"):
        fg.verify("riesz-representtion")
