"""Checks of metrics: `inner` and `norm`, and what is there besides the maps of `riesz_checks`."""

import copy
import dataclasses
import itertools
import math
from collections.abc import Mapping

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.spaces import Function, Grid
from funcgrad.testing.conformance import (
    EPS,
    ROUNDING,
    CheckResult,
    Finding,
    NotApplicable,
    OnFail,
    Trial,
    changed,
    check_of,
    require_members,
    run_checks,
    snapshot,
)
from funcgrad.testing.metric_field_checks import METRIC_FIELD_CHECKS
from funcgrad.testing.metric_subject import l2_norm, metric_subject
from funcgrad.testing.protocols import MetricFieldLike, MetricLike
from funcgrad.testing.riesz_checks import RIESZ_CHECKS, riesz
from funcgrad.testing.samples import combination, one_node_more, refined


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
    least, floor = subject.least_angle
    values, vectors = np.linalg.eigh((subject.gram + subject.gram.T) / 2)
    u = combination([u / l2_norm(u) for u in subject._spanning], vectors[:, 0])
    message = (
        f"it is not definite: a function of L2 norm 1 has <u, u> = {values[0]:.3g}, rounding beside "
        f"{values[-1]:.3g}; representers are then not unique"
    )
    yield Trial({"u": u}, floor, max(least, 0.0), message)


def norm_of_inner(subject, rng):
    """norm(u)² = <u, u>."""
    for i, u in enumerate(subject.functions):
        square, inner = subject.object.norm(u) ** 2, subject.object.inner(u, u)
        message = f"norm(u)² = {square:.9g} is not <u, u> = {inner:.9g} for u = mode {i}"
        yield Trial({"u": u}, abs(square - inner), subject.rounding(u, u), message)


