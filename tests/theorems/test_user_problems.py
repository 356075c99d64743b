"""The user's own problems: what applies is checked, what does not says why, and nothing crashes."""

import sys
from pathlib import Path

import numpy as np
import pytest

import funcgrad as fg
from funcgrad import cli, theorems
from funcgrad.errors import InvalidInput
from funcgrad.problems import read_problem
from funcgrad.theorems.registry import catalogue

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
from nist_fits import problem_names, read_problem as read_nist  # noqa: E402, I001

IDS = [theorem.id for theorem in catalogue()]
# Of the reference problems these are checked in CI; all of the catalogue is checked by hand.
# Parameters of very different sizes: rounding in the natural gradient, which does not scale its columns,
# passes the floor of scaled ones, by up to 20 times.
BADLY_SCALED = ("Kirby2", "Thurber")
QUICK = ("pullback-metric", "natural-gradient-is-projection", "tangent-gradient-exists", "ntk-gradient")


def nist_problem(name, start=1):
    """The problem at its second starting point, in H^1 of a box around its data."""
    found = read_nist(name, EXAMPLES / "nist_strd")
    low, high = found.x.min(axis=0), found.x.max(axis=0)
    margin = 0.05 * (high - low)
    bounds = list(zip(low - margin, high + margin, strict=True))
    domain = fg.Interval(*bounds[0]) if len(bounds) == 1 else fg.Box(bounds)
    metric = fg.Sobolev(1.0, float(np.max(high - low)) / 4)
    loss = fg.EmpiricalLoss(found.x, found.y)
    return theorems.Problem(found.model, found.starts[start], loss, domain, metric, label=name)


@pytest.mark.parametrize("name", problem_names())
def test_the_reference_problems_are_checked_without_a_crash_and_every_status_is_explained(name):
    own = nist_problem(name)
    for id in QUICK:
        verdict = fg.verify(id, own)
        assert not verdict.error, f"{id}: {verdict.error}"
        if verdict.shown_status == "not applicable":
            assert verdict.skipped[0][1], id
        else:
            assert all(case.series.judgement.message for case in verdict.cases)
            assert verdict.holds is True or name in BADLY_SCALED, str(verdict)


X = np.linspace(0.3, 3.7, 9).tolist()
DATA = {"x": X, "y": [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]}
PROBLEM = {
    "model": "a*exp(-b*x) + c",
    "parameters": "a=2, b=0.7, c=0.1",
    "data": DATA,
    "domain": "interval 0 4",
    "metric": "sobolev 1",
}


@pytest.mark.parametrize("loss", ["squared", "pseudo-huber 0.5", "logistic", "poisson"])
def test_what_holds_for_the_squared_loss_holds_for_the_others(loss):
    text, own = read_problem(**PROBLEM, loss=loss)
    assert text.loss == loss
    for id in ("natural-gradient-is-projection", "tangent-gradient-exists", "ntk-gradient", "energy-decay"):
        verdict = fg.verify(id, own)
        assert verdict.holds is True, str(verdict)


WHERE = [
    ({"domain": "interval 0 4 dirichlet"}, "do not vanish at the ends"),
    ({"domain": "interval 0 4 periodic"}, "take `circle 4`"),
    ({"domain": "euclidean 1"}, "intervals and circles"),
    ({"metric": "rkhs gaussian"}, "not one of the Sobolev scale"),
]


@pytest.mark.parametrize(("changed", "reason"), WHERE)
def test_where_nothing_is_known_the_reason_is_told(changed, reason):
    verdict = fg.verify("natural-gradient-is-projection", read_problem(**{**PROBLEM, **changed})[1])
    assert verdict.shown_status == "not applicable"
    assert reason in verdict.skipped[0][1]


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "a*sin(x + b*z) + c", "domain": "box 0 4 0 1", "metric": "sobolev 1.5"},
        {"model": "a*sin(x) + b*cos(z) + c", "domain": "torus 2", "metric": "l2"},
    ],
)
def test_in_the_plane_no_theorem_crashes(changed):
    data = {**DATA, "z": np.linspace(0.1, 0.9, 9).tolist()}
    own = read_problem(**{**PROBLEM, "data": data, **changed})[1]
    for id in IDS:
        verdict = fg.verify(id, own)
        assert not verdict.error, f"{id}: {verdict.error}"
        assert verdict.cases or verdict.skipped[0][1]


