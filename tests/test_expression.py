import ast
import builtins
import inspect
import re
import time

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad import expression
from funcgrad.errors import InvalidInput
from funcgrad.expression import parse_assignments, parse_expression
from funcgrad.models import Symbolic

EPS = np.finfo(float).eps
x, y, a = (sympy.Symbol(name, real=True) for name in "xya")

MEANINGS = [
    ("a*sin(x) + y", a * sympy.sin(x) + y),
    ("-x**2", -(x**2)),
    ("2**-x", 2**-x),
    ("x**y**2", x ** (y**2)),
    ("x - y - a", x - y - a),
    ("x / y / a", x / (y * a)),
    ("x/2", x / 2),
    ("1/3*x", x / 3),
    ("x**0.5", sympy.sqrt(x)),
    ("x**2.0", x**2),
    ("+-+x", -x),
    ("2*pi*x", 2 * sympy.pi * x),
    ("sin(pi)*x + cos(0)", sympy.Integer(1)),
    ("arctan(x) - atan(x)", sympy.Integer(0)),
    ("abs(x)", sympy.Abs(x)),
    ("  erf( x )  ", sympy.erf(x)),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS)
def test_a_formula_means_what_python_and_mathematics_say(text, meaning):
    assert parse_expression(text, ["x", "y", "a"]) == meaning


@pytest.mark.parametrize("name", sorted(expression.FUNCTIONS))
def test_every_function_agrees_with_its_float_counterpart(name):
    # 0.375 lies in the domain of each. Both are correct to a few units in the last place.
    numeric = expression.FUNCTIONS[name][1]
    assert float(parse_expression(f"{name}(0.375)")) == numeric(0.375)
    model = Symbolic(f"{name}(x)", x="x")
    np.testing.assert_allclose(model((), [0.375]), numeric(0.375), rtol=4 * EPS)


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_decimal_number_keeps_all_its_bits_when_compiled(number):
    assert Symbolic(f"{number!r}*x", x="x")((), [1.0])[0] == number


def test_names_are_collected_when_none_are_given():
    assert parse_expression("b*exp(c*t) + pi").free_symbols == {
        sympy.Symbol(name, real=True) for name in ("b", "c", "t")
    }


