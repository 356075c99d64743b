"""The dual norm of a density g in H^{-s} is its norm in H^s: finite for as smooth a g, infinite otherwise."""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import ConvergenceError

PI2 = 2 * np.pi
CIRCLE = fg.Circle(PI2)


@pytest.mark.parametrize("s", [0.25, 1.0, 2.5])
@pytest.mark.parametrize("length_scale", [1.0, 0.3])
def test_a_smooth_density(s, length_scale):
    """e^{sin x} has the Fourier coefficients I_k(1): ‖g‖²_s = 2π Σ (1 + ℓ²k²)^s I_k(1)²."""
    k = np.arange(-40, 41)
    exact = PI2 * np.sum((1 + (length_scale * k) ** 2) ** s * scipy.special.iv(k, 1.0) ** 2)
    g = CIRCLE.grid(64).function(lambda x: np.exp(np.sin(x)))
    found = fg.Sobolev(-s, length_scale).dual_norm(fg.Density(g), CIRCLE)
    assert found**2 == pytest.approx(exact, rel=1e-12)


def test_densities_against_derivatives():
    """v ↦ ∫ g v' in L2 is -∫ g' v on the circle: its norm is ∫g'²; in H^{-1} that of g' in H^1."""
    g = CIRCLE.grid(64).function(lambda x: np.sin(3 * x))
    assert fg.L2().dual_norm(fg.Density(g, 1), CIRCLE) ** 2 == pytest.approx(9 * np.pi, rel=1e-12)
    found = fg.Sobolev(-1.0).dual_norm(fg.Density(g, 1), CIRCLE)
    assert found**2 == pytest.approx(9 * 10 * np.pi, rel=1e-12)
    both = (fg.L2() + fg.Sobolev(-1.0)).dual_norm(fg.Density(g, 1), CIRCLE)  # σ = 1 + 1/10
    assert both**2 == pytest.approx(9 * np.pi / 1.1, rel=1e-12)
    mean_zero = fg.Sobolev(-1.0, homogeneous=True).dual_norm(fg.Density(g), CIRCLE)
    assert mean_zero**2 == pytest.approx(9 * np.pi, rel=1e-12)


def test_the_boundary_condition_counts():
    """x(1-x) and 1 on (0, 1): in the spectral H^1 with Dirichlet conditions 1 jumps at the ends."""
    g = lambda x: x * (1 - x)  # noqa: E731
    pinned, free = fg.Interval(0, 1, "dirichlet"), fg.Interval(0, 1)
    vanishing = fg.Density(pinned.grid(256, rule="midpoint").function(g))
    k = np.arange(1, 2001, 2) * np.pi
    exact = np.sum((1 + k**2) ** 0.5 * 32 / k**6)
    assert fg.Sobolev(-0.5).dual_norm(vanishing, pinned) ** 2 == pytest.approx(exact, rel=1e-5)
    one = fg.Density(pinned.grid(256, rule="midpoint").function(lambda x: 1 + 0 * x))
    assert fg.Sobolev(-1.0).dual_norm(one, pinned) == math.inf
    exact = 1.0
    one = fg.Density(free.grid(64, rule="midpoint").function(lambda x: 1 + 0 * x))
    assert fg.Sobolev(-1.0).dual_norm(one, free) == pytest.approx(exact, rel=1e-12)


@given(
    coefficients=st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda a: max(map(abs, a)) > 0.1),
    s=st.floats(0.0, 3.0),
)
def test_trigonometric_sums(coefficients, s):
    """‖Σ a_k cos kx‖²_s = π Σ (1 + k²)^s a_k², and |c(v)| <= ‖c‖ ‖v‖ with equality for the representer."""
    k = np.arange(1, 5)
    g = CIRCLE.grid(128).function(lambda x: np.cos(np.multiply.outer(x, k)) @ coefficients)
    c, metric = fg.Density(g), fg.Sobolev(-s)
    exact = np.pi * np.sum((1.0 + k**2) ** s * np.square(coefficients))
    assert metric.dual_norm(c, CIRCLE) ** 2 == pytest.approx(exact, rel=1e-11)
    representer = metric.riesz(c, g.grid)
    assert c(representer) == pytest.approx(metric.dual_norm(c, CIRCLE) * metric.norm(representer), rel=1e-11)


def test_a_step_has_a_finite_norm_iff_s_is_below_one_half():
    """Its coefficients fall like 1/k: Σ k^{2s-2} is finite iff s < 1/2. Near 1/2 no samples tell."""
    step = fg.Density(CIRCLE.grid(1024).function(lambda x: 1.0 * (x > 1) * (x < 2.7)))
    for s in (0.7, 1.0, 2.0):
        assert fg.Sobolev(-s).dual_norm(step, CIRCLE) == math.inf
    with pytest.raises(ConvergenceError, match="is not known from its samples"):
        fg.Sobolev(-0.5).dual_norm(step, CIRCLE)
    for s in (0.1, 0.3):  # finite, by sums that converge too slowly for any number of samples
        assert fg.gradient_exists(step, fg.Sobolev(-s), CIRCLE).exists is True
        with pytest.raises(ConvergenceError, match="is finite, but its samples"):
            fg.Sobolev(-s).dual_norm(step, CIRCLE)
    assert math.isfinite(fg.L2().dual_norm(step, CIRCLE))


def test_a_kink_is_in_h_s_iff_s_is_below_three_halves():
    """|sin x| = 2/π - 4/π Σ cos(2kx)/(4k²-1), against that series."""
    kink = fg.Density(CIRCLE.grid(4096).function(lambda x: np.abs(np.sin(x))))
    k = np.arange(1, 200_000)
    exact = 8 / np.pi + 16 / np.pi * np.sum((1 + 4.0 * k**2) ** 0.25 / (4.0 * k**2 - 1) ** 2)
    assert fg.Sobolev(-0.25).dual_norm(kink, CIRCLE) ** 2 == pytest.approx(exact, rel=1e-6)
    assert fg.Sobolev(-1.75).dual_norm(kink, CIRCLE) == math.inf


def test_two_few_samples_and_unbounded_companions():
    few = fg.Density(CIRCLE.grid(8).function(np.cos))
    with pytest.raises(ConvergenceError, match="too few"):
        fg.Sobolev(-1.0).dual_norm(few, CIRCLE)
    smooth = fg.Density(CIRCLE.grid(64).function(np.cos), 1)
    assert fg.Sobolev(0.4).dual_norm(smooth + fg.PointEvaluation(0.3), CIRCLE) == math.inf
    # In H^{0.8} both are bounded: ‖δ‖² + 2 δ(g) + ‖∫ cos v'‖², g = sin x / 2^{0.8}.
    both = fg.Sobolev(0.8).dual_norm(smooth + fg.PointEvaluation(0.3), CIRCLE) ** 2
    alone = fg.Sobolev(0.8).dual_norm(fg.PointEvaluation(0.3), CIRCLE) ** 2
    assert both == pytest.approx(alone + 2 * np.sin(0.3) / 2**0.8 + np.pi / 2**0.8, rel=1e-10)
