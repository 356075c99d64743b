"""Projection, reparametrisation and tangent kernels, drawn over models, metrics and domains.

On a grid these are identities of linear algebra: residuals are compared with rounding times the condition
number of the tangent functions scaled to norm 1 in the metric.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.metrics import Poisson, TangentExtended
from funcgrad.metrics.base import at_base_point

EPS = np.finfo(float).eps
# Rounding of a whitened covector or function on grids of up to 100 nodes, in ulp.
ULPS = 200
UNIT, LONG, PINNED = fg.Interval(0, 1), fg.Interval(-2, 2), fg.Interval(0, 1, "dirichlet")
CIRCLE, TORUS, SPHERE = fg.Circle(2 * np.pi), fg.Torus((2 * np.pi, 2 * np.pi)), fg.Sphere()
SQUARE = fg.Box([(0, 1), (0, 2)])
Symbolic = fg.models.Symbolic
NETWORK, WIDE = fg.models.MLP([1, 2, 1], "tanh"), fg.models.MLP([2, 2, 2], "sin")

# Models by the kind of domain, with what their parameters are near.
MODELS = {
    "interval": [
        (Symbolic("a*(1 - exp(-b*x)) + c*x", "x", "a b c"), [2.0, 0.7, 0.3]),
        (fg.models.Polynomial(4), [1.0, -0.5, 0.3, 0.2, 1.0]),
        (Symbolic(["a*sin(x + b)", "c*x + a*b"], "x", "a b c"), [1.0, 0.5, -0.7]),
        (NETWORK, [0.9, -1.1, 0.3, 0.5, 1.2, -0.8, 0.1]),
    ],
    "pinned": [(Symbolic("x*(1 - x)*(a + b*x) + c*sin(pi*x)*exp(a*x)", "x", "a b c"), [1.0, -0.5, 0.7])],
    "circle": [
        (Symbolic("a*exp(b*cos(x - c))", "x", "a b c"), [0.8, 0.7, 1.1]),
        (fg.models.Linear(fg.models.bases.fourier(3)), [0.5, 1.0, -1.0, 0.3, 0.2, 0.7, -0.4]),
        (Symbolic(["a*sin(x + b)", "c*cos(x) + a*b"], "x", "a b c"), [1.0, 0.5, -0.7]),
    ],
    "density": [(Symbolic("1 + a*sin(x)*cos(b) + b*cos(x)/4", "x", "a b"), [0.4, 0.5])],
    "square": [
        (Symbolic("a*exp(b*x)*y + c", "x y", "a b c"), [1.0, 0.5, -0.2]),
        (WIDE, [0.9, -1.1, 0.7, 1.3, 0.2, 0.5, 0.8, -0.6, 0.4, 1.0, 0.1, -0.3]),
    ],
    "torus": [(Symbolic("a*sin(x + b)*cos(y) + c*cos(x - 2*y)", "x y", "a b c"), [1.0, 0.4, -0.7])],
    "sphere": [(Symbolic("a*x + b*y*z + c*z**2 + a*c*y", "x y z", "a b c"), [1.0, 0.5, -0.3])],
}


def weighted(rate):
    return fg.L2(measure=lambda *x: np.exp(rate * np.cos(x[0])))


def metrics_everywhere(s, scale, rate):
    return [fg.L2(), weighted(rate), fg.Fisher(Poisson()), 0.5 * weighted(rate) + 2 * fg.L2()]


def spectral(s, scale, rate):
    plain = fg.Sobolev(s, scale)
    return [plain, 0.3 * plain + fg.Sobolev(-s / 2), plain + weighted(rate), fg.Fisher(Poisson()) + plain]


def polynomial(s, scale, rate):
    return [
        fg.Sobolev(1, scale),
        fg.Sobolev(1 + s / 4, scale),
        fg.Sobolev(2, scale, definition="derivative"),
        fg.RKHS(fg.kernels.Matern(0.5 + s / 2, scale)),
        fg.Sobolev(1) + weighted(rate),
        fg.L2() + fg.RKHS(fg.kernels.Matern(1.5)),
    ]


def periodic_kernel(s, scale, rate):
    return [fg.RKHS(fg.kernels.PeriodicSobolev(0.6 + s / 2, 2 * np.pi))]


def of_densities(s, scale, rate):
    return [
        fg.FisherRao(),
        fg.Wasserstein(),
        fg.FisherRao() + 2 * fg.Wasserstein(),
        fg.Wasserstein() + fg.L2(),
    ]


# The kind of model, the grid, and metrics that work there.
PLACES = {
    "interval, polynomials": ("interval", LONG.grid(24), [metrics_everywhere, polynomial]),
    "interval, cosines": ("interval", LONG.grid(32, rule="midpoint"), [metrics_everywhere, spectral]),
    "interval, Dirichlet": (
        "pinned",
        PINNED.grid(20),
        [metrics_everywhere, lambda s, scale, r: [fg.Sobolev(1, scale)]],
    ),
    "circle": ("circle", CIRCLE.grid(32), [metrics_everywhere, spectral, periodic_kernel]),
    "circle, odd": ("circle", CIRCLE.grid(33), [metrics_everywhere, spectral, periodic_kernel]),
    "densities": ("density", CIRCLE.grid(24), [of_densities]),
    "square": ("square", SQUARE.grid(8), [metrics_everywhere]),
    "square, cosines": ("square", SQUARE.grid(8, rule="midpoint"), [metrics_everywhere, spectral]),
    "torus": ("torus", TORUS.grid(10), [metrics_everywhere, spectral]),
    "sphere": ("sphere", SPHERE.grid(8), [metrics_everywhere, spectral]),
    "data": ("interval", fg.PointSet(LONG, np.linspace(-1.9, 1.8, 17)), [metrics_everywhere]),
}


class Case:
    """A drawn model, grid, metric at the model's function, and covector; the whitened tangent functions."""

    def __init__(self, place, seed, s, scale, extend=True):
        kind, self.grid, families = PLACES[place]
        self.rng = rng = np.random.default_rng(seed)
        self.model, near = MODELS[kind][rng.integers(len(MODELS[kind]))]
        self.theta = np.array(near) * rng.uniform(0.8, 1.2, len(near))
        metrics = families[rng.integers(len(families))](s, scale, rng.uniform(-1, 1))
        self.field = metrics[rng.integers(len(metrics))]
        if extend and kind != "density" and rng.integers(4) == 0:
            h = np.diag(rng.uniform(0.5, 2, len(near)))
            self.field = TangentExtended(self.model, self.theta, h, self.field)
        self.metric = at_base_point(self.field, self.grid.function(self.model(self.theta, self.grid.nodes)))
        self.jacobian = self.model.jacobian(self.theta, self.grid.nodes)
        shape = self.jacobian.shape[:-1]
        self.c = fg.Density(self.grid.function(rng.normal(size=shape)))
        if not isinstance(self.grid, fg.PointSet):
            point = self.grid.nodes[rng.integers(len(self.grid))]
            self.c = self.c + fg.PointEvaluation(point, weight=rng.normal(size=shape[1:]))
        self.a = self.whitened(self.jacobian)
        self.sizes, self.condition = sizes_and_condition(self.a)
        if isinstance(
            self.field, TangentExtended
        ):  # coordinates of Pu are as accurate as its metric has them
            image = self.field.on_functions(self.grid).square_root(self.grid).apply(self.jacobian)
            self.condition *= sizes_and_condition(image.reshape(-1, len(near)))[1]
        self.r = self.metric.whiten(self.c, self.grid).reshape(-1)
        # An ulp of φ_i may be ‖S‖ ‖φ_i‖ / ‖Sφ_i‖ ulp of Sφ_i: S weights high frequencies.
        tangent = self.jacobian.reshape(-1, len(near))
        amplification = self.norm_of_root() * np.max(np.linalg.norm(tangent, axis=0) / self.sizes)
        self.ulps = ULPS + 4 * amplification

    def whitened(self, values):
        """Return Su for the functions u on the last axis, (M, K)."""
        image = self.metric.square_root(self.grid).apply(values)
        return image.reshape(-1, image.shape[-1])

    def norm_of_root(self):
        """Return ‖S‖ on the nodal values that the space contains."""
        constraints = self.metric.square_root(self.grid).constraints
        units = np.eye(self.jacobian[..., 0].size)
        if constraints is not None:
            units = units - np.linalg.pinv(constraints) @ constraints @ units
        return np.linalg.norm(self.whitened(units.reshape(*self.jacobian.shape[:-1], -1)), 2)

    def step(self, model, theta):
        """Return the natural gradient in a parametrisation, and the whitened pushforward."""
        step = fg.natural_gradient(fg.LinearFunctional(self.c), model, theta, self.field, self.grid)
        return step, self.whitened(step.pushforward.values[..., None])[:, 0]


