"""Radial basis functions whose weights, centres and widths are parameters."""

import math
from functools import cache

import numpy as np

from funcgrad._checks import finite_array, one_of, point_array, positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model, random_generator
from funcgrad.models.chain_rule import composed, composed_tangent

# As functions of t = |x - c|²/(2 width²): the exponential, or the power (1 + 2t)^q.
_POWERS = {"gaussian": None, "inverse multiquadric": -0.5, "multiquadric": 0.5}


class RadialBasis(Model):
    """f_θ(x) = Σ_k w_k g(|x - c_k| / σ_k).

    Parameters
    ----------
    n_units : int
        K, the number of terms.
    dimension : int
        n.
    profile : {"gaussian", "inverse multiquadric", "multiquadric"}
        g(z) = exp(-z²/2), 1/√(1+z²) or √(1+z²).
    centres : array_like, shape (K, n), optional
        Fixed centres; otherwise they are parameters.
    width : float, optional
        A fixed σ for all terms; otherwise log σ_k is a parameter, so that every θ is admissible.

    Notes
    -----
    θ holds w, then the centres c_1, c_2, ... where free, then log σ where free. `initial` draws weights and
    centres from the standard normal, log σ = 0.

    Examples
    --------
    >>> from funcgrad.models import RadialBasis
    >>> bump = RadialBasis(1)
    >>> bump.parameter_names
    ('w1', 'c1_1', 'log_width1')
    >>> bump([2.0, 0.5, 0.0], [0.5])
    array([2.])
    """

    def __init__(self, n_units, dimension=1, profile="gaussian", centres=None, width=None):
        self.n_units = whole_number(n_units, "n_units", least=1)
        n = whole_number(dimension, "dimension", least=1)
        self.profile = one_of(profile, tuple(_POWERS), "profile")
        self.centres = (
            None if centres is None else point_array(finite_array(centres, "centres"), n, "centres")
        )
        if self.centres is not None and len(self.centres) != self.n_units:
            raise InvalidInput(f"`centres` must hold {self.n_units} points; got {len(self.centres)}.")
        self.width = None if width is None else positive_number(width, "width")
        units = range(1, self.n_units + 1)
        names = [f"w{k}" for k in units]
        names += [f"c{k}_{i}" for k in units for i in range(1, n + 1)] if centres is None else []
        names += [f"log_width{k}" for k in units] if width is None else []
        super().__init__(n, names)

    def __repr__(self):
        options = "" if self.centres is None else ", fixed centres"
        options += "" if self.width is None else f", width={self.width:g}"
        return f"RadialBasis({self.n_units}, dimension={self.dimension}, profile={self.profile!r}{options})"

    def initial(self, seed):
        """Draw weights and free centres from the standard normal; free widths are 1."""
        theta = random_generator(seed).standard_normal(self.n_parameters)
        if self.width is None:
            theta[-self.n_units :] = 0.0
        return theta

    def _parts(self, theta):
        weights, rest = theta[: self.n_units], theta[self.n_units :]
        centres, count = self.centres, self.n_units * self.dimension
        if centres is None:
            centres, rest = rest[:count].reshape(self.n_units, self.dimension), rest[count:]
        widths = np.exp(rest) if self.width is None else np.full(self.n_units, self.width)
        return weights, centres, widths

    def _fields(self, theta, x):
        """Return w, g with its derivatives in t, and t with its spatial derivatives, (N, K)."""
        weights, centres, widths = self._parts(theta)
        scaled = (x[:, None, :] - centres) / widths[:, None]
        t = 0.5 * (scaled**2).sum(axis=2)

        @cache
        def inner(beta):
            if sum(beta) == 0:
                return t
            axis = int(np.argmax(beta))
            if sum(beta) == 1:
                return scaled[:, :, axis] / widths
            return np.broadcast_to(float(beta[axis] == 2) / widths**2, t.shape)

        return weights, cache(lambda order: self._profile(t, order)), _second_order(inner)

    def _profile(self, t, order):
        if self.profile == "gaussian":
            return (-1.0) ** order * np.exp(-t)
        power = _POWERS[self.profile]
        factor = math.prod(2.0 * (power - i) for i in range(order))
        return factor * (1.0 + 2.0 * t) ** (power - order)

    def _value(self, theta, x, alpha):
        weights, outer, inner = self._fields(theta, x)
        return composed(outer, inner, alpha) @ weights

    def _jacobian(self, theta, x, alpha):
        weights, outer, inner = self._fields(theta, x)
        columns = [composed(outer, inner, alpha)]
        if self.centres is None:
            # ∂t/∂c = -∂t/∂x.
            tangents = [
                weights * composed_tangent(outer, inner, lambda beta, i=i: -inner(_raised(beta, i)), alpha)
                for i in range(self.dimension)
            ]
            columns.append(np.stack(tangents, axis=2).reshape(len(x), -1))
        if self.width is None:
            # ∂t/∂log σ = -2t.
            columns.append(weights * composed_tangent(outer, inner, lambda beta: -2.0 * inner(beta), alpha))
        return np.concatenate(columns, axis=1)


def _raised(beta, axis):
    return tuple(order + (i == axis) for i, order in enumerate(beta))


def _second_order(inner):
    """Return the derivatives of a quadratic function: those of order above two vanish."""
    return lambda beta: inner(beta) if sum(beta) <= 2 else 0.0 * inner((0,) * len(beta))
