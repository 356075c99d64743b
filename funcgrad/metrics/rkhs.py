"""The metric of a reproducing kernel Hilbert space."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import scipy.linalg

from funcgrad.errors import ConvergenceError, FuncgradError, InvalidInput, NotPositiveDefinite
from funcgrad.functionals.covector import Covector, point_evaluations
from funcgrad.functionals.surface_term import SurfaceTerm
from funcgrad.kernels import Evaluations, GramSolver, Kernel, MatrixValuedKernel, functional_gram
from funcgrad.kernels.gram_solver import LARGEST_CHOLESKY
from funcgrad.metrics.base import Metric
from funcgrad.operators.square_root import FiniteRankRoot, TriangularRoot
from funcgrad.spaces.function import Function

# Relative changes below which an integral over a surface has settled, of a function and of a number; numbers
# of nodes a direction on curves and on surfaces.
_TOLERANCE, _NORM_TOLERANCE = 1e-6, 1e-8
_COUNTS = {1: (16, 32, 64, 128, 256, 512, 1024, 2048), 2: (6, 12, 24, 48, 96)}


@dataclass(frozen=True, eq=False)
class RKHS(Metric):
    """The inner product of the Hilbert space in which a kernel is reproducing: <u, K(x, .)> = u(x).

    A covector c has the representer x ↦ c(K(x, .)), exactly, without a grid; surface integrals are taken
    with as many nodes as it needs to settle to a relative 1e-6, norms to 1e-8. A kernel expansion
    Σ a_i K(x_i, .) is the representer of Σ a_i δ_{x_i}. A `Function` on a grid stands for the function
    of least norm with its nodal values, u·K_XX⁻¹v.

    Parameters
    ----------
    kernel : Kernel or MatrixValuedKernel
        Of a scalar kernel functions with m components are taken componentwise; a matrix-valued one couples
        them. A tangent kernel's space is the tangent space itself: on a grid, functions outside are refused.

    Examples
    --------
    >>> import funcgrad as fg
    >>> H = fg.RKHS(fg.kernels.Matern(1.5))
    >>> delta = fg.PointEvaluation(0.3)
    >>> H.dual_norm(delta, fg.Interval(0, 1))                       # √K(x, x)
    1.0
    >>> g = H.representer(delta)                                    # K(0.3, .)
    >>> round(float(g([0.8])[0]), 6) == round(H.kernel(0.3, 0.8), 6)
    True
    """

    kernel: Any

    def __post_init__(self):
        if not isinstance(self.kernel, Kernel | MatrixValuedKernel):
            raise InvalidInput(f"`kernel` must be a Kernel; got {type(self.kernel).__name__}.")

    def square_root(self, grid):
        """Return S = L⁻¹ for the Gram matrix K_XX = LLᵀ of the grid's nodes.

        For a kernel of finite rank (one with `features`), S is that on the range of K_XX.

        Raises
        ------
        NotPositiveDefinite
            If K_XX is singular to rounding: too many nodes for so smooth a kernel.
        """
        return _rkhs_root(self, grid)

    def whiten(self, c, grid):
        """See `Metric.whiten`: L⁻¹g for the exact representer g of c at the nodes."""
        return self.square_root(grid).apply(self.representer(c)(grid.nodes))

    def riesz(self, c, grid):
        """Return the exact representer c(K(x, .)), sampled on a grid.

        With g the representer itself, <g, v> = c(v) for every v of the space. A `Function` on the grid stands
        for the function of least norm with its values; so `inner` of what is returned here and of nodal
        values v is c of v's interpolant by the kernel, Σ a_i K(x_i, .) over the nodes, exactly. That is c(v),
        v the grid's own interpolant (a polynomial, a trigonometric sum), where c looks at values at nodes
        only; otherwise up to what c makes of the difference of the two interpolants.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> H, grid = fg.RKHS(fg.kernels.Matern(1.5)), fg.Interval(0, 1).grid(8)
        >>> c, v = fg.PointEvaluation(0.3), grid.function(np.sin)
        >>> g = H.riesz(c, grid)
        >>> by_kernel = H.representer(H.flat(v))                     # the interpolant of v by the kernel
        >>> round(H.inner(g, v), 8) == round(float(by_kernel([0.3])[0]), 8)
        True
        >>> round(abs(H.inner(g, v) - c(v)), 6)                      # c of the polynomial, not quite
        0.000216
        >>> node = fg.PointEvaluation(grid.nodes[2])
        >>> bool(abs(H.inner(H.riesz(node, grid), v) - node(v)) < 1e-12)
        True
        """
        return Function(grid, self.representer(c)(grid.nodes))

    def representer(self, c):
        """Return the Riesz representer of a covector as a callable of points (K, n), exact anywhere.

        Raises
        ------
        ConvergenceError
            By the callable, if a surface integral does not settle: for a rough kernel, near the surface.
        """
        _parts(c)  # refuses what is no covector here, not when the callable is used

        def g(x):
            values = _settled(lambda count: self._representer_values(c, x, count), c)
            return values[:, 0] if values.shape[1] == 1 and isinstance(self.kernel, Kernel) else values

        return g

    def _representer_values(self, c, x, count):
        """The representer's values at points, (K, m), with rules of `count` nodes for surfaces."""
        if isinstance(self.kernel, MatrixValuedKernel):
            parts = self._sections(c, count=count)
            values = [section.matvec(x, points, weights) for section, points, weights in parts]
            return sum(values, np.zeros((_count(x), self.kernel.n_components)))
        sections = [functional_gram(self.kernel, Evaluations(x), part) for part in _evaluations(c, count)]
        return sum(sections, np.zeros((_count(x), 1)))

    def dual_inner(self, c, d):
        """Return the inner product of the representers of two covectors, c ⊗ d applied to the kernel.

        Over surfaces rough kernels are integrated across their kink on the diagonal, where the error of
        a rule falls like a power of the number of nodes: what the rules tend to is extrapolated.

        Raises
        ------
        ConvergenceError
            If that does not settle to a relative 1e-8.
        """

        return float(_settled(lambda count: self._dual_inner(c, d, count), c, d))

    def _dual_inner(self, c, d, count):
        if isinstance(self.kernel, MatrixValuedKernel):
            total = 0.0
            for points, alpha, weights in _weighted(c, self.kernel, count):
                for section, others, right in self._sections(d, alpha, count):
                    total += float(np.sum(weights * section.matvec(points, others, right)))
            return total
        pairs = product(_evaluations(c, count), _evaluations(d, count))
        return sum(float(np.trace(functional_gram(self.kernel, *pair))) for pair in pairs)

    def _sections(self, c, alpha=None, count=None):
        """Yield (∂_x^α ∂_y^β K, points, weights) for the evaluations ∂^β of a covector."""
        for points, beta, weights in _weighted(c, self.kernel, count):
            orders = (0,) * points.shape[1] if alpha is None else alpha
            yield self.kernel.derivative(orders, beta), points, weights

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`; infinite if a derivative exceeds the kernel's smoothness."""
        try:
            return math.sqrt(max(self.dual_inner(c, c), 0.0))
        except FuncgradError:
            if self.admits(c) is not False:
                raise
            return math.inf

    def analysis(self, c):
        """See `Metric.analysis`."""
        return self.admits(c), self.reason(c)

    def admits(self, c):
        """Return whether a covector is bounded: iff ∂_x^α ∂_y^α K exists for each of its derivatives α.

        None where that leaves it open: integrals of derivatives over a surface may be bounded where
        derivatives at points are not.
        """
        if self._differentiates(_highest_order(c)):
            return True
        at_points = max((term.order for term in c.terms if not isinstance(term, SurfaceTerm)), default=0)
        return None if self._differentiates(at_points) else False

    def _differentiates(self, order):
        return order == 0 or 2 * order < self.kernel.smoothness

    def reason(self, c):
        """Return why a covector is bounded or not, in words."""
        order = _highest_order(c)
        if order == 0:
            return "point evaluations and integrals are bounded in every RKHS"
        if self.admits(c) is None:
            return (
                f"an integral of normal derivatives of order {order} over a surface may be bounded though "
                f"the kernel has no derivative of order {order} in each argument"
            )
        exists = "exists" if self.admits(c) else "does not exist"
        return (
            f"a point derivative of order {order} is bounded iff the kernel's of order {order} in each "
            f"argument exists; it {exists} (smoothness {self.kernel.smoothness:g}, {2 * order} needs more)"
        )

    def flat(self, u):
        """Return v ↦ u·K_XX⁻¹v: evaluations at the nodes with the interpolant's coefficients."""
        root = self.square_root(u.grid)
        return point_evaluations(u.grid.nodes, root.apply_transpose(root.apply(u.values)))

    def __str__(self):
        return f"the RKHS of {self.kernel!r}"


def _highest_order(c):
    return max((term.order for term in c.terms), default=0)


@lru_cache(maxsize=8)
def _rkhs_root(metric, grid):
    kernel = metric.kernel
    if hasattr(kernel, "features"):
        return FiniteRankRoot(kernel.features(grid.nodes))
    m = kernel.n_components if isinstance(kernel, MatrixValuedKernel) else 1
    if len(grid) * m > LARGEST_CHOLESKY:
        raise InvalidInput(f"{metric} on a grid takes at most {LARGEST_CHOLESKY // m} nodes; got {grid!r}.")
    if isinstance(kernel, Kernel):
        return TriangularRoot(GramSolver(kernel, grid.nodes).factor)
    try:
        return TriangularRoot(scipy.linalg.cholesky(kernel.gram(grid.nodes), lower=True), (m,))
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefinite(
            f"the Gram matrix of {kernel!r} at {len(grid)} nodes is not positive definite to rounding: a "
            "coupling is singular, or the nodes lie too close for so smooth a kernel."
        ) from error


def _count(x):
    """Return how many points x holds."""
    return np.size(x) if np.ndim(x) < 2 else len(x)


def _parts(c, count=None):
    """Return a covector as weighted evaluations (points, derivative, weights).

    Surface integrals by a rule of `count` nodes a direction.
    """
    if not isinstance(c, Covector):
        raise InvalidInput(f"`c` must be a Covector; got {type(c).__name__}.")
    parts = []
    for term in c.terms:
        parts += term.evaluations(count) if isinstance(term, SurfaceTerm) else term.evaluations()
    return parts


def _evaluations(c, count=None):
    """Return a covector as `Evaluations`, one row of weights for each component."""
    return [Evaluations(points, order, weights.T) for points, order, weights in _parts(c, count)]


def _weighted(c, kernel, count=None):
    """Return a covector of functions with the kernel's components as weighted evaluations."""
    parts = _parts(c, count)
    for _, _, weights in parts:
        if weights.shape[1:] != (kernel.n_components,):
            raise InvalidInput(
                f"`c` must be a covector of functions with {kernel.n_components} components; its weights "
                f"have shape {weights.shape}."
            )
    return parts


def _settled(at_count, *covectors):
    """Return what `at_count(nodes)` tends to, a number or an array; without surfaces it is asked once.

    A number is extrapolated by Wynn's epsilon algorithm, which needs no exponents of the error.
    """
    terms = [term for c in covectors for term in getattr(c, "terms", ())]
    dimensions = [term.surface.dimension for term in terms if isinstance(term, SurfaceTerm)]
    if not dimensions:
        return at_count(None)
    values, estimates, change = [], [], math.inf
    for count in _COUNTS[max(dimensions)]:
        values.append(at_count(count))
        scalar = np.ndim(values[-1]) == 0
        estimates.append(_limit(values) if scalar else values[-1])
        if len(estimates) < 3:
            continue
        scale = np.max(np.abs(estimates[-1]))
        change = max(np.max(np.abs(estimates[-1] - earlier)) for earlier in estimates[-3:-1])
        # Both earlier estimates must agree: an extrapolation may repeat itself by chance once.
        if change <= (_NORM_TOLERANCE if scalar else _TOLERANCE) * scale:
            return estimates[-1]
    raise ConvergenceError(
        f"an integral over a surface does not settle with {count} nodes a direction (last change "
        f"{change:.0e}): the kernel is too rough, here or near the surface. Take a smoother kernel."
    )


def _limit(values):
    """Return the limit of a sequence whose error is a sum of geometric ones (P. Wynn, 1956)."""
    before, current = np.zeros(len(values) + 1), np.array(values)
    best = current[-1]
    for column in range(1, len(values)):
        steps = np.diff(current)
        if np.any(np.abs(steps) <= 4 * np.finfo(float).eps * abs(best)):
            break
        before, current = current, before[1:-1] + 1 / steps
        if column % 2 == 0:
            best = current[-1]
    return best
