"""The chain rule for g∘f in every order (Faà di Bruno), and its derivative in a parameter.

∂^α (g∘f) = Σ_π g^{(|π|)}(f) Π_{B in π} ∂^B f over the partitions π of the |α| differentiations into blocks
(M. Hardy, *Combinatorics of partial derivatives*, 2006).
"""

from collections import Counter
from functools import cache
from math import prod


@cache
def partitions(alpha):
    """Return the partitions of the multi-index α as pairs (blocks, count).

    Equal differentiations are not told apart: `blocks` are multi-indices that sum to α, and `count` says
    how many partitions of the |α| differentiations look like that.

    Examples
    --------
    >>> partitions((2,))
    ((((1,), (1,)), 1), (((2,),), 1))
    >>> partitions((0,))
    (((), 1),)
    """
    axes = [axis for axis, order in enumerate(alpha) for _ in range(order)]

    def index(block):
        return tuple(block.count(axis) for axis in range(len(alpha)))

    counts = Counter(tuple(sorted(map(index, blocks), reverse=True)) for blocks in _set_partitions(axes))
    return tuple(counts.items())


def _set_partitions(items):
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for blocks in _set_partitions(rest):
        yield [[first], *blocks]
        for i, block in enumerate(blocks):
            yield [*blocks[:i], [first, *block], *blocks[i + 1 :]]


def composed(outer, inner, alpha):
    """Return ∂^α (g∘f), from `outer(k)` = g^{(k)}(f) and `inner(β)` = ∂^β f, arrays that broadcast."""
    return sum(
        count * prod((inner(block) for block in blocks), start=outer(len(blocks)))
        for blocks, count in partitions(alpha)
    )


def composed_tangent(outer, inner, tangent, alpha):
    """Return ∂^α (g'(f) ḟ): as `composed`, with `tangent(β)` = ∂^β ḟ, ḟ the derivative in a parameter."""
    zero = (0,) * len(alpha)
    total = 0.0
    for blocks, count in partitions(alpha):
        total = total + count * prod(map(inner, blocks), start=outer(len(blocks) + 1)) * tangent(zero)
        for i, block in enumerate(blocks):
            others = (inner(other) for other in blocks[:i] + blocks[i + 1 :])
            total = total + count * prod(others, start=outer(len(blocks))) * tangent(block)
    return total
