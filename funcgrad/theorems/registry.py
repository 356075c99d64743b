"""The catalogue of theorems."""

from funcgrad.theorems.descents import ENERGY_DECAY, MESH_INDEPENDENCE
from funcgrad.theorems.existence import DERIVATIVE_THRESHOLD, EVALUATION_THRESHOLD, NO_L2_GRADIENT
from funcgrad.theorems.extensions import GTK_EXTENDS
from funcgrad.theorems.fisher import FISHER_IS_L2
from funcgrad.theorems.kernels import EVALUATION_REPRESENTER, SOBOLEV_KERNEL
from funcgrad.theorems.kronecker import KRONECKER_EXACTNESS
from funcgrad.theorems.limits import INFINITE_WIDTH, SAMPLE_CONSISTENCY
from funcgrad.theorems.natural_gradients import NATURAL_GRADIENT_IS_PROJECTION, TANGENT_GRADIENT_EXISTS
from funcgrad.theorems.pullbacks import (
    DEGENERATE_MODEL,
    KERNEL_QUADRATURE_METRIC,
    PULLBACK_METRIC,
    REPARAMETRISATION_INVARIANCE,
)
from funcgrad.theorems.riesz import RIESZ_REPRESENTATION, SOBOLEV_GRADIENT_SMOOTHS
from funcgrad.theorems.scales import L2_LIMIT, RIESZ_ISOMETRY, SOBOLEV_SCALE
from funcgrad.theorems.tangent_kernels import NTK_GRADIENT
from funcgrad.theorems.tangent_spaces import (
    GTK_IS_REPRODUCING,
    NTK_IS_REPRODUCING,
    TANGENT_KERNEL_IS_PROJECTED,
)
from funcgrad.theorems.traces import TRACE_THRESHOLD
from funcgrad.theorems.vector_valued import VECTOR_VALUED


def catalogue():
    """Return all theorems, in the order of the report.

    Examples
    --------
    >>> from funcgrad import theorems
    >>> [theorem.id for theorem in theorems.catalogue()][:2]
    ['riesz-representation', 'riesz-isometry']
    """
    return (
        RIESZ_REPRESENTATION,
        RIESZ_ISOMETRY,
        EVALUATION_THRESHOLD,
        DERIVATIVE_THRESHOLD,
        TRACE_THRESHOLD,
        NO_L2_GRADIENT,
        SOBOLEV_GRADIENT_SMOOTHS,
        SOBOLEV_SCALE,
        EVALUATION_REPRESENTER,
        SOBOLEV_KERNEL,
        PULLBACK_METRIC,
        NATURAL_GRADIENT_IS_PROJECTION,
        TANGENT_GRADIENT_EXISTS,
        REPARAMETRISATION_INVARIANCE,
        DEGENERATE_MODEL,
        KERNEL_QUADRATURE_METRIC,
        L2_LIMIT,
        FISHER_IS_L2,
        ENERGY_DECAY,
        MESH_INDEPENDENCE,
        SAMPLE_CONSISTENCY,
        KRONECKER_EXACTNESS,
        NTK_GRADIENT,
        NTK_IS_REPRODUCING,
        GTK_IS_REPRODUCING,
        TANGENT_KERNEL_IS_PROJECTED,
        GTK_EXTENDS,
        VECTOR_VALUED,
        INFINITE_WIDTH,
    )
