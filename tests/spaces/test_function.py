"""Functions in several dimensions: evaluation, vector values, arithmetic, xarray, drawing, sets of points."""

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

import funcgrad as fg
from funcgrad.errors import DomainMismatch, InvalidInput

box = fg.Box([(0, 1), (0, 2)])
GRIDS = [
    fg.Interval(0, 1).grid(5),
    box.grid((4, 6)),
    box.grid((4, 6), "midpoint"),
    fg.Torus((1, 2, 3)).grid((3, 4, 5)),
    fg.Sphere().grid(5),
    fg.Euclidean(2).grid(4),
    box.sobol_points(8, seed=0),
]


def test_a_single_point_gives_a_number_and_points_an_array():
    f = box.grid((4, 5)).function(lambda x, y: x * y)
    assert f([0.5, 1.5]) == pytest.approx(0.75)
    assert isinstance(f([0.5, 1.5]), float)
    assert f([[0.5, 1.5]]).shape == (1,)
    g = box.grid((4, 5)).function(lambda x, y: np.stack([x, y, x * y], axis=1))
    np.testing.assert_allclose(g([0.5, 1.5]), [0.5, 1.5, 0.75])
    assert g(np.zeros((7, 2))).shape == (7, 3)
    np.testing.assert_allclose(g.derivative((1, 1))([0.5, 1.5]), [0, 0, 1], atol=1e-12)


def test_integral_of_each_component():
    g = box.grid((4, 5)).function(lambda x, y: np.stack([x, y, x * y], axis=1))
    np.testing.assert_allclose(g.integral(), [1, 2, 1], rtol=1e-14)


def test_functions_of_different_tensor_shapes_are_not_added():
    with pytest.raises(DomainMismatch, match="different grids"):
        box.grid((4, 6)).function(np.ones(24)) + box.grid((6, 4)).function(np.ones(24))


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@pytest.mark.parametrize("components", [(), (2,)])
def test_xarray_and_back_is_the_identity(grid, components):
    f = grid.function(np.random.default_rng(0).normal(size=(len(grid), *components)))
    array = f.to_xarray()
    assert isinstance(array, xarray.DataArray)
    assert array.shape == (*grid.shape, *components)
    np.testing.assert_array_equal(grid.function(array).values, f.values)
    np.testing.assert_array_equal(grid.function(array.transpose()).values, f.values)


def test_xarray_axes_are_the_coordinates():
    grid = box.grid((4, 6))
    array = grid.function(lambda x, y: 10 * x + y).to_xarray()
    np.testing.assert_allclose(array.values, (10 * array.x + array.y).values)
    with pytest.raises(DomainMismatch, match="coordinates 'x' of `f` are not the nodes"):
        grid.function(array.assign_coords(x=array.x + 0.1))
    with pytest.raises(InvalidInput, match="axes x, y"):
        grid.function(array.rename(x="u"))
    with pytest.raises(DomainMismatch, match="coordinates"):
        grid.function(array.isel(x=slice(2)))


@pytest.mark.parametrize("grid", [grid for grid in GRIDS if grid.domain.dimension < 3], ids=repr)
def test_plot_draws_the_values(grid):
    f = grid.function(np.random.default_rng(0).normal(size=len(grid)))
    ax = f.plot()
    if grid.nodes.shape[1] == 1:
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), f.values)
    else:
        drawn = np.asarray(ax.collections[0].get_array()).ravel()
        np.testing.assert_array_equal(np.sort(drawn), np.sort(f.values))
    own = Figure().subplots()
    assert f.plot(own) is own


def test_plot_of_the_sphere_has_north_on_top_and_east_to_the_right():
    f = fg.Sphere().grid(6).function(lambda x, y, z: z)
    ax = f.plot()
    mesh = ax.collections[0]
    latitudes = mesh.get_coordinates()[:, 0, 1]
    values = np.asarray(mesh.get_array()).reshape(6, 12)
    assert latitudes[0] > latitudes[-1]
    assert values[0, 0] > values[-1, 0]
    assert ax.get_ylabel() == "latitude"


def test_plot_refuses_three_dimensions_and_several_components():
    with pytest.raises(InvalidInput, match="one and two dimensions"):
        GRIDS[3].function(np.ones(60)).plot()
    with pytest.raises(InvalidInput, match="one component at a time"):
        box.grid(3).function(np.ones((9, 2))).plot()


def test_a_set_of_points_integrates_its_measure_and_has_nothing_between():
    x = np.array([[0.1, 0.2], [0.5, 1.0], [0.9, 1.9]])
    data = fg.PointSet(box, x)
    f = data.function(lambda x, y: x + y)
    assert f.integral() == pytest.approx(f.values.mean())
    assert fg.L2().norm(f) ** 2 == pytest.approx((f.values**2).mean())
    for ask in (lambda: f([0.3, 0.3]), lambda: f.derivative((1, 0)), lambda: box.grid(3).function(f)):
        with pytest.raises(InvalidInput, match="Take a grid of the domain"):
            ask()
    onto = data.function(box.grid(3).function(lambda x, y: x * y))  # a grid's function at the points
    np.testing.assert_allclose(onto.values, x.prod(axis=1))


def test_sets_of_points_are_equal_if_points_and_weights_are():
    x = [[0.1, 0.2], [0.5, 1.0]]
    assert fg.PointSet(box, x) == fg.PointSet(box, x)
    assert hash(fg.PointSet(box, x)) == hash(fg.PointSet(box, x))
    assert fg.PointSet(box, x) != fg.PointSet(box, x[::-1])
    assert fg.PointSet(box, x) != fg.PointSet(box, x, [1.0, 2.0])


@pytest.mark.parametrize(
    ("x", "weights", "error", "message"),
    [
        (np.zeros((0, 2)), None, InvalidInput, "at least one point"),
        ([[0.1, 3.0]], None, DomainMismatch, "`points` has the point"),
        ([[0.1, 1.0]], [1.0, 2.0], InvalidInput, "`weights` must be 1 positive"),
        ([[0.1, 1.0]], [-1.0], InvalidInput, "`weights` must be 1 positive"),
        ([[0.1, np.nan]], None, InvalidInput, "`points` must be finite"),
    ],
)
def test_bad_sets_of_points(x, weights, error, message):
    with pytest.raises(error, match=message):
        fg.PointSet(box, x, weights)


def test_sobol_points_converge_faster_than_random_ones():
    """For smooth integrands the root mean square over scramblings falls nearly like n^{-3/2} (Owen 1998)."""

    def error(n):
        errors = []
        for seed in range(16):
            points = fg.Sphere().sobol_points(n, seed)
            errors.append(points.integrate(np.exp(points.nodes[:, 0])) - 4 * np.pi * np.sinh(1))
        return np.sqrt(np.mean(np.square(errors)))

    order = np.log2(error(2**6) / error(2**12)) / 6
    assert 1.2 < order < 1.9
