"""The sphere: harmonics, their derivatives, the quadrature and the transform."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.spaces.spherical_harmonics import coordinate_matrix, degrees, derivative_matrix, real_harmonics

EPS = np.finfo(float).eps
sphere = fg.Sphere()


def unit_vectors(count, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def scipy_harmonics(degree, x):
    """Real harmonics from scipy's complex ones (which carry the Condon-Shortley phase)."""
    theta, phi = np.arccos(x[:, 2]), np.arctan2(x[:, 1], x[:, 0])
    columns = []
    for l in range(degree + 1):
        for m in range(-l, l + 1):
            if hasattr(scipy.special, "sph_harm_y"):
                y = scipy.special.sph_harm_y(l, abs(m), theta, phi)
            else:  # before scipy 1.15
                y = scipy.special.sph_harm(abs(m), l, phi, theta)
            factor = (-1) ** m * (1 if m == 0 else math.sqrt(2))
            columns.append(factor * (y.real if m >= 0 else y.imag))
    return np.array(columns).T


def test_harmonics_are_scipys():
    x = unit_vectors(9)
    np.testing.assert_allclose(real_harmonics(20, x), scipy_harmonics(20, x), atol=1e-12)


def test_addition_theorem():
    """Σ_m Y_lm(x) Y_lm(y) = (2l+1)/(4π) P_l(x·y)."""
    x, y = unit_vectors(5, 1), unit_vectors(5, 2)
    products = real_harmonics(60, x) * real_harmonics(60, y)
    l, _ = degrees(60)
    for degree in (0, 1, 7, 60):
        expected = (2 * degree + 1) / (4 * np.pi) * scipy.special.eval_legendre(degree, np.sum(x * y, axis=1))
        np.testing.assert_allclose(
            products[:, l == degree].sum(axis=1), expected, atol=64 * EPS * (2 * degree + 1)
        )


def test_addition_theorem_at_a_degree_of_a_thousand_and_near_the_pole():
    x = np.array([[0.6, 0.0, 0.8], [1e-9, 0.0, 1.0], [1.0, 0.0, 0.0]])
    y = real_harmonics(1000, x)
    l, _ = degrees(1000)
    # P_1000 has the slope l(l+1)/2 at the pole, so that z to rounding gives no more than l(l+1) ε.
    np.testing.assert_allclose((y[:, l == 1000] ** 2).sum(axis=1), 2001 / (4 * np.pi), rtol=1000 * 1001 * EPS)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_product_with_a_coordinate(axis):
    x = unit_vectors(8)
    product = real_harmonics(8, x) @ coordinate_matrix(7, axis)
    np.testing.assert_allclose(product, x[:, [axis]] * real_harmonics(7, x), atol=32 * EPS)


@pytest.mark.parametrize("alpha", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 2, 0), (1, 0, 1)])
def test_derivatives_are_those_of_the_extension_along_rays(alpha):
    """Central differences of f(x/|x|), of order 2, two-sided."""
    x = unit_vectors(6, 4)

    def quotient(h, p, orders):
        axis = next((i for i, order in enumerate(orders) if order), None)
        if axis is None:
            return scipy_harmonics(4, p / np.linalg.norm(p, axis=1, keepdims=True))
        fewer = tuple(order - (i == axis) for i, order in enumerate(orders))
        step = h * np.eye(3)[axis]
        return (quotient(h, p + step, fewer) - quotient(h, p - step, fewer)) / (2 * h)

    exact = sphere.eigenfunctions(25, x, alpha)
    coarse, fine = (abs(quotient(h, x, alpha) - exact).max() for h in (0.02, 0.01))
    assert 3.8 < coarse / fine < 4.2


def test_derivatives_commute_and_are_homogeneous():
    """∂_i ∂_j = ∂_j ∂_i, and Σ x_i ∂_i of the extension is zero on the sphere."""
    np.testing.assert_allclose(
        derivative_matrix(5, (1, 0, 1)).toarray(), _in_other_order(5).toarray(), atol=64 * EPS * 36
    )
    x = unit_vectors(6)
    first = [sphere.eigenfunctions(36, x, alpha) for alpha in np.eye(3, dtype=int).tolist()]
    np.testing.assert_allclose(sum(x[:, [i]] * first[i] for i in range(3)), 0, atol=1e-13)


def _in_other_order(degree):
    """∂_x ∂_z with ∂_z applied first: from the matrices of single derivatives and products."""
    first = derivative_matrix(degree, (0, 0, 1))
    return (derivative_matrix(degree + 1, (1, 0, 0)) - coordinate_matrix(degree + 1, 0)) @ first


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_quadrature_is_exact_to_its_degree_and_not_above(n):
    grid = sphere.grid(n)
    top = 2 * n - 1
    integrals = grid.weights @ real_harmonics(top + 1, grid.nodes)
    exact = np.zeros(len(integrals))
    exact[0] = math.sqrt(4 * math.pi)
    l, _ = degrees(top + 1)
    np.testing.assert_allclose(integrals[l <= top], exact[l <= top], atol=1e-13)
    assert abs(integrals[l == top + 1]).max() > 1e-2


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_transform_inverts_and_keeps_the_norm(n, seed):
    grid = sphere.grid(n)
    c = np.random.default_rng(seed).normal(size=(n * n, 2))
    values = grid.backward(c)
    np.testing.assert_allclose(grid.forward(values), c, atol=1e-13 * n)
    np.testing.assert_allclose(values, real_harmonics(n - 1, grid.nodes) @ c, atol=1e-12 * n)
    np.testing.assert_allclose(grid.weights @ values**2, (c**2).sum(axis=0), rtol=1e-12)  # Parseval


