"""Layer 2: difference and spectral operators, square roots of metrics."""

from funcgrad.operators.square_root import SquareRoot

__all__ = ["SquareRoot"]
