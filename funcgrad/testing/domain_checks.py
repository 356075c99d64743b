"""Checks of domains: the Laplacian's spectrum, distances, interpolation; besides those of integration."""

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.spaces import Grid
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
from funcgrad.testing.doors import require_grid, require_instance
from funcgrad.testing.integration_checks import (
    INTEGRATION_CHECKS,
    MODES,
    converging,
    integrates_exactly,
)
from funcgrad.testing.protocols import DomainLike
from funcgrad.testing.samples import extent_of, modes, points_of
from funcgrad.testing.taylor import derivative_trials

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
            return np.asarray(self.object.laplacian_spectrum(MODES), dtype=float)
        except FuncgradError as error:
            raise NotApplicable(str(error)) from error

    @property
    def n_coordinates(self):
        """How many numbers name a point."""
        return getattr(self.object, "n_coordinates", self.object.dimension)

    def eigenfunctions(self, x, alpha=None):
        """Return the first eigenfunctions, or a derivative of them, (K, 10)."""
        alpha = (0,) * self.n_coordinates if alpha is None else alpha
        return self.object.eigenfunctions(MODES, x, alpha if self.n_coordinates > 1 else alpha[0])

    def unit(self, axis, order=1):
        """Return the multi-index of a derivative along one coordinate."""
        return tuple(order * (i == axis) for i in range(self.n_coordinates))


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
            0.01 * extent_of(subject.object, axis),
            lambda index, axis=axis: (
                f"the derivative of e_{index[1]} along coordinate {axis} at x = {x[index[0]].tolist()}"
            ),
            lambda index: {"x": x[index[0]], "k": index[1]},
            float(np.abs(x).max()),
        )


def metric_space(subject, rng):
    """The distance is symmetric, zero at equal points alone, and satisfies the triangle inequality."""
    yield from _ends_that_are_one(subject)
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


def _ends_that_are_one(subject):
    """Yield the trials of ends that no function tells apart: opposite corners of a torus are one point."""
    try:
        _ = subject.spectrum
        ends = subject.object.from_unit_cube(np.array([[0.0], [1.0]]) * np.ones(subject.object.dimension))
        values = subject.eigenfunctions(ends)
    except FuncgradError:
        return
    size = np.abs(values).max()  # beside that of a constant: at the ends of Dirichlet's all vanish
    if size**2 * subject.object.volume < 0.5:
        return
    if np.abs(values[0] - values[1]).max() <= ROUNDING * MODES * size:
        d = float(subject.object.distance(ends[:1], ends[1:])[0])
        message = (
            f"the points {ends[0].tolist()} and {ends[1].tolist()} have distance {d:.3g}, but no "
            "eigenfunction tells them apart: does the distance go round?"
        )
        yield Trial({"x": ends[0], "y": ends[1]}, d, math.sqrt(EPS) * np.ptp(ends, axis=0).max(), message)


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

    yield from converging(on, grid, integrates_exactly(grid))


DOMAIN_CHECKS = [
    require_members(
        ("dimension", "volume", "grid", "laplacian_spectrum", "eigenfunctions", "from_unit_cube"), "domain"
    ),
    *INTEGRATION_CHECKS,
    check_of("domain-spectrum", ascending, "laplacian_spectrum"),
    check_of(
        "domain-eigenvalues", eigenvalue_equation, "laplacian_spectrum", "eigenfunctions", "from_unit_cube"
    ),
    check_of("domain-derivatives", derivatives, "laplacian_spectrum", "eigenfunctions", "from_unit_cube"),
    check_of("domain-distance", metric_space, "distance", "from_unit_cube"),
    check_of("domain-contains", holds_its_nodes, "grid", "contains", "from_unit_cube"),
    check_of("domain-interpolation", interpolates, "grid", "eigenfunctions", "from_unit_cube"),
]


def domain_subject(domain, *, grid=None):
    """Return the subject that `DOMAIN_CHECKS` take."""
    require_instance(domain, "a domain")
    require_grid(grid)
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
