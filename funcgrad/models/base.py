"""What a model is: a function of x with parameters θ, its Jacobian in θ, and the x-derivatives of both."""

from abc import ABC, abstractmethod

import numpy as np

from funcgrad._checks import finite_array, point_array, whole_number
from funcgrad.errors import InvalidInput

# Entries of a Jacobian that a product with it holds at once: 2 MB.
_BLOCK_ENTRIES = 1 << 18


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

    Each point is independent of the others, so products and checks may go over blocks of them. A model
    that knows faster ways overrides `_pushforward`, `_pullback`, `_checked_jacobian` or `initial` as well.

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

    def jacobian(self, theta, x, *, out=None):
        """Evaluate ∂f_θ/∂θ at the points x.

        Parameters
        ----------
        theta, x : array_like
            As in a call.
        out : ndarray, shape (N, p) or (N, m, p), optional
            Where to write the result: for many points it saves fresh memory, which costs more than
            the Jacobian of a small network.

        Returns
        -------
        ndarray, shape (N, p) or (N, m, p)
        """
        return self.jacobian_derivative(theta, x, (0,) * self.dimension, out=out)

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
        theta, x, alpha = self._arguments(theta, x, alpha)
        with np.errstate(all="ignore"):
            value = np.asarray(self._value(theta, x, alpha), dtype=np.float64)
        return self._checked("value", value, (len(x), *self._outputs), theta, x, alpha)

    def jacobian_derivative(self, theta, x, alpha, *, out=None):
        """Evaluate ∂^α ∂f_θ/∂θ at the points x: shape (N, p) or (N, m, p). Arguments as in `jacobian`."""
        theta, x, alpha = self._arguments(theta, x, alpha)
        shape = (len(x), *self._outputs, self.n_parameters)
        if out is not None and (
            not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != np.float64
        ):
            given = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
            raise InvalidInput(f"`out` must be a float64 array of shape {shape}; got {given}.")
        with np.errstate(all="ignore"):
            return self._checked_jacobian(theta, x, alpha, out)

    def pushforward(self, theta, x, eta, alpha=None):
        """Evaluate dφ(η) = Σ_i η_i φ_i at the points x without storing the Jacobian.

        Parameters
        ----------
        theta, x : array_like
            As in a call.
        eta : array_like, shape (p,)
            A direction in the parameters.
        alpha : tuple of n int, or int in one dimension, optional
            Take ∂^α of it.

        Returns
        -------
        ndarray, shape (N,) or (N, m)

        Examples
        --------
        >>> from funcgrad.models import Polynomial
        >>> Polynomial(2).pushforward([0.0, 0.0, 0.0], [1.0, 2.0], [1.0, 0.0, 3.0])
        array([ 4., 13.])
        """
        theta, x, alpha = self._arguments(theta, x, (0,) * self.dimension if alpha is None else alpha)
        eta = self._parameters(eta, "eta")
        with np.errstate(all="ignore"):
            value = self._pushforward(theta, x, eta, alpha)
        return self._checked("pushforward", value, (len(x), *self._outputs), theta, x, alpha)

    def pullback(self, theta, x, r, alpha=None):
        """Return Σ_k r_k φ_i(x_k), one number a parameter, without storing the Jacobian.

        It is the transpose of `pushforward`: of a covector Σ_k r_k δ_{x_k} on functions it makes the
        covector on parameters.

        Parameters
        ----------
        theta, x : array_like
            As in a call.
        r : array_like, shape (N,) or (N, m)
        alpha : tuple of n int, or int in one dimension, optional
            Take ∂^α φ_i for φ_i.

        Returns
        -------
        ndarray, shape (p,)

        Examples
        --------
        >>> from funcgrad.models import Polynomial
        >>> Polynomial(2).pullback([0.0, 0.0, 0.0], [1.0, 2.0], [1.0, 10.0])
        array([11., 21., 41.])
        """
        theta, x, alpha = self._arguments(theta, x, (0,) * self.dimension if alpha is None else alpha)
        r, shape = finite_array(r, "r"), (len(x), *self._outputs)
        if r.shape != shape:
            raise InvalidInput(f"`r` must have shape {shape}, as the values at `x`; got {r.shape}.")
        with np.errstate(all="ignore"):
            covector = self._pullback(theta, x, r, alpha)
        if not np.isfinite(covector).all():
            name = self.parameter_names[int(np.argmin(np.isfinite(covector)))]
            raise InvalidInput(
                f"the pullback is not finite in the parameter `{name}`; `jacobian` names a point where its "
                "tangent function is not, unless the sum itself overflows."
            )
        return covector

    def initial(self, seed):
        """Draw parameters to start from: here standard normal; a subclass may know better.

        Parameters
        ----------
        seed : int or numpy.random.Generator

        Returns
        -------
        ndarray, shape (p,)
        """
        return random_generator(seed).standard_normal(self.n_parameters)

    def reparametrise(self, psi, jacobian="complex-step", *, n_parameters=None):
        """Return the model ϑ ↦ f_{ψ(ϑ)}.

        Parameters
        ----------
        psi : callable
            Takes ϑ, (q,), and returns θ, (p,).
        jacobian : callable or "complex-step"
            Takes ϑ and returns ∂ψ/∂ϑ, (p, q). By complex step if not given: exact if `psi` is made of
            analytic functions (no abs, no comparison) and takes complex numbers.
        n_parameters : int, optional
            q; p if not given.

        Examples
        --------
        >>> import numpy as np
        >>> from funcgrad.models import Polynomial
        >>> positive = Polynomial(1).reparametrise(np.exp, lambda t: np.diag(np.exp(t)))
        >>> positive([0.0, 0.0], [0.0, 2.0])
        array([1., 3.])
        """
        from funcgrad.models.composition import Reparametrised

        return Reparametrised(self, psi, jacobian, n_parameters)

    def __add__(self, other):
        """Return f_θ + g_ϑ, with the parameters (θ, ϑ) side by side."""
        if not isinstance(other, Model):
            return NotImplemented
        from funcgrad.models.composition import Sum

        return Sum(self, other)

    def knows(self, alpha):
        """Return whether ∂^α of values and Jacobian are known; else functions are differentiated on grids.

        True, unless a subclass says otherwise. (A derivative that does not exist is refused when asked for.)
        """
        return True

    # What a subclass may override where it knows a faster way.

    def _checked_jacobian(self, theta, x, alpha, out):
        """Return ∂^α ∂f_θ/∂θ, finite and of the right shape, written to `out` if that is not None."""
        jacobian = np.asarray(self._jacobian(theta, x, alpha), dtype=np.float64)
        shape = (len(x), *self._outputs, self.n_parameters)
        self._checked("Jacobian", jacobian, shape, theta, x, alpha)
        if out is None:
            return jacobian
        out[...] = jacobian
        return out

    def _pushforward(self, theta, x, eta, alpha):
        value = np.empty((len(x), *self._outputs))
        for rows in self._blocks(len(x)):
            value[rows] = self._jacobian(theta, x[rows], alpha) @ eta
        return value

    def _pullback(self, theta, x, r, alpha):
        covector = np.zeros(self.n_parameters)
        for rows in self._blocks(len(x)):
            jacobian = self._jacobian(theta, x[rows], alpha)
            covector += np.tensordot(r[rows], jacobian, axes=r.ndim)
        return covector

    def _blocks(self, n_points):
        """Return slices over the points such that a block of the Jacobian is small."""
        step = max(1, _BLOCK_ENTRIES // max(1, self.n_outputs * self.n_parameters))
        return [slice(start, start + step) for start in range(0, n_points, step)]

    @property
    def _outputs(self):
        return () if self.n_outputs == 1 else (self.n_outputs,)

    def _parameters(self, theta, name):
        theta = finite_array(theta, name, ndim=1)
        if theta.size != self.n_parameters:
            names = ", ".join(self.parameter_names[:10]) + (", ..." if self.n_parameters > 10 else "")
            raise InvalidInput(f"`{name}` must have {self.n_parameters} entries ({names}); got {theta.size}.")
        return theta

    def _arguments(self, theta, x, alpha):
        theta = self._parameters(theta, "theta")
        return theta, point_array(x, self.dimension), multi_index(alpha, self.dimension)

    def _checked(self, what, result, shape, theta, x, alpha):
        """Return the result if it is finite and of the right shape; a division by zero shows here."""
        if result.shape != shape:
            raise InvalidInput(f"the model's {what} must have shape {shape}; it returned {result.shape}.")
        where = first_not_finite(result)
        if where is not None:
            of = f" (derivative {alpha})" if any(alpha) else ""
            raise InvalidInput(
                f"the model's {what}{of} is {result[where]} at x = {x[where[0]].tolist()}, "
                f"`theta` = {np.array2string(theta, threshold=10)}; choose points and parameters where "
                "it is finite."
            )
        return result


def first_not_finite(array):
    """Return the index of the first NaN or infinity, or None; without a mask as long as the array."""
    rows = max(1, _BLOCK_ENTRIES * len(array) // max(1, array.size)) if array.ndim else 1
    for start in range(0, len(array), rows):
        finite = np.isfinite(array[start : start + rows])
        if not finite.all():
            first = np.argwhere(~finite)[0]
            first[0] += start
            return tuple(first)
    return None


def random_generator(seed):
    """Return a Generator: a given one, or that of a whole number."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(whole_number(seed, "seed"))


def multi_index(alpha, dimension):
    """Return `alpha` as a tuple of `dimension` whole numbers; one number will do in one dimension."""
    entries = alpha if isinstance(alpha, (tuple, list, np.ndarray)) else (alpha,)
    if len(entries) != dimension:
        raise InvalidInput(f"`alpha` must have {dimension} entries, one a coordinate; got {alpha!r}.")
    return tuple(whole_number(entry, "alpha") for entry in entries)
