"""The projection identity for every class of model in every kind of metric on every kind of domain.

`test_projection_properties` draws from fewer models with more covectors; here no pair is left out. Residuals
are compared with rounding times the condition of the tangent functions scaled to norm 1 in the metric.
"""

import functools
import itertools

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.metrics import Energy, GaussNewton, Poisson
from funcgrad.metrics.base import at_base_point
from funcgrad.models import bases
from funcgrad.models.adapted import as_model

EPS = np.finfo(float).eps
# Rounding of a whitened covector or function on grids of up to 200 nodes, in ulp.
ULPS = 200
LONG, PINNED = fg.Interval(-2, 2), fg.Interval(0, 1, "dirichlet")
CIRCLE, TORUS, SPHERE = fg.Circle(2 * np.pi), fg.Torus((2 * np.pi, 2 * np.pi)), fg.Sphere()
SQUARE, LINE = fg.Box([(0, 1), (0, 2)]), fg.Euclidean(1)
Symbolic, MLP, Linear = fg.models.Symbolic, fg.models.MLP, fg.models.Linear

CENTRES = [-1.5, -0.4, 0.6, 1.7]
NETWORK = [0.9, -1.1, 0.3, 0.5, 1.2, -0.8, 0.1]


def gaussian(theta, x):
    return theta[0] * np.exp(-((x[:, 0] - theta[1]) ** 2))


class Plain:
    """a exp(-b x²) without a base class."""

    def __call__(self, theta, x):
        return theta[0] * np.exp(-theta[1] * x[:, 0] ** 2)

    def jacobian(self, theta, x):
        bump = np.exp(-theta[1] * x[:, 0] ** 2)
        return np.column_stack([bump, -theta[0] * x[:, 0] ** 2 * bump])


