"""Checks of linear operators on nodal values: adjoints, boundary terms, inverses, eigenbases."""

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from funcgrad._checks import whole_number
from funcgrad.testing.conformance import (
    EPS,
    ROUNDING,
    CheckResult,
    NotApplicable,
    OnFail,
    Trial,
    changed,
    check_of,
    run_checks,
    snapshot,
)
from funcgrad.testing.doors import require_instance
from funcgrad.testing.protocols import Operator

# Columns of an operator that are looked at; of larger ones, those at the ends and some between.
_COLUMNS = 120


@dataclasses.dataclass
class OperatorSubject:
    """An operator with the shape of what it takes and the weights of its inner product."""

    object: Operator
    given_shape: int | tuple[int, ...] | None
    weights: ArrayLike | None

    @cached_property
    def shape(self):
        """The shape of the values that it takes."""
        if self.given_shape is not None:
            return tuple(np.atleast_1d(self.given_shape).tolist())
        for holder in (self.object, getattr(self.object, "basis", None)):
            shape = getattr(holder, "shape", None)
            if shape is not None:
                return tuple(shape)
        raise NotApplicable("give `shape`: the operator has none")

    @cached_property
    def matrix(self):
        """The operator applied to unit vectors, (M, N), all or a hundred of them as `columns` says."""
        return self._matrix_of(self.object.apply)

    def _matrix_of(self, apply, shape=None):
        shape = self.shape if shape is None else shape
        size = math.prod(shape)
        columns = []
        for k in range(size) if shape is not self.shape else self.columns:
            unit = np.zeros(size)
            unit[k] = 1.0
            columns.append(np.asarray(apply(unit.reshape(shape)), dtype=float).ravel())
        return np.stack(columns, axis=1)

    @cached_property
    def columns(self):
        """Which unit vectors are tried."""
        size = math.prod(self.shape)
        if size <= _COLUMNS:
            return np.arange(size)
        return np.unique(np.linspace(0, size - 1, _COLUMNS).astype(int))

    @cached_property
    def size(self):
        """The largest sum of a row's absolute values."""
        return float(np.abs(self.matrix).sum(axis=1).max())

    def place(self, node):
        """Return where a node of the operator's shape lies, in words."""
        index = np.unravel_index(node, self.shape)
        at_edge = any(i < 4 or i >= n - 4 for i, n in zip(index, self.shape, strict=True))
        shown = int(index[0]) if len(index) == 1 else tuple(int(i) for i in index)
        return f"node {shown}{', at the boundary' if at_edge else ''}"


def _transposes(operator):
    """Return pairs (name, Aᵀ as a function) of the members that say it."""
    offered = [
        (f"`{name}`", getattr(operator, name))
        for name in ("apply_transpose", "rmatvec")
        if hasattr(operator, name)
    ]
    if hasattr(operator, "transpose"):
        offered.append(("`transpose()`", operator.transpose().apply))
    if not offered:
        raise NotApplicable("it offers no transpose")
    return offered


def linear(subject, rng):
    """A(au + v) = aAu + Av."""
    apply = subject.object.apply
    u, v, a = rng.normal(size=subject.shape), rng.normal(size=subject.shape), float(rng.uniform(-2, 2))
    left, right = apply(a * u + v), a * apply(u) + apply(v)
    error = float(np.abs(left - right).max())
    tolerance = ROUNDING * math.log2(u.size + 2) * subject.size * float(np.abs(u).max() + np.abs(v).max()) * 4
    yield Trial({"u": u, "v": v}, error, tolerance, f"it is not linear: A(au + v) - aAu - Av is {error:.3g}")


def adjoint(subject, rng):
    """v·(Au) = (Aᵀv)·u, for every node, at the boundary too."""
    for name, transpose in _transposes(subject.object):
        yield _adjoint_trial(subject, name, transpose, rng)


