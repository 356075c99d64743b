"""The solution of a least-squares problem, and how far rounding may have moved it."""

import math
from dataclasses import dataclass, field

import numpy as np

ULP = np.finfo(float).eps


@dataclass(frozen=True)
class LeastSquares:
    """The solution of min |A η - r|² + damping |η|², and what was seen on the way.

    Attributes
    ----------
    solution : ndarray, (p,)
        Of least norm if A is rank-deficient.
    singular_values : ndarray, (min(M, p),)
        Of A, descending; by "lsmr", those that its Krylov space has found; by "kronecker", those of the
        factored approximation, 0 where cut off.
    rank : int
        How many of them exceed the cut-off.
    residual : float
        |A η - r| / |r|, 0 if r = 0.
    discarded : float or None
        The part of |r|² / |r|² on the left singular vectors below the cut-off; None by "kronecker", which
        has no left singular vectors.
    length : float
        |A η|: the norm of dφ(η) in the metric.
    slope : float
        r·(A η) = dF(dφ(η)); the square of `length` where nothing is damped.
    error_bound : float
        Bound of the relative error of η by rounding (`rounding_error`).
    solver : str
        The algorithm that was used.
    reason : str
        Why it was.
    """

    solution: np.ndarray
    singular_values: np.ndarray = field(repr=False)
    rank: int
    residual: float
    discarded: float | None
    length: float
    slope: float
    error_bound: float
    solver: str
    reason: str = ""

    @property
    def condition(self):
        """Ratio of the largest singular value to the smallest one kept."""
        return float(self.singular_values[0] / self.singular_values[self.rank - 1]) if self.rank else np.inf


@dataclass(frozen=True)
class ReducedProblem:
    """The problem min |A η - r| in the singular vectors of A, where every damping and cut-off is cheap.

    Attributes
    ----------
    shape : (int, int)
        Of A.
    singular_values : ndarray, (k,)
        Descending.
    right_vectors : ndarray, (k, p)
        Vᵀ.
    coordinates : ndarray, (k,)
        Uᵀr.
    outside : float
        The length of what U does not span of r.
    solver : str
        The algorithm that got here.
    exact : ndarray, (p,), optional
        The solution without damping or cut-off by another way, in place of that from the singular vectors.
        They mix the columns, to an ulp of the largest: where these are of very different lengths, as for
        parameters in different units, back-substitution in R is more accurate, by as much.
    """

    shape: tuple
    singular_values: np.ndarray
    right_vectors: np.ndarray
    coordinates: np.ndarray
    outside: float
    solver: str
    exact: np.ndarray | None = None

    def solve(self, damping=0.0, rcond=None, reason=""):
        """Return the `LeastSquares` solution: singular values up to rcond times the largest count as zero."""
        sigma, coordinates = self.singular_values, self.coordinates
        cutoff = (max(self.shape) * ULP if rcond is None else rcond) * sigma[0]
        rank = int(np.count_nonzero(sigma > cutoff))
        kept = sigma[:rank]
        gain = kept / (kept**2 + damping)
        image = gain * kept * coordinates[:rank]
        missed = np.concatenate([coordinates[:rank] - image, coordinates[rank:], [self.outside]])
        size = math.hypot(np.linalg.norm(coordinates), self.outside)
        if self.exact is not None and damping == 0 and rank == self.shape[1]:
            solution = self.exact
        else:
            solution = self.right_vectors[:rank].T @ (gain * coordinates[:rank])
        return LeastSquares(
            solution=solution,
            singular_values=sigma,
            rank=rank,
            residual=float(np.linalg.norm(missed) / size) if size else 0.0,
            discarded=float(np.sum(coordinates[rank:] ** 2) / size**2) if size else 0.0,
            length=float(np.linalg.norm(image)),
            slope=float(image @ coordinates[:rank]),
            error_bound=rounding_error(sigma, rank, damping, solution, np.linalg.norm(missed)),
            solver=self.solver,
            reason=reason,
        )


def rounding_error(sigma, rank, damping, solution, missed):
    """Return κε + κ²ερ: a bound of the relative error of the solution of min |A η - r|² + λ|η|².

    Householder QR and the SVD of R solve a problem whose [A r] differs by ε relatively, ε = (8√p + 49) ulp
    here: 8√p for the first; the second neglects off-diagonals up to min(100, u^{-1/8}) u = 98 u = 49 ulp of
    the singular values (LAPACK's dbdsqr, u = ulp/2), which shows where these coincide. Where substitution in
    R takes the place of the SVD the errors are smaller, and do not depend on the lengths of columns. Wedin's
    theorem turns that into κε(2 + (κ + 1)ρ), with κ = σ_1/σ_k of [A; √λ I] and ρ the residual of that system
    relative to |A||η|. Where singular values are cut off, what separates the directions is the gap:
    κ = σ_1/(σ_k - σ_{k+1}) (Hansen 1987).

    References
    ----------
    Björck, *Numerical Methods for Least Squares Problems*, 1996, theorem 1.4.6.
    Hansen, *The truncated SVD as a method for regularization*, BIT 27, 1987.
    """
    if rank == 0:
        return 0.0
    size = np.linalg.norm(solution)
    if size == 0:
        return math.inf if missed else 0.0
    below = float(sigma[rank]) if rank < len(sigma) else 0.0
    largest = math.sqrt(sigma[0] ** 2 + damping)
    smallest = math.sqrt(sigma[rank - 1] ** 2 + damping) - math.sqrt(below**2 + (damping if below else 0.0))
    if smallest <= 0:
        return math.inf
    kappa = largest / smallest
    rho = math.hypot(missed, math.sqrt(damping) * size) / (largest * size)
    epsilon = (8 * math.sqrt(len(solution)) + 49) * ULP
    return float(kappa * epsilon * (2 + (kappa + 1) * rho))
