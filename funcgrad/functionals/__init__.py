"""Layer 3: covectors and functionals."""

from funcgrad.functionals.covector import Covector, Density, PointEvaluation, Regularity
from funcgrad.functionals.functional import (
    EmpiricalLoss,
    Functional,
    LinearFunctional,
    PopulationLoss,
    from_callable,
)

__all__ = [
    "Covector",
    "Density",
    "EmpiricalLoss",
    "Functional",
    "LinearFunctional",
    "PointEvaluation",
    "PopulationLoss",
    "Regularity",
    "from_callable",
]
