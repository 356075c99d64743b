"""Theorems about Riesz representers: riesz-representation and sobolev-gradient-smooths."""

import math
from dataclasses import replace
from functools import reduce

import numpy as np
from scipy.special import eval_legendre, iv, spherical_in

from funcgrad.functionals import PopulationLoss
from funcgrad.metrics import L2, Sobolev
from funcgrad.spaces import Box, Circle, Interval, Sphere, Torus
from funcgrad.spaces.polynomial_grid import PolynomialGrid
from funcgrad.theorems.common import (
    BOUNDED,
    EPS,
    PAPER,
    another_metric,
    differential,
    dual_length,
    eigenfunctions_by_hand,
    even_rule,
    excess_order,
    new_part,
    refinements,
    require_apart,
    require_compact,
    require_loss_at_points,
    require_one_output,
    require_spectral,
    rounding_floor,
    separating_levels,
    some_loss,
    step,
    unbounded_control,
)
from funcgrad.theorems.expectations import Exact, Order, Spectral, Stagnant
from funcgrad.theorems.record import Control, DoesNotApply, Instance, Residual, Theorem


def zero(*x):
    """Return the zero function's values."""
    return np.zeros_like(x[0])


def _riesz_instances(rng):
    circle = Circle(2 * np.pi)
    target = PopulationLoss(lambda x: 1 + np.cos(x) - 0.5 * np.sin(3 * x))
    instances = [
        Instance(f"loss at points, {Sobolev(s)}, circle", circle, Sobolev(s), some_loss(circle, rng), zero)
        for s in (0.75, 1.0, 1.5)
    ]
    instances += [
        Instance(f"population loss, {metric}, circle", circle, metric, target, zero)
        for metric in (L2(), Sobolev(1.0, 0.5))
    ]
    for boundary in ("neumann", "dirichlet"):
        interval = Interval(0.0, 1.0, boundary)
        for rule, s in (("midpoint", 1.25), ("gauss-legendre", 1.0)):
            label = f"loss at points, H^{s:g}, {boundary} interval, {rule}"
            instances.append(Instance(label, interval, Sobolev(s), some_loss(interval, rng), zero, rule=rule))
    quadratic = PopulationLoss(lambda x: 1 - x**2)
    instances.append(
        Instance("population loss, H^1, neumann interval", Interval(-1, 1), Sobolev(1.0), quadratic, zero)
    )
    return instances + _riesz_instances_in_space(rng)


def _riesz_instances_in_space(rng):
    torus, cube, sphere = Torus((2 * np.pi, 2 * np.pi)), Torus((4, 4, 4)), Sphere()
    box, pinned = Box([(0, 1), (0, 1)]), Box([(0, 1), (0, 1)], "dirichlet")
    cases = [
        ("torus", torus, Sobolev(1.5), None),
        ("torus", torus, Sobolev(2.0, 0.5), None),
        ("torus of dimension 3", cube, Sobolev(2.0), None),
        ("Neumann box", box, Sobolev(1.75, 0.5), "midpoint"),
        ("Dirichlet box", pinned, Sobolev(1.75, 0.5), "midpoint"),
        ("sphere", sphere, Sobolev(1.5), None),
    ]
    target = PopulationLoss(lambda x, y: 1 + np.cos(x) * np.cos(y) - 0.5 * np.sin(2 * x) * np.sin(2 * y))
    waves = PopulationLoss(lambda x, y, z: 1 + x * y - z**3)
    return [
        *(
            Instance(
                f"loss at points, {metric}, {name}", domain, metric, some_loss(domain, rng), zero, rule=rule
            )
            for name, domain, metric, rule in cases
        ),
        Instance("population loss, L2, torus", torus, L2(), target, zero),
        Instance("population loss, H^1.3, torus", torus, Sobolev(1.3), target, zero),
        Instance("population loss, L2, sphere", sphere, L2(), waves, zero),
    ]


def _smooth_defect(instance, n, metric=None):
    """Largest |<g, v> - dF(v)| / ‖v‖ over eigenfunctions v, for g from a given metric, and ‖dF‖.

    The inner product is <g, v> = ∫ g (1 - ℓ²Δ)^s v with the eigenvalue of v in closed form, not through
    the operators that computed g.
    """
    grid = instance.grid(n)
    c = differential(instance, grid)
    own = instance.metric
    weighted = grid.weights * (own if metric is None else metric).riesz(c, grid).values
    defects = []
    for v, eigenvalue in eigenfunctions_by_hand(
        instance.domain, getattr(instance.metric, "length_scale", 1.0)
    ):
        symbol = (1 + getattr(own, "length_scale", 1.0) ** 2 * eigenvalue) ** own.order
        inner = symbol * float(weighted @ v(*grid.nodes.T))
        defects.append(abs(inner - c(v)) / np.sqrt(symbol))
    return max(defects), dual_length(c, own, grid)


def _riesz_residual(instance, n):
    """Defect of <g_n, v> = dF(v), over smooth v in closed form and over all v of the grid twice as fine."""
    smooth, size = _smooth_defect(instance, n)
    part = new_part(instance, n)
    value = max(smooth / size, part.scaled)
    return Residual(value, 1.0, part.floor, part.h, n)


