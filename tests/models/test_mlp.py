import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_oracles import (
    EPS,
    assert_products_agree,
    assert_same_derivatives,
    network_formulas,
    network_value,
    orders_up_to_two,
)

from funcgrad.errors import InvalidInput
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.kernels import ReLUTangent
from funcgrad.models import MLP, Linear, Symbolic, mlp
from funcgrad.models.base import Model

SMOOTH = ("tanh", "sin", "softplus", "gelu")
POINTS = np.array([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.0]])


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("parameterisation", ["standard", "ntk"])
def test_agrees_with_the_formula_written_out(activation, parameterisation):
    widths = (2, 3, 2)
    network = MLP(widths, activation, parameterisation)
    scales = (1.0, 1.0) if parameterisation == "standard" else (math.sqrt(1 / 2), math.sqrt(1 / 3))
    formulas = network_formulas(widths, activation, network.parameter_names, scales)
    oracle = Symbolic(formulas, x="x0 x1", parameters=network.parameter_names)
    # Two layers of sums of at most 4 terms, σ to four ulp, and up to 8 terms in a derivative.
    assert_same_derivatives(network, oracle, network.initial(3), POINTS, roundings=200)
    assert_products_agree(network, network.initial(3), POINTS)


@st.composite
def architectures(draw):
    widths = tuple(draw(st.lists(st.integers(1, 3), min_size=2, max_size=4)))
    network = MLP(
        widths,
        draw(st.sampled_from(SMOOTH)),
        draw(st.sampled_from(["standard", "ntk"])),
        biases=draw(st.booleans()),
    )
    return network, draw(st.integers(0, 2**20)), draw(st.sampled_from(orders_up_to_two(widths[0])))


@settings(max_examples=25)
@given(architectures(), st.data())
def test_any_architecture_agrees_with_mpmath(drawn, data):
    network, seed, alpha = drawn
    generator = np.random.default_rng(seed)
    theta, x = network.initial(generator), generator.standard_normal(network.dimension)
    output = data.draw(st.integers(0, network.n_outputs - 1))
    parameter = data.draw(st.integers(0, network.n_parameters - 1))
    ntk = network.parameterisation == "ntk"
    scales = [mpmath.sqrt(mpmath.mpf(1) / n) if ntk else 1 for n in network.widths[:-1]]
    with mpmath.workdps(40):

        def value(*point_and_parameter):
            *point, t = point_and_parameter
            shifted = [mpmath.mpf(entry) for entry in theta]
            shifted[parameter] = t
            return network_value(
                network.widths, network.activation, shifted, point, output, scales, network.biases
            )

        at = (*map(mpmath.mpf, x), mpmath.mpf(theta[parameter]))
        exact = float(mpmath.diff(value, at, (*alpha, 0)))
        exact_tangent = float(mpmath.diff(value, at, (*alpha, 1)))
    computed = network.derivative(theta, x[None], alpha).reshape(-1)[output]
    jacobian = network.jacobian_derivative(theta, x[None], alpha)
    tangent = jacobian.reshape(network.n_outputs, -1)[output, parameter]
    # Each layer multiplies the size of a jet by at most the sum of its weights, thrice for |α| = 2.
    size = math.prod(1.0 + np.abs(w).sum() for w, _ in network.layers(theta)) ** 3 * (1.0 + np.abs(x).max())
    assert abs(computed - exact) <= 20 * EPS * size
    assert abs(tangent - exact_tangent) <= 20 * EPS * size


@settings(max_examples=20)
@given(architectures())
def test_products_of_any_architecture_agree_with_its_jacobian(drawn):
    network, seed, _ = drawn
    x = np.random.default_rng(seed).standard_normal((3, network.dimension))
    assert_products_agree(network, network.initial(seed), x, seed)


def test_a_flipped_sign_in_one_entry_is_caught():
    widths = (2, 3, 1)

    class Mutated(MLP):
        def _checked_jacobian(self, theta, x, alpha, out):
            jacobian = super()._checked_jacobian(theta, x, alpha, out)
            if alpha == (1, 1):
                jacobian[1, 4] *= -1
            return jacobian

    network = Mutated(widths)
    formulas = network_formulas(widths, "tanh", network.parameter_names, (1.0, 1.0))
    oracle = Symbolic(formulas, x="x0 x1", parameters=network.parameter_names)
    with pytest.raises(AssertionError, match=r"jacobian_derivative \(1, 1\)"):
        assert_same_derivatives(network, oracle, network.initial(0), POINTS, roundings=200)


