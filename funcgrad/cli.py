"""The command line: funcgrad verify, list, show, exists, compare, replay, audit."""

import argparse
import os
import shlex
import sys

import funcgrad
from funcgrad.errors import FuncgradError

EXIT_OK, EXIT_REFUTED, EXIT_USAGE, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

_PROBLEM_OPTIONS = ("model", "parameters", "data", "domain", "metric", "loss")


def main(arguments=None):
    """Run the command line and return the exit code.

    0: all hold; 1: something is refuted or a control undetected; 2: wrong usage; 3: inconclusive or
    vacuous; 130: interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(arguments)
    try:
        return options.run(options, arguments)
    except FuncgradError as error:
        print(f"funcgrad: error: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("funcgrad: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


def _parser():
    parser = argparse.ArgumentParser(
        prog="funcgrad",
        description="Gradients in function space: verify theorems about them, test whether one exists.",
    )
    parser.add_argument("--version", action="version", version=f"funcgrad {funcgrad.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    verify = commands.add_parser(
        "verify",
        help="verify theorems, on built-in instances or on your own model and data",
        description="Verify theorems of the catalogue, all of them by default. With the options of your "
        "own problem, every theorem that applies to it is checked instead, and why others do not is said.",
    )
    verify.add_argument("ids", nargs="*", metavar="ID", help="theorems; see `funcgrad list`")
    verify.add_argument("--json", metavar="FILE", help="write the report as JSON")
    verify.add_argument("--html", metavar="FILE", help="write the report as one HTML page")
    verify.add_argument("--seed", type=int, default=0, help="seed of drawn instances (default 0)")
    verify.add_argument(
        "--budget", choices=("quick", "full"), default="quick", help="full: one level and two draws more"
    )
    verify.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    own = verify.add_argument_group("your own problem")
    own.add_argument("--problem", metavar="FILE", help="TOML file of all these; they go before it")
    own.add_argument("--model", metavar="FORMULA", help='e.g. "b1*(1-exp(-b2*x))"')
    own.add_argument("--parameters", metavar="VALUES", help='e.g. "b1=238.9, b2=5.5e-4"')
    own.add_argument("--data", metavar="FILE", help="table of x and y")
    own.add_argument(
        "--domain", metavar="DOMAIN", help='e.g. "interval 0 1 dirichlet", "circle 6.28", "box 0 1 0 2"'
    )
    own.add_argument("--metric", metavar="METRIC", help='"l2" or "sobolev ORDER [length SCALE]"')
    own.add_argument(
        "--loss", metavar="LOSS", help='"squared" (default), "pseudo-huber [SCALE]", "logistic", "poisson"'
    )
    verify.set_defaults(run=_verify)

    listing = commands.add_parser("list", help="list the theorems of the catalogue")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="show a theorem: statement, hypotheses, controls, source")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=_show)

    replay = commands.add_parser(
        "replay",
        help="check a JSON report: compute one level of each theorem again",
        description="Compute the coarsest level of each theorem's first instance again, from the recorded "
        "seed or problem, and compare the residuals up to rounding. Exit code 1 if one differs.",
    )
    replay.add_argument("report", metavar="REPORT", help="written by `funcgrad verify --json`")
    replay.set_defaults(run=_replay)

    compare = commands.add_parser(
        "compare",
        help="say what changed between two JSON reports",
        description="Say which statuses, orders, residuals and controls changed. Exit code 1 if a theorem "
        "that held no longer does, or a control that was detected no longer is.",
    )
    compare.add_argument("before", metavar="BEFORE")
    compare.add_argument("after", metavar="AFTER")
    compare.set_defaults(run=_compare)

    audit = commands.add_parser(
        "audit",
        help="break the library on purpose and see which theorems notice",
        description="Put faults into the library, one at a time, and say which theorems notice each. Exit "
        "code 1 if one goes unnoticed.",
    )
    audit.add_argument("faults", nargs="*", metavar="FAULT", help="faults by name, all by default")
    audit.add_argument("--quick", action="store_true", help="stop at the first instance that notices")
    audit.add_argument("--seed", type=int, default=0, help="seed of drawn instances (default 0)")
    audit.set_defaults(run=_audit)

    exists = commands.add_parser("exists", help="say whether a gradient exists, with evidence")
    exists.add_argument(
        "--covector",
        required=True,
        help='e.g. "point 0.3 derivative 1", "line density 1+x", "density exp(-x)"',
    )
    exists.add_argument("--domain", required=True, help='e.g. "circle 1" or "interval 0 1 dirichlet"')
    exists.add_argument("--metric", required=True, help='e.g. "l2", "sobolev 0.75", "rkhs matern 1.5"')
    exists.add_argument("--plot", metavar="FILE", help="draw the dual norm against the cut-off")
    exists.set_defaults(run=_exists)
    return parser


def _verify(options, arguments):
    _use_one_blas_thread()
    from rich.console import Console

    from funcgrad.report.terminal import print_report
    from funcgrad.theorems.registry import catalogue
    from funcgrad.theorems.runner import find

    text, problem = _problem(options)
    ids = list(dict.fromkeys(find(id).id for id in options.ids)) or [theorem.id for theorem in catalogue()]
    with open_report(options.json) as json_file, open_report(options.html) as html_file:
        report = _run(ids, text, problem, options, shlex.join(["funcgrad", *arguments]))
        if json_file is not None:
            from funcgrad.report.json import report_json

            json_file.write(report_json(report) + "\n")
        if html_file is not None:
            from funcgrad.report.html import report_html

            html_file.write(report_html(report))
    print_report(report, Console(highlight=False, soft_wrap=False))
    if report.unchecked:
        return EXIT_INTERRUPTED
    return exit_code(report.verdicts, own_problem=problem is not None)


def _use_one_blas_thread():
    """Split sums in one way only, so that figures do not depend on the number of processors or processes.

    That is read when numpy is imported: where it is imported already, it is the caller's affair.
    """
    from funcgrad.theorems.provenance import THREAD_VARIABLES

    if "numpy" not in sys.modules:
        for name in THREAD_VARIABLES:
            os.environ.setdefault(name, "1")


def _problem(options):
    """Return the user's problem as a `ProblemText` and as a `theorems.Problem`, or None and None."""
    texts = {name: getattr(options, name) for name in _PROBLEM_OPTIONS}
    if options.problem is None and all(text is None for text in texts.values()):
        return None, None
    from funcgrad.problems import read_problem

    return read_problem(options.problem, **texts)


