"""Models made of models: sums, stacked outputs, pointwise maps of the values, other parameters."""

from functools import cache

import numpy as np

from funcgrad._checks import finite_array, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model, random_generator
from funcgrad.models.chain_rule import composed, composed_tangent
from funcgrad.models.complex_step import complex_step_jacobian


class _Parts(Model):
    """Several models in the same coordinates, each with its own slice of the parameters."""

    def __init__(self, models, n_outputs):
        self.models = tuple(models)
        names = [
            f"{name}_{k}" for k, model in enumerate(self.models, start=1) for name in model.parameter_names
        ]
        super().__init__(self.models[0].dimension, names, n_outputs)
        ends = np.cumsum([model.n_parameters for model in self.models])
        self._slices = [slice(end - m.n_parameters, end) for end, m in zip(ends, self.models, strict=True)]

    def _parts(self, theta):
        return [(model, rows, theta[rows]) for model, rows in zip(self.models, self._slices, strict=True)]

    def initial(self, seed):
        """Draw parameters as each of the models does, one after the other."""
        generator = random_generator(seed)
        return np.concatenate([model.initial(generator) for model in self.models])


class Sum(_Parts):
    """f_θ + g_ϑ, written ``f + g``: the parameters stand side by side, named ``name_1``, ``name_2``.

    Examples
    --------
    >>> from funcgrad.models import Polynomial, Symbolic
    >>> model = Polynomial(1) + Symbolic("a*sin(x)", parameters="a")
    >>> model.parameter_names
    ('c0_1', 'c1_1', 'a_2')
    >>> model([1.0, 2.0, 5.0], [0.0, 1.0])
    array([1.        , 7.20735492])
    """

    def __init__(self, first, second):
        if (first.dimension, first.n_outputs) != (second.dimension, second.n_outputs):
            raise InvalidInput(
                f"the models of a sum must have as many coordinates and outputs; got {first.dimension} and "
                f"{second.dimension} coordinates, {first.n_outputs} and {second.n_outputs} outputs."
            )
        super().__init__((first, second), first.n_outputs)

    def __repr__(self):
        return f"({self.models[0]!r} + {self.models[1]!r})"

    def _value(self, theta, x, alpha):
        return sum(model._value(part, x, alpha) for model, _, part in self._parts(theta))

    def _jacobian(self, theta, x, alpha):
        parts = [model._jacobian(part, x, alpha) for model, _, part in self._parts(theta)]
        return np.concatenate(parts, axis=-1)


class Stacked(_Parts):
    """The vector-valued model of `stack`."""

    def __init__(self, models):
        models = tuple(models)
        if not models or not all(isinstance(model, Model) for model in models):
            raise InvalidInput(f"`models` must be one or more models; got {models!r}.")
        if len({model.dimension for model in models}) > 1:
            dimensions = [model.dimension for model in models]
            raise InvalidInput(f"`models` must have as many coordinates; got {dimensions}.")
        super().__init__(models, sum(model.n_outputs for model in models))

    def __repr__(self):
        return f"stack({list(self.models)!r})"

    def _value(self, theta, x, alpha):
        values = [m._value(part, x, alpha).reshape(len(x), -1) for m, _, part in self._parts(theta)]
        return np.concatenate(values, axis=1).reshape(len(x), *self._outputs)

    def _jacobian(self, theta, x, alpha):
        jacobian = np.zeros((len(x), self.n_outputs, self.n_parameters))
        first = 0
        for model, columns, part in self._parts(theta):
            last = first + model.n_outputs
            block = np.asarray(model._jacobian(part, x, alpha))
            jacobian[:, first:last, columns] = block.reshape(len(x), model.n_outputs, model.n_parameters)
            first = last
        return jacobian.reshape(len(x), *self._outputs, self.n_parameters)


def stack(models):
    """Return the model whose outputs are those of the given ones, each with its own parameters.

    Examples
    --------
    >>> from funcgrad.models import Polynomial, stack
    >>> curve = stack([Polynomial(1), Polynomial(2)])
    >>> curve([0.0, 1.0, 0.0, 0.0, 1.0], [2.0, 3.0])
    array([[2., 4.],
           [3., 9.]])
    """
    return Stacked(models)


