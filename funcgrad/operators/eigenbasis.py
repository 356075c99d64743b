"""Eigenbases of operators A: what every function of A is computed on."""

from abc import ABC, abstractmethod

import numpy as np
import scipy.linalg

from funcgrad._checks import finite_array
from funcgrad.errors import InvalidInput
from funcgrad.operators.square_root import SquareRoot, reciprocal, require_vanishing_ends
from funcgrad.spaces.quadrature import rule_named

# The most unknowns for which a dense eigenbasis is computed, along one axis.
MOST_DENSE = 2048
# How far from symmetric a factor may be, relative to its largest entry.
_SYMMETRY_TOLERANCE = 1e-12


class Eigenbasis(ABC):
    """A basis in which a self-adjoint operator A is diagonal.

    Attributes
    ----------
    shape : tuple
        The shape of the nodal values that A acts on; further axes hold further right sides.
    eigenvalues : ndarray
        Of A, one a coefficient, in the coefficients' shape.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.operators import FiniteDifferenceLaplacian
    >>> basis = FiniteDifferenceLaplacian((8,), 0.5, "neumann")
    >>> values = np.arange(8.0)
    >>> bool(np.allclose(basis.backward(basis.forward(values)), values))
    True
    """

    shape: tuple
    eigenvalues: np.ndarray

    @abstractmethod
    def forward(self, values):
        """Return the coefficients of nodal values ``shape + (...)``."""

    @abstractmethod
    def backward(self, coefficients):
        """Return the nodal values of coefficients: the inverse of `forward` on the basis's span."""

    def multiply(self, symbol, values):
        """Return nodal values with their coefficients multiplied by a real symbol, one number a mode.

        The coefficients are taken as they come from `forward` and are overwritten.
        """
        coefficients = self.forward(values)
        coefficients *= symbol.reshape(symbol.shape + (1,) * (coefficients.ndim - symbol.ndim))
        return self.backward(coefficients)


class GalerkinEigenbasis(Eigenbasis):
    """The eigenfunctions of -Δ in the polynomials of a Gauss-Legendre, Gauss-Lobatto or Clenshaw-Curtis grid.

    They solve ∫ e' v' = λ ∫ e v for every polynomial v of degree N - 1 (of those that vanish at both
    ends with Dirichlet conditions), the integrals by the grid's quadrature, and are orthonormal in it.
    The Neumann condition is natural: e' = 0 at the ends in the limit only.

    About 2N/π of the modes are accurate, those with π nodes a wavelength, and rapidly to rounding below;
    by Clenshaw-Curtis quadrature, which integrates polynomials of half the degree, N/π of them. The
    other eigenvalues are too large, the last O(N⁴) in place of O(N²): on parts of those frequencies a
    function of -Δ has the right sign and trend, not the right size.

    Parameters
    ----------
    grid : PolynomialGrid
        Of at most 2048 nodes.

    Notes
    -----
    The eigenvalues are found from the inverse: with derivatives d in orthonormal Legendre polynomials,
    the mass of the antiderivative is ‖B d‖² with B of at most two entries a column, so the singular
    values of B are 1/√λ, and an error of ε‖B‖ leaves the smallest λ, the accurate ones, accurate to
    rounding. From the differentiation matrix they would lose a factor N² (Shen, SIAM J. Sci. Comput. 15,
    1994, for the basis; 2/π: Weideman & Trefethen, SIAM J. Numer. Anal. 25, 1988).

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> from funcgrad.operators import GalerkinEigenbasis
    >>> basis = GalerkinEigenbasis(fg.Interval(0, np.pi).grid(24))
    >>> basis.eigenvalues[:4].round(10)
    array([0., 1., 4., 9.])
    """

    def __init__(self, grid):
        n, dirichlet = len(grid), grid.domain.boundary == "dirichlet"
        if n > MOST_DENSE:
            raise InvalidInput(
                f"a fractional power on a polynomial grid takes at most {MOST_DENSE} nodes; got {grid!r}. "
                'Take a grid of eigenfunctions, `domain.grid(n, rule="midpoint")`.'
            )
        if dirichlet and n < 3:
            raise InvalidInput(f"Dirichlet conditions need at least 3 nodes; got {grid!r}.")
        half = grid.domain.length / 2
        inverse_roots, vectors = _inverse_frequencies(n, grid.rule, dirichlet)
        self.shape = (n,)
        self.eigenvalues = (half * inverse_roots) ** -2.0
        self._vectors, self._root = vectors, np.sqrt(grid.weights)
        if not dirichlet:
            constant = self._root / np.linalg.norm(self._root)
            self.eigenvalues = np.concatenate([[0.0], self.eigenvalues])
            self._vectors = np.hstack([constant[:, None], vectors])

    def forward(self, values):
        """See `Eigenbasis.forward`; the grid's inner products with the eigenfunctions."""
        return np.tensordot(self._vectors.T, _column(self._root, values) * values, axes=1)

    def backward(self, coefficients):
        """See `Eigenbasis.backward`."""
        return np.tensordot(self._vectors, coefficients, axes=1) / _column(self._root, coefficients)

    def components(self, components):
        """Return c(e_k) of a covector's components c(L_j): the transpose of `backward`."""
        return np.tensordot(self._vectors.T, components / _column(self._root, components), axes=1)


