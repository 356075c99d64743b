"""The reproducing kernel of spectral H^s on an interval, by images on a circle of twice its length."""

from functools import cached_property

import numpy as np

from funcgrad._checks import finite_number, one_of
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.fused import Profile, fused_gram, fused_product, worth_fusing
from funcgrad.kernels.periodic import PeriodicSobolev, compiled_profile, periodised


class IntervalSobolev(Kernel):
    """The reproducing kernel of H^s on (a, b): the Green function of (1 - ℓ²Δ)^s under a boundary condition.

    Parameters
    ----------
    s : float
        The order, any real number above 1/2; the power is taken on the Laplacian's eigenfunctions.
    a, b : float
        The ends, a < b.
    boundary : {"neumann", "dirichlet"}
        The boundary condition.
    length_scale : float
        ℓ.

    Raises
    ------
    DomainMismatch
        When it is evaluated at a point outside [a, b].

    Notes
    -----
    Reflection at the ends (method of images): with P the kernel of the circle of length 2(b - a),
    k(x, y) = P(x - y) ± P(x + y - 2a), plus for Neumann, minus for Dirichlet. For s = 1 on (0, 1), ℓ = 1:
    cosh(min) cosh(1 - max) / sinh 1 and sinh(min) sinh(1 - max) / sinh 1, which is the form used, since
    it keeps its relative accuracy where a Dirichlet kernel tends to 0.

    Examples
    --------
    >>> from funcgrad.kernels import IntervalSobolev
    >>> k = IntervalSobolev(1.0, 0.0, 1.0, boundary="dirichlet")
    >>> k(0.0, 0.5), round(k(0.5, 0.5), 12)
    (0.0, 0.23105857863)
    """

    dimension = 1

    def __init__(self, s, a, b, boundary="neumann", length_scale=1.0):
        self.a, self.b = finite_number(a, "a"), finite_number(b, "b")
        if not self.a < self.b:
            raise InvalidInput(f"`a` must be below `b`; got {self.a:g} and {self.b:g}.")
        self.boundary = one_of(boundary, ("neumann", "dirichlet"), "boundary")
        circle = PeriodicSobolev(s, 2.0 * (self.b - self.a), length_scale)
        self.s, self.length_scale, self.smoothness = circle.s, circle.length_scale, circle.smoothness
        self._sign = 1.0 if boundary == "neumann" else -1.0
        # Reflection takes the circle's mean off again: where that is nearly all, it is left out at once.
        self._mean = boundary == "neumann" or circle.length > 12.0 * self.length_scale
        self._values = periodised(self.s, circle.length, self.length_scale, 0, self._mean)

    def __repr__(self):
        return (
            f"IntervalSobolev({self.s:g}, {self.a:g}, {self.b:g}, boundary={self.boundary!r}, "
            f"length_scale={self.length_scale:g})"
        )

    def _points(self, x, name):
        return points_in_interval(super()._points(x, name), self.a, self.b, name)

    def _evaluate(self, x, y):
        if self.s == 1.0:
            return self._first_order(x[..., 0], y[..., 0])
        x, y = x[..., 0] - self.a, y[..., 0] - self.a
        return self._values(x - y) + self._sign * self._values(x + y)

    def _first_order(self, x, y):
        """Return c(min) c(L - max) / (ℓ sinh L), c = cosh or sinh, written without overflow."""
        left, right = self._ends(np.minimum(x, y))[0], self._ends(np.maximum(x, y))[1]
        return self._first_order_amplitude * left * right * np.exp(-np.abs(x - y) / self.length_scale)

    def _ends(self, x):
        """Return 1 ± e^{-2(x-a)/ℓ} and 1 ± e^{-2(b-x)/ℓ}."""
        distances = (x - self.a, self.b - x)
        if self.boundary == "neumann":
            return [1.0 + np.exp(-2.0 * d / self.length_scale) for d in distances]
        return [-np.expm1(-2.0 * d / self.length_scale) for d in distances]

    @property
    def _first_order_amplitude(self):
        return -0.5 / (self.length_scale * np.expm1(-2.0 * (self.b - self.a) / self.length_scale))

    @cached_property
    def _profile(self):
        if self.s == 1.0:
            return Profile(self._first_order_amplitude, 1.0, ("first order",))
        circle = 2.0 * (self.b - self.a)
        reflections = ((-1.0, 1.0), (1.0, self._sign))
        return compiled_profile(self.s, circle, self.length_scale, reflections, self._mean)

    def _compiled_points(self, X, Y):
        """Return the points as the compiled loops take them, one array if they are one."""
        x = X - self.a
        if self.s == 1.0:
            x = np.stack([x[:, 0] / self.length_scale, *self._ends(X[:, 0])], axis=1)
        return (x, x) if Y is X else (x, self._compiled_points(Y, Y)[0])

    def _gram(self, X, Y):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_gram(self._profile, *self._compiled_points(X, Y))
        return super()._gram(X, Y)

    def _product(self, X, Y, V):
        if worth_fusing(X, Y) and self._profile is not None:
            return fused_product(self._profile, *self._compiled_points(X, Y), V)
        return super()._product(X, Y, V)

    def _differentiated(self, alpha, beta):
        return _IntervalDerivative(self, alpha[0], beta[0])


class _IntervalDerivative(Kernel):
    """∂_x^α ∂_y^β k of a kernel on an interval."""

    dimension = 1

    def __init__(self, kernel, alpha, beta):
        self.kernel, self.alpha, self.beta = kernel, alpha, beta
        self.smoothness = kernel.smoothness - alpha - beta
        length = 2.0 * (kernel.b - kernel.a)
        self._values = periodised(kernel.s, length, kernel.length_scale, alpha + beta)
        self._direct = -1.0 if beta % 2 else 1.0

    def __repr__(self):
        return f"{self.kernel!r}.derivative({self.alpha}, {self.beta})"

    def _points(self, x, name):
        return self.kernel._points(x, name)

    def _evaluate(self, x, y):
        x, y = x[..., 0] - self.kernel.a, y[..., 0] - self.kernel.a
        return self._direct * self._values(x - y) + self.kernel._sign * self._values(x + y)

    def _differentiated(self, alpha, beta):
        return _IntervalDerivative(self.kernel, self.alpha + alpha[0], self.beta + beta[0])


def points_in_interval(points, a, b, name):
    """Return the points if all lie in [a, b]; otherwise raise and name the first that does not."""
    outside = np.flatnonzero((points[:, 0] < a) | (points[:, 0] > b))
    if len(outside):
        raise DomainMismatch(
            f"`{name}` must lie in [{a:g}, {b:g}]; got {points[outside[0], 0]:g} at index {outside[0]}."
        )
    return points
