"""Losses ℓ(z, y) of one predicted value z and its target y, with two derivatives in z.

Values come as (K,), or (K, m) for m outputs. Each loss gives the K values, ∂ℓ/∂z in the shape of z, and
the product of ∂²ℓ/∂z² with a direction d in the shape of z.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

from funcgrad._checks import finite_array, one_of, positive_number
from funcgrad.errors import InvalidInput


class PointwiseLoss(ABC):
    """A function ℓ(z, y), differentiable in z.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import Logistic, PointwiseLoss
    >>> loss, y = Logistic(), np.array([1.0])
    >>> isinstance(loss, PointwiseLoss), loss.derivative(np.zeros(1), y)
    (True, array([-0.5]))
    """

    @abstractmethod
    def value(self, z, y):
        """Return ℓ(z_i, y_i), (K,)."""

    @abstractmethod
    def derivative(self, z, y):
        """Return ∂ℓ/∂z, in the shape of z."""

    @abstractmethod
    def second_derivative(self, z, y, d):
        """Return ∂²ℓ/∂z² d, in the shape of z."""

    def targets(self, y):
        """Return targets `y` as the loss takes them, or raise."""
        return finite_array(y, "y")


def _summed(values):
    """Sum over the outputs: (K,) from (K,) or (K, m)."""
    return values.reshape(len(values), -1).sum(axis=1)


@dataclass(frozen=True)
class Squared(PointwiseLoss):
    """½|z - y|².

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import Squared
    >>> Squared().value(np.array([1.0, 3.0]), np.array([0.0, 1.0]))
    array([0.5, 2. ])
    """

    def value(self, z, y):
        """See `PointwiseLoss.value`."""
        return 0.5 * _summed((z - y) ** 2)

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return z - y

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        return d


@dataclass(frozen=True)
class PseudoHuber(PointwiseLoss):
    """δ² (√(1 + (z-y)²/δ²) - 1) for each output: like ½(z-y)² near 0, like δ|z-y| far away.

    Parameters
    ----------
    scale : float
        δ, in the units of y.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import PseudoHuber
    >>> PseudoHuber(0.1).derivative(np.array([0.01, 10.0]), np.zeros(2)).round(4)    # z, then δ
    array([0.01, 0.1 ])
    """

    scale: float = 1.0

    def __post_init__(self):
        positive_number(self.scale, "scale")

    def _root(self, z, y):
        return np.hypot(1.0, (z - y) / self.scale)

    def value(self, z, y):
        """See `PointwiseLoss.value`; as r²/(1 + √(1 + r²/δ²)), which keeps its digits near 0."""
        return _summed((z - y) ** 2 / (1 + self._root(z, y)))

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return (z - y) / self._root(z, y)

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        return d / self._root(z, y) ** 3


@dataclass(frozen=True)
class Logistic(PointwiseLoss):
    """log(1 + e^z) - y z for each output: -log of the likelihood of y ∈ {0, 1}, with odds e^z.

    Targets between 0 and 1 are probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import Logistic
    >>> Logistic().value(np.zeros(1), np.ones(1)).round(6)                            # log 2
    array([0.693147])
    """

    def targets(self, y):
        """See `PointwiseLoss.targets`."""
        y = finite_array(y, "y")
        if y.size and not (y.min() >= 0 and y.max() <= 1):
            raise InvalidInput("`y` must lie in [0, 1] for the logistic loss; map classes -1, 1 to 0, 1.")
        return y

    def value(self, z, y):
        """See `PointwiseLoss.value`."""
        return _summed(np.logaddexp(0.0, z) - y * z)

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return scipy.special.expit(z) - y

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        return scipy.special.expit(z) * scipy.special.expit(-z) * d


@dataclass(frozen=True)
class CrossEntropy(PointwiseLoss):
    """log Σ_k e^{z_k} - y·z: -log of the likelihood of a class, with probabilities softmax(z).

    Targets are the probabilities (K, m) of the classes, a row of zeros and a one for a class that is
    known.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import CrossEntropy
    >>> CrossEntropy().derivative(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    array([[-0.5,  0.5]])
    """

    def targets(self, y):
        """See `PointwiseLoss.targets`."""
        y = finite_array(y, "y", ndim=2)
        if not (np.all(y >= 0) and np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-12)):
            raise InvalidInput("`y` must have rows of probabilities that sum to 1 for the cross-entropy.")
        return y

    def value(self, z, y):
        """See `PointwiseLoss.value`."""
        return scipy.special.logsumexp(z, axis=1) - np.sum(y * z, axis=1)

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return scipy.special.softmax(z, axis=1) - y

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        p = scipy.special.softmax(z, axis=1)
        return p * (d - np.sum(p * d, axis=1, keepdims=True))


@dataclass(frozen=True)
class Poisson(PointwiseLoss):
    """e^z - y z for each output: -log of the likelihood of counts y with mean e^z, up to a constant.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.functionals import Poisson
    >>> Poisson().derivative(np.log([2.0]), np.array([2.0])).round(12)                # z = log y is best
    array([0.])
    """

    def targets(self, y):
        """See `PointwiseLoss.targets`."""
        y = finite_array(y, "y")
        if y.size and y.min() < 0:
            raise InvalidInput("`y` must not be negative for the Poisson loss.")
        return y

    def value(self, z, y):
        """See `PointwiseLoss.value`."""
        return _summed(np.exp(z) - y * z)

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return np.exp(z) - y

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        return np.exp(z) * d


@dataclass(frozen=True)
class UserLoss(PointwiseLoss):
    """A loss of one's own, from callables of (z, y).

    Parameters
    ----------
    function : callable
        ℓ(z, y), (K,).
    first : callable
        ∂ℓ/∂z in the shape of z.
    second : callable
        ∂²ℓ/∂z²: (K,) for one output, (K, m, m) for m.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> cosh = fg.functionals.UserLoss(
    ...     lambda z, y: np.log(np.cosh(z - y)),
    ...     lambda z, y: np.tanh(z - y),
    ...     lambda z, y: np.cosh(z - y) ** -2.0,
    ... )
    >>> round(fg.EmpiricalLoss([0.0], [1.0], loss=cosh)(lambda x: x + 2), 6)
    0.433781
    """

    function: Any
    first: Any
    second: Any

    def value(self, z, y):
        """See `PointwiseLoss.value`."""
        return _shaped(self.function(z, y), (len(z),), "value")

    def derivative(self, z, y):
        """See `PointwiseLoss.derivative`."""
        return _shaped(self.first(z, y), z.shape, "derivative")

    def second_derivative(self, z, y, d):
        """See `PointwiseLoss.second_derivative`."""
        matrix = _shaped(self.second(z, y), z.shape + z.shape[1:], "second derivative")
        return matrix * d if z.ndim == 1 else np.einsum("kij,kj->ki", matrix, d)


def _shaped(array, shape, what):
    array = finite_array(array, f"loss {what}")
    if array.shape != shape:
        raise InvalidInput(f"the loss's {what} must have shape {shape}; it returned {array.shape}.")
    return array


_NAMED = {
    "squared": Squared,
    "pseudo-huber": PseudoHuber,
    "logistic": Logistic,
    "cross-entropy": CrossEntropy,
    "poisson": Poisson,
}


def loss_named(loss):
    """Return the `PointwiseLoss` of a name, or `loss` itself if it is one."""
    if isinstance(loss, PointwiseLoss):
        return loss
    if not isinstance(loss, str):
        raise InvalidInput(f"`loss` must be a name or a PointwiseLoss; got {type(loss).__name__}.")
    return _NAMED[one_of(loss, tuple(_NAMED), "loss")]()
