"""The user's own problems: what applies is checked, what does not says why, and nothing crashes."""

import re
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
STATUSES = ("consistent", "exact", "inconclusive", "vacuous", "control-undetected", "refuted")
# What the catalogue says of the reference problems in H^1: of those on a line, and of Nelson's in the plane.
ON_A_LINE = {
    "riesz-representation": "consistent",
    "riesz-isometry": "consistent",
    "evaluation-threshold": "consistent",
    "derivative-threshold": "consistent",
    "no-l2-gradient": "consistent",
    "evaluation-representer": "exact",
    "sobolev-kernel": "exact",
    "pullback-metric": "exact",
    "natural-gradient-is-projection": "exact",
    "tangent-gradient-exists": "exact",
    "reparametrisation-invariance": "exact",
    "degenerate-model": "exact",
    "kernel-quadrature-metric": "consistent",
    "fisher-is-l2": "consistent",
    "energy-decay": "consistent",
    "ntk-gradient": "consistent",
    "ntk-is-reproducing": "exact",
    "gtk-is-reproducing": "exact",
    "tangent-kernel-is-projected": "exact",
    "gtk-extends": "exact",
}
# Points have no gradient in H^1 of the plane, and the data's are too near for grids.
NOT_IN_THE_PLANE = {
    "riesz-representation": "needs? a Sobolev order above n/2",
    "riesz-isometry": "needs? a Sobolev order above n/2",
    "no-l2-gradient": "nearly coincide",
    "evaluation-representer": "intervals and circles",
    "sobolev-kernel": "needs? a Sobolev order above n/2",
    "natural-gradient-is-projection": "needs? a Sobolev order above n/2",
    "kernel-quadrature-metric": "on an interval",
    "tangent-kernel-is-projected": "needs? a Sobolev order above n/2",
}


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


def statuses(own, ids=IDS):
    """The status of every theorem; a reason stands for one that does not apply."""
    found = {}
    for id in ids:
        verdict = fg.verify(id, own)
        assert not verdict.error, f"{id}: {verdict.error}"
        applies = verdict.shown_status != "not applicable"
        found[id] = verdict.status if applies else verdict.skipped[0][1]
        assert found[id]
        assert all(case.series.judgement.message for case in verdict.cases)
    return found


@pytest.mark.parametrize("name", sorted(set(problem_names()) - {"Nelson"}))
def test_the_reference_problems_on_a_line_hold_whatever_the_size_of_their_parameters(name):
    found = statuses(nist_problem(name))
    assert {id: found[id] for id in ON_A_LINE} == ON_A_LINE
    for id in set(IDS) - set(ON_A_LINE):
        assert found[id] not in STATUSES, f"{id}: {found[id]}"


def test_the_reference_problem_in_the_plane_holds():
    found = statuses(nist_problem("Nelson"))
    for id, reason in NOT_IN_THE_PLANE.items():
        assert re.search(reason, found[id]), f"{id}: {found[id]}"
    expected = {id: status for id, status in ON_A_LINE.items() if id not in NOT_IN_THE_PLANE}
    expected |= {"ntk-gradient": "exact", "trace-threshold": "consistent"}
    assert {id: found[id] for id in expected} == expected


@pytest.mark.parametrize("name", ["MGH17", "Misra1a", "Lanczos3"])
def test_no_starting_point_is_refuted_by_rounding(name):
    """At MGH17's first one, exponentials up to 1e16 on the box around the data hide everything else."""
    found = statuses(nist_problem(name, start=0), sorted(ON_A_LINE))
    assert not {"refuted", "control-undetected"} & set(found.values()), found
    if name == "MGH17":
        assert "take units in which the parameters are alike" in found["pullback-metric"]


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
    ({"domain": "euclidean 1"}, "not the real line"),
    ({"metric": "rkhs gaussian"}, "not one of the Sobolev scale"),
]


@pytest.mark.parametrize(("changed", "reason"), WHERE)
def test_where_nothing_is_known_the_reason_is_told(changed, reason):
    verdict = fg.verify("natural-gradient-is-projection", read_problem(**{**PROBLEM, **changed})[1])
    assert verdict.shown_status == "not applicable"
    assert reason in verdict.skipped[0][1]


