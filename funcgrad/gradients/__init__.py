"""Layer 5: Riesz gradients, their existence, natural gradients and tangent kernels."""

from funcgrad.gradients.existence import Evidence, Existence, gradient_exists
from funcgrad.gradients.natural_gradient import NaturalGradient, gram, natural_gradient
from funcgrad.gradients.riesz import gradient

__all__ = [
    "Evidence",
    "Existence",
    "NaturalGradient",
    "gradient",
    "gradient_exists",
    "gram",
    "natural_gradient",
]
