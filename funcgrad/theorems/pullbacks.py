"""Theorems about pulled-back metrics: definiteness, reparametrisation, degenerate models, kernels."""

import math
import warnings
from dataclasses import replace

import numpy as np

from funcgrad.errors import DegenerateModelWarning
from funcgrad.gradients.natural_gradient import gram, natural_gradient, whitened_jacobian
from funcgrad.kernels import IntervalSobolev
from funcgrad.metrics import RKHS, Sobolev
from funcgrad.models import Symbolic
from funcgrad.spaces import Interval
from funcgrad.theorems.common import EPS, PAPER, another_metric, some_loss, step, where_not_stationary
from funcgrad.theorems.expectations import Exact, Order, Stagnant
from funcgrad.theorems.natural_gradients import (
    euclidean_direction,
    fit_floor,
    immersed_instance,
    in_own_units,
    model_instance,
    natural_direction,
    projection_instances,
    referenced_instance,
    resolved_grid,
    resolved_levels,
)
from funcgrad.theorems.record import Control, DoesNotApply, Hypothesis, Residual, Theorem
from funcgrad.theorems.reference import Reference, kept_singular_values, reference

# --- pullback-metric ----------------------------------------------------------------------------------


def _independence(instance):
    """Smallest singular value of the tangent functions scaled to norm 1, less a thousand ulp."""
    return reference(instance).independence - 1e3 * EPS


def _pullback_residual(instance, n, metric=None, model=None):
    """Relative error of G against the reference; all of it if G is singular to rounding, or not symmetric."""
    exact, grid = reference(instance), instance.grid(n)
    model, theta = (instance.model, instance.theta) if model is None else model
    found = gram(model, theta, instance.metric if metric is None else metric, grid)
    scale = np.sqrt(np.diag(found))
    correlation = found / np.outer(scale, scale)
    # The entries are sums over the nodes, which lose √N ulp.
    floor = fit_floor(exact, grid, instance.metric) + EPS * math.sqrt(len(grid))
    if np.linalg.eigvalsh(correlation)[0] <= 1e3 * EPS or not np.array_equal(found, found.T):
        return Residual(1.0, 1.0, floor, step(grid), n)
    expected = exact.tangent.T @ exact.tangent
    scale = np.sqrt(np.diag(expected))
    value = float(np.abs((found - expected) / np.outer(scale, scale)).max())
    return Residual(value, 1.0, floor, step(grid), n)


def _other_metric(metric):
    """Another metric on the same functions: those of L2 need not vanish where those of H^1 do."""
    return another_metric(metric) if metric.order else 2.0 * metric


def doubled(instance):
    """The model with its first parameter given twice, θ_0 = ϑ_0 + ϑ_p: not an immersion."""
    mixing = _with_a_twin(len(instance.theta))
    return instance.model.reparametrise(
        lambda t: mixing @ t, lambda t: mixing, n_parameters=mixing.shape[1]
    ), np.append(instance.theta, 0.0)


def _with_a_twin(p):
    return np.eye(p, p + 1) + np.outer(np.eye(p)[0], np.eye(p + 1)[p])


PULLBACK_METRIC = Theorem(
    id="pullback-metric",
    statement="G_ij = <φ_i, φ_j> is symmetric and positive semidefinite, and definite iff the model is an "
    "immersion.",
    latex=r"G=\varphi^*\langle\cdot,\cdot\rangle\succeq0,\qquad G\succ0\iff\varphi\ \text{is an immersion}",
    source=PAPER,
    hypotheses=(
        Hypothesis("the model is an immersion", _independence, "the tangent functions are dependent"),
    ),
    instances=projection_instances,
    from_problem=referenced_instance,
    levels=resolved_levels,
    residual=_pullback_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the Gram matrix of another metric",
            breaks="statement",
            residual=lambda instance, n: _pullback_residual(instance, n, _other_metric(instance.metric)),
            failure=lambda instance: Stagnant(1e-8),
        ),
        Control(
            "a parameter given twice: G must be singular",
            breaks="the model is an immersion",
            residual=lambda instance, n: _pullback_residual(instance, n, model=doubled(instance)),
            failure=lambda instance: Stagnant(1.0),
        ),
    ),
)


# --- reparametrisation-invariance ---------------------------------------------------------------------


