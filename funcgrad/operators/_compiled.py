"""The compiled loops of the operators: stencils swept over a grid, row by row.

A grid of up to three axes is a flat array of rows, a row being its last axis. An output row is built
from slices of shifted rows: a loop over slices with non-negative offsets vectorises, one with
negative offsets (which may wrap around) does not, and nor does one over more than about ten slices;
so a row of a three-dimensional grid is built in passes, the later ones finding it in the first-level
cache. Interior stencils on uniform grids are even or odd: ``half[q]`` multiplies
``u[+q] + sign * u[-q]``, which keeps all weights in registers. Every loop reports whether it
produced a number that is not finite, which costs nothing while the number is in a register, where
a look at the input beforehand would cost a pass over memory.

Arguments that recur: `half` (3, w + 1) and `sign` (3,) are the interior stencil of each axis;
`closures` (3, 2, rows, columns), zero-padded, are the dense rows at the start and end of each axis;
`counts` (3, 6) are its length and stride, and the rows and columns of its two closures. A periodic
axis has no closures, and an axis that takes no part has no weights and stride 0: it is its own
neighbour. Functions take a block of rows `j0` to `j1` of plane `i`, not one row: numba counts the
references to every array argument of every call, atomically.
"""

import numpy as np
from numba import prange

from funcgrad._compiled import compiled


@compiled(inline="always")
def _wrapped(index, length):
    if index < 0:
        index += length
    elif index >= length:
        index -= length
    return index


@compiled(inline="always")
def _side(index, axis, counts):
    """Return which closure holds at `index`: 0 the one at the start, 1 the one at the end, -1 none."""
    side = -1
    if index < counts[axis, 2]:
        side = 0
    elif index >= counts[axis, 0] - counts[axis, 4]:
        side = 1
    return side


@compiled(inline="always")
def _center(i, j, half, counts):
    """Return the central weight of the axes across rows that are in their interior, and 1.0 if axis 1 is."""
    center, inside = 0.0, 0.0
    if _side(i, 0, counts) < 0:
        center += half[0, 0]
    if _side(j, 1, counts) < 0:
        center += half[1, 0]
        inside = 1.0
    return center, inside


