"""The catalogue notices when the library is broken: each fault turns at least one theorem to refuted."""

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.gradients.tangent_kernel import MatrixTangentKernel
from funcgrad.metrics.sobolev import Sobolev, _sobolev_root
from funcgrad.metrics.tangent_extended import ExtendedRoot
from funcgrad.models.symbolic import Symbolic
from funcgrad.spaces.grid import Grid


@pytest.fixture(autouse=True)
def fresh_factors():
    """Factored metrics are kept by value; a broken one must not outlive its test."""
    from funcgrad.metrics.l2 import _l2_root

    _sobolev_root.cache_clear()
    _l2_root.cache_clear()
    yield
    _sobolev_root.cache_clear()
    _l2_root.cache_clear()


def scaled_symbol(monkeypatch):
    """(1 + 1.0001 ℓ²λ)^s."""
    original = Sobolev.symbol
    monkeypatch.setattr(Sobolev, "symbol", lambda self, eigenvalues: original(self, 1.0001 * eigenvalues))


def symbol_with_a_constant(monkeypatch):
    """1.001 (1 + ℓ²λ)^s."""
    original = Sobolev.symbol
    monkeypatch.setattr(Sobolev, "symbol", lambda self, eigenvalues: 1.001 * original(self, eigenvalues))


def one_quadrature_weight(monkeypatch):
    """One weight 1e-6 too large."""
    original = Grid.__init__

    def broken(self, domain, nodes, weights, rule):
        weights = weights.copy()
        weights[len(weights) // 3] *= 1 + 1e-6
        original(self, domain, nodes, weights, rule)

    monkeypatch.setattr(Grid, "__init__", broken)


def all_quadrature_weights(monkeypatch):
    """Every weight without the cell volume."""
    original = Grid.__init__

    def broken(self, domain, nodes, weights, rule):
        original(self, domain, nodes, np.full(len(weights), 1.0), rule)

    monkeypatch.setattr(Grid, "__init__", broken)


def sign_of_a_jacobian_column(monkeypatch):
    """The derivative in the last parameter has the wrong sign."""
    original = Symbolic._jacobian

    def broken(self, theta, x, alpha):
        jacobian = original(self, theta, x, alpha).copy()
        jacobian[..., -1] *= -1
        return jacobian

    monkeypatch.setattr(Symbolic, "_jacobian", broken)


def sign_of_one_jacobian_entry(monkeypatch):
    """The derivative at one node has the wrong sign."""
    original = Symbolic._jacobian

    def broken(self, theta, x, alpha):
        jacobian = original(self, theta, x, alpha).copy()
        jacobian[len(x) // 2, ..., 0] *= -1
        return jacobian

    monkeypatch.setattr(Symbolic, "_jacobian", broken)


def tangent_metric_without_its_transpose(monkeypatch):
    """The change of metric on the tangent space is transposed."""
    original = ExtendedRoot.__init__

    def broken(self, root, a, h_factor):
        original(self, root, a, h_factor)
        self._change = self._change.T

    monkeypatch.setattr(ExtendedRoot, "__init__", broken)


def components_in_the_wrong_order(monkeypatch):
    """The matrix-valued tangent kernel acts on the components in reverse."""
    original = MatrixTangentKernel._product
    monkeypatch.setattr(
        MatrixTangentKernel, "_product", lambda self, X, Y, v: original(self, X, Y, v[:, ::-1])
    )


def size_of_the_constant(monkeypatch):
    """Kronecker factors over 1.0001 ‖1‖²."""
    from funcgrad.gradients.solvers import kronecker

    original = kronecker.triangular_factor
    monkeypatch.setattr(kronecker, "triangular_factor", lambda *matrix: 1.0001 * original(*matrix))


FAULTS = {
    size_of_the_constant: "kronecker-exactness",
    scaled_symbol: "riesz-representation",
    symbol_with_a_constant: "sobolev-gradient-smooths",
    one_quadrature_weight: "natural-gradient-is-projection",
    all_quadrature_weights: "no-l2-gradient",
    sign_of_a_jacobian_column: "ntk-gradient",
    sign_of_one_jacobian_entry: "natural-gradient-is-projection",
    tangent_metric_without_its_transpose: "gtk-extends",
    components_in_the_wrong_order: "vector-valued",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_refuted(fault, monkeypatch):
    fault(monkeypatch)
    verdict = fg.verify(FAULTS[fault])
    assert verdict.holds is False, str(verdict)
