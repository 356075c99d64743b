"""Euclidean space."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from funcgrad._checks import one_of, positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.domain import Domain
from funcgrad.spaces.product import Torus, per_axis

_RULES = ("gauss-hermite", "mapped", "truncated")


@dataclass(frozen=True)
class Euclidean(Domain):
    """Euclidean space R^n. Its functions decay; its Laplacian has a continuous spectrum, no eigenfunctions.

    Parameters
    ----------
    dimension : int
        n.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> plane = fg.Euclidean(2)
    >>> f = plane.grid(24).function(lambda x, y: np.exp(-(x**2 + y**2) / 2))
    >>> round(f.integral() / (2 * np.pi), 9), round(f([1.0, 1.0]) * np.e, 9)
    (1.0, 1.0)
    """

    dimension: int
    boundary: ClassVar[str] = "none: functions decay"

    def __post_init__(self):
        object.__setattr__(self, "dimension", whole_number(self.dimension, "dimension", least=1))

    @property
    def volume(self):
        """Infinity."""
        return math.inf

    def grid(self, n, rule=None, scale=None):
        """Return a grid of `n` nodes along each axis, an int or one for each.

        =========================  ===============================================  ========================
        rule                       its functions, along each axis                   scale L, by default
        =========================  ===============================================  ========================
        "gauss-hermite" (default)  polynomials times e^{-x²/2L²}; products of two   width of the Gaussian, 1
                                   are integrated exactly
        "mapped"                   trigonometric sums in θ, x = -L cot θ: smooth    where half of the nodes
                                   functions with equal limits at both ends, such   are within, 1
                                   as rational ones
        "truncated"                trigonometric sums on [-L, L], zero outside;     half the side of the
                                   `Sobolev` metrics of every order, by the torus   cube, 8
                                   of side 2L
        =========================  ===============================================  ========================

        The first two are global, with an error of approximation only. "truncated" has an error of
        truncation besides: `truncation_error` states it for a function, and powers of 1 - ℓ²Δ, where not
        local, err by the images at distance 2L, a relative e^{-2L/ℓ}.
        """
        from funcgrad.spaces.line_grids import HermiteGrid, MappedGrid, TruncatedGrid
        from funcgrad.spaces.tensor_grid import tensor_grid

        rule = one_of(rule or "gauss-hermite", _RULES, "rule on Euclidean space")
        scale = positive_number((8.0 if rule == "truncated" else 1.0) if scale is None else scale, "scale")
        kind = {"gauss-hermite": HermiteGrid, "mapped": MappedGrid, "truncated": TruncatedGrid}[rule]
        sizes = [whole_number(size, "n", least=1) for size in per_axis(n, self.dimension, "n")]
        lines = [kind(Euclidean(1), size, scale) for size in sizes]
        return lines[0] if self.dimension == 1 else tensor_grid(self, lines)

    def truncation_error(self, f):
        """Return the largest |f| on the faces of a truncated grid's cube.

        If |f| does not increase along the axes away from the cube, that is a bound for all that the grid
        leaves out: f is zero outside for it.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> line = fg.Euclidean(1)
        >>> f = line.grid(64, rule="truncated", scale=6).function(lambda x: np.exp(-(x**2) / 2))
        >>> bool(np.isclose(line.truncation_error(f), np.exp(-18)))
        True
        """
        if f.grid.domain != self or f.grid.rule != "truncated":
            raise InvalidInput(
                f"`f` must be a function on a truncated grid of {self}; its grid is {f.grid!r}."
            )
        values = np.abs(f.values.reshape(*f.grid.shape, -1))
        # The trigonometric interpolant is periodic, so the first nodes lie on both faces of an axis.
        return max(float(values.take(0, axis=axis).max()) for axis in range(self.dimension))

    def enclosing_torus(self, x, margin):
        """Return the torus whose side is the extent of points plus a margin on each end.

        Near the points its functions are locally those of R^n, and it has a discrete spectrum.
        """
        return Torus(np.ptp(x, axis=0) + 2 * margin)

    def _no_spectrum(self):
        return InvalidInput(
            f"the Laplacian of {self} has the continuous spectrum [0, ∞) and no eigenfunctions in L2; "
            "take a large Box or Torus for a discrete one."
        )

    def laplacian_spectrum(self, count):
        """Raise: the spectrum is continuous."""
        raise self._no_spectrum()

    def eigenfunctions(self, count, x, derivative=0):
        """Raise: the spectrum is continuous."""
        raise self._no_spectrum()

    def contains(self, x):
        """Every point of n real coordinates."""
        return np.ones(len(x), dtype=bool)

    def distance(self, x, y):
        """Return |x - y|; see `Domain.distance`."""
        return np.linalg.norm(self.points(x) - self.points(y, "y"), axis=1)

    def __str__(self):
        return "the real line" if self.dimension == 1 else f"Euclidean space R^{self.dimension}"