HOSTILE = [
    # code
    ("__import__('os').system('true')", "APOSTROPHE"),
    ("__import__", "a letter first"),
    ("x.__class__", "not allowed"),
    ("(1).real", "not allowed"),
    ("lambda: 1", "COLON"),
    ("lambda", "not a formula"),
    ("[x for x in y]", "SQUARE BRACKET"),
    ("sin(x for x in y)", "not allowed"),
    ("exec(x)", "unknown function `exec`"),
    ("f'{x}'", "APOSTROPHE"),
    ("'x'", "APOSTROPHE"),
    ('"x"', "QUOTATION MARK"),
    ("sin(x=1)", "EQUALS SIGN"),
    ("sin(**x)", "one argument"),
    ("sin(*x)", "not allowed"),
    ("(x:=1)", "COLON"),
    ("x if y else z", "not allowed"),
    ("x and y", "not allowed"),
    ("not x", "not allowed"),
    ("await x", "not allowed"),
    ("x; y", "SEMICOLON"),
    ("x, y", "not allowed"),
    ("()", "not allowed"),
    ("...", "not a real decimal number"),
    ("x # y", "NUMBER SIGN"),
    ("x @ y", "COMMERCIAL AT"),
    ("x // y", "not allowed"),
    ("x % y", "PERCENT SIGN"),
    ("x == y", "EQUALS SIGN"),
    ("x \\\n+ y", "REVERSE SOLIDUS"),
    ("x\ny", "control character"),
    ("x\x00", "control character"),
    ("\ud800", "control character"),
    # look-alikes: Cyrillic s, full-width s (which NFKC folds into s), a superscript two
    ("ѕin(x)", "CYRILLIC"),
    ("ｓin(x)", "FULLWIDTH"),
    ("x²", "SUPERSCRIPT TWO"),
    # size
    ("", "empty"),
    ("   ", "empty"),
    ("x" * 100_000, "characters"),
    ("x+" * 50_000 + "x", "characters"),
    ("(" * 500 + "x" + ")" * 500, "nested brackets"),
    ("sin(" * 60 + "x" + ")" * 60, "nested brackets"),
    ("abs(log(" * 9 + "x" + "))" * 9, "function calls"),
    ("-" * 1500 + "x", "signs in a row"),
    ("- " * 900 + "x", "signs in a row"),
    ("**".join("x" * 600), "levels deep"),
    ("**-".join("x" * 500), "levels deep"),
    ("a" * 1500, "characters"),
    # numbers
    ("9**9**9**9", "no finite real value"),
    ("((9**100)**100)**100", "no finite real value"),
    ("9" * 1500, "no finite real value"),
    ("1e400", "no finite real value"),
    ("1e200*x*1e200", "no finite real value"),
    ("x**1e9", "exponent beyond"),
    ("x**-100000", "exponent beyond"),
    ("(2*x)**(10000000*y/y)", "exponent beyond"),
    ("(((2*x)**1000)**1000)**1000", "no finite real value"),
    ("exp(1000000000*log(2*x))", "exponent beyond"),
    ("x**(1000000000*log(2*y)/log(x))", "exponent beyond"),
    ("exp(exp(exp(exp(10))))", "no finite real value"),
    ("1/0", "no finite real value"),
    ("x/0", "no finite real value"),
    ("x/(y - y)", "no finite real value"),
    ("0**-1", "no finite real value"),
    ("tan(pi/2)", "no finite real value"),
    ("log(0)", "no finite real value"),
    ("sqrt(-1)", "no finite real value"),
    ("sqrt(-x**2)", "no finite real value"),
    ("(-8)**(1/3)", "no finite real value"),
    ("asin(2 + x - x)", "no finite real value"),
    ("1j", "not a real decimal number"),
    ("0x10", "not a real decimal number"),
    ("1_000", "not a real decimal number"),
    ("True", "not a real decimal number"),
    # slips
    ("x^2", "write ** for powers"),
    ("2x", "write * for products"),
    ("2 x", "write * for products"),
    ("2(x)", "write * for products"),
    ("(x", "bracket without its partner at position 1"),
    ("sin((x)", "bracket without its partner at position 4"),
    (")x(", "bracket without its partner at position 1"),
    ("x)/(1 + (x)**2", "bracket without its partner at position 2"),
    ("x +", "not a formula"),
    ("sin", "`sin` is a function; write sin"),
    ("2*exp*x", "`exp` is a function"),
    ("pi(2)", "`pi` is not a function"),
    ("sin(x, y)", "one argument"),
    ("sin()", "one argument"),
    ("sen(x)", "did you mean 'sin'"),
]


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=[ascii(text)[:30] for text, _ in HOSTILE])
def test_hostile_text_is_refused_promptly_in_one_line(text, message):
    start = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        parse_expression(text)
    assert time.process_time() - start < 1
    assert message in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@given(st.text(alphabet="xy12.0e+-*/()  ^,_'[:=\n\x00é", max_size=40) | st.text(max_size=20))
@settings(deadline=None)
def test_any_text_is_a_formula_or_is_refused_in_one_line(text):
    try:
        result = parse_expression(text)
    except InvalidInput as error:
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert isinstance(result, sympy.Expr)


def _nested(times):
    """Return x/(1 + x²) composed with itself: its text starts and ends with different brackets."""
    text = "x"
    for _ in range(times):
        text = f"({text})/(1 + ({text})**2)"
    return text


def test_a_nested_formula_is_read_or_told_how_deep_it_may_be():
    value = 0.7
    for _ in range(4):
        value = value / (1 + value**2)
    assert Symbolic(_nested(4), x="x")((), [0.7])[0] == pytest.approx(value, rel=16 * EPS)
    assert parse_expression("(" * 20 + "x" + ")" * 20) == x
    for text, message in {
        "(" * 21 + "x" + ")" * 21: "at most 20 nested brackets",
        _nested(8): "at most 2000 characters",
        _nested(4)[1:-1]: "bracket without its partner at position",
    }.items():
        with pytest.raises(InvalidInput, match=message):
            parse_expression(text)


def test_an_unknown_name_is_refused_with_a_near_match():
    with pytest.raises(InvalidInput, match="unknown name `rates` in `expression`; did you mean 'rate'"):
        parse_expression("rates*x", ["rate", "x"])
    with pytest.raises(InvalidInput, match=r"`x` is not a function; write x\*\(...\)"):
        parse_expression("x(2)", ["x"])


@pytest.mark.parametrize(
    "name", ["sin", "pi", "lambda", "_a", "__class__", "2a", "", "α", "a b", None, "a" * 200]
)
def test_a_name_that_cannot_be_a_symbol_is_refused(name):
    with pytest.raises(InvalidInput, match="name"):
        parse_expression("1", [name])


