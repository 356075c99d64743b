"""Theorems about tangent kernels: ntk-gradient."""

import numpy as np

from funcgrad.functionals import EmpiricalLoss
from funcgrad.gradients.natural_gradient import model_function
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.models import Symbolic
from funcgrad.spaces import Box, Circle, Interval, Sphere, Torus
from funcgrad.theorems.common import (
    EPS,
    PAPER,
    require_compact,
    require_loss_at_points,
    require_one_output,
    some_loss,
    where_not_stationary,
)
from funcgrad.theorems.expectations import Order, Stagnant
from funcgrad.theorems.record import Control, Instance, Residual, Theorem


def _ntk_instances(rng):
    interval, circle = Interval(0, 5), Circle(2 * np.pi)
    saturation, wave = Symbolic("a*(1 - exp(-b*x))", "x", "a b"), Symbolic("a*sin(x + b) + c", "x", "a b c")
    network = Symbolic("v1*tanh(w1*x + b1) + v2*tanh(w2*x + b2)", "x", "v1 w1 b1 v2 w2 b2")
    plane = Symbolic("v*tanh(w1*x + w2*y + b) + c", "x y", "v w1 w2 b c")
    space = Symbolic("a*sin(x + b)*cos(y) + c*cos(z)*sin(y)", "x y z", "a b c")
    zonal = Symbolic("a*exp(b*z) + c*x*y", "x y z", "a b c")
    cases = [
        ("tanh unit, box", Box([(0, 1), (-1, 1)]), plane, [1.0, 0.9, -0.6, 0.2, 0.3]),
        ("waves, torus of dimension 3", Torus(3 * (2 * np.pi,)), space, [1.0, 0.4, -0.7]),
        ("zonal, sphere", Sphere(), zonal, [0.9, 0.7, 0.3]),
        ("saturation", interval, saturation, [2.0, 0.7]),
        ("waves", circle, wave, [1.0, 0.4, -0.7]),
        ("network of two tanh units", interval, network, [1.0, 0.9, -0.3, -0.6, 0.5, 0.8]),
    ]
    instances = [
        _instance(label, domain, model, theta, some_loss(domain, rng, 5))
        for label, domain, model, theta in cases
    ]
    x, y, weights = circle.length * rng.uniform(size=5), [0, 1, 1, 0, 1], rng.uniform(0.5, 2, 5)
    loss = EmpiricalLoss(x, y, "logistic", weights)
    return [*instances, _instance("waves, logistic loss with weights", circle, wave, [1.0, 0.4, -0.7], loss)]


def _instance(label, domain, model, theta, loss):
    theta = np.asarray(theta, dtype=float)
    return Instance(label, domain, None, loss, model_function(model, theta), model, theta)


def _check_points(instance):
    """Points of the domain's diagonal."""
    u = np.linspace(0.05, 0.95, 7)
    return instance.domain.from_unit_cube(np.column_stack(instance.domain.dimension * [u]))


def _kernel_side(instance, kernel):
    """dF(Θ(x, .)) at the check points: the differential of the loss applied to sections of a kernel."""
    c = instance.functional.differential(instance.f)
    return np.array(
        [c(lambda *y, x=x: kernel.gram(np.column_stack(y), [x])[:, 0]) for x in _check_points(instance)]
    )


def _slopes(instance, steps):
    """∂(F∘φ)/∂θ_i by central differences with the given steps, (p,): no Jacobian is used."""
    model, theta, loss = instance.model, instance.theta, instance.functional

    def value(move):
        return loss(model_function(model, theta + move))

    return np.array([value(move) - value(-move) for move in np.diag(steps)]) / (2 * steps)


