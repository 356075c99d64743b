"""Functionals: numbers that depend on a function, with their differentials."""

from abc import ABC, abstractmethod

from funcgrad._checks import finite_number
from funcgrad.errors import InvalidInput
from funcgrad.functionals.covector import Covector


class Functional(ABC):
    """A functional F: functions -> R, not linear in general, with an exact differential.

    A subclass gives `__call__(f)`, a number, and `differential(f)`, the `Covector`
    v ↦ d/dt F(f + tv) at t = 0. Functionals are added and multiplied by numbers.
    """

    @abstractmethod
    def __call__(self, f):
        """Return F(f)."""

    @abstractmethod
    def differential(self, f):
        """Return dF at f, a `Covector`."""

    def __add__(self, other):
        if not isinstance(other, Functional):
            return NotImplemented
        return from_callable(
            lambda f: self(f) + other(f), lambda f: self.differential(f) + other.differential(f)
        )

    def __mul__(self, scalar):
        scalar = finite_number(scalar, "scalar")
        return from_callable(lambda f: scalar * self(f), lambda f: scalar * self.differential(f))

    __rmul__ = __mul__

    def __sub__(self, other):
        return NotImplemented if not isinstance(other, Functional) else self + (-1.0) * other


class LinearFunctional(Functional):
    """F(f) = c(f) for a covector c, which is its own differential everywhere."""

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


class _FromCallable(Functional):
    def __init__(self, value, differential):
        self._value, self._differential = value, differential

    def __call__(self, f):
        return self._value(f)

    def differential(self, f):
        return self._differential(f)


def from_callable(value, differential):
    """Return the functional with the given value and differential, both callables of a function.

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
    return _FromCallable(value, differential)