def _riesz_order(instance):
    excess = excess_order(instance)
    if not np.isfinite(excess) or not differential(instance, instance.grid(8)).atoms:
        return Exact()
    return Order(excess - 0.1, excess + 0.1)


def _riesz_levels(instance):
    """From where the tested eigenfunctions are resolved; grids whose transforms are dense stop earlier."""
    if "levels" in instance.data:
        return instance.data["levels"]
    if instance.domain.dimension > 1:
        first, count = (16, 5) if instance.domain.dimension == 2 else (8, 4)
        count = 4 if isinstance(instance.domain, Sphere) else count
        return [first * 2**j for j in range(count)]
    polynomial = isinstance(instance.grid(8), PolynomialGrid)
    return refinements(instance, first=20 if polynomial else 24, count=5 if polynomial else 6)


def _wrong_metric_residual(instance, n):
    value, size = _smooth_defect(instance, n, another_metric(instance.metric))
    grid = instance.grid(n)
    return Residual(value, size, rounding_floor(grid, instance.metric), step(grid), n)


# Orders of convergence up to the first are not told from none, of which a fit may find 0.1; beyond the second
# representers reach rounding before their order shows.
_NEAR_THRESHOLD, _FAST = 0.2, 2.25


def riesz_problem(problem):
    """Return the user's functional at the model's function, on grids of the Laplacian's eigenfunctions."""
    require_compact(problem)
    require_one_output(problem)
    require_spectral(problem)
    require_loss_at_points(problem)
    domain, metric = problem.domain, problem.metric
    from funcgrad.gradients.natural_gradient import model_function

    f = model_function(problem.model, problem.theta)
    instance = Instance(problem.label, domain, metric, problem.functional, f, rule=even_rule(domain))
    excess = excess_order(instance)
    if 0 < excess < _NEAR_THRESHOLD:
        raise DoesNotApply(
            f"{metric} is so near the threshold n/2 that convergence, of order {excess:.2g}, is too slow to "
            f"be told from none; take a Sobolev order from {domain.dimension / 2 + _NEAR_THRESHOLD:g}"
        )
    if _FAST < excess < math.inf:
        raise DoesNotApply(
            f"the representers in {metric} reach rounding before their order {excess:g} shows; take s up to "
            f"{domain.dimension / 2 + _FAST:g}"
        )
    require_apart(instance)
    if domain.dimension == 1:
        return instance
    if excess > 0:  # otherwise its hypothesis says why it does not apply
        # The tested eigenfunctions have waves of the metric's length scale.
        sides = [factor.volume for factor in getattr(domain, "factors", ())] or [2 * np.pi]
        waves = max(sides) / (2 * np.pi * getattr(metric, "length_scale", 1.0))
        first = (16 if domain.dimension == 2 else 8) * 2 ** max(0, math.ceil(math.log2(waves)))
        instance = replace(instance, data={"levels": separating_levels(instance, first)})
    return instance


def _l2_of_one(instance):
    """The L2 gradient of ∫u² at u = 1 is 2, whatever the grid: no factor of a cell volume."""
    grid = instance.grid(24)
    gradient = L2().riesz(
        (2.0 * PopulationLoss(zero)).differential(grid.function(lambda *x: np.ones_like(x[0]))), grid
    )
    return Residual(float(np.abs(gradient.values - 2).max()), 2.0, 8 * EPS, step(grid), 24)


RIESZ_REPRESENTATION = Theorem(
    id="riesz-representation",
    statement="If dF is bounded in a metric, there is one function ∇F with <∇F, v> = dF(v) for every v.",
    latex=r"\langle\nabla F, v\rangle = dF(v)\quad\text{for all } v",
    source="Riesz representation theorem; " + PAPER,
    hypotheses=(BOUNDED,),
    instances=_riesz_instances,
    from_problem=riesz_problem,
    levels=_riesz_levels,
    residual=_riesz_residual,
    expectation=_riesz_order,
    controls=(
        Control(
            "the representer of another metric",
            breaks="statement",
            residual=_wrong_metric_residual,
            failure=lambda instance: Stagnant(1e-3),
            levels=lambda instance: _riesz_levels(instance)[:4],
        ),
        unbounded_control(),
    ),
    oracle=_l2_of_one,
)


# --- sobolev-gradient-smooths -------------------------------------------------------------------------


def _analytic_series(domain, x, symbol_power):
    """Σ_k a_k (1+λ_k)^power e_k(x) for a function with coefficients in closed form.

    With t = 2π x/L on a circle and π(x-a)/L on an interval it is e^{cos t} = Σ' 2 I_k(1) cos kt, or
    its derivative sin t e^{cos t} = Σ 2k I_k(1) sin kt for Dirichlet conditions (DLMF 10.35.2); I_k is
    the modified Bessel function. On products it is the product over the axes, on the sphere
    e^z = Σ (2l+1) i_l(1) P_l(z) with the modified spherical Bessel function (DLMF 10.60.8).
    """
    if isinstance(domain, Sphere):
        l = np.arange(20)  # i_20(1) < 1e-25
        legendre = eval_legendre(l, x[:, 2, None])
        return legendre @ ((2 * l + 1) * spherical_in(l, 1.0) * (1 + l * (l + 1.0)) ** symbol_power)
    factors = getattr(domain, "factors", (domain,))
    terms, eigenvalues = zip(*[_axis_series(f, x[:, i]) for i, f in enumerate(factors)], strict=True)
    symbol = (1 + reduce(np.add.outer, eigenvalues)) ** symbol_power
    symbol = np.broadcast_to(symbol, (len(x), *symbol.shape))
    for of_axis in reversed(terms):
        symbol = np.einsum("p...k,pk->p...", symbol, of_axis)
    return symbol


