"""Energy and Gauss-Newton metrics: forms, square roots, projections, refusals, against closed forms."""

import itertools

import numpy as np
import pytest
import scipy.integrate
import sympy
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput, NotPositiveDefinite
from funcgrad.metrics import Energy, GaussNewton
from funcgrad.operators.jet_root import CholeskyRoot, JetRoot, semidefinite_factors
from funcgrad.operators.tensor_derivative_root import TensorDerivativeRoot

EPS = np.finfo(float).eps
SQUARE = fg.Box([(0, 1), (0, 1)])
FIXED = fg.Box([(0, 1), (0, 1)], boundary="dirichlet")
POISSON = fg.Integral("(u_x**2 + u_y**2)/2 - u", "x y")


def bump(x, y):
    return x * (1 - x) * y * (1 - y)


def edge_points(count=15):
    """Gauss points on the four sides of the unit square with their weights."""
    sides = [([0, 0], [1, 0]), ([0, 1], [1, 0]), ([0, 0], [0, 1]), ([1, 0], [0, 1])]
    rules = [fg.surfaces.Flat(origin, edge).quadrature(count) for origin, edge in sides]
    return np.concatenate([x for x, _ in rules]), np.concatenate([w for _, w in rules])


# --- the forms ---------------------------------------------------------------------------------------

LINE = fg.Interval(0, 1).grid(9)
CURVE = LINE.function(lambda x: np.column_stack([np.sin(x), 0.5 + x**2]))
SCALAR = LINE.function(lambda x: 0.3 + np.exp(-x))
FUNCTIONALS = [
    (fg.Integral("u_x**2/2 + u**4/4 + u*u_x*x"), SCALAR),
    (fg.Integral("u_x**2 + u*v_x + v**2*u", unknowns="u v"), CURVE),
    (fg.ResidualLoss("u_xx + sin(u)*u_x", [0.1, 0.4, 0.9], weights=[1.0, 2.0, 0.5]), SCALAR),
    (fg.ResidualLoss("u_x - v**2", [0.1, 0.4], unknowns="u v", loss="pseudo-huber"), CURVE),
    (fg.EmpiricalLoss([0.2, 0.7], [1.0, 0.0], loss="logistic", operator={0: 1.0, 1: [0.5, 2.0]}), SCALAR),
    (fg.EmpiricalLoss([0.2, 0.7], [[1.0, 0.0], [0.0, 1.0]], loss="cross-entropy", operator={1: 2.0}), CURVE),
    (fg.PopulationLoss(lambda x: x**2, loss="pseudo-huber", density=lambda x: 1 + x), SCALAR),
    (fg.PopulationLoss(lambda x: np.column_stack([x, 1 - x]), loss="cross-entropy"), CURVE),
    (fg.LinearFunctional(fg.PointEvaluation(0.3)), SCALAR),
]
FUNCTIONALS.append((2.0 * FUNCTIONALS[0][0] + FUNCTIONALS[2][0] + 0.5 * FUNCTIONALS[6][0], SCALAR))


def value_of_forms(forms, v, w):
    """Σ H_st ∂^α_s v ∂^α_t w, entry by entry."""
    total = 0.0
    for form in forms:
        jets = []
        for f in (v, w):
            values = [f.derivative_values(alpha, form.points) for _, alpha in form.slots]
            columns = [u if i is None else u[:, i] for u, (i, _) in zip(values, form.slots, strict=True)]
            jets.append(columns)
        for s, t in itertools.product(range(len(form.slots)), repeat=2):
            total += np.sum(form.matrices[:, s, t] * jets[0][s] * jets[1][t])
    return total


@pytest.mark.parametrize(("functional", "u"), FUNCTIONALS, ids=lambda value: repr(value)[:40])
@pytest.mark.parametrize("kind", ["second_variation", "gauss_newton"])
@given(seed=st.integers(0, 1000))
def test_the_forms_are_the_second_variation(functional, u, kind, seed):
    rng = np.random.default_rng(seed)
    v, w = (u.grid.function(rng.normal(size=u.values.shape)) for _ in range(2))
    variation = getattr(functional, kind)(u)
    by_forms, scale = value_of_forms(variation.forms, v, w), abs(value_of_forms(variation.forms, v, v))
    scale += abs(value_of_forms(variation.forms, w, w)) + 1
    assert abs(variation(v, w) - by_forms) < 1e-11 * scale
    assert abs(variation(w, v) - by_forms) < 1e-11 * scale


