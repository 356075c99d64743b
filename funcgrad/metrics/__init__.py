"""Layer 3: metrics on functions."""

from funcgrad.metrics.base import Metric, MetricField, SpectralMetric
from funcgrad.metrics.energy import Energy, GaussNewton
from funcgrad.metrics.fisher import Bernoulli, Categorical, Fisher, Gaussian, Likelihood, Poisson
from funcgrad.metrics.fisher_rao import FisherRao
from funcgrad.metrics.l2 import L2
from funcgrad.metrics.rkhs import RKHS
from funcgrad.metrics.sobolev import Sobolev
from funcgrad.metrics.tangent_extended import TangentExtended
from funcgrad.metrics.wasserstein import Wasserstein

__all__ = [
    "L2",
    "RKHS",
    "Bernoulli",
    "Categorical",
    "Energy",
    "Fisher",
    "FisherRao",
    "GaussNewton",
    "Gaussian",
    "Likelihood",
    "Metric",
    "MetricField",
    "Poisson",
    "Sobolev",
    "SpectralMetric",
    "TangentExtended",
    "Wasserstein",
]
