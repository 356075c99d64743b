"""Checks of functionals and their differentials: Taylor tests, covectors, second variations, refinement."""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.functionals import Covector, LinearFunctional
from funcgrad.functionals.sampled_density import FITTED_OCTAVES
from funcgrad.gradients.evidence import spectral_evidence
from funcgrad.metrics import Sobolev
from funcgrad.spaces import Euclidean, Function
from funcgrad.testing.conformance import (
    EPS,
    ROUNDING,
    CheckResult,
    NotApplicable,
    OnFail,
    Trial,
    changed,
    check_of,
    require_members,
    run_checks,
    snapshot,
)
from funcgrad.testing.doors import require_function, require_instance
from funcgrad.testing.protocols import FunctionalLike
from funcgrad.testing.samples import default_grid, modes, of_another_rule, refined
from funcgrad.testing.taylor import taylor_trials

_MODES = 4


@dataclasses.dataclass
class FunctionalSubject:
    """A functional with the function at which it is checked."""

    object: FunctionalLike
    f: Function

    @property
    def grid(self):
        """The grid of f."""
        return self.f.grid

    @cached_property
    def directions(self):
        """Low modes of the grid, with as many components as f has, lowest first."""
        columns = modes(self.grid, _MODES).T
        if self.f.values.ndim == 1:
            return [self.grid.function(column) for column in columns]
        m = self.f.values.shape[1]
        tilt = np.cos(np.arange(m))
        return [self.grid.function(np.multiply.outer(column, tilt)) for column in columns]

    def named_directions(self, rng):
        """Return pairs (name, v): the low modes, and a sum of all modes with random coefficients."""
        columns = modes(self.grid, len(self.grid))
        m = self.f.values.shape[1:]
        coefficients = rng.normal(size=(columns.shape[1], *m)) / math.sqrt(columns.shape[1])
        named = [(f"mode {i}", v) for i, v in enumerate(self.directions)]
        return [*named, ("a sum of all modes", self.grid.function(columns @ coefficients))]

    def noise(self, number, rng):
        """Return what rounding of f's values changes in a number that depends on f."""
        exact, size = number(self.f), 4 * EPS * float(np.abs(self.f.values).max())
        shifts = [size * rng.uniform(-1, 1, self.f.values.shape) for _ in range(4)]
        return max(abs(number(self.grid.function(self.f.values + shift)) - exact) for shift in shifts)

    @cached_property
    def differential(self):
        """dF at f."""
        return self.object.differential(self.f)


def value_is_a_number(subject, rng):
    """F(f) is one finite number, the same every time."""
    value = subject.object(subject.f)
    number = np.ndim(value) == 0 and bool(np.isfinite(value))
    yield Trial({"f": subject.f}, float(not number), 0.0, f"F(f) must be one finite number; it is {value!r}")
    again = subject.object(subject.f)
    message = f"F(f) was {value!r} the first time and {again!r} the second"
    yield Trial({"f": subject.f}, abs(float(again) - float(value)), 0.0, message)


def differential_is_linear(subject, rng):
    """dF(au + v) = a dF(u) + dF(v)."""
    c = subject.differential
    for i, j in itertools.combinations(range(len(subject.directions)), 2):
        u, v, a = subject.directions[i], subject.directions[j], float(rng.uniform(-2, 2))
        left, right = c(a * u + v), a * c(u) + c(v)
        message = f"dF is not linear: dF({a:.3g}u + v) = {left:.9g}, {a:.3g}dF(u) + dF(v) = {right:.9g}"
        tolerance = ROUNDING * len(subject.grid) * (_size(c, u) * abs(a) + _size(c, v))
        yield Trial({"u": u, "v": v}, abs(left - right), tolerance, f"{message} (modes {i}, {j})")


def _size(c, v):
    """Return Σ |c_j v_j|, against which the rounding of c(v) is measured."""
    try:
        return float(np.sum(np.abs(c.components(v.grid) * v.values))) + abs(c(v))
    except (AttributeError, FuncgradError):
        return abs(c(v)) + float(np.abs(v.values).max())


