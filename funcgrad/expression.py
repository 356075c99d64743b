"""Formulas typed by a user, read as data: a whitelist of syntax, turned into sympy objects by hand.

The text never reaches `eval`, `exec` or sympy's own parsers. It passes four gates: its characters,
its nesting, Python's grammar (`ast.parse` builds a tree and runs nothing), and a walk over that tree
which knows numbers, names, arithmetic and the functions of `FUNCTIONS`. Numbers are folded in float64
as they are met, so that no power tower is ever computed exactly.
"""

import ast
import keyword
import math
import re
import unicodedata
import warnings

import sympy

from funcgrad._checks import near_match
from funcgrad.errors import InvalidInput

MAX_LENGTH = 2000
MAX_BRACKETS = 20
MAX_DEPTH = 50
# Functions of functions: sympy's questions about signs grow exponentially with this depth.
MAX_CALLS = 6
MAX_EXPONENT = 1000
_EXACT_EXPONENT = 64
_EXACT_INTEGER = 2**53
# Enough decimal digits for sympy's printers to write a float64 so that reading it gives it back.
_FLOAT_DIGITS = 17


def _absolute(u):
    """|u|; where sympy cannot see that u is real, its derivative of Abs is no use, that of sqrt(u²) is."""
    return sympy.Abs(u) if u.is_extended_real else sympy.sqrt(u**2)


# name -> (on sympy expressions, on floats)
FUNCTIONS = {
    "sin": (sympy.sin, math.sin),
    "cos": (sympy.cos, math.cos),
    "tan": (sympy.tan, math.tan),
    "arcsin": (sympy.asin, math.asin),
    "arccos": (sympy.acos, math.acos),
    "arctan": (sympy.atan, math.atan),
    "asin": (sympy.asin, math.asin),
    "acos": (sympy.acos, math.acos),
    "atan": (sympy.atan, math.atan),
    "sinh": (sympy.sinh, math.sinh),
    "cosh": (sympy.cosh, math.cosh),
    "tanh": (sympy.tanh, math.tanh),
    "arcsinh": (sympy.asinh, math.asinh),
    "arctanh": (sympy.atanh, math.atanh),
    "asinh": (sympy.asinh, math.asinh),
    "atanh": (sympy.atanh, math.atanh),
    "exp": (sympy.exp, math.exp),
    "log": (sympy.log, math.log),
    "sqrt": (sympy.sqrt, math.sqrt),
    "abs": (_absolute, math.fabs),
    "erf": (sympy.erf, math.erf),
    "erfc": (sympy.erfc, math.erfc),
}
CONSTANTS = {"pi": sympy.pi}

_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_SIGNS = {ast.UAdd: lambda a: a, ast.USub: lambda a: -a}
_ALLOWED = "only numbers, names, + - * / **, brackets and calls of known functions are"


def parse_expression(text, names=None):
    """Turn a formula into a sympy expression without running any of it.

    Parameters
    ----------
    text : str
        The formula, such as ``"b1*(1 - exp(-b2*x))"``: numbers, names, ``+ - * / **``, brackets, ``pi``
        and the functions of one argument in `FUNCTIONS`.
    names : sequence of str or None
        The symbols it may use; None to take every name that is not a function or a constant.

    Returns
    -------
    sympy.Expr
        Its symbols are real (``Symbol(name, real=True)``); its decimal numbers are float64 values.

    Raises
    ------
    InvalidInput
        If the text is anything else than such a formula, is longer or nested deeper than any formula
        typed by hand, holds a number outside the range of float64, or has no finite real value.

    Examples
    --------
    >>> from funcgrad.expression import parse_expression
    >>> parse_expression("b1*(1 - exp(-b2*x))", ["b1", "b2", "x"])
    b1*(1 - exp(-b2*x))
    >>> parse_expression("sen(x)")
    Traceback (most recent call last):
    ...
    funcgrad.errors.InvalidInput: unknown function `sen` in `expression`; did you mean 'sin'?
    """
    if not isinstance(text, str):
        raise InvalidInput(f"`expression` must be text; got {type(text).__name__}.")
    if names is not None:
        names = tuple(check_symbol_name(name) for name in names)
    text = text.strip(" ")
    _check_characters(text)
    _check_nesting(text)
    try:
        return _Builder(text, names).build(_syntax_tree(text), 0)
    except (RecursionError, MemoryError) as error:
        raise InvalidInput(f"`expression` {excerpt(text)} is nested too deeply.") from error


def parse_assignments(text):
    """Turn ``"b1=238.9, b2=5.5e-4"`` into a dictionary of floats, in the order written.

    Raises
    ------
    InvalidInput
        If a part is not ``name=number``, a number is not finite, or a name is given twice.

    Examples
    --------
    >>> from funcgrad.expression import parse_assignments
    >>> parse_assignments("b1=238.9, b2=5.5e-4")
    {'b1': 238.9, 'b2': 0.00055}
    """
    if not isinstance(text, str):
        raise InvalidInput(f"`parameters` must be text such as 'a=1, b=2.5'; got {type(text).__name__}.")
    values = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise InvalidInput(f"`parameters` must read 'name=number, ...'; got {excerpt(part)}.")
        check_symbol_name(name)
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", number, re.ASCII):
            raise InvalidInput(f"parameter `{name}` must be a number; got {excerpt(number)}.")
        if name in values:
            raise InvalidInput(f"parameter `{name}` is given twice.")
        values[name] = float(number)
        if math.isinf(values[name]):
            raise InvalidInput(f"parameter `{name}` must be finite; got {excerpt(number)}.")
    return values


