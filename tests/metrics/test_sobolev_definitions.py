"""H^s on polynomial grids, W^{k,2} and homogeneous H^s: what they are, against closed forms."""

import math

import numpy as np
import pytest
import scipy.integrate
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.spaces.polynomial_grid import PolynomialGrid

EPS = np.finfo(float).eps
RULES = ("gauss-legendre", "clenshaw-curtis")


def polynomial(grid, rng, degree=4, vanishing=False):
    """A random polynomial, that vanishes at the ends of [-1, 1] if asked to."""
    p = np.polynomial.Polynomial(rng.normal(size=degree + 1))
    return p * np.polynomial.Polynomial([1, 0, -1]) if vanishing else p


# --- spectral H^s on polynomial grids ------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_order_is_continuous_at_the_exact_routes(rule, boundary):
    """At s = 0 and 1 the eigenbasis gives what the quadrature and the derivative matrix give."""
    grid = fg.Interval(-1, 1, boundary).grid(20, rule=rule)
    rng = np.random.default_rng(0)
    u, v = (grid.function(polynomial(grid, rng, vanishing=boundary == "dirichlet")) for _ in range(2))
    for exact in (0.0, 1.0):
        near = fg.Sobolev(exact + 1e-13, 0.5)
        scale = fg.Sobolev(exact, 0.5).norm(u) * fg.Sobolev(exact, 0.5).norm(v)
        assert abs(near.inner(u, v) - fg.Sobolev(exact, 0.5).inner(u, v)) < 1e-11 * scale


def legendre_norm(degree, s, boundary):
    """‖P_degree‖_s² on [-1, 1], s < 3/2, from its exact cosine (sine) coefficients by adaptive quadrature."""
    p = np.polynomial.Legendre.basis(degree)
    if boundary == "dirichlet":
        p = p - np.polynomial.Legendre.basis(degree - 2)
    total, count = 0.0, 400
    for k in range(count):
        if boundary == "dirichlet" and k == 0:
            continue
        wave = {"neumann": "cos", "dirichlet": "sin"}[boundary]
        # cos(kπ(x+1)/2): shift to [0, 2].
        value = scipy.integrate.quad(lambda t: p(t - 1), 0, 2, weight=wave, wvar=k * np.pi / 2)[0]
        value *= np.sqrt(0.5) if k == 0 else 1.0
        total += (1 + (k * np.pi / 2) ** 2) ** s * value**2
    return total


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_norm_of_polynomials_is_ordered_by_jensen(boundary):
    """PA^sP <= (PAP)^s for 0 <= s <= 1 and >= for -1 <= s <= 0: operator concavity; equal in the limit."""
    interval = fg.Interval(-1, 1, boundary)
    f = np.polynomial.Legendre.basis(4)
    if boundary == "dirichlet":
        f = f - np.polynomial.Legendre.basis(2)
    for s, sign in ((0.5, 1), (-0.5, -1)):
        exact = legendre_norm(4, s, boundary)
        gaps = [
            sign * (fg.Sobolev(s).norm(interval.grid(n).function(f)) ** 2 / exact - 1)
            for n in (6, 12, 24, 48)
        ]
        assert min(gaps) > -1e-6  # the sum over modes is cut
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] < 1e-3


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("s", [0.75, 1.5, 2.0, 3.0])
def test_representer_of_a_point_converges_to_the_kernel(rule, boundary, s):
    """K_s(x, .), which is computed by images: at the order 2s - 1, by Clenshaw-Curtis at 4 at most."""
    interval = fg.Interval(0, 1, boundary)
    metric, x = fg.Sobolev(s, 0.3), np.linspace(0, 1, 41)
    exact = metric.green_kernel(interval).gram([0.37], x)[0]
    errors = []
    for n in (16, 32, 64, 128):
        g = metric.riesz(fg.PointEvaluation(0.37), interval.grid(n, rule=rule))
        errors.append(np.abs(g(x) - exact).max() / exact.max())
    order = 2 * s - 1 if rule == "gauss-legendre" else min(2 * s - 1, 4)
    assert errors[-1] < 8 * 128.0**-order
    assert np.log2(errors[0] / errors[-1]) / 3 > 0.85 * order


@pytest.mark.parametrize("s", [-1.5, -0.4, 0.6, 2.3])
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_polynomial_and_eigenfunction_grids_agree(s, boundary):
    """The same function, resolved by both, has the same norm and the same flat."""
    interval = fg.Interval(0, 2, boundary)
    wave = (
        (lambda x: np.exp(np.cos(np.pi * x)))
        if boundary == "neumann"
        else (lambda x: np.sin(np.pi * x) * np.exp(np.cos(np.pi * x)))
    )
    metric = fg.Sobolev(s, 0.7)
    fine, gauss = interval.grid(64, rule="midpoint"), interval.grid(48)
    u, v = fine.function(wave), gauss.function(wave)
    assert abs(metric.norm(u) / metric.norm(v) - 1) < 1e-10
    test = gauss.function(lambda x: wave(x) * np.cos(np.pi * x))
    assert abs(metric.flat(v)(test) - metric.inner(v, test)) < 1e-11 * metric.norm(v) * metric.norm(test)


