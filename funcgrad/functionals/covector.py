"""Covectors: linear functionals on functions, as sums of densities, point evaluations, surface integrals."""

import math

import numpy as np

from funcgrad._checks import finite_array, finite_number, whole_number
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.functionals.surface_term import SurfaceTerm
from funcgrad.functionals.terms import (
    Atom,
    DensityTerm,
    PointTerm,
    Regularity,
    combined,
)
from funcgrad.spaces.function import Function
from funcgrad.spaces.surfaces import Surface


class Covector:
    """A linear functional v ↦ Σ ∫ g ∂^α v + Σ w ∂^β v(x) + Σ w ∫_Γ ∂_ν^j v dσ: a number for a function.

    Covectors are added, subtracted and multiplied by numbers; terms at the same point (on the same
    surface, on the same grid) with the same derivative are combined. A covector is not a function: only
    a metric turns one into the other (`Metric.riesz`).

    Parameters
    ----------
    densities : sequence of (Function, int or multi-index)
        Each stands for v ↦ ∫ g ∂^α v.
    atoms : sequence of Atom
    surfaces : sequence of (Surface, order, weight) or (Surface, order, weight, density)

    Attributes
    ----------
    terms : tuple of Term

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> c = fg.PointEvaluation(0.5) - 2 * fg.PointEvaluation(0.25)
    >>> c(lambda x: x**2)
    0.125
    """

    __array_ufunc__ = None

    def __init__(self, densities=(), atoms=(), surfaces=()):
        self.terms = combined(
            [DensityTerm(g, g.grid.domain.multi_index(alpha)) for g, alpha in densities]
            + _point_terms(atoms)
            + [
                SurfaceTerm(surface, order, np.asarray(weight), *rest)
                for surface, order, weight, *rest in surfaces
            ]
        )

    def __call__(self, v):
        """Return c(v) for a `Function` on any grid, or a callable of the n coordinate arrays.

        A callable is evaluated exactly at the atoms, at the nodes of the densities' grids, and over
        surfaces with as many nodes as a relative 1e-12 takes; its derivatives are not known, so terms
        with a derivative refuse it.
        """
        if not callable(v):
            raise InvalidInput(f"a covector takes a Function or a callable; got {type(v).__name__}.")
        return float(sum(term.apply(v) for term in self.terms))

    def components(self, grid):
        """Return c(L_j) on the cardinal functions of a grid, (N,) or (N, m)."""
        total = np.zeros(len(grid))
        for term in self.terms:
            total = _plus(total, term.components(grid))
        return total

    def coefficients(self, domain, count):
        """Return c(e_k) for the first `count` eigenfunctions of -Δ on a domain, (count,) or (count, m)."""
        total = np.zeros(count)
        for term in self.terms:
            total = _plus(total, term.coefficients(domain, count))
        return total

    def effective(self, domain):
        """Return it without what the domain's boundary condition annihilates."""
        return sum_of_terms(left for term in self.terms if (left := term.effective(domain)) is not None)

    @property
    def densities(self):
        """The pairs (g, derivative) of the densities."""
        return tuple((term.g, term.derivative) for term in self.terms if isinstance(term, DensityTerm))

    @property
    def atoms(self):
        """The atoms, one for each point and derivative."""
        return tuple(atom for term in self.terms if isinstance(term, PointTerm) for atom in term.atoms)

    @property
    def surfaces(self):
        """The surface, order, weight and density (None for 1) of each surface integral."""
        surfaces = (t for t in self.terms if isinstance(t, SurfaceTerm))
        return tuple((t.surface, t.order, t.weight, t.density) for t in surfaces)

    def point_groups(self):
        """Yield (points, derivative, weights) for the atoms of each derivative."""
        for term in sorted((t for t in self.terms if isinstance(t, PointTerm)), key=lambda t: t.derivative):
            yield term.points, term.derivative, term.weights

    @property
    def regularity(self):
        """The `Regularity`, from its least regular term; a sampled density counts as square-integrable.

        It takes n to be the number of a point's coordinates; on the sphere, where it is not, ask
        `regularity_in`.
        """
        return self.regularity_in(None)

    def regularity_in(self, dimension):
        """Return the `Regularity` on a domain of dimension n."""
        zero = Regularity(-math.inf, True, "the zero covector is bounded in every metric")
        regularities = [zero, *(term.regularity(dimension) for term in self.terms)]
        return max(regularities, key=lambda regularity: (regularity.order, regularity.strict))

    def __add__(self, other):
        if not isinstance(other, Covector):
            return NotImplemented
        return sum_of_terms(self.terms + other.terms)

    def __mul__(self, scalar):
        scalar = finite_number(scalar, "scalar")
        return sum_of_terms(term.scaled(scalar) for term in self.terms if scalar != 0)

    __rmul__ = __mul__

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return NotImplemented if not isinstance(other, Covector) else self + (-other)

    def __repr__(self):
        surfaces = f", {len(self.surfaces)} surface integrals" if self.surfaces else ""
        return f"<Covector: {len(self.densities)} densities, {len(self.atoms)} atoms{surfaces}>"


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
    """The covector v ↦ ∫ g ∂^derivative v, for a `Function` g, by the quadrature of g's grid.

    Functions of finer grids meet g there, interpolated as one of the ∂^derivative v: by cosines against the
    slopes of sines, so that v ↦ ∫ u'v' is exact for a sum of sines u on any grid that resolves it.

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


class SurfaceIntegral(Covector):
    """The covector v ↦ weight · ∫_Γ ρ ∂_ν^normal_derivative v dσ over a surface Γ of codimension k.

    It is bounded on H^s iff s > k/2 + normal_derivative: less than a point needs. Functions of a grid
    are integrated with enough nodes for rounding; over eigenfunctions the integrals are exact, with a
    density ρ to rounding by quadrature. Two surfaces are combined if they are the same object of
    `funcgrad.surfaces`; pieces that overlap are not.

    Parameters
    ----------
    surface : Surface
        Of `funcgrad.surfaces`: `Flat` (segments, parallelograms), `RoundSphere` (circles, spheres), or
        `SmallCircle` (on the unit sphere).
    normal_derivative : int
        j, along the surface's unit normal ν: straight away from Γ, on the sphere along the geodesic.
    weight : number or array_like, (m,)
        For functions with m components, one weight each.
    density : callable, optional
        ρ, of the coordinate arrays, smooth on the surface (to be split where it is not) and not zero
        everywhere; 1 if it is not given. Terms are combined if they have the same object.

    Raises
    ------
    ConvergenceError
        If the density is not integrated to a relative 1e-12 with 2^18 nodes.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> c = fg.SurfaceIntegral(fg.surfaces.RoundSphere([0.5, 0.5], 0.25), normal_derivative=1)
    >>> f = fg.Box([(0, 1), (0, 1)]).grid(8).function(lambda x, y: x**2 + y**2)
    >>> round(c(f) / np.pi, 12)                  # flux of grad f: ∫ Δf over the disc, 4 π/16
    0.25
    >>> c.regularity.order
    1.5
    >>> moment = fg.SurfaceIntegral(fg.surfaces.Flat([0, 0], [1, 0]), density=lambda x, y: x)
    >>> round(moment(lambda x, y: x), 12)
    0.333333333333
    """

    def __init__(self, surface, normal_derivative=0, weight=1.0, density=None):
        if not isinstance(surface, Surface):
            raise InvalidInput(f"`surface` must be one of funcgrad.surfaces; got {type(surface).__name__}.")
        order = whole_number(normal_derivative, "normal_derivative")
        surface.check_normal_derivative(order)
        weight = finite_array(weight, "weight")
        if density is not None:
            if not callable(density):
                raise InvalidInput(f"`density` must be a callable of the coordinates; got {density!r}.")
            SurfaceTerm(surface, order, weight, density).check_density()
        super().__init__(surfaces=[(surface, order, weight, density)])


def point_evaluations(x, weights, derivative=None):
    """Return v ↦ Σ_i w_i ∂^derivative v(x_i) for points (K, n) and weights (K,) or (K, m)."""
    derivative = (0,) * x.shape[1] if derivative is None else tuple(derivative)
    term = PointTerm(x, derivative, weights).combined()
    return sum_of_terms([] if term is None else [term])


def sum_of_terms(terms):
    """Return the covector that is the sum of terms."""
    c = Covector()
    c.terms = combined(terms)
    return c


def _point_terms(atoms):
    """Return one `PointTerm` for each derivative, atoms at one point combined."""
    groups = {}
    for atom in atoms:
        groups.setdefault(atom.derivative, []).append(atom)
    terms = [
        PointTerm(np.array([a.point for a in group]), derivative, np.array([a.weight for a in group]))
        for derivative, group in groups.items()
    ]
    return [left for term in terms if (left := term.combined()) is not None]


def _plus(a, b):
    """Add components (N,) and (N, m); the zero start of a sum takes the shape of its first term."""
    if a.shape != b.shape and not a.any():
        return b
    if a.shape != b.shape:
        raise DomainMismatch(f"covector terms on different numbers of components: {a.shape} and {b.shape}.")
    return a + b
