"""The directives `{verdict} ID` and `{verdicts}`: theorems, verified while the page is built.

`{verdict}` inserts the statement, what the check found on each instance, a figure, and the source of the
residual. `{verdicts}` inserts a table of all theorems. Nothing that they show is written by hand, and a
theorem that does not hold, or that no page shows, is a warning: the build fails.
"""

import functools
import inspect
from pathlib import Path

from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from funcgrad.plots import save
from funcgrad.report.terminal import _mark
from funcgrad.theorems import catalogue, verify

log = logging.getLogger(__name__)
FIGURES = "generated"


@functools.cache
def checked(id):
    """Return the verdict on a theorem, computed once a build."""
    return verify(id)


class Verdict(SphinxDirective):
    """``{verdict} ID``: one theorem."""

    required_arguments = 1

    def run(self):
        """Return the nodes of the theorem's statement, verdict, figure and code."""
        id = self.arguments[0]
        theorem = next((theorem for theorem in catalogue() if theorem.id == id), None)
        if theorem is None:
            raise self.error(f"the catalogue has no theorem {id!r}")
        found = checked(id)
        if not found.holds:
            log.warning("%s is %s", id, found.status, location=self.get_location())
        save(found, Path(self.env.srcdir, FIGURES, f"{id}.png"))
        shown_in(self.env)[id] = self.env.docname
        return self.parse_text_to_nodes(theorem_page(theorem, found))


class Verdicts(SphinxDirective):
    """``{verdicts}``: a table of all theorems, each with a link to its page."""

    def run(self):
        """Return the nodes of the table."""
        rows = ["| theorem | says | verdict | instances | controls detected |", "|---|---|---|---|---|"]
        for theorem in catalogue():
            found = checked(theorem.id)
            controls = [control for case in found.cases for control in case.controls]
            rows.append(
                f"| [](#{theorem.id}) | {_escaped(theorem.statement)} | {found.status} | {len(found.cases)} "
                f"| {sum(control.detected for control in controls)} of {len(controls)} |"
            )
        return self.parse_text_to_nodes("\n".join(rows))


def theorem_page(theorem, found):
    """Return a theorem and its verdict as Markdown."""
    return "\n\n".join(
        [
            f"> {_escaped(theorem.statement)}",
            f"```{{math}}\n{theorem.latex}\n```",
            _hypotheses(theorem, found),
            _table(found),
            f"```{{image}} /{FIGURES}/{theorem.id}.png\n:alt: residuals of {theorem.id}\n```",
            f"To run it: `funcgrad verify {theorem.id}`. Source: {theorem.source}.",
            _code(theorem),
        ]
    )


def _hypotheses(theorem, found):
    if not theorem.hypotheses:
        return f"Hypotheses: none. Verdict: **{found.status}**."
    names = "; ".join(_escaped(hypothesis.name) for hypothesis in theorem.hypotheses)
    return f"Hypotheses: {names}. Verdict: **{found.status}**."


def _table(found):
    rows = ["| instance | found | controls detected |", "|---|---|---|"]
    for case in found.cases:
        detected = sum(control.detected for control in case.controls)
        rows.append(
            f"| {_mark(case.status)} {_escaped(case.label)} | {_escaped(case.series.judgement.message)} "
            f"| {detected} of {len(case.controls)} |"
        )
    controls = {control.name: None for case in found.cases for control in case.controls}
    return "\n".join(rows) + "\n\nControls: " + "; ".join(_escaped(name) for name in controls) + "."


def _code(theorem):
    """The residual's source, in a part of the page that is folded."""
    source = inspect.getsource(theorem.residual).rstrip()
    where = theorem.residual.__module__
    summary = f"The code of its residual, in <code>{where}</code>"
    return f"<details><summary>{summary}</summary>\n\n```python\n{source}\n```\n\n</details>"


def _escaped(text):
    """Return a text with the characters that Markdown reads escaped."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>#|$" else c for c in text)


def shown_in(env):
    """Return where each theorem is shown, {id: docname}."""
    if not hasattr(env, "funcgrad_theorems"):
        env.funcgrad_theorems = {}
    return env.funcgrad_theorems


def _every_theorem_is_shown(app, env):
    for theorem in catalogue():
        if theorem.id not in shown_in(env):
            log.warning("no page of docs/theory shows the theorem %s: add `{verdict} %s`", *2 * [theorem.id])


def setup(app):
    """Register the directives."""
    Path(app.srcdir, FIGURES).mkdir(exist_ok=True)
    app.add_directive("verdict", Verdict)
    app.add_directive("verdicts", Verdicts)
    app.connect("env-check-consistency", _every_theorem_is_shown)
    return {"env_version": 1}
