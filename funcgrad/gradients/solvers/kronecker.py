"""Kronecker factors of the pulled-back metric of layered models (K-FAC), in every metric on functions."""

import math
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from funcgrad.errors import InvalidInput
from funcgrad.gradients.solvers.qr import triangular_factor
from funcgrad.gradients.solvers.solution import ULP, LeastSquares


def solve_by_kronecker(a, r, damping=0.0, rcond=None, reason=""):
    """Return an approximate solution from Kronecker factors of AᵀA, layer by layer, as a `LeastSquares`.

    Parameters are those of `KroneckerProblem` and its `solve`.
    """
    return KroneckerProblem(a, r).solve(damping, rcond, reason=reason)


@dataclass(frozen=True)
class LayerFactors:
    """The factors of one layer's block of the pulled-back metric, G_l ≈ (SΔ)ᵀSΔ ⊗ (SĀ)ᵀSĀ.

    Attributes
    ----------
    inputs : ndarray, (k, n_inputs + 1)
        A matrix with the Gram matrix <ā_j, ā_j'> of the layer's inputs, 1 included: R of SĀ.
    adjoints : ndarray, (k, n_units)
        The same of the adjoints δ_i = ∂f/∂z_i, over the norm of the function 1.
    """

    inputs: np.ndarray
    adjoints: np.ndarray

    def gram(self):
        """Return the approximation of the layer's block of G, in the order of [W b] row by row."""
        return np.kron(self.adjoints.T @ self.adjoints, self.inputs.T @ self.inputs)

    def column_norms(self):
        """Return the norms of the columns of both factors, one after the other."""
        return np.concatenate([np.linalg.norm(self.inputs, axis=0), np.linalg.norm(self.adjoints, axis=0)])

    def scaled(self, scale):
        """Return the factors with their columns divided by a scale in the order of `column_norms`."""
        split = self.inputs.shape[1]
        return LayerFactors(self.inputs / scale[:split], self.adjoints / scale[split:])

    def spectrum(self):
        """Return the singular values of the Kronecker product, (units, inputs), and both right bases."""
        _, of_inputs, inputs = scipy.linalg.svd(self.inputs, check_finite=False)
        _, of_adjoints, adjoints = scipy.linalg.svd(self.adjoints, check_finite=False)
        sigma = np.zeros((len(adjoints), len(inputs)))
        sigma[: len(of_adjoints), : len(of_inputs)] = np.outer(of_adjoints, of_inputs)
        return sigma, adjoints, inputs


def layer_factors(model, theta, root, nodes):
    """Return the `LayerFactors` of every layer, from a square root S of the metric on the nodes.

    The tangent functions of a layer are products δ_i ā_j of adjoints and inputs. Their inner products are
    approximated by <δ_i, δ_i'> <ā_j, ā_j'> / <1, 1>, which is exact where one of both factors does not
    depend on x: for the last layer (so for one linear layer) in a metric that treats the components
    alike or couples them by a matrix, and for biases. In L2 these are the factors of K-FAC; where a
    metric couples components differently at different x, inputs are weighted by the mean over them.

    References
    ----------
    Martens, Grosse, *Optimizing neural networks with Kronecker-factored approximate curvature*, 2015.
    """
    if not hasattr(model, "jacobian_factors"):
        raise InvalidInput(
            f"the solver 'kronecker' needs a model made of layers, as `MLP` is, with a method "
            f"`jacobian_factors`; {type(model).__name__} has none: take 'qr', 'cholesky' or 'lsmr'."
        )
    scalar = root.on_scalars()
    size = np.linalg.norm(scalar.apply(np.ones(len(nodes))))
    factors = []
    for inputs, adjoints in model.jacobian_factors(theta, nodes):
        whitened = root.apply(adjoints).reshape(-1, adjoints.shape[-1])
        factors.append(
            LayerFactors(triangular_factor(scalar.apply(inputs)), triangular_factor(whitened) / size)
        )
    return factors