def _adjoint_trial(subject, name, transpose, rng):
    """Return the trial of one transpose: all entries of a small operator, a combination of a large one's."""
    image = np.asarray(subject.object.apply(np.zeros(subject.shape)))
    rows = subject.matrix
    if image.size > 400:
        v = rng.normal(size=image.shape)
        claimed = np.asarray(transpose(v)).ravel()[subject.columns][None]
        rows = v.ravel()[None] @ rows
    else:
        claimed = subject._matrix_of(transpose, image.shape)[subject.columns].T
    errors = np.abs(claimed - rows)
    tolerance = ROUNDING * math.log2(image.size + 2) * subject.size
    tolerance = tolerance if image.size <= 400 else tolerance * len(subject.columns) * 4
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    node = int(subject.columns[worst[1]])
    message = (
        f"{name} is not the adjoint: it has {claimed[worst]:.6g} where the operator has {rows[worst]:.6g}, "
        f"for {subject.place(node)}"
    )
    return Trial({"node": node}, float(errors[worst]), tolerance, message)


def self_adjoint(subject, rng):
    """Σ w v(Au) = Σ w u(Av): it is self-adjoint in the inner product of its weights."""
    if subject.weights is None:
        raise NotApplicable("give `weights` for an operator that is self-adjoint in them")
    if len(subject.columns) < math.prod(subject.shape):
        raise NotApplicable(f"it has more than {_COLUMNS} unknowns")
    weighted = np.broadcast_to(subject.weights, subject.shape).ravel()[:, None] * subject.matrix
    errors = np.abs(weighted - weighted.T)
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    scale = float(np.abs(weighted).sum(axis=1).max())
    message = (
        f"it is not self-adjoint in its weights: w_i A_ij = {weighted[worst]:.6g}, w_j A_ji = "
        f"{weighted[worst[::-1]]:.6g} for {subject.place(int(worst[0]))} and {subject.place(int(worst[1]))}"
    )
    yield Trial({"nodes": worst}, float(errors[worst]), ROUNDING * len(weighted) * scale, message)


def sparse_matrix(subject, rng):
    """`matrix()` is the operator."""
    if hasattr(subject.object, "weights") or not callable(subject.object.matrix):
        raise NotApplicable("`matrix` is something else here")
    matrix = subject.object.matrix()
    dense = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)[:, subject.columns]
    errors = np.abs(dense - subject.matrix)
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    message = (
        f"`matrix()` is not the operator: {dense[worst]:.6g} and {subject.matrix[worst]:.6g} for "
        f"{subject.place(int(subject.columns[worst[1]]))}"
    )
    yield Trial({"entry": worst}, float(errors[worst]), ROUNDING * subject.size, message)


def inverse(subject, rng):
    """The inverse, or `solve`, undoes the operator."""
    operator = subject.object
    if hasattr(operator, "solve"):
        undo, name = operator.solve, "`solve`"
    elif hasattr(operator, "inverse"):
        undo, name = operator.inverse.apply, "`inverse`"
    else:
        raise NotApplicable("it offers no inverse")
    if len(subject.columns) < math.prod(subject.shape):
        raise NotApplicable(f"it has more than {_COLUMNS} unknowns")
    sigma = np.linalg.svd(subject.matrix, compute_uv=False)
    if len(subject.matrix) < subject.matrix.shape[1] or sigma[-1] <= len(sigma) * EPS * sigma[0]:
        raise NotApplicable("it is singular")
    for _ in range(3):
        u = rng.normal(size=subject.shape)
        back = np.asarray(undo(operator.apply(u)))
        error = float(np.abs(back - u).max())
        stated = 4 * getattr(operator, "tolerance", 0.0)  # of a rational approximation
        tolerance = (stated + ROUNDING * len(sigma)) * sigma[0] / sigma[-1] * float(np.abs(u).max())
        yield Trial({"u": u}, error, tolerance, f"{name} does not undo the operator: off by {error:.3g}")


