"""Rules moved to another interval, and products of rules."""

import functools

import numpy as np

from funcgrad._checks import finite_array, finite_number
from funcgrad.errors import InvalidInput


def map_to_interval(nodes, weights, a, b):
    """Return a rule of [-1, 1] as a rule of [a, b].

    Parameters
    ----------
    nodes, weights : arrays of shape (n,)
        A rule on [-1, 1].
    a, b : float
        Ends of the interval, a < b.

    Returns
    -------
    nodes, weights : arrays of shape (n,)
        Nodes in [a, b], with -1 and 1 sent to `a` and `b` exactly; weights times (b - a)/2.

    Raises
    ------
    InvalidInput
        If an argument is not finite, the shapes differ, or not a < b.

    Examples
    --------
    >>> from funcgrad.spaces.quadrature import trapezoid
    >>> map_to_interval(*trapezoid(3), 0, 4)
    (array([0., 2., 4.]), array([1., 2., 1.]))
    """
    nodes, weights = _checked_rule(nodes, weights)
    a, b = finite_number(a, "a"), finite_number(b, "b")
    if not a < b:
        raise InvalidInput(f"`a` must be below `b`; got a={a:g}, b={b:g}.")
    half = b / 2 - a / 2
    mapped = np.clip((a / 2 + b / 2) + half * nodes, a, b)
    mapped[nodes == -1] = a
    mapped[nodes == 1] = b
    return mapped, half * weights


def tensor_product(rules):
    """Return the product of one-dimensional rules.

    It is exact for products of functions that its factors integrate exactly.

    Parameters
    ----------
    rules : sequence of (nodes, weights)
        One rule an axis.

    Returns
    -------
    nodes : array of shape (N, len(rules))
        In C order: the last axis runs fastest, so values reshape to the sizes of the rules.
    weights : array of shape (N,)

    Raises
    ------
    InvalidInput
        If there is no rule, or one is not a pair of finite arrays of one length.

    Examples
    --------
    >>> from funcgrad.spaces.quadrature import midpoint, trapezoid
    >>> nodes, weights = tensor_product([midpoint(1), trapezoid(2)])
    >>> nodes.tolist(), weights.tolist()
    ([[0.0, -1.0], [0.0, 1.0]], [2.0, 2.0])
    """
    rules = list(rules)
    if not rules:
        raise InvalidInput("`rules` must hold at least one rule; got none.")
    for i, rule in enumerate(rules):
        if len(rule) != 2:
            raise InvalidInput(f"`rules[{i}]` must be a pair of nodes and weights; got {len(rule)} items.")
    axes, factors = zip(*(_checked_rule(*rule) for rule in rules), strict=True)
    nodes = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    weights = functools.reduce(np.multiply.outer, factors).ravel()
    return nodes, weights


def _checked_rule(nodes, weights):
    nodes, weights = finite_array(nodes, "nodes", ndim=1), finite_array(weights, "weights", ndim=1)
    if nodes.shape != weights.shape:
        raise InvalidInput(f"`nodes` and `weights` must match; got {nodes.size} and {weights.size} entries.")
    return nodes, weights
