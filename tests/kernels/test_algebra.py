"""Sums, products, tensor products, dot products, network and matrix-valued kernels."""

from math import pi

import mpmath
import numpy as np
import pytest
import sympy

from funcgrad.errors import FuncgradError, InvalidInput, NotPositiveDefinite
from funcgrad.kernels import (
    ArcCosine,
    Gaussian,
    IntervalSobolev,
    Linear,
    Matern,
    MatrixKernel,
    PeriodicSobolev,
    Polynomial,
    ReLUTangent,
    Sobolev,
    TensorProduct,
)

X = np.random.default_rng(0).uniform(-1, 1, (7, 2))
Y = np.random.default_rng(1).uniform(-1, 1, (5, 2))
V = np.random.default_rng(2).uniform(-1, 1, (5, 3))


def test_sums_products_and_multiples_pointwise():
    f, g = Sobolev(3.2, 2), Polynomial(3)
    F, G = f.gram(X, Y), g.gram(X, Y)
    for kernel, exact in (
        (f + g, F + G),
        (f * g, F * G),
        (2.5 * f, 2.5 * F),
        (f * 2, 2 * F),
        (f + 3 * g * f, F + 3 * G * F),
    ):
        np.testing.assert_allclose(kernel.gram(X, Y), exact, rtol=1e-14)
        np.testing.assert_allclose(kernel.matvec(X, Y, V), exact @ V, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(kernel(X[:5], Y), np.diag(exact), rtol=1e-14)
    assert (f + g).smoothness == f.smoothness
    with pytest.raises(TypeError):
        f + 1.0
    with pytest.raises(InvalidInput, match="`factor` must be positive"):
        -1.0 * f
    with pytest.raises(InvalidInput, match="one dimension"):
        f + Sobolev(2.0, 1)


def symbolic_derivative(expression, names, alpha, beta):
    orders = [(name, order) for name, order in zip(names, (*alpha, *beta), strict=True) if order]
    return sympy.lambdify(names, sympy.diff(expression, *orders) if orders else expression, "numpy")


@pytest.mark.parametrize("orders", [((1, 0), (0, 0)), ((1, 2), (0, 1)), ((0, 1), (2, 1)), ((2, 1), (1, 2))])
def test_derivatives_against_sympy(orders):
    """Leibniz' rule, dot products and radial derivatives in two dimensions, exactly."""
    names = sympy.symbols("x0 x1 y0 y1")
    x0, x1, y0, y1 = names
    gauss = sympy.exp(-((x0 - y0) ** 2 + (x1 - y1) ** 2) / (2 * sympy.Rational(9, 4)))
    cubic = (x0 * y0 + x1 * y1 + sympy.Rational(1, 2)) ** 3
    kernels = [
        (Gaussian(1.5), gauss),
        (Polynomial(3, 0.5), cubic),
        (Gaussian(1.5) * Polynomial(3, 0.5), gauss * cubic),
        (Gaussian(1.5) + 0.5 * Polynomial(3, 0.5), gauss + cubic / 2),
        (Linear(), x0 * y0 + x1 * y1),
    ]
    for kernel, expression in kernels:
        exact = symbolic_derivative(expression, names, *orders)(*X[:5].T, *Y.T)
        value = kernel.derivative(*orders)(X[:5], Y)
        np.testing.assert_allclose(value, np.broadcast_to(exact, 5), rtol=1e-12, atol=1e-13)
        stepwise = kernel.derivative(orders[0]).derivative((0, 0), orders[1])(X[:5], Y)
        np.testing.assert_allclose(stepwise, value, rtol=1e-12, atol=1e-13)


def test_tensor_product():
    circle, ends = PeriodicSobolev(2.0, 1.5), IntervalSobolev(1.6, -1.0, 1.0)
    kernel = TensorProduct(circle, ends)
    exact = circle.gram(X[:, 0], Y[:, 0]) * ends.gram(X[:, 1], Y[:, 1])
    np.testing.assert_allclose(kernel.gram(X, Y), exact, rtol=1e-14)
    np.testing.assert_allclose(kernel.matvec(X, Y, V), exact @ V, rtol=1e-12, atol=1e-15)
    slope = circle.derivative(1, 1).gram(X[:, 0], Y[:, 0]) * ends.derivative(1).gram(X[:, 1], Y[:, 1])
    np.testing.assert_allclose(kernel.derivative((1, 1), (1, 0)).gram(X, Y), slope, rtol=1e-14)
    with pytest.raises(FuncgradError, match=r"IntervalSobolev.*below order 2\.2"):
        kernel.derivative((0, 2), (0, 1))
    # The exponential kernels' product is e^{-|x|_1}, no function of the distance.
    product = TensorProduct(Matern1(), Matern1())
    np.testing.assert_allclose(product(X[:5], Y), np.exp(-np.abs(X[:5] - Y).sum(axis=1)), rtol=1e-14)
    with pytest.raises(InvalidInput, match="whole number"):
        TensorProduct(Gaussian(), circle)


def Matern1():
    return 2.0 * Sobolev(1.0, 1)


def kappa(order, angle):
    return (pi - angle) / pi if order == 0 else (mpmath.sin(angle) + (pi - angle) * mpmath.cos(angle)) / pi


@pytest.mark.parametrize("order", [0, 1])
def test_arc_cosine_is_the_gaussian_expectation(order):
    """2 E[σ(w·x) σ(w·y)] is an integral over the direction of w, times E[|w|^{2 order}]."""
    for x, y in zip(X[:4], Y[:4], strict=True):
        angles = [float(np.arctan2(p[1], p[0])) for p in (x, y)]
        edges = sorted({a + s * pi / 2 for a in angles for s in (-3, -1, 1, 3)} | {-pi, pi})
        edges = [e for e in edges if -pi <= e <= pi]
        unit = lambda t, p: x_plus(np.cos(t) * p[0] + np.sin(t) * p[1], order)  # noqa: E731
        mean = mpmath.quad(lambda t, x=x, y=y: unit(float(t), x) * unit(float(t), y), edges) / (2 * pi)  # noqa: B023
        assert ArcCosine(order)([x], [y])[0] == pytest.approx(float(2 * mean * (2 if order else 1)), rel=1e-6)


def x_plus(t, order):
    return max(t, 0.0) ** order if t > 0 else 0.0


def test_arc_cosine_at_small_and_large_angles():
    """κ_1 = 1 - γ²/2 + γ³/(3π) - ..., κ_0 = 1 - γ/π: no digits lost near parallel and opposite points."""
    angles = np.array([1e-12, 1e-8, 1e-4, 0.3, 2.0, pi - 1e-4, pi - 1e-8])
    y = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y[1] = (1.0, 1e-8)
    zero = ArcCosine(0)([[1.0, 0.0]], y)
    np.testing.assert_allclose(1 - zero, angles / pi, atol=3e-16)
    assert ArcCosine(0)([[1.0, 0.0]], [[2.0, 2e-8]])[0] == pytest.approx(1 - 1e-8 / pi, abs=1e-16)
    one = ArcCosine(1)([[1.0, 0.0]], y)
    np.testing.assert_allclose(one, [float(kappa(1, mpmath.mpf(a))) for a in angles], atol=4e-16)
    assert ArcCosine(1)([[0.0, 0.0]], [[1.0, 0.0]])[0] == 0.0


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_relu_tangent_kernel_against_its_recursion_at_50_digits(depth):
    with mpmath.workdps(50):
        for angle in (0.0, 1e-9, 1e-5, 0.01, 0.7, 2.0, 3.1):
            x, y = np.array([2.0, 0.0]), 1.5 * np.array([np.cos(angle), np.sin(angle)])
            gamma = mpmath.atan2(mpmath.mpf(y[1]), mpmath.mpf(y[0]))
            size = 2 * mpmath.sqrt(mpmath.mpf(y[0]) ** 2 + mpmath.mpf(y[1]) ** 2)
            tangent, cosine = size * mpmath.cos(gamma), mpmath.cos(gamma)
            for _ in range(depth):
                angle_now = mpmath.acos(cosine) if cosine < 1 else mpmath.mpf(0)
                first = (mpmath.sin(angle_now) + (mpmath.pi - angle_now) * mpmath.cos(angle_now)) / mpmath.pi
                tangent, cosine = tangent * (mpmath.pi - angle_now) / mpmath.pi + size * first, first
            value = ReLUTangent(depth)([x], [y])[0]
            assert abs(float(value - tangent)) < 1e-14 * float(size) * depth


def test_relu_tangent_on_the_diagonal_and_theory_8():
    x = X / np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(ReLUTangent(3).gram_diagonal(2 * x), 16.0, rtol=1e-14)
    inner = x @ x.T
    exact = inner * ArcCosine(0).gram(x) + ArcCosine(1).gram(x)
    np.testing.assert_allclose(ReLUTangent(1).gram(x), exact, rtol=1e-14, atol=1e-15)
    with pytest.raises(FuncgradError, match="below order 1"):
        ReLUTangent(1).derivative((1, 0))
    with pytest.raises(InvalidInput, match="unknown order 2"):
        ArcCosine(2)


def test_matrix_kernel():
    B, C = np.array([[2.0, 1.0], [1.0, 1.0]]), np.eye(2)
    f, g = Matern(1.5), Gaussian()
    K = MatrixKernel(B, f) + MatrixKernel(C, g)
    gram = K.gram(X, Y)
    for i, j in ((0, 0), (3, 4), (6, 1)):
        block = f.gram(X, Y)[i, j] * B + g.gram(X, Y)[i, j] * C
        np.testing.assert_allclose(gram[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], block, rtol=1e-15)
    np.testing.assert_allclose(K(X[:5], Y)[2], f(X[:5], Y)[2] * B + g(X[:5], Y)[2] * C, rtol=1e-15)
    np.testing.assert_allclose(K.matvec(X, Y, V[:, :2]).ravel(), gram @ V[:, :2].ravel(), rtol=1e-13)
    slope = K.derivative((1, 0)).gram(X, Y)
    np.testing.assert_allclose(slope[1::2, 1::2], (f.derivative((1, 0)) + g.derivative((1, 0))).gram(X, Y))
    assert np.linalg.eigvalsh(K.gram(X))[0] > 0
    with pytest.raises(NotPositiveDefinite, match="`B` has the eigenvalue -1"):
        MatrixKernel([[1.0, 2.0], [2.0, 1.0]], f)
    with pytest.raises(InvalidInput, match="`B` must be a symmetric"):
        MatrixKernel([[1.0, 2.0], [0.0, 1.0]], f)
    with pytest.raises(InvalidInput, match="do not add"):
        K + MatrixKernel([[1.0]], f)
    with pytest.raises(InvalidInput, match="must have 2 columns"):
        K.matvec(X, Y, V)
