"""Theorems about reproducing kernels: evaluation-representer and sobolev-kernel."""

import math
from functools import reduce

import numpy as np
from scipy.special import eval_legendre, j0

from funcgrad.gradients.natural_gradient import model_function
from funcgrad.kernels import (
    IntervalSobolev,
    PeriodicSobolev,
    Sobolev,
    SphereSobolev,
    TorusSobolev,
)
from funcgrad.metrics import RKHS
from funcgrad.spaces import Box, Circle, Euclidean, Interval, Sphere, Torus
from funcgrad.theorems.common import (
    EPS,
    PAPER,
    eigenfunctions_by_hand,
    require_compact,
    require_line,
    require_loss_at_points,
    require_one_output,
    require_spectral,
    some_loss,
)
from funcgrad.theorems.expectations import Exact, Stagnant
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem
from funcgrad.theorems.reference import composite_rule, point_factors
from funcgrad.theorems.riesz import zero

# --- evaluation-representer ---------------------------------------------------------------------------


def _representer_instances(rng):
    interval, pinned, circle = Interval(0, 1.5), Interval(0, 1.5, "dirichlet"), Circle(3.0)
    cases = [
        ("H^1, Neumann interval", interval, IntervalSobolev(1.0, 0, 1.5, "neumann", 0.5)),
        ("H^1, Dirichlet interval", pinned, IntervalSobolev(1.0, 0, 1.5, "dirichlet", 0.5)),
        ("H^2, Dirichlet interval", pinned, IntervalSobolev(2.0, 0, 1.5, "dirichlet", 0.5)),
        *((f"H^{s:g}, circle", circle, PeriodicSobolev(s, 3.0, 0.4)) for s in (1.0, 2.0, 3.0)),
    ]
    return [
        Instance(label, domain, RKHS(kernel), some_loss(domain, rng, 4), zero)
        for label, domain, kernel in cases
    ]


def _representer_residual(instance, panels, stretch=1.0):
    """Largest |<g, v> - dF(v)| / (‖g‖ ‖v‖) over eigenfunctions v, with <g, v> = ∫ g (1-ℓ²Δ)^s v.

    g is the representer from the RKHS metric; Gauss quadrature on panels split at the points of the loss,
    where derivatives of g jump. ‖g‖² = Σ c_i c_j K(x_i, x_j).
    """
    own, loss, interval = instance.metric.kernel, instance.functional, _interval(instance.domain)
    kernel = own if stretch == 1 else _stretched(own, stretch)
    factors = point_factors(instance)
    x, w = composite_rule(interval, interval.length / panels, loss.x)
    weighted = w * RKHS(kernel).representer(loss.differential(instance.f))(x)
    defect = 0.0
    for v, eigenvalue in eigenfunctions_by_hand(instance.domain, own.length_scale):
        symbol = (1 + own.length_scale**2 * eigenvalue) ** own.s
        inner, exact = symbol * float(weighted @ v(x)), float(factors @ v(loss.x[:, 0]))
        defect = max(defect, abs(inner - exact) / math.sqrt(symbol))
    size = math.sqrt(factors @ own.gram(loss.x) @ factors)
    return Residual(defect, size, 200 * EPS * math.sqrt(symbol), 1 / panels, len(x))


def _interval(domain):
    """The coordinate's interval of a one-dimensional domain."""
    return domain if isinstance(domain, Interval) else Interval(0, domain.length)


def _stretched(kernel, factor):
    """Return the kernel with its length scale multiplied."""
    if isinstance(kernel, PeriodicSobolev):
        return PeriodicSobolev(kernel.s, kernel.length, factor * kernel.length_scale)
    return IntervalSobolev(kernel.s, kernel.a, kernel.b, kernel.boundary, factor * kernel.length_scale)


def _representer_problem(problem):
    require_line(problem)
    require_one_output(problem)
    require_spectral(problem)
    require_loss_at_points(problem)
    if getattr(problem.metric, "order", 0) not in (1, 2, 3):
        raise DoesNotApply("it is checked for losses at points in H^1, H^2 and H^3")
    kernel = problem.metric.green_kernel(problem.domain)
    panels = max(1, round(problem.domain.volume / problem.metric.length_scale / 4))
    f = model_function(problem.model, problem.theta)
    return Instance(
        problem.label, problem.domain, RKHS(kernel), problem.functional, f, data={"panels": panels}
    )