@compiled()
def _set_cross_1(out, u, i, j0, j1, low, n, half, sign, counts):
    """Set `n` points of each row from `low` on to the stencil along the row and the nearest pairs across."""
    m, stride, bad = counts[1, 0], counts[1, 1], 0
    c1, s = half[2, 1], sign[2]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        d1, t = inside * half[1, 1], sign[1]
        center += half[2, 0]
        at = (i * m + j) * counts[2, 0] + low
        start = at - j * stride
        row, r = out[at : at + n], u[at - 1 : at + n + 1]
        below, above = start + _wrapped(j - 1, m) * stride, start + _wrapped(j + 1, m) * stride
        below1, above1 = u[below : below + n], u[above : above + n]
        for k in range(n):
            along = center * r[k + 1]
            along += c1 * (r[k + 2] + s * r[k])
            across = d1 * (above1[k] + t * below1[k])
            v = along + across
            row[k] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _set_cross_2(out, u, i, j0, j1, low, n, half, sign, counts):
    m, stride, bad = counts[1, 0], counts[1, 1], 0
    c1, c2, s = half[2, 1], half[2, 2], sign[2]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        d1, d2, t = inside * half[1, 1], inside * half[1, 2], sign[1]
        center += half[2, 0]
        at = (i * m + j) * counts[2, 0] + low
        start = at - j * stride
        row, r = out[at : at + n], u[at - 2 : at + n + 2]
        below, above = start + _wrapped(j - 1, m) * stride, start + _wrapped(j + 1, m) * stride
        below1, above1 = u[below : below + n], u[above : above + n]
        below, above = start + _wrapped(j - 2, m) * stride, start + _wrapped(j + 2, m) * stride
        below2, above2 = u[below : below + n], u[above : above + n]
        for k in range(n):
            along = center * r[k + 2]
            along += c1 * (r[k + 3] + s * r[k + 1])
            along += c2 * (r[k + 4] + s * r[k])
            across = d1 * (above1[k] + t * below1[k])
            across += d2 * (above2[k] + t * below2[k])
            v = along + across
            row[k] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _set_cross_4(out, u, i, j0, j1, low, n, half, sign, counts):
    m, stride, bad = counts[1, 0], counts[1, 1], 0
    c1, c2, c3, c4, s = half[2, 1], half[2, 2], half[2, 3], half[2, 4], sign[2]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        d1, d2, t = inside * half[1, 1], inside * half[1, 2], sign[1]
        center += half[2, 0]
        at = (i * m + j) * counts[2, 0] + low
        start = at - j * stride
        row, r = out[at : at + n], u[at - 4 : at + n + 4]
        below, above = start + _wrapped(j - 1, m) * stride, start + _wrapped(j + 1, m) * stride
        below1, above1 = u[below : below + n], u[above : above + n]
        below, above = start + _wrapped(j - 2, m) * stride, start + _wrapped(j + 2, m) * stride
        below2, above2 = u[below : below + n], u[above : above + n]
        for k in range(n):
            along = center * r[k + 4]
            along += c1 * (r[k + 5] + s * r[k + 3])
            along += c2 * (r[k + 6] + s * r[k + 2])
            along += c3 * (r[k + 7] + s * r[k + 1])
            along += c4 * (r[k + 8] + s * r[k])
            across = d1 * (above1[k] + t * below1[k])
            across += d2 * (above2[k] + t * below2[k])
            v = along + across
            row[k] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _add_across_1(out, u, i, j0, j1, low, n, half, sign, counts, axis):
    """Add the nearest pair of neighbours along an axis across rows, where its interior stencil holds."""
    m, stride, bad = counts[axis, 0], counts[axis, 1], 0
    d1, t = half[axis, 1], sign[axis]
    for j in range(j0, j1):
        index = i if axis == 0 else j
        if _side(index, axis, counts) >= 0:
            continue
        at = (i * counts[1, 0] + j) * counts[2, 0] + low
        start, row = at - index * stride, out[at : at + n]
        below, above = start + _wrapped(index - 1, m) * stride, start + _wrapped(index + 1, m) * stride
        below1, above1 = u[below : below + n], u[above : above + n]
        for k in range(n):
            across = d1 * (above1[k] + t * below1[k])
            v = row[k] + across
            row[k] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _add_across_2(out, u, i, j0, j1, low, n, half, sign, counts, axis, first):
    """Add two more pairs of neighbours along an axis, after the nearest `first` pairs."""
    m, stride, bad = counts[axis, 0], counts[axis, 1], 0
    d1, d2, t = half[axis, first + 1], half[axis, first + 2], sign[axis]
    for j in range(j0, j1):
        index = i if axis == 0 else j
        if _side(index, axis, counts) >= 0:
            continue
        at = (i * counts[1, 0] + j) * counts[2, 0] + low
        start, row = at - index * stride, out[at : at + n]
        below, above = (
            start + _wrapped(index - first - 1, m) * stride,
            start + _wrapped(index + first + 1, m) * stride,
        )
        below1, above1 = u[below : below + n], u[above : above + n]
        below, above = (
            start + _wrapped(index - first - 2, m) * stride,
            start + _wrapped(index + first + 2, m) * stride,
        )
        below2, above2 = u[below : below + n], u[above : above + n]
        for k in range(n):
            across = d1 * (above1[k] + t * below1[k])
            across += d2 * (above2[k] + t * below2[k])
            v = row[k] + across
            row[k] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _add_closure(out, u, i, j0, j1, low, n, axis, closures, counts):
    """Add what the closures of an axis across rows give to the rows in which they hold."""
    bad, stride = 0, counts[axis, 1]
    for j in range(j0, j1):
        index = i if axis == 0 else j
        side = _side(index, axis, counts)
        if side < 0:
            continue
        at = (i * counts[1, 0] + j) * counts[2, 0] + low
        nodes, line = counts[axis, 3 + 2 * side], index
        begin = at - index * stride
        if side == 1:
            line = index - counts[axis, 0] + counts[axis, 4]
            begin += (counts[axis, 0] - nodes) * stride
        row = out[at : at + n]
        for m in range(nodes):
            weight, other = closures[axis, side, line, m], u[begin + m * stride : begin + m * stride + n]
            for k in range(n):
                v = row[k] + weight * other[k]
                row[k] = v
                bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _set_ends(out, u, i, j0, j1, k0, k1, half, sign, closures, counts):
    """Do at the points `k0` to `k1`, near one end of each row, what `_set_cross` does inside."""
    m, n, stride, bad = counts[1, 0], counts[2, 0], counts[1, 1], 0
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        begin = (i * m + j) * n
        for k in range(k0, k1):
            at, side = begin + k, _side(k, 2, counts)
            v = center * u[at]
            if side < 0:
                v += half[2, 0] * u[at]
                for q in range(1, half.shape[1]):
                    below = u[at + (_wrapped(k - q, n) - k) * counts[2, 1]]
                    above = u[at + (_wrapped(k + q, n) - k) * counts[2, 1]]
                    v += half[2, q] * (above + sign[2] * below)
            else:
                nodes = counts[2, 3 + 2 * side]
                line = k if side == 0 else k - n + counts[2, 4]
                first = begin if side == 0 else begin + n - nodes
                for node in range(nodes):
                    v += closures[2, side, line, node] * u[first + node]
            for q in range(1, min(3, half.shape[1])):
                below = u[at + (_wrapped(j - q, m) - j) * stride]
                above = u[at + (_wrapped(j + q, m) - j) * stride]
                v += inside * half[1, q] * (above + sign[1] * below)
            out[at] = v
            bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _sweep_rows(out, u, i, j0, j1, k0, k1, half, sign, closures, counts):
    """Apply the stencil to the points `k0` to `k1` of some rows; return 1 if a result is not finite."""
    width, n = half.shape[1] - 1, k1 - k0
    low = min(k1, max(k0, width, counts[2, 2]))
    high = max(low, min(k1, counts[2, 0] - max(width, counts[2, 4])))
    bad = _set_ends(out, u, i, j0, j1, k0, low, half, sign, closures, counts)
    bad |= _set_ends(out, u, i, j0, j1, high, k1, half, sign, closures, counts)
    if low < high and width == 1:
        bad |= _set_cross_1(out, u, i, j0, j1, low, high - low, half, sign, counts)
    elif low < high and width == 2:
        bad |= _set_cross_2(out, u, i, j0, j1, low, high - low, half, sign, counts)
    elif low < high:
        bad |= _set_cross_4(out, u, i, j0, j1, low, high - low, half, sign, counts)
    if width == 4:
        bad |= _add_across_2(out, u, i, j0, j1, k0, n, half, sign, counts, 1, 2)
    if j0 < counts[1, 2] or j1 > counts[1, 0] - counts[1, 4]:
        bad |= _add_closure(out, u, i, j0, j1, k0, n, 1, closures, counts)
    if _side(i, 0, counts) >= 0:
        bad |= _add_closure(out, u, i, j0, j1, k0, n, 0, closures, counts)
    elif counts[0, 1] > 0 and width == 1:
        bad |= _add_across_1(out, u, i, j0, j1, k0, n, half, sign, counts, 0)
    elif counts[0, 1] > 0:
        for first in range(0, width, 2):
            bad |= _add_across_2(out, u, i, j0, j1, k0, n, half, sign, counts, 0, first)
    return bad


