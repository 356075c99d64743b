"""The compiled loops of the operators: stencils swept over a grid, row by row.

A grid of up to three axes is a flat array of rows, a row being its last axis. The inner loops run along
a row and add up a few shifted rows at once:

- offsets are unsigned, since a signed index may wrap around, which keeps a loop from vectorising;
- at most eight or so rows a loop, or the compiler gives up proving that none of them is the result;
- a row that takes several loops is built in a buffer that stays in the first-level cache;
- interior stencils on uniform grids are even or odd: ``half[q]`` multiplies ``u[+q] + sign * u[-q]``,
  which keeps all weights in registers;
- a result that is not finite is noticed while it is in a register; to look at the input beforehand
  would cost a pass over memory;
- functions take a block of rows `j0` to `j1` of plane `i`, not one row, since numba counts the
  references to the arrays of every call, atomically.

Arguments that recur: `half` (3, w + 1) and `sign` (3,) are the interior stencil of each axis;
`closures` (3, 2, rows, columns), zero-padded, are the dense rows at the start and end of each axis;
`counts` (3, 6) are its length and stride, and the rows and columns of its two closures. A periodic
axis has no closures, and an axis that takes no part has no weights and stride 0: it is its own
neighbour. In the loops a, b, c are the weights along the row, across rows and across planes.
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


@compiled(inline="always")
def _pair(at, index, q, length, stride):
    """Return where the neighbours q below and q above a point on an axis lie."""
    below, above = _wrapped(index - q, length), _wrapped(index + q, length)
    return np.uint64(at + (below - index) * stride), np.uint64(at + (above - index) * stride)


@compiled(inline="always")
def _place_ends(row, first, ends, line, k0, k1, low, high):
    """Put what `_set_ends` gave for a row at its ends."""
    left, step, bad = low - k0, low - k0 + k1 - high, 0
    for q in range(step):
        v = ends[line * step + q]
        row[first + np.uint64(q if q < left else q - left + high - k0)] = v
        bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _sweep_rows_1(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts):
    m0, m1, stride0, stride1 = counts[0, 0], counts[1, 0], counts[0, 1], counts[1, 1]
    s, t, f, bad = sign[2], sign[1], sign[0], 0
    far = stride0 > 0 and _side(i, 0, counts) < 0
    a1 = half[2, 1]
    c1 = half[0, 1]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        a0 = half[2, 0] + center
        b1 = inside * half[1, 1]
        at = (i * m1 + j) * counts[2, 0]
        r, n = np.uint64(at + low - 1), np.uint64(high - low)
        first, inner = np.uint64(at + k0), np.uint64(low - k0)
        b1m, b1p = _pair(at + low, j, 1, m1, stride1)
        if far:
            for k in range(n):
                v = a0 * u[r + k + np.uint64(1)]
                v += a1 * (u[r + k + np.uint64(2)] + s * u[r + k])
                across = b1 * (u[b1p + k] + t * u[b1m + k])
                v += across
                buffer[inner + k] = v
            _place_ends(buffer, np.uint64(0), ends, j - j0, k0, k1, low, high)
            n = np.uint64(k1 - k0)
            c1m, c1p = _pair(at + k0, i, 1, m0, stride0)
            for k in range(n):
                across = c1 * (u[c1p + k] + f * u[c1m + k])
                v = buffer[k] + across
                out[first + k] = v
                bad |= np.int64(v - v != 0.0)
        else:
            for k in range(n):
                v = a0 * u[r + k + np.uint64(1)]
                v += a1 * (u[r + k + np.uint64(2)] + s * u[r + k])
                across = b1 * (u[b1p + k] + t * u[b1m + k])
                v += across
                out[first + inner + k] = v
                bad |= np.int64(v - v != 0.0)
            bad |= _place_ends(out, first, ends, j - j0, k0, k1, low, high)
    return bad


@compiled()
def _sweep_rows_2(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts):
    m0, m1, stride0, stride1 = counts[0, 0], counts[1, 0], counts[0, 1], counts[1, 1]
    s, t, f, bad = sign[2], sign[1], sign[0], 0
    far = stride0 > 0 and _side(i, 0, counts) < 0
    a1, a2 = half[2, 1], half[2, 2]
    c1, c2 = half[0, 1], half[0, 2]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        a0 = half[2, 0] + center
        b1, b2 = inside * half[1, 1], inside * half[1, 2]
        at = (i * m1 + j) * counts[2, 0]
        r, n = np.uint64(at + low - 2), np.uint64(high - low)
        first, inner = np.uint64(at + k0), np.uint64(low - k0)
        b1m, b1p = _pair(at + low, j, 1, m1, stride1)
        b2m, b2p = _pair(at + low, j, 2, m1, stride1)
        if far:
            for k in range(n):
                v = a0 * u[r + k + np.uint64(2)]
                v += a1 * (u[r + k + np.uint64(3)] + s * u[r + k + np.uint64(1)])
                v += a2 * (u[r + k + np.uint64(4)] + s * u[r + k])
                across = b1 * (u[b1p + k] + t * u[b1m + k])
                across += b2 * (u[b2p + k] + t * u[b2m + k])
                v += across
                buffer[inner + k] = v
            _place_ends(buffer, np.uint64(0), ends, j - j0, k0, k1, low, high)
            n = np.uint64(k1 - k0)
            c1m, c1p = _pair(at + k0, i, 1, m0, stride0)
            c2m, c2p = _pair(at + k0, i, 2, m0, stride0)
            for k in range(n):
                across = c1 * (u[c1p + k] + f * u[c1m + k])
                across += c2 * (u[c2p + k] + f * u[c2m + k])
                v = buffer[k] + across
                out[first + k] = v
                bad |= np.int64(v - v != 0.0)
        else:
            for k in range(n):
                v = a0 * u[r + k + np.uint64(2)]
                v += a1 * (u[r + k + np.uint64(3)] + s * u[r + k + np.uint64(1)])
                v += a2 * (u[r + k + np.uint64(4)] + s * u[r + k])
                across = b1 * (u[b1p + k] + t * u[b1m + k])
                across += b2 * (u[b2p + k] + t * u[b2m + k])
                v += across
                out[first + inner + k] = v
                bad |= np.int64(v - v != 0.0)
            bad |= _place_ends(out, first, ends, j - j0, k0, k1, low, high)
    return bad


@compiled()
def _sweep_rows_4(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts):
    m0, m1, stride0, stride1 = counts[0, 0], counts[1, 0], counts[0, 1], counts[1, 1]
    s, t, f, bad = sign[2], sign[1], sign[0], 0
    far = stride0 > 0 and _side(i, 0, counts) < 0
    a1, a2, a3, a4 = half[2, 1], half[2, 2], half[2, 3], half[2, 4]
    c1, c2, c3, c4 = half[0, 1], half[0, 2], half[0, 3], half[0, 4]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        a0 = half[2, 0] + center
        b1, b2, b3, b4 = inside * half[1, 1], inside * half[1, 2], inside * half[1, 3], inside * half[1, 4]
        at = (i * m1 + j) * counts[2, 0]
        r, n = np.uint64(at + low - 4), np.uint64(high - low)
        first, inner = np.uint64(at + k0), np.uint64(low - k0)
        b1m, b1p = _pair(at + low, j, 1, m1, stride1)
        b2m, b2p = _pair(at + low, j, 2, m1, stride1)
        for k in range(n):
            v = a0 * u[r + k + np.uint64(4)]
            v += a1 * (u[r + k + np.uint64(5)] + s * u[r + k + np.uint64(3)])
            v += a2 * (u[r + k + np.uint64(6)] + s * u[r + k + np.uint64(2)])
            v += a3 * (u[r + k + np.uint64(7)] + s * u[r + k + np.uint64(1)])
            v += a4 * (u[r + k + np.uint64(8)] + s * u[r + k])
            across = b1 * (u[b1p + k] + t * u[b1m + k])
            across += b2 * (u[b2p + k] + t * u[b2m + k])
            v += across
            buffer[inner + k] = v
        _place_ends(buffer, np.uint64(0), ends, j - j0, k0, k1, low, high)
        n = np.uint64(k1 - k0)
        b3m, b3p = _pair(at + k0, j, 3, m1, stride1)
        b4m, b4p = _pair(at + k0, j, 4, m1, stride1)
        if far:
            c1m, c1p = _pair(at + k0, i, 1, m0, stride0)
            c2m, c2p = _pair(at + k0, i, 2, m0, stride0)
            c3m, c3p = _pair(at + k0, i, 3, m0, stride0)
            c4m, c4p = _pair(at + k0, i, 4, m0, stride0)
            for k in range(n):
                across = b3 * (u[b3p + k] + t * u[b3m + k])
                across += b4 * (u[b4p + k] + t * u[b4m + k])
                across += c1 * (u[c1p + k] + f * u[c1m + k])
                buffer[k] += across
            for k in range(n):
                across = c2 * (u[c2p + k] + f * u[c2m + k])
                across += c3 * (u[c3p + k] + f * u[c3m + k])
                across += c4 * (u[c4p + k] + f * u[c4m + k])
                v = buffer[k] + across
                out[first + k] = v
                bad |= np.int64(v - v != 0.0)
        else:
            for k in range(n):
                across = b3 * (u[b3p + k] + t * u[b3m + k])
                across += b4 * (u[b4p + k] + t * u[b4m + k])
                v = buffer[k] + across
                out[first + k] = v
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
        first, points = np.uint64(at), np.uint64(n)
        for m in range(nodes):
            weight, other = closures[axis, side, line, m], np.uint64(begin + m * stride)
            for k in range(points):
                v = out[first + k] + weight * u[other + k]
                out[first + k] = v
                bad |= np.int64(v - v != 0.0)
    return bad


@compiled()
def _set_ends(ends, step, first, u, i, j0, j1, k0, k1, half, sign, closures, counts):
    """Do at the points `k0` to `k1`, near one end of each row, what the first loop of `_sweep_rows_*`
    does inside; row j's part of `ends` has `step` entries, of which these begin at `first`."""
    m, n, stride1, stride2 = counts[1, 0], counts[2, 0], counts[1, 1], counts[2, 1]
    width, s, t = half.shape[1] - 1, sign[2], sign[1]
    for j in range(j0, j1):
        center, inside = _center(i, j, half, counts)
        b1, b2 = inside * half[1, 1], inside * half[1, min(2, width)] * (width > 1)
        begin = (i * m + j) * n
        b1m, b1p = _pair(begin, j, 1, m, stride1)
        b2m, b2p = _pair(begin, j, 2, m, stride1) if width > 1 else (b1m, b1p)
        for k in range(k0, k1):
            at, side, point = begin + k, _side(k, 2, counts), np.uint64(k)
            v = b1 * (u[b1p + point] + t * u[b1m + point]) + b2 * (u[b2p + point] + t * u[b2m + point])
            v += center * u[at]
            if side < 0:
                v += half[2, 0] * u[at]
                for q in range(1, width + 1):
                    below, above = _pair(at, k, q, n, stride2)
                    v += half[2, q] * (u[above] + s * u[below])
            else:
                nodes = counts[2, 3 + 2 * side]
                line = k if side == 0 else k - n + counts[2, 4]
                start = begin if side == 0 else begin + n - nodes
                for node in range(nodes):
                    v += closures[2, side, line, node] * u[start + node]
            ends[(j - j0) * step + first + k - k0] = v


