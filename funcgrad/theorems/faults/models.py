"""Faults in models."""

import numpy as np

from funcgrad.theorems.faults.fault import Fault, after


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
        after(_last_column_negated),
        ("ntk-gradient",),
    ),
    Fault(
        "jacobian-entry-sign",
        "the derivative in the first parameter has the wrong sign at one node",
        "models.symbolic:Symbolic._jacobian",
        after(_one_entry_negated),
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
