"""Checks of domains: quadrature, the Laplacian's spectrum, integration by parts, distances."""

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.spaces import Grid
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.spaces.spline_grid import SplineGrid
from funcgrad.testing.conformance import (
    EPS,
    ROUNDING,
    CheckResult,
    NotApplicable,
    OnFail,
    Trial,
    check_of,
    require_members,
    run_checks,
)
from funcgrad.testing.protocols import DomainLike
from funcgrad.testing.samples import modes, points_of, refined, size_of
from funcgrad.testing.taylor import derivative_trials

_MODES = 10
_NODES = {1: 48, 2: 32, 3: 28}


@dataclasses.dataclass
class DomainSubject:
    """A domain with the grid and the points on which it is checked."""

    object: DomainLike
    given_grid: Grid | None = None

    @cached_property
    def grid(self):
        """The given grid, or one of some thousand nodes at most."""
        if self.given_grid is not None:
            return self.given_grid
        return self.object.grid(_NODES.get(self.object.dimension, 8))

    @cached_property
    def spectrum(self):
        """The lowest eigenvalues of -Δ; `NotApplicable` where there are none."""
        try:
            return np.asarray(self.object.laplacian_spectrum(_MODES), dtype=float)
        except FuncgradError as error:
            raise NotApplicable(str(error)) from error

    @property
    def n_coordinates(self):
        """How many numbers name a point."""
        return getattr(self.object, "n_coordinates", self.object.dimension)

    def eigenfunctions(self, x, alpha=None):
        """Return the first eigenfunctions, or a derivative of them, (K, 10)."""
        alpha = (0,) * self.n_coordinates if alpha is None else alpha
        return self.object.eigenfunctions(_MODES, x, alpha if self.n_coordinates > 1 else alpha[0])

    def unit(self, axis, order=1):
        """Return the multi-index of a derivative along one coordinate."""
        return tuple(order * (i == axis) for i in range(self.n_coordinates))


def weights_sum(subject, rng):
    """The quadrature weights are positive and sum to the volume."""
    domain, grid = subject.object, subject.grid
    j = int(np.argmin(grid.weights))
    message = f"the weight of node {j} is {grid.weights[j]:.3g}: quadrature weights must be positive"
    yield Trial({"node": j}, float(-grid.weights[j]), 0.0, message)
    if math.isinf(domain.volume):
        return
    total = float(np.sum(grid.weights))
    message = f"the weights of {grid!r} sum to {total:.12g}, and the volume is {domain.volume:.12g}"
    message += _suspect_node(subject)
    yield Trial(
        {"grid": grid}, abs(total - domain.volume), ROUNDING * math.sqrt(len(grid)) * domain.volume, message
    )


def _suspect_node(subject):
    """Return which single weight would explain wrong integrals, as the end of a sentence."""
    grid = subject.grid
    try:
        values = subject.eigenfunctions(grid.nodes)
    except FuncgradError:
        return ""
    # A weight off by δ at node j leaves the residual δ e(x_j) e(x_j)ᵀ.
    residual = (values.T * grid.weights) @ values - np.eye(_MODES)
    match = np.abs(np.einsum("jm,mn,jn->j", values, residual, values)) / np.sum(values**2, axis=1)
    j = int(np.argmax(match))
    if match[j] < 0.99 * np.linalg.norm(residual):
        return ""
    return f"; the weight of node {j} at {np.round(grid.nodes[j], 6).tolist()} looks wrong"


def orthonormal(subject, rng):
    """The eigenfunctions are orthonormal in L2, by the grid's quadrature."""
    _ = subject.spectrum

    def on(grid):
        values = subject.eigenfunctions(grid.nodes)
        gram = (values.T * grid.weights) @ values
        for i in range(_MODES):
            for j in range(i + 1):
                message = f"∫ e_{i} e_{j} = {gram[i, j]:.9g} on {grid!r}, not {int(i == j)}"
                tolerance = ROUNDING * math.sqrt(len(grid))
                yield Trial({"i": i, "j": j}, abs(gram[i, j] - (i == j)), tolerance, message)

    yield from _converging(on, subject.grid, _exact(subject.grid))


def _exact(grid):
    """Return whether a grid integrates products of two of its functions exactly."""
    return isinstance(grid, SpectralGrid) or "gauss" in getattr(grid, "rule", "")


def _converging(trials_on, grid, exact):
    """Yield the trials on a grid; unless it is exact, those that fail must do so less on a finer one."""
    coarse = list(trials_on(grid))
    if exact or all(trial.margin >= 0 for trial in coarse):
        yield from coarse
        return
    for trial, finer in zip(coarse, trials_on(refined(grid)), strict=True):
        converges = trial.margin < 0 and finer.error < 0.6 * trial.error
        yield dataclasses.replace(trial, tolerance=trial.error) if converges else trial


