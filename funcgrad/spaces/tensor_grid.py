"""Tensor products of one-dimensional grids."""

import dataclasses
import functools

import numpy as np
import scipy.fft

from funcgrad.spaces.grid import Grid, along_axis
from funcgrad.spaces.quadrature import tensor_product
from funcgrad.spaces.spectral_grid import LineGrid, SpectralGrid

_AXIS_NAMES = "xyz"


def tensor_grid(domain, factors):
    """Return the tensor product of one-dimensional grids: spectral if each of them is."""
    spectral = all(isinstance(factor, LineGrid) for factor in factors)
    return (SpectralTensorGrid if spectral else TensorGrid)(domain, factors)


class TensorGrid(Grid):
    """The product of n one-dimensional grids; values stand for sums of products of the factors' functions.

    Values are flat, (N,) or (N, m) with N the product of the sizes, in C order: the last axis runs
    fastest. Everything is done axis by axis, without N x N matrices.

    Parameters
    ----------
    domain : Domain
    factors : sequence of Grid, (n,)

    Examples
    --------
    >>> import funcgrad as fg
    >>> grid = fg.Box([(0, 1), (0, 2)]).grid((4, 6))
    >>> grid.shape, grid.nodes.shape
    ((4, 6), (24, 2))
    >>> f = grid.function(lambda x, y: x**3 * y)
    >>> round(f.derivative((2, 1))([0.5, 0.1]), 12)         # ∂_x² ∂_y
    3.0
    """

    def __init__(self, domain, factors):
        self.factors = tuple(factors)
        nodes, weights = tensor_product([(factor.nodes[:, 0], factor.weights) for factor in self.factors])
        rules = [factor.rule for factor in self.factors]
        rule = rules[0] if len(set(rules)) == 1 else " x ".join(rules)
        super().__init__(domain, nodes, weights, rule, tuple(len(factor) for factor in self.factors))

    @property
    def _key(self):
        return self.domain, self.factors

    @property
    def axes(self):
        """See `Grid.axes`; x, y, z, in more dimensions x1, x2, ..."""
        n = len(self.factors)
        names = _AXIS_NAMES[:n] if n <= 3 else [f"x{i + 1}" for i in range(n)]
        return tuple((name, factor.nodes[:, 0]) for name, factor in zip(names, self.factors, strict=True))

    def _matrices(self, x, derivative):
        """The factors' interpolation matrices at the coordinates of points, each (K, n_i)."""
        orders = self.domain.multi_index(derivative)
        axes = zip(self.factors, x.T, orders, strict=True)
        return [factor.interpolation_matrix(coordinates, order) for factor, coordinates, order in axes]

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; products of the factors' entries. `evaluate` needs less memory."""
        x = self.domain.points(x)
        return functools.reduce(_row_products, self._matrices(x, derivative))

    def evaluate(self, values, x, derivative=0):
        """See `Grid.evaluate`; the axes are contracted one after the other."""
        x, values = self.domain.points(x), np.asarray(values)
        result = np.empty((len(x), *values.shape[1:]))
        for block in self.blocks(len(x)):
            first, *others = self._matrices(x[block], derivative)
            partial = first @ values.reshape(self.shape[0], -1)
            for matrix in others:
                partial = np.einsum("kj,kjr->kr", matrix, partial.reshape(*matrix.shape, -1))
            result[block] = partial.reshape(-1, *values.shape[1:])
        return result

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`."""
        result = self.values(values)
        for axis, order in enumerate(self.domain.multi_index(derivative)):
            if order > 0:
                step = functools.partial(self.factors[axis].differentiate, derivative=order)
                result = along_axis(step, result, self.shape, axis)
        return result

    def of_derivatives(self, derivative):
        """See `Grid.of_derivatives`; axis by axis."""
        orders = self.domain.multi_index(derivative)
        factors = [factor.of_derivatives(order) for factor, order in zip(self.factors, orders, strict=True)]
        if factors == list(self.factors):
            return self
        boundary = tuple(factor.domain.boundary for factor in factors)
        return tensor_grid(dataclasses.replace(self.domain, boundary=boundary), factors)

    def for_slopes(self):
        """See `Grid.for_slopes`; axis by axis."""
        factors = [factor.for_slopes() for factor in self.factors]
        return self if factors == list(self.factors) else tensor_grid(self.domain, factors)

    def resample(self, values, grid):
        """See `Grid.resample`; between tensor grids axis by axis."""
        if not isinstance(grid, TensorGrid) or grid.domain != self.domain:
            return super().resample(values, grid)
        shape = list(self.shape)
        for axis, (factor, target) in enumerate(zip(self.factors, grid.factors, strict=True)):
            if factor != target:
                step = functools.partial(factor.resample, grid=target)
                values = along_axis(step, values, shape, axis)
                shape[axis] = len(target)
        return values

    def components_at_nodes(self, weights, grid, derivative=0):
        """See `Grid.components_at_nodes`; at those of tensor grids axis by axis."""
        if not isinstance(grid, TensorGrid):
            return super().components_at_nodes(weights, grid, derivative)
        shape, orders = list(grid.shape), self.domain.multi_index(derivative)
        for axis, (own, other, order) in enumerate(zip(self.factors, grid.factors, orders, strict=True)):
            if own != other or order > 0:
                step = functools.partial(own.components_at_nodes, grid=other, derivative=order)
                weights = along_axis(step, weights, shape, axis)
                shape[axis] = len(own)
        return weights

    def common_refinement(self, grid):
        """See `Grid.common_refinement`."""
        if not isinstance(grid, TensorGrid):
            return super().common_refinement(grid)
        pairs = zip(self.factors, grid.factors, strict=True)
        factors = tuple(own.common_refinement(other) for own, other in pairs)
        known = {self.factors: self, grid.factors: grid}
        return known[factors] if factors in known else tensor_grid(self.domain, factors)


class SpectralTensorGrid(TensorGrid, SpectralGrid):
    """A tensor product of equispaced spectral grids, diagonalising -Δ by n-dimensional fast transforms.

    Cosine and sine transforms along the axes that are not periodic, then one real Fourier transform along
    those that are, all by `scipy.fft`, whose workers and backend may be set by the user.
    """

    def __init__(self, domain, factors):
        super().__init__(domain, factors)
        kinds = [factor.kind for factor in self.factors]
        self._axes = {
            kind: [axis for axis, own in enumerate(kinds) if own == kind]
            for kind in ("neumann", "dirichlet", "periodic")
        }
        self.eigenvalues = functools.reduce(np.add.outer, map(self._axis_eigenvalues, range(len(kinds))))

    def _axis_eigenvalues(self, axis):
        factor, periodic = self.factors[axis], self._axes["periodic"]
        # The real transform halves the last periodic axis only.
        if axis in periodic and axis != periodic[-1]:
            return factor.signed_frequencies**2
        return factor.eigenvalues

    def forward(self, values):
        """See `SpectralGrid.forward`; the coefficients have an axis for each axis of the grid."""
        array = np.reshape(values, (*self.shape, *np.shape(values)[1:]))
        if axes := self._axes["neumann"]:
            array = scipy.fft.dctn(array, type=2, axes=axes, norm="ortho")
        if axes := self._axes["dirichlet"]:
            array = scipy.fft.dstn(array, type=2, axes=axes, norm="ortho")
        if axes := self._axes["periodic"]:
            array = scipy.fft.rfftn(array, axes=axes)
        return array

    def backward(self, coefficients):
        """See `SpectralGrid.backward`."""
        array = coefficients
        if axes := self._axes["periodic"]:
            array = scipy.fft.irfftn(array, s=[self.shape[axis] for axis in axes], axes=axes)
        if axes := self._axes["dirichlet"]:
            array = scipy.fft.idstn(array, type=2, axes=axes, norm="ortho")
        if axes := self._axes["neumann"]:
            array = scipy.fft.idctn(array, type=2, axes=axes, norm="ortho")
        return array.reshape(len(self), *array.shape[len(self.shape) :])


def _row_products(a, b):
    """(K, p) and (K, q) to (K, pq): the tensor product of each pair of rows."""
    return np.einsum("kp,kq->kpq", a, b).reshape(len(a), -1)
