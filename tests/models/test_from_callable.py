"""Models from functions; JAX and PyTorch are tested where they are installed."""

import importlib
import importlib.util

import numpy as np
import pytest
from model_oracles import EPS, assert_products_agree, assert_same_derivatives

from funcgrad.errors import InvalidInput
from funcgrad.models import Symbolic, from_callable

PLANE = np.array([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.2]])
THETA = [1.3, 0.6]
ORACLE = Symbolic("a*exp(b*x)*cos(y)", x="x y", parameters="a b")
MODULES = {"jax": "jax.numpy", "torch": "torch"}


def wave(theta, x):
    return theta[0] * np.exp(theta[1] * x[:, 0]) * np.cos(x[:, 1])


def wave_jacobian(theta, x):
    shape = np.exp(theta[1] * x[:, 0]) * np.cos(x[:, 1])
    return np.stack([shape, theta[0] * x[:, 0] * shape], axis=1)


def wave_xx(theta, x):
    return theta[1] ** 2 * wave(theta, x)


def wave_xx_jacobian(theta, x):
    tangent = theta[1] ** 2 * wave_jacobian(theta, x)
    tangent[:, 1] += 2 * theta[1] * wave(theta, x)
    return tangent


@pytest.mark.parametrize("backend", MODULES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_automatic_differentiation_agrees_with_sympy_or_names_what_is_not_installed(backend):
    if importlib.util.find_spec(backend) is None:
        with pytest.raises(InvalidInput, match=f"not installed: pip install {backend}"):
            from_callable(wave, 2, 2, backend)
        return
    module = importlib.import_module(MODULES[backend])

    def f(theta, x):
        return theta[0] * module.exp(theta[1] * x[:, 0]) * module.cos(x[:, 1])

    model = from_callable(f, 2, 2, backend)
    assert_same_derivatives(model, ORACLE, THETA, PLANE, roundings=64)
    assert_products_agree(model, THETA, PLANE)
    third = model.jacobian_derivative(THETA, PLANE, (2, 1))
    np.testing.assert_allclose(third, ORACLE.jacobian_derivative(THETA, PLANE, (2, 1)), rtol=0, atol=64 * EPS)

    def two_outputs(theta, x):
        u = x[:, 0]
        return module.stack([theta[0] * module.sin(theta[1] * u), theta[0] * theta[1] * u**3], -1)

    model = from_callable(two_outputs, 1, 2, backend, n_outputs=2)
    oracle = Symbolic(["a*sin(b*x)", "a*b*x**3"], parameters="a b")
    assert_same_derivatives(model, oracle, THETA, [0.2, 1.4], roundings=64)
    with pytest.raises(InvalidInput, match="`derivatives` must be left out"):
        from_callable(f, 2, 2, backend, derivatives={})


@pytest.mark.parametrize("jacobian", ["complex-step", wave_jacobian])
def test_complex_step_and_the_users_jacobian_agree_with_sympy(jacobian):
    second = wave_xx if jacobian == "complex-step" else (wave_xx, wave_xx_jacobian)
    model = from_callable(wave, 2, 2, jacobian, derivatives={(2, 0): second})
    for alpha in ((0, 0), (2, 0)):
        for method in ("derivative", "jacobian_derivative"):
            computed, expected = (getattr(m, method)(THETA, PLANE, alpha) for m in (model, ORACLE))
            np.testing.assert_allclose(computed, expected, rtol=0, atol=64 * EPS)
    with pytest.raises(InvalidInput, match=r"\(1, 1\) .* is not known \(given: \(2, 0\)\)"):
        model.jacobian_derivative(THETA, PLANE, (1, 1))
    with pytest.raises(InvalidInput, match=r"\(0, 2\) .* is not known"):
        model.derivative(THETA, PLANE, (0, 2))


def test_the_complex_step_gives_first_spatial_derivatives_of_the_value():
    model = from_callable(wave, 2, 2)
    for alpha in ((1, 0), (0, 1)):
        expected = ORACLE.derivative(THETA, PLANE, alpha)
        np.testing.assert_allclose(model.derivative(THETA, PLANE, alpha), expected, rtol=0, atol=64 * EPS)
    with pytest.raises(InvalidInput, match="is not known"):
        from_callable(wave, 2, 2, wave_jacobian).derivative(THETA, PLANE, (1, 0))


def test_several_outputs():
    model = from_callable(lambda t, x: np.stack([t[0] * x[:, 0], t[1] * x[:, 0] ** 2], 1), 1, 2, n_outputs=2)
    assert model.jacobian(THETA, [3.0]).tolist() == [[[3.0, 0.0], [0.0, 9.0]]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_callable(3, 1, 1), "`f` must be a function"),
        (lambda: from_callable(wave, 2, 0), "`n_parameters` must be at least 1"),
        (lambda: from_callable(wave, 2, 2, "numdiff"), "unknown jacobian 'numdiff'"),
        (lambda: from_callable(wave, 2, 2, wave_jacobian, derivatives={(1, 0): wave}), "must be a pair"),
        (lambda: from_callable(wave, 2, 2, derivatives={(1, 0): 3}), "must be made of functions"),
        (lambda: from_callable(wave, 2, 2, derivatives={1: wave}), "`alpha` must have 2 entries"),
        (
            lambda: from_callable(lambda t, x: abs(t[0]) * x[:, 0], 1, 1).jacobian([1.0], [1.0]),
            "returns real",
        ),
        (lambda: from_callable(lambda t, x: 1j * x[:, 0], 1, 1)([1.0], [1.0]), "must return real numbers"),
        (lambda: from_callable(lambda t, x: x, 1, 1)([1.0], [1.0]), r"value must have shape \(1,\)"),
        (lambda: from_callable(wave, 2, 2, lambda t, x: x[:, :1]).jacobian(THETA, PLANE), r"shape \(3, 2\)"),
        (lambda: from_callable(lambda t, x: t[0] / x[:, 0], 1, 1)([1.0], [0.0]), r"inf at x = \[0.0\]"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_importing_the_models_imports_neither_back_ends_nor_compilers():
    import subprocess
    import sys

    code = (
        "import sys, funcgrad.models as m\n"
        "[getattr(m, name) for name in m.__all__ if name != 'Symbolic']\n"
        "heavy = {'sympy', 'numba', 'jax', 'torch', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
