"""Hypothesis strategies for the objects of funcgrad, drawn by construction and shrinking to simple ones.

Importing this module registers settings profiles without a deadline, since a first call may compile:
"funcgrad", "funcgrad-ci" (the same examples every time) and "funcgrad-thorough" (200 of them).
`hypothesis_setup` registers the types, so that ``st.from_type(fg.Domain)`` works; installed, the package
does that through hypothesis' entry point. All arguments are keyword-only, and inner strategies can be
replaced. `BREAKABLE` names the hypotheses that `broken_problems` breaks.
"""

from hypothesis import settings

from funcgrad.testing.strategies.functionals import covectors, functionals
from funcgrad.testing.strategies.kernels import kernels, matrix_kernels
from funcgrad.testing.strategies.metrics import DrawnField, metric_fields, metrics
from funcgrad.testing.strategies.models import DrawnModel, models
from funcgrad.testing.strategies.operators import DrawnOperator, operators
from funcgrad.testing.strategies.problems import BREAKABLE, DrawnProblem, broken_problems, problems
from funcgrad.testing.strategies.spaces import domains, functions, grids

__all__ = [
    "BREAKABLE",
    "DrawnField",
    "DrawnModel",
    "DrawnOperator",
    "DrawnProblem",
    "broken_problems",
    "covectors",
    "domains",
    "functionals",
    "functions",
    "grids",
    "hypothesis_setup",
    "kernels",
    "matrix_kernels",
    "metric_fields",
    "metrics",
    "models",
    "operators",
    "problems",
]

settings.register_profile("funcgrad", deadline=None)
settings.register_profile("funcgrad-ci", deadline=None, derandomize=True)
settings.register_profile("funcgrad-thorough", deadline=None, max_examples=200)


def hypothesis_setup():
    """Register the strategies of funcgrad's types with hypothesis; its entry point calls this.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from hypothesis import find, strategies as st
    >>> from funcgrad.testing import strategies
    >>> strategies.hypothesis_setup()
    >>> find(st.from_type(fg.Metric), lambda metric: True)
    L2(measure=None)
    """
    from hypothesis import strategies as st

    from funcgrad.functionals import Covector, Functional
    from funcgrad.kernels import Kernel, MatrixValuedKernel
    from funcgrad.metrics import Metric, MetricField
    from funcgrad.models.base import Model
    from funcgrad.spaces import Domain, Function, Grid

    for kind, strategy in (
        (Covector, covectors()),
        (Domain, domains()),
        (Function, functions()),
        (Functional, functionals()),
        (Grid, grids()),
        (Kernel, kernels()),
        (MatrixValuedKernel, matrix_kernels()),
        (Metric, metrics()),
        (MetricField, metric_fields().map(lambda drawn: drawn.field)),
        (Model, models().map(lambda drawn: drawn.model)),
    ):
        st.register_type_strategy(kind, strategy)