ON_A_LINE = {
    "Linear, monomial": (Linear(bases.monomial(4)), [1.0, -0.5, 0.3, 0.2, 1.0]),
    "Linear, Legendre": (Linear(bases.legendre(4, -2, 2)), [1.0, -0.5, 0.3, 0.2, 1.0]),
    "Linear, Fourier": (Linear(bases.fourier(2, 6.0)), [1.0, -0.5, 0.3, 0.2, 1.0]),
    "Linear, B-spline": (Linear(bases.bspline([-2, -2, -2, -2, 0, 2, 2, 2, 2])), [1.0, -0.5, 0.3, 0.2, 1.0]),
    "Linear, kernel sections": (
        Linear(bases.kernel_sections(fg.kernels.Matern(2.5), CENTRES)),
        [1.0, -1, 2, 0.5],
    ),
    "Polynomial": (fg.models.Polynomial(3), [1.0, 2.0, -0.4, 0.1]),
    "RadialBasis": (fg.models.RadialBasis(2), [1.0, -0.6, 1.1, 0.8, 0.1, -0.2]),
    "GaussianMixture": (fg.models.GaussianMixture(2), [0.1, -0.9, 0.2, 0.8, -0.1]),
    "Rational": (fg.models.Rational(1, 2), [1.0, 0.4, 0.3, 0.2]),
    "Symbolic": (Symbolic("a*(1 - exp(-b*x)) + c*x", "x", "a b c"), [2.0, 0.7, 0.3]),
    "Symbolic, two outputs": (Symbolic(["a*sin(x + b)", "c*x + a*b"], "x", "a b c"), [1.0, 0.5, -0.7]),
    "from_callable": (fg.models.from_callable(gaussian, 1, 2), [1.0, 0.3]),
    "composed": (fg.models.compose("exp(-u)", Symbolic("a*x**2 + b*x", "x", "a b")), [0.5, 0.3]),
    "multiplied": (fg.models.multiply("1 + x**2", MLP([1, 1, 1]), "x"), [0.9, 0.3, 1.2, 0.1]),
    "sum": (fg.models.Polynomial(1) + Symbolic("a*sin(b*x)", "x", "a b"), [1.0, 0.5, 0.7, 1.3]),
    "stacked": (
        fg.models.stack([fg.models.Polynomial(1), fg.models.Polynomial(2)]),
        [1.0, 2.0, 0.5, 0.3, -0.2],
    ),
    "reparametrised": (fg.models.Polynomial(2).reparametrise(np.exp), [0.3, -0.2, 0.1]),
    "plain object": (Plain(), [1.2, 0.4]),
    **{f"MLP, {name}": (MLP([1, 2, 1], name), NETWORK) for name in ("tanh", "sin", "softplus", "gelu")},
    # ReLU's weights have a scale in common with the next layer's: the first ones are fixed.
    "MLP, relu": (
        MLP([1, 2, 1], "relu").reparametrise(
            lambda t: np.concatenate([NETWORK[:2], t]), lambda t: np.eye(7)[:, 2:], n_parameters=5
        ),
        NETWORK[2:],
    ),
    "MLP, deep": (MLP([1, 2, 2, 1]), [0.9, -1.1, 0.3, 0.5, 1.2, -0.8, 0.1, 0.7, 0.2, -0.3, 1.0, 0.8, 0.4]),
}
WAVES = {
    "Fourier": (fg.models.Fourier(3), [0.5, 1.0, -1.0, 0.3, 0.2, 0.7, -0.4]),
    "Symbolic": (Symbolic("a*exp(b*cos(x - c))", "x", "a b c"), [0.8, 0.7, 1.1]),
    "Symbolic, two outputs": (Symbolic(["a*sin(x + b)", "c*cos(x) + a*b"], "x", "a b c"), [1.0, 0.5, -0.7]),
}
MEAN_ZERO = {"waves": (Symbolic("a*sin(x + b) + c*cos(2*x)", "x", "a b c"), [0.8, 0.7, 1.1])}
MEAN_ZERO_SPHERE = {
    "harmonics": (Symbolic("a*x + b*y*z + c*(x**2 - y**2)", "x y z", "a b c"), [0.8, 0.7, 1.1])
}
DENSITIES = {"density": (Symbolic("1 + a*sin(x)*cos(b) + b*cos(x)/4", "x", "a b"), [0.4, 0.5])}
VANISHING = {
    "Symbolic": (Symbolic("x*(1 - x)*(a + b*x) + c*sin(pi*x)*exp(a*x)", "x", "a b c"), [1.0, -0.5, 0.7]),
    "multiplied": (fg.models.multiply("x*(1-x)", MLP([1, 2, 1]), "x"), NETWORK),
}
PLANE = {
    "Symbolic": (Symbolic("a*exp(b*x)*y + c", "x y", "a b c"), [1.0, 0.5, -0.2]),
    "Linear, tensor product": (
        Linear(bases.tensor_product(bases.legendre(1, 0, 1), bases.legendre(1, 0, 2))),
        [1.0, 0.5, -0.3, 0.7],
    ),
    "MLP, two outputs": (
        MLP([2, 2, 2], "sin"),
        [0.9, -1.1, 0.7, 1.3, 0.2, 0.5, 0.8, -0.6, 0.4, 1.0, 0.1, -0.3],
    ),
    "GaussianMixture": (fg.models.GaussianMixture(1, 2), None),
    "RadialBasis": (fg.models.RadialBasis(1, 2), None),
    "Rational": (fg.models.Rational(1, 1, 2), None),
}
ON_THE_TORUS = {
    "Symbolic": (Symbolic("a*sin(x + b)*cos(y) + c*cos(x - 2*y)", "x y", "a b c"), [1.0, 0.4, -0.7])
}
ON_THE_SPHERE = {"Symbolic": (Symbolic("a*x + b*y*z + c*z**2 + a*c*y", "x y z", "a b c"), [1.0, 0.5, -0.3])}
DECAYING = {
    "Symbolic": (Symbolic("a*exp(-b*(x - c)**2)", "x", "a b c"), [1.0, 0.8, 0.3]),
    "GaussianMixture": (fg.models.GaussianMixture(2), [0.1, -0.9, 0.2, 0.8, -0.1]),
    "RadialBasis": (fg.models.RadialBasis(2), [1.0, -0.6, 1.1, 0.8, 0.1, -0.2]),
}
# What the energies differentiate by the models' own derivatives, their grid resolves.
POLYNOMIALS = {
    name: ON_A_LINE[name] for name in ("Linear, monomial", "Linear, Legendre", "Polynomial", "reparametrised")
}