def test_a_network_without_hidden_layers_is_affine():
    affine = MLP((2, 1))
    oracle = Linear(["x", "y", "1"], x="x y")
    assert_same_derivatives(affine, oracle, [2.0, -3.0, 0.5], POINTS, roundings=4)


def test_blocks_of_points_do_not_change_the_result():
    network, x = MLP((2, 5, 2)), np.random.default_rng(0).standard_normal((100, 2))
    theta, r = network.initial(0), np.random.default_rng(1).standard_normal((100, 2))
    one_by_one = np.concatenate([network.jacobian_derivative(theta, p[None], (1, 1)) for p in x])
    pulled = network.pullback(theta, x, r, (1, 1))
    original, mlp._BLOCK_VALUES = mlp._BLOCK_VALUES, 5 * 16
    try:
        jacobian, again = network.jacobian_derivative(theta, x, (1, 1)), network.pullback(theta, x, r, (1, 1))
    finally:
        mlp._BLOCK_VALUES = original
    np.testing.assert_allclose(jacobian, one_by_one, rtol=0, atol=64 * EPS * np.abs(one_by_one).max())
    np.testing.assert_allclose(again, pulled, rtol=0, atol=400 * EPS * np.abs(one_by_one).max())


@settings(max_examples=25)
@given(architectures(), st.integers(1, 40))
def test_a_row_of_the_jacobian_is_a_kronecker_product_in_each_layer(drawn, n_points):
    """∂f_k/∂[W b] = adjoints_k ⊗ [s a, 1]; inputs of the first layer are the points."""
    network, seed, _ = drawn
    generator = np.random.default_rng(seed)
    theta, x = network.initial(generator), generator.standard_normal((n_points, network.dimension))
    jacobian = network.jacobian(theta, x).reshape(n_points, network.n_outputs, -1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlp, "_BLOCK_VALUES", 48)  # several blocks of 16 points
        factors = network.jacobian_factors(theta, x)
    place = network.layers(np.arange(network.n_parameters, dtype=float))
    for (inputs, adjoints), (weights, bias) in zip(factors, place, strict=True):
        adjoints = adjoints.reshape(n_points, network.n_outputs, -1)
        rows = np.einsum("pki,pj->pkij", adjoints, inputs)
        joined = weights if bias is None else np.column_stack([weights, bias])
        expected = jacobian[:, :, joined.astype(int)]
        np.testing.assert_allclose(rows, expected, rtol=0, atol=100 * EPS * np.abs(expected).max())
    first = factors[0][0][:, : network.dimension] / network._scales()[0]
    np.testing.assert_allclose(first, x, rtol=2 * EPS)


def test_relu_has_one_derivative_and_no_second():
    network = MLP((2, 4, 1), "relu")
    theta, h = network.initial(0), 2.0**-20
    # Piecewise linear in x: away from the kinks a difference quotient has rounding error only.
    shifted = POINTS + np.array([h, 0.0])
    quotient = (network(theta, shifted) - network(theta, POINTS)) / h
    np.testing.assert_allclose(network.derivative(theta, POINTS, (1, 0)), quotient, atol=64 * EPS / h)
    assert_same = np.testing.assert_allclose
    eta = np.random.default_rng(0).standard_normal(network.n_parameters)
    assert_same(
        network.pushforward(theta, POINTS, eta), network.jacobian(theta, POINTS) @ eta, atol=200 * EPS
    )
    for refused in (
        lambda: network.derivative(theta, POINTS, (2, 0)),
        lambda: network.jacobian_derivative(theta, POINTS, (0, 1)),
        lambda: network.pullback(theta, POINTS, np.ones(3), (1, 0)),
        lambda: network.pushforward(theta, POINTS, eta, (1, 0)),
    ):
        with pytest.raises(InvalidInput, match="'relu' is needed; it has a kink at 0"):
            refused()


