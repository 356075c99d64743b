"""Gauss and Clenshaw-Curtis grids on an interval and barycentric interpolation."""

import numpy as np

from funcgrad.spaces.grid import Grid
from funcgrad.spaces.quadrature import rule_named


class PolynomialGrid(Grid):
    """N quadrature nodes on an interval; values stand for their interpolant of degree N - 1.

    Gauss-Legendre integrates the product of two such polynomials exactly, Gauss-Lobatto (with both ends
    among its nodes) all but the squares of the highest; Clenshaw-Curtis only polynomials of degree N - 1
    (its error on smooth functions is as small in practice).
    """

    def __init__(self, domain, n, rule):
        reference, weights = rule_named(rule).function(n)
        half = domain.length / 2
        # Measured from the nearer end, so that nodes next to b keep their distance to it.
        nodes = np.where(reference <= 0, domain.a + half * (1 + reference), domain.b - half * (1 - reference))
        super().__init__(domain, nodes.reshape(-1, 1), half * weights, rule)
        self._barycentric = _barycentric_weights(reference, weights, rule)
        self._matrix = None

    @property
    def differentiation_matrix(self):
        """The (N, N) matrix D with (Dv)_i = p'(x_i), p the interpolant of v."""
        if self._matrix is None:
            self._matrix = _differentiation_matrix(self.nodes[:, 0], self._barycentric)
        return self._matrix

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; the second barycentric formula."""
        (order,) = self.domain.multi_index(derivative)
        matrix = _barycentric_matrix(self.domain.points(x)[:, 0], self.nodes[:, 0], self._barycentric)
        for _ in range(order):
            matrix = matrix @ self.differentiation_matrix
        return matrix

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`."""
        values = self.values(values)
        (order,) = self.domain.multi_index(derivative)
        for _ in range(order):
            values = self.differentiation_matrix @ values
        return values


def _barycentric_weights(nodes, weights, rule):
    """Barycentric weights up to a common factor.

    Gauss: Wang & Xiang 2012; Lobatto: Wang, Huybrechs & Vandewalle 2014; Chebyshev: Salzer 1972.
    """
    signs = np.where(np.arange(len(nodes)) % 2 == 0, 1.0, -1.0)
    if rule == "gauss-lobatto":
        return signs * np.sqrt(weights)
    if rule == "gauss-legendre":
        return signs * np.sqrt((1 - nodes) * (1 + nodes) * weights)
    if len(nodes) > 1:
        signs[[0, -1]] *= 0.5
    return signs


def _barycentric_matrix(x, nodes, barycentric):
    difference = x[:, None] - nodes
    at_node = difference == 0
    between = ~at_node.any(axis=1)
    matrix = at_node.astype(float)
    matrix[between] = barycentric / difference[between]
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix


def _differentiation_matrix(nodes, barycentric):
    """D_ij = (b_j/b_i)/(x_i - x_j); each diagonal entry makes its row sum vanish (Baltensperger 2000)."""
    difference = nodes[:, None] - nodes
    np.fill_diagonal(difference, 1.0)
    matrix = barycentric / barycentric[:, None] / difference
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def is_polynomial_product(grid):
    """Return whether a grid is a tensor product of polynomial grids."""
    return all(isinstance(factor, PolynomialGrid) for factor in getattr(grid, "factors", (None,)))
