"""Checks of reproducing kernels, scalar and matrix-valued: symmetry, positivity, products."""

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.errors import FuncgradError
from funcgrad.spaces import Box, Domain
from funcgrad.testing.conformance import (
    VALUE_ROUNDING,
    CheckResult,
    NotApplicable,
    OnFail,
    Trial,
    changed,
    check_of,
    require_members,
    rounding_trial,
    run_checks,
    snapshot,
)
from funcgrad.testing.doors import require_domain, require_instance
from funcgrad.testing.kernel_derivative_checks import KERNEL_DERIVATIVE_CHECKS
from funcgrad.testing.protocols import KernelLike
from funcgrad.testing.samples import lattice_of, points_of, shown


@dataclasses.dataclass
class KernelSubject:
    """A kernel with the domain from which its points are drawn."""

    object: KernelLike
    given_domain: Domain | None = None
    largest: int = 130

    @property
    def components(self):
        """The shape of the vectors that a value multiplies: (), and (m,) for values (m, m)."""
        m = getattr(self.object, "n_components", None)
        return () if m is None else (m,)

    @cached_property
    def domain(self):
        """The given domain, or the unit cube of the kernel's dimension, a line if it has none."""
        if self.given_domain is not None:
            return self.given_domain
        return Box([(0.0, 1.0)] * (getattr(self.object, "dimension", None) or 1))

    def points(self, count, rng):
        """Return points (count, n)."""
        return points_of(self.domain, min(count, self.largest), rng)

    def vectors(self, count, rng):
        """Return what the kernel's Gram matrix multiplies, (count,) or (count, m)."""
        return rng.normal(size=(count, *self.components))

    def point_of(self, X, row):
        """Return the point of a row of a Gram matrix, and its component in words if values are matrices."""
        if not self.components:
            return X[row], ""
        return X[row // self.components[0]], f", component {row % self.components[0]}"

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


def symmetric(subject, rng):
    """k(x, y) = k(y, x), of matrices the transpose."""
    kernel, X, Y = subject.object, subject.points(6, rng), subject.points(5, rng)
    there, back, sizes = kernel.gram(X, Y), kernel.gram(Y, X), _sizes(kernel, X, Y)
    for i, j in np.ndindex(there.shape):
        (x, of_x), (y, of_y) = subject.point_of(X, i), subject.point_of(Y, j)
        message = (
            f"it is not symmetric: k(x, y) = {there[i, j]:.12g} and k(y, x) = {back[j, i]:.12g} for x = "
            f"{shown(x)}{of_x}, y = {shown(y)}{of_y}"
        )
        error = abs(there[i, j] - back[j, i])
        yield Trial({"x": x, "y": y}, error, VALUE_ROUNDING * sizes[i, j], message)


def positive(subject, rng):
    """Gram matrices are positive semidefinite."""
    kernel = subject.object
    for X in _configurations(subject, rng):
        deficit, tolerance = _deficit(kernel, X)
        if deficit <= tolerance:
            yield Trial({"X": X}, deficit, tolerance, "")
            continue
        X = _fewest(kernel, X)
        deficit, tolerance = _deficit(kernel, X)
        message = (
            f"it is not positive definite: the Gram matrix at {len(X)} points has the eigenvalue "
            f"{-deficit:.3g} (rounding explains {tolerance:.1g}); the points: "
            f"{', '.join(shown(x) for x in X[:6])}{', ...' if len(X) > 6 else ''}"
        )
        yield Trial({"X": X}, deficit, tolerance, message)


def _configurations(subject, rng):
    """Yield sets of points, small ones first: random, close together, and on a lattice with the ends."""
    for count, spread in ((2, 1.0), (5, 1.0), (12, 1.0), (40, 1.0), (12, 0.1), (40, 0.3)):
        X = subject.points(count, rng)
        if spread < 1.0 and subject.free_coordinates:  # close together: the hard directions
            X = X[:1] + spread * (X - X[:1])
        yield X
    yield lattice_of(subject.domain, min(100, subject.largest))


def _deficit(kernel, X):
    """Return minus the least eigenvalue of the Gram matrix, and what rounding of its entries explains."""
    K = np.asarray(kernel.gram(X), dtype=float)
    lowest = float(np.linalg.eigvalsh((K + K.T) / 2)[0])
    # Entries off by δ k(x, x) move eigenvalues by at most δ trace(K).
    return -lowest, VALUE_ROUNDING * float(np.abs(np.diag(K)).sum())


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
    kernel, m = subject.object, math.prod(subject.components)
    for count in (4, subject.largest):
        X, Y = subject.points(count, rng), subject.points(count, rng)
        gram = np.asarray(kernel.gram(X, Y))
        if gram.shape != (count * m, count * m):
            message = f"`gram` of {count} by {count} points has shape {gram.shape}"
            message += f"; it must be {(count * m, count * m)}"
            yield Trial({"X": X}, math.inf, 0.0, message)
            return
        yield rounding_trial("`gram`", kernel.gram(X, Y), {"X": X})
        i, j = rng.integers(count, size=(2, 200))
        single = np.asarray(kernel(X[i], Y[j]))
        diagonal = np.asarray(kernel(X, X))
        scale = float(np.abs(diagonal).max())
        # (i, component, j, component): the components of a point stand together.
        blocks = gram.reshape(count, m, count, m)[i, :, j, :].reshape(single.shape)
        errors = np.abs(blocks - single)
        k = np.unravel_index(int(np.argmax(errors)), errors.shape)
        x, y = X[i[k[0]]], Y[j[k[0]]]
        message = (
            f"`gram` and the kernel differ with {count} points: {blocks[k]:.12g} and "
            f"{single[k]:.12g} at x = {shown(x)}, y = {shown(y)}"
        )
        yield Trial({"x": x, "y": y}, float(errors[k]), VALUE_ROUNDING * scale, message)
        itself, twice = np.asarray(kernel.gram(X)), np.asarray(kernel.gram(X, X))
        off = float(np.abs(itself - twice).max())
        message = f"`gram(X)` and `gram(X, X)` differ by {off:.3g}: is something added on the diagonal?"
        yield Trial({"X": X}, off, VALUE_ROUNDING * scale, message)
        if hasattr(kernel, "gram_diagonal"):
            of_matrices = np.einsum("kii->ki", diagonal.reshape(count, m, m)).reshape(-1)
            error = float(np.abs(kernel.gram_diagonal(X) - of_matrices).max())
            message = "`gram_diagonal` is not k(x, x)"
            yield Trial({"X": X}, error, VALUE_ROUNDING * scale, message)


def matrix_vector(subject, rng):
    """matvec(X, Y, v) = gram(X, Y) v."""
    kernel = subject.object
    for count in (3, subject.largest):
        X, Y, v = subject.points(count, rng), subject.points(count, rng), subject.vectors(count, rng)
        product, gram = kernel.matvec(X, Y, v), kernel.gram(X, Y)
        error = float(np.abs(product.ravel() - gram @ v.ravel()).max())
        tolerance = VALUE_ROUNDING * float((np.abs(gram) @ np.abs(v.ravel())).max())
        tolerance += VALUE_ROUNDING * float(np.abs(np.diag(kernel.gram(X))).max() * np.abs(v).sum())
        message = f"`matvec` is not the Gram matrix times v for {count} points: off by {error:.3g}"
        yield Trial({"X": X, "Y": Y, "v": v}, error, tolerance, message)


def low_rank(subject, rng):
    """low_rank(X, tolerance) is within its tolerance: K - FFᵀ is positive semidefinite of small trace."""
    kernel, X = subject.object, subject.points(30, rng)
    K = kernel.gram(X)
    for tolerance in (0.1, 1e-3, 1e-6):
        F = kernel.low_rank(X, tolerance).factor
        rest = K - F @ F.T
        floor = VALUE_ROUNDING * len(X) * float(np.trace(K))
        message = f"trace(K - FFᵀ) = {np.trace(rest):.3g} exceeds the tolerance {tolerance:g} of trace(K)"
        yield Trial({"X": X}, float(np.trace(rest)), tolerance * float(np.trace(K)) + floor, message)
        lowest = float(np.linalg.eigvalsh((rest + rest.T) / 2)[0])
        yield Trial(
            {"X": X}, -lowest, floor, f"K - FFᵀ is not positive semidefinite: eigenvalue {lowest:.3g}"
        )


def inputs_unchanged(subject, rng):
    """Points and vectors are not written to, and the same question has the same answer."""
    kernel, X, Y = subject.object, subject.points(5, rng), subject.points(4, rng)
    v = subject.vectors(4, rng)
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
    check_of("kernel-symmetric", symmetric, "gram"),
    check_of("kernel-positive", positive, "gram"),
    check_of("kernel-values", consistent, "__call__", "gram"),
    check_of("kernel-matvec", matrix_vector, "gram", "matvec"),
    *KERNEL_DERIVATIVE_CHECKS,
    check_of("kernel-low-rank", low_rank, "gram", "low_rank"),
    check_of("kernel-inputs", inputs_unchanged, "__call__", "gram"),
]


def kernel_subject(kernel, *, domain=None, largest=130):
    """Return the subject that `KERNEL_CHECKS` take."""
    require_instance(kernel, "a kernel")
    require_domain(domain, getattr(kernel, "dimension", None), kernel)
    whole_number(largest, "largest", least=6)
    return KernelSubject(kernel, domain, largest)


def check_kernel(
    kernel: KernelLike,
    *,
    domain: Domain | None = None,
    largest: int = 130,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that an object is a reproducing kernel: symmetric, positive, with derivatives of its values.

    Parameters
    ----------
    kernel : object
        With `gram(X, Y)` and a call `k(x, y)`; `matvec`, `derivative` and `low_rank` are checked where
        they are there. It need not derive from `funcgrad.kernels.Kernel`. With `n_components`, m, its
        values are matrices (N, m, m), and its Gram matrix (N m, M m) keeps those of a point together.
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
