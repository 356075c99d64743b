"""Natural gradients: exact solutions, accuracy by condition number, projection, degenerate models."""

import warnings
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import ConvergenceError, DegenerateModelWarning, DomainMismatch, InvalidInput
from funcgrad.gradients.least_squares import solve_least_squares

EPS = np.finfo(float).eps


def rational_natural_gradient(degree, points, residuals):
    """Solve Gη = b exactly for monomials on [-1, 1] in L2: G_ij = ∫ x^{i+j}, b_i = Σ r_k x_k^i."""
    p = degree + 1
    gram = sympy.Matrix(p, p, lambda i, j: sympy.Rational(2, i + j + 1) if (i + j) % 2 == 0 else 0)
    right = sympy.Matrix(
        [
            sum(sympy.Rational(r) * sympy.Rational(x) ** i for x, r in zip(points, residuals, strict=True))
            for i in range(p)
        ]
    )
    return np.array([float(entry) for entry in gram.LUsolve(right)])


def test_degree_14_monomials_against_the_rational_solution():
    """Least squares loses cond(A) ulp, a formed Gram matrix cond(A)²: five digits more."""
    points = [Fraction(k, 8) for k in (-7, -4, -1, 2, 5, 8)]
    residuals = [Fraction(r, 4) for r in (3, -2, 5, 1, -4, 2)]
    exact = rational_natural_gradient(14, points, residuals)
    model = fg.models.Polynomial(14)
    theta = np.zeros(15)
    x, r = np.array(points, dtype=float), np.array(residuals, dtype=float)
    loss, domain = fg.EmpiricalLoss(x, -r), fg.Interval(-1, 1)
    step = fg.natural_gradient(loss, model, theta, fg.L2(), domain)
    error = np.linalg.norm(step.direction - exact) / np.linalg.norm(exact)
    assert step.rank == 15
    assert error < 1e-9
    assert error < 100 * EPS * step.condition
    through_gram = np.linalg.solve(fg.gram(model, theta, fg.L2(), domain), model.jacobian(theta, x).T @ r)
    gram_error = np.linalg.norm(through_gram - exact) / np.linalg.norm(exact)
    # Measured: 2e-12 and 1e-7, with cond(A) = 1e5.
    assert gram_error > 1e3 * error


@given(
    seed=st.integers(0, 10**6), log_condition=st.floats(0, 8), p=st.integers(1, 6), extra=st.integers(0, 9)
)
def test_least_squares_against_mpmath(seed, log_condition, p, extra):
    """The error is bounded by κ ulp + κ² ulp ρ, with ρ the relative residual."""
    rng = np.random.default_rng(seed)
    m = p + extra
    u, _ = np.linalg.qr(rng.normal(size=(m, p)))
    v, _ = np.linalg.qr(rng.normal(size=(p, p)))
    a = (u * 10.0 ** -np.linspace(0, log_condition, p)) @ v.T
    r = a @ rng.normal(size=p) + 1e-3 * rng.normal(size=m)
    found = solve_least_squares(a, r)
    with mpmath.workdps(50):
        big = mpmath.matrix(a.tolist())
        exact = mpmath.lu_solve(big.T * big, big.T * mpmath.matrix(r.tolist()))
        exact = np.array([float(entry) for entry in exact])
    sigma = np.linalg.svd(a, compute_uv=False)
    kappa = sigma[0] / sigma[-1]
    size = np.linalg.norm(r) / sigma[0]
    bound = 40 * EPS * (kappa * np.linalg.norm(exact) + kappa**2 * found.residual * size + kappa * size)
    assert np.linalg.norm(found.solution - exact) <= bound
    residual = np.linalg.norm(a @ found.solution - r) / np.linalg.norm(r)
    assert found.residual == pytest.approx(
        residual, rel=1e-8, abs=100 * EPS * (1 + np.linalg.norm(exact) / size)
    )
    assert found.rank == p


def test_least_squares_of_fewer_rows_than_columns_has_least_norm():
    rng = np.random.default_rng(0)
    a, r = rng.normal(size=(3, 5)), rng.normal(size=3)
    found = solve_least_squares(a, r)
    np.testing.assert_allclose(found.solution, np.linalg.pinv(a) @ r, rtol=1e-13)
    assert found.residual < 100 * EPS


def test_damping_is_tikhonov_and_the_cutoff_discards_energy():
    rng = np.random.default_rng(1)
    a, r = rng.normal(size=(9, 3)), rng.normal(size=9)
    damped = solve_least_squares(a, r, damping=0.3).solution
    np.testing.assert_allclose(damped, np.linalg.solve(a.T @ a + 0.3 * np.eye(3), a.T @ r), rtol=1e-13)
    u, sigma, _ = np.linalg.svd(a, full_matrices=False)
    cut = solve_least_squares(a, r, rcond=(sigma[1] + sigma[2]) / 2 / sigma[0])
    assert cut.rank == 2
    assert cut.discarded == pytest.approx((u[:, 2] @ r) ** 2 / (r @ r), rel=1e-12)


