"""Strategies for domains, grids and functions."""

import math

import numpy as np
from hypothesis import strategies as st

from funcgrad._checks import one_of, positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces import Box, Circle, Euclidean, Interval, Sphere, Torus
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.testing.samples import modes
from funcgrad.testing.strategies.given import inner, sampled_kinds

# Fewest nodes an axis; the rules that a domain's grids are drawn from, spectral ones first.
_FEWEST = 8
_COUNTS = {1: 8, 2: 5, 3: 3}
KINDS = ("interval", "circle", "torus", "box", "sphere", "euclidean")


def lengths():
    """Return a strategy for lengths: 1, 2, 3, 4 or halves of them."""
    return st.tuples(st.integers(1, 4), st.sampled_from([1.0, 2.0])).map(lambda pair: pair[0] / pair[1])


def length_scales():
    """Return a strategy for length scales: 1, 1/2, 1/4."""
    return st.sampled_from([1.0, 0.5, 0.25])


@st.composite
def domains(
    draw, *, kinds=("interval", "circle", "torus", "box", "sphere"), dimensions=(1, 2), boundaries=None
):
    """Return a strategy for domains; they shrink to Interval(0, 1).

    Parameters
    ----------
    kinds : sequence of str
        Among "interval", "circle", "torus", "box", "sphere", "euclidean".
    dimensions : sequence of int
        Of those, 1 to 3.
    boundaries : strategy, optional
        Of "neumann", "dirichlet", "periodic", for intervals and the axes of boxes.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.domains(), lambda domain: domain.dimension == 1)
    Interval(a=0.0, b=1.0, boundary='neumann')
    """
    of_dimension = {"interval": {1}, "circle": {1}, "sphere": {2}, "torus": {2, 3}, "box": {2, 3}}
    kind = draw(
        sampled_kinds(
            kinds,
            KINDS,
            fits=lambda kind: set(dimensions) & of_dimension.get(kind, {1, 2, 3}),
            where=f"in the `dimensions` {tuple(dimensions)}",
        )
    )
    boundaries = inner(
        boundaries, "boundaries", lambda: st.sampled_from(["neumann", "dirichlet", "periodic"])
    )
    n = draw(st.sampled_from(sorted(set(dimensions) & of_dimension.get(kind, {1, 2, 3}))))
    # All kinds draw what an interval does, lest one that needs less counts as simpler.
    lines = [(float(draw(st.integers(0, 2))), draw(lengths()), draw(boundaries)) for _ in range(n)]
    if kind == "interval":
        ((a, length, boundary),) = lines
        return Interval(a, a + length, boundary)
    if kind == "circle":
        start, length, _ = lines[0]
        return Circle(length * (2 * math.pi if start else 1.0))
    if kind == "torus":
        return Torus([length for _, length, _ in lines])
    if kind == "box":
        return Box([(a, a + length) for a, length, _ in lines], tuple(boundary for _, _, boundary in lines))
    return Sphere() if kind == "sphere" else Euclidean(n)


def rules_of(domain, spectral=False):
    """Return the quadrature rules that grids of a domain are drawn from."""
    if isinstance(domain, Euclidean):
        return ["truncated"] if spectral else ["gauss-hermite", "mapped", "truncated"]
    if not isinstance(domain, Interval | Box):
        return [None]
    if isinstance(domain, Interval) and domain.boundary == "periodic":
        return [None]
    if isinstance(domain, Box):
        lines = [None if word == "periodic" else "midpoint" for word in domain.boundary]
        gauss = [None if word == "periodic" else "gauss-legendre" for word in domain.boundary]
        return [lines] if spectral else [gauss, lines]
    return ["midpoint"] if spectral else ["gauss-legendre", "midpoint", "gauss-lobatto", "clenshaw-curtis"]


@st.composite
def grids(draw, *, domain=None, nodes=None, spectral=False):
    """Return a strategy for grids; they shrink to 8 Gauss-Legendre nodes on [0, 1].

    Parameters
    ----------
    domain : strategy, optional
        Of domains.
    nodes : strategy, optional
        Of the number of nodes along each axis.
    spectral : bool
        Whether only grids of the Laplacian's eigenfunctions are drawn, on which every metric works.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.grids(), lambda grid: True)
    <gauss-legendre grid of 8 nodes on the interval [0, 1] (neumann)>
    """
    of = draw(inner(domain, "domain", domains))
    rules = rules_of(of, spectral)
    rule = rules[draw(st.integers(0, 3)) % len(rules)]  # one draw however many there are
    if isinstance(of, Euclidean):
        fewest = {"gauss-hermite": _FEWEST, "mapped": 48, "truncated": 64}[rule]
        nodes = inner(nodes, "nodes", lambda: st.integers(fewest, fewest + 8))
        return of.grid(draw(nodes), rule=rule)
    most = {1: 24, 2: 12, 3: 8}[of.dimension]
    # A sphere of n latitudes has 2n² nodes.
    fewest = 5 if isinstance(of, Sphere) else {1: _FEWEST, 2: 6, 3: 5}[of.dimension]
    nodes = inner(nodes, "nodes", lambda: st.integers(fewest, most))
    return of.grid(draw(nodes)) if rule is None else of.grid(draw(nodes), rule=rule)


