"""Models that are no `Model`: any object that is called with (θ, x) and has a Jacobian."""

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model

# What makes an object as good as a `Model` to natural gradients.
_COMPLETE = ("dimension", "parameter_names", "n_parameters", "n_outputs", "pushforward", "pullback")


def as_model(model, theta, grid_or_domain):
    """Return a `Model`, or an object with ``model(theta, x)`` and ``model.jacobian(theta, x)`` as one.

    The number of inputs is that of the domain's coordinates, that of parameters the length of θ, that of
    outputs is seen in the Jacobian's shape, (N, p) or (N, m, p). Spatial derivatives are the object's own if
    it has `derivative` and `jacobian_derivative` (and where it `knows` them, if it says); otherwise functions
    are differentiated on grids.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> class Line:
    ...     def __call__(self, theta, x):
    ...         return theta[0] + theta[1] * x[:, 0]
    ...
    ...     def jacobian(self, theta, x):
    ...         return np.column_stack([np.ones(len(x)), x[:, 0]])
    >>> loss = fg.EmpiricalLoss(x=[0.0, 1.0], y=[1.0, 3.0])
    >>> step = fg.natural_gradient(loss, Line(), [0.0, 0.0], fg.Sobolev(1), fg.Interval(0, 1))
    >>> step.direction.round(12)
    array([-3.53846154, -0.92307692])
    """
    if isinstance(model, Model) or all(hasattr(model, name) for name in _COMPLETE):
        return model
    if not (callable(model) and hasattr(model, "jacobian")):
        raise InvalidInput(
            "`model` must be a Model, or an object that is called with (theta, x) and has "
            f"`jacobian(theta, x)`; got {type(model).__name__}."
        )
    theta = finite_array(theta, "theta", ndim=1)
    if grid_or_domain is None:
        raise InvalidInput(f"give `domain`: how many inputs {model!r} has is not known without it.")
    grid = grid_or_domain if hasattr(grid_or_domain, "nodes") else grid_or_domain.grid(4)
    return _Adapted(model, theta, grid.nodes[:1])


class _Adapted(Model):
    def __init__(self, model, theta, point):
        shape = np.shape(model.jacobian(theta, point))
        if len(shape) not in (2, 3) or shape[0] != 1 or shape[-1] != theta.size:
            raise InvalidInput(
                f"the model's Jacobian must have shape (N, {theta.size}) or (N, m, {theta.size}) for N "
                f"points and {theta.size} parameters; at one point it has {shape}."
            )
        names = getattr(model, "parameter_names", [f"t{i}" for i in range(theta.size)])
        super().__init__(point.shape[1], names, shape[1] if len(shape) == 3 else 1)
        self._model = model

    def knows(self, alpha):
        """See `Model.knows`."""
        model = self._model
        if not any(alpha):
            return True
        has_them = hasattr(model, "derivative") and hasattr(model, "jacobian_derivative")
        return has_them and (not hasattr(model, "knows") or model.knows(alpha))

    def _value(self, theta, x, alpha):
        self._require(alpha)
        value = self._model.derivative(theta, x, alpha) if any(alpha) else self._model(theta, x)
        return self._as_declared(value, (len(x), *self._outputs))

    def _jacobian(self, theta, x, alpha):
        self._require(alpha)
        model = self._model
        jacobian = model.jacobian_derivative(theta, x, alpha) if any(alpha) else model.jacobian(theta, x)
        return self._as_declared(jacobian, (len(x), *self._outputs, self.n_parameters))

    def _require(self, alpha):
        if not self.knows(alpha):
            raise InvalidInput(
                f"the model has no spatial derivative {alpha}: give it `derivative` and "
                "`jacobian_derivative`, or take a metric that needs none."
            )

    def _as_declared(self, values, shape):
        """Values without the axis of a single output, which an object may have and a `Model` has not."""
        values = np.asarray(values, dtype=float)
        return values.reshape(shape) if values.size == np.prod(shape) else values

    def __repr__(self):
        return repr(self._model)
