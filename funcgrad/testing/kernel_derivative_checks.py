"""Checks of the derivatives of kernels: of their values, jointly positive, none where there is none."""

import math

import numpy as np

from funcgrad.testing.conformance import EPS, VALUE_ROUNDING, NotApplicable, Trial, check_of
from funcgrad.testing.samples import shown
from funcgrad.testing.taylor import derivative_trials

# Points are moved together, by halves, until the kernel of them is this much of its size on the diagonal.
_REACH, _HALVINGS = 1e-3, 20


def derivatives(subject, rng):
    """`derivative` gives the derivatives of the values, in either argument."""
    if not subject.free_coordinates:
        raise NotApplicable("the coordinates are not free: differences along them leave the domain")
    n = subject.points(1, rng).shape[1]
    units, zero = [tuple(int(i == axis) for i in range(n)) for axis in range(n)], (0,) * n
    first, last = units[0], units[-1]
    # What is differentiated, along which coordinate, in which argument.
    steps = [((zero, zero), unit, second) for unit in units for second in (False, True)]
    steps += [((first, zero), last, True), ((first, zero), last, False)]
    offered = False
    for orders, unit, in_second in steps:
        alpha, beta = orders
        higher = (alpha, _plus(beta, unit)) if in_second else (_plus(alpha, unit), beta)
        try:
            below, above = subject.derivative(alpha, beta), subject.derivative(*higher)
        except NotApplicable as reason:
            refusal = reason
            continue
        offered = True
        yield from _derivative_trials(subject, rng, below, above, np.array(unit, float), in_second, higher)
    if not offered:
        raise NotApplicable(str(refusal))


def _derivative_trials(subject, rng, below, above, shift, in_second, orders):
    x, y = _separated(subject, rng)
    size = float(np.abs(x - y).min(initial=1.0, where=np.abs(x - y) > 0))

    def value(t):
        return below(x, y + t * shift) if in_second else below(x + t * shift, y)

    def describe(index):
        component = f", component {index[1:]}," if index[1:] else ""
        of = (
            f"∂_x^{orders[0]} ∂_y^{orders[1]} k"
            if len(shift) > 1
            else f"∂_x^{orders[0][0]} ∂_y^{orders[1][0]} k"
        )
        return (
            f"the kernel's derivative {of} at x = {shown(x[index[0]])}, y = {shown(y[index[0]])}{component}"
        )

    claimed = np.atleast_1d(above(x, y))
    yield from derivative_trials(
        lambda t: np.atleast_1d(value(t)),
        claimed,
        0.05 * size,
        describe,
        lambda index: {"x": x[index[0]], "y": y[index[0]]},
        float(max(np.abs(x).max(), np.abs(y).max())),
        # Values are accurate beside those on the diagonal.
        EPS * float(np.abs(np.asarray(subject.object(x, x))).max()),
    )


def _separated(subject, rng):
    """Return pairs of points that are not close, where a kernel is smooth whatever it is on the diagonal.

    But within its reach: of a kernel much narrower than the domain they see more than zeros.
    """
    x = subject.points(24, rng)
    y = subject.points(24, rng)
    order = np.argsort(-np.abs(x - y).min(axis=1))[:6]
    x, y = x[order], y[order]
    for _ in range(_HALVINGS):
        values = np.abs(np.asarray(subject.object(x, y))).reshape(len(x), -1).max(axis=1)
        sizes = np.abs(np.asarray(subject.object(x, x))).reshape(len(x), -1).max(axis=1)
        far = values < _REACH * sizes
        if not far.any():
            break
        y = np.where(far[:, None], (x + y) / 2, y)
    return x, y


def _plus(alpha, beta):
    return tuple(a + b for a, b in zip(alpha, beta, strict=True))


def positive_with_derivatives(subject, rng):
    """The Gram matrix of values and first derivatives at the same points is positive semidefinite."""
    if not subject.free_coordinates:
        raise NotApplicable("the coordinates are not free")
    X = subject.points(4, rng)
    n = X.shape[1]
    unit, zero = tuple(int(i == 0) for i in range(n)), (0,) * n
    second = subject.derivative(unit, unit)
    first = subject.derivative(unit, zero)
    K, slopes, mixed = subject.object.gram(X), first.gram(X, X), second.gram(X, X)
    joint = np.block([[K, slopes.T], [slopes, mixed]])
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(joint)), np.finfo(float).tiny))
    joint = joint * np.outer(scale, scale)
    asymmetry = float(np.abs(mixed - mixed.T).max())
    message = f"∂_x ∂_y k is not symmetric: it differs from its transpose by {asymmetry:.3g}"
    yield Trial({"X": X}, asymmetry, 16 * VALUE_ROUNDING * float(np.abs(mixed).max()), message)
    lowest = float(np.linalg.eigvalsh((joint + joint.T) / 2)[0])
    message = (
        f"values and derivatives do not belong together: the Gram matrix of v(x_i) and ∂v(x_i) at {len(X)} "
        f"points has the eigenvalue {lowest:.3g} (in units of its diagonal)"
    )
    yield Trial({"X": X}, -lowest, 16 * VALUE_ROUNDING * len(joint), message)


def refuses_rough_derivatives(subject, rng):
    """A derivative at or beyond `smoothness` is refused, not made up."""
    smoothness = subject.object.smoothness
    if not math.isfinite(smoothness) or smoothness > 20:
        raise NotApplicable("it is smooth")
    n = subject.points(1, rng).shape[1]
    orders = tuple(max(1, math.ceil(smoothness)) * (i == 0) for i in range(n))
    try:
        subject.derivative(orders, (0,) * n)
        refused = False
    except NotApplicable:
        refused = True
    message = f"the derivative of order {sum(orders)} is given, although `smoothness` is {smoothness:g}"
    yield Trial({"order": sum(orders)}, float(not refused), 0.0, message)


KERNEL_DERIVATIVE_CHECKS = [
    check_of("kernel-derivative", derivatives, "derivative"),
    check_of("kernel-derivative-positive", positive_with_derivatives, "derivative"),
    check_of("kernel-smoothness", refuses_rough_derivatives, "derivative", "smoothness"),
]