def test_relu_has_slope_zero_at_its_kink():
    network = MLP((1, 2, 1), "relu", biases=False)
    assert network.jacobian(np.ones(4), [0.0, 1.0]).tolist() == [[0.0] * 4, [1.0] * 4]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_parameterisations_differ_by_a_scale_of_each_layer(activation):
    standard, ntk = MLP((2, 5, 1), activation), MLP((2, 5, 1), activation, "ntk")
    scale = np.ones(standard.n_parameters)
    for (weights, _), s in zip(standard.layers(scale), standard._fan_in_scales(), strict=True):
        weights *= s
    same = standard.reparametrise(lambda t: scale * t, lambda t: np.diag(scale))
    theta = ntk.initial(5)
    # Equal seeds draw the same function in both.
    np.testing.assert_allclose(standard.initial(5), scale * theta, rtol=4 * EPS)
    np.testing.assert_allclose(ntk(theta, POINTS), same(theta, POINTS), atol=64 * EPS)
    np.testing.assert_allclose(ntk.jacobian(theta, POINTS), same.jacobian(theta, POINTS), atol=64 * EPS)
    eta, r = np.sin(np.arange(ntk.n_parameters)), np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(
        ntk.pushforward(theta, POINTS, eta), same.pushforward(theta, POINTS, eta), atol=1e-14
    )
    np.testing.assert_allclose(ntk.pullback(theta, POINTS, r), same.pullback(theta, POINTS, r), atol=1e-14)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_tangent_kernel_of_wide_relu_networks_tends_to_the_analytic_one(depth):
    """At width^(-1/2), two-sided: the root mean square error over seeds, from width 16 to 256."""
    points = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [-0.3, 0.5, 0.9]])
    exact, widths = ReLUTangent(depth).gram(points), np.array([16, 32, 64, 128, 256])
    errors = []
    for width in widths:
        network = MLP((3, *[int(width)] * depth, 1), "relu", "ntk", biases=False)
        draws = [tangent_kernel(network, network.initial(seed)).gram(points) for seed in range(60)]
        # The first layer is scaled by 1/√n, which the analytic kernel is not.
        errors.append(np.sqrt(np.mean([(3 * gram - exact) ** 2 for gram in draws])))
    order = -np.polyfit(np.log(widths), np.log(errors), 1)[0]
    # 60 seeds of 6 correlated entries determine each error to about 8 %, the slope to about 0.04.
    assert 0.5 - 0.15 < order < 0.5 + 0.15
    assert errors[-1] < 0.2 * np.abs(exact).max()


def test_initial_parameters_come_from_the_seed():
    network = MLP((2, 300, 1))
    assert (network.initial(1) == network.initial(1)).all()
    assert (network.initial(1) != network.initial(2)).any()
    assert (network.initial(np.random.default_rng(1)) == network.initial(1)).all()
    weights, _ = network.layers(network.initial(1))[1]
    # 300 draws of variance 1/300: their sum of squares is 1 ± √(2/300).
    assert abs((weights**2).sum() - 1.0) < 5 * math.sqrt(2 / 300)
    for seed in (None, -1, 1.5):
        with pytest.raises(InvalidInput, match="`seed` must be"):
            network.initial(seed)


def test_names_repr_and_pickle():
    network = MLP((1, 2, 1), "sin", "ntk", biases=False)
    assert network.parameter_names == ("W1_1_1", "W1_2_1", "W2_1_1", "W2_1_2")
    assert eval(repr(network)).widths == network.widths
    assert repr(pickle.loads(pickle.dumps(network))) == repr(network)
    assert isinstance(network, Model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "`widths` must be"),
        (([2],), "`widths` must be"),
        (([2, 0, 1],), "`widths` must be at least 1"),
        (([2, 1.5, 1],), "`widths` must be a whole number"),
        (([2, 3, 1], "tanhh"), "did you mean 'tanh'"),
        (([2, 3, 1], "tanh", "mup"), "unknown parameterisation 'mup'"),
    ],
)
def test_bad_definitions_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        MLP(*arguments)


def test_bad_arguments_are_refused():
    network = MLP((2, 3, 1))
    theta = network.initial(0)
    for call, message in (
        (lambda: network.derivative(theta, POINTS, (2, 1)), r"up to order 2; got `alpha` = \(2, 1\)"),
        (lambda: network(theta[:-1], POINTS), "`theta` must have 13 entries"),
        (lambda: network.pushforward(theta, POINTS, theta[:-1]), "`eta` must have 13 entries"),
        (lambda: network.pullback(theta, POINTS, np.ones(2)), r"`r` must have shape \(3,\)"),
        (lambda: network.pullback(theta, POINTS, [1.0, np.nan, 0.0]), "`r` must be finite"),
        (lambda: network.jacobian(theta, POINTS, out=np.empty((3, 12))), r"`out` must be a float64 array of"),
        (lambda: network.jacobian(theta, POINTS, out=np.empty((3, 13), "f4")), "got float32"),
        (lambda: network.jacobian(theta, POINTS, out=[]), "got list"),
        (lambda: network(1e200 * theta, 1e200 * POINTS), "value is nan at x"),
        (
            lambda: network.pullback(theta, POINTS, np.full(3, 1e308)),
            "pullback is not finite in the parameter",
        ),
    ):
        with pytest.raises(InvalidInput, match=message):
            call()
    strided = np.empty((13, 3)).T
    assert network.jacobian(theta, POINTS, out=strided) is strided
    assert (strided == network.jacobian(theta, POINTS)).all()
