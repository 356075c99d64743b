"""Independent oracles of models: the same formula differentiated by sympy, and networks written naively."""

from itertools import pairwise, product

import mpmath
import numpy as np

EPS = np.finfo(float).eps


def orders_up_to_two(dimension):
    """All multi-indices |α| <= 2."""
    return [alpha for alpha in product(range(3), repeat=dimension) if sum(alpha) <= 2]


def assert_same_derivatives(model, oracle, theta, x, roundings):
    """Value and Jacobian agree for every |α| <= 2 to `roundings` units of the largest entry (at least 1)."""
    theta = np.asarray(theta, dtype=float)
    for alpha in orders_up_to_two(model.dimension):
        for method in ("derivative", "jacobian_derivative"):
            computed, expected = (getattr(m, method)(theta, x, alpha) for m in (model, oracle))
            bound = roundings * EPS * max(1.0, np.abs(expected).max(initial=0.0))
            error = np.abs(computed - expected).max(initial=0.0)
            assert error <= bound, f"{method} {alpha}: error {error / bound * roundings:.3g} roundings"


def assert_products_agree(model, theta, x, seed=0):
    """pushforward = J η and pullback = Jᵀ r, for every |α| <= 2; `out` is written."""
    generator = np.random.default_rng(seed)
    eta = generator.standard_normal(model.n_parameters)
    for alpha in orders_up_to_two(model.dimension):
        jacobian = model.jacobian_derivative(theta, x, alpha)
        out = np.full_like(jacobian, np.nan)
        assert model.jacobian_derivative(theta, x, alpha, out=out) is out
        np.testing.assert_array_equal(out, jacobian)
        r = generator.standard_normal(jacobian.shape[:-1])
        # Sums of p or N products, each of which carries the roundings of the Jacobian's entries.
        scale = 64 * (jacobian.size + 1) * EPS * max(1.0, np.abs(jacobian).max())
        forward = model.pushforward(theta, x, eta, alpha)
        np.testing.assert_allclose(forward, jacobian @ eta, rtol=0, atol=scale)
        expected = np.tensordot(r, jacobian, axes=r.ndim)
        np.testing.assert_allclose(model.pullback(theta, x, r, alpha), expected, rtol=0, atol=scale)


ACTIVATION_FORMULAS = {
    "tanh": "tanh({z})",
    "sin": "sin({z})",
    "softplus": "log(1 + exp({z}))",
    "gelu": "({z})*(1 + erf(({z})/sqrt(2)))/2",
}

ACTIVATION_FUNCTIONS = {
    "tanh": mpmath.tanh,
    "sin": mpmath.sin,
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "gelu": lambda z: z * mpmath.ncdf(z),
    "relu": lambda z: max(z, 0),
}


def network_formulas(widths, activation, names, scales):
    """Return the formula of each output, written out."""
    values, names = [f"x{i}" for i in range(widths[0])], iter(names)
    for layer, (n_inputs, n_units) in enumerate(pairwise(widths)):
        weights = [[next(names) for _ in range(n_inputs)] for _ in range(n_units)]
        biases = [next(names) for _ in range(n_units)]
        sums = [
            f"{scales[layer]!r}*("
            + " + ".join(f"{w}*({v})" for w, v in zip(row, values, strict=True))
            + f") + {b}"
            for row, b in zip(weights, biases, strict=True)
        ]
        last = layer == len(widths) - 2
        values = sums if last else [ACTIVATION_FORMULAS[activation].format(z=z) for z in sums]
    return values


def network_value(widths, activation, theta, x, output, scales, biases=True):
    """One output of a network at one point, in mpmath, loop by loop."""
    values, theta = list(x), iter(theta)
    for layer, (n_inputs, n_units) in enumerate(pairwise(widths)):
        weights = [[next(theta) for _ in range(n_inputs)] for _ in range(n_units)]
        shifts = [next(theta) for _ in range(n_units)] if biases else [0] * n_units
        values = [
            scales[layer] * sum(w * v for w, v in zip(row, values, strict=True)) + b
            for row, b in zip(weights, shifts, strict=True)
        ]
        if layer < len(widths) - 2:
            values = [ACTIVATION_FUNCTIONS[activation](z) for z in values]
    return values[output]
