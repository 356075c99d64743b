"""What an object must have to be checked: the contracts of users' own objects, as types.

Nothing needs to be derived from these, nor from the library's base classes.
"""

from typing import Protocol, TypeAlias, runtime_checkable

from numpy.typing import ArrayLike, NDArray

from funcgrad.functionals import Covector
from funcgrad.spaces import Domain, Function, Grid


class MetricLike(Protocol):
    """An inner product on functions with its Riesz map."""

    def inner(self, u: Function, v: Function, /) -> float:
        """Return <u, v>."""

    def norm(self, u: Function, /) -> float:
        """Return √<u, u>."""

    def flat(self, u: Function, /) -> Covector:
        """Return v ↦ <u, v>."""

    def riesz(self, c: Covector, grid: Grid, /) -> Function:
        """Return the g with <g, v> = c(v)."""

    def dual_norm(self, c: Covector, domain: Domain, /) -> float:
        """Return sup c(v) over ‖v‖ <= 1."""


@runtime_checkable
class MetricFieldLike(Protocol):
    """A metric that depends on its base point."""

    def at(self, f: Function, /) -> MetricLike:
        """Return the metric at a base point."""


class KernelLike(Protocol):
    """A reproducing kernel; a matrix-valued one has `n_components` too."""

    def __call__(self, x: NDArray, y: NDArray, /) -> ArrayLike:
        """Return k at matching points."""

    def gram(self, X: NDArray, Y: NDArray | None = None, /) -> NDArray:
        """Return k at all pairs of points."""


class FunctionalLike(Protocol):
    """A functional with its differential."""

    def __call__(self, f: Function, /) -> float:
        """Return F(f)."""

    def differential(self, f: Function, /) -> Covector:
        """Return dF at f."""


class ModelLike(Protocol):
    """A parametrised function with its Jacobian."""

    @property
    def dimension(self) -> int:
        """The number of coordinates of a point."""

    @property
    def n_parameters(self) -> int:
        """The number of parameters."""

    def __call__(self, theta: NDArray, x: NDArray, /) -> NDArray:
        """Return values (N,) or (N, m)."""

    def jacobian(self, theta: NDArray, x: NDArray, /) -> NDArray:
        """Return derivatives in the parameters, (N, p) or (N, m, p)."""


class DomainLike(Protocol):
    """A domain with its grids and the spectrum of its Laplacian."""

    @property
    def dimension(self) -> int:
        """The dimension n."""

    @property
    def volume(self) -> float:
        """The volume, which may be infinite."""

    def grid(self, n: int, /) -> Grid:
        """Return a grid of n nodes along each axis."""

    def from_unit_cube(self, u: NDArray, /) -> NDArray:
        """Return the points with coordinates (K, n) in the unit cube, if the volume is finite."""

    def laplacian_spectrum(self, count: int, /) -> NDArray:
        """Return the lowest eigenvalues of -Δ."""

    def eigenfunctions(self, count: int, x: NDArray, /) -> NDArray:
        """Return the values of its eigenfunctions, (N, count)."""


class AppliedLike(Protocol):
    """A linear operator on nodal values."""

    def apply(self, values: NDArray, /) -> NDArray:
        """Return the operator applied to values."""


class PairLike(Protocol):
    """A difference operator and quadrature weights that sum by parts."""

    @property
    def weights(self) -> NDArray:
        """The quadrature weights."""

    def first_derivative(self, axis: int = 0, /) -> AppliedLike:
        """Return the derivative along an axis."""


class EigenbasisLike(Protocol):
    """A transform to coefficients in eigenfunctions, and back."""

    @property
    def eigenvalues(self) -> NDArray:
        """The eigenvalues of -Δ."""

    def forward(self, values: NDArray, /) -> NDArray:
        """Return coefficients."""

    def backward(self, coefficients: NDArray, /) -> NDArray:
        """Return values."""


Operator: TypeAlias = AppliedLike | PairLike | EigenbasisLike