def test_gauss_newton_leaves_the_residuals_curvature_out():
    """D²F - Σ ℓ'' R'⊗R' = Σ ℓ' R'': by sympy for R = u³ at one point, and zero for a linear residual."""
    u, v = LINE.function(np.exp), LINE.function(lambda x: 1 + x)
    loss = fg.ResidualLoss("u**3", [0.5])
    z, t = sympy.Rational(1), sympy.Symbol("t")
    exact = sympy.diff(
        ((sympy.exp(sympy.Rational(1, 2)) + t * (z + sympy.Rational(1, 2))) ** 3) ** 2 / 2, t, 2
    )
    assert abs(loss.second_variation(u)(v, v) / float(exact.subs(t, 0)) - 1) < 1e-11
    assert abs(loss.gauss_newton(u)(v, v) / (3 * np.exp(1.0) * 1.5) ** 2 - 1) < 1e-11
    linear = fg.ResidualLoss("u_xx - 2*u", [0.1, 0.5])
    both = [getattr(linear, kind)(u)(v, v) for kind in ("second_variation", "gauss_newton")]
    assert both[0] == both[1]
    total = linear + 2.0 * loss
    assert abs(total.gauss_newton(u)(v, v) - both[0] - 2 * loss.gauss_newton(u)(v, v)) < 1e-10


@given(seed=st.integers(0, 1000), size=st.integers(1, 5), rank=st.integers(0, 5))
def test_semidefinite_factors(seed, size, rank):
    """RᵀR = H for H of any rank and entries of any units; one negative direction is found."""
    rng = np.random.default_rng(seed)
    units = 10.0 ** rng.integers(-6, 7, size=size)
    roots = rng.normal(size=(4, min(rank, size), size))
    h = np.einsum("kri,krj->kij", roots, roots) * np.multiply.outer(units, units)
    factors = semidefinite_factors(h)
    scale = np.multiply.outer(units, units) * (1 + np.sum(roots**2))
    assert np.abs((np.einsum("kri,krj->kij", factors, factors) - h) / scale).max() < 1e-13
    negative = h.copy()
    negative[2] -= np.diag(units**2) * (1e-6 * (1 + np.abs(h[2] / np.multiply.outer(units, units)).max()))
    if rank < size:
        assert semidefinite_factors(negative) is None


# --- square roots --------------------------------------------------------------------------------------

CASES = [
    (POISSON, FIXED.grid(9), bump, TensorDerivativeRoot),
    (fg.Integral("(3*u_x**2 + u_y**2)/2 + 2*u**2", "x y"), SQUARE.grid((7, 9)), bump, TensorDerivativeRoot),
    (fg.Integral("(1 + x)*(u_x**2 + u_y**2) + u_x*u_y", "x y"), FIXED.grid(9), bump, JetRoot),
    (fg.Integral("(u_x**2 + u_y**2)/2 + u**4", "x y"), FIXED.grid(9), bump, JetRoot),
    (fg.Integral("(u_x**2 + u_y**2)/2 + (u**2 - 1)**2/4", "x y"), FIXED.grid(9), bump, CholeskyRoot),
    (POISSON.composed(np.exp, np.exp, np.exp), FIXED.grid(6), bump, CholeskyRoot),
    (fg.Integral("u_xx**2 + u**2"), fg.Interval(0, 1).grid(12), np.exp, JetRoot),
    (fg.Integral("u_x**2 + u**2"), fg.Interval(0, 1, "dirichlet").grid(12), lambda x: x * (1 - x), JetRoot),
    (fg.Integral("u_x**2 + u**2"), fg.Circle(2.0).grid(15), lambda x: np.cos(np.pi * x), JetRoot),
    (
        fg.Integral("u_x**2 + v_x**2 + (u - v)**2 + u**2", unknowns="u v"),
        fg.Interval(0, 1).grid(9),
        lambda x: np.column_stack([x, x**2]),
        JetRoot,
    ),
]


