"""RKHS metrics: the reproducing property, least-norm interpolants, dual norms of every kind of covector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.functionals.covector import Covector

EPS = np.finfo(float).eps
INTERVAL = fg.Interval(0, 1)
KERNELS = [
    fg.kernels.Matern(1.5),
    fg.kernels.Sobolev(2.0, 1, length_scale=0.3),
    fg.kernels.IntervalSobolev(1.0, 0, 1),
    fg.kernels.Gaussian(0.5),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_a_point_evaluation_is_represented_by_the_kernels_section(kernel):
    H, grid = fg.RKHS(kernel), INTERVAL.grid(6)
    g = H.riesz(fg.PointEvaluation(0.3, weight=2.0), grid)
    np.testing.assert_allclose(g.values, 2 * kernel.gram(grid.nodes, [0.3])[:, 0], rtol=4 * EPS)
    assert H.dual_norm(fg.PointEvaluation(0.3), INTERVAL) ** 2 == pytest.approx(kernel(0.3, 0.3), rel=4 * EPS)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_the_gradient_of_a_loss_is_the_kernel_expansion_of_its_residuals(kernel):
    x, y = np.array([0.2, 0.5, 0.9]), np.array([1.0, -1.0, 0.5])
    f = INTERVAL.grid(8).function(np.cos)
    g = fg.gradient(fg.EmpiricalLoss(x, y), f, fg.RKHS(kernel))
    expected = kernel.gram(f.grid.nodes, x) @ (f(x) - y)
    np.testing.assert_allclose(g.values, expected, rtol=1e-14, atol=1e-15)


@given(seed=st.integers(0, 1000))
def test_inner_products_are_those_of_least_norm_interpolants(seed):
    """<u, v> = uᵀK⁻¹v, and the representer of v ↦ <u, v> is u."""
    rng = np.random.default_rng(seed)
    H, grid = fg.RKHS(KERNELS[0]), INTERVAL.grid(5)
    u, v = (grid.function(rng.normal(size=5)) for _ in range(2))
    gram = H.kernel.gram(grid.nodes)
    tolerance = 20 * EPS * np.linalg.cond(gram)
    expected = u.values @ np.linalg.solve(gram, v.values)
    assert H.inner(u, v) == pytest.approx(expected, abs=tolerance * H.norm(u) * H.norm(v))
    np.testing.assert_allclose(
        H.riesz(H.flat(u), grid).values, u.values, atol=tolerance * np.abs(u.values).max()
    )


def test_the_norm_of_an_interpolant_increases_to_the_functions_norm():
    """K(x, .) has norm √K(x,x); its interpolants from nested nodes have less, and tend to it."""
    kernel = KERNELS[0]
    H = fg.RKHS(kernel)
    grids = [INTERVAL.grid(n, rule="clenshaw-curtis") for n in (2, 3, 5, 9, 17, 33)]
    norms = [H.norm(H.riesz(fg.PointEvaluation(0.3), grid)) for grid in grids]
    assert np.all(np.diff(norms) > -1e-12)
    assert norms[-1] <= 1 + 1e-12
    assert norms[-1] == pytest.approx(1.0, abs=1e-4)


def test_dual_norms_of_sums_of_every_kind():
    """‖c‖² is c applied to its own representer, whatever the terms."""
    H = fg.RKHS(fg.kernels.Sobolev(3.0, 1))
    grid = INTERVAL.grid(30)
    c = (
        fg.PointEvaluation(0.3)
        - 2 * fg.PointEvaluation(0.6, derivative=1)
        + fg.PointEvaluation(0.1, derivative=2)
        + fg.Density(grid.function(np.exp))
    )
    g = INTERVAL.grid(60).function(H.representer(c)(INTERVAL.grid(60).nodes))
    # The representer is C² with a kink above: polynomials approximate its second derivative at rate n^-1.
    assert H.dual_norm(c, INTERVAL) ** 2 == pytest.approx(c(g), rel=2e-2)
    smooth = fg.PointEvaluation(0.3) + fg.Density(grid.function(np.exp))
    g = INTERVAL.grid(400).function(H.representer(smooth)(INTERVAL.grid(400).nodes))
    assert H.dual_norm(smooth, INTERVAL) ** 2 == pytest.approx(smooth(g), rel=1e-9)


def test_sobolev_and_its_kernel_give_one_dual_norm():
    for s in (1.0, 1.75):
        c = fg.PointEvaluation(0.3) - fg.PointEvaluation(0.8)
        H = fg.RKHS(fg.kernels.IntervalSobolev(s, 0, 1))
        assert H.dual_norm(c, INTERVAL) == pytest.approx(fg.Sobolev(s).dual_norm(c, INTERVAL), rel=1e-13)


@pytest.mark.parametrize(
    ("kernel", "highest"),
    [(fg.kernels.Matern(nu), bounded) for nu, bounded in ((0.5, 0), (0.8, 0), (1.5, 1), (1.2, 1), (2.5, 2))]
    + [(fg.kernels.Gaussian(0.5), 9), (fg.kernels.IntervalSobolev(1.0, 0, 1), 0)],
    ids=repr,
)
@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_existence_in_an_rkhs_by_smoothness_and_by_difference_quotients(kernel, highest, derivative):
    existence = fg.gradient_exists(fg.PointEvaluation(0.4, derivative), fg.RKHS(kernel), INTERVAL)
    assert existence.exists is (derivative <= highest)
    assert existence.evidence.verdict is (derivative <= highest)
    if derivative:
        predicted = max(2 * derivative - kernel.smoothness, -2)
        assert existence.evidence.fitted_growth == pytest.approx(predicted, abs=0.1)


def test_derivatives_are_bounded_exactly_up_to_the_kernels_smoothness():
    for nu, bounded in ((0.5, 0), (1.5, 1), (2.5, 2)):
        H = fg.RKHS(fg.kernels.Matern(nu))
        for derivative in range(4):
            norm = H.dual_norm(fg.PointEvaluation(0.3, derivative=derivative), INTERVAL)
            assert np.isfinite(norm) == (derivative <= bounded)


def test_the_natural_gradient_in_an_rkhs_is_a_projection_of_the_expansion():
    """η solves JᵀK⁻¹J η = JᵀK⁻¹g on the nodes, with g the kernel expansion."""
    model, theta = fg.models.Symbolic("a*exp(-b*x)", "x", "a b"), np.array([1.0, 0.5])
    loss, H, grid = fg.EmpiricalLoss([0.2, 0.7], [0.5, 1.0]), fg.RKHS(KERNELS[0]), INTERVAL.grid(10)
    step = fg.natural_gradient(loss, model, theta, H, grid)
    gram, jacobian = H.kernel.gram(grid.nodes), model.jacobian(theta, grid.nodes)
    residuals = model(theta, loss.x) - loss.y
    g = H.kernel.gram(grid.nodes, loss.x) @ residuals
    weighted = np.linalg.solve(gram, jacobian)
    expected = np.linalg.solve(weighted.T @ jacobian, weighted.T @ g)
    np.testing.assert_allclose(step.direction, expected, rtol=1e-9)


def test_several_components_are_taken_one_by_one():
    H, grid = fg.RKHS(KERNELS[0]), INTERVAL.grid(5)
    c = fg.PointEvaluation(0.3, weight=[1.0, -2.0])
    g = H.riesz(c, grid)
    assert g.values.shape == (5, 2)
    np.testing.assert_allclose(g.values[:, 1], -2 * g.values[:, 0])
    assert H.dual_norm(c, INTERVAL) ** 2 == pytest.approx(5.0)


def test_bad_input_gets_one_clear_error():
    with pytest.raises(InvalidInput, match="`kernel` must be a Kernel"):
        fg.RKHS(lambda x, y: x * y)
    with pytest.raises(InvalidInput, match="`c` must be a Covector"):
        fg.RKHS(KERNELS[0]).representer(np.ones(3))
    with pytest.raises(NotPositiveDefinite, match="not positive definite to rounding"):
        fg.RKHS(fg.kernels.Gaussian(1.0)).square_root(INTERVAL.grid(40))
    np.testing.assert_array_equal(fg.RKHS(KERNELS[0]).representer(Covector())([0.1, 0.2]), [0, 0])