def _run(ids, text, problem, options, command):
    """Return the `Report` on theorems; an interrupt leaves those that are done."""
    from funcgrad.report.record import Report
    from funcgrad.theorems.workers import verify_all

    found = {}
    verdicts = verify_all(ids, problem, options.seed, options.budget, options.jobs)
    with _progress() as progress:
        task = progress.add_task(f"verifying {len(ids)} theorems", total=len(ids))
        try:
            for verdict in verdicts:
                found[verdict.id] = verdict
                progress.update(task, description=verdict.id, advance=1)
        except KeyboardInterrupt:
            print("interrupted: the report is on what was checked so far", file=sys.stderr)
    return Report(
        command,
        options.seed,
        options.budget,
        tuple(found[id] for id in ids if id in found),
        tuple(id for id in ids if id not in found),
        None if text is None else text.as_dict(),
    )


def exit_code(verdicts, own_problem=False):
    """Return the exit code of a run; on a problem of one's own, theorems that do not apply do not count."""
    answers = [v.holds for v in verdicts if not (own_problem and v.status == "vacuous")]
    if False in answers:
        return EXIT_REFUTED
    return EXIT_INCONCLUSIVE if None in answers or not answers else EXIT_OK


def open_report(path):
    """Open the report file before the work starts, so that a bad path is told at once; None gives None."""
    from contextlib import nullcontext

    from funcgrad.errors import InvalidInput

    if path is None:
        return nullcontext()
    try:
        return open(path, "w", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}.") from error


def _progress():
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _replay(options, arguments):
    _use_one_blas_thread()
    from funcgrad.report.json import read_report
    from funcgrad.report.replay import differences, replay

    report = read_report(options.report)
    different = 0
    for line in differences(report):
        print(f"another platform: {line}")
    for replayed in replay(report):
        different += not replayed.agrees
        print(f"{'✓' if replayed.agrees else '✗'} {replayed}")
    print(f"{different} of the replayed residuals differ" if different else "every replayed residual agrees")
    return EXIT_REFUTED if different else EXIT_OK


def _compare(options, arguments):
    from funcgrad.report.compare import compare
    from funcgrad.report.json import read_report

    changes = compare(read_report(options.before), read_report(options.after))
    for change in changes:
        print(change)
    worse = sum(change.worse for change in changes)
    print(f"{len(changes)} change{'' if len(changes) == 1 else 's'}, {worse} for the worse")
    return EXIT_REFUTED if worse else EXIT_OK


def _audit(options, arguments):
    _use_one_blas_thread()
    import warnings

    from funcgrad.errors import DegenerateModelWarning
    from funcgrad.theorems.audit import audit

    found = []
    with warnings.catch_warnings():
        # What a broken library warns of is no news.
        warnings.simplefilter("ignore", DegenerateModelWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        for finding in audit(options.faults, options.quick, options.seed):
            found.append(finding)
            print(finding, flush=True)
    caught = sum(finding.caught for finding in found)
    print(f"{caught} of {len(found)} faults caught")
    return EXIT_OK if caught == len(found) else EXIT_REFUTED


def _list(options, arguments):
    from funcgrad.theorems.registry import catalogue

    for theorem in catalogue():
        print(f"{theorem.id:32} {theorem.statement}")
    return EXIT_OK


def _show(options, arguments):
    from funcgrad.theorems.runner import find

    theorem = find(options.id)
    print(theorem.id)
    print(f"  statement:  {theorem.statement}")
    print(f"  formula:    {theorem.latex}")
    print(f"  source:     {theorem.source}")
    for hypothesis in theorem.hypotheses:
        print(f"  hypothesis: {hypothesis.name}")
    for control in theorem.controls:
        print(f"  control:    {control.name} (breaks: {control.breaks})")
    print(f"  verify it:  funcgrad verify {theorem.id}")
    return EXIT_OK


def _exists(options, arguments):
    from funcgrad.gradients import gradient_exists
    from funcgrad.specifications import covector_from, domain_from, metric_from

    domain, metric = domain_from(options.domain), metric_from(options.metric)
    existence = gradient_exists(covector_from(options.covector, domain), metric, domain)
    print(existence)
    if options.plot is not None:
        from funcgrad.plots import save

        save(existence, options.plot)
        print(f"  figure: {options.plot}")
    return EXIT_OK
