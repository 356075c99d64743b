"""The checks, run over the library's own metrics, kernels, functionals, models, operators and domains."""

import numpy as np
import pytest

import funcgrad as fg
from funcgrad import kernels, models
from funcgrad.operators import GalerkinEigenbasis, RationalPower, TensorEigenbasis
from funcgrad.testing import (
    check_compiled,
    check_domain,
    check_functional,
    check_gradient,
    check_kernel,
    check_metric,
    check_model,
    check_operator,
)

CIRCLE, UNIT, ENDS = fg.Circle(), fg.Interval(0, 1), fg.Interval(0, 1, boundary="dirichlet")
SQUARE = fg.Box([(0, 1), (0, 1)])
WEAK = {"metric-dual-norm": "a sampled density counts as L2: in weaker metrics its dual norm is infinite"}

METRICS = [
    (fg.L2(), CIRCLE.grid(24), {}),
    (fg.L2(), SQUARE.grid(6), {}),
    (fg.L2(), fg.Euclidean(1).grid(16), {}),
    (fg.L2(), fg.Euclidean(1).grid(64, rule="mapped"), {}),
    (fg.L2(measure=lambda x: 1 + x), UNIT.grid(12), {}),
    (
        fg.L2(measure=[0.1, 0.5, 0.7]),
        UNIT.grid(12),
        {"metric-definite": "three points do not see all functions of the grid"},
    ),
    (fg.Sobolev(1.0), UNIT.grid(12), {}),
    (fg.Sobolev(1.0), ENDS.grid(12), {}),
    (fg.Sobolev(2.0), ENDS.grid(12), {}),
    (fg.Sobolev(0.3), UNIT.grid(12), {}),
    (fg.Sobolev(2.5, 0.1), CIRCLE.grid(24), {}),
    (fg.Sobolev(-0.7, 0.5), CIRCLE.grid(24), WEAK),
    (fg.Sobolev(1.5), fg.Torus((1, 2)).grid(8), {}),
    (fg.Sobolev(1.5), fg.Box([(0, 1), (0, 2)], "dirichlet").grid(8, rule="midpoint"), {}),
    (fg.Sobolev(1.5), fg.Sphere().grid(6), {}),
    (fg.Sobolev(1.5), fg.Euclidean(1).grid(128, rule="truncated"), {}),
    (fg.Sobolev(2, definition="derivative"), UNIT.grid(12), {}),
    (fg.Sobolev(1, homogeneous=True), CIRCLE.grid(24), {}),
    (fg.Sobolev(-1, homogeneous=True), UNIT.grid(12), WEAK),
    (fg.RKHS(kernels.Matern(1.5)), UNIT.grid(8), {}),
    (fg.RKHS(kernels.PeriodicSobolev(1.0, 2 * np.pi)), CIRCLE.grid(24), {}),
    (
        fg.Fisher(fg.metrics.Poisson()).at(UNIT.grid(12).function(lambda x: np.log(1 + x))),
        UNIT.grid(12),
        {},
    ),
    (fg.L2() + 2 * fg.Sobolev(1.0), UNIT.grid(12), {}),
    (
        fg.metrics.TangentExtended(models.Polynomial(2), [1.0, 0.0, 0.0], np.diag([1, 2, 3])),
        UNIT.grid(12),
        {},
    ),
]


@pytest.mark.parametrize(("metric", "grid", "expected"), METRICS, ids=lambda part: str(part)[:60])
def test_metrics(metric, grid, expected):
    check_metric(metric, grid=grid, expected_failures=expected)


def wave_at(rule):
    return UNIT.grid(12, rule=rule).function(lambda x: 1 + np.cos(np.pi * x) / 4)


