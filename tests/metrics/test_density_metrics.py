"""Fisher-Rao and Wasserstein: normal densities, closed forms by antiderivatives, manufactured potentials."""

import math

import numpy as np
import pytest
import scipy.linalg
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, GradientDoesNotExist, InvalidInput

EPS = np.finfo(float).eps
NORMAL = fg.models.Symbolic("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))", "x", "m s")
LINE = fg.Interval(-8, 8)
# KL(ρ | N(0, 1)) up to a constant; for N(m, s²) it is (m² + s² - 1)/2 - log s.
ENERGY = fg.Integral("u*log(u) + u*x**2/2")


def orders(errors):
    return np.log2(np.divide(errors[:-1], errors[1:]))


# --- the normal densities -----------------------------------------------------------------------------


@settings(max_examples=25)
@given(m=st.floats(-1, 1), s=st.floats(0.5, 0.8))
def test_on_normal_densities_fisher_rao_is_hyperbolic_and_wasserstein_euclidean(m, s):
    """dm²/s² + 2 ds²/s², and dm² + ds² (Takatsu 2011); the tails beyond 8.75 s are 1e-16."""
    fine = LINE.grid(160)
    fisher = fg.gram(NORMAL, [m, s], fg.FisherRao(), fine)
    np.testing.assert_allclose(fisher * s**2, np.diag([1, 2]), atol=1e-11)
    np.testing.assert_allclose(fg.gram(NORMAL, [m, s], fg.Wasserstein(), fine), np.eye(2), atol=1e-11)


def test_staggered_differences_are_of_order_2_on_normal_densities():
    errors = [
        np.linalg.norm(
            fg.gram(NORMAL, [0.3, 0.9], fg.Wasserstein(), LINE.grid(n, rule="midpoint")) - np.eye(2)
        )
        for n in (64, 128, 256, 512)
    ]
    assert np.all(np.abs(orders(errors) - 2) < 0.1), orders(errors)
    assert errors[-1] < 1e-3


def test_the_natural_gradient_of_an_entropy_among_normal_densities():
    """In m, s it is G⁻¹ (m, s - 1/s) with the matrices above."""
    m, s = 0.3, 0.9
    for metric, exact in (
        (fg.Wasserstein(), [m, s - 1 / s]),
        (fg.FisherRao(), [m * s**2, (s - 1 / s) * s**2 / 2]),
    ):
        step = fg.natural_gradient(ENERGY, NORMAL, [m, s], metric, LINE)
        np.testing.assert_allclose(step.direction, exact, atol=1e-10)


def test_the_wasserstein_flow_of_the_entropy_is_the_ornstein_uhlenbeck_process():
    """m' = -m, (s²)' = -2(s² - 1); the gradient flow among normals is that among all densities."""
    path = fg.flow(ENERGY, NORMAL, [0.8, 0.7], fg.Wasserstein(), LINE.grid(96), (0, 0.3), rtol=1e-7)
    exact = [0.8 * math.exp(-0.3), math.sqrt(1 + (0.49 - 1) * math.exp(-0.6))]
    np.testing.assert_allclose(path.theta[-1], exact, rtol=1e-6)
    m, s = path.theta[-1]
    assert path.norm[-1] == pytest.approx(math.hypot(m, s - 1 / s), rel=1e-8)


@pytest.mark.parametrize("metric", [fg.Wasserstein(), fg.FisherRao()], ids=str)
def test_descent_takes_the_metric_at_the_current_density(metric):
    found = fg.descend(ENERGY, NORMAL, [0.8, 0.6], metric, LINE)
    assert found.success
    np.testing.assert_allclose(found.theta, [0, 1], atol=1e-7)
    norm = metric.at(LINE.grid(128).function(lambda x: NORMAL([0.8, 0.6], x))).norm
    first = fg.natural_gradient(ENERGY, NORMAL, [0.8, 0.6], metric, LINE.grid(128))
    assert found.history["norm"][0] == pytest.approx(norm(first.pushforward), rel=1e-9)


