"""Layer 5: Riesz gradients, their existence, natural gradients and tangent kernels."""

from funcgrad.gradients.evidence import Evidence
from funcgrad.gradients.existence import Existence, gradient_exists
from funcgrad.gradients.natural_gradient import NaturalGradient, gram, natural_gradient
from funcgrad.gradients.riesz import gradient, steepest_direction
from funcgrad.gradients.tangent_kernel import TangentKernel, tangent_kernel

__all__ = [
    "Evidence",
    "Existence",
    "NaturalGradient",
    "TangentKernel",
    "gradient",
    "gradient_exists",
    "gram",
    "natural_gradient",
    "steepest_direction",
    "tangent_kernel",
]
