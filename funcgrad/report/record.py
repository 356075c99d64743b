"""What a run found, in the one record that terminal, JSON and HTML show."""

from collections import Counter
from dataclasses import dataclass

from funcgrad.theorems.provenance import provenance

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """The verdicts of one run.

    Attributes
    ----------
    command : str
        What repeats the run.
    seed : int
    budget : str
    verdicts : tuple of Verdict
    unchecked : tuple of str
        The theorems that an interrupt left unchecked.
    problem : dict, optional
        The user's own problem, as plain data (`funcgrad.problems.ProblemText`).
    """

    command: str
    seed: int
    budget: str
    verdicts: tuple
    unchecked: tuple[str, ...] = ()
    problem: dict | None = None

    @property
    def summary(self):
        """The line of counts: theorems by status, instances, controls.

        Examples
        --------
        >>> Report("funcgrad verify", 0, "quick", ()).summary
        '0 theorems; 0 instances; 0 of 0 controls detected'
        """
        counts = Counter(verdict.shown_status for verdict in self.verdicts)
        cases = [case for verdict in self.verdicts for case in verdict.cases]
        controls = [control.detected for case in cases for control in case.controls]
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        return (
            f"{len(self.verdicts)} theorems{': ' if statuses else ''}{statuses}; {len(cases)} instances; "
            f"{sum(controls)} of {len(controls)} controls detected"
        )

    def as_dict(self):
        """Return the report as plain data, as report.schema.json describes it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "seed": self.seed,
            "budget": self.budget,
            "complete": not self.unchecked,
            "unchecked": list(self.unchecked),
            "summary": self.summary,
            "problem": self.problem,
            "provenance": provenance(),
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
        }