def test_values_stand_for_their_projection():
    """Hyperinterpolation: z^n is projected to degree n - 1, whose coefficients the quadrature finds."""
    grid = sphere.grid(6)
    f = grid.function(lambda x, y, z: z**6 + x)
    c = grid.forward(f.values)
    u = grid.function(grid.backward(c))
    np.testing.assert_allclose(grid.forward(u.values), c, atol=1e-14)
    x = unit_vectors(5)
    np.testing.assert_allclose(f(x), u(x), atol=1e-14)


def test_functions_are_evaluated_differentiated_and_moved_between_grids():
    f = sphere.grid(8).function(lambda x, y, z: x * y * z + z**2)
    x = unit_vectors(10)
    np.testing.assert_allclose(f(x), x.prod(axis=1) + x[:, 2] ** 2, atol=1e-14)
    # ∂_x of (xyz/r³ + z²/r²) at r = 1.
    expected = x[:, 1] * x[:, 2] - x[:, 0] * (3 * x.prod(axis=1) + 2 * x[:, 2] ** 2)
    np.testing.assert_allclose(f.derivative((1, 0, 0))(x), expected, atol=1e-13)
    for n in (5, 8, 12):
        np.testing.assert_allclose(sphere.grid(n).function(f)(x), f(x), atol=1e-14)


@pytest.mark.parametrize("s", [-1.3, 0.5, 2.0])
def test_closed_form_powers(s):
    """(1 - Δ)^s of z and of xy are 3^s z and 7^s xy."""
    grid = sphere.grid(10)
    f = grid.function(lambda x, y, z: z + x * y)
    expected = grid.function(lambda x, y, z: 3**s * z + 7**s * x * y)
    power = grid.multiply(fg.Sobolev(s).symbol(grid.eigenvalues), f.values)
    np.testing.assert_allclose(power, expected.values, atol=1e-14 * 91 ** max(s, 0))


def test_green_function_of_the_sphere():
    """The representer of an evaluation is Σ (2l+1)/(4π) (1+l(l+1))^{-s} P_l, cut at the grid's degree."""
    grid, metric, point = sphere.grid(24), fg.Sobolev(2.5), np.array([0.6, 0.0, 0.8])
    x = unit_vectors(20)
    l = np.arange(24)
    weights = (2 * l + 1) / (4 * np.pi) * (1 + l * (l + 1)) ** -2.5
    expected = scipy.special.eval_legendre(l, (x @ point)[:, None]) @ weights
    np.testing.assert_allclose(metric.riesz(fg.PointEvaluation(point), grid)(x), expected, atol=1e-14)


@pytest.mark.parametrize("a", [1.2, 2.0])
def test_convergence_reaches_rounding_at_the_degree_the_ellipse_predicts(a):
    """1/(a - z) has Legendre coefficients like ρ^{-l}, ρ = a + √(a²-1)."""
    rho = a + math.sqrt(a * a - 1)
    n = math.ceil(math.log(1e13) / math.log(rho)) + 4
    x = unit_vectors(50)

    def error(n):
        f = sphere.grid(n).function(lambda x, y, z: 1 / (a - z))
        return abs(f(x) - 1 / (a - x[:, 2])).max() * (a - 1)

    assert error(n) < 1e-12
    assert error(n // 2) > 1e-9


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distance_is_the_angle(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 3))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    assert sphere.distance(x, y)[0] == pytest.approx(
        2 * math.asin(min(1, np.linalg.norm(x - y) / 2)), abs=1e-7
    )
    assert sphere.distance(x, x)[0] == 0
    assert sphere.distance(x, -x)[0] == pytest.approx(math.pi)


def test_derivative_along_the_point_itself_does_not_count():
    north = (0.0, 0.0, 1.0)
    assert sphere.effective_derivative(north, (0, 0, 2)) is None
    assert sphere.effective_derivative(north, (1, 0, 1)) == (1, 0, 0)
    assert sphere.effective_derivative((0.6, 0.0, 0.8), (1, 0, 1)) == (1, 0, 1)
    assert sphere.effective_derivative(north, (0, 0, 0)) == (0, 0, 0)
    assert abs(sphere.eigenfunctions(30, [north], (0, 0, 2))).max() < 1e-12
    twice = sphere.eigenfunctions(30, [north], (1, 0, 1)) + sphere.eigenfunctions(30, [north], (1, 0, 0))
    assert abs(twice).max() < 1e-12


def test_points_off_the_sphere_and_wrong_multi_indices_are_refused():
    with pytest.raises(DomainMismatch, match="outside the unit sphere"):
        sphere.grid(4).function(np.ones(32))([1.0, 1.0, 0.0])
    with pytest.raises(InvalidInput, match=r"points of shape \(N, 3\)"):
        sphere.points([[0.1, 0.2]])
    with pytest.raises(InvalidInput, match="`derivative` must hold 3"):
        sphere.grid(4).function(np.ones(32)).derivative((1, 0))
    with pytest.raises(InvalidInput, match="`n` must be at least 1"):
        sphere.grid(0)