class Composed(Model):
    """The model of `compose`."""

    def __init__(self, outer, model):
        if not isinstance(model, Model):
            raise InvalidInput(f"`model` must be a model; got {model!r}.")
        super().__init__(model.dimension, model.parameter_names, model.n_outputs)
        self.outer, self.model = outer, model
        if isinstance(outer, str):
            from funcgrad.models.symbolic import Symbolic

            self._formula = Symbolic(outer, x="u")
        elif callable(outer) or not len(outer) or not all(callable(g) for g in outer):
            raise InvalidInput(
                "`outer` must be a formula in u, such as 'exp(u)', or a list of callables, the function and "
                f"its derivatives [g, dg, d2g, ...]; got {outer!r}."
            )
        else:
            self._formula = None

    def __repr__(self):
        return f"compose({self.outer!r}, {self.model!r})"

    def initial(self, seed):
        """Draw parameters as the inner model does."""
        return self.model.initial(seed)

    def _outer(self, u, order):
        if self._formula is not None:
            return self._formula._value(np.empty(0), u.reshape(-1, 1), (order,)).reshape(u.shape)
        if order >= len(self.outer):
            raise InvalidInput(
                f"the derivative of order {order} of the outer function is needed and `outer` holds only "
                f"{len(self.outer) - 1}; extend the list, or write it as a formula in u."
            )
        values = np.asarray(self.outer[order](u), dtype=np.float64)
        return np.broadcast_to(values, u.shape)

    def _fields(self, theta, x):
        # Through the checked methods: an infinity inside would be hidden by an outer exp(-u).
        inner = cache(lambda beta: self.model.derivative(theta, x, beta))
        outer = cache(lambda order: self._outer(inner((0,) * self.dimension), order))
        return outer, inner

    def _value(self, theta, x, alpha):
        return composed(*self._fields(theta, x), alpha)

    def _jacobian(self, theta, x, alpha):
        outer, inner = self._fields(theta, x)
        return composed_tangent(
            lambda order: outer(order)[..., None],
            lambda beta: inner(beta)[..., None],
            cache(lambda beta: self.model.jacobian_derivative(theta, x, beta)),
            alpha,
        )


def compose(outer, model):
    """Return g∘f_θ, a function g of a number applied to every value of a model.

    Parameters
    ----------
    outer : str or sequence of callables
        A formula in ``u``, whose derivatives are exact in every order; or g and its derivatives,
        [g, g', g'', ...], each taking and returning an array. The Jacobian of ∂^α needs |α| + 1 of them.
    model : Model

    Examples
    --------
    >>> from funcgrad.models import Polynomial, compose
    >>> positive = compose("exp(u)", Polynomial(1))
    >>> positive.jacobian([0.0, 1.0], [0.0, 2.0])
    array([[ 1.       ,  0.       ],
           [ 7.3890561, 14.7781122]])
    """
    return Composed(outer, model)


class Reparametrised(Model):
    """ϑ ↦ f_{ψ(ϑ)}, the model of `Model.reparametrise`."""

    def __init__(self, model, psi, jacobian, n_parameters):
        if not callable(psi):
            raise InvalidInput(f"`psi` must be a function of the new parameters; got {psi!r}.")
        if not callable(jacobian) and jacobian != "complex-step":
            raise InvalidInput(f"`jacobian` must be a function or 'complex-step'; got {jacobian!r}.")
        q = (
            model.n_parameters
            if n_parameters is None
            else whole_number(n_parameters, "n_parameters", least=1)
        )
        super().__init__(model.dimension, [f"t{i}" for i in range(q)], model.n_outputs)
        self.model, self.psi, self.psi_jacobian = model, psi, jacobian

    def __repr__(self):
        return f"{self.model!r}.reparametrise({getattr(self.psi, '__name__', self.psi)!s})"

    def _inner(self, theta):
        inner = finite_array(self.psi(theta), "psi(theta)")
        if inner.shape != (self.model.n_parameters,):
            raise InvalidInput(
                f"`psi` must return {self.model.n_parameters} parameters; it returned shape {inner.shape}."
            )
        return inner

    def _derivative_of_psi(self, theta):
        if callable(self.psi_jacobian):
            matrix = self.psi_jacobian(theta)
        else:
            matrix = complex_step_jacobian(self.psi, theta, "psi")
        matrix = finite_array(matrix, "jacobian(theta)")
        shape = (self.model.n_parameters, self.n_parameters)
        if matrix.shape != shape:
            raise InvalidInput(f"the Jacobian of `psi` must have shape {shape}; it has {matrix.shape}.")
        return matrix

    def _value(self, theta, x, alpha):
        return self.model._value(self._inner(theta), x, alpha)

    def _jacobian(self, theta, x, alpha):
        return self.model._jacobian(self._inner(theta), x, alpha) @ self._derivative_of_psi(theta)

    def _pushforward(self, theta, x, eta, alpha):
        return self.model._pushforward(self._inner(theta), x, self._derivative_of_psi(theta) @ eta, alpha)

    def _pullback(self, theta, x, r, alpha):
        return self.model._pullback(self._inner(theta), x, r, alpha) @ self._derivative_of_psi(theta)
