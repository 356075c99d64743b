"""Reproducing kernels: values, derivatives, Gram matrices and their products."""

from funcgrad.kernels.base import Kernel
from funcgrad.kernels.derivative_sobolev import DerivativeSobolev
from funcgrad.kernels.homogeneous import HomogeneousSobolev
from funcgrad.kernels.interval import IntervalSobolev
from funcgrad.kernels.matern import Matern, Sobolev
from funcgrad.kernels.periodic import PeriodicSobolev

__all__ = [
    "DerivativeSobolev",
    "HomogeneousSobolev",
    "IntervalSobolev",
    "Kernel",
    "Matern",
    "PeriodicSobolev",
    "Sobolev",
]