def taylor(subject, rng):
    """F(f + tv) = F(f) + t dF(v) + O(t²), with a remainder of order 2 ± 0.1 that dF's own change explains."""
    F, f = subject.object, subject.f
    size = max(1.0, float(np.abs(f.values).max()))
    for name, v in subject.named_directions(rng):
        yield from taylor_trials(
            lambda t, v=v: float(F(f + t * v)),
            lambda t, v=v: float(F.differential(f + t * v)(v)),
            0.25 * size,
            f"dF(v), v = {name},",
            {"f": f, "v": v},
            subject.noise(F, rng),
            4 * EPS * _size(subject.differential, v),
        )


def components(subject, rng):
    """dF(v) is the sum of its components times nodal values."""
    c = subject.differential
    if not hasattr(c, "components"):
        raise NotApplicable("the differential has no components")
    of_nodes = c.components(subject.grid)
    for name, v in subject.named_directions(rng):
        left, right = float(np.sum(of_nodes * v.values)), c(v)
        message = f"the differential's components give {left:.9g} for {name}, itself {right:.9g}"
        tolerance = ROUNDING * len(subject.grid) * _size(c, v)
        yield Trial({"v": v}, abs(left - right), tolerance, message)


def second_variation(subject, rng):
    """D²F is symmetric, and the derivative of dF."""
    F, f = subject.object, subject.f
    try:
        hessian = F.second_variation(f)
    except FuncgradError as error:
        raise NotApplicable(str(error)) from error
    for i, j in itertools.combinations_with_replacement(range(3), 2):
        v, w = subject.directions[i], subject.directions[j]
        there, back = hessian(v, w), hessian(w, v)
        c = hessian.apply(v)
        tolerance = ROUNDING * len(subject.grid) * (_size(c, w) + _size(hessian.apply(w), v))
        message = f"D²F is not symmetric: {there:.9g} and {back:.9g} for modes {i}, {j}"
        yield Trial({"v": v, "w": w}, abs(there - back), tolerance, message)
        yield from taylor_trials(
            lambda t, v=v, w=w: float(F.differential(f + t * v)(w)),
            lambda t, v=v, w=w: float(F.second_variation(f + t * v)(v, w)),
            0.25,
            f"D²F(v, w), v = mode {i}, w = mode {j},",
            {"v": v, "w": w},
            subject.noise(lambda g, w=w: F.differential(g)(w), rng)
            + ROUNDING * _size(subject.differential, w),
            4 * EPS * _size(c, w),
        )


def refinement(subject, rng):
    """F(f) and dF(v) are the same on twice the nodes, and on others: no cell volume is left in or out."""
    yield from _compared(subject, refined(subject.grid), "is a quadrature weight forgotten?")
    other = of_another_rule(subject.grid)
    if other is not None:
        yield from _compared(subject, other, f"are the weights those of {other!r} there?")


def _compared(subject, fine, hint):
    """Yield the trials of F(f) and dF(v) on another grid."""
    F, f = subject.object, subject.f
    finer = fine.function(f)
    coarse_value, fine_value = float(F(f)), float(F(finer))
    size = max(abs(coarse_value), abs(fine_value), 1e-3 * _size(subject.differential, f), 1e-12)
    message = (
        f"F(f) is {coarse_value:.6g} on {len(subject.grid)} nodes and {fine_value:.6g} on {len(fine)} for "
        f"the same function: {hint}"
    )
    yield Trial({"f": f}, abs(coarse_value - fine_value) / size, 0.1, message)
    c, d = subject.differential, F.differential(finer)
    for i, v in enumerate(subject.directions[:3]):
        left, right = c(v), d(fine.function(v))
        size = max(abs(left), abs(right), 1e-3 * _size(c, v), 1e-12)
        message = (
            f"dF(v) is {left:.6g} on {len(subject.grid)} nodes and {right:.6g} on {len(fine)}, v = mode {i}: "
            f"{hint}"
        )
        yield Trial({"v": v}, abs(left - right) / size, 0.1, message)


