"""Functionals: numbers that depend on a function, with their differentials and second variations."""

from abc import ABC, abstractmethod

from funcgrad._checks import finite_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector


class SecondVariation:
    """The symmetric bilinear form D²F(f)[v, w], the Hessian of a functional as an operator.

    Parameters
    ----------
    apply : callable
        The `Covector` D²F(f)[v, ·] of a function v.
    forms : sequence of PointwiseForm, optional
        Forms that it is the sum of, if it is known to be; () is zero.

    Examples
    --------
    >>> import funcgrad as fg
    >>> grid = fg.Interval(0, 1).grid(5)
    >>> u, v = grid.function(lambda x: x), grid.function(lambda x: x**2)
    >>> hessian = fg.PopulationLoss(lambda x: 0.0).second_variation(u)
    >>> round(hessian(u, v), 12), round(hessian.apply(v)(u), 12)         # ∫ x³
    (0.25, 0.25)
    """

    def __init__(self, apply, forms=None):
        self.apply = apply
        self.forms = None if forms is None else tuple(forms)

    def __call__(self, v, w):
        """Return D²F(f)[v, w]."""
        return self.apply(v)(w)

    def __add__(self, other):
        if not isinstance(other, SecondVariation):
            return NotImplemented
        known = self.forms is not None and other.forms is not None
        forms = self.forms + other.forms if known else None
        return SecondVariation(lambda v: self.apply(v) + other.apply(v), forms)

    def __mul__(self, scalar):
        scalar = finite_number(scalar, "scalar")
        forms = None if self.forms is None else [form.scaled(scalar) for form in self.forms]
        return SecondVariation(lambda v: scalar * self.apply(v), forms)

    __rmul__ = __mul__


class Functional(ABC):
    """A functional F: functions -> R, not linear in general, with an exact differential.

    A subclass gives `__call__(f)`, a number, `differential(f)`, the `Covector` v ↦ d/dt F(f + tv) at
    t = 0, and, where it is known, `second_variation(f)`. Functionals are added, multiplied by numbers,
    and composed with functions of a number.

    Examples
    --------
    Half the square of the L2 norm, written from scratch:

    >>> import funcgrad as fg
    >>> class Energy(fg.Functional):
    ...     def __call__(self, f):
    ...         return 0.5 * fg.L2().inner(f, f)
    ...
    ...     def differential(self, f):
    ...         return fg.L2().flat(f)
    >>> u = fg.Interval(0, 1).grid(4).function(lambda x: x)
    >>> F = 3.0 * Energy()
    >>> round(F(u), 12), round(F.differential(u)(u), 12)
    (0.5, 1.0)
    """

    @abstractmethod
    def __call__(self, f):
        """Return F(f)."""

    @abstractmethod
    def differential(self, f):
        """Return dF at f, a `Covector`."""

    def second_variation(self, f):
        """Return D²F at f, a `SecondVariation`."""
        raise InvalidInput(f"{self!r} does not know its second variation.")

    def gauss_newton(self, f):
        """Return D²F at f without the curvature of what the loss is taken of, a `SecondVariation`.

        For Σ ℓ(R(f)) with a residual R it is Σ ℓ'' R'⊗R', which is positive for every convex ℓ. For a
        functional that knows of no residual it is D²F itself.
        """
        return self.second_variation(f)

    def composed(self, value, derivative, second_derivative=None):
        """Return the functional g∘F for a function g of one number, given with its derivatives.

        Examples
        --------
        >>> import math, funcgrad as fg
        >>> F = fg.PopulationLoss(lambda x: 0.0).composed(math.exp, math.exp, math.exp)
        >>> u = fg.Interval(0, 1).grid(4).function(lambda x: x)
        >>> round(math.log(F(u)), 12) == round(1 / 6, 12)
        True
        """

        def second_variation(f):
            if second_derivative is None:
                raise InvalidInput("give `second_derivative` for the second variation of a composition.")
            number, first, second = self(f), self.differential(f), self.second_variation(f)
            slope, curvature = derivative(number), second_derivative(number)
            return SecondVariation(lambda v: slope * second.apply(v) + (curvature * first(v)) * first)

        return from_callable(
            lambda f: value(self(f)), lambda f: derivative(self(f)) * self.differential(f), second_variation
        )

    def __add__(self, other):
        if not isinstance(other, Functional):
            return NotImplemented
        return from_callable(
            lambda f: self(f) + other(f),
            lambda f: self.differential(f) + other.differential(f),
            lambda f: self.second_variation(f) + other.second_variation(f),
            lambda f: self.gauss_newton(f) + other.gauss_newton(f),
        )

    def __mul__(self, scalar):
        scalar = finite_number(scalar, "scalar")
        return from_callable(
            lambda f: scalar * self(f),
            lambda f: scalar * self.differential(f),
            lambda f: scalar * self.second_variation(f),
            lambda f: scalar * self.gauss_newton(f),
        )

    __rmul__ = __mul__

    def __neg__(self):
        return -1.0 * self

    def __sub__(self, other):
        return NotImplemented if not isinstance(other, Functional) else self + (-1.0) * other


class LinearFunctional(Functional):
    """F(f) = c(f) for a covector c, which is its own differential everywhere.

    Examples
    --------
    >>> import funcgrad as fg
    >>> F = fg.LinearFunctional(fg.PointEvaluation(0.5))
    >>> u = fg.Interval(0, 1).grid(4).function(lambda x: x**2)
    >>> round(F(u), 12), F.differential(u) is F.differential(2 * u)
    (0.25, True)
    """

    def __init__(self, c):
        if not isinstance(c, Covector):
            raise InvalidInput(f"`c` must be a Covector; got {type(c).__name__}.")
        self.c = c

    def __call__(self, f):
        """Return c(f)."""
        return self.c(f)

    def differential(self, f):
        """Return c."""
        return self.c

    def second_variation(self, f):
        """Return zero."""
        return SecondVariation(lambda v: Covector(), ())


class _FromCallable(Functional):
    def __init__(self, value, differential, second_variation, gauss_newton):
        self._value, self._differential, self._second = value, differential, second_variation
        self._gauss_newton = gauss_newton

    def __call__(self, f):
        return self._value(f)

    def differential(self, f):
        return self._differential(f)

    def second_variation(self, f):
        return super().second_variation(f) if self._second is None else self._second(f)

    def gauss_newton(self, f):
        return super().gauss_newton(f) if self._gauss_newton is None else self._gauss_newton(f)


def from_callable(value, differential, second_variation=None, gauss_newton=None):
    """Return the functional with the given value, differential and second variations, callables of f.

    Examples
    --------
    >>> import funcgrad as fg
    >>> F = fg.functionals.from_callable(
    ...     lambda u: float(u.grid.integrate(u.values**2)), lambda u: fg.Density(2 * u)
    ... )
    >>> u = fg.Interval(0, 1).grid(4).function(lambda x: x)
    >>> round(F(u), 12), round(F.differential(u)(u), 12)
    (0.333333333333, 0.666666666667)
    """
    return _FromCallable(value, differential, second_variation, gauss_newton)