def ascending(subject, rng):
    """The eigenvalues of -Δ are not negative and ascend, and fewer of them are the first ones."""
    spectrum = subject.spectrum
    tolerance = ROUNDING * max(spectrum[-1], 1.0)
    yield Trial({"k": 0}, -spectrum[0], tolerance, f"-Δ has the negative eigenvalue {spectrum[0]:.6g}")
    for k, step in enumerate(np.diff(spectrum)):
        message = f"eigenvalue {k + 1}, {spectrum[k + 1]:.6g}, is below eigenvalue {k}, {spectrum[k]:.6g}"
        yield Trial({"k": k + 1}, -step, tolerance, message)
    fewer = np.asarray(subject.object.laplacian_spectrum(3), dtype=float)
    error = float(np.abs(fewer - spectrum[:3]).max())
    yield Trial({"count": 3}, error, tolerance, "the first 3 of 10 eigenvalues are not those asked for alone")


def eigenvalue_equation(subject, rng):
    """-Δ e_k = λ_k e_k."""
    spectrum, x = subject.spectrum, points_of(subject.object, 12, rng)
    values = subject.eigenfunctions(x)
    second = [subject.eigenfunctions(x, subject.unit(axis, 2)) for axis in range(subject.n_coordinates)]
    minus_laplacian = -sum(second)
    # Where an eigenfunction is small its cancellation is not: errors are measured against the largest.
    scale = np.abs(values).max(axis=0)
    cancelling = sum(np.abs(part) for part in second).max(axis=0)
    for k, eigenvalue in enumerate(spectrum):
        error = float(np.abs(minus_laplacian[:, k] - eigenvalue * values[:, k]).max())
        quotient = float(minus_laplacian[:, k] @ values[:, k] / (values[:, k] @ values[:, k]))
        message = f"eigenvalue {k} is given as {eigenvalue:.9g}, but -Δ e_{k} = {quotient:.9g} e_{k}"
        tolerance = ROUNDING * len(x) * (cancelling[k] + max(eigenvalue, 1.0) * scale[k])
        yield Trial({"k": k}, error, tolerance, message)


def derivatives(subject, rng):
    """The derivatives of the eigenfunctions are those of their values."""
    _ = subject.spectrum
    if subject.n_coordinates != subject.object.dimension:
        raise NotApplicable("the coordinates are not free: differences along them leave the domain")
    x = points_of(subject.object, 4, rng)
    for axis in range(subject.n_coordinates):
        unit, shift = subject.unit(axis), np.eye(subject.n_coordinates)[axis]
        yield from derivative_trials(
            lambda t, shift=shift: subject.eigenfunctions(x + t * shift),
            subject.eigenfunctions(x, unit),
            0.01 * size_of(subject.object),
            lambda index, axis=axis: (
                f"the derivative of e_{index[1]} along coordinate {axis} at x = {x[index[0]].tolist()}"
            ),
            lambda index: {"x": x[index[0]], "k": index[1]},
            float(np.abs(x).max()),
        )


def by_parts(subject, rng):
    """∫ u ∂v + ∫ v ∂u is the flux of uv through the boundary."""
    if subject.n_coordinates != subject.object.dimension:
        raise NotApplicable("the boundary of this domain is empty, and coordinates are not free")

    def on(grid):
        values = _members(grid)
        for axis in range(subject.n_coordinates):
            alpha = subject.unit(axis)
            slopes = grid.differentiate(values, alpha if subject.n_coordinates > 1 else alpha[0])
            for i in range(values.shape[1]):
                for j in range(i + 1):
                    yield _parts_trial(grid, axis, values[:, [i, j]], slopes[:, [i, j]], (i, j))

    # Products of a cosine and a sine series are not integrated exactly by the midpoint rule.
    half_range = any(
        getattr(f, "kind", "") in ("neumann", "dirichlet")
        for f in getattr(subject.grid, "factors", [subject.grid])
    )
    yield from _converging(on, subject.grid, _exact(subject.grid) and not half_range)


def _members(grid):
    """Return functions of a grid that satisfy no condition at the ends where it can, (N, 6)."""
    factors = getattr(grid, "factors", (grid,))
    free = all(
        isinstance(factor, PolynomialGrid | SplineGrid) or factor.domain.boundary == "periodic"
        for factor in factors
    )
    return modes(grid, 6, "free" if free else None)


def _parts_trial(grid, axis, values, slopes, indices):
    products = [values[:, 0] * slopes[:, 1], values[:, 1] * slopes[:, 0]]
    left = float(grid.weights @ sum(products))
    flux, unresolved = _flux(grid, values[:, 0] * values[:, 1], axis)
    size = float(grid.weights @ sum(np.abs(product) for product in products)) + 1.0
    message = (
        f"integration by parts fails along coordinate {axis}: ∫ u ∂v + v ∂u = {left:.9g} and the boundary "
        f"terms are {flux:.9g}, u = mode {indices[0]}, v = mode {indices[1]} of {grid!r}"
    )
    tolerance = ROUNDING * len(grid) * size + unresolved
    return Trial({"u": values[:, 0], "v": values[:, 1]}, abs(left - flux), tolerance, message)


