import numpy as np
import pytest
from model_oracles import EPS, assert_products_agree, assert_same_derivatives

from funcgrad.errors import InvalidInput
from funcgrad.models import MLP, Polynomial, Symbolic, compose, stack
from funcgrad.models.chain_rule import partitions

PLANE = np.array([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.2]])
INNER = Symbolic("a*x**2 + b*x*y + sin(a*y)", x="x y", parameters="a b")
VECTOR = Symbolic(["a*x + b*y", "b*x*y"], x="x y", parameters="a b")
THETA = np.array([0.7, -1.2])


def test_partitions_are_counted_by_the_bell_numbers():
    for order, bell in enumerate([1, 1, 2, 5, 15, 52]):
        assert sum(count for _, count in partitions((order,))) == bell
        assert sum(count for _, count in partitions((1,) * order or (0,))) == bell
    assert all(sum(block[0] for block in blocks) == 4 for blocks, _ in partitions((4, 0)))


@pytest.mark.parametrize(
    "outer",
    ["exp(u)", [np.exp] * 4],
)
def test_a_composition_is_the_formula_of_the_composition(outer):
    model = compose(outer, INNER)
    oracle = Symbolic("exp(a*x**2 + b*x*y + sin(a*y))", x="x y", parameters="a b")
    assert_same_derivatives(model, oracle, THETA, PLANE, roundings=100)
    assert_products_agree(model, THETA, PLANE)


def test_a_composition_has_derivatives_of_every_order():
    model = compose("sin(u)", Symbolic("a*x + b*x**2", parameters="a b"))
    oracle = Symbolic("sin(a*x + b*x**2)", parameters="a b")
    for order in (3, 4):
        expected = oracle.jacobian_derivative(THETA, [0.3, 1.0], order)
        computed = model.jacobian_derivative(THETA, [0.3, 1.0], order)
        np.testing.assert_allclose(computed, expected, rtol=0, atol=200 * EPS * np.abs(expected).max())


def test_a_composition_acts_on_every_output():
    oracle = Symbolic(["(a*x + b*y)**2", "(b*x*y)**2"], x="x y", parameters="a b")
    assert_same_derivatives(compose("u**2", VECTOR), oracle, THETA, PLANE, roundings=50)


def test_a_missing_derivative_of_the_outer_function_is_refused():
    model = compose([np.exp, np.exp], INNER)
    assert np.isfinite(model.jacobian(THETA, PLANE)).all()
    with pytest.raises(
        InvalidInput, match="order 2 of the outer function is needed and `outer` holds only 1"
    ):
        model.jacobian_derivative(THETA, PLANE, (1, 0))


def test_an_infinity_inside_is_not_hidden():
    with pytest.raises(InvalidInput, match=r"value is -inf at x = \[0.0\]"):
        compose("exp(u)", Symbolic("a*log(x)", parameters="a"))([1.0], [0.0])


def test_a_sum_is_the_sum_with_the_parameters_side_by_side():
    model = INNER + MLP((2, 3, 1))
    theta = np.concatenate([THETA, MLP((2, 3, 1)).initial(0)])
    np.testing.assert_array_equal(model(theta, PLANE), INNER(THETA, PLANE) + MLP((2, 3, 1))(theta[2:], PLANE))
    oracle = Symbolic("a*x**2 + b*x*y + sin(a*y) + c*x*y**2", x="x y", parameters="a b c")
    both = INNER + Symbolic("c*x*y**2", x="x y", parameters="c")
    assert_same_derivatives(both, oracle, [*THETA, 2.0], PLANE, roundings=50)
    assert_products_agree(model, theta, PLANE)
    assert both.parameter_names == ("a_1", "b_1", "c_2")
    assert model.initial(4).shape == theta.shape


def test_stacked_outputs_have_their_own_parameters():
    model = stack([INNER, VECTOR])
    oracle = Symbolic(["a*x**2 + b*x*y + sin(a*y)", "c*x + d*y", "d*x*y"], x="x y", parameters="a b c d")
    theta = [*THETA, 2.0, 0.5]
    assert_same_derivatives(model, oracle, theta, PLANE, roundings=50)
    assert_products_agree(model, theta, PLANE)
    assert stack([Polynomial(1)])([1.0, 2.0], [3.0]).tolist() == [7.0]


@pytest.mark.parametrize(
    "jacobian",
    [
        "complex-step",
        lambda t: np.array([[2 * t[0], 0], [np.cos(t[0] * t[1]) * t[1], np.cos(t[0] * t[1]) * t[0]]]),
    ],
)
def test_a_reparametrised_model_is_the_formula_in_the_new_parameters(jacobian):
    def psi(t):
        return np.stack([t[0] ** 2, np.sin(t[0] * t[1])])

    model = INNER.reparametrise(psi, jacobian)
    a, b = "s**2", "sin(s*t)"
    oracle = Symbolic(f"({a})*x**2 + ({b})*x*y + sin(({a})*y)", x="x y", parameters="s t")
    assert_same_derivatives(model, oracle, [0.9, 1.3], PLANE, roundings=100)
    assert_products_agree(model, [0.9, 1.3], PLANE)


def test_fewer_or_more_new_parameters():
    model = Polynomial(2).reparametrise(lambda t: np.stack([t[0], 2 * t[0], 0 * t[0]]), n_parameters=1)
    assert model.jacobian([5.0], [1.0, 2.0]).tolist() == [[3.0], [5.0]]
    assert "reparametrise" in repr(model)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compose(np.exp, INNER), "`outer` must be a formula"),
        (lambda: compose([], INNER), "`outer` must be a formula"),
        (lambda: compose("exp(v)", INNER), "unknown name `v`"),
        (lambda: compose("exp(u)", 3), "`model` must be a model"),
        (lambda: INNER + Polynomial(1), "as many coordinates and outputs"),
        (lambda: INNER + VECTOR, "as many coordinates and outputs"),
        (lambda: stack([]), "one or more models"),
        (lambda: stack([INNER, 1]), "one or more models"),
        (lambda: stack([INNER, Polynomial(1)]), "as many coordinates"),
        (lambda: INNER.reparametrise(3), "`psi` must be a function"),
        (lambda: INNER.reparametrise(np.sin, "jax"), "or 'complex-step'"),
        (lambda: INNER.reparametrise(lambda t: t[:1])(THETA, PLANE), "must return 2 parameters"),
        (lambda: INNER.reparametrise(np.abs).jacobian(THETA, PLANE), "`psi` returns real numbers"),
        (lambda: INNER.reparametrise(np.sin, lambda t: t).jacobian(THETA, PLANE), r"shape \(2, 2\)"),
        (lambda: INNER.reparametrise(np.log)(-(THETA**2), PLANE), "must be finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        INNER + 1
