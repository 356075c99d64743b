"""Checks of metrics: `inner`, `norm`, `flat`, `riesz`, `dual_norm`, and what is there besides."""

import copy
import dataclasses
import itertools
import math
from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.functionals import Density, PointEvaluation
from funcgrad.testing.conformance import (
    EPS,
    ROUNDING,
    Check,
    NotApplicable,
    Trial,
    changed,
    require_members,
    run_checks,
    snapshot,
)
from funcgrad.testing.samples import admitted_modes, combination, default_grid, refined

_LOW, _HIGH = 6, 6


@dataclasses.dataclass
class MetricSubject:
    """A metric with the grid on which it is checked, and how it treats rounding there.

    Nodal values carry errors of ε, and the metric measures those as it measures its roughest functions:
    `roughest` is the largest ‖u‖/‖u‖_0, and its quotient with the least one is the condition of S.
    """

    object: object
    grid: object

    @cached_property
    def functions(self):
        """Low modes that the metric takes, lowest first."""
        return self._spanning[:_LOW]

    @cached_property
    def _spanning(self):
        taken = admitted_modes(self.object, self.grid, len(self.grid))
        return taken if len(taken) <= _LOW + _HIGH else taken[:_LOW] + taken[-_HIGH:]

    @cached_property
    def gram(self):
        """<u_i, u_j>/(‖u_i‖_0 ‖u_j‖_0) of low and high modes, (K, K)."""
        units = [u / l2_norm(u) for u in self._spanning]
        return np.array([[self.object.inner(u, v) for v in units] for u in units])

    @cached_property
    def spectrum(self):
        """Eigenvalues of the symmetric part of `gram`, ascending."""
        return np.linalg.eigvalsh((self.gram + self.gram.T) / 2)

    @cached_property
    def roughest(self):
        """The largest ‖u‖/‖u‖_0."""
        return math.sqrt(max(np.abs(self.spectrum).max(), np.diag(self.gram).max()))

    @cached_property
    def condition(self):
        """Of S on what the metric does not take for zero."""
        seen = np.abs(self.spectrum[np.abs(self.spectrum) > len(self.spectrum) * EPS * self.roughest**2])
        return self.roughest / math.sqrt(seen.min()) if len(seen) else math.inf

    def rounding(self, u, v):
        """Return what rounding of nodal values may change in <u, v>."""
        size = self.roughest * (l2_norm(u) * self.norm(v) + l2_norm(v) * self.norm(u))
        return ROUNDING * math.sqrt(len(self.grid)) * size

    def norm(self, u):
        """Return √<u, u>, by `inner`."""
        return math.sqrt(abs(self.object.inner(u, u)))

    def pairs(self):
        """Yield (i, u, j, v) over pairs of low modes, low ones first."""
        indices = sorted(itertools.product(range(len(self.functions)), repeat=2), key=sum)
        for i, j in indices:
            yield i, self.functions[i], j, self.functions[j]

    def covectors(self, rng):
        """Yield (name, c): covectors that the metric takes; those of points only at nodes."""
        u = self.functions[min(1, len(self.functions) - 1)]
        node = self.grid.nodes[int(rng.integers(len(self.grid)))]
        candidates = [
            ("the metric's own flat(mode 1)", self.object.flat(u)),
            ("v ↦ ∫ (mode 1) v", Density(u)),
            (f"v ↦ v({_point(node)})", PointEvaluation(node)),
        ]
        for name, c in candidates:
            try:
                self.object.riesz(c, self.grid)
            except FuncgradError:
                continue
            yield name, c


def l2_norm(u):
    """Return the L2 norm of a function by its grid's quadrature."""
    return math.sqrt(float(np.sum(u.grid.integrate(u.values**2))))


def _point(x):
    return f"{x[0]:.4g}" if len(x) == 1 else str(np.round(x, 4).tolist())


def symmetric(subject, rng):
    """<u, v> = <v, u>."""
    for i, u, j, v in subject.pairs():
        if i < j:
            there, back = subject.object.inner(u, v), subject.object.inner(v, u)
            message = f"it is not symmetric: <u, v> = {there:.9g} and <v, u> = {back:.9g}, u = mode {i}, "
            message += f"v = mode {j}"
            yield Trial({"u": u, "v": v}, abs(there - back), subject.rounding(u, v), message)


def bilinear(subject, rng):
    """<au + w, v> = a<u, v> + <w, v>."""
    inner = subject.object.inner
    for i, u, j, v in subject.pairs():
        a, w = float(rng.uniform(-2, 2)), subject.functions[0]
        left, right = inner(a * u + w, v), a * inner(u, v) + inner(w, v)
        tolerance = subject.rounding(abs(a) * u + w, v) + abs(a) * subject.rounding(u, v)
        tolerance += subject.rounding(w, v)
        message = f"it is not linear: <{a:.3g}u + w, v> = {left:.9g}, {a:.3g}<u, v> + <w, v> = {right:.9g}"
        yield Trial({"u": u, "v": v, "w": w}, abs(left - right), tolerance, f"{message} (modes {i}, {j}, 0)")


