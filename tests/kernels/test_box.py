"""Kernels of boxes by images: eigen-expansions, boundary conditions, derivatives, dual norms."""

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.kernels import BoxSobolev, IntervalSobolev

BOUNDS = [(0.0, 1.0), (-1.0, 0.5)]
CONDITIONS = [("neumann", "dirichlet"), ("dirichlet", "dirichlet"), ("periodic", "neumann")]


def expansion(box, s, scale, x, y, count):
    spectrum = box.laplacian_spectrum(count)
    e, f = box.eigenfunctions(count, [x])[0], box.eigenfunctions(count, [y])[0]
    return float(np.sum(e * f / (1 + scale**2 * spectrum) ** s))


@pytest.mark.parametrize("conditions", CONDITIONS)
def test_images_agree_with_the_eigen_expansion(conditions):
    """With s = 5 the tail of the expansion beyond the eigenvalue λ is below λ^{-4}/volume."""
    s, scale, box = 5.0, 0.4, fg.Box(BOUNDS, boundary=conditions)
    kernel = BoxSobolev(s, BOUNDS, conditions, scale)
    x, y = [0.3, -0.2], [0.55, 0.1]
    count = 40_000
    tail = 4 / (4 * np.pi * scale**2 * 4 * (scale**2 * box.laplacian_spectrum(count)[-1]) ** 4)
    assert tail < 1e-13
    diagonal = kernel(x, x)
    assert kernel(x, y) == pytest.approx(expansion(box, s, scale, x, y, count), abs=1e-12 * diagonal)


def test_far_from_the_boundary_the_kernel_is_that_of_the_plane():
    near = BoxSobolev(2.0, [(0, 30.0), (0, 30.0)], ["neumann", "neumann"])([15.0, 15.0], [15.5, 15.2])
    free = fg.kernels.Sobolev(2.0, 2)([15.0, 15.0], [15.5, 15.2])
    assert near == pytest.approx(free, rel=1e-10)


@pytest.mark.parametrize("conditions", CONDITIONS)
def test_derivatives_against_central_differences_of_order_two(conditions):
    kernel = BoxSobolev(4.0, BOUNDS, conditions, 0.5)
    x, y = np.array([0.3, -0.2]), np.array([0.55, 0.1])
    exact = kernel.derivative((1, 0), (0, 1))(x, y)
    errors = []
    for h in (1e-2, 5e-3):
        dx, dy = np.array([h, 0]), np.array([0, h])
        difference = sum(i * j * kernel(x + i * dx, y + j * dy) for i in (1, -1) for j in (1, -1)) / (
            4 * h**2
        )
        errors.append(abs(difference - exact))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)


def test_dual_norms_of_points_agree_with_representers_on_grids():
    """The squared norm of the representer converges at the order 2s - n = 2."""
    metric, box = fg.Sobolev(2.0, 0.5), fg.Box(BOUNDS, boundary=("neumann", "dirichlet"))
    c = fg.PointEvaluation([0.3, -0.2]) - fg.PointEvaluation([0.6, 0.1])
    exact = metric.dual_norm(c, box) ** 2
    errors = []
    for n in (32, 64, 128):
        grid = box.grid(n, rule="midpoint")
        errors.append(exact - metric.norm(metric.riesz(c, grid)) ** 2)
    assert np.all(np.abs(np.log2(np.divide(errors[:-1], errors[1:])) - 2) < 0.3)


@pytest.mark.parametrize(
    ("domain", "x"),
    [(fg.Torus((2.0, 3.0)), [0.3, 0.4]), (fg.Sphere(), [0.6, 0.0, 0.8]), (fg.Euclidean(3), [0.1, 0.2, 0.3])],
    ids=str,
)
def test_dual_norms_of_points_exist_above_half_the_dimension(domain, x):
    assert fg.Sobolev(domain.dimension / 2).dual_norm(fg.PointEvaluation(x), domain) == np.inf
    metric = fg.Sobolev(2.5)
    squared = metric.dual_norm(fg.PointEvaluation(x), domain) ** 2
    assert squared == pytest.approx(metric.green_kernel(domain)(x, x), rel=1e-14)


def test_in_one_dimension_a_box_is_an_interval():
    kernel = fg.Sobolev(1.5).green_kernel(fg.Box([(0, 1)], boundary="dirichlet"))
    assert isinstance(kernel, IntervalSobolev)


def test_bad_input_gets_one_clear_error():
    with pytest.raises(InvalidInput, match="two or more pairs"):
        BoxSobolev(2.0, [(0, 1)], ["neumann"])
    with pytest.raises(InvalidInput, match="did you mean 'neumann'"):
        BoxSobolev(2.0, BOUNDS, ["neuman", "neumann"])
    with pytest.raises(InvalidInput, match="one condition for each of 2 axes"):
        BoxSobolev(2.0, BOUNDS, ["neumann"])
    with pytest.raises(DomainMismatch, match="outside the box"):
        BoxSobolev(2.0, BOUNDS, CONDITIONS[0])([0.5, 0.7], [0.5, 0.1])
    with pytest.raises(InvalidInput, match="`s` must be above"):
        BoxSobolev(1.0, BOUNDS, CONDITIONS[0])


def test_one_word_is_the_condition_of_every_axis():
    x, y = [0.5, 0.2], [0.3, 0.4]
    assert BoxSobolev(2.0, BOUNDS, "dirichlet")(x, y) == BoxSobolev(2.0, BOUNDS, ["dirichlet"] * 2)(x, y)
    assert BoxSobolev(2.0, BOUNDS)(x, y) == BoxSobolev(2.0, BOUNDS, ["neumann"] * 2)(x, y)
