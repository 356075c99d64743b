"""Covectors: linear functionals on functions, as sums of densities and point evaluations."""

import math
from dataclasses import dataclass

import numpy as np

from funcgrad._checks import finite_array, finite_number, point_array, whole_number
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.spaces.function import Function
from funcgrad.spaces.grid import sample


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


class Covector:
    """A linear functional v ↦ Σ ∫ g ∂^α v + Σ w ∂^β v(x): takes a function, gives a number.

    Covectors are added, subtracted and multiplied by numbers; terms at the same point with the same
    derivative are combined. A covector is not a function: only a metric turns one into the other
    (`Metric.riesz`).

    Parameters
    ----------
    densities : sequence of (Function, int or multi-index)
        Each stands for v ↦ ∫ g ∂^α v.
    atoms : sequence of Atom

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> c = fg.PointEvaluation(0.5) - 2 * fg.PointEvaluation(0.25)
    >>> c(lambda x: x**2)
    0.125
    """

    __array_ufunc__ = None

    def __init__(self, densities=(), atoms=()):
        self.densities = tuple((g, g.grid.domain.multi_index(alpha)) for g, alpha in densities)
        self.atoms = _combined(atoms)

    def __call__(self, v):
        """Return c(v) for a `Function` on any grid, or a callable of the n coordinate arrays.

        A callable is evaluated exactly at the atoms, and at the nodes of the densities' grids; its
        derivatives are not known, so atoms and densities with a derivative refuse it.
        """
        if not callable(v):
            raise InvalidInput(f"a covector takes a Function or a callable; got {type(v).__name__}.")
        total = 0.0
        for g, alpha in self.densities:
            if isinstance(v, Function):
                total += float(np.sum(_density_components(g, alpha, v.grid) * v.values))
            else:
                values = _undifferentiated(v, g.grid.nodes, alpha)
                total += float(np.sum(g.grid.integrate(g.values * values)))
        for points, alpha, weights in self.point_groups():
            if isinstance(v, Function):
                values = v.grid.evaluate(v.values, _checked(points, v.grid), alpha)
            else:
                values = _undifferentiated(v, points, alpha)
            total += float(np.sum(weights * values))
        return total

    def components(self, grid):
        """Return c(L_j) on the cardinal functions of a grid, (N,) or (N, m)."""
        total = np.zeros(len(grid))
        for g, alpha in self.densities:
            total = _plus(total, _density_components(g, alpha, grid))
        for points, alpha, weights in self.point_groups():
            total = _plus(total, grid.components(_checked(points, grid), weights, alpha))
        return total

    def point_groups(self):
        """Yield (points, derivative, weights) for the atoms of each derivative."""
        for derivative in sorted({atom.derivative for atom in self.atoms}):
            chosen = [atom for atom in self.atoms if atom.derivative == derivative]
            points = np.array([atom.point for atom in chosen])
            yield points, derivative, np.array([atom.weight for atom in chosen])

    @property
    def regularity(self):
        """The `Regularity`, from its least regular term; a sampled density counts as square-integrable.

        It takes n to be the number of a point's coordinates; on the sphere, where it is not, ask
        `regularity_in`.
        """
        return self.regularity_in(None)

    def regularity_in(self, dimension):
        """Return the `Regularity` on a domain of dimension n."""
        worst = Regularity(-math.inf, True, "the zero covector is bounded in every metric")
        for _, alpha in self.densities:
            order = sum(alpha)
            if order > worst.order:
                kind = "a density in L2" if order == 0 else f"a density against derivatives of order {order}"
                worst = Regularity(float(order), False, f"{kind} is bounded on H^s for s >= {order}")
        for atom in self.atoms:
            order, n = sum(atom.derivative), dimension or len(atom.point)
            threshold = n / 2 + order
            if threshold > worst.order or (threshold == worst.order and not worst.strict):
                kind = "point evaluation" if order == 0 else f"a point derivative of order {order}"
                formula = "n/2" if order == 0 else f"n/2 + {order}"
                worst = Regularity(
                    threshold, True, f"{kind} is bounded on H^s iff s > {formula} = {threshold:g} (n = {n})"
                )
        return worst

    def __add__(self, other):
        if not isinstance(other, Covector):
            return NotImplemented
        return Covector(self.densities + other.densities, self.atoms + other.atoms)

    def __mul__(self, scalar):
        scalar = finite_number(scalar, "scalar")
        densities = [(scalar * g, alpha) for g, alpha in self.densities]
        atoms = [Atom(atom.point, atom.derivative, scalar * atom.weight) for atom in self.atoms]
        return Covector(densities, atoms)

    __rmul__ = __mul__

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return NotImplemented if not isinstance(other, Covector) else self + (-other)

    def __repr__(self):
        return f"<Covector: {len(self.densities)} densities, {len(self.atoms)} atoms>"


