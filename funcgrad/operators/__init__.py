"""Layer 2: difference and spectral operators, their powers, square roots of metrics."""

from funcgrad.operators.eigenbasis import Eigenbasis, GalerkinEigenbasis, TensorEigenbasis
from funcgrad.operators.finite_difference_laplacian import FiniteDifferenceLaplacian
from funcgrad.operators.rational_power import RationalPower
from funcgrad.operators.sobolev_power import PowerRoot, SobolevPower, sobolev_power
from funcgrad.operators.square_root import SquareRoot

__all__ = [
    "Eigenbasis",
    "FiniteDifferenceLaplacian",
    "GalerkinEigenbasis",
    "PowerRoot",
    "RationalPower",
    "SobolevPower",
    "SquareRoot",
    "TensorEigenbasis",
    "sobolev_power",
]
