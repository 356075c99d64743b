"""The command line: funcgrad verify, list, show, exists."""

import argparse
import shlex
import sys

import funcgrad
from funcgrad.errors import FuncgradError

EXIT_OK, EXIT_REFUTED, EXIT_USAGE, EXIT_INCONCLUSIVE = 0, 1, 2, 3

_PROBLEM_OPTIONS = ("model", "parameters", "data", "domain", "metric")


def main(arguments=None):
    """Run the command line and return the exit code.

    0: all hold; 1: something is refuted or a control undetected; 2: wrong usage; 3: inconclusive or
    vacuous.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(arguments)
    try:
        return options.run(options, arguments)
    except FuncgradError as error:
        print(f"funcgrad: error: {error}", file=sys.stderr)
        return EXIT_USAGE


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
        description="Verify theorems of the catalogue, all of them by default. With the five options of your "
        "own problem, every theorem that applies to it is checked instead, and why others do not is said.",
    )
    verify.add_argument("ids", nargs="*", metavar="ID", help="theorems; see `funcgrad list`")
    verify.add_argument("--json", metavar="FILE", help="write the report as JSON")
    verify.add_argument("--seed", type=int, default=0, help="seed of drawn instances (default 0)")
    own = verify.add_argument_group("your own problem")
    own.add_argument("--model", metavar="FORMULA", help='e.g. "b1*(1-exp(-b2*x))"')
    own.add_argument("--parameters", metavar="VALUES", help='e.g. "b1=238.9, b2=5.5e-4"')
    own.add_argument("--data", metavar="FILE", help="table of x and y")
    own.add_argument(
        "--domain", metavar="DOMAIN", help='"interval A B [neumann|dirichlet]" or "circle LENGTH"'
    )
    own.add_argument("--metric", metavar="METRIC", help='"l2" or "sobolev ORDER [length SCALE]"')
    verify.set_defaults(run=_verify)

    listing = commands.add_parser("list", help="list the theorems of the catalogue")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="show a theorem: statement, hypotheses, controls, source")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=_show)

    exists = commands.add_parser("exists", help="say whether a gradient exists, with evidence")
    exists.add_argument("--covector", required=True, help='e.g. "point 0.3 derivative 1", "line", "sphere"')
    exists.add_argument("--domain", required=True, help='e.g. "circle 1" or "interval 0 1 dirichlet"')
    exists.add_argument("--metric", required=True, help='e.g. "l2", "sobolev 0.75", "rkhs matern 1.5"')
    exists.add_argument("--plot", metavar="FILE", help="draw the dual norm against the cut-off")
    exists.set_defaults(run=_exists)
    return parser


def _problem(options):
    from funcgrad.errors import InvalidInput
    from funcgrad.specifications import problem_from

    texts = {name: getattr(options, name) for name in _PROBLEM_OPTIONS}
    if all(text is None for text in texts.values()):
        return None
    missing = [f"--{name}" for name, text in texts.items() if text is None]
    if missing:
        raise InvalidInput(f"a problem of your own needs all of its options; missing: {', '.join(missing)}.")
    return problem_from(**texts)


def _verify(options, arguments):
    from rich.console import Console

    from funcgrad.report.terminal import print_summary, print_verdict
    from funcgrad.theorems.registry import catalogue
    from funcgrad.theorems.runner import find, verify

    problem = _problem(options)
    ids = [find(id).id for id in options.ids] or [theorem.id for theorem in catalogue()]
    command = shlex.join(["funcgrad", *arguments])
    report = open_report(options.json)
    verdicts = []
    with report as file, _progress() as progress:
        task = progress.add_task("verifying", total=len(ids))
        for id in ids:
            progress.update(task, description=id)
            verdicts.append(verify(id, problem, options.seed))
            progress.advance(task)
        if file is not None:
            from funcgrad.report.json import report_json

            file.write(report_json(verdicts, command) + "\n")
    console = Console(highlight=False, soft_wrap=False)
    for verdict in verdicts:
        print_verdict(verdict, console, details=len(ids) == 1)
    print_summary(verdicts, console)
    console.print(f"reproduce: {command}", markup=False, soft_wrap=True)
    return exit_code(verdicts, own_problem=problem is not None)


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