@st.composite
def functions(
    draw,
    *,
    grid=None,
    smoothness=0.0,
    boundary=None,
    zero_mean=False,
    components=None,
    magnitude=1.0,
    nonzero=False,
):
    """Return a strategy for functions: sums of low modes with coefficients that are eighths.

    They shrink to one wave, or the constant, with the coefficient 1/8 or 0.

    Parameters
    ----------
    grid : strategy, optional
        Of grids.
    smoothness : float
        s >= 0: mode k has a coefficient of at most (1 + λ_k)^{-s/2} times the magnitude's share, so that on a
        grid of eigenfunctions ‖f‖ in H^s is at most √volume times the magnitude.
    boundary : {None, "free", "vanishing"}
        The domain's own boundary condition; or, on polynomial grids of intervals and boxes, none, or
        zeros of f and its derivative at the ends.
    zero_mean : bool
        Whether ∫ f = 0.
    components : int, optional
        m, for functions with values (N, m).
    magnitude : float
        A bound of |f|.
    nonzero : bool
        Whether the zero function is left out.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> f = find(strategies.functions(nonzero=True), lambda f: True)
    >>> sorted(set(f.values.tolist()))
    [0.025]
    """
    on = draw(inner(grid, "grid", grids))
    _check_function(on, smoothness, boundary, components, magnitude)
    count = _COUNTS[on.domain.dimension]
    basis = modes(on, count, boundary)
    if zero_mean:
        basis = basis - (on.weights / on.weights.sum()) @ basis
        size = np.abs(basis).max(axis=0)
        basis = basis[:, size > 1e-8] / size[size > 1e-8]
        if not basis.shape[1]:
            raise InvalidInput(f"no function but 0 of {on!r} has `zero_mean`; draw grids of more nodes.")
    count = min(basis.shape[1], 5)
    share = magnitude / count
    sizes = share * (1 + eigenvalues_of(on, basis)[:count]) ** (-smoothness / 2)
    columns = []
    for component in range(components or 1):
        eighths = draw(st.lists(st.integers(-8, 8), min_size=1, max_size=count))
        if nonzero and component == 0 and not any(eighths):
            eighths[0] = 1
        coefficients = np.zeros(count)
        coefficients[: len(eighths)] = np.array(eighths) / 8
        columns.append(basis[:, :count] @ (sizes * coefficients))
    return on.function(columns[0] if components is None else np.stack(columns, axis=1))


def _check_function(grid, smoothness, boundary, components, magnitude):
    positive_number(magnitude, "magnitude")
    if components is not None:
        whole_number(components, "components", least=1)
    if not smoothness >= 0:
        raise InvalidInput(f"`smoothness` must be 0 or more; got {smoothness!r}.")
    if boundary is not None:
        one_of(boundary, ("free", "vanishing"), "`boundary` of functions")
        lines = getattr(grid, "factors", (grid,))
        if not all(
            isinstance(line.domain, Interval) and line.domain.boundary != "periodic" for line in lines
        ):
            raise InvalidInput(f"`boundary` {boundary!r} is for grids of intervals and boxes; got {grid!r}.")


def eigenvalues_of(grid, basis):
    """Return Rayleigh quotients of modes, their eigenvalues where they are eigenfunctions, (K,)."""
    if isinstance(grid, SpectralGrid):
        images = grid.multiply(grid.eigenvalues, basis.copy())
        return np.maximum((grid.weights @ (basis * images)) / (grid.weights @ basis**2), 0.0)
    n = getattr(grid.domain, "n_coordinates", 1)
    squares = np.zeros(basis.shape[1])
    for axis in range(n):
        alpha = tuple(int(i == axis) for i in range(n))
        squares += grid.weights @ grid.differentiate(basis, alpha if n > 1 else 1) ** 2
    return squares / (grid.weights @ basis**2)
