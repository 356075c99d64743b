"""Layer 3: covectors and functionals."""

from funcgrad.functionals.covector import Covector, Density, PointEvaluation, SurfaceIntegral
from funcgrad.functionals.functional import Functional, LinearFunctional, from_callable
from funcgrad.functionals.losses import EmpiricalLoss, PopulationLoss
from funcgrad.functionals.terms import Regularity

__all__ = [
    "Covector",
    "Density",
    "EmpiricalLoss",
    "Functional",
    "LinearFunctional",
    "PointEvaluation",
    "PopulationLoss",
    "Regularity",
    "SurfaceIntegral",
    "from_callable",
]