def sizes_and_condition(a):
    """Return the columns' norms, and the condition number when they are scaled to 1."""
    sizes = np.linalg.norm(a, axis=0)
    sigma = np.linalg.svd(a / sizes, compute_uv=False)
    return sizes, sigma[0] / sigma[-1]


def cases(test):
    test = given(seed=st.integers(0, 10**6), s=st.floats(0.2, 2.5), scale=st.floats(0.3, 2))(test)
    return pytest.mark.parametrize("place", PLACES)(settings(max_examples=12)(test))


@cases
def test_the_pushforward_is_the_projection_of_the_gradient(place, seed, s, scale):
    """<dφ(η), φ_i> = dF(φ_i), and Sdφ(η) is the part of the whitened covector in the tangent space."""
    case = Case(place, seed, s, scale)
    step, pushed = case.step(case.model, case.theta)
    slopes = case.c.components(case.grid).reshape(-1) @ case.jacobian.reshape(-1, len(case.theta))
    length = np.linalg.norm(case.r)
    bound = case.ulps * EPS * case.condition
    np.testing.assert_allclose(
        case.a.T @ pushed / case.sizes / length, slopes / case.sizes / length, rtol=0, atol=bound
    )
    orthonormal, _ = np.linalg.qr(case.a / case.sizes)
    projection = orthonormal @ (orthonormal.T @ case.r)
    np.testing.assert_allclose(pushed, projection, rtol=0, atol=bound * length)
    assert step.residual * length == pytest.approx(np.linalg.norm(case.r - projection), abs=bound * length)