CLASSES = UNIT.grid(12).function(lambda x: np.stack([np.sin(x), x, 0 * x], axis=1))
CONVEX = fg.Integral("u_x**2/2 + u**2/2 + u**4/4")
FIELDS = [
    (fg.FisherRao(), wave_at(None), {}),
    (fg.Wasserstein(), wave_at(None), {}),
    (fg.Wasserstein(), wave_at("midpoint"), {}),
    (fg.Wasserstein(), fg.Torus((1, 2)).grid(6).function(lambda x, y: 1 + np.cos(2 * np.pi * x) / 4), {}),
    (fg.Fisher(fg.metrics.Bernoulli()), wave_at(None), {}),
    (fg.Fisher(fg.metrics.Gaussian(0.5)), CLASSES, {}),
    (
        fg.Fisher(fg.metrics.Categorical()),
        CLASSES,
        {"metric-definite": "a constant added to all logits changes no probability"},
    ),
    (fg.metrics.Energy(CONVEX), wave_at(None), {}),
    (fg.metrics.Energy(CONVEX), wave_at("midpoint"), {}),
    (fg.metrics.GaussNewton(fg.ResidualLoss("u_xx - u - u**3", UNIT.grid(12).nodes)), wave_at(None), {}),
    (fg.FisherRao() + 2 * fg.Sobolev(1.0), wave_at(None), {}),
]


@pytest.mark.parametrize(("field", "base", "expected"), FIELDS, ids=lambda part: str(part)[:60])
def test_metrics_that_depend_on_their_base_point(field, base, expected):
    check_metric(field, at=base, expected_failures=expected)


PAIR = models.stack([models.Polynomial(1), models.Symbolic("a*sin(b*x)", parameters="a b")])
OF_PAIRS = [
    (fg.L2(), UNIT.grid(12), 3),
    (fg.Sobolev(1.0), UNIT.grid(12), 2),
    (fg.RKHS(kernels.MatrixKernel([[2.0, 1.0], [1.0, 2.0]], kernels.Matern(1.5))), UNIT.grid(6), None),
    (
        fg.metrics.TangentExtended(PAIR, [1.0, 2.0, 1.0, 2.0], metric=fg.Sobolev(1.0)),
        UNIT.grid(12),
        2,
    ),
]


@pytest.mark.parametrize(("metric", "grid", "components"), OF_PAIRS, ids=lambda part: str(part)[:60])
def test_metrics_of_functions_with_components(metric, grid, components):
    check_metric(metric, grid=grid, components=components)


def test_every_metric_with_a_public_name_is_among_those_checked():
    named = {
        getattr(fg.metrics, name)
        for name in fg.metrics.__all__
        if issubclass(getattr(fg.metrics, name), fg.Metric | fg.metrics.MetricField)
    }
    abstract = {fg.Metric, fg.metrics.SpectralMetric, fg.metrics.MetricField}
    checked = {type(case[0]) for case in [*METRICS, *FIELDS]}
    assert named - abstract <= checked


WAVE = models.Symbolic("a*sin(b*x) + c*x", parameters="a b c")
KERNELS = [
    (kernels.Gaussian(), None, 130),
    (kernels.Matern(0.5), None, 130),
    (kernels.Matern(2.5), fg.Box([(0, 1)] * 3), 130),
    (kernels.Sobolev(2.7, 2), SQUARE, 130),
    (kernels.PeriodicSobolev(2.3, 3.0, 0.3), fg.Circle(3.0), 130),
    (kernels.IntervalSobolev(1.0, 0, 1), UNIT, 130),
    (kernels.IntervalSobolev(2.0, 0, 1, "dirichlet"), UNIT, 130),
    (kernels.DerivativeSobolev(2, 0, 1), UNIT, 130),
    (kernels.HomogeneousSobolev(2.0, UNIT), UNIT, 130),
    (kernels.BoxSobolev(1.4, [(0, 1), (0, 2)], ("periodic", "dirichlet")), fg.Box([(0, 1), (0, 2)]), 6),
    (kernels.SphereSobolev(3.0), fg.Sphere(), 20),
    (kernels.Linear(), None, 130),
    (kernels.Polynomial(3), SQUARE, 130),
    (kernels.ArcCosine(1), SQUARE, 130),
    (kernels.ReLUTangent(2), fg.Sphere(), 40),
    (kernels.Matern(1.5) + kernels.Gaussian(), None, 130),
    (2 * kernels.Matern(1.5) * kernels.Linear(), None, 130),
    (kernels.TorusSobolev(2.0, [1.0, 2.0]), fg.Torus((1, 2)), 20),
    (kernels.TorusSobolev(2.7, [1.0, 1.0], 0.3), fg.Torus((1, 1)), 20),
    (kernels.Radial(lambda r: 1 / (1 + r**2), [lambda r: -2 / (1 + r**2) ** 2]), SQUARE, 40),
    (kernels.ArcCosine(0), SQUARE, 40),
    (kernels.MatrixKernel([[2.0, 1.0], [1.0, 2.0]], kernels.Matern(2.5)), None, 40),
    (
        kernels.MatrixKernel(np.eye(3), kernels.Matern(1.5))
        + kernels.MatrixKernel(np.ones((3, 3)), kernels.Gaussian()),
        SQUARE,
        20,
    ),
    (fg.tangent_kernel(PAIR, [1.0, 2.0, 1.0, 2.0]), None, 20),
    (kernels.TensorProduct(kernels.PeriodicSobolev(1.5, 1.0), kernels.Sobolev(2, 1)), SQUARE, 40),
    (fg.tangent_kernel(WAVE, [1.0, 2.0, 0.0]), None, 130),
    (fg.tangent_kernel(WAVE, [1.0, 2.0, 0.0], np.diag([1.0, 2.0, 3.0])), None, 130),
]


