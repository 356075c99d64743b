"""Models times a given function, as to build in a boundary condition."""

from functools import cache
from itertools import product
from math import comb, prod

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model


class Multiplied(Model):
    """The model of `multiply`."""

    def __init__(self, factor, model, x):
        from funcgrad.models.symbolic import Symbolic

        if not isinstance(model, Model):
            raise InvalidInput(f"`model` must be a model; got {model!r}.")
        super().__init__(model.dimension, model.parameter_names, model.n_outputs)
        self.factor, self.model = factor, model
        self._formula = Symbolic(factor, x)
        if self._formula.dimension != model.dimension:
            raise InvalidInput(
                f"`x` must name the {model.dimension} coordinate(s) of {model!r}; got "
                f"{self._formula.dimension}: {x!r}."
            )

    def __repr__(self):
        return f"multiply({self.factor!r}, {self.model!r})"

    def initial(self, seed):
        """Draw parameters as the model does."""
        return self.model.initial(seed)

    def _leibniz(self, x, alpha, derivative):
        """Σ_β C(α, β) ∂^{α-β} g · derivative(β), further axes behind that of the points."""
        total = 0.0
        for beta in product(*(range(order + 1) for order in alpha)):
            count = prod(comb(a, b) for a, b in zip(alpha, beta, strict=True))
            rest = tuple(a - b for a, b in zip(alpha, beta, strict=True))
            values = derivative(beta)
            factor = count * self._formula._value(np.empty(0), x, rest)
            total = total + factor.reshape(-1, *[1] * (values.ndim - 1)) * values
        return total

    def _value(self, theta, x, alpha):
        return self._leibniz(x, alpha, lambda beta: self.model.derivative(theta, x, beta))

    def _jacobian(self, theta, x, alpha):
        return self._leibniz(x, alpha, cache(lambda beta: self.model.jacobian_derivative(theta, x, beta)))

    def _pushforward(self, theta, x, eta, alpha):
        return self._leibniz(x, alpha, lambda beta: self.model.pushforward(theta, x, eta, beta))


def multiply(factor, model, x="x"):
    """Return the model g · f_θ for a given function g, as to make it vanish where g does.

    Parameters
    ----------
    factor : str
        g, a formula in the coordinates.
    model : Model
    x : str or sequence of str
        The coordinates' names.

    Examples
    --------
    >>> from funcgrad.models import MLP, multiply
    >>> network = MLP((2, 8, 1))
    >>> vanishing = multiply("x*(1-x)*y*(1-y)", network, "x y")
    >>> vanishing(network.initial(seed=0), [[0.0, 0.3], [0.5, 1.0]])
    array([0., 0.])
    """
    return Multiplied(factor, model, x)
