"""Boxes, tori and the other domains: spectra, eigenfunctions, distances, points."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput

EPS = np.finfo(float).eps
WORDS = ("neumann", "dirichlet", "periodic")
BOXES = [fg.Box([(0, 1), (-1, 1.5)], words) for words in itertools.product(WORDS, repeat=2)]
BOXES += [fg.Box([(0, 1), (-1, 1.5), (2, 2.5)], "neumann"), fg.Box([(0.5, 3)], "dirichlet")]
TORI = [fg.Torus((2 * np.pi, 2 * np.pi)), fg.Torus((1.0, 2.5)), fg.Torus((1.0, 1.0, 3.0))]
LINES = [fg.Circle(3.0), *(fg.Interval(-1, 1.5, word) for word in WORDS)]
COMPACT = [*LINES, *BOXES, *TORI, fg.Sphere()]
names = {"ids": str}


def gauss_nodes(domain, n=40):
    """Nodes and weights of an independent rule: numpy's Gauss-Legendre on every axis of a product."""
    factors = getattr(domain, "factors", (domain,))
    t, w = np.polynomial.legendre.leggauss(n)
    starts = [getattr(factor, "a", 0.0) for factor in factors]
    axes = [start + f.length * (t + 1) / 2 for f, start in zip(factors, starts, strict=True)]
    nodes = np.array(list(itertools.product(*axes)))
    return nodes, np.prod(list(itertools.product(*[w * f.length / 2 for f in factors])), axis=1)


def one_dimensional_spectrum(length, boundary, count):
    """k² π²/L² and (2πk/L)², written out here."""
    if boundary == "periodic":
        return sorted((2 * math.pi * k / length) ** 2 for k in range(-count, count + 1))[:count]
    first = 0 if boundary == "neumann" else 1
    return [(math.pi * k / length) ** 2 for k in range(first, first + count)]


@pytest.mark.parametrize("domain", [*BOXES, *TORI], **names)
def test_spectrum_is_the_sorted_list_of_all_sums(domain):
    count = 60
    words = [factor.boundary for factor in domain.factors]
    lists = [one_dimensional_spectrum(f.length, w, count) for f, w in zip(domain.factors, words, strict=True)]
    brute_force = sorted(map(sum, itertools.product(*lists)))[:count]
    np.testing.assert_allclose(domain.laplacian_spectrum(count), brute_force, rtol=8 * EPS, atol=1e-14)


def test_multiplicities_on_the_square_torus_count_representations_by_two_squares():
    spectrum = np.rint(fg.Torus((2 * np.pi, 2 * np.pi)).laplacian_spectrum(500)).astype(int)
    for value in range(50):
        pairs = sum(a * a + b * b == value for a in range(-8, 9) for b in range(-8, 9))
        assert np.count_nonzero(spectrum == value) == pairs


@pytest.mark.parametrize("domain", [*LINES, *BOXES, *TORI], **names)
def test_eigenfunctions_are_orthonormal(domain):
    nodes, weights = gauss_nodes(domain, 40 if domain.dimension < 3 else 24)
    e = domain.eigenfunctions(12, nodes)
    np.testing.assert_allclose((e.T * weights) @ e, np.eye(12), atol=1e-13)


@pytest.mark.parametrize("domain", COMPACT, **names)
def test_minus_laplacian_of_an_eigenfunction_is_its_eigenvalue_times_it(domain):
    x = domain.from_unit_cube(np.random.default_rng(0).uniform(size=(7, domain.dimension)))
    second = 2 * np.eye(domain.n_coordinates, dtype=int)
    laplacian = sum(domain.eigenfunctions(30, x, tuple(alpha.tolist())) for alpha in second)
    spectrum, e = domain.laplacian_spectrum(30), domain.eigenfunctions(30, x)
    np.testing.assert_allclose(-laplacian, spectrum * e, atol=64 * EPS * (1 + spectrum.max()) * abs(e).max())


