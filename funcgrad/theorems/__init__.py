"""Layer 6: the catalogue of theorems and how each is checked."""

import importlib

# Each is imported on first use: the built-in instances have symbolic models, which import sympy.
_EXPORTS = {
    **dict.fromkeys(
        ("Exact", "Order", "Spectral", "Stagnant", "divergent"), "funcgrad.theorems.expectations"
    ),
    **dict.fromkeys(
        ("Control", "DoesNotApply", "Hypothesis", "Instance", "Problem", "Residual", "Theorem"),
        "funcgrad.theorems.record",
    ),
    "Verdict": "funcgrad.theorems.verdict",
    "catalogue": "funcgrad.theorems.registry",
    "verify": "funcgrad.theorems.runner",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'funcgrad.theorems' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