def regularity(subject, rng):
    """The differential lies where its `regularity` says: in H^{-s} for s above the threshold."""
    c, domain = subject.differential, subject.grid.domain
    if not isinstance(c, Covector):
        raise NotApplicable("the differential has no coefficients in the eigenfunctions")
    if not (c.atoms or c.surfaces):
        raise NotApplicable("a density is known by its samples only: they tell no threshold")
    if isinstance(domain, Euclidean):
        raise NotApplicable("the Laplacian has no eigenfunctions here")
    claimed = (
        c.regularity_in(domain.dimension).order
        if type(c).regularity is Covector.regularity
        else c.regularity.order
    )
    effective = c.effective(domain)
    if not (effective.atoms or effective.surfaces):
        raise NotApplicable("the boundary condition makes its singular part vanish")
    # What an octave of frequencies adds to the squared dual norm of H^s goes like Λ^{2(threshold - s)}.
    s = claimed + 0.5
    evidence = spectral_evidence(
        effective, Sobolev(s), domain, math.nan, most_modes=2 ** (11 + domain.dimension)
    )
    if not math.isfinite(evidence.fitted_growth) or len(evidence.cutoffs) <= FITTED_OCTAVES:
        raise NotApplicable("the dual norms show no growth that could be fitted")
    seen = s + evidence.fitted_growth / 2
    message = (
        f"`regularity` says that the differential is bounded on H^s for s > {claimed:g}, but its dual norms "
        f"grow as for a threshold of {seen:.2f}: it is claimed too smooth"
    )
    yield Trial({"s": s}, seen - claimed, 0.2, message)


def inputs_unchanged(subject, rng):
    """Functions and grids are not written to."""
    f, v = subject.f, subject.directions[-1]
    arrays = (f.values, v.values, f.grid.nodes, f.grid.weights)
    copies = snapshot(*arrays)
    for call, run in (
        ("F(f)", lambda: subject.object(f)),
        ("differential(f)", lambda: subject.object.differential(f)(v)),
    ):
        run()
        yield Trial({"call": call}, changed(arrays, copies), 0.0, f"`{call}` changed its input")


FUNCTIONAL_CHECKS = [
    require_members(("__call__", "differential"), "functional"),
    check_of("functional-value", value_is_a_number, "__call__"),
    check_of("functional-linear", differential_is_linear, "differential"),
    check_of("functional-taylor", taylor, "__call__", "differential"),
    check_of("functional-components", components, "differential"),
    check_of("functional-second-variation", second_variation, "second_variation"),
    check_of("functional-refinement", refinement, "__call__", "differential"),
    check_of("functional-regularity", regularity, "differential"),
    check_of("functional-inputs", inputs_unchanged, "__call__", "differential"),
]


def functional_subject(functional, *, f=None):
    """Return the subject that `FUNCTIONAL_CHECKS` take."""
    require_instance(functional, "a functional")
    require_function(f, "f")
    if isinstance(functional, Covector):
        functional = LinearFunctional(functional)
    if f is None:
        f = default_grid().function(lambda x: 0.7 + np.sin(x) - 0.4 * np.cos(2 * x))
    return FunctionalSubject(functional, f)


def check_functional(
    functional: FunctionalLike | Covector,
    *,
    f: Function | None = None,
    rng: int | np.random.Generator = 0,
    expected_failures: Mapping[str, str] | None = None,
    on_fail: OnFail = "raise",
) -> list[CheckResult]:
    """Check that an object is a functional: F(f) a number, `differential(f)` the covector that belongs to it.

    Parameters
    ----------
    functional : object
        Need not derive from `funcgrad.Functional`; a `Covector` is checked as the linear functional that
        it is.
    f : Function, optional
        Where it is differentiated; by default a sum of waves on 24 nodes of a circle.
    rng, expected_failures, on_fail
        See `check_metric`.

    Returns
    -------
    list of CheckResult

    Examples
    --------
    >>> import funcgrad as fg
    >>> from funcgrad.testing import check_functional
    >>> loss = fg.EmpiricalLoss(x=[0.3, 1.7], y=[1.0, -0.5])
    >>> all(result.ok for result in check_functional(loss))
    True
    """
    return run_checks(FUNCTIONAL_CHECKS, functional_subject(functional, f=f), rng, expected_failures, on_fail)
