"""The reproducing kernel of spectral H^s on a box, by images on a torus."""

from itertools import product

import numpy as np

from funcgrad._checks import finite_array, one_of
from funcgrad.errors import DomainMismatch, InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.torus import TorusSobolev


class BoxSobolev(Kernel):
    """The reproducing kernel of H^s on a box: the Green function of (1 - ℓ²Δ)^s under boundary conditions.

    Parameters
    ----------
    s : float
        The order, any real number above n/2; the power is taken on the Laplacian's eigenfunctions.
    bounds : array_like, (n, 2)
        The ends of each of n >= 2 axes.
    boundary : {"neumann", "dirichlet", "periodic"} or a sequence of them, (n,)
        The condition of all axes, or of each.
    length_scale : float
        ℓ.

    Raises
    ------
    DomainMismatch
        When it is evaluated at a point outside the box.

    Notes
    -----
    Method of images: on the torus with twice the length along each axis that is not periodic, the sum over
    all reflections of x in the lower ends of those axes, with the sign -1 for each Dirichlet one.

    Examples
    --------
    >>> from funcgrad.kernels import BoxSobolev
    >>> k = BoxSobolev(2.0, [(0, 1), (0, 2)], ["dirichlet", "neumann"])
    >>> bool(abs(k([0.0, 0.5], [0.3, 0.4])) < 1e-15)             # it vanishes on the Dirichlet side
    True
    """

    def __init__(self, s, bounds, boundary="neumann", length_scale=1.0):
        self.bounds = finite_array(bounds, "bounds", ndim=2)
        n = len(self.bounds)
        if self.bounds.shape != (n, 2) or n < 2 or not np.all(self.bounds[:, 0] < self.bounds[:, 1]):
            raise InvalidInput(f"`bounds` must be two or more pairs of ends a < b; got {bounds!r}.")
        if isinstance(boundary, str):
            boundary = (boundary,) * n
        if len(boundary) != n:
            raise InvalidInput(f"`boundary` must name one condition for each of {n} axes; got {boundary!r}.")
        for word in boundary:
            one_of(word, ("neumann", "dirichlet", "periodic"), "boundary")
        self.boundary = tuple(boundary)
        closed = np.array([word == "periodic" for word in boundary])
        torus = TorusSobolev(s, np.diff(self.bounds)[:, 0] * np.where(closed, 1.0, 2.0), length_scale)
        self.s, self.length_scale = torus.s, torus.length_scale
        self.dimension, self.smoothness = n, torus.smoothness
        self._images = _Images(self, torus, (0,) * n, (0,) * n)

    def __repr__(self):
        return f"BoxSobolev({self.s:g}, {self.bounds.tolist()}, {list(self.boundary)}, {self.length_scale:g})"

    def _points(self, x, name):
        points = super()._points(x, name)
        low, high = self.bounds.T
        outside = np.flatnonzero(((points < low) | (points > high)).any(axis=1))
        if len(outside):
            raise DomainMismatch(f"`{name}` has the point {points[outside[0]].tolist()} outside the box.")
        return points

    def _evaluate(self, x, y):
        return self._images._evaluate(x, y)

    def _gram(self, X, Y):
        return self._images._gram(X, Y)

    def _differentiated(self, alpha, beta):
        return self._images._differentiated(alpha, beta)


class _Images(Kernel):
    """Σ_ε sign(ε) ε^α ∂_x^α ∂_y^β T(ε(x - a), y - a) over reflections ε, T the kernel of the torus."""

    def __init__(self, box, torus, alpha, beta):
        self.box, self.torus, self.alpha, self.beta = box, torus, alpha, beta
        self.dimension = box.dimension
        self.smoothness = torus.smoothness - sum(alpha) - sum(beta)
        self._kernel = torus.derivative(alpha, beta)
        choices = [(1.0,) if word == "periodic" else (1.0, -1.0) for word in box.boundary]
        self._reflections = np.array(list(product(*choices)))
        odd = np.array([word == "dirichlet" for word in box.boundary]) + np.array(alpha)
        self._signs = np.prod(self._reflections**odd, axis=1)

    def __repr__(self):
        return f"{self.box!r}.derivative({self.alpha}, {self.beta})"

    def _points(self, x, name):
        return self.box._points(x, name)

    def _terms(self):
        return zip(self._signs, self._reflections, strict=True)

    def _evaluate(self, x, y):
        start = self.box.bounds[:, 0]
        return sum(s * self._kernel._evaluate(e * (x - start), y - start) for s, e in self._terms())

    def _gram(self, X, Y):
        start = self.box.bounds[:, 0]
        return sum(s * self._kernel._gram(e * (X - start), Y - start) for s, e in self._terms())

    def _differentiated(self, alpha, beta):
        pairs = ((self.alpha, alpha), (self.beta, beta))
        return _Images(self.box, self.torus, *(tuple(map(sum, zip(*pair, strict=True))) for pair in pairs))
