"""Equispaced grids whose interpolants are sums of the Laplacian's eigenfunctions."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import scipy.fft

from funcgrad._checks import whole_number
from funcgrad.spaces.grid import Grid


class SpectralGrid(Grid):
    """A grid of N equispaced nodes with weights length/N, diagonalising -Δ by a fast transform.

    Attributes
    ----------
    frequencies : ndarray, (K,)
        √λ of the modes of the transform, ascending.
    """

    @abstractmethod
    def forward(self, values):
        """Return the transform's coefficients (K, ...) of nodal values (N, ...)."""

    @abstractmethod
    def backward(self, coefficients):
        """Return the nodal values (N, ...) of coefficients (K, ...): the inverse of `forward`."""

    def multiply(self, symbol, values):
        """Return nodal values with their coefficients multiplied by a real symbol (K,)."""
        return self.backward(symbol.reshape(-1, *[1] * (np.ndim(values) - 1)) * self.forward(values))

    @abstractmethod
    def _rescale(self, coefficients, n):
        """Return coefficients of this grid as they are on one of the same kind with n > N nodes."""

    def resample(self, values, grid):
        """See `Grid.resample`; to a finer grid of the same kind by padding the coefficients."""
        if type(grid) is not type(self) or grid.domain != self.domain or len(grid) <= len(self):
            return super().resample(values, grid)
        coefficients = self._rescale(self.forward(values), len(grid))
        padding = len(grid.frequencies) - len(coefficients)
        return grid.backward(np.pad(coefficients, [(0, padding)] + [(0, 0)] * (coefficients.ndim - 1)))


class FourierGrid(SpectralGrid):
    """Nodes jL/N on a circle; values stand for their trigonometric interpolant.

    The space is span{e^{ikωx} : |k| < N/2}, and cos(Nωx/2) as well if N is even (ω = 2π/L). The
    trapezoid rule integrates products of two of its functions exactly, but for the square of that last
    cosine, which counts twice.
    """

    def __init__(self, domain, n):
        step = domain.length / n
        super().__init__(domain, (step * np.arange(n)).reshape(-1, 1), np.full(n, step), "trapezoid")
        self.frequencies = 2 * np.pi / domain.length * np.arange(n // 2 + 1)

    def forward(self, values):
        """See `SpectralGrid.forward`; `scipy.fft.rfft`."""
        return scipy.fft.rfft(values, axis=0)

    def backward(self, coefficients):
        """See `SpectralGrid.backward`."""
        return scipy.fft.irfft(coefficients, n=len(self), axis=0)

    def _rescale(self, coefficients, n):
        coefficients = n / len(self) * coefficients
        if len(self) % 2 == 0:
            coefficients[-1] /= 2  # the highest cosine is two waves on a finer grid
        return coefficients

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; from the Fourier series of the cardinal functions."""
        order = whole_number(derivative, "derivative")
        phase = self.domain.points(x) * self.frequencies
        # Row k is (1/N) Σ_m (imω)^order e^{imω(x_k - x_j)} over the modes, as an inverse FFT over j.
        rows = (-1j * self.frequencies) ** order * np.exp(-1j * phase)
        return scipy.fft.irfft(rows, n=len(self), axis=1)

    def differentiate(self, values, order=1):
        """See `Grid.differentiate`; odd derivatives of the highest cosine vanish at the nodes."""
        order = whole_number(order, "order")
        symbol = (1j * self.frequencies) ** order
        if len(self) % 2 == 0 and order % 2 == 1:
            symbol[-1] = 0.0
        return self.multiply(symbol, self.values(values))


class HalfRangeGrid(SpectralGrid):
    """Midpoints a + (j + ½)L/N of an interval; values stand for a cosine or a sine series.

    With Neumann conditions the space is span{cos(kπ(x-a)/L) : k = 0, ..., N-1}, with Dirichlet ones
    span{sin(kπ(x-a)/L) : k = 1, ..., N}. Functions that do not satisfy the condition are approximated
    at an algebraic rate only. The midpoint rule integrates products of two functions of the space
    exactly, but for the square of the last sine, which counts twice.
    """

    def __init__(self, domain, n):
        step = domain.length / n
        nodes = domain.a + step * (np.arange(n) + 0.5)
        super().__init__(domain, nodes.reshape(-1, 1), np.full(n, step), "midpoint")
        self._sine = domain.boundary == "dirichlet"
        self.frequencies = np.pi / domain.length * (np.arange(n) + self._sine)

    def forward(self, values):
        """See `SpectralGrid.forward`; the orthonormal DCT-II or DST-II."""
        transform = scipy.fft.dst if self._sine else scipy.fft.dct
        return transform(values, type=2, axis=0, norm="ortho")

    def backward(self, coefficients):
        """See `SpectralGrid.backward`."""
        transform = scipy.fft.idst if self._sine else scipy.fft.idct
        return transform(coefficients, type=2, axis=0, norm="ortho")

    def _rescale(self, coefficients, n):
        coefficients = np.sqrt(n / len(self)) * coefficients
        if self._sine:
            coefficients[-1] /= np.sqrt(2)  # the highest sine counts twice on this grid only
        return coefficients

    def _modes(self, x, derivative):
        """Derivatives of the modes at x, (K, N), scaled to be orthonormal on the nodes as vectors."""
        n = len(self)
        order = whole_number(derivative, "derivative")
        phase = (x - self.domain.a) * self.frequencies + (order - self._sine) * (np.pi / 2)
        amplitude = np.full(n, np.sqrt(2 / n))
        amplitude[-1 if self._sine else 0] = np.sqrt(1 / n)
        return amplitude * self.frequencies**order * np.cos(phase)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`."""
        return self.backward(self._modes(self.domain.points(x), derivative).T).T

    def of_derivatives(self, order):
        """See `Grid.of_derivatives`: odd derivatives of cosine series are sine series, and conversely."""
        if order % 2 == 0:
            return self
        other = "neumann" if self._sine else "dirichlet"
        return HalfRangeGrid(replace(self.domain, boundary=other), len(self))

    def differentiate(self, values, order=1):
        """See `Grid.differentiate`."""
        return self._modes(self.nodes, order) @ self.forward(self.values(values))