def positive(subject, rng):
    """<u, u> >= 0."""
    for i, u in enumerate(subject.functions):
        square = subject.object.inner(u, u)
        message = f"it is not positive: <u, u> = {square:.6g} for u = mode {i}"
        yield Trial({"u": u}, -square, subject.rounding(u, u), message)
    lowest = float(subject.spectrum[0])
    tolerance = ROUNDING * len(subject.grid) * subject.roughest**2
    message = f"it is not positive: the Gram matrix of the grid's modes has the eigenvalue {lowest:.6g}"
    yield Trial({"gram": subject.gram}, -lowest, tolerance, message)


def definite(subject, rng):
    """<u, u> > 0 unless u = 0."""
    values, vectors = np.linalg.eigh((subject.gram + subject.gram.T) / 2)
    floor = EPS * len(subject.grid) * values[-1]
    u = combination([u / l2_norm(u) for u in subject._spanning], vectors[:, 0])
    message = (
        f"it is not definite: a function of L2 norm 1 has <u, u> = {values[0]:.3g}, rounding beside "
        f"{values[-1]:.3g}; representers are then not unique"
    )
    yield Trial({"u": u}, floor, max(float(values[0]), 0.0), message)


def norm_of_inner(subject, rng):
    """norm(u)² = <u, u>."""
    for i, u in enumerate(subject.functions):
        square, inner = subject.object.norm(u) ** 2, subject.object.inner(u, u)
        message = f"norm(u)² = {square:.9g} is not <u, u> = {inner:.9g} for u = mode {i}"
        yield Trial({"u": u}, abs(square - inner), subject.rounding(u, u), message)


def flat(subject, rng):
    """flat(u)(v) = <u, v>."""
    for i, u, j, v in subject.pairs():
        pairing, inner = subject.object.flat(u)(v), subject.object.inner(u, v)
        message = f"flat(u)(v) = {pairing:.9g} is not <u, v> = {inner:.9g}, u = mode {i}, v = mode {j}"
        tolerance = subject.condition * subject.rounding(u, v)
        yield Trial({"u": u, "v": v}, abs(pairing - inner), tolerance, message)


def riesz(subject, rng):
    """<riesz(c), v> = c(v)."""
    for name, c in subject.covectors(rng):
        g = subject.object.riesz(c, subject.grid)
        for j, v in enumerate(subject.functions):
            error, tolerance, left, right = _riesz_error(subject, c, g, v)
            message = (
                f"riesz does not belong to this inner product: <riesz(c), v> = {left:.9g} and c(v) = "
                f"{right:.9g} for c: {name}, v = mode {j}"
            )
            yield Trial({"c": name, "v": v}, error, tolerance, message)


def _riesz_error(subject, c, g, v):
    left, right = subject.object.inner(g, v), c(v)
    tolerance = subject.condition * subject.rounding(g, v) + ROUNDING * abs(right)
    return abs(left - right), tolerance, left, right


def another_representer(subject, rng):
    """The representer of another metric does not satisfy the identity: the check can fail."""
    grid, functions = subject.grid, subject.functions
    c = subject.object.flat(combination(functions, np.ones(len(functions))))
    right = np.array([c(v) for v in functions])
    tilted = grid.weights * np.linspace(0.5, 1.5, len(grid))
    seen = 0.0
    for weights in (grid.weights, tilted):  # L2, and L2 of a density: one of them is another metric
        other = np.array(
            [[float(np.sum(weights * (u.values * v.values).T)) for u in functions] for v in functions]
        )
        g = combination(functions, np.linalg.lstsq(other, right, rcond=None)[0])
        errors = [_riesz_error(subject, c, g, v)[:2] for v in functions]
        seen = max(seen, *(error / tolerance for error, tolerance in errors))
    message = (
        "the representers in L2 and in L2 of a density both satisfy <g, v> = c(v): `inner` does not tell "
        "metrics apart"
    )
    yield Trial({"c": "flat(sum of modes)"}, 10.0, seen, message)


def dual_norm(subject, rng):
    """dual_norm(flat(u)) = ‖u‖."""
    for i, u in enumerate(subject.functions):
        dual = subject.object.dual_norm(subject.object.flat(u), subject.grid.domain)
        length = subject.norm(u)
        tolerance = math.sqrt(len(subject.grid)) * ROUNDING * subject.condition**2 * length
        message = f"dual_norm(flat(u)) = {dual:.9g} is not ‖u‖ = {length:.9g} for u = mode {i}"
        yield Trial({"u": u}, abs(dual - length), tolerance, message)


