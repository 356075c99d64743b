"""Kronecker factors: exact for one linear layer, an approximation that is measured for more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.gradients.natural_gradient import whitened_jacobian
from funcgrad.gradients.solvers.kronecker import layer_factors
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.metrics.fisher import Likelihood
from funcgrad.models import MLP

EPS = np.finfo(float).eps
LINE = fg.Interval(-1, 1)
PLANE = fg.Box([(-1, 1), (0, 2)])
SAMPLE = fg.PointSet(LINE, np.sin(np.arange(1, 13)), weights=np.arange(1, 13) / 78)


class CorrelatedGaussian(Likelihood):
    """y ~ N(z, Σ) with RᵀR = Σ⁻¹: the product of L2 and an inner product of the components."""

    def __init__(self, factor):
        self.factor = np.array(factor)

    def root(self, z):
        return np.broadcast_to(self.factor, (len(z), *self.factor.shape))


def factors_of(model, theta, metric, grid):
    if hasattr(metric, "at"):
        metric = metric.at(grid.function(model(theta, grid.nodes)))
    return layer_factors(model, theta, metric.square_root(grid), grid.nodes), metric


def blocks_of_gram(model, theta, metric, grid):
    """G's diagonal blocks, each in the order of [W b] row by row."""
    a = whitened_jacobian(model, theta, metric, grid)
    place = np.arange(model.n_parameters, dtype=float)
    for weights, bias in model.layers(place):
        joined = weights if bias is None else np.column_stack([weights, bias])
        columns = a[:, joined.ravel().astype(int)]
        yield columns.T @ columns


def gram_error(model, theta, metric, grid):
    """Relative Frobenius error of the factored blocks."""
    factors, metric = factors_of(model, theta, metric, grid)
    wrong = size = 0.0
    for layer, exact in zip(factors, blocks_of_gram(model, theta, metric, grid), strict=True):
        wrong, size = wrong + np.sum((layer.gram() - exact) ** 2), size + np.sum(exact**2)
    return math.sqrt(wrong / size)


ONE_LAYER = {
    "L2": (fg.L2(), LINE.grid(20), (1, 1)),
    "L2 of a density, three outputs": (fg.L2(lambda x, y: 1 + x**2), PLANE.grid(8), (2, 3)),
    "L2 of points": (fg.L2([0.1, 0.5, -0.3, 0.9]), LINE.grid(8), (1, 2)),
    "data": (fg.L2(), SAMPLE, (1, 2)),
    "H^1": (fg.Sobolev(1.0), LINE.grid(20), (1, 2)),
    "H^0.7": (fg.Sobolev(0.7, length_scale=0.4), LINE.grid(20), (1, 2)),
    "RKHS of data": (fg.RKHS(fg.kernels.Matern(1.5)), SAMPLE, (1, 3)),
    "Fisher, Gaussian": (fg.Fisher(fg.metrics.Gaussian(0.3)), LINE.grid(20), (1, 2)),
    "Fisher, Gaussian with correlations": (
        fg.Fisher(CorrelatedGaussian([[1.0, 0.5], [0.0, 2.0]])),
        PLANE.grid(6),
        (2, 2),
    ),
    "Fisher of points": (
        fg.Fisher(CorrelatedGaussian([[1.0, -0.7], [0.0, 0.2]]), [0.2, 0.7, -0.5]),
        LINE.grid(8),
        (1, 2),
    ),
}


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("case", ONE_LAYER)
def test_for_one_linear_layer_the_gram_matrix_is_the_kronecker_product(case, biases):
    metric, grid, widths = ONE_LAYER[case]
    network = MLP(widths, biases=biases)
    assert gram_error(network, network.initial(0), metric, grid) <= 100 * EPS


