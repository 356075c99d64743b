"""Dual norms of covectors in H^s through the heat flow, where a sum over modes would hardly converge.

By the Gamma integral (1+λ)^{-s} = Γ(s)^{-1} ∫_0^∞ t^{s-1} e^{-t(1+λ)} dt, with λ in units of ℓ^{-2},

    ‖c‖²_{H^{-s}} = Γ(s)^{-1} ∫_0^∞ t^{s-1} e^{-t} θ(t) dt,  θ(t) = c ⊗ c applied to the heat kernel e^{tℓ²Δ}.

For t >= T, a few times the square of the shortest wave or distance of nodes that is taken, θ is known to
rounding: by a sum over modes, or in R^n, where the heat kernel is a Gaussian, by quadrature. As t -> 0 it has
an expansion t^{-p} Σ_m a_m t^{m/2}, p the covector's threshold, from its geometry alone: points, ends,
curvatures, crossings. (What is at a distance d adds e^{-d²/4tℓ²}, which is not seen.) Its coefficients are
fitted to θ between T and 6 T; what fits of several degrees differ by is the error.
"""

import math
from itertools import product

import numpy as np
import scipy.special

from funcgrad.errors import ConvergenceError, InvalidInput
from funcgrad.functionals.surface_term import SurfaceTerm
from funcgrad.spaces.euclidean import Euclidean
from funcgrad.spaces.quadrature import gauss_legendre

# Relative error of a squared dual norm beyond which it is refused.
TOLERANCE = 1e-6
# An estimate below this is not improved with more modes or nodes.
_GOOD = 1e-8
# Waves of the frequency Λ count e^{-_CUT} at the time T = _CUT/Λ².
_CUT = 30.0
# √t runs over _WINDOW times its least value; the degrees in √t of the fits.
_WINDOW, _SAMPLES, _DEGREES = 2.5, 20, range(2, 9)
_MODES = {2: (2**16, 2**18, 2**20), 3: (2**18, 2**20, 2**21)}
# On the sphere those of a density are found one by one.
_MODES_ONE_BY_ONE = (2**12, 2**14, 2**16)
# Nodes on curves and surfaces in R^n, and times for each factor e beyond T.
_NODES, _TIMES = {1: (160, 320, 640), 2: (24, 40, 64)}, 4.5
_BLOCK_ENTRIES = 2**20
# The Gaussian of time t is integrated to 1e-14 by nodes at most √(t/_RESOLVED) apart: e^{-4π²t/h²}.
_RESOLVED = 0.8


def squared_dual_norm(c, domain, order, length_scale, homogeneous=False):
    """Return ‖c‖² in the dual of H^s for a covector of points and surfaces, to a relative 1e-6 or better.

    Parameters
    ----------
    c : Covector
        Bounded on H^s, without densities.
    domain : Domain
    order, length_scale : float
    homogeneous : bool
        (ℓ²λ)^{-s} over λ > 0 instead of (1+ℓ²λ)^{-s}.

    Raises
    ------
    ConvergenceError
        If the covector has features that the modes or nodes taken do not resolve.
    """
    threshold = c.regularity_in(domain.dimension).order
    if isinstance(domain, Euclidean):
        if homogeneous:
            raise InvalidInput(f"homogeneous H^{order:g} has no dual norm on {domain}: take a torus.")
        attempts = _of_nodes(c, domain.dimension, order, length_scale)
    else:
        attempts = _of_modes(c, domain, order, length_scale, homogeneous)
    best = (math.nan, math.inf)
    for far, heat, start in attempts:
        near, error = _near(heat, start, order, threshold, 0.0 if homogeneous else 1.0)
        total = far + near
        relative = error / total if total else error  # weights whose squares underflow leave 0 of both
        best = min(best, (total, relative), key=lambda pair: pair[1])
        if best[1] <= _GOOD:
            break
    if not best[1] <= TOLERANCE:
        raise ConvergenceError(
            f"the dual norm of {c!r} in H^{order:g} on {domain} is known to a relative {best[1]:.0e} only, "
            f"not to {TOLERANCE:.0e}: its surfaces are too small, too long, or too near each other or the "
            "boundary for the modes that are taken. A smaller domain or a higher order may do; on one grid "
            "take `norm(riesz(c, grid))`."
        )
    return best[0]


def _near(heat, start, order, threshold, shift):
    """Return Γ(s)^{-1} ∫_0^T t^{s-1} e^{-shift t} θ(t) dt and an estimate of its error."""
    # Chebyshev points of √t/√T over [1, _WINDOW].
    x = 1 + (_WINDOW - 1) * (1 - np.cos(np.pi * (np.arange(_SAMPLES) + 0.5) / _SAMPLES)) / 2
    values = heat(start * x**2) * x ** (2 * threshold)
    powers = np.arange(max(_DEGREES) + 1)
    q = order - threshold + powers / 2
    # ∫_0^1 τ^{q-1} e^{-shift T τ} dτ, times T^s from t = Tτ.
    z = shift * start
    moments = 1 / q if z == 0 else np.exp(scipy.special.gammaln(q) - q * math.log(z))
    if z:
        moments = moments * scipy.special.gammainc(q, z)
    moments *= math.exp(order * math.log(start) - math.lgamma(order))
    estimates = np.array(
        [np.linalg.lstsq(x[:, None] ** powers[:d], values)[0] @ moments[:d] for d in _DEGREES]
    )
    errors = np.abs(estimates[2:] - estimates[1:-1]) + np.abs(estimates[2:] - estimates[:-2])
    best = int(np.argmin(errors))
    return float(estimates[best + 2]), float(errors[best])