def _inverse_frequencies(n, rule, dirichlet):
    """Return 1/√λ, descending, and √w e as columns, for the modes that are not constant, on [-1, 1]."""
    nodes, weights = rule_named(rule).function(n)
    q, r = np.sqrt(weights)[:, None] * _orthonormal_legendre(nodes), np.eye(n)
    if rule == "gauss-legendre":  # orthogonal but for the recurrence's rounding, squared by this step
        q = 1.5 * q - 0.5 * q @ (q.T @ q)
    else:
        q, r = scipy.linalg.qr(q)
    # Without the constants: no derivative in P_0 keeps both ends (Dirichlet), no mass in P_0 (Neumann).
    first_derivative, first_mass = (1, 0) if dirichlet else (0, 1)
    derivatives = slice(first_derivative, n - 1)
    masses = (r @ _antiderivatives(n))[first_mass:, derivatives]
    masses = scipy.linalg.solve_triangular(r[derivatives, derivatives], masses.T, trans="T").T
    # An odd function has an even derivative: two problems of half the size.
    values, vectors = np.zeros(masses.shape[1]), np.zeros((n, masses.shape[1]))
    for parity in (0, 1):
        columns = slice(parity, None, 2)
        rows = slice((parity + first_derivative + 1 - first_mass) % 2, None, 2)
        u, values[columns], _ = scipy.linalg.svd(masses[rows, columns], full_matrices=False)
        vectors[:, columns] = q[:, first_mass:][:, rows] @ u
    order = np.argsort(-values)
    return values[order], vectors[:, order]


def _antiderivatives(n):
    """Return those of the orthonormal Legendre polynomials 0 to n - 2, as columns of coefficients.

    From the second on they vanish at both ends: (2k + 1) ∫ P_k = P_{k+1} - P_{k-1}.
    """
    k = np.arange(n - 1.0)
    table = np.zeros((n, n - 1))
    table[1:] += np.diag(1 / np.sqrt((2 * k + 1) * (2 * k + 3)))
    table[:-2, 1:] -= np.diag(1 / np.sqrt((2 * k[1:] + 1) * (2 * k[1:] - 1)))
    return table


def _orthonormal_legendre(nodes):
    """Return √(k + ½) P_k at the nodes, (n, n), by the recurrence of P_k."""
    n = len(nodes)
    table = np.ones((n, n))
    if n > 1:
        table[1] = nodes
    for k in range(1, n - 1):
        table[k + 1] = ((2 * k + 1) * nodes * table[k] - k * table[k - 1]) / (k + 1)
    return (np.sqrt(np.arange(n) + 0.5)[:, None] * table).T


