"""The kinds of terms that covectors are sums of: densities, point evaluations (see also `surface_term`).

Each kind is a small frozen class with one interface, `Term`; everything that depends on the kind of a
term, from its value on a function to its Sobolev regularity, is said here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from funcgrad._checks import point_array
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.spaces.function import ExactFunction, Function
from funcgrad.spaces.grid import sample

# Sections of eigenfunctions are evaluated in blocks of points of at most this many numbers (32 MB).
_BLOCK_ENTRIES = 2**22
# From this many points on, products of matrices are faster than eigenfunctions one by one.
_MANY_POINTS = 64
# A density on a grid of several dimensions is looked at in no more modes than this.
_DENSITY_MODES = 2**12


@dataclass(frozen=True)
class Regularity:
    """Where a covector lies on the Sobolev scale: in H^{-s} iff s > order (or s >= order).

    Attributes
    ----------
    order : float
        The threshold.
    strict : bool
        Whether the threshold itself is excluded.
    reason : str
        The term that decides.

    Examples
    --------
    >>> import funcgrad as fg
    >>> regularity = fg.PointEvaluation(0.3, derivative=1).regularity
    >>> print(regularity)
    s > 1.5 (a point derivative of order 1 is bounded on H^s iff s > n/2 + 1 = 1.5 (n = 1))
    >>> regularity.admits(1.5), regularity.admits(1.6)
    (False, True)
    """

    order: float
    strict: bool
    reason: str

    def admits(self, s):
        """Return whether the covector is bounded on H^s."""
        return s > self.order if self.strict else s >= self.order

    def __str__(self):
        return f"s {'>' if self.strict else '>='} {self.order:g} ({self.reason})"


@dataclass(frozen=True)
class Atom:
    """weight · ∂^derivative v(point); weight is a number, or (m,) for functions with m components."""

    point: tuple
    derivative: tuple
    weight: np.ndarray


class Term(ABC):
    """A kind of covector v ↦ Σ_i w_i · (something linear in v), of one order of derivative.

    Attributes
    ----------
    key : hashable
        Terms of equal key add up to one of the same key (`plus`).
    order : int
        How many derivatives of v it takes.
    """

    key: tuple
    order: int

    @abstractmethod
    def apply(self, v):
        """Return its value on a `Function`, or on a callable of the coordinate arrays."""

    @abstractmethod
    def components(self, grid):
        """Return its values on the cardinal functions of a grid, (N,) or (N, m)."""

    @abstractmethod
    def coefficients(self, domain, count):
        """Return its values on the first `count` eigenfunctions of -Δ, (count,) or (count, m)."""

    @abstractmethod
    def regularity(self, dimension=None):
        """Return its `Regularity` on a domain of dimension n (by default, the number of coordinates)."""

    @abstractmethod
    def evaluations(self):
        """Yield (points, derivative, weights): the term, or a quadrature of it, as sums of evaluations."""

    @abstractmethod
    def scaled(self, factor):
        """Return the term times a number."""

    @abstractmethod
    def plus(self, other):
        """Return the sum with a term of the same key, None if it is zero."""

    @abstractmethod
    def effective(self, domain):
        """Return what is left of it for functions under the domain's boundary condition, or None."""

    @abstractmethod
    def check_domain(self, domain):
        """Raise `DomainMismatch` unless it is a covector of functions on the domain."""

    @abstractmethod
    def hull(self):
        """Return points (K, n_coordinates) around it."""


