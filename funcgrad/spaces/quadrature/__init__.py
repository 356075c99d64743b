"""Quadrature rules as pure functions of arrays: ``nodes, weights = rule(n)``.

`RULES` holds those that grids are made of, by name. The rules of one dimension take the number n of nodes,
refuse what is no whole number or too few (`InvalidInput`), and return two arrays of shape (n,): nodes in
increasing order, and weights, which add up to the length 2 of [-1, 1] unless a density or the whole line is
integrated over. "Right to 4 ulp" is said of each single node and weight, for every n.
"""

from funcgrad.spaces.quadrature.clenshaw_curtis import clenshaw_curtis
from funcgrad.spaces.quadrature.gauss import gauss_legendre, gauss_lobatto
from funcgrad.spaces.quadrature.hermite import gauss_hermite, gauss_hermite_lebesgue
from funcgrad.spaces.quadrature.jacobi import gauss_jacobi
from funcgrad.spaces.quadrature.newton_cotes import midpoint, periodic_trapezoid, simpson, trapezoid
from funcgrad.spaces.quadrature.rules import RULES, Rule, rule_named
from funcgrad.spaces.quadrature.sobol import sobol
from funcgrad.spaces.quadrature.tensor import map_to_interval, tensor_product

__all__ = [
    "RULES",
    "Rule",
    "clenshaw_curtis",
    "gauss_hermite",
    "gauss_hermite_lebesgue",
    "gauss_jacobi",
    "gauss_legendre",
    "gauss_lobatto",
    "map_to_interval",
    "midpoint",
    "periodic_trapezoid",
    "rule_named",
    "simpson",
    "sobol",
    "tensor_product",
    "trapezoid",
]