@pytest.mark.parametrize("domain", [*LINES, *BOXES, *TORI], **names)
def test_derivatives_of_eigenfunctions_are_limits_of_difference_quotients(domain):
    x = domain.from_unit_cube(np.random.default_rng(1).uniform(0.2, 0.8, size=(5, domain.dimension)))
    orders = [tuple(row) for row in np.eye(domain.dimension, dtype=int).tolist()]
    for alpha, other in itertools.product(orders, repeat=2):
        both = tuple(np.add(alpha, other).tolist())
        errors = []
        for h in (1e-2, 5e-3):
            step = h * np.array(alpha)
            quotient = (
                domain.eigenfunctions(8, x + step, other) - domain.eigenfunctions(8, x - step, other)
            ) / (2 * h)
            errors.append(abs(quotient - domain.eigenfunctions(8, x, both)).max())
        assert errors[1] < 1e-12 or 3.8 < errors[0] / errors[1] < 4.2  # order 2


@pytest.mark.parametrize("domain", COMPACT, **names)
def test_weights_add_up_to_the_volume(domain):
    sizes = (6, 9, 4)[: domain.dimension] if hasattr(domain, "factors") else 6
    assert domain.grid(sizes).weights.sum() == pytest.approx(domain.volume, rel=32 * EPS)
    points = domain.sobol_points(64, seed=0)
    assert points.weights.sum() == pytest.approx(domain.volume, rel=32 * EPS)
    assert domain.contains(points.nodes).all()


def test_volumes():
    assert fg.Box([(0, 2), (1, 4)]).volume == 6
    assert fg.Torus((2, 3, 4)).volume == 24
    assert fg.Sphere().volume == 4 * np.pi
    assert fg.Euclidean(2).volume == math.inf


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.lists(st.floats(0.1, 5), min_size=2, max_size=2)
)
def test_distance_on_a_torus_is_the_shortest_to_any_image(coordinates, lengths):
    x, y = np.array(coordinates).reshape(2, 2)
    shifts = np.array(list(itertools.product(range(-210, 211), repeat=1)))[:, 0]
    per_axis = [np.abs(a - b + length * shifts).min() for a, b, length in zip(x, y, lengths, strict=True)]
    distance = fg.Torus(lengths).distance(x, y)[0]
    assert distance == pytest.approx(math.hypot(*per_axis), abs=1e-12)
    assert fg.Torus(lengths).distance(y, x)[0] == pytest.approx(distance, abs=1e-12)


def test_distance_is_straight_in_a_box_and_along_arcs_elsewhere():
    assert fg.Box([(0, 3), (0, 4)]).distance([0, 0], [3, 4])[0] == 5
    assert fg.Box([(0, 3), (0, 4)], ("periodic", "neumann")).distance([0, 0], [2.9, 0])[0] == pytest.approx(
        0.1
    )
    assert fg.Circle(2.0).distance(0.1, [1.9, 1.0]) == pytest.approx([0.2, 0.9])
    assert fg.Interval(1, 3, "periodic").distance(1.1, 2.9) == pytest.approx([0.2])
    assert fg.Interval(1, 3).distance(1.1, 2.9) == pytest.approx([1.8])
    assert fg.Euclidean(2).distance([0, 0], [[3, 4], [0, 1]]).tolist() == [5, 1]


def test_points_outside_are_refused_and_periodic_coordinates_wrap():
    with pytest.raises(DomainMismatch, match=r"`x` has the point \[0.5, 2.0\] outside the box"):
        fg.Box([(0, 1), (0, 1)]).points([[0.5, 0.5], [0.5, 2.0]])
    box = fg.Box([(0, 1), (1, 3)], ("neumann", "periodic"))
    e = box.eigenfunctions(20, [[0.3, 1.5], [0.3, 7.5]])
    np.testing.assert_allclose(e[0], e[1], atol=1e-13)


