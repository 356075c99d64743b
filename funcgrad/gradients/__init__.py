"""Layer 5: Riesz gradients, their existence, natural gradients and tangent kernels."""

from funcgrad.gradients.descent import Descent, descend
from funcgrad.gradients.evidence import Evidence
from funcgrad.gradients.existence import Existence, gradient_exists
from funcgrad.gradients.natural_gradient import NaturalGradient, gram, natural_gradient
from funcgrad.gradients.riesz import gradient
from funcgrad.gradients.tangent_kernel import TangentKernel, tangent_kernel

__all__ = [
    "Descent",
    "Evidence",
    "Existence",
    "NaturalGradient",
    "TangentKernel",
    "descend",
    "gradient",
    "gradient_exists",
    "gram",
    "natural_gradient",
    "tangent_kernel",
]
