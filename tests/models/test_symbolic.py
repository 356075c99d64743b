import pickle
import subprocess
import sys

import mpmath
import numpy as np
import pytest

from funcgrad.errors import InvalidInput
from funcgrad.models import Symbolic

EPS = np.finfo(float).eps
# Formulas of at most ten operations with arguments below 10: each operation loses at most a unit in
# the last place, an argument of sin or exp up to ten more; derivatives of order d <= 4 have up to 2^d
# such terms. The largest measured error is 26 EPS.
ROUNDING = 200 * EPS

# text, parameters, theta, the same formula written for numpy or mpmath (`m`)
MODELS = [
    ("a*sin(b*x) + c", "a b c", [1.2, 2.5, -0.3], lambda m, t, x: t[0] * m.sin(t[1] * x) + t[2]),
    ("b1*(1-exp(-b2*x))", "b1 b2", [238.9, 0.35], lambda m, t, x: t[0] * (1 - m.exp(-t[1] * x))),
    ("a/(1 + (x/s)**2)", "a s", [1.5, 0.7], lambda m, t, x: t[0] / (1 + (x / t[1]) ** 2)),
    ("log(a + x**2)*x**k", "a k", [0.5, 1.5], lambda m, t, x: m.log(t[0] + x**2) * x ** t[1]),
    ("sqrt(a*x)*tanh(b - x)", "a b", [2.0, 0.8], lambda m, t, x: m.sqrt(t[0] * x) * m.tanh(t[1] - x)),
]
POINTS = np.array([0.3, 0.9, 1.7])


@pytest.mark.parametrize(("text", "names", "theta", "formula"), MODELS)
def test_jacobian_agrees_with_the_complex_step(text, names, theta, formula):
    # f(θ + ih e_k) = f + ih ∂_k f + O(h²): no difference is formed, so h = 1e-100 leaves no error.
    model = Symbolic(text, x="x", parameters=names)
    step = 1e-100j * np.eye(len(theta))
    expected = np.transpose([formula(np, theta + e, POINTS).imag / 1e-100 for e in step])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(model.jacobian(theta, POINTS), expected, rtol=0, atol=ROUNDING * scale)
    np.testing.assert_allclose(model(theta, POINTS), formula(np, theta, POINTS), rtol=ROUNDING)


@pytest.mark.parametrize(("text", "names", "theta", "formula"), MODELS)
@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_derivatives_agree_with_mpmath_at_fifty_digits(text, names, theta, formula, order):
    model = Symbolic(text, x="x", parameters=names)
    with mpmath.workdps(50):
        for i, x in enumerate(POINTS):
            value = mpmath.diff(lambda u: formula(mpmath, theta, u), x, order)
            scale = max(1.0, abs(float(value)))
            assert abs(model.derivative(theta, POINTS, order)[i] - float(value)) <= ROUNDING * scale
            for k in range(len(theta)):

                def along(u, t, k=k):
                    shifted = [mpmath.mpf(entry) for entry in theta]
                    shifted[k] = t
                    return formula(mpmath, shifted, u)

                exact = float(mpmath.diff(along, (x, theta[k]), (order, 1)))
                computed = model.jacobian_derivative(theta, POINTS, order)[i, k]
                assert abs(computed - exact) <= ROUNDING * max(1.0, abs(exact))


def test_two_inputs_two_outputs_and_three_parameters():
    model = Symbolic(["a*x*y**2", "b*exp(x) + a - c*y"], x="x y", parameters=("a", "b", "c"))
    x, y = np.array([0.5, -1.0, 2.0, 0.0]), np.array([2.0, 3.0, -0.5, 1.0])
    points = np.column_stack([x, y])
    a, b, c = theta = [2.0, 3.0, -1.5]
    zero, one = np.zeros(4), np.ones(4)
    value = np.stack([a * x * y**2, b * np.exp(x) + a - c * y], axis=1)
    np.testing.assert_allclose(model(theta, points), value, rtol=8 * EPS)
    jacobian = np.array([[x * y**2, zero, zero], [one, np.exp(x), -y]]).transpose(2, 0, 1)
    np.testing.assert_allclose(model.jacobian(theta, points), jacobian, rtol=8 * EPS)
    mixed = np.stack([2 * a * y, zero], axis=1)
    np.testing.assert_allclose(model.derivative(theta, points, (1, 1)), mixed, rtol=8 * EPS)
    along_y = np.array([[2 * x * y, zero, zero], [zero, zero, -one]]).transpose(2, 0, 1)
    np.testing.assert_allclose(model.jacobian_derivative(theta, points, (0, 1)), along_y, rtol=8 * EPS)
    assert (model.dimension, model.n_outputs, model.n_parameters) == (2, 2, 3)


def test_constants_are_broadcast_and_an_absent_parameter_has_a_zero_column():
    model = Symbolic("2*a", x="x", parameters="a b")
    assert model([1.5, 7.0], [0.0, 1.0, 2.0]).tolist() == [3.0, 3.0, 3.0]
    assert model.jacobian([1.5, 7.0], [0.0, 1.0]).tolist() == [[2.0, 0.0], [2.0, 0.0]]
    assert model([1.5, 7.0], np.empty(0)).shape == (0,)


