"""Layer of funcgrad: parametrised functions with exact Jacobians and spatial derivatives."""

import importlib

# Each is imported on first use, so that `import funcgrad.models` does not import sympy.
_EXPORTS = {
    "Fourier": "funcgrad.models.linear",
    "GaussianMixture": "funcgrad.models.gaussian_mixture",
    "Linear": "funcgrad.models.linear",
    "MLP": "funcgrad.models.mlp",
    "Model": "funcgrad.models.base",
    "Polynomial": "funcgrad.models.polynomial",
    "RadialBasis": "funcgrad.models.radial_basis",
    "Rational": "funcgrad.models.rational",
    "Symbolic": "funcgrad.models.symbolic",
    "compose": "funcgrad.models.composition",
    "from_callable": "funcgrad.models.callables",
    "multiply": "funcgrad.models.product",
    "stack": "funcgrad.models.composition",
}

__all__ = sorted([*_EXPORTS, "bases"])


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    if name == "bases":
        return importlib.import_module("funcgrad.models.bases")
    raise AttributeError(f"module 'funcgrad.models' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
