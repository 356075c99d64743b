"""Checks of reproducing kernels: symmetry, positivity, products, derivatives."""

import dataclasses
import math
from functools import cached_property

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.errors import FuncgradError
from funcgrad.spaces import Box
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
from funcgrad.testing.samples import points_of
from funcgrad.testing.taylor import derivative_trials

# What a kernel's values may lose: tabulated profiles are good to some hundred units of rounding.
_VALUE_ROUNDING = 4 * ROUNDING


@dataclasses.dataclass
class KernelSubject:
    """A kernel with the domain from which its points are drawn."""

    object: object
    given_domain: object = None
    largest: int = 130

    @cached_property
    def domain(self):
        """The given domain, or the unit cube of the kernel's dimension, a line if it has none."""
        if self.given_domain is not None:
            return self.given_domain
        return Box([(0.0, 1.0)] * (getattr(self.object, "dimension", None) or 1))

    def points(self, count, rng):
        """Return points (count, n)."""
        return points_of(self.domain, min(count, self.largest), rng)

    @property
    def free_coordinates(self):
        """Whether differences along the coordinates stay in the domain."""
        return getattr(self.domain, "n_coordinates", self.domain.dimension) == self.domain.dimension

    def derivative(self, alpha, beta):
        """Return ∂_x^α ∂_y^β k; `NotApplicable` where the kernel does not offer it."""
        if not any(alpha) and not any(beta):
            return self.object
        if len(alpha) == 1:
            alpha, beta = alpha[0], beta[0]
        try:
            return self.object.derivative(alpha, beta)
        except FuncgradError as error:
            raise NotApplicable(str(error)) from error


def _sizes(kernel, X, Y):
    return np.sqrt(np.abs(np.outer(np.diag(kernel.gram(X)), np.diag(kernel.gram(Y)))))


def _at(x):
    return f"{x[0]:.6g}" if len(x) == 1 else str(np.round(x, 6).tolist())


def symmetric(subject, rng):
    """k(x, y) = k(y, x)."""
    kernel, X, Y = subject.object, subject.points(6, rng), subject.points(5, rng)
    there, back, sizes = kernel.gram(X, Y), kernel.gram(Y, X), _sizes(kernel, X, Y)
    for i, j in np.ndindex(there.shape):
        message = (
            f"it is not symmetric: k(x, y) = {there[i, j]:.12g} and k(y, x) = {back[j, i]:.12g} for x = "
            f"{_at(X[i])}, y = {_at(Y[j])}"
        )
        error = abs(there[i, j] - back[j, i])
        yield Trial({"x": X[i], "y": Y[j]}, error, _VALUE_ROUNDING * sizes[i, j], message)


def positive(subject, rng):
    """Gram matrices are positive semidefinite."""
    kernel = subject.object
    for count, spread in ((2, 1.0), (5, 1.0), (12, 1.0), (40, 1.0), (12, 0.1), (40, 0.3)):
        X = subject.points(count, rng)
        if spread < 1.0 and subject.free_coordinates:  # close together: the hard directions
            X = X[:1] + spread * (X - X[:1])
        deficit, tolerance = _deficit(kernel, X)
        if deficit <= tolerance:
            yield Trial({"X": X}, deficit, tolerance, "")
            continue
        X = _fewest(kernel, X)
        deficit, tolerance = _deficit(kernel, X)
        message = (
            f"it is not positive definite: the Gram matrix at {len(X)} points has the eigenvalue "
            f"{-deficit:.3g} (rounding explains {tolerance:.1g}); the points: "
            f"{', '.join(_at(x) for x in X[:6])}{', ...' if len(X) > 6 else ''}"
        )
        yield Trial({"X": X}, deficit, tolerance, message)


def _deficit(kernel, X):
    """Return minus the least eigenvalue of the Gram matrix, and what rounding of its entries explains."""
    K = np.asarray(kernel.gram(X), dtype=float)
    lowest = float(np.linalg.eigvalsh((K + K.T) / 2)[0])
    # Entries off by δ k(x, x) move eigenvalues by at most δ trace(K).
    return -lowest, _VALUE_ROUNDING * float(np.abs(np.diag(K)).sum())