# --- models that rounding decides about ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "parameters", "reason"),
    [
        ("a*c*exp(-b*x)", "a=2, b=0.7, c=0.5", "the tangent functions are dependent"),
        ("a*exp(-b*x) + c*1e-15*x", "a=2, b=0.7, c=1", "take units in which the parameters are alike"),
        ("a*exp(-b*x) + c*exp(-b*x)*(1 + 1e-9*x)", "a=2, b=0.7, c=1", "the tangent functions are dependent"),
        ("a*exp(-b*x) + c*exp(-d*x)", "a=2, b=0.7, c=1, d=0.701", "dependent up to"),
        (
            "a*exp(-b*x) + 1e6*c*exp(-d*x)",
            "a=2, b=0.7, c=1, d=0.70001",
            "the tangent functions are dependent",
        ),
        ("a*exp(-b*x) + c*exp(-d*x)", "a=2, b=0.7, c=1, d=0.8", None),
        ("a*exp(-b*x) + 1e-6*c*exp(-d*x)", "a=2, b=0.7, c=1, d=0.8", None),
    ],
)
def test_nothing_is_refuted_of_a_model_that_is_degenerate_or_nearly(model, parameters, reason):
    own = read_problem(**{**PROBLEM, "model": model, "parameters": parameters})[1]
    found = statuses(own)
    assert not {"refuted", "control-undetected"} & set(found.values()), found
    if reason is not None:
        assert reason in found["pullback-metric"]


def test_a_degenerate_model_is_one_that_the_theorem_about_them_holds_for():
    own = read_problem(**{**PROBLEM, "model": "a*d*exp(-b*x) + c", "parameters": "a=2, b=0.7, c=0.1, d=1"})[1]
    found = statuses(own, ["degenerate-model", "natural-gradient-is-projection", "gtk-is-reproducing"])
    assert found["degenerate-model"] == found["natural-gradient-is-projection"] == "exact"
    assert "not an immersion" in found["gtk-is-reproducing"]


def test_where_rounding_hides_everything_the_verdict_is_open_and_says_why():
    own = read_problem(
        **{**PROBLEM, "model": "a*exp(-b*x) + c*exp(-d*x)", "parameters": "a=2, b=0.7, c=1, d=0.8"}
    )[1]
    verdict = fg.verify("tangent-kernel-is-projected", own)
    assert verdict.status == "inconclusive"
    assert "rounding may reach" in str(verdict)
    assert "fewer parameters" in " ".join(str(verdict).split())


AT_ENDS = fg.EmpiricalLoss([0.0, 0.4, 1.0], [1.0, 3.0, 2.0])
CORNERS = fg.EmpiricalLoss([[0.0, 0.0], [0.4, 1.0], [0.7, 0.2]], [1.0, 3.0, 2.0])
PLANE = fg.models.Symbolic("a + b*x + c*x*y", "x y", "a b c")


@pytest.mark.parametrize(
    ("loss", "model", "theta", "domain"),
    [
        (AT_ENDS, fg.models.Polynomial(2), [0.0, 1.0, 0.3], fg.Interval(0, 1)),
        (CORNERS, PLANE, [0.1, 1.0, 0.4], fg.Box([(0, 1), (0, 1)])),
    ],
)
def test_data_at_ends_and_corners_refute_nothing(loss, model, theta, domain):
    """Where Gauss-Legendre nodes crowd: representers on them grow faster, and rounding with these."""
    own = theorems.Problem(model, theta, loss, domain, fg.Sobolev(1.0))
    for id in ("no-l2-gradient", "tangent-gradient-exists"):
        verdict = fg.verify(id, own)
        assert verdict.holds, (id, verdict.status)


def test_data_that_is_fitted_exactly_and_losses_of_functions_are_told():
    line = fg.models.Polynomial(1)
    fitted = theorems.Problem(
        line, [0.0, 1.0], fg.EmpiricalLoss([0.2, 0.7], [0.2, 0.7]), fg.Interval(0, 1), fg.Sobolev(1.0)
    )
    of_all = theorems.Problem(line, [0.0, 1.0], fg.PopulationLoss(np.sin), fg.Interval(0, 1), fg.Sobolev(1.0))
    for id in ("riesz-representation", "riesz-isometry", "no-l2-gradient", "ntk-gradient"):
        for own, reason in ((fitted, "fits the data exactly"), (of_all, "not a loss at points")):
            verdict = fg.verify(id, own)
            assert verdict.status == "vacuous"
            assert reason in verdict.skipped[0][1]


