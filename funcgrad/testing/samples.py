"""Functions of a grid, from low modes to high ones, and points of a domain, for checks and strategies."""

import itertools
import math

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.spaces.circle import Circle
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.interval import Interval
from funcgrad.spaces.line_grids import hermite_functions
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.product import Torus
from funcgrad.spaces.spectral_grid import LineGrid, SpectralGrid
from funcgrad.spaces.sphere import Sphere
from funcgrad.spaces.spline_grid import SplineGrid
from funcgrad.testing.conformance import EPS, Finding


def modes(grid, count, boundary=None):
    """Return the lowest modes of a grid's functions as nodal values, (N, count) or fewer columns.

    They satisfy the domain's boundary condition: eigenfunctions of the Laplacian where the grid holds these,
    otherwise polynomials (decaying functions on Euclidean space), and their products on a tensor grid.
    Their largest value is 1.

    Parameters
    ----------
    grid : Grid
    count : int
    boundary : {"free", "vanishing"}, optional
        Polynomials that satisfy no condition, or vanish at the ends with their derivative, for grids of
        an interval or a box.
    """
    factors = getattr(grid, "factors", None)
    values = _line_modes(grid, count, boundary) if factors is None else _products(factors, count, boundary)
    values = values[:, :count]
    largest = np.abs(values).max(axis=0)
    return values / np.where(largest > 0, largest, 1.0)


def _products(factors, count, boundary):
    """Return the products of the factors' modes, those of a low sum of indices first."""
    lines = [modes(factor, count, boundary) for factor in factors]
    indices = itertools.product(*(range(line.shape[1]) for line in lines))
    chosen = sorted(indices, key=lambda index: (sum(index), max(index)))[:count]
    columns = []
    for index in chosen:
        column = np.ones(1)
        for line, i in zip(lines, index, strict=True):
            column = np.multiply.outer(column, line[:, i]).reshape(-1)
        columns.append(column)
    return np.stack(columns, axis=1)


def _line_modes(grid, count, boundary):
    domain = grid.domain
    if isinstance(domain, Euclidean):
        # Gaussian decay to rounding within the nodes of a truncated grid; Hermite's own on theirs.
        width = grid.scale / 9 if isinstance(grid, LineGrid) else grid.scale
        return hermite_functions(min(count, len(grid)), grid.nodes[:, 0] / width)
    if getattr(grid, "kind", None) == "periodic":
        circle = Circle(grid.length)
        return circle.eigenfunctions(min(count, max(1, len(grid) - 1)), grid.nodes - grid.start)
    if boundary is not None or isinstance(grid, PolynomialGrid | SplineGrid):
        return _polynomials(grid, count, boundary or domain.boundary)
    if isinstance(grid, SpectralGrid):
        # The highest sine of a half-range grid counts twice there.
        count = min(count, max(1, grid.eigenvalues.size - 1))
    return domain.eigenfunctions(count, grid.nodes)


def _polynomials(grid, count, boundary):
    """Return Legendre polynomials that satisfy a condition at both ends of an interval, by their form."""
    domain, n = grid.domain, len(grid)
    t = (2 * grid.nodes[:, 0] - (domain.a + domain.b)) / (domain.b - domain.a)
    taken = {"dirichlet": 2, "vanishing": 4, "neumann": 2}.get(boundary, 0)
    count = max(1, min(count, n - taken))
    legendre = np.polynomial.legendre.legvander(t, count)[:, :count]
    if boundary == "dirichlet":
        return (1 - t**2)[:, None] * legendre
    if boundary == "vanishing":
        return ((1 - t**2) ** 2)[:, None] * legendre
    if boundary != "neumann":
        return legendre
    # The constant, and ∫ (1 - t²) P_k', whose derivative vanishes at the ends; (1 - t²) P_k' is a multiple
    # of P_{k-1} - P_{k+1}.
    columns = [np.ones(n)]
    for k in range(1, count):
        derivative = np.zeros(k + 2)
        derivative[k - 1], derivative[k + 1] = 1.0, -1.0
        columns.append(np.polynomial.legendre.legval(t, np.polynomial.legendre.legint(derivative)))
    return np.stack(columns, axis=1)


def refined(grid):
    """Return the grid of the same rule with twice the nodes along each axis."""
    return _with_nodes(grid, lambda n: 2 * n)


def one_node_more(grid):
    """Return the grid of the same rule with one more node along each axis: an odd number if it was even."""
    return _with_nodes(grid, lambda n: n + 1)