def test_parsing_calls_no_evaluator(monkeypatch):
    text, calls = "a*x + 2.5*y**2", []
    parse_expression(text)  # imports what sympy imports late
    with monkeypatch.context() as patch:
        for module, evaluator in ((builtins, "eval"), (builtins, "exec"), (sympy, "sympify")):
            patch.setattr(module, evaluator, lambda *given, **options: calls.append(given))
        parsed = parse_expression(text)
    assert parsed == a * x + sympy.Float(2.5, 17) * y**2
    assert calls == []


def test_the_source_names_no_evaluator():
    names = {
        node.id for node in ast.walk(ast.parse(inspect.getsource(expression))) if isinstance(node, ast.Name)
    }
    assert not names & {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify"}


# A drawn formula is a pair: its text, and a plain float evaluation that returns the value with a
# running bound of its rounding error (Higham, Accuracy and Stability, section 3.3).
def _binary(operator):
    def combine(left, right):
        def evaluate(point):
            (u, du), (v, dv) = left[1](point), right[1](point)
            if operator == "+":
                return u + v, du + dv + EPS * (abs(u) + abs(v))
            if operator == "-":
                return u - v, du + dv + EPS * (abs(u) + abs(v))
            return u * v, abs(u) * dv + abs(v) * du + EPS * abs(u * v)

        return f"({left[0]} {operator} {right[0]})", evaluate

    return combine


def _unary(name, function, slope):
    def wrap(inner):
        def evaluate(point):
            u, du = inner[1](point)
            return function(u), slope(u) * du + 2 * EPS * (abs(function(u)) + slope(u) * abs(u))

        return f"{name}({inner[0]})", evaluate

    return wrap


def _square_bounded(inner):
    def evaluate(point):
        u, du = inner[1](point)
        value = u / (1 + u**2)
        return value, du + 4 * EPS * abs(value)

    return f"({inner[0]})/(1 + ({inner[0]})**2)", evaluate


_WRAPPERS = [
    _unary("sin", np.sin, lambda u: 1.0),
    _unary("cos", np.cos, lambda u: 1.0),
    _unary("tanh", np.tanh, lambda u: 1.0),
    _unary("arctan", np.arctan, lambda u: 1.0),
    _unary("abs", np.abs, lambda u: 1.0),
    _unary("-", np.negative, lambda u: 1.0),
    _square_bounded,
]
_LEAVES = st.sampled_from(
    [(name, lambda point, i=i: (point[i], 0.0)) for i, name in enumerate("xy")]
) | st.integers(1, 40).map(lambda k: (repr(k / 8), lambda point: (k / 8, 0.0)))
formulas = st.recursive(
    _LEAVES,
    lambda inner: (
        st.builds(
            lambda combine, u, v: combine(u, v), st.sampled_from([_binary(o) for o in "+-*"]), inner, inner
        )
        | st.builds(lambda wrap, u: wrap(u), st.sampled_from(_WRAPPERS), inner)
    ),
    max_leaves=6,
)


@given(formulas, st.tuples(st.floats(-2, 2), st.floats(-2, 2)))
@settings(deadline=None, max_examples=80)
def test_a_compiled_formula_agrees_with_its_naive_evaluation(formula, point):
    text, evaluate = formula
    try:
        model = Symbolic(text, x="x y")
    except InvalidInput as error:
        # Drawn deeper or longer than formulas may be; its brackets have partners always.
        assert re.search("nested brackets|function calls|characters|levels deep", str(error))  # noqa: PT017
        return
    value, bound = evaluate(point)
    # Either evaluation is within the bound of the true value; sympy's reordering of sums and products
    # may cost as much again.
    assert abs(model((), [point])[0] - value) <= 4 * bound + 4 * EPS * abs(value)


def test_assignments_are_read_in_order():
    assert parse_assignments(" b1 = 238.9,b2=5.5e-4, c=-.5, d=+2. ") == {
        "b1": 238.9,
        "b2": 5.5e-4,
        "c": -0.5,
        "d": 2.0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "name=number"),
        ("a", "name=number"),
        ("a=1,", "name=number"),
        ("a=1 b=2", "must be a number; got '1 b=2'"),
        ("a=", "must be a number; got ''"),
        ("a=x", "must be a number; got 'x'"),
        ("a=nan", "must be a number"),
        ("a=inf", "must be a number"),
        ("a=1e999", "must be finite"),
        ("a=1_0", "must be a number"),
        ("a=１", "must be a number"),
        ("a=1\n2", "must be a number"),
        ("a=1, a=2", "`a` is given twice"),
        ("sin=1", "it is a function"),
        ("2a=1", "a letter first"),
        (3, "must be text"),
    ],
)
def test_bad_assignments_are_refused_in_one_line(text, message):
    with pytest.raises(InvalidInput) as caught:
        parse_assignments(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
