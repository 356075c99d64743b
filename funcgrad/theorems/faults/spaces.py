"""Faults in domains and grids."""

import numpy as np

from funcgrad.theorems.faults.fault import Fault, scaled


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


def _derivatives_in_another_unit(original):
    return property(lambda self: original.fget(self) * (1 + 1e-6))


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
