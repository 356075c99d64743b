"""Grids whose interpolants are sums of the Laplacian's eigenfunctions."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import scipy.fft

from funcgrad.spaces.grid import Grid


class SpectralGrid(Grid):
    """A grid that diagonalises -Δ by a fast transform T, orthogonal in the inner product Σ w_j u_j v_j.

    Attributes
    ----------
    eigenvalues : ndarray
        Eigenvalue of -Δ of each coefficient of the transform, in the shape of the coefficients.
    """

    @abstractmethod
    def forward(self, values):
        """Return the transform's coefficients of nodal values (N, ...), further axes kept."""

    @abstractmethod
    def backward(self, coefficients):
        """Return the nodal values (N, ...) of coefficients: the inverse of `forward`."""

    def multiply(self, symbol, values):
        """Return nodal values with their coefficients multiplied by a symbol, which is as `eigenvalues` is.

        Examples
        --------
        >>> import numpy as np, funcgrad as fg
        >>> grid = fg.Torus((2 * np.pi, 2 * np.pi)).grid(16)
        >>> f = grid.function(lambda x, y: np.sin(x) * np.cos(2 * y))
        >>> minus_laplacian = grid.multiply(grid.eigenvalues, f.values)
        >>> bool(np.allclose(minus_laplacian, 5 * f.values))
        True
        """
        coefficients = self.forward(values)
        coefficients *= symbol.reshape(symbol.shape + (1,) * (coefficients.ndim - symbol.ndim))
        return self.backward(coefficients)


