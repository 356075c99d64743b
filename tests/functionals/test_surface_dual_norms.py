"""Dual norms of surface integrals: closed forms, the kernel twice, one domain against another."""

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad import surfaces
from funcgrad.errors import ConvergenceError, InvalidInput
from funcgrad.metrics.heat import TOLERANCE, _hermite_function

PLANE, SPACE = fg.Euclidean(2), fg.Euclidean(3)
PI2 = 2 * np.pi
RING = surfaces.RoundSphere([2, 2], 1.0)


def squared(c, domain, s, length_scale=1.0, **options):
    return fg.Sobolev(s, length_scale, **options).dual_norm(c, domain) ** 2


# --- closed forms in R^n ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("radius", "scale"), [(1.0, 1.0), (0.3, 1.0), (2.0, 0.25)])
def test_a_circle_in_the_plane_in_h1(radius, scale):
    """∫∫ K_0(|x-y|/ℓ)/(2πℓ²) over a circle = (2πR)² I_0(R/ℓ) K_0(R/ℓ)/(2πℓ²), by Graf's addition theorem."""
    z = radius / scale
    exact = (PI2 * radius) ** 2 * scipy.special.i0e(z) * scipy.special.k0e(z) / (PI2 * scale**2)
    c = fg.SurfaceIntegral(surfaces.RoundSphere([0.3, 1], radius), weight=2.0)
    assert squared(c, PLANE, 1.0, scale) == pytest.approx(4 * exact, rel=1e-7)


def test_a_sphere_in_space_in_h1():
    """∫∫ e^{-|x-y|}/(4π|x-y|) over a sphere = 4πR² e^{-R} sinh R, the Yukawa potential of a shell."""
    c = fg.SurfaceIntegral(surfaces.RoundSphere([0, 0, 1], 0.7))
    exact = 4 * np.pi * 0.7**2 * np.exp(-0.7) * np.sinh(0.7)
    assert squared(c, SPACE, 1.0) == pytest.approx(exact, rel=1e-7)


def energy_of_segment(length, n, order, s):
    """Over the n - 1 frequencies η across: ∫ η_1^{2j} (A+|η|²)^{-s} dη is a multiple of A^{k/2+j-s}, k = n-1.

    What is left is the segment's indicator in H^{-σ}(R), σ = s - k/2 - j: 2∫ (a-r) K_σ(r) dr.
    """
    k = n - 1
    with mpmath.workdps(25):
        sigma = mpmath.mpf(s) - mpmath.mpf(k) / 2 - order
        across = mpmath.pi ** (mpmath.mpf(k - 1) / 2) * mpmath.gamma(order + 0.5) * mpmath.gamma(sigma)
        across /= mpmath.gamma(s) * (2 * mpmath.pi) ** k

        def kernel(r):
            constant = 2 ** (1 - sigma) / (mpmath.sqrt(2 * mpmath.pi) * mpmath.gamma(sigma))
            return constant * r ** (sigma - 0.5) * mpmath.besselk(sigma - 0.5, r)

        # r = u^m makes r^{2σ-1} dr smooth at 0.
        m = max(1, int(mpmath.ceil(2 / sigma)))
        integral = mpmath.quad(
            lambda u: (length - u**m) * kernel(u**m) * m * u ** (m - 1), [0, mpmath.mpf(length) ** (1 / m)]
        )
        return float(2 * across * integral)


@pytest.mark.parametrize(("n", "order", "excess"), [(2, 0, 0.05), (2, 0, 1.5), (2, 1, 0.25), (2, 2, 0.3)])
def test_segments_in_the_plane(n, order, excess):
    c = fg.SurfaceIntegral(surfaces.Flat([0.1, 0.2], [0.6, 0.8]), order)
    s = 0.5 + order + excess
    assert squared(c, PLANE, s) == pytest.approx(energy_of_segment(1.0, 2, order, s), rel=1e-10)


@pytest.mark.parametrize(("order", "excess"), [(0, 0.1), (1, 0.75)])
def test_segments_in_space(order, excess):
    c = fg.SurfaceIntegral(surfaces.Flat([0, 0, 0], [0, 0.6, 0.8], normal=[1, 0, 0]), order)
    s = 1 + order + excess
    assert squared(c, SPACE, s) == pytest.approx(energy_of_segment(1.0, 3, order, s), rel=1e-10)


