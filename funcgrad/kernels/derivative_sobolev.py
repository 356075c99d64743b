"""The reproducing kernel of W^{k,2} on an interval, from that of the line."""

from math import comb, factorial

import numpy as np

from funcgrad._checks import positive_number, whole_number
from funcgrad.errors import InvalidInput
from funcgrad.kernels.base import Kernel
from funcgrad.kernels.interval import points_in_interval
from funcgrad.kernels.matern import Sobolev


class DerivativeSobolev(Kernel):
    """The reproducing kernel of W^{k,2}(a, b): <u, v> = Σ_{j<=k} C(k,j) ℓ^{2j} ∫ D^j u D^j v.

    Nothing is imposed at the ends. It is the Neumann kernel of H^1 for k = 1.

    Parameters
    ----------
    order : int
        k >= 1.
    a, b : float
        The ends.
    length_scale : float
        ℓ. On intervals much shorter than ℓ digits are lost, like (ℓ/(b - a))^{2k-1}.

    Notes
    -----
    The least norm on the line of a function known on (a, b) is its norm in W^{k,2}(a, b) plus that of its
    continuations e^{-t} times a polynomial outside, a quadratic form E of its first k derivatives at the
    ends. With K the kernel of the line and K_J its derivatives there, therefore
    k(x, y) = K(x, y) + K_J(x)ᵀ (E^{-1} - K_JJ)^{-1} K_J(y) (Woodbury). Derivatives are offered up to the
    order k - 1 in each argument, which is all that is bounded.

    Examples
    --------
    >>> from funcgrad.kernels import DerivativeSobolev, IntervalSobolev
    >>> round(DerivativeSobolev(1, 0.0, 1.0)(0.25, 0.5) - IntervalSobolev(1.0, 0.0, 1.0)(0.25, 0.5), 12)
    0.0
    """

    dimension = 1

    def __init__(self, order, a, b, length_scale=1.0):
        self.order = whole_number(order, "order", least=1)
        if not a < b:
            raise InvalidInput(f"`a` must be below `b`; got {a:g} and {b:g}.")
        self.a, self.b, self.length_scale = a, b, positive_number(length_scale, "length_scale")
        self._orders = (0, 0)
        self.smoothness = 2.0 * self.order - 1
        self._ends = np.array([[0.0], [(b - a) / self.length_scale]])
        self._line = Sobolev(self.order, 1)
        jets = np.block(
            [
                [self._line_derivative(r, m, self._ends, self._ends) for m in range(self.order)]
                for r in range(self.order)
            ]
        )  # rows and columns: the derivative, then the end
        outside = np.kron(_exterior_jets(self.order), np.ones((2, 2)))
        # To the left of a, t runs backwards; nothing joins the two sides.
        sign = np.kron((-1.0) ** np.arange(self.order), [1.0, 0.0])
        right = np.kron(np.ones(self.order), [0.0, 1.0])
        outside *= np.outer(sign, sign) + np.outer(right, right)
        self._middle = np.linalg.inv(outside - jets)

    def __repr__(self):
        derivative = f".derivative{self._orders}" if any(self._orders) else ""
        return (
            f"DerivativeSobolev({self.order}, {self.a:g}, {self.b:g}, length_scale={self.length_scale:g})"
            f"{derivative}"
        )

    def _points(self, x, name):
        return points_in_interval(super()._points(x, name), self.a, self.b, name)

    def _line_derivative(self, alpha, beta, x, y):
        kernel = self._line.derivative(alpha, beta) if alpha + beta else self._line
        return kernel._evaluate(x[:, None], y[None, :])

    def _evaluate(self, x, y):
        alpha, beta = self._orders
        x, y = (x - self.a) / self.length_scale, (y - self.a) / self.length_scale
        kernel = self._line.derivative(alpha, beta) if alpha + beta else self._line
        left, right = self._jets(alpha, x), self._jets(beta, y)
        correction = np.sum((left @ self._middle) * right, axis=-1)
        scale = self.length_scale ** -(1.0 + alpha + beta)
        return scale * (kernel._evaluate(x, y) + correction)

    def _jets(self, alpha, x):
        """∂_x^alpha ∂_y^r K(x, ends), (..., 2k)."""
        flat = x.reshape(-1, 1)
        blocks = [self._line_derivative(alpha, r, flat, self._ends) for r in range(self.order)]
        return np.hstack(blocks).reshape(*x.shape[:-1], -1)

    def _differentiated(self, alpha, beta):
        orders = (self._orders[0] + alpha[0], self._orders[1] + beta[0])
        if max(orders) >= self.order:
            raise InvalidInput(
                f"derivatives of {self!r} are offered up to the order {self.order - 1} in each argument; got "
                f"{orders}."
            )
        kernel = object.__new__(DerivativeSobolev)
        kernel.__dict__.update(self.__dict__)
        kernel._orders, kernel.smoothness = orders, 2.0 * self.order - 1 - sum(orders)
        return kernel


def _exterior_jets(k):
    """Return E^{-1}: the inverse of the least energy on (0, ∞) as a form of the k derivatives at 0, ℓ = 1."""
    # Derivatives of t^i e^{-t}/i!, as polynomials times e^{-t}, one row of coefficients of t^m/m! for each i.
    shift = np.eye(k, k=-1) - np.eye(k)  # d/dt t^i/i! = t^{i-1}/(i-1)!, and - from e^{-t}
    rows, jets, energy = np.eye(k), [], np.zeros((k, k))
    moments = np.array([[factorial(i + m) / factorial(i) / factorial(m) for m in range(k)] for i in range(k)])
    moments /= 2.0 ** (1 + np.add.outer(np.arange(k), np.arange(k)))
    for j in range(k + 1):
        energy += comb(k, j) * rows @ moments @ rows.T
        jets.append(rows[:, 0])
        rows = rows @ shift
    values = np.array(jets[:k])  # values[r, i]: the r-th derivative at 0 of the i-th
    return values @ np.linalg.solve(energy, values.T)