class LineGrid(SpectralGrid):
    """N equispaced nodes of equal weights on a one-dimensional domain.

    Attributes
    ----------
    start, length, offset : float
        Where the coordinate starts, its range, and how many steps from the start the first node lies.
    frequencies : ndarray, (K,)
        √λ of the modes of the transform, ascending.
    """

    def __init__(self, domain, n, rule, start, length, offset, frequencies):
        step = length / n
        nodes = start + step * (np.arange(n) + offset)
        super().__init__(domain, nodes.reshape(-1, 1), np.full(n, step), rule)
        self.start, self.length, self.offset = start, length, offset
        self.frequencies = frequencies
        self.eigenvalues = frequencies**2

    @abstractmethod
    def _with(self, n):
        """Return the grid of the same kind with n nodes."""

    @abstractmethod
    def _rescale(self, coefficients, n):
        """Return coefficients of this grid as they are on one of the same kind with n > N nodes."""

    @abstractmethod
    def _restrict(self, weights, grid, order):
        """See `components_at_nodes`, for a grid of the same kind with n >= N nodes."""

    def _is_refined_by(self, grid):
        """Whether a grid is of the same kind, on the same interval, and has as many nodes or more."""
        same_kind = type(grid) is type(self) and grid.domain == self.domain
        return same_kind and (grid.start, grid.length) == (self.start, self.length) and len(grid) >= len(self)

    def resample(self, values, grid):
        """See `Grid.resample`; between grids of the same kind by padding the coefficients.

        The nodes of a coarser one are among those of a multiple of it that is fine enough.
        """
        if isinstance(grid, LineGrid) and len(grid) < len(self) and grid._is_refined_by(self):
            multiple = -(-len(self) // len(grid))
            multiple += self.offset > 0 and multiple % 2 == 0  # midpoints are among those of odd multiples
            finer = grid._with(multiple * len(grid))
            values = values if len(finer) == len(self) else self.resample(values, finer)
            return values[int(multiple * self.offset) :: multiple]
        if not self._is_refined_by(grid) or len(grid) == len(self):
            return super().resample(values, grid)
        coefficients = self._rescale(self.forward(values), len(grid))
        padding = len(grid.frequencies) - len(coefficients)
        return grid.backward(np.pad(coefficients, [(0, padding)] + [(0, 0)] * (coefficients.ndim - 1)))

    def components_at_nodes(self, weights, grid, derivative=0):
        """See `Grid.components_at_nodes`; of a grid of the same kind and more nodes by its transform."""
        if not self._is_refined_by(grid):
            return super().components_at_nodes(weights, grid, derivative)
        (order,) = self.domain.multi_index(derivative)
        return self._restrict(weights, grid, order)


class FourierGrid(LineGrid):
    """Nodes jL/N on a circle; values stand for their trigonometric interpolant.

    The space is span{e^{ikωx} : |k| < N/2}, and cos(Nωx/2) as well if N is even (ω = 2π/L). The
    trapezoid rule integrates products of two of its functions exactly, but for the square of that last
    cosine, which counts twice.
    """

    kind = "periodic"

    def __init__(self, domain, n, start, length):
        frequencies = 2 * np.pi / length * np.arange(n // 2 + 1)
        super().__init__(domain, n, "trapezoid", start, length, 0.0, frequencies)

    def _with(self, n):
        return FourierGrid(self.domain, n, self.start, self.length)

    def for_slopes(self):
        """See `Grid.for_slopes`."""
        return self if len(self) % 2 else self._with(len(self) + 1)

    @property
    def signed_frequencies(self):
        """Frequencies in the order of the full complex transform, (N,)."""
        return 2 * np.pi / self.length * scipy.fft.fftfreq(len(self), 1 / len(self))

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

    def _restrict(self, weights, grid, order):
        spectrum = grid.forward(weights)[: len(self.frequencies)]
        symbol = (-1j * self.frequencies) ** order  # as in `interpolation_matrix`
        return self.backward(_along_first_axis(symbol, spectrum) * spectrum)

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`; from the Fourier series of the cardinal functions."""
        (order,) = self.domain.multi_index(derivative)
        phase = (self.domain.points(x) - self.start) * self.frequencies
        # Row k is (1/N) Σ_m (imω)^order e^{imω(x_k - x_j)} over the modes, as an inverse FFT over j.
        rows = (-1j * self.frequencies) ** order * np.exp(-1j * phase)
        return scipy.fft.irfft(rows, n=len(self), axis=1)

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`; odd derivatives of the highest cosine vanish at the nodes."""
        (order,) = self.domain.multi_index(derivative)
        symbol = (1j * self.frequencies) ** order
        if len(self) % 2 == 0 and order % 2 == 1:
            symbol[-1] = 0.0
        return self.multiply(symbol, self.values(values))


class HalfRangeGrid(LineGrid):
    """Midpoints a + (j + ½)L/N of an interval; values stand for a cosine or a sine series.

    With Neumann conditions the space is span{cos(kπ(x-a)/L) : k = 0, ..., N-1}, with Dirichlet ones
    span{sin(kπ(x-a)/L) : k = 1, ..., N}. Functions that do not satisfy the condition are approximated
    at an algebraic rate only. The midpoint rule integrates products of two functions of the space
    exactly, but for the square of the last sine, which counts twice.
    """

    def __init__(self, domain, n):
        self.kind = domain.boundary
        self._sine = domain.boundary == "dirichlet"
        frequencies = np.pi / domain.length * (np.arange(n) + self._sine)
        super().__init__(domain, n, "midpoint", domain.a, domain.length, 0.5, frequencies)

    def forward(self, values):
        """See `SpectralGrid.forward`; the orthonormal DCT-II or DST-II."""
        transform = scipy.fft.dst if self._sine else scipy.fft.dct
        return transform(values, type=2, axis=0, norm="ortho")

    def backward(self, coefficients):
        """See `SpectralGrid.backward`."""
        return _half_range_inverse(coefficients, self._sine)

    def _with(self, n):
        return HalfRangeGrid(self.domain, n)

    def _rescale(self, coefficients, n):
        coefficients = np.sqrt(n / len(self)) * coefficients
        if self._sine:
            coefficients[-1] /= np.sqrt(2)  # the highest sine counts twice on this grid only
        return coefficients

    def interpolation_matrix(self, x, derivative=0):
        """See `Grid.interpolation_matrix`."""
        (order,) = self.domain.multi_index(derivative)
        phase = (self.domain.points(x) - self.start) * self.frequencies + (order - self._sine) * (np.pi / 2)
        return self.backward((self._amplitudes * self.frequencies**order * np.cos(phase)).T).T

    @property
    def _amplitudes(self):
        """Of the modes, so that they are orthonormal on the nodes as vectors."""
        amplitudes = np.full(len(self), np.sqrt(2 / len(self)))
        amplitudes[-1 if self._sine else 0] = np.sqrt(1 / len(self))
        return amplitudes

    def _restrict(self, weights, grid, order):
        # Σ_k w_k cos(ω_m (x_k - a) + quarters π/2): a cosine or a sine transform of the weights.
        quarters = (order - self._sine) % 4
        if quarters % 2 == 0:
            sums = scipy.fft.dct(weights, type=2, axis=0) / 2  # modes 0 to n - 1; the n-th is 0 at the nodes
            sums = np.concatenate([sums, np.zeros_like(sums[:1])])
        else:
            sums = scipy.fft.dst(weights, type=2, axis=0) / 2  # modes 1 to n
            sums = np.concatenate([np.zeros_like(sums[:1]), sums])
        sums = sums[self._sine : self._sine + len(self)]
        symbol = (1, -1, -1, 1)[quarters] * self._amplitudes * self.frequencies**order
        return self.backward(_along_first_axis(symbol, sums) * sums)

    def for_slopes(self):
        """See `Grid.for_slopes`; the last sine has slope zero at the midpoints, the last cosine has not."""
        return self._with(len(self) + 1) if self._sine else self

    def of_derivatives(self, derivative):
        """See `Grid.of_derivatives`: odd derivatives of cosine series are sine series, and conversely."""
        (order,) = self.domain.multi_index(derivative)
        if order % 2 == 0:
            return self
        other = "neumann" if self._sine else "dirichlet"
        return HalfRangeGrid(replace(self.domain, boundary=other), len(self))

    def differentiate(self, values, derivative=1):
        """See `Grid.differentiate`; an odd derivative is a series of the other kind."""
        (order,) = self.domain.multi_index(derivative)
        values = self.values(values)
        symbol = (-1.0) ** (order // 2) * self.frequencies**order
        if order % 2 == 0:
            return self.multiply(symbol, values)
        # sin' = cos and cos' = -sin. The mode k sits in place k - 1 of the sines and in place k of the
        # cosines; the N-th cosine, the derivative of the last sine, vanishes at the nodes.
        symbol = _along_first_axis(symbol if self._sine else -symbol, values)
        shifted = np.roll(symbol * self.forward(values), 1 if self._sine else -1, axis=0)
        if self._sine:
            shifted[0] = 0.0
        return _half_range_inverse(shifted, not self._sine)


def _half_range_inverse(coefficients, sine):
    transform = scipy.fft.idst if sine else scipy.fft.idct
    return transform(coefficients, type=2, axis=0, norm="ortho")


def _along_first_axis(symbol, array):
    """Return a vector as it multiplies an array along its first axis."""
    return symbol.reshape(-1, *[1] * (array.ndim - 1))
