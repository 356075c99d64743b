"""Which Sobolev norm a second variation is equivalent to, by its coefficients and least eigenvalue."""

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg

from funcgrad.errors import InvalidInput
from funcgrad.functionals.pointwise_form import PointwiseForm
from funcgrad.metrics.base import SpectralMetric
from funcgrad.metrics.l2 import L2
from funcgrad.metrics.sobolev import Sobolev
from funcgrad.operators.jet_root import vanishing_basis
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.point_set import PointSet
from funcgrad.spaces.product import Box
from funcgrad.spaces.sphere import Sphere

# A bound of the coefficients that a refinement by two changes by more than this factor is not one.
_SETTLED = 0.8
# Functions an axis on which the form is compared with the Sobolev norm: two sizes for each dimension.
_SIZES = {1: (13, 25), 2: (5, 9), 3: (3, 5)}
# Coefficients below this fraction of the largest are zero, and so is a function's change.
_ZERO = 1e-10
EPS = np.finfo(float).eps
_ROUNDING = 4 * EPS


@dataclass(frozen=True)
class Equivalence:
    """What makes lower ‖u‖² <= <u, u> <= upper ‖u‖² true of a metric, ‖.‖ a Sobolev norm.

    Attributes
    ----------
    metric : SpectralMetric
        L2, H^1, or W^{k,2} with no condition at the boundary but, where the domain says so, u = 0.
    coefficients : (float, float)
        Least and largest eigenvalue of the coefficients of the highest derivatives, over the nodes.
    lower, upper : float
        Over the functions of the finest grid that was looked at; without the constants if those have norm 0.
    sees_constants : bool
        Whether the constants have a norm in it, or are not in the space.
    multiple : (float, SpectralMetric) or None
        Where the coefficients are constant and isotropic, the a and the metric with <u, v> = a <u, v>_metric.
    """

    metric: SpectralMetric
    coefficients: tuple
    lower: float
    upper: float
    sees_constants: bool
    multiple: tuple | None
    _highest: tuple = field(repr=False)

    def highest_coefficients(self, x):
        """Return the coefficients of the derivatives of the highest order at points, (K, s, s)."""
        grid, values = self._highest
        return grid.evaluate(values.reshape(len(grid), -1), x).reshape(-1, *values.shape[1:])

    def __str__(self):
        least, largest = self.coefficients
        modulo = "" if self.sees_constants else ", up to constants"
        return (
            f"equivalent to {self.metric} (coefficients between {least:.3g} and {largest:.3g}; "
            f"{self.lower:.2g}‖u‖² <= <u, u> <= {self.upper:.2g}‖u‖² on grids{modulo})"
        )


@dataclass(frozen=True, repr=False)
class _OnBox(Sobolev):
    """W^{k,2} of a box, restrictions from one that is twice as long where nothing is imposed."""

    def spectral_domain(self, domain):
        """See `SpectralMetric.spectral_domain`."""
        free = [word == "neumann" for word in domain.boundary]
        ends = [(a, b + (b - a) * more) for (a, b), more in zip(domain.bounds, free, strict=True)]
        words = ["periodic" if more else word for more, word in zip(free, domain.boundary, strict=True)]
        return Box(ends, words)

    def __str__(self):
        return f"W^{self.order:g},2"


