"""Boxes and tori: products of intervals and circles."""

import functools
import itertools
import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from funcgrad._checks import finite_array, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.spaces.circle import Circle
from funcgrad.spaces.domain import Domain
from funcgrad.spaces.interval import Interval

# Modes that surface integrals are computed for at a time.
_WAVES = 2**18


class ProductDomain(Domain):
    """A product M_1 x ... x M_n of one-dimensional domains, its `factors`.

    -Δ is the sum of those of the factors, so its eigenfunctions are the products of theirs.

    Attributes
    ----------
    factors : tuple of Domain, (n,)
    """

    factors: tuple

    @property
    def dimension(self):
        """n, the number of factors."""
        return len(self.factors)

    @property
    def volume(self):
        """The product of the lengths."""
        return math.prod(factor.length for factor in self.factors)

    def grid(self, n, rule=None):
        """Return the tensor product of grids of the axes.

        Parameters
        ----------
        n : int or sequence of int
            Nodes along each axis.
        rule : str or sequence of str, optional
            The quadrature rule of each axis (see `Interval.grid`), its default if not given. With
            "midpoint" on the axes that are not periodic the functions are sums of the Laplacian's
            eigenfunctions, on which `Sobolev` metrics of every order work.

        Returns
        -------
        TensorGrid
        """
        from funcgrad.spaces.tensor_grid import tensor_grid

        sizes, rules = per_axis(n, self.dimension, "n"), per_axis(rule, self.dimension, "rule")
        axes = zip(self.factors, sizes, rules, strict=True)
        return tensor_grid(self, [factor.grid(n, rule) for factor, n, rule in axes])

    def laplacian_spectrum(self, count):
        """See `Domain.laplacian_spectrum`; sums of one eigenvalue of each factor."""
        return _lowest_modes(self, whole_number(count, "count"))[0].copy()

    def eigenfunctions(self, count, x, derivative=0):
        """See `Domain.eigenfunctions`; those of equal eigenvalue come in no particular order."""
        x = self.points(x)
        orders = self.multi_index(derivative)
        modes = _lowest_modes(self, whole_number(count, "count"))[1]
        values = np.ones((len(x), count))
        for axis, (factor, order) in enumerate(zip(self.factors, orders, strict=True)):
            of_axis = factor.eigenfunctions(modes[axis].max(initial=-1) + 1, x[:, axis], order)
            values *= of_axis[:, modes[axis]]
        return values

    def pairing(self, count, x, derivative, weights):
        """Return Σ_q w_q ∂^α e_k(x_q) for the first `count` eigenfunctions, (count,) or (count, m).

        For points (Q, n) and weights (Q,) or (Q, m). By matrix products over q: with b_i(q) the functions of
        the axis i, all products of modes Σ_q w_q b_1(q) ⋯ b_n(q) take Q times their number operations, and
        no eigenfunction is evaluated twice.
        """
        x, orders = self.points(x), self.multi_index(derivative)
        modes = _lowest_modes(self, whole_number(count, "count"))[1]
        axes = [
            factor.eigenfunctions(modes[axis].max(initial=-1) + 1, x[:, axis], order)
            for axis, (factor, order) in enumerate(zip(self.factors, orders, strict=True))
        ]
        columns = weights.reshape(len(x), -1)
        result = np.empty((count, columns.shape[1]))
        for component in range(columns.shape[1]):
            result[:, component] = _contracted(axes, columns[:, component], modes)
        return result.reshape(count, *weights.shape[1:])

    def surface_integrals(self, count, surface, order=0):
        """See `Domain.surface_integrals`; a product of n cosines is a sum of 2^n plane waves."""
        if not hasattr(surface, "wave_integrals") or surface.n_coordinates != self.dimension:
            return super().surface_integrals(count, surface, order)
        modes = _lowest_modes(self, whole_number(count, "count"))[1]
        waves = [np.array(f.waves(m.max(initial=-1) + 1)) for f, m in zip(self.factors, modes, strict=True)]
        starts = [getattr(factor, "a", 0.0) for factor in self.factors]
        result = np.zeros(count)
        for first in range(0, count, _WAVES):
            block = slice(first, first + _WAVES)
            of_axes = [wave[:, mode[block]] for wave, mode in zip(waves, modes, strict=True)]
            amplitude = math.prod(a for a, _, _ in of_axes)
            # Signs and their opposites give conjugate waves, so the first may be kept positive.
            for signs in itertools.product((1,), *[(1, -1)] * (self.dimension - 1)):
                frequency = np.stack([s * w for s, (_, w, _) in zip(signs, of_axes, strict=True)])
                axes = zip(signs, of_axes, starts, strict=True)
                phase = sum(s * (p - w * a) for s, (_, w, p), a in axes)
                wave = surface.wave_integrals(frequency, order) * np.exp(1j * phase)
                result[block] += amplitude * wave.real / 2 ** (self.dimension - 1)
        return result

    def contains(self, x):
        """Return whether every coordinate lies in its factor."""
        return np.all([f.contains(x[:, [i]]) for i, f in enumerate(self.factors)], axis=0)

    def distance(self, x, y):
        """Return the Euclidean length of the shortest difference; see `Domain.distance`."""
        x, y = self.points(x), self.points(y, "y")
        return np.linalg.norm([f.distance(x[:, i], y[:, i]) for i, f in enumerate(self.factors)], axis=0)

    def effective_derivative(self, point, derivative):
        """See `Domain.effective_derivative`; None if it is for one of the axes."""
        axes = zip(self.factors, point, derivative, strict=True)
        orders = [factor.effective_derivative((x,), (order,)) for factor, x, order in axes]
        return None if None in orders else tuple(order for (order,) in orders)

    def from_unit_cube(self, u):
        """See `Domain.from_unit_cube`."""
        return np.stack([f.from_unit_cube(u[:, i]) for i, f in enumerate(self.factors)], axis=1)