class KroneckerProblem:
    """The problem min |A η - r| with AᵀA replaced, layer by layer, by a Kronecker product.

    Parameters
    ----------
    a : WhitenedJacobian
        Of a model with `jacobian_factors`; only products with it are taken.
    r : ndarray, (M,)
    """

    def __init__(self, a, r):
        self._a, self._r = a, r
        self.factors = layer_factors(a.model, a.theta, a.root, a.grid.nodes)
        self._right = a.rmatvec(r)

    def column_norms(self):
        """Return the norms of the factors' columns, layer after layer: a scale for `solve`."""
        return np.concatenate([layer.column_norms() for layer in self.factors])

    def scaled(self, scale):
        """Return the map from λ and rcond to the solution of `solve` with this scale."""
        return lambda damping, rcond: self.solve(damping, rcond, scale)

    def solve(self, damping=0.0, rcond=None, scale=None, reason=""):
        """Return the approximate solution, and what was seen on the way, as a `LeastSquares`.

        Each layer's damped inverse (B ⊗ A + λ)⁻¹ is taken exactly, in the factors' singular vectors. The
        result is scaled to minimise |Aη - r|² + λ|η|² along itself, with A as it is, so that `slope`,
        `length` and `residual` are true of it. The singular values (0 where cut off), the rank and the
        condition are those of the approximation; `error_bound` is infinite, as nothing bounds how far an
        approximation is off.

        Parameters
        ----------
        damping : float
            λ.
        rcond : float, optional
            Singular values up to rcond times their layer's largest count as zero.
        scale : ndarray, optional
            Damp λ|Dη|² with D the Kronecker products of these column norms of the factors.
        """
        eta, penalty, spectra, start = np.zeros(len(self._right)), 0.0, [], 0
        cutoff = max(len(self._r), len(eta)) * ULP if rcond is None else rcond
        blocks = zip(self._a.model.layers(self._right), self._a.model.layers(eta), self.factors, strict=True)
        for right, target, layer in blocks:
            norms = np.ones(sum(layer.inputs.shape[1:] + layer.adjoints.shape[1:]))
            if scale is not None:
                norms = scale[start : start + len(norms)]
            start += len(norms)
            solution, size, spectrum = _solve_layer(layer, _joined(right), norms, damping, cutoff)
            spectra.append(spectrum)
            penalty += damping * size
            _split(solution, target)
        return self._solution(eta, penalty, np.concatenate(spectra), reason)

    def _solution(self, eta, penalty, spectrum, reason):
        """Return η scaled to the best length, with its diagnostics."""
        image = self._a.matvec(eta)
        slope, square = self._r @ image, image @ image + penalty
        length = slope / square if square else 0.0
        missed, norm = np.linalg.norm(self._r - length * image), np.linalg.norm(self._r)
        return LeastSquares(
            solution=length * eta,
            singular_values=np.sort(spectrum)[::-1],
            rank=int(np.count_nonzero(spectrum > 0)),
            residual=float(missed / norm) if norm else 0.0,
            discarded=None,
            length=float(abs(length) * np.linalg.norm(image)),
            slope=float(length * slope),
            error_bound=math.inf,
            solver="kronecker",
            reason=reason,
        )


def _solve_layer(layer, right, norms, damping, cutoff):
    """Return (B ⊗ A + λD²)⁻¹ of a layer's right side, (units, inputs), with |Dη|² and the singular values.

    D is diag of the Kronecker product of `norms`, in the order of `LayerFactors.column_norms`.
    """
    norms = np.where(norms > 0, norms, 1.0)
    split = layer.inputs.shape[1]
    weights = np.outer(norms[split:], norms[:split])
    sigma, adjoints, inputs = layer.scaled(norms).spectrum()
    kept = sigma > cutoff * sigma.max()
    rotated = adjoints @ (right / weights) @ inputs.T
    rotated = np.divide(rotated, sigma**2 + damping, out=np.zeros_like(rotated), where=kept)
    solution = adjoints.T @ rotated @ inputs
    return solution / weights, np.sum(solution**2), np.where(kept, sigma, 0.0).ravel()


def _joined(layer):
    """Return [W b], (units, inputs + 1)."""
    weights, bias = layer
    return weights if bias is None else np.column_stack([weights, bias])


def _split(matrix, layer):
    """Write [W b] to the views W and b."""
    weights, bias = layer
    weights[:] = matrix[:, : weights.shape[1]]
    if bias is not None:
        bias[:] = matrix[:, -1]
