"""The table of thresholds (theory, section 3): points, derivatives, surfaces, densities, on every domain."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad import surfaces
from funcgrad.errors import ContradictoryEvidence, ConvergenceError, GradientDoesNotExist, InvalidInput
from funcgrad.functionals import Regularity
from funcgrad.functionals.covector import Covector
from funcgrad.functionals.surface_term import SurfaceTerm
from funcgrad.gradients.existence import analyse

PI2 = 2 * np.pi
SPHERE = fg.Sphere()
# Domains of each dimension; the covectors below lie within all of them.
DOMAINS = {
    1: [fg.Euclidean(1), fg.Circle(PI2), fg.Interval(-0.1, 1.3), fg.Interval(-0.1, 1.3, "dirichlet")],
    2: [fg.Euclidean(2), fg.Torus((PI2, 4.0)), fg.Box([(-0.1, 1.3), (-0.2, 2)])],
    3: [fg.Euclidean(3), fg.Torus((PI2, 4.0, 5.0)), fg.Box([(-0.1, 1.3), (-0.2, 2), (-0.1, 1)], "dirichlet")],
}
POINT = [0.37, 0.61, 0.43]


def rows(n):
    """(covector, threshold) for each row of the table in n dimensions."""
    zero = [0] * (n - 1)
    table = [(fg.PointEvaluation(POINT[:n], [j, *zero]), n / 2 + j) for j in range(3)]
    if n > 1:
        table.append((fg.PointEvaluation(POINT[:n], [1, 1, *zero[1:]]), n / 2 + 2))
    flats = {
        2: [surfaces.Flat([0.1, 0.2], [0.9, 1.1]), surfaces.RoundSphere([0.5, 0.6], 0.45)],
        3: [
            surfaces.Flat([0.1, 0.2, 0.1], [0.8, 1.1, 0.5], normal=[11, -8, 0]),
            surfaces.Flat([0.1, 0.2, 0.1], [[0.9, 0, 0], [0, 0.9, 0.3]]),
            surfaces.RoundSphere([0.5, 0.6, 0.45], 0.4),
            surfaces.RoundSphere([0.5, 0.6, 0.45], 0.4, axis=[1, 0, 2]),
        ],
    }
    for surface in flats.get(n, []):
        table += [(fg.SurfaceIntegral(surface, j), surface.codimension / 2 + j) for j in (0, 1)]
    return table


def sphere_rows():
    p = np.array([2.0, 3.0, 6.0]) / 7
    circle = surfaces.SmallCircle(p, 0.9)
    table = [(fg.PointEvaluation(p, [j, 0, 0]), 1 + j) for j in range(3)]
    return table + [(fg.SurfaceIntegral(circle, j), 0.5 + j) for j in range(3)]


CASES = [(domain, *row) for n in (1, 2, 3) for domain in DOMAINS[n] for row in rows(n)]
CASES += [(SPHERE, *row) for row in sphere_rows()]


def named(case):
    return str(case).replace("funcgrad", "")


@pytest.mark.parametrize(("domain", "c", "threshold"), CASES, ids=named)
def test_verdict_and_threshold_of_every_row_on_every_domain(domain, c, threshold):
    for offset in (-3.0, -0.05, 0.0, 0.05, 3.0):
        verdict = analyse(c, fg.Sobolev(threshold + offset), domain)
        assert verdict.exists is (offset > 0)
        assert verdict.threshold == threshold
        assert f"{threshold:g}" in verdict.reason


# On the torus of side 2π the modes that are summed in space reach Λ = 60 only, so its surfaces are large.
LARGE = [
    (fg.PointEvaluation(POINT), 1.5),
    (fg.PointEvaluation(POINT, (1, 0, 1)), 3.5),
    (fg.SurfaceIntegral(surfaces.RoundSphere([1, 1, 1], 1.3)), 0.5),
    (fg.SurfaceIntegral(surfaces.RoundSphere([1, 1, 1], 1.3), 1), 1.5),
    (fg.SurfaceIntegral(surfaces.RoundSphere([1, 1, 1], 1.3, axis=[1, 2, 0])), 1.0),
    (fg.SurfaceIntegral(surfaces.RoundSphere([1, 1, 1], 1.3, axis=[1, 2, 0]), 1), 2.0),
    (fg.SurfaceIntegral(surfaces.Flat([0.3, 0, 0], [0, 1, 3])), 1.0),
    (fg.SurfaceIntegral(surfaces.Flat([0.3, 0, 0], [0, 1, 3], normal=[1, 0, 0]), 1), 2.0),
    (fg.SurfaceIntegral(surfaces.Flat([0.3, 0, 0], [[1, 2, 0], [0, 1, 2]])), 0.5),
    (fg.SurfaceIntegral(surfaces.Flat([0.3, 0, 0], [[1, 4, 0], [0, 1, 4]]), 1), 1.5),
]
SEEN = [case for case in CASES if case[0] != DOMAINS[3][1]]
SEEN += [(fg.Torus((PI2, PI2, PI2)), *row) for row in LARGE]


@pytest.mark.parametrize(("domain", "c", "threshold"), SEEN, ids=named)
def test_evidence_grows_as_predicted_and_agrees(domain, c, threshold):
    """Exponents within 0.05, also at ±1/4; the sign of ±0.05 is seen, and at 0 the logarithm."""
    for offset in (-0.25, -0.05, 0.0, 0.05, 0.25):
        existence = fg.gradient_exists(c, fg.Sobolev(threshold + offset), domain)
        evidence = existence.evidence
        assert existence.exists is (offset > 0)
        assert evidence.fitted_growth == pytest.approx(-2 * offset, abs=0.05)
        assert evidence.predicted_growth == pytest.approx(-2 * offset, abs=1e-12)
        assert evidence.verdict is (None if offset == 0 else offset > 0)
        assert offset != 0 or "log" in evidence.description


def test_far_from_the_threshold_the_evidence_is_as_sure():
    """Two orders above, what octaves add is near rounding and still seen to fall; below it grows."""
    for domain in (DOMAINS[1][1], DOMAINS[2][1], SPHERE):
        point = [0.6, 0.0, 0.8] if domain is SPHERE else POINT[: domain.dimension]
        c, threshold = fg.PointEvaluation(point), domain.dimension / 2
        for offset in (-2.0, 2.0):
            evidence = fg.gradient_exists(c, fg.Sobolev(threshold + offset), domain).evidence
            assert evidence.verdict is (offset > 0)
            assert evidence.fitted_growth == pytest.approx(-2 * offset, abs=0.05)


@pytest.mark.parametrize(
    ("domain", "surface"),
    [
        (fg.Torus((PI2, 4.0)), surfaces.RoundSphere([3, 2], 1.0)),
        (fg.Box([(0, 2), (0, 2)]), surfaces.Flat([0.3, 0.4], [1.0, 1.2])),
        (fg.Euclidean(2), surfaces.RoundSphere([0, 1], 0.5)),
    ],
    ids=str,
)
@pytest.mark.parametrize("order", [0, 1])
def test_a_density_on_the_surface_leaves_the_threshold(domain, surface, order):
    c = fg.SurfaceIntegral(surface, order, density=lambda x, y: 1 + x * y)
    for offset in (-0.25, 0.25):
        existence = fg.gradient_exists(c, fg.Sobolev(0.5 + order + offset), domain)
        assert existence.exists is existence.evidence.verdict is (offset > 0)
        assert existence.evidence.fitted_growth == pytest.approx(-2 * offset, abs=0.05)


@pytest.mark.parametrize("order", [3, 4])
def test_normal_derivatives_of_high_order_on_the_sphere(order):
    circle = surfaces.SmallCircle([2, 3, 6], 0.9)
    for offset in (-0.25, 0.25):
        existence = fg.gradient_exists(
            fg.SurfaceIntegral(circle, order), fg.Sobolev(order + 0.5 + offset), SPHERE
        )
        assert existence.threshold == order + 0.5
        assert existence.exists is existence.evidence.verdict is (offset > 0)
        assert existence.evidence.fitted_growth == pytest.approx(-2 * offset, abs=0.05)


# --- drawn sums -------------------------------------------------------------------------------------------


@st.composite
def sums(draw, domain, table):
    """A sum of some rows of the table with weights of about one size, and its threshold."""
    chosen = draw(st.lists(st.sampled_from(range(len(table))), min_size=1, max_size=4, unique=True))
    weights = draw(st.lists(st.sampled_from([-2.0, -1.0, 1.0, 1.5]), min_size=4, max_size=4))
    c = sum((w * table[i][0] for w, i in zip(weights, chosen, strict=False)), Covector())
    return domain, c, max(table[i][1] for i in chosen)


def any_sum():
    tables = [(domain, rows(n)) for n in (1, 2, 3) for domain in DOMAINS[n]] + [(SPHERE, sphere_rows())]
    return st.one_of([sums(domain, table) for domain, table in tables])


@given(case=any_sum(), offset=st.sampled_from([-2.0, -0.05, 0.0, 0.05, 2.0]), density=st.booleans())
def test_a_sum_is_as_irregular_as_its_worst_term(case, offset, density):
    domain, c, threshold = case
    if density:
        grid = domain.grid(6)
        c = c + fg.Density(grid.function(np.ones(len(grid))))
    verdict = analyse(c, fg.Sobolev(threshold + offset), domain)
    assert verdict.exists is (offset > 0)
    assert verdict.threshold == (max(threshold, 0.0) if not density or threshold > 0 else 0.0)


@settings(max_examples=12)
@given(
    case=st.one_of(
        sums(DOMAINS[1][1], rows(1)),
        sums(DOMAINS[2][1], rows(2)),
        sums(DOMAINS[3][2], rows(3)),
        sums(SPHERE, sphere_rows()),
    ),
    offset=st.sampled_from([-0.25, -0.05, 0.05, 0.25]),
)
def test_evidence_never_contradicts_the_analysis_of_a_sum(case, offset):
    domain, c, threshold = case
    existence = fg.gradient_exists(c, fg.Sobolev(threshold + offset), domain)  # raises if it does
    assert existence.exists is (offset > 0)
    assert existence.evidence.verdict in (offset > 0, None)


# --- boundary, cancellation, injection --------------------------------------------------------------------


def test_a_surface_in_a_face_is_annihilated_by_the_condition_there():
    face = surfaces.Flat([0, 0.2], [0, 0.5])
    dirichlet, neumann = fg.Box([(0, 1), (0, 1)], "dirichlet"), fg.Box([(0, 1), (0, 1)])
    assert fg.gradient_exists(fg.SurfaceIntegral(face), fg.L2(), dirichlet).exists is True
    assert fg.gradient_exists(fg.SurfaceIntegral(face, 1), fg.L2(), dirichlet).exists is False
    assert fg.gradient_exists(fg.SurfaceIntegral(face), fg.L2(), neumann).exists is False
    assert fg.gradient_exists(fg.SurfaceIntegral(face, 1), fg.L2(), neumann).exists is True


def test_near_parallel_surfaces_are_not_called_a_derivative():
    """Below the inverse of their distance their difference grows like ∂_ν: nothing is concluded."""
    line, near = (surfaces.Flat([0.1 + h, 0.2], [0, 0.5]) for h in (0, 1e-3))
    c = fg.SurfaceIntegral(line) - fg.SurfaceIntegral(near)
    existence = fg.gradient_exists(c, fg.Sobolev(0.75), DOMAINS[2][1])
    assert existence.exists is True
    assert existence.evidence.verdict is None
    assert not existence.evidence.resolved


@pytest.mark.parametrize(("claimed", "s"), [(1.0, 0.75), (0.25, 0.35)])
def test_a_wrong_threshold_of_surfaces_is_exposed(monkeypatch, claimed, s):
    """The point threshold n/2 for a curve, or one too low, contradicts the evidence."""
    monkeypatch.setattr(
        SurfaceTerm, "regularity", lambda self, n=None: Regularity(claimed, True, "an injected claim")
    )
    with pytest.raises(ContradictoryEvidence, match="an injected claim"):
        fg.gradient_exists(
            fg.SurfaceIntegral(surfaces.RoundSphere([1, 1], 0.8)), fg.Sobolev(s), DOMAINS[2][1]
        )


# --- closed forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("excess", [0.3, 1.0, 2.75])
@pytest.mark.parametrize("scale", [1.0, 0.4])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_dual_norms_of_points_on_euclidean_space(n, excess, scale, order):
    """‖∂_1^j δ‖² = (2π)^{-n} ∫ ξ_1^{2j} (1+ℓ²|ξ|²)^{-s} dξ, for j = 0: Γ(s-n/2)/((4π)^{n/2} Γ(s)) ℓ^{-n}.

    In closed form ℓ^{-n-2j} Γ(s-n/2-j) Γ(j+½) / ((4π)^{n/2} √π Γ(s)); ∫ over ξ_1, then the other ones.
    """
    s = n / 2 + order + excess
    with mpmath.workdps(30):
        exact = mpmath.gamma(s - mpmath.mpf(n) / 2 - order) * mpmath.gamma(order + 0.5)
        exact /= (4 * mpmath.pi) ** (mpmath.mpf(n) / 2) * mpmath.sqrt(mpmath.pi) * mpmath.gamma(s)
        exact = float(exact * mpmath.mpf(scale) ** (-n - 2 * order))
    c = fg.PointEvaluation([0.3] * n, [order] + [0] * (n - 1))
    H = fg.RKHS(fg.kernels.Sobolev(s, n, scale))
    assert H.dual_norm(c, fg.Euclidean(n)) ** 2 == pytest.approx(exact, rel=1e-12)
    if n == 1:
        assert fg.Sobolev(s, scale).dual_norm(c, fg.Euclidean(1)) ** 2 == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(("order", "s"), [(0, 1.0), (0, 1.6), (1, 2.2)])
def test_the_truncated_sum_on_the_circle_has_its_error_bound(order, s):
    """What frequencies above K add is between the integrals of ω^{2j}(1+ω²)^{-s}/π beyond K+1 and K."""
    circle = fg.Circle(PI2)
    c, metric = fg.PointEvaluation(0.3, order), fg.Sobolev(s)
    evidence = fg.gradient_exists(c, metric, circle).evidence
    exact = metric.dual_norm(c, circle) ** 2
    for cutoff, partial in zip(evidence.cutoffs, evidence.squared_dual_norms, strict=True):
        k = math.floor(cutoff)
        upper = float(mpmath.quad(lambda w: w ** (2 * order) * (1 + w**2) ** -s, [k, mpmath.inf]) / np.pi)
        lower = float(mpmath.quad(lambda w: w ** (2 * order) * (1 + w**2) ** -s, [k + 1, mpmath.inf]) / np.pi)
        if k > 4:  # where the summand decreases
            assert lower - 1e-11 * exact <= exact - partial <= upper + 1e-11 * exact


# --- densities, functionals, other metrics ----------------------------------------------------------------


@pytest.mark.parametrize("n", [256, 1024])
@pytest.mark.parametrize(
    ("domain", "f", "threshold"),
    [
        (fg.Circle(PI2), lambda x: 1.0 * (x > 1) * (x < 2.7), -0.5),
        (fg.Circle(PI2), lambda x: np.abs(np.sin(x - 1)), -1.5),
        (fg.Interval(0, 1), lambda x: 1.0 * (x > 0.4), -0.5),
        (fg.Interval(0, 1), lambda x: np.maximum(x - 0.37, 0), -1.5),
    ],
    ids=["jump", "kink", "jump, interval", "kink, interval"],
)
def test_the_order_of_a_sampled_density_is_seen_in_its_coefficients(domain, f, threshold, n):
    density = fg.Density(domain.grid(n).function(f))
    inside = fg.gradient_exists(density, fg.Sobolev(threshold), domain)
    assert inside.exists is None
    assert inside.threshold == pytest.approx(threshold, abs=0.15)
    assert "decay of its samples" in inside.reason
    assert fg.gradient_exists(density, fg.Sobolev(threshold + 0.4), domain).exists is True
    assert fg.gradient_exists(density, fg.Sobolev(threshold - 0.5), domain).exists is False


def test_the_order_of_a_disc_on_the_torus():
    """The indicator of a disc jumps across a curve: its threshold is -1/2 in the plane too."""
    torus = fg.Torus((1, 1))
    disc = fg.Density(torus.grid(128).function(lambda x, y: 1.0 * (np.hypot(x - 0.5, y - 0.5) < 0.3)))
    assert fg.gradient_exists(disc, fg.Sobolev(-0.2), torus).exists is True
    assert fg.gradient_exists(disc, fg.Sobolev(-0.9), torus).exists is False


def test_smooth_densities_have_gradients_below_l2_and_their_derivatives_in_it():
    circle = fg.Circle(PI2)
    smooth = circle.grid(64).function(lambda x: np.exp(np.sin(x)))
    assert fg.gradient_exists(fg.Density(smooth), fg.Sobolev(-1.0), circle).exists is True
    assert fg.gradient_exists(fg.Density(smooth, 2), fg.L2(), circle).exists is True
    few = circle.grid(8).function(np.cos)
    assert fg.gradient_exists(fg.Density(few), fg.Sobolev(-1.0), circle).exists is None
    mixed = fg.Density(smooth, 1) + fg.PointEvaluation(0.3)
    assert fg.gradient_exists(mixed, fg.Sobolev(0.4), circle).exists is False
    assert fg.gradient_exists(mixed, fg.Sobolev(0.8), circle).exists is True


def test_a_functional_is_accepted_with_its_function():
    circle = fg.Circle(PI2)
    f = circle.grid(64).function(np.sin)
    loss = fg.EmpiricalLoss([0.3], [1.0])
    assert fg.gradient_exists(loss, fg.L2(), circle, at=f).exists is False
    assert fg.gradient_exists(loss, fg.Sobolev(1.0), circle, at=f).exists is True
    with pytest.raises(InvalidInput, match="give `at`"):
        fg.gradient_exists(loss, fg.L2(), circle)


def test_the_refusal_names_the_least_order_and_the_natural_gradient():
    f = fg.Torus((1, 1)).grid(8).function(lambda x, y: 0 * x)
    trace = fg.LinearFunctional(fg.SurfaceIntegral(surfaces.RoundSphere([0.5, 0.5], 0.2), 1))
    with pytest.raises(GradientDoesNotExist, match=r"order above 1\.5; for a model, `natural_gradient`"):
        fg.gradient(trace, f, fg.Sobolev(1.5))
    fg.gradient(trace, f, fg.Sobolev(1.6))


@pytest.mark.parametrize("s", [0.0, 0.75, 1.0, 2.0])
def test_the_steepest_direction_has_unit_norm_and_the_largest_slope(s):
    grid = fg.Circle(PI2).grid(32)
    F, metric = fg.Integral("u**4/4 - u*sin(x)"), fg.Sobolev(s)
    f = grid.function(np.cos)
    v = fg.steepest_direction(F, f, metric)
    slope = F.differential(f)(v)
    assert metric.norm(v) == pytest.approx(1.0, rel=1e-13)
    assert slope == pytest.approx(metric.norm(fg.gradient(F, f, metric)), rel=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        w = grid.function(v.values + 0.1 * rng.normal(size=32))
        assert F.differential(f)(w) / metric.norm(w) < slope * (1 + 1e-12)
    with pytest.raises(InvalidInput, match="no direction is steepest"):
        fg.steepest_direction(fg.PopulationLoss(np.cos), f, metric)


class Weighted(fg.Metric):
    """<u, v> = ∫ uv + u'v', by a user who states no order."""

    def square_root(self, grid):
        return fg.Sobolev(1.0).square_root(grid)

    def flat(self, u):
        return fg.Sobolev(1.0).flat(u)

    def dual_norm(self, c, domain):
        raise NotImplementedError


def test_a_metric_of_ones_own_gets_evidence_by_refinement_and_no_verdict():
    circle = fg.Circle(PI2)
    bounded = fg.gradient_exists(fg.PointEvaluation(0.3), Weighted(), circle)
    unbounded = fg.gradient_exists(fg.PointEvaluation(0.3, 1), Weighted(), circle)
    assert bounded.exists is unbounded.exists is None
    assert bounded.evidence.fitted_growth == pytest.approx(-1.0, abs=0.1)
    assert unbounded.evidence.fitted_growth == pytest.approx(1.0, abs=0.1)
    assert "settle" in str(bounded)
    assert "grow" in str(unbounded)
    exact = 0.5 / np.tanh(np.pi)
    assert bounded.evidence.squared_dual_norms[-1] == pytest.approx(exact, rel=1e-2)


def test_surface_integrals_in_an_rkhs():
    square, circle = fg.Box([(0, 1), (0, 1)]), surfaces.RoundSphere([0.5, 0.5], 0.3)
    smooth, rough = (fg.RKHS(fg.kernels.Matern(nu)) for nu in (1.5, 0.5))
    assert fg.gradient_exists(fg.SurfaceIntegral(circle), rough, square).exists is True
    assert fg.gradient_exists(fg.SurfaceIntegral(circle, 1), smooth, square).exists is True
    assert fg.gradient_exists(fg.SurfaceIntegral(circle, 1), rough, square).exists is None
    mixed = fg.SurfaceIntegral(circle, 1) + fg.PointEvaluation([0.5, 0.5], (1, 0))
    assert fg.gradient_exists(mixed, rough, square).exists is False
    # ‖c‖² = ∫∫ exp(-|x-y|²/2ℓ²) over the circle twice = (2πr)² e^{-a} I_0(a), a = (r/ℓ)².
    a = 0.3**2 / 0.5**2
    exact = (2 * np.pi * 0.3) ** 2 * float(mpmath.exp(-a) * mpmath.besseli(0, a))
    norm = fg.RKHS(fg.kernels.Gaussian(0.5)).dual_norm(fg.SurfaceIntegral(circle), square)
    assert norm**2 == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("nu", [0.3, 0.5, 1.0, 1.5])
def test_rough_kernels_over_a_curve_are_extrapolated(nu):
    """Over a circle (2πr)² times the mean of k(2r sin φ/2), over a segment 2∫ (1-t) k(t) dt, as numbers."""
    kernel = fg.kernels.Matern(nu)
    H, square = fg.RKHS(kernel), fg.Box([(0, 1), (0, 1)])
    # t = u^m for a smooth integrand at 0.
    u, w = np.polynomial.legendre.leggauss(200)
    t, w = ((u + 1) / 2) ** 8, w / 2 * 8 * ((u + 1) / 2) ** 7
    chords = 0.6 * np.sin(np.pi / 2 * t)
    exact = 2 * np.pi * 0.3**2 * 2 * np.pi * (w @ kernel(np.zeros((1, 1)), chords[:, None]))
    circle, segment = surfaces.RoundSphere([0.5, 0.5], 0.3), surfaces.Flat([0, 0], [0.6, 0.8])
    assert H.dual_norm(fg.SurfaceIntegral(circle), square) ** 2 == pytest.approx(exact, rel=1e-8)
    exact = 2 * (w @ ((1 - t) * kernel(np.zeros((1, 1)), t[:, None])))
    assert H.dual_norm(fg.SurfaceIntegral(segment), square) ** 2 == pytest.approx(exact, rel=1e-8)


def test_what_does_not_settle_in_an_rkhs_is_refused():
    sphere = fg.SurfaceIntegral(surfaces.RoundSphere([0, 0, 0], 0.5))
    with pytest.raises(ConvergenceError, match="too rough"):
        fg.RKHS(fg.kernels.Matern(0.2)).dual_norm(sphere, fg.Euclidean(3))
    with pytest.raises(ConvergenceError, match="near the surface"):
        fg.RKHS(fg.kernels.Matern(0.1)).representer(sphere)([[0.5, 0.0, 0.0]])


def test_a_representer_of_a_surface_integral_represents_it():
    """<g, K(x, .)> = c(K(x, .)): g at x is the integral of K(x, .) over the segment."""
    kernel = fg.kernels.Matern(0.5)
    g = fg.RKHS(kernel).representer(fg.SurfaceIntegral(surfaces.Flat([0, 0], [1, 0])))
    assert g([[0.25, 0.0]])[0] == pytest.approx(2 - np.exp(-0.25) - np.exp(-0.75), rel=1e-5)
    assert g([[1.5, 0.0]])[0] == pytest.approx(np.exp(-0.5) - np.exp(-1.5), rel=1e-12)


def test_verdicts_on_surfaces_print_and_plot_the_predicted_slope():
    c = fg.SurfaceIntegral(surfaces.RoundSphere([1, 1], 0.8), 1)
    existence = fg.gradient_exists(c, fg.Sobolev(1.0), DOMAINS[2][1])
    assert "s > k/2 + 1 = 1.5 (codimension k = 1)" in str(existence)
    assert "predicted exponent +1.000" in str(existence)
    ax = existence.plot()
    assert any("predicted" in line.get_label() for line in ax.lines)
    cutoffs, predicted = ax.lines[2].get_data()
    assert np.polyfit(np.log(cutoffs), np.log(predicted), 1)[0] == pytest.approx(1.0)


def test_what_is_not_known_is_not_printed_as_a_number():
    circle = surfaces.RoundSphere([0.5, 0.5], 0.3)
    rough, square = fg.RKHS(fg.kernels.Matern(0.5)), fg.Box([(0, 1), (0, 1)])
    texts = [
        str(fg.gradient_exists(fg.SurfaceIntegral(circle, 1), rough, square)),
        str(fg.gradient_exists(fg.PointEvaluation(0.3), Weighted(), fg.Circle(PI2))),
        str(fg.gradient_exists(fg.PointEvaluation(0.3), fg.L2(measure=[0.3]), fg.Circle(PI2))),
    ]
    assert not any("nan" in text for text in texts)
    with pytest.raises(InvalidInput, match="nothing to draw"):
        fg.gradient_exists(fg.PointEvaluation(0.3), fg.L2(measure=[0.3]), fg.Circle(PI2)).plot()