WAVES = fg.models.Symbolic("a*sin(x + b) + c*cos(2*x) + d", "x", "a b c d")
DECAY = fg.models.Symbolic("a*(1 - exp(-b*x))", "x", "a b")
CASES = {
    "H^1 circle": (WAVES, [1.0, 0.4, -0.7, 0.2], fg.Sobolev(1.0), fg.Circle(2 * np.pi)),
    "H^0.75 circle": (WAVES, [1.0, 0.4, -0.7, 0.2], fg.Sobolev(0.75), fg.Circle(2 * np.pi)),
    "L2 interval": (DECAY, [2.0, 0.7], fg.L2(), fg.Interval(0, 5)),
    "H^1 interval": (DECAY, [2.0, 0.7], fg.Sobolev(1.0, 0.3), fg.Interval(0, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_pushforward_represents_the_differential_on_tangent_functions(case):
    model, theta, metric, domain = CASES[case]
    loss = fg.EmpiricalLoss([0.3, 1.7, 4.0], [1.0, -0.5, 0.2])
    step = fg.natural_gradient(loss, model, theta, metric, domain)
    c = loss.differential(lambda x: model(theta, x))
    for column in model.jacobian(theta, step.grid.nodes).T:
        phi = step.grid.function(column)
        scale = metric.norm(step.pushforward) * metric.norm(phi)
        assert metric.inner(step.pushforward, phi) == pytest.approx(
            c(phi), abs=1e3 * EPS * len(step.grid) * scale
        )


@pytest.mark.parametrize("case", CASES)
def test_reparametrisation_leaves_the_pushforward_and_not_the_euclidean_one(case):
    model, theta, metric, domain = CASES[case]
    theta = np.array(theta)
    other = fg.models.Linear([lambda x, i=i: model.jacobian(theta, x)[:, i] for i in range(len(theta))])
    mixing = np.triu(np.ones((len(theta), len(theta)))) + np.eye(len(theta))
    mixed = fg.models.Linear(
        [lambda x, j=j: model.jacobian(theta, x) @ mixing[:, j] for j in range(len(theta))]
    )
    functional = fg.LinearFunctional(fg.PointEvaluation(0.3) - 2 * fg.PointEvaluation(1.1))
    first, second = (
        fg.natural_gradient(functional, m, np.zeros(len(theta)), metric, domain) for m in (other, mixed)
    )
    np.testing.assert_allclose(first.pushforward.values, second.pushforward.values, rtol=0, atol=1e-10)
    np.testing.assert_allclose(mixing @ second.direction, first.direction, rtol=1e-9)


def test_a_degenerate_model_gets_the_least_norm_solution_and_a_warning():
    model = fg.models.Symbolic("(a + b)*sin(x) + c", "x", "a b c")
    loss = fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5])
    with pytest.warns(DegenerateModelWarning, match="rank 2 with 3 parameters"):
        step = fg.natural_gradient(loss, model, [1.0, 0.0, 0.5], fg.Sobolev(1.0), fg.Circle(2 * np.pi))
    assert step.rank == 2
    assert step.direction[0] == pytest.approx(step.direction[1], rel=1e-12)
    immersed = fg.models.Symbolic("a*sin(x) + c", "x", "a c")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = fg.natural_gradient(loss, immersed, [1.0, 0.5], fg.Sobolev(1.0), fg.Circle(2 * np.pi))
    np.testing.assert_allclose(step.pushforward.values, same.pushforward.values, rtol=1e-12)


def test_one_point_and_many_points():
    model = fg.models.Polynomial(1)
    for n in (1, 10**5):
        x = np.linspace(0, 1, n)
        step = fg.natural_gradient(
            fg.EmpiricalLoss(x, x), model, [0.0, 0.0], fg.Sobolev(1.0), fg.Interval(0, 1)
        )
        gram = np.array([[1, 0.5], [0.5, 4 / 3]])
        exact = np.linalg.solve(gram, [-x.sum(), -(x**2).sum()])
        np.testing.assert_allclose(step.direction, exact, rtol=1e-10)


def test_a_population_loss_of_a_model_that_contains_the_target_is_solved_in_one_step():
    """f - η f is the best approximation: for a linear model and ½∫(f-y)² one L2 step reaches y."""
    model, theta = fg.models.Polynomial(3), np.array([1.0, -2.0, 0.5, 3.0])
    loss = fg.PopulationLoss(lambda x: 2 * x**3 - x)
    step = fg.natural_gradient(loss, model, theta, fg.L2(), fg.Interval(-1, 1))
    np.testing.assert_allclose(theta - step.direction, [0, -1, 0, 2], atol=1e-13)
    assert step.residual < 1e-13


def test_a_model_with_several_outputs_is_its_components_together():
    both = fg.models.Symbolic(["a*sin(x) + b", "c*cos(x)"], "x", "a b c")
    loss = fg.EmpiricalLoss([0.3, 1.7], [[1.0, 0.5], [-0.5, 2.0]])
    step = fg.natural_gradient(loss, both, [1.0, 0.2, 0.3], fg.Sobolev(1.0), fg.Circle(2 * np.pi))
    first = fg.natural_gradient(
        fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5]),
        fg.models.Symbolic("a*sin(x) + b", "x", "a b"),
        [1.0, 0.2],
        fg.Sobolev(1.0),
        fg.Circle(2 * np.pi),
    )
    np.testing.assert_allclose(step.direction[:2], first.direction, rtol=1e-12)
    assert step.pushforward.values.shape[1] == 2