def dual_norm_bounds(subject, rng):
    """|c(v)| <= dual_norm(c) ‖v‖."""
    for name, c in subject.covectors(rng):
        try:
            dual = subject.object.dual_norm(c, subject.grid.domain)
        except FuncgradError:
            continue
        g = subject.object.riesz(c, subject.grid)
        for shown, v in [*((f"mode {j}", v) for j, v in enumerate(subject.functions)), ("riesz(c)", g)]:
            bound, value = dual * subject.norm(v), abs(c(v))
            tolerance = subject.condition * (ROUNDING * bound + subject.rounding(v, v) / subject.norm(v))
            if shown == "riesz(c)":  # equal but for the quadrature of the roughest function of the grid
                tolerance += 0.01 * bound
            message = (
                f"dual_norm(c) ‖v‖ = {bound:.9g} is less than |c(v)| = {value:.9g} for c: {name}, v = {shown}"
            )
            yield Trial({"c": name, "v": v}, value - bound, tolerance, message)


def refinement(subject, rng):
    """Twice the nodes change the norm of a resolved function by less than a tenth."""
    if hasattr(subject.object, "kernel"):
        raise NotApplicable("between the nodes its functions are the kernel's interpolants, not the grid's")
    fine = refined(subject.grid)
    for i, u in enumerate(subject.functions[:3]):
        coarse, finer = subject.norm(u), subject.norm(fine.function(u))
        message = (
            f"the norm of mode {i} changes from {coarse:.4g} to {finer:.4g} with twice the nodes (from "
            f"{len(u.grid)} to {len(fine)}): does `inner` use the grid's quadrature weights?"
        )
        yield Trial({"u": u}, abs(finer / coarse - 1), 0.1, message)


def length_scale(subject, rng):
    """<u, u> depends on ℓ times the frequency: twice the one is as twice the other."""
    metric, grid = subject.object, refined(refined(subject.grid))
    if grid.domain.dimension != 1:
        raise NotApplicable("waves of twice the frequency are known in one dimension only")
    try:
        spectrum = grid.domain.laplacian_spectrum(8)
    except FuncgradError as error:
        raise NotApplicable(str(error)) from error
    doubled = _with_length_scale(metric, 2 * metric.length_scale)
    waves = grid.domain.eigenfunctions(8, grid.nodes)
    for i, j in ((1, 3), (0, 1), (1, 2)):
        if spectrum[i] == 0 or abs(spectrum[j] / spectrum[i] - 4) > 1e-12:
            continue
        low, high = grid.function(waves[:, i]), grid.function(waves[:, j])
        left = doubled.inner(low, low) / l2_norm(low) ** 2
        right = metric.inner(high, high) / l2_norm(high) ** 2
        message = (
            f"it does not scale with `length_scale`: a wave has ‖u‖²/‖u‖_0² = {left:.6g} with "
            f"length_scale={2 * metric.length_scale:g}, one of twice the frequency {right:.6g} with "
            f"{metric.length_scale:g}; is the length scale used?"
        )
        # A length scale that is not used is off by factors: the waves need not be resolved to rounding.
        yield Trial({"wave": i}, abs(left - right), 1e-3 * max(left, right), message)


def _with_length_scale(metric, length_scale):
    if dataclasses.is_dataclass(metric):
        return dataclasses.replace(metric, length_scale=length_scale)
    other = copy.deepcopy(metric)
    other.length_scale = length_scale
    return other


def order_of_symbol(subject, rng):
    """symbol(λ) grows like λ^order."""
    frequency = 1e8 / getattr(subject.object, "length_scale", 1.0)
    low, high = np.asarray(subject.object.symbol(np.array([frequency**2, 4 * frequency**2])), dtype=float)
    growth = math.log(high / low) / math.log(4)
    message = f"`symbol` grows like λ^{growth:.4g}, `order` says λ^{subject.object.order:g}"
    yield Trial({"λ": frequency**2}, abs(growth - subject.object.order), 1e-9, message)


def square_root(subject, rng):
    """(Su)·(Sv) = <u, v>, and Sᵀ is the transpose."""
    root = subject.object.square_root(subject.grid)
    for i, u, j, v in subject.pairs():
        product = float(np.sum(root.apply(u.values) * root.apply(v.values)))
        inner = subject.object.inner(u, v)
        message = f"(Su)·(Sv) = {product:.9g} is not <u, v> = {inner:.9g}, u = mode {i}, v = mode {j}"
        yield Trial({"u": u, "v": v}, abs(product - inner), subject.rounding(u, v), message)
        transposed = float(np.sum(root.apply_transpose(root.apply(u.values)) * v.values))
        message = f"Sᵀ is not the transpose of S: (SᵀSu)·v = {transposed:.9g}, (Su)·(Sv) = {product:.9g}"
        yield Trial({"u": u, "v": v}, abs(product - transposed), subject.rounding(u, v), message)