def _ntk_residual(instance, level, kernel=None):
    """Difference of dF(Θ(x, .)) from dφ(∂F~), the latter through the Jacobian and by differences of φ.

    Parameters are varied by h = 2^-level relative to their size. Rounding: ulps of F and f over the steps.
    """
    model, theta, loss, x = instance.model, instance.theta, instance.functional, _check_points(instance)
    h, scale = 2.0**-level, np.where(instance.theta != 0, np.abs(instance.theta), 1.0)
    slopes = _slopes(instance, h * scale)
    jacobian = model.jacobian(theta, x)
    t = h / np.max(np.abs(slopes) / scale, initial=np.finfo(float).tiny)
    pushed = (model(theta + t * slopes, x) - model(theta - t * slopes, x)) / (2 * t)
    represented = _kernel_side(instance, tangent_kernel(model, theta) if kernel is None else kernel)
    defect = max(np.abs(side - represented).max() for side in (jacobian @ slopes, pushed))
    z = model(theta, loss.x)
    terms = loss.weights @ (z**2 + loss.y**2 + np.abs(loss.loss.value(z, loss.y)))
    rounding = terms * (np.abs(jacobian).max(axis=0) / (h * scale)).sum() + np.abs(model(theta, x)).max() / t
    size = float(np.abs(represented).max())
    return Residual(float(defect), size, 4 * EPS * float(rounding) / size, h, 2 * len(theta))


def _elsewhere(instance, level):
    """The kernel of other parameters: moved by a tenth of their size, and each measured in another unit."""
    theta, p = instance.theta, instance.model.n_parameters
    moved = np.where(theta == 0, 0.1, 1.1 * theta)
    units = 1 + np.arange(1, p + 1) / (2 * p)
    return _ntk_residual(instance, level, tangent_kernel(instance.model, moved, np.diag(units**-2)))


def _one_parameter_less(instance, level):
    """The kernel without the tangent function that contributes most."""
    c = instance.functional.differential(instance.f)
    p = instance.model.n_parameters
    x = _check_points(instance)
    jacobian = instance.model.jacobian(instance.theta, x)
    slopes = np.array(
        [
            c(lambda *y, i=i: instance.model.jacobian(instance.theta, np.column_stack(y))[:, i])
            for i in range(p)
        ]
    )
    dropped = int(np.argmax(np.abs(slopes) * np.abs(jacobian).max(axis=0)))
    weight = np.ones(p)
    weight[dropped] = 1e8  # h^ii = 1e-16 takes the function out of the kernel
    return _ntk_residual(instance, level, tangent_kernel(instance.model, instance.theta, np.diag(weight**2)))


def _small_steps(instance):
    """Levels at which what differences miss is small beside what the wrong kernels do."""
    return list(range(8, 13))


def _ntk_problem(problem):
    require_compact(problem)
    require_one_output(problem)
    require_loss_at_points(problem)
    return _instance(problem.label, problem.domain, problem.model, problem.theta, problem.functional)


NTK_GRADIENT = Theorem(
    id="ntk-gradient",
    statement="The pushforward of the Euclidean gradient is dF applied to the neural tangent kernel.",
    latex=r"d\varphi(\partial\tilde F)(x) = dF(\Theta(x,\cdot)),\qquad "
    r"\Theta=\sum_i\varphi_i\otimes\varphi_i",
    source="Jacot, Gabriel, Hongler 2018; " + PAPER,
    hypotheses=(),
    instances=_ntk_instances,
    from_problem=where_not_stationary(_ntk_problem),
    levels=lambda instance: list(range(4, 13)),
    residual=_ntk_residual,
    expectation=lambda instance: Order(1.9, 2.1),
    controls=(
        Control(
            "the kernel of other parameters",
            breaks="statement",
            residual=_elsewhere,
            failure=lambda instance: Stagnant(1e-3),
            levels=_small_steps,
        ),
        Control(
            "the kernel without its largest tangent function",
            breaks="statement",
            residual=_one_parameter_less,
            failure=lambda instance: Stagnant(1e-3),
            levels=_small_steps,
        ),
    ),
)