WEIGHTED = fg.L2(measure=lambda *x: np.exp(0.5 * np.cos(x[0])))
EVERYWHERE = [fg.L2(), WEIGHTED, fg.Fisher(Poisson()), 0.5 * WEIGHTED + 2 * fg.L2()]
SPECTRAL = [
    fg.Sobolev(1.7, 0.6),
    fg.Sobolev(-0.8),
    0.3 * fg.Sobolev(1) + fg.Sobolev(-0.5),
    fg.Sobolev(1) + WEIGHTED,
    fg.Fisher(Poisson()) + fg.Sobolev(1),
]
HOMOGENEOUS = [fg.Sobolev(s, 0.7, homogeneous=True) for s in (1.0, -1.0, 0.4)]
POLYNOMIAL = [
    fg.Sobolev(1, 0.7),
    fg.Sobolev(1.4),
    fg.Sobolev(2, 0.8, definition="derivative"),
    fg.RKHS(fg.kernels.Matern(1.2, 0.8)),
    fg.Sobolev(1) + WEIGHTED,
    fg.L2() + fg.RKHS(fg.kernels.Matern(1.5)),
]
ENERGIES = [
    Energy(fg.Integral("(1 + x**2)*u_x**2/2 + u**4/4 + u**2")),
    GaussNewton(fg.ResidualLoss("u_x + u**2 - 1", np.linspace(-1.9, 1.9, 40))),
    Energy(fg.Integral("u_x**2/2 + u**2")) + WEIGHTED,
]
PERIODIC_ENERGY = [Energy(fg.Integral("(2 + sin(x))*u_x**2/2 + u**2"))]
FIXED_ENERGY = [Energy(fg.Integral("u_x**2/2")), fg.Sobolev(1, 0.7)]
RIEMANNIAN = [
    fg.FisherRao(),
    fg.Wasserstein(),
    fg.FisherRao() + 2 * fg.Wasserstein(),
    fg.Wasserstein() + fg.L2(),
]
DATA = fg.PointSet(LONG, np.linspace(-1.9, 1.8, 17))

PLACES = {
    "interval, polynomials": (ON_A_LINE, LONG.grid(24), EVERYWHERE + POLYNOMIAL),
    "interval, cosines": (ON_A_LINE, LONG.grid(32, rule="midpoint"), EVERYWHERE + SPECTRAL),
    "interval, energies": (POLYNOMIALS, LONG.grid(24), ENERGIES),
    "interval, Dirichlet": (VANISHING, PINNED.grid(24), EVERYWHERE + FIXED_ENERGY),
    "data": (ON_A_LINE, DATA, EVERYWHERE),
    "circle, even": (
        WAVES,
        CIRCLE.grid(40),
        EVERYWHERE + SPECTRAL + [fg.RKHS(fg.kernels.PeriodicSobolev(1.4, 2 * np.pi))],
    ),
    "circle, odd": ({"Fourier": WAVES["Fourier"]}, CIRCLE.grid(41), EVERYWHERE + SPECTRAL + PERIODIC_ENERGY),
    "circle, mean zero": (MEAN_ZERO, CIRCLE.grid(32), HOMOGENEOUS),
    "circle, densities": (DENSITIES, CIRCLE.grid(24), RIEMANNIAN),
    "square": (PLANE, SQUARE.grid(9), EVERYWHERE),
    "square, cosines": (PLANE, SQUARE.grid(9, rule="midpoint"), EVERYWHERE + SPECTRAL),
    "torus": (ON_THE_TORUS, TORUS.grid(10), EVERYWHERE + SPECTRAL),
    "sphere": (ON_THE_SPHERE, SPHERE.grid(8), EVERYWHERE + SPECTRAL),
    "sphere, mean zero": (MEAN_ZERO_SPHERE, SPHERE.grid(8), HOMOGENEOUS),
    "line, Hermite": (DECAYING, LINE.grid(24), EVERYWHERE),
    "line, truncated": (DECAYING, LINE.grid(64, rule="truncated"), [fg.L2(), *SPECTRAL[:3]]),
}
PAIRS = [
    pytest.param((place, model, i), id=f"{place}: {model}: {metric}")
    for place, (models, _, metrics) in PLACES.items()
    for model, (i, metric) in itertools.product(models, enumerate(metrics))
]


