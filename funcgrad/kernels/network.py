"""Kernels of infinitely wide ReLU networks: arc-cosine kernels and the analytic tangent kernel.

Y. Cho and L. K. Saul, *Kernel methods for deep learning* (2009); A. Jacot, F. Gabriel, C. Hongler, *Neural
tangent kernel* (2018). With γ the angle between x and y,
κ_0 = (π - γ)/π and κ_1 = (sin γ + (π - γ) cos γ)/π.
"""

from math import pi

import numpy as np
from scipy.special import spherical_jn

from funcgrad._checks import one_of, whole_number
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.zonal import ZonalKernel


class ArcCosine(ZonalKernel):
    """The arc-cosine kernel κ_0(γ) (order 0) or |x| |y| κ_1(γ) (order 1).

    Parameters
    ----------
    order : {0, 1}
        2 E[step(w·x) step(w·y)] or 2 E[relu(w·x) relu(w·y)], w standard normal.

    Notes
    -----
    At parallel and opposite points 1 - κ_0 is of the size of γ and κ_1 has a term γ³/(3π): order 0 offers
    no derivatives, order 1 those below the order 3. They exist away from the origin only, where |x| has
    none, and asking for one there is an error.

    Examples
    --------
    >>> from funcgrad.kernels import ArcCosine
    >>> ArcCosine(1).gram([[3.0, 4.0], [-3.0, -4.0]])
    array([[25.,  0.],
           [ 0., 25.]])
    """

    def __init__(self, order):
        self.order = self.degree = one_of(order, (0, 1), "order")
        self.smoothness = 1.0 + 2.0 * order

    def __repr__(self):
        return f"ArcCosine({self.order})"

    def _evaluate(self, x, y):
        angle, size = _angle_and_size(x, y)
        return _kappa_0(angle) if self.order == 0 else size * _kappa_1(angle)

    def _zonal_profile(self, total):
        """With t = cos γ = 1 - 2w, dκ_1/dt = κ_0 and dκ_0/dt = 1/(π sin γ), sin γ = r √(1 - r²/4)."""

        def profile(order, power, r, side):
            angle = 2.0 * np.arcsin(np.minimum(0.5 * r, 1.0))
            angle = angle if side > 0.0 else pi - angle
            if order < 2:
                return r**power * (_kappa_1(angle) if order == 0 else -2.0 * side * _kappa_0(angle))
            return 4.0 / pi * r ** (power - 1) / np.sqrt(1.0 - 0.25 * r * r)

        return tuple(
            lambda order, power, r, side=side: profile(order, power, r, side) for side in (1.0, -1.0)
        )


class ReLUTangent(Kernel):
    """The tangent kernel of an infinitely wide ReLU network without biases.

    Parameters
    ----------
    depth : int
        The number of hidden layers, at least 1.

    Notes
    -----
    Θ_0 = <x, y>, Θ_{h+1} = Θ_h κ_0(γ_h) + |x| |y| κ_1(γ_h), where cos γ_{h+1} = κ_1(γ_h): weights are
    standard normal and each layer is scaled by √(2/width), so that Θ_h(x, x) = (h + 1) |x|². Other
    parameterisations differ by constants.

    At parallel points it falls off like its angle γ at every depth: it offers no derivatives (smoothness 1).

    Examples
    --------
    >>> from funcgrad.kernels import ReLUTangent
    >>> float(ReLUTangent(depth=2)([[1.0, 0.0]], [[1.0, 0.0]])[0])
    3.0
    """

    smoothness = 1.0

    def __init__(self, depth=1):
        self.depth = whole_number(depth, "depth", least=1)

    def __repr__(self):
        return f"ReLUTangent(depth={self.depth})"

    def _evaluate(self, x, y):
        angle, size = _angle_and_size(x, y)
        tangent = (x * y).sum(axis=-1)
        for layer in range(self.depth):
            tangent = tangent * _kappa_0(angle) + size * _kappa_1(angle)
            if layer + 1 < self.depth:
                angle = _next_angle(angle)
        return tangent


def _angle_and_size(x, y):
    """Return the angle between x and y, accurate also near 0 and π, and |x| |y|."""
    length_x, length_y = (np.linalg.norm(p, axis=-1, keepdims=True) for p in (x, y))
    unit_x = x / np.where(length_x > 0.0, length_x, 1.0)
    unit_y = y / np.where(length_y > 0.0, length_y, 1.0)
    # W. Kahan: 2 atan2(|u - v|, |u + v|) has no loss where arccos(u·v) loses half the digits.
    apart, along = (np.linalg.norm(unit_x + sign * unit_y, axis=-1) for sign in (-1.0, 1.0))
    return 2.0 * np.arctan2(apart, along), (length_x * length_y)[..., 0]


def _kappa_0(angle):
    return (pi - angle) / pi


def _kappa_1(angle):
    return 1.0 - _kappa_1_defect(angle)


def _kappa_1_defect(angle):
    """Return 1 - κ_1 = 2 sin²(γ/2) - (sin γ - γ cos γ)/π; the bracket is γ² j_1(γ)."""
    return 2.0 * np.sin(0.5 * angle) ** 2 - angle**2 * spherical_jn(1, angle) / pi


def _next_angle(angle):
    """Return arccos κ_1(γ) from 1 - κ_1, without loss at small angles."""
    return 2.0 * np.arcsin(np.sqrt(np.clip(0.5 * _kappa_1_defect(angle), 0.0, 1.0)))