@settings(max_examples=30, deadline=None)
@given(s=st.floats(-2, 3), n=st.integers(3, 24), scale=st.floats(0.05, 2), seed=st.integers(0, 2**32 - 1))
def test_riesz_represents_on_polynomial_grids(s, n, scale, seed):
    """<riesz(c), v> = c(v) for every v of the space, scaled by the condition of S."""
    rng = np.random.default_rng(seed)
    interval = fg.Interval(-1, 1, str(rng.choice(["neumann", "dirichlet"])))
    grid = interval.grid(n, rule=str(rng.choice(RULES)))
    v = rng.normal(size=n)
    if interval.boundary == "dirichlet":
        v = polynomial(grid, rng, min(n - 3, 4), vanishing=True)
    v = grid.function(v)
    metric = fg.Sobolev(s, scale)
    c = fg.PointEvaluation(rng.uniform(-1, 1)) + fg.Density(grid.function(rng.normal(size=n)))
    if interval.boundary == "dirichlet" and s < 0.5:
        v = metric.riesz(fg.Density(v), grid)  # in the constrained space to rounding
    g = metric.riesz(c, grid)
    condition = (1 + scale**2 * 0.3 * n**4) ** abs(s)
    assert abs(metric.inner(g, v) - c(v)) <= 1e-13 * condition * (
        metric.norm(g) * metric.norm(v) + abs(c(v)) + 1
    )


def test_dirichlet_functions_vanish_from_order_one_half_on():
    grid = fg.Interval(0, 1, "dirichlet").grid(12)
    one = grid.function(np.ones(12))
    for s in (0.5, 1.0, 1.7):
        with pytest.raises(DomainMismatch, match="Dirichlet"):
            fg.Sobolev(s).norm(one)
    assert abs(fg.Sobolev(1e-9).norm(one) - 1) < 0.1


# --- W^{k,2} -------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(k=st.integers(0, 4), scale=st.floats(0.1, 3), seed=st.integers(0, 2**32 - 1))
def test_derivative_norm_of_polynomials_is_exact(k, scale, seed):
    """Σ C(k,j) ℓ^{2j} ∫ p^{(j)} q^{(j)}, integrated exactly, and the flat pairs to the same."""
    rng = np.random.default_rng(seed)
    interval = fg.Interval(-0.5, 1.5, str(rng.choice(["neumann", "dirichlet"])))
    p, q = (np.polynomial.Polynomial(rng.normal(size=6)) for _ in range(2))
    exact, size = 0.0, 0.0
    for j in range(k + 1):
        P = (p.deriv(j) * q.deriv(j)).integ() if j else (p * q).integ()
        square = ((p.deriv(j) if j else p) ** 2).integ()
        factor = math.comb(k, j) * scale ** (2 * j)
        exact += factor * (P(1.5) - P(-0.5))
        size += factor * (square(1.5) - square(-0.5))
    metric, grid = fg.Sobolev(k, scale, definition="derivative"), interval.grid(8)
    u, v = grid.function(p), grid.function(q)
    tolerance = 1e-12 * math.sqrt(size) * metric.norm(v)
    assert abs(metric.inner(u, v) - exact) <= tolerance
    assert abs(metric.flat(u)(v) - exact) <= tolerance


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_definitions_agree_on_the_circle(k):
    grid = fg.Circle(3.0).grid(31)
    rng = np.random.default_rng(1)
    u, v = grid.function(rng.normal(size=31)), grid.function(rng.normal(size=31))
    spectral, derivative = fg.Sobolev(k, 0.4), fg.Sobolev(k, 0.4, definition="derivative")
    by_hand = sum(
        math.comb(k, j) * 0.4 ** (2 * j) * grid.integrate(u.derivative(j).values * v.derivative(j).values)
        for j in range(k + 1)
    )
    scale = spectral.norm(u) * spectral.norm(v)
    assert abs(derivative.inner(u, v) - by_hand) < 1e-13 * scale
    assert abs(spectral.inner(u, v) - by_hand) < 1e-13 * scale


