"""The errors and warnings that funcgrad raises.

All derive from `FuncgradError`; those that report a bad argument are also `ValueError`, those that
report a computation that cannot succeed are also `ArithmeticError`. A message says what was given,
what was expected and what to do.
"""


class FuncgradError(Exception):
    """Base of every error that funcgrad raises on purpose."""


class InvalidInput(FuncgradError, ValueError):
    """An argument has the wrong shape, kind or value."""


class DomainMismatch(FuncgradError, ValueError):
    """Two objects live on different grids or domains, or a point lies outside its domain."""


class GradientDoesNotExist(FuncgradError, ArithmeticError):
    """The differential is unbounded in the metric, so it has no Riesz representer.

    Attributes
    ----------
    existence : funcgrad.Existence or None
        The verdict with its threshold, reason and numerical evidence.
    """

    def __init__(self, message, existence=None):
        super().__init__(message)
        self.existence = existence


class NotPositiveDefinite(FuncgradError, ArithmeticError):
    """A matrix or metric that must be positive definite is not."""


class ConvergenceError(FuncgradError, ArithmeticError):
    """A stated accuracy could not be reached; the message names the accuracy that was."""


class DegenerateModelWarning(UserWarning):
    """The model is not an immersion at these parameters: its tangent functions are dependent."""


class ContradictoryEvidence(FuncgradError, ArithmeticError):
    """The analysis and the numerical evidence about a gradient's existence disagree.

    Neither is trusted then: one of them is wrong, and the message shows both.
    """
