"""Reports as JSON, by the schema in report.schema.json."""

import json
import math
from pathlib import Path

from funcgrad.errors import InvalidInput
from funcgrad.report.record import SCHEMA_VERSION

SCHEMA = Path(__file__).with_name("report.schema.json")


def plain(value):
    """Return nested data with numpy scalars as Python's, and infinities and NaN as texts (JSON has none)."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def report_json(report):
    """Return a `Report` as a JSON text.

    Examples
    --------
    >>> from funcgrad.report.record import Report
    >>> print(report_json(Report("funcgrad verify", 0, "quick", ())).splitlines()[1])
      "schema_version": 1,
    """
    return json.dumps(plain(report.as_dict()), indent=2, allow_nan=False)


def read_report(path):
    """Return the plain data of a report written by `funcgrad verify --json`.

    Raises
    ------
    InvalidInput
        In one line: a file that cannot be read, is no report, or has another version of the schema.
    """
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvalidInput(f"{path} is not JSON: {error}.") from error
    version = report.get("schema_version") if isinstance(report, dict) else None
    if version is None:
        raise InvalidInput(f"{path} is not a report of `funcgrad verify --json`.")
    if version != SCHEMA_VERSION:
        raise InvalidInput(
            f"{path} has version {version} of the schema, this funcgrad reads {SCHEMA_VERSION}; verify again."
        )
    return report
