"""Reports on a terminal, readable without colour and in 80 columns."""

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from funcgrad.theorems.expectations import local_orders

_STYLES = {True: "bold green", False: "bold red", None: "bold yellow"}


def print_verdict(verdict, console, details=True):
    """Print a verdict: statement, instances with their fits and controls; with details, every level."""
    status = "does not apply" if verdict.shown_status == "not applicable" else verdict.status
    console.print(Text.assemble((verdict.id, "bold"), "  ", (status.upper(), _STYLES[verdict.holds])))
    _print(console, 2, verdict.statement)
    if verdict.error:
        _print(console, 2, "ended by " + verdict.error)
    for case in verdict.cases:
        _print_case(case, console, details)
    for label, reason in verdict.skipped:
        _print(console, 2, f"- {label}: does not apply: {reason}")
    if details:
        _print(console, 2, "source: " + verdict.source)
        versions = ", ".join(f"{name} {version}" for name, version in verdict.provenance.items())
        _print(console, 2, f"seed {verdict.seed}; {versions}")
    console.print()


def _print(console, indent, text):
    """Print a text with every line indented, also where it wraps."""
    console.print(Padding(Text(text), (0, 0, 0, indent)))


def _print_case(case, console, details):
    found = sum(control.detected for control in case.controls)
    line = f"{_mark(case.status)} {case.label}: {case.series.judgement.message}"
    line += f"; controls {found}/{len(case.controls)}"
    if case.oracle is not None:
        line += "; closed form " + ("agrees" if case.oracle.judgement.holds else "DISAGREES")
    _print(console, 2, line)
    for control in case.controls:
        if details or not control.detected:
            found = "detected" if control.detected else "UNDETECTED"
            _print(console, 6, f"control {found}: {control.name} ({control.series.judgement.message})")
    if details:
        for name, margin in case.margins.items():
            _print(console, 6, f"hypothesis: {name} (margin {margin:.3g})")
        console.print(Padding(_level_table(case.series), (0, 0, 0, 6)))


def _level_table(series):
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("h", "unknowns", "residual", "floor", "order", "used"):
        table.add_column(heading, justify="right")
    orders = [None, *local_orders(series.residuals)]
    for residual, order, used in zip(series.residuals, orders, series.judgement.used, strict=True):
        table.add_row(
            f"{residual.h:.3e}",
            str(residual.unknowns),
            f"{residual.scaled:.2e}",
            f"{residual.floor:.1e}",
            "" if order is None or order != order else f"{order:.2f}",
            "yes" if used else "",
        )
    return table


def _mark(status):
    return {"consistent": "✓", "exact": "✓", "inconclusive": "?"}.get(status, "✗")


def print_report(report, console):
    """Print a report: every verdict, what was left unchecked, and the counts; every level of a single one."""
    for verdict in report.verdicts:
        print_verdict(verdict, console, details=len(report.verdicts) + len(report.unchecked) == 1)
    if report.unchecked:
        console.print(Text(f"Interrupted: {len(report.unchecked)} not checked:", "bold yellow"))
        _print(console, 2, ", ".join(report.unchecked))
    console.print(Text(report.summary))
    console.print(f"reproduce: {report.command}", markup=False, soft_wrap=True)
