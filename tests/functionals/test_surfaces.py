"""Surface integrals: exact against polynomials and waves, components, regularity, arithmetic."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad import surfaces
from funcgrad.errors import ConvergenceError, DomainMismatch, InvalidInput

EPS = np.finfo(float).eps
SQUARE = fg.Box([(-1, 1), (-1, 2)])
CUBE = fg.Box([(-1, 1), (-1, 2), (0, 1)])
TORUS = fg.Torus((1.0, 1.5))
SPHERE = fg.Sphere()


def test_segments_integrate_polynomials_exactly():
    """∫ x² y over the segment from (0,0) to (3/5, 4/5): ∫ (9/25)(4/5) t³ dt = 9/125."""
    segment = fg.SurfaceIntegral(surfaces.Flat([0, 0], [0.6, 0.8]))
    assert segment(SQUARE.grid(6).function(lambda x, y: x**2 * y)) == pytest.approx(9 / 125, rel=1e-14)
    assert segment(lambda x, y: x**2 * y) == pytest.approx(9 / 125, rel=1e-14)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_normal_derivatives_on_a_circle_are_radial(order):
    """For x² + y² about its centre they are those of r²: over the circle 2πr · (r², 2r, 2, 0)."""
    r = 0.7
    c = fg.SurfaceIntegral(surfaces.RoundSphere([0, 0.3], r), order)
    f = SQUARE.grid(8).function(lambda x, y: x**2 + (y - 0.3) ** 2)
    assert c(f) == pytest.approx(2 * np.pi * r * [r**2, 2 * r, 2, 0][order], abs=1e-11)


def test_flux_through_a_sphere_is_the_integral_of_the_laplacian():
    c = fg.SurfaceIntegral(surfaces.RoundSphere([0, 0.5, 0.5], 0.4), 1)
    f = CUBE.grid(6).function(lambda x, y, z: x**2 + 3 * y**2 - z**2 + x * y * z)
    assert c(f) == pytest.approx(6 * 4 / 3 * np.pi * 0.4**3, rel=1e-12)


def test_a_circle_in_space_and_a_plane_piece():
    circle = surfaces.RoundSphere([0, 0.5, 0.5], 0.3, axis=[0, 0, 2])
    f = CUBE.grid(6).function(lambda x, y, z: x**2 * (1 + z))
    assert fg.SurfaceIntegral(circle)(f) == pytest.approx(1.5 * np.pi * 0.3**3, rel=1e-13)
    plane = surfaces.Flat([0, 0, 0], [[1, 0, 0], [0, 1, 0]])
    assert plane.normal == (0, 0, 1)
    assert fg.SurfaceIntegral(plane, 1)(f) == pytest.approx(1 / 3, rel=1e-12)


def test_latitudes_of_the_sphere():
    """At the colatitude γ: ∫ z = 2π sin γ cos γ; its derivatives in γ for fixed sin γ of the length."""
    gamma = 0.8
    circle = surfaces.SmallCircle([0, 0, 1], gamma)
    f = SPHERE.grid(6).function(lambda x, y, z: z)
    length = 2 * np.pi * np.sin(gamma)
    for order, value in enumerate((np.cos(gamma), -np.sin(gamma), -np.cos(gamma))):
        assert fg.SurfaceIntegral(circle, order)(f) == pytest.approx(length * value, rel=1e-12)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_normal_derivatives_of_any_order_on_latitudes(order):
    """∂_γ^j of P_4(cos γ) times the length, against mpmath and on a grid's functions of degree 4."""
    gamma, axis = 0.8, np.array([1.0, 2.0, 2.0]) / 3
    circle = surfaces.SmallCircle(axis, gamma)
    with mpmath.workdps(40):
        exact = float(mpmath.diff(lambda g: mpmath.legendre(4, mpmath.cos(g)), mpmath.mpf(gamma), order))
    assert circle.zonal_integrals(4, order)[4] == pytest.approx(circle.area * exact, rel=1e-11)

    def zonal(x, y, z):
        t = axis[0] * x + axis[1] * y + axis[2] * z
        return (35 * t**4 - 30 * t**2 + 3) / 8

    c = fg.SurfaceIntegral(circle, order)
    assert c(SPHERE.grid(8).function(zonal)) == pytest.approx(circle.area * exact, rel=1e-9)


