"""The command line: the main job, the user's own problem, exit codes, one clear line for each error."""

import json
import subprocess
import sys

import pytest

from funcgrad import cli
from funcgrad.theorems.registry import catalogue

MISRA = {
    "--model": "b1*(1-exp(-b2*x))",
    "--parameters": "b1=238.9, b2=5.5e-4",
    "--data": "examples/misra1a.csv",
    "--domain": "interval 70 770",
    "--metric": "sobolev 1",
}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


def words(**changed):
    options = {**MISRA, **{f"--{name}": value for name, value in changed.items()}}
    return ["verify", *(word for pair in options.items() if pair[1] is not None for word in pair)]


def run(capsys, *arguments):
    code = cli.main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_verify_one_theorem_prints_its_levels_and_writes_json(capsys, tmp_path):
    report = tmp_path / "report.json"
    code, out, _ = run(capsys, "verify", "no-l2-gradient", "--json", str(report), "--seed", "4")
    assert code == cli.EXIT_OK
    assert "no-l2-gradient  CONSISTENT" in out
    assert "unknowns" in out
    assert f"reproduce: funcgrad verify no-l2-gradient --json {report} --seed 4" in out
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("reproduce"))
    data = json.loads(report.read_text())
    assert data["schema_version"] == 1
    assert (data["complete"], data["problem"]) == (True, None)
    assert data["verdicts"][0]["seed"] == 4


def test_verify_on_ones_own_problem(capsys):
    code, out, _ = run(capsys, *words())
    assert code == cli.EXIT_OK, out
    out = " ".join(out.split())
    assert "29 theorems" in out
    assert "sobolev-gradient-smooths DOES NOT APPLY" in out
    assert "no L2 gradient to smooth" in out
    assert "30 of 30 controls detected" in out
    assert "10 not applicable" in out


def test_list_and_show(capsys):
    code, out, _ = run(capsys, "list")
    assert code == cli.EXIT_OK
    assert [line.split()[0] for line in out.splitlines()] == [theorem.id for theorem in catalogue()]
    for theorem in catalogue():
        code, out, _ = run(capsys, "show", theorem.id)
        assert code == cli.EXIT_OK
        assert theorem.statement in out
        assert out.count("control:") == len(theorem.controls)


def test_exists_answers_with_evidence_and_a_figure(capsys, tmp_path):
    figure = tmp_path / "figure.png"
    command = ["exists", "--covector", "point", "--domain", "circle 1", "--metric"]
    code, out, _ = run(capsys, *command, "l2", "--plot", str(figure))
    assert code == cli.EXIT_OK
    assert "does not exist in L2" in out
    assert figure.read_bytes()[:4] == b"\x89PNG"
    _, out, _ = run(capsys, *command, "sobolev 0.75")
    assert "exists in H^0.75" in out


EXISTS = [
    ("point derivative 2", "torus 2", "sobolev 3.5", "exists in H^3.5"),
    ("line", "box 0 1 0 2", "sobolev 0.5", "does not exist in H^0.5"),
    ("line 0 0 to 1 1 derivative 1", "euclidean 2", "sobolev 1.75", "exists in H^1.75"),
    ("sphere 3 3 radius 2", "torus 2", "l2", "does not exist in L2"),
    ("sphere radius 0.7 derivative 1", "sphere", "sobolev 2", "exists in H^2"),
    ("point derivative 1", "interval 0 1", "rkhs matern 0.5 length 0.3", "does not exist in the RKHS"),
    ("point", "interval 0 1", "rkhs gaussian", "exists in the RKHS"),
    ("density exp(sin(x))", "circle", "l2", "exists in L2"),
    ("density x*(1 - x) derivative 1", "interval 0 1 dirichlet", "sobolev 1", "exists in H^1"),
    ("density abs(x - 3)/(x - 3)", "circle", "sobolev -0.75", "does not exist in H^-0.75"),
    ("density sin(x)*cos(y) derivative 0 1", "torus 2", "sobolev 1", "exists in H^1"),
    ("line density 1 + x*y", "box 0 1 0 2", "sobolev 0.75", "exists in H^0.75"),
    ("sphere 3 3 radius 2 density exp(x)", "torus 2", "l2", "does not exist in L2"),
    ("sphere derivative 1 density 2 + z", "sphere", "sobolev 2", "exists in H^2"),
]


@pytest.mark.parametrize(("covector", "domain", "metric", "answer"), EXISTS)
def test_exists_in_words(capsys, covector, domain, metric, answer):
    code, out, err = run(capsys, "exists", "--covector", covector, "--domain", domain, "--metric", metric)
    assert code == cli.EXIT_OK, err
    assert answer in out
    assert "predicted exponent" in out


def test_a_plane_in_space(capsys):
    code, out, _ = run(
        capsys, "exists", "--covector", "plane", "--domain", "torus 3", "--metric", "sobolev 0.6"
    )
    assert code == cli.EXIT_OK
    assert "(codimension k = 1)" in out


