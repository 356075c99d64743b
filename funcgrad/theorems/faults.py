"""Faults that `funcgrad audit` puts into the library on purpose, one at a time.

Each replaces one function by a broken one. A catalogue that lets one pass is blind to it.
"""

import importlib
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from funcgrad.errors import InvalidInput


@dataclass(frozen=True)
class Fault:
    """A fault: what is replaced by what, and which theorems should notice.

    Attributes
    ----------
    name : str
    what : str
        In words.
    target : str
        The function, as "module:name" or "module:Class.name", below ``funcgrad.``.
    broken : callable
        From the function to the one in its place.
    likely : tuple of str
        Ids of theorems, the likeliest and quickest to notice first.
    """

    name: str
    what: str
    target: str
    broken: Callable
    likely: tuple[str, ...]

    @contextmanager
    def injected(self):
        """Break the library while the context lasts."""
        module, _, path = self.target.partition(":")
        *owners, name = path.split(".")
        owner = importlib.import_module(f"funcgrad.{module}")
        for step in owners:
            owner = getattr(owner, step)
        original = vars(owner).get(name)
        if original is None:
            raise InvalidInput(f"the fault {self.name!r} has no target: funcgrad.{module} has no {path}.")
        forget()
        setattr(owner, name, self.broken(original))
        try:
            yield
        finally:
            setattr(owner, name, original)
            forget()


def forget():
    """Empty every cache of the library, so that nothing factored before hides a fault or outlives it."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "funcgrad":
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def scaled(factor):
    """Return what makes a function's result wrong by a factor."""
    return lambda original: lambda *args, **options: factor * original(*args, **options)


def _after(change):
    """Return what changes a method's result by `change(result, self)`."""
    return lambda original: lambda self, *args, **options: change(original(self, *args, **options), self)


# --- metrics ------------------------------------------------------------------------------------------


def _symbol_of(formula):
    return lambda original: lambda self, eigenvalues: formula(self, np.asarray(eigenvalues), original)


