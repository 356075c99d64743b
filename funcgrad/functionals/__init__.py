"""Layer 3: covectors and functionals."""

from funcgrad.functionals.covector import Covector, Density, PointEvaluation, Regularity
from funcgrad.functionals.functional import Functional, LinearFunctional, from_callable
from funcgrad.functionals.losses import EmpiricalLoss, PopulationLoss

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
