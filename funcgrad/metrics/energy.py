"""Energy metrics: the second variation of a functional as an inner product."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from funcgrad.errors import DomainMismatch, FuncgradError, InvalidInput
from funcgrad.functionals.covector import point_evaluations
from funcgrad.functionals.functional import Functional
from funcgrad.functionals.integrals import Integral
from funcgrad.functionals.pointwise_form import combined_forms
from funcgrad.functionals.terms import PointTerm
from funcgrad.metrics.base import Metric, MetricField, bounded_on_scale
from funcgrad.metrics.equivalence import sobolev_equivalence
from funcgrad.metrics.refinement import settled_value
from funcgrad.operators.jet_root import CholeskyRoot, JetRoot, semidefinite_factors
from funcgrad.operators.jets import JetRows
from funcgrad.operators.tensor_derivative_root import TensorDerivativeRoot
from funcgrad.spaces.function import Function
from funcgrad.spaces.polynomial_grid import is_polynomial_product

# The most cardinal functions that a second variation without known forms is applied to, one by one.
_MOST_APPLIED = 1024
# The most nodes of the grids that dual norms over all functions are extrapolated from.
_MOST_REFINED, _TOLERANCE = 1024, 1e-5
# Half the squared norm of W^{k,2} on a line.
_LAGRANGIANS = {1: "(u_x**2 + u**2)/2", 2: "(u_xx**2 + 2*u_x**2 + u**2)/2"}
# What a covector leaves of constants, relative to its weights, that counts as nothing.
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Energy(MetricField):
    """The metric <v, w>_u = D²E(u)[v, w]: the second variation of an energy E at the base point u.

    ``metric.at(u)`` is the metric at u; `gradient`, `gram`, `natural_gradient` and `descend` take it at
    their own function. For a quadratic energy it does not depend on u, and the gradient in it is u - u*
    with the minimiser u*: one step ends in the projection onto the tangent space. In general it is
    Newton's direction.

    On a domain with Dirichlet conditions the space is that of the functions that vanish at the boundary,
    and others are refused; other domains impose nothing (conditions are natural, penalties are further
    terms of E). Where D²E is positive point by point, S stacks the derivatives of the function at the
    points, and models are differentiated exactly. Where it is not, it may still be positive on the
    grid's functions, which is found out.

    Parameters
    ----------
    functional : Functional
        E: an `Integral`, losses at points or on a domain, sums of them; any `Functional` with a second
        variation on grids of up to 1024 nodes.

    Raises
    ------
    NotPositiveDefinite
        By what uses the metric, where D²E(u) is not positive.

    Examples
    --------
    >>> import funcgrad as fg
    >>> E = fg.Integral("(u_x**2 + u_y**2)/2 - u", "x y")
    >>> grid = fg.Box([(0, 1), (0, 1)], boundary="dirichlet").grid(12)
    >>> u = grid.function(lambda x, y: x * (1 - x) * y * (1 - y))
    >>> metric = fg.metrics.Energy(E).at(u)
    >>> round(metric.norm(u) ** 2, 12) == round(1 / 45, 12)                     # ∫ |∇u|²
    True
    >>> solution = u - fg.gradient(E, u, fg.metrics.Energy(E))                  # of -Δu = 1
    >>> round(solution([0.5, 0.5]), 5)
    0.07367
    """

    functional: Functional
    # What was found last, with the grid and the forms it was found for: a quadratic energy has the same
    # forms everywhere.
    _last: list = field(default_factory=list, init=False, repr=False)
    _equivalence: list = field(default_factory=list, init=False, repr=False)

    def __post_init__(self):
        if not isinstance(self.functional, Functional):
            raise InvalidInput(f"`functional` must be a Functional; got {type(self.functional).__name__}.")

    def at(self, u):
        """Return the metric at a base point, a `Function`."""
        return EnergyAt(self, u)

    def variation(self, u):
        """Return the `SecondVariation` that is the metric at u."""
        return self.functional.second_variation(u)

    def __str__(self):
        return f"the energy metric of {self.functional!r}"


class GaussNewton(Energy):
    """The metric Σ ℓ'' R'(u)[v] R'(u)[w] of a loss Σ ℓ(R(u)): D²E without the residual's curvature.

    It is positive semidefinite for every convex ℓ, and D²E itself where R is linear or vanishes. For a
    `ResidualLoss` (the loss of a physics-informed network) the natural gradient is the Gauss-Newton
    step. Other arguments as `Energy`.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> x = np.linspace(0, 1, 30)
    >>> loss = fg.ResidualLoss("u_xx + u**3", x)
    >>> u = fg.Interval(0, 1).grid(12).function(np.cos)
    >>> metric = fg.metrics.GaussNewton(loss).at(u)
    >>> v = fg.Interval(0, 1).grid(12).function(lambda x: x**2)
    >>> bool(np.isclose(metric.norm(v) ** 2, np.sum((2 + 3 * np.cos(x) ** 2 * x**2) ** 2)))
    True
    """

    def variation(self, u):
        """Return the `SecondVariation` that is the metric at u."""
        return self.functional.gauss_newton(u)

    def __str__(self):
        return f"the Gauss-Newton metric of {self.functional!r}"


class EnergyAt(Metric):
    """An energy metric at a base point."""

    # Where no formula gives them; see `dual_norm`.
    dual_norm_accuracy = _TOLERANCE

    def __init__(self, energy, base):
        if not isinstance(base, Function):
            raise InvalidInput(f"`u` must be a Function; got {type(base).__name__}.")
        self.energy, self.base = energy, base
        self._root = self._variation = None

    def variation(self, grid):
        """Return the `SecondVariation` at the base point, brought to a grid."""
        if self._variation is None or self._variation[0] != grid:
            self._variation = grid, self.energy.variation(grid.function(self.base))
        return self._variation[1]

    def square_root(self, grid):
        """See `Metric.square_root`.

        Raises
        ------
        NotPositiveDefinite
            If the second variation is not positive on the grid's functions.
        """
        if self._root is None or self._root[0] != grid:
            self._root = grid, self._make_root(grid)
        return self._root[1]

    def _make_root(self, grid):
        components, forms = self.base.values.shape[1:], self._forms(grid)
        if forms is None:
            matrix = _matrix_by_applying(self.variation(grid), grid, components)
            return CholeskyRoot(grid, matrix, components)
        # A quadratic energy has the same forms everywhere: it is factored once.
        if not (self.energy._last and _same(self.energy._last[0], (grid, forms))):
            self.energy._last[:] = [(grid, forms), _root_of_forms(grid, forms, components)]
        return self.energy._last[1]

    def whiten(self, c, grid):
        """See `Metric.whiten`; in a Gauss-Newton metric its loss's differential is whitened point by point.

        It is then the vector of residuals, as it is, and no equation on the grid is solved.
        """
        root = self.square_root(grid)
        if isinstance(self.energy, GaussNewton) and isinstance(root, JetRoot):
            r = root.whiten_at_points(part for term in c.terms for part in term.evaluations())
            if r is not None:
                return r
        return super().whiten(c, grid)

    def flat(self, u):
        """See `Metric.flat`."""
        return self.variation(u.grid).apply(u)

    @cached_property
    def equivalence(self):
        """The `Equivalence` with a Sobolev norm; raises `InvalidInput` where none is known, and says why."""
        grid = self.base.grid
        forms = self._forms(grid)
        known = self.energy._equivalence
        if forms is None or not (known and _same(known[0], (grid, forms))):
            known = [(grid, forms), sobolev_equivalence(self.energy.variation, self.base)]
            self.energy._equivalence[:] = known
        return known[1]

    def _forms(self, grid):
        """The forms that the second variation is the sum of, None if they are not known."""
        forms = self.variation(grid).forms
        return None if forms is None else combined_forms(form for form in forms if form.matrices.any())

    def equivalence_for(self, c):
        """Return the `Equivalence`; None if none is known, or c sees constants and these have norm zero."""
        try:
            known = self.equivalence
        except FuncgradError:
            return None
        return known if known.sees_constants or _annihilates_constants(c) else None

    def analysis(self, c):
        """See `Metric.analysis`: that of the Sobolev metric it is equivalent to, if that is known."""
        try:
            equivalence = self.equivalence
        except FuncgradError as error:
            return None, str(error)
        if self.equivalence_for(c) is None:
            return False, (
                "it is not zero on the constants, whose energy norm is zero without a potential, a penalty, "
                "or Dirichlet conditions"
            )
        answer = bounded_on_scale(c, equivalence.metric.order)
        return answer, f"the metric is {equivalence}; {c.regularity.reason}"

    def dual_norm(self, c, domain):
        """See `Metric.dual_norm`, where the energy is equivalent to a Sobolev norm.

        Where its coefficients are constant and isotropic, that of the metric on the Sobolev scale which it
        then is. Otherwise squared over the functions of refined grids, until three agree to a relative 1e-5.

        Raises
        ------
        InvalidInput
            If no equivalence is known.
        ConvergenceError
            If refined grids do not agree.
        """
        if domain != self.base.grid.domain:
            raise DomainMismatch(f"the base point is a function on {self.base.grid.domain}, not on {domain}.")
        equivalence = self.equivalence  # raises if there is none
        if self.analysis(c)[0] is False:
            return math.inf
        if equivalence.multiple is not None:
            factor, metric = equivalence.multiple
            return metric.dual_norm(c, domain) / math.sqrt(factor)

        def squared_norm(grid):
            return np.sum(self.whiten(c, grid) ** 2) + self._kinks(c, grid)

        return math.sqrt(settled_value(squared_norm, domain, _MOST_REFINED, _TOLERANCE))

    def _kinks(self, c, grid):
        """What a grid misses of ‖c‖² at points of a line, but for two orders of h.

        There the representer is as little smooth as that of W^{k,2} divided by the highest coefficient at
        the point; what the grid misses of that metric's ‖δ_x‖², which is known, it misses here.
        """
        order, domain, total = self.equivalence.metric.order, grid.domain, 0.0
        if domain.dimension > 1 or order not in _LAGRANGIANS:
            return total
        frozen = Energy(Integral(_LAGRANGIANS[order])).at(grid.function(np.zeros(len(grid))))
        for term in c.terms:
            if isinstance(term, PointTerm):
                inverse = np.linalg.inv(self.equivalence.highest_coefficients(term.points))
                weights = term.weights.reshape(len(term.points), -1)
                squares = np.einsum("ki,kij,kj->k", weights, inverse, weights)
                for x, square in zip(term.points, squares, strict=True):
                    delta = point_evaluations(x[None], np.ones(1), term.derivative)
                    exact = self.equivalence.metric.dual_norm(delta, domain) ** 2
                    total += square * (exact - np.sum(frozen.whiten(delta, grid) ** 2))
        return total

    def __str__(self):
        return f"{self.energy} at a base point"


def _annihilates_constants(c):
    """Return whether c(1) = 0, to rounding, for every component."""
    total, size = 0.0, 0.0
    for term in c.terms:
        for _, alpha, weights in term.evaluations():
            if not any(alpha):
                total, size = total + weights.sum(axis=0), size + np.abs(weights).sum(axis=0)
    return bool(np.all(np.abs(total) <= _ROUNDING * size))


def _same(a, b):
    """Return whether two pairs (grid, forms) are equal."""
    return (
        a[0] == b[0]
        and len(a[1]) == len(b[1])
        and all(
            f.slots == g.slots
            and np.array_equal(f.points, g.points)
            and np.array_equal(f.matrices, g.matrices)
            for f, g in zip(a[1], b[1], strict=True)
        )
    )


def _root_of_forms(grid, forms, components):
    if not components:
        constant = _constant_coefficients(grid, forms)
        if constant is not None:
            return TensorDerivativeRoot(grid, *constant)
    factors = [semidefinite_factors(form.matrices) for form in forms]
    if forms and all(factor is not None for factor in factors):
        jets = [
            JetRows(f.points, f.slots, _without_zero_rows(r)) for f, r in zip(forms, factors, strict=True)
        ]
        return JetRoot(grid, jets, components)
    return CholeskyRoot(grid, _matrix_of_forms(grid, forms, components), components)


def _constant_coefficients(grid, forms):
    """Return (a_0, (a_i)) of a form a_0 ∫uv + Σ a_i ∫∂_i u ∂_i v that has a fast solver, or None."""
    n = grid.domain.n_coordinates
    units = [tuple(int(i == j) for j in range(n)) for i in range(n)]
    if not is_polynomial_product(grid) or len(forms) != 1 or not np.array_equal(forms[0].points, grid.nodes):
        return None
    coefficients = dict.fromkeys([(0,) * n, *units], 0.0)
    ratios = forms[0].matrices / grid.weights[:, None, None]
    mean = ratios.mean(axis=0)
    for s, (_, alpha) in enumerate(forms[0].slots):
        if alpha not in coefficients:
            return None
        coefficients[alpha] = float(mean[s, s])
    varies = np.abs(ratios - np.diag(np.diag(mean))).max() > 8 * np.finfo(float).eps * np.abs(mean).max()
    mass, *stiffness = coefficients.values()
    if varies or mass < 0 or min(stiffness) <= 0:
        return None
    if mass == 0 and "dirichlet" not in grid.domain.boundary:
        return None  # the constants have norm zero
    return mass, tuple(stiffness)


def _without_zero_rows(factors):
    used = factors.any(axis=(0, 2))
    return factors[:, used]


def _matrix_of_forms(grid, forms, components):
    """Return H_ij = <L_i, L_j> of the cardinal functions of a grid with its components, (N·m, N·m)."""
    m = int(np.prod(components, dtype=int))
    total = np.zeros((len(grid) * m, len(grid) * m))
    for form in forms:
        jets = [np.kron(grid.interpolation_matrix(form.points, a), _unit(i, m)) for i, a in form.slots]
        for s, left in enumerate(jets):
            for t, right in enumerate(jets):
                if form.matrices[:, s, t].any():
                    total += left.T @ (form.matrices[:, s, t, None] * right)
    return total


def _unit(component, m):
    return np.ones((1, 1)) if component is None else np.eye(m)[[component]]


def _matrix_by_applying(variation, grid, components):
    """The same by applying the second variation to one cardinal function after the other."""
    size = len(grid) * int(np.prod(components, dtype=int))
    if size > _MOST_APPLIED:
        raise InvalidInput(
            f"a second variation that is known by its action only takes at most {_MOST_APPLIED} nodal "
            f"values; got {size} on {grid!r}."
        )
    units = np.eye(size).reshape(size, len(grid), *components)
    columns = [variation.apply(Function(grid, unit)).components(grid).reshape(size) for unit in units]
    return np.stack(columns, axis=1)