@pytest.mark.parametrize(("functional", "grid", "at", "kind"), CASES, ids=lambda value: repr(value)[:30])
@given(seed=st.integers(0, 1000))
def test_the_square_root_is_one_of_the_second_variation(functional, grid, at, kind, seed):
    """<u, v> = D²E[u, v]; SᵀS u = its components; the representer g of c has <g, v> = c(v)."""
    rng, base = np.random.default_rng(seed), grid.function(at)
    metric = Energy(functional).at(base)
    root = metric.square_root(grid)
    assert isinstance(root, kind)
    u, v = (metric.riesz(fg.Density(grid.function(rng.normal(size=base.values.shape))), grid) for _ in (0, 1))
    exact, scale = functional.second_variation(base)(u, v), metric.norm(u) * metric.norm(v)
    assert abs(metric.inner(u, v) - exact) < 1e-9 * scale
    assert abs(metric.flat(u)(v) - exact) < 1e-9 * scale
    c = functional.differential(base)
    assert abs(metric.inner(metric.riesz(c, grid), v) - c(v)) < 1e-9 * metric.norm(v) * (
        1 + np.linalg.norm(metric.whiten(c, grid))
    )
    r = rng.normal(size=root.apply(u.values).shape)
    # solve is the least-squares inverse: what is left is perpendicular to the range.
    left = r - root.apply(root.solve(r))
    assert abs(np.sum(left * root.apply(v.values))) < 1e-9 * np.linalg.norm(r) * metric.norm(v)
    assert abs(np.sum(root.apply_transpose(r) * v.values) - np.sum(r * root.apply(v.values))) < 1e-9 * (
        np.linalg.norm(r) * metric.norm(v)
    )


