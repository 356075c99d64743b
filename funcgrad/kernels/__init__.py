"""Reproducing kernels: values, derivatives, Gram matrices and their products."""

from funcgrad.kernels.algebra import TensorProduct
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.box import BoxSobolev
from funcgrad.kernels.derivative_sobolev import DerivativeSobolev
from funcgrad.kernels.dot_product import Linear, Polynomial
from funcgrad.kernels.evaluations import Evaluations, functional_gram
from funcgrad.kernels.gram_solver import GramSolver, LowRank
from funcgrad.kernels.homogeneous import HomogeneousSobolev
from funcgrad.kernels.interval import IntervalSobolev
from funcgrad.kernels.matern import Matern, Sobolev
from funcgrad.kernels.matrix_valued import MatrixKernel, MatrixValuedKernel
from funcgrad.kernels.network import ArcCosine, ReLUTangent
from funcgrad.kernels.periodic import PeriodicSobolev
from funcgrad.kernels.radial import Gaussian, Radial
from funcgrad.kernels.sphere import SphereSobolev
from funcgrad.kernels.torus import TorusSobolev

__all__ = [
    "ArcCosine",
    "BoxSobolev",
    "DerivativeSobolev",
    "Evaluations",
    "Gaussian",
    "GramSolver",
    "HomogeneousSobolev",
    "IntervalSobolev",
    "Kernel",
    "Linear",
    "LowRank",
    "Matern",
    "MatrixKernel",
    "MatrixValuedKernel",
    "PeriodicSobolev",
    "Polynomial",
    "Radial",
    "ReLUTangent",
    "Sobolev",
    "SphereSobolev",
    "TensorProduct",
    "TorusSobolev",
    "functional_gram",
]