def _fewest(kernel, X):
    """Return as few of the points as still show that the Gram matrix is not positive semidefinite."""
    i = 0
    while i < len(X) and len(X) > 1:
        fewer = np.delete(X, i, axis=0)
        deficit, tolerance = _deficit(kernel, fewer)
        if deficit > 4 * tolerance:
            X = fewer
        else:
            i += 1
    return X


def consistent(subject, rng):
    """`gram`, `gram_diagonal` and a call of the kernel give the same values, also for many points."""
    kernel = subject.object
    for count in (4, subject.largest):
        X, Y = subject.points(count, rng), subject.points(count, rng)
        gram = np.asarray(kernel.gram(X, Y))
        if gram.shape != (count, count):
            yield Trial(
                {"X": X}, math.inf, 0.0, f"`gram` of {count} by {count} points has shape {gram.shape}"
            )
            return
        i, j = rng.integers(count, size=(2, 200))
        single = kernel(X[i], Y[j])
        diagonal = kernel(X, X)
        scale = float(np.abs(diagonal).max())
        errors = np.abs(gram[i, j] - single)
        k = int(np.argmax(errors))
        message = (
            f"`gram` and the kernel differ with {count} points: {gram[i[k], j[k]]:.12g} and "
            f"{single[k]:.12g} at x = {_at(X[i[k]])}, y = {_at(Y[j[k]])}"
        )
        yield Trial({"x": X[i[k]], "y": Y[j[k]]}, float(errors[k]), _VALUE_ROUNDING * scale, message)
        if hasattr(kernel, "gram_diagonal"):
            error = float(np.abs(kernel.gram_diagonal(X) - diagonal).max())
            message = "`gram_diagonal` is not k(x, x)"
            yield Trial({"X": X}, error, _VALUE_ROUNDING * scale, message)


def matrix_vector(subject, rng):
    """matvec(X, Y, v) = gram(X, Y) v."""
    kernel = subject.object
    for count in (3, subject.largest):
        X, Y, v = subject.points(count, rng), subject.points(count, rng), rng.normal(size=count)
        product, gram = kernel.matvec(X, Y, v), kernel.gram(X, Y)
        error = float(np.abs(product - gram @ v).max())
        tolerance = _VALUE_ROUNDING * float((np.abs(gram) @ np.abs(v)).max())
        tolerance += _VALUE_ROUNDING * float(np.abs(np.diag(kernel.gram(X))).max() * np.abs(v).sum())
        message = f"`matvec` is not the Gram matrix times v for {count} points: off by {error:.3g}"
        yield Trial({"X": X, "Y": Y, "v": v}, error, tolerance, message)


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
        of = (
            f"∂_x^{orders[0]} ∂_y^{orders[1]} k"
            if len(shift) > 1
            else f"∂_x^{orders[0][0]} ∂_y^{orders[1][0]} k"
        )
        return f"the kernel's derivative {of} at x = {_at(x[index[0]])}, y = {_at(y[index[0]])}"

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
    """Return pairs of points that are not close, where a kernel is smooth whatever it is on the diagonal."""
    x = subject.points(24, rng)
    y = subject.points(24, rng)
    order = np.argsort(-np.abs(x - y).min(axis=1))[:6]
    return x[order], y[order]


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
    yield Trial({"X": X}, asymmetry, 16 * _VALUE_ROUNDING * float(np.abs(mixed).max()), message)
    lowest = float(np.linalg.eigvalsh((joint + joint.T) / 2)[0])
    message = (
        f"values and derivatives do not belong together: the Gram matrix of v(x_i) and ∂v(x_i) at {len(X)} "
        f"points has the eigenvalue {lowest:.3g} (in units of its diagonal)"
    )
    yield Trial({"X": X}, -lowest, 16 * _VALUE_ROUNDING * len(joint), message)


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


