"""Named bases of functions with exact derivatives, for `Linear` and `Rational`.

Each function here returns a `Basis`: monomials, Legendre polynomials, trigonometric functions, B-splines,
kernel sections, and tensor products of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from funcgrad._checks import finite_array, finite_number, point_array, positive_number, whole_number
from funcgrad.errors import InvalidInput


@dataclass(frozen=True)
class Basis:
    """Functions b_1 ... b_K of n coordinates with their derivatives.

    Attributes
    ----------
    name : str
        How the basis is shown.
    dimension : int
        n.
    size : int
        K.
    evaluate : callable
        Takes points (N, n) and a multi-index α, a tuple of n int, and returns ∂^α b_i, shape (N, K).

    Examples
    --------
    >>> import numpy as np
    >>> constant = Basis("one", 1, 1, lambda x, alpha: np.full((len(x), 1), 1.0 - sum(alpha)))
    >>> len(constant), constant
    (1, one)
    """

    name: str
    dimension: int
    size: int
    evaluate: Callable

    def __len__(self):
        return self.size

    def __repr__(self):
        return self.name


def monomial(degree, dimension=1):
    """Return the monomials x^k of total degree |k| at most `degree`: 1, x, x², ... in one dimension.

    In more dimensions they are ordered by degree, then with the first coordinate's powers falling.

    Examples
    --------
    >>> import numpy as np
    >>> monomial(2, dimension=2).evaluate(np.array([[2.0, 3.0]]), (0, 0))
    array([[1., 2., 3., 4., 6., 9.]])
    """
    degree, n = whole_number(degree, "degree"), whole_number(dimension, "dimension", least=1)
    exponents = [k for k in product(range(degree + 1), repeat=n) if sum(k) <= degree]
    exponents = np.array(sorted(exponents, key=lambda k: (sum(k), [-power for power in k])))

    def evaluate(x, alpha):
        if n == 1:
            return _powers(x[:, 0], degree, alpha[0])
        values = np.ones((len(x), len(exponents)))
        for coordinate, powers, order in zip(x.T, exponents.T, alpha, strict=True):
            values *= _powers(coordinate, degree, order)[:, powers]
        return values

    shown = f"monomial({degree})" if n == 1 else f"monomial({degree}, dimension={n})"
    return Basis(shown, n, len(exponents), evaluate)


def _powers(x, degree, order):
    """Return the derivatives of x^0 ... x^degree: k (k-1) ... (k-order+1) x^(k-order), columns contiguous."""
    values = np.zeros((len(x), degree + 1), order="F")
    if order <= degree:
        factors = np.array([float(math.perm(k, order)) for k in range(order, degree + 1)])
        values[:, order:] = np.vander(x, degree + 1 - order, increasing=True) * factors
    return values


def legendre(degree, a=-1.0, b=1.0):
    """Return the Legendre polynomials P_0 ... P_degree of [a, b], P_k(b) = 1; (P_k, P_k)_{L2} = (b-a)/(2k+1).

    Derivatives obey ∂^q P_{k+1} = ∂^q P_{k-1} + (2k+1) ∂^{q-1} P_k on [-1, 1].

    Examples
    --------
    >>> import numpy as np
    >>> legendre(2, 0, 1).evaluate(np.array([[0.0], [0.5], [1.0]]), (0,))
    array([[ 1. , -1. ,  1. ],
           [ 1. ,  0. , -0.5],
           [ 1. ,  1. ,  1. ]])
    """
    degree, (a, b) = whole_number(degree, "degree"), _interval(a, b)

    def evaluate(x, alpha):
        t = (2.0 * x[:, 0] - (a + b)) / (b - a)
        values = np.polynomial.legendre.legvander(t, degree)
        for _ in range(alpha[0]):
            lower, values = values, np.zeros_like(values)
            for k in range(degree):
                before = values[:, k - 1] if k else 0.0
                values[:, k + 1] = before + (2 * k + 1) * lower[:, k]
        return values * (2.0 / (b - a)) ** alpha[0]

    return Basis(f"legendre({degree}, {a:g}, {b:g})", 1, degree + 1, evaluate)


def fourier(n_frequencies, length=2.0 * math.pi):
    """Return 1, cos ωx, sin ωx, ..., cos nωx, sin nωx with ω = 2π/length.

    Examples
    --------
    >>> import numpy as np
    >>> fourier(1).evaluate(np.array([[0.0], [np.pi / 2]]), (0,)).round(15)
    array([[1., 1., 0.],
           [1., 0., 1.]])
    """
    n = whole_number(n_frequencies, "n_frequencies")
    length = positive_number(length, "length")

    def evaluate(x, alpha):
        (order,) = alpha
        frequencies = 2.0 * math.pi / length * np.arange(1, n + 1)
        phases, sizes = x * frequencies, frequencies**order
        # (cos, sin)^(q): cos, -sin, -cos, sin and sin, cos, -sin, -cos.
        sine, cosine = np.sin(phases), np.cos(phases)
        turned = [cosine, -sine, -cosine, sine]
        values = np.empty((len(x), 2 * n + 1))
        values[:, 0] = 1.0 if order == 0 else 0.0
        values[:, 1::2] = sizes * turned[order % 4]
        values[:, 2::2] = sizes * turned[(order - 1) % 4]
        return values

    return Basis(f"fourier({n}, length={length:g})", 1, 2 * n + 1, evaluate)


def bspline(knots, degree=3):
    """Return the B-splines of a knot vector (`scipy.interpolate.BSpline`); they sum to 1.

    Parameters
    ----------
    knots : array_like
        Not decreasing, at least 2·degree + 2. The base interval is [knots[degree], knots[-degree-1]]; points
        outside it are refused. Knots repeated degree + 1 times at the ends make the basis interpolate there.
    degree : int

    Notes
    -----
    At a simple knot derivatives of order `degree` jump (the value from the right is taken); higher ones are
    measures and are refused.

    Examples
    --------
    >>> import numpy as np
    >>> splines = bspline([0, 0, 1, 2, 2], degree=1)
    >>> splines.evaluate(np.array([[0.0], [0.5], [2.0]]), (0,))
    array([[1. , 0. , 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0. , 1. ]])
    """
    from scipy.interpolate import BSpline

    degree, knots = whole_number(degree, "degree"), finite_array(knots, "knots", ndim=1)
    size = knots.size - degree - 1
    if size <= degree or (np.diff(knots) < 0.0).any() or knots[degree] >= knots[size]:
        raise InvalidInput(
            f"`knots` must be at least {2 * degree + 2} numbers that do not decrease, with "
            f"knots[{degree}] < knots[-{degree + 1}]; got {knots}."
        )
    multiplicity = np.unique(knots[degree + 1 : size], return_counts=True)[1].max(initial=0)

    def evaluate(x, alpha):
        outside = (x[:, 0] < knots[degree]) | (x[:, 0] > knots[size])
        if outside.any():
            raise InvalidInput(
                f"`x` must lie in [{knots[degree]:g}, {knots[size]:g}], where the splines are a basis; got "
                f"{x[outside][0, 0]:g}."
            )
        (order,) = alpha
        if multiplicity and order > degree - multiplicity + 1:
            raise InvalidInput(
                f"B-splines of degree {degree} with knots of multiplicity {multiplicity} have derivatives up "
                f"to order {max(degree - multiplicity + 1, 0)} only; got `alpha` = {alpha}. Raise the degree."
            )
        return BSpline(knots, np.eye(size), degree)(x[:, 0], nu=order)

    return Basis(f"bspline({size} splines, degree={degree})", 1, size, evaluate)


def kernel_sections(kernel, centres):
    """Return the functions K(., x_i) of a kernel at points x_i, the representers of the values at x_i.

    Parameters
    ----------
    kernel : Kernel
        Derivatives exist below its `smoothness`.
    centres : array_like
        The points x_i, shape (K, n), or (K,) in one dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from funcgrad.kernels import Sobolev
    >>> basis = kernel_sections(Sobolev(1.0, 1), [0.0, 1.0])
    >>> basis.evaluate(np.array([[0.0]]), (0,)).round(4)
    array([[0.5   , 0.1839]])
    """
    centres = finite_array(centres, "centres")
    dimension = kernel.dimension or (1 if centres.ndim < 2 else centres.shape[1])
    centres = point_array(centres, dimension, "centres")

    def evaluate(x, alpha):
        differentiated = kernel if not any(alpha) else kernel.derivative(alpha)
        return differentiated.gram(x, centres)

    return Basis(f"kernel_sections({kernel!r}, {len(centres)} centres)", dimension, len(centres), evaluate)


def tensor_product(*bases):
    """Return all products b_i(x) c_j(y) ... of bases in their own coordinates; the last index runs fastest.

    Examples
    --------
    >>> import numpy as np
    >>> tensor_product(monomial(1), monomial(1)).evaluate(np.array([[2.0, 3.0]]), (0, 0))
    array([[1., 3., 2., 6.]])
    """
    if not bases or not all(isinstance(basis, Basis) for basis in bases):
        raise InvalidInput(f"`bases` must be one or more bases; got {bases!r}.")
    ends = np.cumsum([basis.dimension for basis in bases])

    def evaluate(x, alpha):
        values = np.ones((len(x), 1))
        for basis, end in zip(bases, ends, strict=True):
            mine = slice(end - basis.dimension, end)
            factor = basis.evaluate(x[:, mine], alpha[mine])
            values = (values[:, :, None] * factor[:, None, :]).reshape(len(x), -1)
        return values

    name = "tensor_product(" + ", ".join(map(repr, bases)) + ")"
    return Basis(name, int(ends[-1]), math.prod(basis.size for basis in bases), evaluate)


def _interval(a, b):
    a, b = finite_number(a, "a"), finite_number(b, "b")
    if a >= b:
        raise InvalidInput(f"`a` must be below `b`; got a = {a:g}, b = {b:g}.")
    return a, b
