"""The theorem vector-valued: projection, tangent kernels and reproduction for f: M -> R^m."""

from dataclasses import replace

import numpy as np

from funcgrad.functionals import EmpiricalLoss, LinearFunctional, PopulationLoss
from funcgrad.gradients.existence import analyse
from funcgrad.gradients.natural_gradient import natural_gradient
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.kernels import IntervalSobolev, MatrixKernel
from funcgrad.metrics import L2, RKHS, Sobolev
from funcgrad.models import Linear, Symbolic
from funcgrad.spaces import Circle, Interval
from funcgrad.theorems.common import (
    PAPER,
    differential,
    require_line,
    unbounded_control,
    where_not_stationary,
)
from funcgrad.theorems.expectations import Exact, Stagnant
from funcgrad.theorems.natural_gradients import (
    fit_floor,
    instance_of_any_output,
    model_instance,
    resolved_levels,
)
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Residual, Theorem
from funcgrad.theorems.reference import Reference, composite_rule, h1_kernel, point_factors, reference
from funcgrad.theorems.riesz import zero

_COUPLING = np.array([[1.0, 0.6, 0.2], [0.6, 2.0, -0.5], [0.2, -0.5, 1.5]])


def _instances(rng):
    circle, unit, long = Circle(2 * np.pi), Interval(0, 1), Interval(0, 5)
    shared = Symbolic(["a*(1 - exp(-b*x))", "a*b*exp(-b*x) + c"], "x", "a b c")
    waves = Symbolic(["a*sin(x + b)", "a*cos(x) + c*sin(2*x)", "b*c + a*cos(x - b)"], "x", "a b c")
    target = PopulationLoss(lambda x: np.column_stack([np.exp(-x), 0.1 * np.cos(3 * x)]))

    def loss(domain, m):
        start = getattr(domain, "a", 0.0)
        return EmpiricalLoss(start + domain.volume * rng.uniform(0.1, 0.9, 5), rng.normal(size=(5, m)) + 2.0)

    decay, wave = [2.0, 0.7, 0.3], [1.0, 0.4, -0.7]
    return [
        model_instance("L2, population loss, two outputs", long, L2(), target, shared, decay),
        model_instance("H^1, Neumann, two outputs", long, Sobolev(1.0), loss(long, 2), shared, decay),
        *(
            model_instance(
                f"H^{s:g}, circle, three outputs", circle, Sobolev(s), loss(circle, 3), waves, wave
            )
            for s in (0.75, 2.0)
        ),
        *(_coupled_instance(unit, loss(unit, m), _COUPLING[:m, :m], rng) for m in (2, 3)),
    ]


# --- a matrix-valued RKHS -----------------------------------------------------------------------------

_CENTRES = np.array([0.0, 0.5, 1.0])


def _coupled_instance(domain, loss, coupling, rng):
    """B k with k the kernel of H^1: the tangent functions Σ_j K(., x_j) c_ij, x_j nodes of every grid."""
    m = len(coupling)
    kernel = MatrixKernel(coupling, IntervalSobolev(1.0, domain.a, domain.b))
    weights = rng.normal(size=(4, len(_CENTRES), m))
    model = _Sections(domain, coupling, weights)
    instance = model_instance(
        f"RKHS with {m} coupled components", domain, RKHS(kernel), loss, model, rng.normal(size=4)
    )
    return replace(instance, rule="clenshaw-curtis", data={"coupling": coupling, "weights": weights})


class _Sections(Linear):
    """Combinations of sections of B k, k written out here by the closed form."""

    def __init__(self, domain, coupling, weights):
        super().__init__([np.zeros_like] * len(weights))
        self.n_outputs = len(coupling)
        self._domain, self._weights = domain, weights @ coupling

    def _value(self, theta, x, alpha):
        return self._jacobian(theta, x, alpha) @ theta

    def _jacobian(self, theta, x, alpha):
        values, _ = h1_kernel(self._domain, 1.0, x, _CENTRES)
        return np.einsum("kj,ija->kai", values, self._weights)


