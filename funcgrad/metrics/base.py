"""The base classes of metrics."""

import itertools
import math
import operator
from abc import ABC, abstractmethod

import numpy as np

from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.functionals.covector import Covector, sum_of_terms
from funcgrad.functionals.sampled_density import sampled_bound
from funcgrad.functionals.terms import DensityTerm, PointTerm
from funcgrad.spaces.function import Function


class Combinable:
    """What can be added to metrics and multiplied by positive numbers."""

    # numpy's scalars leave `2.0 * metric` to us.
    __array_ufunc__ = None

    def __add__(self, other):
        """Return the sum, <u, v> = <u, v>_1 + <u, v>_2."""
        if not isinstance(other, Combinable):
            return NotImplemented
        from funcgrad.metrics.sums import sum_of_metrics

        return sum_of_metrics([(1.0, self), (1.0, other)])

    def __mul__(self, factor):
        """Return the metric times a positive number."""
        if isinstance(factor, Combinable) or not np.isscalar(factor):
            return NotImplemented
        from funcgrad.metrics.sums import sum_of_metrics

        return sum_of_metrics([(factor, self)])

    __rmul__ = __mul__


class Metric(Combinable, ABC):
    """An inner product on functions: the one thing that turns covectors into gradients.

    A subclass gives the three abstract methods below. Everything on a grid goes through
    `square_root`, so that errors grow with the condition number of S and not with its square.

    Examples
    --------
    L2 of the interval, written from scratch:

    >>> import math, numpy as np, funcgrad as fg
    >>> from funcgrad.operators.square_root import DiagonalRoot
    >>> class Plain(fg.Metric):
    ...     def square_root(self, grid):
    ...         return DiagonalRoot(grid.weights)
    ...
    ...     def flat(self, u):
    ...         return fg.Density(u)
    ...
    ...     def dual_norm(self, c, domain):
    ...         return math.inf if c.atoms else fg.L2().dual_norm(c, domain)
    >>> grid = fg.Interval(0, 1).grid(8)
    >>> u = grid.function(np.exp)
    >>> round(Plain().norm(u) ** 2, 12) == round((math.e**2 - 1) / 2, 12)
    True
    """

    @abstractmethod
    def square_root(self, grid):
        """Return the `SquareRoot` S of the metric on a grid, <u, v> = (Su)·(Sv), factored once."""

    @abstractmethod
    def flat(self, u):
        """Return the `Covector` v ↦ <u, v> of a `Function`."""

    @abstractmethod
    def dual_norm(self, c, domain):
        """Return sup c(v) over all functions on the domain with ‖v‖ <= 1; infinite if unbounded."""

    def analysis(self, c):
        """Return (whether a covector is bounded: True, False or None, why), or None.

        None, the default, leaves the answer to the metric's Sobolev order, if it is a `SpectralMetric`.
        """

    def inner(self, u, v):
        """Return <u, v> for two functions on one grid."""
        _require_function(u, "u")
        _require_function(v, "v")
        if u.grid != v.grid:
            raise DomainMismatch(f"`u` and `v` live on different grids: {u.grid!r} and {v.grid!r}.")
        root = self.square_root(u.grid)
        return float(np.sum(root.apply(u.values) * root.apply(v.values)))

    def norm(self, u):
        """Return √<u, u>."""
        _require_function(u, "u")
        return float(np.linalg.norm(self.square_root(u.grid).apply(u.values)))

    def whiten(self, c, grid):
        """Return r = S⁻ᵀc, (M,) or (M, m): the covector in coordinates where the metric is Euclidean."""
        return self.square_root(grid).solve_transpose(c.components(grid))

    def riesz(self, c, grid):
        """Return the Riesz representer of a covector among the grid's functions.

        It is the g with <g, v> = c(v) for every function v of the grid. Every covector has one on every
        grid; whether these converge as the grid is refined is what `gradient_exists` answers.

        Parameters
        ----------
        c : Covector
        grid : Grid

        Returns
        -------
        Function
        """
        if not isinstance(c, Covector):
            raise InvalidInput(f"`c` must be a Covector, such as F.differential(f); got {type(c).__name__}.")
        if not hasattr(grid, "weights"):
            raise InvalidInput(f"`grid` must be a Grid, such as domain.grid(64); got {grid!r}.")
        return Function(grid, self.square_root(grid).solve(self.whiten(c, grid)))


def _require_function(u, name):
    if not isinstance(u, Function):
        raise InvalidInput(
            f"`{name}` must be a Function, made with `grid.function(...)`; got {type(u).__name__}."
        )