def test_on_a_torus_the_extension_is_right_to_rounding():
    model = fg.models.Symbolic("a + b*sin(x)*cos(y)", "x y", "a b")
    loss, torus = fg.EmpiricalLoss([[0.0, 0.0], [1.0, 2.0]], [1.0, 2.0]), fg.Torus((2 * np.pi, 2 * np.pi))
    for s in (1.0, 1.5, 2.0):
        assert fg.verify("gtk-extends", theorems.Problem(model, [0.1, 1.0], loss, torus, fg.Sobolev(s))).holds


def test_units_that_do_nothing_do_not_disturb_the_theorem_about_fisher():
    network = fg.models.MLP((1, 4, 1), activation="relu")
    theta = network.initial(0)
    assert not network.jacobian(theta, [0.0, 0.5, 1.0])[:, 0].any()
    own = theorems.Problem(network, theta, AT_ENDS, fg.Interval(0, 1), fg.L2())
    assert fg.verify("fisher-is-l2", own).status in ("consistent", "vacuous")


def test_a_plain_object_is_a_model_and_is_told_where_its_slopes_are_needed():
    class Line:
        def __call__(self, theta, x):
            return theta[0] + theta[1] * x[:, 0]

        def jacobian(self, theta, x):
            return np.column_stack([np.ones(len(x)), x[:, 0]])

    own = theorems.Problem(Line(), [0.0, 1.0], AT_ENDS, fg.Interval(0, 1), fg.L2())
    assert fg.verify("tangent-gradient-exists", own).status == "exact"
    own = theorems.Problem(Line(), [0.0, 1.0], AT_ENDS, fg.Interval(0, 1), fg.Sobolev(1.0))
    verdict = fg.verify("natural-gradient-is-projection", own)
    assert verdict.status == "vacuous"
    assert "`jacobian_derivative`" in verdict.skipped[0][1]


def test_several_outputs_are_told_where_they_do_not_apply():
    model = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x)*x + b"], "x", "a b c")
    x = np.linspace(0.3, 3.7, 6)
    loss = fg.EmpiricalLoss(x, np.column_stack([x, np.cos(3 * x)]))
    own = theorems.Problem(model, np.array([1.0, 0.5, 0.3]), loss, fg.Interval(0, 4), fg.Sobolev(1.0))
    found = statuses(own)
    assert found["vector-valued"] == "exact"
    assert found["no-l2-gradient"] == found["ntk-gradient"] == "the model has 2 outputs: see vector-valued"
    assert not {"refuted", "control-undetected"} & set(found.values()), found


# --- the plane, space and the sphere ------------------------------------------------------------------


def scattered(low, high, count=9):
    """Points without two that nearly share a coordinate: multiples of irrational numbers modulo 1."""
    steps = (0.618034, 0.7548777, 0.5698403)
    return [
        (a + (b - a) * (np.arange(1, count + 1) * step % 1)).tolist()
        for a, b, step in zip(low, high, steps, strict=False)
    ]


def in_space(low, high, model, domain, metric):
    columns = dict(zip("xzw", scattered(low, high), strict=False))
    return {
        **PROBLEM,
        "model": model,
        "domain": domain,
        "metric": metric,
        "data": {**columns, "y": DATA["y"]},
    }


def on_the_sphere():
    x = np.column_stack(scattered((-1, -1, -1), (1, 1, 1)))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    data = {**dict(zip(("x", "v", "z"), x.T.tolist(), strict=True)), "y": DATA["y"]}
    model = "a*exp(b*z) + c*x*v"
    return {**PROBLEM, "model": model, "domain": "sphere", "metric": "sobolev 1.5", "data": data}


