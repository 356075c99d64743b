"""The theorem about Kronecker factors: kronecker-exactness."""

import math

import numpy as np

from funcgrad.gradients.least_squares import solve_least_squares
from funcgrad.gradients.natural_gradient import model_function
from funcgrad.gradients.solvers.kronecker import LayerFactors, layer_factors
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.kernels import Matern
from funcgrad.kernels import Sobolev as SobolevKernel
from funcgrad.metrics import L2, RKHS, Fisher, Poisson, Sobolev
from funcgrad.metrics.base import at_base_point
from funcgrad.models import MLP
from funcgrad.operators.square_root import SquareRoot
from funcgrad.spaces import Box, Interval
from funcgrad.theorems.common import EPS, PAPER
from funcgrad.theorems.expectations import Exact, Stagnant
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Instance, Residual, Theorem


class _Coupled:
    """The product of a metric on scalar functions and RᵀR on components: Σ (RᵀR)_kl <u_k, v_l>."""

    def __init__(self, metric, coupling):
        self.metric, self.coupling = metric, coupling

    def square_root(self, grid):
        return _CoupledRoot(self.metric.square_root(grid), self.coupling)

    def __str__(self):
        return f"{self.metric} with coupled components"


class _CoupledRoot(SquareRoot):
    def __init__(self, root, coupling):
        self._root, self._coupling = root, coupling

    def on_scalars(self):
        return self._root

    def apply(self, values):
        return self._root.apply(np.einsum("kl,nl...->nk...", self._coupling, values))

    def apply_transpose(self, r):
        return np.einsum("kl,nk...->nl...", self._coupling, self._root.apply_transpose(r))

    def solve(self, r):
        return self._root.solve(np.einsum("kl,nl...->nk...", np.linalg.inv(self._coupling), r))

    def solve_transpose(self, components):
        inverse = np.linalg.inv(self._coupling)
        return np.einsum("lk,nl...->nk...", inverse, self._root.solve_transpose(components))


def _instances(rng):
    line, box, cube = Interval(-1, 2), Box([(0, 1), (-1, 2)]), Box([(0, 1), (-1, 2), (1, 3)])
    cases = [
        ("L2, 1 input, 1 output", line, L2(), 1),
        ("L2, 2 inputs, 3 outputs", box, L2(), 3),
        ("L2, 3 inputs, 2 coupled outputs", cube, _Coupled(L2(), _coupling(rng, 2)), 2),
        ("H^1, 1 input, 3 coupled outputs", line, _Coupled(Sobolev(1.0), _coupling(rng, 3)), 3),
        ("kernel of H^2 on a batch in the plane, 2 outputs", box, RKHS(SobolevKernel(2.0, 2)), 2),
        (
            "Matérn kernel on a batch in space, 3 coupled outputs",
            cube,
            _Coupled(RKHS(Matern(1.5)), _coupling(rng, 3)),
            3,
        ),
    ]
    networks = [MLP((domain.dimension, outputs)) for _, domain, _, outputs in cases]
    return [
        Instance(
            label,
            domain,
            metric,
            model=network,
            theta=network.initial(rng),
            data={"batch": "batch" in label},
        )
        for (label, domain, metric, _), network in zip(cases, networks, strict=True)
    ]


def _coupling(rng, m):
    """A well-conditioned triangular R."""
    return np.eye(m) + np.triu(rng.uniform(-1, 1, (m, m))) / 2


def _levels(instance):
    return (8, 16, 32, 64) if instance.data.get("batch") else (4, 6, 8, 12)


def _resolving_levels(instance):
    """Levels that resolve what is not linear in x."""
    if instance.data.get("batch"):
        return 32, 64, 128
    return (16, 24, 32) if instance.domain.dimension == 1 else (8, 10, 12)


def _grid(instance, n):
    return instance.domain.sobol_points(n, seed=0) if instance.data.get("batch") else instance.grid(n)


def _whitened(instance, n, network, theta, metric):
    grid = _grid(instance, n)
    f = grid.function(model_function(network, theta))
    a = WhitenedJacobian(network, theta, at_base_point(metric, f), grid)
    wave = np.sin(2 * grid.nodes.sum(axis=1) + 1) * f.values.T  # the tangent space does not contain it
    return a, a.root.apply(wave.T).reshape(-1)


def _residual(instance, n, network=None, metric=None, altered=lambda layer: layer):
    """The larger of two relative errors: of the Gram matrix's blocks, and of the factored natural gradient.

    G is formed from the Jacobian, parameter by parameter; the exact natural gradient is that by QR.
    """
    network, theta = (instance.model, instance.theta) if network is None else network
    a, r = _whitened(instance, n, network, theta, instance.metric if metric is None else metric)
    jacobian, place = a.toarray(), network.layers(np.arange(len(theta), dtype=float))
    wrong = size = 0.0
    for (weights, bias), layer in zip(
        place, layer_factors(network, theta, a.root, a.grid.nodes), strict=True
    ):
        columns = jacobian[:, np.column_stack([weights, bias]).astype(int).ravel()]
        exact = columns.T @ columns
        wrong += np.sum((altered(layer).gram() - exact) ** 2)
        size += np.sum(exact**2)
    exact = solve_least_squares(a, r)
    found = solve_least_squares(a, r, solver="kronecker")
    step = np.linalg.norm(jacobian @ (found.solution - exact.solution)) / exact.length
    # Gram matrices lose a few √M ulp, steps by way of them cond(A) ulp.
    floor = EPS * (8 * math.sqrt(len(r)) + 64 * exact.condition)
    return Residual(max(math.sqrt(wrong / size), float(step)), 1.0, floor, 1 / n, len(theta))