def test_derivatives_along_a_great_circle_from_those_along_a_line():
    """F(tan γ) for F = t³: tan³ = γ³ + γ⁵ + ..., so ∂³ = 6 and ∂⁵ = 120 = b_3 · 6."""
    circle = surfaces.SmallCircle([0, 0, 1], 1.0)
    assert circle.straight_derivatives(2) == {2: 1.0}
    assert circle.straight_derivatives(3) == pytest.approx({1: 2.0, 3: 1.0})
    assert circle.straight_derivatives(5)[3] == pytest.approx(20.0)
    assert surfaces.RoundSphere([0, 0], 1).straight_derivatives(3) == {3: 1.0}


IN_DOMAINS = [
    (SQUARE, surfaces.Flat([-0.5, -0.7], [1.1, 1.9])),
    (SQUARE, surfaces.RoundSphere([0.1, 0.3], 0.6)),
    (fg.Box([(-1, 1), (-1, 2)], "dirichlet"), surfaces.RoundSphere([0.1, 0.3], 0.6)),
    (fg.Box([(-1, 1), (-1, 2)], ("neumann", "periodic")), surfaces.Flat([-0.5, -0.7], [1.1, 1.9])),
    (TORUS, surfaces.Flat([0.2, 0.1], [0.0, 1.5])),
    (TORUS, surfaces.RoundSphere([0.9, 0.1], 0.4)),
    (CUBE, surfaces.RoundSphere([0, 0.5, 0.5], 0.4)),
    (CUBE, surfaces.RoundSphere([0, 0.5, 0.5], 0.4, axis=[1, 2, 3])),
    (CUBE, surfaces.Flat([0, 0, 0.2], [0.4, 0.3, 0.5], normal=[3, -4, 0])),
    (CUBE, surfaces.Flat([0, 0, 0.2], [[0.4, 0.3, 0.5], [0.1, 0.3, -0.1]])),
    (SPHERE, surfaces.SmallCircle([1, 2, -1], 0.7)),
]


@pytest.mark.parametrize(("domain", "surface"), IN_DOMAINS, ids=str)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_integrals_of_eigenfunctions_in_closed_form_are_those_by_quadrature(domain, surface, order):
    """Bessel functions and sincs against a rule of many nodes and the eigenfunctions' derivatives."""
    c = fg.SurfaceIntegral(surface, order, weight=1.5)
    (term,) = c.terms
    count = 60
    exact = c.coefficients(domain, count)
    by_rule = sum(
        domain.eigenfunctions(count, x, alpha).T @ weights for x, alpha, weights in term.evaluations(40)
    )
    top = np.sqrt(domain.laplacian_spectrum(count)[-1])
    assert np.abs(exact).max() > 0.01
    np.testing.assert_allclose(exact, by_rule, rtol=0, atol=2000 * EPS * surface.area * top**order)


@pytest.mark.parametrize("dimension", [2, 3])
def test_means_of_waves_over_spheres_against_mpmath(dimension):
    """A_d^{(j)}(z) = d^j/dz^j of J_0(z), or of sin z / z."""
    sphere = surfaces.RoundSphere([0.0] * dimension, 1.0)
    for z, order in itertools.product((0.3, 2.0, 17.5), range(4)):
        with mpmath.workdps(40):
            f = (lambda t: mpmath.besselj(0, t)) if dimension == 2 else (lambda t: mpmath.sin(t) / t)
            exact = float(mpmath.diff(f, mpmath.mpf(z), order))
        frequency = np.zeros((dimension, 1))
        frequency[0] = z
        value = sphere.wave_integrals(frequency, order)[0] / (sphere.area * z**order)
        assert value.real == pytest.approx(exact, abs=64 * EPS)
        assert value.imag == 0


@pytest.mark.parametrize(("domain", "surface"), IN_DOMAINS, ids=str)
def test_components_are_the_values_on_functions(domain, surface):
    grid = domain.grid(5)
    for order in (0, 1):
        c = fg.SurfaceIntegral(surface, order)
        f = grid.function(np.random.default_rng(0).normal(size=len(grid)))
        assert c.components(grid) @ f.values == pytest.approx(c(f), rel=1e-11, abs=1e-11)


