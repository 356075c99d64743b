"""Layer 1: domains, quadrature, grids and functions."""

from funcgrad.spaces import surfaces
from funcgrad.spaces.circle import Circle
from funcgrad.spaces.domain import Domain
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import Grid
from funcgrad.spaces.interval import Interval
from funcgrad.spaces.point_set import PointSet
from funcgrad.spaces.product import Box, Torus
from funcgrad.spaces.sphere import Sphere

__all__ = [
    "Box",
    "Circle",
    "Domain",
    "Euclidean",
    "Function",
    "Grid",
    "Interval",
    "PointSet",
    "Sphere",
    "Torus",
    "surfaces",
]