def _coupled_reference(instance):
    """Coordinates from the Gram matrix of all sections: those of the model, and those of the loss."""
    loss, coupling = instance.functional, instance.data["coupling"]
    places = np.concatenate([_CENTRES, loss.x[:, 0]])
    gram = np.kron(h1_kernel(instance.domain, 1.0, places[:, None], places)[0], coupling)
    factor = np.linalg.cholesky(gram).T
    weights = instance.data["weights"].reshape(len(instance.theta), -1)
    own = np.pad(weights, [(0, 0), (0, loss.y.size)])
    residuals = np.pad(point_factors(instance).reshape(-1), (_CENTRES.size * len(coupling), 0))
    return Reference(factor @ own.T, factor @ residuals)


# --- the reference of metrics that leave components apart ---------------------------------------------


class _Component:
    """One output of a model, as far as `reference` asks for it."""

    def __init__(self, model, index):
        self.model, self.index = model, index

    def jacobian(self, theta, x):
        return self.model.jacobian(theta, x)[:, self.index]

    def jacobian_derivative(self, theta, x, alpha):
        return self.model.jacobian_derivative(theta, x, alpha)[:, self.index]


def _component(instance, index):
    """The instance of one output, with the part of the differential that acts on it."""
    loss = instance.functional
    if isinstance(loss, EmpiricalLoss):  # the misfits of zero are the factors of the point evaluations
        own, f = EmpiricalLoss(loss.x, -point_factors(instance)[:, index]), zero
    else:
        own = PopulationLoss(lambda x: loss.y(x)[:, index])

        def f(x):
            return instance.f(x)[:, index]

    return replace(instance, model=_Component(instance.model, index), functional=own, f=f)


def _reference(instance):
    if "coupling" in instance.data:
        return _coupled_reference(instance)
    parts = [reference(_component(instance, index)) for index in range(instance.model.n_outputs)]
    return Reference(
        np.concatenate([part.tangent for part in parts]), np.concatenate([part.gradient for part in parts])
    )


# --- the check ----------------------------------------------------------------------------------------


def _metric(instance, decoupled):
    if decoupled and "coupling" in instance.data:
        ((_, kernel),) = instance.metric.kernel.terms
        return RKHS(MatrixKernel(np.diag(np.diag(instance.data["coupling"])), kernel))
    return instance.metric


def _products(kernel, x, y, v, decoupled):
    """Σ_j K(x_i, y_j) v_j; decoupled, with the diagonal of K alone."""
    if not decoupled:
        return kernel.matvec(x, y, v)
    columns = [kernel.matvec(x, y, v * (np.arange(v.shape[1]) == a))[:, a] for a in range(v.shape[1])]
    return np.column_stack(columns)


def _places(domain):
    return getattr(domain, "a", 0.0) + domain.volume * np.linspace(0.06, 0.93, 8)


def _projection_error(instance, exact, grid, direction):
    """‖dφ(η) - P∇F‖ / ‖∇F‖."""
    distance = np.linalg.norm(exact.tangent @ (direction(grid) - exact.projection))
    return distance / np.linalg.norm(exact.gradient)


def _euclidean_error(instance, exact, decoupled):
    """dF(Θ(x, .)) against dφ(∂F~)(x), ∂F~ by the reference, against the largest value."""
    kernel, x = tangent_kernel(instance.model, instance.theta), _places(instance.domain)
    loss = instance.functional
    if isinstance(loss, EmpiricalLoss):
        y, weighted = loss.x, point_factors(instance)
    else:
        y, w = composite_rule(instance.domain, instance.domain.length / 16)
        weighted = w[:, None] * (instance.f(y) - loss.y(y))
    pushed = instance.model.jacobian(instance.theta, x) @ (exact.tangent.T @ exact.gradient)
    error = np.abs(_products(kernel, x, y, weighted, decoupled) - pushed).max()
    jacobian = np.abs(instance.model.jacobian(instance.theta, x)).max(axis=(0, 1))
    return error / (jacobian @ (np.abs(exact.tangent).T @ np.abs(exact.gradient)))