class PointEvaluation(Covector):
    """The covector v ↦ weight · ∂^derivative v(x).

    Parameters
    ----------
    x : number or array_like, (n,)
        The point.
    derivative : int or multi-index (n,)
        The spatial derivative to evaluate, none by default.
    weight : number or array_like, (m,)
        For functions with m components, one weight each.

    Examples
    --------
    >>> import funcgrad as fg
    >>> print(fg.PointEvaluation(0.3).regularity)
    s > 0.5 (point evaluation is bounded on H^s iff s > n/2 = 0.5 (n = 1))
    """

    def __init__(self, x, derivative=0, weight=1.0):
        point = finite_array(x, "x")
        if point.ndim > 1:
            raise InvalidInput(f"`x` must be one point, (n,); got shape {point.shape}.")
        point = point.reshape(-1)
        index = np.zeros(point.size, int) if np.array_equal(derivative, 0) else np.atleast_1d(derivative)
        if index.shape != point.shape:
            raise InvalidInput(f"`derivative` must have {point.size} entries, one a coordinate.")
        index = tuple(whole_number(order, "derivative") for order in index.tolist())
        super().__init__(atoms=[Atom(tuple(point.tolist()), index, finite_array(weight, "weight"))])


class Density(Covector):
    """The covector v ↦ ∫ g ∂^derivative v, for a `Function` g.

    Examples
    --------
    >>> import funcgrad as fg
    >>> grid = fg.Interval(0, 1).grid(6)
    >>> c = fg.Density(grid.function(lambda x: x))
    >>> round(c(lambda x: x), 12)
    0.333333333333
    """

    def __init__(self, g, derivative=0):
        if not isinstance(g, Function):
            raise InvalidInput("`g` must be a Function; make one with `grid.function(...)`.")
        super().__init__(densities=[(g, derivative)])


def point_evaluations(x, weights):
    """Return v ↦ Σ_i w_i v(x_i) for points (K, n) and weights (K,) or (K, m)."""
    origin = (0,) * x.shape[1]
    return Covector(atoms=[Atom(tuple(p), origin, w) for p, w in zip(x.tolist(), weights, strict=True)])


def _combined(atoms):
    merged = {}
    for atom in atoms:
        key = (atom.point, atom.derivative)
        merged[key] = merged[key] + atom.weight if key in merged else atom.weight
    return tuple(Atom(*key, weight) for key, weight in merged.items() if np.any(weight != 0))


def _checked(points, grid):
    return point_array(points, grid.domain.n_coordinates, "point of the covector")


def _undifferentiated(v, points, alpha):
    if any(alpha):
        raise InvalidInput(
            "a covector with derivatives needs a Function; got a callable without derivatives."
        )
    return sample(v, points, "v")


def _density_components(g, alpha, grid):
    """∫ g ∂^α L_j on the finer of the two grids, where both g and the L_j are resolved."""
    if g.grid.domain != grid.domain:
        raise DomainMismatch(f"a density on {g.grid.domain} meets functions on {grid.domain}.")
    if len(g.grid) < len(grid):
        g = grid.function(g)
    weighted = _column(g.grid.weights, g.values) * g.values
    if g.grid == grid and not any(alpha):
        return weighted
    return grid.components(g.grid.nodes, weighted, alpha)


def _column(weights, values):
    return weights.reshape(-1, *[1] * (values.ndim - 1))


def _plus(a, b):
    """Add components (N,) and (N, m); the zero start of a sum takes the shape of its first term."""
    if a.shape != b.shape and not a.any():
        return b
    if a.shape != b.shape:
        raise DomainMismatch(f"covector terms on different numbers of components: {a.shape} and {b.shape}.")
    return a + b
