"""Far images by theta functions: Jacobi's identity, lattice sums, length scales far above L."""

from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funcgrad.kernels import PeriodicSobolev, Sobolev, TorusSobolev, torus
from funcgrad.kernels.periodic import image_sum
from funcgrad.kernels.theta import FarImages, _near_and_far

ULP = np.finfo(float).eps


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("kept", [1, 2, 5])
def test_near_and_far_images_make_the_theta_function(order, kept):
    """L^{-1} D^m θ_3(πd/L, e^{-4π²t/L²}), from t where images converge to t where waves do (DLMF 20.7.32)."""
    length, nodes, t = 1.7, np.array([-1.0, -0.3, 0.2, 1.0]), np.array([1e-3, 0.02, 0.2, 1.3, 6.0, 40.0])
    near, far = _near_and_far(length, 0.9, kept, order, nodes, t)
    assert np.all(far >= 0) or order
    with mpmath.workdps(30):
        for (i, time), (j, node) in product(enumerate(t), enumerate(nodes)):
            nome = mpmath.exp(-4 * mpmath.pi**2 * mpmath.mpf(time) / mpmath.mpf(length) ** 2)
            angle = mpmath.pi * mpmath.mpf(0.9 * node) / length
            exact = mpmath.jtheta(3, angle, nome, order) * (mpmath.pi / length) ** order / length
            assert abs(near[i, j] + far[i, j] - exact) < 1e-14 * (1 / length + time ** (-(1 + order) / 2))


@pytest.mark.parametrize(
    ("s", "sides", "orders"),
    [
        (1.3, [2.0], (0,)),
        (2.6, [9.0], (2,)),
        (2.3, [2.0, 2.6], (0, 0)),
        (2.9, [2.0, 2.6], (1, 1)),
        (1.2, [1.0, 3.0], (0, 0)),
        (4.2, [8.0, 8.0], (2, 0)),
        (2.6, [4.0, 5.0, 4.5], (1, 0, 0)),
    ],
)
def test_far_images_are_the_rest_of_the_lattice_sum(s, sides, orders):
    """The same sum, image after image."""
    sides, n = np.array(sides), len(sides)
    kept = np.ceil(2 * sides.max() / sides).astype(int)
    d = np.random.default_rng(0).uniform(-1, 1, (4, n)) * sides
    kernel = Sobolev(s, n).derivative(orders)
    far = near = np.zeros(4)
    for j in product(*(range(-r, r + 1) for r in np.ceil(45 / sides).astype(int) + 1)):
        image = kernel._evaluate(d + np.array(j) * sides, np.zeros(n))
        if np.all(np.abs(j) <= kept):
            near = near + image
        else:
            far = far + image
    # The series is cut at 2^-52 of its largest coefficient, in each of n variables.
    values = FarImages(s, sides, sides, kept, orders)(d)
    assert np.all(np.abs(values - far) < 2e-14 * np.maximum(np.abs(far).max(), ULP * np.abs(near).max()))


