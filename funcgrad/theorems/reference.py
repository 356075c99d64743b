"""Gradients and projections computed without the library's grids, operators and kernels.

On intervals and boxes in L2 and H^1: composite Gauss quadrature with 16 nodes a panel, the model's exact
derivatives and on intervals the closed form of the H^1 kernel. On circles, tori, the sphere, and on boxes in
other metrics: coefficients against eigenfunctions that are written out here, and the symbol likewise. Norms
of vectors of these coordinates are norms in the metric.
"""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np

from funcgrad.functionals import EmpiricalLoss
from funcgrad.spaces import Box, Interval
from funcgrad.theorems.modes import modes_of
from funcgrad.theorems.record import DoesNotApply

_NODES_A_PANEL = 16
# Points at which sums of eigenfunctions are compared with the tangent functions.
_CHECKED = 64
# Points of a loss, whose kernel's values at 16 nodes between each two are held at once.
_MOST_POINTS = 1024
EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Reference:
    """The tangent functions and the ambient gradient in coordinates where the metric is Euclidean.

    Where there is no ambient gradient, it is the one on the tangent space.

    Attributes
    ----------
    tangent : ndarray, (M, p)
    gradient : ndarray, (M,)
    """

    tangent: np.ndarray
    gradient: np.ndarray

    @property
    def projection(self):
        """Parameters η of the orthogonal projection Σ η_i φ_i of the gradient, (p,)."""
        scale = self.column_norms
        return np.linalg.lstsq(self.tangent / scale, self.gradient, rcond=None)[0] / scale

    @property
    def column_norms(self):
        """The norms ‖φ_i‖, (p,), 1 in place of 0."""
        norms = np.linalg.norm(self.tangent, axis=0)
        return np.where(norms > 0, norms, 1.0)

    @property
    def condition(self):
        """Condition number of the tangent functions scaled to norm 1, without what is rounding."""
        sigma = kept_singular_values(self.tangent / self.column_norms)
        return float(sigma[0] / sigma[-1])

    @property
    def mixed_condition(self):
        """The same of the tangent functions as they are, where that is larger."""
        sigma = kept_singular_values(self.tangent)
        return max(self.condition, float(sigma[0] / sigma[-1]))

    @property
    def independence(self):
        """Smallest singular value of the tangent functions scaled to norm 1, over the largest."""
        sigma = np.linalg.svd(self.tangent / self.column_norms, compute_uv=False)
        return float(sigma[-1] / sigma[0])


def kept_singular_values(matrix):
    """Return the singular values of a matrix that are not rounding, descending."""
    sigma = np.linalg.svd(matrix, compute_uv=False)
    return sigma[sigma > sigma[0] * max(matrix.shape) * EPS]


def reference(instance):
    """Return the `Reference` of an instance with a model; raise `DoesNotApply` where there is none."""
    domain, order = instance.domain, instance.metric.order
    if isinstance(domain, Interval):
        if order not in (0, 1):
            raise DoesNotApply(
                f"on an interval natural gradients are available in L2 and H^1, not {instance.metric}"
            )
        return _on_interval(instance)
    if isinstance(domain, Box) and instance.rule is None and order in (0, 1):
        return _on_box(instance)
    return _by_modes(instance)


def point_factors(instance):
    """Return c, (K,) or (K, m), for which dF = Σ c_i δ_{x_i}: w_i ∂ℓ/∂z of a loss at points."""
    loss = instance.functional
    return (loss.weights * loss.loss.derivative(loss.predictions(instance.f), loss.y).T).T


def fine_rule(domain, nodes=0):
    """Return nodes (N, n), or (N,) on a line, and weights of a rule finer than the library's grids.

    `nodes` is the number that resolves the functions on a line.
    """
    if isinstance(domain, Interval):
        return composite_rule(domain, domain.length / _panels(nodes, 16))
    if isinstance(domain, Box):
        return _box_rule(domain)
    modes = modes_of(domain)
    return modes.nodes, modes.weights


def _panels(nodes, least):
    """The number of panels of an interval on which functions are resolved that n nodes of one panel resolve.

    A pole at a distance a, in units of half the length, takes n = 28/a nodes for 12 digits; integrals over p
    panels then have the error of (1 + ap)^{-32} or less, 1e-15 for p = n/16.
    """
    return max(least, math.ceil(nodes / 16))


def _box_rule(domain):
    """The product of composite rules: 128 nodes an axis in the plane, 48 in space."""
    panels = {1: 16, 2: 8}.get(domain.dimension, 3)
    lines = [composite_rule(axis, axis.length / panels) for axis in domain.factors]
    nodes = np.stack(np.meshgrid(*[x for x, _ in lines], indexing="ij"), axis=-1)
    weights = reduce(np.multiply.outer, [w for _, w in lines])
    return nodes.reshape(-1, domain.dimension), weights.ravel()


def composite_rule(domain, width, breaks=()):
    """Return nodes and weights of composite Gauss quadrature with panels up to `width`, split at breaks."""
    ends = np.unique(np.concatenate([[domain.a, domain.b], np.ravel(breaks)]))
    pieces = [
        np.linspace(low, high, 1 + math.ceil((high - low) / width))[:-1] for low, high in pairwise(ends)
    ]
    edges = np.append(np.concatenate(pieces), domain.b)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_A_PANEL)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()


