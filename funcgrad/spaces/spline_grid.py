"""Equispaced grids on an interval and cubic splines."""

import numpy as np
from scipy.interpolate import CubicSpline

from funcgrad.errors import InvalidInput
from funcgrad.spaces.grid import Grid
from funcgrad.spaces.quadrature import map_to_interval, rule_named


class SplineGrid(Grid):
    """N equispaced nodes with both ends; values stand for their cubic spline (not-a-knot).

    Interpolation is of order 4 in the spacing (the j-th derivative of order 4 - j) whatever the ends do,
    and well-conditioned, as polynomials on equispaced nodes are not. Derivatives go up to the third.
    """

    def __init__(self, domain, n, rule):
        nodes, weights = map_to_interval(*rule_named(rule).function(n), domain.a, domain.b)
        super().__init__(domain, nodes.reshape(-1, 1), weights, rule)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; dense, as `evaluate` is not."""
        return self.evaluate(np.eye(len(self)), x, derivative)

    def evaluate(self, values, x, derivative=0):
        """See `Grid.evaluate`."""
        (order,) = self.domain.multi_index(derivative)
        if order > 3:
            raise InvalidInput(
                f"a cubic spline has no derivative of order {order}; take a grid of another rule, "
                'such as "gauss-legendre" or "midpoint".'
            )
        return CubicSpline(self.nodes[:, 0], values, axis=0)(self.domain.points(x)[:, 0], nu=order)

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`."""
        return self.evaluate(self.values(values), self.nodes, derivative)
