"""Layer 2: difference and spectral operators, square roots of metrics."""

from funcgrad.operators.eigenbasis import Eigenbasis, GalerkinEigenbasis, TensorEigenbasis
from funcgrad.operators.square_root import SquareRoot

__all__ = ["Eigenbasis", "GalerkinEigenbasis", "SquareRoot", "TensorEigenbasis"]