def test_a_problem_in_parts_is_the_problem():
    own = read_problem(**PROBLEM)[1]
    parts = {name: getattr(own, name) for name in ("model", "theta", "functional", "metric", "domain")}
    whole, assembled = fg.verify("ntk-gradient", own), fg.verify("ntk-gradient", **parts)
    assert assembled.cases[0].series == whole.cases[0].series
    del parts["metric"]
    with pytest.raises(InvalidInput, match="missing: `metric`"):
        fg.verify("ntk-gradient", **parts)
    with pytest.raises(InvalidInput, match="not both"):
        fg.verify("ntk-gradient", own, **parts)


TOML = """
model = "a*exp(-b*x) + c"
domain = "interval 0 4"
metric = "sobolev 1"
data = "points.csv"
[parameters]
a = 2
b = 0.7
c = 0.1
"""


def write(folder, text=TOML):
    rows = "".join(f"{x!r},{y!r}\n" for x, y in zip(DATA["x"], DATA["y"], strict=True))
    (folder / "points.csv").write_text("x,y\n" + rows)
    (folder / "problem.toml").write_text(text)
    return folder / "problem.toml"


def test_a_toml_file_is_the_same_problem_and_what_is_given_goes_before_it(tmp_path):
    expected = read_problem(**PROBLEM)[0]
    assert read_problem(write(tmp_path))[0] == expected
    inline = TOML.replace('data = "points.csv"', "") + f"[data]\nx = {DATA['x']}\ny = {DATA['y']}\n"
    assert read_problem(write(tmp_path, inline))[0] == expected
    assert read_problem(write(tmp_path), metric="l2", loss="poisson")[0].metric == "l2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = ", "is not TOML"),
        (TOML.replace("metric", "metrik"), "unknown key 'metrik'; did you mean 'metric'"),
        (TOML.replace('"sobolev 1"', "1"), "metric must be a text"),
        (TOML.replace('metric = "sobolev 1"', ""), "missing: metric"),
        (TOML.replace("a = 2", "a = nan"), "`a` must be finite"),
        (TOML.replace("a = 2", 'a = "two"'), "`a` must be an array of numbers"),
        (TOML.replace('"points.csv"', '"nowhere.csv"'), "nowhere.csv"),
        (TOML.replace('data = "points.csv"', "") + "[data]\nx = [1.0]\n", "without: ['y']"),
        (TOML.replace('data = "points.csv"', "") + "[data]\nx = [1.0]\ny = [1.0, 2.0]\n", "one length"),
        (TOML.replace("interval 0 4", "interval 1 4"), "outside the interval"),
    ],
)
def test_a_wrong_toml_file_gets_one_line(tmp_path, capsys, text, message):
    path = write(tmp_path, text)
    assert cli.main(["verify", "no-l2-gradient", "--problem", str(path)]) == cli.EXIT_USAGE
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_bad_losses_are_told():
    for loss, message in {
        "huber": "did you mean 'pseudo-huber'",
        "logistic 2": "write it as: logistic",
        "pseudo-huber 0": "positive",
        "cross-entropy": "unknown loss",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            read_problem(**PROBLEM, loss=loss)
    with pytest.raises(InvalidInput, match="must lie in"):
        read_problem(**{**PROBLEM, "data": {"x": X, "y": X}}, loss="logistic")


def test_losses_of_derivatives_are_not_taken_for_losses_of_values():
    own = read_problem(**PROBLEM)[1]
    slopes = fg.EmpiricalLoss(X, DATA["y"], operator={1: 1.0})
    verdict = fg.verify(
        "tangent-gradient-exists",
        model=own.model,
        theta=own.theta,
        functional=slopes,
        metric=own.metric,
        domain=own.domain,
    )
    assert verdict.skipped[0][1] == "the functional is not a loss at points"