@cases
def test_the_pushforward_does_not_depend_on_the_parametrisation(place, seed, s, scale):
    """θ = ψ(ϑ) = θ_0 + M(sinh ϑ - sinh ϑ_0)."""
    case = Case(place, seed, s, scale, extend=False)  # a metric h is one on these parameters only
    p = len(case.theta)
    mixing = np.abs(case.theta)[:, None] * (np.eye(p) + 0.3 * case.rng.uniform(-1, 1, (p, p)))
    start = case.rng.uniform(-1, 1, p)
    model = case.model.reparametrise(
        lambda t: case.theta + mixing @ (np.sinh(t) - np.sinh(start)), lambda t: mixing * np.cosh(t)
    )
    (_, first), (_, second) = case.step(case.model, case.theta), case.step(model, start)
    _, condition = sizes_and_condition(case.whitened(model.jacobian(start, case.grid.nodes)))
    bound = case.ulps * EPS * (case.condition + condition)
    assert np.linalg.norm(first - second) <= bound * np.linalg.norm(case.r)


@cases
def test_tangent_kernels_reproduce_and_represent(place, seed, s, scale):
    """K_h(., x)c represents u ↦ c·u(x) on the tangent space, which is its RKHS; dF(Θ) is dφ(∂F~)."""
    case = Case(place, seed, s, scale)
    model, theta, grid, p = case.model, case.theta, case.grid, len(case.theta)
    kernel = fg.tangent_kernel(model, theta, case.field, grid)
    x = grid.nodes[case.rng.integers(len(grid))][None]
    values = model.jacobian(theta, x).reshape(-1, p)
    sections = case.whitened(kernel.gram(grid.nodes, x).reshape(*case.jacobian.shape[:-1], -1))
    sizes = np.outer(case.sizes, np.linalg.norm(sections, axis=0))
    bound = case.ulps * EPS * case.condition
    np.testing.assert_allclose(case.a.T @ sections / sizes, values.T / sizes, rtol=0, atol=bound)
    a = case.rng.normal(size=p) / case.sizes
    u = grid.function(case.jacobian @ a)
    of_values = np.linalg.cond(kernel.features(grid.nodes).reshape(-1, p))
    assert fg.RKHS(kernel).norm(u) == pytest.approx(case.metric.norm(u), rel=bound * of_values)
    ntk, components = fg.tangent_kernel(model, theta), case.c.components(grid)
    flat = case.jacobian.reshape(-1, p)
    pushed = flat @ (components.reshape(-1) @ flat)
    size = np.abs(flat) @ (np.abs(components).reshape(-1) @ np.abs(flat))
    found = ntk.matvec(grid.nodes, grid.nodes, components).reshape(-1)
    assert np.all(np.abs(found - pushed) <= len(grid) * EPS * size)


