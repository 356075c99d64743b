"""Reproducing kernels: values, derivatives, Gram matrices and their products."""

from funcgrad.kernels.base import Kernel
from funcgrad.kernels.interval import IntervalSobolev
from funcgrad.kernels.matern import Matern, Sobolev
from funcgrad.kernels.periodic import PeriodicSobolev

__all__ = ["IntervalSobolev", "Kernel", "Matern", "PeriodicSobolev", "Sobolev"]
