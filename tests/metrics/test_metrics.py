"""L2 and Sobolev metrics: closed forms of representers and dual norms, square roots, flat and riesz."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput

EPS = np.finfo(float).eps
CIRCLE = fg.Circle(2 * np.pi)


def circle_kernel(x, y, length=2 * np.pi):
    """The Green function of 1 - Δ on the circle (theory, closed form 4)."""
    d = np.abs((x - y + length / 2) % length - length / 2)
    return np.cosh(length / 2 - d) / (2 * np.sinh(length / 2))


def test_representer_of_a_point_on_the_circle_converges_to_the_closed_form():
    """The representer on n nodes is the kernel's Fourier series cut at n/2, plus half a wave there.

    At the point itself every dropped term has the same sign: the error is Σ_{k > n/2} 1/(π(1+k²)),
    between 2/(πn) (1 - 2/n) and 2/(πn). In L2 the dropped tail is (Σ_{k > n/2} 1/(π(1+k²)²))^{1/2}, so
    the orders are 1 and 3/2.
    """
    at_point, in_l2 = [], []
    for n in (64, 128, 256, 512, 1024):
        grid = CIRCLE.grid(n)
        g = fg.Sobolev(1.0).riesz(fg.PointEvaluation(0.3), grid)
        at_point.append(abs(g(0.3) - circle_kernel(0.3, 0.3)))
        fine = CIRCLE.grid(16 * n)
        in_l2.append(
            np.sqrt(fine.integrate((fine.function(g).values - circle_kernel(fine.nodes[:, 0], 0.3)) ** 2))
        )
        if n == 256:
            assert 2 / (np.pi * n) * (1 - 2 / n) < at_point[-1] < 2 / (np.pi * n) * (1 + 2 / n)
    orders = np.log2(np.divide(at_point[:-1], at_point[1:]))
    assert np.all(np.abs(orders - 1) < 0.02)
    orders = np.log2(np.divide(in_l2[:-1], in_l2[1:]))
    assert np.all(np.abs(orders - 1.5) < 0.1)


def test_squared_dual_norm_of_a_point_is_half_coth():
    for length in (0.5, 2 * np.pi, 40.0):
        squared = fg.Sobolev(1.0).dual_norm(fg.PointEvaluation(0.3), fg.Circle(length)) ** 2
        assert squared == pytest.approx(0.5 / np.tanh(length / 2), rel=32 * EPS)


@pytest.mark.parametrize("s", [0.6, 0.75, 1.3, 2.0, 3.5])
def test_dual_norm_on_the_circle_is_the_sum_over_modes(s):
    """The tail is expanded in powers of 1/k, which Hurwitz's zeta function sums exactly."""
    length, scale, first = 3.0, 0.7, 200
    with mpmath.workdps(30):
        omega = 2 * mpmath.pi * scale / length
        total = mpmath.fsum((1 + (omega * k) ** 2) ** mpmath.mpf(-s) for k in range(1, first))
        for j in range(8):
            power = 2 * mpmath.mpf(s) + 2 * j
            total += mpmath.binomial(-s, j) * omega**-power * mpmath.zeta(power, first)
        total = (1 + 2 * total) / length
    squared = fg.Sobolev(s, scale).dual_norm(fg.PointEvaluation(1.1), fg.Circle(length)) ** 2
    assert squared == pytest.approx(float(total), rel=1e-13)


def test_h1_gradient_solves_the_neumann_problem():
    """g - g'' = 2x with g' = 0 at both ends, for F = ∫u² at u = x, on 40 Gauss-Legendre points."""
    grid = fg.Interval(0, 1).grid(40)
    g = fg.gradient(2 * fg.PopulationLoss(lambda x: 0.0), grid.function(lambda x: x), fg.Sobolev(1.0))
    x = grid.nodes[:, 0]
    a = 2 * (np.cosh(1) - 1) / np.sinh(1)
    exact = 2 * x + a * np.cosh(x) - 2 * np.sinh(x)
    assert np.abs(g.values - exact).max() < 1e-12 * np.abs(exact).max()


def test_h1_gradient_solves_the_dirichlet_problem():
    """g - ℓ²g'' = 1 with g = 0 at both ends is 1 - cosh((x-½)/ℓ)/cosh(1/(2ℓ))."""
    grid, scale = fg.Interval(0, 1, "dirichlet").grid(40), 0.3
    g = fg.Sobolev(1.0, scale).riesz(fg.Density(grid.function(lambda x: 1.0)), grid)
    exact = 1 - np.cosh((grid.nodes[:, 0] - 0.5) / scale) / np.cosh(0.5 / scale)
    assert np.abs(g.values - exact).max() < 1e-12