def _another_weight(original):
    def broken(self, domain, nodes, weights, rule, shape=None):
        weights = weights.copy()
        weights[len(weights) // 3] *= 1 + 1e-6
        original(self, domain, nodes, weights, rule, shape)

    return broken


def _weights_of_one(original):
    return lambda self, domain, nodes, weights, rule, shape=None: original(
        self, domain, nodes, np.ones(len(weights)), rule, shape
    )


def _dropped_highest_mode(original):
    def broken(self, grid, symbol):
        original(self, grid, symbol)
        highest = np.zeros(self._half_power.shape, dtype=bool)
        highest[-1] = True
        self._half_power = np.where(highest, 1.0, self._half_power)
        self._inverse = np.where(highest, 1.0, self._inverse)

    return broken


def _inverse_missed(original):
    def broken(self, components):
        weights = self._column(components) ** 2
        return self._column(components) * self._grid.multiply(self._half_power, components / weights)

    return broken


def _no_condition_at_the_ends(original):
    return lambda self, grid, length_scale, order=1, vanishing=False: original(
        self, grid, length_scale, order, False
    )


def _derivatives_in_another_unit(original):
    return property(lambda self: original.fget(self) * (1 + 1e-6))


METRICS = (
    Fault(
        "sobolev-symbol",
        "(1 + 1.0001 ℓ²λ)^s",
        "metrics.sobolev:Sobolev.symbol",
        _symbol_of(lambda self, eigenvalues, original: original(self, 1.0001 * eigenvalues)),
        ("sobolev-gradient-smooths",),
    ),
    Fault(
        "sobolev-constant",
        "1.001 (1 + ℓ²λ)^s",
        "metrics.sobolev:Sobolev.symbol",
        _symbol_of(lambda self, eigenvalues, original: 1.001 * original(self, eigenvalues)),
        ("sobolev-gradient-smooths",),
    ),
    Fault(
        "sobolev-order",
        "(1 + ℓ²λ)^{s/2}: the root in place of the power",
        "metrics.sobolev:Sobolev.symbol",
        _symbol_of(lambda self, eigenvalues, original: np.sqrt(original(self, eigenvalues))),
        ("sobolev-gradient-smooths",),
    ),
    Fault(
        "length-scale-ignored",
        "ℓ = 1 in the symbol, whatever it is",
        "metrics.sobolev:Sobolev.symbol",
        _symbol_of(lambda self, eigenvalues, original: (1 + eigenvalues) ** self.order),
        ("riesz-representation",),
    ),
    Fault(
        "length-scale-squared",
        "ℓ² in place of ℓ at the derivative of H^1 on an interval",
        "metrics.sobolev:DerivativeRoot.__init__",
        lambda original: (
            lambda self, grid, length_scale, *args, **options: original(
                self, grid, length_scale**2, *args, **options
            )
        ),
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "dirichlet-forgotten",
        "nothing imposed at the ends in H^1 with Dirichlet conditions",
        "metrics.sobolev:DerivativeRoot.__init__",
        _no_condition_at_the_ends,
        ("riesz-representation",),
    ),
    Fault(
        "weights-for-their-roots",
        "whitening by w in place of √w in L2",
        "operators.square_root:DiagonalRoot.__init__",
        lambda original: lambda self, weights: original(self, weights**2),
        ("no-l2-gradient",),
    ),
    Fault(
        "whitening-by-the-root",
        "covectors whitened by S in place of S⁻ᵀ",
        "operators.square_root:SpectralRoot.solve_transpose",
        _inverse_missed,
        ("riesz-representation",),
    ),
    Fault(
        "highest-mode",
        "the eigenvalue at the Nyquist mode taken as 0",
        "operators.square_root:SpectralRoot.__init__",
        _dropped_highest_mode,
        ("sobolev-gradient-smooths",),
    ),
    Fault(
        "triangular-factor-transposed",
        "Lᵀ in place of L in the metric of a kernel",
        "operators.square_root:TriangularRoot.apply",
        lambda original: lambda self, values: self._solve(values, "T"),
        ("kernel-quadrature-metric",),
    ),
    Fault(
        "representer-sign",
        "the representer of -dF",
        "metrics.base:Metric.riesz",
        _after(lambda g, metric: -g),
        ("riesz-representation",),
    ),
)

# --- domains and grids --------------------------------------------------------------------------------


def _fewer_waves(original):
    return lambda self, count: original(self, count) / (2 * np.pi) ** 2


def _one_mode_off(original):
    return lambda self, count: (np.pi / self.length * (self._modes(count) + 1)) ** 2


def _cosines_for_sines(original):
    def broken(self, domain, n):
        original(self, domain, n)
        self._sine = not self._sine

    return broken


def _nearest_node(original):
    def broken(self, grid):
        total = np.zeros((len(grid), *self.weights.shape[1:]))
        for point, weight in zip(self._points_of(grid), self.weights, strict=True):
            total[np.argmin(np.abs(grid.nodes - point).sum(axis=1))] += weight
        return total

    return broken


SPACES = (
    Fault(
        "quadrature-weight",
        "one quadrature weight 1e-6 too large",
        "spaces.grid:Grid.__init__",
        _another_weight,
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "weights-without-volume",
        "quadrature weights 1 in place of the volume of a cell",
        "spaces.grid:Grid.__init__",
        _weights_of_one,
        ("no-l2-gradient",),
    ),
    Fault(
        "missing-two-pi",
        "frequencies k/L in place of 2πk/L on the circle",
        "spaces.circle:Circle.laplacian_spectrum",
        _fewer_waves,
        ("evaluation-threshold",),
    ),
    Fault(
        "mode-off-by-one",
        "the eigenvalue of the next mode on the interval",
        "spaces.interval:Interval.laplacian_spectrum",
        _one_mode_off,
        ("evaluation-threshold",),
    ),
    Fault(
        "dirichlet-for-neumann",
        "sines in place of cosines, and conversely",
        "spaces.spectral_grid:HalfRangeGrid.__init__",
        _cosines_for_sines,
        ("sobolev-gradient-smooths", "riesz-representation"),
    ),
    Fault(
        "transform-scaled",
        "a Fourier transform that loses 1e-9 of its values",
        "spaces.spectral_grid:FourierGrid.forward",
        scaled(1 - 1e-9),
        ("riesz-representation",),
    ),
    Fault(
        "differentiation-matrix",
        "derivatives on polynomial grids 1e-6 too large",
        "spaces.polynomial_grid:PolynomialGrid.differentiation_matrix",
        _derivatives_in_another_unit,
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "nearest-node",
        "point evaluations moved to the nearest node of the grid",
        "functionals.terms:PointTerm.components",
        _nearest_node,
        ("natural-gradient-is-projection",),
    ),
)

# --- functionals --------------------------------------------------------------------------------------


def _without_the_last_point(original):
    def broken(self, slopes):
        slopes = slopes.copy()
        slopes[-1] = 0.0
        return original(self, slopes)

    return broken


def _without_weights(original):
    def broken(self, slopes):
        weights, self.weights = self.weights, np.ones(len(self.x))
        try:
            return original(self, slopes)
        finally:
            self.weights = weights

    return broken


FUNCTIONALS = (
    Fault(
        "point-dropped",
        "the differential of a loss without its last point",
        "functionals.losses:EmpiricalLoss._at_points",
        _without_the_last_point,
        ("ntk-gradient",),
    ),
    Fault(
        "weights-of-samples",
        "the differential of a loss without the weights of its points",
        "functionals.losses:EmpiricalLoss._at_points",
        _without_weights,
        ("ntk-gradient",),
    ),
    Fault(
        "targets-forgotten",
        "f in place of f - y in the squared loss",
        "functionals.pointwise_losses:Squared.derivative",
        lambda original: lambda self, z, y: z + 0 * y,
        ("ntk-gradient", "energy-decay"),
    ),
    Fault(
        "logistic-term",
        "the derivative of the logistic loss without y",
        "functionals.pointwise_losses:Logistic.derivative",
        lambda original: lambda self, z, y: original(self, z, 0 * y),
        ("ntk-gradient",),
    ),
    Fault(
        "derivative-off-by-one",
        "point derivatives of one order less",
        "functionals.terms:PointTerm.coefficients",
        lambda original: (
            lambda self, domain, count: original(
                type(self)(self.points, (max(0, self.derivative[0] - 1), *self.derivative[1:]), self.weights),
                domain,
                count,
            )
        ),
        ("derivative-threshold",),
    ),
    Fault(
        "surface-measure",
        "surface integrals 1% too large",
        "functionals.surface_term:SurfaceTerm.coefficients",
        scaled(1.01),
        ("trace-threshold",),
    ),
)

# --- kernels ------------------------------------------------------------------------------------------


def _sign_of_images(original):
    def broken(self, *args, **options):
        original(self, *args, **options)
        self._sign = -self._sign

    return broken


def _larger_amplitude(original):
    def broken(self, *args, **options):
        original(self, *args, **options)
        self.amplitude *= 1 + 1e-8

    return broken


KERNELS = (
    Fault(
        "periodic-kernel-constant",
        "the kernel of the circle 1e-8 too large",
        "kernels.periodic:PeriodicSobolev._evaluate",
        scaled(1 + 1e-8),
        ("sobolev-kernel",),
    ),
    Fault(
        "interval-kernel-constant",
        "the kernel of the interval 1e-8 too large",
        "kernels.interval:IntervalSobolev._evaluate",
        scaled(1 + 1e-8),
        ("sobolev-kernel",),
    ),
    Fault(
        "kernel-constant",
        "the kernel of R^n 1e-8 too large",
        "kernels.matern:Sobolev.__init__",
        _larger_amplitude,
        ("sobolev-kernel",),
    ),
    Fault(
        "images-of-the-other-sign",
        "Neumann's images for Dirichlet's",
        "kernels.interval:IntervalSobolev.__init__",
        _sign_of_images,
        ("sobolev-kernel",),
    ),
    Fault(
        "kernel-without-length-scale",
        "ℓ = 1 in the kernel of the circle",
        "kernels.periodic:periodised",
        lambda original: lambda s, length, length_scale, order: original(s, length, 1.0, order),
        ("sobolev-kernel",),
    ),
    Fault(
        "limit-kernel",
        "the kernel of an infinitely wide network 10% too large",
        "kernels.network:ReLUTangent._evaluate",
        scaled(1.1),
        ("infinite-width",),
    ),
)

# --- models -------------------------------------------------------------------------------------------


def _last_column_negated(jacobian, model):
    return np.concatenate([jacobian[..., :-1], -jacobian[..., -1:]], axis=-1)


def _one_entry_negated(jacobian, model):
    jacobian = jacobian.copy()
    jacobian[len(jacobian) // 2, ..., 0] *= -1
    return jacobian


def _filled_with_more(original):
    def broken(self, theta, x, alpha, out):
        finite = original(self, theta, x, alpha, out)
        out *= 1.1
        return finite

    return broken


MODELS = (
    Fault(
        "jacobian-column-sign",
        "the derivative in the last parameter has the wrong sign",
        "models.symbolic:Symbolic._jacobian",
        _after(_last_column_negated),
        ("ntk-gradient",),
    ),
    Fault(
        "jacobian-entry-sign",
        "the derivative in the first parameter has the wrong sign at one node",
        "models.symbolic:Symbolic._jacobian",
        _after(_one_entry_negated),
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "monomial-off-by-one",
        "k x^{k-1} in place of x^k in the Jacobian of a polynomial",
        "models.polynomial:Polynomial._jacobian",
        lambda original: lambda self, theta, x, alpha: original(self, theta, x, (alpha[0] + 1,)),
        ("energy-decay", "natural-gradient-is-projection"),
    ),
    Fault(
        "network-scale",
        "the Jacobian of a network 10% too large",
        "models.mlp:MLP._fill",
        _filled_with_more,
        ("infinite-width",),
    ),
)

# --- gradients ----------------------------------------------------------------------------------------


def _in_l2(original):
    def broken(self, model, theta, metric, grid, held=None):
        from funcgrad.metrics import L2

        original(self, model, theta, L2(), grid, held)

    return broken


def _solve_with(**fixed):
    return lambda original: (
        lambda self, damping=0.0, rcond=None, reason="": original(
            self, **{"damping": damping, "rcond": rcond, "reason": reason, **fixed}
        )
    )


def _damping_left_on(original):
    return lambda self, damping=0.0, rcond=None, reason="": original(
        self, damping + 1e-8 * self.singular_values[0] ** 2, rcond, reason
    )


def _euclidean(original):
    def broken(self, damping=0.0, rcond=None, reason=""):
        from dataclasses import replace

        found = original(self, damping, rcond, reason)
        return replace(found, solution=self.right_vectors.T @ (self.singular_values * self.coordinates))

    return broken


def _factor_transposed(original):
    def broken(self, x, side):
        import scipy.linalg

        jacobian = self.model.jacobian_derivative(self.theta, x, self._orders[side])
        if self.factor is None:
            return jacobian
        return scipy.linalg.solve_triangular(self.factor, jacobian.T).T

    return broken


def _change_transposed(original):
    def broken(self, root, a, h_factor):
        original(self, root, a, h_factor)
        self._change = self._change.T

    return broken


GRADIENTS = (
    Fault(
        "another-metric",
        "the Gram matrix in L2, whatever the metric",
        "gradients.whitened_jacobian:WhitenedJacobian.__init__",
        _in_l2,
        ("pullback-metric", "natural-gradient-is-projection"),
    ),
    Fault(
        "cut-off",
        "singular values up to a tenth of the largest cut off",
        "gradients.solvers.solution:ReducedProblem.solve",
        _solve_with(rcond=0.1),
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "no-cut-off",
        "no singular value cut off, be the model degenerate",
        "gradients.solvers.solution:ReducedProblem.solve",
        _solve_with(rcond=0.0),
        ("degenerate-model",),
    ),
    Fault(
        "damping-left-on",
        "a damping of 1e-8 of the largest eigenvalue",
        "gradients.solvers.solution:ReducedProblem.solve",
        _damping_left_on,
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "euclidean-gradient",
        "the Euclidean gradient for the natural one",
        "gradients.solvers.solution:ReducedProblem.solve",
        _euclidean,
        ("natural-gradient-is-projection",),
    ),
    Fault(
        "kernel-factor-transposed",
        "R⁻¹ in place of R⁻ᵀ in a tangent kernel",
        "gradients.tangent_kernel:TangentFeatures._features",
        _factor_transposed,
        ("gtk-is-reproducing",),
    ),
    Fault(
        "parameter-dropped",
        "a tangent kernel without its last parameter",
        "gradients.tangent_kernel:TangentFeatures._features",
        _after(lambda features, kernel: features[..., :-1]),
        ("ntk-gradient", "ntk-is-reproducing"),
    ),
    Fault(
        "extension-transposed",
        "the change of metric on the tangent space is transposed",
        "metrics.tangent_extended:ExtendedRoot.__init__",
        _change_transposed,
        ("gtk-extends",),
    ),
    Fault(
        "components-reversed",
        "a matrix-valued tangent kernel acts on the components in reverse",
        "gradients.tangent_kernel:MatrixTangentKernel._product",
        lambda original: lambda self, X, Y, v: original(self, X, Y, v[:, ::-1]),
        ("vector-valued",),
    ),
    Fault(
        "kronecker-constant",
        "Kronecker factors over 1.0001 times the norm of the constant",
        "gradients.solvers.kronecker:triangular_factor",
        scaled(1.0001),
        ("kronecker-exactness",),
    ),
)

FAULTS = METRICS + SPACES + FUNCTIONALS + KERNELS + MODELS + GRADIENTS