# Of the model alone, whatever the metric.
ALWAYS = {
    "evaluation-threshold": "consistent",
    "derivative-threshold": "consistent",
    "trace-threshold": "consistent",
    "no-l2-gradient": "consistent",
    "tangent-gradient-exists": "exact",
    "fisher-is-l2": "consistent",
    "ntk-gradient": "consistent",
    "ntk-is-reproducing": "exact",
}
TANGENT = {
    "pullback-metric": "exact",
    "reparametrisation-invariance": "exact",
    "degenerate-model": "exact",
    "energy-decay": "consistent",
    "gtk-is-reproducing": "exact",
    "gtk-extends": "exact",
}
AMBIENT = {
    "riesz-representation": "consistent",
    "riesz-isometry": "consistent",
    "sobolev-kernel": "exact",
}
PROJECTED = {"natural-gradient-is-projection": "exact", "tangent-kernel-is-projected": "exact"}
ORDER, BOX = "Sobolev order above n/2", ((0, 0), (4, 1), "a*sin(x + b*z) + c")
TURN = ((0, 0), (6.28, 6.28), "a*exp(b*sin(x)) + c*cos(z)")
EVEN = "a*exp(b*cos(pi*x/4)*cos(pi*z)) + c*cos(pi*x/2)"
NO_POINTS = dict.fromkeys([*AMBIENT, *PROJECTED], ORDER)
ENDS, NO_MODES = {"l2-limit": "where there are ends"}, dict.fromkeys(TANGENT, "sums of eigenfunctions only")
LIMIT = {"l2-limit": "consistent"}
IN_SPACE = {
    "box, L2": (in_space(*BOX, "box 0 4 0 1", "l2"), ALWAYS | TANGENT, NO_POINTS | ENDS),
    "box, H^1": (in_space(*BOX, "box 0 4 0 1", "sobolev 1"), ALWAYS | TANGENT, NO_POINTS | ENDS),
    "Dirichlet box, L2": (in_space(*BOX, "box 0 4 0 1 dirichlet", "l2"), ALWAYS | TANGENT, NO_POINTS | ENDS),
    "Dirichlet box, H^1": (
        in_space(*BOX, "box 0 4 0 1 dirichlet", "sobolev 1"),
        ALWAYS,
        NO_POINTS
        | ENDS
        | dict.fromkeys([*TANGENT, "natural-gradient-is-projection"], "do not vanish at the ends"),
    ),
    "box, H^1.5": (
        in_space(*BOX, "box 0 4 0 1", "sobolev 1.5"),
        ALWAYS | AMBIENT,
        ENDS
        | NO_MODES
        | {"gtk-extends": "in L2 and H", "natural-gradient-is-projection": "eigenfunctions only"},
    ),
    "box, H^1.5, even": (
        in_space(*BOX[:2], EVEN, "box 0 4 0 1", "sobolev 1.5"),
        ALWAYS | AMBIENT | TANGENT | PROJECTED,
        {"gtk-extends": "in L2 and H"} | ENDS,
    ),
    "torus, L2": (in_space(*TURN, "torus 2", "l2"), ALWAYS | TANGENT | LIMIT, NO_POINTS),
    "torus, H^1.5": (
        in_space(*TURN, "torus 2", "sobolev 1.5"),
        ALWAYS | AMBIENT | TANGENT | PROJECTED | LIMIT,
        {"evaluation-representer": "intervals and circles"},
    ),
    "torus, H^2, short": (
        in_space(*TURN, "torus 2", "sobolev 2 length 0.5"),
        ALWAYS | AMBIENT | TANGENT | PROJECTED | LIMIT,
        {},
    ),
    "sphere, H^1.5": (
        on_the_sphere(),
        ALWAYS | AMBIENT | TANGENT | PROJECTED | LIMIT,
        {"gtk-extends": "not the unit sphere"},
    ),
    "torus of dimension 3, H^2": (
        in_space((0, 0, 0), (6.28, 6.28, 6.28), "a*exp(b*sin(x))*cos(z) + c*cos(w)", "torus 3", "sobolev 2"),
        ALWAYS | AMBIENT | TANGENT | PROJECTED | LIMIT,
        {"sobolev-kernel": "checked in the plane"},
    ),
    "plane, H^1.5": (
        in_space(*BOX[:2], "a*exp(-b*x**2 - z**2) + c", "euclidean 2", "sobolev 1.5"),
        dict.fromkeys(["evaluation-threshold", "derivative-threshold", "trace-threshold"], "consistent")
        | {"sobolev-kernel": "exact"},
        {"no-l2-gradient": "not Euclidean space", "ntk-gradient": "not Euclidean space"},
    ),
}