GRIDS = [
    fg.Circle(3.0).grid(7),
    fg.Circle(3.0).grid(12),
    fg.Interval(-2, 1).grid(9),
    fg.Interval(-2, 1).grid(10, rule="clenshaw-curtis"),
    fg.Interval(-2, 1).grid(8, rule="midpoint"),
    fg.Interval(-2, 1, "dirichlet").grid(8, rule="midpoint"),
]


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_l2_gradient_of_the_square_at_one_is_two(grid):
    """A factor of the cell volume would scale with the grid."""
    g = fg.gradient(2 * fg.PopulationLoss(lambda x: 0.0), grid.function(lambda x: 1.0), fg.L2())
    np.testing.assert_allclose(g.values, 2.0, rtol=4 * EPS)


METRICS = [
    (grid, metric)
    for grid in [*GRIDS, fg.Interval(0, 1, "dirichlet").grid(9)]
    for metric in (fg.L2(), fg.Sobolev(1.0), fg.Sobolev(-0.7, 0.5), fg.Sobolev(2.5, 0.1))
    if metric.order in (0, 1) or grid.rule in ("trapezoid", "midpoint")
]


def members(grid, count=3, seed=0):
    """Random functions of a grid's space, vanishing at Dirichlet ends."""
    values = np.random.default_rng(seed).normal(size=(count, len(grid)))
    if grid.domain.boundary == "dirichlet" and grid.rule != "midpoint":
        a, b = grid.domain.a, grid.domain.b
        coarse = fg.Interval(a, b).grid(len(grid) - 2)
        x = grid.nodes[:, 0]
        values = [(x - a) * (b - x) * coarse.function(v[:-2])(x) for v in values]
    return [grid.function(v) for v in values]


@pytest.mark.parametrize(("grid", "metric"), METRICS, ids=str)
def test_a_metric_is_symmetric_positive_and_its_riesz_map_inverts_flat(grid, metric):
    u, v, w = members(grid)
    # S loses its condition number in ulps: the symbol's range, or N² for differentiation matrices.
    root = metric.square_root(grid)
    condition = 1 + max(np.ptp(metric.symbol(np.array([0.0, (4 * len(grid)) ** 2]))), 1.0)
    tolerance = 100 * EPS * condition
    scale = metric.norm(u) * metric.norm(v)
    assert metric.inner(u, v) == pytest.approx(metric.inner(v, u), abs=EPS * scale)
    assert metric.inner(u, 2 * v - w) == pytest.approx(
        2 * metric.inner(u, v) - metric.inner(u, w), abs=tolerance * metric.norm(u) * metric.norm(2 * v - w)
    )
    assert metric.inner(u, u) == pytest.approx(metric.norm(u) ** 2, rel=8 * EPS * len(grid))
    assert metric.flat(u)(v) == pytest.approx(metric.inner(u, v), abs=tolerance * scale)
    back = metric.riesz(metric.flat(u), grid)
    assert metric.norm(back - u) <= tolerance * metric.norm(u)
    # S and Sᵀ are adjoint, `solve` inverts S, and `solve_transpose` is in its range.
    r = np.random.default_rng(1).normal(size=root.apply(u.values).shape)
    assert root.apply(u.values) @ r == pytest.approx(
        u.values @ root.apply_transpose(r), abs=tolerance * np.linalg.norm(r) * metric.norm(u)
    )
    np.testing.assert_allclose(
        root.solve(root.apply(u.values)), u.values, atol=tolerance * np.abs(u.values).max()
    )


@pytest.mark.parametrize(("grid", "metric"), METRICS, ids=str)
def test_a_metric_acts_on_each_component(grid, metric):
    u, v, _ = members(grid)
    both = grid.function(np.column_stack([u.values, v.values]))
    assert metric.norm(both) ** 2 == pytest.approx(metric.norm(u) ** 2 + metric.norm(v) ** 2)
    c = metric.flat(both)
    np.testing.assert_allclose(
        metric.riesz(c, grid).values, both.values, rtol=0, atol=1e-9 * np.abs(both.values).max()
    )


@given(s=st.floats(-3, 3), t=st.floats(-3, 3), scale=st.floats(0.05, 2), n=st.integers(1, 24))
def test_riesz_of_h_s_raises_regularity_as_a_semigroup(s, t, scale, n):
    """Representing in H^s a density that was made by flat of H^t leaves (1-Δ)^{t-s}."""
    grid = CIRCLE.grid(n)
    u = grid.function(np.random.default_rng(n).normal(size=n))
    step = fg.Sobolev(s, scale).riesz(fg.Sobolev(t, scale).flat(u), grid)
    direct = fg.Sobolev(0, scale).riesz(fg.Sobolev(t - s, scale).flat(u), grid)
    condition = (1 + (scale * n) ** 2) ** (abs(s) + abs(t))
    assert np.abs(step.values - direct.values).max() <= 50 * EPS * condition * np.abs(u.values).max()


