"""What changed between two reports."""

import math
from dataclasses import dataclass

# Fitted orders, and decimal logarithms of residuals, that differ by less are the same.
ORDER_TOLERANCE = 0.02
RESIDUAL_DECADES = 0.5


@dataclass(frozen=True)
class Change:
    """One difference: where, what, before and after; `worse` if a theorem held and no longer does."""

    where: str
    what: str
    before: str
    after: str
    worse: bool = False

    def __str__(self):
        return f"{self.where}: {self.what}: {self.before} -> {self.after}"


def compare(before, after):
    """Return the `Change`s from one report to another, both as plain data.

    Theorems and instances that only one of them has are changes; residuals count as changed where they
    differ by half a decade and are not both below their floors.

    Examples
    --------
    >>> compare({"verdicts": []}, {"verdicts": []})
    []
    """
    changes = []
    for id, old, new in _paired(before["verdicts"], after["verdicts"], "id"):
        if old is None or new is None:
            changes.append(Change(id, "theorem", *_presence(old, new)))
            continue
        if old["shown_status"] != new["shown_status"]:
            worse = old["holds"] is True and new["holds"] is not True
            changes.append(Change(id, "status", old["shown_status"], new["shown_status"], worse))
        for label, first, second in _paired(old["instances"], new["instances"], "draw", "index", "label"):
            where = f"{id}, {label[-1]}"
            if first is None or second is None:
                changes.append(Change(where, "instance", *_presence(first, second)))
            else:
                changes += _series_changes(where, first, second)
                changes += _control_changes(where, first["controls"], second["controls"])
    return changes


def _paired(old, new, *keys):
    """Yield (key, entry or None, entry or None) for the entries of two lists, in the order of the second."""

    def key(entry):
        return entry[keys[0]] if len(keys) == 1 else tuple(entry[k] for k in keys)

    first, second = ({key(entry): entry for entry in entries} for entries in (old, new))
    for name in dict.fromkeys([*second, *first]):
        yield name, first.get(name), second.get(name)


def _presence(old, new):
    return ("absent" if old is None else "present", "absent" if new is None else "present")


def _series_changes(where, old, new):
    if old["status"] != new["status"]:
        yield Change(where, "status", old["status"], new["status"])
    orders = old["order"], new["order"]
    if (orders[0] is None) != (orders[1] is None) or (
        None not in orders and abs(orders[0] - orders[1]) > ORDER_TOLERANCE
    ):
        yield Change(where, "fitted order", *(f"{o:.3f}" if o is not None else "none" for o in orders))
    for level, first, second in _paired(old["levels"], new["levels"], "level"):
        if first is None or second is None:
            yield Change(where, f"level {level}", *_presence(first, second))
            continue
        pair = [(entry["residual"], entry["floor"]) for entry in (first, second)]
        if all(isinstance(r, float | int) and r <= floor for r, floor in pair):
            continue
        sizes = [math.log10(r) if isinstance(r, float | int) and r > 0 else None for r, _ in pair]
        if None in sizes or abs(sizes[0] - sizes[1]) > RESIDUAL_DECADES:
            yield Change(where, f"residual at level {level}", *(_shown(r) for r, _ in pair))


def _control_changes(where, old, new):
    for name, first, second in _paired(old, new, "name"):
        if first is None or second is None:
            yield Change(where, f"control “{name}”", *_presence(first, second))
        elif first["detected"] != second["detected"]:
            found = ["detected" if entry["detected"] else "undetected" for entry in (first, second)]
            yield Change(where, f"control “{name}”", *found, worse=first["detected"])


def _shown(value):
    return f"{value:.2e}" if isinstance(value, float | int) else str(value)