@pytest.mark.parametrize("name", IN_SPACE)
def test_in_space_theorems_are_checked_where_they_hold_and_say_why_not_elsewhere(name):
    problem, expected, reasons = IN_SPACE[name]
    found = statuses(read_problem(**problem)[1])
    expected = {id: status for id, status in expected.items() if id not in reasons}
    assert {id: found[id] for id in expected} == expected
    for id, reason in reasons.items():
        assert reason in found[id], f"{id}: {found[id]}"
    for id in set(IDS) - set(expected) - set(reasons):
        assert found[id] not in STATUSES, f"{id}: {found[id]}"


def test_data_whose_points_nearly_coincide_in_the_plane_is_told():
    problem = in_space(*TURN, "torus 2", "sobolev 1.5")
    for column in "xz":
        problem["data"][column][0] = problem["data"][column][1] + 1e-3
    found = statuses(
        read_problem(**problem)[1], ["riesz-representation", "no-l2-gradient", "pullback-metric"]
    )
    assert "nearly coincide" in found["riesz-representation"]
    assert "nearly coincide" in found["no-l2-gradient"]
    assert found["pullback-metric"] == "exact"


def test_a_toml_file_of_a_problem_in_the_plane_is_checked(tmp_path, capsys):
    columns = in_space(*TURN, "torus 2", "sobolev 1.5")["data"]
    data = "\n".join(f"{name} = {values}" for name, values in columns.items())
    path = tmp_path / "plane.toml"
    path.write_text(
        f'model = "{TURN[2]}"\ndomain = "torus 2"\nmetric = "sobolev 1.5"\n'
        f"[parameters]\na = 2\nb = 0.7\nc = 0.3\n[data]\n{data}\n"
    )
    assert cli.main(["verify", "natural-gradient-is-projection", "--problem", str(path)]) == cli.EXIT_OK
    assert "EXACT" in capsys.readouterr().out


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
        (TOML.replace("a = 2", 'a = "two"'), "parameter 'a' must be a number; got 'two'"),
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


# --- problems at the edge: nothing true is refuted, and what cannot be seen is told --------------------

