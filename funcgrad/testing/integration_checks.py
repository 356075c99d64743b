"""Checks of integration on a domain's grids: weights, orthogonality, parts with their boundary terms."""

import dataclasses
import math

import numpy as np

from funcgrad.errors import FuncgradError
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.spaces.spline_grid import SplineGrid
from funcgrad.testing.conformance import EPS, ROUNDING, NotApplicable, Trial, check_of
from funcgrad.testing.samples import modes, offset_rounding, refined

# Eigenfunctions that are tried.
MODES = 10


def weights_sum(subject, rng):
    """The quadrature weights are positive and sum to the volume."""
    domain, grid = subject.object, subject.grid
    j = int(np.argmin(grid.weights))
    message = f"the weight of node {j} is {grid.weights[j]:.3g}: quadrature weights must be positive"
    yield Trial({"node": j}, float(-grid.weights[j]), 0.0, message)
    if math.isinf(domain.volume):
        return
    total = float(np.sum(grid.weights))
    message = f"the weights of {grid!r} sum to {total:.12g}, and the volume is {domain.volume:.12g}"
    message += _suspect_node(subject)
    yield Trial(
        {"grid": grid}, abs(total - domain.volume), ROUNDING * math.sqrt(len(grid)) * domain.volume, message
    )


def _suspect_node(subject):
    """Return which single weight would explain wrong integrals, as the end of a sentence."""
    grid = subject.grid
    try:
        values = subject.eigenfunctions(grid.nodes)
    except FuncgradError:
        return ""
    # A weight off by δ at node j leaves the residual δ e(x_j) e(x_j)ᵀ.
    residual = (values.T * grid.weights) @ values - np.eye(MODES)
    match = np.abs(np.einsum("jm,mn,jn->j", values, residual, values)) / np.sum(values**2, axis=1)
    j = int(np.argmax(match))
    if match[j] < 0.99 * np.linalg.norm(residual):
        return ""
    return f"; the weight of node {j} at {np.round(grid.nodes[j], 6).tolist()} looks wrong"


def orthonormal(subject, rng):
    """The eigenfunctions are orthonormal in L2, by the grid's quadrature."""
    waves = np.sqrt(np.maximum(subject.spectrum, 0.0))

    def on(grid):
        values = subject.eigenfunctions(grid.nodes)
        # A node off by δ moves a wave of frequency k by kδ.
        offset = 4 * offset_rounding(grid) * float(np.ptp(grid.nodes, axis=0).max())
        gram = (values.T * grid.weights) @ values
        for i in range(MODES):
            for j in range(i + 1):
                message = f"∫ e_{i} e_{j} = {gram[i, j]:.9g} on {grid!r}, not {int(i == j)}"
                tolerance = ROUNDING * math.sqrt(len(grid)) + offset * (waves[i] + waves[j])
                yield Trial({"i": i, "j": j}, abs(gram[i, j] - (i == j)), tolerance, message)

    yield from converging(on, subject.grid, integrates_exactly(subject.grid))


def integrates_exactly(grid):
    """Return whether a grid integrates products of two of its functions exactly."""
    return isinstance(grid, SpectralGrid) or "gauss" in getattr(grid, "rule", "")


def converging(trials_on, grid, exact):
    """Yield the trials on a grid; unless it is exact, those that fail must do so less on a finer one."""
    coarse = list(trials_on(grid))
    if exact or all(trial.margin >= 0 for trial in coarse):
        yield from coarse
        return
    for trial, finer in zip(coarse, trials_on(refined(grid)), strict=True):
        converges = trial.margin < 0 and finer.error < 0.6 * trial.error
        yield dataclasses.replace(trial, tolerance=trial.error) if converges else trial


def by_parts(subject, rng):
    """∫ u ∂v + ∫ v ∂u is the flux of uv through the boundary."""
    if subject.n_coordinates != subject.object.dimension:
        raise NotApplicable("the boundary of this domain is empty, and coordinates are not free")

    def on(grid):
        values = _members(grid)
        for axis in range(subject.n_coordinates):
            alpha = subject.unit(axis)
            slopes = grid.differentiate(values, alpha if subject.n_coordinates > 1 else alpha[0])
            for i in range(values.shape[1]):
                for j in range(i + 1):
                    yield _parts_trial(grid, axis, values[:, [i, j]], slopes[:, [i, j]], (i, j))

    # Products of a cosine and a sine series are not integrated exactly by the midpoint rule.
    half_range = any(
        getattr(f, "kind", "") in ("neumann", "dirichlet")
        for f in getattr(subject.grid, "factors", [subject.grid])
    )
    yield from converging(on, subject.grid, integrates_exactly(subject.grid) and not half_range)


def _members(grid):
    """Return functions of a grid that satisfy no condition at the ends where it can, (N, 6)."""
    factors = getattr(grid, "factors", (grid,))
    free = all(
        isinstance(factor, PolynomialGrid | SplineGrid) or factor.domain.boundary == "periodic"
        for factor in factors
    )
    return modes(grid, 6, "free" if free else None)


def _parts_trial(grid, axis, values, slopes, indices):
    products = [values[:, 0] * slopes[:, 1], values[:, 1] * slopes[:, 0]]
    left = float(grid.weights @ sum(products))
    flux, unresolved = _flux(grid, values[:, 0] * values[:, 1], axis)
    size = float(grid.weights @ sum(np.abs(product) for product in products)) + 1.0
    message = (
        f"integration by parts fails along coordinate {axis}: ∫ u ∂v + v ∂u = {left:.9g} and the boundary "
        f"terms are {flux:.9g}, u = mode {indices[0]}, v = mode {indices[1]} of {grid!r}"
    )
    # A node off by δ changes polynomials of a degree below 6 by 36δ, and differentiation takes it times N².
    offset = 72 * len(grid) ** 2 * offset_rounding(grid)
    tolerance = (ROUNDING * len(grid) + offset) * size + unresolved
    return Trial({"u": values[:, 0], "v": values[:, 1]}, abs(left - flux), tolerance, message)


def _flux(grid, product, axis):
    """Return ∫ uv ν_axis over the boundary, and a bound of its error."""
    factors = getattr(grid, "factors", (grid,))
    line = factors[axis].domain
    if not hasattr(line, "a") or line.boundary == "periodic":
        return 0.0, 0.0
    others = np.ones(1)
    shape = [len(factor) for factor in factors]
    ends = factors[axis].interpolation_matrix([line.a, line.b])
    at_ends = np.tensordot(ends[1] - ends[0], product.reshape(shape), axes=(0, axis))
    for i, factor in enumerate(factors):
        if i != axis:
            others = np.multiply.outer(others, factor.weights)
    return float(np.sum(others.reshape(at_ends.shape) * at_ends)), EPS * len(grid) ** 2


INTEGRATION_CHECKS = [
    check_of("domain-weights", weights_sum, "grid", "volume"),
    check_of("domain-orthonormal", orthonormal, "grid", "eigenfunctions", "laplacian_spectrum"),
    check_of("domain-by-parts", by_parts, "grid"),
]
