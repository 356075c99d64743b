"""The errors and warnings that funcgrad raises.

All derive from `FuncgradError`; those that report a bad argument are also `ValueError`, those that
report a computation that cannot succeed are also `ArithmeticError`. A message says what was given,
what was expected and what to do.
"""


class FuncgradError(Exception):
    """Base of every error that funcgrad raises on purpose.

    Examples
    --------
    >>> import funcgrad as fg
    >>> try:
    ...     fg.Sobolev(1.0, length_scale=-1.0)
    ... except fg.FuncgradError as error:
    ...     print(error)
    `length_scale` must be positive; got -1.
    """


class InvalidInput(FuncgradError, ValueError):
    """An argument has the wrong shape, kind or value.

    Examples
    --------
    >>> import funcgrad as fg
    >>> fg.Circle(-1.0)
    Traceback (most recent call last):
        ...
    funcgrad.errors.InvalidInput: `length` must be positive; got -1.
    """


class DomainMismatch(FuncgradError, ValueError):
    """Two objects live on different grids or domains, or a point lies outside its domain.

    Examples
    --------
    >>> import funcgrad as fg
    >>> fg.Interval(0, 1).points(1.5)
    Traceback (most recent call last):
        ...
    funcgrad.errors.DomainMismatch: `x` has the point 1.5 outside the interval [0, 1] (neumann).
    """


class GradientDoesNotExist(FuncgradError, ArithmeticError):
    """The differential is unbounded in the metric, so it has no Riesz representer.

    Attributes
    ----------
    existence : funcgrad.Existence or None
        The verdict with its threshold, reason and numerical evidence.

    Examples
    --------
    >>> import funcgrad as fg
    >>> u = fg.Circle(1.0).grid(8).function(lambda x: 0.0 * x)
    >>> try:
    ...     fg.gradient(fg.EmpiricalLoss([0.3], [1.0]), u, fg.L2())
    ... except fg.GradientDoesNotExist as error:
    ...     print(error.existence.threshold)
    0.5
    """

    def __init__(self, message, existence=None):
        super().__init__(message)
        self.existence = existence


class NotPositiveDefinite(FuncgradError, ArithmeticError):
    """A matrix or metric that must be positive definite is not.

    Examples
    --------
    >>> import funcgrad as fg
    >>> try:
    ...     fg.kernels.Gaussian(1.0).solver([0.0, 0.0])                       # one point twice
    ... except fg.NotPositiveDefinite as error:
    ...     print(str(error)[:15])
    the Gram matrix
    """


class ConvergenceError(FuncgradError, ArithmeticError):
    """A stated accuracy could not be reached; the message names the accuracy that was.

    Examples
    --------
    >>> import funcgrad as fg
    >>> model = fg.models.Symbolic("a*abs(x)", "x", "a")                # not smooth: no grid resolves it
    >>> loss = fg.EmpiricalLoss([0.5], [1.0])
    >>> try:
    ...     fg.natural_gradient(loss, model, [1.0], fg.L2(), fg.Interval(-1, 1))
    ... except fg.ConvergenceError as error:
    ...     print(type(error).__name__)
    ConvergenceError
    """


class DegenerateModelWarning(UserWarning):
    """The model is not an immersion at these parameters: its tangent functions are dependent.

    Examples
    --------
    >>> import warnings, funcgrad as fg
    >>> twice = fg.models.Symbolic("(a + b)*x", "x", "a b")
    >>> loss = fg.EmpiricalLoss([0.5], [1.0])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     step = fg.natural_gradient(loss, twice, [1.0, 0.0], fg.L2(), fg.Interval(0, 1))
    >>> step.rank, caught[0].category.__name__
    (1, 'DegenerateModelWarning')
    """


class ContradictoryEvidence(FuncgradError, ArithmeticError):
    """The analysis and the numerical evidence about a gradient's existence disagree.

    Neither is trusted then: one of them is wrong, and the message shows both.

    Examples
    --------
    >>> import funcgrad as fg
    >>> issubclass(fg.ContradictoryEvidence, fg.FuncgradError)
    True
    """
