"""Jacobians of tanh networks beside JAX: ``jax.jit(jax.vmap(jax.grad(network)))`` in float64, same cores.

Run from the repository: ``python benchmarks/jacobians.py`` (extra ``bench``). Both write one row of all
parameters a point. The larger Jacobian has 3.5 GB at 10^5 points; one is held at a time.
"""

import time
from importlib import metadata
from itertools import pairwise

import jax
import numpy as np
from timing import environment, median_seconds

from funcgrad.models import MLP

jax.config.update("jax_enable_x64", True)
N_POINTS = 100_000


def jax_network(widths):
    """Return (θ, point) ↦ number, with the parameters in the order of `MLP`."""

    def network(theta, point):
        values, start = point, 0
        for layer, (n_inputs, n_units) in enumerate(pairwise(widths), start=1):
            weights = theta[start : start + n_units * n_inputs].reshape(n_units, n_inputs)
            start += n_units * n_inputs
            z = weights @ values + theta[start : start + n_units]
            start += n_units
            values = z if layer == len(widths) - 1 else jax.numpy.tanh(z)
        return values[0]

    return network


def jax_tree_network(layers, point):
    """The same with the parameters as a list of (W, b), whose gradients need not be joined into rows."""
    values = point
    for weights, bias in layers[:-1]:
        values = jax.numpy.tanh(weights @ values + bias)
    weights, bias = layers[-1]
    return (weights @ values + bias)[0]


def processor_seconds(function, repeats=7):
    """Return the median processor time: what remains meaningful when other processes take turns."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return float(np.median(times))


def compare(widths):
    network = MLP(widths)
    theta = network.initial(0)
    x = np.random.default_rng(0).standard_normal((N_POINTS, widths[0]))
    rows = jax.jit(jax.vmap(jax.grad(jax_network(widths)), (None, 0)))
    tree = jax.jit(jax.vmap(jax.grad(jax_tree_network), (None, 0)))
    device_theta, device_x = jax.numpy.asarray(theta), jax.numpy.asarray(x)
    layers = [
        (jax.numpy.asarray(weights), jax.numpy.asarray(bias)) for weights, bias in network.layers(theta)
    ]
    few = slice(0, 1000)
    difference = np.abs(np.asarray(rows(device_theta, device_x[few])) - network.jacobian(theta, x[few])).max()
    print(f"tanh {'-'.join(map(str, widths))}, p = {network.n_parameters}, {N_POINTS} points")
    print(f"  largest difference of an entry, 1000 points: {difference:.1e}")

    out = np.empty((N_POINTS, network.n_parameters))
    out.fill(0.0)
    calls = {
        "funcgrad, out=": lambda: network.jacobian(theta, x, out=out),
        "funcgrad": lambda: network.jacobian(theta, x),
        "jax, rows": lambda: rows(device_theta, device_x).block_until_ready(),
        "jax, list of layers": lambda: jax.block_until_ready(tree(layers, device_x)),
    }
    reference = None
    for name, call in calls.items():
        if name == "funcgrad":
            del out
        wall, processor = median_seconds(call), processor_seconds(call)
        reference = reference or (wall, processor)
        ratios = f"{wall / reference[0]:.2f} and {processor / reference[1]:.2f} times the first"
        print(f"  {name:20s} {1e3 * wall:7.0f} ms, processor {1e3 * processor:7.0f} ms: {ratios}", flush=True)


def main():
    print(f"{environment()}, jax {metadata.version('jax')}")
    for widths in ((2, 32, 1), (2, 64, 64, 1)):
        compare(widths)


if __name__ == "__main__":
    main()