def test_the_gradient_of_a_quadratic_energy_is_the_distance_to_the_minimiser():
    """u - ∇E(u) solves -Δu = 1: u(½, ½) by its sine series; spectrally up to the corners' singularity."""
    exact = 0.0
    for i, j in itertools.product(range(1, 400, 2), repeat=2):
        exact += 16 / (np.pi**4 * i * j * (i**2 + j**2)) * (-1) ** ((i + j) // 2 - 1)
    errors = []
    for n in (6, 12, 24):
        u = FIXED.grid(n).function(bump)
        solution = u - fg.gradient(POISSON, u, Energy(POISSON))
        errors.append(abs(solution([0.5, 0.5]) - exact))
    assert errors[2] < 1e-7
    assert errors[0] > 50 * errors[1] > 2500 * errors[2] / 50


def test_newtons_method_in_an_energy_metric():
    """The natural step of a convex energy is Newton's: the error is squared from step to step."""
    energy = fg.Integral("(u_x**2 + u_y**2)/2 + 5*u**4 - 20*u", "x y")
    u = FIXED.grid(14).function(lambda x, y: 0 * x)
    lengths = []
    for _ in range(9):
        step = fg.gradient(energy, u, Energy(energy))
        lengths.append(Energy(energy).at(u).norm(step))
        u = u - step
    assert lengths[-1] < 1e-12
    small = next(k for k, length in enumerate(lengths) if length < 0.1)
    assert lengths[small + 1] < 3 * lengths[small] ** 2
    strong = -1 * (u.derivative_values((2, 0)) + u.derivative_values((0, 2))) + 20 * u.values**3 - 20
    inside = np.all(np.abs(u.grid.nodes - 0.5) < 0.3, axis=1)
    assert np.abs(strong[inside]).max() < 0.05


def test_a_penalty_on_the_boundary_is_a_robin_condition():
    """∫ ½u'² - u + β/2 (u(0)² + u(1)²): u = x(1-x)/2 + 1/(2β), exactly a polynomial."""
    grid = fg.Interval(0, 1).grid(5)
    for beta in (1.0, 1e4):
        penalty = beta * fg.EmpiricalLoss([0.0, 1.0], [0.0, 0.0])
        energy = fg.Integral("u_x**2/2 - u") + penalty
        u = grid.function(np.exp)
        solution = u - fg.gradient(energy, u, Energy(energy))
        x = grid.nodes[:, 0]
        exact = x * (1 - x) / 2 + 0.5 / beta
        # Two triangular solves with a matrix of squared condition about β.
        np.testing.assert_allclose(solution.values, exact, rtol=0, atol=64 * EPS * (1 + beta))


def test_a_penalty_over_the_sides_of_a_square():
    """The minimiser satisfies ∂_n u + βu = 0 weakly: testing with 1 gives β ∮u = ∫ 1."""
    points, weights = edge_points()
    energy = POISSON + 10.0 * fg.EmpiricalLoss(points, np.zeros(len(points)), weights=weights)
    u = SQUARE.grid(12).function(lambda x, y: x)
    solution = u - fg.gradient(energy, u, Energy(energy))
    assert abs(10 * np.sum(weights * solution(points)) - 1) < 1e-11


def test_a_neumann_problem_is_solved_up_to_constants_and_a_load_with_mean_refused():
    u = SQUARE.grid(10).function(bump)
    balanced = fg.Integral("(u_x**2 + u_y**2)/2 - (x - 1/2)*u", "x y")
    solution = u - fg.gradient(balanced, u, Energy(balanced))
    exact = SQUARE.grid(10).function(lambda x, y: -(x**3) / 6 + x**2 / 4)
    difference = (solution - exact).values
    assert np.ptp(difference) < 1e-13
    with pytest.raises(fg.GradientDoesNotExist, match="energy norm is zero"):
        fg.gradient(POISSON, u, Energy(POISSON))
    with pytest.raises(InvalidInput, match="energy norm zero"):
        Energy(POISSON).at(u).riesz(POISSON.differential(u), u.grid)


# --- models --------------------------------------------------------------------------------------------


def network(seed=0):
    model = fg.models.multiply("x*(1-x)*y*(1-y)", fg.models.MLP((2, 6, 1)), "x y")
    return model, 0.5 * model.initial(seed)


@pytest.mark.parametrize(
    ("functional", "metric"),
    [
        (POISSON, Energy(POISSON)),
        (fg.Integral("(1 + x*y)*(u_x**2 + u_y**2)/2 + u**4 - u", "x y"), None),
        (fg.ResidualLoss("u_xx + u_yy + 1", FIXED.grid(12).nodes, "x y"), None),
    ],
    ids=["poisson", "quartic", "residual"],
)
def test_the_natural_gradient_is_the_projection_in_the_energy(functional, metric):
    """<dφ(η), φ_i>_u = dE(φ_i) for each tangent function, by the functional's own second variation."""
    model, theta = network()
    grid = FIXED.grid(24)
    metric = Energy(functional) if metric is None else metric
    step = fg.natural_gradient(functional, model, theta, metric, grid)
    u = grid.function(lambda x, y: model(theta, np.column_stack([x, y])))
    c, hessian = functional.differential(u), functional.second_variation(u)
    for i in range(0, model.n_parameters, 5):
        phi = grid.function(model.jacobian(theta, grid.nodes)[:, i])
        length = np.sqrt(hessian(step.pushforward, step.pushforward))
        scale = np.sqrt(hessian(phi, phi)) * (1 + length)
        assert abs(hessian(step.pushforward, phi) - c(phi)) < 1e-7 * scale


def test_gram_matrix_by_the_models_own_derivatives():
    """G_ij = ∫ ∇φ_i·∇φ_j, by adaptive quadrature of a formula, on a grid too coarse to differentiate it."""
    model = fg.models.Symbolic("a*sin(3*x)*x*(1-x)*y*(1-y) + b*x**2*(1-x)*y*(1-y)", "x y", "a b")
    gram = fg.gram(model, [0.7, 0.2], Energy(POISSON), FIXED.grid(40))

    def integrand(i, j):
        def at(y, x):
            point = [[x, y]]
            return sum(
                float(np.prod(model.jacobian_derivative([0.7, 0.2], point, alpha)[0, [i, j]]))
                for alpha in ((1, 0), (0, 1))
            )

        return scipy.integrate.dblquad(at, 0, 1, 0, 1, epsabs=1e-9)[0]

    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert abs(gram[i, j] - integrand(i, j)) < 1e-7


def test_gauss_newton_at_collocation_points_is_the_gauss_newton_step():
    """No grid: residuals and their derivatives at scattered points, against plain linear algebra."""
    points = SQUARE.sobol_points(128, seed=1)
    loss = fg.ResidualLoss("u_xx + u_yy + u**3 - x", points.nodes, "x y", weights=points.weights)
    model, theta = network(3)
    found = fg.natural_gradient(loss, model, theta, GaussNewton(loss), points)
    x, w = points.nodes, np.sqrt(points.weights)
    value = model(theta, x)
    residual = model.derivative(theta, x, (2, 0)) + model.derivative(theta, x, (0, 2)) + value**3 - x[:, 0]
    linearised = (
        model.jacobian_derivative(theta, x, (2, 0))
        + model.jacobian_derivative(theta, x, (0, 2))
        + 3 * value[:, None] ** 2 * model.jacobian(theta, x)
    )
    u, s, vt = np.linalg.svd(w[:, None] * linearised, full_matrices=False)
    np.testing.assert_allclose(found.singular_values, s, rtol=0, atol=1e-12 * s[0])
    # Along directions that are not lost in rounding.
    kept = s > 1e-6 * s[0]
    np.testing.assert_allclose(
        (vt @ found.direction)[kept],
        ((u.T @ (w * residual)) / s)[kept],
        rtol=0,
        atol=1e-8 * np.linalg.norm(residual) / s[kept][-1],
    )


def test_a_descent_in_the_energy_metric_solves_a_linear_problem_in_one_step():
    """A linear model under a quadratic energy: the first full step is the Galerkin solution."""
    model = fg.models.Symbolic(
        "a*x*(1-x)*y*(1-y) + b*x**2*(1-x)*y*(1-y) + c*x*(1-x)*y*(1-y)**2", "x y", "a b c"
    )
    fit = fg.descend(POISSON, model, [0.0, 0.0, 0.0], Energy(POISSON), FIXED.grid(8), damping=0.0)
    assert fit.success
    assert len(fit.history) <= 4
    gram = fg.gram(model, fit.theta, Energy(POISSON), FIXED.grid(8))
    load = model.jacobian(fit.theta, FIXED.grid(8).nodes).T @ FIXED.grid(8).weights
    np.testing.assert_allclose(fit.theta, np.linalg.solve(gram, load), rtol=1e-10, atol=1e-12)


def test_descent_on_an_unresolving_grid_still_follows_the_discrete_energy():
    """What the covector makes of the tangent functions themselves decides, not their interpolants."""
    model, theta = network(1)
    theta = 6 * theta
    coarse = FIXED.grid(7)
    fit = fg.descend(POISSON, model, theta, Energy(POISSON), coarse, max_iterations=20, first_damping=1.0)
    assert np.all(np.diff(fit.history["loss"]) <= 1e-12)
    assert fit.history["loss"][-1] < fit.history["loss"][0] - 1e-3


# --- refusals ------------------------------------------------------------------------------------------


def test_a_second_variation_that_is_not_positive_is_refused():
    concave = fg.Integral("(u_x**2 + u_y**2)/2 - 30*u**2", "x y")  # 2π² < 60
    u = FIXED.grid(10).function(bump)
    with pytest.raises(NotPositiveDefinite, match="not positive definite"):
        Energy(concave).at(u).norm(u)
    still_positive = fg.Integral("(u_x**2 + u_y**2)/2 - 9.8*u**2", "x y")  # 2π² > 19.6
    assert Energy(still_positive).at(u).norm(u) > 0
    double_well = fg.Integral("u_x**2/200 + (u**2 - 1)**2/4")
    grid = fg.Interval(0, 1).grid(30)
    assert Energy(double_well).at(grid.function(lambda x: 1 + 0 * x)).norm(grid.function(np.exp)) > 0
    with pytest.raises(NotPositiveDefinite):
        Energy(double_well).at(grid.function(lambda x: 0 * x)).norm(grid.function(np.exp))
    with pytest.raises(NotPositiveDefinite):  # a linear functional has no second variation
        Energy(fg.LinearFunctional(fg.PointEvaluation(0.5))).at(grid.function(np.exp)).norm(
            grid.function(np.exp)
        )


def test_norms_need_no_factors_and_so_no_bound_on_the_nodes():
    """∫ u_x² + u_y² + (1 + xy)u²: on 70² nodes as F says, and as on 12² of the polynomial's degree."""
    F = fg.Integral("(u_x**2 + u_y**2 + (1 + x*y)*u**2)/2", "x y")
    norms = []
    for n in (12, 70):
        u = SQUARE.grid(n).function(bump)
        norms.append(Energy(F).at(u).norm(u) ** 2)
        assert norms[-1] == pytest.approx(2 * F(u), rel=1e-12)
    assert norms[0] == pytest.approx(norms[1], rel=1e-12)


def test_bad_input_is_refused():
    grid = FIXED.grid(8)
    u, outside = grid.function(bump), grid.function(lambda x, y: x)
    with pytest.raises(InvalidInput, match="`functional` must be a Functional"):
        Energy("u**2")
    with pytest.raises(InvalidInput, match="`u` must be a Function"):
        Energy(POISSON).at(lambda x, y: x)
    for energy in (POISSON, CASES[2][0], CASES[4][0]):
        with pytest.raises(DomainMismatch, match="on the boundary"):
            Energy(energy).at(u).norm(outside)
    unknown = fg.functionals.from_callable(lambda f: 0.0, lambda f: fg.Density(f))
    with pytest.raises(InvalidInput, match="does not know its second variation"):
        fg.gradient(unknown, u, Energy(unknown))
    big, growing = SQUARE.grid(70).function(bump), fg.Integral("u_x**2 + u_y**2 + x*u**2", "x y")
    with pytest.raises(InvalidInput, match="at most 4096"):
        fg.gradient(growing, big, Energy(growing))
    free = fg.models.MLP((2, 4, 1))
    with pytest.raises(DomainMismatch, match="on the boundary"):
        fg.natural_gradient(POISSON, free, free.initial(0), Energy(POISSON), grid)


def test_names():
    assert str(Energy(POISSON)) == "the energy metric of Integral('(u_x**2 + u_y**2)/2 - u')"
    assert "Gauss-Newton" in str(GaussNewton(POISSON))
    assert "base point" in str(Energy(POISSON).at(FIXED.grid(4).function(bump)))
