"""Theorems about sampling and width: sample-consistency and infinite-width."""

import numpy as np

from funcgrad.functionals import PopulationLoss
from funcgrad.gradients.natural_gradient import natural_gradient
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.kernels import ReLUTangent
from funcgrad.metrics import L2
from funcgrad.models import MLP
from funcgrad.spaces import Box, Circle, PointSet
from funcgrad.theorems.common import EPS, PAPER
from funcgrad.theorems.expectations import Order, Stagnant
from funcgrad.theorems.natural_gradients import projection_instances
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem
from funcgrad.theorems.reference import reference

# Independent samples over whose errors the root mean square is taken: it is known to 1/√(2·128) = 6%.
_REPLICATIONS = 128


# --- sample-consistency -------------------------------------------------------------------------------


def _sampled_instances(rng):
    return [
        instance
        for instance in projection_instances(rng)
        if isinstance(instance.functional, PopulationLoss) and not isinstance(instance.domain, Circle)
    ]


def _sampled_residual(instance, n, bias=1.0):
    """Root mean square over samples of n points of ‖dφ(η_n) - dφ(η)‖_0, against ‖dφ(η)‖_0.

    The points are uniform in the domain; with a bias b they are the b-th powers of uniform ones.
    """
    exact, domain = reference(instance), instance.domain
    projection = exact.projection
    squares = []
    for seed in range(_REPLICATIONS):
        u = np.random.default_rng([n, seed]).uniform(size=(n, domain.dimension)) ** bias
        points = PointSet(domain, domain.from_unit_cube(u))
        found = natural_gradient(instance.functional, instance.model, instance.theta, L2(), points)
        squares.append(np.sum((exact.tangent @ (found.direction - projection)) ** 2))
    size = float(np.linalg.norm(exact.tangent @ projection))
    return Residual(float(np.sqrt(np.mean(squares))), size, 1e3 * EPS * exact.condition, 1 / n, n)


def _no_problem(problem):
    raise DoesNotApply("it compares samples with a population loss; the data's loss is a sum over its points")


SAMPLE_CONSISTENCY = Theorem(
    id="sample-consistency",
    statement="The natural gradient of the empirical measure of N independent points tends to the "
    "population's like N^{-1/2}.",
    latex=r"\|d\varphi(\eta_N)-d\varphi(\eta)\|_{L^2}=O(N^{-1/2})",
    source="central limit theorem; " + PAPER,
    hypotheses=(),
    instances=_sampled_instances,
    from_problem=_no_problem,
    levels=lambda instance: [64, 256, 1024, 4096],
    residual=_sampled_residual,
    expectation=lambda instance: Order(0.4, 0.6),
    controls=(
        Control(
            "points of another density",
            breaks="statement",
            residual=lambda instance, n: _sampled_residual(instance, 4 * n, bias=2.0),
            failure=lambda instance: Stagnant(1e-5),
            levels=lambda instance: [256, 1024],
        ),
    ),
)


# --- infinite-width -----------------------------------------------------------------------------------


def _width_instances(rng):
    angles = np.sort(rng.uniform(0, np.pi, 5))
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    box = Box([(-1, 1), (-1, 1)])
    return [
        Instance(
            f"{depth} hidden layer(s), points of the unit circle", box, data={"x": circle, "depth": depth}
        )
        for depth in (1, 2)
    ]


def _width_residual(instance, width, depth=None):
    """Median over draws of ‖nΘ_width - Θ_∞‖ on the points, against ‖Θ_∞‖ (ReLU, no biases, n = 2)."""
    limit = ReLUTangent(instance.data["depth"] if depth is None else depth).gram(instance.data["x"])
    network, kernels = _drawn_kernels(instance, width)
    errors = np.linalg.norm(kernels - limit, axis=(1, 2))
    size = float(np.linalg.norm(limit))
    return Residual(float(np.median(errors)), size, 1e3 * EPS, 1 / width, network.n_parameters)


def _drawn_kernels(instance, width):
    """The network of a width and its kernels nΘ on the points for 256 draws of its weights."""
    x, depth = instance.data["x"], instance.data["depth"]
    network = MLP((2, *(depth * [width]), 1), "relu", "ntk", biases=False)
    draws = [network.initial(np.random.default_rng([width, seed])) for seed in range(2 * _REPLICATIONS)]
    return network, np.array([2 * tangent_kernel(network, theta).gram(x) for theta in draws])


def _mean_of_draws(instance):
    """The mean over draws against Θ_∞, which it has no or little bias from, within four standard errors."""
    limit = ReLUTangent(instance.data["depth"]).gram(instance.data["x"])
    network, kernels = _drawn_kernels(instance, 64)
    size = float(np.linalg.norm(limit))
    error = float(np.linalg.norm(kernels.mean(axis=0) - limit))
    spread = float(np.linalg.norm(kernels.std(axis=0)))
    return Residual(error, size, 4 * spread / np.sqrt(len(kernels)) / size, 1 / 64, network.n_parameters)


def _no_width(problem):
    raise DoesNotApply("it is about networks of growing width, not about one model")


INFINITE_WIDTH = Theorem(
    id="infinite-width",
    statement="The tangent kernel of a ReLU network with standard normal weights tends to the analytic "
    "kernel like width^{-1/2}.",
    latex=r"\|\Theta_w-\Theta_\infty\|=O(w^{-1/2})",
    source="Jacot, Gabriel, Hongler 2018",
    hypotheses=(),
    instances=_width_instances,
    from_problem=_no_width,
    levels=lambda instance: [4, 16, 64, 256],
    residual=_width_residual,
    expectation=lambda instance: Order(0.4, 0.6),
    controls=(
        Control(
            "the analytic kernel of one layer more",
            breaks="statement",
            residual=lambda instance, width: _width_residual(instance, width, instance.data["depth"] + 1),
            failure=lambda instance: Stagnant(1e-2),
            levels=lambda instance: [64, 128],
        ),
    ),
    oracle=_mean_of_draws,
)
