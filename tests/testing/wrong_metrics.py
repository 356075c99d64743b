"""Deliberately wrong metrics: each keeps its contract in all but one point."""

import dataclasses
import math

import numpy as np

import funcgrad as fg
from funcgrad.functionals import Density
from funcgrad.metrics import Sobolev

# --- metrics: duck-typed around a right one ------------------------------------------------------------


class Wrapped:
    """A right metric's five members, to be spoilt one at a time; no subclass of the library's."""

    def __init__(self, metric):
        self.metric = metric

    def inner(self, u, v):
        return self.metric.inner(u, v)

    def norm(self, u):
        return math.sqrt(self.inner(u, u))

    def flat(self, u):
        return self.metric.flat(u)

    def riesz(self, c, grid):
        return self.metric.riesz(c, grid)

    def dual_norm(self, c, domain):
        return self.metric.dual_norm(c, domain)

    def __repr__(self):
        return type(self).__name__


class AsymmetricMetric(Wrapped):
    def inner(self, u, v):
        return self.metric.inner(u, v) + 1e-6 * u.integral() * v.grid.integrate(
            v.values * np.sin(v.grid.nodes[:, 0])
        )


class IndefiniteMetric(Wrapped):
    """Negative on the second mode alone."""

    def inner(self, u, v):
        wave = np.cos(u.grid.nodes[:, 0]) / math.sqrt(math.pi)
        parts = [u.grid.integrate(w.values * wave) for w in (u, v)]
        return self.metric.inner(u, v) - 3.0 * parts[0] * parts[1]


class MetricWithoutWeights(Wrapped):
    """Σ u_j v_j: each cell counts 1."""

    def inner(self, u, v):
        return float(np.sum(u.values * v.values))

    def flat(self, u):
        return Density(u.grid.function(u.values / u.grid.weights))

    def riesz(self, c, grid):
        return grid.function(c.components(grid))

    def dual_norm(self, c, domain):
        return math.inf


class MetricWithAnotherRiesz(Wrapped):
    """The inner product of H^1 and the Riesz map of H^2."""

    def riesz(self, c, grid):
        return Sobolev(2.0).riesz(c, grid)


class MetricWithWrongDualNorm(Wrapped):
    """The square of the dual norm."""

    def dual_norm(self, c, domain):
        return self.metric.dual_norm(c, domain) ** 2


@dataclasses.dataclass(eq=False)
class MetricWithoutLengthScale(Wrapped):
    length_scale: float = 0.5

    def __post_init__(self):
        self.metric = Sobolev(1.0)


class MetricWithStaleFactor(Wrapped):
    """Representers are computed with what the last inner product factored, on whichever grid that was."""

    _last = None

    def inner(self, u, v):
        self._last = u.grid
        return self.metric.inner(u, v)

    def riesz(self, c, grid):
        last = grid if self._last is None else self._last
        return grid.function(self.metric.riesz(c, last))


class PositiveForEvenNumbers(Wrapped):
    """On an odd number of nodes it is negative on a wave from node to node."""

    def inner(self, u, v):
        n = len(u.grid)
        if n % 2 == 0:
            return self.metric.inner(u, v)
        wave = (-1.0) ** np.arange(n) * u.grid.weights
        return self.metric.inner(u, v) - 10 * float(wave @ u.values) * float(wave @ v.values)


class OneBuffer(Wrapped):
    """Every representer on as many nodes is one Function, whose values are those asked for last."""

    def __init__(self, metric):
        super().__init__(metric)
        self._kept = {}

    def riesz(self, c, grid):
        g = self.metric.riesz(c, grid)
        kept = self._kept.setdefault(len(grid), g)
        kept.values.setflags(write=True)
        kept.values[...] = g.values
        return kept


class DualNormOfPointsTooLarge(Wrapped):
    """By half, for what has atoms: it bounds |c(v)| all the same."""

    def dual_norm(self, c, domain):
        return self.metric.dual_norm(c, domain) * (1.5 if c.atoms else 1.0)


# --- metrics made of others ------------------------------------------------------------------------------


class SumOfRepresenters(Wrapped):
    """A sum whose Riesz map is the sum of the Riesz maps."""

    def __init__(self, first, second):
        super().__init__(first + second)
        self.parts = first, second

    def riesz(self, c, grid):
        first, second = (part.riesz(c, grid) for part in self.parts)
        return first + second


class ForgottenComplement(Wrapped):
    """A metric on parameters that forgets the functions off the tangent space."""

    def inner(self, u, v):
        root = self.metric.square_root(u.grid)
        return float(root.coordinates(u.values) @ root.coordinates(v.values))


class ForgottenComponent(Wrapped):
    """On functions with several components, the inner product of all but the last."""

    def inner(self, u, v):
        return self.metric.inner(*(w.grid.function(w.values[:, :-1]) for w in (u, v)))


# --- metrics that depend on their base point --------------------------------------------------------------


class Field:
    """A field of metrics, spoilt by what it makes of the metric at a function; no subclass."""

    def __init__(self, field, spoil=None):
        self.field, self.spoil = field, spoil

    def at(self, f):
        metric = self.field.at(f)
        return metric if self.spoil is None else self.spoil(metric, f)

    def __repr__(self):
        return type(self).__name__


class DensityForgottenInRiesz(Wrapped):
    """∫uv/ρ with the representer g and not ρg."""

    def riesz(self, c, grid):
        return fg.L2().riesz(c, grid)


class SpreadWithoutWeights(Wrapped):
    """The metric at ρ/Σρ_j: the mass of a density is taken for the sum of its nodal values."""

    def __init__(self, metric, f):
        super().__init__(fg.FisherRao().at(f * (1 / float(np.sum(f.values)))))


class KeepsTheFirst(Field):
    """What was made for the first base point is given for every other."""

    _made = None

    def at(self, f):
        self._made = super().at(f) if self._made is None else self._made
        return self._made


class NormalisesItsBase(Field):
    """`at` divides the density that it is given by its mass, in place."""

    def at(self, f):
        f.values.setflags(write=True)
        f.values[...] /= f.integral()
        return super().at(f)


class OneObject(Field):
    """`at` changes the one metric that it returned before."""

    def __init__(self):
        super().__init__(fg.FisherRao())
        self._wrapped = Wrapped(None)

    def at(self, f):
        self._wrapped.metric = super().at(f)
        return self._wrapped


class FlowAgainstTheGradient(Wrapped):
    """Representers of the wrong sign: +∇·(ρ∇g)."""

    def riesz(self, c, grid):
        return -self.metric.riesz(c, grid)


class ResidualNotLinearised(Wrapped):
    """Σ R(v) R(w) with the residual itself in the place of its derivative."""

    def __init__(self, metric, residual):
        super().__init__(metric)
        self.residual = residual

    def inner(self, u, v):
        return float(np.sum(self.residual(u) * self.residual(v)))