# --- modes ------------------------------------------------------------------------------------------------


def _of_modes(c, domain, order, length_scale, homogeneous):
    """Yield (what t > T adds, θ, T) from sums over more and more modes."""
    shift = 0.0 if homogeneous else 1.0
    one_by_one = not hasattr(domain, "pairing") and any(density for *_, density in c.surfaces)
    for count in _MODES_ONE_BY_ONE if one_by_one else _MODES.get(domain.dimension, _MODES[3]):
        eigenvalues = length_scale**2 * domain.laplacian_spectrum(count)
        squares = np.sum(c.coefficients(domain, count).reshape(count, -1) ** 2, axis=1)
        kept = slice(None) if shift else eigenvalues > 0
        eigenvalues, squares = eigenvalues[kept], squares[kept]
        start = _CUT / eigenvalues[-1]
        total = shift + eigenvalues
        far = squares @ (total**-order * scipy.special.gammaincc(order, start * total))
        yield far, lambda t, s=squares, e=eigenvalues: np.array([s @ np.exp(-u * e) for u in t]), start


# --- nodes ------------------------------------------------------------------------------------------------


def _of_nodes(c, dimension, order, length_scale):
    """Yield the same in R^n, from more and more nodes on the surfaces."""
    surfaces = [term.surface for term in c.terms if isinstance(term, SurfaceTerm)]
    of_dimension = max(surface.dimension for surface in surfaces)
    if of_dimension not in _NODES:
        raise InvalidInput(f"dual norms on R^n are available for curves and surfaces; got {surfaces}.")

    def heat(t):
        return np.array([_gaussian_pairing(c, u * length_scale**2, dimension) for u in t])

    for count in _NODES[of_dimension]:
        start = _RESOLVED * (max(surface.girth for surface in surfaces) / count / length_scale) ** 2
        # Gauss's rule in log t, up to where t^s e^{-t} is below rounding.
        low, high = math.log(start), math.log(60 + 4 * order + 2 * start)
        u, w = gauss_legendre(math.ceil(_TIMES * (high - low)))
        t = np.exp((low + high) / 2 + (high - low) / 2 * u)
        weights = (high - low) / 2 * w * np.exp(order * np.log(t) - t - math.lgamma(order))
        yield weights @ heat(t), heat, start


def _gaussian_pairing(c, t, n):
    """Return c ⊗ c applied to (4πt)^{-n/2} e^{-|x-y|²/4t}, by a rule whose nodes resolve that Gaussian."""
    groups, seen, kappa, total = [], [], 1 / (2 * t), 0.0
    for term in c.terms:
        count = [term.resolving_count(math.sqrt(t / _RESOLVED))] if isinstance(term, SurfaceTerm) else []
        groups.append(list(term.evaluations(*count)))
        # Where every node sees the same, one stands for all of them.
        uniform = isinstance(term, SurfaceTerm) and term.is_uniform
        share = term.surface.area / term.rule(*count)[1][0] if uniform else 1.0
        kept = slice(1) if uniform else slice(None)
        seen.append([(points[kept], alpha, share * weights[kept]) for points, alpha, weights in groups[-1]])
    for i, group in enumerate(groups):
        total += _pair(seen[i], group, kappa)
        total += 2 * sum(_pair(group, other, kappa) for other in groups[i + 1 :])
    return total / (4 * math.pi * t) ** (n / 2)


def _pair(first, second, kappa):
    """Σ w_x·w_y ∂_x^α ∂_y^β e^{-κ|x-y|²/2} over the nodes of two terms.

    Each is a list of multi-indices, with weights on one and the same list of nodes. By Hermite polynomials
    it is e^{-κ|x-y|²/2} times Σ of products of powers of κ and of the coordinates of x - y.
    """
    total, (points, _, _), (others, _, _) = 0.0, first[0], second[0]
    rows = max(1, _BLOCK_ENTRIES // len(others))
    for start in range(0, len(points), rows):
        block = slice(start, start + rows)
        difference = np.moveaxis(points[block, None] - others, -1, 0)
        factor = 0.0
        for (_, alpha, w), (_, beta, v) in product(first, second):
            term = (-1) ** sum(beta) * np.tensordot(w[block], v, axes=(range(1, w.ndim), range(1, v.ndim)))
            for order, d in zip(map(sum, zip(alpha, beta, strict=True)), difference, strict=True):
                if order:
                    term = term * _hermite_function(order, kappa, d)
            factor = factor + term
        total += np.vdot(factor, np.exp(-kappa / 2 * np.sum(difference**2, axis=0)))
    return float(total)


def _hermite_function(order, kappa, d):
    """e^{κd²/2} (∂/∂d)^order e^{-κd²/2}, by the recurrence of Hermite's polynomials."""
    before, value = 0.0, 1.0
    for m in range(order):
        before, value = value, -kappa * (d * value + m * before)
    return value
