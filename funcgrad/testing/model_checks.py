"""Checks of models: values, Jacobians, spatial derivatives, products, caches."""

import dataclasses
import itertools
import math
import warnings
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from funcgrad._checks import finite_array
from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.spaces import Box, Domain, Interval
from funcgrad.testing.conformance import (
    ROUNDING,
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
from funcgrad.testing.protocols import ModelLike
from funcgrad.testing.samples import extent_of, lattice_of, points_of, shown
from funcgrad.testing.tangent_space_checks import TANGENT_SPACE_CHECKS
from funcgrad.testing.taylor import derivative_trials, extrapolated_derivative, scatter, taylor_trials

_COMPLEX_STEP = 1e-100
# As many points at once as what works by blocks does not take in one.
_MANY = 150


@dataclasses.dataclass
class ModelSubject:
    """A model with its parameters and the domain of its points."""

    object: ModelLike
    given_theta: ArrayLike | None
    domain: Domain

    @cached_property
    def theta(self):
        """The given parameters, those the model draws, or standard normal ones."""
        if self.given_theta is not None:
            return np.array(self.given_theta, dtype=float)
        if hasattr(self.object, "initial"):
            return np.asarray(self.object.initial(0), dtype=float)
        return np.random.default_rng(0).standard_normal(self.object.n_parameters)

    def points(self, count, rng):
        """Return points (count, n)."""
        return points_of(self.domain, count, rng)

    def points_and_ends(self, count, rng):
        """Return points, and two opposite corners of the domain if the model is defined there."""
        inside, ends = self.points(count, rng), lattice_of(self.domain, 1)[[0, -1]]
        with np.errstate(all="ignore"):
            try:
                defined = np.isfinite(self.object(self.theta, ends)).all()
            except (FuncgradError, ArithmeticError, ValueError):
                return inside
        return np.concatenate([inside, ends]) if defined else inside

    def parameter(self, index):
        """Return the name of a parameter."""
        names = getattr(self.object, "parameter_names", None)
        return f"`{names[index]}`" if names is not None else f"number {index}"

    def column(self, x, i):
        """Return (value, derivative) along parameter i as callables of the shift t."""
        unit = np.eye(len(self.theta))[i]
        return lambda t: self.object(self.theta + t * unit, x)

    def jacobian_along_lines(self, x):
        """Return the Jacobian by the complex step, or None where the model refuses complex parameters."""
        columns = []
        for i in range(len(self.theta)):
            shifted = self.theta.astype(complex)
            shifted[i] += 1j * _COMPLEX_STEP
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    values = np.asarray(self.object(shifted, x))
            except (FuncgradError, TypeError, ValueError):
                return None
            if not np.iscomplexobj(values):
                return None
            columns.append(values.imag / _COMPLEX_STEP)
        return np.stack(columns, axis=-1)


def shapes(subject, rng):
    """Values are (N,) or (N, m), Jacobians have the parameters as one more axis, all finite."""
    model = subject.object
    for count in (1, 3):
        x = subject.points(count, rng)
        value, jacobian = np.asarray(model(subject.theta, x)), np.asarray(model.jacobian(subject.theta, x))
        wrong = value.ndim not in (1, 2) or len(value) != count
        message = (
            f"the value at {count} point(s) has shape {value.shape}; it must be ({count},) or ({count}, m)"
        )
        yield Trial({"x": x}, float(wrong), 0.0, message)
        expected = (*value.shape, model.n_parameters)
        message = f"the Jacobian at {count} point(s) has shape {jacobian.shape}; it must be {expected}"
        yield Trial({"x": x}, float(jacobian.shape != expected), 0.0, message)
        finite = np.isfinite(value).all() and np.isfinite(jacobian).all()
        yield Trial({"x": x}, float(not finite), 0.0, "the value or the Jacobian is not finite")
        yield rounding_trial("the value", value, {"x": x})
        yield rounding_trial("the Jacobian", jacobian, {"x": x})


def pointwise(subject, rng):
    """The value and the Jacobian at a point do not depend on the other points."""
    model, x = subject.object, subject.points(_MANY, rng)
    value, jacobian = model(subject.theta, x), model.jacobian(subject.theta, x)
    for k in (*range(6), _MANY - 1):
        for name, all_, alone in (
            ("value", value, model(subject.theta, x[k : k + 1])),
            ("Jacobian", jacobian, model.jacobian(subject.theta, x[k : k + 1])),
        ):
            error = float(np.abs(all_[k] - alone[0]).max())
            scale = float(np.abs(all_).max())
            message = f"the {name} at x = {shown(x[k])} depends on the other points: off by {error:.3g}"
            yield Trial({"x": x[k]}, error, ROUNDING * scale * len(subject.theta), message)


def jacobian(subject, rng):
    """Each entry of the Jacobian is the derivative of the value in its parameter."""
    model, theta = subject.object, subject.theta
    x = subject.points_and_ends(5, rng)
    claimed = np.asarray(model.jacobian(theta, x))
    exact = subject.jacobian_along_lines(x)
    for i in range(len(theta)):

        def describe(index, i=i):
            output = f", output {index[1]}," if len(index) > 1 else ""
            return f"the Jacobian in parameter {subject.parameter(i)} at x = {shown(x[index[0]])}{output}"

        def where(index):
            return {"theta": theta, "x": x[index[0]]}

        column = None if exact is None else exact[..., i]
        scale = math.nan if exact is None else float(np.abs(exact).max())
        tolerance = ROUNDING * len(theta) * scale
        size = max(1.0, abs(theta[i]))
        if column is None or not _analytic(subject.column(x, i), column, claimed[..., i], size, tolerance):
            line = subject.column(x, i)
            yield from derivative_trials(line, claimed[..., i], 0.02 * size, describe, where, size)
            continue
        for index in np.ndindex(claimed.shape[:-1]):
            left, right = claimed[(*index, i)], column[index]
            message = f"{describe(index)} is {left:.9g}, by the complex step it is {right:.9g}"
            yield Trial(where(index), abs(left - right), tolerance, message)


def _analytic(value, by_complex_step, claimed, size, tolerance):
    """Return whether a complex step tells the derivative of a value: not of |θ|, nor of Re θ.

    Where the model's own derivative is the same, it does; otherwise differences say which of them is wrong.
    """
    if np.shape(by_complex_step) != np.shape(claimed):
        return True
    if np.abs(by_complex_step - claimed).max(initial=0.0) <= tolerance:
        return True
    by_differences, bound = extrapolated_derivative(value, 0.02 * size, size, scatter(value, 0.02 * size))
    return not np.any(np.abs(by_complex_step - by_differences) > bound + tolerance)


def taylor(subject, rng):
    """f_{θ+tη} = f_θ + t Jη + O(t²), with a remainder of order 2 ± 0.1 that the change of Jη explains."""
    model, theta = subject.object, subject.theta
    x = subject.points(3, rng)
    for count in (1, len(theta)):  # one parameter alone, then all at once
        eta = np.zeros(len(theta))
        eta[rng.permutation(len(theta))[:count]] = rng.choice([-1.0, 1.0], count)
        eta *= np.maximum(1.0, np.abs(theta)) / math.sqrt(count)
        for k in range(len(x)):
            weights = np.cos(np.arange(np.size(model(theta, x[k : k + 1]))))

            def value(t, k=k, weights=weights, eta=eta):
                return float(weights @ np.ravel(model(theta + t * eta, x[k : k + 1])))

            def slope(t, k=k, weights=weights, eta=eta):
                rows = model.jacobian(theta + t * eta, x[k : k + 1]).reshape(len(weights), -1)
                return float(weights @ rows @ eta)

            yield from taylor_trials(
                value, slope, 0.05, f"Jη at x = {shown(x[k])}", {"theta": theta, "eta": eta, "x": x[k]}
            )


def spatial_derivatives(subject, rng):
    """`derivative` gives the derivatives of the value in x, `jacobian_derivative` those of the Jacobian."""
    model, theta = subject.object, subject.theta
    x, n = subject.points(3, rng), subject.object.dimension
    tried = 0
    for below, axis in itertools.product([(0,) * n, *_units(n)[:1]], range(n)):
        above = tuple(order + (i == axis) for i, order in enumerate(below))
        shift = np.eye(n)[axis]
        for name in ("derivative", "jacobian_derivative"):
            if not hasattr(model, name):
                continue
            evaluate = getattr(model, name)
            try:
                claimed = evaluate(theta, x, above)
                evaluate(theta, x, below)
            except FuncgradError:
                continue
            tried += 1
            yield from derivative_trials(
                lambda t, e=evaluate, b=below, shift=shift: e(theta, x + t * shift, b),
                claimed,
                0.02 * extent_of(subject.domain, axis),
                lambda index, name=name, above=above: (
                    f"`{name}` of order {above} at x = {shown(x[index[0]])}"
                ),
                lambda index: {"theta": theta, "x": x[index[0]]},
                float(np.abs(x).max()),
            )
    if not tried:
        raise NotApplicable("it offers no derivatives in x")


def _units(n):
    return [tuple(int(i == axis) for i in range(n)) for axis in range(n)]


def products(subject, rng):
    """pushforward(η) = Jη and pullback(r) = Jᵀr."""
    model, theta, x = subject.object, subject.theta, subject.points(6, rng)
    J = np.asarray(model.jacobian(theta, x))
    eta, r = rng.normal(size=len(theta)), rng.normal(size=J.shape[:-1])
    forward = model.pushforward(theta, x, eta)
    error, size = float(np.abs(forward - J @ eta).max()), float((np.abs(J) @ np.abs(eta)).max())
    message = f"`pushforward` is not the Jacobian times η: off by {error:.3g}"
    yield Trial({"x": x, "eta": eta}, error, ROUNDING * len(theta) * size, message)
    back = model.pullback(theta, x, r)
    rows = J.reshape(-1, len(theta))
    errors = np.abs(back - rows.T @ r.ravel())
    i = int(np.argmax(errors))
    size = float((np.abs(rows).T @ np.abs(r.ravel())).max())
    message = f"`pullback` is not the transposed Jacobian times r: off by {errors[i]:.3g} in parameter "
    message += subject.parameter(i)
    yield Trial({"x": x, "r": r}, float(errors[i]), ROUNDING * rows.size * size, message)


def inputs_unchanged(subject, rng):
    """Parameters and points are not written to."""
    model, theta, x = subject.object, subject.theta.copy(), subject.points(4, rng)
    copies = snapshot(theta, x)
    for call, run in (("the model", lambda: model(theta, x)), ("jacobian", lambda: model.jacobian(theta, x))):
        run()
        for name, array, copy in zip(("theta", "x"), (theta, x), copies, strict=True):
            message = f"`{call}` changed the array `{name}` that it was given"
            yield Trial({"call": call}, changed((array,), (copy,)), 0.0, message)


def no_stale_cache(subject, rng):
    """What a model answers does not depend on what it was asked before."""
    model, theta = subject.object, subject.theta
    other = theta + 0.5 + rng.uniform(size=len(theta)) / 8
    x, elsewhere = subject.points(4, rng), subject.points(5, rng)
    for name in ("__call__", "jacobian"):
        ask = getattr(model, name)
        shown = "value" if name == "__call__" else "Jacobian"
        ask(theta, elsewhere)
        answer = ask(theta, x)
        fresh = np.array(answer, copy=True)
        try:
            ask(other, x)
            ask(theta, elsewhere)
            ask(other, x)
        except FuncgradError:
            continue
        overwritten = float(np.abs(np.asarray(answer) - fresh).max())
        message = (
            f"the {shown} that was returned changed with the next call: is one array returned every time?"
        )
        yield Trial({"theta": theta, "x": x}, overwritten, 0.0, message)
        again = np.asarray(ask(theta, x))
        message = f"the {shown} at θ and x is another after one at other parameters: is a cache stale?"
        yield Trial({"theta": theta, "x": x}, float(np.abs(again - fresh).max()), 0.0, message)
        # The same array with other numbers in it.
        moved = elsewhere[: len(x)].copy()
        ask(theta, moved)
        moved[...] = x
        again = np.asarray(ask(theta, moved))
        message = (
            f"the {shown} did not change with the numbers in an array of points: is it kept by the array?"
        )
        yield Trial({"theta": theta, "x": x}, float(np.abs(again - fresh).max()), 0.0, message)


MODEL_CHECKS = [
    require_members(("__call__", "jacobian", "dimension", "n_parameters"), "model"),
    check_of("model-shapes", shapes, "__call__", "jacobian"),
    check_of("model-pointwise", pointwise, "__call__", "jacobian"),
    check_of("model-jacobian", jacobian, "__call__", "jacobian"),
    check_of("model-taylor", taylor, "__call__", "jacobian"),
    check_of("model-derivatives", spatial_derivatives, "derivative"),
    check_of("model-products", products, "jacobian", "pushforward", "pullback"),
    *TANGENT_SPACE_CHECKS,
    check_of("model-inputs", inputs_unchanged, "__call__", "jacobian"),
    check_of("model-cache", no_stale_cache, "__call__", "jacobian"),
]


def model_subject(model, *, theta=None, domain=None):
    """Return the subject that `MODEL_CHECKS` take."""
    require_instance(model, "a model")
    require_domain(domain, getattr(model, "dimension", None), model)
    if theta is not None:
        theta = finite_array(theta, "theta", ndim=1)
        p = getattr(model, "n_parameters", len(theta))
        if len(theta) != p:
            raise InvalidInput(f"`theta` must have the {p} parameters of {model!r}; got {len(theta)}.")
    if domain is None:
        n = getattr(model, "dimension", 1)
        domain = Interval(0.0, 1.0) if n == 1 else Box([(0.0, 1.0)] * n)
    return ModelSubject(model, theta, domain)


def check_model(
    model: ModelLike,
    *,
    theta: ArrayLike | None = None,
    domain: Domain | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that an object is a model: values, Jacobians and spatial derivatives that belong together.

    Parameters
    ----------
    model : object
        With a call `model(theta, x)`, `jacobian(theta, x)`, `dimension` and `n_parameters`; `derivative`,
        `jacobian_derivative`, `pushforward` and `pullback` are checked where they are there. It need not
        derive from `funcgrad.models.Model`.
    theta : array_like, (p,), optional
        The parameters; by default those of `model.initial(0)`, or standard normal ones.
    domain : Domain, optional
        Where its points lie; by default [0, 1] or the unit cube.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_model
    >>> wave = fg.models.Symbolic("a*sin(b*x)", parameters="a b")
    >>> all(result.ok for result in check_model(wave, theta=[1.0, 2.0]))
    True
    """
    subject = model_subject(model, theta=theta, domain=domain)
    return run_checks(MODEL_CHECKS, subject, rng, expected_failures, on_fail)