@pytest.mark.parametrize(("kernel", "domain", "largest"), KERNELS, ids=lambda part: str(part)[:60])
def test_kernels(kernel, domain, largest):
    check_kernel(kernel, domain=domain, largest=largest)


def test_every_kernel_with_a_public_name_is_among_those_checked():
    kinds = (kernels.Kernel, kernels.MatrixValuedKernel)
    objects = [getattr(kernels, name) for name in kernels.__all__]
    named = {thing for thing in objects if isinstance(thing, type) and issubclass(thing, kinds)} - set(kinds)
    assert named <= {type(kernel) for kernel, _, _ in KERNELS}


ON_SQUARE = SQUARE.grid(10).function(lambda x, y: x * y)
FUNCTIONALS = [
    (fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5]), None),
    (fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5], loss="pseudo-huber", mean=True), None),
    (fg.EmpiricalLoss([0.3], [1.0], operator={2: 1.0, 0: 1.0}), None),
    (fg.PopulationLoss(np.cos), None),
    (fg.PopulationLoss(lambda x: 0 * x, loss="poisson"), None),
    (fg.Integral("u_x**2/2 + u**4/4 - u"), None),
    (fg.Integral("u_x**2/2 + u**4/4 - u"), UNIT.grid(14).function(np.exp)),
    (fg.ResidualLoss("u_xx + u**3", x=[0.5, 1.0]), None),
    (fg.PopulationLoss(np.cos).composed(np.exp, np.exp, np.exp), None),
    (fg.PointEvaluation(0.3, derivative=1), None),
    (fg.SurfaceIntegral(fg.surfaces.RoundSphere([0.5, 0.5], 0.25)), ON_SQUARE),
    (fg.Density(CIRCLE.grid(24).function(np.sin)), None),
    (fg.EmpiricalLoss([[0, 0, 1.0]], [1.0]), fg.Sphere().grid(8).function(lambda x, y, z: x * y + z)),
]


@pytest.mark.parametrize(("functional", "f"), FUNCTIONALS, ids=lambda part: str(part)[:40])
def test_functionals(functional, f):
    check_functional(functional, f=f)


TOO_MANY = {"model-immersion": "16 smooth functions on one interval are dependent to rounding"}
MODELS = [
    (models.Polynomial(3), None, {}),
    (models.Symbolic("a*sin(b*x) + c", parameters="a b c"), [1.0, 2.0, 0.5], {}),
    (models.MLP((1, 5, 1)), None, TOO_MANY),
    (models.MLP((2, 4, 2)), None, {}),
    (models.MLP((1, 6, 1), "relu"), None, {"model-immersion": "a unit is dead on all of [0, 1]"}),
    (models.RadialBasis(2), None, {}),
    (models.GaussianMixture(2, 2), None, {}),
    (models.Rational(1, 2), None, {}),
    (models.Fourier(2), None, {}),
    (models.Linear(models.bases.legendre(3, 0, 1)), None, {}),
    (models.stack([models.Polynomial(1), models.Polynomial(2)]), None, {}),
    (models.compose("exp(u)", models.Polynomial(2)), None, {}),
    (models.Polynomial(1) + models.Symbolic("a*sin(x)", parameters="a"), None, {}),
    (models.Polynomial(1).reparametrise(np.exp), None, {}),
    (models.from_callable(lambda t, x: t[0] * np.sin(t[1] * x[:, 0]), 1, 2), [1.0, 2.0], {}),
    (
        models.Symbolic("(a + b)*x", parameters="a b"),
        [1.0, 2.0],
        {"model-immersion": "only the sum of a and b matters"},
    ),
]


