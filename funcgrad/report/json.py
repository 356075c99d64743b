"""Reports as JSON."""

import json
import math

SCHEMA_VERSION = 1


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


def report_json(verdicts, command):
    """Return the report on several verdicts as a JSON text.

    Examples
    --------
    >>> print(report_json([], "funcgrad verify"))
    {
      "schema_version": 1,
      "command": "funcgrad verify",
      "verdicts": []
    }
    """
    report = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "verdicts": [verdict.as_dict() for verdict in verdicts],
    }
    return json.dumps(plain(report), indent=2, allow_nan=False)