class MetricField(Combinable, ABC):
    """A metric that depends on the function at which it is taken: an inner product at each base point.

    What takes a metric takes one of these too, and asks for it `at` its own current function.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> isinstance(fg.FisherRao(), fg.metrics.MetricField)
    True
    >>> density = fg.Interval(0, 1).grid(16).function(lambda x: np.full_like(x, 2.0))
    >>> round(fg.FisherRao().at(density).norm(density) ** 2, 12)                # ∫ u²/ρ
    2.0
    """

    @abstractmethod
    def at(self, f):
        """Return the `Metric` at a base point, a `Function`."""


def at_base_point(metric, f):
    """Return the metric at a base point, for one that depends on it; others as they are."""
    return metric.at(f) if hasattr(metric, "at") else metric


class SpectralMetric(Metric):
    """A metric <u, v> = <σ(-Δ) u, v>_0 given by a positive symbol σ on the eigenvalues of -Δ.

    Attributes
    ----------
    order : float
        The Sobolev order s of the norm: σ(λ) grows like λ^s.

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.metrics import SpectralMetric
    >>> metric = fg.Sobolev(2.0, length_scale=0.5)
    >>> isinstance(metric, SpectralMetric), metric.order, float(metric.symbol(4.0))
    (True, 2.0, 4.0)
    """

    order: float

    @abstractmethod
    def symbol(self, eigenvalues):
        """Return σ(λ) for eigenvalues λ >= 0 of -Δ; 0 for modes that the space does not contain."""

    def spectral_domain(self, domain):
        """Return the domain whose Laplacian σ is a function of: the domain itself, if nothing else is said.

        A metric that is not spectral on its domain, but equivalent to the spectral one of a larger domain
        for functions restricted from there, returns that: a covector is bounded on both or on neither.
        """
        return domain

    @abstractmethod
    def green_kernel(self, domain):
        """Return the reproducing kernel of the metric, σ(-Δ) K(x, .) = δ_x (order > n/2)."""

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`.

        Point evaluations are paired exactly, through the reproducing kernel, and with surface integrals
        through the heat kernel; densities on the grid on which they are known. For a metric weaker than L2,
        of order -s, that of a density g is its own norm in H^s, and finite if g is as smooth as that.

        Raises
        ------
        ConvergenceError
            If surfaces are too small, or too near each other, for a relative error of 1e-6 of its square;
            if densities must be smoother than L2, and their samples do not tell that, or not to 1e-6.
        """
        if not self.bounds(c, domain):
            return math.inf
        singular = sum_of_terms(term for term in c.terms if not isinstance(term, DensityTerm))
        squared = self._squared_dual_norm(singular, domain) if singular.terms else 0.0
        for density in c.densities:
            representer = self.riesz(Covector(densities=[density]), density[0].grid)
            squared += 2 * singular(representer) + Covector(c.densities)(representer)
        return math.sqrt(max(squared, 0.0))

    def bounds(self, c, domain):
        """Return whether a covector is bounded, True or False.

        Raises
        ------
        ConvergenceError
            If that depends on densities of which too few samples are known.
        """
        sampled = [isinstance(term, DensityTerm) and term.order > self.order for term in c.terms]
        exact = sum_of_terms(itertools.compress(c.terms, map(operator.not_, sampled)))
        if not exact.regularity_in(domain.dimension).admits(self.order):
            return False
        return all(sampled_bound(term, self, domain) for term in itertools.compress(c.terms, sampled))

    def _squared_dual_norm(self, c, domain):
        """‖c‖² of a covector without densities."""
        if c.surfaces:
            raise InvalidInput(
                f"the dual norm of a surface integral in {self} is not available; on one grid take "
                "`norm(riesz(c, grid))`."
            )
        return _energy_of_atoms(c, self.green_kernel(domain))


def bounded_on_scale(c, order):
    """Return whether a covector is bounded on H^order, None where its terms alone do not tell.

    They do not for densities that may be rougher than L2, and for evaluations at points of three
    coordinates, on the sphere or in space, between the thresholds of both.
    """
    if c.regularity.admits(order):
        return True
    points = [term for term in c.terms if isinstance(term, PointTerm)]
    on_a_sphere = points and points[0].points.shape[1] == 3
    undecided = c.densities or (on_a_sphere and c.regularity_in(2).admits(order))
    return None if undecided else False


def _energy_of_atoms(c, kernel):
    """Σ_ij w_i·w_j ∂_x^{α_i} ∂_y^{α_j} K(x_i, x_j) over the atoms of a covector."""
    total = 0.0
    for points, alpha, weights in c.point_groups():
        for other_points, beta, other_weights in c.point_groups():
            section = kernel.derivative(alpha, beta) if sum(alpha) + sum(beta) else kernel
            total += float(
                np.sum(weights * np.tensordot(section.gram(points, other_points), other_weights, 1))
            )
    return total
