"""Layer 3: covectors and functionals."""

from funcgrad.functionals.covector import Covector, Density, PointEvaluation, SurfaceIntegral
from funcgrad.functionals.functional import Functional, LinearFunctional, SecondVariation, from_callable
from funcgrad.functionals.integrals import Integral, ResidualLoss
from funcgrad.functionals.losses import EmpiricalLoss, PopulationLoss
from funcgrad.functionals.pointwise_losses import (
    CrossEntropy,
    Logistic,
    PointwiseLoss,
    Poisson,
    PseudoHuber,
    Squared,
    UserLoss,
)
from funcgrad.functionals.terms import Regularity

__all__ = [
    "Covector",
    "CrossEntropy",
    "Density",
    "EmpiricalLoss",
    "Functional",
    "Integral",
    "LinearFunctional",
    "Logistic",
    "PointEvaluation",
    "PointwiseLoss",
    "Poisson",
    "PopulationLoss",
    "PseudoHuber",
    "Regularity",
    "ResidualLoss",
    "SecondVariation",
    "Squared",
    "SurfaceIntegral",
    "UserLoss",
    "from_callable",
]