@pytest.mark.parametrize(
    ("domain", "metric"),
    [
        (fg.Box([(0, 1), (0, 2)]), fg.L2()),
        (fg.Torus((2 * np.pi, 2 * np.pi)), fg.Sobolev(1.5)),
        (fg.Sphere(), fg.Sobolev(1.5)),
    ],
    ids=str,
)
def test_in_more_dimensions_the_grid_is_chosen_and_the_pushforward_represents_df(domain, metric):
    formulas = {2: "a*sin(x) + b*cos(x + y) + c", 3: "a*x + b*x*y + c*z**2"}
    inputs = {2: "x y", 3: "x y z"}[domain.n_coordinates]
    model = fg.models.Symbolic(formulas[domain.n_coordinates], inputs, "a b c")
    points = domain.sobol_points(4, seed=1).nodes
    loss, theta = fg.EmpiricalLoss(points, [1.0, -1.0, 0.5, 2.0]), [1.0, 0.5, -0.3]
    step = fg.natural_gradient(loss, model, theta, metric, domain)
    c = loss.differential(lambda *x: model(theta, np.column_stack(x)))
    for column in model.jacobian(theta, step.grid.nodes).T:
        phi = step.grid.function(column)
        scale = metric.norm(step.pushforward) * metric.norm(phi)
        assert metric.inner(step.pushforward, phi) == pytest.approx(c(phi), abs=1e-11 * scale)


def test_gram_is_the_pulled_back_metric():
    gram = fg.gram(fg.models.Polynomial(2), np.zeros(3), fg.Sobolev(1.0), fg.Interval(0, 1))
    exact = [[1, 1 / 2, 1 / 3], [1 / 2, 1 / 3 + 1, 1 / 4 + 1], [1 / 3, 1 / 4 + 1, 1 / 5 + 4 / 3]]
    np.testing.assert_allclose(gram, exact, rtol=1e-13)


def test_a_tangent_function_that_is_not_periodic_is_refused_on_the_circle():
    """∂/∂b of a sin(bx) is a x cos(bx): it jumps at 2π, so it is in no H^s with s >= 1/2."""
    model = fg.models.Symbolic("a*sin(b*x) + c", "x", "a b c")
    loss = fg.EmpiricalLoss([0.3], [1.0])
    with pytest.raises(ConvergenceError, match=r"parameter `b` is not resolved .* periodic"):
        fg.natural_gradient(loss, model, [1.0, 2.0, 0.0], fg.Sobolev(1.0), fg.Circle(2 * np.pi))


def test_bad_input_gets_one_clear_error():
    loss, domain = fg.EmpiricalLoss([0.3], [1.0]), fg.Interval(0, 1)
    model = fg.models.Polynomial(1)
    with pytest.raises(InvalidInput, match="unknown solver 'qp'"):
        fg.natural_gradient(loss, model, [0, 0], fg.L2(), domain, solver="qp")
    with pytest.raises(InvalidInput, match="`damping` must not be negative"):
        fg.natural_gradient(loss, model, [0, 0], fg.L2(), domain, damping=-1)
    with pytest.raises(InvalidInput, match="`theta` must have 2 entries"):
        fg.natural_gradient(loss, model, [0], fg.L2(), domain)
    with pytest.raises(DomainMismatch, match="model of 2 variable"):
        fg.natural_gradient(loss, fg.models.Symbolic("a*x*y", "x y", "a"), [1], fg.L2(), domain)
    with pytest.raises(DomainMismatch, match="outside the interval"):
        fg.natural_gradient(fg.EmpiricalLoss([1.5], [1.0]), model, [0, 0], fg.L2(), domain)
