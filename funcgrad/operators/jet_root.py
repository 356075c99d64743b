"""Square roots of general second-order energies on a grid: derivatives at points, or a Cholesky factor."""

from functools import cached_property

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from funcgrad.errors import InvalidInput, NotPositiveDefinite
from funcgrad.operators.jets import boundary_points, require_vanishing, vanishing_axes
from funcgrad.operators.square_root import SquareRoot

# The most unknowns for which the dense factorisations below are made.
MOST_UNKNOWNS = 4096
# A covector counts as one of a semidefinite metric when this share of it at most is left over.
_LEFT_OVER = 1e-8
# What rounding leaves of a zero pivot of a positive semidefinite matrix, in ulp of its diagonal.
_PIVOT_ULPS = 64
EPS = np.finfo(float).eps


class _ConstrainedRoot(SquareRoot):
    """What both roots below share: functions that vanish where they must, in coordinates of them.

    Nodal values have the shape (N, *components); `_basis`, (N·m, unknowns) with orthonormal columns, is
    None where no function has to vanish.
    """

    def __init__(self, grid, components):
        self._grid, self._components = grid, components
        self._size = len(grid) * int(np.prod(components, dtype=int))
        self._vanishing = any(vanishing_axes(grid))
        if self._vanishing:
            self.boundary_points = boundary_points(grid)

    def _require_few(self):
        if self._size > MOST_UNKNOWNS:
            raise InvalidInput(
                f"an energy metric takes at most {MOST_UNKNOWNS} nodal values; got {self._size} on "
                f"{self._grid!r}. Take a coarser grid (polynomials resolve smooth functions with few nodes), "
                "or `Sobolev(1)`, which has a fast solver."
            )

    @cached_property
    def _basis(self):
        self._require_few()
        if not self._vanishing:
            return None
        return np.kron(vanishing_basis(self._grid), np.eye(self._size // len(self._grid)))

    def _flat(self, values):
        """(N, *components, ...) to (N·m, columns), refused if not zero where the space's functions are."""
        if self.boundary_points is not None:
            spread = values.reshape(len(values), -1)
            on_boundary = self._grid.evaluate(spread, self.boundary_points)
            require_vanishing(on_boundary, spread, self._grid.domain)
        return values.reshape(self._size, -1)

    def _shaped(self, flat, like):
        """(N·m, columns) to (N, *components, ...), the further axes those behind the first of `like`."""
        return flat.reshape(len(self._grid), *self._components, *like)

    def _to_coordinates(self, flat):
        return flat if self._basis is None else self._basis.T @ flat

    def _from_coordinates(self, coordinates):
        return coordinates if self._basis is None else self._basis @ coordinates

    def _further(self, values):
        return values.shape[1 + len(self._components) :]


class JetRoot(_ConstrainedRoot):
    """S = rows of `JetRows`: the metric Σ_k |R_k jet(u)(x_k)|² on the functions of a grid.

    Where S sees only part of the functions (fewer points than nodes, or no constants), the metric is
    semidefinite: representers are those of least norm in nodal values, and a covector that sees
    functions of norm zero is refused.

    Parameters
    ----------
    grid : Grid
    jets : sequence of JetRows
    components : tuple
        () or (m,): the shape of a value.
    """

    def __init__(self, grid, jets, components):
        super().__init__(grid, components)
        self.jets = tuple(jets)

    # Matrices are made when they are first needed: models know their derivatives, and a covector that
    # looks at the jets' points only is whitened there (`whiten_at_points`).

    @cached_property
    def _constrained(self):
        return self._matrix if self._basis is None else self._matrix @ self._basis

    @cached_property
    def _matrix(self):
        self._require_few()
        return self._rows(np.eye(self._size))

    def _rows(self, flat):
        """The rows of functions with flat values (N·m, columns): derivatives at the points, combined."""
        values = flat.reshape(len(self._grid), -1)

        def derivative(points, alpha):
            at_points = self._grid.evaluate(values, points, alpha)
            return at_points.reshape(len(points), *self._components, flat.shape[1])

        return np.concatenate([jet.apply(derivative) for jet in self.jets])

    @cached_property
    def _factors(self):
        """Q, R, and the singular value decomposition of R on its range, None where R is regular."""
        q, r = scipy.linalg.qr(self._constrained, mode="economic", check_finite=False)
        regular = len(r) == r.shape[1] and lapack.dtrcon(r)[0] > self._size * EPS
        return q, r, None if regular else _singular_triplets(r)

    def apply(self, values):
        """See `SquareRoot.apply`."""
        flat = self._flat(values)
        return self._rows(flat).reshape(-1, *self._further(values))

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        return self._shaped(self._matrix.T @ r.reshape(len(r), -1), r.shape[1:])

    def solve(self, r):
        """See `SquareRoot.solve`; of least norm where S does not see everything."""
        q, upper, cut = self._factors
        y = q.T @ r.reshape(len(r), -1)
        if cut is None:
            coordinates = scipy.linalg.solve_triangular(upper, y)
        else:
            u, sigma, vt = cut
            coordinates = vt.T @ ((u.T @ y) / sigma[:, None])
        return self._shaped(self._from_coordinates(coordinates), r.shape[1:])

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`; a covector that sees more than S does is refused."""
        further = self._further(components)
        q, upper, cut = self._factors
        c = self._to_coordinates(components.reshape(self._size, -1))
        if cut is None:
            y = scipy.linalg.solve_triangular(upper, c, trans="T")
        else:
            u, sigma, vt = cut
            inside = vt @ c
            if np.linalg.norm(c - vt.T @ inside) > _LEFT_OVER * np.linalg.norm(c):
                raise InvalidInput(
                    "the covector is not bounded in the energy metric: it sees functions of energy norm zero "
                    "(constants, without a potential, a penalty or Dirichlet conditions; functions between "
                    "the points of a residual). Add such a term, or take the domain with "
                    'boundary="dirichlet".'
                )
            y = u @ (inside / sigma[:, None])
        return (q @ y).reshape(-1, *further)

    def whiten_at_points(self, evaluations):
        """Return the r with Sᵀr = c for a covector that looks at the jets alone, or None.

        No functions of the grid take part: at each point R_kᵀr_k = the weights there is solved.

        Parameters
        ----------
        evaluations : iterable of (points (K, n), multi-index, weights (K,) or (K, m))
            c as a sum of evaluations of derivatives.
        """
        places = [{tuple(x): k for k, x in enumerate(jet.points.tolist())} for jet in self.jets]
        weights = [np.zeros((len(jet.points), len(jet.slots))) for jet in self.jets]
        for points, alpha, of_points in evaluations:
            for at_jet, place, jet in zip(weights, places, self.jets, strict=True):
                columns = [s for s, (_, other) in enumerate(jet.slots) if other == alpha]
                index = np.array([place.get(tuple(x), -1) for x in points.tolist()])
                if columns and np.all(index >= 0):
                    np.add.at(at_jet, (index[:, None], columns), of_points.reshape(len(points), -1))
                    break
            else:
                return None
        result = []
        for jet, at_jet in zip(self.jets, weights, strict=True):
            r = np.einsum("ksr,ks->kr", np.linalg.pinv(jet.factors), at_jet)
            left = at_jet - np.einsum("krs,kr->ks", jet.factors, r)
            if np.linalg.norm(left) > _LEFT_OVER * np.linalg.norm(at_jet):
                return None
            result.append(r.reshape(-1))
        return np.concatenate(result)


class CholeskyRoot(_ConstrainedRoot):
    """S = Lᵀ for the matrix H = LLᵀ of a metric on the grid's functions.

    For metrics that are positive as a whole but not point by point. Formed, so errors grow with cond(S)².

    Parameters
    ----------
    grid : Grid
    matrix : ndarray, (N·m, N·m)
        <L_i, L_j> of the cardinal functions.
    components : tuple
        () or (m,).

    Raises
    ------
    NotPositiveDefinite
    """

    def __init__(self, grid, matrix, components):
        super().__init__(grid, components)
        self._require_few()
        h = matrix if self._basis is None else self._basis.T @ matrix @ self._basis
        h = (h + h.T) / 2
        # The cardinal functions differ in size by the weights; scaled, a small pivot means what it says.
        diagonal = np.diag(h)
        self._scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        scaled = h / self._scale[:, None] / self._scale
        try:
            self._factor = scipy.linalg.cholesky(scaled, lower=False, check_finite=False)
            positive = np.diag(self._factor).min() ** 2 > len(h) * EPS
        except np.linalg.LinAlgError:
            positive = False
        if not positive:
            lowest = scipy.linalg.eigvalsh(scaled, subset_by_index=(0, 0), check_finite=False)[0]
            raise NotPositiveDefinite(
                f"the second variation is not positive definite at this base point on {grid!r}: its smallest "
                f"eigenvalue is {lowest:.2g} of the largest entry. Start nearer to a minimum, or take the "
                "metric of a convex part of the functional (`GaussNewton`, or a functional without the term "
                "that curves down)."
            )

    def apply(self, values):
        """See `SquareRoot.apply`."""
        coordinates = self._to_coordinates(self._flat(values))
        return (self._factor @ (self._scale[:, None] * coordinates)).reshape(-1, *self._further(values))

    def apply_transpose(self, r):
        """See `SquareRoot.apply_transpose`."""
        coordinates = self._scale[:, None] * (self._factor.T @ r.reshape(len(r), -1))
        return self._shaped(self._from_coordinates(coordinates), r.shape[1:])

    def solve(self, r):
        """See `SquareRoot.solve`."""
        coordinates = scipy.linalg.solve_triangular(self._factor, r.reshape(len(r), -1))
        return self._shaped(self._from_coordinates(coordinates / self._scale[:, None]), r.shape[1:])

    def solve_transpose(self, components):
        """See `SquareRoot.solve_transpose`."""
        c = self._to_coordinates(components.reshape(self._size, -1)) / self._scale[:, None]
        r = scipy.linalg.solve_triangular(self._factor, c, trans="T")
        return r.reshape(-1, *self._further(components))


def semidefinite_factors(matrices):
    """Return R_k with R_kᵀR_k = H_k for symmetric matrices H (K, s, s), None if one is not semidefinite.

    Cholesky's method for all k at once, the largest pivot first, which ends where what is left is rounding.

    Examples
    --------
    >>> import numpy as np
    >>> semidefinite_factors(np.array([[[4.0, 2.0], [2.0, 1.0]]]))
    array([[[2., 1.],
            [0., 0.]]])
    >>> semidefinite_factors(np.array([[[1.0, 2.0], [2.0, 1.0]]])) is None
    True
    """
    diagonal = np.einsum("kss->ks", matrices)
    sizes = np.sqrt(np.maximum(diagonal, 0.0))
    # Scaled to a unit diagonal, so that the units of u and of its derivatives do not matter.
    inverse = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    rest = matrices * inverse[:, :, None] * inverse[:, None, :]
    unseen = np.abs(matrices[(sizes[:, :, None] == 0) | (sizes[:, None, :] == 0)])
    if unseen.max(initial=0.0) > 0:
        return None
    tolerance, factors, every = _PIVOT_ULPS * EPS, np.zeros_like(rest), np.arange(len(rest))
    for step in range(rest.shape[1]):
        chosen = np.einsum("kss->ks", rest).argmax(axis=1)
        pivot = rest[every, chosen, chosen]
        root = np.sqrt(np.where(pivot > tolerance, pivot, np.inf))
        factors[:, step] = rest[every, chosen] / root[:, None]
        rest = rest - factors[:, step, :, None] * factors[:, step, None, :]
    if np.abs(rest).max(initial=0.0) > tolerance:
        return None
    return factors * sizes[:, None, :]


def vanishing_basis(grid):
    """Return an orthonormal basis (N, N') of nodal values of the functions that vanish where they must."""
    factors, basis = getattr(grid, "factors", (grid,)), np.ones((1, 1))
    for factor, vanishing in zip(factors, vanishing_axes(grid), strict=True):
        of_axis = np.eye(len(factor))
        if vanishing:
            if len(factor) < 3:
                raise InvalidInput(f"Dirichlet conditions need at least 3 nodes an axis; got {factor!r}.")
            of_axis = scipy.linalg.null_space(factor.interpolation_matrix([factor.domain.a, factor.domain.b]))
        basis = np.kron(basis, of_axis)
    return basis


def _singular_triplets(r):
    u, sigma, vt = scipy.linalg.svd(r, full_matrices=False, check_finite=False)
    kept = sigma > max(r.shape) * EPS * sigma[0]
    return u[:, kept], sigma[kept], vt[kept]
