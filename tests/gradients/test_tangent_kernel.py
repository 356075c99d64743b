"""Tangent kernels: the NTK, and reproducing kernels of pushed-forward metrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput, NotPositiveDefinite

MODEL = fg.models.Symbolic("a*sin(x + b) + c*x", "x", "a b c")
THETA = np.array([1.2, 0.4, -0.5])
X, Y = np.linspace(0, 1, 5), np.linspace(0.2, 0.9, 4)


def naive_kernel(h, x, y):
    inverse = np.linalg.inv(h)
    phi, psi = MODEL.jacobian(THETA, x), MODEL.jacobian(THETA, y)
    return np.array(
        [[sum(p[i] * inverse[i, j] * q[j] for i in range(3) for j in range(3)) for q in psi] for p in phi]
    )


def test_the_ntk_sums_products_of_tangent_functions():
    kernel = fg.tangent_kernel(MODEL, THETA)
    np.testing.assert_allclose(kernel.gram(X, Y), naive_kernel(np.eye(3), X, Y), rtol=1e-14)
    assert kernel(0.3, 0.7) == pytest.approx(naive_kernel(np.eye(3), [0.3], [0.7])[0, 0], rel=1e-14)
    np.testing.assert_allclose(
        kernel.matvec(X, Y, np.arange(4.0)), kernel.gram(X, Y) @ np.arange(4.0), rtol=1e-13
    )
    np.testing.assert_allclose(kernel.gram_diagonal(X), np.diag(kernel.gram(X)), rtol=1e-14)


@given(seed=st.integers(0, 1000))
def test_the_generalised_kernel_uses_the_inverse_metric(seed):
    root = np.random.default_rng(seed).normal(size=(3, 3)) + 3 * np.eye(3)
    h = root.T @ root
    kernel = fg.tangent_kernel(MODEL, THETA, metric=h)
    np.testing.assert_allclose(kernel.gram(X, Y), naive_kernel(h, X, Y), atol=1e-10 * np.linalg.cond(h))


def test_the_kernel_of_a_metric_on_functions_reproduces_tangent_functions():
    """<K_h(x, .), φ_i> = φ_i(x) in the metric that was pulled back."""
    domain, metric = fg.Interval(0, 1), fg.Sobolev(1.0)
    kernel = fg.tangent_kernel(MODEL, THETA, metric=metric, domain=domain)
    grid = domain.grid(32)
    section = grid.function(kernel.gram(grid.nodes, [0.3])[:, 0])
    for i in range(3):
        phi = grid.function(MODEL.jacobian(THETA, grid.nodes)[:, i])
        assert metric.inner(section, phi) == pytest.approx(phi(0.3), rel=1e-10)


def test_bad_metrics_are_refused():
    with pytest.raises(InvalidInput, match="`domain` is needed"):
        fg.tangent_kernel(MODEL, THETA, metric=fg.L2())
    with pytest.raises(InvalidInput, match=r"symmetric \(3, 3\)"):
        fg.tangent_kernel(MODEL, THETA, metric=np.eye(2))
    with pytest.raises(NotPositiveDefinite, match="must be positive definite"):
        fg.tangent_kernel(MODEL, THETA, metric=np.diag([1.0, 1.0, -1.0]))
    dependent = fg.models.Symbolic("(a + b)*x", "x", "a b")
    with pytest.raises(NotPositiveDefinite, match="are dependent"):
        fg.tangent_kernel(dependent, [1.0, 1.0], metric=fg.L2(), domain=fg.Interval(0, 1))
    with pytest.raises(InvalidInput, match="one output"):
        fg.tangent_kernel(fg.models.Symbolic(["a*x", "x"], "x", "a"), [1.0])
