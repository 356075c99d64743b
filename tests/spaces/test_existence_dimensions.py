"""Existence of gradients of point evaluations in several dimensions: s > n/2 + |α|."""

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.gradients.existence import spectral_evidence
from funcgrad.specifications import covector_from, domain_from

DOMAINS = [
    "torus 2",
    "torus 3",
    "box 0 1 0 2",
    "box 0 1 0 2 dirichlet",
    "box 0 1 0 2 neumann periodic",
]
DOMAINS += ["box 0 1 0 1 0 2 neumann", "sphere", "euclidean 1", "euclidean 2", "euclidean 3"]
RESOLUTION = 0.05


@pytest.mark.parametrize("offset", [-0.75, 0.25])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("words", DOMAINS)
def test_evidence_grows_as_predicted(words, order, offset):
    """What an octave adds to ‖∂^α δ_x‖² grows like Λ^{n + 2|α| - 2s}."""
    domain = domain_from(words)
    c = covector_from(f"point derivative {order}", domain)
    threshold = domain.dimension / 2 + order
    existence = fg.gradient_exists(c, fg.Sobolev(threshold + offset), domain)
    assert existence.threshold == threshold
    assert existence.exists == (offset > 0)
    assert existence.evidence.verdict == (offset > 0)
    assert existence.evidence.predicted_growth == pytest.approx(-2 * offset)
    assert existence.evidence.fitted_growth == pytest.approx(-2 * offset, abs=RESOLUTION)


@pytest.mark.parametrize("words", ["torus 2", "sphere", "box 0 1 0 2"])
def test_at_the_threshold_the_evidence_cannot_tell_and_the_analysis_says_no(words):
    domain = domain_from(words)
    existence = fg.gradient_exists(covector_from("point", domain), fg.Sobolev(1.0), domain)
    assert existence.exists is False
    assert existence.evidence.verdict is None


def test_a_wrong_threshold_is_contradicted():
    """Negative control: the evidence is blind to the analysis, so it cannot agree with a wrong one."""
    domain = fg.Torus((2 * np.pi, 2 * np.pi))
    evidence = spectral_evidence(
        fg.PointEvaluation([1.0, 2.0]), fg.Sobolev(0.75), domain, predicted_growth=-0.5
    )
    assert evidence.verdict is False
    assert abs(evidence.fitted_growth - evidence.predicted_growth) > 10 * RESOLUTION


@pytest.mark.parametrize(
    ("words", "point", "alpha"),
    [
        ("box 0 1 0 2 neumann", (0, 0.5), (1, 0)),
        ("box 0 1 0 2 dirichlet", (1, 0.5), (0, 0)),
        ("box 0 1 0 2 dirichlet", (1, 0.5), (0, 1)),
        ("sphere", (0, 0, 1), (0, 0, 1)),
    ],
)
def test_covectors_that_the_boundary_annihilates_exist_everywhere(words, point, alpha):
    existence = fg.gradient_exists(fg.PointEvaluation(point, alpha), fg.L2(), domain_from(words))
    assert existence.exists
    assert existence.evidence.fitted_growth == -np.inf


def test_a_derivative_along_the_ray_lowers_the_order():
    c = fg.PointEvaluation((0, 0, 1), (1, 0, 1))
    existence = fg.gradient_exists(c, fg.Sobolev(2.3), fg.Sphere())
    assert existence.threshold == 2
    assert existence.evidence.fitted_growth == pytest.approx(-0.6, abs=RESOLUTION)


def test_cutoffs_do_not_cut_an_eigenspace():
    domain = fg.Torus((2 * np.pi, 2 * np.pi))
    evidence = fg.gradient_exists(fg.PointEvaluation([1.0, 2.0]), fg.Sobolev(2), domain).evidence
    spectrum = domain.laplacian_spectrum(2**20)
    for cutoff in evidence.cutoffs:
        assert abs(np.sqrt(spectrum) / cutoff - 1).min() > 1e-12
    ratios = evidence.cutoffs[1:] / evidence.cutoffs[:-1]
    np.testing.assert_allclose(ratios, 2)
    # ‖δ_x‖² = Σ (1+|k|²)^{-2}/(2π)², whatever x; below the cut-off, in complete shells.
    k = np.rint(spectrum)
    expected = (1 / (1 + k[np.sqrt(k) < evidence.cutoffs[-1]]) ** 2).sum() / (4 * np.pi**2)
    assert evidence.squared_dual_norms[-1] == pytest.approx(expected, rel=1e-10)


def test_losses_at_points_and_densities_in_the_plane():
    torus = fg.Torus((1.0, 1.0))
    f = torus.grid(16).function(lambda x, y: np.sin(2 * np.pi * x))
    loss = fg.EmpiricalLoss([[0.1, 0.2], [0.5, 0.7]], [1.0, 2.0])
    assert not fg.gradient_exists(loss.differential(f), fg.Sobolev(0.8), torus)
    assert fg.gradient_exists(loss.differential(f), fg.Sobolev(1.2), torus)
    assert fg.gradient_exists(fg.PopulationLoss(lambda x, y: x * 0).differential(f), fg.L2(), torus)
    g = fg.gradient(loss, f, fg.Sobolev(2.0))
    v = torus.grid(16).function(lambda x, y: np.cos(2 * np.pi * (x + y)))
    assert fg.Sobolev(2.0).inner(g, v) == pytest.approx(loss.differential(f)(v), rel=1e-12)
    with pytest.raises(fg.GradientDoesNotExist):
        fg.gradient(loss, f, fg.L2())


def test_a_density_against_a_mixed_derivative():
    """∫ g ∂_x∂_y v on other grids than g's own, by parts: ∫ v ∂_x∂_y g on the torus."""
    torus = fg.Torus((2 * np.pi, 2 * np.pi))
    g = torus.grid((12, 10)).function(lambda x, y: np.sin(x + 2 * y))
    c = fg.Density(g, (1, 1))
    for n in (10, 12, 17):
        v = torus.grid(n).function(lambda x, y: np.sin(x + 2 * y) + np.cos(x))
        assert c(v) == pytest.approx(-2 * 2 * np.pi**2, rel=1e-12)
    assert str(c.regularity).startswith("s >= 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torus x", "cannot read the domain"),
        ("box 0 1 0", "cannot read the domain"),
        ("box 0 1 0 1 0 1 neumann periodic", "cannot read the domain"),
        ("sphere 3", "cannot read the domain"),
        ("euclidian 2", "did you mean 'euclidean'"),
    ],
)
def test_domain_words_that_cannot_be_read(text, message):
    with pytest.raises(fg.InvalidInput, match=message):
        domain_from(text)


def test_domain_and_covector_words():
    assert domain_from("box 0 1 -1 2 neumann periodic") == fg.Box([(0, 1), (-1, 2)], ("neumann", "periodic"))
    assert domain_from("box 0 1 -1 2") == fg.Box([(0, 1), (-1, 2)])
    assert domain_from("torus 3 2.5") == fg.Torus([2.5] * 3)
    assert domain_from("euclidean 2") == fg.Euclidean(2)
    assert domain_from("interval 0 2 periodic") == fg.Interval(0, 2, "periodic")
    plane = fg.Euclidean(2)
    (atom,) = covector_from("point 0.5 -1 derivative 1 2", plane).atoms
    assert (atom.point, atom.derivative) == ((0.5, -1.0), (1, 2))
    for text in ("point 0.5", "point 1 2 derivative 1 2 3", "point 1 2 derivative"):
        with pytest.raises(fg.InvalidInput, match="cannot read the covector"):
            covector_from(text, plane)
