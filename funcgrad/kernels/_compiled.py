"""Compiled loops over pairs of points: squared distances, then a profile, tile by tile.

Points come as coordinates, shape (d, N), contiguous. A tile of squared distances lives in a buffer of the
first-level cache and is turned into kernel values there, or in the row of the Gram matrix, which memory so
keeps up with. Every inner loop is short, free of branches and of calls, and vectorises; a kernel differs
from another by numbers alone, so all of them share these few functions. On circles and intervals the
distance is that of folded points, and the value a sum over a few images.
"""

import math

import numpy as np
from numba import prange, types

from funcgrad._compiled import (
    LOG2E,
    MANTISSA_BITS,
    ROUNDER,
    SAFE_FASTMATH,
    bits_to_float,
    compiled,
    float_to_bits,
    multiply_add,
)

# A tile is 8 kB; rows are handed to threads in fixed groups, so results do not depend on the threads.
TILE = 1024
ROWS = 32
BLOCK = 128

EXPONENTIAL, GAUSSIAN, TABLE, FIRST_ORDER = 0, 1, 2, 3

COEFFICIENTS = 6
_ONE_BITS = 1023 << 52
_MANTISSA = (1 << 52) - 1


# Powers 2^-y are computed raised, as 2^(RAISE - y), which is never subnormal and is 0 at y = LARGEST_POWER;
# the last factor, an amplitude times LOWER, then rounds once, gradually to 0 at underflow.
RAISE, LOWER, LARGEST_POWER = 100, 2.0**-100, 1123.0
_RAISED_ROUNDER = ROUNDER + 1023 + RAISE


@compiled()
def relative_exp2m1(f):
    """(2^f - 1) / f for |f| <= 1/2: minimax, so that 1 + f times it has relative error 1.8e-17."""
    p = 4.0780704733827083e-10
    p = p * f + 7.072570455664346e-09
    p = p * f + 1.0180647670584795e-07
    p = p * f + 1.3215442675106784e-06
    p = p * f + 1.5252727385162077e-05
    p = p * f + 0.0001540353044157249
    p = p * f + 0.0013333558153440003
    p = p * f + 0.009618129107607003
    p = p * f + 0.05550410866479039
    p = p * f + 0.24022650695910097
    return p * f + 0.6931471805599457


@compiled()
def raised_power(rate, x):
    """2^(RAISE - rate x) for 0 <= rate x <= LARGEST_POWER, within an ulp.

    Must not be compiled with 'reassoc', by which adding and subtracting a rounder may fold away.
    """
    shifted = multiply_add(-rate, x, _RAISED_ROUNDER)
    # 2^-rate x is 2^n 2^f with n whole and |f| <= 1/2.
    n = shifted - _RAISED_ROUNDER
    f = multiply_add(-rate, x, -n)
    return (relative_exp2m1(f) * f + 1.0) * bits_to_float(float_to_bits(shifted) << MANTISSA_BITS)


@compiled()
def squared_distances(X, i, Y, start, out):
    """out_j = |X_i - Y_{start + j}|²."""
    m = out.size
    x0, y0 = X[0, i], Y[0, start : start + m]
    if X.shape[0] == 1:
        for j in range(m):
            a = x0 - y0[j]
            out[j] = a * a
    elif X.shape[0] == 2:
        x1, y1 = X[1, i], Y[1, start : start + m]
        for j in range(m):
            a, b = x0 - y0[j], x1 - y1[j]
            out[j] = a * a + b * b
    else:
        x1, y1 = X[1, i], Y[1, start : start + m]
        x2, y2 = X[2, i], Y[2, start : start + m]
        for j in range(m):
            a, b, c = x0 - y0[j], x1 - y1[j], x2 - y2[j]
            out[j] = a * a + b * b + c * c
        for k in range(3, X.shape[0]):
            xk, yk = X[k, i], Y[k, start : start + m]
            for j in range(m):
                a = xk - yk[j]
                out[j] += a * a


@compiled()
def squared_arcs(x, sign, y, period, shift, out):
    """out_j = (shift - d_j)², d_j the distance of x + sign y_j from 0 on a circle of length `period`."""
    inverse = 1.0 / period
    for j in range(out.size):
        a = x + sign * y[j]
        a -= period * ((a * inverse + ROUNDER) - ROUNDER)
        a = shift - abs(a)
        out[j] = a * a