def _on_interval(instance):
    domain, metric, model, theta = instance.domain, instance.metric, instance.model, instance.theta
    loss, length_scale = instance.functional, getattr(metric, "length_scale", 1.0)
    at_points = isinstance(loss, EmpiricalLoss)
    width = domain.length / _panels(instance.data.get("nodes", 0), 8)
    if at_points and metric.order:
        width = min(width, length_scale)
    x, w = composite_rule(domain, width, loss.x if at_points else ())
    root = np.sqrt(w)
    rows = [root[:, None] * model.jacobian(theta, x)]
    if metric.order == 1:
        rows.append(length_scale * root[:, None] * model.jacobian_derivative(theta, x, 1))
    if at_points and metric.order == 1:
        points, inverse = np.unique(loss.x[:, 0], return_inverse=True)
        factors = np.bincount(inverse, point_factors(instance))
        if len(points) > _MOST_POINTS:
            raise DoesNotApply(
                f"the closed form of the gradient takes too long for {len(points)} points; take up to "
                f"{_MOST_POINTS} of them"
            )
        values, slopes = h1_kernel(domain, length_scale, x[:, None], points)
        gradient = np.concatenate([root * (values @ factors), length_scale * root * (slopes @ factors)])
    elif not at_points and metric.order == 0:
        gradient = root * (instance.f(x) - loss.y(x))
    elif at_points:
        gradient = _tangent_gradient(instance, np.concatenate(rows))
    else:
        raise DoesNotApply(f"the gradient has no closed form in {metric}")
    return Reference(np.concatenate(rows), gradient)


def _tangent_gradient(instance, tangent):
    """The combination of the tangent functions that represents dF on them: the least g with Aᵀg = dF(φ)."""
    slopes = point_factors(instance) @ instance.model.jacobian(instance.theta, instance.functional.x)
    norms = Reference(tangent, np.zeros(0)).column_norms
    return np.linalg.lstsq((tangent / norms).T, slopes / norms, rcond=None)[0]


def box_tangent(domain, metric, model, theta):
    """Return the tangent functions on a box in coordinates of L2 or H^1, (M, p)."""
    x, w = _box_rule(domain)
    root = np.sqrt(w)[:, None]
    rows = [root * model.jacobian(theta, x)]
    if metric.order == 1:
        for alpha in np.eye(domain.dimension, dtype=int):
            rows.append(
                metric.length_scale * root * model.jacobian_derivative(theta, x, tuple(alpha.tolist()))
            )
    return np.concatenate(rows)


def _on_box(instance):
    """In dimensions above one no loss at points has a gradient in H^1."""
    domain, metric, loss = instance.domain, instance.metric, instance.functional
    tangent = box_tangent(domain, metric, instance.model, instance.theta)
    if isinstance(loss, EmpiricalLoss):
        return Reference(tangent, _tangent_gradient(instance, tangent))
    if metric.order:
        raise DoesNotApply(f"the gradient has no closed form in {metric}")
    x, w = _box_rule(domain)
    return Reference(tangent, np.sqrt(w) * (instance.f(*x.T) - loss.y(*x.T)))


def h1_kernel(domain, length_scale, x, y):
    """Return K(x, y) and ∂_x K(x, y) of H^1 on an interval (theory: cosh·cosh/sinh, sinh·sinh/sinh).

    Written with decaying exponentials only, so that nothing overflows on long intervals.
    """
    sign = 1.0 if domain.boundary == "neumann" else -1.0
    low, high = np.minimum(x, y), np.maximum(x, y)
    left = np.exp(-2 * (low - domain.a) / length_scale)
    right = np.exp(-2 * (domain.b - high) / length_scale)
    decay = np.exp(-(high - low) / length_scale) / (1 - np.exp(-2 * domain.length / length_scale))
    decay /= 2 * length_scale
    value = decay * (1 + sign * left) * (1 + sign * right)
    rising = (1 - sign * left) * (1 + sign * right)
    falling = -(1 + sign * left) * (1 - sign * right)
    return value, decay / length_scale * np.where(x < y, rising, falling)


def _by_modes(instance):
    metric, loss, modes = instance.metric, instance.functional, modes_of(instance.domain)
    if isinstance(loss, EmpiricalLoss):
        covector = point_factors(instance) @ modes.at(loss.x)
    else:
        x = modes.nodes.T
        covector = modes.coefficients(instance.f(*x) - loss.y(*x))
    tangent = tangent_by_modes(instance.domain, metric, instance.model, instance.theta)
    return Reference(tangent, covector / _root_of_symbol(metric, modes))


def tangent_by_modes(domain, metric, model, theta):
    """Return the tangent functions in coordinates of a metric (1 - ℓ²Δ)^s, (K, p), by `modes_of`."""
    modes = modes_of(domain)
    coefficients = modes.coefficients(model.jacobian(theta, modes.nodes))
    return _root_of_symbol(metric, modes)[:, None] * coefficients


def require_modes(instance):
    """Raise `DoesNotApply` if the instance is compared with sums of eigenfunctions that do not resolve it."""
    domain, model, theta = instance.domain, instance.model, instance.theta
    if isinstance(domain, Interval) or (isinstance(domain, Box) and instance.rule is None):
        return
    modes = modes_of(domain)
    coefficients = modes.coefficients(model.jacobian(theta, modes.nodes))
    x = domain.sobol_points(_CHECKED, seed=0).nodes
    exact = model.jacobian(theta, x)
    error = np.abs(np.tensordot(modes.at(x), coefficients, (1, 0)) - exact).max(axis=0)
    if np.any(error > 1e-11 * np.abs(exact).max(axis=0)):
        raise DoesNotApply(
            f"the tangent functions need more than the {len(modes.eigenvalues)} lowest eigenfunctions on "
            f"{domain}, with which they are compared"
        )


def _root_of_symbol(metric, modes):
    return (1 + getattr(metric, "length_scale", 1.0) ** 2 * modes.eigenvalues) ** (metric.order / 2)
