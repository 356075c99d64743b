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
]


@pytest.mark.parametrize(("metric", "grid", "expected"), METRICS, ids=lambda part: str(part)[:60])
def test_metrics(metric, grid, expected):
    check_metric(metric, grid=grid, expected_failures=expected)


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
    (kernels.TensorProduct(kernels.PeriodicSobolev(1.5, 1.0), kernels.Sobolev(2, 1)), SQUARE, 40),
    (fg.tangent_kernel(WAVE, [1.0, 2.0, 0.0]), None, 130),
    (fg.tangent_kernel(WAVE, [1.0, 2.0, 0.0], np.diag([1.0, 2.0, 3.0])), None, 130),
]


@pytest.mark.parametrize(("kernel", "domain", "largest"), KERNELS, ids=lambda part: str(part)[:60])
def test_kernels(kernel, domain, largest):
    check_kernel(kernel, domain=domain, largest=largest)


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