def repeatable(subject, rng):
    """The same question has the same answer, also after one on another grid."""
    metric, u = subject.object, subject.functions[-1]
    name, c = next(iter(subject.covectors(rng)))
    first = metric.inner(u, u)
    g = metric.riesz(c, subject.grid).values
    try:
        other = refined(subject.grid)
        metric.inner(other.function(u), other.function(u))
    except FuncgradError:
        pass
    # In the other order than before: what was kept last is what the first call must not take.
    again = metric.riesz(c, subject.grid).values
    message = "the answer for one grid changed after the metric was used on another: is a factorisation kept?"
    yield Trial({"c": name}, float(np.abs(again - g).max()), 0.0, message)
    yield Trial({"u": u}, abs(metric.inner(u, u) - first), 0.0, message)


def inputs_unchanged(subject, rng):
    """Functions, grids and covectors are not written to."""
    metric, u = subject.object, subject.functions[-1]
    arrays = (u.values, u.grid.nodes, u.grid.weights)
    copies = snapshot(*arrays)
    _, c = next(iter(subject.covectors(rng)))
    calls = {
        "inner": lambda: metric.inner(u, u),
        "norm": lambda: metric.norm(u),
        "flat": lambda: metric.flat(u),
        "riesz": lambda: metric.riesz(c, u.grid),
    }
    for call, run in calls.items():
        run()
        message = f"`{call}` changed the values, nodes or weights that it was given"
        yield Trial({"call": call}, changed(arrays, copies), 0.0, message)


METRIC_CHECKS = [
    require_members(("inner", "norm", "flat", "riesz", "dual_norm"), "metric"),
    Check("metric-symmetric", symmetric.__doc__, symmetric, ("inner",)),
    Check("metric-bilinear", bilinear.__doc__, bilinear, ("inner",)),
    Check("metric-positive", positive.__doc__, positive, ("inner",)),
    Check("metric-definite", definite.__doc__, definite, ("inner",)),
    Check("metric-norm", norm_of_inner.__doc__, norm_of_inner, ("inner", "norm")),
    Check("metric-flat", flat.__doc__, flat, ("inner", "flat")),
    Check("metric-riesz", riesz.__doc__, riesz, ("inner", "riesz", "flat")),
    Check("metric-riesz-control", another_representer.__doc__, another_representer, ("inner", "flat")),
    Check("metric-dual-norm", dual_norm.__doc__, dual_norm, ("inner", "flat", "dual_norm")),
    Check(
        "metric-dual-bound",
        dual_norm_bounds.__doc__,
        dual_norm_bounds,
        ("inner", "flat", "riesz", "dual_norm"),
    ),
    Check("metric-refinement", refinement.__doc__, refinement, ("inner",)),
    Check("metric-length-scale", length_scale.__doc__, length_scale, ("inner", "length_scale")),
    Check("metric-order", order_of_symbol.__doc__, order_of_symbol, ("symbol", "order")),
    Check("metric-square-root", square_root.__doc__, square_root, ("inner", "square_root")),
    Check("metric-repeatable", repeatable.__doc__, repeatable, ("inner", "flat", "riesz")),
    Check("metric-inputs", inputs_unchanged.__doc__, inputs_unchanged, ("inner", "norm", "flat", "riesz")),
]


def metric_subject(metric, *, grid=None):
    """Return the subject that `METRIC_CHECKS` take."""
    return MetricSubject(metric, default_grid() if grid is None else grid)


def check_metric(metric, *, grid=None, rng=0, expected_failures=None, on_fail="raise"):
    """Check that an object is a metric on functions: an inner product with its Riesz map.

    Nothing needs to be derived from `funcgrad.Metric`: any object with `inner`, `norm`, `flat`, `riesz`
    and `dual_norm` will do. Checks of other members (`square_root`, `symbol`, `length_scale`) run where
    they are there.

    Parameters
    ----------
    metric : object
    grid : Grid, optional
        Where it is checked; by default 24 nodes of a circle.
    rng : int or numpy.random.Generator
    expected_failures : dict, optional
        From ids of checks that are known to fail to the reason. One of them that passes is a failure.
    on_fail : {"raise", "warn", "return"}
        What to do about failures besides returning them.

    Returns
    -------
    list of CheckResult

    Raises
    ------
    ConformanceError
        If a check fails, or an expected failure passes, and `on_fail` is "raise".

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_metric
    >>> results = check_metric(fg.Sobolev(1.0))
    >>> all(result.ok for result in results)
    True
    """
    return run_checks(METRIC_CHECKS, metric_subject(metric, grid=grid), rng, expected_failures, on_fail)