def test_first_order_is_that_of_the_neumann_condition():
    interval = fg.Interval(0, 1)
    spectral, derivative = fg.Sobolev(1, 0.3), fg.Sobolev(1, 0.3, definition="derivative")
    for grid in (interval.grid(12), interval.grid(12, rule="midpoint")):
        c = fg.PointEvaluation(0.2)
        np.testing.assert_allclose(
            derivative.riesz(c, grid).values, spectral.riesz(c, grid).values, rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("x0", [0.0, 0.3])
def test_representer_is_the_kernel_of_derivative_spaces(k, x0):
    """Galerkin representers of δ and of δ' converge to DerivativeSobolev, which uses no grid."""
    interval = fg.Interval(0, 1)
    metric, x = fg.Sobolev(k, 0.5, definition="derivative"), np.linspace(0, 1, 21)
    kernel = metric.green_kernel(interval)
    for derivative in range(min(k, 2)):
        c = fg.PointEvaluation(x0, derivative)
        exact = (kernel.derivative(derivative, 0) if derivative else kernel).gram([x0], x)[0]
        errors = [np.abs(metric.riesz(c, interval.grid(n))(x) - exact).max() for n in (8, 16, 32)]
        assert errors[-1] < max(8 * 32.0 ** (1 + 2 * derivative - 2 * k), 1e-9) * np.abs(exact).max()
        squared = metric.dual_norm(c, interval) ** 2
        diagonal = kernel.derivative(derivative, derivative) if derivative else kernel
        assert abs(squared / diagonal(x0, x0) - 1) < 1e-14


def test_natural_conditions_of_second_order_differ_from_neumanns():
    """W^{2,2}: u'' = 0 and 2u' = ℓ²u''' at the ends; spectral H²: u' = u''' = 0 there."""
    interval, ell = fg.Interval(0, 1), 0.4
    grid = interval.grid(32)
    c = fg.Density(grid.function(lambda x: np.exp(x)))
    weak = fg.Sobolev(2, ell, definition="derivative").riesz(c, grid)
    spectral = fg.Sobolev(2, ell).riesz(c, grid)
    for end in (0.0, 1.0):
        assert abs(weak.derivative(2)(end)) < 1e-6
        assert abs(2 * weak.derivative(1)(end) - ell**2 * weak.derivative(3)(end)) < 1e-5
        assert abs(weak.derivative(1)(end)) > 0.1
        assert abs(spectral.derivative(1)(end)) < 1e-6
    # Both solve (1 - ℓ²D²)² u = e^x inside.
    for u in (weak, spectral):
        residual = u.values - 2 * ell**2 * u.derivative(2).values + ell**4 * u.derivative(4).values
        inside = slice(8, 24)
        assert np.abs(residual[inside] - np.exp(grid.nodes[inside, 0])).max() < 1e-4


@pytest.mark.parametrize(("derivative", "exists"), [(0, True), (1, True), (2, False), (3, False)])
@pytest.mark.parametrize("x", [0.0, 0.4])
def test_existence_in_derivative_spaces(derivative, exists, x):
    """∂^j at a point is bounded on W^{2,2} iff j < 3/2, at an end as inside: no condition annihilates it."""
    for boundary in ("neumann", "dirichlet"):
        metric = fg.Sobolev(2, definition="derivative")
        verdict = fg.gradient_exists(fg.PointEvaluation(x, derivative), metric, fg.Interval(0, 1, boundary))
        assert verdict.exists is exists
        assert verdict.evidence.verdict is exists


# --- homogeneous H^s -----------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [-2.0, -0.5, 0.0, 0.5, 1.0, 1.7])
@pytest.mark.parametrize(
    "grid",
    [fg.Circle(2.0).grid(32), fg.Interval(0, 1).grid(32, rule="midpoint"), fg.Interval(0, 1).grid(40)],
    ids=repr,
)
def test_homogeneous_norm_of_a_mode(grid, s):
    """‖cos(2πx)‖² = (2πℓ)^{2s} ‖cos(2πx)‖_0²; with ℓ = 1/2π it does not depend on s."""
    circle = isinstance(grid.domain, fg.Circle)
    u = grid.function(lambda x: np.cos(2 * np.pi * x))
    metric = fg.Sobolev(s, 0.3, homogeneous=True)
    exact = (0.6 * np.pi) ** (2 * s) * (1.0 if circle else 0.5)
    assert abs(metric.norm(u) ** 2 / exact - 1) < 1e-12
    assert abs(metric.flat(u)(u) / exact - 1) < 1e-12


@pytest.mark.parametrize("s", [-1.0, 0.0, 0.8, 2.0])
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint"])
def test_homogeneous_representer(s, boundary, rule):
    """<g, v> = c(v) for v of mean zero (every v with Dirichlet conditions), and g is one of them."""
    grid = fg.Interval(-1, 1, boundary).grid(16, rule=rule)
    metric = fg.Sobolev(s, 0.6, homogeneous=True)
    c = fg.PointEvaluation(0.2) + fg.Density(grid.function(np.exp))
    g = metric.riesz(c, grid)
    v = grid.function(lambda x: (1 - x**2) * np.exp(x))
    if boundary == "neumann":
        assert abs(g.integral()) < 1e-13 * metric.norm(g)
        v = v - grid.function(np.full(16, v.integral() / 2))
    elif rule == "midpoint" or s < 0.5:
        v = metric.riesz(fg.Density(v), grid)
    assert abs(metric.inner(g, v) - c(v)) < 1e-11 * (1 + metric.norm(g)) * metric.norm(v) * (
        1 if s >= 0 else 100
    )


@pytest.mark.parametrize("s", [0.75, 1.0, 1.6])
@pytest.mark.parametrize(
    "domain", [fg.Circle(2.0), fg.Interval(0, 1), fg.Interval(0, 1, "dirichlet")], ids=str
)
def test_homogeneous_dual_norm_is_the_sum_over_modes(domain, s):
    """Σ e_k(x)²/(ℓ²λ_k)^s over the modes that are not constant, with the tail of the sum bounded."""
    metric = fg.Sobolev(s, 0.3, homogeneous=True)
    squared = metric.dual_norm(fg.PointEvaluation(0.3), domain) ** 2
    count = 200_000
    eigenvalues = domain.laplacian_spectrum(count)
    modes = domain.eigenfunctions(count, [0.3])[0] ** 2
    total = np.sum(modes[eigenvalues > 0] * (0.09 * eigenvalues[eigenvalues > 0]) ** -s)
    frequency = np.sqrt(eigenvalues[-1])
    spacing = 2 * np.pi / domain.volume if isinstance(domain, fg.Circle) else np.pi / domain.volume
    density = 2 / domain.volume / spacing
    tail = density * 0.3 ** (-2 * s) * frequency ** (1 - 2 * s) / (2 * s - 1)
    assert -1e-12 <= squared - total <= 1.01 * tail + 1e-12


def test_homogeneous_existence_does_not_divide_by_zero():
    for s, exists in ((1.0, True), (0.25, False), (-1.0, False)):
        metric = fg.Sobolev(s, homogeneous=True)
        for domain in (fg.Circle(1.0), fg.Interval(0, 1), fg.Interval(0, 1, "dirichlet")):
            verdict = fg.gradient_exists(fg.PointEvaluation(0.3), metric, domain)
            assert verdict.exists is exists
            assert np.isfinite(verdict.evidence.squared_dual_norms).all()


# --- refusals and names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 1.5, "definition": "derivative"}, "`order` must be a whole number"),
        ({"order": -1, "definition": "derivative"}, "`order` must be a whole number"),
        ({"order": 1, "definition": "derivativ"}, "did you mean 'derivative'"),
        ({"order": 1, "definition": "derivative", "homogeneous": True}, "`homogeneous` goes with"),
        ({"order": 1, "homogeneous": "yes"}, "`homogeneous` must be True or False"),
        ({"order": np.inf}, "`order` must be finite"),
        ({"order": 1, "length_scale": -1}, "`length_scale` must be positive"),
    ],
)
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        fg.Sobolev(**arguments)


