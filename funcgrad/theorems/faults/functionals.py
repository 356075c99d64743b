"""Faults in functionals."""

import numpy as np

from funcgrad.theorems.faults.fault import Fault, scaled


def _without_the_last_point(original):
    def broken(self, slopes):
        slopes = slopes.copy()
        slopes[-1] = 0.0
        return original(self, slopes)

    return broken


def _without_weights(original):
    def broken(self, slopes):
        weights, self.weights = self.weights, np.ones(len(self.x))
        try:
            return original(self, slopes)
        finally:
            self.weights = weights

    return broken


FUNCTIONALS = (
    Fault(
        "point-dropped",
        "the differential of a loss without its last point",
        "functionals.losses:EmpiricalLoss._at_points",
        _without_the_last_point,
        ("ntk-gradient",),
    ),
    Fault(
        "weights-of-samples",
        "the differential of a loss without the weights of its points",
        "functionals.losses:EmpiricalLoss._at_points",
        _without_weights,
        ("ntk-gradient",),
    ),
    Fault(
        "targets-forgotten",
        "f in place of f - y in the squared loss",
        "functionals.pointwise_losses:Squared.derivative",
        lambda original: lambda self, z, y: z + 0 * y,
        ("ntk-gradient", "energy-decay"),
    ),
    Fault(
        "logistic-term",
        "the derivative of the logistic loss without y",
        "functionals.pointwise_losses:Logistic.derivative",
        lambda original: lambda self, z, y: original(self, z, 0 * y),
        ("ntk-gradient",),
    ),
    Fault(
        "derivative-off-by-one",
        "point derivatives of one order less",
        "functionals.terms:PointTerm.coefficients",
        lambda original: (
            lambda self, domain, count: original(
                type(self)(self.points, (max(0, self.derivative[0] - 1), *self.derivative[1:]), self.weights),
                domain,
                count,
            )
        ),
        ("derivative-threshold",),
    ),
    Fault(
        "surface-measure",
        "surface integrals 1% too large",
        "functionals.surface_term:SurfaceTerm.coefficients",
        scaled(1.01),
        ("trace-threshold",),
    ),
)