def _reproducing_error(instance, exact, grid, decoupled):
    """<K_h(., x)c, φ_j> against c·φ_j(x) for unit vectors c, K_h that of the pulled-back metric."""
    model, theta, metric = instance.model, instance.theta, _metric(instance, decoupled)
    kernel, places = tangent_kernel(model, theta, metric, grid), _places(instance.domain)
    tangent = model.jacobian(theta, places)
    flat = tangent.reshape(-1, len(theta)) / exact.column_norms
    gram = exact.tangent.T @ exact.tangent
    worst = 0.0
    for x, values in zip(places[:4], tangent, strict=False):
        for c, expected in zip(np.eye(model.n_outputs), values, strict=True):
            section = _products(kernel, places, [x], c[None], decoupled).reshape(-1)
            a = np.linalg.lstsq(flat, section, rcond=None)[0] / exact.column_norms
            size = np.abs(a) @ np.abs(gram) + np.abs(tangent).max(axis=(0, 1))
            worst = max(worst, float(np.max(np.abs(a @ gram - expected) / size)))
    return worst


def _residual(instance, n, decoupled=False, direction=None):
    """The largest error of the three statements: projection, Euclidean gradient, reproduction."""
    exact, grid = _reference(instance), instance.grid(n)
    if direction is None:
        metric = _metric(instance, decoupled)

        def direction(grid):
            # At f itself, which a grid of polynomials need not resolve.
            functional = LinearFunctional(differential(instance, grid))
            return natural_gradient(functional, instance.model, instance.theta, metric, grid).direction

    errors = (
        _projection_error(instance, exact, grid, direction),
        _euclidean_error(instance, exact, decoupled),
        _reproducing_error(instance, exact, grid, decoupled),
    )
    return Residual(
        float(max(errors)), 1.0, _floor(instance, exact, grid), 1 / n, n * instance.model.n_outputs
    )


def _floor(instance, exact, grid):
    """κ² ulp in the scaled tangent functions; a Gram matrix of nodes has cond(K)^½ <= 2n here as well."""
    of_nodes = 2 * len(grid) if "coupling" in instance.data else 1
    return of_nodes * fit_floor(exact, grid, Sobolev(1.0)) * exact.condition


def _euclidean_control(instance, n):
    exact = _reference(instance)
    return _residual(instance, n, direction=lambda grid: exact.tangent.T @ exact.gradient)


def _margin(instance):
    c = differential(instance, instance.grid(9))
    return 1.0 if analyse(c, instance.metric, instance.domain).exists else -1.0


def _loss_at_points(instance):
    if isinstance(instance.functional, EmpiricalLoss):
        return instance.functional
    x = getattr(instance.domain, "a", 0.0) + instance.domain.volume * np.array([0.2, 0.7])
    return EmpiricalLoss(x, np.full((2, instance.model.n_outputs), 3.0))


def _problem(problem):
    if problem.model.n_outputs == 1:
        raise DoesNotApply("the model has one output")
    require_line(problem)
    instance = instance_of_any_output(problem, problem.metric)
    _reference(instance)
    return instance


def _levels(instance):
    return [9, 17, 33] if "coupling" in instance.data else resolved_levels(instance)


VECTOR_VALUED = Theorem(
    id="vector-valued",
    statement="For f: M -> R^m the natural gradient is the projection of ∇F, the Euclidean one is dF(Θ) with "
    "the matrix-valued Θ, and K_h reproduces, in metrics that couple components too.",
    latex=r"d\varphi(\eta)=P\,\nabla F,\quad d\varphi(\partial\tilde F)(x)\cdot c=dF(\Theta(\cdot,x)c),\quad "
    r"\langle K_h(\cdot,x)c,u\rangle=c\cdot u(x)",
    source=PAPER,
    hypotheses=(Hypothesis("dF is bounded in the metric", _margin, "dF is unbounded in {metric}"),),
    instances=_instances,
    from_problem=where_not_stationary(_problem),
    levels=_levels,
    residual=_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "kernels without what couples components: the diagonals of Θ and K_h, and of the metric's B",
            breaks="statement",
            residual=lambda instance, n: _residual(instance, n, decoupled=True),
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "the pushforward of the Euclidean gradient",
            breaks="statement",
            residual=_euclidean_control,
            failure=lambda instance: Stagnant(1e-3),
        ),
        unbounded_control(_loss_at_points),
    ),
)