@compiled()
def first_order_profile(X, i, Y, start, amplitude, out):
    """out_j = A left(min) right(max) exp(-|x - y|) of points (x, left, right): H^1 of an interval."""
    stop = start + out.size
    x, left, right = X[0, i], X[1, i], X[2, i]
    y, y_left, y_right = Y[0, start:stop], Y[1, start:stop], Y[2, start:stop]
    amplitude *= LOWER
    for j in range(out.size):
        ends = left * y_right[j] if x < y[j] else y_left[j] * right
        out[j] = amplitude * ends * raised_power(LOG2E, min(abs(x - y[j]), LARGEST_POWER / LOG2E))


@compiled()
def exponential_profile(numbers, squares, out):
    """s -> A (1 + z (q_1 + z q_2)) exp(-z), z = √s / scale."""
    inverse_scale = numbers[1]
    c0 = LOWER * numbers[0]
    c1, c2 = c0 * numbers[2] * inverse_scale, c0 * numbers[3] * inverse_scale * inverse_scale
    rate = LOG2E * inverse_scale
    farthest = LARGEST_POWER / rate
    for j in range(out.size):
        r = min(math.sqrt(squares[j]), farthest)
        out[j] = (c0 + r * (c1 + r * c2)) * raised_power(rate, r)


@compiled()
def gaussian_profile(numbers, squares, out):
    """s -> A exp(-s / (2 scale²))."""
    amplitude, rate = LOWER * numbers[0], 0.5 * LOG2E * numbers[1] * numbers[1]
    farthest = LARGEST_POWER / rate
    for j in range(out.size):
        out[j] = amplitude * raised_power(rate, min(squares[j], farthest))


@compiled(fastmath=SAFE_FASTMATH | {"nnan", "ninf"})
def table_profile(numbers, table, lowest_exponent, piece_bits, squares, out):
    """s -> A p(z) exp(-decay z), p by a piecewise polynomial on 2^piece_bits equal pieces an octave.

    Exponent and leading mantissa bits of z are the piece's number, the other bits its local variable.
    The gathers dominate, hence many pieces of low degree; 'nnan' and 'ninf' turn the clamps into one
    instruction each (squared distances are finite, see fused.py).
    """
    amplitude, inverse_scale, rate = LOWER * numbers[0], numbers[1], LOG2E * numbers[2]
    least, most = numbers[3], min(numbers[4], LARGEST_POWER / max(rate, 1.0))
    shift = MANTISSA_BITS - piece_bits
    base = (1023 + lowest_exponent) << piece_bits
    for j in range(out.size):
        z = min(max(inverse_scale * math.sqrt(squares[j]), least), most)
        bits = float_to_bits(z)
        first = types.uint64(((bits >> shift) - base) * COEFFICIENTS)
        t = 2.0 * bits_to_float(((bits << piece_bits) & _MANTISSA) | _ONE_BITS) - 3.0
        p = table[first + types.uint64(5)]
        p = p * t + table[first + types.uint64(4)]
        p = p * t + table[first + types.uint64(3)]
        p = p * t + table[first + types.uint64(2)]
        p = p * t + table[first + types.uint64(1)]
        p = p * t + table[first]
        out[j] = amplitude * p * raised_power(rate, z)


@compiled()
def apply_profile(profile, numbers, table, lowest_exponent, piece_bits, squares, out):
    """Turn squared distances into values."""
    if profile == EXPONENTIAL:
        exponential_profile(numbers, squares, out)
    elif profile == GAUSSIAN:
        gaussian_profile(numbers, squares, out)
    else:
        table_profile(numbers, table, lowest_exponent, piece_bits, squares, out)


