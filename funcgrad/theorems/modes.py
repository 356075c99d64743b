"""The Laplacian's orthonormal eigenfunctions, written out by hand: an oracle for the library's transforms."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce

import numpy as np
from scipy.special import sph_harm_y

from funcgrad.spaces import Sphere

# Nodes along each axis, which bound the modes: enough for the analytic functions of the theorems.
_NODES = {1: 1025, 2: 65, 3: 25}
_DEGREE = 32


@dataclass(frozen=True)
class ProductModes:
    """Products of trigonometric functions on circles, tori, boxes and their factors.

    Attributes
    ----------
    nodes : ndarray, (N, n)
    weights : ndarray, (N,)
        Of equispaced nodes on which the modes are orthonormal, so that `coefficients` are exact for their
        sums.
    eigenvalues : ndarray, (K,)
    axes : tuple of _Axis
    """

    nodes: np.ndarray
    weights: np.ndarray
    eigenvalues: np.ndarray
    axes: tuple

    def at(self, x):
        """Return the modes at points x (P, n), (P, K)."""
        rows = [axis.at(x[:, i]) for i, axis in enumerate(self.axes)]
        return reduce(lambda a, b: (a[:, :, None] * b[:, None, :]).reshape(len(x), -1), rows)

    def coefficients(self, values):
        """Return ∫ v e_k for each mode of functions v with the given values at the nodes, (K, ...)."""
        tensor = values.reshape(*[len(axis.nodes) for axis in self.axes], -1)
        for i, axis in enumerate(self.axes):
            tensor = np.moveaxis(np.tensordot(axis.analysis, tensor, (1, i)), 0, i)
        return tensor.reshape(-1, *values.shape[1:])


@dataclass(frozen=True)
class SphereModes:
    """Spherical harmonics by scipy; attributes and methods as those of `ProductModes`."""

    nodes: np.ndarray
    weights: np.ndarray
    eigenvalues: np.ndarray

    def at(self, x):
        """Return the modes at unit vectors x (P, 3), (P, K)."""
        polar, longitude = np.arccos(np.clip(x[:, 2], -1, 1)), np.arctan2(x[:, 1], x[:, 0])
        columns = []
        for degree in range(_DEGREE + 1):
            columns.append(sph_harm_y(degree, 0, polar, longitude).real)
            for m in range(1, degree + 1):
                harmonic = math.sqrt(2) * sph_harm_y(degree, m, polar, longitude)
                columns += [harmonic.real, harmonic.imag]
        return np.stack(columns, axis=1)

    def coefficients(self, values):
        """Return ∫ v e_k for each mode of functions v with the given values at the nodes, (K, ...)."""
        return np.tensordot(self._analysis, values, (1, 0))

    @cached_property
    def _analysis(self):
        return (self.at(self.nodes) * self.weights[:, None]).T


@lru_cache(maxsize=16)
def modes_of(domain):
    """Return the modes of a circle, torus, interval, box or the sphere."""
    if isinstance(domain, Sphere):
        return _sphere_modes()
    factors = getattr(domain, "factors", (domain,))
    axes = tuple(_axis(factor, _NODES[len(factors)]) for factor in factors)
    nodes = np.stack(np.meshgrid(*[axis.nodes for axis in axes], indexing="ij"), axis=-1)
    weights = np.full(nodes[..., 0].size, math.prod(axis.nodes[1] - axis.nodes[0] for axis in axes))
    eigenvalues = reduce(np.add.outer, [axis.frequencies**2 for axis in axes]).ravel()
    return ProductModes(nodes.reshape(-1, len(factors)), weights, eigenvalues, axes)


@dataclass(frozen=True)
class _Axis:
    """The modes a_k cos(ω_k (x - x_0) + φ_k) of one factor; `analysis` (n, n) takes values to ∫ v e_k."""

    nodes: np.ndarray
    analysis: np.ndarray
    start: float
    amplitudes: np.ndarray
    frequencies: np.ndarray
    phases: np.ndarray

    def at(self, x):
        """Return the modes at coordinates x (P,), (P, n)."""
        angles = np.multiply.outer(x - self.start, self.frequencies) + self.phases
        return self.amplitudes * np.cos(angles)


def _axis(factor, n):
    """Return the modes of one axis.

    The angle at node j is 2π p/q with whole numbers p and q, so that p may be reduced modulo q: a phase
    as large as n would lose n ulp, and high modes are weighted by powers of their frequency.
    """
    length, start = factor.volume, getattr(factor, "a", 0.0)
    k = np.arange(n)
    if factor.boundary == "periodic":
        wave = (k + 1) // 2  # 1, cos, sin, cos 2, sin 2, ...; n is odd, so that every pair is complete
        sine, h, offset = (k > 0) & (k % 2 == 0), length / n, 0.0
        whole, period = np.multiply.outer(wave, k), n
    elif factor.boundary == "neumann":
        wave, sine, h, offset = k / 2, k < 0, length / n, 0.5
        whole, period = np.multiply.outer(k, 2 * k + 1), 4 * n
    else:
        wave, sine, h, offset = (k + 1) / 2, k >= 0, length / (n + 1), 1.0
        whole, period = np.multiply.outer(k + 1, k + 1), 2 * (n + 1)
    amplitudes = np.where(wave == 0, 1.0, math.sqrt(2)) / math.sqrt(length)
    phases = np.where(sine, -np.pi / 2, 0.0)
    angles = 2 * np.pi / period * (whole % period)
    values = np.where(sine[:, None], np.sin(angles), np.cos(angles))
    return _Axis(
        start + h * (k + offset),
        h * amplitudes[:, None] * values,
        start,
        amplitudes,
        2 * np.pi / length * wave,
        phases,
    )


def _sphere_modes():
    t, w = np.polynomial.legendre.leggauss(_DEGREE + 1)
    longitude = np.pi / (_DEGREE + 1) * np.arange(2 * _DEGREE + 2)
    sine = np.sqrt(1 - t**2)[:, None]
    z = np.broadcast_to(t[:, None], (len(t), len(longitude)))
    nodes = np.stack([sine * np.cos(longitude), sine * np.sin(longitude), z], axis=-1).reshape(-1, 3)
    degrees = np.arange(_DEGREE + 1)
    eigenvalues = np.repeat(degrees * (degrees + 1.0), 2 * degrees + 1)
    return SphereModes(nodes, np.repeat(w * np.pi / (_DEGREE + 1), len(longitude)), eigenvalues)