def whitening(subject, rng):
    """Sᵀ solve_transpose(c) = c for the covectors c of the operator's range."""
    operator = subject.object
    r = operator.apply(rng.normal(size=subject.shape))
    c = operator.apply_transpose(r)
    back = operator.apply_transpose(operator.solve_transpose(c))
    error = float(np.abs(back - c).max())
    sigma = np.linalg.svd(subject.matrix, compute_uv=False)
    kept = sigma[sigma > len(sigma) * EPS * sigma[0]]
    tolerance = ROUNDING * len(sigma) * kept[0] / kept[-1] * float(np.linalg.norm(c))
    yield Trial({"c": c}, error, tolerance, f"Sᵀ solve_transpose(c) is not c: off by {error:.3g}")


def parts(subject, rng):
    """Σ w u Dv + Σ w v Du is the boundary term u_N v_N - u_0 v_0, along every axis."""
    pair, shape = subject.object, subject.shape
    weights = np.asarray(pair.weights)
    for axis in range(len(shape)):
        derivative = pair.first_derivative(axis)
        across = _across(weights, axis, derivative)
        for trial in range(3):
            u, v = rng.normal(size=shape), rng.normal(size=shape)
            if trial == 0:  # the smallest input: a spike at the first node
                u = np.zeros(shape)
                u[(0,) * len(shape)] = 1.0
                v = u.copy()
            Du, Dv = derivative.apply(u), derivative.apply(v)
            left = float(np.sum(weights * (u * Dv + v * Du)))
            product = np.moveaxis(u * v, axis, 0)
            right = float(np.sum(across * (product[-1] - product[0])))
            size = float(np.sum(weights * (np.abs(u * Dv) + np.abs(v * Du)))) + 1e-300
            message = (
                f"it does not sum by parts along axis {axis}: Σ w(u Dv + v Du) = {left:.9g}, the boundary "
                f"terms are {right:.9g}; do the weights and the rows at the boundary belong together?"
            )
            yield Trial({"u": u, "v": v}, abs(left - right), ROUNDING * math.log2(u.size + 2) * size, message)


def _across(weights, axis, derivative):
    """Return the weights of the boundary faces of an axis: the product of the other axes' weights.

    The derivative says in which units: that of the axis' coordinate is 1.
    """
    line = np.moveaxis(weights, axis, 0)
    ramp = np.moveaxis(np.broadcast_to(np.arange(line.shape[0], dtype=float), line.T.shape).T, 0, axis)
    step = 1.0 / float(np.median(derivative.apply(np.ascontiguousarray(ramp))))
    # The weights along the axis sum to its length.
    return line.sum(axis=0) / (step * (line.shape[0] - 1))


def second_derivative(subject, rng):
    """Σ w u D₂v = -uᵀMv + boundary terms with the derivative S, M symmetric."""
    pair = subject.object
    if len(subject.shape) > 1:
        raise NotApplicable("boundary terms are tried on lines")
    weights, D2, M = np.asarray(pair.weights), pair.second_derivative(), pair.stiffness()
    for _ in range(2):
        u, v = rng.normal(size=subject.shape), rng.normal(size=subject.shape)
        first, last = pair.boundary_derivative(v)
        left = float(np.sum(weights * u * D2.apply(v)))
        Mv = M.apply(v)
        right = float(-u @ Mv + u[-1] * last - u[0] * first)
        size = float(np.abs(u) @ np.abs(Mv)) + float(np.sum(np.abs(weights * u * D2.apply(v))))
        message = f"D₂ does not sum by parts: Σ w u D₂v = {left:.9g}, -uᵀMv + boundary terms = {right:.9g}"
        yield Trial({"u": u, "v": v}, abs(left - right), ROUNDING * len(u) * size, message)
        asymmetry = float(abs(u @ Mv - v @ M.apply(u)))
        yield Trial({"u": u, "v": v}, asymmetry, ROUNDING * len(u) * size, "the stiffness M is not symmetric")


