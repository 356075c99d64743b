"""Layer of funcgrad: parametrised functions with exact Jacobians and spatial derivatives."""

import importlib

# Each is imported on first use, so that `import funcgrad.models` does not import sympy.
_EXPORTS = {
    "Linear": "funcgrad.models.linear",
    "Model": "funcgrad.models.base",
    "Polynomial": "funcgrad.models.polynomial",
    "Symbolic": "funcgrad.models.symbolic",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'funcgrad.models' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