def sobolev_equivalence(variation_at, base):
    """Return the `Equivalence` of a second variation <v, w> = D²E(u)[v, w] at the base point u.

    Let k be the order of the highest derivatives. If their coefficients are bounded and positive definite at
    every point, with a bound below, then Gårding's inequality <u, u> >= α‖u‖²_k - C‖u‖²_0 holds, and
    <., .> is equivalent to the inner product of W^{k,2}, on the functions that vanish where the domain says
    so, iff it is positive definite: the second term is a compact perturbation. The first is looked at on the
    nodes of two grids, the second in the least eigenvalue among the functions of two.

    Parameters
    ----------
    variation_at : callable
        The `SecondVariation` at a `Function`.
    base : Function
        u.

    Raises
    ------
    InvalidInput
        If it is not known to be equivalent to one; it says what is missing.

    References
    ----------
    Gårding, *Dirichlet's problem for linear elliptic partial differential equations*, Math. Scand. 1, 1953;
    Nečas, *Direct Methods in the Theory of Elliptic Equations*, 2012, chapter 3.
    """
    domain = base.grid.domain
    if isinstance(base.grid, PointSet) or isinstance(domain, Euclidean):
        raise _unknown("the domain must be bounded, and the base point a function on it")
    along_axes = base.grid.shape[:1] if isinstance(domain, Sphere) else base.grid.shape
    nodes = max(*along_axes, 2 * _SIZES[domain.dimension][1])
    coarse, fine = (_Forms(variation_at, base, domain.grid(factor * nodes + 1)) for factor in (1, 2))
    order = max((sum(alpha) for form in fine.integrals for _, alpha in form.slots), default=None)
    if order is None:
        raise _unknown("it has no term that is an integral over the domain")
    if order > 1 and isinstance(domain, Sphere):
        raise _unknown("of second derivatives on the sphere nothing is known here")
    for form in fine.at_points:
        for _, alpha in form.slots:
            if order <= domain.dimension / 2 + sum(alpha):
                raise _unknown(
                    f"its terms at points are not bounded on H^{order} in {domain.dimension} dimensions"
                )
    highest = fine.coefficients(order, order)
    bounds = _bounded(coarse.coefficients(order, order), highest)
    metric, multiple = _sobolev(order, domain), _multiple(coarse, order)
    return Equivalence(metric, bounds, *_compared(coarse, order), multiple, (fine.grid, highest))


def _unknown(why):
    return InvalidInput(f"no Sobolev norm is known that this energy's metric is equivalent to: {why}.")


def _sobolev(order, domain):
    if order == 0:
        return L2()
    if order == 1 or "neumann" not in np.atleast_1d(domain.boundary):
        return Sobolev(float(order))
    if isinstance(domain, Box):
        return _OnBox(float(order))
    return Sobolev(float(order), definition="derivative")


class _Forms:
    """The forms of a second variation, brought to a grid: integrals over the domain, and terms at points."""

    def __init__(self, variation_at, base, grid):
        self.grid, self.components = grid, base.values.shape[1:]
        variation = variation_at(grid.function(base))
        if variation.forms is None:
            raise _unknown("it is known by its action only, not by coefficients")
        forms = [form for form in variation.forms if form.matrices.any()]
        of_domain = [np.array_equal(form.points, grid.nodes) for form in forms]
        self.integrals = [form for form, whole in zip(forms, of_domain, strict=True) if whole]
        self.at_points = [form for form, whole in zip(forms, of_domain, strict=True) if not whole]

    def coefficients(self, least, largest):
        """Return the coefficients of the derivatives of these orders at the nodes, (K, s, s)."""
        slots = self.slots(least, largest)
        total = np.zeros((len(self.grid), len(slots), len(slots)))
        for form in self.integrals:
            kept = [s for s, slot in enumerate(form.slots) if slot in slots]
            place = np.array([slots.index(form.slots[s]) for s in kept], dtype=int)
            density = form.matrices / self.grid.weights[:, None, None]
            total[:, place[:, None], place] += density[:, np.array(kept, dtype=int)[:, None], kept]
        return total

    def slots(self, least, largest):
        """Return the (component, multi-index) of all derivatives of these orders."""
        n = self.grid.domain.n_coordinates
        indices = [a for a in itertools.product(range(largest + 1), repeat=n) if least <= sum(a) <= largest]
        components = range(self.components[0]) if self.components else [None]
        return list(itertools.product(components, indices))

    def sobolev_form(self, order):
        """Return Σ_{|α| <= k} ∫∂^αu ∂^αv as a form, k the order."""
        slots = self.slots(0, order)
        return PointwiseForm(
            self.grid.nodes, tuple(slots), np.multiply.outer(self.grid.weights, np.eye(len(slots)))
        )


def _bounded(coarse, fine):
    """Return the bounds of coefficients (K, s, s), seen on two grids; raise unless they look like bounds."""
    coarse, fine = (np.linalg.eigvalsh(values) for values in (coarse, fine))
    least, largest = float(fine.min()), float(fine.max())
    if not least > _ZERO * largest:
        raise _unknown(
            "the coefficients of its highest derivatives are not positive definite at every point (least "
            f"eigenvalue {least:.2g}); an energy may still be elliptic in a weaker sense"
        )
    if least < _SETTLED * coarse.min() or largest * _SETTLED > coarse.max():
        raise _unknown(
            f"the coefficients of its highest derivatives, between {coarse.min():.2g} and {coarse.max():.2g} "
            f"at the nodes of one grid, are between {least:.2g} and {largest:.2g} on a finer one: not "
            "bounded, or not resolved"
        )
    return least, largest


