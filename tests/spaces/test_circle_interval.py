"""Circle and interval: quadrature, interpolation, differentiation, eigenfunctions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput

EPS = np.finfo(float).eps

GRIDS = {
    "circle, even": lambda n: fg.Circle(3.0).grid(2 * (n // 2)),
    "circle, odd": lambda n: fg.Circle(3.0).grid(2 * (n // 2) + 1),
    "gauss-legendre": lambda n: fg.Interval(-1, 2).grid(n),
    "clenshaw-curtis": lambda n: fg.Interval(-1, 2).grid(n, rule="clenshaw-curtis"),
    "cosines": lambda n: fg.Interval(-1, 2).grid(n, rule="midpoint"),
    "sines": lambda n: fg.Interval(-1, 2, "dirichlet").grid(n, rule="midpoint"),
}

# For each grid an analytic function of its kind, with its first two derivatives.
W = 2 * np.pi / 3
SMOOTH = {
    "circle, even": (
        lambda x: np.exp(np.sin(W * x)),
        lambda x: W * np.cos(W * x) * np.exp(np.sin(W * x)),
        lambda x: W**2 * (np.cos(W * x) ** 2 - np.sin(W * x)) * np.exp(np.sin(W * x)),
    ),
    "gauss-legendre": (lambda x: np.exp(-x), lambda x: -np.exp(-x), lambda x: np.exp(-x)),
    "cosines": tuple(
        lambda x, k=k: sum(
            (j * np.pi / 3) ** k * 0.3**j * np.cos(j * np.pi / 3 * (x + 1) + k * np.pi / 2) for j in range(9)
        )
        for k in range(3)
    ),
    "sines": tuple(
        lambda x, k=k: sum(
            (j * np.pi / 3) ** k * 0.3**j * np.sin(j * np.pi / 3 * (x + 1) + k * np.pi / 2)
            for j in range(1, 10)
        )
        for k in range(3)
    ),
}
SMOOTH["circle, odd"] = SMOOTH["circle, even"]
SMOOTH["clenshaw-curtis"] = SMOOTH["gauss-legendre"]


@pytest.mark.parametrize("kind", GRIDS)
def test_weights_sum_to_the_volume(kind):
    for n in (3, 8, 33, 100):
        grid = GRIDS[kind](n)
        assert grid.weights.sum() == pytest.approx(3.0, rel=4 * EPS * np.sqrt(n))


@pytest.mark.parametrize("kind", GRIDS)
def test_interpolation_and_derivatives_are_spectrally_accurate(kind):
    f, df, ddf = SMOOTH[kind]
    grid = GRIDS[kind](40)
    x = np.linspace(-0.9, 1.9, 57) if "circle" not in kind else np.linspace(-5, 7, 57)
    function = grid.function(f)
    # Rounding: an ulp of f in each value, amplified by the grid's differentiation, at most N² a derivative.
    noise = EPS * np.abs(f(x)).max()
    assert np.abs(function(x) - f(x)).max() < 40 * noise
    assert np.abs(function.derivative()(x) - df(x)).max() < 40**2 * noise
    assert np.abs(function.derivative(2)(x) - ddf(x)).max() < 40**4 * noise


@pytest.mark.parametrize("kind", GRIDS)
def test_cardinal_functions_reproduce_nodal_values(kind):
    grid = GRIDS[kind](17)
    np.testing.assert_allclose(grid.interpolation_matrix(grid.nodes), np.eye(len(grid)), atol=100 * EPS)


@pytest.mark.parametrize("kind", GRIDS)
def test_derivative_rows_are_those_of_the_differentiated_interpolant(kind):
    f, df, _ = SMOOTH[kind]
    grid = GRIDS[kind](40)
    x = np.array([0.123, 0.4567])
    rows = grid.interpolation_matrix(x, derivative=1)
    assert np.abs(rows @ f(grid.nodes[:, 0]) - df(x)).max() < 40**2 * EPS * np.abs(df(x)).max()


def test_trapezoid_is_exact_for_products_of_its_functions_and_not_beyond():
    grid = fg.Circle(2 * np.pi).grid(9)
    x = grid.nodes[:, 0]
    assert grid.integrate(np.cos(4 * x) ** 2) == pytest.approx(np.pi, rel=20 * EPS)
    assert grid.integrate(np.cos(9 * x)) == pytest.approx(2 * np.pi)  # aliased: the true integral is 0


def test_convergence_of_interpolation_at_a_kink_is_first_order():
    x = np.linspace(0, 2 * np.pi, 4001)
    errors = []
    for n in (51, 101, 201, 401):
        f = fg.Circle(2 * np.pi).grid(n).function(lambda t: np.abs(np.sin(t / 2)))
        errors.append(np.abs(f(x) - np.abs(np.sin(x / 2))).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders - 1) < 0.1)


DOMAINS = [fg.Circle(2.5), fg.Interval(-1, 2), fg.Interval(-1, 2, "dirichlet")]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_eigenfunctions_are_orthonormal_and_belong_to_the_spectrum(domain):
    grid = domain.grid(64)
    e = domain.eigenfunctions(9, grid.nodes)
    np.testing.assert_allclose((e.T * grid.weights) @ e, np.eye(9), atol=200 * EPS)
    spectrum = domain.laplacian_spectrum(9)
    second = domain.eigenfunctions(9, grid.nodes, derivative=2)
    np.testing.assert_allclose(-second, e * spectrum, atol=1e-12 * spectrum[-1])
    assert np.all(np.diff(spectrum) >= 0)


def test_boundary_conditions_of_the_eigenfunctions():
    assert np.abs(fg.Interval(0, 1, "dirichlet").eigenfunctions(5, [0.0, 1.0])).max() < 1e-14
    assert np.abs(fg.Interval(0, 1).eigenfunctions(5, [0.0, 1.0], derivative=1)).max() < 1e-13


@pytest.mark.parametrize("kind", GRIDS)
def test_resampling_a_function_to_a_finer_grid_keeps_it(kind):
    coarse, fine = GRIDS[kind](12), GRIDS[kind](30)
    values = np.random.default_rng(0).normal(size=(len(coarse), 2))
    f = coarse.function(values)
    finer = fine.function(f)
    np.testing.assert_allclose(finer(0.37), f(0.37), rtol=1e-12)
    np.testing.assert_allclose(finer.values, f(fine.nodes), atol=1e-12)


numbers = st.floats(-10, 10)


@given(a=numbers, b=numbers, seed=st.integers(0, 1000))
def test_functions_form_a_vector_space(a, b, seed):
    rng = np.random.default_rng(seed)
    grid = fg.Interval(0, 1).grid(6)
    u, v = (grid.function(rng.normal(size=6)) for _ in range(2))
    combination = a * u - v / 2 + (-v) * b
    np.testing.assert_allclose(combination.values, a * u.values - v.values / 2 - b * v.values, atol=1e-12)
    assert combination(0.3) == pytest.approx(a * u(0.3) - v(0.3) / 2 - b * v(0.3), abs=1e-10)


def test_numpy_scalars_multiply_functions():
    f = fg.Circle(1.0).grid(4).function(lambda x: 1.0)
    assert isinstance(np.float64(2.0) * f, fg.Function)
    assert isinstance(f * np.float64(2.0), fg.Function)


def test_functions_and_grids_do_not_change():
    f = fg.Circle(1.0).grid(4).function(np.cos)
    for array in (f.values, f.grid.nodes, f.grid.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


BAD_INPUT = [
    (lambda: fg.Interval(1, 0), InvalidInput, "`a` < `b`"),
    (lambda: fg.Interval(0, np.nan), InvalidInput, "`b` must be finite"),
    (lambda: fg.Interval(0, 1, "neuman"), InvalidInput, "did you mean 'neumann'"),
    (lambda: fg.Circle(-1.0), InvalidInput, "`length` must be positive"),
    (lambda: fg.Interval(0, 1).grid(4, rule="gauss-legandre"), InvalidInput, "did you mean 'gauss-legendre'"),
    (lambda: fg.Interval(0, 1).grid(0), InvalidInput, "`n` must be at least 1"),
    (lambda: fg.Interval(0, 1).grid(2.5), InvalidInput, "`n` must be a whole number"),
    (lambda: fg.Interval(0, 1).grid(4).function(np.sin)(1.5), DomainMismatch, "outside the interval"),
    (lambda: fg.Circle(1.0).grid(4).function([1.0, 2.0]), InvalidInput, r"must have shape \(4,\)"),
    (lambda: fg.Circle(1.0).grid(4).function(np.arange(4) * 1j), InvalidInput, "must be real"),
    (
        lambda: fg.Circle(1.0).grid(3).function([1, np.inf, 2]),
        InvalidInput,
        r"finite; got inf at index \[1\]",
    ),
    (lambda: fg.Circle(1.0).grid(3).function(lambda x: x[:2]), InvalidInput, "must return values of shape"),
    (
        lambda: fg.Circle(1.0).grid(3).function(np.cos) + fg.Circle(1.0).grid(5).function(np.cos),
        DomainMismatch,
        "different grids",
    ),
    (
        lambda: fg.Circle(1.0).grid(3).function(np.cos) * fg.Circle(1.0).grid(3).function(np.cos),
        TypeError,
        "multiplied by numbers only",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT)
def test_bad_input_gets_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_plot_draws_the_values():
    f = fg.Interval(0, 1).grid(8).function(np.exp)
    (line,) = f.plot().lines
    np.testing.assert_array_equal(line.get_ydata(), f.values)
