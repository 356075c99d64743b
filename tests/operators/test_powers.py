"""(1 - ℓ²Δ)^s on eigenbases: inverses, semigroup, closed forms, orders of convergence, refusals."""

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.sparse.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.errors import InvalidInput
from funcgrad.operators import (
    FiniteDifferenceLaplacian,
    GalerkinEigenbasis,
    PowerRoot,
    TensorEigenbasis,
    sobolev_power,
)

EPS = np.finfo(float).eps
BOUNDARY = st.sampled_from(["periodic", "neumann", "dirichlet"])
ORDER = st.floats(-3, 3).filter(lambda s: s == 0 or abs(s) > 1e-6)


def second_difference(n, boundary):
    """-D² with h = 1, entry by entry from the outside values."""
    matrix = np.zeros((n, n))
    for i in range(n):
        matrix[i, i] += 2
        for j in (i - 1, i + 1):
            if 0 <= j < n:
                matrix[i, j] -= 1
            elif boundary == "periodic":
                matrix[i, j % n] -= 1
            elif boundary == "neumann":
                matrix[i, i] -= 1
    return matrix


def dense_laplacian(shape, spacing, boundary):
    total = 0
    for axis, (n, h, b) in enumerate(zip(shape, spacing, boundary, strict=True)):
        before, after = np.eye(int(np.prod(shape[:axis]))), np.eye(int(np.prod(shape[axis + 1 :])))
        total = total + np.kron(np.kron(before, second_difference(n, b) / h**2), after)
    return total


def spaces():
    return [
        fg.Circle(3.0).grid(33),
        fg.Circle(3.0).grid(32),
        fg.Interval(0, 2).grid(24, rule="midpoint"),
        fg.Interval(0, 2, "dirichlet").grid(24, rule="midpoint"),
        fg.Interval(-1, 2).grid(24),
        fg.Interval(-1, 2).grid(24, rule="clenshaw-curtis"),
        FiniteDifferenceLaplacian((5, 6, 7), (0.3, 0.2, 0.5), ("periodic", "neumann", "dirichlet")),
        FiniteDifferenceLaplacian((8, 5), 0.25, "periodic"),
        TensorEigenbasis([second_difference(6, "dirichlet"), second_difference(5, "neumann")]),
    ]


def shape_of(space):
    return (len(space),) if isinstance(space, fg.Grid) else space.shape


def condition(space, s, scale):
    return (1 + scale**2 * np.max(sobolev_power(space, 1.0).basis.eigenvalues)) ** abs(s)


# --- the finite-difference Laplacian -------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    axes=st.lists(st.tuples(st.integers(2, 6), st.floats(0.1, 3), BOUNDARY), min_size=1, max_size=3),
    s=ORDER,
    seed=st.integers(0, 2**32 - 1),
)
def test_power_is_that_of_the_dense_matrix(axes, s, seed):
    """Against eigh of the matrix built entry by entry, in every mixture of conditions in 1-3 dimensions."""
    shape, spacing, boundary = zip(*axes, strict=True)
    laplacian = FiniteDifferenceLaplacian(shape, spacing, boundary)
    dense = dense_laplacian(shape, spacing, boundary)
    size = len(dense)
    u = np.random.default_rng(seed).normal(size=(*shape, 2))
    eigenvalues, vectors = np.linalg.eigh(np.eye(size) + 0.49 * dense)
    expected = (vectors * eigenvalues**s) @ (vectors.T @ u.reshape(size, 2))
    got = sobolev_power(laplacian, s, 0.7).apply(u).reshape(size, 2)
    cond = eigenvalues[-1] / eigenvalues[0]
    tolerance = 8 * size * EPS * (1 + abs(s)) * max(eigenvalues**s) * cond ** (0 if s >= 0 else 1)
    assert np.abs(got - expected).max() <= tolerance * np.abs(u).max()
    np.testing.assert_allclose(laplacian.matrix().toarray(), dense, rtol=0, atol=4 * EPS * dense.max())