@pytest.mark.parametrize("s", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("domain", [CIRCLE, fg.Interval(0, 1), fg.Interval(0, 1, "dirichlet")], ids=str)
def test_norms_of_representers_converge_to_the_dual_norm_at_order_2s_minus_1(domain, s):
    c = fg.PointEvaluation(0.3) + 2 * fg.PointEvaluation(0.8)
    exact = fg.Sobolev(s).dual_norm(c, domain) ** 2
    rule = {} if domain is CIRCLE else {"rule": "midpoint"}
    errors = []
    for n in (200, 400, 800, 1600):
        grid = domain.grid(n, **rule)
        errors.append(exact - fg.Sobolev(s).norm(fg.Sobolev(s).riesz(c, grid)) ** 2)
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(np.abs(orders - (2 * s - 1)) < 0.1), orders


def test_dual_norm_of_densities_and_points_together():
    """‖δ_x + g‖² = K(x,x) + 2 u(x) + ∫ g u with u = (1-Δ)^{-1} g; for g = cos: u = g/2."""
    grid, s = CIRCLE.grid(32), fg.Sobolev(1.0)
    c = fg.PointEvaluation(0.3) + fg.Density(grid.function(np.cos))
    exact = circle_kernel(0.3, 0.3) + 2 * np.cos(0.3) / 2 + np.pi / 2
    assert s.dual_norm(c, CIRCLE) ** 2 == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("excess", [0.05, 0.5, 1.3, 4.0])
def test_dual_norm_of_a_point_of_euclidean_space_is_a_quotient_of_gamma_functions(n, excess):
    """‖δ_x‖² = Γ(s - n/2) / ((4π)^{n/2} Γ(s) ℓ^n) (theory, closed form 2)."""
    s, scale = n / 2 + excess, 0.7
    exact = math.gamma(s - n / 2) / ((4 * math.pi) ** (n / 2) * math.gamma(s) * scale**n)
    delta = fg.PointEvaluation(np.full(n, 0.3))
    assert fg.Sobolev(s, scale).dual_norm(delta, fg.Euclidean(n)) ** 2 == pytest.approx(exact, rel=1e-12)
    assert fg.Sobolev(n / 2, scale).dual_norm(delta, fg.Euclidean(n)) == np.inf


def test_dual_norm_of_derivatives():
    """‖∂δ‖² in H^{-2} on the circle is L^{-1} Σ ω²/(1+ω²)²."""
    k = np.arange(1, 10**6)
    partial = 2 * np.sum(k**2 / (1 + k**2.0) ** 2) / (2 * np.pi)
    tail = 2 / (2 * np.pi) / (10**6 - 0.5)
    squared = fg.Sobolev(2.0).dual_norm(fg.PointEvaluation(0.3, derivative=1), CIRCLE) ** 2
    assert squared == pytest.approx(partial + tail, rel=1e-11)


def test_dual_norm_is_infinite_exactly_up_to_the_threshold():
    delta = fg.PointEvaluation(0.3)
    assert fg.L2().dual_norm(delta, CIRCLE) == np.inf
    assert fg.Sobolev(0.5).dual_norm(delta, CIRCLE) == np.inf
    assert np.isfinite(fg.Sobolev(0.51).dual_norm(delta, CIRCLE))


def test_bad_input_gets_one_clear_error():
    f, g = CIRCLE.grid(4).function(np.cos), CIRCLE.grid(6).function(np.cos)
    with pytest.raises(DomainMismatch, match="different grids"):
        fg.L2().inner(f, g)
    with pytest.raises(InvalidInput, match="`length_scale` must be positive"):
        fg.Sobolev(1.0, 0.0)
    with pytest.raises(InvalidInput, match="`order` must be finite"):
        fg.Sobolev(np.nan)
    pinned = fg.Interval(0, 1, "dirichlet").grid(8)
    with pytest.raises(DomainMismatch, match="is not in the Sobolev space with Dirichlet"):
        fg.Sobolev(1.0).norm(pinned.function(lambda x: 1.0 + x))
    with pytest.raises(InvalidInput, match="at least 3 nodes"):
        fg.Sobolev(1.0).norm(fg.Interval(0, 1, "dirichlet").grid(2).function(lambda x: 0.0))
