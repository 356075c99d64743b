"""Energy metrics that are equivalent to Sobolev norms: which, dual norms by Green functions, refusals."""

import math

import numpy as np
import pytest
import scipy.integrate
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import ConvergenceError, DomainMismatch, GradientDoesNotExist, InvalidInput
from funcgrad.metrics import Energy

FREE, FIXED = fg.Interval(0, 1), fg.Interval(0, 1, "dirichlet")
SQUARE, PINNED = fg.Box([(0, 1), (0, 1)]), fg.Box([(0, 1), (0, 1)], boundary="dirichlet")
CIRCLE = fg.Circle(2 * np.pi)
ROBIN = fg.Integral("u_x**2/2") + 100.0 * fg.EmpiricalLoss([0.0, 1.0], [0.0, 0.0])
PAIR = fg.Integral("u_x**2 + u_x*v_x + v_x**2 + 2*u**2 + v**2 + u*v", unknowns="u v")


def at_zero(functional, domain, components=(), n=9):
    """The energy metric at the function zero."""
    grid = domain.grid(n)
    return Energy(functional).at(grid.function(np.zeros((len(grid), *components))))


# functional, domain, order of the equivalent norm, bounds of the highest coefficients
ELLIPTIC = [
    (fg.Integral("(1 + x)*u**2/2"), FREE, 0, (1, 2)),
    (fg.Integral("u_x**2/2 + u**2/2"), FREE, 1, (1, 1)),
    (fg.Integral("u_x**2/2"), FIXED, 1, (1, 1)),
    (fg.Integral("(1 + x)**2*u_x**2/2 + u*u_x/2"), FIXED, 1, (1, 4)),
    (fg.Integral("(2 + sin(x))*u_x**2/2 + u**2"), CIRCLE, 1, (1, 3)),
    (ROBIN, FREE, 1, (1, 1)),
    (fg.Integral("(u_x**2 - u**2)/2"), FIXED, 1, (1, 1)),  # π² > 1
    (fg.Integral("u_xx**2 + u**2"), FREE, 2, (2, 2)),
    (fg.Integral("u_xx**2"), FIXED, 2, (2, 2)),
    (fg.Integral("u_x**2 + u_y**2 + u_x*u_y + u**2", "x y"), SQUARE, 1, (1, 3)),
    (fg.Integral("u_xx**2 + u_xy**2 + u_yy**2 + u**2", "x y"), SQUARE, 2, (2, 2)),
    (fg.Integral("u_x**2 + u_y**2 + u_z**2 + u**2", "x y z"), fg.Sphere(), 1, (2, 2)),
    (fg.Integral("u_x**2 + u_y**2 + u_z**2 + u**2", "x y z"), fg.Box([(0, 1)] * 3), 1, (2, 2)),
]


@pytest.mark.parametrize(("functional", "domain", "order", "bounds"), ELLIPTIC, ids=repr)
def test_elliptic_energies_have_the_thresholds_of_their_sobolev_norm(functional, domain, order, bounds):
    """H^k bounds ∂^αδ iff k > n/2 + |α|, for every α of order 0 and 1."""
    metric = at_zero(functional, domain, n=6)
    assert metric.equivalence.metric.order == order
    for found, exact in zip(metric.equivalence.coefficients, bounds, strict=True):
        assert found == pytest.approx(exact, rel=0.02)  # of the nodes, none at an end
    point = [0.6, 0.0, 0.8] if isinstance(domain, fg.Sphere) else [0.3, 0.4, 0.35][: domain.dimension]
    for alpha in ((0,) * len(point), (1, *[0] * (len(point) - 1))):
        c = fg.PointEvaluation(point, alpha)
        verdict = fg.gradient_exists(c, metric, domain)
        assert verdict.exists is (order > domain.dimension / 2 + sum(alpha))
        assert verdict.threshold == domain.dimension / 2 + sum(alpha)
        assert "equivalent to" in verdict.reason
        assert verdict.evidence.verdict in (verdict.exists, None)
        assert verdict.exists or metric.dual_norm(c, domain) == math.inf


