"""Numerical analysis in function space: gradients, when they exist, and natural gradients in any metric."""

import importlib
import sys

__version__ = "0.1.0"

# Public names and the modules that define them; each is imported on first use, so that
# `import funcgrad` stays light.
_EXPORTS = {
    **dict.fromkeys(
        (
            "Box",
            "Circle",
            "Domain",
            "Euclidean",
            "Function",
            "Grid",
            "Interval",
            "PointSet",
            "Sphere",
            "Torus",
            "surfaces",
        ),
        "funcgrad.spaces",
    ),
    **dict.fromkeys(
        ("L2", "RKHS", "Fisher", "FisherRao", "Metric", "Sobolev", "Wasserstein"), "funcgrad.metrics"
    ),
    **dict.fromkeys(
        (
            "Covector",
            "Density",
            "EmpiricalLoss",
            "Functional",
            "Integral",
            "LinearFunctional",
            "PointEvaluation",
            "PopulationLoss",
            "ResidualLoss",
            "SurfaceIntegral",
        ),
        "funcgrad.functionals",
    ),
    **dict.fromkeys(
        (
            "Existence",
            "compare_metrics",
            "descend",
            "flow",
            "gradient",
            "gradient_exists",
            "gram",
            "kernel_flow",
            "natural_gradient",
            "steepest_direction",
            "tangent_kernel",
        ),
        "funcgrad.gradients",
    ),
    **dict.fromkeys(("Verdict", "verify"), "funcgrad.theorems"),
    **dict.fromkeys(
        (
            "ContradictoryEvidence",
            "ConvergenceError",
            "DegenerateModelWarning",
            "DomainMismatch",
            "FuncgradError",
            "GradientDoesNotExist",
            "InvalidInput",
            "NotPositiveDefinite",
        ),
        "funcgrad.errors",
    ),
}

_SUBPACKAGES = (
    "functionals",
    "gradients",
    "kernels",
    "metrics",
    "models",
    "operators",
    "spaces",
    "testing",
    "theorems",
)

__all__ = ["__version__", *_EXPORTS, *_SUBPACKAGES]


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"funcgrad.{name}")
    # With the name and the module Python adds "Did you mean".
    raise AttributeError(f"module 'funcgrad' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__():
    return sorted(__all__)
