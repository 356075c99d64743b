"""Points with weights and nothing between them."""

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput
from funcgrad.spaces.grid import Grid


class PointSet(Grid):
    """Points of a domain with weights: the empirical measure of data, or quasi-random points.

    A function on it is its values at the points: it is integrated, and measured in L2, but there is
    nothing between the points to evaluate or differentiate.

    Parameters
    ----------
    domain : Domain
    points : array_like, (N, n_coordinates)
    weights : array_like, (N,), optional
        Positive; by default 1/N each, the empirical measure.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> data = fg.PointSet(fg.Interval(0, 1), [0.1, 0.4, 0.7])
    >>> f = data.function(lambda x: 10 * x)
    >>> round(f.integral(), 12), round(fg.L2().norm(f) ** 2, 12)
    (4.0, 22.0)
    """

    def __init__(self, domain, points, weights=None, rule="empirical"):
        nodes = domain.points(points, "points").copy()
        if len(nodes) == 0:
            raise InvalidInput("`points` must hold at least one point; got none.")
        if weights is None:
            weights = np.full(len(nodes), 1 / len(nodes))
        weights = finite_array(weights, "weights").copy()
        if weights.shape != (len(nodes),) or not np.all(weights > 0):
            raise InvalidInput(f"`weights` must be {len(nodes)} positive numbers, one a point.")
        super().__init__(domain, nodes, weights, rule)

    @property
    def _key(self):
        return self.domain, self.nodes.tobytes(), self.weights.tobytes()

    @property
    def axes(self):
        """See `Grid.axes`; the number of the point."""
        return (("point", np.arange(len(self))),)

    def interpolation_matrix(self, x, derivative=0):
        """Raise: there is nothing between the points."""
        raise InvalidInput(
            f"functions on a set of points are their values there; {self!r} cannot evaluate or "
            "differentiate them. Take a grid of the domain, `domain.grid(n)`."
        )

    differentiate = interpolation_matrix

    def __repr__(self):
        return f"<{self.rule} set of {len(self)} points on {self.domain}>"