@compiled(parallel=True)
def sweep(out, u, half, sign, closures, counts, tile):
    """Apply the stencil everywhere, boxes of `tile` points in parallel; not finite: return above 0."""
    n0, n1, n2 = counts[0, 0], counts[1, 0], counts[2, 0]
    t0, t1, t2 = tile[0], tile[1], tile[2]
    b0, b1, b2 = (n0 + t0 - 1) // t0, (n1 + t1 - 1) // t1, (n2 + t2 - 1) // t2
    bad = 0
    for box in prange(b0 * b1 * b2):
        i0, rest = box % b0 * t0, box // b0
        j0, k0 = rest % b1 * t1, rest // b1 * t2
        j1, k1 = min(n1, j0 + t1), min(n2, k0 + t2)
        for i in range(i0, min(n0, i0 + t0)):
            bad += _sweep_rows(out, u, i, j0, j1, k0, k1, half, sign, closures, counts)
    return bad


@compiled()
def apply_rows(out, u, weights, first):
    """Apply an operator whose row i has `weights[i]` on the nodes from `first[i]` on."""
    bad = 0
    for i in range(weights.shape[0]):
        v = 0.0
        for m in range(weights.shape[1]):
            v += weights[i, m] * u[first[i] + m]
        out[i] = v
        bad |= np.int64(v - v != 0.0)
    return bad
