"""Weights of finite-difference formulas: exact rationals on uniform nodes, floats on arbitrary ones."""

from fractions import Fraction

import numpy as np

from funcgrad._checks import finite_array, whole_number
from funcgrad.errors import InvalidInput


def fornberg_weights(nodes, at, derivative):
    """Return the weights that differentiate, at a point, the polynomial through the nodes.

    Parameters
    ----------
    nodes : array_like, shape (..., width)
        Distinct nodes of one formula, or of many at once along the leading axes.
    at : array_like, shape (...)
        Where each formula differentiates.
    derivative : int
        Its order, from 0 (interpolation) to ``width - 1``.

    Returns
    -------
    numpy.ndarray, shape (..., width)
        ``sum(weights * u(nodes))`` is the derivative, exact for polynomials of degree ``width - 1``.

    Raises
    ------
    InvalidInput
        If nodes coincide, are not finite, or are too few for the derivative.

    Notes
    -----
    The recursion of B. Fornberg, Math. Comp. 51 (1988) 699-706.

    Examples
    --------
    >>> fornberg_weights([-1.0, 0.0, 1.0], 0.0, 2)
    array([ 1., -2.,  1.])
    """
    nodes, at = finite_array(nodes, "nodes"), finite_array(at, "at")
    if nodes.ndim == 0 or at.shape != nodes.shape[:-1]:
        raise InvalidInput(f"`at` must have the shape of `nodes` without its last axis; got {at.shape}.")
    _enough(nodes.shape[-1], derivative)
    ordered = np.sort(nodes, axis=-1)
    if not (np.diff(ordered, axis=-1) > 0).all():
        raise InvalidInput("`nodes` of one formula must be distinct; two coincide.")
    return _recursion(nodes, at, derivative)


def exact_weights(offsets, derivative):
    """Return the weights on rational offsets from the point of evaluation, as fractions.

    Examples
    --------
    >>> [str(w) for w in exact_weights([0, 1, 2], 1)]
    ['-3/2', '2', '-1/2']
    """
    offsets = [Fraction(offset) for offset in offsets]
    _enough(len(offsets), derivative)
    if len(set(offsets)) < len(offsets):
        raise InvalidInput("`offsets` must be distinct; two coincide.")
    return tuple(map(Fraction, _recursion(np.array(offsets, object), Fraction(0), derivative)))


def central_weights(order, derivative):
    """Return the exact weights, for unit spacing, of the central formula of even order.

    The offsets are ``-w .. w`` with w = (order + derivative - 1) // 2.

    Examples
    --------
    >>> [str(w) for w in central_weights(4, 2)]
    ['-1/12', '4/3', '-5/2', '4/3', '-1/12']
    """
    order = whole_number(order, "order", least=2)
    if order % 2:
        raise InvalidInput(f"`order` of a central formula must be even; got {order}.")
    width = (order + whole_number(derivative, "derivative", least=1) - 1) // 2
    return exact_weights(range(-width, width + 1), derivative)


def one_sided_weights(order, derivative, position):
    """Return the exact weights, for unit spacing, at node `position` of the first nodes of a line.

    The formula uses the nodes ``0 .. order + derivative - 1``, the fewest that give its order at a
    point that is not their centre.

    Examples
    --------
    >>> [str(w) for w in one_sided_weights(2, 2, 0)]
    ['2', '-5', '4', '-1']
    """
    order = whole_number(order, "order", least=1)
    position = whole_number(position, "position")
    width = order + whole_number(derivative, "derivative", least=1)
    return exact_weights([node - position for node in range(width)], derivative)


def _enough(width, derivative):
    if whole_number(derivative, "derivative") >= width:
        raise InvalidInput(
            f"a derivative of order {derivative} needs at least {derivative + 1} nodes; got {width}."
        )


def _recursion(nodes, at, derivative):
    """Return Fornberg's weights; entries are floats, or fractions in arrays of objects."""
    width = nodes.shape[-1]
    # c[..., j, k]: weight of node j in the k-th derivative through the nodes seen so far.
    c = np.zeros((*nodes.shape, derivative + 1), nodes.dtype)
    c[..., 0, 0] = 1
    product = 1
    for i in range(1, width):
        previous, product_before = nodes[..., i - 1] - at, product
        here, product = nodes[..., i] - at, 1
        for j in range(i):
            product = product * (nodes[..., i] - nodes[..., j])
        ratio = product_before / product
        for k in range(min(i, derivative), -1, -1):
            lower = k * c[..., i - 1, k - 1] if k else 0
            c[..., i, k] = ratio * (lower - previous * c[..., i - 1, k])
        for j in range(i):
            for k in range(min(i, derivative), -1, -1):
                lower = k * c[..., j, k - 1] if k else 0
                c[..., j, k] = (here * c[..., j, k] - lower) / (nodes[..., i] - nodes[..., j])
    return c[..., derivative]
