"""Models from the user's own functions, with Jacobians from the user, the complex step, JAX or PyTorch."""

import importlib.util

import numpy as np

from funcgrad._checks import one_of, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model, multi_index
from funcgrad.models.complex_step import STEP, complex_step_jacobian, complex_step_part

_AUTOMATIC = ("complex-step", "jax", "torch")


def from_callable(f, dimension, n_parameters, jacobian="complex-step", *, n_outputs=1, derivatives=None):
    """Return a model from a function of parameters and points.

    Parameters
    ----------
    f : callable
        ``f(theta, x)`` takes θ, (p,), and points, (N, n), and returns (N,) or (N, m); the value at a point
        must not depend on the other points.
    dimension, n_parameters : int
        n and p.
    jacobian : {"complex-step", "jax", "torch"} or callable
        How ∂f/∂θ is found: by the complex step, exact to rounding if `f` is made of analytic functions
        (no abs, no comparisons); by automatic differentiation of a function written with ``jax.numpy`` or
        ``torch``, which then has spatial derivatives of every order as well; or by the user's function of the
        same arguments, which returns (N, p) or (N, m, p).
    n_outputs : int
        m.
    derivatives : mapping, optional
        Spatial derivatives, from a multi-index (an int in one dimension) to ∂^α f as such a function, or to
        the pair (∂^α f, its Jacobian in θ) where `jacobian` is a function. Only for the complex step and the
        user's Jacobian.

    Notes
    -----
    A derivative in space that is not given is refused, except the first one of the value under
    "complex-step", which the complex step gives as well.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.models import from_callable
    >>> wave = from_callable(lambda theta, x: theta[0] * np.sin(theta[1] * x[:, 0]), 1, 2)
    >>> wave.jacobian([2.0, 1.0], [0.0, 0.5])
    array([[0.        , 0.        ],
           [0.47942554, 0.87758256]])
    """
    if not callable(f):
        raise InvalidInput(f"`f` must be a function of (theta, x); got {f!r}.")
    if not callable(jacobian):
        one_of(jacobian, _AUTOMATIC, "jacobian")
    if jacobian in ("jax", "torch"):
        if derivatives is not None:
            raise InvalidInput(f"`derivatives` must be left out: {jacobian} finds them.")
        if importlib.util.find_spec(jacobian) is None:
            raise InvalidInput(f"`jacobian` is {jacobian!r}, which is not installed: pip install {jacobian}.")
        kind = _JaxModel if jacobian == "jax" else _TorchModel
        return kind(f, dimension, n_parameters, n_outputs)
    return _CallableModel(f, dimension, n_parameters, n_outputs, jacobian, derivatives or {})


class _FromCallable(Model):
    def __init__(self, f, dimension, n_parameters, n_outputs):
        n_parameters = whole_number(n_parameters, "n_parameters", least=1)
        super().__init__(dimension, [f"theta{i}" for i in range(n_parameters)], n_outputs)
        self.f = f

    def __repr__(self):
        name = getattr(self.f, "__name__", repr(self.f))
        return f"from_callable({name}, dimension={self.dimension}, n_parameters={self.n_parameters})"


class _CallableModel(_FromCallable):
    """With the user's Jacobian or the complex step."""

    def __init__(self, f, dimension, n_parameters, n_outputs, jacobian, derivatives):
        super().__init__(f, dimension, n_parameters, n_outputs)
        self._by_complex_step = not callable(jacobian)
        self._functions = {(0,) * self.dimension: (f, None if self._by_complex_step else jacobian)}
        for alpha, given in derivatives.items():
            pair = (given, None) if self._by_complex_step else given
            if not self._by_complex_step and (not isinstance(pair, (tuple, list)) or len(pair) != 2):
                raise InvalidInput(
                    f"derivatives[{alpha!r}] must be a pair (function, Jacobian), since `jacobian` is one."
                )
            if not callable(pair[0]) or not (self._by_complex_step or callable(pair[1])):
                raise InvalidInput(f"derivatives[{alpha!r}] must be made of functions; got {given!r}.")
            self._functions[multi_index(alpha, self.dimension)] = tuple(pair)

    def knows(self, alpha):
        """Return whether it was given."""
        return alpha in self._functions

    def _value(self, theta, x, alpha):
        if alpha in self._functions:
            return _real(self._functions[alpha][0](theta, x), "f")
        if self._by_complex_step and sum(alpha) == 1:
            shifted = x.astype(complex)
            shifted[:, alpha.index(1)] += 1j * STEP
            return complex_step_part(self.f(theta, shifted), "f")
        raise self._unknown(alpha)

    def _jacobian(self, theta, x, alpha):
        if alpha not in self._functions:
            raise self._unknown(alpha)
        function, jacobian = self._functions[alpha]
        if jacobian is not None:
            return _real(jacobian(theta, x), "jacobian")
        return complex_step_jacobian(lambda shifted: function(shifted, x), theta, "f")

    def _unknown(self, alpha):
        given = ", ".join(str(known) for known in self._functions if any(known)) or "none"
        return InvalidInput(
            f"the derivative {alpha} of {self!r} is not known (given: {given}); pass "
            f"`derivatives={{{alpha}: ...}}`, or write `f` with jax or torch and name it in `jacobian`."
        )


def _real(values, name):
    values = np.asarray(values)
    if np.iscomplexobj(values):
        raise InvalidInput(f"`{name}` must return real numbers for real arguments; it returned complex ones.")
    return values


class _JaxModel(_FromCallable):
    """By JAX in float64: forward over the coordinates, reverse over the parameters, mapped over points."""

    def _value(self, theta, x, alpha):
        return self._evaluated(theta, x, alpha, in_parameters=False)

    def _jacobian(self, theta, x, alpha):
        return self._evaluated(theta, x, alpha, in_parameters=True)

    def _evaluated(self, theta, x, alpha, in_parameters):
        import jax

        with jax.enable_x64(True):
            function = _differentiated(self.f, alpha, jax.jvp, jax.numpy.asarray)
            function = jax.jacrev(function) if in_parameters else function
            mapped = jax.jit(jax.vmap(function, (None, 0)))
            return np.asarray(mapped(jax.numpy.asarray(theta), jax.numpy.asarray(x)))


class _TorchModel(_FromCallable):
    """By PyTorch in float64, in the same way."""

    def _value(self, theta, x, alpha):
        return self._evaluated(theta, x, alpha, in_parameters=False)

    def _jacobian(self, theta, x, alpha):
        return self._evaluated(theta, x, alpha, in_parameters=True)

    def _evaluated(self, theta, x, alpha, in_parameters):
        import torch

        def tensor(values):
            return torch.tensor(np.asarray(values), dtype=torch.float64)

        function = _differentiated(self.f, alpha, torch.func.jvp, tensor)
        function = torch.func.jacrev(function) if in_parameters else function
        mapped = torch.func.vmap(function, in_dims=(None, 0))
        return mapped(tensor(theta), tensor(x)).detach().numpy()


def _differentiated(f, alpha, jvp, array):
    """Return (θ, point) ↦ ∂^α f, by nested derivatives along the coordinates."""

    def single(theta, point):
        return f(theta, point[None])[0]

    function = single
    for axis, order in enumerate(alpha):
        unit = array(np.eye(len(alpha))[axis])
        for _ in range(order):
            function = _along(function, unit, jvp)
    return function


def _along(function, unit, jvp):
    return lambda theta, point: jvp(lambda p: function(theta, p), (point,), (unit,))[1]