EVALUATION_REPRESENTER = Theorem(
    id="evaluation-representer",
    statement="In an RKHS the gradient of f ↦ f(x) is K(x, .), and that of ½ Σ (f(x_i)-y_i)² is "
    "Σ (f(x_i)-y_i) K(x_i, .).",
    latex=r"\nabla\,(f\mapsto f(x)) = K(x,\cdot),\qquad "
    r"\nabla\tfrac12\sum_i(f(x_i)-y_i)^2=\sum_i(f(x_i)-y_i)K(x_i,\cdot)",
    source="Aronszajn 1950; " + PAPER,
    hypotheses=(),
    instances=_representer_instances,
    from_problem=_representer_problem,
    levels=lambda instance: [k * instance.data.get("panels", 1) for k in (4, 8, 16)],
    residual=_representer_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "a kernel with another length scale",
            breaks="statement",
            residual=lambda instance, n: _representer_residual(instance, n, stretch=1.3),
            failure=lambda instance: Stagnant(1e-4),
        ),
    ),
)


# --- sobolev-kernel -----------------------------------------------------------------------------------


def _green_instances(rng):
    x = float(rng.uniform(0.3, 0.7))  # of the length of each axis
    circle, interval, pinned = Circle(2.0), Interval(0, 1), Interval(0, 1, "dirichlet")
    cases = [(circle, PeriodicSobolev(s, 2.0, 0.6)) for s in (1.0, 1.7, 2.0, 3.2)]
    cases += [(interval, IntervalSobolev(s, 0, 1, "neumann", 0.4)) for s in (1.0, 2.0, 2.6)]
    cases += [(pinned, IntervalSobolev(s, 0, 1, "dirichlet", 0.4)) for s in (1.0, 2.0, 2.6)]
    cases += [(Torus((2.0, 1.5)), TorusSobolev(2.7, (2.0, 1.5), 0.4))]
    cases += [(Sphere(), SphereSobolev(s, 0.7)) for s in (1.5, 2.0, 3.2)]
    cases += [
        (Euclidean(n), Sobolev(s, n, 0.7)) for n, s in ((1, 0.8), (1, 2), (2, 1.4), (2, 2), (3, 2), (3, 2.5))
    ]
    return [Instance(f"{kernel!r}", domain, data={"kernel": kernel, "point": x}) for domain, kernel in cases]


def _graded_rule(interval, x, panels, width):
    """Composite Gauss quadrature on panels halved towards x, where the kernel is not smooth."""
    ends = np.array([interval.a, interval.b])
    breaks = [x + (end - x) * 0.5 ** np.arange(1, panels) for end in ends]
    return composite_rule(interval, width, np.concatenate([*breaks, [x]]))


def _green_residual(instance, panels, excess=0.0):
    """Largest error of (1+ℓ²λ)^s ∫ K(x, y) v(y) dy = v(x) over eigenfunctions v, against their amplitude."""
    kernel = instance.data["kernel"]
    if isinstance(instance.domain, Sphere):
        terms = _zonal_integrals(kernel, panels)
    elif isinstance(instance.domain, Euclidean):
        terms = _radial_integrals(kernel, panels)
    else:
        terms = _product_integrals(instance.domain, kernel, instance.data["point"], panels)
    error, symbols = 0.0, []
    for integral, value, eigenvalue in terms:
        symbols.append((1 + kernel.length_scale**2 * eigenvalue) ** (kernel.s + excess))
        error = max(error, abs(symbols[-1] * integral - value))
    return Residual(error, 1.0, 64 * EPS * max(symbols), 1 / panels, panels)


def _product_integrals(domain, kernel, x, panels):
    """Yield (∫ K(x, y) v(y) dy, v(x), λ) on a product of intervals and circles, v of amplitude 1.

    In more dimensions K has a kink only where all coordinates meet x, so a product of graded rules does.
    """
    factors = getattr(domain, "factors", (domain,))
    start = [getattr(factor, "a", 0.0) + x * factor.length for factor in factors]
    axes = zip(factors, start, strict=True)
    rules = [_graded_rule(_interval(f), t, panels, 2 * kernel.length_scale) for f, t in axes]
    y = np.stack(np.meshgrid(*[nodes for nodes, _ in rules], indexing="ij"), axis=-1).reshape(-1, len(rules))
    w = reduce(np.multiply.outer, [weights for _, weights in rules]).ravel()
    section = w * kernel.gram([start], y)[0]
    amplitude = math.prod(math.sqrt(2 / f.length) for f in factors)
    for v, eigenvalue in eigenfunctions_by_hand(domain, kernel.length_scale):
        yield float(section @ v(*y.T)) / amplitude, float(v(*start)) / amplitude, eigenvalue


