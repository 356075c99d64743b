"""Dyadic tables: a function of z > 0 as polynomials on equal pieces of each octave [2^e, 2^{e+1})."""

from typing import NamedTuple

import numpy as np

_DEGREE = 5


class DyadicTable(NamedTuple):
    """Coefficients of p, and where they hold.

    Attributes
    ----------
    coefficients : ndarray, shape (octaves * 2^piece_bits * 6,)
        Powers 0..5 of the local variable t in [-1, 1), piece after piece.
    lowest_exponent, highest_exponent : int
        p holds on [2^lowest, 2^highest).
    piece_bits : int
        There are 2^piece_bits pieces an octave.
    decay : float
        The tabulated function is p(z) exp(-decay z).
    """

    coefficients: np.ndarray
    lowest_exponent: int
    highest_exponent: int
    piece_bits: int
    decay: float


def dyadic_table(function, lowest_exponent, highest_exponent, piece_bits, decay):
    """Return the table of `function` by interpolation at 6 Chebyshev points a piece.

    A function analytic away from z = 0 is met with a relative error about 2^{-6(piece_bits + 2)}: 2^-54
    for 128 pieces an octave.
    """
    points = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    to_powers = np.linalg.inv(np.vander(points, increasing=True))
    pieces = 1 << piece_bits
    octaves = 2.0 ** np.arange(lowest_exponent, highest_exponent)
    starts = 1.0 + np.arange(pieces) / pieces
    local = starts[:, None] + (1.0 + points) / (2.0 * pieces)
    values = function((octaves[:, None, None] * local).ravel()).reshape(-1, _DEGREE + 1)
    coefficients = values @ to_powers.T
    return DyadicTable(coefficients.ravel(), lowest_exponent, highest_exponent, piece_bits, float(decay))