def test_wasserstein_on_normal_densities_in_the_plane():
    """|dm|² + tr(L S L) with LS + SL = dS, S the covariance (Takatsu 2011), with order 2."""
    S = np.array([[0.5, 0.15], [0.15, 0.35]])
    model = fg.models.GaussianMixture(1, dimension=2)
    factor = np.linalg.cholesky(np.linalg.inv(S))  # L Lᵀ is the inverse covariance
    theta = np.array([0.1, -0.2, *np.log(np.diag(factor)), factor[1, 0]])

    def covariance(t):
        lower = np.array([[math.exp(t[2]), 0.0], [t[4], math.exp(t[3])]])
        return np.linalg.inv(lower @ lower.T)

    h = 1e-6
    slopes = [(covariance(theta + h * e) - covariance(theta - h * e)) / (2 * h) for e in np.eye(5)]
    lyapunov = [scipy.linalg.solve_continuous_lyapunov(S, slope) for slope in slopes]
    exact = np.array([[np.trace(a @ S @ b) for b in lyapunov] for a in lyapunov]) + np.diag([1.0, 1, 0, 0, 0])
    box = fg.Box([(-5, 5), (-5, 5)])
    errors = []
    for n in (60, 120, 240):
        found = fg.gram(model, theta, fg.Wasserstein(), box.grid(n, rule="midpoint"))
        errors.append(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    assert np.all(np.abs(orders(errors) - 2) < 0.15), errors
    assert errors[-1] < 2e-2


# --- closed forms -------------------------------------------------------------------------------------

X = sympy.Symbol("x")
Y = sympy.Symbol("y")


def test_on_an_interval_it_is_the_integral_of_antiderivatives_over_the_density():
    """∫ U V / ρ, in closed form by sympy; exact on Gauss-Legendre nodes."""
    rho, u, v = 1 + X / 2, X - sympy.Rational(1, 2), X**3 - sympy.Rational(1, 4)
    U, V = sympy.integrate(u, (X, 0, X)), sympy.integrate(v, (X, 0, X))
    exact = float(sympy.integrate(sympy.apart(U * V / rho), (X, 0, 1)))
    interval = fg.Interval(0, 1)

    def found(grid):
        metric = fg.Wasserstein().at(grid.function(lambda x: 1 + x / 2))
        return metric.inner(grid.function(lambda x: x - 0.5), grid.function(lambda x: x**3 - 0.25))

    assert found(interval.grid(12)) == pytest.approx(exact, rel=1e-12)
    errors = []
    for n in (20, 40, 80, 160):
        grid = interval.grid(n, rule="midpoint")
        metric = fg.Wasserstein().at(grid.function(lambda x: 1 + x / 2))
        v_values = grid.nodes[:, 0] ** 3
        second = grid.function(v_values - v_values.mean())
        errors.append(abs(metric.inner(grid.function(lambda x: x - 0.5), second) - exact))
    assert np.all(np.abs(orders(errors) - 2) < 0.05), orders(errors)


def test_on_a_circle_the_flow_has_no_circulation_of_its_gradient():
    """The constant of U is such that U/ρ is a gradient: ∫UV/ρ - ∫U/ρ ∫V/ρ / ∫1/ρ."""
    fine = fg.Circle().grid(512)
    x = fine.nodes[:, 0]
    rho, U, V = np.exp(0.5 * np.cos(x)), np.sin(x - 0.4), np.sin(x) - np.cos(2 * x) / 2
    exact = fine.integrate(U * V / rho) - fine.integrate(U / rho) * fine.integrate(V / rho) / fine.integrate(
        1 / rho
    )
    errors = []
    for n in (32, 64, 128, 256):
        grid = fg.Circle().grid(n)
        metric = fg.Wasserstein().at(grid.function(lambda x: np.exp(0.5 * np.cos(x))))
        found = metric.inner(
            grid.function(lambda x: np.cos(x - 0.4)), grid.function(lambda x: np.cos(x) + np.sin(2 * x))
        )
        errors.append(abs(found - exact))
    assert np.all(np.abs(orders(errors) - 2) < 0.05), orders(errors)


def functions_of(*expressions):
    return [sympy.lambdify((X, Y), expression, "numpy") for expression in expressions]


@pytest.mark.parametrize(
    ("domain", "p", "rho"),
    [
        (
            fg.Torus((2 * np.pi, 2 * np.pi)),
            sympy.sin(X) * sympy.cos(2 * Y) + sympy.cos(Y),
            2 + sympy.cos(X + Y),
        ),
        (
            fg.Box([(0, np.pi), (0, 2 * np.pi)], boundary=("neumann", "periodic")),
            sympy.cos(X) * sympy.sin(Y) + sympy.cos(2 * X),
            sympy.exp(sympy.sin(Y) * sympy.cos(X) / 2),
        ),
        (fg.Box([(0, np.pi), (0, np.pi)]), sympy.cos(X) * sympy.cos(2 * Y), 1 + X * Y / 4),
    ],
    ids=str,
)
def test_a_potential_without_flux_at_the_boundary_has_its_kinetic_energy(domain, p, rho):
    """For u = -∇·(ρ∇p): <u, u> = ∫ρ|∇p|² = ∫pu, and the covector of density p is represented by u."""
    u = -sum(sympy.diff(rho * sympy.diff(p, z), z) for z in (X, Y))
    rho, u, p = functions_of(rho, u, p)
    fine = domain.grid(
        256, rule=["trapezoid" if f.boundary == "periodic" else "midpoint" for f in domain.factors]
    )
    exact = fine.integrate(p(*fine.nodes.T) * u(*fine.nodes.T))
    norms, representers = [], []
    for n in (16, 32, 64):
        grid = domain.grid(n, rule=fine.rule.split(" x ") if " x " in fine.rule else fine.rule)
        metric = fg.Wasserstein().at(grid.function(rho))
        values = u(*grid.nodes.T)
        values -= grid.integrate(values) / domain.volume
        norms.append(abs(metric.norm(grid.function(values)) ** 2 - exact))
        c = fg.Density(grid.function(p))
        representers.append(np.sqrt(grid.integrate((metric.riesz(c, grid).values - u(*grid.nodes.T)) ** 2)))
        assert metric.dual_norm(c, domain) == pytest.approx(metric.norm(metric.riesz(c, grid)), rel=1e-10)
    assert np.all(np.abs(orders(norms) - 2) < 0.2), norms
    assert np.all(np.abs(orders(representers) - 2) < 0.2), representers


def test_gradients_are_diffusion_and_replication():
    """Of ∫ρ log ρ: -Δρ by order 2, and ρ(1 + log ρ)."""
    errors = []
    for n in (64, 128, 256):
        rho = fg.Circle().grid(n).function(lambda x: np.exp(np.sin(x)))
        entropy = fg.Integral("u*log(u)")
        x = rho.grid.nodes[:, 0]
        g = fg.gradient(entropy, rho, fg.Wasserstein())
        errors.append(np.abs(g.values - (np.sin(x) - np.cos(x) ** 2) * rho.values).max())
        g = fg.gradient(entropy, rho, fg.FisherRao())
        np.testing.assert_allclose(g.values, rho.values * (1 + np.sin(x)), rtol=1e-13, atol=1e-13)
    assert np.all(np.abs(orders(errors) - 2) < 0.05), orders(errors)


# --- square roots -------------------------------------------------------------------------------------

GRIDS = [
    fg.Interval(0, 2).grid(9),
    fg.Interval(0, 2).grid(10),
    fg.Interval(-1, 1).grid(9, rule="midpoint"),
    fg.Circle().grid(8),
    fg.Torus((1.0, 2.0)).grid((4, 5)),
    fg.Box([(0, 1), (0, 2)], boundary=("neumann", "periodic")).grid((4, 3), rule=("midpoint", "trapezoid")),
    fg.Box([(0, 1)] * 3).grid(3, rule="midpoint"),
]


def random_density(grid, rng):
    return grid.function(np.exp(2 * rng.normal(size=len(grid))))


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@pytest.mark.parametrize("field", [fg.FisherRao(), fg.Wasserstein()], ids=str)
@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_square_roots_are_adjoint_and_representers_represent(grid, field, seed):
    rng = np.random.default_rng(seed)
    metric = field.at(random_density(grid, rng))
    root = metric.square_root(grid)
    u, v, c = rng.normal(size=(3, len(grid), 2))
    u, v = (w - grid.weights @ w / grid.weights.sum() for w in (u, v))
    Su, Sv = root.apply(u), root.apply(v)
    r = root.solve_transpose(c)
    size = np.linalg.norm(r) * np.linalg.norm(Su)
    # Sᵀr = c on functions of mass zero, r is in the range of S, and solve inverts S.
    assert np.sum(r * Su) == pytest.approx(np.sum(c * u), abs=1e-10 * size)
    np.testing.assert_allclose(root.apply(root.solve(Su)), Su, atol=1e-9 * np.abs(Su).max())
    if isinstance(field, fg.Wasserstein):
        np.testing.assert_allclose(root.apply(root.solve(r)), r, atol=1e-9 * np.abs(r).max())
    noise = rng.normal(size=r.shape)
    assert np.sum(noise * Su) == pytest.approx(
        np.sum(root.apply_transpose(noise) * u), abs=1e-10 * np.linalg.norm(Su) * np.linalg.norm(noise)
    )
    # The least-squares solution leaves a residual orthogonal to the range.
    left = noise - root.apply(root.solve(noise))
    assert abs(np.sum(left * Sv)) < 1e-9 * np.linalg.norm(noise) * np.linalg.norm(Sv)
    first, second = (fg.Function(grid, w[:, 0]) for w in (u, v))
    assert metric.flat(first)(second) == pytest.approx(
        metric.inner(first, second), abs=1e-10 * metric.norm(first) * metric.norm(second)
    )


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_only_constants_are_lost(grid):
    """S has rank N - 1: no function of mass zero has norm zero, the highest mode included."""
    rng = np.random.default_rng(0)
    root = fg.Wasserstein().at(random_density(grid, rng)).square_root(grid)
    centred = np.eye(len(grid)) - grid.weights / grid.weights.sum()
    sigma = np.linalg.svd(root.apply(centred), compute_uv=False)
    assert sigma[len(grid) - 2] > 1e-4 * sigma[0]
    assert np.all(sigma[len(grid) - 1 :] < 1e-12 * sigma[0])


def test_staggered_differences_against_a_loop_over_faces():
    grid = fg.Box([(0, 1), (0, 3)], boundary=("neumann", "periodic")).grid(
        (3, 4), rule=("midpoint", "trapezoid")
    )
    rng = np.random.default_rng(1)
    rho = random_density(grid, rng)
    h, cell = (1 / 3, 3 / 4), 1 / 4
    laplacian = np.zeros((12, 12))
    for i in range(3):
        for j in range(4):
            neighbours = [((i + 1, j), 0)] if i < 2 else []
            for (k, l), axis in [*neighbours, ((i, (j + 1) % 4), 1)]:
                a, b = 4 * i + j, 4 * k + l
                e = np.eye(12)[a] - np.eye(12)[b]
                laplacian += (rho.values[a] + rho.values[b]) / 2 / h[axis] ** 2 * np.outer(e, e)
    u = rng.normal(size=12)
    u -= u.mean()
    exact = cell * u @ np.linalg.pinv(laplacian) @ u
    metric = fg.Wasserstein().at(rho)
    assert metric.norm(grid.function(u)) ** 2 == pytest.approx(exact, rel=1e-12)


# --- existence and bad input --------------------------------------------------------------------------


@pytest.mark.parametrize("field", [fg.FisherRao(), fg.Wasserstein()], ids=str)
def test_losses_at_points_have_no_gradient(field):
    rho = fg.Circle().grid(64).function(lambda x: 2 + np.sin(x))
    delta = fg.PointEvaluation(0.3)
    assert fg.gradient_exists(delta, field, fg.Circle(), at=rho).exists is False
    assert field.at(rho).dual_norm(delta, fg.Circle()) == math.inf
    with pytest.raises(GradientDoesNotExist):
        fg.gradient(fg.EmpiricalLoss([0.3], [1.0]), rho, field)
    smooth = fg.Density(rho)
    assert fg.gradient_exists(smooth, field, fg.Circle(), at=rho).exists is True


def test_bad_densities_and_functions_get_one_clear_error():
    grid = fg.Interval(0, 1).grid(8)
    rho = grid.function(lambda x: 1 + x)
    for field in (fg.FisherRao(), fg.Wasserstein()):
        with pytest.raises(InvalidInput, match=r"`f` must be a positive density; it is -0\.4"):
            field.at(grid.function(lambda x: x - 0.5))
        with pytest.raises(InvalidInput, match="one density"):
            field.at(grid.function(lambda x: np.column_stack([x, x])))
        with pytest.raises(InvalidInput, match="must be a Function; got ndarray"):
            field.at(rho.values)
        with pytest.raises(DomainMismatch, match="the base density lives on"):
            field.at(rho).norm(fg.Circle().grid(4).function(np.sin))
        with pytest.raises(InvalidInput, match="must be a positive density"):
            fg.natural_gradient(ENERGY, fg.models.Polynomial(1), [0.0, 1.0], field, fg.Interval(-1, 1))
    metric = fg.Wasserstein().at(rho)
    with pytest.raises(InvalidInput, match=r"functions of mass zero; got one of mass 0\.5"):
        metric.norm(grid.function(lambda x: x))
    intensity = fg.models.Symbolic("a*exp(-x)", "x", "a")
    with pytest.raises(InvalidInput, match="functions of mass zero"):
        fg.gram(intensity, [1.0], fg.Wasserstein(), fg.Interval(0, 1))
    square = fg.Box([(0, 1), (0, 1)]).grid(4)
    with pytest.raises(InvalidInput, match='rule="midpoint"'):
        fg.Wasserstein().at(square.function(lambda x, y: 1 + x)).square_root(square)
    with pytest.raises(InvalidInput, match="no reproducing kernel"):
        metric.green_kernel(fg.Interval(0, 1))


def test_the_base_density_is_carried_to_another_grid():
    rho = fg.Interval(0, 1).grid(12).function(np.exp)
    fine = fg.Interval(0, 1).grid(20)
    for field in (fg.FisherRao(), fg.Wasserstein()):
        u = fine.function(lambda x: x - 0.5)
        assert field.at(rho).norm(u) == pytest.approx(field.at(fine.function(np.exp)).norm(u), rel=1e-11)


def test_tails_below_rounding_do_not_spoil_the_rest():
    """ρ falls to e^-200 of its largest value here; the flow there is rounding."""
    wide = fg.Interval(-16, 16)
    np.testing.assert_allclose(fg.gram(NORMAL, [0.2, 0.8], fg.Wasserstein(), wide), np.eye(2), atol=1e-10)
    staggered = fg.gram(NORMAL, [0.2, 0.8], fg.Wasserstein(), wide.grid(512, rule="midpoint"))
    np.testing.assert_allclose(staggered, np.eye(2), atol=5e-3)
