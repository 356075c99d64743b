"""Compiled loops of the models: arrays in, arrays out."""

from numba import prange

from funcgrad._compiled import compiled


@compiled(parallel=True)
def outer_products(left, right, bias, out):
    """out_k = [Σ_β left_βk ⊗ right_βk, bias_k]: the columns of one layer in the Jacobian of a network.

    Each row is written once, from front to back: it is the memory that takes the time.
    """
    n_jets, n_points, n_units = left.shape
    n_inputs = right.shape[2]
    n_weights = n_units * n_inputs
    for k in prange(n_points):
        row = out[k]
        for i in range(n_units):
            cells = row[i * n_inputs : (i + 1) * n_inputs]
            factor, inputs = left[0, k, i], right[0, k]
            for j in range(n_inputs):
                cells[j] = factor * inputs[j]
            for b in range(1, n_jets):
                factor, inputs = left[b, k, i], right[b, k]
                for j in range(n_inputs):
                    cells[j] += factor * inputs[j]
        for i in range(bias.shape[1]):
            row[n_weights + i] = bias[k, i]