@dataclass(frozen=True)
class DensityTerm(Term):
    """v ↦ ∫ g ∂^derivative v, of a `Function` g.

    It is the quadrature of g's grid, and between the nodes g is one of the functions that the ∂^derivative v
    are: on a grid with Dirichlet conditions, a sum of cosines against v'. So a finer grid finds the same
    number for a v that g's grid resolves, and none of u' is lost in v ↦ ∫ u'v'.
    """

    g: Function
    derivative: tuple

    @property
    def key(self):
        """Its grid, components and derivative."""
        return DensityTerm, self.g.grid, self.g.values.shape, self.derivative

    @property
    def order(self):
        """|α|."""
        return sum(self.derivative)

    def apply(self, v):
        """See `Term.apply`; on the finer of the two grids, for an `ExactFunction` on that of g."""
        if isinstance(v, ExactFunction) and v.grid.domain == self.g.grid.domain:
            at_nodes = v.derivative_values(self.derivative, self.g.grid.nodes)
            return float(np.sum(_rows(self.g.grid.weights, self.g.values) * at_nodes))
        if isinstance(v, Function):
            return float(np.sum(self.components(v.grid) * v.values))
        values = sample_undifferentiated(v, self.g.grid.nodes, self.derivative)
        return float(np.sum(self.g.grid.integrate(self.g.values * values)))

    def components(self, grid):
        """See `Term.components`; on the finer grid, axis by axis, where both g and the L_j are resolved."""
        g = self.g
        if g.grid.domain != grid.domain:
            raise DomainMismatch(f"a density on {g.grid.domain} meets functions on {grid.domain}.")
        common = g.grid.common_refinement(grid)
        if common != g.grid:
            own, finer = (each.of_derivatives(self.derivative) for each in (g.grid, common))
            g = Function(common, own.resample(g.values, finer))
        weighted = _rows(g.grid.weights, g.values)
        if common == grid and not any(self.derivative):
            return weighted
        return grid.components_at_nodes(weighted, common, self.derivative)

    def coefficients(self, domain, count):
        """See `Term.coefficients`; to the modes that the grid resolves, where the density is taken to end."""
        grid = self.g.grid
        resolved = min(count, len(grid), max(_DENSITY_MODES, grid.shape[0]))
        known = pairing(domain, resolved, *next(self.evaluations()))
        return np.pad(known, [(0, count - resolved)] + [(0, 0)] * (known.ndim - 1))

    def regularity(self, dimension=None):
        """See `Term.regularity`; a sampled density counts as square-integrable."""
        order = self.order
        kind = "a density in L2" if order == 0 else f"a density against derivatives of order {order}"
        return Regularity(float(order), False, f"{kind} is bounded on H^s for s >= {order}")

    def evaluations(self):
        """See `Term.evaluations`; by the quadrature of its grid."""
        yield self.g.grid.nodes, self.derivative, _rows(self.g.grid.weights, self.g.values)

    def scaled(self, factor):
        """See `Term.scaled`."""
        return replace(self, g=factor * self.g)

    def plus(self, other):
        """See `Term.plus`."""
        total = self.g + other.g
        return replace(self, g=total) if total.values.any() else None

    def effective(self, domain):
        """See `Term.effective`; all of it."""
        return self

    def check_domain(self, domain):
        """See `Term.check_domain`."""
        if self.g.grid.domain != domain:
            raise DomainMismatch(f"the covector has a density on {self.g.grid.domain}, not on {domain}.")

    def hull(self):
        """See `Term.hull`."""
        return self.g.grid.nodes


