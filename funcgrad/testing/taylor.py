"""Derivatives of black boxes, for comparison: extrapolated differences and two-sided orders of remainders."""

import math

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.testing.conformance import EPS, Trial

# Steps of the extrapolation: halved so many times.
_HALVINGS = 9
# The order that a Taylor remainder must have, and how far it may be from it.
ORDER, ORDER_TOLERANCE = 2.0, 0.1
# A remainder is used where it exceeds what rounding explains by this factor.
_CLEAR = 1e3
_STEPS = 2.0 ** -np.arange(2, 27)
_WINDOW = 4
# More than a power of t falls by in one halving: from _CLEAR times rounding to below it, and as much again.
_DROP = _CLEAR**2


def extrapolated_derivative(value, step, argument=1.0, noise=0.0):
    """Return d/dt value(t) at 0 and a bound of its error, elementwise.

    Central differences of halved steps, extrapolated (L. F. Richardson 1911) up to the pair of neighbours in
    the table that differ least (C. Ridders, Adv. Eng. Software 4, 1982). The bound is ten times
    that difference plus the rounding of the difference quotients.

    Parameters
    ----------
    value : callable
        Of a number t, an array.
    step : float
        The first step.
    argument : float
        The size of what is shifted by t, whose own rounding moves the value by its slope.
    noise : float or ndarray
        What rounding may change in the value besides.
    """
    table, best, bound = [], None, None
    for j in range(_HALVINGS + 1):
        h = step * 0.5**j
        right, left = _defined(value, h), _defined(value, -h)
        row = [(right - left) / (2 * h)]
        # Values that happen to be small have the rounding of those beside them.
        size = np.maximum(np.abs(right), np.abs(left))
        size = size.max(axis=0, keepdims=True) if size.ndim else size
        rounding = (4 * EPS * (size + np.abs(row[0]) * argument) + noise) / h
        for m, before in enumerate(table[-1] if table else []):
            row.append(row[m] + (row[m] - before) / (4.0 ** (m + 1) - 1))
        for m in range(1, len(row)):
            change = np.maximum(np.abs(row[m] - row[m - 1]), np.abs(row[m] - table[-1][m - 1]))
            error = 10 * (change + rounding)
            if best is None:
                best, bound = row[m], error
            better = (error < bound) | np.isnan(bound)
            best, bound = np.where(better, row[m], best), np.where(better, error, bound)
        table.append(row)
    return best, bound


