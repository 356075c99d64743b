"""The Fisher metric on functions that are the parameters of a likelihood at each point."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

from funcgrad._checks import positive_number
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.functionals.covector import point_evaluations
from funcgrad.metrics.base import MetricField, SpectralMetric
from funcgrad.metrics.l2 import L2, density_at
from funcgrad.metrics.measures import BlockRoot, SampledRoot
from funcgrad.spaces.function import Function

# Weights of the classes add up to zero when their sum is below this times the largest.
_CONSTANT = 1e-12


class Likelihood(ABC):
    """A distribution p(y | z) of an output y whose natural parameter is the function's value z = f(x).

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.metrics import Bernoulli, Likelihood
    >>> isinstance(Bernoulli(), Likelihood), Bernoulli().root(np.zeros(1)) ** 2
    (True, array([0.25]))
    """

    @abstractmethod
    def root(self, z):
        """Return R(z) with RᵀR = I(z) = E[∂log p ∂log pᵀ]: (K,), (K, m) or (K, m, m)."""


@dataclass(frozen=True)
class Gaussian(Likelihood):
    """y ~ N(z, σ²) for each component: I = σ⁻².

    Parameters
    ----------
    sigma : float

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.metrics import Gaussian
    >>> Gaussian(sigma=0.5).root(np.zeros(2)) ** 2
    array([4., 4.])
    """

    sigma: float = 1.0

    def __post_init__(self):
        positive_number(self.sigma, "sigma")

    def root(self, z):
        """See `Likelihood.root`."""
        return np.full(z.shape, 1 / self.sigma)


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """y ∈ {0, 1} with odds e^z, for each component: I = p(1-p), p = 1/(1+e^{-z}).

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.metrics import Bernoulli
    >>> Bernoulli().root(np.log([1.0, 3.0])) ** 2                             # p(1-p) at p = 1/2, 3/4
    array([0.25  , 0.1875])
    """

    def root(self, z):
        """See `Likelihood.root`."""
        return np.sqrt(scipy.special.expit(z) * scipy.special.expit(-z))


@dataclass(frozen=True)
class Categorical(Likelihood):
    """One of m classes, with probabilities p = softmax(z): I = diag(p) - ppᵀ, which ignores z ↦ z + const.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.metrics import Categorical
    >>> R = Categorical().root(np.zeros((1, 2)))[0]
    >>> R.T @ R
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """

    def root(self, z):
        """See `Likelihood.root`; diag(√p)(1 - 1pᵀ)."""
        if z.ndim != 2:
            raise InvalidInput("`f` must have a component for each class for a categorical likelihood.")
        p = scipy.special.softmax(z, axis=1)
        return np.sqrt(p)[:, :, None] * (np.eye(z.shape[1]) - p[:, None, :])


@dataclass(frozen=True)
class Poisson(Likelihood):
    """Counts of mean e^z, for each component: I = e^z.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.metrics import Poisson
    >>> (Poisson().root(np.log([2.0, 5.0])) ** 2).round(12)
    array([2., 5.])
    """

    def root(self, z):
        """See `Likelihood.root`."""
        return np.exp(z / 2)


@dataclass(frozen=True)
class Fisher(MetricField):
    """The metric <u, v>_f = ∫ uᵀ I(f(x)) v dμ(x): the Fisher information of outputs drawn at each point.

    It depends on the base point f: ``metric.at(f)`` is the metric there. On the parameters of a model,
    `gram` of it is the Fisher information matrix, and `natural_gradient` Amari's.

    Parameters
    ----------
    likelihood : Likelihood
        `funcgrad.metrics.Gaussian(sigma)`, `Bernoulli()`, `Categorical()` or `Poisson()`.
    measure : callable, Function or array_like, optional
        μ, the distribution of the inputs: as for `L2`.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> grid = fg.Interval(0, 1).grid(8)
    >>> metric = fg.Fisher(fg.metrics.Poisson()).at(grid.function(lambda x: np.log(1 + x)))
    >>> round(metric.norm(grid.function(lambda x: 1.0)) ** 2, 12)                   # ∫ 1 + x
    1.5
    """

    likelihood: Likelihood
    measure: Any = None

    def __post_init__(self):
        if not isinstance(self.likelihood, Likelihood):
            raise InvalidInput(
                f"`likelihood` must be one of funcgrad.metrics'; got {type(self.likelihood).__name__}."
            )
        object.__setattr__(self, "measure", L2(self.measure).measure)

    def at(self, f):
        """Return the metric at a base point, a `Function`."""
        return FisherAt(self, f)

    def __str__(self):
        return f"the Fisher metric of {self.likelihood}"


class FisherAt(SpectralMetric):
    """A Fisher metric at a base point: an L2 metric with weights that depend on it.

    Where the information is bounded above and below it is equivalent to L2, so that the same covectors
    have gradients; in the empirical measure of points, those that look at these points only.
    """

    order = 0.0

    def __init__(self, fisher, base):
        if not isinstance(base, Function):
            raise InvalidInput(f"`f` must be a Function; got {type(base).__name__}.")
        self.fisher, self.base = fisher, base
        self._lebesgue = L2(fisher.measure)
        self._root = None

    def square_root(self, grid):
        """See `Metric.square_root`."""
        if self._root is None or self._root[0] != grid:
            self._root = grid, self._make_root(grid)
        return self._root[1]

    def _make_root(self, grid):
        if grid.domain != self.base.grid.domain:
            raise DomainMismatch(f"the base point lives on {self.base.grid.domain}, not on {grid.domain}.")
        points = self._lebesgue.points
        if points is None:
            weights = grid.weights
            if self.fisher.measure is not None:
                weights = weights * density_at(self.fisher.measure, grid)
            return BlockRoot(weights, self.fisher.likelihood.root(grid.function(self.base).values))
        factors = self.fisher.likelihood.root(self.base(points))
        at_points = BlockRoot(np.full(len(points), 1 / len(points)), factors)
        return SampledRoot(grid.interpolation_matrix(points), at_points, self.base.values.shape[1:])

    def flat(self, u):
        """See `Metric.flat`."""
        points = self._lebesgue.points
        if points is None:
            information = self._information(u.grid.function(self.base).values, u.values)
            return L2(self.fisher.measure).flat(Function(u.grid, information))
        information = self._information(self.base(points), u(points))
        return point_evaluations(points, information / len(points))

    def _information(self, z, u):
        root = BlockRoot(np.ones(len(z)), self.fisher.likelihood.root(z))
        return root.apply_transpose(root.apply(u))

    def symbol(self, eigenvalues):
        """Return 1: that of L2, an equivalent metric."""
        return np.ones_like(eigenvalues)

    def green_kernel(self, domain):
        """Raise: as in L2, point evaluation is unbounded."""
        raise InvalidInput(f"{self} has no reproducing kernel: point evaluation is unbounded in it.")

    def analysis(self, c):
        """See `Metric.analysis`."""
        if isinstance(self.fisher.likelihood, Categorical) and _sees_constants(c, self.base.values.shape[1]):
            return False, "the information of classes ignores a constant added to all of their logits"
        return self._lebesgue.analysis(c)

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`; Σ w_i·I⁻¹w_i / m_i for points of masses m_i."""
        if (self.analysis(c) or (True,))[0] is False:
            return math.inf
        points = self._lebesgue.points
        if points is None:
            return super().dual_norm(c, domain)
        squared = 0.0
        for atom in c.atoms:
            mass = np.mean(np.all(points == np.array(atom.point), axis=1))
            z = self.base(np.array([atom.point]))
            root = BlockRoot(np.array([mass]), self.fisher.likelihood.root(z))
            squared += np.sum(root.solve_transpose(np.broadcast_to(atom.weight, z.shape[1:])[None]) ** 2)
        return math.sqrt(squared)

    def __str__(self):
        return f"{self.fisher} at a base point"


def _sees_constants(c, m):
    """Return whether a covector of functions with m components is not zero on (v, ..., v) for every v."""
    for term in c.terms:
        for _, _, weights in term.evaluations():
            sums = np.broadcast_to(weights, (len(weights), m)).sum(axis=1)
            if np.abs(sums).max() > _CONSTANT * np.abs(weights).max():
                return True
    return False