@compiled()
def kernel_tile(X, i, Y, start, images, profile, numbers, table, lowest_exponent, piece_bits, squares, out):
    """out_j = k(X_i, Y_{start + j}); on a circle the sum over images (sign, shift, weight).

    The first image has weight 1. `squares` is a buffer as long as out.
    """
    if profile == FIRST_ORDER:
        first_order_profile(X, i, Y, start, numbers[0], out)
        return
    target = out
    for term in range(max(1, images.shape[0])):
        if images.shape[0] == 0:
            squared_distances(X, i, Y, start, squares)
        else:
            if term == 1:
                target = np.empty(out.size)
            y = Y[0, start : start + out.size]
            squared_arcs(X[0, i], images[term, 0], y, numbers[5], images[term, 1], squares)
        # Called at one place only: each call is compiled again.
        apply_profile(profile, numbers, table, lowest_exponent, piece_bits, squares, target)
        if term > 0:
            weight = images[term, 2]
            for j in range(out.size):
                out[j] += weight * target[j]


@compiled(parallel=True)
def radial_gram(X, Y, images, profile, numbers, table, lowest_exponent, piece_bits, out):
    """out_ij = k(X_i, Y_j)."""
    n_columns = Y.shape[1]
    for i in prange(X.shape[1]):
        squares = np.empty(TILE)
        for start in range(0, n_columns, TILE):
            stop = min(start + TILE, n_columns)
            kernel_tile(
                X,
                i,
                Y,
                start,
                images,
                profile,
                numbers,
                table,
                lowest_exponent,
                piece_bits,
                squares[: stop - start],
                out[i, start:stop],
            )


@compiled()
def block_row(X, row, images, profile, numbers, table, lowest_exponent, piece_bits, block, out):
    """Fill one row of blocks of out from the diagonal on, and its mirror image, through a cached block."""
    n, squares = X.shape[1], np.empty(BLOCK)
    i0, i1 = row * BLOCK, min(row * BLOCK + BLOCK, n)
    for j0 in range(i0, n, BLOCK):
        j1 = min(j0 + BLOCK, n)
        for i in range(i0, i1):
            values = block[i - i0, : j1 - j0]
            kernel_tile(
                X,
                i,
                X,
                j0,
                images,
                profile,
                numbers,
                table,
                lowest_exponent,
                piece_bits,
                squares[: j1 - j0],
                values,
            )
            out[i, j0:j1] = values
        if j0 > i0:
            for j in range(j0, j1):
                mirror = out[j, i0:i1]
                for i in range(i1 - i0):
                    mirror[i] = block[i, j - j0]


@compiled(parallel=True)
def radial_gram_symmetric(X, images, profile, numbers, table, lowest_exponent, piece_bits, out):
    """out_ij = k(X_i, X_j), each pair once."""
    n_blocks = (X.shape[1] + BLOCK - 1) // BLOCK
    for pair in prange((n_blocks + 1) // 2):
        # Rows of the block are longer than BLOCK to start in different sets of the cache.
        block = np.empty((BLOCK, BLOCK + 8))
        # A long and a short row of blocks together, so that all threads have as much to do.
        first, second = np.int64(pair), n_blocks - 1 - np.int64(pair)
        block_row(X, first, images, profile, numbers, table, lowest_exponent, piece_bits, block, out)
        if second > first:
            block_row(X, second, images, profile, numbers, table, lowest_exponent, piece_bits, block, out)


@compiled(fastmath=SAFE_FASTMATH | {"reassoc"})
def dot(a, b):
    """Σ a_j b_j, in vector lanes: its error is that of any order, at most n ulp of Σ |a_j b_j|."""
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@compiled(parallel=True)
def radial_product(X, Y, V, images, profile, numbers, table, lowest_exponent, piece_bits, out):
    """out_ic = Σ_j k(X_i, Y_j) V_cj, without the matrix."""
    n_rows, n_columns = X.shape[1], Y.shape[1]
    for group in prange((n_rows + ROWS - 1) // ROWS):
        tile, squares = np.empty(TILE), np.empty(TILE)
        first, last = group * ROWS, min(group * ROWS + ROWS, n_rows)
        out[first:last] = 0.0
        for start in range(0, n_columns, TILE):
            stop = min(start + TILE, n_columns)
            buffer = tile[: stop - start]
            for i in range(first, last):
                kernel_tile(
                    X,
                    i,
                    Y,
                    start,
                    images,
                    profile,
                    numbers,
                    table,
                    lowest_exponent,
                    piece_bits,
                    squares[: stop - start],
                    buffer,
                )
                for c in range(V.shape[0]):
                    out[i, c] += dot(buffer, V[c, start:stop])
