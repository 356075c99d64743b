"""Domains, metrics, covectors and problems from the words of a command line."""

import numpy as np

from funcgrad._checks import near_match
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.functionals import EmpiricalLoss, PointEvaluation
from funcgrad.metrics import L2, Sobolev
from funcgrad.spaces import Circle, Interval

_DOMAINS = {
    "circle": "circle [LENGTH]",
    "interval": "interval A B [neumann|dirichlet]",
}
_METRICS = {"l2": "l2", "sobolev": "sobolev ORDER [length SCALE]"}
_COVECTORS = {"point": "point [X] [derivative ORDER]"}


def domain_from(text):
    """Return the domain of "interval 0 1 dirichlet" or "circle 6.283".

    Examples
    --------
    >>> print(domain_from("interval 70 770"))
    the interval [70, 770] (neumann)
    """
    kind, words = _words(text, _DOMAINS, "domain")
    if kind == "circle" and len(words) <= 1:
        return Circle(*(_number(word, text) for word in words))
    if kind == "interval" and len(words) in (2, 3):
        return Interval(_number(words[0], text), _number(words[1], text), *words[2:])
    raise _malformed(text, _DOMAINS[kind], "domain")


def metric_from(text):
    """Return the metric of "l2", "sobolev 1" or "sobolev 1 length 0.2".

    Examples
    --------
    >>> metric_from("sobolev 1 length 0.2")
    Sobolev(order=1.0, length_scale=0.2)
    """
    kind, words = _words(text, _METRICS, "metric")
    if kind == "l2" and not words:
        return L2()
    if kind == "sobolev" and len(words) == 1:
        return Sobolev(_number(words[0], text))
    if kind == "sobolev" and len(words) == 3 and words[1] == "length":
        return Sobolev(_number(words[0], text), _number(words[2], text))
    raise _malformed(text, _METRICS[kind], "metric")


def covector_from(text, domain):
    """Return the covector of "point", "point 0.3" or "point 0.3 derivative 1" on a domain.

    Without coordinates the point lies a third of the way along the domain.

    Examples
    --------
    >>> covector_from("point derivative 2", Circle(3.0)).atoms[0].derivative
    (2,)
    """
    kind, words = _words(text, _COVECTORS, "covector")
    derivative = 0
    if "derivative" in words:
        at = words.index("derivative")
        if at + 2 != len(words) or not words[at + 1].isdigit():
            raise _malformed(text, _COVECTORS[kind], "covector")
        derivative, words = int(words[at + 1]), words[:at]
    if len(words) > 1:
        raise _malformed(text, _COVECTORS[kind], "covector")
    point = _number(words[0], text) if words else getattr(domain, "a", 0.0) + domain.volume / 3
    return PointEvaluation(point, derivative)


def problem_from(model, parameters, data, domain, metric):
    """Return the user's `theorems.Problem` from five texts: a formula, assignments, a file and two names.

    Raises
    ------
    InvalidInput, DomainMismatch
        In one line that says which of them is wrong and how.
    """
    from funcgrad.data import read_observations
    from funcgrad.expression import parse_assignments, parse_expression
    from funcgrad.models import Symbolic
    from funcgrad.theorems import Problem

    values = parse_assignments(parameters)
    names = {symbol.name for symbol in parse_expression(model, None).free_symbols}
    unused = [name for name in values if name not in names]
    if unused:
        raise InvalidInput(
            f"parameter {unused[0]!r} does not occur in the model{near_match(unused[0], sorted(names))}"
        )
    inputs = sorted(names - set(values))
    domain, metric = domain_from(domain), metric_from(metric)
    if len(inputs) != domain.dimension:
        given = ", ".join(inputs) or "none"
        raise InvalidInput(
            f"the model must have {domain.dimension} variable(s) besides its parameters; got {given}."
        )
    f = Symbolic(model, x=inputs, parameters=list(values))
    x, y = read_observations(data, inputs)
    try:
        domain.points(x, "data")
    except DomainMismatch as error:
        raise DomainMismatch(f"{data}: {error}") from error
    if len(x) < len(values):
        raise InvalidInput(
            f"{data}: {len(x)} point(s) for {len(values)} parameters; a Jacobian of full column rank needs "
            f"at least {len(values)} points."
        )
    theta = np.array(list(values.values()))
    f(theta, x)
    return Problem(f, theta, EmpiricalLoss(x, y), domain, metric, label=f"{model} on {domain}")


def _words(text, known, what):
    words = text.lower().split()
    if not words:
        raise InvalidInput(f"the {what} is empty; write one of: {'; '.join(known.values())}.")
    if words[0] not in known:
        raise InvalidInput(f"unknown {what} {words[0]!r}{near_match(words[0], known)}")
    return words[0], words[1:]


def _number(word, text):
    try:
        return float(word)
    except ValueError:
        raise InvalidInput(f"{word!r} in {text!r} is not a number.") from None


def _malformed(text, form, what):
    return InvalidInput(f"cannot read the {what} {text!r}; write it as: {form}")