WAVE = {"model": "a*sin(x) + b*cos(x)", "parameters": "a=2, b=0.7", "domain": "circle"}
LINE = {"model": "a*exp(-b*x) + c", "parameters": "a=2, b=0.7, c=0.1", "domain": "interval 0 4"}
RATIONAL = {"model": "(a + b*x)/(1 + c*x**2)", "parameters": "a=1, b=2, c=3", "domain": "interval -1 1"}
POLE = {"model": "a/(1 + c*x**2)", "parameters": "a=1, c=400", "domain": "interval -1 1"}
EDGES = {
    "a micrometre": {
        "model": "a*exp(-b*x) + c",
        "parameters": "a=2, b=7e5, c=0.1",
        "domain": "interval 0 4e-6",
        "metric": "sobolev 1 length 1e-6",
        "data": {"x": (1e-6 * np.array(X)).tolist(), "y": DATA["y"]},
    },
    "a thousand kilometres": {
        "model": "a*sin(1e-6*x)",
        "parameters": "a=1.3",
        "domain": "circle 6.283185307179586e6",
        "metric": "sobolev 0.75 length 1e6",
        "data": {"x": (1e6 * np.array(X)).tolist(), "y": DATA["y"]},
    },
    "a rational function": {**RATIONAL, "data": {"x": np.linspace(-0.86, 0.84, 9), "y": DATA["y"]}},
    "a length scale of 25 domains": {**LINE, "metric": "sobolev 1 length 100"},
    "a length scale of 1/400": {**LINE, "metric": "sobolev 1 length 0.01"},
    "the order of a slope that is constant": {**WAVE, "metric": "sobolev 0.5"},
    "an order just above n/2": {**WAVE, "metric": "sobolev 0.51"},
    "an order just above n/2, with ends": {**LINE, "metric": "sobolev 0.51"},
    "order 3": {**WAVE, "metric": "sobolev 3"},
    "order 20": {**WAVE, "metric": "sobolev 20"},
    "a logistic loss": {**WAVE, "loss": "logistic"},
    "a Poisson loss": {**WAVE, "loss": "poisson"},
    "a steep Huber loss": {**WAVE, "loss": "pseudo-huber 1e-8"},
    "targets of 1e10": {**LINE, "data": {"x": X, "y": [1e10 * y for y in DATA["y"]]}},
    "misfits that cancel": {**WAVE, "parameters": "a=0, b=0", "data": {"x": [1.0, 1.0], "y": [1.0, -1.0]}},
    "data where functions vanish": {
        "model": "a*x*(1 - x) + b*x**2*(1 - x)",
        "parameters": "a=1, b=1",
        "domain": "interval 0 1 dirichlet",
        "data": {"x": [0.0, 1.0], "y": [1.0, 2.0]},
    },
    "a pole": {"model": "a/x + b", "parameters": "a=1, b=2", "domain": "circle"},
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.filterwarnings("error")
def test_at_the_edges_nothing_is_refuted(name):
    found = statuses(read_problem(**{**PROBLEM, **EDGES[name]})[1])
    assert not {"refuted", "control-undetected"} & set(found.values()), found


@pytest.mark.parametrize(
    ("name", "theorem", "said"),
    [
        ("order 20", "natural-gradient-is-projection", "multiplies rounding"),
        ("order 3", "riesz-representation", "take s up to 2.75"),
        ("an order just above n/2", "riesz-isometry", "take a Sobolev order from 0.7"),
        ("misfits that cancel", "no-l2-gradient", "misfits at equal points cancel"),
        ("data where functions vanish", "riesz-isometry", "every gradient are zero"),
        ("a pole", "no-l2-gradient", "the model's value is inf"),
        ("a rational function", "natural-gradient-is-projection", "exact"),
        ("a micrometre", "reparametrisation-invariance", "exact"),
        ("a thousand kilometres", "l2-limit", "consistent"),
        ("the order of a slope that is constant", "derivative-threshold", "consistent"),
        ("an order just above n/2", "sobolev-kernel", "exact"),
        ("a logistic loss", "gtk-extends", "exact"),
    ],
)
def test_at_the_edges_what_is_said_is_right(name, theorem, said):
    verdict = fg.verify(theorem, read_problem(**{**PROBLEM, **EDGES[name]})[1])
    assert said in (verdict.status if verdict.cases else verdict.skipped[0][1])


@pytest.mark.parametrize("length", ["1e-6", "1e6"])
def test_a_length_scale_far_from_the_domain_is_refused_with_the_ones_that_do(length):
    own = read_problem(**{**PROBLEM, **WAVE, "metric": f"sobolev 1 length {length}"})[1]
    for id in ("riesz-representation", "evaluation-threshold", "sobolev-kernel", "energy-decay"):
        assert "take one from 0.0015 to 6.3e+03" in fg.verify(id, own).skipped[0][1]


def test_the_sharpest_rational_function_is_resolved_by_the_reference_too():
    own = read_problem(**{**PROBLEM, **POLE, "data": EDGES["a rational function"]["data"]})[1]
    for id in ("tangent-gradient-exists", "energy-decay", "fisher-is-l2"):
        assert fg.verify(id, own).holds, id


def test_at_a_minimum_what_is_about_the_loss_is_told_and_the_rest_is_checked():
    line = fg.models.Polynomial(2)
    x = np.linspace(0.1, 0.9, 9)
    theta = np.linalg.lstsq(line.jacobian(np.zeros(3), x), np.array(DATA["y"]), rcond=None)[0]
    loss = fg.EmpiricalLoss(x, DATA["y"])
    found = statuses(theorems.Problem(line, theta, loss, fg.Interval(0, 1), fg.Sobolev(1.0)))
    assert found["pullback-metric"] == found["gtk-is-reproducing"] == found["tangent-kernel-is-projected"]
    for id in ("natural-gradient-is-projection", "energy-decay", "ntk-gradient", "gtk-extends"):
        assert "stationary point of the loss" in found[id]


@pytest.mark.parametrize(
    "weights", [[0, 1, 0, 1, 1, 0, 0, 1, 1], 9 * [1e-12], 9 * [1e12], [1e-12, 1e12, 1] * 3]
)
def test_weights_of_the_data_are_those_of_every_reference(weights):
    loss = fg.EmpiricalLoss(np.linspace(0.1, 0.9, 9), DATA["y"], weights=weights)
    own = theorems.Problem(fg.models.Polynomial(2), [0.0, 1.0, 0.3], loss, fg.Interval(0, 1), fg.Sobolev(1.0))
    found = statuses(own)
    assert {found["gtk-extends"], found["natural-gradient-is-projection"]} == {"exact"}
    assert found["ntk-gradient"] == "exact"  # of a linear model and a quadratic loss
    nothing = fg.EmpiricalLoss(loss.x, loss.y, weights=np.zeros(9))
    own = theorems.Problem(own.model, own.theta, nothing, own.domain, own.metric)
    assert "every weight of the loss is zero" in statuses(own)["riesz-isometry"]


def test_weights_and_losses_of_several_outputs_are_those_of_the_reference():
    model = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x)*x + b"], "x", "a b c")
    x = np.linspace(0.3, 3.7, 6)
    y = np.column_stack([x > 1, x < 3]).astype(float)
    for name in ("logistic", "cross-entropy"):
        targets = y / y.sum(axis=1, keepdims=True)
        loss = fg.EmpiricalLoss(x, targets, name, weights=np.arange(1.0, 7.0))
        own = theorems.Problem(model, [1.0, 0.5, 0.3], loss, fg.Interval(0, 4), fg.Sobolev(1.0))
        assert fg.verify("vector-valued", own).status == "exact"


