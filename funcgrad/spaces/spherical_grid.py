"""The Gauss-Legendre grid of the sphere and the spherical harmonic transform."""

import numpy as np
import scipy.fft

from funcgrad.spaces.quadrature import gauss_legendre
from funcgrad.spaces.spectral_grid import SpectralGrid
from funcgrad.spaces.spherical_harmonics import degrees, derivative_matrix, legendre_table, real_harmonics


class SphericalGrid(SpectralGrid):
    """n Gauss-Legendre latitudes times 2n longitudes; its functions are polynomials of degree n - 1.

    There are 2n² nodes for n² harmonics, so values stand for their orthogonal projection in the grid's
    inner product (hyperinterpolation, Sloan 1995), which keeps those of a polynomial of degree n - 1.
    Products of two of those are integrated exactly. Transforms cost O(n³): FFTs along the latitudes and
    products with Legendre matrices for each wave number.

    Values are in the order of `shape` (n, 2n): colatitude ascending (from north), then longitude.
    """

    def __init__(self, domain, n):
        z, weights = gauss_legendre(n)
        z, weights = z[::-1], weights[::-1]
        sine = np.sqrt((1 - z) * (1 + z))
        self._longitude = np.pi / n * np.arange(2 * n)
        circle = np.stack([np.cos(self._longitude), np.sin(self._longitude)], axis=1)
        nodes = np.concatenate(
            [sine[:, None, None] * circle, np.broadcast_to(z[:, None, None], (n, 2 * n, 1))], 2
        )
        super().__init__(
            domain, nodes.reshape(-1, 3), np.repeat(np.pi / n * weights, 2 * n), "gauss-legendre", (n, 2 * n)
        )
        self.degree = n - 1
        l, self._order = degrees(self.degree)
        self.eigenvalues = l * (l + 1.0)
        table = legendre_table(self.degree, z, sine)
        self._legendre = [table[m:, m].copy() for m in range(n)]

    @property
    def axes(self):
        """See `Grid.axes`; colatitude and longitude in radians."""
        z = self.nodes[:: self.shape[1], 2]
        return (("colatitude", np.arccos(z)), ("longitude", self._longitude))

    def _coefficients_of(self, m):
        """Where the coefficients of cos(mφ) and of sin(mφ) are, for l = m, ..., degree."""
        l = np.arange(m, self.degree + 1)
        return l**2 + l + m, l**2 + l - m

    def forward(self, values):
        """See `SpectralGrid.forward`; coefficients of the orthonormal real harmonics, in their order."""
        values = np.asarray(values)
        array = (self.weights.reshape(-1, *[1] * (values.ndim - 1)) * values).reshape(*self.shape, -1)
        waves = np.sqrt(2) * scipy.fft.rfft(array, axis=1)
        coefficients = np.empty((len(self.eigenvalues), waves.shape[2]))
        for m, legendre in enumerate(self._legendre):
            cosine, sine = self._coefficients_of(m)
            coefficients[sine] = legendre @ -waves[:, m].imag
            coefficients[cosine] = legendre @ waves[:, m].real
        coefficients[self._order == 0] /= np.sqrt(2)
        return coefficients.reshape(-1, *values.shape[1:])

    def backward(self, coefficients):
        """See `SpectralGrid.backward`."""
        flat = coefficients.reshape(len(coefficients), -1)
        n_latitudes, n_longitudes = self.shape
        waves = np.zeros((n_latitudes, n_latitudes + 1, flat.shape[1]), dtype=complex)
        for m, legendre in enumerate(self._legendre):
            cosine, sine = self._coefficients_of(m)
            waves[:, m].real = legendre.T @ flat[cosine]
            waves[:, m].imag = legendre.T @ -flat[sine] if m > 0 else 0.0
        waves[:, 0] *= np.sqrt(2)
        values = scipy.fft.irfft(n_longitudes / np.sqrt(2) * waves, n=n_longitudes, axis=1)
        return values.reshape(-1, *coefficients.shape[1:])

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; row k is the polynomial that reproduces evaluation at x_k."""
        modes = self.domain.eigenfunctions(len(self.eigenvalues), x, derivative)
        return self.weights * self.backward(modes.T).T

    def components(self, x, weights, derivative=0):
        """See `Grid.components`."""
        x, total = self.domain.points(x), 0.0
        for block in self.blocks(len(x)):
            modes = self.domain.eigenfunctions(len(self.eigenvalues), x[block], derivative)
            total = total + modes.T @ weights[block]
        return self.weights.reshape(-1, *[1] * (weights.ndim - 1)) * self.backward(total)

    def evaluate(self, values, x, derivative=0):
        """See `Grid.evaluate`."""
        x, orders = self.domain.points(x), self.domain.multi_index(derivative)
        coefficients = derivative_matrix(self.degree, orders) @ self.forward(values)
        result = np.empty((len(x), *np.shape(values)[1:]))
        for block in self.blocks(len(x)):
            result[block] = real_harmonics(self.degree + sum(orders), x[block]) @ coefficients
        return result

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`."""
        return self.evaluate(self.values(values), self.nodes, derivative)

    def resample(self, values, grid):
        """See `Grid.resample`; to a finer spherical grid by its transform."""
        if not isinstance(grid, SphericalGrid) or len(grid) < len(self):
            return super().resample(values, grid)
        coefficients = self.forward(values)
        padding = len(grid.eigenvalues) - len(coefficients)
        return grid.backward(np.pad(coefficients, [(0, padding)] + [(0, 0)] * (coefficients.ndim - 1)))
