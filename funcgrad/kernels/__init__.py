"""Reproducing kernels: values, derivatives, Gram matrices and their products."""

from funcgrad.kernels.algebra import TensorProduct
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.interval import IntervalSobolev
from funcgrad.kernels.matern import Matern, Sobolev
from funcgrad.kernels.periodic import PeriodicSobolev
from funcgrad.kernels.radial import Gaussian, Radial

__all__ = [
    "Gaussian",
    "IntervalSobolev",
    "Kernel",
    "Matern",
    "PeriodicSobolev",
    "Radial",
    "Sobolev",
    "TensorProduct",
]