def _hidden(instance):
    """A network with one hidden layer of four tanh units between the same inputs and outputs."""
    network = MLP((instance.model.dimension, 4, instance.model.n_outputs))
    return network, network.initial(len(instance.theta))


def _two_outputs(instance):
    """One linear layer with two outputs: with one, every metric is a product."""
    network = MLP((instance.model.dimension, 2))
    return network, network.initial(len(instance.theta)) / instance.domain.volume


def _uncorrelated(layer):
    """The factors without the inner products of different inputs."""
    return LayerFactors(np.diag(np.linalg.norm(layer.inputs, axis=0)), layer.adjoints)


def _one_layer(instance):
    return 1.5 - len(instance.model.layers(instance.theta))


def _product(instance):
    """1e-10 less the share of a second term in <v_a e_k, v_b e_l> = M_ab B_kl, v = 1, x_1, x_1²."""
    grid, m = _grid(instance, _levels(instance)[0]), instance.model.n_outputs
    powers = grid.nodes[:, :1] ** np.arange(3)
    functions = np.einsum("na,kl->nlak", powers, np.eye(m))
    functions = functions if m > 1 else functions[:, 0]
    f = grid.function(model_function(instance.model, instance.theta))
    image = at_base_point(instance.metric, f).square_root(grid).apply(functions).reshape(-1, 3, m)
    products = np.einsum("rak,rbl->abkl", image, image).reshape(9, m * m)
    sigma = np.linalg.svd(products, compute_uv=False)
    return 1e-10 - float(sigma[1:].max(initial=0.0) / sigma[0])


def _moments(instance):
    """A against ∫ x_j x_j' in closed form, on boxes in L2."""
    if instance.metric != L2() or not isinstance(instance.domain, (Interval, Box)):
        return None
    domain = instance.domain
    bounds = [(domain.a, domain.b)] if isinstance(domain, Interval) else domain.bounds
    lows, highs = np.array(bounds).T
    mean, square = (lows + highs) / 2, (highs**3 - lows**3) / (3 * (highs - lows))
    mean, square = np.append(mean, 1.0), np.append(square, 1.0)
    exact = np.outer(mean, mean)
    np.fill_diagonal(exact, square)
    exact *= domain.volume
    grid = instance.grid(4)
    (layer,) = layer_factors(instance.model, instance.theta, L2().square_root(grid), grid.nodes)
    error = np.linalg.norm(layer.gram() - np.kron(np.eye(instance.model.n_outputs), exact))
    size = float(np.linalg.norm(layer.gram()))
    return Residual(float(error), size, 64 * EPS, 0.25, len(instance.theta))


def _problem(problem):
    if not hasattr(problem.model, "jacobian_factors"):
        raise DoesNotApply("the model is not made of layers")
    if {"periodic", "dirichlet"} & set(np.atleast_1d(problem.domain.boundary)):
        raise DoesNotApply("linear functions do not satisfy the boundary conditions")
    return Instance(problem.label, problem.domain, problem.metric, model=problem.model, theta=problem.theta)


KRONECKER_EXACTNESS = Theorem(
    id="kronecker-exactness",
    statement="For one linear layer in a product metric the Gram matrix is the Kronecker product of the "
    "outputs' coupling and the inputs' Gram matrix.",
    latex=r"G = B\otimes A,\qquad A_{jj'}=\langle a_j,a_{j'}\rangle",
    source="Martens, Grosse 2015; " + PAPER,
    hypotheses=(
        Hypothesis("the model is one linear layer", _one_layer, "the model has hidden layers"),
        Hypothesis(
            "the metric is a product", _product, "{metric} treats components differently at different x"
        ),
    ),
    instances=_instances,
    from_problem=_problem,
    levels=_levels,
    residual=_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "a network of two layers: its error must not go away under refinement",
            breaks="the model is one linear layer",
            residual=lambda instance, n: _residual(instance, n, network=_hidden(instance)),
            failure=lambda instance: Stagnant(1e-2),
            levels=_resolving_levels,
        ),
        Control(
            "the Fisher metric of two counts, which is not a product",
            breaks="the metric is a product",
            residual=lambda instance, n: _residual(
                instance, n, network=_two_outputs(instance), metric=Fisher(Poisson())
            ),
            failure=lambda instance: Stagnant(1e-3),
            levels=_resolving_levels,
        ),
        Control(
            "factors without the inner products of different inputs",
            breaks="statement",
            residual=lambda instance, n: _residual(instance, n, altered=_uncorrelated),
            failure=lambda instance: Stagnant(1e-2),
        ),
    ),
    oracle=_moments,
)
