"""Existence of gradients: thresholds, growth of the dual norms, and contradictions between the two."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import ContradictoryEvidence, DomainMismatch, GradientDoesNotExist
from funcgrad.functionals.covector import Covector, Regularity

CIRCLE = fg.Circle(2 * np.pi)
DOMAINS = [CIRCLE, fg.Circle(40.0), fg.Interval(-1, 2), fg.Interval(-1, 2, "dirichlet")]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("derivative", [0, 1, 2])
@pytest.mark.parametrize("offset", [-0.25, -0.05, 0.05, 0.25, 1.0])
def test_a_point_derivative_has_a_gradient_iff_s_exceeds_half_plus_its_order(domain, derivative, offset):
    threshold = 0.5 + derivative
    metric = fg.Sobolev(threshold + offset)
    existence = fg.gradient_exists(fg.PointEvaluation(0.37, derivative), metric, domain)
    assert existence.exists is (offset > 0)
    assert bool(existence) is (offset > 0)
    assert existence.threshold == threshold
    assert existence.evidence.verdict is (offset > 0)
    assert existence.evidence.fitted_growth == pytest.approx(-2 * offset, abs=0.05)
    assert existence.evidence.predicted_growth == pytest.approx(-2 * offset)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_at_the_threshold_the_dual_norms_grow_logarithmically(domain):
    existence = fg.gradient_exists(fg.PointEvaluation(0.37), fg.Sobolev(0.5), domain)
    assert existence.exists is False
    assert existence.evidence.verdict is None
    assert "log" in existence.evidence.description
    added = np.diff(existence.evidence.squared_dual_norms)
    assert added[-3:] == pytest.approx(math.log(2) / np.pi, rel=0.02)  # ∫ dω/(πω) over an octave


@given(
    points=st.lists(st.floats(0.2, 0.8), min_size=1, max_size=4, unique=True),
    orders=st.lists(st.integers(0, 2), min_size=4, max_size=4),
    offset=st.sampled_from([-0.5, -0.2, 0.2, 0.5]),
)
def test_a_sum_of_evaluations_is_as_irregular_as_its_worst_term(points, orders, offset):
    c = sum((fg.PointEvaluation(x, k) for x, k in zip(points, orders, strict=False)), Covector())
    threshold = 0.5 + max(orders[: len(points)])
    verdict = fg.gradient_exists(c, fg.Sobolev(threshold + offset), fg.Interval(0, 1))
    assert verdict.exists is (offset > 0)
    assert verdict.threshold == threshold


def test_densities_have_gradients_and_below_l2_nothing_is_claimed_from_few_samples():
    density = fg.Density(CIRCLE.grid(8).function(np.cos))
    assert fg.gradient_exists(density, fg.L2(), CIRCLE).exists is True
    assert fg.gradient_exists(density, fg.Sobolev(-0.3), CIRCLE).exists is None


def test_boundary_conditions_annihilate_evaluations_at_the_ends():
    pinned, free = fg.Interval(0, 1, "dirichlet"), fg.Interval(0, 1)
    assert fg.gradient_exists(fg.PointEvaluation(0.0), fg.L2(), pinned).exists is True
    assert fg.gradient_exists(fg.PointEvaluation(1.0, 1), fg.Sobolev(1.0), pinned).exists is False
    assert fg.gradient_exists(fg.PointEvaluation(1.0), fg.L2(), free).exists is False
    assert fg.gradient_exists(fg.PointEvaluation(1.0, 1), fg.Sobolev(1.0), free).exists is True


def test_evidence_sums_the_dual_norm():
    evidence = fg.gradient_exists(fg.PointEvaluation(0.3), fg.Sobolev(2.0), CIRCLE).evidence
    k = np.arange(1, round(evidence.cutoffs[-1]) + 1)
    head = (1 + 2 * np.sum((1 + k**2.0) ** -2)) / (2 * np.pi)
    assert evidence.squared_dual_norms[-1] == pytest.approx(head, rel=1e-9)


@pytest.mark.parametrize(("order", "s"), [(0.25, 0.4), (0.75, 0.6)])
def test_a_wrong_threshold_in_the_analysis_is_exposed(monkeypatch, order, s):
    """The evidence does not know the analysis: a wrong claim contradicts it on either side."""
    monkeypatch.setattr(
        Covector, "regularity_in", lambda self, dimension: Regularity(order, True, "an injected claim")
    )
    with pytest.raises(ContradictoryEvidence, match="an injected claim"):
        fg.gradient_exists(fg.PointEvaluation(0.3), fg.Sobolev(s), CIRCLE)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 1024])
@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_the_l2_gradient_of_a_loss_at_points_is_refused_on_every_grid(domain, n):
    f = domain.grid(n).function(lambda x: 0 * x)
    with pytest.raises(GradientDoesNotExist, match="s > n/2") as caught:
        fg.gradient(fg.EmpiricalLoss([0.3], [1.0]), f, fg.L2())
    assert caught.value.existence.exists is False
    assert "order above 0.5" in str(caught.value)
    assert "natural_gradient" in str(caught.value)


def test_h1_gradient_of_a_loss_at_points_is_a_sum_of_kernels():
    """g = Σ (f(x_i) - y_i) K_1(x_i, .); away from the points its Fourier series converges at order 2."""
    x, y = np.array([0.3, 1.7, 4.0]), np.array([1.0, -0.5, 0.2])
    kernel = fg.kernels.PeriodicSobolev(1.0, 2 * np.pi)
    errors = []
    for n in (256, 512, 1024):
        f = CIRCLE.grid(n).function(np.sin)
        g = fg.gradient(fg.EmpiricalLoss(x, y), f, fg.Sobolev(1.0))
        exact = kernel.gram(f.grid.nodes, x) @ (np.sin(x) - y)
        errors.append(np.sqrt(f.grid.integrate((g.values - exact) ** 2)))
    assert np.all(np.abs(np.log2(np.divide(errors[:-1], errors[1:])) - 1.5) < 0.25)


def test_existence_prints_and_plots():
    existence = fg.gradient_exists(fg.PointEvaluation(0.3), fg.L2(), CIRCLE)
    text = str(existence)
    assert "does not exist in L2" in text
    assert "s > n/2" in text
    assert "predicted exponent +1" in text
    ax = existence.plot()
    assert len(ax.lines) == 3


def test_points_outside_and_densities_elsewhere_are_refused():
    with pytest.raises(DomainMismatch, match="outside the interval"):
        fg.gradient_exists(fg.PointEvaluation(1.5), fg.L2(), fg.Interval(0, 1))
    with pytest.raises(DomainMismatch, match="not on the circle"):
        fg.gradient_exists(fg.Density(fg.Interval(0, 1).grid(4).function(np.cos)), fg.L2(), CIRCLE)