@pytest.mark.parametrize("boundary", ["periodic", "neumann", "dirichlet"])
def test_matrix_is_minus_scipys_laplacian(boundary):
    laplacian = FiniteDifferenceLaplacian((4, 5, 3), 1.0, boundary)
    peer = scipy.sparse.linalg.LaplacianNd((4, 5, 3), boundary_conditions=boundary, dtype=float)
    np.testing.assert_array_equal(laplacian.matrix().toarray(), -peer.toarray())


def test_power_agrees_with_fractional_matrix_power():
    laplacian = FiniteDifferenceLaplacian((4, 3), 0.5, ("neumann", "dirichlet"))
    dense = np.eye(12) + dense_laplacian((4, 3), (0.5, 0.5), ("neumann", "dirichlet"))
    for s in (-1.7, -0.5, 0.3, 2.2):
        expected = scipy.linalg.fractional_matrix_power(dense, s)
        got = sobolev_power(laplacian, s).apply(np.eye(12).reshape(4, 3, 12)).reshape(12, 12)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("boundary", "points", "mode"),
    [
        ("periodic", lambda n: np.arange(n) / n, lambda x: np.cos(2 * np.pi * x)),
        ("neumann", lambda n: (np.arange(n) + 0.5) / n, lambda x: np.cos(np.pi * x)),
        ("dirichlet", lambda n: np.arange(1, n + 1) / (n + 1), lambda x: np.sin(np.pi * x)),
    ],
)
def test_finite_differences_are_of_second_order(boundary, points, mode):
    """(1 - Δ_h)^s converges to (1 - Δ)^s at order 2, on a mode and on a solution that is not one."""
    frequency = (2 if boundary == "periodic" else 1) * np.pi
    sizes = [16, 32, 64, 128]
    for s in (-1.0, -0.4, 0.5, 1.5):
        errors = []
        for n in sizes:
            x = points(n)
            h = 1 / (n + 1) if boundary == "dirichlet" else 1 / n
            P = sobolev_power(FiniteDifferenceLaplacian(n, h, boundary), s)
            exact = (1 + frequency**2) ** s * mode(x) + 0.1 * (1 + 9 * frequency**2) ** s * mode(3 * x)
            errors.append(np.abs(P.apply(mode(x) + 0.1 * mode(3 * x)) - exact).max())
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert np.all(np.abs(orders[-2:] - 2) < 0.1), (s, orders)


def test_solution_of_the_dirichlet_problem_converges_at_order_two():
    """u - u'' = 1, u(0) = u(1) = 0: u = 1 - cosh(x - 1/2)/cosh(1/2), which is no mode."""
    errors = []
    for n in (31, 63, 127, 255):
        x = np.arange(1, n + 1) / (n + 1)
        solve = sobolev_power(FiniteDifferenceLaplacian(n, 1 / (n + 1), "dirichlet"), 1.0).inverse
        errors.append(np.abs(solve.apply(np.ones(n)) - 1 + np.cosh(x - 0.5) / np.cosh(0.5)).max())
    np.testing.assert_allclose(np.log2(np.array(errors[:-1]) / errors[1:]), 2, atol=0.05)


def test_backend_of_scipy_fft_is_honoured():
    class Counting:
        __ua_domain__ = "numpy.scipy.fft"
        calls = 0

        @staticmethod
        def __ua_function__(method, args, kwargs):
            Counting.calls += 1
            return NotImplemented

    P = sobolev_power(FiniteDifferenceLaplacian((8, 8), 0.1, ("periodic", "neumann")), 0.5)
    with scipy.fft.set_backend(Counting):
        P.apply(np.ones((8, 8)))
    assert Counting.calls == 4


# --- every eigenbasis ----------------------------------------------------------------------------------


