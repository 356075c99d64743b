"""A metric, or a field of metrics, with all that its checks are asked about."""

import copy
import dataclasses
import itertools
import math
from functools import cached_property

import numpy as np

from funcgrad._checks import whole_number
from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.functionals import Density, PointEvaluation
from funcgrad.spaces import Function, Grid
from funcgrad.testing.conformance import EPS, ROUNDING, Finding
from funcgrad.testing.doors import require_function, require_grid, require_instance
from funcgrad.testing.protocols import MetricFieldLike, MetricLike
from funcgrad.testing.samples import admitted_modes, default_grid, modes, refined, shown

_LOW, _HIGH = 6, 6


@dataclasses.dataclass
class MetricSubject:
    """A metric with the grid on which it is checked, and how it treats rounding there.

    Of a metric that depends on its base point it is the metric at one, `given` the field of metrics, and
    `untouched` a copy of that from before it was used, if it can be copied.
    Nodal values carry errors of ε, and the metric measures those as it measures its roughest functions:
    `roughest` is the largest ‖u‖/‖u‖_0, and its quotient with the least one is the condition of S.
    """

    object: MetricLike
    grid: Grid
    components: int | None = None
    field: MetricFieldLike | None = None
    base: Function | None = None
    untouched: MetricFieldLike | None = None

    @property
    def given(self):
        """What the user gave: the metric, or the field of metrics."""
        return self.object if self.field is None else self.field

    def on(self, grid):
        """Return the metric on another grid: at the base point as it is known there."""
        return self.object if self.field is None else self.field.at(grid.function(self.base))

    @cached_property
    def functions(self):
        """Low modes that the metric takes, lowest first."""
        return self._spanning[:_LOW]

    @cached_property
    def _spanning(self):
        taken = admitted_modes(self.object, self.grid, len(self.grid), self.components)
        return taken if len(taken) <= _LOW + _HIGH else taken[:_LOW] + taken[-_HIGH:]

    @cached_property
    def gram(self):
        """<u_i, u_j>/(‖u_i‖_0 ‖u_j‖_0) of low and high modes, (K, K)."""
        units = [u / l2_norm(u) for u in self._spanning]
        return np.array([[self.object.inner(u, v) for v in units] for u in units])

    @cached_property
    def spectrum(self):
        """Eigenvalues of the symmetric part of `gram`, ascending."""
        return np.linalg.eigvalsh((self.gram + self.gram.T) / 2)

    @cached_property
    def roughest(self):
        """The largest ‖u‖/‖u‖_0."""
        return math.sqrt(max(np.abs(self.spectrum).max(), np.diag(self.gram).max()))

    @cached_property
    def angles(self):
        """Return `gram` in units of its diagonal, and those units: the norms of the modes.

        Whether it is definite is lost in rounding later than with `gram`: a norm with a length scale of a
        thousand is 1 for a constant and 1e9 for a wave, and the two are orthogonal.
        """
        norms = np.sqrt(np.maximum(np.diag(self.gram), 0.0))
        units = np.where(norms > 0, norms, 1.0)
        return self.gram / np.outer(units, units), norms

    @cached_property
    def least_angle(self):
        """Return the least eigenvalue of `angles`, and what rounding explains of it."""
        angles, norms = self.angles
        least = float(np.linalg.eigvalsh((angles + angles.T) / 2)[0])
        if norms.min() == 0:
            return least, math.inf
        error = EPS * self.roughest / norms.min() + self.evaluation_noise / norms.min() ** 2
        return least, len(self.grid) * error

    @cached_property
    def condition(self):
        """Of S on what the metric does not take for zero."""
        seen = np.abs(self.spectrum[np.abs(self.spectrum) > len(self.spectrum) * EPS * self.roughest**2])
        if not len(seen):
            return math.inf
        least, floor = self.least_angle
        if least > floor and len(seen) < len(self.spectrum):  # what is not seen is not zero
            return self.roughest / math.sqrt(min(seen.min(), least * self.angles[1].min() ** 2))
        return self.roughest / math.sqrt(seen.min())

    @cached_property
    def evaluation_noise(self):
        """How much rounding inside `inner` scatters <u, v>, for u and v of L2 norm 1, if more than a root's.

        Second differences in u at the spacing of rounding leave nothing else of a bilinear form. A matrix, as
        of finite elements, has the rounding of its entries, which is more than that of nodal values by a
        square root. No more than theirs is granted.
        """
        inner, units, worst = self.object.inner, [u / l2_norm(u) for u in self.functions], 0.0
        for (u, v), step in itertools.product(
            itertools.combinations_with_replacement(units, 2), (8 * EPS, 24 * EPS)
        ):
            # Multiples of u are in every space that u is in.
            difference = abs(inner((1 + step) * u, v) + inner((1 - step) * u, v) - 2 * inner(u, v))
            if difference > self._rounding_of_values(u, v) / 8:
                worst = max(worst, difference)
        return min(worst, EPS * len(self.grid) * self.roughest**2)

    def _rounding_of_values(self, u, v):
        size = self.roughest * (l2_norm(u) * self.norm(v) + l2_norm(v) * self.norm(u))
        return ROUNDING * math.sqrt(len(self.grid)) * size

    def rounding(self, u, v):
        """Return what rounding, of nodal values and inside `inner`, may change in <u, v>."""
        inside = 16 * self.evaluation_noise * l2_norm(u) * l2_norm(v)
        return max(self._rounding_of_values(u, v), inside)

    def norm(self, u):
        """Return √<u, u>, by `inner`."""
        return math.sqrt(abs(self.object.inner(u, u)))

    @cached_property
    def resolution(self):
        """What twice the nodes change at most in the norms of low modes, relative to them."""
        fine = refined(self.grid)
        metric, on_fine = self.on(fine), [fine.function(u) for u in self.functions]
        finer = [math.sqrt(abs(metric.inner(u, u))) for u in on_fine]
        return max(abs(norm / self.norm(u) - 1) for norm, u in zip(finer, self.functions, strict=True))

    @property
    def _tilt(self):
        """A weight on the components of values that is neutral to none."""
        return 1.0 if self.components is None else np.cos(np.arange(self.components))

    def pairs(self):
        """Yield (i, u, j, v) over pairs of low modes, low ones first."""
        indices = sorted(itertools.product(range(len(self.functions)), repeat=2), key=sum)
        for i, j in indices:
            yield i, self.functions[i], j, self.functions[j]

    def covectors(self, rng):
        """Return pairs (name, c): covectors that the metric takes; those of points only at nodes."""
        u = self.functions[min(1, len(self.functions) - 1)]
        node = self.grid.nodes[int(rng.integers(len(self.grid)))]
        candidates = [
            ("the metric's own flat(mode 1)", self.object.flat(u)),
            ("v ↦ ∫ (mode 1) v", Density(u)),
            (f"v ↦ v({shown(node)})", PointEvaluation(node, weight=self._tilt)),
        ]
        refusal = None
        taken = []
        for name, c in candidates:
            try:
                self.object.riesz(c, self.grid)
                taken.append((name, c))
            except FuncgradError as why:
                refusal = str(why)
        if not taken:
            raise Finding(f"`riesz` takes none of the covectors tried: {refusal}", {"grid": self.grid})
        return taken


