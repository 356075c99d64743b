"""Two grids of one domain: sums over the nodes of another grid, and the grid that resolves both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import strategies
from funcgrad.testing.samples import refined

EPS = np.finfo(float).eps
DOMAINS = strategies.domains(kinds=("interval", "circle", "box", "torus", "euclidean"), dimensions=(1, 2))


@st.composite
def pairs_of_grids(draw):
    """Return two grids of one domain: the same, one twice as fine, or any two."""
    domain = draw(DOMAINS)
    one = draw(strategies.grids(domain=st.just(domain), nodes=st.integers(4, 8)))
    kind = draw(st.sampled_from(["same", "finer", "any"]))
    if kind == "any":
        return one, draw(strategies.grids(domain=st.just(domain), nodes=st.integers(4, 8)))
    return one, one if kind == "same" else refined(one)


@given(
    pairs=pairs_of_grids(),
    orders=st.tuples(st.integers(0, 3), st.integers(0, 2)),
    components=st.sampled_from([(), (3,)]),
    seed=st.integers(0, 1000),
)
def test_sums_over_the_nodes_of_another_grid_are_those_of_the_interpolation_matrix(
    pairs, orders, components, seed
):
    """By transforms and axis by axis, to rounding entry by entry, in both directions."""
    for grid, other in (pairs, pairs[::-1]):
        alpha = orders[: grid.domain.dimension]
        weights = np.random.default_rng(seed).normal(size=(len(other), *components))
        matrix = grid.interpolation_matrix(other.nodes, alpha)
        found = grid.components_at_nodes(weights, other, alpha)
        assert found.shape == (len(grid), *components)
        # The entries of the matrix themselves are sums of modes, the largest of them of its largest size.
        scale = np.abs(matrix).max() * np.abs(weights).sum(axis=0)
        assert np.all(np.abs(found - matrix.T @ weights) <= 64 * len(grid) * EPS * scale)


@given(pairs=pairs_of_grids(), components=st.sampled_from([(), (3,)]), seed=st.integers(0, 1000))
def test_values_on_another_grid_are_those_of_the_interpolation_matrix(pairs, components, seed):
    """By padded transforms and axis by axis, to finer grids and to coarser ones."""
    for grid, other in (pairs, pairs[::-1]):
        values = np.random.default_rng(seed).normal(size=(len(grid), *components))
        expected = grid.interpolation_matrix(other.nodes) @ values
        found = grid.resample(values, other)
        np.testing.assert_allclose(found, expected, rtol=0, atol=64 * len(grid) * EPS * np.abs(values).max())


@pytest.mark.parametrize(("many", "few"), [(60, 20), (40, 20), (50, 21), (51, 20), (33, 32)])
@pytest.mark.parametrize("boundary", ["periodic", "neumann", "dirichlet"])
def test_values_on_coarser_grids_of_the_same_kind(boundary, many, few):
    """At multiples that divide the nodes, even and odd ones, and between."""
    rule = "trapezoid" if boundary == "periodic" else "midpoint"
    fine, coarse = (fg.Interval(1, 3, boundary).grid(n, rule) for n in (many, few))
    values = np.random.default_rng(0).normal(size=(many, 2))
    expected = fine.interpolation_matrix(coarse.nodes) @ values
    np.testing.assert_allclose(fine.resample(values, coarse), expected, rtol=0, atol=1e-13)


@given(pairs=pairs_of_grids())
def test_the_common_refinement_has_the_more_nodes_along_each_axis(pairs):
    one, other = pairs
    common = one.common_refinement(other)
    if len(one.shape) == len(other.shape):
        assert common.shape == tuple(np.maximum(one.shape, other.shape))
    assert one.common_refinement(one) is one
    assert common.common_refinement(other) == common
    assert common.domain == one.domain


@pytest.mark.parametrize("derivative", [(0, 0), (1, 0), (0, 1)])
def test_a_density_that_is_finer_along_one_axis_only_is_not_aliased(derivative):
    """∫ cos 7x cos 3y ∂v for v that is known on few nodes along x, and many along y: a closed form."""
    torus = fg.Torus((2 * np.pi, 2 * np.pi))
    g = torus.grid((16, 6)).function(lambda x, y: np.cos(7 * x) + np.sin(x) + np.cos(x) * np.sin(y))
    v = torus.grid((6, 16)).function(lambda x, y: np.cos(x) * (1 + np.cos(y)) + np.cos(5 * y))
    exact = {(0, 0): 0.0, (1, 0): -2 * np.pi**2, (0, 1): -(np.pi**2)}[derivative]
    assert fg.Density(g, derivative)(v) == pytest.approx(exact, abs=1e-13)


def test_the_sphere_and_points_meet_by_the_number_of_their_nodes():
    coarse, fine = fg.Sphere().grid(4), fg.Sphere().grid(8)
    assert coarse.common_refinement(fine) is fine is fine.common_refinement(coarse)
    weights = np.cos(np.arange(len(fine)))
    np.testing.assert_allclose(
        coarse.components_at_nodes(weights, fine), coarse.components(fine.nodes, weights), rtol=1e-14
    )
