"""The term of a covector that integrates over a surface."""

import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np

from funcgrad.errors import ConvergenceError, DomainMismatch
from funcgrad.functionals.terms import Regularity, Term, sample_undifferentiated
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import sample

# A callable is integrated over a surface with numbers of nodes that double until the value is stable.
_SURFACE_TOLERANCE = 1e-12
_FEWEST_NODES, _MOST_NODES = 16, 2**18


@dataclass(frozen=True)
class SurfaceTerm(Term):
    """v ↦ weight · ∫_Γ ∂_ν^order v dσ; weight is a number, or (m,)."""

    surface: object
    order: int
    weight: np.ndarray = field(compare=False)

    @property
    def key(self):
        """Its surface and order."""
        return SurfaceTerm, self.surface, self.order

    def apply(self, v):
        """See `Term.apply`; with as many nodes as the grid's functions need, doubled for a callable."""
        if isinstance(v, Function):
            self._check_coordinates(v.grid.domain)
            count = _resolving_count(v.grid)
            return sum(
                float(np.sum(weights * v.grid.evaluate(v.values, points, alpha)))
                for points, alpha, weights in self.evaluations(count)
            )
        if self.order:
            sample_undifferentiated(v, np.zeros((1, self.surface.n_coordinates)), (self.order,))
        return self._converged(v)

    def _converged(self, v):
        previous, count = None, _FEWEST_NODES
        while count**self.surface.dimension <= _MOST_NODES:
            ((points, _, weights),) = self.evaluations(count)
            summands = weights * sample(v, points, "v")
            value, scale = float(np.sum(summands)), float(np.sum(np.abs(summands)))
            if previous is not None and abs(value - previous) <= _SURFACE_TOLERANCE * scale:
                return value
            previous, count = value, 2 * count
        raise ConvergenceError(
            f"the integral of `v` over {self.surface} does not settle to a relative {_SURFACE_TOLERANCE:.0e} "
            f"with {count // 2} nodes a direction; is `v` smooth there?"
        )

    def components(self, grid):
        """See `Term.components`."""
        self._check_coordinates(grid.domain)
        return sum(
            grid.components(points, weights, alpha)
            for points, alpha, weights in self.evaluations(_resolving_count(grid))
        )

    def _check_coordinates(self, domain):
        if self.surface.n_coordinates != domain.n_coordinates:
            raise DomainMismatch(
                f"a surface of points with {self.surface.n_coordinates} coordinates in {domain}, whose "
                f"points have {domain.n_coordinates}."
            )

    def coefficients(self, domain, count):
        """See `Term.coefficients`; in closed form."""
        return np.multiply.outer(domain.surface_integrals(count, self.surface, self.order), self.weight)

    def regularity(self, dimension=None):
        """See `Term.regularity`: s > k/2 + j for codimension k (the trace theorem; sharp)."""
        k, j = self.surface.codimension, self.order
        threshold = k / 2 + j
        kind = "a surface integral" if j == 0 else f"a surface integral of normal derivatives of order {j}"
        formula = "k/2" if j == 0 else f"k/2 + {j}"
        return Regularity(
            threshold,
            True,
            f"{kind} is bounded on H^s iff s > {formula} = {threshold:g} (codimension k = {k})",
        )

    def evaluations(self, count=256):
        """See `Term.evaluations`; by quadrature, ∂_ν^j = Σ_{|α|=j} j!/α! ν^α ∂^α."""
        if count == 256 and self.surface.dimension > 1:
            count = 64
        points, weights = self.surface.quadrature(count)
        normals = self.surface.normals(points) if self.order else points
        for alpha in multi_indices(self.surface.n_coordinates, self.order):
            factor = math.factorial(self.order) / math.prod(map(math.factorial, alpha))
            of_alpha = factor * weights * np.prod(normals ** np.array(alpha), axis=1)
            if of_alpha.any():
                yield points, alpha, np.multiply.outer(of_alpha, self.weight)

    def scaled(self, factor):
        """See `Term.scaled`."""
        return replace(self, weight=factor * self.weight)

    def plus(self, other):
        """See `Term.plus`."""
        weight = self.weight + other.weight
        return replace(self, weight=weight) if weight.any() else None

    def effective(self, domain):
        """See `Term.effective`; a flat surface may lie in a face where the boundary condition holds."""
        middle = getattr(self.surface, "midpoint", None)
        if middle is None:
            return self
        normal = np.array(self.surface.normal) if self.order else middle
        left = [
            alpha
            for alpha in multi_indices(len(middle), self.order)
            if np.prod(normal ** np.array(alpha)) != 0
            and domain.effective_derivative(tuple(middle.tolist()), alpha) is not None
        ]
        return self if left else None

    def check_domain(self, domain):
        """See `Term.check_domain`."""
        self._check_coordinates(domain)
        domain.points(self.surface.hull(), "surface of the covector")

    def hull(self):
        """See `Term.hull`."""
        return self.surface.hull()


def multi_indices(n, order):
    """Return the multi-indices α of n entries with |α| = order.

    Examples
    --------
    >>> multi_indices(2, 2)
    [(2, 0), (1, 1), (0, 2)]
    """
    choices = itertools.combinations_with_replacement(range(n), order)
    return [tuple(axes.count(i) for i in range(n)) for axes in choices]


def _resolving_count(grid):
    """Nodes a direction that integrate a grid's functions over a surface within its domain.

    A polynomial of degree N_i - 1 in each coordinate has degree below Σ N_i along a line, a wave
    crosses it at most Σ N_i / 2 times; both are integrated to rounding.
    """
    return 2 * sum(grid.shape) + 32
