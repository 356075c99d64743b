"""The rules on [-1, 1] by name, each with its degree of exactness."""

from collections.abc import Callable
from dataclasses import dataclass

from funcgrad._checks import one_of
from funcgrad.spaces.quadrature.clenshaw_curtis import clenshaw_curtis
from funcgrad.spaces.quadrature.gauss import gauss_legendre, gauss_lobatto
from funcgrad.spaces.quadrature.newton_cotes import midpoint, periodic_trapezoid, simpson, trapezoid


@dataclass(frozen=True)
class Rule:
    """A family of rules for ∫ f(x) dx over [-1, 1].

    Attributes
    ----------
    function : callable
        ``nodes, weights = function(n)``.
    degree : callable
        ``degree(n)``, the degree of exactness with n nodes: the rule is exact up to that degree and not at
        the next, for polynomials; for "periodic-trapezoid", trigonometric polynomials of period 2.

    Examples
    --------
    >>> rule = RULES["gauss-legendre"]
    >>> nodes, weights = rule.function(3)
    >>> rule.degree(3), round(float(weights @ nodes**4), 12)                # 2/5
    (5, 0.4)
    """

    function: Callable
    degree: Callable


RULES = {
    "gauss-legendre": Rule(gauss_legendre, lambda n: 2 * n - 1),
    "gauss-lobatto": Rule(gauss_lobatto, lambda n: 2 * n - 3),
    "clenshaw-curtis": Rule(clenshaw_curtis, lambda n: n if n % 2 else n - 1),
    "midpoint": Rule(midpoint, lambda n: 1),
    "trapezoid": Rule(trapezoid, lambda n: 1),
    "simpson": Rule(simpson, lambda n: 3),
    "periodic-trapezoid": Rule(periodic_trapezoid, lambda n: n - 1),
}


def rule_named(name):
    """Return the `Rule` of that name; an unknown name is refused with the nearest known one.

    Parameters
    ----------
    name : str
        A key of `RULES`.

    Returns
    -------
    Rule

    Raises
    ------
    InvalidInput
        If there is no such rule.

    Examples
    --------
    >>> rule_named("gauss-legendre").degree(5)
    9
    >>> rule_named("simpsons")
    Traceback (most recent call last):
    ...
    funcgrad.errors.InvalidInput: unknown rule 'simpsons'; did you mean 'simpson'?...
    """
    return RULES[one_of(name, RULES, "rule")]