@pytest.mark.parametrize(("model", "theta", "expected"), MODELS, ids=lambda part: str(part)[:60])
def test_models(model, theta, expected):
    check_model(model, theta=theta, expected_failures=expected)


LAPLACIAN = fg.operators.FiniteDifferenceLaplacian(20, 1 / 20, "dirichlet")
OPERATORS = [
    (GalerkinEigenbasis(UNIT.grid(10)), {}),
    (GalerkinEigenbasis(ENDS.grid(10)), {}),
    (TensorEigenbasis([np.diag([1.0, 2.0]), np.diag([1.0, 2.0, 3.0])]), {}),
    (LAPLACIAN, {}),
    (RationalPower(LAPLACIAN.matrix(), -0.5), {"weights": 1.0}),
    (fg.Sobolev(1.0).square_root(ENDS.grid(10)), {"shape": 10}),
    (fg.Sobolev(1.3).square_root(UNIT.grid(10)), {"shape": 10}),
    (fg.RKHS(kernels.Matern(0.5)).square_root(UNIT.grid(10)), {"shape": 10}),
    (fg.L2(measure=[0.1, 0.4]).square_root(UNIT.grid(10)), {"shape": 10}),
]


@pytest.mark.parametrize(("operator", "options"), OPERATORS, ids=lambda part: type(part).__name__)
def test_operators(operator, options):
    expected = {}
    if operator is OPERATORS[5][0]:
        reason = (
            "functions that do not vanish at the ends are refused: the space is not that of all nodal values"
        )
        expected = dict.fromkeys(("operator-linear", "operator-adjoint", "operator-inverse"), reason)
        expected |= dict.fromkeys(("operator-whitening", "operator-inputs"), reason)
    check_operator(operator, expected_failures=expected, **options)


DOMAINS = [
    UNIT,
    ENDS,
    fg.Interval(0, 1, "periodic"),
    CIRCLE,
    SQUARE,
    fg.Torus((1, 2, 3)),
    fg.Sphere(),
    fg.Euclidean(2),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_domains(domain):
    check_domain(domain)


SINE = CIRCLE.grid(32).function(np.sin)
ON_UNIT = UNIT.grid(16).function(np.exp)


@pytest.mark.parametrize(
    ("functional", "f", "metric"),
    [
        (fg.PopulationLoss(np.cos), SINE, fg.L2()),
        (fg.EmpiricalLoss([0.3, 1.7], [1.0, -0.5]), SINE, fg.Sobolev(1.0)),
        (fg.Integral("u_x**2/2 + u**4/4 - u"), SINE, fg.Sobolev(1.0)),
        (fg.PopulationLoss(np.cos), SINE, fg.Sobolev(1.0, homogeneous=True)),
        (fg.EmpiricalLoss([0.3, 0.7], [1.0, -0.5]), ON_UNIT, fg.Sobolev(1.0)),
        (
            fg.EmpiricalLoss([0.3, 0.7], [1.0, -0.5]),
            UNIT.grid(8).function(np.exp),
            fg.RKHS(kernels.Matern(1.5)),
        ),
    ],
    ids=str,
)
def test_gradients(functional, f, metric):
    check_gradient(functional, f, metric)


def test_compiled_loops():
    from funcgrad.kernels._compiled import radial_gram
    from funcgrad.kernels.fused import Profile

    X = np.random.default_rng(0).uniform(size=(2, 5))
    for shape in (("exponential", 1.0, 1 / 3), ("gaussian",)):
        profile = Profile(2.0, 0.5, shape)
        check_compiled(radial_gram, (X, X + 0.1, *profile.arguments(), np.empty((5, 5))))
