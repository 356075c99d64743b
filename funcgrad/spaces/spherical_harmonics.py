"""Real spherical harmonics on the unit sphere: values, products with coordinates, derivatives.

They are orthonormal and numbered by l² + l + m: √2 P_lm(z) cos(mφ) for m > 0, P_l0(z) for m = 0 and
√2 P_l|m|(z) sin(|m|φ) for m < 0, with x + iy = √(1-z²) e^{iφ}, P_lm the normalised associated Legendre
functions, positive near z = 1 (no Condon-Shortley phase: Y_11 is a positive multiple of x).
"""

import numpy as np
import scipy.sparse


def degrees(degree):
    """Return l and m of each harmonic up to a degree, two arrays (D,) with D = (degree + 1)²."""
    l = np.repeat(np.arange(degree + 1), 2 * np.arange(degree + 1) + 1)
    return l, np.arange(len(l)) - l**2 - l


def legendre_table(degree, z, s):
    """Return P_lm at z = cos θ and s = sin θ (K,), as [l, m, k] of shape (degree + 1, degree + 1, K).

    By the recurrence in l for each m (Holmes & Featherstone 2002, without their scaling: values underflow
    to zero from degrees of about 1500 on, where s^m does but P_lm need not).
    """
    table = np.zeros((degree + 1, degree + 1, len(z)))
    table[0, 0] = 1 / np.sqrt(4 * np.pi)
    for l in range(1, degree + 1):
        m = np.arange(l, dtype=float)[:, None]
        table[l, :l] = np.sqrt((4 * l * l - 1) / (l * l - m * m)) * z * table[l - 1, :l]
        if l > 1:
            ratio = (2 * l + 1) * ((l - 1) ** 2 - m[:-1] ** 2) / ((2 * l - 3) * (l * l - m[:-1] ** 2))
            table[l, : l - 1] -= np.sqrt(ratio) * table[l - 2, : l - 1]
        table[l, l] = np.sqrt((2 * l + 1) / (2 * l)) * s * table[l - 1, l - 1]
    return table


def real_harmonics(degree, x):
    """Return the harmonics up to a degree at unit vectors (K, 3), (K, (degree + 1)²)."""
    sine = np.hypot(x[:, 0], x[:, 1])  # not √(1 - z²), which loses digits near the poles
    angle = np.arctan2(x[:, 1], x[:, 0]) * np.arange(1, degree + 1)[:, None]
    waves = np.vstack([np.sin(angle[::-1]), np.full((1, len(x)), np.sqrt(0.5)), np.cos(angle)])
    l, m = degrees(degree)
    table = legendre_table(degree, x[:, 2], sine)
    return (np.sqrt(2) * table[l, np.abs(m)] * waves[m + degree]).T


def derivative_matrix(degree, orders):
    """Return the matrix of ∂_x^a ∂_y^b ∂_z^c on harmonics up to a degree, into those |orders| higher.

    The derivatives are the Cartesian ones, on the sphere, of the extension that is constant along rays,
    f(x/|x|). Each raises the degree by one, and the sphere's functions are mapped without error.

    With X_j the matrix of the product with x_j, ∂_j of the extension of a harmonic of degree l is
    (l + 1) times its part of degree l - 1 in X_j, less l times that of degree l + 1; and ∂_j of a function
    homogeneous of degree -k, as k derivatives make it, has -k x_j in addition.
    """
    matrix = scipy.sparse.identity((degree + 1) ** 2, format="csr")
    axes = [axis for axis, order in enumerate(orders) for _ in range(order)]
    for k, axis in enumerate(axes):
        product = coordinate_matrix(degree + k, axis).tocoo()
        from_degree, to_degree = np.sqrt(product.col).astype(int), np.sqrt(product.row).astype(int)
        factor = np.where(to_degree < from_degree, from_degree + 1, -from_degree) - k
        matrix = (
            scipy.sparse.csr_matrix((factor * product.data, (product.row, product.col)), product.shape)
            @ matrix
        )
    return matrix


def coordinate_matrix(degree, axis):
    """Return the matrix of the product with x, y or z (axis 0, 1, 2) on harmonics up to a degree, sparse.

    Its shape is ((degree + 2)², (degree + 1)²).
    """
    l, m = degrees(degree)
    transitions = _products_with_z(l, m) if axis == 2 else _products_with_x_or_y(l, m, axis)
    parts = [
        (np.where(valid, value, 0.0), target_l**2 + target_l + target_m, np.arange(len(l)))
        for value, target_l, target_m, valid in transitions
    ]
    value, row, column = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = value != 0
    shape = ((degree + 2) ** 2, (degree + 1) ** 2)
    return scipy.sparse.csr_matrix((value[kept], (row[kept], column[kept])), shape)


def _products_with_z(l, m):
    """z P_lm = √(((l+1)² - m²)/((2l+1)(2l+3))) P_{l+1,m} + √((l² - m²)/((2l-1)(2l+1))) P_{l-1,m}."""
    yield np.sqrt(((l + 1) ** 2 - m**2) / ((2 * l + 1) * (2 * l + 3))), l + 1, m, True
    yield np.sqrt((l**2 - m**2) / np.maximum((2 * l - 1) * (2 * l + 1), 1)), l - 1, m, l > np.abs(m)


def _products_with_x_or_y(l, m, axis):
    """√(1-z²) P_lm in terms of P_{l±1,m±1}, and cos φ or sin φ times the wave in φ."""
    order, is_sine = np.abs(m), m < 0
    up, down = (2 * l + 1) * (2 * l + 3), np.maximum((2 * l - 1) * (2 * l + 1), 1)
    for step in (1, -1):
        target = order + step
        target_is_sine = is_sine if axis == 0 else ~is_sine
        # cos φ (cos, sin) mφ = ½ (cos, sin)(m+1)φ + ½ (cos, sin)(m-1)φ, and with sin φ
        # cos mφ -> ½ sin(m+1)φ - ½ sin(m-1)φ, sin mφ -> ½ cos(m-1)φ - ½ cos(m+1)φ.
        sign = 1.0 if axis == 0 else np.where(is_sine, -step, step)
        wave = sign * np.where(np.minimum(order, target) == 0, np.sqrt(0.5), 0.5)
        valid = (target >= 0) & ~((target == 0) & target_is_sine)
        signed = np.where(target_is_sine, -target, target)
        # For step 1 the numerators are (l+m+1)(l+m+2) and (l-m)(l-m-1); for step -1 those of -m.
        n = step * order
        raised = step * np.sqrt((l + n + 1) * (l + n + 2) / up)
        lowered = -step * np.sqrt((l - n) * (l - n - 1) / down)
        yield wave * raised, l + 1, signed, valid
        yield wave * lowered, l - 1, signed, valid & (target <= l - 1)