def check_symbol_name(name):
    """Return `name` if it can name an input or a parameter; otherwise raise and say why not."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        shown = excerpt(name) if isinstance(name, str) else repr(name)
        raise InvalidInput(f"a name must be ASCII letters, digits and _, a letter first; got {shown}.")
    if len(name) > 100:
        raise InvalidInput(f"a name must have at most 100 characters; got {len(name)}: {excerpt(name)}.")
    if name in FUNCTIONS or name in CONSTANTS or keyword.iskeyword(name):
        kind = "function" if name in FUNCTIONS else "constant" if name in CONSTANTS else "word of Python"
        raise InvalidInput(f"`{name}` cannot be used as a name: it is a {kind}; choose another.")
    return name


def excerpt(text, length=40):
    """Return `text` for use in a message: quoted, on one line, cut to `length` characters."""
    return repr(text if len(text) <= length else text[:length] + "...")


def _check_characters(text):
    if not text:
        raise InvalidInput("`expression` is empty.")
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"`expression` must have at most {MAX_LENGTH} characters; got {len(text)}.")
    # ASCII only: Python would fold look-alike letters into one name, readers would not.
    wrong = re.search(r"[^A-Za-z0-9_.+\-*/(), ]", text)
    if wrong and wrong[0] == "^":
        raise InvalidInput(f"`expression` has ^ at position {wrong.start() + 1}; write ** for powers.")
    if wrong:
        name = unicodedata.name(wrong[0], "a control character")
        shown = ascii(wrong[0])
        raise InvalidInput(
            f"`expression` has {shown} ({name}) at position {wrong.start() + 1}; {_ALLOWED} allowed."
        )


def _check_nesting(text):
    opened = []
    for position, character in enumerate(text, start=1):
        if character == "(":
            opened.append(position)
        if len(opened) > MAX_BRACKETS:
            raise InvalidInput(f"`expression` must have at most {MAX_BRACKETS} nested brackets; it has more.")
        if character == ")" and not opened:
            raise _unpartnered(text, position)
        if character == ")":
            opened.pop()
    if opened:
        raise _unpartnered(text, opened[-1])
    if re.search(rf"([-+] *){{{MAX_BRACKETS}}}", text):
        raise InvalidInput(f"`expression` has {MAX_BRACKETS} or more signs in a row.")


def _unpartnered(text, position):
    return InvalidInput(
        f"`expression` {excerpt(text)} has a bracket without its partner at position {position}."
    )


def _syntax_tree(text):
    try:
        with warnings.catch_warnings():
            # Python warns of doubtful syntax such as "1if"; here that is an error like any other.
            warnings.simplefilter("error")
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = f" near position {error.offset}" if error.offset else ""
        hint = (
            "; write * for products" if re.search(r"[0-9.)] *[A-Za-z(]|[A-Za-z_] +[A-Za-z0-9_]", text) else ""
        )
        raise InvalidInput(f"`expression` {excerpt(text)} is not a formula{place}{hint}.") from error


class _Builder:
    """One walk over a syntax tree; keeps the text for messages."""

    def __init__(self, text, names):
        self.text = text
        self.names = names
        self.calls = 0

    def segment(self, node):
        return self.text[node.col_offset : node.end_col_offset]

    def fail(self, node, why):
        raise InvalidInput(f"`expression`: {excerpt(self.segment(node))} {why}.")

    def build(self, node, depth):
        """Return the sympy expression of `node`, checked."""
        if depth > MAX_DEPTH:
            raise InvalidInput(f"`expression` must be at most {MAX_DEPTH} levels deep; it is deeper.")
        kind = {ast.Constant: "number", ast.Name: "name", ast.UnaryOp: "sign", ast.Call: "call"}.get(
            type(node)
        )
        if isinstance(node, ast.BinOp):
            result = self.chain(node, depth)
        elif kind:
            result = getattr(self, kind)(node, depth)
        else:
            self.fail(node, f"is not allowed in a formula; {_ALLOWED}")
        if not _in_range(result):
            self.fail(node, "has no finite real value in float64")
        return result

    def number(self, node, depth):
        if not re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", self.segment(node)):
            self.fail(node, "is not a real decimal number")
        exact = (lambda: sympy.Integer(node.value)) if isinstance(node.value, int) else None
        return self.folded(node, lambda: float(node.value), exact)

    def name(self, node, depth):
        name = node.id
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise InvalidInput(f"`expression`: `{name}` is a function; write {name}(...).")
        if self.names is None:
            return sympy.Symbol(check_symbol_name(name), real=True)
        if name not in self.names:
            known = [*self.names, *CONSTANTS]
            raise InvalidInput(f"unknown name `{name[:40]}` in `expression`{_ended(near_match(name, known))}")
        return sympy.Symbol(name, real=True)

    def sign(self, node, depth):
        if type(node.op) not in _SIGNS:
            self.fail(node, f"is not allowed in a formula; {_ALLOWED}")
        return _SIGNS[type(node.op)](self.build(node.operand, depth + 1))

    def chain(self, node, depth):
        # a + b + c + ... nests to the left; unrolled, so that a long sum is not a deep one.
        links = []
        while isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow):
            links.append(node)
            node = node.left
        if isinstance(node, ast.BinOp):
            result = self.power(node, depth)
        else:
            result = self.build(node, depth + 1)
        for link in reversed(links):
            if type(link.op) not in _OPERATORS:
                self.fail(link, f"is not allowed in a formula; {_ALLOWED}")
            result = self.operate(link, result, self.build(link.right, depth + 1))
        return result

    def power(self, node, depth):
        base = self.build(node.left, depth + 1)
        exponent = _exact_half(self.build(node.right, depth + 1))
        # sympy multiplies powers out, (2*x)**n = 2**n x**n and exp(n*log(2*x)) alike, so n is bounded.
        if not (base.is_number and exponent.is_number) and not _is_modest(exponent):
            self.fail(node, f"has an exponent beyond {MAX_EXPONENT}")
        return self.operate(node, base, exponent)

    def operate(self, node, left, right):
        function = _OPERATORS[type(node.op)]
        if not (left.is_number and right.is_number):
            return function(left, right)
        cheap = not isinstance(node.op, ast.Pow) or (right.is_Integer and abs(right) <= _EXACT_EXPONENT)
        exact = (lambda: function(left, right)) if cheap and _is_simple(left) and _is_simple(right) else None
        return self.folded(node, lambda: function(float(left), float(right)), exact)

    def call(self, node, depth):
        if not isinstance(node.func, ast.Name):
            self.fail(node, "is not a call of a known function; write * for products")
        name = node.func.id
        if name not in FUNCTIONS:
            if name in CONSTANTS or (self.names is not None and name in self.names):
                raise InvalidInput(
                    f"`expression`: `{name}` is not a function; write {name}*(...) for a product."
                )
            raise InvalidInput(
                f"unknown function `{name[:40]}` in `expression`{_ended(near_match(name, FUNCTIONS))}"
            )
        if node.keywords or len(node.args) != 1:
            self.fail(node, "must have one argument between its brackets")
        symbolic, numeric = FUNCTIONS[name]
        self.calls += 1
        if self.calls > MAX_CALLS:
            self.fail(node, f"is inside {MAX_CALLS} function calls, the most that are allowed")
        argument = self.build(node.args[0], depth + 1)
        self.calls -= 1
        if argument.is_number:
            exact = (lambda: symbolic(argument)) if _is_simple(argument) and abs(argument) < 2**20 else None
            return self.folded(node, lambda: numeric(float(argument)), exact)
        if name == "exp" and not _is_modest(argument):
            self.fail(node, f"has an exponent beyond {MAX_EXPONENT}")
        return symbolic(argument)

    def folded(self, node, value, exact):
        """Return a number: exact if that is a simple one, else its float64 value."""
        try:
            result = value()
            if isinstance(result, complex) or not math.isfinite(result):
                raise ValueError
        except (ArithmeticError, TypeError, ValueError):  # TypeError: sympy has a complex number
            self.fail(node, "has no finite real value in float64")
        if exact is not None:
            closed = exact()
            if closed.is_infinite:
                self.fail(node, "has no finite real value in float64")
            if _is_simple(closed):
                return closed
        return sympy.Float(float(result), _FLOAT_DIGITS)


def _ended(sentence):
    return sentence if sentence.endswith(("?", ".")) else sentence + "."


def _is_simple(number):
    """Whether a number is a short fraction, or one times π: the numbers kept exact."""
    factor, rest = number.as_coeff_Mul()
    return rest in (1, sympy.pi) and factor.is_Rational and max(abs(factor.p), factor.q) < _EXACT_INTEGER


def _exact_half(exponent):
    """Return a decimal whole or half exponent as a fraction: x**0.5 is sqrt(x), x**2.0 is x**2."""
    if exponent.is_Float and float(2 * exponent).is_integer():
        return sympy.Rational(int(2 * exponent), 2)
    return exponent


def _is_modest(exponent):
    """Whether no constant in `exponent` is large enough for sympy to blow up a power by it."""
    if not (exponent.is_number or exponent.has(sympy.log)):
        return True
    return all(abs(number) <= MAX_EXPONENT for number in exponent.atoms(sympy.Number))


def _in_range(expression):
    """Whether every constant in an expression is a finite real float64."""
    for atom in expression.atoms():
        if not atom.is_Symbol:
            try:
                if not math.isfinite(float(atom)):
                    return False
            except (TypeError, OverflowError):
                return False
    return True
