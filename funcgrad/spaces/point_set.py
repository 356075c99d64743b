"""Points with weights and nothing between them."""

import hashlib
from functools import cached_property

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput
from funcgrad.spaces.grid import Grid


class PointSet(Grid):
    """Points of a domain with weights: the empirical measure of data, or quasi-random points.

    A function on it is its values at the points: it is integrated, measured in L2, and evaluated at
    the points themselves, exactly; there is nothing between them to evaluate or differentiate. Points
    may repeat, as repeated measurements do: a function's value there is the weighted mean of its values,
    and an evaluation acts on each copy in proportion to its weight.

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
    >>> f(0.4)
    4.0
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

    @cached_property
    def _key(self):
        # A digest: the points may be many, and every look-up of a factored metric hashes its grid.
        digest = hashlib.sha256(np.ascontiguousarray(self.nodes))
        digest.update(np.ascontiguousarray(self.weights))
        return self.domain, digest.digest()

    @property
    def axes(self):
        """See `Grid.axes`; the number of the point."""
        return (("point", np.arange(len(self))),)

    @cached_property
    def _places(self):
        """The different points' places by coordinates; each node's place, and share of its weight."""
        distinct, place = np.unique(self.nodes, axis=0, return_inverse=True)
        place = place.reshape(-1)
        share = self.weights / np.bincount(place, self.weights)[place]
        return {tuple(point): k for k, point in enumerate(distinct.tolist())}, place, share

    def _place_of(self, x, derivative):
        """Return which of the different points each of x is, (K,); raise if one is none of them."""
        known = self._places[0]
        index = np.array([known.get(tuple(point), -1) for point in x.tolist()], dtype=int)
        if any(self.domain.multi_index(derivative)) or np.any(index < 0):
            raise InvalidInput(
                f"functions on a set of points are their values there; {self!r} cannot evaluate them "
                "elsewhere, or differentiate them. Take a grid of the domain, `domain.grid(n)`."
            )
        return index

    def evaluate(self, values, x, derivative=0):
        """See `Grid.evaluate`; x must be points of the set."""
        index = self._place_of(self.domain.points(x), derivative)
        known, place, share = self._places
        means = np.zeros((len(known), *np.shape(values)[1:]))
        np.add.at(means, place, (share * np.transpose(values)).T)
        return means[index]

    def components(self, x, weights, derivative=0):
        """See `Grid.components`; x must be points of the set."""
        index = self._place_of(self.domain.points(x), derivative)
        known, place, share = self._places
        totals = np.zeros((len(known), *weights.shape[1:]))
        np.add.at(totals, index, weights)
        return (share * totals[place].T).T

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; x must be points of the set."""
        index = self._place_of(self.domain.points(x), derivative)
        _, place, share = self._places
        return np.where(index[:, None] == place, share, 0.0)

    def differentiate(self, values, derivative=1):
        """Raise: there is nothing between the points."""
        self._place_of(self.nodes[:1], derivative)
        return values

    def __repr__(self):
        return f"<{self.rule} set of {len(self)} points on {self.domain}>"
