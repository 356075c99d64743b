"""Strategies for metrics and kernels."""

import numpy as np
from hypothesis import strategies as st

from funcgrad import kernels as library
from funcgrad.metrics import L2, RKHS, Sobolev
from funcgrad.spaces import Box, Euclidean, Interval, PointSet, Sphere, Torus
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.testing.samples import modes
from funcgrad.testing.strategies.spaces import domains, grids

# A family whose length scale is halved so often has a Gram matrix that is diagonal to rounding.
_HALVINGS = 60


def length_scales():
    """Return a strategy for length scales: 1, 1/2, 1/4."""
    return st.sampled_from([1.0, 0.5, 0.25])


def orders():
    """Return a strategy for Sobolev orders: 0, 1, 2, then quarters up to 2."""
    return st.one_of(st.integers(0, 2).map(float), st.integers(0, 8).map(lambda quarters: quarters / 4))


@st.composite
def metrics(
    draw,
    *,
    grid=None,
    kinds=("l2", "sobolev", "density", "derivative", "rkhs"),
    order=None,
    length_scale=None,
):
    """Return a strategy for metrics that work on a grid and are definite there; they shrink to L2.

    Parameters
    ----------
    grid : strategy, optional
        Of grids, on which the metric is to be used; give ``st.just(grid)`` for one.
    kinds : sequence of str
        Among "l2", "density" (L2 of one), "sobolev", "derivative" (W^{k,2}), "homogeneous", "rkhs"; those
        that do not work on the grid are left out.
    order, length_scale : strategy, optional
        Of Sobolev metrics. Negative orders are never drawn unless asked for.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.metrics(), lambda metric: True)
    L2(measure=None)
    """
    on = draw(grids() if grid is None else grid)
    scale = draw(length_scales() if length_scale is None else length_scale)
    kind = draw(st.sampled_from([kind for kind in kinds if _works(kind, on)] or ["l2"]))
    order = orders() if order is None else order
    if kind == "density":
        wave = modes(on, 2)[:, -1]
        return L2(measure=on.function(1 + draw(st.integers(0, 3)) / 4 * wave))
    if kind == "sobolev":
        s = draw(order)
        return Sobolev(s if _takes_every_order(on) else float(round(min(max(s, 0.0), 1.0))), scale)
    if kind == "derivative":
        return Sobolev(draw(st.integers(0, 2)), scale, definition="derivative")
    if kind == "homogeneous":
        return Sobolev(draw(st.integers(1, 2)), scale, homogeneous=True)
    if kind == "rkhs":
        return RKHS(draw(kernels(domain=st.just(on.domain), points=st.just(on.nodes), condition=1e6)))
    return L2()


def _takes_every_order(grid):
    gauss = isinstance(grid, PolynomialGrid) and grid.rule != "gauss-lobatto"
    return isinstance(grid, SpectralGrid) or gauss


def _works(kind, grid):
    domain = grid.domain
    if isinstance(grid, PointSet):
        return kind == "l2"
    if kind in ("sobolev", "homogeneous"):
        polynomial = isinstance(grid, PolynomialGrid) and (kind == "sobolev" or grid.rule != "gauss-lobatto")
        return (isinstance(grid, SpectralGrid) or polynomial) and not (
            kind == "homogeneous" and isinstance(domain, Euclidean)
        )
    if kind == "derivative":
        return isinstance(grid, PolynomialGrid)
    if kind == "rkhs":
        # Nodes at Dirichlet ends make the Gram matrix singular; sums over images in boxes are slow.
        slow = isinstance(domain, Torus | Box)
        at_ends = getattr(domain, "boundary", None) == "dirichlet" and grid.rule != "gauss-legendre"
        return not slow and not at_ends and len(grid) <= 150
    return True


@st.composite
def kernels(draw, *, domain=None, points=None, condition=1e8):
    """Return a strategy for kernels; they shrink to Matern(0.5).

    Parameters
    ----------
    domain : strategy, optional
        Of domains where the kernel acts.
    points : strategy, optional
        Of distinct points (K, n) in the domain; by default 6 of a lattice.
    condition : float
        A bound on the condition number of the Gram matrix at the points: the length scale is halved until
        it holds.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.kernels(), lambda kernel: True)
    Matern(0.5, length_scale=1)
    """
    on = draw(domains(kinds=("interval", "circle", "sphere")) if domain is None else domain)
    X = lattice(on) if points is None else draw(points)
    family = draw(st.sampled_from(_families(on)))
    scale = draw(length_scales())
    factor = draw(st.sampled_from([1.0, 2.0, 0.5]))
    for _ in range(_HALVINGS):
        kernel = family(scale)
        K = kernel.gram(X)
        if np.linalg.cond(K) <= condition:
            break
        scale /= 2
    return kernel if factor == 1.0 else factor * kernel


def lattice(domain):
    """Return 6 distinct points in the interior of a domain, (6, n_coordinates)."""
    t = (np.arange(6) + 0.5) / 6
    n = domain.dimension
    cube = np.stack([(t * (i + 1) + i / 12) % 1.0 for i in range(n)], axis=1)
    return cube if isinstance(domain, Euclidean) else domain.from_unit_cube(cube)


def _families(domain):
    """Return functions of a length scale, each a family of kernels on a domain, simple ones first."""
    plain = [
        lambda ell: library.Matern(0.5, ell),
        lambda ell: library.Matern(1.5, ell),
        lambda ell: library.Matern(2.5, ell),
        lambda ell: library.Gaussian(ell),
        lambda ell: library.Matern(1.5, ell) + library.Gaussian(ell),
        lambda ell: library.Matern(0.5, ell) * library.Gaussian(ell),
    ]
    if isinstance(domain, Sphere):  # radial kernels of R³, restricted
        return [*plain, lambda ell: library.SphereSobolev(2.0, ell)]
    if getattr(domain, "boundary", None) == "periodic" and domain.dimension == 1:
        # Radial kernels of the coordinate are not functions on the circle.
        length = domain.volume
        return [
            lambda ell: library.PeriodicSobolev(1.0, length, ell),
            lambda ell: library.PeriodicSobolev(2.0, length, ell),
            lambda ell: library.PeriodicSobolev(1.25, length, ell),
        ]
    if isinstance(domain, Interval):
        a, b, boundary = domain.a, domain.b, domain.boundary
        plain.append(lambda ell: library.IntervalSobolev(1.0, a, b, boundary, ell))
        plain.append(lambda ell: library.IntervalSobolev(2.0, a, b, boundary, ell))
        return plain
    if isinstance(domain, Euclidean):
        n = domain.dimension
        return [*plain, lambda ell: library.Sobolev(n / 2 + 1, n, ell)]
    return plain
