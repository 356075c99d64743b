"""The result of checking a theorem."""

import json
from dataclasses import asdict, dataclass, field
from io import StringIO

from funcgrad.theorems.expectations import Judgement, local_orders
from funcgrad.theorems.record import Residual

# What the status of the parts makes of the whole: the first that occurs decides.
FAILED = ("refuted", "control-undetected")
_WORST_FIRST = (*FAILED, "inconclusive", "consistent", "exact")
_HOLDS = {"consistent": True, "exact": True, "inconclusive": None, "vacuous": None}


@dataclass(frozen=True)
class Series:
    """Residuals under refinement with the expectation and how they compare.

    Attributes
    ----------
    levels : tuple
        What the theorem's residual was given at each level; None for a closed form, which has no levels.
    expected_order : (float, float) or None
        The interval of the expected order, where one is expected.
    """

    residuals: tuple[Residual, ...]
    expectation: str
    judgement: Judgement
    levels: tuple
    expected_order: tuple[float, float] | None = None

    def as_dict(self):
        """Return the series as plain data."""
        orders = [None, *(None if order != order else order for order in local_orders(self.residuals))]
        levels = [
            {
                "level": level,
                "h": residual.h,
                "unknowns": residual.unknowns,
                "residual": residual.scaled,
                "floor": residual.floor,
                "local_order": order,
                "used": used,
            }
            for level, residual, order, used in zip(
                self.levels, self.residuals, orders, self.judgement.used, strict=True
            )
        ]
        judgement = {k: v for k, v in asdict(self.judgement).items() if k != "used"}
        return {
            "expectation": self.expectation,
            "expected_order": self.expected_order,
            **judgement,
            "levels": levels,
        }


@dataclass(frozen=True)
class ControlResult:
    """A negative control: detected iff the statement's expectation fails on it, and in the predicted way."""

    name: str
    breaks: str
    detected: bool
    series: Series


@dataclass(frozen=True)
class CaseResult:
    """One instance: hypotheses with margins, residuals, controls, and the closed form if there is one.

    Attributes
    ----------
    draw, index : int
        Which of the drawn lists of instances it is from, and its place there; the seed finds it again.
    """

    label: str
    margins: dict
    series: Series
    controls: tuple[ControlResult, ...]
    oracle: Series | None = None
    draw: int = 0
    index: int = 0

    @property
    def status(self):
        """The status of this instance."""
        if self.oracle is not None and not self.oracle.judgement.holds:
            return "refuted"
        if self.series.judgement.holds and not all(control.detected for control in self.controls):
            return "control-undetected"
        return self.series.judgement.status

    @property
    def fails(self):
        """Whether the statement does not hold here, or its check is blind."""
        return _HOLDS.get(self.status, False) is False


@dataclass(frozen=True)
class Verdict:
    """What `verify` found about one theorem.

    Attributes
    ----------
    id, statement, source : str
    status : str
        "consistent", "exact", "inconclusive", "vacuous", "control-undetected" or "refuted".
    cases : tuple of CaseResult
    skipped : tuple of (label, reason)
        Instances that do not meet the hypotheses.
    error : str
        The message of an exception that ended the check, if one did.
    seed : int
    budget : str
        "quick" or "full".

    Examples
    --------
    >>> import funcgrad as fg
    >>> verdict = fg.verify("no-l2-gradient")
    >>> verdict.status, verdict.holds, all(c.detected for case in verdict.cases for c in case.controls)
    ('consistent', True, True)
    """

    id: str
    statement: str
    latex: str
    source: str
    seed: int
    budget: str = "quick"
    cases: tuple[CaseResult, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    error: str = ""
    provenance: dict = field(default_factory=dict)

    @property
    def status(self):
        """The worst status of the instances; "vacuous" without any."""
        if self.error:
            return "refuted"
        statuses = {case.status for case in self.cases}
        return next((status for status in _WORST_FIRST if status in statuses), "vacuous")

    @property
    def holds(self):
        """True, False, or None where nothing can be said."""
        return _HOLDS.get(self.status, False)

    @property
    def shown_status(self):
        """The status, or "not applicable" where the statement says nothing about the user's problem."""
        return self.status if self.cases or self.error or not self.skipped else "not applicable"

    def as_dict(self):
        """Return the verdict as plain data (see `to_json`)."""
        return {
            "id": self.id,
            "statement": self.statement,
            "latex": self.latex,
            "source": self.source,
            "status": self.status,
            "shown_status": self.shown_status,
            "holds": self.holds,
            "seed": self.seed,
            "budget": self.budget,
            "error": self.error,
            "instances": [
                {
                    "label": case.label,
                    "draw": case.draw,
                    "index": case.index,
                    "status": case.status,
                    "hypotheses": case.margins,
                    **case.series.as_dict(),
                    "oracle": case.oracle.as_dict() if case.oracle else None,
                    "controls": [
                        {"name": c.name, "breaks": c.breaks, "detected": c.detected, **c.series.as_dict()}
                        for c in case.controls
                    ],
                }
                for case in self.cases
            ],
            "does_not_apply": [{"label": label, "reason": reason} for label, reason in self.skipped],
            "provenance": self.provenance,
        }

    def to_json(self):
        """Return the verdict as a JSON text."""
        from funcgrad.report.json import plain

        return json.dumps(plain(self.as_dict()), indent=2, allow_nan=False)

    def __str__(self):
        from rich.console import Console

        from funcgrad.report.terminal import print_verdict

        console = Console(file=StringIO(), width=100, no_color=True)
        print_verdict(self, console)
        return console.file.getvalue().rstrip()

    def plot(self, ax=None):
        """Draw the residuals and the controls against h; return the matplotlib axes."""
        from funcgrad.plots.verdict import plot_verdict

        return plot_verdict(self, ax)
