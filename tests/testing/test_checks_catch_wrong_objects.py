"""Each deliberately wrong object is caught, by the check that is for it, in words that say what is wrong."""

import re

import numpy as np
import pytest
import wrong_metrics
import wrong_objects as wrong

import funcgrad as fg
from funcgrad.testing import (
    ConformanceError,
    check_domain,
    check_functional,
    check_gradient,
    check_kernel,
    check_metric,
    check_model,
    check_operator,
)

CIRCLE = fg.Circle()
F = CIRCLE.grid(24).function(lambda x: 0.7 + np.sin(x) - 0.4 * np.cos(2 * x))
NODES = CIRCLE.grid(24).nodes
EXTENDED = fg.metrics.TangentExtended(fg.models.Fourier(1), [1.0, 0.5, 0.2])

CONVEX = fg.Integral("u_x**2/2 + u**4/4")
_kept = {}


def kept_gradient(u):
    """A gradient that is computed once for each number of nodes."""
    return _kept.setdefault(len(u.grid), fg.gradient(CONVEX, u, fg.Sobolev(1.0)))


def dropping(spoilt):
    """Return what makes a spoilt metric of the one at a function, whatever the function."""
    return lambda metric, f: spoilt(metric)


WRONG = {
    "a metric that is not symmetric": (
        lambda: check_metric(wrong_metrics.AsymmetricMetric(fg.L2())),
        "metric-symmetric",
        r"it is not symmetric: <u, v> = .* and <v, u> = .*, u = mode 0, v = mode 2",
    ),
    "a metric that is negative on one wave": (
        lambda: check_metric(wrong_metrics.IndefiniteMetric(fg.Sobolev(1.0))),
        "metric-positive",
        r"it is not positive: <u, u> = -3.14159 for u = mode 1",
    ),
    "a metric without quadrature weights": (
        lambda: check_metric(wrong_metrics.MetricWithoutWeights(fg.L2())),
        "metric-refinement",
        r"the norm of mode 0 changes from 4.899 to 6.928 with twice the nodes .*quadrature weights\?",
    ),
    "a metric whose Riesz map is of another order": (
        lambda: check_metric(wrong_metrics.MetricWithAnotherRiesz(fg.Sobolev(1.0))),
        "metric-riesz",
        r"riesz does not belong to this inner product: <riesz\(c\), v> = .* and c\(v\) = ",
    ),
    "a metric whose dual norm is squared": (
        lambda: check_metric(wrong_metrics.MetricWithWrongDualNorm(fg.Sobolev(1.0))),
        "metric-dual-norm",
        r"dual_norm\(flat\(u\)\) = 6.28318531 is not ‖u‖ = 2.50662827 for u = mode 0",
    ),
    "a metric that ignores its length scale": (
        lambda: check_metric(wrong_metrics.MetricWithoutLengthScale(0.5)),
        "metric-length-scale",
        r"it does not scale with `length_scale`: .* is the length scale used\?",
    ),
    "a metric that keeps the factor of another grid": (
        lambda: check_metric(wrong_metrics.MetricWithStaleFactor(fg.Sobolev(1.0))),
        "metric-repeatable",
        r"the answer for one grid changed after the metric was used on another: is a factorisation kept\?",
    ),
    "a metric that is positive on even numbers of nodes": (
        lambda: check_metric(wrong_metrics.PositiveForEvenNumbers(fg.L2())),
        "metric-one-more",
        r"on <trapezoid grid of 25 nodes .* it is not positive: the Gram matrix .* the eigenvalue -",
    ),
    "a metric that returns one array every time": (
        lambda: check_metric(wrong_metrics.OneBuffer(fg.Sobolev(1.0))),
        "metric-repeatable",
        r"the function that `riesz` returned changed with the next call: is one array returned every time\?",
    ),
    "a dual norm of points too large by half": (
        lambda: check_metric(wrong_metrics.DualNormOfPointsTooLarge(fg.Sobolev(1.0))),
        "metric-dual-bound",
        r"dual_norm\(c\) = 1.06\d* is not attained: the representers on 24, 48, 96 nodes have the norms 0.6",
    ),
    "a metric that normalises its base point in place": (
        lambda: check_metric(wrong_metrics.NormalisesItsBase(fg.FisherRao())),
        "field-inputs",
        r"the values of the base point f changed",
    ),
    "a sum of metrics that adds representers": (
        lambda: check_metric(wrong_metrics.SumOfRepresenters(fg.L2(), fg.Sobolev(1.0))),
        "metric-riesz",
        r"riesz does not belong to this inner product: <riesz\(c\), v> = .* and c\(v\) = ",
    ),
    "a metric on parameters that forgets the complement": (
        lambda: check_metric(wrong_metrics.ForgottenComplement(EXTENDED)),
        "metric-definite",
        r"it is not definite: a function of L2 norm 1 has <u, u> = ",
    ),
    "a metric that forgets a component": (
        lambda: check_metric(wrong_metrics.ForgottenComponent(fg.L2()), components=2),
        "metric-definite",
        r"it is not definite: a function of L2 norm 1 has <u, u> = ",
    ),
    "a Fisher-Rao metric without the density in its gradients": (
        lambda: check_metric(
            wrong_metrics.Field(fg.FisherRao(), dropping(wrong_metrics.DensityForgottenInRiesz))
        ),
        "metric-riesz",
        r"riesz does not belong to this inner product",
    ),
    "a density normalised without quadrature weights": (
        lambda: check_metric(wrong_metrics.Field(fg.FisherRao(), wrong_metrics.SpreadWithoutWeights)),
        "metric-refinement",
        r"the norm of mode 0 changes from .* with twice the nodes .*: do `at` and `inner` use the grid's",
    ),
    "a Fisher metric that keeps its first base point": (
        lambda: check_metric(wrong_metrics.KeepsTheFirst(fg.Fisher(fg.metrics.Poisson()))),
        "field-stale",
        r"the metric at 2f has <u, u> = .* after one at f, and .* if asked first: is what was made",
    ),
    "a metric that changes when another is asked for": (
        lambda: check_metric(wrong_metrics.OneObject()),
        "field-stale",
        r"the metric at f changed when the field was taken at 2f: does `at` return one object, changed\?",
    ),
    "a Wasserstein metric that flows the wrong way": (
        lambda: check_metric(
            wrong_metrics.Field(fg.Wasserstein(), dropping(wrong_metrics.FlowAgainstTheGradient))
        ),
        "metric-riesz",
        r"riesz does not belong to this inner product",
    ),
    "an energy that is not convex": (
        lambda: check_metric(fg.metrics.Energy(fg.Integral("-u_x**2/2 + u**2/2"))),
        "metric-positive",
        r"takes none of the functions tried on .*: the second variation .* not positive",
    ),
    "a Gauss-Newton metric of a residual that is not linearised": (
        lambda: check_metric(
            wrong_metrics.Field(
                fg.metrics.GaussNewton(fg.ResidualLoss("u + u**3", NODES)),
                lambda metric, f: wrong_metrics.ResidualNotLinearised(
                    metric, lambda u: u.values + u.values**3
                ),
            )
        ),
        "metric-bilinear",
        r"it is not linear: <.*u \+ w, v> = ",
    ),
    "a kernel on a torus without the other images": (
        lambda: check_kernel(
            wrong.TorusKernelWithMissingImages(2.0, [1.0, 1.0], 0.3), domain=fg.Torus((1.0, 1.0))
        ),
        "kernel-positive",
        r"it is not positive definite: the Gram matrix at \d+ points has the eigenvalue -",
    ),
    "components that correlate by more than 1": (
        lambda: check_kernel(wrong.CouplingNotPositive()),
        "kernel-positive",
        r"it is not positive definite: the Gram matrix at 1 points has the eigenvalue -0.01",
    ),
    "a matrix-valued kernel that is not symmetric": (
        lambda: check_kernel(wrong.CouplingNotSymmetric()),
        "kernel-symmetric",
        r"k\(x, y\) = .* and k\(y, x\) = 0 for x = [\d.]+, component 0, y = [\d.]+, component 1",
    ),
    "a Gram matrix with its components apart": (
        lambda: check_kernel(wrong.GramByComponents([[2.0, 1.0], [1.0, 2.0]], fg.kernels.Gaussian())),
        "kernel-values",
        r"`gram` and the kernel differ with 4 points: .* at x = [\d.]+, y = ",
    ),
    "a product that forgets the coupling": (
        lambda: check_kernel(wrong.ProductWithoutCoupling([[2.0, 1.0], [1.0, 2.0]], fg.kernels.Gaussian())),
        "kernel-matvec",
        r"`matvec` is not the Gram matrix times v for 3 points: off by",
    ),
    "a kernel not positive definite by 1e-6": (
        lambda: check_kernel(wrong.KernelNotQuitePositive()),
        "kernel-positive",
        r"it is not positive definite: the Gram matrix at \d+ points has the eigenvalue -[\d.]+e-0[5-9]",
    ),
    "a kernel that is not symmetric": (
        lambda: check_kernel(wrong.AsymmetricKernel()),
        "kernel-symmetric",
        r"it is not symmetric: k\(x, y\) = .* and k\(y, x\) = .* for x = .*, y = ",
    ),
    "a kernel whose derivative has the wrong sign": (
        lambda: check_kernel(wrong.KernelWithWrongDerivative()),
        "kernel-derivative",
        r"the kernel's derivative ∂_x\^0 ∂_y\^1 k at x = .* by differences it is .*: the sign is wrong",
    ),
    "a kernel whose product leaves out a block": (
        lambda: check_kernel(wrong.KernelWithWrongProduct()),
        "kernel-matvec",
        r"`matvec` is not the Gram matrix times v for 130 points: off by",
    ),
    "a kernel that is positive definite on lines only": (
        lambda: check_kernel(wrong.TentInThePlane()),
        "kernel-positive",
        r"it is not positive definite: the Gram matrix at \d+ points has the eigenvalue -",
    ),
    "a kernel that is cut off near the ends": (
        lambda: check_kernel(wrong.CutOffAtTheEnds()),
        "kernel-positive",
        r"it is not positive definite: the Gram matrix at \d+ points has the eigenvalue -",
    ),
    "a kernel with jitter on its own diagonal": (
        lambda: check_kernel(wrong.KernelWithJitter()),
        "kernel-values",
        r"`gram\(X\)` and `gram\(X, X\)` differ by 1e-08: is something added on the diagonal\?",
    ),
    "a functional with a forgotten weight": (
        lambda: check_functional(wrong.ForgottenWeight()),
        "functional-refinement",
        r"F\(f\) is .* on 24 nodes and .* on 48 for the same function: is a quadrature weight forgotten\?",
    ),
    "a mean over nodes for an integral": (
        lambda: check_functional(
            wrong.MeanOverNodes(), f=fg.Interval(0, 1).grid(14).function(lambda x: np.exp(2 * x))
        ),
        "functional-refinement",
        r"F\(f\) is .* on 14 nodes and .* on 56 for the same function: are the weights those of <",
    ),
    "a differential with one wave too many": (
        lambda: check_functional(wrong.WrongOnOneWave()),
        "functional-taylor",
        r"dF\(v\), v = a sum of all modes, is not the derivative of the value: .* t\^1.00 and not t²",
    ),
    "a differential off by a factor": (
        lambda: check_functional(wrong.DifferentialOffByFactor()),
        "functional-taylor",
        r"the Taylor remainder goes like t\^1.00 and not t².*off by a factor of 2",
    ),
    "a functional taken for linear": (
        lambda: check_functional(wrong.FrozenDifferential(F), f=F),
        "functional-taylor",
        r"does not change as the value bends: half the second derivative is 3.142 by the values and 0 by dF",
    ),
    "a linear value with a differential that is not constant": (
        lambda: check_functional(wrong.LinearValue(F), f=F),
        "functional-taylor",
        r"the value is linear there to rounding, but dF\(v\), v = mode 0, changes at the rate 6.28",
    ),
    "a covector claimed too smooth": (
        lambda: check_functional(wrong.TooSmooth(fg.PointEvaluation(0.3)), f=F),
        "functional-regularity",
        r"for s > 0, but its dual norms grow as for a threshold of 0.50: it is claimed too smooth",
    ),
    "a Jacobian with one wrong sign": (
        lambda: check_model(wrong.OneWrongSign(), theta=[1.0, 2.0, 0.5]),
        "model-jacobian",
        r"the Jacobian in parameter `b` at x = 0\.[5-9]\d* is .*, by the complex step it is ",
    ),
    "a model that changes its parameters": (
        lambda: check_model(wrong.MutatingModel(), theta=[1.0, 2.0, 0.5]),
        "model-inputs",
        r"`the model` changed the array `theta` that it was given",
    ),
    "a model with a stale cache": (
        lambda: check_model(wrong.StaleModel(), theta=[1.0, 2.0, 0.5]),
        "model-cache",
        r"the value at θ and x is another after one at other parameters: is a cache stale\?",
    ),
    "a model whose value depends on the other points": (
        lambda: check_model(wrong.NormalisedModel(), theta=[1.0, 2.0, 0.5]),
        "model-pointwise",
        r"the value at x = .* depends on the other points",
    ),
    "a Jacobian wrong at an end of the interval": (
        lambda: check_model(wrong.WrongAtTheEnd(), theta=[1.0, 2.0, 0.5]),
        "model-jacobian",
        r"the Jacobian in parameter `c` at x = 1 is 2, by the complex step it is 1",
    ),
    "a model that returns one array every time": (
        lambda: check_model(wrong.OneBuffer(), theta=[1.0, 2.0, 0.5]),
        "model-cache",
        r"the Jacobian that was returned changed with the next call: is one array returned every time\?",
    ),
    "a Jacobian wrong in its second block": (
        lambda: check_model(wrong.WrongSecondBlock(), theta=[1.0, 2.0, 0.5]),
        "model-pointwise",
        r"the Jacobian at x = .* depends on the other points",
    ),
    "a model whose slope forgets the inner factor": (
        lambda: check_model(wrong.ModelWithWrongSlope(), theta=[1.0, 2.0, 0.5]),
        "model-derivatives",
        r"`derivative` of order \(1,\) at x = .*: it is off by a factor of 0.5",
    ),
    "an operator with the wrong adjoint at the boundary": (
        lambda: check_operator(wrong.WrongAdjointAtTheBoundary()),
        "operator-adjoint",
        r"`transpose\(\)` is not the adjoint: .* where the operator has .*, for node (0|15), at the boundary",
    ),
    "an operator with a right transpose and a wrong one": (
        lambda: check_operator(wrong.SecondTransposeWrong()),
        "operator-adjoint",
        r"`rmatvec` is not the adjoint: it has .* for node 9, at the boundary",
    ),
    "an end weight that does not belong": (
        lambda: check_operator(wrong.WrongEndWeight()),
        "operator-parts",
        r"it does not sum by parts along axis 0: .* do the weights and the rows at the boundary belong",
    ),
    "a domain with an eigenvalue off": (
        lambda: check_domain(wrong.WrongEigenvalue(2 * np.pi)),
        "domain-eigenvalues",
        r"eigenvalue 3 is given as 4.000004, but -Δ e_3 = 4 e_3",
    ),
    "a grid with one weight off": (
        lambda: check_domain(wrong.WrongWeight(0.0, 1.0)),
        "domain-weights",
        r"sum to 1.0002\d*, and the volume is 1; the weight of node 16 at \[0.\d+\] looks wrong",
    ),
    "a domain with the wrong volume": (
        lambda: check_domain(wrong.WrongVolume(2.0)),
        "domain-weights",
        r"the weights of .* sum to 2, and the volume is 1",
    ),
    "a distance on a circle that does not go round": (
        lambda: check_domain(wrong.ShortestNotRound(3.0)),
        "domain-distance",
        r"the points \[0.0\] and \[3.0\] have distance 3, but no eigenfunction tells them apart",
    ),
    "a gradient that is kept from the first f": (
        lambda: check_gradient(CONVEX, F, fg.Sobolev(1.0), gradient=kept_gradient),
        "gradient-elsewhere",
        r"right at f and not at 5f/4: is a gradient kept\? There it is not the gradient in H\^1",
    ),
    "a gradient in L2 handed over as one in H^1": (
        lambda: check_gradient(
            fg.PopulationLoss(np.cos),
            F,
            fg.Sobolev(1.0),
            gradient=lambda u: fg.gradient(fg.PopulationLoss(np.cos), u, fg.L2()),
        ),
        "gradient-riesz",
        r"it is not the gradient in H\^1: <∇F, v> = .* and dF\(v\) = .* for v = mode \d",
    ),
    "a gradient with a cell's volume in it": (
        lambda: check_gradient(
            fg.PopulationLoss(np.cos),
            F,
            fg.L2(),
            gradient=lambda u: u.grid.function(u.grid.weights * (u.values - np.cos(u.grid.nodes[:, 0]))),
        ),
        "gradient-refinement",
        r"∫ ∇F v is .* on 24 nodes and .* on 48, v = mode 0: is a cell's volume missing",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_object_is_caught_in_the_users_words(name):
    run, check_id, message = WRONG[name]
    with pytest.raises(ConformanceError, match=message) as caught:
        run()
    (result,) = [result for result in caught.value.results if result.id == check_id]
    assert re.search(message, result.message)
    assert result.status == "failed"
    assert result.margin < 0
    assert result.input is not None


@pytest.mark.parametrize("seed", range(5))
def test_wrong_objects_are_caught_whatever_the_seed(seed):
    for metric in (wrong_metrics.AsymmetricMetric(fg.L2()), wrong_metrics.IndefiniteMetric(fg.Sobolev(1.0))):
        with pytest.raises(ConformanceError):
            check_metric(metric, rng=seed)
    for kernel in (
        wrong.KernelNotQuitePositive(),
        wrong.AsymmetricKernel(),
        wrong.KernelWithWrongDerivative(),
    ):
        with pytest.raises(ConformanceError):
            check_kernel(kernel, rng=seed)
    for model in (wrong.StaleModel(), wrong.MutatingModel(), wrong.OneWrongSign()):
        with pytest.raises(ConformanceError):
            check_model(model, theta=[1.0, 2.0, 0.5], rng=seed)


def test_the_right_object_behind_each_wrong_one_passes():
    """What was spoilt is what fails: unspoilt, the same duck-typed objects are accepted."""
    check_metric(wrong_metrics.Wrapped(fg.Sobolev(1.0)))
    check_kernel(wrong.PlainKernel())
    check_functional(wrong.HalfSquare())
    check_model(wrong.Wave(), theta=[1.0, 2.0, 0.5])
