"""Strategies for kernels."""

import math

import numpy as np
from hypothesis import strategies as st

from funcgrad import kernels as library
from funcgrad.errors import InvalidInput
from funcgrad.spaces import Box, Euclidean, Interval, Sphere, Torus
from funcgrad.testing.strategies.given import inner
from funcgrad.testing.strategies.spaces import domains, length_scales

# A family whose length scale is halved so often has a Gram matrix that is diagonal to rounding.
_HALVINGS = 60


@st.composite
def kernels(draw, *, domain=None, points=None, condition=1e8):
    """Return a strategy for kernels; they shrink to Matern(0.5).

    All of the library's are drawn on the domains where they act; those whose Gram matrices are singular
    (of inner products, of networks, of mean-zero functions) if the condition number need not be bounded.

    Parameters
    ----------
    domain : strategy, optional
        Of domains where the kernel acts.
    points : strategy, optional
        Of distinct points (K, n) in the domain; by default 6 of a lattice.
    condition : float
        A bound on the condition number of the Gram matrix at the points: the length scale is halved until
        it holds. Infinity for none.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.kernels(), lambda kernel: True)
    Matern(0.5, length_scale=1)
    """
    on = draw(inner(domain, "domain", lambda: domains(kinds=("interval", "circle", "sphere"))))
    X = draw(inner(points, "points", lambda: st.just(lattice(on))))
    singular = _without_length_scale(on) if condition == math.inf else []
    family = draw(st.sampled_from([*_families(on), *singular]))
    scale = draw(length_scales())
    factor = draw(st.sampled_from([1.0, 2.0, 0.5]))
    kernel = _well_conditioned(family, scale, X, condition)
    return kernel if factor == 1.0 else factor * kernel


def _well_conditioned(family, scale, X, condition):
    """Return the kernel of the family whose Gram matrix at points has the condition, by halving its scale."""
    for _ in range(_HALVINGS):
        kernel = family(scale)
        if np.linalg.cond(kernel.gram(X)) <= condition:
            return kernel
        scale /= 2
    raise InvalidInput(
        f"no length scale gives a Gram matrix of `condition` {condition:g} at the `points`: are two of them "
        "equal, or is the condition 1 or less?"
    )


def lattice(domain):
    """Return 6 distinct points in the interior of a domain, (6, n_coordinates)."""
    t = (np.arange(6) + 0.5) / 6
    n = domain.dimension
    cube = np.stack([(t * (i + 1) + i / 12) % 1.0 for i in range(n)], axis=1)
    return cube if isinstance(domain, Euclidean) else domain.from_unit_cube(cube)


def _families(domain):
    """Return functions of a length scale, each a family of kernels on a domain, simple ones first."""
    plain = [
        lambda ell: library.Matern(0.5, ell),
        lambda ell: library.Matern(1.5, ell),
        lambda ell: library.Matern(2.5, ell),
        lambda ell: library.Gaussian(ell),
        lambda ell: library.Matern(1.5, ell) + library.Gaussian(ell),
        lambda ell: library.Matern(0.5, ell) * library.Gaussian(ell),
        _inverse_quadratic,
    ]
    n = domain.dimension
    if isinstance(domain, Sphere):  # radial kernels of R³, restricted
        return [*plain, lambda ell: library.SphereSobolev(2.0, ell)]
    if isinstance(domain, Torus):
        lengths = domain.lengths
        products = [library.PeriodicSobolev(1.25, length) for length in lengths]
        return [
            lambda ell: library.TorusSobolev(n / 2 + 1, lengths, ell),
            lambda ell: library.TorusSobolev(n / 2 + 0.7, lengths, ell),
            lambda ell: library.TensorProduct(library.PeriodicSobolev(1.25, lengths[0], ell), *products[1:]),
        ]
    if getattr(domain, "boundary", None) == "periodic":
        # Radial kernels of the coordinate are not functions on the circle.
        length = domain.volume
        return [
            lambda ell: library.PeriodicSobolev(1.0, length, ell),
            lambda ell: library.PeriodicSobolev(2.0, length, ell),
            lambda ell: library.PeriodicSobolev(1.25, length, ell),
        ]
    if isinstance(domain, Interval):
        a, b, boundary = domain.a, domain.b, domain.boundary
        plain.append(lambda ell: library.IntervalSobolev(1.0, a, b, boundary, ell))
        plain.append(lambda ell: library.IntervalSobolev(2.0, a, b, boundary, ell))
        plain.append(lambda ell: library.DerivativeSobolev(2, a, b, length_scale=ell))
    if isinstance(domain, Box):
        box = [domain.bounds, domain.boundary]
        return [*plain, lambda ell: library.BoxSobolev(n / 2 + 1, *box, ell)]
    if isinstance(domain, Euclidean):
        plain.append(lambda ell: library.Sobolev(n / 2 + 1, n, ell))
    return plain


def _inverse_quadratic(ell):
    return library.Radial(
        lambda r: 1 / (1 + (r / ell) ** 2), [lambda r: -2 / ell**2 / (1 + (r / ell) ** 2) ** 2]
    )


def _without_length_scale(domain):
    """Return families whose Gram matrices may be singular whatever the length scale."""
    on_a_line = domain.dimension == 1 and not isinstance(domain, Euclidean)
    homogeneous = [lambda ell: library.HomogeneousSobolev(2.0, domain, ell)] if on_a_line else []
    if "periodic" in getattr(domain, "boundary", ""):
        return homogeneous  # inner products of coordinates are not functions there
    return [
        *homogeneous,
        lambda ell: library.Linear(),
        lambda ell: library.Polynomial(2, 1.0),
        lambda ell: library.ArcCosine(1),
        lambda ell: library.ReLUTangent(1),
    ]


@st.composite
def matrix_kernels(draw, *, domain=None, components=None, condition=1e8):
    """Return a strategy for matrix-valued kernels, one or two terms; they shrink to Matern(0.5) times 1.

    Parameters
    ----------
    domain : strategy, optional
        Of domains where the kernel acts.
    components : strategy, optional
        Of m, by default 1 to 3.
    condition : float
        As for `kernels`, of the scalar kernels; the couplings of the components have at most 4, or may be
        singular if it is infinite.

    Examples
    --------
    >>> from hypothesis import find
    >>> from funcgrad.testing import strategies
    >>> find(strategies.matrix_kernels(), lambda kernel: True)
    MatrixKernel([[1.0]], Matern(0.5, length_scale=1))
    """
    on = draw(inner(domain, "domain", lambda: domains(kinds=("interval", "circle", "sphere"))))
    m = draw(inner(components, "components", lambda: st.integers(1, 3)))
    least = 0.0 if condition == math.inf else 1.0
    terms = []
    for _ in range(draw(st.integers(1, 2))):
        rows = draw(st.lists(st.integers(-1, 1), min_size=m, max_size=m))
        coupling = np.outer(rows, rows) + (least or float(not any(rows))) * np.eye(m)
        terms.append(library.MatrixKernel(coupling, draw(kernels(domain=st.just(on), condition=condition))))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]