@dataclass(frozen=True, eq=False)
class PointTerm(Term):
    """v ↦ Σ_i w_i · ∂^derivative v(x_i): points (K, n), weights (K,) or (K, m)."""

    points: np.ndarray
    derivative: tuple
    weights: np.ndarray

    @property
    def key(self):
        """Its derivative."""
        return PointTerm, self.derivative

    @property
    def order(self):
        """|α|."""
        return sum(self.derivative)

    @property
    def atoms(self):
        """The single `Atom`s."""
        pairs = zip(self.points.tolist(), self.weights, strict=True)
        return tuple(Atom(tuple(point), self.derivative, weight) for point, weight in pairs)

    def apply(self, v):
        """See `Term.apply`; exact."""
        if isinstance(v, Function):
            values = v.derivative_values(self.derivative, self._points_of(v.grid))
        else:
            values = sample_undifferentiated(v, self.points, self.derivative)
        return float(np.sum(self.weights * values))

    def components(self, grid):
        """See `Term.components`."""
        return grid.components(self._points_of(grid), self.weights, self.derivative)

    def _points_of(self, grid):
        return point_array(self.points, grid.domain.n_coordinates, "point of the covector")

    def coefficients(self, domain, count):
        """See `Term.coefficients`."""
        return pairing(domain, count, self.points, self.derivative, self.weights)

    def regularity(self, dimension=None):
        """See `Term.regularity`: s > n/2 + |α| (Adams & Fournier, Sobolev embedding; sharp)."""
        order, n = self.order, dimension or self.points.shape[1]
        threshold = n / 2 + order
        kind = "point evaluation" if order == 0 else f"a point derivative of order {order}"
        formula = "n/2" if order == 0 else f"n/2 + {order}"
        return Regularity(
            threshold, True, f"{kind} is bounded on H^s iff s > {formula} = {threshold:g} (n = {n})"
        )

    def evaluations(self):
        """See `Term.evaluations`; itself."""
        yield self.points, self.derivative, self.weights

    def scaled(self, factor):
        """See `Term.scaled`."""
        return replace(self, weights=factor * self.weights)

    def plus(self, other):
        """See `Term.plus`; the weights of equal points are added."""
        if self.weights.shape[1:] != other.weights.shape[1:]:
            raise DomainMismatch(
                "covector terms on different numbers of components: weights of shapes "
                f"{self.weights.shape[1:]} and {other.weights.shape[1:]}."
            )
        points = np.concatenate([self.points, other.points])
        return replace(self, points=points, weights=np.concatenate([self.weights, other.weights])).combined()

    def combined(self):
        """Return it with the weights of equal points added and those of weight zero left out, or None."""
        points, first, inverse = np.unique(self.points, axis=0, return_index=True, return_inverse=True)
        weights = np.zeros((len(points), *self.weights.shape[1:]))
        np.add.at(weights, inverse.reshape(-1), self.weights)
        kept = weights.reshape(len(weights), -1).any(axis=1)
        order = np.argsort(first[kept])
        if not kept.any():
            return None
        return replace(self, points=points[kept][order], weights=weights[kept][order])

    def effective(self, domain):
        """See `Term.effective`."""
        kept, orders = [], set()
        for i, point in enumerate(self.points.tolist()):
            derivative = domain.effective_derivative(tuple(point), self.derivative)
            if derivative is not None:
                kept.append(i)
                orders.add(sum(derivative))
        if not kept:
            return None
        # The highest order that is left decides; on the sphere it may be below |α| at a pole.
        derivative = self.derivative
        if max(orders) < self.order:
            derivative = domain.effective_derivative(tuple(self.points[kept[0]]), self.derivative)
        return PointTerm(self.points[kept], derivative, self.weights[kept])

    def check_domain(self, domain):
        """See `Term.check_domain`."""
        domain.points(self.points, "point of the covector")

    def hull(self):
        """See `Term.hull`."""
        return self.points


def combined(terms):
    """Return terms with those of equal key added, without those that are zero."""
    merged = {}
    for term in terms:
        earlier = merged.get(term.key)
        if earlier is not None:
            term = earlier.plus(term)
        merged[term.key if term is not None else earlier.key] = term
    return tuple(term for term in merged.values() if term is not None)


def pairing(domain, count, points, alpha, weights):
    """Σ_i w_i ∂^α e_k(x_i) for the first `count` eigenfunctions, (count,) or (count, m)."""
    if hasattr(domain, "pairing") and len(points) >= _MANY_POINTS:
        return domain.pairing(count, points, alpha, weights)
    total, rows = 0.0, max(1, _BLOCK_ENTRIES // count)
    for start in range(0, len(points), rows):
        block = slice(start, start + rows)
        sections = domain.eigenfunctions(count, points[block], alpha)
        total = total + np.tensordot(sections.T, weights[block], axes=1)
    return total


def sample_undifferentiated(v, points, alpha):
    """Return the values of a callable at points; refuse it if derivatives are asked for."""
    if any(alpha):
        raise InvalidInput(
            "a covector with derivatives needs a Function; got a callable without derivatives."
        )
    return sample(v, points, "v")


def _rows(weights, values):
    return weights.reshape(-1, *[1] * (values.ndim - 1)) * values
