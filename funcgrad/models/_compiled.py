"""Compiled loops of the models: the Jacobian of a network, tile by tile of points.

The layers' values of a tile of points live in the first-level cache, as (units, points), so that every inner
loop runs over the points of a tile, without branches or calls, and vectorises. A row of the Jacobian is
written once: it is the memory that takes the time.
"""

import math

import numpy as np
from numba import prange

from funcgrad._compiled import (
    LOG2E,
    MANTISSA_BITS,
    ROUNDER,
    bits_to_float,
    compiled,
    float_to_bits,
)

TILE = 32
# Points that one thread takes at a time: enough that its buffers cost nothing.
GROUP = 512

GELU, RELU, SIN, SOFTPLUS, TANH = 0, 1, 2, 3, 4

# ln 2 in two parts; the first has so few bits that n times it is exact.
LN2_HIGH, LN2_LOW = 0.693145751953125, 1.42860682030941723212e-6


@compiled()
def relative_expm1(r):
    """(e^r - 1) / r for |r| <= ln(2)/2: near minimax, so that 1 + r times it has relative error 1.6e-17."""
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    return p * r + 1.0


@compiled()
def vector_tanh(z):
    """tanh(z) within a few ulp, from expm1(-2|z|) = 2^n expm1(r) + (2^n - 1), without a branch or a call.

    Must not be compiled with, or inlined into, 'reassoc': adding and subtracting ROUNDER would fold away.
    """
    # At 20 the tanh is 1 to rounding.
    y = -2.0 * min(abs(z), 20.0)
    shifted = y * LOG2E + ROUNDER
    n = shifted - ROUNDER
    r = (y - n * LN2_HIGH) - n * LN2_LOW
    p = relative_expm1(r)
    power = bits_to_float((float_to_bits(shifted) + 1023) << MANTISSA_BITS)
    decay = power * (p * r) + (power - 1.0)
    # Python's division, which raises at zero, is a branch; numpy's is not.
    return math.copysign(np.divide(decay, 2.0 + decay), z)


@compiled()
def write_tanh(z, out):
    """out_k = tanh(z_k)."""
    for k in range(z.size):
        out[k] = vector_tanh(z[k])


@compiled()
def activate(activation, z, slope):
    """Replace z by σ(z) and write σ'(z) to `slope`, both (units, points)."""
    for i in range(len(z)):
        values, slopes = z[i], slope[i]
        # An overflow becomes a NaN, which no activation hides.
        for k in range(values.size):
            values[k] += 0.0 * values[k]
        if activation == TANH:
            for k in range(values.size):
                t = vector_tanh(values[k])
                values[k] = t
                slopes[k] = (1.0 - t) * (1.0 + t)
        elif activation == RELU:
            for k in range(values.size):
                slopes[k] = 1.0 if values[k] > 0.0 else 0.0
                values[k] = 0.0 if values[k] < 0.0 else values[k]
        elif activation == SIN:
            for k in range(values.size):
                slopes[k] = math.cos(values[k])
                values[k] = math.sin(values[k])
        elif activation == SOFTPLUS:
            for k in range(values.size):
                small = math.exp(-abs(values[k]))
                slopes[k] = (1.0 if values[k] >= 0.0 else small) / (1.0 + small)
                values[k] = max(values[k], 0.0) + math.log1p(small)
        else:
            for k in range(values.size):
                u = values[k]
                cumulative = 0.5 * math.erfc(-u * math.sqrt(0.5))
                slopes[k] = cumulative + u * math.exp(-0.5 * u * u) / math.sqrt(2.0 * math.pi)
                values[k] = u * cumulative


@compiled()
def add_product(matrix, values, out):
    """out += matrix @ values, (units, inputs) times (inputs, points), four inputs at a time."""
    n_inputs = matrix.shape[1]
    whole = n_inputs - n_inputs % 4
    for i in range(len(out)):
        row = out[i]
        for j in range(0, whole, 4):
            w0, w1, w2, w3 = matrix[i, j], matrix[i, j + 1], matrix[i, j + 2], matrix[i, j + 3]
            v0, v1, v2, v3 = values[j], values[j + 1], values[j + 2], values[j + 3]
            for k in range(TILE):
                row[k] += w0 * v0[k] + w1 * v1[k] + w2 * v2[k] + w3 * v3[k]
        for j in range(whole, n_inputs):
            w0, v0 = matrix[i, j], values[j]
            for k in range(TILE):
                row[k] += w0 * v0[k]


