"""Interchange with xarray, which is imported only here."""

import numpy as np

from funcgrad.errors import DomainMismatch, InvalidInput

_COMPONENT = "component"


def to_xarray(f):
    """Return a `Function` as an `xarray.DataArray`; see `Function.to_xarray`."""
    import xarray

    grid = f.grid
    names = [name for name, _ in grid.axes]
    components = f.values.shape[1:]
    return xarray.DataArray(
        f.values.reshape(*grid.shape, *components),
        dims=names + [_COMPONENT] * len(components),
        coords=dict(grid.axes),
        attrs={"domain": str(grid.domain), "rule": grid.rule},
    )


def values_from_xarray(array, grid):
    """Return the values (N,) or (N, m) of an `xarray.DataArray` whose coordinates are those of the grid.

    Raises
    ------
    InvalidInput, DomainMismatch
        If its axes are not the grid's (in any order), or its coordinates not the nodes.
    """
    names = [name for name, _ in grid.axes]
    own = [str(name) for name in array.dims]
    if sorted(own) not in (sorted(names), sorted([*names, _COMPONENT])):
        raise InvalidInput(
            f"`f` must be an array with the axes {', '.join(names)} (and {_COMPONENT}); got {', '.join(own)}."
        )
    for name, nodes in grid.axes:
        given = array.coords[name].values if name in array.coords else None
        scale = np.abs(nodes).max()
        if given is None or given.shape != nodes.shape or not np.allclose(given, nodes, atol=1e-12 * scale):
            raise DomainMismatch(
                f"the coordinates {name!r} of `f` are not the nodes of {grid!r}; "
                "interpolate the array to those first."
            )
    rest = [name for name in own if name not in names]
    return array.transpose(*names, *rest).values.reshape(len(grid), *[-1] * len(rest))