@given(a=st.floats(-2, 2), b=st.floats(-2, 2), order=st.integers(0, 1))
def test_surface_integrals_are_part_of_the_vector_space_of_covectors(a, b, order):
    circle, segment = surfaces.RoundSphere([0.1, 0.3], 0.6), surfaces.Flat([0, 0], [0.6, 0.8])
    c, d = fg.SurfaceIntegral(circle, order), fg.SurfaceIntegral(segment) + fg.PointEvaluation([0.0, 0.1])
    f = SQUARE.grid(5).function(lambda x, y: x**3 - y + 1)
    assert (a * c - b * d)(f) == pytest.approx(a * c(f) - b * d(f), abs=1e-11)
    same = fg.SurfaceIntegral(surfaces.RoundSphere([0.1, 0.3], 0.6), order)
    assert len((c + a * same).terms) == (a != -1)
    assert (c - same).regularity.order == -np.inf


def test_regularity_is_that_of_the_surface_and_not_of_points():
    circle = surfaces.RoundSphere([0, 0.5, 0.5], 0.3, axis=[0, 0, 1])
    sphere = surfaces.RoundSphere([0, 0.5, 0.5], 0.3)
    for surface, k in ((circle, 2), (sphere, 1)):
        for j in (0, 1, 2):
            regularity = fg.SurfaceIntegral(surface, j).regularity
            assert (regularity.order, regularity.strict) == (k / 2 + j, True)
    mixed = fg.SurfaceIntegral(sphere) + fg.PointEvaluation([0, 0, 0.5])
    assert mixed.regularity.order == 1.5


def test_vector_valued_integrals():
    c = fg.SurfaceIntegral(surfaces.Flat([0, 0], [0.6, 0.8]), weight=[1.0, -2.0])
    f = SQUARE.grid(4).function(lambda x, y: np.column_stack([x, y]))
    assert c(f) == pytest.approx(0.3 - 0.8)
    assert c.components(f.grid).shape == (16, 2)


BAD_INPUT = [
    (lambda: surfaces.Flat([0, 0], [[1, 0], [0, 1]]), InvalidInput, "`edges` must be"),
    (lambda: surfaces.Flat([0, 0, 0], [[1, 0, 0], [2, 0, 0]]), InvalidInput, "linearly independent"),
    (lambda: surfaces.Flat([0, 0, 0], [1, 0, 0], normal=[1, 1, 0]), InvalidInput, "perpendicular"),
    (lambda: surfaces.RoundSphere([0], 1.0), InvalidInput, "2 or 3 coordinates"),
    (lambda: surfaces.RoundSphere([0, 0], -1.0), InvalidInput, "`radius` must be positive"),
    (lambda: surfaces.SmallCircle([0, 0, 1], 4.0), InvalidInput, "between 0 and π"),
    (lambda: fg.SurfaceIntegral("circle"), InvalidInput, "`surface` must be one of"),
    (lambda: fg.SurfaceIntegral(surfaces.Flat([0, 0, 0], [1, 0, 0]), 1), InvalidInput, "many normals"),
    (lambda: fg.SurfaceIntegral(surfaces.SmallCircle([0, 0, 1], 1.0), density=2.0), InvalidInput, "callable"),
    (
        lambda: fg.SurfaceIntegral(surfaces.Flat([0, 0], [1, 0]), density=lambda x, y: 0 * x),
        InvalidInput,
        "not zero everywhere",
    ),
    (
        lambda: fg.SurfaceIntegral(surfaces.Flat([0, 0], [1, 0]), density=lambda x, y: np.abs(x - 0.3)),
        ConvergenceError,
        "must be smooth",
    ),
    (
        lambda: fg.SurfaceIntegral(surfaces.Flat([0, 0], [0.5, 0.5]))(lambda x, y: 1.0 * (x > 0.2)),
        ConvergenceError,
        "does not settle",
    ),
    (
        lambda: fg.gradient_exists(
            fg.SurfaceIntegral(surfaces.Flat([0, 0], [2.0, 0])), fg.L2(), fg.Box([(0, 1), (0, 1)])
        ),
        DomainMismatch,
        "outside",
    ),
    (
        lambda: fg.SurfaceIntegral(surfaces.Flat([0, 0], [1.0, 0])).components(CUBE.grid(3)),
        DomainMismatch,
        "coordinates in",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT)
def test_bad_input_gets_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