def _axis_series(domain, x):
    """The terms of the series of one axis, (N, K), and the eigenvalues of its modes, (K,)."""
    frequency = (2 if domain.boundary == "periodic" else 1) * np.pi / domain.volume
    k = np.arange(24)  # I_24(1) < 1e-31
    t = frequency * (x - getattr(domain, "a", 0.0))[:, None] * k
    if domain.boundary == "dirichlet":
        terms = 2 * k * iv(k, 1.0) * np.sin(t)
    else:
        terms = np.where(k == 0, 1.0, 2.0) * iv(k, 1.0) * np.cos(t)
    return terms, (frequency * k) ** 2


def _analytic_function(domain, *x):
    """The function of `_analytic_series` at power 0, in closed form."""
    if isinstance(domain, Sphere):
        return np.exp(x[2])
    value = 1.0
    for factor, t in zip(getattr(domain, "factors", (domain,)), x, strict=True):
        angle = (2 if factor.boundary == "periodic" else 1) * np.pi / factor.volume
        angle = angle * (t - getattr(factor, "a", 0.0))
        value = value * np.exp(np.cos(angle)) * (np.sin(angle) if factor.boundary == "dirichlet" else 1.0)
    return value


def _series_loss(domain):
    return PopulationLoss(lambda *x: -_analytic_function(domain, *x))


def _smoothing_instances(rng):
    domains = [
        Circle(2 * np.pi),
        Circle(3.0),
        Interval(0, 2, "neumann"),
        Interval(-1, 1, "dirichlet"),
        Torus((2 * np.pi, 3)),
        Torus((2, 3, 4)),
        Box([(0, 1), (0, 2)], ("neumann", "dirichlet")),
        Sphere(),
    ]
    instances = []
    for domain in domains:
        target = _series_loss(domain)
        rule = "midpoint" if isinstance(domain, Interval | Box) else None
        for s in (0.5, 1.0, 2.3):
            instances.append(Instance(f"H^{s:g}, {domain}", domain, Sobolev(s), target, zero, rule=rule))
    target = _series_loss(domains[2])
    instances.append(Instance("H^1 by polynomials, neumann", domains[2], Sobolev(1.0), target, zero))
    return instances


def _smoothing_levels(instance):
    """Half-range series and harmonics of this data fall to rounding within ten terms, others within 40."""
    if instance.rule == "midpoint" or isinstance(instance.domain, Sphere):
        return list(range(3, 15))
    return list(range(4, 42 if instance.domain.dimension == 1 else 26, 2))


def _smoothing_residual(instance, n, shift=0.0):
    """Distance of ∇_s F from (1-Δ)^{-s+shift} ∇_0 F, the latter from its series."""
    grid = instance.grid(n)
    gradient = instance.metric.riesz(differential(instance, grid), grid)
    u = np.linspace(0, 1, 41)
    # Powers of u, so that the points are on no line of symmetry.
    x = instance.domain.from_unit_cube(np.stack([u, u**2, u**3], axis=1)[:, : instance.domain.dimension])
    exact = _analytic_series(instance.domain, x, shift - instance.metric.order)
    scale = float(np.abs(exact).max())
    return Residual(
        float(np.abs(gradient(x) - exact).max()), scale, rounding_floor(grid, instance.metric), step(grid), n
    )


def _smoothing_problem(problem):
    raise DoesNotApply(
        "it needs a differential with a density in L2 that is known in closed form; a loss at points has no "
        "L2 gradient to smooth"
    )


SOBOLEV_GRADIENT_SMOOTHS = Theorem(
    id="sobolev-gradient-smooths",
    statement="Where the L2 gradient exists, the H^s gradient is (1-Δ)^{-s} applied to it.",
    latex=r"\nabla_s F = (1-\Delta)^{-s}\,\nabla_0 F",
    source="Neuberger, Sobolev Gradients and Differential Equations; " + PAPER,
    hypotheses=(BOUNDED,),
    instances=_smoothing_instances,
    from_problem=_smoothing_problem,
    levels=_smoothing_levels,
    residual=_smoothing_residual,
    expectation=lambda instance: Spectral(0.5),
    controls=(
        Control(
            "(1-Δ)^{-s+1/2} in place of (1-Δ)^{-s}",
            breaks="statement",
            residual=lambda instance, n: _smoothing_residual(instance, n + 16, shift=0.5),
            failure=lambda instance: Stagnant(1e-2),
        ),
        unbounded_control(),
    ),
)