def _flux(grid, product, axis):
    """Return ∫ uv ν_axis over the boundary, and a bound of its error."""
    factors = getattr(grid, "factors", (grid,))
    line = factors[axis].domain
    if not hasattr(line, "a") or line.boundary == "periodic":
        return 0.0, 0.0
    others = np.ones(1)
    shape = [len(factor) for factor in factors]
    ends = factors[axis].interpolation_matrix([line.a, line.b])
    at_ends = np.tensordot(ends[1] - ends[0], product.reshape(shape), axes=(0, axis))
    for i, factor in enumerate(factors):
        if i != axis:
            others = np.multiply.outer(others, factor.weights)
    return float(np.sum(others.reshape(at_ends.shape) * at_ends)), EPS * len(grid) ** 2


def metric_space(subject, rng):
    """The distance is symmetric, zero at equal points alone, and satisfies the triangle inequality."""
    x = points_of(subject.object, 6, rng)
    d = np.array([[float(subject.object.distance(p[None], q[None])[0]) for q in x] for p in x])
    tolerance = ROUNDING * d.max()
    for i in range(len(x)):
        yield Trial(
            {"x": x[i]}, d[i, i], math.sqrt(EPS) * d.max(), f"a point has distance {d[i, i]:.3g} from itself"
        )
        for j in range(i):
            message = f"the distance is not symmetric: {d[i, j]:.9g} and {d[j, i]:.9g}"
            yield Trial({"x": x[i], "y": x[j]}, abs(d[i, j] - d[j, i]), tolerance, message)
            message = f"two different points have distance {d[i, j]:.3g}"
            yield Trial({"x": x[i], "y": x[j]}, tolerance, d[i, j], message)
            detour = float((d[i] + d[:, j]).min())
            message = (
                f"the triangle inequality fails: {d[i, j]:.9g}, but {detour:.9g} by way of another point"
            )
            yield Trial({"x": x[i], "y": x[j]}, d[i, j] - detour, tolerance, message)


def holds_its_nodes(subject, rng):
    """The grid's nodes and uniform points lie in the domain."""
    for name, x in (
        ("nodes of its grid", subject.grid.nodes),
        ("points", points_of(subject.object, 20, rng)),
    ):
        inside = np.asarray(subject.object.contains(x))
        message = f"`contains` denies one of the {name}: {x[np.argmin(inside)].tolist()}"
        yield Trial({"x": x}, float(not inside.all()), 0.0, message)


def interpolates(subject, rng):
    """A function of the grid has its nodal values at the nodes, and an eigenfunction its own between them."""
    grid = subject.grid
    values = modes(grid, 6)
    u = grid.function(values)
    some = rng.permutation(len(grid))[:8]
    for i in range(values.shape[1]):
        error = float(np.abs(u(grid.nodes[some])[:, i] - values[some, i]).max())
        message = f"mode {i} of {grid!r} evaluated at its nodes is not its nodal values: off by {error:.3g}"
        yield Trial({"mode": i}, error, ROUNDING * len(grid), message)
    _ = subject.spectrum
    x = points_of(subject.object, 8, rng)
    exact = subject.eigenfunctions(x)

    def on(grid):
        claimed = grid.function(subject.eigenfunctions(grid.nodes))(x)
        for k in range(4):
            error = float(np.abs(claimed[:, k] - exact[:, k]).max() / np.abs(exact[:, k]).max())
            message = f"the interpolant of e_{k} on {grid!r} is off by {error:.3g} between the nodes"
            yield Trial({"k": k}, error, 1e-6, message)

    yield from _converging(on, grid, _exact(grid))


DOMAIN_CHECKS = [
    require_members(("dimension", "volume", "grid", "laplacian_spectrum", "eigenfunctions"), "domain"),
    check_of("domain-weights", weights_sum, "grid", "volume"),
    check_of("domain-orthonormal", orthonormal, "grid", "eigenfunctions", "laplacian_spectrum"),
    check_of("domain-spectrum", ascending, "laplacian_spectrum"),
    check_of("domain-eigenvalues", eigenvalue_equation, "laplacian_spectrum", "eigenfunctions"),
    check_of("domain-derivatives", derivatives, "laplacian_spectrum", "eigenfunctions"),
    check_of("domain-by-parts", by_parts, "grid"),
    check_of("domain-distance", metric_space, "distance"),
    check_of("domain-contains", holds_its_nodes, "grid", "contains"),
    check_of("domain-interpolation", interpolates, "grid", "eigenfunctions"),
]


def domain_subject(domain, *, grid=None):
    """Return the subject that `DOMAIN_CHECKS` take."""
    return DomainSubject(domain, grid)


def check_domain(
    domain: DomainLike,
    *,
    grid: Grid | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that an object is a domain: its grids, its Laplacian's spectrum and its distance belong together.

    Parameters
    ----------
    domain : object
        With the members of `funcgrad.Domain`; it need not derive from it.
    grid : Grid, optional
        One of its grids; by default the domain's own of some hundred nodes.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_domain
    >>> all(result.ok for result in check_domain(fg.Interval(0, 2)))
    True
    """
    return run_checks(DOMAIN_CHECKS, domain_subject(domain, grid=grid), rng, expected_failures, on_fail)
