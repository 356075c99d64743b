"""The mutation score of the catalogue: which theorems notice which faults."""

from dataclasses import dataclass

from funcgrad._checks import near_match
from funcgrad.errors import InvalidInput
from funcgrad.theorems.faults import FAULTS, Fault
from funcgrad.theorems.registry import catalogue
from funcgrad.theorems.runner import checked_cases, find


@dataclass(frozen=True)
class Finding:
    """What the catalogue made of a fault.

    Attributes
    ----------
    fault : Fault
    noticed : tuple of (id, status)
        The theorems that no longer hold with the fault in the library, with the status of the first of
        their instances that fails: refuted, or blind to a control.
    checked : int
        How many theorems were asked.
    """

    fault: Fault
    noticed: tuple[tuple[str, str], ...]
    checked: int

    @property
    def caught(self):
        """Whether a theorem noticed the fault."""
        return bool(self.noticed)

    def __str__(self):
        noticed = ", ".join(f"{id} ({status})" for id, status in self.noticed)
        if not noticed:
            noticed = f"none of {self.checked} theorems"
        return f"{'✓' if self.caught else '✗'} {self.fault.name}: {self.fault.what}\n  noticed by {noticed}"


def audit(names=(), quick=False, seed=0):
    """Yield the `Finding` on each fault, with all theorems or, if quick, up to the first that notices.

    Parameters
    ----------
    names : sequence of str
        The faults, all of them by default.
    quick : bool
        Whether to stop at the first instance of a theorem that notices, asking the likeliest theorems first.
    seed : int
        As for `verify`.

    Examples
    --------
    >>> [finding] = audit(["representer-sign"], quick=True)
    >>> finding.noticed
    (('riesz-representation', 'refuted'),)
    """
    return (inspect(fault, quick, seed) for fault in [find_fault(name) for name in names] or FAULTS)


def find_fault(name):
    """Return the fault of that name; raise `InvalidInput` with a near match if there is none."""
    faults = {fault.name: fault for fault in FAULTS}
    if name not in faults:
        raise InvalidInput(f"unknown fault {name!r}{near_match(name, faults)}")
    return faults[name]


def inspect(fault, quick=False, seed=0):
    """Return the `Finding` on one fault."""
    rest = [theorem.id for theorem in catalogue() if theorem.id not in fault.likely]
    noticed, checked = [], 0
    with fault.injected():
        for id in (*fault.likely, *rest):
            status = _first_failure(id, seed)
            checked += 1
            if status:
                noticed.append((id, status))
                if quick:
                    break
    return Finding(fault, tuple(noticed), checked)


def _first_failure(id, seed):
    """Return the status of the first instance that fails, else None: the rest cannot mend the verdict."""
    try:
        for case in checked_cases(find(id), None, seed, "quick", []):
            if case.fails:
                return case.status
    except Exception:  # a crash is a theorem's failure, as for `verify`
        return "refuted"
    return None