@compiled()
def _sweep_rows(out, u, buffer, i, j0, j1, k0, k1, half, sign, closures, counts):
    """Apply the stencil to the points `k0` to `k1` of some rows; return 1 if a result is not finite."""
    width = half.shape[1] - 1
    low = min(k1, max(k0, width, counts[2, 2]))
    high = max(low, min(k1, counts[2, 0] - max(width, counts[2, 4])))
    left, step = low - k0, low - k0 + k1 - high
    ends = np.empty((j1 - j0) * step)
    _set_ends(ends, step, 0, u, i, j0, j1, k0, low, half, sign, closures, counts)
    _set_ends(ends, step, left, u, i, j0, j1, high, k1, half, sign, closures, counts)
    if width == 1:
        bad = _sweep_rows_1(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts)
    elif width == 2:
        bad = _sweep_rows_2(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts)
    else:
        bad = _sweep_rows_4(out, u, buffer, ends, i, j0, j1, k0, k1, low, high, half, sign, counts)
    if j0 < counts[1, 2] or j1 > counts[1, 0] - counts[1, 4]:
        bad |= _add_closure(out, u, i, j0, j1, k0, k1 - k0, 1, closures, counts)
    if _side(i, 0, counts) >= 0:
        bad |= _add_closure(out, u, i, j0, j1, k0, k1 - k0, 0, closures, counts)
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
        buffer = np.empty(t2)
        for i in range(i0, min(n0, i0 + t0)):
            bad += _sweep_rows(out, u, buffer, i, j0, j1, k0, k1, half, sign, closures, counts)
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
