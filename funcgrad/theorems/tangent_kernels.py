"""Theorems about tangent kernels: ntk-gradient."""

import numpy as np

from funcgrad.functionals import EmpiricalLoss
from funcgrad.gradients.natural_gradient import model_function
from funcgrad.gradients.tangent_kernel import tangent_kernel
from funcgrad.models import Symbolic
from funcgrad.spaces import Circle, Interval
from funcgrad.theorems.common import EPS, PAPER
from funcgrad.theorems.expectations import Order, Stagnant
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem
from funcgrad.theorems.riesz import some_loss


def _ntk_instances(rng):
    interval, circle = Interval(0, 5), Circle(2 * np.pi)
    saturation, wave = Symbolic("a*(1 - exp(-b*x))", "x", "a b"), Symbolic("a*sin(x + b) + c", "x", "a b c")
    network = Symbolic("v1*tanh(w1*x + b1) + v2*tanh(w2*x + b2)", "x", "v1 w1 b1 v2 w2 b2")
    cases = [
        ("saturation", interval, saturation, [2.0, 0.7]),
        ("waves", circle, wave, [1.0, 0.4, -0.7]),
        ("network of two tanh units", interval, network, [1.0, 0.9, -0.3, -0.6, 0.5, 0.8]),
    ]
    return [
        _instance(label, domain, model, theta, some_loss(domain, rng, 5))
        for label, domain, model, theta in cases
    ]


def _instance(label, domain, model, theta, loss):
    theta = np.asarray(theta, dtype=float)
    return Instance(
        label, domain, None, loss, model_function(model, theta), model, theta, data={"shift": 0.1}
    )


def _check_points(instance):
    start = getattr(instance.domain, "a", 0.0)
    return start + instance.domain.volume * np.linspace(0.05, 0.95, 7)


def _kernel_side(instance, kernel):
    """dF(Θ(x, .)) at the check points: the differential of the loss applied to sections of a kernel."""
    c = instance.functional.differential(instance.f)
    return np.array(
        [c(lambda *y, x=x: kernel.gram(np.column_stack(y), [x])[:, 0]) for x in _check_points(instance)]
    )


def _difference_side(instance, h):
    """dφ(∂F~) at the check points, by central differences of F∘φ and of φ: no Jacobian is used.

    Parameters are varied by h relative to their size. Also returned is a bound of the rounding errors,
    which are ulps of F and f over the steps.
    """
    model, theta, loss = instance.model, instance.theta, instance.functional
    x = _check_points(instance)
    scale = np.where(theta != 0, np.abs(theta), 1.0)

    def value(parameters):
        return loss(model_function(model, parameters))

    steps = h * scale
    slopes = np.array(
        [
            (value(theta + d * e) - value(theta - d * e)) / (2 * d)
            for d, e in zip(steps, np.eye(len(theta)), strict=True)
        ]
    )
    t = h / np.max(np.abs(slopes) / scale, initial=EPS)
    pushed = (model(theta + t * slopes, x) - model(theta - t * slopes, x)) / (2 * t)
    # |f|² and |y|² are what the loss is computed from; each slope's error meets its column of φ.
    size = np.sum(model(theta, loss.x) ** 2) + np.sum(loss.y**2)
    columns = np.abs(model(theta + steps * np.eye(len(theta))[0], x)).max()
    sensitivity = [
        np.abs(model(theta + d * e, x) - model(theta, x)).max() / d
        for d, e in zip(steps, np.eye(len(theta)), strict=True)
    ]
    rounding = EPS * (size * float(np.sum(sensitivity / steps)) + columns / t)
    return pushed, rounding


def _ntk_residual(instance, level, kernel=None):
    h = 2.0**-level
    pushed, rounding = _difference_side(instance, h)
    theta = tangent_kernel(instance.model, instance.theta) if kernel is None else kernel
    represented = _kernel_side(instance, theta)
    size = float(np.abs(represented).max())
    return Residual(
        float(np.abs(pushed - represented).max()), size, 4 * rounding / size, h, 2 * len(instance.theta)
    )


def _elsewhere(instance, level):
    """The kernel taken at other parameters."""
    moved = instance.theta * (1 + instance.data["shift"]) + np.where(
        instance.theta == 0, instance.data["shift"], 0
    )
    return _ntk_residual(instance, level, tangent_kernel(instance.model, moved))


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


def _ntk_problem(problem):
    if not isinstance(problem.functional, EmpiricalLoss):
        raise DoesNotApply("the functional is not a loss at points")
    return _instance(problem.label, problem.domain, problem.model, problem.theta, problem.functional)


NTK_GRADIENT = Theorem(
    id="ntk-gradient",
    statement="The pushforward of the Euclidean gradient is dF applied to the neural tangent kernel.",
    latex=r"d\varphi(\partial\tilde F)(x) = dF(\Theta(x,\cdot)),\qquad "
    r"\Theta=\sum_i\varphi_i\otimes\varphi_i",
    source="Jacot, Gabriel, Hongler 2018; " + PAPER,
    hypotheses=(),
    instances=_ntk_instances,
    from_problem=_ntk_problem,
    levels=lambda instance: list(range(4, 13)),
    residual=_ntk_residual,
    expectation=lambda instance: Order(1.9, 2.1),
    controls=(
        Control(
            "the kernel of other parameters",
            breaks="statement",
            residual=_elsewhere,
            failure=lambda instance: Stagnant(1e-3),
        ),
        Control(
            "the kernel without its largest tangent function",
            breaks="statement",
            residual=_one_parameter_less,
            failure=lambda instance: Stagnant(1e-3),
        ),
    ),
)