def eigenbasis(subject, rng):
    """backward(forward(u)) = u, and a constant symbol multiplies by its number."""
    basis, u = subject.object, rng.normal(size=subject.shape)
    back = np.asarray(basis.backward(basis.forward(u.copy())))
    twice = np.asarray(basis.multiply(np.full(np.shape(basis.eigenvalues), 2.0), u.copy()))
    scale = ROUNDING * math.log2(u.size + 2) * float(np.abs(u).max()) * 4
    once = back if np.abs(back - u).max() > scale else u
    again = np.asarray(basis.backward(basis.forward(once.copy())))
    error = float(np.abs(again - once).max())
    yield Trial(
        {"u": u}, error, scale, f"backward(forward(u)) is not u (nor a projection of it): off by {error:.3g}"
    )
    error = float(np.abs(twice - 2 * once).max())
    yield Trial({"u": u}, error, 2 * scale, f"the symbol 2 does not multiply by 2: off by {error:.3g}")
    lowest = float(np.min(basis.eigenvalues))
    message = f"an eigenvalue of -Δ is negative: {lowest:.3g}"
    yield Trial({}, -lowest, 1e-12 * float(np.abs(basis.eigenvalues).max()), message)


def inputs_unchanged(subject, rng):
    """Values are not written to, and the same question has the same answer."""
    u = rng.normal(size=subject.shape)
    (copy,) = snapshot(u)
    first = np.array(subject.object.apply(u), copy=True)
    yield Trial({"u": u}, changed((u,), (copy,)), 0.0, "`apply` changed the values that it was given")
    subject.object.apply(rng.normal(size=subject.shape))
    again = float(np.abs(np.asarray(subject.object.apply(u)) - first).max())
    yield Trial({"u": u}, again, 0.0, f"`apply` gave another answer the second time: off by {again:.3g}")


def has_an_operator(subject, rng):
    """It has `apply`, or is a pair of operators that sums by parts, or an eigenbasis."""
    known = any(hasattr(subject.object, name) for name in ("apply", "first_derivative", "forward"))
    message = (
        "it has none of `apply`, `first_derivative` and `forward`: it is no operator that can be checked"
    )
    yield Trial({}, float(not known), 0.0, message)


OPERATOR_CHECKS = [
    check_of("operator-members", has_an_operator),
    check_of("operator-linear", linear, "apply"),
    check_of("operator-adjoint", adjoint, "apply"),
    check_of("operator-self-adjoint", self_adjoint, "apply"),
    check_of("operator-matrix", sparse_matrix, "apply", "matrix"),
    check_of("operator-inverse", inverse, "apply"),
    check_of("operator-whitening", whitening, "apply", "apply_transpose", "solve_transpose"),
    check_of("operator-parts", parts, "weights", "first_derivative"),
    check_of("operator-parts-second", second_derivative, "weights", "second_derivative", "stiffness"),
    check_of("operator-eigenbasis", eigenbasis, "forward", "backward", "multiply", "eigenvalues"),
    check_of("operator-inputs", inputs_unchanged, "apply"),
]


def operator_subject(operator, *, shape=None, weights=None):
    """Return the subject that `OPERATOR_CHECKS` take."""
    require_instance(operator, "an operator")
    for size in () if shape is None else np.atleast_1d(shape).tolist():
        whole_number(size, "shape", least=1)
    return OperatorSubject(operator, shape, weights)


def check_operator(
    operator: Operator,
    *,
    shape: int | tuple[int, ...] | None = None,
    weights: ArrayLike | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check a linear operator on nodal values: linearity, adjoint, inverse, summation by parts.

    Parameters
    ----------
    operator : object
        With `apply`, and any of `transpose`, `apply_transpose` or `rmatvec`, `matrix`, `inverse` or `solve`;
        or a pair that sums by parts (`weights`, `first_derivative`); or an eigenbasis (`forward`, `backward`,
        `multiply`, `eigenvalues`).
    shape : int or tuple, optional
        Of the values that it takes; by default its own `shape`.
    weights : float or array_like, optional
        For an operator that is self-adjoint in the inner product Σ w u v: w.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> from funcgrad.operators.finite_differences import first_derivative
    >>> from funcgrad.testing import check_operator
    >>> derivative = first_derivative(16, 0.1, order=4, boundary="one-sided")
    >>> all(result.ok for result in check_operator(derivative))
    True
    """
    subject = operator_subject(operator, shape=shape, weights=weights)
    return run_checks(OPERATOR_CHECKS, subject, rng, expected_failures, on_fail)