def test_components_have_thresholds_together():
    metric = at_zero(PAIR, FREE, (2,))
    low, high = metric.equivalence.coefficients
    assert (low, high) == pytest.approx((1.0, 3.0))
    assert fg.gradient_exists(fg.PointEvaluation(0.3, weight=[1.0, 2.0]), metric, FREE).exists is True


@given(
    amplitude=st.floats(0.0, 0.8),
    wave=st.integers(1, 4),
    mass=st.floats(0.2, 3.0),
    seed=st.integers(0, 10**6),
)
def test_the_norms_are_equivalent(amplitude, wave, mass, seed):
    """lower ‖u‖² <= <u, u> <= upper ‖u‖², and c's dual norm lies between that of H^1 over the roots."""
    functional = fg.Integral(f"(1 + {amplitude}*cos({wave}*x))*u_x**2/2 + {mass}*u**2/2")
    metric = at_zero(functional, CIRCLE, n=11)
    known, H1 = metric.equivalence, fg.Sobolev(1.0)
    least, largest = min(1 - amplitude, mass), max(1 + amplitude, mass)
    assert least * (1 - 1e-9) <= known.lower <= known.upper <= largest * (1 + 1e-9)
    # On functions that neither grid of the comparison holds.
    u = CIRCLE.grid(41).function(np.random.default_rng(seed).normal(size=41))
    squared = H1.norm(u) ** 2
    assert least * squared * (1 - 1e-9) <= metric.norm(u) ** 2 <= largest * squared * (1 + 1e-9)
    c = fg.Density(u)
    dual, of_h1 = metric.dual_norm(c, CIRCLE), H1.dual_norm(c, CIRCLE)
    assert of_h1 / math.sqrt(largest) * (1 - 1e-6) <= dual <= of_h1 / math.sqrt(least) * (1 + 1e-6)


# --- dual norms ------------------------------------------------------------------------------------------


def primitive(x):
    """∫_0^x dt/(1+t)²."""
    return 1 - 1 / (1 + x)


X = 0.3
# functional, domain, derivative, ‖∂^αδ_x‖² = G(x, x), relative accuracy
GREEN = [
    (fg.Integral("u_x**2/2"), FIXED, 0, X * (1 - X), 1e-13),
    (
        fg.Integral("u_x**2 + 4*u**2"),
        FREE,
        0,
        math.cosh(2 * X) * math.cosh(2 - 2 * X) / (4 * math.sinh(2)),
        1e-13,
    ),
    (fg.Integral("(1+x)**2*u_x**2/2"), FIXED, 0, primitive(X) * (1 - primitive(X) / primitive(1)), 1e-5),
    (ROBIN, FREE, 0, (X + 0.01) * (1.01 - X) / 1.02, 1e-5),
    (fg.Integral("u_xx**2/2"), FIXED, 0, X**2 * (1 - X) ** 2 / 3, 1e-5),
    (fg.Integral("u_xx**2/2"), FIXED, 1, 1 / 3 - X + X**2, 1e-5),
]


@pytest.mark.parametrize(("functional", "domain", "derivative", "exact", "accuracy"), GREEN, ids=repr)
def test_dual_norms_of_points_are_green_functions_on_the_diagonal(
    functional, domain, derivative, exact, accuracy
):
    """-(au')' + ... = δ_x solved by hand: a string, a rod, a beam on two supports."""
    found = at_zero(functional, domain).dual_norm(fg.PointEvaluation(X, derivative), domain)
    assert found**2 == pytest.approx(exact, rel=accuracy)


