"""Models linear in their parameters: combinations of fixed basis functions."""

import math

import numpy as np

from funcgrad.errors import InvalidInput
from funcgrad.models.base import Model, multi_index
from funcgrad.models.bases import Basis, fourier


class Linear(Model):
    """The linear model f_θ = Σ_i θ_i b_i; its Jacobian is the basis, whatever θ.

    Parameters
    ----------
    basis : Basis, sequence of str, or sequence of callables
        The p functions b_i. A basis of `funcgrad.models.bases` brings its dimension. Formulas (see
        `Symbolic`) have exact derivatives of every order. A callable takes the n coordinate arrays, each
        (N,), and returns (N,) values or one number.
    x : str or sequence of str
        The names of the n coordinates; their number is the dimension for callables too. Not for a `Basis`.
    derivatives : mapping or None
        For callables: from a multi-index (a tuple of n int, an int in one dimension) to the p callables
        ∂^α b_i. A derivative that is not given is refused, never approximated.

    Examples
    --------
    >>> from funcgrad.models import Linear
    >>> line = Linear(["1", "x"])
    >>> line([1.0, 2.0], [0.0, 0.5, 1.0])
    array([1., 2., 3.])
    >>> line.derivative([1.0, 2.0], [0.0, 0.5, 1.0], 1)
    array([2., 2., 2.])
    >>> from funcgrad.models import bases
    >>> Linear(bases.legendre(2, 0, 1)).jacobian([0.0, 0.0, 0.0], [0.0, 1.0])
    array([[ 1., -1.,  1.],
           [ 1.,  1.,  1.]])
    """

    def __init__(self, basis, x="x", derivatives=None):
        if isinstance(basis, str) or callable(basis):
            raise InvalidInput("`basis` must be a sequence of functions; got one: write [f].")
        if isinstance(basis, Basis):
            if x != "x" or derivatives is not None:
                raise InvalidInput("`x` and `derivatives` must be left out: the basis has its own.")
            super().__init__(basis.dimension, [f"c{i}" for i in range(basis.size)])
            self.basis = basis
            return
        basis = tuple(basis)
        if not basis:
            raise InvalidInput("`basis` must hold at least one function; got none.")
        inputs = x.replace(",", " ").split() if isinstance(x, str) else list(x)
        super().__init__(len(inputs), [f"c{i}" for i in range(len(basis))])
        if all(isinstance(function, str) for function in basis):
            if derivatives is not None:
                raise InvalidInput("`derivatives` must be left out for formulas: theirs are exact.")
            from funcgrad.models.symbolic import Symbolic

            self._functions = Symbolic(basis, x=inputs)
        else:
            self._functions = None
            zero = (0,) * self.dimension
            self._callables = {zero: _checked_functions(basis, len(basis), "basis")}
            for alpha, functions in (derivatives or {}).items():
                name = f"derivatives[{alpha!r}]"
                alpha = multi_index(alpha, self.dimension)
                self._callables[alpha] = _checked_functions(functions, len(basis), name)
        self.basis = basis

    def __repr__(self):
        if isinstance(self.basis, Basis):
            return f"Linear({self.basis!r})"
        shown = [b if isinstance(b, str) else getattr(b, "__name__", repr(b)) for b in self.basis[:6]]
        more = f", ... {self.n_parameters} in all" if self.n_parameters > 6 else ""
        return f"Linear([{', '.join(shown)}{more}])"

    def _value(self, theta, x, alpha):
        return self._jacobian(theta, x, alpha) @ theta

    def _jacobian(self, theta, x, alpha):
        if isinstance(self.basis, Basis):
            return self.basis.evaluate(x, alpha)
        if self._functions is not None:
            return self._functions.derivative((), x, alpha).reshape(len(x), self.n_parameters)
        if alpha not in self._callables:
            given = ", ".join(str(known) for known in self._callables if any(known)) or "none"
            raise InvalidInput(
                f"the derivative {alpha} of the basis is not known (given: {given}); pass "
                f"`derivatives={{{alpha}: [...]}}`, or write the basis as formulas, such as 'sin(x)'."
            )
        coordinates = np.ascontiguousarray(x.T)
        # Fortran order: a column, one basis function, is contiguous, as LAPACK wants it.
        jacobian = np.empty((len(x), self.n_parameters), order="F")
        for i, function in enumerate(self._callables[alpha]):
            values = np.asarray(function(*coordinates))
            if values.shape not in ((), (len(x),)) or np.iscomplexobj(values):
                raise InvalidInput(
                    f"basis function {i} must return {len(x)} real numbers, one a point; "
                    f"it returned {values.dtype} of shape {values.shape}."
                )
            jacobian[:, i] = values
        return jacobian


def _checked_functions(functions, count, name):
    functions = tuple(functions)
    if len(functions) != count:
        raise InvalidInput(f"`{name}` must hold {count} functions, one a parameter; got {len(functions)}.")
    for function in functions:
        if not callable(function):
            raise InvalidInput(f"`{name}` must be all formulas or all callables; got {function!r}.")
    return functions


class Fourier(Linear):
    """The trigonometric polynomial θ_0 + Σ_k θ_{2k-1} cos kωx + θ_{2k} sin kωx, ω = 2π/length.

    Parameters
    ----------
    n_frequencies : int
        The highest k.
    length : float
        The period.

    Examples
    --------
    >>> from funcgrad.models import Fourier
    >>> Fourier(1).derivative([5.0, 0.0, 2.0], [0.0], 1)
    array([2.])
    """

    def __init__(self, n_frequencies, length=2.0 * math.pi):
        super().__init__(fourier(n_frequencies, length))
        self.n_frequencies, self.length = (self.n_parameters - 1) // 2, float(length)

    def __repr__(self):
        return f"Fourier({self.n_frequencies}, length={self.length:g})"