def test_names_may_be_those_of_the_generated_code():
    model = Symbolic("x0*sin(x1*x0) + cos(x1*x0)*numpy*array", x="x1", parameters="x0 numpy array")
    u = np.array([0.2, 0.4])
    expected = 2 * np.sin(2 * u) + np.cos(2 * u) * 3 * 5
    np.testing.assert_allclose(model([2.0, 3.0, 5.0], u), expected, rtol=8 * EPS)
    # The derivative of abs is written sign(...).
    kink = Symbolic("sign*abs(x)", x="x", parameters="sign")
    assert kink.derivative([3.0], [-1.0, 2.0], 1).tolist() == [-3.0, 3.0]


def test_a_jacobian_column_is_contiguous():
    # LAPACK takes such a matrix without a copy.
    jacobian = Symbolic("a*x + b", x="x", parameters="a b").jacobian([1.0, 2.0], POINTS)
    assert jacobian.flags.f_contiguous


def test_a_derivative_is_compiled_once():
    model = Symbolic("a*sin(x)", parameters="a")
    model.derivative([1.0], POINTS, 1)
    compiled = dict(model._compiled)
    model.derivative([2.0], POINTS, 1)
    assert model._compiled == compiled


@pytest.mark.parametrize("expression", ["a*sin(b*x)", ["a*x", "b*x"]])
def test_a_model_survives_pickling_and_its_repr(expression):
    model = Symbolic(expression, x="x", parameters="a b")
    value = model([1.0, 2.0], POINTS)
    assert (pickle.loads(pickle.dumps(model))([1.0, 2.0], POINTS) == value).all()
    assert (eval(repr(model))([1.0, 2.0], POINTS) == value).all()


def test_abs_has_one_derivative_and_no_second():
    model = Symbolic("abs(x - b)", parameters="b")
    assert model.derivative([1.0], [0.5, 2.0], 1).tolist() == [-1.0, 1.0]
    assert model.jacobian([1.0], [0.5, 2.0]).tolist() == [[1.0], [-1.0]]
    with pytest.raises(InvalidInput, match="abs has a kink"):
        model.jacobian_derivative([1.0], [0.5, 2.0], 1)
    logarithm = Symbolic("abs(log(b*x))", parameters="b")
    np.testing.assert_allclose(logarithm.jacobian([2.0], [0.25, 1.0]), [[-0.5], [0.5]], rtol=4 * EPS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a*x + c", "x", "a b"), "unknown name `c`"),
        (("rte*x", "x", "rate"), "did you mean 'rate'"),
        (("a*x", "x", "a x"), "in both `x` and `parameters`"),
        (("a*x", "x", "a a"), "given twice, in `parameters`"),
        (("a*x", "x x", "a"), "given twice, in `x`"),
        (("a*x", "", "a"), "at least one coordinate"),
        (("a*x", "x", "a exp"), "it is a function"),
        (("a*x", 3, "a"), "`x` must be names"),
        (([], "x", "a"), "a formula or a list"),
        ((None, "x", "a"), "a formula or a list"),
        (([2], "x", "a"), "must be text"),
    ],
)
def test_bad_definitions_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Symbolic(*arguments)


@pytest.mark.parametrize(
    ("theta", "x", "alpha", "message"),
    [
        ([1.0], [1.0], 0, r"`theta` must have 2 entries \(a, b\); got 1"),
        ([1.0, np.nan], [1.0], 0, "`theta` must be finite"),
        ([1.0, 2.0], [np.inf], 0, "`x` must be finite"),
        ([1.0, 2.0], np.ones((3, 2)), 0, "`x` must be points"),
        ([1.0, 2.0], [1.0], -1, "`alpha` must be at least 0"),
        ([1.0, 2.0], [1.0], (1, 0), "`alpha` must have 1 entries"),
        ([1.0, 2.0], [1.0], 0.5, "`alpha` must be a whole number"),
        ([1.0, 2.0], [1.0, 0.0, -2.0], 0, r"value is -inf at x = \[0.0\], `theta` = \[1. 2.\]"),
        ([1.0, 2.0], [-2.0], 0, r"value is nan at x = \[-2.0\]"),
        ([1.0, 2.0], [0.0], 1, r"value \(derivative \(1,\)\) is inf at x = \[0.0\]"),
    ],
)
def test_bad_arguments_are_refused(theta, x, alpha, message):
    model = Symbolic("a*log(x) + b", parameters="a b")
    with pytest.raises(InvalidInput, match=message):
        model.derivative(theta, x, alpha)


def test_importing_the_models_does_not_import_sympy():
    code = (
        "import sys, funcgrad.models, funcgrad.models.linear, funcgrad.models.polynomial, funcgrad.data\n"
        "sys.exit(bool({'sympy', 'numba', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