def _zonal_integrals(kernel, panels):
    """Yield (2π ∫ k(t) P_l(t) dt, 1, l(l+1)) on the sphere: what K does to harmonics (Funk and Hecke)."""
    angle, w = _graded_rule(Interval(-np.pi, np.pi), 0.0, panels, kernel.length_scale)
    angle, w = angle[angle > 0], w[angle > 0]
    sections = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
    weighted = 2 * np.pi * w * np.sin(angle) * kernel.gram([[0.0, 0.0, 1.0]], sections)[0]
    for degree in (0, 1, 2, 3, 6, 9):
        yield float(weighted @ eval_legendre(degree, np.cos(angle))), 1.0, degree * (degree + 1.0)


def _radial_integrals(kernel, panels):
    """Yield (∫ K(|y|) e^{iω·y} dy, 1, |ω|²) on R^n, by the integral over the radius, cut off at e^{-45}."""
    n = kernel.dimension
    reach = 50 * kernel.length_scale
    r, w = _graded_rule(Interval(-reach, reach), 0.0, panels, kernel.length_scale)
    r, w = r[r > 0], w[r > 0]
    points = np.zeros((len(r), n))
    points[:, 0] = r
    section = w * kernel.gram(points, np.zeros((1, n)))[:, 0]
    for omega in np.array([0.0, 0.5, 1.0, 2.0, 3.0]) / kernel.length_scale:
        # The mean of e^{iω·y} over the sphere |y| = r, times that sphere's area.
        waves = {
            1: 2 * np.cos(omega * r),
            2: 2 * np.pi * r * j0(omega * r),
            3: 4 * np.pi * r**2 * np.sinc(omega * r / np.pi),
        }[n]
        yield float(section @ waves), 1.0, omega**2


def _exponential_form(instance):
    """At s = (n+1)/2 the kernel on R^n is Γ(1/2)/((4π)^{n/2} Γ((n+1)/2)) e^{-r}, for n = 1, 2, 3."""
    r = np.array([0.0, 0.1, 1.0, 5.0, 30.0])
    worst = 0.0
    for n in (1, 2, 3):
        constant = math.sqrt(math.pi) / ((4 * math.pi) ** (n / 2) * math.gamma((n + 1) / 2))
        points = np.zeros((len(r), n))
        points[:, 0] = r
        exact = constant * np.exp(-r)
        computed = Sobolev((n + 1) / 2, n).gram(points, np.zeros((1, n)))[:, 0]
        worst = max(worst, float(np.abs(computed / exact - 1).max()))
    return Residual(worst, 1.0, 64 * EPS, 1.0, len(r))


def _green_problem(problem):
    require_spectral(problem)
    domain, metric = problem.domain, problem.metric
    if not isinstance(domain, Euclidean):
        require_compact(problem)
    if not metric.order > domain.dimension / 2:
        raise DoesNotApply(f"{metric} has no kernel on {domain}: it needs a Sobolev order above n/2")
    if domain.dimension > (3 if isinstance(domain, Euclidean) else 2):
        raise DoesNotApply(f"on {domain} it needs too many values of the kernel; it is checked in the plane")
    # The innermost of p panels, 2^-p wide, is where the kernel is not smooth, like r^{2s-n}.
    panels = math.ceil(20 / metric.order)
    data = {"kernel": metric.green_kernel(domain), "point": 0.4, "panels": panels}
    return Instance(problem.label, domain, data=data)


def _green_levels(instance):
    if isinstance(instance.domain, Torus | Box):
        panels = instance.data.get("panels", 4)
        return [panels, panels + 1]
    # The innermost of p panels, where K is a power of the distance, has an integral like 2^{-2sp}.
    kernel = instance.data["kernel"]
    first = max(30, math.ceil(53 / (2 * kernel.s)))
    return [first, first + 10, first + 20]


SOBOLEV_KERNEL = Theorem(
    id="sobolev-kernel",
    statement="The Green function of (1 - ℓ²Δ)^s is the Sobolev kernel of the domain: closed forms on R^n, "
    "sums of images on the circle and the interval; exponential on R^n at s = (n+1)/2.",
    latex=r"(1-\ell^2\Delta)^sK_s(x,\cdot)=\delta_x",
    source="Wendland, Scattered Data Approximation; Aronszajn 1950",
    hypotheses=(),
    instances=_green_instances,
    from_problem=_green_problem,
    levels=_green_levels,
    residual=_green_residual,
    expectation=lambda instance: Exact(),
    controls=(
        Control(
            "the operator of order s + 1/4",
            breaks="statement",
            residual=lambda instance, panels: _green_residual(instance, panels, excess=0.25),
            failure=lambda instance: Stagnant(1e-2),
        ),
    ),
    oracle=_exponential_form,
)
