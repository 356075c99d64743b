"""Layer 3: metrics on functions."""

from funcgrad.metrics.base import Metric, SpectralMetric
from funcgrad.metrics.energy import Energy, GaussNewton
from funcgrad.metrics.fisher import Bernoulli, Categorical, Fisher, Gaussian, Likelihood, Poisson
from funcgrad.metrics.l2 import L2
from funcgrad.metrics.rkhs import RKHS
from funcgrad.metrics.sobolev import Sobolev

__all__ = [
    "L2",
    "RKHS",
    "Bernoulli",
    "Categorical",
    "Energy",
    "Fisher",
    "GaussNewton",
    "Gaussian",
    "Likelihood",
    "Metric",
    "Poisson",
    "Sobolev",
    "SpectralMetric",
]
