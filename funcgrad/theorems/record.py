"""What a theorem of the catalogue is: records of a statement and of how it is checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput
from funcgrad.gradients.arguments import require_problem
from funcgrad.models.adapted import as_model
from funcgrad.spaces import Euclidean


@dataclass(frozen=True)
class Instance:
    """One mathematical situation in which a statement is checked; fields that it does not need are None.

    Attributes
    ----------
    label : str
    domain : Domain
    metric : Metric, optional
    functional : Functional, optional
    f : callable, optional
        The function at which the functional is differentiated, of the n coordinate arrays.
    model, theta : Model, ndarray (p,), optional
    rule : str, optional
        The quadrature rule of the grids; the domain's default if None.
    data : dict
        Anything else that a theorem's own instances carry.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.theorems import Instance
    >>> case = Instance("evaluation in H^1", fg.Interval(0, 1), fg.Sobolev(1.0), rule="midpoint")
    >>> case.grid(4)
    <midpoint grid of 4 nodes on the interval [0, 1] (neumann)>
    """

    label: str
    domain: Any
    metric: Any = None
    functional: Any = None
    f: Any = None
    model: Any = None
    theta: Any = None
    rule: str | None = None
    data: dict = field(default_factory=dict)

    def grid(self, n):
        """Return the grid of n nodes with this instance's rule."""
        return _grid(self.domain, n, self.rule)


@lru_cache(maxsize=4)
def _grid(domain, n, rule):
    """Kept, since a level is compared with the next one: what is factored once per grid is so once."""
    return domain.grid(n) if rule is None else domain.grid(n, rule=rule)


@dataclass(frozen=True)
class Residual:
    """What a check measured at one level of refinement.

    Attributes
    ----------
    value, scale : float
        The residual and what it is measured against; value / scale is judged.
    floor : float
        The size of value / scale that rounding alone explains.
    h : float
        The quantity that goes to zero under refinement: a residual of order q behaves as h^q.
    unknowns : int

    Examples
    --------
    >>> Residual(value=0.2, scale=4.0, floor=1e-15, h=0.1, unknowns=10).scaled
    0.05
    """

    value: float
    scale: float
    floor: float
    h: float
    unknowns: int

    def __post_init__(self):
        if self.value < 0:
            raise InvalidInput(
                f"`value` of a residual is a size; got {self.value:g}: take its absolute value."
            )
        if self.scale < 0 or (self.scale == 0 and self.value):
            raise InvalidInput(f"`scale` of a residual must be positive; got {self.scale:g}.")

    @property
    def scaled(self):
        """The value / scale; 0 where both vanish."""
        return self.value / self.scale if self.value else 0.0


@dataclass(frozen=True)
class Hypothesis:
    """A named condition of a statement, as a signed margin: positive where it is met.

    Examples
    --------
    >>> import funcgrad as fg
    >>> smooth = Hypothesis("s > 1/2", lambda instance: instance.metric.order - 0.5, "{metric} is too weak")
    >>> smooth.margin(Instance("the circle", fg.Circle(1.0), fg.Sobolev(2.0)))
    1.5
    """

    name: str
    margin: Callable[[Instance], float]
    unmet: str


@dataclass(frozen=True)
class Control:
    """A nearby false statement, whose residual must fail in the predicted way.

    Attributes
    ----------
    name : str
    breaks : str
        The name of the hypothesis that it breaks, or "statement".
    residual : callable
        Of (instance, level), like the theorem's.
    failure : callable
        Of an instance: the `Expectation` of how it fails.
    levels : callable, optional
        Of an instance: its own levels of refinement, where the theorem's do not show the failure well.

    Examples
    --------
    >>> from funcgrad import theorems
    >>> control = theorems.catalogue()[0].controls[0]
    >>> control.name, control.breaks
    ('the representer of another metric', 'statement')
    """

    name: str
    breaks: str
    residual: Callable[[Instance, int], Residual]
    failure: Callable[[Instance], Any]
    levels: Callable[[Instance], Sequence[int]] | None = None


