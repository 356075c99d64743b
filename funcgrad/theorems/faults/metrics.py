"""Faults in metrics."""

import numpy as np

from funcgrad.theorems.faults.fault import Fault, after


def _symbol_of(formula):
    return lambda original: lambda self, eigenvalues: formula(self, np.asarray(eigenvalues), original)


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
        after(lambda g, metric: -g),
        ("riesz-representation",),
    ),
)
