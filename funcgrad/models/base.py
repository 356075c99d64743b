"""What a model is: a function of x with parameters θ, its Jacobian in θ, and the x-derivatives of both."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import finite_array, point_array, whole_number
from funcgrad.errors import InvalidInput


class Model(ABC):
    """A parametrised function f_θ: R^n -> R, or R^m, with exact derivatives.

    The public methods check their arguments and results; a subclass supplies the formulas alone.

    To write a model of your own, call ``super().__init__`` and define two methods. Both get θ of shape
    (p,) and points x of shape (N, n), finite float64 arrays not to be modified, and `alpha`, a tuple of
    n whole numbers; all zeros mean no derivative.

    ``_value(theta, x, alpha)``
        Returns ∂^α f_θ(x), shape (N,) if `n_outputs` is 1, else (N, m).
    ``_jacobian(theta, x, alpha)``
        Returns ∂^α ∂f_θ(x)/∂θ, shape (N, p) if `n_outputs` is 1, else (N, m, p).

    A derivative that the model does not have is refused with an `InvalidInput` that says what to do;
    it is never approximated. NaN or infinity in a result need not be looked for: it is refused here.

    Parameters
    ----------
    dimension : int
        n, the number of coordinates of a point.
    parameter_names : sequence of str
        The p names of the parameters, in the order of θ.
    n_outputs : int
        m; 1 means a scalar function, whose results have no axis for the outputs.

    Attributes
    ----------
    dimension, parameter_names, n_outputs
        As given.
    n_parameters : int
        p.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.models import Model
    >>> class Plane(Model):
    ...     def __init__(self):
    ...         super().__init__(dimension=2, parameter_names=("a", "b"))
    ...
    ...     def _jacobian(self, theta, x, alpha):
    ...         if sum(alpha) == 0:
    ...             return x
    ...         slope = np.array(alpha, dtype=float) if sum(alpha) == 1 else np.zeros(2)
    ...         return np.tile(slope, (len(x), 1))
    ...
    ...     def _value(self, theta, x, alpha):
    ...         return self._jacobian(theta, x, alpha) @ theta
    >>> plane = Plane()
    >>> plane([2.0, 3.0], [[1.0, 1.0], [0.0, 2.0]])
    array([5., 6.])
    >>> plane.derivative([2.0, 3.0], [[1.0, 1.0], [0.0, 2.0]], (0, 1))
    array([3., 3.])
    """

    def __init__(self, dimension, parameter_names, n_outputs=1):
        self.dimension = whole_number(dimension, "dimension", least=1)
        self.parameter_names = tuple(parameter_names)
        self.n_outputs = whole_number(n_outputs, "n_outputs", least=1)
        self.n_parameters = len(self.parameter_names)

    @abstractmethod
    def _value(self, theta, x, alpha):
        """Return ∂^α f_θ at the points x."""

    @abstractmethod
    def _jacobian(self, theta, x, alpha):
        """Return ∂^α ∂f_θ/∂θ at the points x."""

    def __call__(self, theta, x):
        """Evaluate f_θ at the points x.

        Parameters
        ----------
        theta : array_like, shape (p,)
            The parameters.
        x : array_like, shape (N, n)
            The points; in one dimension (N,) or a number as well.

        Returns
        -------
        ndarray, shape (N,) or (N, m)

        Raises
        ------
        InvalidInput
            If an argument has the wrong shape or is not finite, or the value is not finite somewhere.
        """
        return self.derivative(theta, x, (0,) * self.dimension)

    def jacobian(self, theta, x):
        """Evaluate ∂f_θ/∂θ at the points x: shape (N, p) or (N, m, p). Arguments as in a call."""
        return self.jacobian_derivative(theta, x, (0,) * self.dimension)

    def derivative(self, theta, x, alpha):
        """Evaluate the spatial derivative ∂^α f_θ at the points x.

        Parameters
        ----------
        theta, x : array_like
            As in a call.
        alpha : tuple of n int, or int in one dimension
            The number of derivatives in each coordinate.

        Returns
        -------
        ndarray, shape (N,) or (N, m)
        """
        return self._evaluated("value", self._value, theta, x, alpha, ())

    def jacobian_derivative(self, theta, x, alpha):
        """Evaluate ∂^α ∂f_θ/∂θ at the points x: shape (N, p) or (N, m, p). Arguments as in `derivative`."""
        return self._evaluated("Jacobian", self._jacobian, theta, x, alpha, (self.n_parameters,))

    def _evaluated(self, what, method, theta, x, alpha, tail):
        theta = finite_array(theta, "theta", ndim=1)
        if theta.size != self.n_parameters:
            names = ", ".join(self.parameter_names[:10]) + (", ..." if self.n_parameters > 10 else "")
            raise InvalidInput(f"`theta` must have {self.n_parameters} entries ({names}); got {theta.size}.")
        x = point_array(x, self.dimension)
        alpha = multi_index(alpha, self.dimension)
        # A division by zero shows in the result, where it is an error that names the point.
        with np.errstate(all="ignore"):
            result = np.asarray(method(theta, x, alpha), dtype=np.float64)
        outputs = () if self.n_outputs == 1 else (self.n_outputs,)
        shape = (len(x), *outputs, *tail)
        if result.shape != shape:
            raise InvalidInput(f"the model's {what} must have shape {shape}; it returned {result.shape}.")
        finite = np.isfinite(result)
        if not finite.all():
            where = tuple(np.argwhere(~finite)[0])
            of = f" (derivative {alpha})" if any(alpha) else ""
            raise InvalidInput(
                f"the model's {what}{of} is {result[where]} at x = {x[where[0]].tolist()}, "
                f"`theta` = {np.array2string(theta, threshold=10)}; choose points and parameters where "
                "it is finite."
            )
        return result


def multi_index(alpha, dimension):
    """Return `alpha` as a tuple of `dimension` whole numbers; one number will do in one dimension."""
    entries = alpha if isinstance(alpha, (tuple, list, np.ndarray)) else (alpha,)
    if len(entries) != dimension:
        raise InvalidInput(f"`alpha` must have {dimension} entries, one a coordinate; got {alpha!r}.")
    return tuple(whole_number(entry, "alpha") for entry in entries)