def l2_norm(u):
    """Return the L2 norm of a function by its grid's quadrature."""
    return math.sqrt(float(np.sum(u.grid.integrate(u.values**2))))


def metric_subject(metric, *, grid=None, at=None, components=None):
    """Return the subject of `check_metric`: of a metric that depends on its base point, the one `at` it."""
    require_instance(metric, "a metric")
    require_grid(grid)
    require_function(at, "at")
    if components is not None:
        whole_number(components, "components", least=1)
    if grid is None:
        grid = default_grid() if at is None else at.grid
    if not hasattr(metric, "at"):
        if at is not None:
            raise InvalidInput(f"`at` is for metrics that depend on their base point; {metric} does not.")
        kernel = getattr(metric, "kernel", None)
        return MetricSubject(metric, grid, components or getattr(kernel, "n_components", None))
    base = grid.function(1 + modes(grid, 2)[:, -1] / 4) if at is None else grid.function(at)
    untouched = _copied(metric)
    try:
        there = metric.at(base)
    except Exception as error:
        raise InvalidInput(
            f"`at` of {metric} raised {type(error).__name__}: {error} Give a function at which it is a "
            "metric as `at`."
        ) from error
    of_base = base.values.shape[1] if base.values.ndim == 2 else None
    return MetricSubject(there, grid, components or of_base, metric, base, untouched)


def _copied(metric):
    try:
        return copy.deepcopy(metric)
    except Exception:  # what cannot be copied is checked without
        return None