@compiled()
def write_layer(adjoint, inputs, scale, rows, with_bias, out):
    """Write the layer's columns of the Jacobian, out_k = [scale adjoint_k ⊗ inputs_k, adjoint_k].

    Returns a number that is finite if all that was written is.
    """
    left, right = np.ascontiguousarray(adjoint.T), np.ascontiguousarray(inputs.T)
    n_units, n_inputs = len(adjoint), len(inputs)
    n_weights = n_units * n_inputs
    for k in range(rows):
        row, factors, values = out[k], left[k], right[k]
        if n_inputs < 4:
            # Few inputs: the loop over the units is the long one.
            for j in range(n_inputs):
                value = scale * values[j]
                for i in range(n_units):
                    row[i * n_inputs + j] = factors[i] * value
        else:
            for i in range(n_units):
                cells, factor = row[i * n_inputs : (i + 1) * n_inputs], scale * factors[i]
                for j in range(n_inputs):
                    cells[j] = factor * values[j]
        if with_bias:
            for i in range(n_units):
                row[n_weights + i] = factors[i]
    return (column_sizes(adjoint) * (1.0 + scale * column_sizes(inputs))).sum()


@compiled()
def column_sizes(values):
    """Return Σ_i |values_ik|, which bounds every entry of a product of such columns."""
    sizes = np.zeros(TILE)
    for i in range(len(values)):
        row = values[i]
        for k in range(TILE):
            sizes[k] += abs(row[k])
    return sizes


@compiled(parallel=True)
def network_jacobian(x, theta, widths, scales, with_bias, activation, out):
    """Write ∂f/∂θ of a fully connected network, (points, outputs, parameters), in parallel over the points.

    `theta` holds the weights times their layer's scale. Returns a number for each group of points that is
    finite if its rows are.
    """
    n_points, n_groups = len(x), (len(x) + GROUP - 1) // GROUP
    witness = np.zeros(n_groups)
    for group in prange(n_groups):
        values = np.zeros((widths.sum(), TILE))
        slopes = np.zeros((widths.sum(), TILE))
        adjoints = np.zeros((2, widths.max(), TILE))
        for start in range(group * GROUP, min((group + 1) * GROUP, n_points), TILE):
            rows = min(TILE, n_points - start)
            for j in range(widths[0]):
                for k in range(rows):
                    values[j, k] = x[start + k, j]
            forward(theta, widths, with_bias, activation, values, slopes)
            for output in range(widths[-1]):
                witness[group] += backward(
                    theta,
                    widths,
                    scales,
                    with_bias,
                    values,
                    slopes,
                    adjoints,
                    output,
                    out[start : start + rows, output],
                )
    return witness


@compiled()
def forward(theta, widths, with_bias, activation, values, slopes):
    """Fill in the values and slopes of every hidden layer, one below the other."""
    first, start = 0, 0
    for layer in range(len(widths) - 2):
        n_inputs, n_units = widths[layer], widths[layer + 1]
        inputs = values[first : first + n_inputs]
        first += n_inputs
        z = values[first : first + n_units]
        end = start + n_units * n_inputs
        weights = theta[start:end].reshape((n_units, n_inputs))
        start = end
        for i in range(n_units):
            z[i] = theta[start + i] if with_bias else 0.0
        if with_bias:
            start += n_units
        add_product(weights, inputs, z)
        activate(activation, z, slopes[first : first + n_units])


@compiled()
def backward(theta, widths, scales, with_bias, values, slopes, adjoints, output, out):
    """Write the rows of one output, from the last layer to the first."""
    first, end, witness = widths.sum() - widths[-1], theta.size, 0.0
    adjoints[0, : widths[-1]] = 0.0
    adjoints[0, output] = 1.0
    which = 0
    for layer in range(len(widths) - 2, -1, -1):
        n_inputs, n_units = widths[layer], widths[layer + 1]
        start = end - n_units * (n_inputs + (1 if with_bias else 0))
        first -= n_inputs
        inputs, adjoint = values[first : first + n_inputs], adjoints[which, :n_units]
        witness += write_layer(adjoint, inputs, scales[layer], len(out), with_bias, out[:, start:end])
        if layer > 0:
            weights = theta[start : start + n_units * n_inputs].reshape((n_units, n_inputs))
            which = 1 - which
            below = adjoints[which, :n_inputs]
            below[:] = 0.0
            add_product(weights.T, adjoint, below)
            slope = slopes[first : first + n_inputs]
            for i in range(n_inputs):
                for k in range(TILE):
                    below[i, k] *= slope[i, k]
        end = start
    return witness