@dataclass(frozen=True)
class Box(ProductDomain):
    """The box [a_1, b_1] x ... x [a_n, b_n].

    Parameters
    ----------
    bounds : array_like, (n, 2)
        The ends (a_i, b_i) of each axis.
    boundary : str or sequence of str
        "neumann" (default), "dirichlet" or "periodic", for all axes or one for each.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> box = fg.Box([(0, np.pi), (0, np.pi)], boundary="dirichlet")
    >>> box.laplacian_spectrum(4)
    array([2., 5., 5., 8.])
    >>> f = box.grid(16, rule="midpoint").function(lambda x, y: np.sin(x) * np.sin(2 * y))
    >>> bool(abs(f([0.3, 0.4]) - np.sin(0.3) * np.sin(0.8)) < 1e-12)
    True
    """

    bounds: tuple
    boundary: str | tuple[str, ...] = "neumann"
    factors: tuple = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        bounds = finite_array(self.bounds, "bounds")
        if bounds.ndim != 2 or bounds.shape[1] != 2 or len(bounds) == 0:
            raise InvalidInput(f"`bounds` must be (n, 2), a pair of ends an axis; got shape {bounds.shape}.")
        object.__setattr__(self, "bounds", tuple(map(tuple, bounds.tolist())))
        object.__setattr__(self, "boundary", per_axis(self.boundary, len(bounds), "boundary"))
        intervals = [Interval(a, b, word) for (a, b), word in zip(self.bounds, self.boundary, strict=True)]
        object.__setattr__(self, "factors", tuple(intervals))

    def __str__(self):
        conditions = self.boundary[0] if len(set(self.boundary)) == 1 else ", ".join(self.boundary)
        return f"the box {' x '.join(f'[{a:g}, {b:g}]' for a, b in self.bounds)} ({conditions})"


@dataclass(frozen=True)
class Torus(ProductDomain):
    """The flat torus R^n / (l_1 Z x ... x l_n Z); coordinates are taken modulo the lengths.

    Parameters
    ----------
    lengths : array_like, (n,)
        The circumferences.

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> torus = fg.Torus((2 * np.pi, 2 * np.pi))
    >>> torus.laplacian_spectrum(6)
    array([0., 1., 1., 1., 1., 2.])
    >>> round(float(torus.distance([0.1, 0.0], [2 * np.pi - 0.2, 0.4])[0]), 12)
    0.5
    """

    lengths: tuple
    boundary: ClassVar[str] = "periodic"
    factors: tuple = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        lengths = finite_array(self.lengths, "lengths")
        if lengths.ndim != 1 or len(lengths) == 0:
            raise InvalidInput(f"`lengths` must be (n,), a length an axis; got shape {lengths.shape}.")
        object.__setattr__(self, "lengths", tuple(lengths.tolist()))
        object.__setattr__(self, "factors", tuple(Circle(length) for length in self.lengths))

    def __str__(self):
        return f"the torus of lengths {' x '.join(f'{length:g}' for length in self.lengths)}"


def per_axis(value, dimension, name):
    """Return one entry for each axis of a sequence of them or a single one."""
    if isinstance(value, (str, type(None))) or np.ndim(value) == 0:
        return (value,) * dimension
    if len(value) != dimension:
        raise InvalidInput(
            f"`{name}` must be one for all or one for each of {dimension} axes; got {value!r}."
        )
    return tuple(value)


def _contracted(axes, weights, modes):
    """Σ_q w_q Π_i axes[i][q, modes[i, k]]: a product of matrices for each mode of all but two axes."""
    *outer, first, last = axes if len(axes) > 1 else [np.ones((len(weights), 1)), *axes]
    modes = modes if len(axes) > 1 else np.vstack([np.zeros_like(modes), modes])
    result = np.empty(modes.shape[1])
    leading = modes[:-2].T
    for choice in np.unique(leading, axis=0):
        chosen = np.flatnonzero(np.all(leading == choice, axis=1))
        rows, columns = modes[-2, chosen], modes[-1, chosen]
        factor = weights * math.prod(axis[:, mode] for axis, mode in zip(outer, choice, strict=True))
        table = first[:, : rows.max() + 1].T @ (factor[:, None] * last[:, : columns.max() + 1])
        result[chosen] = table[rows, columns]
    return result


@functools.lru_cache(maxsize=4)
def _lowest_modes(domain, count):
    """Return the `count` smallest sums of eigenvalues of the factors, and the mode of each factor.

    Eigenvalues (count,) ascending and modes (n, count).
    """
    n = domain.dimension
    # Weyl's law, count ~ ω_n volume (Λ/2π)^n, with ω_n the unit ball's volume; raised until it suffices.
    ball = math.pi ** (n / 2) / math.gamma(n / 2 + 1)
    bound = (2 * math.pi) ** 2 * ((count + 1) / (ball * domain.volume)) ** (2 / n)
    while True:
        sums, modes = _sums_below(domain, bound)
        if len(sums) >= count:
            order = np.argsort(sums, kind="stable")[:count]
            return sums[order], modes[:, order]
        bound *= 1.3


def _sums_below(domain, bound):
    sums, modes = np.zeros(1), np.zeros((0, 1), dtype=np.int32)
    for factor in domain.factors:
        spectrum = factor.laplacian_spectrum(int(math.sqrt(bound) * factor.length / math.pi) + 2)
        total = sums[:, None] + spectrum
        earlier, mode = np.nonzero(total <= bound)
        sums = total[earlier, mode]
        modes = np.vstack([modes[:, earlier], mode[None].astype(np.int32)])
    return sums, modes
