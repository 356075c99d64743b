"""Gram matrices of mixed linear functionals: values, derivatives, integrals, in one call."""

from dataclasses import dataclass

import numpy as np

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput


@dataclass(frozen=True)
class Evaluations:
    """The functionals v ↦ Σ_i W_ai ∂^α v(x_i), a = 1..A, of one order of derivative.

    Parameters
    ----------
    points : array_like
        N points x_i.
    derivative : int or tuple of int
        α, one order a coordinate; 0 for values.
    weights : array_like, optional
        W, shape (A, N), or (N,) for one functional, such as a quadrature rule's weights for an integral.
        Without weights there is one functional a point, v ↦ ∂^α v(x_i).

    Examples
    --------
    >>> from funcgrad.kernels import Evaluations, Sobolev, functional_gram
    >>> slopes = Evaluations([0.0, 1.0], derivative=1)
    >>> functional_gram(Sobolev(2.0, 1), slopes).round(4)
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """

    points: np.ndarray
    derivative: int | tuple = 0
    weights: np.ndarray | None = None


def functional_gram(kernel, rows, columns=None):
    """Return the inner products of the Riesz representers of functionals, c_a ⊗ d_b applied to k.

    Parameters
    ----------
    kernel : Kernel
    rows, columns : Evaluations or sequence of Evaluations
        The functionals, in order; `columns` are the `rows` if not given. With values at x as rows and
        functionals as columns the matrix holds the representers' values at x.

    Returns
    -------
    ndarray, shape (A, B)
        Symmetric positive semidefinite if `columns` is not given.

    Raises
    ------
    FuncgradError
        If a derivative is past the kernel's smoothness: its representer does not exist.

    Examples
    --------
    A value and a derivative at 0, and the integral over (0, 1), in H^2(R):

    >>> import numpy as np
    >>> from funcgrad.kernels import Evaluations, Sobolev, functional_gram
    >>> nodes, weights = np.polynomial.legendre.leggauss(20)
    >>> integral = Evaluations((nodes + 1) / 2, weights=weights / 2)
    >>> functional_gram(Sobolev(2.0, 1), [Evaluations(0.0), Evaluations(0.0, 1), integral]).round(4)
    array([[ 0.25  , -0.    ,  0.2241],
           [ 0.    ,  0.25  ,  0.0661],
           [ 0.2241,  0.0661,  0.2358]])
    """
    rows = [rows] if isinstance(rows, Evaluations) else list(rows)
    columns = rows if columns is None else [columns] if isinstance(columns, Evaluations) else list(columns)
    return np.block([[_block(kernel, row, column) for column in columns] for row in rows])


def _block(kernel, row, column):
    X, Y = kernel._pair(row.points, column.points)
    alpha, beta = (_orders(part.derivative, X.shape[1]) for part in (row, column))
    block = kernel.derivative(alpha, beta)._gram(X, Y)
    if row.weights is not None:
        block = _weights(row, len(X)) @ block
    if column.weights is not None:
        block = block @ _weights(column, len(Y)).T
    return block


def _orders(derivative, dimension):
    if np.ndim(derivative) == 0 and derivative == 0:
        return (0,) * dimension
    return derivative if np.ndim(derivative) else (derivative,)


def _weights(part, n_points):
    weights = np.atleast_2d(finite_array(part.weights, "weights"))
    if weights.shape[1] != n_points:
        raise InvalidInput(f"`weights` must have {n_points} columns, one a point; got shape {weights.shape}.")
    return weights
