"""Theorems about tangent spaces as RKHSs: ntk- and gtk-is-reproducing, tangent-kernel-is-projected."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from funcgrad.functionals import EmpiricalLoss, PopulationLoss
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.metrics import L2, Sobolev
from funcgrad.theorems.common import EPS, PAPER, require_spectral, step
from funcgrad.theorems.expectations import Exact, Stagnant
from funcgrad.theorems.natural_gradients import (
    fit_floor,
    immersed_instance,
    in_own_units,
    problem_instance,
    projection_instances,
    require_immersion,
    resolved_grid,
    resolved_levels,
)
from funcgrad.theorems.record import Control, DoesNotApply, Residual, Theorem
from funcgrad.theorems.reference import reference
from funcgrad.theorems.riesz import zero


def _places(domain, count):
    """Points well inside a domain, in no special position, (count, n)."""
    spread = np.outer(np.arange(count), np.sqrt([2, 3])[: domain.dimension - 1]) % 1
    u = np.column_stack([np.linspace(0, 1, count) ** 1.3, spread])
    return domain.from_unit_cube(0.05 + 0.9 * u)


def _section_coordinates(instance, kernel, x, n):
    """Coordinates a of the section K(x, .) = Σ a_i φ_i, (p,), from its values at n points alone.

    By least squares with the tangent functions scaled to norm 1; what rounding may change each coordinate by
    (κ ulp of the section, in its unit) is returned as well, and κ.
    """
    places = _places(instance.domain, n)
    tangent = instance.model.jacobian(instance.theta, places)
    scale = np.linalg.norm(tangent, axis=0)
    section = kernel.gram(places, [x])[:, 0]
    coordinates, _, _, sigma = np.linalg.lstsq(tangent / scale, section, rcond=None)
    condition = float(sigma[0] / sigma[-1])
    return coordinates / scale, 16 * EPS * condition * np.linalg.norm(section) / scale, condition


def _reproducing_residual(instance, n, kernel, h):
    """Largest |<K(x, .), u>_h - u(x)| over x and u = φ_j, relative to the terms of the inner product."""
    places = _places(instance.domain, 4)
    jacobian = instance.model.jacobian(instance.theta, places)
    sizes = np.abs(jacobian).max(axis=0)
    defect = floor = 0.0
    for x, values in zip(places, jacobian, strict=True):
        coordinates, rounding, _ = _section_coordinates(instance, kernel, x, n)
        size = sizes + np.abs(coordinates) @ np.abs(h)
        defect = max(defect, float(np.max(np.abs(coordinates @ h - values) / size)))
        floor = max(floor, float(np.max(rounding @ np.abs(h) / size)))
    return Residual(defect, 1.0, floor, 1 / n, n)


def _tangent_problem(problem):
    instance = problem_instance(problem, L2())
    require_immersion(instance)
    return in_own_units(instance)


def _sample_levels(instance):
    p = len(instance.theta)
    return [8 * p, 16 * p, 32 * p]


# --- ntk-is-reproducing -------------------------------------------------------------------------------


def _ntk_residual(instance, n, h=None):
    kernel = tangent_kernel(instance.model, instance.theta)
    return _reproducing_residual(instance, n, kernel, np.eye(len(instance.theta)) if h is None else h)


def _l2_matrix(instance):
    """The pulled-back L2 metric, by the reference's quadrature."""
    exact = reference(replace(instance, metric=L2(), functional=PopulationLoss(zero)))
    return exact.tangent.T @ exact.tangent


NTK_IS_REPRODUCING = Theorem(
    id="ntk-is-reproducing",
    statement="The tangent space with the pushed-forward Euclidean metric is an RKHS with the neural tangent "
    "kernel; the φ_i are orthonormal in it.",
    latex=r"\langle\Theta(x,\cdot),u\rangle=u(x),\qquad \langle\varphi_i,\varphi_j\rangle=\delta_{ij}",
    source="Jacot, Gabriel, Hongler 2018; " + PAPER,
    hypotheses=(),
    instances=lambda rng: _distinct_models(projection_instances(rng)),
    from_problem=_tangent_problem,
    levels=_sample_levels,
    residual=_ntk_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "Θ in the L2 metric",
            breaks="statement",
            residual=lambda instance, n: _ntk_residual(instance, n, _l2_matrix(instance)),
            failure=lambda instance: Stagnant(1e-3),
        ),
    ),
)


def _distinct_models(instances):
    """Return one instance for each model: these statements depend on neither metric nor functional."""
    return list({id(instance.model): instance for instance in instances}.values())


