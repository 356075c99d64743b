"""The oracle of the least-squares benchmarks."""

import numpy as np
import scipy.linalg


def refined(a, r):
    """Return argmin |Aη - r| to full accuracy, by refinement of [I A; Aᵀ 0] (Björck) in long double.

    The distance from gelsd says little: it starts with the QR factorisation, and the rounding, of dgels.
    """
    q, upper = scipy.linalg.qr(a, mode="economic")
    residual, eta = np.zeros(len(r), np.longdouble), np.zeros(a.shape[1], np.longdouble)
    for _ in range(6):
        image, gradient = np.empty_like(residual), np.zeros_like(eta)
        for start in range(0, len(r), 2000):
            rows = slice(start, start + 2000)
            block = a[rows].astype(np.longdouble)
            image[rows] = block @ eta
            gradient -= block.T @ residual[rows]
        defect = (r - residual - image).astype(float)
        h = scipy.linalg.solve_triangular(upper, gradient.astype(float), trans="T")
        d = q.T @ defect
        residual += defect - q @ (d - h)
        eta += scipy.linalg.solve_triangular(upper, d - h)
    return eta.astype(float)
