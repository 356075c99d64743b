"""Checks of models for what the natural gradient asks of them: rank, and covariance."""

import warnings

import numpy as np

from funcgrad.errors import DegenerateModelWarning
from funcgrad.functionals import EmpiricalLoss
from funcgrad.gradients import natural_gradient
from funcgrad.metrics import L2
from funcgrad.spaces import PointSet
from funcgrad.testing.conformance import EPS, NotApplicable, Trial, check_of


def immersion(subject, rng):
    """The tangent functions are independent: the rank is the number of parameters, by a margin."""
    model, theta = subject.object, subject.theta
    p = len(theta)
    x = subject.points(8 * p + 32, rng)
    rows = np.asarray(model.jacobian(theta, x)).reshape(-1, p)
    norms = np.linalg.norm(rows, axis=0)
    i = int(np.argmin(norms))
    message = f"the parameter {subject.parameter(i)} changes nothing: its tangent function vanishes"
    yield Trial({"theta": theta}, EPS * float(norms.max()), float(norms[i]), message)
    if norms[i] == 0:
        return
    _, sigma, vt = np.linalg.svd(rows / norms, full_matrices=False)
    largest = np.argsort(-np.abs(vt[-1]))[: max(2, int(np.sum(np.abs(vt[-1]) > 0.1)))]
    names = ", ".join(subject.parameter(int(i)) for i in largest[:4])
    message = (
        f"the model is not an immersion at θ: its tangent functions are dependent (singular values of the "
        f"scaled ones from {sigma[0]:.3g} to {sigma[-1]:.3g}), those of {names}"
    )
    yield Trial({"theta": theta}, p * EPS * float(sigma[0]) * 4, float(sigma[-1]), message)


def covariance(subject, rng):
    """The natural gradient's pushforward does not depend on the parametrisation."""
    model, theta = subject.object, subject.theta
    p = len(theta)
    x = subject.points(2 * p + 10, rng)
    value = np.asarray(model(theta, x))
    if value.ndim != 1:
        raise NotApplicable("it is tried for one output")
    loss = EmpiricalLoss(x, value - np.cos(np.arange(len(x))))
    data = PointSet(subject.domain, x)
    mixing = np.eye(p) + np.tril(rng.integers(-1, 2, (p, p)), -1) / max(1, p)
    other = _Shifted(model, theta, mixing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateModelWarning)
        first = natural_gradient(loss, _Shifted(model, theta), np.zeros(p), L2(), data)
        second = natural_gradient(loss, other, np.zeros(p), L2(), data)
    if max(first.error_bound, second.error_bound) > 1e-3 or min(first.rank, second.rank) < p:
        raise NotApplicable(
            f"the tangent functions are too nearly dependent (condition {first.condition:.1e}) to tell"
        )
    size = float(np.abs(first.pushforward.values).max())
    error = float(np.abs(first.pushforward.values - second.pushforward.values).max())
    tolerance = (
        size * 10 * (first.condition * first.error_bound + second.condition * second.error_bound)
        + 1e-13 * size
    )
    message = (
        f"the natural gradient's pushforward changes with the parametrisation by {error:.3g} of {size:.3g}"
    )
    yield Trial({"theta": theta}, error, tolerance, message)


class _Shifted:
    """ϑ ↦ f(θ + B sinh ϑ), from value and Jacobian alone; B = 1 if not given."""

    n_outputs = 1

    def __init__(self, model, theta, mixing=None):
        mixing = np.eye(len(theta)) if mixing is None else mixing
        self._model, self._theta, self._mixing = model, theta, mixing
        self.dimension, self.n_parameters = model.dimension, len(theta)
        self.parameter_names = tuple(f"t{i}" for i in range(len(theta)))

    def __call__(self, t, x):
        return self._model(self._theta + self._mixing @ np.sinh(t), x)

    def jacobian(self, t, x):
        inner = self._theta + self._mixing @ np.sinh(t)
        return self._model.jacobian(inner, x) @ (self._mixing * np.cosh(t))


TANGENT_SPACE_CHECKS = [
    check_of("model-immersion", immersion, "jacobian"),
    check_of("model-covariance", covariance, "__call__", "jacobian"),
]