# --- gtk-is-reproducing -------------------------------------------------------------------------------


def _gtk_residual(instance, n, h=None):
    """The same for h = φ*<,>, the kernel from the metric on functions and h from the reference."""
    grid = resolved_grid(instance)
    kernel = tangent_kernel(instance.model, instance.theta, metric=instance.metric, domain=grid)
    exact = reference(instance)
    own = exact.tangent.T @ exact.tangent
    residual = _reproducing_residual(instance, n, kernel, own if h is None else h)
    return replace(residual, floor=residual.floor + fit_floor(exact, grid, instance.metric) * exact.condition)


GTK_IS_REPRODUCING = Theorem(
    id="gtk-is-reproducing",
    statement="For a metric h on parameters, K_h = Σ h^ij φ_i ⊗ φ_j reproduces the pushed-forward metric.",
    latex=r"K_h=\sum_{ij}h^{ij}\varphi_i\otimes\varphi_j,\qquad \langle K_h(x,\cdot),u\rangle_h=u(x)",
    source=PAPER,
    hypotheses=(),
    instances=projection_instances,
    from_problem=immersed_instance,
    levels=_sample_levels,
    residual=_gtk_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the Euclidean metric in place of h",
            breaks="statement",
            residual=lambda instance, n: _gtk_residual(instance, n, np.eye(len(instance.theta))),
            failure=lambda instance: Stagnant(1e-3),
        ),
    ),
)


# --- tangent-kernel-is-projected ----------------------------------------------------------------------

_SECTIONS = 4


def _projected_instances(rng):
    return [
        instance
        for instance in projection_instances(rng)
        if instance.metric.order > 0.5 and not isinstance(instance.functional, PopulationLoss)
    ]


def _section_reference(instance, x, metric=None):
    """The `Reference` whose gradient is K(x, .) of the ambient space, the representer of v ↦ v(x)."""
    evaluation = EmpiricalLoss([x], [-1.0])
    metric = instance.metric if metric is None else metric
    return reference(replace(instance, functional=evaluation, f=zero, metric=metric))


@lru_cache(maxsize=32)
def _ambient_gram(metric, domain):
    """The Gram matrix of K itself, whose lattice sums in three dimensions take longer than all the rest."""
    return metric.green_kernel(domain).gram(_places(domain, _SECTIONS))


def _projected_residual(instance, n, metric=None):
    """Distance of K_h(x, .) from PK(x, .) against ‖K(x, .)‖; negative eigenvalues of K - K_h count whole."""
    grid = instance.grid(n)
    kernel = tangent_kernel(instance.model, instance.theta, metric=instance.metric, domain=grid)
    places = _places(instance.domain, _SECTIONS)
    value, floor = 0.0, 0.0
    for x in places:
        exact = _section_reference(instance, x, metric)
        coordinates, _, condition = _section_coordinates(instance, kernel, x, 16 * len(instance.theta))
        distance = np.linalg.norm(exact.tangent @ (coordinates - exact.projection))
        value = max(value, float(distance / np.linalg.norm(exact.gradient)))
        floor = max(floor, fit_floor(exact, grid, instance.metric) * (exact.condition + condition))
    ambient = _ambient_gram(instance.metric, instance.domain)
    gap = np.linalg.eigvalsh(ambient - kernel.gram(places))[0] / np.trace(ambient)
    return Residual(value + max(0.0, -gap - 1e3 * EPS), 1.0, floor, step(grid), n)


def _projected_problem(problem):
    require_spectral(problem)
    if not problem.metric.order > problem.domain.dimension / 2:
        raise DoesNotApply(f"{problem.metric} is not an RKHS: it needs a Sobolev order above n/2")
    return immersed_instance(problem)


TANGENT_KERNEL_IS_PROJECTED = Theorem(
    id="tangent-kernel-is-projected",
    statement="For the pulled-back metric of an RKHS, K_h(x, .) is the projection of K(x, .) onto the "
    "tangent space, and K - K_h is positive semidefinite.",
    latex=r"K_h(x,\cdot)=P\,K(x,\cdot),\qquad K-K_h\succeq0",
    source=PAPER,
    hypotheses=(),
    instances=_projected_instances,
    from_problem=_projected_problem,
    levels=resolved_levels,
    residual=_projected_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the projection of another space's kernel",
            breaks="statement",
            residual=lambda instance, n: _projected_residual(instance, n, _stretched(instance.metric)),
            failure=lambda instance: Stagnant(1e-6),
        ),
    ),
)


def _stretched(metric):
    return Sobolev(metric.order, 2 * metric.length_scale)
