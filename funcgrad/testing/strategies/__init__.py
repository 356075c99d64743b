"""Hypothesis strategies for the objects of funcgrad, drawn by construction and shrinking to simple ones.

Importing this module registers settings profiles without a deadline, since a first call may compile:
"funcgrad", "funcgrad-ci" (the same examples every time) and "funcgrad-thorough" (200 of them).
`hypothesis_setup` registers the types, so that ``st.from_type(fg.Domain)`` works; installed, the package
does that through hypothesis' entry point. All arguments are keyword-only, and inner strategies can be
replaced. `BREAKABLE` names the hypotheses that `broken_problems` breaks.
"""

from hypothesis import settings

from funcgrad.testing.hypothesis_types import hypothesis_setup
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
