"""Checks of a metric's maps between functions and covectors: `flat`, `riesz`, `dual_norm`."""

import math

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.testing.conformance import ROUNDING, NotApplicable, Trial, check_of
from funcgrad.testing.samples import combination, refined


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
    if subject.condition > 1e10:
        message += (
            f"; on {grid!r} its square root has the condition {subject.condition:.1e}, which leaves no "
            "digit: try fewer nodes or another length scale"
        )
    yield Trial({"c": "flat(sum of modes)"}, 10.0, seen, message)


def dual_norm(subject, rng):
    """dual_norm(flat(u)) = ‖u‖; of a limit, on a refined grid, whose own norms are nearer to it."""
    metric, functions = subject.object, subject.functions
    if _is_limit(metric):
        fine = refined(subject.grid)
        metric, functions = subject.on(fine), [fine.function(u) for u in functions]
    for i, u in enumerate(functions):
        try:
            dual = metric.dual_norm(metric.flat(u), subject.grid.domain)
        except FuncgradError as why:
            raise NotApplicable(str(why)) from why
        length = math.sqrt(abs(metric.inner(u, u)))
        tolerance = math.sqrt(len(subject.grid)) * ROUNDING * subject.condition**2 * length
        tolerance += _accuracy(subject) * length
        if tolerance > length:
            raise NotApplicable(f"rounding hides it: the square root's condition is {subject.condition:.1e}")
        message = f"dual_norm(flat(u)) = {dual:.9g} is not ‖u‖ = {length:.9g} for u = mode {i}"
        yield Trial({"u": u}, abs(dual - length), tolerance, message)


def dual_norm_bounds(subject, rng):
    """|c(v)| <= dual_norm(c) ‖v‖."""
    refusals = []
    for name, c in subject.covectors(rng):
        try:
            dual = subject.object.dual_norm(c, subject.grid.domain)
        except FuncgradError as why:
            refusals.append(str(why))
            continue
        g = subject.object.riesz(c, subject.grid)
        for shown, v in [*((f"mode {j}", v) for j, v in enumerate(subject.functions)), ("riesz(c)", g)]:
            bound, value = dual * subject.norm(v), abs(c(v))
            tolerance = (subject.condition * ROUNDING + _accuracy(subject)) * bound
            tolerance += subject.condition * subject.rounding(v, v) / subject.norm(v)
            if shown == "riesz(c)":  # equal but for the quadrature of the roughest function of the grid
                tolerance += 0.01 * bound
            message = (
                f"dual_norm(c) ‖v‖ = {bound:.9g} is less than |c(v)| = {value:.9g} for c: {name}, v = {shown}"
            )
            yield Trial({"c": name, "v": v}, value - bound, tolerance, message)
        if math.isfinite(dual):
            yield from _attained(subject, name, c, dual)
    if refusals:
        raise NotApplicable(refusals[0])


def _attained(subject, name, c, dual):
    """Yield the trial of whether the norms of the grids' representers tend to a dual norm."""
    grids = [subject.grid]
    if subject.grid.domain.dimension > 1:  # too few modes along an axis to see a limit
        return
    try:
        for _ in range(2):
            grids.append(refined(grids[-1]))
        metrics = [subject.on(grid) for grid in grids]
        norms = [metric.norm(metric.riesz(c, grid)) for metric, grid in zip(metrics, grids, strict=True)]
    except FuncgradError:
        return
    # Of a sum of 1/σ what lies beyond a cut-off is up to 20 times what the last octave added if these fall,
    # each to 0.96 of the one before at most: for orders above n/2 + 0.03.
    steps = np.abs(np.diff(np.square(norms)))
    if steps[1] > max(0.96 * steps[0], 0.01 * dual**2):
        return
    tolerance = 20 * float(steps.max()) + (0.02 + 2 * _accuracy(subject)) * dual**2
    sizes, shown = ", ".join(str(len(grid)) for grid in grids), ", ".join(f"{norm:.6g}" for norm in norms)
    message = (
        f"dual_norm(c) = {dual:.6g} is not attained: the representers on {sizes} nodes have the norms "
        f"{shown}, for c: {name}"
    )
    yield Trial({"c": name}, dual**2 - norms[-1] ** 2, tolerance, message)


def _accuracy(subject):
    """Return the relative error of dual norms that the metric states, for one that finds them by a limit.

    Of a limit the grid's norms are apart by its quadrature, once in u and once in flat(u).
    """
    metric = subject.object
    return metric.dual_norm_accuracy + 2 * subject.resolution if _is_limit(metric) else 0.0


def _is_limit(metric):
    return getattr(metric, "dual_norm_accuracy", 0.0) > 0


RIESZ_CHECKS = [
    check_of("metric-flat", flat, "inner", "flat"),
    check_of("metric-riesz", riesz, "inner", "riesz", "flat"),
    check_of("metric-riesz-control", another_representer, "inner", "flat"),
    check_of("metric-dual-norm", dual_norm, "inner", "flat", "dual_norm"),
    check_of("metric-dual-bound", dual_norm_bounds, "inner", "flat", "riesz", "dual_norm"),
]