def _defined(value, t):
    """Return value(t), or NaN where t leaves the set on which it is defined: log(θ + t), say."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        try:
            values = np.asarray(value(t), dtype=float)
        except (FuncgradError, ArithmeticError, ValueError):
            return np.array(math.nan)
    return np.where(np.isfinite(values), values, math.nan)


def scatter(value, step):
    """Return how much rounding scatters a value: fourth differences at spacings too small for anything else.

    In a value that comes from cancellation inside, that is more than a few units of the value itself
    (J. Moré and S. Wild, *Estimating computational noise*, SIAM J. Sci. Comput. 33, 2011).
    """
    samples = np.array([np.asarray(value(1e-6 * step * i), dtype=float) for i in range(9)])
    return 8 * np.abs(np.diff(samples, 4, axis=0)).max(axis=0) / math.sqrt(70.0)


def derivative_trials(value, claimed, step, describe, where=None, argument=1.0, noise=0.0):
    """Yield a `Trial` for each entry of a claimed derivative against extrapolated differences.

    Parameters
    ----------
    value : callable
        Of a number t: what is differentiated, an array.
    claimed : ndarray
        Its derivative at t = 0, as the object gives it.
    step : float
    describe : callable
        Of an index: the entry in words.
    where : callable, optional
        Of an index: the input of the trial.
    argument, noise : float
        See `extrapolated_derivative`.

    Notes
    -----
    Entries whose differences do not settle to 1e-4 of the largest derivative, as at a kink, are left out.
    """
    noise = noise + scatter(value, step)
    reference, bound = extrapolated_derivative(value, step, argument, noise)
    claimed = np.asarray(claimed, dtype=float)
    if np.ndim(reference) == 0 and math.isnan(reference):  # defined at no step
        return
    if claimed.shape != reference.shape:
        message = f"it has shape {claimed.shape}, and the values' derivative has {reference.shape}"
        yield Trial(None, math.inf, 0.0, message)
        return
    scale = np.abs(reference).max(initial=0.0)
    # Exact zeros have the rounding of the numbers beside them.
    # The claimed derivative has its own rounding: no less than the value's over the length of a step.
    tolerance = bound + 64 * EPS * np.maximum(np.abs(reference), scale) + noise / step
    usable = bound <= 1e-4 * max(scale, np.abs(claimed).max(initial=0.0)) + 64 * EPS
    for index in np.ndindex(reference.shape):
        if usable[index]:
            yield Trial(
                None if where is None else where(index),
                abs(claimed[index] - reference[index]),
                tolerance[index],
                f"{describe(index)} is {claimed[index]:.6g}, by differences it is {reference[index]:.6g}"
                f"{_likely(claimed[index], reference[index])}",
            )


def _likely(claimed, reference):
    """Return what a wrong number suggests, as the end of a sentence."""
    if claimed == 0 or reference == 0:
        return ": a term is missing" if claimed == 0 else ": it should vanish"
    ratio = claimed / reference
    if abs(ratio + 1) < 1e-6:
        return ": the sign is wrong"
    for factor in (2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25, -2.0, -0.5):
        if abs(ratio / factor - 1) < 1e-6:
            return f": it is off by a factor of {factor:g}"
    return f": it is {ratio:.6g} times what it should be"


def taylor_trials(value, slope, scale, what, where, noise=0.0, slope_noise=0.0):
    """Yield the two `Trial`s of a Taylor test along a line: the remainder's order, and its coefficient.

    r(t) = F(t) - F(0) - t F'(0) must be of order 2 ± 0.1 over the smallest steps above rounding, on both
    sides of 0, and r(t)/t² must tend to half the change of F', found from F' alone: so a differential
    that belongs to another point, or to a functional that is not linear though F is, shows as well. Where
    the second derivative is small beside the third, the order may be higher.

    Parameters
    ----------
    value, slope : callable
        F and F' of a number t.
    scale : float
        The unit of t.
    what : str
        The derivative in words.
    where : object
        The trial's input.
    noise : float
        What rounding may change in the value, where that is more than a few units of the value itself.
    slope_noise : float
        The same of F'; a sum that cancels has the rounding of its terms.
    """
    at_zero, first = value(0.0), slope(0.0)
    steps = scale * _STEPS
    odd, even, floors = np.empty((3, len(steps)))
    for j, t in enumerate(steps):
        right, left = float(_defined(value, t)), float(_defined(value, -t))
        odd[j] = (right - left) / 2 - t * first
        even[j] = ((right - at_zero) + (left - at_zero)) / 2
        floors[j] = 8 * (
            EPS * (max(abs(at_zero), abs(right), abs(left)) + t * abs(first)) + noise + t * slope_noise
        )
    sizes = np.maximum(np.abs(odd + even), np.abs(odd - even))
    undefined = np.flatnonzero(np.isnan(sizes))
    start = int(undefined[-1]) + 1 if len(undefined) else 0
    if start == len(steps):
        message = f"the value is not defined within {steps[-1]:.1g} of where {what} is asked for"
        yield Trial(where, math.inf, 0.0, message)
        return
    last = start + int(np.argmin(np.append(sizes[start:] > _CLEAR * floors[start:], False)))
    if start < last < len(steps) and sizes[last - 1] > _DROP * max(sizes[last], floors[last]):
        # No power of t falls so fast: nearer than a kink that is some way off, F is linear.
        start = last
    smooth = _smooth_step(steps, sizes, start, last)
    half_change, bound = (
        float(part) / 2 for part in extrapolated_derivative(slope, min(scale * 2.0**-5, smooth))
    )
    if last - start < _WINDOW:
        # No window above rounding: F is linear along the line, and F' must be constant.
        seen = steps[start] ** 2 * max(abs(half_change) - bound, 0.0)
        message = (
            f"the value is linear there to rounding, but {what} changes at the rate {2 * half_change:.3g}"
        )
        yield Trial(where, seen, _CLEAR * floors[start] + sizes[start], message)
        return
    t = steps[last - 1]
    order = float(np.mean(-np.diff(np.log2(sizes[last - _WINDOW : last]))))
    # By F' alone the quadratic term is all there is of r, on the whole window: then the test is two-sided.
    first_in = last - _WINDOW
    quadratic = abs(half_change) * steps[first_in] ** 2 > 0.9 * sizes[first_in]
    if order < 1.5 and abs(even[last - 1]) > 0.1 * sizes[last - 1]:
        sides = [(odd[last - 1] + sign * even[last - 1]) / t + first for sign in (-1, 1)]
        message = (
            f"the value has a kink where {what} is asked for: its slopes to the left and to the right are "
            f"{sides[0]:.6g} and {sides[1]:.6g}; a derivative is checked where there is one, so choose "
            "another point"
        )
        yield Trial(where, ORDER - order, ORDER_TOLERANCE, message)
        return
    yield Trial(
        where,
        abs(order - ORDER) if quadratic else max(ORDER - order, 0.0),
        ORDER_TOLERANCE,
        f"{what} is not the derivative of the value: the Taylor remainder goes like t^{order:.2f} and not t² "
        f"({what} gives {first:.6g}, differences {first + odd[last - 1] / t:.6g}"
        f"{_likely(first, first + odd[last - 1] / t)})",
    )
    curvature, before = even[last - 1] / t**2, even[last - 2] / steps[last - 2] ** 2
    # The next even term of r is a third of what it changes from one step to the next.
    noise = (floors[last - 1] + 1e-2 * abs(even[last - 1])) / t**2 + abs(curvature - before)
    yield Trial(
        where,
        abs(curvature - half_change),
        noise + bound + 1e-2 * abs(half_change),
        f"{what} does not change as the value bends: half the second derivative is {curvature:.4g} by the "
        f"values and {half_change:.4g} by {what}; is {what} taken at the right point?",
    )


def _smooth_step(steps, sizes, start, last):
    """Return the largest step from which the remainder falls faster than a slope would, down to rounding."""
    j = max(last - 1, start)
    while j > start and sizes[j - 1] > 2**1.5 * sizes[j]:
        j -= 1
    return steps[j]