@pytest.mark.parametrize("space", spaces(), ids=repr)
@settings(max_examples=20, deadline=None)
@given(s=ORDER, t=ORDER, scale=st.floats(0.05, 2), seed=st.integers(0, 2**32 - 1))
def test_inverse_semigroup_and_half_powers(space, s, t, scale, seed):
    """P^s P^{-s} = 1, P^s P^t = P^{s+t}, (P^{s/2})² = P^s, to 1e-12 times the condition number."""
    u = np.random.default_rng(seed).normal(size=shape_of(space))
    P, Q = sobolev_power(space, s, scale), sobolev_power(space, t, scale)

    def close(a, b, cond):
        assert np.linalg.norm(a - b) <= 1e-14 * (1 + abs(s) + abs(t)) * cond * np.linalg.norm(b)

    cond = condition(space, s, scale)
    close(P.inverse.apply(P.apply(u)), u, cond)
    half = P.square_root
    close(half.apply(half.apply(u)), P.apply(u), cond)
    close(P.apply(Q.apply(u)), sobolev_power(space, s + t, scale).apply(u), condition(space, 3, scale) ** 2)


@pytest.mark.parametrize("space", spaces(), ids=repr)
def test_square_root_is_one_of_the_power(space):
    """(Su)·(Sv) = Σ w u P v, and the four maps of S are adjoint and inverse."""
    shape = shape_of(space)
    size = int(np.prod(shape))
    rng = np.random.default_rng(2)
    weights = space.weights if isinstance(space, fg.Grid) else 0.37
    P = sobolev_power(space, 1.3, 0.4)
    S = PowerRoot(P, weights)
    u, v, r = rng.normal(size=(3, size, 2))
    Pv = P.apply(v.reshape(*shape, 2)).reshape(size, 2)
    w = np.broadcast_to(weights, size)[:, None]
    scale = condition(space, 1.3, 0.4)
    assert abs(np.sum(S.apply(u) * S.apply(v)) - np.sum(w * u * Pv)) <= 1e-14 * scale * size
    assert abs(np.sum(S.apply(u) * r) - np.sum(u * S.apply_transpose(r))) <= 1e-14 * scale * size
    np.testing.assert_allclose(S.solve(S.apply(u)), u, rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(S.apply_transpose(S.solve_transpose(u)), u, rtol=0, atol=1e-13 * scale)


@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint"])
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
@pytest.mark.parametrize("s", [-2.5, -0.5, 0.7, 1.0, 2.0])
def test_eigenfunction_of_the_interval(rule, boundary, s):
    """(1 - ℓ²Δ)^s cos(2πx) = (1 + 4π²ℓ²)^s cos(2πx), and the sine."""
    grid = fg.Interval(0, 1, boundary).grid(32, rule=rule)
    u = (np.cos if boundary == "neumann" else np.sin)(2 * np.pi * grid.nodes[:, 0])
    got = sobolev_power(grid, s, 0.3).apply(u)
    exact = (1 + (0.6 * np.pi) ** 2) ** s * u
    # Rounding in u has parts in the highest modes, which positive powers amplify.
    amplification = (
        1 + 0.09 * np.max(GalerkinEigenbasis(fg.Interval(0, 1, boundary).grid(32)).eigenvalues)
    ) ** s
    np.testing.assert_allclose(got, exact, rtol=0, atol=20 * EPS * max(amplification, 1))


# --- the polynomial eigenbasis -------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_lower_part_of_the_polynomial_spectrum_is_accurate(boundary):
    """Gauss-Legendre: 40 ulp for the lowest quarter at N = 64, 1% for 0.6 N; never below the true ones."""
    interval = fg.Interval(0, 2, boundary)
    for n in (64, 200):
        got = GalerkinEigenbasis(interval.grid(n)).eigenvalues
        true = interval.laplacian_spectrum(len(got))
        error = (got - true) / np.maximum(true, 1)
        assert np.abs(error[: n // 4]).max() < 40 * EPS
        assert np.abs(error[: int(0.6 * n)]).max() < 1e-2
        assert error.min() > -40 * EPS  # Rayleigh-Ritz
        assert error[int(0.7 * n) :].min() > 0.01  # the upper part is not resolved, as documented


def test_dense_generalised_eigenproblem_gives_the_same_spectrum():
    """Stiffness and mass by Gauss quadrature from the differentiation matrix, scipy.linalg.eigh."""
    for rule in ("gauss-legendre", "clenshaw-curtis"):
        grid = fg.Interval(-1, 1).grid(12, rule=rule)
        D, W = grid.differentiation_matrix, np.diag(grid.weights)
        expected = scipy.linalg.eigh(D.T @ W @ D, W, eigvals_only=True)
        got = GalerkinEigenbasis(grid).eigenvalues
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * expected[-1])
        grid = fg.Interval(-1, 1, "dirichlet").grid(12, rule=rule)
        basis = scipy.linalg.null_space(grid.interpolation_matrix([-1.0, 1.0]))
        mass, stiffness = basis.T @ W @ basis, basis.T @ D.T @ W @ D @ basis
        expected = scipy.linalg.eigh(stiffness, mass, eigvals_only=True)
        got = GalerkinEigenbasis(grid).eigenvalues
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13 * expected[-1])


@pytest.mark.parametrize("rule", ["gauss-legendre", "clenshaw-curtis"])
@pytest.mark.parametrize("boundary", ["neumann", "dirichlet"])
def test_eigenfunctions_are_orthonormal_on_the_grid(rule, boundary):
    grid = fg.Interval(1, 4, boundary).grid(130, rule=rule)
    basis = GalerkinEigenbasis(grid)
    vectors = basis.backward(np.eye(len(basis.eigenvalues)))
    gram = vectors.T @ (grid.weights[:, None] * vectors)
    np.testing.assert_allclose(gram, np.eye(len(gram)), rtol=0, atol=130 * EPS)


# --- tensor products -----------------------------------------------------------------------------------


def test_fast_diagonalisation_of_arbitrary_factors():
    rng = np.random.default_rng(4)
    factors = [a @ a.T for a in (rng.normal(size=(n, n)) for n in (2, 3, 4))]
    eye = [np.eye(n) for n in (2, 3, 4)]
    dense = sum(
        np.kron(np.kron(*[f if i == j else eye[j] for j, f in enumerate(factors[:2])]), eye[2])
        for i in range(2)
    ) + np.kron(np.eye(6), factors[2])
    u = rng.normal(size=(2, 3, 4, 5, 2))
    got = sobolev_power(TensorEigenbasis(factors), -0.7, 2.0).apply(u)
    matrix = scipy.linalg.fractional_matrix_power(np.eye(24) + 4 * dense, -0.7)
    np.testing.assert_allclose(got.reshape(24, 10), matrix @ u.reshape(24, 10), rtol=0, atol=1e-12)


# --- refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FiniteDifferenceLaplacian((4, 4), 0.1, "neuman"), "did you mean 'neumann'"),
        (lambda: FiniteDifferenceLaplacian((4, 1), 0.1, "neumann"), "`shape` must be at least 2"),
        (lambda: FiniteDifferenceLaplacian((4,) * 4, 0.1, "neumann"), "1 to 3 axes"),
        (lambda: FiniteDifferenceLaplacian((4, 4), 0.0, "neumann"), "`spacing` must be positive"),
        (lambda: FiniteDifferenceLaplacian((4, 4), [0.1] * 3, "neumann"), "for each of the 2 axes"),
        (lambda: TensorEigenbasis([]), "at least one"),
        (lambda: TensorEigenbasis([np.ones((2, 3))]), r"`factors\[0\]` must be square"),
        (lambda: TensorEigenbasis([np.eye(2), np.triu(np.ones((3, 3)))]), r"`factors\[1\]` must be symm"),
        (lambda: sobolev_power(np.eye(3), 1.0), "RationalPower"),
        (lambda: sobolev_power(TensorEigenbasis([-np.eye(3)]), 1.0), "non-negative"),
        (lambda: sobolev_power(fg.Circle().grid(4), np.nan), "`s` must be finite"),
        (lambda: sobolev_power(fg.Circle().grid(4), 1.0, 0.0), "`length_scale` must be positive"),
        (lambda: sobolev_power(fg.Circle().grid(4), 1.0).apply(np.ones(5)), r"shape \(4,\)"),
        (lambda: sobolev_power(fg.Circle().grid(4), 1.0).apply([1, 2, np.inf, 0]), "must be finite"),
        (lambda: PowerRoot(sobolev_power(fg.Circle().grid(4), 1.0), [1.0, 2.0]), "`weights`"),
        (lambda: GalerkinEigenbasis(fg.Interval(0, 1).grid(2049)), "at most 2048 nodes"),
        (lambda: GalerkinEigenbasis(fg.Interval(0, 1, "dirichlet").grid(2)), "at least 3 nodes"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


# --- grids of spheres, tori and boxes ----------------------------------------------------------------------


@given(degree=st.integers(1, 12), s=ORDER, length_scale=st.floats(0.05, 3.0))
def test_powers_on_the_sphere_multiply_harmonics_by_powers_of_one_plus_l_l_plus_one(degree, s, length_scale):
    """-ΔY = l(l+1)Y for Y = Re, Im (x + iy)^l and Re (x + iz)^l, harmonic polynomials written out."""
    grid = fg.Sphere().grid(degree + 1)
    x, y, z = grid.nodes.T
    harmonics = np.array(
        [((x + 1j * y) ** degree).real, ((x + 1j * y) ** degree).imag, ((x + 1j * z) ** degree).real]
    )
    factor = (1 + length_scale**2 * degree * (degree + 1)) ** s
    power = sobolev_power(grid, s, length_scale)
    # Rounding in the coefficients of other degrees is multiplied by at most the largest power, and there are
    # (l + 1)² of them.
    tolerance = 16 * EPS * (degree + 1) * max(1.0, factor)
    np.testing.assert_allclose(power.apply(harmonics.T), factor * harmonics.T, rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        power.inverse.apply(power.apply(harmonics.T)),
        harmonics.T,
        rtol=0,
        atol=tolerance * max(1.0, 1 / factor),
    )


def test_the_sphere_has_more_nodes_than_eigenfunctions():
    """P^{-s}P^s is the orthogonal projection onto the polynomials: idempotent, and one on them."""
    grid = fg.Sphere().grid(6)
    power = sobolev_power(grid, 1.5)
    noise = np.random.default_rng(0).normal(size=len(grid))
    once = power.inverse.apply(power.apply(noise))
    np.testing.assert_allclose(power.inverse.apply(power.apply(once)), once, atol=1e-12)
    assert np.abs(once - noise).max() > 0.1
    assert abs(np.sum(grid.weights * (noise - once) * once)) < 1e-12 * len(grid)


@pytest.mark.parametrize(
    ("grid", "function", "eigenvalue"),
    [
        (fg.Torus((2 * np.pi, np.pi)).grid((9, 8)), lambda x, y: np.sin(x) * np.cos(2 * y), 5.0),
        (
            fg.Box([(0, np.pi), (0, np.pi)], ("neumann", "dirichlet")).grid((7, 8), rule="midpoint"),
            lambda x, y: np.cos(2 * x) * np.sin(3 * y),
            13.0,
        ),
    ],
)
@pytest.mark.parametrize("s", [-1.5, 0.7, 2.0])
def test_powers_on_products_of_spectral_grids(grid, function, eigenvalue, s):
    values = grid.function(function).values
    np.testing.assert_allclose(
        sobolev_power(grid, s, 0.5).apply(values),
        (1 + eigenvalue / 4) ** s * values,
        rtol=0,
        atol=1e-13 * 11**2,
    )


def test_grids_without_an_eigenbasis_are_refused():
    for grid in (fg.Box([(0, 1), (0, 1)]).grid(4), fg.Interval(0, 1).grid(8, rule="trapezoid")):
        with pytest.raises(InvalidInput, match="`space` must be a grid of the Laplacian's eigenfunctions"):
            sobolev_power(grid, 0.5)
