"""Checking a report: one level of each theorem is computed again from the recorded seed."""

import math
from dataclasses import dataclass, replace

from funcgrad.problems import ProblemText
from funcgrad.theorems.provenance import provenance
from funcgrad.theorems.runner import find, instances

# Rounding is not the same on another processor or with another BLAS: residuals near their floors are
# compared by it, others by the floor and this fraction of themselves.
RELATIVE = 1e-6


@dataclass(frozen=True)
class Replayed:
    """One level computed again.

    Attributes
    ----------
    id, label : str
    level : object
    recorded, found, tolerance : float
    reason : str
        Why it could not be computed again; empty if it was.
    """

    id: str
    label: str
    level: object
    recorded: float
    found: float = math.nan
    tolerance: float = 0.0
    reason: str = ""

    @property
    def agrees(self):
        """Whether the residual is the recorded one up to rounding."""
        return not self.reason and abs(self.found - self.recorded) <= self.tolerance

    def __str__(self):
        where = f"{self.id}, {self.label}, level {self.level}"
        if self.reason:
            return f"{where}: {self.reason}"
        return f"{where}: {self.found:.6e}, recorded {self.recorded:.6e} (may differ by {self.tolerance:.1e})"


def replay(report):
    """Yield a `Replayed` for each theorem of a report (plain data) with instances: its first, coarsest level.

    Raises
    ------
    InvalidInput
        If the report has a theorem that this catalogue does not.
    """
    problem = None
    if report["problem"] is not None:
        text = report["problem"]
        problem = ProblemText(**{**text, "inputs": tuple(text["inputs"])}).problem()
    for verdict in report["verdicts"]:
        if verdict["instances"]:
            yield _replayed(verdict, verdict["instances"][0], problem)


def _replayed(verdict, case, problem):
    theorem, recorded = find(verdict["id"]), case["levels"][0]
    blank = Replayed(theorem.id, case["label"], recorded["level"], float(recorded["residual"]))
    chosen = (case["draw"], case["index"], case["label"])
    for draw, index, instance in instances(theorem, problem, verdict["seed"], verdict["budget"], []):
        if (draw, index, instance.label) == chosen:
            residual = theorem.residual(instance, recorded["level"])
            # Both were rounded, and each may be off by its floor.
            tolerance = residual.floor + float(recorded["floor"]) + RELATIVE * blank.recorded
            return replace(blank, found=residual.scaled, tolerance=tolerance)
    return replace(blank, reason="this version of the catalogue has no such instance")


def differences(report):
    """Return lines that say in which versions and machine this run differs from the recorded one."""
    now = provenance()
    recorded = report["provenance"]
    return [
        f"{key}: {recorded.get(key, 'unknown')} then, {now.get(key, 'unknown')} now"
        for key in dict.fromkeys([*recorded, *now])
        if recorded.get(key) != now.get(key)
    ]