def test_the_dual_norm_on_a_circle_with_a_varying_coefficient():
    """∫au'² + u²: G(x, x) from two solutions of the initial value problem (au')' = u, once around."""
    x = 1.0
    system = scipy.integrate.solve_ivp(
        lambda t, y: [y[1] / (2 + np.sin(t)), y[0], y[3] / (2 + np.sin(t)), y[2]],
        (x, x + 2 * np.pi),
        [1, 0, 0, 1],
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
    )
    u, p, v, q = system.y[:, -1]
    # The periodic solution whose flux jumps by 1 at x: y = G (u, p) + s (v, q).
    g, _ = np.linalg.solve([[u - 1, v], [p, q - 1]], [0.0, 1.0])
    metric = at_zero(fg.Integral("(2 + sin(x))*u_x**2/2 + u**2/2"), CIRCLE)
    assert metric.dual_norm(fg.PointEvaluation(x), CIRCLE) ** 2 == pytest.approx(abs(g), rel=1e-5)


def test_dual_norms_of_densities_and_surfaces():
    """∫ g²/a in the L2 of a; in constant coefficients the Sobolev metric's own."""
    metric, grid = at_zero(fg.Integral("(1 + x)*u**2/2"), FREE), FREE.grid(16)
    exact = scipy.integrate.quad(lambda x: np.exp(2 * x) / (1 + x), 0, 1)[0]
    found = metric.dual_norm(fg.Density(grid.function(np.exp)), FREE)
    assert found**2 == pytest.approx(exact, rel=1e-9)
    chord = fg.SurfaceIntegral(fg.surfaces.Flat([0.2, 0.2], [0.5, 0.3]))
    metric = at_zero(fg.Integral("3*u_x**2 + 3*u_y**2", "x y"), PINNED)
    exact = fg.Sobolev(1, homogeneous=True).dual_norm(chord, PINNED) / math.sqrt(6)
    assert metric.dual_norm(chord, PINNED) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(("boundary", "wave"), [("neumann", np.cos), ("dirichlet", np.sin)])
@pytest.mark.parametrize("n", [8, 16])
def test_the_dual_norm_of_a_functions_own_covector_is_its_norm(boundary, wave, n):
    """‖flat(u)‖² = ∫ u'² + (1 + 3b²)u² at b = 3u, u = sin(2πx) or cos(2πx), by slopes on 8 midpoints."""
    grid = fg.Interval(0, 1, boundary).grid(n, "midpoint")
    u = grid.function(lambda x: wave(2 * np.pi * x))
    metric = fg.metrics.Energy(fg.Integral("u_x**2/2 + u**2/2 + u**4/4")).at(3 * u)
    exact = (4 * np.pi**2 + 1) / 2 + 81 / 8
    assert metric.norm(u) ** 2 == pytest.approx(exact, rel=1e-14)
    assert metric.dual_norm(metric.flat(u), grid.domain) ** 2 == pytest.approx(exact, rel=1e-13)


@settings(max_examples=5)
@given(weights=st.lists(st.integers(-8, 8), min_size=2, max_size=2), shift=st.floats(0.0, 0.2))
def test_grids_approach_dual_norms_from_below(weights, shift):
    """The dual norm over a grid's functions, a subspace, is at most that over all; c ↦ ‖c‖ is a norm."""
    metric = at_zero(fg.Integral("exp(x)*u_x**2/2 + u**2/2"), FREE)
    deltas = [w * fg.PointEvaluation(place + shift) for w, place in zip(weights, (0.1, 0.6), strict=True)]
    whole = metric.dual_norm(deltas[0] + deltas[1], FREE)
    for n in (8, 16, 32):
        assert np.linalg.norm(metric.whiten(deltas[0] + deltas[1], FREE.grid(n))) <= whole * (1 + 1e-5)
    assert whole <= sum(metric.dual_norm(delta, FREE) for delta in deltas) * (1 + 1e-5)