@cases
def test_the_rank_of_dependent_parametrisations_is_found(place, seed, s, scale):
    """k independent tangent functions with k + 2 parameters, θ + T(ϑ - ϑ_0): the rank is k in every metric.

    The whitened Jacobian's small singular values are what S makes of rounding, of any size; none is kept, and
    the pushforward is still the projection.
    """
    case = Case(place, seed, s, scale, extend=False)
    k = len(case.theta)
    mixing = np.linalg.qr(case.rng.normal(size=(k + 2, k)))[0].T * np.abs(case.theta)[:, None]
    start = case.rng.uniform(-1, 1, k + 2)
    model = case.model.reparametrise(
        lambda t: case.theta + mixing @ (t - start), lambda t: mixing, n_parameters=k + 2
    )
    with pytest.warns(fg.DegenerateModelWarning, match="the tangent space has rank"):
        step, pushed = case.step(model, start)
    exact = np.linalg.svd(case.a @ mixing, compute_uv=False)
    rounding = case.ulps * EPS * exact[0]
    assert exact[k - 1] > rounding, "the drawn tangent functions are themselves dependent to rounding"
    assert step.rank == k
    orthonormal, _ = np.linalg.qr(case.a / case.sizes)
    projection = orthonormal @ (orthonormal.T @ case.r)
    bound = case.ulps * EPS * (case.condition + exact[0] / exact[k - 1]) * np.linalg.norm(case.r)
    np.testing.assert_allclose(pushed, projection, rtol=0, atol=bound)


STRONG = {
    "circle": [fg.Sobolev(2.5), fg.Sobolev(3) + fg.L2(measure=lambda x: 2 + np.sin(x))],
    "circle kernel": [fg.RKHS(fg.kernels.PeriodicSobolev(2.6, 2 * np.pi))],
    "interval": [
        fg.Sobolev(1.5),
        fg.Sobolev(2, definition="derivative"),
        fg.Sobolev(3, definition="derivative"),
    ],
    "interval kernel": [fg.RKHS(fg.kernels.Matern(2.5))],
}


@pytest.mark.parametrize(
    ("place", "metric", "n"),
    [(place, metric, n) for place, metrics in STRONG.items() for metric in metrics for n in (48, 96)],
    ids=str,
)
def test_rounding_that_a_strong_metric_amplifies_is_not_taken_for_a_direction(place, metric, n):
    """sin(x + 0.3) is a combination of sin and cos, (x + 1)² one of 1, x, x²: to rounding only.

    That max(M, p) ulp, the cut-off of a matrix as it is, would keep some of it shows in the singular values.
    """
    if place.startswith("circle"):
        model, rank, domain = (
            Symbolic("a*sin(x+0.3) + b*sin(x) + c*cos(x) + d*cos(x-0.7)", "x", "a b c d"),
            2,
            CIRCLE,
        )
    else:
        text = "a*(x+1)**2 + b*x**2 + c*x + d + e*(x-0.3)**3 + f*x**3"
        model, rank, domain = Symbolic(text, "x", "a b c d e f"), 4, UNIT
    c = fg.LinearFunctional(fg.PointEvaluation(0.3) - 2 * fg.PointEvaluation(0.8))
    with pytest.warns(fg.DegenerateModelWarning):
        step = fg.natural_gradient(c, model, np.ones(model.n_parameters), metric, domain.grid(n))
    assert step.rank == rank
    noise, kept = step.singular_values[rank] / step.singular_values[0], step.singular_values[rank - 1]
    assert noise < 1e-6 < 1e-3 < kept / step.singular_values[0]
    if n == 96:
        assert noise > n * EPS