def low_rank(subject, rng):
    """low_rank(X, tolerance) is within its tolerance: K - FFᵀ is positive semidefinite of small trace."""
    kernel, X = subject.object, subject.points(30, rng)
    K = kernel.gram(X)
    for tolerance in (0.1, 1e-3, 1e-6):
        F = kernel.low_rank(X, tolerance).factor
        rest = K - F @ F.T
        floor = _VALUE_ROUNDING * len(X) * float(np.trace(K))
        message = f"trace(K - FFᵀ) = {np.trace(rest):.3g} exceeds the tolerance {tolerance:g} of trace(K)"
        yield Trial({"X": X}, float(np.trace(rest)), tolerance * float(np.trace(K)) + floor, message)
        lowest = float(np.linalg.eigvalsh((rest + rest.T) / 2)[0])
        yield Trial(
            {"X": X}, -lowest, floor, f"K - FFᵀ is not positive semidefinite: eigenvalue {lowest:.3g}"
        )


def inputs_unchanged(subject, rng):
    """Points and vectors are not written to, and the same question has the same answer."""
    kernel, X, Y, v = subject.object, subject.points(5, rng), subject.points(4, rng), rng.normal(size=4)
    copies = snapshot(X, Y, v)
    calls = {"gram": lambda: kernel.gram(X, Y), "the kernel": lambda: kernel(X[:4], Y)}
    if hasattr(kernel, "matvec"):
        calls["matvec"] = lambda: kernel.matvec(X, Y, v)
    for call, run in calls.items():
        first = run()
        change = changed((X, Y, v), copies)
        yield Trial(
            {"call": call}, change, 0.0, f"`{call}` changed the arrays that it was given by {change:.3g}"
        )
        again = float(np.abs(np.asarray(run()) - np.asarray(first)).max())
        yield Trial(
            {"call": call}, again, 0.0, f"`{call}` gave another answer the second time: off by {again:.3g}"
        )


KERNEL_CHECKS = [
    require_members(("__call__", "gram"), "kernel"),
    Check("kernel-symmetric", symmetric.__doc__, symmetric, ("gram",)),
    Check("kernel-positive", positive.__doc__, positive, ("gram",)),
    Check("kernel-values", consistent.__doc__, consistent, ("__call__", "gram")),
    Check("kernel-matvec", matrix_vector.__doc__, matrix_vector, ("gram", "matvec")),
    Check("kernel-derivative", derivatives.__doc__, derivatives, ("derivative",)),
    Check(
        "kernel-derivative-positive",
        positive_with_derivatives.__doc__,
        positive_with_derivatives,
        ("derivative",),
    ),
    Check(
        "kernel-smoothness",
        refuses_rough_derivatives.__doc__,
        refuses_rough_derivatives,
        ("derivative", "smoothness"),
    ),
    Check("kernel-low-rank", low_rank.__doc__, low_rank, ("gram", "low_rank")),
    Check("kernel-inputs", inputs_unchanged.__doc__, inputs_unchanged, ("__call__", "gram")),
]


def kernel_subject(kernel, *, domain=None, largest=130):
    """Return the subject that `KERNEL_CHECKS` take."""
    whole_number(largest, "largest", least=6)
    return KernelSubject(kernel, domain, largest)


def check_kernel(kernel, *, domain=None, largest=130, rng=0, expected_failures=None, on_fail="raise"):
    """Check that an object is a reproducing kernel: symmetric, positive, with derivatives of its values.

    Parameters
    ----------
    kernel : object
        With `gram(X, Y)` and a call `k(x, y)`; `matvec`, `derivative` and `low_rank` are checked where
        they are there. It need not derive from `funcgrad.kernels.Kernel`.
    domain : Domain, optional
        Where its points lie; by default the unit cube of its `dimension`.
    largest : int
        The most points at once; 130 are enough for the library's compiled loops. Fewer for a slow kernel.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_kernel
    >>> all(result.ok for result in check_kernel(fg.kernels.Matern(2.5)))
    True
    """
    subject = kernel_subject(kernel, domain=domain, largest=largest)
    return run_checks(KERNEL_CHECKS, subject, rng, expected_failures, on_fail)