def _reparametrised(instance):
    """Return (model, ϑ, ψ'(ϑ)) for θ = ψ(ϑ) = θ_0 + M (sinh ϑ - sinh ϑ_0) at ϑ = ϑ_0, M drawn once."""
    theta = instance.theta
    p = len(theta)
    rng = np.random.default_rng(p)
    mixing = np.where(theta != 0, np.abs(theta), 1.0)[:, None] * (
        np.eye(p) + 0.3 * rng.uniform(-1, 1, (p, p))
    )
    start = rng.uniform(-1, 1, p)
    model = instance.model.reparametrise(
        lambda t: theta + mixing @ (np.sinh(t) - np.sinh(start)), lambda t: mixing * np.cosh(t)
    )
    return model, start, mixing * np.cosh(start)


def _invariance_residual(instance, n, direction_of=natural_direction):
    """Distance of the pushforwards of the gradients in θ and in ϑ, in the metric, against ‖∇F‖.

    That of Euclidean gradients against the first of them, as their sizes are those of the parameters' units.
    """
    exact, grid = reference(instance), instance.grid(n)
    model, start, slope = _reparametrised(instance)
    first = direction_of(instance, grid)
    second = direction_of(replace(instance, model=model, theta=start), grid)
    value = np.linalg.norm(exact.tangent @ (first - slope @ second))
    moved = Reference(exact.tangent @ slope, exact.gradient)
    floor = fit_floor(exact, grid, instance.metric) + fit_floor(moved, grid, instance.metric)
    size = exact.gradient if direction_of is natural_direction else exact.tangent @ first
    return Residual(float(value), float(np.linalg.norm(size)), floor, step(grid), n)


REPARAMETRISATION_INVARIANCE = Theorem(
    id="reparametrisation-invariance",
    statement="Under θ = ψ(ϑ) the pushforward of the natural gradient does not change.",
    latex=r"d\varphi_\theta(\eta_\theta)=d(\varphi\circ\psi)_\vartheta(\eta_\vartheta)",
    source="Amari 1998; " + PAPER,
    hypotheses=(),
    instances=projection_instances,
    from_problem=where_not_stationary(immersed_instance),
    levels=resolved_levels,
    residual=_invariance_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the pushforward of the Euclidean gradient",
            breaks="statement",
            residual=lambda instance, n: _invariance_residual(instance, n, euclidean_direction),
            failure=lambda instance: Stagnant(1e-4),
        ),
    ),
)


# --- degenerate-model ---------------------------------------------------------------------------------


def _degenerate_residual(instance, n, damping=0.0):
    """Distance of dφ(η) from P∇F for the model with a parameter given twice, and of η from least norm."""
    exact, grid = reference(instance), instance.grid(n)
    model, theta = doubled(instance)
    mixing = _with_a_twin(len(instance.theta))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateModelWarning)
        found = natural_gradient(
            instance.functional, model, theta, instance.metric, grid, damping=damping
        ).direction
    distance = np.linalg.norm(exact.tangent @ (mixing @ found - exact.projection))
    null = np.append(np.eye(len(instance.theta))[0], -1.0) / np.sqrt(2)
    from_least_norm = abs(null @ found) / np.linalg.norm(found)
    value = distance / np.linalg.norm(exact.gradient) + from_least_norm
    # The solution is one in singular vectors, so that the lengths of the columns count.
    floor = fit_floor(exact, grid, instance.metric) * exact.mixed_condition / exact.condition
    return Residual(float(value), 1.0, floor, step(grid), n)


def _damped_residual(instance, level):
    """With damping λ = 2^-level ‖G‖ the pushforward is biased by O(λ)."""
    damping = 2.0**-level
    smallest = kept_singular_values(reference(instance).tangent)[-1]
    n = resolved_levels(instance)[0]
    residual = _degenerate_residual(instance, n, damping * smallest**2)
    return Residual(residual.value, residual.scale, residual.floor, damping, n)


DEGENERATE_MODEL = Theorem(
    id="degenerate-model",
    statement="Where the model is not an immersion, every solution of Gη = ∂(F∘φ) pushes forward to P∇F; the "
    "pseudo-inverse gives the one of least norm.",
    latex=r"G\eta=\partial\tilde F\ \Rightarrow\ d\varphi(\eta)=P\,\nabla F",
    source=PAPER,
    hypotheses=(),
    instances=projection_instances,
    from_problem=where_not_stationary(lambda problem: in_own_units(referenced_instance(problem))),
    levels=resolved_levels,
    residual=_degenerate_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "damping λ, which biases the pushforward by O(λ)",
            breaks="statement",
            residual=_damped_residual,
            failure=lambda instance: Order(0.9, 1.1),
            levels=lambda instance: range(4, 11),
        ),
    ),
)


