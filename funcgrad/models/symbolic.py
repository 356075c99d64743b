"""Models given as formulas, differentiated exactly by sympy and compiled to numpy."""

import numpy as np
import sympy

from funcgrad.errors import InvalidInput
from funcgrad.expression import check_symbol_name, parse_expression
from funcgrad.models.base import Model


class Symbolic(Model):
    """A model written as a formula, with exact Jacobian and spatial derivatives of every order.

    Each derivative is formed and compiled when it is first asked for. The formula is data: it cannot
    run code (see `funcgrad.expression`).

    Parameters
    ----------
    expression : str or sequence of str
        The formula, or one for each output. Numbers, ``+ - * / **``, brackets, ``pi`` and functions
        such as ``sin``, ``exp``, ``log``, ``sqrt``, ``abs``, ``erf``.
    x : str or sequence of str
        The names of the n coordinates: ``"x y"``, ``"x, y"`` or ``("x", "y")``.
    parameters : str or sequence of str
        The names of the p parameters, in the order of θ. One that does not occur in the formula is
        allowed; the model is then degenerate.

    Raises
    ------
    InvalidInput
        If the formula is not one, uses a name that is neither coordinate nor parameter, or a name is
        given twice.

    Examples
    --------
    >>> from funcgrad.models import Symbolic
    >>> wave = Symbolic("a*sin(b*x)", x="x", parameters="a b")
    >>> wave([2.0, 1.0], [0.0, 0.5])
    array([0.        , 0.95885108])
    >>> wave.jacobian([2.0, 1.0], [0.0, 0.5])
    array([[0.        , 0.        ],
           [0.47942554, 0.87758256]])
    >>> wave.derivative([2.0, 1.0], [0.0, 0.5], 2)
    array([-0.        , -0.95885108])
    """

    def __init__(self, expression, x="x", parameters=""):
        self.inputs = _name_list(x, "x")
        names = _name_list(parameters, "parameters")
        if not self.inputs:
            raise InvalidInput("`x` must name at least one coordinate; got none.")
        _refuse_duplicates(self.inputs, names)
        formulas = (expression,) if isinstance(expression, str) else expression
        if not isinstance(formulas, (tuple, list)) or not formulas:
            raise InvalidInput(f"`expression` must be a formula or a list of formulas; got {expression!r}.")
        self.expression = expression if isinstance(expression, str) else tuple(expression)
        super().__init__(len(self.inputs), names, len(formulas))
        self._formulas = [parse_expression(formula, (*self.inputs, *names)) for formula in formulas]
        self._compiled = {}

    def __repr__(self):
        inputs, parameters = " ".join(self.inputs), " ".join(self.parameter_names)
        return f"Symbolic({self.expression!r}, x={inputs!r}, parameters={parameters!r})"

    def __reduce__(self):
        # Compiled functions cannot be pickled: a copy starts from the text.
        return Symbolic, (self.expression, self.inputs, self.parameter_names)

    def _value(self, theta, x, alpha):
        values = self._evaluate(alpha, False, theta, x)
        return values[:, 0] if self.n_outputs == 1 else values

    def _jacobian(self, theta, x, alpha):
        values = self._evaluate(alpha, True, theta, x)
        if self.n_outputs == 1:
            return values
        return np.moveaxis(values.T.reshape(self.n_outputs, self.n_parameters, len(x)), -1, 0)

    def _evaluate(self, alpha, in_parameters, theta, x):
        """Return one column for each compiled formula, (N, count), columns contiguous."""
        key = (alpha, in_parameters)
        if key not in self._compiled:
            self._compiled[key] = _compiled_function(
                self._differentiated(alpha, in_parameters), (*self.parameter_names, *self.inputs)
            )
        try:
            columns = self._compiled[key](*theta, *np.ascontiguousarray(x.T))
        except OverflowError as error:
            raise InvalidInput(f"{self!r}, derivative {alpha}, has a constant beyond float64.") from error
        rows = np.empty((len(columns), len(x)))
        for row, column in zip(rows, columns, strict=True):
            row[:] = column
        return rows.T

    def _differentiated(self, alpha, in_parameters):
        formulas = self._formulas
        if in_parameters:
            parameters = [_symbol(name) for name in self.parameter_names]
            formulas = [formula.diff(parameter) for formula in formulas for parameter in parameters]
        for name, order in zip(self.inputs, alpha, strict=True):
            formulas = [formula.diff(_symbol(name), order) if order else formula for formula in formulas]
        for formula in formulas:
            if formula.has(sympy.DiracDelta, sympy.Derivative, sympy.Subs, sympy.I):
                of = " of the Jacobian" if in_parameters else ""
                raise InvalidInput(
                    f"the derivative {alpha}{of} of {self!r} is not a real function (abs has a kink, so it "
                    "can be differentiated once, in x or in a parameter); use a smooth formula."
                )
        return formulas


def _symbol(name):
    return sympy.Symbol(name, real=True)


def _compiled_function(formulas, names):
    # dummify: no name of the user's appears in the generated code. cse: common parts computed once.
    return sympy.lambdify(
        [_symbol(name) for name in names], formulas, modules=["scipy", "numpy"], cse=True, dummify=True
    )


def _name_list(names, argument):
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    try:
        return tuple(check_symbol_name(name) for name in names)
    except TypeError as error:
        raise InvalidInput(f"`{argument}` must be names such as 'a b c'; got {names!r}.") from error


def _refuse_duplicates(inputs, parameters):
    everything = [*inputs, *parameters]
    for name in everything:
        if everything.count(name) > 1:
            both = name in inputs and name in parameters
            place = "both `x` and `parameters`" if both else "`x`" if name in inputs else "`parameters`"
            raise InvalidInput(f"the name {name!r} must stand once; it is given twice, in {place}.")
