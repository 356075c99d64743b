"""Strategies for models with independent, or deliberately dependent, parameters."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from funcgrad import models as library
from funcgrad.errors import InvalidInput
from funcgrad.models import Model, bases
from funcgrad.spaces import Domain, Euclidean, Interval, Sphere
from funcgrad.testing.strategies.given import inner
from funcgrad.testing.strategies.spaces import domains


class DrawnModel(NamedTuple):
    """A model at its parameters.

    Attributes
    ----------
    model : Model
    theta : ndarray, (p,)
    rank : int
        How many of the tangent functions are independent: p, or p - 1 if `dependent`.
    domain : Domain
        Where it is used.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> drawn = find(strategies.models(), lambda drawn: True)
    >>> drawn.model.n_parameters, drawn.theta, drawn.rank
    (1, array([1.]), 1)
    """

    model: Model
    theta: NDArray
    rank: int
    domain: Domain


@st.composite
def models(draw, *, domain=None, dependent=False, nonlinear=None):
    """Return a strategy for models at their parameters; they shrink to a polynomial of degree 0 or 1.

    On circles they are trigonometric, elsewhere smooth. Their tangent functions are independent on every
    domain: orthogonal bases, or formulas at parameters where theirs are.

    Parameters
    ----------
    domain : strategy, optional
        Of domains: intervals, circles, boxes, tori of two dimensions.
    dependent : bool
        Whether one parameter too many is built in: the tangent space has rank p - 1.
    nonlinear : bool, optional
        Whether the model is nonlinear in its parameters; either if not given.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> drawn = find(strategies.models(dependent=True), lambda drawn: True)
    >>> drawn.model.n_parameters, drawn.rank
    (2, 1)
    """
    usual = {"kinds": ("interval", "circle", "box"), "dimensions": (1, 2)}
    on = draw(inner(domain, "domain", lambda: domains(**usual)))
    if isinstance(on, Sphere):
        raise InvalidInput(f"`domain` of models must be an interval, a circle, a box or a torus; got {on}.")
    curved = draw(st.booleans()) if nonlinear is None else nonlinear
    model = draw(_formulas(on) if curved else _linear(on))
    theta = np.array([1.0 + draw(st.integers(0, 4)) / 4 for _ in range(model.n_parameters)])
    rank = model.n_parameters
    if not dependent:
        return DrawnModel(model, theta, rank, on)
    if draw(st.booleans()):  # the first parameter is a sum of two

        def psi(t):
            return np.concatenate([t[:1] + t[-1:], t[1:-1]])
    else:  # or a product, as the scale of a layer and that of the next

        def psi(t):
            return np.concatenate([t[:1] * t[-1:], t[1:-1]])

    redundant = model.reparametrise(psi, n_parameters=rank + 1)
    return DrawnModel(redundant, np.append(theta, 1.0), rank, on)


@st.composite
def _linear(draw, domain):
    size = draw(st.integers(0, 3))
    factors = getattr(domain, "factors", (domain,))
    if isinstance(domain, Euclidean):
        return library.Linear(bases.monomial(size, dimension=domain.dimension))
    lines = []
    for i, line in enumerate(factors):
        count = size if i == 0 else min(size, 1)
        if line.boundary == "periodic":
            lines.append(bases.fourier(count, line.length))
        else:
            lines.append(bases.legendre(count, line.a, line.b))
    return library.Linear(lines[0] if len(lines) == 1 else bases.tensor_product(*lines))


@st.composite
def _formulas(draw, domain):
    names = ["x", "y", "z"][: domain.n_coordinates]
    first = getattr(domain, "factors", (domain,))[0]
    if getattr(first, "boundary", None) == "periodic":
        wave = f"2*pi*x/{first.length!r}"
        formulas = [
            (f"a*sin({wave} + b)", "a b"),
            (f"a*exp(b*cos({wave}))", "a b"),
            (f"a*sin({wave} + b) + c", "a b c"),
        ]
    else:
        # From 0 to 1 whatever the interval, so that values stay below 15 and those of exp(u) finite.
        x = "x"
        if isinstance(first, Interval) and (first.a, first.b) != (0.0, 1.0):
            x = f"((x - {first.a!r})/{first.length!r})"
        formulas = [
            (f"a*exp(b*{x})", "a b"),
            (f"a*sin(b*{x} + c)", "a b c"),
            (f"a/(1 + b*{x}**2)", "a b"),
            (f"a*tanh(b*{x}) + c*{x}**2", "a b c"),
        ]
    formula, parameters = draw(st.sampled_from(formulas))
    return library.Symbolic(formula, x=names, parameters=parameters)
