"""Drawing of functions on grids, by matplotlib, which is imported on first use."""

import numpy as np

from funcgrad.errors import InvalidInput


def draw(grid, values, ax=None, **style):
    """Draw nodal values; return the matplotlib axes.

    In one dimension as lines, one a component; in two (and on the sphere, over longitude and latitude) as
    colours with a bar; points as coloured dots.
    """
    from funcgrad.spaces.point_set import PointSet

    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(6.4, 4.4), layout="constrained").subplots()
    planar = len(grid.shape) == 2 or (isinstance(grid, PointSet) and grid.nodes.shape[1] == 2)
    if planar and values.ndim > 1:
        raise InvalidInput(f"one component at a time can be drawn in two dimensions; got {values.shape[1]}.")
    if grid.nodes.shape[1] == 1:
        style = ({"linestyle": "", "marker": "."} if isinstance(grid, PointSet) else {}) | style
        ax.plot(grid.nodes[:, 0], values, **style)
        ax.set_xlabel("x")
    elif planar and isinstance(grid, PointSet):
        _finish(ax, ax.scatter(*grid.nodes.T, c=values, **style), ("x", "y"))
    elif planar:
        (first, x), (second, y) = grid.axes
        array = values.reshape(grid.shape).T
        if first == "colatitude":
            first, x, second, y, array = "longitude", np.degrees(y), "latitude", 90 - np.degrees(x), array.T
        _finish(ax, ax.pcolormesh(x, y, array, **({"shading": "nearest"} | style)), (first, second))
    else:
        raise InvalidInput(f"functions are drawn in one and two dimensions; got {grid.domain}.")
    return ax


def _finish(ax, colours, labels):
    ax.figure.colorbar(colours, ax=ax)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