@pytest.mark.parametrize("damping", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("case", ONE_LAYER)
def test_for_one_linear_layer_the_step_is_the_exact_one(case, damping):
    """(B ⊗ A + λ)⁻¹ is taken exactly, not by damping the factors."""
    metric, grid, widths = ONE_LAYER[case]
    network = MLP(widths)
    theta, other = network.initial(0), network.initial(1)
    # Of x², which no line is; bounded in each of the metrics.
    target = grid.function(lambda *x: sum(c**2 for c in x)).values.reshape(len(grid), *[1] * (widths[1] > 1))
    at_theta = metric.at(grid.function(network(theta, grid.nodes))) if hasattr(metric, "at") else metric
    functional = fg.LinearFunctional(at_theta.flat(grid.function(network(other, grid.nodes) + target)))
    exact = fg.natural_gradient(functional, network, theta, metric, grid, damping=damping)
    found = fg.natural_gradient(functional, network, theta, metric, grid, damping=damping, solver="kronecker")
    size = np.linalg.norm(exact.direction)
    assert np.linalg.norm(found.direction - exact.direction) <= 100 * EPS * exact.condition**2 * size
    assert found.deviation <= 100 * EPS * exact.condition
    np.testing.assert_allclose(found.singular_values, exact.singular_values, rtol=1e-12)
    assert found.rank == exact.rank
    assert found.residual == pytest.approx(exact.residual, abs=1e-12)
    np.testing.assert_allclose(found.pushforward.values, exact.pushforward.values, rtol=1e-9, atol=1e-10)


@given(
    seed=st.integers(0, 10**6),
    widths=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    parameterisation=st.sampled_from(["standard", "ntk"]),
    biases=st.booleans(),
    order=st.sampled_from([0.0, 1.5, 2.5]),
)
def test_one_linear_layer_on_any_data(seed, widths, parameterisation, biases, order):
    """Points, weights and covector at random, in L2 and in Matérn spaces."""
    rng = np.random.default_rng(seed)
    n, m = widths
    network = MLP(widths, parameterisation=parameterisation, biases=biases)
    points = fg.PointSet(fg.Euclidean(n), rng.normal(size=(9, n)), rng.uniform(0.5, 2, 9))
    metric = fg.L2() if order == 0 else fg.RKHS(fg.kernels.Matern(order))
    loss = fg.EmpiricalLoss(points.nodes, rng.normal(size=(9, m) if m > 1 else 9))
    theta = network.initial(rng)
    exact = fg.natural_gradient(loss, network, theta, metric, points, solver="qr")
    found = fg.natural_gradient(loss, network, theta, metric, points, solver="kronecker")
    assert found.deviation <= 1000 * EPS * exact.condition


def test_a_degenerate_layer_has_its_rank_and_least_norm():
    """Classes: I = diag(p) - ppᵀ has rank m - 1, and one input is the double of the other."""
    network, rng = MLP((2, 3), biases=False), np.random.default_rng(0)
    theta = np.zeros(6)
    x = rng.normal(size=7)
    points = fg.PointSet(fg.Euclidean(2), np.column_stack([x, 2 * x]))
    loss = fg.EmpiricalLoss(points.nodes, np.eye(3)[np.arange(7) % 3], loss=fg.functionals.CrossEntropy())
    metric = fg.Fisher(fg.metrics.Categorical())
    found = fg.natural_gradient(loss, network, theta, metric, points, solver="kronecker")
    with pytest.warns(fg.DegenerateModelWarning, match="rank 2 with 6 parameters"):
        exact = fg.natural_gradient(loss, network, theta, metric, points)
    assert found.rank == exact.rank == 2
    np.testing.assert_allclose(found.direction, exact.direction, rtol=1e-12, atol=1e-13)


DEEP = {
    "L2": (fg.L2(), LINE.grid(40)),
    "H^1": (fg.Sobolev(1.0, length_scale=0.5), LINE.grid(40)),
    "RKHS of data": (fg.RKHS(fg.kernels.Matern(1.5, length_scale=0.5)), SAMPLE),
    "Fisher, Poisson": (fg.Fisher(fg.metrics.Poisson()), LINE.grid(40)),
}


def naive_factors(model, theta, metric, grid):
    """Σ over pairs of nodes of M_xy = (SᵀS)_xy with the factors of finite differences, loop by loop."""
    root = metric.square_root(grid)
    m, (jacobian, n) = model.n_outputs, (model.jacobian(theta, grid.nodes), len(grid))
    jacobian = jacobian.reshape(n, m, -1)
    image = root.apply(np.eye(n * m).reshape(n, *([m] if m > 1 else []), n * m)).reshape(-1, n, m)
    whole = np.einsum("rxk,ryl->xkyl", image, image)
    scalar = root.on_scalars().apply(np.eye(n))
    plain = scalar.T @ scalar
    place = model.layers(np.arange(model.n_parameters, dtype=float))
    for (weights, bias), (inputs, _) in zip(place, model.jacobian_factors(theta, grid.nodes), strict=True):
        n_units, n_inputs = weights.shape
        a, b = np.zeros((n_inputs + 1,) * 2), np.zeros((n_units,) * 2)
        for x in range(n):
            for y in range(n):
                a += plain[x, y] * np.outer(inputs[x], inputs[y])
                for k in range(m):
                    for other in range(m):
                        left = jacobian[x, k, bias.astype(int)]  # ∂f_k/∂b = ∂f_k/∂z
                        right = jacobian[y, other, bias.astype(int)]
                        b += whole[x, k, y, other] * np.outer(left, right)
        yield a, b / plain.sum()


@pytest.mark.parametrize("widths", [(1, 3, 2), (1, 3, 2, 1)])
@pytest.mark.parametrize("case", DEEP)
def test_the_factors_are_inner_products_of_inputs_and_of_adjoints(case, widths):
    metric, grid = DEEP[case]
    if len(grid) > 20:
        grid = LINE.grid(14)
    network = MLP(widths)
    theta = network.initial(3)
    factors, metric = factors_of(network, theta, metric, grid)
    for layer, (a, b) in zip(factors, naive_factors(network, theta, metric, grid), strict=True):
        np.testing.assert_allclose(layer.inputs.T @ layer.inputs, a, rtol=1e-10, atol=1e-10 * np.abs(a).max())
        np.testing.assert_allclose(
            layer.adjoints.T @ layer.adjoints, b, rtol=1e-10, atol=1e-10 * np.abs(b).max()
        )


@pytest.mark.parametrize("case", ["L2", "H^1", "RKHS of data"])
def test_blocks_where_one_factor_is_constant_are_exact(case):
    """The last layer, whose adjoints are constant, and the biases, whose input is."""
    metric, grid = DEEP[case]
    network = MLP((1, 5, 4, 2))
    theta = network.initial(1)
    factors, metric = factors_of(network, theta, metric, grid)
    exact = list(blocks_of_gram(network, theta, metric, grid))
    size = np.abs(exact[-1]).max()
    np.testing.assert_allclose(factors[-1].gram(), exact[-1], rtol=0, atol=1e-12 * size)
    for layer, block in zip(factors[:-1], exact[:-1], strict=True):
        biases = np.s_[layer.inputs.shape[1] - 1 :: layer.inputs.shape[1]]
        np.testing.assert_allclose(
            layer.gram()[biases, biases], block[biases, biases], rtol=0, atol=1e-12 * np.abs(block).max()
        )
        assert np.abs(layer.gram() - block).max() > 1e-3 * np.abs(block).max()


def step_of(case, widths, seed, **options):
    metric, grid = DEEP[case]
    network = MLP(widths)
    loss = fg.PopulationLoss(lambda x: np.sin(3 * x))
    if isinstance(grid, fg.PointSet):
        loss = fg.EmpiricalLoss(grid.nodes, np.sin(3 * grid.nodes[:, 0]))
    theta = 1.5 * network.initial(seed)
    return fg.natural_gradient(loss, network, theta, metric, grid, solver="kronecker", **options), (
        loss,
        network,
        theta,
        metric,
        grid,
    )


# The tangent functions of some tens of tanh units are dependent to rounding: the exact step says so.
DEGENERATE = pytest.mark.filterwarnings("ignore::funcgrad.DegenerateModelWarning")


@DEGENERATE
@pytest.mark.parametrize("case", DEEP)
@pytest.mark.parametrize("damping", [0.0, 1e-3])
def test_the_deviation_is_the_distance_from_the_exact_step_and_small_for_a_shallow_network(case, damping):
    found, (loss, network, theta, metric, grid) = step_of(case, (1, 8, 1), 0, damping=damping)
    exact = fg.natural_gradient(loss, network, theta, metric, grid, damping=damping, solver="qr")
    metric = metric.at(grid.function(network(theta, grid.nodes))) if hasattr(metric, "at") else metric
    off = metric.norm(found.pushforward - exact.pushforward) / metric.norm(exact.pushforward)
    assert found.deviation == pytest.approx(off, rel=1e-6)
    assert 0.01 < found.deviation < 0.6
    assert found.error_bound == math.inf
    assert found.discarded is None
    assert exact.deviation == 0.0


@given(seed=st.integers(0, 10**6), case=st.sampled_from(sorted(DEEP)), log_damping=st.floats(-6, 1))
def test_the_step_has_the_best_length_along_itself(seed, case, log_damping):
    """It minimises |Aη - r|² + λ|η|² over its multiples, so the loss's slope along it is |Aη|² + λ|η|²."""
    damping = 10.0**log_damping
    found, (loss, network, theta, metric, grid) = step_of(case, (1, 6, 5, 1), seed, damping=damping)
    slope = loss.differential(grid.function(network(theta, grid.nodes)))(found.pushforward)
    metric = metric.at(grid.function(network(theta, grid.nodes))) if hasattr(metric, "at") else metric
    square = metric.norm(found.pushforward) ** 2 + damping * found.direction @ found.direction
    assert slope == pytest.approx(square, rel=1e-8)
    assert found.deviation < 1


@DEGENERATE
def test_adjoints_measured_in_the_metric_are_closer_than_their_mean_squares():
    """With E[δδᵀ] for <δ, δ>/<1, 1> the bias blocks, and the steps of deeper networks, are much worse."""
    better = 0
    for seed in range(10):
        found, (loss, network, theta, metric, grid) = step_of("H^1", (1, 16, 16, 1), seed)
        a = WhitenedJacobian(network, theta, metric, grid)
        r = metric.whiten(loss.differential(grid.function(network(theta, grid.nodes))), grid)
        factors = layer_factors(network, theta, metric.square_root(grid), grid.nodes)
        share = grid.weights / grid.weights.sum()
        right, eta = a.rmatvec(r), np.zeros(network.n_parameters)
        pairs = network.jacobian_factors(theta, grid.nodes)
        for covector, target, layer, (_, adjoints) in zip(
            network.layers(right), network.layers(eta), factors, pairs, strict=True
        ):
            mean = np.einsum("k,ku,kv->uv", share, adjoints, adjoints)
            inverse = np.linalg.pinv(np.kron(mean, layer.inputs.T @ layer.inputs), rcond=1e-13)
            step = (inverse @ np.column_stack(covector).ravel()).reshape(len(mean), -1)
            target[0][:], target[1][:] = step[:, :-1], step[:, -1]
        image, exact = a.matvec(eta), fg.natural_gradient(loss, network, theta, metric, grid).pushforward
        image *= (r @ image) / (image @ image)
        exact = a.root.apply(exact.values)
        better += found.deviation < np.linalg.norm(image - exact) / np.linalg.norm(exact)
    assert better >= 9


@pytest.mark.parametrize("metric", [fg.L2(), fg.Sobolev(0.5), fg.RKHS(fg.kernels.Matern(0.5))])
def test_large_problems_are_not_measured_and_hold_no_jacobian(metric, monkeypatch):
    network = MLP((1, 60, 60, 1))
    grid = LINE.grid(600)
    asked = []
    monkeypatch.setattr(network, "jacobian_derivative", lambda *_, **__: asked.append(1))
    loss = fg.PopulationLoss(np.cos)
    found = fg.natural_gradient(loss, network, network.initial(0), metric, grid, solver="kronecker")
    assert found.deviation is None
    assert not asked


@pytest.mark.parametrize("damping", ["levenberg-marquardt", 1e-4])
def test_descent_by_kronecker_factors_learns(damping):
    """A hundred times less loss in 40 steps, by either rule; one linear layer in one step."""
    x = SAMPLE.nodes[:, 0]
    loss, network = fg.EmpiricalLoss(x, np.sin(3 * x)), MLP((1, 16, 16, 1))
    fit = fg.descend(
        loss,
        network,
        network.initial(0),
        fg.L2(),
        SAMPLE,
        solver="kronecker",
        damping=damping,
        max_iterations=40,
    )
    assert fit.value < 0.01 * fit.history["loss"][0]
    assert np.all(np.diff(fit.history["loss"]) < 0)
    line = MLP((1, 1))
    options = {"damping": 0.0, "tolerance": 1e-10}
    both = [
        fg.descend(loss, line, line.initial(0), fg.L2(), SAMPLE, solver=solver, **options)
        for solver in ("qr", "kronecker")
    ]
    np.testing.assert_allclose(both[0].theta, both[1].theta, rtol=1e-10)
    assert len(both[0].history) == len(both[1].history)


def test_the_damped_step_does_not_depend_on_the_units_of_the_inputs():
    """Levenberg and Marquardt's scale is a Kronecker product of the factors' column norms."""
    x, y = np.linspace(-1, 1, 9), np.cos(np.linspace(0, 2, 9))
    network, found = MLP((1, 4, 1)), []
    for unit in (1.0, 1024.0):
        theta = network.initial(0)
        network.layers(theta)[0][0][:] /= unit
        points = fg.PointSet(fg.Interval(-2000, 2000), unit * x)
        loss = fg.EmpiricalLoss(unit * x, y)
        fit = fg.descend(loss, network, theta, fg.L2(), points, solver="kronecker", max_iterations=5)
        found.append(fit.history["loss"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def test_models_without_layers_get_an_error_that_says_so():
    loss, grid = fg.PopulationLoss(np.cos), LINE.grid(8)
    with pytest.raises(fg.InvalidInput, match=r"made of layers, as `MLP` is.*Polynomial has none"):
        fg.natural_gradient(loss, fg.models.Polynomial(2), np.zeros(3), fg.L2(), grid, solver="kronecker")
    with pytest.raises(fg.InvalidInput, match="made of layers"):
        fg.descend(loss, fg.models.Polynomial(2), np.zeros(3), fg.L2(), grid, solver="kronecker")
    with pytest.raises(fg.InvalidInput, match="unknown solver 'kroneker'; did you mean 'kronecker'"):
        fg.descend(loss, MLP((1, 1)), np.zeros(2), fg.L2(), grid, solver="kroneker")
