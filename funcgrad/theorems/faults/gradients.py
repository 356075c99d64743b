"""Faults in natural gradients, their solvers and tangent kernels."""

from funcgrad.theorems.faults.fault import Fault, after, scaled


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
        after(lambda features, kernel: features[..., :-1]),
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