def _multiple(forms, order):
    """Return (a, metric) of a form a_0 ∫uv + a_1 ∫∇u·∇v = a <u, v>_metric, None if it is not one."""
    if order > 1 or forms.components or forms.at_points:
        return None
    coefficients = forms.coefficients(0, order)
    mean = coefficients.mean(axis=0)
    mass, *slopes = np.diag(mean)  # the multi-indices ascend: 0 comes first
    isotropic = np.diag([mass, *[np.mean(slopes or 0.0)] * len(slopes)])
    if mass < 0 or np.abs(coefficients - isotropic).max() > 8 * EPS * np.abs(mean).max():
        return None
    if order == 0:
        return float(mass), L2()
    if mass == 0:
        return 1.0, Sobolev(1.0, math.sqrt(slopes[0]), homogeneous=True)
    return float(mass), Sobolev(1.0, math.sqrt(slopes[0] / mass))


def _compared(forms, order):
    """Return the least and the largest <u, u>/‖u‖²_k on the functions of a grid, and whether 1 has a norm."""
    found = []
    for size in _SIZES[forms.grid.domain.dimension]:
        jets = _Jets(forms, size)
        h = sum(jets.matrix(form) for form in (*forms.integrals, *forms.at_points))
        norm = jets.matrix(forms.sobolev_form(order))
        values, vectors = scipy.linalg.eigh(h, norm)
        # What rounding moves an eigenvalue by (Golub & Van Loan, section 8.7).
        rounding = _ROUNDING * np.linalg.norm(h, 2) / np.linalg.eigvalsh(norm)[0]
        found.append((values, vectors, np.abs(values) <= rounding))
    (coarser, _, no_norm), (values, vectors, zero) = found
    upper = float(values[-1])
    if zero.any() and not jets.is_constant(vectors[:, zero]):
        raise _unknown("functions that are not constant have energy norm zero")
    lower, before = float(values[~zero][0]), float(coarser[~no_norm][0])
    if lower <= 0:
        raise _unknown(f"it is not positive (least eigenvalue {lower:.2g} relative to the Sobolev norm)")
    if lower < _SETTLED / 2 * before:
        raise _unknown(
            f"its least eigenvalue has not settled ({before:.2g}, then {lower:.2g}) under refinement"
        )
    return lower, upper, not zero.any()


class _Jets:
    """Functions of a small grid, that vanish where they must, with their derivatives at points."""

    def __init__(self, forms, size):
        domain = forms.grid.domain
        self._components = int(np.prod(forms.components, dtype=int))
        if isinstance(domain, Sphere):
            self._of = lambda x, alpha: domain.eigenfunctions(size**2, x, alpha)
        else:
            grid = domain.grid(size)
            basis = vanishing_basis(grid)
            self._of = lambda x, alpha: grid.interpolation_matrix(x, alpha) @ basis
        self._points, self._slots = forms.grid.nodes, forms.slots(0, 0)
        self._known = {}

    def _jet(self, points, slot):
        component, alpha = slot
        key = points.tobytes(), alpha
        if key not in self._known:
            self._known[key] = self._of(points, alpha)
        if component is None:
            return self._known[key]
        return np.kron(self._known[key], np.eye(self._components)[[component]])

    def matrix(self, form):
        """Return <u_i, u_j> of the functions in a form."""
        jets = [self._jet(form.points, slot) for slot in form.slots]
        return sum(
            left.T @ (form.matrices[:, s, t, None] * right)
            for (s, left), (t, right) in itertools.product(enumerate(jets), repeat=2)
            if form.matrices[:, s, t].any()
        )

    def is_constant(self, coefficients):
        """Return whether combinations (size, J) of the functions are constant."""
        values = np.array([self._jet(self._points, slot) @ coefficients for slot in self._slots])
        return bool(np.ptp(values, axis=1).max() <= math.sqrt(_ZERO) * np.abs(values).max())
