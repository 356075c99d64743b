"""First and second variations of every functional by Taylor's formula, of orders 2 and 3 exactly."""

import math

import numpy as np
import pytest
import sympy

import funcgrad as fg
from funcgrad import functionals
from funcgrad.errors import InvalidInput
from funcgrad.functionals import CrossEntropy, Poisson, PseudoHuber, UserLoss, from_callable
from funcgrad.functionals.pointwise_losses import PointwiseLoss

EPS = np.finfo(float).eps
INTERVAL, CIRCLE = fg.Interval(0, 1), fg.Circle(2 * np.pi)
TORUS, SPHERE = fg.Torus((2 * np.pi, 2 * np.pi)), fg.Sphere()
X = np.array([0.2, 0.5, 0.7, 0.7])
SHARES = np.array([[0.2, 0.8], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
WEIGHTS = [1.0, 0.5, 2.0, 0.0]


def smooth(grid, seed, components=1):
    """A random function of a few smooth terms, of size about 1."""
    rng = np.random.default_rng(seed)
    periodic = grid.domain in (CIRCLE, TORUS)

    def one():
        a = rng.normal(size=(3, grid.nodes.shape[1] + 1))
        slopes = np.round(2 * a[:, 1:]) if periodic else a[:, 1:]
        return np.sin(grid.nodes @ slopes.T + a[:, 0]).sum(axis=1) / 2 + 0.8

    values = [one() for _ in range(components)]
    return grid.function(values[0] if components == 1 else np.column_stack(values))


def tanh_loss():
    """log cosh(z - y), one's own."""
    return UserLoss(
        lambda z, y: np.log(np.cosh(z - y)), lambda z, y: np.tanh(z - y), lambda z, y: np.cosh(z - y) ** -2.0
    )


def coupled_loss():
    """½ (z₁ z₂ - y₁)² of two outputs, whose second derivative is a full matrix."""

    def residual(z, y):
        return z[:, 0] * z[:, 1] - y[:, 0]

    def first(z, y):
        return residual(z, y)[:, None] * z[:, ::-1]

    def second(z, y):
        outer = z[:, ::-1, None] * z[:, None, ::-1]
        return outer + residual(z, y)[:, None, None] * np.array([[0.0, 1.0], [1.0, 0.0]])

    return UserLoss(lambda z, y: 0.5 * residual(z, y) ** 2, first, second)


line, circle, torus, sphere = INTERVAL.grid(16), CIRCLE.grid(32), TORUS.grid(12), SPHERE.grid(14)
Y = np.array([1.0, -0.3, 0.4, 2.0])
PIECES = {
    "pseudo-Huber": (fg.EmpiricalLoss(X, Y, loss="pseudo-huber"), line, 1),
    "pseudo-Huber, scale": (fg.EmpiricalLoss(X, Y, loss=PseudoHuber(0.4), weights=WEIGHTS), line, 1),
    "logistic": (fg.EmpiricalLoss(X, [0, 1, 1, 0.3], loss="logistic", mean=True), line, 1),
    "cross-entropy": (fg.EmpiricalLoss(X, SHARES, loss="cross-entropy", weights=WEIGHTS), line, 2),
    "poisson": (fg.EmpiricalLoss(X, np.abs(Y), loss=Poisson()), line, 1),
    "one's own": (fg.EmpiricalLoss(X, Y, loss=tanh_loss()), line, 1),
    "one's own, coupled outputs": (fg.EmpiricalLoss(X, SHARES, loss=coupled_loss(), mean=True), line, 2),
    "derivatives": (fg.EmpiricalLoss(X, Y, loss="pseudo-huber", operator={1: 1.0}), line, 1),
    "linear residual": (
        fg.EmpiricalLoss(X, Y, loss="pseudo-huber", operator={2: 1.0, 0: lambda x: x}),
        circle,
        1,
    ),
    "population, logistic": (
        fg.PopulationLoss(lambda x: 0.5 * (1 + np.cos(x)), loss="logistic", density=lambda x: 1 + x),
        line,
        1,
    ),
    "population, classes": (
        fg.PopulationLoss(lambda x: np.column_stack([x, 1 - x]), loss=CrossEntropy()),
        line,
        2,
    ),
    "Allen-Cahn": (fg.Integral("u_x**2/2 + u**4/4 - u"), circle, 1),
    "minimal surface": (fg.Integral("sqrt(1 + u_x**2)"), line, 1),
    "elastica": (fg.Integral("u_xx**2/(1 + u_x**2) + x*u**3"), line, 1),
    "two unknowns": (fg.Integral("u_x*v**2 + exp(u)*v_x", unknowns="u v"), circle, 2),
    "in two dimensions": (
        fg.Integral("u_xy**2*u/9 + u_x**2*u_y/9 + exp(u)*(2 + cos(y))", variables="x y"),
        torus,
        1,
    ),
    "on the sphere": (fg.Integral("u_x**2*u + u_y**2 + u_z**2 + u**3", variables="x y z"), sphere, 1),
    "residual": (fg.ResidualLoss("u_xx + u**3 - sin(x)", X), circle, 1),
    "residual, Huber": (
        fg.ResidualLoss("u*u_x - u_xx/10", X, loss=PseudoHuber(0.5), weights=WEIGHTS, mean=True),
        circle,
        1,
    ),
    "residual of a system": (fg.ResidualLoss("u_x*v - v_x*u", X, unknowns="u v"), circle, 2),
    "composition": (
        fg.PopulationLoss(np.sin).composed(math.sin, math.cos, lambda t: -math.sin(t)),
        line,
        1,
    ),
    "from callables": (
        from_callable(
            lambda f: float(f.grid.integrate(np.exp(f.values))),
            lambda f: fg.Density(f.grid.function(np.exp(f.values))),
            lambda f: functionals.SecondVariation(
                lambda v: fg.Density(f.grid.function(np.exp(f.values) * v.values))
            ),
        ),
        sphere,
        1,
    ),
    "composition of a surface integral": (
        fg.LinearFunctional(fg.SurfaceIntegral(fg.surfaces.RoundSphere([3, 3], 1.0), 1)).composed(
            math.exp, math.exp, math.exp
        ),
        torus,
        1,
    ),
    "population on the torus": (
        fg.PopulationLoss(lambda x, y: np.sin(x), loss="pseudo-huber"),
        torus,
        1,
    ),
    "combination": (
        2.0 * fg.EmpiricalLoss(X, Y, loss="pseudo-huber")
        - fg.Integral("u_x**2*u")
        + fg.PopulationLoss(np.sin),
        line,
        1,
    ),
}
QUADRATIC = {
    "squared": (fg.EmpiricalLoss(X, Y, weights=WEIGHTS), line, 1),
    "squared, two outputs": (fg.EmpiricalLoss(X, SHARES, mean=True), line, 2),
    "Sobolev training": (
        fg.EmpiricalLoss(X, Y) + fg.EmpiricalLoss(X, 2 * Y, operator={1: 1.0}),
        line,
        1,
    ),
    "population": (fg.PopulationLoss(np.sin), line, 1),
    "Dirichlet energy": (fg.Integral("u_x**2/2 + u"), line, 1),
    "linear, surface": (
        fg.LinearFunctional(
            fg.SurfaceIntegral(fg.surfaces.RoundSphere([3, 3], 1.0), density=lambda x, y: np.cos(x))
        ),
        torus,
        1,
    ),
    "linear": (
        fg.LinearFunctional(fg.PointEvaluation(0.3, derivative=1)),
        line,
        1,
    ),
}
STEPS = 2.0 ** -np.arange(2, 13)


def remainders(F, f, v, second):
    """F(f + tv) - F(f) - t dF(v) [- t²/2 D²F(v, v)] for steps ±t."""
    slope = F.differential(f)(v)
    curvature = F.second_variation(f)(v, v) if second else 0.0
    signed = np.array([STEPS, -STEPS])
    return np.array(
        [[F(f + t * v) - F(f) - t * slope - t * t / 2 * curvature for t in row] for row in signed]
    )


def local_orders(left, size):
    """The orders in t over the smallest steps that are above the rounding of values of some size."""
    above = np.all(np.abs(left) > 3e4 * EPS * size, axis=0)
    count = len(STEPS) if above.all() else int(np.argmin(above))
    assert count >= 5, "too few steps above the rounding floor to see an order"
    return -np.diff(np.log2(np.abs(left[:, count - 4 : count])), axis=1)


def test_every_class_of_functionals_and_losses_has_its_taylor_test():
    """What is exported, and what arithmetic makes of it, occurs above."""
    checked = [F for F, _, _ in (PIECES | QUADRATIC).values()]
    exported = [getattr(functionals, name) for name in functionals.__all__]
    classes = [c for c in exported if isinstance(c, type) and issubclass(c, fg.Functional)]
    for cls in classes:
        assert cls is fg.Functional or any(isinstance(F, cls) for F in checked), cls
    losses = [c for c in exported if isinstance(c, type) and issubclass(c, PointwiseLoss)]
    assert len(losses) >= 6
    for cls in losses:
        assert cls is PointwiseLoss or any(isinstance(getattr(F, "loss", None), cls) for F in checked), cls


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("second", [False, True], ids=["first variation", "second variation"])
def test_taylors_formula_is_of_order_2_and_with_the_second_variation_3(name, second):
    F, grid, components = PIECES[name]
    f = smooth(grid, 1, components)
    for seed in (2, 3, 4):
        left = remainders(F, f, smooth(grid, seed, components), second)
        orders = local_orders(left, abs(F(f)))
        assert np.all(np.abs(orders - (3 if second else 2)) < 0.1), orders


@pytest.mark.parametrize("name", QUADRATIC)
def test_taylors_formula_of_the_second_order_is_exact_for_quadratic_functionals(name):
    F, grid, components = QUADRATIC[name]
    f = smooth(grid, 1, components)
    for seed in (2, 3, 4):
        v = smooth(grid, seed, components)
        size = 1 + abs(F(f)) + abs(F.second_variation(f)(v, v))
        assert np.abs(remainders(F, f, v, second=True)).max() < 1e3 * EPS * size
        if not name.startswith("linear"):
            orders = local_orders(remainders(F, f, v, second=False), size)
            assert np.all(np.abs(orders - 2) < 0.1)


@pytest.mark.parametrize("name", PIECES | QUADRATIC)
def test_second_variations_are_symmetric_and_the_derivative_of_the_first(name):
    F, grid, components = (PIECES | QUADRATIC)[name]
    f, v, w = (smooth(grid, seed, components) for seed in (1, 2, 3))
    hessian = F.second_variation(f)
    size = abs(hessian(v, v)) + abs(hessian(w, w)) + 1
    assert hessian(v, w) == pytest.approx(hessian(w, v), abs=1e-11 * size)
    t = 1e-4
    difference = (F.differential(f + t * v)(w) - F.differential(f - t * v)(w)) / (2 * t)
    assert hessian.apply(v)(w) == pytest.approx(difference, abs=1e-4 * size)


def test_a_wrong_differential_fails_the_taylor_test():
    F = PIECES["Allen-Cahn"][0]
    wrong = from_callable(F, lambda f: 1.01 * F.differential(f), F.second_variation)
    f = smooth(circle, 1)
    for second in (False, True):
        orders = [local_orders(remainders(wrong, f, smooth(circle, k), second), abs(F(f))) for k in (2, 3)]
        assert not np.all(np.abs(np.array(orders) - 2 - second) < 0.1)


def test_the_first_variation_in_weak_form_is_the_euler_lagrange_expression_without_boundary():
    """On the circle dF(v) = ∫ (u³ - u'' - 1) v, and the L2 gradient is that expression."""
    F = fg.Integral("u_x**2/2 + u**4/4 - u")
    u = circle.function(lambda x: np.sin(x) + 0.3 * np.cos(2 * x))
    expected = u.values**3 - u.derivative(2).values - 1
    np.testing.assert_allclose(fg.gradient(F, u, fg.L2()).values, expected, atol=1e-12)


def test_weak_form_has_no_boundary_terms_and_strong_form_needs_them():
    """For ½∫u_x² at u = x² on (0,1), dF(v) = ∫ 2x v' = 2 v(1) - ∫ 2v: there is no L2 gradient."""
    F = fg.Integral("u_x**2/2")
    u = INTERVAL.grid(256).function(lambda x: x**2)
    v = INTERVAL.grid(20).function(np.exp)
    assert F.differential(u)(v) == pytest.approx(2 * np.e - 2 * (np.e - 1), rel=1e-12)
    assert fg.gradient_exists(F, fg.L2(), INTERVAL, at=u).exists is False


def test_euler_lagrange_equations_against_sympy():
    from sympy.calculus.euler import euler_equations

    x, y = sympy.symbols("x y", real=True)
    u = sympy.Function("u", real=True)(x, y)
    text = "u_x**2*u_y/2 + u_xy**2*x + exp(u)"
    lagrangian = u.diff(x) ** 2 * u.diff(y) / 2 + u.diff(x, y) ** 2 * x + sympy.exp(u)
    (equation,) = euler_equations(lagrangian, [u], [x, y])
    expected = sympy.latex(sympy.expand(equation.lhs.doit())) + " = 0"
    assert fg.Integral(text, variables="x y").euler_lagrange_latex() == expected


def test_values_of_integrals_by_hand():
    f = INTERVAL.grid(12).function(lambda x: np.column_stack([x**2, x]))
    F = fg.Integral("u_x*v + v_x*x", unknowns=["u", "v"])
    assert F(f) == pytest.approx(2 / 3 + 1 / 2, rel=1e-14)
    g = TORUS.grid(16).function(lambda x, y: np.sin(x) * np.sin(y))
    assert fg.Integral("u_xy**2 + u_yx**2", variables="x y")(g) == pytest.approx(2 * np.pi**2, rel=1e-13)


def test_losses_by_hand():
    def f(x):
        return 2 * x

    assert fg.EmpiricalLoss([1.0], [0.0], loss="logistic")(f) == pytest.approx(math.log(1 + math.e**2))
    assert fg.EmpiricalLoss([1.0], [3.0], loss="poisson")(f) == pytest.approx(math.e**2 - 6)
    assert fg.EmpiricalLoss([1.0, 2.0], [0.0, 0.0], weights=[3, 1], mean=True)(f) == 0.5 * (6 + 8)
    huber = fg.EmpiricalLoss([1.0], [0.0], loss=PseudoHuber(0.5))(f)
    assert huber == pytest.approx(0.25 * (math.sqrt(17) - 1), rel=1e-15)
    classes = fg.EmpiricalLoss([0.0], [[1.0, 0.0, 0.0]], loss="cross-entropy")
    assert classes(lambda x: np.zeros((len(x), 3))) == pytest.approx(math.log(3), rel=1e-15)


def test_losses_do_not_overflow_where_their_values_are_representable():
    for z in (-800.0, 800.0):
        loss = fg.EmpiricalLoss([1.0], [1.0], loss="logistic")
        assert loss(lambda x, z=z: z * x) == pytest.approx(max(-z, 0.0), abs=1e-300)
        assert abs(loss.differential(lambda x, z=z: z * x)(lambda x: x)) <= 1


BAD_INPUT = [
    (lambda: fg.EmpiricalLoss(X, Y, loss="sqared"), "did you mean 'squared'"),
    (lambda: fg.EmpiricalLoss(X, Y, loss=len), "`loss` must be a name"),
    (lambda: fg.EmpiricalLoss(X, Y, loss="logistic"), r"must lie in \[0, 1\]"),
    (lambda: fg.EmpiricalLoss(X, -SHARES, loss="cross-entropy"), "probabilities"),
    (lambda: fg.EmpiricalLoss(X, -np.ones(4), loss="poisson"), "must not be negative"),
    (lambda: fg.EmpiricalLoss(X, Y, weights=[1.0]), "`weights` must be 4 numbers"),
    (lambda: fg.EmpiricalLoss(X, Y, weights=[-1.0, 1, 1, 1]), "none negative"),
    (lambda: fg.EmpiricalLoss(X, Y, operator={}), "`operator` must be a dict"),
    (lambda: fg.EmpiricalLoss(X, Y, operator={(1, 0): 1.0}), "multi-indices of 1 orders"),
    (lambda: fg.EmpiricalLoss(X, Y, operator={1: [1.0, 2.0]}), "factors that are numbers"),
    (lambda: fg.EmpiricalLoss(X, Y, operator={1: 1.0})(np.sin), "needs a Function"),
    (lambda: fg.PopulationLoss(np.sin, density=lambda x: -1.0)(smooth(line, 1)), "`density` must be"),
    (lambda: fg.Integral("u_x**2")(np.sin), "must be a Function"),
    (lambda: fg.Integral("u_t**2"), "did you mean"),
    (lambda: fg.Integral("u_xxx"), "unknown name"),
    (lambda: fg.Integral("__import__('os')"), "`expression`"),
    (lambda: fg.Integral("u", variables="u"), "must be different names"),
    (lambda: fg.Integral("u", variables=""), "at least one name"),
    (lambda: fg.Integral("u", variables="x y")(smooth(line, 1)), "`variables` must name"),
    (lambda: fg.Integral("u*v", unknowns="u v")(smooth(line, 1)), "2 component"),
    (lambda: fg.Integral("log(u)")(-1.0 * smooth(line, 1) * 10), "must be finite"),
    (lambda: fg.ResidualLoss("u_x", []), "at least one"),
    (lambda: fg.ResidualLoss("u_x", X, weights=[1.0]), "`weights` must be"),
    (lambda: fg.ResidualLoss("u_x", X)(np.sin), "must be a Function"),
    (
        lambda: from_callable(lambda f: 0.0, lambda f: fg.functionals.Covector()).second_variation(None),
        "second variation",
    ),
    (
        lambda: fg.PopulationLoss(np.sin).composed(math.exp, math.exp).second_variation(smooth(line, 1)),
        "give `second_derivative`",
    ),
    (
        lambda: fg.EmpiricalLoss(X, Y, loss=UserLoss(lambda z, y: 1.0, None, None))(np.sin),
        "loss's value must have shape",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD_INPUT)
def test_bad_input_gets_one_clear_error(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize(
    "domain", [fg.Circle(2 * np.pi), fg.Interval(0, 2 * np.pi, "periodic"), fg.Torus((2 * np.pi, 2 * np.pi))]
)
def test_every_wave_of_a_grid_has_its_slope(domain, n):
    """∫ u_x² of each wave cos(kx), sin(kx) of a periodic grid is k²∫u², the highest cosine's included."""
    names, grid = "xy"[: domain.dimension], domain.grid(n)
    F = fg.Integral("u_x**2/2", list(names))
    for k in range(n // 2 + 1):
        for wave in (np.cos, np.sin) if 0 < k < n / 2 else (np.cos,):
            u = grid.function(wave(k * grid.nodes[:, 0]))
            exact = k**2 * domain.volume / 4
            assert F(u) == pytest.approx(exact, abs=1e-12)
            assert F.differential(u)(u) == pytest.approx(2 * exact, abs=1e-12)
            assert F.second_variation(u)(u, u) == pytest.approx(2 * exact, abs=1e-12)


@pytest.mark.parametrize(("boundary", "wave"), [("neumann", np.cos), ("dirichlet", np.sin)])
def test_every_half_wave_of_a_grid_of_midpoints_has_its_slope(boundary, wave):
    """The same for cos(kπx) and sin(kπx) on (0, 1), the last sine included."""
    grid = fg.Interval(0, 1, boundary).grid(8, rule="midpoint")
    F = fg.Integral("u_x**2")
    for k in range(1, 8 + (boundary == "dirichlet")):
        u = grid.function(wave(k * np.pi * grid.nodes[:, 0]))
        assert F(u) == pytest.approx((k * np.pi) ** 2 / 2, rel=1e-12)
        assert F.differential(u)(u) == pytest.approx((k * np.pi) ** 2, rel=1e-12)


@pytest.mark.parametrize("n", [16, 17])
def test_the_energy_of_a_slope_bounds_points_on_even_grids_as_on_odd_ones(n):
    """Representers of δ_x in ∫u'² + u² tend to ½ coth π at x; a wave without slope would add a constant."""
    circle, energy = fg.Circle(2 * np.pi), fg.Integral("(u_x**2 + u**2)/2")
    errors = []
    for size in (n, 4 * n - 3 * (n % 2)):
        grid = circle.grid(size)
        metric = fg.metrics.Energy(energy).at(grid.function(np.zeros(size)))
        g = metric.riesz(fg.PointEvaluation(0.0), grid)
        errors.append(abs(g(0.0) - 0.5 / np.tanh(np.pi)))
    assert errors[1] < errors[0] / 3.5 < 0.05
