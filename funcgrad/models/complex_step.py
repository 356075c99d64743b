"""The complex step: derivatives of analytic functions without a difference, so without its error.

f(θ + ih e) = f + ih ∂f + O(h²), so Im f / h is ∂f to rounding for a tiny h (W. Squire and G. Trapp, *Using
complex variables to estimate derivatives of real functions*, 1998).
"""

import numpy as np

from funcgrad.errors import InvalidInput

STEP = 1e-100


def complex_step_jacobian(function, theta, name):
    """Return ∂f/∂θ, the parameters in the last axis, of an analytic function θ ↦ array."""
    columns = []
    for k in range(theta.size):
        shifted = theta.astype(complex)
        shifted[k] += 1j * STEP
        columns.append(complex_step_part(function(shifted), name))
    return np.stack(columns, axis=-1)


def complex_step_part(values, name):
    """Return Im/h of what the function returned, which must be complex."""
    values = np.asarray(values)
    if not np.iscomplexobj(values):
        raise InvalidInput(
            f"`{name}` returns real numbers for complex arguments, so it has no complex step: it must be "
            "made of analytic functions (no abs, real, comparison or cast to float); or give `jacobian`."
        )
    return values.imag / STEP