@settings(deadline=None, max_examples=12)
@given(
    st.floats(0.05, 4.0),
    st.floats(0.4, 3.0),
    st.floats(0.15, 0.8),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1),
)
def test_torus_paths_agree(excess, ratio, scale, order, seed):
    """Images one by one, and far images together, to 1e-12 of the kernel (of k(x, x)/ℓ^m for derivatives)."""
    s, alpha = 1.0 + excess, (order // 2, order - order // 2)
    if order >= 2 * s - 2:
        alpha = (0, 0)
    x = np.random.default_rng(seed).uniform(-3, 3, (5, 2))
    x[1], x[2] = x[0], x[0] + 1e-9
    grams = []
    for cost in (1e9, -1e9):
        before, torus._COST_OF_FAR = torus._COST_OF_FAR, cost
        try:
            kernel = TorusSobolev(s, [1.0, ratio], scale)
            lattice = kernel.derivative(alpha) if any(alpha) else kernel._images
            assert lattice._far == (cost < 0)
            grams.append(lattice.gram(x))
        finally:
            torus._COST_OF_FAR = before
    bound = kernel.gram_diagonal(x)[0] / scale ** sum(alpha)
    np.testing.assert_allclose(grams[1], grams[0], rtol=0, atol=1e-13 * bound)


def epstein_zeta(s):
    """Σ' |j|^{-2s} over Z², 4 ζ(s) β(s) with Dirichlet's β (I. J. Zucker 1974)."""
    beta = mpmath.mpf(4) ** -s * (mpmath.zeta(s, mpmath.mpf(1) / 4) - mpmath.zeta(s, mpmath.mpf(3) / 4))
    return 4 * mpmath.zeta(s) * beta


@pytest.mark.parametrize("scale", [10.0, 1e3, 1e6])
@pytest.mark.parametrize("s", [1.05, 1.3, 2.0, 3.3])
def test_torus_far_shorter_than_its_length_scale(s, scale):
    """ℓ >> L: on the diagonal 1/L² plus Epstein zeta functions, also for the second derivative."""
    wave = (2 * mpmath.pi * scale) ** 2

    def waves(power):
        """Σ' |2πj|^{2 power} (1 + (2πℓ)²|j|²)^{-s}, in powers of (2πℓ)^{-2}."""
        return sum(
            mpmath.binomial(-s, q)
            * wave ** (-s - q)
            * epstein_zeta(s + q - power)
            * (2 * mpmath.pi) ** (2 * power)
            for q in range(12)
        )

    kernel, x = TorusSobolev(s, [1.0, 1.0], scale), [0.3, 0.2]
    assert kernel(x, x) == pytest.approx(float(1 + waves(0)), rel=1e-14)
    if s > 2:
        slope = kernel.derivative((1, 0), (1, 0))
        assert slope(x, x) == pytest.approx(float(waves(1) / 2), abs=1e-14 / scale**2)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("s", [0.55, 0.8, 1.3])
def test_circle_far_shorter_than_its_length_scale(s, scale):
    """L^{-1} Σ_k (1 + (2πkℓ/L)²)^{-s}, on the diagonal by zeta functions."""
    wave = (2 * mpmath.pi * scale) ** 2
    exact = 1 + 2 * sum(
        mpmath.binomial(-s, q) * wave ** (-s - q) * mpmath.zeta(2 * s + 2 * q) for q in range(16)
    )
    assert PeriodicSobolev(s, 1.0, scale)(0.2, 0.2) == pytest.approx(float(exact), rel=1e-14)


def test_circle_many_length_scales_long():
    """On a circle of 59 and of 61 length scales the images beyond the third vanish."""
    for nu in (0.8, 2.3):
        z = np.array([0.0, 1.0, 20.0, 29.0])
        below, above = (image_sum(nu, length, 0)(z) for length in (59.999999, 60.000001))
        np.testing.assert_allclose(below, above, rtol=1e-5)
        np.testing.assert_allclose(
            above[:2],
            PeriodicSobolev(nu + 0.5, 1e3)._values(z[:2]) / Sobolev(nu + 0.5, 1)(0.0, 0.0),
            rtol=1e-14,
        )


@pytest.mark.parametrize("scale", [0.3, 2.0, 1e3])
def test_torus_gram_matrices_stay_positive_semidefinite_and_products_agree(scale):
    x = np.random.default_rng(0).random((160, 2))
    x[100:] = x[:60] + 1e-8
    kernel = TorusSobolev(1.6, [1.0, 0.7], scale)
    K = kernel.gram(x)
    eigenvalues = np.linalg.eigvalsh(K)
    assert eigenvalues[0] >= -len(x) * ULP * eigenvalues[-1]
    V = np.random.default_rng(1).standard_normal((160, 2))
    assert np.all(np.abs(kernel.matvec(x, x, V) - K @ V) < 160 * ULP * (K @ np.abs(V)))
    np.testing.assert_allclose(kernel(x[0], x), K[0], rtol=3e-14)
    np.testing.assert_allclose(kernel(x + np.array([1.0, -1.4]), x[:1]), K[:, 0], rtol=1e-12)