def test_periodic_interval_is_the_circle_moved():
    x = np.linspace(0, 2, 7)
    moved, circle = fg.Interval(3, 5, "periodic"), fg.Circle(2.0)
    np.testing.assert_allclose(moved.eigenfunctions(9, 3 + x, 1), circle.eigenfunctions(9, x, 1), atol=1e-12)
    assert moved.grid(8).function(lambda x: np.sin(np.pi * x))(3.3) == pytest.approx(
        np.sin(3.3 * np.pi), abs=1e-14
    )


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("alpha", [(0, 0), (1, 0), (2, 1), (1, 1), (0, 2)])
def test_effective_derivative_is_none_exactly_where_eigenfunctions_vanish(boundary, alpha):
    box = fg.Box([(0, 1), (0, 2)], boundary)
    for point in [(0.0, 0.7), (1.0, 0.7), (0.3, 2.0), (1.0, 2.0), (0.3, 0.7)]:
        values = box.eigenfunctions(20, [point], alpha)
        vanishes = abs(values).max() < 1e-10
        assert (box.effective_derivative(point, alpha) is None) == vanishes


def test_euclidean_space_has_no_discrete_spectrum():
    for ask in (lambda d: d.laplacian_spectrum(3), lambda d: d.eigenfunctions(3, [[0.0, 0.0]])):
        with pytest.raises(InvalidInput, match="continuous spectrum"):
            ask(fg.Euclidean(2))
    with pytest.raises(InvalidInput, match="infinite volume"):
        fg.Euclidean(2).sobol_points(8, seed=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fg.Box([0, 1]), r"`bounds` must be \(n, 2\)"),
        (lambda: fg.Box([(0, 1), (2, 1)]), "`a` < `b`"),
        (lambda: fg.Box([(0, 1)], "robin"), "unknown boundary 'robin'"),
        (
            lambda: fg.Box([(0, 1), (0, 1)], ("neumann",)),
            "`boundary` must be one for all or one for each of 2",
        ),
        (lambda: fg.Torus([]), "`lengths` must be"),
        (lambda: fg.Torus([1, -1]), "`length` must be positive"),
        (lambda: fg.Euclidean(0), "`dimension` must be at least 1"),
        (lambda: fg.Torus([1, 1]).grid((4, 4, 4)), "`n` must be one for all or one for each of 2"),
        (lambda: fg.Box([(0, 1), (0, 1)]).grid(4, "gauss-legender"), "did you mean 'gauss-legendre'"),
        (lambda: fg.Euclidean(1).grid(4, "hermite"), "did you mean 'gauss-hermite'"),
        (lambda: fg.Euclidean(1).grid(4, scale=0), "`scale` must be positive"),
        (lambda: fg.Interval(0, 1).grid(4, "simpson"), "`n` must be odd"),
        (lambda: fg.Sphere().grid(4, "midpoint"), "unknown rule on a sphere"),
        (lambda: fg.Torus([1, 1]).eigenfunctions(3, [[0, 0]], (1, 0, 0)), "`derivative` must hold 2"),
        (lambda: fg.Torus([1, 1]).eigenfunctions(3, [[0, 0]], 1), "`derivative` must hold 2"),
    ],
)
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_equal_domains_and_grids_are_equal_and_others_are_not():
    assert fg.Box([(0, 1)] * 2, "neumann") == fg.Box([(0, 1)] * 2, ("neumann", "neumann"))
    box = fg.Box([(0, 1)] * 2)
    assert box.grid((2, 6)) == box.grid((2, 6))
    assert box.grid((2, 6)) != box.grid((3, 4))
    assert box.grid(4, "midpoint") != box.grid(4)
    line = fg.Euclidean(1)
    assert line.grid(4) == line.grid(4)
    assert line.grid(4) != line.grid(4, scale=2)
    assert len({box.grid(4), box.grid(4), line.grid(4)}) == 2
