"""Layer 1: domains, quadrature, grids and functions."""

from funcgrad.spaces.circle import Circle
from funcgrad.spaces.domain import Domain
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import Grid
from funcgrad.spaces.interval import Interval

__all__ = ["Circle", "Domain", "Function", "Grid", "Interval"]
