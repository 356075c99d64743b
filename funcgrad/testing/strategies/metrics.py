"""Strategies for metrics, and for metrics that depend on their base point."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from funcgrad import metrics as library
from funcgrad.functionals import Integral, ResidualLoss
from funcgrad.metrics import L2, RKHS, Metric, MetricField, Sobolev
from funcgrad.spaces import Box, Circle, Euclidean, Function, Grid, Interval, PointSet, Sphere, Torus
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import LineGrid, SpectralGrid
from funcgrad.testing.samples import modes
from funcgrad.testing.strategies.given import inner, sampled_kinds
from funcgrad.testing.strategies.kernels import kernels
from funcgrad.testing.strategies.models import models
from funcgrad.testing.strategies.spaces import domains, functions, grids, length_scales


def orders():
    """Return a strategy for Sobolev orders: 0, 1, 2, then quarters up to 2."""
    return st.one_of(st.integers(0, 2).map(float), st.integers(0, 8).map(lambda quarters: quarters / 4))


# The last for functions of mean zero, which are to be asked for.
_METRICS = ("l2", "sobolev", "density", "derivative", "rkhs", "sum", "tangent-extended", "homogeneous")


@st.composite
def metrics(
    draw,
    *,
    grid=None,
    kinds=_METRICS[:-1],
    order=None,
    length_scale=None,
):
    """Return a strategy for metrics that work on a grid and are definite there; they shrink to L2.

    Parameters
    ----------
    grid : strategy, optional
        Of grids, on which the metric is to be used; give ``st.just(grid)`` for one.
    kinds : sequence of str
        Among "l2", "density" (L2 of one), "sobolev", "derivative" (W^{k,2}), "homogeneous", "rkhs", "sum"
        (of two of the others), "tangent-extended"; those that do not work on the grid are left out, and it is
        an error if none is left.
    order, length_scale : strategy, optional
        Of Sobolev metrics. Negative orders are never drawn unless asked for.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.metrics(), lambda metric: True)
    L2(measure=None)
    """
    on = draw(inner(grid, "grid", grids))
    scale = draw(inner(length_scale, "length_scale", length_scales))
    kind = draw(sampled_kinds(kinds, _METRICS, fits=lambda kind: _works(kind, on), where=f"on {on!r}"))
    order = inner(order, "order", orders)
    if kind == "sum":
        parts = metrics(
            grid=st.just(on),
            kinds=("l2", "sobolev", "density", "derivative"),
            order=order,
            length_scale=st.just(scale),
        )
        return draw(st.sampled_from([1.0, 0.5, 2.0])) * draw(parts) + draw(parts)
    if kind == "tangent-extended":
        drawn = draw(models(domain=st.just(on.domain), nonlinear=False))
        h = np.diag([1.0 + draw(st.integers(0, 2)) for _ in drawn.theta])
        return library.TangentExtended(
            drawn.model, drawn.theta, h, draw(st.sampled_from([L2(), Sobolev(1.0)]))
        )
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
    if kind == "sum":
        return domain.dimension == 1  # dual norms are extrapolated over grids of a million nodes in more
    if kind == "tangent-extended":
        # Tangent functions of a drawn model need not vanish at the ends, and must be the grid's.
        free = getattr(domain, "boundary", "") == "periodic" or grid.rule == "gauss-legendre"
        one_dimensional = isinstance(domain, Interval | Circle) and domain.boundary != "dirichlet"
        return one_dimensional and free and len(grid) >= 12
    if kind == "rkhs":
        # Nodes at Dirichlet ends make the Gram matrix singular; sums over images in boxes are slow.
        slow = isinstance(domain, Torus | Box)
        at_ends = getattr(domain, "boundary", None) == "dirichlet" and grid.rule != "gauss-legendre"
        return not slow and not at_ends and len(grid) <= 150
    return True


@dataclass(frozen=True)
class DrawnField:
    """A metric that depends on its base point, with one.

    Attributes
    ----------
    field : MetricField
    base : Function
        Where, and at whose double, it is a metric.
    grid : Grid
        The grid of `base`, on which the metric works.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> drawn = find(strategies.metric_fields(), lambda drawn: True)
    >>> drawn.field, drawn.grid
    (FisherRao(), <gauss-legendre grid of 8 nodes on the interval [0, 1] (neumann)>)
    """

    field: MetricField
    base: Function
    grid: Grid

    @property
    def metric(self) -> Metric:
        """The metric at the base point."""
        return self.field.at(self.base)


_FIELDS = ("fisher-rao", "fisher", "energy", "gauss-newton", "sum", "wasserstein")
_OF_DENSITIES = ("fisher-rao", "sum", "wasserstein")


@st.composite
def metric_fields(draw, *, grid=None, kinds=_FIELDS):
    """Return a strategy for metrics that depend on their base point; they shrink to Fisher and Rao's.

    Parameters
    ----------
    grid : strategy, optional
        Of grids, on which the metric is to be used; by default of those on which the kind works.
    kinds : sequence of str
        Among "fisher-rao", "fisher", "energy" (convex ones), "gauss-newton", "sum" (with one that does
        not depend on it), "wasserstein" (for functions of mean zero); those that do not work on the grid
        are left out, and it is an error if none is left.

    Returns
    -------
    strategy of DrawnField
        The field, a base point and its grid.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.metric_fields(), lambda drawn: True).field
    FisherRao()
    """
    if grid is None:
        kind = draw(sampled_kinds(kinds, _FIELDS))
        on = draw(_grids_for(kind))
    else:
        on = draw(inner(grid, "grid", grids))
        works = sampled_kinds(kinds, _FIELDS, fits=lambda kind: _field_works(kind, on), where=f"on {on!r}")
        kind = draw(works)
    if kind in _OF_DENSITIES:
        wave = modes(on, 2)[:, -1]
        base = on.function(1 + draw(st.integers(0, 3)) / 4 * wave)
    elif kind == "energy":  # the grid is to integrate products of u² and two more of its functions
        base = on.function(draw(st.integers(0, 3)) * modes(on, 2)[:, -1])
    else:
        base = draw(functions(grid=st.just(on)))
    field = {
        "fisher-rao": st.just(library.FisherRao()),
        "fisher": st.sampled_from([library.Gaussian(0.5), library.Bernoulli(), library.Poisson()]).map(
            library.Fisher
        ),
        "energy": _energies(on).map(library.Energy),
        "gauss-newton": _residual_losses(on).map(library.GaussNewton),
        "sum": metrics(grid=st.just(on), kinds=("l2", "sobolev", "density")).map(
            lambda metric: library.FisherRao() + metric
        ),
        "wasserstein": st.just(library.Wasserstein()),
    }[kind]
    return DrawnField(draw(field), base, on)


@st.composite
def _grids_for(draw, kind):
    """Return a strategy for grids on which a kind works."""
    if kind == "fisher":
        return draw(grids())
    boundaries = st.sampled_from(
        ["neumann", "periodic"] if kind in _OF_DENSITIES else ["neumann", "dirichlet"]
    )
    on = draw(domains(kinds=("interval", "circle", "box", "torus"), boundaries=boundaries))
    spectral = draw(st.booleans()) or (kind == "wasserstein" and on.dimension > 1)
    return draw(grids(domain=st.just(on), spectral=True)) if spectral else on.grid(draw(st.integers(8, 12)))


def _field_works(kind, grid):
    if kind == "fisher":
        return True
    if isinstance(grid, PointSet) or isinstance(grid.domain, Euclidean | Sphere):
        return False
    lines = getattr(grid, "factors", (grid,))
    if kind in ("energy", "gauss-newton"):
        return all(isinstance(line, LineGrid | PolynomialGrid) for line in lines)
    if any(isinstance(line, LineGrid) and line.domain.boundary == "dirichlet" for line in lines):
        return False  # a sum of sines is no positive density
    gauss = len(lines) == 1 and grid.rule == "gauss-legendre"
    return kind != "wasserstein" or gauss or all(isinstance(line, LineGrid) for line in lines)


def _energies(grid):
    """Return convex energies with first derivatives: D²E >= <., .> of H^1."""
    names = ["x", "y", "z"][: grid.domain.n_coordinates]
    square = " + ".join(f"u_{name}**2/2" for name in names) + " + u**2/2"
    return st.sampled_from(["", " + u**4/4", " + cosh(u)"]).map(
        lambda term: Integral(square + term, " ".join(names))
    )


def _residual_losses(grid):
    """Return losses of residuals at the nodes, whose linearisations vanish on no function of the grid."""
    names = ["x", "y", "z"][: grid.domain.n_coordinates]
    laplacian = " + ".join(f"u_{name}{name}" for name in names)
    return st.sampled_from(["u + u**3", f"{laplacian} - u"]).map(
        lambda residual: ResidualLoss(residual, grid.nodes, " ".join(names))
    )
