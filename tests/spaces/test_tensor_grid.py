"""Tensor grids, spectral and not: interpolation, transforms, powers of (1 - Δ), spline and line factors."""

import itertools

import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg

EPS = np.finfo(float).eps
WORDS = ("neumann", "dirichlet", "periodic")
RULE = {"neumann": "midpoint", "dirichlet": "midpoint", "periodic": "trapezoid"}


def spectral_grid(words, sizes, bounds=((0, 1), (-1, 1.5), (0, 2))):
    return fg.Box(bounds[: len(words)], words).grid(sizes, [RULE[word] for word in words])


SPECTRAL = [
    spectral_grid(words, sizes) for words in itertools.product(WORDS, repeat=2) for sizes in ((8, 7), (7, 8))
]
SPECTRAL += [
    spectral_grid(("periodic",) * 3, (4, 6, 5)),
    spectral_grid(("neumann", "periodic", "dirichlet"), (5, 4, 6)),
]
SPECTRAL += [fg.Sphere().grid(9), fg.Euclidean(2).grid((8, 9), "truncated"), fg.Circle().grid(16)]
OTHERS = [
    fg.Box([(0, 1), (0, 2)]).grid((4, 6)),
    fg.Box([(0, 1), (0, 2)]).grid((5, 7), ("simpson", "gauss-lobatto")),
    fg.Box([(0, 1), (0, 2)]).grid((5, 7), ("trapezoid", "clenshaw-curtis")),
    fg.Euclidean(2).grid((5, 6)),
    fg.Euclidean(2).grid((5, 6), "mapped"),
]
names = {"ids": repr}


def random_points(grid, count=6):
    rng = np.random.default_rng(3)
    if isinstance(grid.domain, fg.Euclidean):
        return rng.normal(size=(count, grid.domain.dimension))
    return grid.domain.from_unit_cube(rng.uniform(size=(count, grid.domain.dimension)))


def multi_indices(grid):
    n = grid.domain.n_coordinates
    return [(0,) * n, (1, *(0,) * (n - 1)), (0,) * (n - 1) + (2,), (1,) * n]


@pytest.mark.parametrize("grid", [*SPECTRAL, *OTHERS], **names)
def test_evaluate_and_its_transpose_are_the_interpolation_matrix(grid):
    rng, x = np.random.default_rng(0), random_points(grid)
    values, weights = rng.normal(size=(len(grid), 2)), rng.normal(size=(len(x), 2))
    for alpha in multi_indices(grid):
        matrix = grid.interpolation_matrix(x, alpha)
        scale = 1e-13 * len(grid) * (1 + abs(matrix).max())
        np.testing.assert_allclose(grid.evaluate(values, x, alpha), matrix @ values, atol=scale)
        np.testing.assert_allclose(grid.components(x, weights, alpha), matrix.T @ weights, atol=scale)
        at_nodes = grid.interpolation_matrix(grid.nodes, alpha) @ values
        np.testing.assert_allclose(
            grid.differentiate(values, alpha), at_nodes, atol=1e-11 * (1 + abs(at_nodes).max())
        )