def _with_nodes(grid, change):
    domain = grid.domain
    if hasattr(grid, "degree"):  # of the sphere
        return domain.grid(change(grid.shape[0]))
    factors = getattr(grid, "factors", (grid,))
    sizes = [change(len(factor)) for factor in factors]
    if isinstance(domain, Euclidean):
        return domain.grid(sizes, rule=factors[0].rule, scale=factors[0].scale)
    if len(factors) == 1:
        return domain.grid(*sizes, rule=grid.rule)
    return domain.grid(sizes, rule=[factor.rule for factor in factors])


def of_another_rule(grid):
    """Return a finer grid of an interval whose nodes lie otherwise, None of a domain with one kind of grid.

    Twice as many of Gauss's nodes crowd at the ends as before: weights that count nodes do not show.
    """
    domain = grid.domain
    if not isinstance(domain, Interval) or domain.boundary == "periodic":
        return None
    if isinstance(grid, PolynomialGrid):
        return domain.grid(4 * len(grid), rule="trapezoid")
    return domain.grid(2 * len(grid), rule="gauss-legendre")


def points_of(domain, count, rng):
    """Return points in the interior of a domain, (count, n_coordinates): on Euclidean space in [-1, 1]^n."""
    if isinstance(domain, Euclidean) or math.isinf(getattr(domain, "volume", 1.0)):
        return rng.uniform(-1.0, 1.0, (count, domain.dimension))
    return domain.from_unit_cube(rng.uniform(0.05, 0.95, (count, domain.dimension)))


def lattice_of(domain, count):
    """Return at most `count` points of a domain on a lattice from end to end, (K, n_coordinates).

    Random points in the interior show neither what is special at the ends nor waves of one length.
    """
    n = domain.dimension
    side = max(2, int(count ** (1 / n) + 1e-9))
    closes = isinstance(domain, Circle | Torus | Sphere)
    line = np.arange(side) / side if closes else np.linspace(0.0, 1.0, side)
    cube = np.stack(np.meshgrid(*[line] * n, indexing="ij"), axis=-1).reshape(-1, n)
    if isinstance(domain, Euclidean) or math.isinf(getattr(domain, "volume", 1.0)):
        return 2 * cube - 1
    return domain.from_unit_cube(cube)


def admitted_modes(metric, grid, count, components=None):
    """Return the modes of a grid, as functions, that a metric takes: all, or those of mean zero.

    With components, (N, m), they are modes of one component at a time, those of a low mode first.

    Raises
    ------
    Finding
        If it takes none, with its last refusal.
    """
    values = modes(grid, count)
    mean = grid.weights / grid.weights.sum()
    refusal = None
    for columns in (values, values - mean @ values):
        scalars = [column for column in columns.T if np.abs(column).max() > 1e-8]
        candidates = [u for column in scalars for u in _of_each_component(grid, column, components)][:count]
        refusals = [_refusal(metric, u) for u in candidates]
        taken = [u for u, why in zip(candidates, refusals, strict=True) if why is None]
        refusal = next(filter(None, refusals), refusal)
        if len(taken) == len(candidates):
            break
    if not taken:
        raise Finding(f"{metric} takes none of the functions tried on {grid!r}: {refusal}", {"grid": grid})
    return taken


def _of_each_component(grid, column, components):
    if components is None:
        return [grid.function(column)]
    return [grid.function(np.multiply.outer(column, unit)) for unit in np.eye(components)]


def _refusal(metric, u):
    """Return why a metric refuses a function, None if it does not."""
    try:
        metric.inner(u, u)
    except FuncgradError as why:
        return str(why)
    return None


def combination(functions, coefficients):
    """Return Σ c_i u_i of functions on one grid."""
    grid = functions[0].grid
    return grid.function(sum(c * u.values for c, u in zip(coefficients, functions, strict=True)))


def default_grid():
    """Return the grid on which objects are checked if none is given: 24 nodes on a circle of length 2π."""
    return Circle().grid(24)


def shown(x):
    """Return the coordinates of a point as they stand in a message."""
    return f"{x[0]:.6g}" if len(x) == 1 else str(np.round(x, 6).tolist())


def extent_of(domain, axis):
    """Return how far a domain extends along a coordinate; on Euclidean space, where points are drawn."""
    if isinstance(domain, Sphere):
        return 2.0
    corners = lattice_of(domain, 1)[:, axis]
    return float(np.ptp(corners)) * (2 if isinstance(domain, Circle | Torus) else 1)


def offset_rounding(grid):
    """Return the rounding of nodes that lie far from the origin, in units of the extent: ε|x|/(b - a).

    Nodes between 0 and the extent have the rounding that tolerances have anyway, and count nothing.
    """
    extent = np.ptp(grid.nodes, axis=0)
    far = np.abs(grid.nodes).max(axis=0) / np.where(extent > 0, extent, 1.0)
    return EPS * float(np.sum(far[far > 2]))