@dataclass(frozen=True)
class Theorem:
    """A statement of the catalogue with everything that its check needs.

    Attributes
    ----------
    id, statement, latex, source : str
    hypotheses : tuple of Hypothesis
    instances : callable
        Of a `numpy.random.Generator`: the built-in instances.
    from_problem : callable
        Of a `Problem`: the user's instance; raises `DoesNotApply` where there is none.
    levels : callable
        Of an instance: the levels of refinement, coarse to fine.
    residual : callable
        Of (instance, level): a `Residual`, zero in the limit exactly when the statement holds.
    expectation : callable
        Of an instance: the `Expectation` of the residuals.
    controls : tuple of Control
        At least one that breaks the statement or a hypothesis, and one for each hypothesis.
    oracle : callable, optional
        Of an instance: a `Residual` against a closed form, at its floor, or None.

    Examples
    --------
    >>> from funcgrad import theorems
    >>> theorem = theorems.catalogue()[0]
    >>> theorem.id, [control.breaks for control in theorem.controls]
    ('riesz-representation', ['statement', 'dF is bounded in the metric'])
    """

    id: str
    statement: str
    latex: str
    source: str
    hypotheses: tuple[Hypothesis, ...]
    instances: Callable[..., Sequence[Instance]]
    from_problem: Callable[..., Instance]
    levels: Callable[[Instance], Sequence[int]]
    residual: Callable[[Instance, int], Residual]
    expectation: Callable[[Instance], Any]
    controls: tuple[Control, ...]
    oracle: Callable[[Instance], Residual | None] | None = None

    def __post_init__(self):
        for name in ("instances", "from_problem", "levels", "residual", "expectation"):
            if not callable(getattr(self, name)):
                raise InvalidInput(f"`{name}` must be a function; got {getattr(self, name)!r}.")
        if not all(isinstance(control, Control) for control in self._sequence("controls")):
            raise InvalidInput(f"`controls` must hold Control records; got {self.controls!r}.")
        self._sequence("hypotheses")
        names = {hypothesis.name for hypothesis in self.hypotheses}
        broken = {control.breaks for control in self.controls}
        if not self.controls or names - broken:
            raise InvalidInput(
                f"theorem {self.id!r} needs a negative control for each hypothesis and at least one; "
                f"without: {sorted(names - broken) or 'any'}."
            )
        if unknown := broken - names - {"statement"}:
            raise InvalidInput(f"controls of theorem {self.id!r} break unknown hypotheses {sorted(unknown)}.")

    def _sequence(self, name):
        value = getattr(self, name)
        if not isinstance(value, Sequence):
            raise InvalidInput(f"`{name}` must be a tuple, also of a single one; got {value!r}.")
        return value


# Numbers of a problem up to this have fourth powers.
_LARGEST = 1e75


class DoesNotApply(Exception):
    """Raised by `Theorem.from_problem`: the statement says nothing about this problem, and why.

    Examples
    --------
    >>> import funcgrad as fg
    >>> loss = fg.EmpiricalLoss([0.2, 0.7], [1.0, 0.0])
    >>> mine = Problem(fg.models.Polynomial(1), [0.0, 1.0], loss, fg.Interval(0, 1), fg.Sobolev(1.0))
    >>> fg.verify("trace-threshold", mine).skipped[0][1]
    'in one dimension a surface is a point: see evaluation-threshold'
    """


@dataclass(frozen=True)
class Problem:
    """The user's own model, data and metric.

    Attributes
    ----------
    model : Model
    theta : ndarray, (p,)
    functional : Functional
    domain : Domain
    metric : Metric
    label : str

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.theorems import Problem
    >>> loss = fg.EmpiricalLoss([0.2, 0.7], [1.0, 0.0])
    >>> mine = Problem(fg.models.Polynomial(2), [0.0, 1.0, 0.5], loss, fg.Interval(0, 1), fg.Sobolev(1.0))
    >>> fg.verify("natural-gradient-is-projection", mine).status
    'exact'
    """

    model: Any
    theta: Any
    functional: Any
    domain: Any
    metric: Any
    label: str = "the user's problem"

    def __post_init__(self):
        require_problem(self.functional, self.model, self.metric, self.domain)
        object.__setattr__(self, "model", as_model(self.model, self.theta, self.domain))
        p = self.model.n_parameters
        if finite_array(self.theta, "theta", ndim=1).size != p:
            raise InvalidInput(
                f"`theta` must have {p} entries, one a parameter of {self.model!r}; got {self.theta!r}."
            )
        self._require_powers()

    def _require_powers(self):
        """Refuse numbers whose fourth powers overflow."""
        domain, targets = self.domain, getattr(self.functional, "y", 0.0)
        parts = {"a parameter": self.theta, "a target": 0.0 if callable(targets) else targets}
        if not isinstance(domain, Euclidean):
            sides = np.array([axis.volume for axis in getattr(domain, "factors", (domain,))])
            parts["a side of the domain"] = np.where(sides < 1, 1 / sides, sides)
        for name, values in parts.items():
            largest = float(np.max(np.abs(values), initial=0.0))
            if largest > _LARGEST:
                raise InvalidInput(
                    f"{name} is {largest:.1g} units or more, or that part of one, and powers overflow; take "
                    "units in which sizes are nearer to 1."
                )