def matrix_of(root, grid, shape):
    """S as a matrix, on the nodal values of functions in the space."""
    units, rows = np.eye(int(np.prod(shape))), root.constraints
    if root.boundary_points is not None and len(root.boundary_points):
        rows = grid.interpolation_matrix(root.boundary_points)
    if rows is not None:
        rows = np.kron(rows, np.eye(len(units) // len(grid)))
        units = units - np.linalg.pinv(rows) @ rows @ units
    return root.apply(units.reshape(*shape, -1)).reshape(-1, len(units))


class Pair:
    """A model at its parameters and a metric at its function: the whitened tangent functions and covector."""

    def __init__(self, place, name, which):
        models, self.grid, metrics = PLACES[place]
        model, theta = models[name]
        self.rng = rng = np.random.default_rng(len(name) + 100 * which)
        self.theta = rng.uniform(0.2, 1.0, model.n_parameters) if theta is None else np.array(theta)
        self.given, self.model = model, as_model(model, self.theta, self.grid)
        self.field = metrics[which]
        self.jacobian = self.model.jacobian(self.theta, self.grid.nodes)
        self.metric = at_base_point(self.field, self.grid.function(self.model(self.theta, self.grid.nodes)))
        self.root = self.metric.square_root(self.grid)
        self.c = fg.Density(self.grid.function(rng.normal(size=self.jacobian.shape[:-1])))
        self.r = self.metric.whiten(self.c, self.grid).reshape(-1)
        self.a = self.whitened(self.jacobian)
        self.sizes = np.linalg.norm(self.a, axis=0)
        norm_of_root = np.linalg.norm(matrix_of(self.root, self.grid, self.jacobian.shape[:-1]), 2)
        # An ulp of φ_i may be ‖S‖ ‖φ_i‖ / ‖Sφ_i‖ ulp of Sφ_i: S weights high frequencies.
        tangent = np.linalg.norm(self.jacobian.reshape(-1, len(self.theta)), axis=0)
        self.ulps = (ULPS + 4 * norm_of_root * np.max(tangent / self.sizes)) * EPS
        self.bound = self.ulps * condition(self.a)
        assert self.bound < 1e-5, "the pair says nothing: its tangent functions are nearly dependent"

    def whitened(self, values):
        """Return Su for the functions u on the last axis, (M, K)."""
        return self.root.apply(values).reshape(-1, values.shape[-1])

    def pushed(self, model, theta):
        """Return the step in a parametrisation and the whitened pushforward."""
        step = fg.natural_gradient(fg.LinearFunctional(self.c), model, theta, self.field, self.grid)
        return step, self.whitened(step.pushforward.values[..., None])[:, 0]


def condition(a):
    """The condition number with the columns scaled to norm 1."""
    sigma = np.linalg.svd(a / np.linalg.norm(a, axis=0), compute_uv=False)
    return sigma[0] / sigma[-1]


@functools.lru_cache(maxsize=1)
def pair_of(place, name, which):
    return Pair(place, name, which)


@pytest.fixture
def pair(request):
    return pair_of(*request.param)


every_pair = pytest.mark.parametrize("pair", PAIRS, indirect=True)


@every_pair
def test_the_pushforward_is_the_projection_of_the_gradient(pair):
    """<dφ(η), φ_i> = c(φ_i) for every i, and Sdφ(η) is the part of the whitened covector in range SJ."""
    step, pushed = pair.pushed(pair.given, pair.theta)
    assert step.rank == len(pair.theta)
    length = np.linalg.norm(pair.r)
    slopes = pair.c.components(pair.grid).reshape(-1) @ pair.jacobian.reshape(-1, len(pair.theta))
    found, exact = pair.a.T @ pushed / pair.sizes / length, slopes / pair.sizes / length
    np.testing.assert_allclose(found, exact, rtol=0, atol=pair.bound)
    orthonormal, _ = np.linalg.qr(pair.a / pair.sizes)
    projection = orthonormal @ (orthonormal.T @ pair.r)
    np.testing.assert_allclose(pushed, projection, rtol=0, atol=pair.bound * length)


@every_pair
def test_the_pushforward_does_not_depend_on_the_parametrisation(pair):
    """θ = ψ(ϑ) = θ_0 + M(sinh ϑ - sinh ϑ_0)."""
    rng, p = np.random.default_rng(1), len(pair.theta)
    scales = np.where(pair.theta == 0, 1.0, np.abs(pair.theta))
    mixing, start = scales[:, None] * (np.eye(p) + 0.3 * rng.uniform(-1, 1, (p, p))), rng.uniform(-1, 1, p)
    model = pair.model.reparametrise(
        lambda t: pair.theta + mixing @ (np.sinh(t) - np.sinh(start)), lambda t: mixing * np.cosh(t)
    )
    first, second = pair.pushed(pair.model, pair.theta)[1], pair.pushed(model, start)[1]
    bound = pair.bound + pair.ulps * condition(pair.whitened(model.jacobian(start, pair.grid.nodes)))
    assert np.linalg.norm(first - second) <= bound * np.linalg.norm(pair.r)


@every_pair
def test_the_tangent_kernel_represents_evaluations_on_the_tangent_space(pair):
    """<K_h(., x), φ_i> = φ_i(x) in the metric h is pulled back from, component by component."""
    x = pair.grid.nodes[[len(pair.grid) // 3]]
    kernel = fg.tangent_kernel(pair.model, pair.theta, pair.field, pair.grid)
    sections = kernel.gram(pair.grid.nodes, x).reshape(*pair.jacobian.shape[:-1], -1)
    whitened = pair.whitened(sections)
    values = pair.model.jacobian(pair.theta, x).reshape(-1, len(pair.theta)).T
    sizes = np.outer(pair.sizes, np.linalg.norm(whitened, axis=0))
    np.testing.assert_allclose(pair.a.T @ whitened / sizes, values / sizes, rtol=0, atol=pair.bound)
