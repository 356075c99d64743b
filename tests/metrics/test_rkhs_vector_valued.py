"""RKHS metrics of matrix-valued kernels: reproducing property, least-norm interpolants, natural gradients."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.kernels import Gaussian, Matern, MatrixKernel

UNIT = fg.Interval(0, 1)
B = np.array([[2.0, 0.7], [0.7, 1.0]])
COUPLED = MatrixKernel(B, Matern(2.5, 0.5))
SUM = COUPLED + MatrixKernel([[1.0, -0.3], [-0.3, 0.5]], Matern(1.5))
PAIR = fg.models.Symbolic(["a*sin(x + b)", "c*x + a"], "x", "a b c")
THETA = np.array([1.2, 0.4, -0.5])


@pytest.mark.parametrize("kernel", [COUPLED, SUM], ids=["separable", "sum"])
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_sections_reproduce_and_dual_norms_are_quadratic_forms(kernel, seed):
    """<u, K(., y)c> = c·u(y) and ‖c·δ_y‖² = cᵀK(y, y)c, with first derivatives as well."""
    rng = np.random.default_rng(seed)
    space, grid = fg.RKHS(kernel), UNIT.grid(6)
    nodes = rng.normal(size=(6, 2))
    u = fg.Function(grid, kernel.matvec(grid.nodes, grid.nodes, nodes))
    y, c = grid.nodes[2], rng.normal(size=2)
    covector = fg.PointEvaluation(y, weight=c)
    g = space.riesz(covector, grid)
    np.testing.assert_allclose(g.values, kernel.matvec(grid.nodes, y, c[None]), rtol=1e-13)
    tolerance = 1e-13 * np.linalg.cond(kernel.gram(grid.nodes))
    assert space.inner(u, g) == pytest.approx(c @ u.values[2], abs=tolerance * space.norm(u) * space.norm(g))
    assert space.norm(u) ** 2 == pytest.approx(np.sum(nodes * u.values), rel=tolerance)
    assert space.dual_norm(covector, UNIT) ** 2 == pytest.approx(c @ kernel(y, y)[0] @ c, rel=1e-13)
    slope = fg.PointEvaluation(0.3, derivative=1, weight=c)
    section = kernel.derivative(1, 1)(0.3, 0.3)
    assert space.dual_norm(slope, UNIT) ** 2 == pytest.approx(c @ section @ c, rel=1e-12)
    mixed = covector - 2 * slope
    exact = c @ kernel(y, y)[0] @ c + 4 * c @ section @ c - 4 * c @ kernel.derivative(0, 1)(y, [0.3])[0] @ c
    assert space.dual_norm(mixed, UNIT) ** 2 == pytest.approx(exact, rel=1e-10)
    assert space.flat(u)(g) == pytest.approx(space.inner(u, g), abs=tolerance * space.norm(u) * space.norm(g))


def test_independent_components_are_scalar_spaces_side_by_side():
    matern = Matern(1.5)
    space, scalar = fg.RKHS(MatrixKernel(np.eye(2), matern)), fg.RKHS(matern)
    loss, grid = fg.EmpiricalLoss([0.2, 0.9], [[1.0, 0.0], [0.3, -1.0]]), UNIT.grid(8)
    f = grid.function(lambda x: np.column_stack([np.sin(x), np.cos(x)]))
    np.testing.assert_allclose(
        fg.gradient(loss, f, space).values, fg.gradient(loss, f, scalar).values, rtol=1e-13
    )
    assert space.norm(f) == pytest.approx(scalar.norm(f), rel=1e-10)
    coupled = fg.gradient(loss, f, fg.RKHS(COUPLED))
    residuals = f(np.array([0.2, 0.9])) - loss.y
    np.testing.assert_allclose(coupled.values, COUPLED.matvec(grid.nodes, [0.2, 0.9], residuals), rtol=1e-13)


@pytest.mark.parametrize("kernel", [COUPLED, SUM], ids=["separable", "sum"])
def test_the_pulled_back_metric_is_that_of_the_least_norm_interpolant(kernel):
    """G_X = JᵀK_XX⁻¹J, increasing with X; η solves G η = ∂F~."""
    space, loss = fg.RKHS(kernel), fg.EmpiricalLoss([0.2, 0.9], [[1.0, 0.0], [0.3, -1.0]])
    grams = []
    for n in (3, 5, 9):
        grid = UNIT.grid(n, rule="clenshaw-curtis")
        J = PAIR.jacobian(THETA, grid.nodes).reshape(2 * n, 3)
        exact = J.T @ np.linalg.solve(kernel.gram(grid.nodes), J)
        grams.append(fg.gram(PAIR, THETA, space, grid))
        np.testing.assert_allclose(grams[-1], exact, rtol=1e-8, atol=1e-8)
    for coarse, fine in pairwise(grams):
        assert np.linalg.eigvalsh(fine - coarse)[0] > -1e-9
    slope = np.einsum("kap,ka->p", PAIR.jacobian(THETA, loss.x), PAIR(THETA, loss.x) - loss.y)
    for solver in ("qr", "lsmr"):
        step = fg.natural_gradient(loss, PAIR, THETA, space, grid, solver=solver)
        # dF on the least-norm interpolants of the tangent functions, which is not quite ∂F~.
        np.testing.assert_allclose(step.direction, np.linalg.solve(grams[-1], slope), rtol=2e-2)
    at_nodes = fg.EmpiricalLoss(grid.nodes[[1, 6]], loss.y)
    slope = np.einsum("kap,ka->p", PAIR.jacobian(THETA, at_nodes.x), PAIR(THETA, at_nodes.x) - at_nodes.y)
    step = fg.natural_gradient(at_nodes, PAIR, THETA, space, grid)
    np.testing.assert_allclose(step.direction, np.linalg.solve(grams[-1], slope), rtol=1e-7)


def test_bad_kernels_and_covectors_are_refused():
    space = fg.RKHS(COUPLED)
    with pytest.raises(InvalidInput, match="functions with 2 components"):
        space.dual_norm(fg.PointEvaluation(0.3), UNIT)
    with pytest.raises(NotPositiveDefinite, match="a coupling is singular"):
        fg.RKHS(MatrixKernel(np.ones((2, 2)), Gaussian())).square_root(UNIT.grid(3))
    with pytest.raises(InvalidInput, match="at most 4096 nodes"):
        space.square_root(UNIT.grid(5000, rule="midpoint"))
    assert fg.RKHS(MatrixKernel(B, Matern(0.5))).dual_norm(
        fg.PointEvaluation(0.3, derivative=1, weight=[1.0, 0.0]), UNIT
    ) == float("inf")
    assert (
        fg.gradient_exists(fg.PointEvaluation(0.3, derivative=1, weight=[1.0, 2.0]), space, UNIT).exists
        is True
    )
    with pytest.raises(InvalidInput, match="as many points"):
        COUPLED([0.1, 0.2], [0.1, 0.2, 0.3])
    with pytest.raises(InvalidInput, match="`v` must have 2 columns"):
        COUPLED.matvec([0.1], [0.2, 0.3], [[1.0, 2.0]])
