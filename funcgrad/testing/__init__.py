"""Layer 7: conformance checks of users' own objects, and hypothesis strategies for them.

The checks need neither pytest nor hypothesis; only `strategies` imports hypothesis.
"""

import importlib

_EXPORTS = {
    "Check": "funcgrad.testing.conformance",
    "CheckResult": "funcgrad.testing.conformance",
    "ConformanceError": "funcgrad.testing.conformance",
    "ConformanceWarning": "funcgrad.testing.conformance",
    "Trial": "funcgrad.testing.conformance",
    "check_all": "funcgrad.testing.suites",
    "check_compiled": "funcgrad.testing.suites",
    "check_domain": "funcgrad.testing.domain_checks",
    "check_functional": "funcgrad.testing.functional_checks",
    "check_gradient": "funcgrad.testing.gradient_checks",
    "check_kernel": "funcgrad.testing.kernel_checks",
    "check_metric": "funcgrad.testing.metric_checks",
    "check_model": "funcgrad.testing.model_checks",
    "check_operator": "funcgrad.testing.operator_checks",
    "parametrize_with_checks": "funcgrad.testing.suites",
}

__all__ = sorted([*_EXPORTS, "strategies"])


def __getattr__(name):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    if name == "strategies":
        return importlib.import_module("funcgrad.testing.strategies")
    raise AttributeError(f"module 'funcgrad.testing' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
