"""H^1 on product grids of polynomials: exact norms, fast solves against dense algebra, models."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import sympy
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.operators.tensor_derivative_root import TensorDerivativeRoot

EPS = np.finfo(float).eps
BOUNDARIES = ["neumann", "dirichlet", ("dirichlet", "neumann")]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=str)
@pytest.mark.parametrize("definition", ["spectral", "derivative"])
def test_norm_of_a_polynomial_is_exact(boundary, definition):
    """∫ u² + ℓ²|∇u|², by sympy, for a polynomial that satisfies every condition."""
    x, y = sympy.symbols("x y")
    u = x**2 * (1 - x) * y * (2 - y) ** 2
    ell = sympy.Rational(3, 10)
    square = u**2 + ell**2 * (sympy.diff(u, x) ** 2 + sympy.diff(u, y) ** 2)
    exact = float(sympy.integrate(sympy.integrate(sympy.expand(square), (x, 0, 1)), (y, 0, 2)))
    f = sympy.lambdify((x, y), u)
    grid = fg.Box([(0, 1), (0, 2)], boundary).grid((6, 7))
    metric = fg.Sobolev(1, 0.3, definition=definition)
    v = grid.function(f)
    assert abs(metric.norm(v) ** 2 / exact - 1) < 1e-13
    assert abs(metric.flat(v)(v) / exact - 1) < 1e-13


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=str)
@pytest.mark.parametrize("rule", ["gauss-legendre", "gauss-lobatto", "clenshaw-curtis"])
@given(seed=st.integers(0, 1000))
def test_solves_agree_with_dense_least_squares(boundary, rule, seed):
    """solve, solve_transpose and the square against S as a matrix, on the functions that vanish."""
    rng = np.random.default_rng(seed)
    grid = fg.Box([(0, 1), (-1, 2)], boundary).grid((5, 6), rule=rule)
    root = TensorDerivativeRoot(grid, 0.7, (0.2, 1.3))
    matrix = root._stacked(np.eye(len(grid)))
    edges = root.boundary_points
    basis = np.eye(len(grid)) if edges is None else scipy.linalg.null_space(grid.interpolation_matrix(edges))
    r, c = rng.normal(size=len(matrix)), rng.normal(size=(len(grid), 2))
    dense = basis @ np.linalg.lstsq(matrix @ basis, r)[0]
    np.testing.assert_allclose(root.solve(r), dense, rtol=0, atol=1e-11 * np.abs(dense).max())
    dense = matrix @ basis @ np.linalg.pinv(basis.T @ matrix.T @ matrix @ basis) @ (basis.T @ c)
    np.testing.assert_allclose(root.solve_transpose(c), dense, rtol=0, atol=1e-10 * np.abs(dense).max())
    np.testing.assert_allclose(
        root.apply_transpose(r), matrix.T @ r, rtol=0, atol=1e-12 * np.abs(matrix).max()
    )
    assert root.jets[0].points is grid.nodes


@pytest.mark.parametrize("n", [16, 64])
def test_the_whitened_covector_is_one_to_rounding(n):
    """Sᵀr = c to N² ulp, whatever the size of the grid: nothing of N² numbers is factored."""
    grid = fg.Box([(0, 1), (0, 1)]).grid(n)
    root = fg.Sobolev(1).square_root(grid)
    c = fg.PointEvaluation([0.3, 0.4]).components(grid)
    missed = np.abs(root.apply_transpose(root.solve_transpose(c)) - c).max()
    assert missed < EPS * n**2 * np.abs(c).max()


def test_representer_converges_to_the_neumann_series():
    """The representer of a density: Σ over cosines by hand, Neumann conditions being natural."""
    metric, values = fg.Sobolev(1, 0.5), []

    def load(x, y):
        return np.exp(x) * np.cos(2 * y)

    for n in (4, 6, 8, 10):
        grid = fg.Box([(0, 1), (0, 1)]).grid(n)
        values.append(metric.riesz(fg.Density(grid.function(load)), grid)([0.3, 0.8]))
    exact = 0.0
    x = np.polynomial.legendre.leggauss(400)
    t, w = (x[0] + 1) / 2, x[1] / 2
    for i, j in itertools.product(range(150), repeat=2):
        a = (w * np.exp(t)) @ np.cos(i * np.pi * t) * (2 if i else 1)
        b = (w * np.cos(2 * t)) @ np.cos(j * np.pi * t) * (2 if j else 1)
        mode = np.cos(i * np.pi * 0.3) * np.cos(j * np.pi * 0.8)
        exact += a * b * mode / (1 + 0.25 * np.pi**2 * (i**2 + j**2))
    errors = np.abs(np.array(values) - exact)
    assert errors[-1] < 1e-6  # of the series, cut off at 150 waves
    assert errors[0] > 20 * errors[-1]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=str)
def test_homogeneous(boundary):
    """<g, v> = ℓ² ∫∇g·∇v = c(v) for v in the space; g has mean zero where constants have norm zero."""
    grid = fg.Box([(0, 1), (0, 2)], boundary).grid((8, 9))
    metric, c = fg.Sobolev(1, 0.4, homogeneous=True), fg.PointEvaluation([0.3, 1.1])
    g = metric.riesz(c, grid)
    v = metric.riesz(fg.PointEvaluation([0.7, 0.4]), grid)
    assert abs(metric.inner(g, v) - c(v)) < 1e-12 * metric.norm(g) * metric.norm(v)
    gradient = sum(
        np.sum(grid.weights * g.derivative_values(a) * v.derivative_values(a)) for a in ((1, 0), (0, 1))
    )
    assert abs(0.16 * gradient - metric.inner(g, v)) < 1e-12 * metric.norm(g) * metric.norm(v)
    if boundary == "neumann":
        assert abs(g.integral()) < 1e-13
        with pytest.raises(InvalidInput, match="mean zero"):
            metric.norm(grid.function(lambda x, y: x))


@pytest.mark.parametrize("outputs", [1, 2])
def test_whitened_jacobian_stacks_the_models_own_derivatives(outputs):
    """A held, streamed, and as products; equal to S of the Jacobian where the grid resolves it."""
    model = fg.models.MLP((2, 5, outputs))
    theta = model.initial(1)
    grid, metric = fg.Box([(0, 1), (0, 1)]).grid(22), fg.Sobolev(1, 0.6)
    held, streamed = (WhitenedJacobian(model, theta, metric, grid, held=held) for held in (True, False))
    a = held.toarray()
    blocks = np.concatenate([streamed.block(rows) for rows in streamed.blocks])
    np.testing.assert_array_equal(blocks, a)
    by_grid = metric.square_root(grid).apply(model.jacobian(theta, grid.nodes)).reshape(a.shape)
    assert np.abs(by_grid - a).max() < 1e-9 * np.abs(a).max()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=a.shape[1]), rng.normal(size=a.shape[0])
    np.testing.assert_allclose(held.matvec(x), a @ x, rtol=0, atol=1e-12 * np.abs(a @ x).max())
    np.testing.assert_allclose(held.rmatvec(y), a.T @ y, rtol=0, atol=1e-12 * np.abs(a.T @ y).max())
    odd = [slice(0, 7), slice(7, 500), slice(500, a.shape[0])]
    np.testing.assert_array_equal(np.concatenate([streamed.block(rows) for rows in odd]), a)


def test_natural_gradient_with_a_model_without_derivatives_takes_the_grids():
    model = fg.models.from_callable(lambda t, x: t[0] * np.sin(x[:, 0]) + t[1] * x[:, 1] ** 2, 2, 2)
    formula = fg.models.Symbolic("a*sin(x) + b*y**2", "x y", "a b")
    grid, loss = fg.Box([(0, 1), (0, 1)]).grid(14), fg.PopulationLoss(lambda x, y: x * y)
    steps = [fg.natural_gradient(loss, m, [1.0, 2.0], fg.Sobolev(1), grid) for m in (model, formula)]
    np.testing.assert_allclose(steps[0].direction, steps[1].direction, rtol=1e-10)


def test_refusals():
    grid = fg.Box([(0, 1), (0, 1)], boundary="dirichlet").grid(8)
    with pytest.raises(DomainMismatch, match="on the boundary"):
        fg.Sobolev(1).norm(grid.function(lambda x, y: x))
    assert fg.Sobolev(1, definition="derivative").norm(grid.function(lambda x, y: x)) > 0
    model = fg.models.MLP((2, 4, 1))
    loss = fg.PopulationLoss(lambda x, y: 0 * x)
    with pytest.raises(DomainMismatch, match="on the boundary"):
        fg.natural_gradient(loss, model, model.initial(0), fg.Sobolev(1), grid)
    with pytest.raises(InvalidInput, match="at least 3 nodes"):
        fg.Sobolev(1).square_root(fg.Box([(0, 1), (0, 1)], boundary="dirichlet").grid(2))
    with pytest.raises(InvalidInput, match="is not available"):
        fg.Sobolev(1.5).square_root(fg.Box([(0, 1), (0, 1)]).grid(4))


def test_fractional_powers_on_gauss_lobatto_grids():
    """‖cos 2πx‖²_s = ½(1 + 4π²)^s: the eigenbasis is that of the grid's own nodes."""
    for s in (0.5, 1.7):
        u = fg.Interval(0, 1).grid(24, rule="gauss-lobatto").function(lambda x: np.cos(2 * np.pi * x))
        assert abs(fg.Sobolev(s).norm(u) ** 2 / (0.5 * (1 + 4 * np.pi**2) ** s) - 1) < 1e-10