# --- kernel-quadrature-metric -------------------------------------------------------------------------

_MOST_NODES = 2048


def _quadrature_instances(rng):
    interval = Interval(0, 2)
    decay = Symbolic("a*(1 - exp(-b*x)) + c*cos(x)", "x", "a b c")
    return [
        model_instance(
            f"H^1 at ℓ = {scale:g}", interval, Sobolev(1.0, scale), some_loss(interval, rng), decay, theta
        )
        for scale, theta in ((1.0, [2.0, 0.7, 0.5]), (0.3, [1.0, 1.5, -1.0]))
    ]


def _sampled_gram(instance, n, stretch):
    """G_X = J_XᵀK_XX⁻¹J_X on the n nodes of a Clenshaw-Curtis grid; those of 2n - 1 contain them."""
    domain, scale = instance.domain, instance.metric.length_scale * stretch
    kernel = IntervalSobolev(1.0, domain.a, domain.b, domain.boundary, scale)
    grid = domain.grid(n, rule="clenshaw-curtis")
    a = whitened_jacobian(instance.model, instance.theta, RKHS(kernel), grid)
    return a.T @ a


def _quadrature_residual(instance, level, stretch=1.0):
    """Relative distance of G_X from G; whatever G_X' - G_X has of negative eigenvalues counts whole."""
    n = 2**level + 1
    exact = reference(instance)
    scale = exact.column_norms
    limit = exact.tangent.T @ exact.tangent / np.outer(scale, scale)
    coarse, fine = (_sampled_gram(instance, m, stretch) / np.outer(scale, scale) for m in (n, 2 * n - 1))
    fall = max(0.0, -np.linalg.eigvalsh(fine - coarse)[0] - 1e3 * n * EPS)
    value = np.linalg.norm(limit - coarse, 2) + fall
    return Residual(float(value), float(np.linalg.norm(limit, 2)), 1e3 * n * EPS, 1 / n, n)


def _quadrature_problem(problem):
    instance = referenced_instance(problem)
    if problem.metric.order != 1 or not isinstance(problem.domain, Interval):
        raise DoesNotApply("it is checked in H^1 on an interval, where the limit has a reference")
    if problem.domain.boundary != "neumann":
        raise DoesNotApply("the tangent functions need not lie in the Dirichlet kernel's space")
    if (nodes := 2 ** _fill_levels(instance)[-1]) > _MOST_NODES:
        raise DoesNotApply(
            f"to resolve ℓ = {problem.metric.length_scale:g} on {problem.domain} it needs kernel matrices of "
            f"{nodes} nodes; take a larger ℓ"
        )
    return instance


def _fill_levels(instance):
    """Numbers of halvings, from where the nodes see the length scale and the tangent functions' waves."""
    waves = resolved_grid(instance).shape[0] / 4
    first = np.log2(max(8, waves, 2 * instance.domain.length / instance.metric.length_scale))
    return list(range(math.ceil(first), math.ceil(first) + 5))


KERNEL_QUADRATURE_METRIC = Theorem(
    id="kernel-quadrature-metric",
    statement="The metric of least-norm interpolants, G_X = J_Xᵀ K_XX⁻¹ J_X, increases with X to G_K, in H^1 "
    "like the square of the fill distance.",
    latex=r"G_X=J_X^\top K_{XX}^{-1}J_X\nearrow G_K,\qquad \|G_K-G_X\|=O(h_X^2)",
    source="Wendland, Scattered Data Approximation; " + PAPER,
    hypotheses=(),
    instances=_quadrature_instances,
    from_problem=_quadrature_problem,
    levels=_fill_levels,
    residual=_quadrature_residual,
    expectation=lambda instance: Order(1.8, 2.2),
    controls=(
        Control(
            "the kernel of another length scale",
            breaks="statement",
            residual=lambda instance, level: _quadrature_residual(instance, level + 1, stretch=1.5),
            failure=lambda instance: Stagnant(1e-3),
        ),
    ),
)