def test_constants_that_have_no_norm():
    """∫u'² with natural conditions: what is not zero on constants is unbounded; ‖δ_x - δ_y‖² = |x - y|."""
    metric = at_zero(fg.Integral("u_x**2/2"), FREE)
    delta, pair = fg.PointEvaluation(0.3), fg.PointEvaluation(0.3) - fg.PointEvaluation(0.7)
    verdict = fg.gradient_exists(delta, metric, FREE)
    assert verdict.exists is False
    assert "constants" in verdict.reason
    assert metric.dual_norm(delta, FREE) == math.inf
    assert fg.gradient_exists(pair, metric, FREE).exists is True
    assert metric.dual_norm(pair, FREE) ** 2 == pytest.approx(0.4, rel=1e-12)
    u = FREE.grid(8).function(np.exp)
    with pytest.raises(GradientDoesNotExist, match="energy norm is zero"):
        fg.gradient(fg.Integral("u_x**2/2 - u"), u, Energy(fg.Integral("u_x**2/2 - u")))


# --- what is not covered ------------------------------------------------------------------------------------

UNKNOWN = [
    (fg.Integral("x**2*u_x**2/2 + u**2"), FREE, "not bounded, or not resolved"),
    (fg.Integral("x**0.2*u_x**2/2 + u**2"), FREE, "not bounded, or not resolved"),
    (fg.Integral("u_x**2/2 + u**2", "x y"), PINNED, "not positive definite at every point"),
    (fg.Integral("(u_xx + u_yy)**2 + u**2", "x y"), SQUARE, "not positive definite at every point"),
    (fg.Integral("u_xx**2"), FREE, "not constant have energy norm zero"),
    (fg.Integral("(u_x**2 - 12*u**2)/2"), FIXED, "not positive"),  # π² < 12
    (
        fg.Integral("u_x**2 + u_y**2", "x y") + fg.EmpiricalLoss([[0.5, 0.5]], [0.0]),
        SQUARE,
        "not bounded on H",
    ),
    (fg.EmpiricalLoss([0.3, 0.7], [0.0, 0.0]), FREE, "no term that is an integral"),
    (fg.Integral("u_x**2/2").composed(np.exp, np.exp, np.exp), FIXED, "its action only"),
    (fg.Integral("u_x**2/2 + u**2"), fg.Euclidean(1), "bounded"),
]


@pytest.mark.parametrize(("functional", "domain", "reason"), UNKNOWN, ids=repr)
def test_what_is_missing_is_said(functional, domain, reason):
    metric = at_zero(functional, domain, n=8)
    point = fg.PointEvaluation([0.3, 0.4][: domain.dimension])
    with pytest.raises(InvalidInput, match=reason):
        metric.dual_norm(point, domain)
    exists, why = metric.analysis(point)
    assert exists is None
    assert reason in why


def test_existence_is_left_open_where_no_equivalence_is_known():
    metric = at_zero(fg.Integral("(u_xx + u_yy)**2 + u**2", "x y"), SQUARE, n=5)
    verdict = fg.gradient_exists(fg.PointEvaluation([0.3, 0.4]), metric, SQUARE)
    assert verdict.exists is None
    assert "not positive definite" in verdict.reason


def test_other_domains_and_slow_convergence_are_refused():
    metric = at_zero(fg.Integral("2*u_x**2 + u_y**2", "x y"), PINNED)
    with pytest.raises(DomainMismatch):
        metric.dual_norm(fg.PointEvaluation([0.5, 0.5]), SQUARE)
    chord = fg.SurfaceIntegral(fg.surfaces.Flat([0.2, 0.2], [0.5, 0.3]))
    with pytest.raises(ConvergenceError, match="known to a relative"):
        metric.dual_norm(chord, PINNED)


def test_a_sum_with_an_energy_is_as_strong_as_the_energy():
    total = fg.L2() + at_zero(fg.Integral("(1 + x)*u_x**2/2 + u**2"), FREE)
    assert fg.gradient_exists(fg.PointEvaluation(0.3), total, FREE).exists is True
    assert fg.gradient_exists(fg.PointEvaluation(0.3, 1), total, FREE).exists is False
