"""Natural gradients of plain objects with a value and a Jacobian, beside the same formulas as a `Model`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput
from funcgrad.models.adapted import as_model


class Decay:
    """a exp(-b x), and nothing but what a natural gradient needs."""

    n_inputs = 1

    def __call__(self, theta, x):
        return theta[0] * np.exp(-theta[1] * x[:, 0])

    def jacobian(self, theta, x):
        decay = np.exp(-theta[1] * x[:, 0])
        return np.column_stack([decay, -theta[0] * x[:, 0] * decay])


class Pair(Decay):
    """(a exp(-b x), a b x)."""

    def __call__(self, theta, x):
        return np.column_stack([super().__call__(theta, x), theta[0] * theta[1] * x[:, 0]])

    def jacobian(self, theta, x):
        second = np.column_stack([theta[1] * x[:, 0], theta[0] * x[:, 0]])
        return np.stack([super().jacobian(theta, x), second], axis=1)


class Column(Decay):
    """The same as `Decay` with an axis for its one output."""

    def __call__(self, theta, x):
        return super().__call__(theta, x)[:, None]

    def jacobian(self, theta, x):
        return super().jacobian(theta, x)[:, None]


class Differentiable(Decay):
    def derivative(self, theta, x, alpha):
        return (-theta[1]) ** alpha[0] * self(theta, x)

    def jacobian_derivative(self, theta, x, alpha):
        k = alpha[0]
        first, second = self.jacobian(theta, x).T
        lower = -k * (-theta[1]) ** (k - 1) * self(theta, x) if k else 0.0
        return np.column_stack([(-theta[1]) ** k * first, (-theta[1]) ** k * second + lower])


FORMULA = fg.models.Symbolic("a*exp(-b*x)", "x", "a b")
PAIR = fg.models.Symbolic(["a*exp(-b*x)", "a*b*x"], "x", "a b")
DOMAIN = fg.Interval(0, 2)
METRICS = [fg.L2(), fg.Sobolev(1), fg.Sobolev(2, definition="derivative"), fg.RKHS(fg.kernels.Matern(1.5))]


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("kind", [Decay, Column, Differentiable])
@given(a=st.floats(0.5, 2), b=st.floats(0.3, 1.5), y=st.floats(-2, 2))
def test_the_step_is_that_of_the_formula(kind, metric, a, b, y):
    loss, grid = fg.EmpiricalLoss([0.3, 1.1], [y, 0.5]), DOMAIN.grid(16)
    found = fg.natural_gradient(loss, kind(), [a, b], metric, grid)
    exact = fg.natural_gradient(loss, FORMULA, [a, b], metric, grid)
    np.testing.assert_allclose(
        found.direction, exact.direction, rtol=0, atol=1e-9 * np.linalg.norm(exact.direction) + 1e-12
    )
    assert found.rank == 2


def test_outputs_are_seen_in_the_jacobian_and_grids_chosen_on_domains():
    loss = fg.EmpiricalLoss([0.3, 1.1], [[1.0, 0.0], [0.5, 1.0]])
    found = fg.natural_gradient(loss, Pair(), [1.0, 0.7], fg.Sobolev(1), DOMAIN)
    exact = fg.natural_gradient(loss, PAIR, [1.0, 0.7], fg.Sobolev(1), DOMAIN)
    np.testing.assert_allclose(found.direction, exact.direction, rtol=1e-9)
    assert found.pushforward.values.shape == (len(found.grid), 2)
    np.testing.assert_allclose(
        fg.gram(Pair(), [1.0, 0.7], fg.L2(), DOMAIN), fg.gram(PAIR, [1.0, 0.7], fg.L2(), DOMAIN), rtol=1e-12
    )


def test_descent_flow_and_tangent_kernels_take_them_too():
    x = np.linspace(0, 2, 9)
    data = fg.PointSet(DOMAIN, x)
    loss = fg.EmpiricalLoss(x, 2 * np.exp(-0.5 * x))
    fit = fg.descend(loss, Decay(), [1.0, 1.0], fg.L2(), data)
    np.testing.assert_allclose(fit.theta, [2.0, 0.5], rtol=1e-7)
    path = fg.flow(loss, Decay(), [1.5, 0.7], fg.L2(), data, (0, 1))
    assert path.value[-1] < path.value[0]
    kernel = fg.tangent_kernel(Decay(), [1.0, 0.7], domain=DOMAIN)
    np.testing.assert_allclose(kernel.gram(x), fg.tangent_kernel(FORMULA, [1.0, 0.7]).gram(x), rtol=1e-13)


def test_models_are_themselves_and_what_is_missing_is_said():
    assert as_model(FORMULA, [1.0, 0.7], DOMAIN) is FORMULA
    loss = fg.EmpiricalLoss([0.3], [1.0])
    with pytest.raises(InvalidInput, match=r"jacobian\(theta, x\)"):
        fg.natural_gradient(loss, lambda theta, x: x, [1.0], fg.L2(), DOMAIN)
    with pytest.raises(InvalidInput, match=r"must have shape \(N, 3\)"):
        fg.natural_gradient(loss, Decay(), [1.0, 0.7, 0.1], fg.L2(), DOMAIN)
    with pytest.raises(InvalidInput, match="give `domain`"):
        fg.tangent_kernel(Decay(), [1.0, 0.7])
    adapted = as_model(Decay(), [1.0, 0.7], DOMAIN)
    assert not adapted.knows((1,))
    with pytest.raises(InvalidInput, match="no spatial derivative"):
        adapted.derivative([1.0, 0.7], [0.3], (1,))
    assert as_model(Differentiable(), [1.0, 0.7], DOMAIN).knows((1,))
