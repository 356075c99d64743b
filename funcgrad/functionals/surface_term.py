"""The term of a covector that integrates over a surface."""

import itertools
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from funcgrad.errors import ConvergenceError, DomainMismatch, InvalidInput
from funcgrad.functionals.terms import Regularity, Term, pairing, sample_undifferentiated
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import sample

# A callable is integrated over a surface with numbers of nodes that double until the value is stable.
_SURFACE_TOLERANCE = 1e-12
_FEWEST_NODES, _MOST_NODES = 16, 2**18


@dataclass(frozen=True)
class SurfaceTerm(Term):
    """v ↦ weight · ∫_Γ ρ ∂_ν^order v dσ; weight is a number, or (m,); ρ a callable, or None for 1."""

    surface: object
    order: int
    weight: np.ndarray = field(compare=False)
    density: object = None

    @property
    def key(self):
        """Its surface, order and density."""
        return SurfaceTerm, self.surface, self.order, self.density

    @property
    def is_uniform(self):
        """Whether every point of the surface sees the same."""
        return self.surface.is_transitive and self.density is None

    @property
    def mass(self):
        """|weight| ∫ |ρ| dσ."""
        _, weights = self.rule(_default_count(self.surface))
        return float(np.linalg.norm(self.weight) * np.abs(weights).sum())

    def apply(self, v):
        """See `Term.apply`; with as many nodes as the grid's functions need, doubled until it settles."""
        if isinstance(v, Function):
            self._check_coordinates(v.grid.domain)
            if self.density is None:
                return self._on_function(v, _resolving_count(v.grid))[0]
            return self._settled(lambda count: self._on_function(v, count), _resolving_count(v.grid))
        if self.order:
            sample_undifferentiated(v, np.zeros((1, self.surface.n_coordinates)), (self.order,))

        def on_callable(count):
            ((points, _, weights),) = self.evaluations(count)
            summands = weights * sample(v, points, "v")
            return float(np.sum(summands)), float(np.sum(np.abs(summands)))

        return self._settled(on_callable, _FEWEST_NODES)

    def _on_function(self, v, count):
        summands = [
            weights * v.grid.evaluate(v.values, points, alpha)
            for points, alpha, weights in self.evaluations(count)
        ]
        return float(sum(map(np.sum, summands))), float(sum(np.abs(s).sum() for s in summands))

    def _settled(self, rule, count):
        """Return what a rule of numbers of nodes that double tends to; rule(count) is (value, scale)."""
        previous = None
        while count**self.surface.dimension <= _MOST_NODES:
            value, scale = rule(count)
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
        count = _resolving_count(grid) + self._density_nodes
        return sum(grid.components(points, w, alpha) for points, alpha, w in self.evaluations(count))

    def _check_coordinates(self, domain):
        if self.surface.n_coordinates != domain.n_coordinates:
            raise DomainMismatch(
                f"a surface of points with {self.surface.n_coordinates} coordinates in {domain}, whose "
                f"points have {domain.n_coordinates}."
            )

    def coefficients(self, domain, count):
        """See `Term.coefficients`; in closed form, but by quadrature for a density."""
        if self.density is None:
            return np.multiply.outer(domain.surface_integrals(count, self.surface, self.order), self.weight)
        highest = math.sqrt(domain.laplacian_spectrum(count)[-1])
        # A wave crosses the surface girth · highest / 2π times; three nodes a wave, and some for the ends.
        nodes = math.ceil(highest * self.surface.girth / 2) + 48 + self._density_nodes
        parts = [pairing(domain, count, x, alpha, w) for x, alpha, w in self.evaluations(nodes)]
        return sum(parts)

    def check_density(self):
        """Raise unless the density is one finite number at each point, not always zero, and smooth."""
        nodes, _ = self.surface.quadrature(_FEWEST_NODES)
        values = sample(self.density, nodes, "density")
        if values.ndim != 1 or not values.any():
            raise InvalidInput("`density` must be one number at each point, not zero everywhere.")
        _nodes_of_density(self.surface, self.density)

    @property
    def _density_nodes(self):
        """How many nodes a direction the density takes besides those of what it multiplies."""
        return 0 if self.density is None else _nodes_of_density(self.surface, self.density)

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

    def resolving_count(self, spacing):
        """Return a number of nodes a direction, 16, 32, 48, ..., that are `spacing` apart and resolve ρ."""
        return max(16 * math.ceil(self.surface.girth / spacing / 16), self._density_nodes)

    def rule(self, count):
        """Return nodes (K, n) and weights (K,) of ∫_Γ ρ · dσ."""
        nodes, weights = self.surface.quadrature(count)
        return nodes, weights if self.density is None else weights * sample(self.density, nodes, "density")

    def evaluations(self, count=None):
        """See `Term.evaluations`; by quadrature, (d/dt)^j v(x+tν) = Σ_{|α|=j} j!/α! ν^α ∂^α v."""
        points, weights = self.rule(_default_count(self.surface) if count is None else count)
        normals = self.surface.normals(points) if self.order else points
        for j, factor in self.surface.straight_derivatives(self.order).items():
            for alpha in multi_indices(self.surface.n_coordinates, j):
                multinomial = math.factorial(j) / math.prod(map(math.factorial, alpha))
                of_alpha = factor * multinomial * weights * np.prod(normals ** np.array(alpha), axis=1)
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


@lru_cache(maxsize=32)
def _nodes_of_density(surface, density):
    """Return a number of nodes a direction that integrates ρ and ρ³ over a surface to rounding."""

    def moments(count):
        nodes, weights = surface.quadrature(count)
        values = sample(density, nodes, "density")
        return np.array([weights @ values, weights @ values**3, weights @ np.abs(values) ** 3])

    count = _FEWEST_NODES
    while (2 * count) ** surface.dimension <= _MOST_NODES:
        coarse, fine = moments(count), moments(2 * count)
        scale = fine[2] ** (1 / 3) * surface.area ** (2 / 3), fine[2]  # of ∫|ρ| (Hölder) and of ∫|ρ|³
        if np.all(np.abs(fine - coarse)[:2] <= np.multiply(_SURFACE_TOLERANCE, scale)):
            return count
        count *= 2
    raise ConvergenceError(
        f"`density` is not integrated over {surface} to a relative {_SURFACE_TOLERANCE:.0e} with {count} "
        "nodes a direction; it must be smooth. Split the surface where it is not."
    )


def _default_count(surface):
    return 256 if surface.dimension == 1 else 64


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