@pytest.mark.parametrize("grid", [*SPECTRAL, *OTHERS], **names)
def test_blocks_do_not_change_the_values(grid, monkeypatch):
    values, x = np.random.default_rng(1).normal(size=len(grid)), random_points(grid, 11)
    whole, transposed = grid.evaluate(values, x), grid.components(x, np.ones(11))
    monkeypatch.setattr("funcgrad.spaces.grid._BLOCK_ENTRIES", 3 * len(grid))
    np.testing.assert_allclose(grid.evaluate(values, x), whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(grid.components(x, np.ones(11)), transposed, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("grid", SPECTRAL, **names)
def test_transform_diagonalises_the_laplacian(grid):
    if isinstance(grid.domain, fg.Euclidean):
        half = grid.factors[0].scale
        domain = fg.Box([(-half, half)] * 2, "periodic")
    else:
        domain = grid.domain
    count = min(10, len(grid) // 2)
    e, spectrum = domain.eigenfunctions(count, grid.nodes), domain.laplacian_spectrum(count)
    scale = EPS * 16 * abs(grid.eigenvalues).max()
    np.testing.assert_allclose(grid.multiply(grid.eigenvalues, e), spectrum * e, atol=scale * abs(e).max())
    np.testing.assert_allclose((e.T * grid.weights) @ e, np.eye(count), atol=1e-13)


@pytest.mark.parametrize("grid", SPECTRAL, **names)
def test_multiplication_is_symmetric_in_the_quadrature(grid):
    rng = np.random.default_rng(2)
    u, v = rng.normal(size=(2, len(grid)))
    symbol = 1 / (1 + grid.eigenvalues)
    left, right = (grid.weights * u) @ grid.multiply(symbol, v), (grid.weights * v) @ grid.multiply(symbol, u)
    assert left == pytest.approx(
        right, abs=64 * EPS * np.linalg.norm(u) * np.linalg.norm(v) * grid.weights.max()
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SPECTRAL), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2**32 - 1))
def test_powers_of_one_minus_laplacian_are_a_group(grid, s, t, seed):
    u = grid.backward(grid.forward(np.random.default_rng(seed).normal(size=len(grid))))

    def power(r, v):
        return grid.multiply(fg.Sobolev(r).symbol(grid.eigenvalues), v)

    top = 1 + grid.eigenvalues.max()
    there_and_back = power(-s, power(s, u))
    assert np.linalg.norm(there_and_back - u) <= 64 * EPS * top ** abs(s) * np.linalg.norm(u)
    assert abs(there_and_back - u).max() <= 1e-12 * top ** abs(s) * abs(u).max()
    at_once, in_steps = power(s + t, u), power(s, power(t, u))
    # Each power errs by ε times its norm, the largest value of its symbol.
    scale = max(1, top**s) * max(1, top**t)
    assert np.linalg.norm(at_once - in_steps) <= 128 * EPS * scale * np.linalg.norm(u)


@pytest.mark.parametrize("grid", SPECTRAL, **names)
def test_square_root_represents_the_metric_and_inverts(grid):
    rng, metric = np.random.default_rng(5), fg.Sobolev(0.7)
    root = metric.square_root(grid)
    band_limited = grid.backward(grid.forward(rng.normal(size=(len(grid), 2))))
    u, v = band_limited.T
    direct = (grid.weights * u) @ grid.multiply(metric.symbol(grid.eigenvalues), v)
    scale = 64 * EPS * np.linalg.norm(root.apply(u)) * np.linalg.norm(root.apply(v))
    assert root.apply(u) @ root.apply(v) == pytest.approx(direct, abs=scale)
    np.testing.assert_allclose(root.solve(root.apply(u)), u, atol=1e-12 * abs(u).max())
    r = rng.normal(size=len(grid))
    assert r @ root.apply(v) == pytest.approx(root.apply_transpose(r) @ v, abs=1e-12 * np.linalg.norm(r))
    c = fg.PointEvaluation(random_points(grid)[0]).components(grid)
    np.testing.assert_allclose(root.apply_transpose(root.solve_transpose(c)), c, atol=1e-12 * abs(c).max())


@pytest.mark.parametrize("s", [-1.5, 0.5, 2.0])
def test_closed_form_on_the_torus(s):
    """(1 - Δ)^s sin(2x + 3y) = 14^s sin(2x + 3y)."""
    f = fg.Torus((2 * np.pi, 2 * np.pi)).grid((12, 15)).function(lambda x, y: np.sin(2 * x + 3 * y))
    flat = fg.Sobolev(s).flat(f).densities[0][0]
    np.testing.assert_allclose(flat.values, 14.0**s * f.values, atol=64 * EPS * 100 ** max(s, 0))
    assert fg.Sobolev(s).norm(f) ** 2 == pytest.approx(14.0**s * 2 * np.pi**2, rel=1e-13)


@pytest.mark.parametrize("words", list(itertools.product(WORDS, repeat=2)))
def test_representer_of_an_evaluation_reproduces_it(words):
    grid, metric = spectral_grid(words, (24, 25)), fg.Sobolev(2.5, 0.3)
    c = fg.PointEvaluation([0.3, 0.4])
    k = metric.riesz(c, grid)
    e = grid.function(grid.domain.eigenfunctions(9, grid.nodes))
    for column in range(9):
        v = grid.function(e.values[:, column])
        assert metric.inner(k, v) == pytest.approx(v([0.3, 0.4]), abs=1e-12)


@pytest.mark.parametrize("a", [1.5, 3.0])
def test_trigonometric_interpolation_reaches_rounding_where_the_strip_predicts(a):
    """1/(a - cos x) has poles at ±i arccosh(a): errors fall like e^{-αN/2} on N nodes."""
    width = np.arccosh(a)
    torus, x = fg.Torus((2 * np.pi, 2 * np.pi)), np.random.default_rng(0).uniform(0, 6, size=(40, 2))

    def f(x, y):
        return 1 / ((a - np.cos(x)) * (a - np.cos(y)))

    def error(n):
        return abs(torus.grid(n).function(f)(x) - f(*x.T)).max() / f(0.0, 0.0)

    n = int(np.ceil(2 * np.log(1e12) / width)) + 4
    assert error(n) < 1e-12
    assert error(n // 2) > 1e-9  # and not before: half of the nodes give half of the digits
    rate = np.log(error(n // 4) / error(n // 2)) / (n // 2 - n // 4)
    assert rate == pytest.approx(width / 2, rel=0.25)


def test_polynomial_tensor_grid_is_exact_for_its_polynomials():
    grid = fg.Box([(0, 1), (-1, 2)]).grid((5, 4))
    f = grid.function(lambda x, y: (x**4 - x) * y**3)
    x = random_points(grid)
    np.testing.assert_allclose(f(x), (x[:, 0] ** 4 - x[:, 0]) * x[:, 1] ** 3, atol=1e-13)
    np.testing.assert_allclose(f.derivative((2, 1))(x), 12 * x[:, 0] ** 2 * 3 * x[:, 1] ** 2, atol=1e-11)
    assert f.integral() == pytest.approx((1 / 5 - 1 / 2) * (16 - 1) / 4, rel=1e-13)


@pytest.mark.parametrize("coarse", [*SPECTRAL[:12], *OTHERS[:1], OTHERS[3]], **names)
def test_prolongation_then_restriction_is_the_identity(coarse):
    finer = {"gauss-legendre": "gauss-legendre", "gauss-hermite": "gauss-hermite"}
    rules = [finer.get(factor.rule, factor.rule) for factor in coarse.factors]
    domain = coarse.domain
    sizes = tuple(2 * size + 1 for size in coarse.shape)
    fine = domain.grid(sizes, rules[0] if isinstance(domain, fg.Euclidean) else rules)
    f = coarse.function(np.random.default_rng(0).normal(size=len(coarse)))
    there = fine.function(f)
    np.testing.assert_allclose(there.values, f(fine.nodes), atol=1e-11)
    np.testing.assert_allclose(coarse.function(there).values, f.values, atol=1e-11)


def test_user_set_backends_and_workers_reach_the_transforms():
    called = []

    class Recorder:
        __ua_domain__ = "numpy.scipy.fft"

        @staticmethod
        def __ua_function__(method, args, kwargs):
            called.append((method.__name__, scipy.fft.get_workers()))
            return NotImplemented

    grid = fg.Torus((1, 1)).grid(8)
    with scipy.fft.set_backend(Recorder), scipy.fft.set_workers(2):
        grid.multiply(grid.eigenvalues, np.ones(64))
    assert called == [("rfftn", 2), ("irfftn", 2)]


def test_fractional_powers_on_products_of_polynomials_are_refused():
    with pytest.raises(fg.InvalidInput, match="not available on"):
        fg.Sobolev(1.5).square_root(fg.Box([(0, 1), (0, 1)]).grid(8))


@pytest.mark.parametrize("rule", ["trapezoid", "simpson"])
def test_cubic_splines_converge_at_order_four_less_the_derivative(rule):
    interval = fg.Interval(0, 1)
    x = np.linspace(0, 1, 301)
    exact = [np.exp(2 * x) * 2**j for j in range(4)]
    for j in range(4):
        errors = [
            abs(
                interval.grid(n, rule)
                .function(lambda x: np.exp(2 * x))
                .grid.evaluate(np.exp(2 * interval.grid(n, rule).nodes[:, 0]), x, j)
                - exact[j]
            ).max()
            for n in (33, 65, 129)
        ]
        orders = np.log2(np.divide(errors[:-1], errors[1:]))
        assert abs(orders - (4 - j)).max() < 0.25


def test_splines_are_well_conditioned_where_polynomials_are_not():
    grid = fg.Interval(0, 1).grid(101, "trapezoid")
    assert abs(grid.interpolation_matrix(np.linspace(0, 1, 777))).sum(axis=1).max() < 3  # Lebesgue constant
    with pytest.raises(fg.InvalidInput, match="no derivative of order 4"):
        grid.differentiate(np.ones(101), 4)


def test_gauss_lobatto_interpolates_at_the_ends():
    grid = fg.Interval(-1, 2).grid(9, "gauss-lobatto")
    f = grid.function(lambda x: x**8)
    assert grid.nodes[[0, -1], 0].tolist() == [-1.0, 2.0]
    x = np.linspace(-1, 2, 33)
    np.testing.assert_allclose(f(x), x**8, atol=1e-12 * 256)
    np.testing.assert_allclose(f.derivative(3)(x), 336 * x**5, atol=1e-10 * 336 * 32)
