"""The reproducing kernels of the Sobolev spaces on R^n, and the same functions as Matérn covariances."""

from functools import cached_property, lru_cache
from math import ceil, exp, gamma, lgamma, pi, sqrt

from funcgrad._checks import finite_number, positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import described
from funcgrad.kernels.bessel import (
    matern_function,
    matern_lowering_constant,
    matern_radial_derivative,
    scaled_matern_function,
)
from funcgrad.kernels.radial import RadialKernel
from funcgrad.kernels.table import dyadic_table


class _MaternKernel(RadialKernel):
    """A h_ν(|x - y| / scale)."""

    @cached_property
    def _shape(self):
        return _fast_shape(self.nu)

    def _profile(self, z):
        return matern_function(self.nu, z)

    def _radial(self, z, order, power):
        return matern_radial_derivative(self.nu, order, power, z)

    def _compiled_radial(self, order):
        if order >= self.nu:
            return 1.0, None
        return matern_lowering_constant(self.nu, order), _fast_shape(self.nu - order)


class Sobolev(_MaternKernel):
    """The reproducing kernel of H^s(R^n): the Green function of (1 - ℓ²Δ)^s.

    Parameters
    ----------
    s : float
        The order, any real number above n/2.
    dimension : int
        n, the number of coordinates of a point.
    length_scale : float
        ℓ.

    Raises
    ------
    InvalidInput
        If `s` is not above n/2: point evaluation is then unbounded and there is no kernel.

    Notes
    -----
    k(x, y) = ℓ^{-n} 2^{1-s} / ((2π)^{n/2} Γ(s)) z^ν K_ν(z), z = |x - y|/ℓ, ν = s - n/2, with K_ν the
    modified Bessel function (N. Aronszajn and K. T. Smith, *Theory of Bessel potentials* I, 1961); on the
    diagonal Γ(ν) / ((4π)^{n/2} Γ(s) ℓ^n). Derivatives exist below the order 2s - n.

    Examples
    --------
    >>> from funcgrad.kernels import Sobolev
    >>> k = Sobolev(1.0, dimension=1)            # exp(-|x - y|) / 2
    >>> round(k(0.0, 1.0), 12)
    0.18393972058...
    """

    def __init__(self, s, dimension, length_scale=1.0):
        self.s = finite_number(s, "s")
        self.dimension = whole_number(dimension, "dimension", least=1)
        self.scale = self.length_scale = positive_number(length_scale, "length_scale")
        self.nu = self.s - 0.5 * self.dimension
        if self.nu <= 0.0:
            raise InvalidInput(
                f"`s` must be above dimension/2 = {self.dimension / 2:g}, else point evaluation is "
                f"unbounded; got {self.s:g}."
            )
        self.smoothness = 2.0 * self.nu
        self.amplitude = _gamma_ratio(self.nu, self.s) / (sqrt(4.0 * pi) * self.scale) ** self.dimension

    def __repr__(self):
        return f"Sobolev({self.s:g}, dimension={self.dimension}, length_scale={self.length_scale:g})"


class Matern(_MaternKernel):
    """The Matérn covariance: a Sobolev kernel normalised to 1 on the diagonal.

    Parameters
    ----------
    nu : float
        The smoothness ν > 0; samples have derivatives below order ν, the kernel below order 2ν.
    length_scale : float
        ℓ; the kernel is h_ν(√(2ν) |x - y| / ℓ), h_ν(z) = 2^{1-ν} z^ν K_ν(z) / Γ(ν).

    Notes
    -----
    Takes points of any dimension n, where it is a multiple of `Sobolev` with s = ν + n/2 and length scale
    ℓ/√(2ν) (M. L. Stein, *Interpolation of Spatial Data*, 1999). ν = 1/2, 3/2, 5/2 have fast forms.

    Examples
    --------
    >>> from funcgrad.kernels import Matern
    >>> Matern(1.5).gram([0.0, 1.0]).round(6)
    array([[1.      , 0.483358],
           [0.483358, 1.      ]])
    """

    def __init__(self, nu, length_scale=1.0):
        self.nu = positive_number(nu, "nu")
        self.length_scale = positive_number(length_scale, "length_scale")
        self.scale = self.length_scale / sqrt(2.0 * self.nu)
        self.smoothness = 2.0 * self.nu

    def __repr__(self):
        return f"Matern({described(self.nu)}, length_scale={self.length_scale:g})"


@lru_cache(maxsize=16)
def _fast_shape(nu):
    """Return the compiled loops' form of h_ν: exponential polynomial, table, None if that is huge.

    The table starts where h_ν is 1 to rounding: 1 - h_ν is of size z^{2ν} for ν < 1, z² (log z) beyond. Its
    pieces are so short that e^z h_ν, which varies like z^{ν-1/2}, is met to rounding.
    """
    half_integers = {0.5: (0.0, 0.0), 1.5: (1.0, 0.0), 2.5: (1.0, 1.0 / 3.0)}
    if nu in half_integers:
        return "exponential", *half_integers[nu]
    lowest = -ceil(28.0 / min(nu, 1.0)) - 6
    if lowest < -1000 or nu > 20.0:
        return None
    piece_bits = 7 + (nu > 5.0) + (nu > 10.0)
    return dyadic_table(lambda z: scaled_matern_function(nu, z), lowest, 10, piece_bits, 1.0)


def _gamma_ratio(a, b):
    """Return Γ(a)/Γ(b)."""
    return gamma(a) / gamma(b) if max(a, b) < 170.0 else exp(lgamma(a) - lgamma(b))
