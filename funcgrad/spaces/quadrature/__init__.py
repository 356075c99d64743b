"""One-dimensional quadrature rules as pure functions of arrays: ``nodes, weights = rule(n)``."""

from funcgrad.spaces.quadrature.clenshaw_curtis import clenshaw_curtis
from funcgrad.spaces.quadrature.gauss import gauss_legendre

__all__ = ["clenshaw_curtis", "gauss_legendre"]