def test_axes_of_a_box_may_have_their_own_conditions():
    waves = "a*sin({k}*pi*x)*cos(pi*z) + b*sin(2*pi*x)"
    x, z = scattered((0, 0), (1, 1))
    for conditions, k in (("dirichlet neumann", 1), ("periodic neumann", 2)):
        for metric in ("sobolev 1", "sobolev 1.5"):
            own = read_problem(
                model=waves.format(k=k),
                parameters="a=1, b=2",
                domain=f"box 0 1 0 1 {conditions}",
                metric=metric,
                data={"x": x, "z": z, "y": DATA["y"]},
            )[1]
            found = statuses(
                own, ["pullback-metric", "gtk-extends", "no-l2-gradient", "riesz-representation"]
            )
            assert found["pullback-metric"] == "exact"
            assert found["no-l2-gradient"] == "consistent"
            assert found["gtk-extends"] == "exact" or metric == "sobolev 1.5"


def test_boxes_of_any_unit_tell_points_apart():
    x, z = scattered((0, 0), (1e-6, 2e-6))
    own = read_problem(
        model="a*sin(1e6*x) + 1e6*b*z + c",
        parameters="a=1, b=2, c=0.3",
        domain="box 0 1e-6 0 2e-6",
        metric="sobolev 1 length 1e-6",
        data={"x": x, "z": z, "y": DATA["y"]},
    )[1]
    found = statuses(own, ["no-l2-gradient", "reparametrisation-invariance"])
    assert found == {"no-l2-gradient": "consistent", "reparametrisation-invariance": "exact"}


def test_a_short_length_scale_on_the_sphere_takes_no_dense_transform():
    own = read_problem(**{**on_the_sphere(), "metric": "sobolev 2 length 0.1"})[1]
    for id in ("riesz-representation", "riesz-isometry"):
        assert "take a larger length scale" in fg.verify(id, own).skipped[0][1]


def test_where_a_false_statement_is_true_as_well_the_verdict_is_open():
    """A constant has the same natural gradient in every H^s."""
    loss = fg.EmpiricalLoss(X, DATA["y"])
    own = theorems.Problem(fg.models.Polynomial(0), [2.0], loss, fg.Circle(5.0), fg.Sobolev(1.0))
    verdict = fg.verify("l2-limit", own)
    assert verdict.status == "inconclusive"
    assert "does not tell them apart" in verdict.cases[0].series.judgement.message


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parameters": {"a": True, "b": 1.0, "c": 1.0}}, "parameter 'a' must be a number; got True"),
        ({"parameters": {"a": "1", "b": 1.0, "c": 1.0}}, "parameter 'a' must be a number; got '1'"),
        ({"parameters": {}}, "`parameters` is empty"),
        ({"data": {"x": X, "y": [2e300, *DATA["y"][1:]]}}, "a target is 2e\\+300"),
        ({"domain": "circle 1e-300"}, "a side of the domain is 1e\\+300"),
        ({"domain": "interval -1e308 1e308"}, "take units"),
    ],
)
def test_numbers_that_are_none_and_powers_that_overflow_are_refused(changed, said):
    with pytest.raises(InvalidInput, match=said):
        read_problem(**{**PROBLEM, **changed})