def refinement(subject, rng):
    """Twice the nodes change the norm of a resolved function by less than a tenth."""
    if hasattr(subject.object, "kernel"):
        raise NotApplicable("between the nodes its functions are the kernel's interpolants, not the grid's")
    fine = refined(subject.grid)
    metric = subject.on(fine)
    hint = "does `inner` use the grid's quadrature weights?"
    if subject.field is not None:
        hint = "do `at` and `inner` use the grid's quadrature weights?"
    smallest = min(len(factor) for factor in getattr(subject.grid, "factors", [subject.grid]))
    for i, u in enumerate(subject.functions[: max(3, smallest // 4)]):
        on_fine = fine.function(u)
        coarse, finer = subject.norm(u), math.sqrt(abs(metric.inner(on_fine, on_fine)))
        noise = _norm_of_rounding(metric, on_fine, rng)
        if noise > coarse:
            raise NotApplicable(
                f"on {len(fine)} nodes the rounding of mode {i} has the norm {noise:.3g}, and mode {i} "
                f"itself has {coarse:.3g}: try fewer nodes"
            )
        message = (
            f"the norm of mode {i} changes from {coarse:.4g} to {finer:.4g} with twice the nodes (from "
            f"{len(u.grid)} to {len(fine)}): {hint}"
        )
        yield Trial({"u": u}, abs(finer - coarse), 0.1 * coarse + noise, message)


def _norm_of_rounding(metric, u, rng):
    """Return the norm of what rounding changes in the values of a function, and in those of its norm."""
    shift = u.grid.function(4 * EPS * float(np.abs(u.values).max()) * rng.choice([-1.0, 1.0], u.values.shape))
    try:
        square = abs(metric.inner(shift, shift))
        square += abs(metric.inner(u + shift, u) + metric.inner(u - shift, u) - 2 * metric.inner(u, u))
    except FuncgradError:  # functions of mean zero, or in a kernel's space, are not all that there are
        return 0.0
    return 2 * math.sqrt(square)


def one_more(subject, rng):
    """With one node more, an odd number if it was even, it is positive and its representers are right."""
    grid = one_node_more(subject.grid)
    try:
        other = dataclasses.replace(subject, object=subject.on(grid), grid=grid)
        _ = other.functions
    except (FuncgradError, Finding) as why:
        raise NotApplicable(str(why)) from why
    for trial in itertools.chain(positive(other, rng), riesz(other, rng)):
        yield dataclasses.replace(trial, message=f"on {grid!r} {trial.message}")


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
    metric = subject.object
    # As far out as it does not overflow: of a sum of symbols the strongest is then all there is.
    eigenvalue = 10.0 ** (250 / max(abs(metric.order), 2.5)) / getattr(metric, "length_scale", 1.0) ** 2
    low, high = np.asarray(metric.symbol(np.array([eigenvalue, 4 * eigenvalue])), dtype=float)
    growth = math.log(high / low) / math.log(4)
    message = f"`symbol` grows like λ^{growth:.4g}, `order` says λ^{metric.order:g}"
    yield Trial({"λ": eigenvalue}, abs(growth - metric.order), 1e-9, message)


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
    name, c = subject.covectors(rng)[0]
    first = metric.inner(u, u)
    g = metric.riesz(c, subject.grid).values
    try:
        other = refined(subject.grid)
        subject.on(other).inner(other.function(u), other.function(u))
    except FuncgradError:
        pass
    # In the other order than before: what was kept last is what the first call must not take.
    again = metric.riesz(c, subject.grid).values
    kept = np.array(g, copy=True)
    for _, another in subject.covectors(rng)[1:]:
        metric.riesz(another, subject.grid)
    message = (
        "the function that `riesz` returned changed with the next call: is one array returned every time?"
    )
    yield Trial({"c": name}, float(np.abs(g - kept).max()), 0.0, message)
    message = "the answer for one grid changed after the metric was used on another: is a factorisation kept?"
    yield Trial({"c": name}, float(np.abs(again - g).max()), 0.0, message)
    yield Trial({"u": u}, abs(metric.inner(u, u) - first), 0.0, message)


def inputs_unchanged(subject, rng):
    """Functions, grids and covectors are not written to."""
    metric, u = subject.object, subject.functions[-1]
    arrays = (u.values, u.grid.nodes, u.grid.weights)
    copies = snapshot(*arrays)
    _, c = subject.covectors(rng)[0]
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
    check_of("metric-symmetric", symmetric, "inner"),
    check_of("metric-bilinear", bilinear, "inner"),
    check_of("metric-positive", positive, "inner"),
    check_of("metric-definite", definite, "inner"),
    check_of("metric-norm", norm_of_inner, "inner", "norm"),
    *RIESZ_CHECKS,
    check_of("metric-refinement", refinement, "inner"),
    check_of("metric-one-more", one_more, "inner", "riesz", "flat"),
    check_of("metric-length-scale", length_scale, "inner", "length_scale"),
    check_of("metric-order", order_of_symbol, "symbol", "order"),
    check_of("metric-square-root", square_root, "inner", "square_root"),
    check_of("metric-repeatable", repeatable, "inner", "flat", "riesz"),
    check_of("metric-inputs", inputs_unchanged, "inner", "norm", "flat", "riesz"),
]


def check_metric(
    metric: MetricLike | MetricFieldLike,
    *,
    grid: Grid | None = None,
    at: Function | None = None,
    components: int | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that an object is a metric on functions: an inner product with its Riesz map.

    Nothing needs to be derived from `funcgrad.Metric`: any object with `inner`, `norm`, `flat`, `riesz`
    and `dual_norm` will do, or with an `at` that gives one. Checks of other members (`square_root`,
    `symbol`, `length_scale`) run where they are there. Refusing what it cannot tell, as a dual norm over
    all functions, by a `FuncgradError` is no failure; a `dual_norm_accuracy` is the relative error that
    it states.

    Parameters
    ----------
    metric : object
    grid : Grid, optional
        Where it is checked; by default that of `at`, or 24 nodes of a circle.
    at : Function, optional
        For a metric that depends on its base point, the function at which it is taken; by default a
        positive one, 1 and a quarter of a wave. Twice the function must do as well.
    components : int, optional
        m, to check it on functions with values (N, m): by default what `at` has, or a matrix-valued kernel.
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
    >>> all(result.ok for result in check_metric(fg.Sobolev(1.0)))
    True
    >>> results = check_metric(fg.FisherRao(), grid=fg.Interval(0, 1).grid(12))
    >>> [result.id for result in results if result.id.startswith("field")]
    ['field-stale', 'field-inputs']
    """
    subject = metric_subject(metric, grid=grid, at=at, components=components)
    checks = METRIC_CHECKS if subject.field is None else [*METRIC_CHECKS, *METRIC_FIELD_CHECKS]
    return run_checks(checks, subject, rng, expected_failures, on_fail)
