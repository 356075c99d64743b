"""Bilinear forms that see two functions' derivatives at the same points."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class PointwiseForm:
    """(v, w) ↦ Σ_k Σ_{s,t} H_kst ∂^α_s v_i_s(x_k) ∂^α_t w_i_t(x_k): a second variation at points.

    Integrals are their quadrature: H holds the weights.

    Attributes
    ----------
    points : ndarray, (K, n)
    slots : tuple of (int or None, multi-index)
        The component i and the derivative α; i is None for functions without an axis for components.
    matrices : ndarray, (K, s, s)
        H, symmetric.
    """

    points: np.ndarray
    slots: tuple
    matrices: np.ndarray

    def scaled(self, factor):
        """Return the form times a number."""
        return PointwiseForm(self.points, self.slots, factor * self.matrices)


def combined_forms(forms):
    """Return forms with those at the same points added."""
    result = []
    for form in forms:
        for i, other in enumerate(result):
            if np.array_equal(form.points, other.points):
                result[i] = _sum(other, form)
                break
        else:
            result.append(form)
    return tuple(result)


def _sum(a, b):
    slots = a.slots + tuple(slot for slot in b.slots if slot not in a.slots)
    total = np.zeros((len(a.points), len(slots), len(slots)))
    for form in (a, b):
        place = [slots.index(slot) for slot in form.slots]
        total[:, np.array(place)[:, None], place] += form.matrices
    return PointwiseForm(a.points, slots, total)