def test_a_false_claim_about_ones_own_problem_is_refuted():
    """A Jacobian that is wrong by one per cent in one column."""

    class Wrong(fg.models.Polynomial):
        def _jacobian(self, theta, x, alpha):
            return super()._jacobian(theta, x, alpha) * [1.0, 1.01, 1.0]

    loss = fg.EmpiricalLoss(X, DATA["y"])
    for model, status in ((Wrong(2), "refuted"), (fg.models.Polynomial(2), "exact")):
        own = theorems.Problem(model, [0.1, 1.0, 0.3], loss, fg.Interval(0, 4), fg.Sobolev(1.0))
        assert fg.verify("ntk-gradient", own).status == status


def test_data_denser_than_grids_tell_apart_is_refused():
    x = np.sort(np.random.default_rng(0).uniform(0, 1, 3000))
    loss = fg.EmpiricalLoss(x, np.sin(np.arange(3000.0)))
    own = theorems.Problem(fg.models.Polynomial(2), [1.0, 1.0, 0.1], loss, fg.Interval(0, 1), fg.Sobolev(1.0))
    for id in ("riesz-representation", "riesz-isometry", "no-l2-gradient"):
        assert "many of the 3000 points" in fg.verify(id, own).skipped[0][1]
    assert "take up to 1024" in fg.verify("natural-gradient-is-projection", own).skipped[0][1]
    assert fg.verify("ntk-gradient", own).holds


def test_an_interval_far_from_zero_is_told_to_move():
    model = fg.models.Symbolic("a*sin(x - 1000000) + c", "x", "a c")
    loss = fg.EmpiricalLoss(1e6 + np.linspace(0.1, 0.9, 9), DATA["y"])
    own = theorems.Problem(model, [1.0, 0.1], loss, fg.Interval(1e6, 1e6 + 1), fg.Sobolev(1.0))
    for id in ("sobolev-kernel", "tangent-gradient-exists", "derivative-threshold"):
        assert "measure x from its start" in fg.verify(id, own).skipped[0][1]


def test_several_outputs_on_a_circle_are_compared_with_modes():
    model = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x) + b"], "x", "a b c")
    y = np.column_stack([DATA["y"], np.subtract(1.0, DATA["y"])])
    loss = fg.EmpiricalLoss(X, y, "poisson", weights=np.linspace(1, 2, 9))
    own = theorems.Problem(model, [1.0, 0.5, 0.3], loss, fg.Circle(2 * np.pi), fg.Sobolev(1.0))
    assert fg.verify("vector-valued", own).status == "exact"


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6, 1e-7])
def test_near_a_minimum_cancellation_refutes_nothing(distance):
    line, x = fg.models.Polynomial(2), np.linspace(0.1, 0.9, 9)
    best = np.linalg.lstsq(line.jacobian(np.zeros(3), x), np.array(DATA["y"]), rcond=None)[0]
    theta = best * (1 + distance * np.array([1, -1, 0.5]))
    own = theorems.Problem(line, theta, fg.EmpiricalLoss(x, DATA["y"]), fg.Interval(0, 1), fg.Sobolev(1.0))
    found = statuses(own)
    assert not {"refuted", "control-undetected"} & set(found.values()), found


def test_a_box_of_three_conditions_has_its_traces():
    columns = scattered((0, 0, 0), (1, 1, 1))
    own = read_problem(
        model="a*sin(pi*x)*cos(pi*z)*cos(2*pi*w) + b*sin(2*pi*x)",
        parameters="a=1, b=2",
        domain="box 0 1 0 1 0 1 dirichlet periodic neumann",
        metric="sobolev 2",
        data={**dict(zip("xwz", columns, strict=True)), "y": DATA["y"]},
    )[1]
    assert fg.verify("trace-threshold", own).status == "consistent"
