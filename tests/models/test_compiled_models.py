"""The compiled Jacobian of networks against numpy and its own plain source; its tanh against mpmath."""

import mpmath
import numpy as np
import pytest

from funcgrad.errors import InvalidInput
from funcgrad.models import MLP, _compiled, activations, mlp
from funcgrad.models.activations import ACTIVATIONS

EPS = np.finfo(float).eps


@pytest.fixture
def always_compiled(monkeypatch):
    monkeypatch.setattr(mlp, "_FEW_ENTRIES", 0)


def by_numpy(network, theta, x, monkeypatch):
    monkeypatch.setattr(mlp, "_FEW_ENTRIES", 1 << 60)
    jacobian = network.jacobian(theta, x)
    monkeypatch.setattr(mlp, "_FEW_ENTRIES", 0)
    return jacobian


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    ("widths", "parameterisation", "biases"),
    [
        ((2, 5, 4, 1), "standard", True),
        ((1, 3, 2), "ntk", True),
        ((5, 7, 6, 3), "ntk", False),
        ((3, 2), "standard", True),
    ],
)
def test_compiled_and_numpy_jacobians_agree(activation, widths, parameterisation, biases, monkeypatch):
    network = MLP(widths, activation, parameterisation, biases)
    # A number of points that fills neither the last tile nor the last group.
    theta, x = network.initial(0), np.random.default_rng(0).standard_normal((_compiled.GROUP + 37, widths[0]))
    expected = by_numpy(network, theta, x, monkeypatch)
    error = np.abs(network.jacobian(theta, x) - expected).max()
    # Sums of up to 7 products a layer, three layers forward and backward.
    assert error <= 64 * EPS * np.abs(expected).max()


def test_the_threshold_lies_where_the_two_meet(monkeypatch):
    network = MLP((2, 32, 1))
    x = np.random.default_rng(0).standard_normal((mlp._FEW_ENTRIES // network.n_parameters + 1, 2))
    theta = network.initial(0)
    compiled = network.jacobian(theta, x)
    error = np.abs(compiled - by_numpy(network, theta, x, monkeypatch)).max()
    assert error <= 64 * EPS * np.abs(compiled).max()


def test_plain_source_agrees_with_the_compiled_function(monkeypatch):
    network, x = MLP((2, 3, 2)), np.random.default_rng(1).standard_normal((5, 2))
    theta = network.initial(1)
    arguments = (x, theta, np.array([2, 3, 2]), np.ones(2), True, _compiled.TANH)
    compiled, plain = np.empty((5, 2, network.n_parameters)), np.empty((5, 2, network.n_parameters))
    _compiled.network_jacobian(*arguments, compiled)
    # The bit operations of the tanh exist compiled only; numpy's takes its place.
    for name in ("activate", "add_product", "write_layer", "column_sizes", "forward", "backward"):
        monkeypatch.setattr(_compiled, name, getattr(_compiled, name).py_func)
    monkeypatch.setattr(_compiled, "vector_tanh", np.tanh)
    monkeypatch.setattr(_compiled, "prange", range)
    _compiled.network_jacobian.py_func(*arguments, plain)
    np.testing.assert_allclose(compiled, plain, rtol=0, atol=32 * EPS * np.abs(plain).max())


def test_tanh_keeps_its_digits_at_every_size():
    sizes = np.concatenate([np.geomspace(1e-300, 30.0, 400), np.linspace(0.0, 22.0, 400)])
    z = np.concatenate([sizes, -sizes])
    computed = np.array([_compiled.vector_tanh(entry) for entry in z])
    with mpmath.workdps(40):
        exact = np.array([float(mpmath.tanh(mpmath.mpf(entry))) for entry in z])
    # One rounding in the exponential, one in the sum, one in the quotient and their propagation.
    assert (np.abs(computed - exact) <= 4 * np.spacing(np.abs(exact))).all()
    assert np.isnan(_compiled.vector_tanh(np.nan))
    assert _compiled.vector_tanh(np.inf) == 1.0
    _compiled.write_tanh(z, values := np.empty_like(z))
    assert np.array_equal(values, computed)


def test_many_activations_go_through_the_compiled_tanh(monkeypatch):
    """The same network below and above the number from which it serves: values and both products."""
    network = MLP((2, 9, 9, 1))
    rng = np.random.default_rng(0)
    theta, eta, x, r = network.initial(1), rng.standard_normal(network.n_parameters), *rng.random((2, 50, 2))
    calls = (
        lambda: network(theta, x),
        lambda: network.pushforward(theta, x, eta, (1, 0)),
        lambda: network.pullback(theta, x, r[:, 0], (0, 1)),
    )
    few = [call() for call in calls]
    used, compiled_tanh = [], activations._compiled_tanh
    monkeypatch.setattr(mlp, "_MANY_ACTIVATIONS", 50 * 18)
    monkeypatch.setattr(activations, "_compiled_tanh", lambda z: used.append(z.shape) or compiled_tanh(z))
    for call, value in zip(calls, few, strict=True):
        np.testing.assert_allclose(call(), value, rtol=1e-12)
    assert used == [(50, 9)] * 6


@pytest.mark.usefixtures("always_compiled")
def test_an_infinite_entry_is_refused_at_its_point():
    network = MLP((2, 3, 1), "sin")
    with pytest.raises(InvalidInput, match=r"Jacobian is .* at x = \[1e\+200, 0.0\]"):
        network.jacobian(np.full(13, 1e200), [[0.0, 0.0], [1e200, 0.0]])


@pytest.mark.usefixtures("always_compiled")
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_an_overflow_inside_is_refused(activation, monkeypatch):
    # The first unit's z is inf - inf, or inf with a fused multiplication: tanh would make 1 of it.
    network, theta = MLP((2, 2, 1), activation), np.full(9, 1e200)
    theta[1] = -1e200
    with pytest.raises(InvalidInput, match=r"Jacobian is nan at x = \[1e\+200, 1e\+200\]"):
        network.jacobian(theta, np.full((40, 2), 1e200))
    monkeypatch.setattr(mlp, "_FEW_ENTRIES", 1 << 60)
    with pytest.raises(InvalidInput, match=r"Jacobian is nan at x"):
        network.jacobian(theta, np.full((40, 2), 1e200))


@pytest.mark.usefixtures("always_compiled")
def test_a_finite_jacobian_whose_witness_overflows_is_returned():
    network, theta = MLP((1, 1)), np.zeros(2)
    x = np.full(40, 1e307)
    jacobian = network.jacobian(theta, x)
    assert (jacobian == np.stack([x, np.ones(40)], axis=1)).all()
