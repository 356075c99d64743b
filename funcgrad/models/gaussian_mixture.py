"""Mixtures of Gaussian densities."""

import math
from functools import cache

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.models.base import Model, random_generator
from funcgrad.models.chain_rule import composed, composed_tangent


class GaussianMixture(Model):
    """The probability density ρ_θ(x) = Σ_k w_k N(x; m_k, (L_k L_kᵀ)⁻¹), positive with integral 1 for every θ.

    Parameters
    ----------
    n_components : int
        K.
    dimension : int
        n.

    Notes
    -----
    θ holds K - 1 logits a_k, w = softmax(a_1, ..., a_{K-1}, 0): the last is fixed, since adding a constant to
    all would change nothing and make the model degenerate. Then for each component: the mean, the logarithms
    of L's diagonal, and L's entries below it row by row, where L Lᵀ is the inverse covariance. In one
    dimension L = 1/σ. `initial`: equal weights, standard normal means, unit covariances.

    Examples
    --------
    >>> from funcgrad.models import GaussianMixture
    >>> mixture = GaussianMixture(2)
    >>> mixture.parameter_names
    ('logit1', 'm1_1', 'log_L1_1', 'm2_1', 'log_L2_1')
    >>> mixture([0.0, -1.0, 0.0, 1.0, 0.0], [0.0])
    array([0.24197072])
    """

    def __init__(self, n_components, dimension=1):
        self.n_components = whole_number(n_components, "n_components", least=1)
        n = whole_number(dimension, "dimension", least=1)
        self._below = [(i, j) for i in range(n) for j in range(i)]
        names = [f"logit{k}" for k in range(1, self.n_components)]
        for k in range(1, self.n_components + 1):
            names += [f"m{k}_{i + 1}" for i in range(n)] + [f"log_L{k}_{i + 1}" for i in range(n)]
            names += [f"L{k}_{i + 1}_{j + 1}" for i, j in self._below]
        super().__init__(n, names)

    def __repr__(self):
        return f"GaussianMixture({self.n_components}, dimension={self.dimension})"

    def initial(self, seed):
        """Return equal weights, unit covariances and standard normal means."""
        theta, n = np.zeros(self.n_parameters), self.dimension
        components = theta[self.n_components - 1 :].reshape(self.n_components, -1)
        components[:, :n] = random_generator(seed).standard_normal((self.n_components, n))
        return theta

    def weights(self, theta):
        """Return the weights w, shape (K,)."""
        logits = np.append(self._parameters(theta, "theta")[: self.n_components - 1], 0.0)
        weights = np.exp(logits - logits.max())
        return weights / weights.sum()

    def _components(self, theta, x):
        parts = theta[self.n_components - 1 :].reshape(self.n_components, -1)
        return [_Component(part, x, self._below) for part in parts]

    def _value(self, theta, x, alpha):
        densities = [component.value(alpha) for component in self._components(theta, x)]
        return np.stack(densities, axis=1) @ self.weights(theta)

    def _jacobian(self, theta, x, alpha):
        weights, components = self.weights(theta), self._components(theta, x)
        densities = np.stack([component.value(alpha) for component in components], axis=1)
        # ∂w_k/∂a_j = w_k (δ_kj - w_j).
        logits = weights * (densities - (densities @ weights)[:, None])
        tangents = [w * component.tangent(alpha) for w, component in zip(weights, components, strict=True)]
        return np.concatenate([logits[:, :-1], *tangents], axis=1)


class _Component:
    """exp(q), q = log det L - |Lᵀ(x - m)|²/2 - (n/2) log 2π, by the chain rule: q is quadratic in x."""

    def __init__(self, parameters, x, below):
        n = x.shape[1]
        self.factor = np.diag(np.exp(parameters[n : 2 * n]))
        for (i, j), entry in zip(below, parameters[2 * n :], strict=True):
            self.factor[i, j] = entry
        self.below, self.n = below, n
        self.u = x - parameters[:n]
        self.z = self.u @ self.factor
        q = parameters[n : 2 * n].sum() - 0.5 * (self.z**2).sum(axis=1) - 0.5 * n * math.log(2.0 * math.pi)
        self.q, self.density = q, np.exp(q)
        self.exponent = cache(self._exponent)

    def value(self, alpha):
        return composed(lambda order: self.density, self.exponent, alpha)

    def tangent(self, alpha):
        return composed_tangent(
            lambda order: self.density[:, None],
            lambda beta: self.exponent(beta)[:, None],
            cache(self._exponent_tangent),
            alpha,
        )

    def _exponent(self, beta):
        axes = _axes(beta)
        if len(axes) == 0:
            return self.q
        if len(axes) == 1:
            return -self.z @ self.factor[axes[0]]
        curvature = self.factor[axes[0]] @ self.factor[axes[1]] if len(axes) == 2 else 0.0
        return np.full(len(self.q), -curvature)

    def _exponent_tangent(self, beta):
        """Return ∂^β of q's derivatives in the mean, the logarithms of L's diagonal and L below it."""
        mean = [-self.exponent(tuple(np.add(beta, unit))) for unit in np.eye(self.n, dtype=int)]
        diagonal = [
            float(sum(beta) == 0) + self.factor[i, i] * self._in_entry(i, i, beta) for i in range(self.n)
        ]
        return np.stack(mean + diagonal + [self._in_entry(i, j, beta) for i, j in self.below], axis=1)

    def _in_entry(self, i, j, beta):
        """Return ∂^β of ∂q/∂L_ij = -z_j u_i, apart from the determinant."""
        axes, column = _axes(beta), self.factor[:, j]
        if len(axes) == 0:
            return -self.z[:, j] * self.u[:, i]
        if len(axes) == 1:
            (k,) = axes
            return -(column[k] * self.u[:, i] + self.z[:, j] * (i == k))
        value = column[axes[0]] * (i == axes[1]) + column[axes[1]] * (i == axes[0]) if len(axes) == 2 else 0.0
        return np.full(len(self.u), -value)


def _axes(beta):
    return [axis for axis, order in enumerate(beta) for _ in range(order)]