@pytest.mark.parametrize(("dimension", "order"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_normal_derivatives_on_spheres_against_the_integral_over_frequencies(dimension, order):
    """(2π)^{-n} |S^{n-1}| ∫ |Γ|² A^{(j)}(ρR)² ρ^{2j+n-1} (1+ρ²)^{-s} dρ, A = J_0 or sin z/z."""
    radius, s = 1.0, 5.0
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.concatenate([np.arange(0, 60, 2.0), np.arange(60, 400, 1.0)])
    width = np.diff(edges)[:, None] / 2
    rho, w = (edges[:-1, None] + width * (1 + nodes)).ravel(), (width * weights).ravel()
    sphere = surfaces.RoundSphere([0.0] * dimension, radius)
    frequency = np.zeros((dimension, len(rho)))
    frequency[0] = rho
    waves = np.abs(sphere.wave_integrals(frequency, order)) ** 2
    solid_angle = {2: PI2, 3: 4 * np.pi}[dimension]
    exact = solid_angle / PI2**dimension * (w @ (waves * rho ** (dimension - 1) * (1 + rho**2) ** -s))
    c = fg.SurfaceIntegral(sphere, order)
    assert squared(c, fg.Euclidean(dimension), s) == pytest.approx(exact, rel=1e-8)


def test_the_factor_of_a_gaussians_derivatives_against_sympy():
    import sympy

    d, k = sympy.symbols("d k")
    for order in range(6):
        factor = sympy.diff(sympy.exp(-k * d**2 / 2), d, order) * sympy.exp(k * d**2 / 2)
        exact = float(sympy.simplify(factor).subs({d: 0.7, k: 1.3}))
        assert _hermite_function(order, 1.3, 0.7) == pytest.approx(exact, rel=1e-14)


# --- sums: cross terms, contact, crossing -----------------------------------------------------------------


def test_a_point_and_a_circle_around_it():
    """The cross term is 2πR K_s(R)."""
    s, radius = 1.7, 0.8
    circle = surfaces.RoundSphere([0, 0], radius)
    kernel = fg.kernels.Sobolev(s, 2)
    c = fg.PointEvaluation([0.0, 0.0]) - 3 * fg.SurfaceIntegral(circle)
    cross = PI2 * radius * kernel([0.0, 0.0], [radius, 0.0])
    exact = kernel([0.0, 0.0], [0.0, 0.0]) + 9 * squared(fg.SurfaceIntegral(circle), PLANE, s) - 6 * cross
    assert squared(c, PLANE, s) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("domain", [PLANE, fg.Torus((3.0, 3.0)), fg.Box([(0, 2), (0, 3)])], ids=str)
@pytest.mark.parametrize(("order", "excess"), [(0, 0.1), (1, 0.5)])
def test_two_halves_that_touch_are_the_whole(domain, order, excess):
    start, edge = np.array([0.4, 0.5]), np.array([1.2, 1.6])
    whole = fg.SurfaceIntegral(surfaces.Flat(start, edge), order)
    halves = [fg.SurfaceIntegral(surfaces.Flat(start + h * edge, edge / 2), order) for h in (0, 0.5)]
    s = 0.5 + order + excess
    assert squared(halves[0] + halves[1], domain, s) == pytest.approx(squared(whole, domain, s), rel=2e-7)


@given(weights=st.lists(st.floats(-2, 2), min_size=2, max_size=2), excess=st.floats(1, 3))
@settings(max_examples=3)
def test_dual_norms_are_those_of_a_hilbert_space_and_bound_every_value(weights, excess):
    """The parallelogram's law, over curves that cross, and |c(v)| <= ‖c‖ ‖v‖."""
    torus = fg.Torus((5.0, 5.0))
    c, d = (fg.SurfaceIntegral(piece) for piece in (RING, surfaces.Flat([1.5, 1.0], [1.0, 2.5])))
    c, d = c + 0.5 * d, weights[0] * c + weights[1] * d
    metric = fg.Sobolev(0.5 + excess)
    plus, minus, first, second = (metric.dual_norm(each, torus) ** 2 for each in (c + d, c - d, c, d))
    assert plus + minus == pytest.approx(2 * first + 2 * second, rel=1e-6)
    v = torus.grid(8).function(lambda x, y: 1 + np.cos(PI2 / 5 * (x - y)))
    assert abs(c(v)) <= metric.dual_norm(c, torus) * metric.norm(v)


# --- the kernel over the surface twice --------------------------------------------------------------------

SMOOTH = [
    (fg.Torus((PI2, 5.0)), surfaces.RoundSphere([2, 3], 1.0)),
    (fg.Torus((PI2, 5.0)), surfaces.Flat([1, 1], [1.5, 0.5])),
    (fg.Box([(0, 2), (0, 3)]), surfaces.RoundSphere([0.8, 1.4], 0.5)),
    (fg.Box([(0, 2), (0, 3)], "dirichlet"), surfaces.Flat([0.5, 0.5], [1, 1.5])),
    (fg.Box([(0, 2), (0, 3)], ("neumann", "periodic")), surfaces.RoundSphere([1, 1.4], 0.5)),
    (fg.Sphere(), surfaces.SmallCircle([1, 2, 2], 0.8)),
]


@pytest.mark.parametrize(("domain", "surface"), SMOOTH, ids=str)
def test_smooth_kernels_over_a_curve_twice(domain, surface):
    s = 6.0
    c = fg.SurfaceIntegral(surface)
    nodes, weights = surface.quadrature(24)
    exact = weights @ fg.Sobolev(s).green_kernel(domain).gram(nodes) @ weights
    assert squared(c, domain, s) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("domain", [fg.Torus((PI2, 5.0)), fg.Box([(0, 5), (0, 5)], "dirichlet")], ids=str)
def test_normal_derivatives_of_a_smooth_kernel_over_a_circle_twice(domain):
    """∂_ν ∂_ν' of the kernel over 16 equispaced nodes twice, which is 1e-10 of the integral here."""
    c, kernel = fg.SurfaceIntegral(RING, 1), fg.Sobolev(6.0).green_kernel(domain)
    (term,) = c.terms
    parts = [fg.kernels.Evaluations(x, alpha, weights) for x, alpha, weights in term.evaluations(16)]
    exact = fg.kernels.functional_gram(kernel, parts).sum()
    assert squared(c, domain, 6.0) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize(
    "surface",
    [
        surfaces.RoundSphere([2, 2, 2], 1.0),
        surfaces.Flat([1, 1, 1], [[1.5, 0, 0], [0.5, 1, 1]]),
    ],
    ids=str,
)
def test_a_large_torus_is_space(surface):
    """By modes on one and by quadrature on the other, also near the threshold; images are e^{-L/ℓ} away."""
    c = fg.SurfaceIntegral(surface)
    s = surface.codimension / 2 + 0.3
    on_torus = squared(c, fg.Torus((4.0, 4.0, 4.0)), s, 0.1)
    assert on_torus == pytest.approx(squared(c, SPACE, s, 0.1), rel=2 * TOLERANCE)


@pytest.mark.parametrize(("order", "excess"), [(0, 0.05), (0, 0.4), (1, 0.05), (2, 1.0)])
def test_a_large_torus_is_the_plane(order, excess):
    c = fg.SurfaceIntegral(RING, order)
    s = 0.5 + order + excess
    assert squared(c, fg.Torus((5.0, 5.0)), s, 0.1) == pytest.approx(squared(c, PLANE, s, 0.1), rel=1e-7)


# --- closed lines and planes: a function of fewer variables ----------------------------------------------


@pytest.mark.parametrize(("order", "s"), [(0, 0.55), (0, 1.0), (1, 1.6), (1, 2.5)])
def test_a_closed_line_is_a_point_of_the_circle(order, s):
    """‖∫_Γ ∂_ν^j‖² = |Γ| ∂^j ∂^j k_s(x, x) with the kernel of the circle across."""
    kernel = fg.kernels.PeriodicSobolev(s, 3.0)
    kernel = kernel.derivative(order, order) if order else kernel
    c = fg.SurfaceIntegral(surfaces.Flat([0.3, 0.1], [0.0, 2.0]), order)
    assert squared(c, fg.Torus((3.0, 2.0)), s) == pytest.approx(2.0 * kernel(0.3, 0.3), rel=1e-7)


def test_closed_planes_and_lines_of_the_torus_in_space():
    torus = fg.Torus((3.0, 2.0, 2.5))
    plane = surfaces.Flat([0.3, 0.1, 0], [[0.0, 2.0, 0.0], [0.0, 0.0, 2.5]])
    line = surfaces.Flat([0.3, 0.1, 0], [0.0, 0.0, 2.5])
    across = fg.kernels.PeriodicSobolev(0.8, 3.0)
    assert squared(fg.SurfaceIntegral(plane), torus, 0.8) == pytest.approx(5.0 * across(0.3, 0.3), rel=1e-7)
    section = fg.kernels.TorusSobolev(1.4, (3.0, 2.0)).gram([[0.3, 0.1]])[0, 0]
    assert squared(fg.SurfaceIntegral(line), torus, 1.4) == pytest.approx(2.5 * section, rel=1e-7)


def test_a_line_across_a_neumann_box_is_a_point_of_the_interval():
    kernel = fg.kernels.IntervalSobolev(0.7, 0.0, 2.0)
    c = fg.SurfaceIntegral(surfaces.Flat([0.5, 0.0], [0.0, 3.0]))
    box = fg.Box([(0, 2), (0, 3)])
    assert squared(c, box, 0.7) == pytest.approx(3.0 * kernel(0.5, 0.5), rel=1e-7)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_small_circles_by_the_sum_over_degrees(order):
    """Σ_l (2l+1)/4π (∂_γ^j P_l(cos γ) 2π sin γ)² (1+l(l+1))^{-s}; beyond 2·10⁴ less than 1e-8 here."""
    circle = surfaces.SmallCircle([1, 2, 2], 0.8)
    s, l = order + 1.75, np.arange(20001)
    series = (2 * l + 1) / (4 * np.pi) * circle.zonal_integrals(20000, order) ** 2 * (1.0 + l * (l + 1)) ** -s
    assert squared(fg.SurfaceIntegral(circle, order), fg.Sphere(), s) == pytest.approx(series.sum(), rel=1e-7)


# --- densities on surfaces, densities, components ---------------------------------------------------------


def test_a_wave_on_a_closed_line_is_a_mode():
    """ρ = cos(2πmy/L) sees one mode along the line: (L/2) K with (1+μ²+ω²)^{-s} across, μ = 2πm/L."""
    s, m, length = 0.8, 3, 2.0
    mu = PI2 * m / length
    c = fg.SurfaceIntegral(surfaces.Flat([0.3, 0], [0, length]), density=lambda x, y: np.cos(mu * y))
    across = fg.kernels.PeriodicSobolev(s, 3.0, 1 / np.sqrt(1 + mu**2))
    exact = length / 2 * (1 + mu**2) ** -s * across(0.3, 0.3)
    assert squared(c, fg.Torus((3.0, length)), s) == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize(
    ("domain", "surface"),
    [
        (PLANE, RING),
        (fg.Torus((4.0, 5.0)), surfaces.Flat([1, 1], [1.5, 0.5])),
        (fg.Box([(0, 4), (0, 4)]), RING),
        (fg.Sphere(), surfaces.SmallCircle([1, 2, 2], 0.8)),
    ],
    ids=str,
)
def test_densities_that_add_up_to_one(domain, surface):
    def part(*x):
        return np.exp(x[0])

    def rest(*x):
        return 1 - np.exp(x[0])

    pieces = sum(
        (fg.SurfaceIntegral(surface, density=rho) for rho in (part, rest)), fg.functionals.Covector()
    )
    assert len(pieces.surfaces) == 2
    whole = squared(fg.SurfaceIntegral(surface), domain, 1.2)
    assert squared(pieces, domain, 1.2) == pytest.approx(whole, rel=1e-6)


def test_a_density_on_a_surface_is_integrated():
    """∫ x² dσ over the unit circle, against grids' functions, callables and eigenfunctions."""
    circle = surfaces.RoundSphere([0, 0], 1.0)
    c = fg.SurfaceIntegral(circle, density=lambda x, y: x**2)
    assert c(lambda x, y: 1 + 0 * x) == pytest.approx(np.pi, rel=1e-13)
    square = fg.Box([(-1, 1), (-2, 1)])
    f = square.grid(6).function(lambda x, y: y**2)
    assert c(f) == pytest.approx(np.pi / 4, rel=1e-12)
    assert c.components(f.grid) @ f.values == pytest.approx(np.pi / 4, rel=1e-12)
    modes = c.coefficients(square, 50)
    one_by_one = [
        c(lambda x, y, k=k: square.eigenfunctions(50, np.stack([x, y], 1))[:, k]) for k in range(50)
    ]
    np.testing.assert_allclose(modes, one_by_one, atol=1e-12)
    assert c.regularity.order == 0.5
    normal = fg.SurfaceIntegral(circle, 1, density=lambda x, y: x)
    assert normal(f.grid.function(lambda x, y: x)) == pytest.approx(np.pi, rel=1e-12)  # ∫ x ∂_r x = ∫ x²


@pytest.mark.parametrize("domain", [fg.Torus((2.0, 3.0)), fg.Torus((2.0, 3.0, 2.0)), fg.Circle(2.0)], ids=str)
def test_products_of_matrices_are_the_sums_over_eigenfunctions(domain):
    from funcgrad.functionals.terms import pairing

    rng = np.random.default_rng(0)
    x, weights = rng.uniform(0, 2, (80, domain.n_coordinates)), rng.normal(size=(80, 2))
    alpha = (1,) + (0,) * (domain.n_coordinates - 1)
    by_hand = domain.eigenfunctions(200, x, alpha).T @ weights
    np.testing.assert_allclose(pairing(domain, 200, x, alpha, weights), by_hand, atol=1e-11)


def test_densities_and_surfaces_together():
    """‖∫ g · + ∫_Γ‖² on the circle's product: the cross term is the trace of the density's representer."""
    torus = fg.Torus((PI2, PI2))
    g = torus.grid(16).function(lambda x, y: np.cos(x))
    line = fg.SurfaceIntegral(surfaces.Flat([0.3, 0], [0, PI2]))
    s = 1.5
    cross = 2 * PI2 * np.cos(0.3) * 2.0**-s
    exact = squared(line, torus, s) + 2.0**-s * 2 * np.pi**2 + cross
    assert squared(line + fg.Density(g), torus, s) == pytest.approx(exact, rel=1e-9)


def test_components_add_up():
    c = fg.SurfaceIntegral(RING, weight=[3.0, 4.0])
    for domain in (PLANE, fg.Torus((4.0, 5.0))):
        one = squared(fg.SurfaceIntegral(RING), domain, 1.1)
        assert squared(c, domain, 1.1) == pytest.approx(25 * one, rel=1e-9)


def test_homogeneous_norms_leave_out_the_mean():
    """On a closed line Σ_{k≠0} |k|^{-2s}/2π · |Γ| = 2ζ(2s)."""
    c = fg.SurfaceIntegral(surfaces.Flat([0.3, 0], [0, PI2]))
    value = squared(c, fg.Torus((PI2, PI2)), 0.8, homogeneous=True)
    assert value == pytest.approx(2 * scipy.special.zeta(1.6), rel=1e-7)


# --- refusals ---------------------------------------------------------------------------------------------


def test_unbounded_integrals_have_an_infinite_norm():
    for s in (0.0, 0.5):
        assert fg.Sobolev(s).dual_norm(fg.SurfaceIntegral(RING), fg.Torus((4.0, 4.0))) == np.inf


def test_what_the_modes_do_not_resolve_is_refused():
    tiny = fg.SurfaceIntegral(surfaces.Flat([1, 1], [0.01, 0.02]))
    with pytest.raises(ConvergenceError, match="too small"):
        fg.Sobolev(0.6).dual_norm(tiny, fg.Torus((30.0, 40.0)))


def test_spaces_without_a_spectral_form_are_refused():
    square, c = fg.Box([(0, 4), (0, 4)]), fg.SurfaceIntegral(RING)
    with pytest.raises(InvalidInput, match="not available"):
        fg.Sobolev(2, definition="derivative").dual_norm(c, square)
    with pytest.raises(InvalidInput, match="take a torus"):
        fg.Sobolev(1, homogeneous=True).dual_norm(c, PLANE)
    on_torus = fg.Sobolev(2, definition="derivative").dual_norm(c, fg.Torus((4.0, 4.0)))
    assert on_torus == fg.Sobolev(2).dual_norm(c, fg.Torus((4.0, 4.0)))