def test_python_m_funcgrad_is_the_same_command():
    result = subprocess.run(
        [sys.executable, "-m", "funcgrad", "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("funcgrad ")


def test_exit_codes_of_verdicts():
    class Fake:
        def __init__(self, holds, status):
            self.holds, self.status = holds, status

    holds, refuted = Fake(True, "exact"), Fake(False, "refuted")
    unclear, vacuous = Fake(None, "inconclusive"), Fake(None, "vacuous")
    assert cli.exit_code([holds]) == 0
    assert cli.exit_code([holds, refuted, unclear]) == 1
    assert cli.exit_code([holds, unclear]) == 3
    assert cli.exit_code([holds, vacuous]) == 3
    assert cli.exit_code([holds, vacuous], own_problem=True) == 0
    assert cli.exit_code([vacuous], own_problem=True) == 3


BAD_DATA = {
    "empty": ("", "is empty"),
    "text": ("x,y\n80,1\n90,two\n100,3\n", "line 3"),
    "nan": ("x,y\n80,1\n90,nan\n", "line 3"),
    "short row": ("x,y\n80,1\n90\n", "line 3"),
    "outside": ("x,y\n80,1\n790,2\n", "790"),
    "too few": ("x,y\n80,1\n", "1 point(s) for 2 parameters"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_gets_one_line_and_exit_code_2(capsys, tmp_path, case):
    text, message = BAD_DATA[case]
    path = tmp_path / "data.csv"
    path.write_text(text)
    check_error(run(capsys, *words(data=str(path))), message)


def check_error(result, message):
    code, out, err = result
    assert code == cli.EXIT_USAGE
    assert out == ""
    assert err.startswith("funcgrad: error: ")
    assert err.count("\n") == 1
    assert message in err


BAD_WORDS = [
    (words(data="no/such/file.csv"), "no/such/file.csv"),
    (words(data=None), "missing: --data"),
    (words(domain="interval 770 70"), "`a` < `b`"),
    (words(domain="intervall 70 770"), "did you mean 'interval'"),
    (words(domain="interval 70"), "write it as: interval A B"),
    (words(domain="interval 70 770 neuman"), "did you mean 'neumann'"),
    (words(domain="interval 70 high"), "'high' in"),
    (words(metric="sobolew 1"), "did you mean 'sobolev'"),
    (words(metric="sobolev"), "write it as: sobolev ORDER"),
    (words(metric=""), "the metric is empty"),
    (words(parameters="b1=238.9, b3=5.5e-4"), "did you mean 'b2'"),
    (words(parameters="b1=238.9"), "besides its parameters"),
    (words(parameters="b1=238.9, b2=many"), "many"),
    (words(model="b1*(1-exq(-b2*x))"), "did you mean 'exp'"),
    (words(model="__import__('os').system('true')"), "`expression` has"),
    (words(model="(" * 5000 + "x" + ")" * 5000), ""),
    (words(model="b1*b2*x" + "+x" * 10**6), ""),
    (["verify", "riesz-representtion"], "did you mean 'riesz-representation'"),
    (["show", "ntk"], "unknown theorem 'ntk'"),
    (["verify", "no-l2-gradient", "--seed", "-1"], "`seed` must be at least 0"),
    (["verify", "no-l2-gradient", "--json", "no/such/folder/report.json"], "cannot write"),
    (["exists", "--covector", "pint", "--domain", "circle 1", "--metric", "l2"], "did you mean 'point'"),
    (["exists", "--covector", "point 2", "--domain", "interval 0 1", "--metric", "l2"], "outside"),
    (["exists", "--covector", "point derivative x", "--domain", "circle 1", "--metric", "l2"], "write it as"),
    (["exists", "--covector", "line", "--domain", "circle 1", "--metric", "l2"], "write it as: line"),
    (["exists", "--covector", "line 0 to 1", "--domain", "torus 2", "--metric", "l2"], "write it as: line"),
    (["exists", "--covector", "plane", "--domain", "torus 2", "--metric", "l2"], "write it as: plane"),
    (["exists", "--covector", "sphere radius", "--domain", "torus 2", "--metric", "l2"], "not a number"),
    (["exists", "--covector", "sphere derivative", "--domain", "torus 2", "--metric", "l2"], "write it as"),
    (["exists", "--covector", "point", "--domain", "circle 1", "--metric", "rkhs mattern 1"], "write it as"),
    (["exists", "--covector", "density", "--domain", "circle 1", "--metric", "l2"], "write it as: density"),
    (["exists", "--covector", "density u", "--domain", "circle 1", "--metric", "l2"], "unknown name `u`"),
    (["exists", "--covector", "density x", "--domain", "euclidean 1", "--metric", "l2"], "take a box"),
    (
        ["exists", "--covector", "point density x", "--domain", "circle 1", "--metric", "l2"],
        "write it as: point",
    ),
    (["exists", "--covector", "line density", "--domain", "torus 2", "--metric", "l2"], "is empty"),
    (["exists", "--covector", "point", "--domain", "circle 0", "--metric", "l2"], "must be positive"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_WORDS)
def test_bad_words_get_one_line_and_exit_code_2(capsys, arguments, message):
    check_error(run(capsys, *arguments), message)


def test_unknown_options_exit_with_2(capsys):
    for arguments in (["verify", "--nope"], [], ["verifi"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == cli.EXIT_USAGE
        capsys.readouterr()


def test_an_interrupt_leaves_a_partial_report(capsys, tmp_path, monkeypatch):
    """The first theorem is checked, the second is interrupted, the third is not begun."""
    from funcgrad.theorems import workers

    checked = workers.verify

    def interrupted(id, *rest):
        if id == "ntk-gradient":
            raise KeyboardInterrupt
        return checked(id, *rest)

    monkeypatch.setattr(workers, "verify", interrupted)
    json_file, html_file = tmp_path / "report.json", tmp_path / "report.html"
    ids = ["no-l2-gradient", "ntk-gradient", "mesh-independence"]
    code, out, err = run(capsys, "verify", *ids, "--json", str(json_file), "--html", str(html_file))
    assert code == cli.EXIT_INTERRUPTED == 130
    assert "interrupted" in err
    assert "Interrupted: 2 not checked:\n  ntk-gradient, mesh-independence" in out
    assert "1 theorems: 1 consistent" in out
    data = json.loads(json_file.read_text())
    assert (data["complete"], data["unchecked"]) == (False, ids[1:])
    assert [verdict["id"] for verdict in data["verdicts"]] == ids[:1]
    assert "<strong>Interrupted.</strong> 2 theorems were not checked" in html_file.read_text()


def test_an_interrupt_from_the_keyboard_ends_all_processes():
    """A real signal to a real process group, wherever it comes: exit code 130 and no traceback."""
    import os
    import signal

    command = [sys.executable, "-m", "funcgrad", "verify", "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        process.communicate(timeout=4)
        pytest.fail("all theorems within four seconds")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == cli.EXIT_INTERRUPTED
    assert "Traceback" not in err
    assert "interrupted" in err
    assert "reproduce: funcgrad verify --jobs 2" in out


def test_a_toml_file_and_the_budget_from_the_command_line(capsys, tmp_path):
    path = tmp_path / "problem.toml"
    data = "\n".join(f"{x} {x / 10}" for x in range(1, 9))
    (tmp_path / "data.txt").write_text(data)
    path.write_text(
        'model = "a*x + b"\nparameters = "a=1, b=0.5"\ndata = "data.txt"\n'
        'domain = "interval 0 9"\nmetric = "l2"\n'
    )
    report = tmp_path / "report.json"
    command = ["verify", "tangent-gradient-exists", "--problem", str(path), "--loss", "pseudo-huber 2"]
    code, out, err = run(capsys, *command, "--budget", "full", "--json", str(report))
    assert code == cli.EXIT_OK, out + err
    written = json.loads(report.read_text())
    assert written["problem"]["loss"] == "pseudo-huber 2"
    assert written["problem"]["parameters"] == {"a": 1.0, "b": 0.5}
    assert len(written["verdicts"][0]["instances"][0]["levels"]) == 4  # three, and one more


def test_replay_and_compare_from_the_command_line(capsys, tmp_path):
    reports = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for path, seed in zip(reports, ("0", "0"), strict=True):
        run(capsys, "verify", "no-l2-gradient", "ntk-gradient", "--json", path, "--seed", seed)
    code, out, _ = run(capsys, "replay", reports[0])
    assert code == cli.EXIT_OK
    assert out.endswith("every replayed residual agrees\n")
    code, out, _ = run(capsys, "compare", *reports)
    assert (code, out) == (cli.EXIT_OK, "0 changes, 0 for the worse\n")
    worse = json.loads((tmp_path / "b.json").read_text())
    worse["verdicts"][0].update(status="refuted", shown_status="refuted", holds=False)
    worse["verdicts"][1]["instances"][0]["levels"][0]["residual"] *= 3
    (tmp_path / "b.json").write_text(json.dumps(worse))
    code, out, _ = run(capsys, "compare", *reports)
    assert code == cli.EXIT_REFUTED
    assert "no-l2-gradient: status: consistent -> refuted\n" in out
    code, out, _ = run(capsys, "replay", reports[1])
    assert code == cli.EXIT_REFUTED
    assert "1 of the replayed residuals differ" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is not JSON"), ("[]", "is not a report"), ('{"schema_version": 99}', "version 99 of the schema")],
)
def test_files_that_are_no_reports_are_told(capsys, tmp_path, text, message):
    path = tmp_path / "report.json"
    path.write_text(text)
    check_error(run(capsys, "replay", str(path)), message)
    check_error(run(capsys, "compare", str(path), str(path)), message)
    check_error(run(capsys, "replay", str(tmp_path / "none.json")), "cannot read")
