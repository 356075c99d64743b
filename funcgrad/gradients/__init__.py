"""Layer 5: Riesz gradients, their existence, natural gradients and tangent kernels."""

from funcgrad.gradients.comparison import Comparison, compare_metrics
from funcgrad.gradients.descent import Descent, descend
from funcgrad.gradients.evidence import Evidence
from funcgrad.gradients.existence import Existence, gradient_exists
from funcgrad.gradients.flow import Flow, KernelFlow, flow, kernel_flow
from funcgrad.gradients.natural_gradient import NaturalGradient, gram, natural_gradient
from funcgrad.gradients.riesz import gradient, steepest_direction
from funcgrad.gradients.tangent_kernel import TangentKernel, tangent_kernel

__all__ = [
    "Comparison",
    "Descent",
    "Evidence",
    "Existence",
    "Flow",
    "KernelFlow",
    "NaturalGradient",
    "TangentKernel",
    "compare_metrics",
    "descend",
    "flow",
    "gradient",
    "gradient_exists",
    "gram",
    "kernel_flow",
    "natural_gradient",
    "steepest_direction",
    "tangent_kernel",
]