class TensorEigenbasis(Eigenbasis):
    """Fast diagonalisation of A = A_1 ⊗ I ⊗ ... + I ⊗ A_2 ⊗ ... + ..., each A_i symmetric.

    A product of any function of A with a vector costs two products with each A_i's eigenvectors:
    O(N Σ N_i) in place of O(N²) (Lynch, Rice, Thomas, Numer. Math. 6, 1964).

    Parameters
    ----------
    factors : sequence of array_like, (N_i, N_i)
        The A_i; N_i at most 2048.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.operators import TensorEigenbasis
    >>> basis = TensorEigenbasis([np.diag([1.0, 2.0]), np.diag([10.0, 20.0, 30.0])])
    >>> basis.multiply(basis.eigenvalues, np.ones((2, 3)))
    array([[11., 21., 31.],
           [12., 22., 32.]])
    """

    def __init__(self, factors):
        factors = [_symmetric(factor, i) for i, factor in enumerate(factors)]
        if not factors:
            raise InvalidInput("`factors` must hold at least one matrix; got none.")
        self.shape = tuple(len(factor) for factor in factors)
        values, self._vectors = zip(*(scipy.linalg.eigh(factor) for factor in factors), strict=True)
        self.eigenvalues = sum(np.ix_(*values))

    def forward(self, values):
        """See `Eigenbasis.forward`."""
        return self._along_axes(values, [vectors.T for vectors in self._vectors])

    def backward(self, coefficients):
        """See `Eigenbasis.backward`."""
        return self._along_axes(coefficients, self._vectors)

    def _along_axes(self, array, matrices):
        # Each product moves the axis it treats behind the others, so that after all of them, and the
        # axes of further right sides moved too, the order is the first one's.
        for matrix in matrices:
            array = np.tensordot(array, matrix, axes=(0, 1))
        return np.moveaxis(array, range(array.ndim - len(self.shape)), range(len(self.shape) - array.ndim, 0))


def _symmetric(factor, index):
    matrix = finite_array(factor, f"factors[{index}]", ndim=2)
    if matrix.shape[0] != matrix.shape[1] or not 1 <= len(matrix) <= MOST_DENSE:
        raise InvalidInput(
            f"`factors[{index}]` must be square with 1 to {MOST_DENSE} rows; got shape {matrix.shape}."
        )
    asymmetry = np.abs(matrix - matrix.T).max()
    if asymmetry > _SYMMETRY_TOLERANCE * np.abs(matrix).max():
        raise InvalidInput(
            f"`factors[{index}]` must be symmetric; it differs from its transpose by {asymmetry:.3g}."
        )
    return (matrix + matrix.T) / 2


class GalerkinRoot(SquareRoot):
    """S = σ(λ)^{1/2} Eᵀ W on a polynomial grid with eigenfunctions E: the metric of symbol σ.

    The symbol is positive, or 0 for modes that the space does not contain.

    Parameters
    ----------
    grid : PolynomialGrid
    symbol : callable
        σ, of an array of eigenvalues of -Δ.
    order : float
        With Dirichlet conditions, functions that do not vanish at the ends are refused from order 1/2 on,
        where they are not in the space. Below it the polynomials that vanish are dense, and others are
        taken as their nearest ones in L2.
    """

    def __init__(self, grid, symbol, order):
        self._grid, self._basis = grid, GalerkinEigenbasis(grid)
        self._root = np.sqrt(symbol(self._basis.eigenvalues))
        self._vanishing = grid.domain.boundary == "dirichlet" and order >= 0.5

    def apply(self, values):
        """See `SquareRoot.apply`."""
        if self._vanishing:
            require_vanishing_ends(self._grid, values)
        coefficients = self._basis.forward(values)
        return _column(self._root, coefficients) * coefficients

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return _column(self._grid.weights, r) * self._basis.backward(_column(self._root, r) * r)

    def solve(self, r):
        """See `SquareRoot.solve`."""
        return self._basis.backward(_column(reciprocal(self._root), r) * r)

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`, on the span of the eigenfunctions."""
        coefficients = self._basis.components(components)
        return _column(reciprocal(self._root), coefficients) * coefficients

    @property
    def constraints(self):
        """See `SquareRoot.constraints`."""
        ends = [self._grid.domain.a, self._grid.domain.b]
        return self._grid.interpolation_matrix(ends) if self._vanishing else None


def _column(vector, array):
    return vector.reshape(-1, *[1] * (np.ndim(array) - 1))