def test_functions_outside_the_space_are_refused():
    homogeneous = fg.Sobolev(-1, homogeneous=True)
    for grid in (
        fg.Circle(1.0).grid(8),
        fg.Interval(0, 1).grid(8),
        fg.Interval(0, 1).grid(8, rule="midpoint"),
    ):
        with pytest.raises(InvalidInput, match="mean zero"):
            homogeneous.norm(grid.function(np.ones(8)))
    for order, boundary in ((2, "neumann"), (1, "dirichlet")):
        grid = fg.Interval(0, 1, boundary).grid(8, rule="midpoint")
        with pytest.raises(InvalidInput, match="grid of polynomials"):
            fg.Sobolev(order, definition="derivative").norm(grid.function(np.zeros(8)))
    with pytest.raises(InvalidInput, match="at least 3 nodes"):
        fg.Sobolev(1).square_root(fg.Interval(0, 1, "dirichlet").grid(2))
    big = fg.Interval(0, 1).grid(2049)
    assert isinstance(big, PolynomialGrid)
    with pytest.raises(InvalidInput, match="at most 2048 nodes"):
        fg.Sobolev(0.5).square_root(big)


def test_names_say_which_space_it_is():
    assert str(fg.Sobolev(1.0)) == "H^1"
    assert str(fg.Sobolev(2, 0.5, definition="derivative")) == "W^2,2 with length scale 0.5"
    assert str(fg.Sobolev(-1, homogeneous=True)) == "homogeneous H^-1"
    for metric in (
        fg.Sobolev(1.0),
        fg.Sobolev(2, definition="derivative"),
        fg.Sobolev(0.3, 2, homogeneous=True),
    ):
        assert eval(repr(metric), {"Sobolev": fg.Sobolev}) == metric
