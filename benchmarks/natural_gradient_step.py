"""A whole natural-gradient step of a wave network in L2 beside the same step as a plain JAX script.

Run from the repository: ``python benchmarks/natural_gradient_step.py`` (extra ``bench``). The script forms
the Jacobian by ``jit(vmap(grad))`` in float64, the Gram matrix and its right side, and calls ``lstsq``. Both
steps are compared with the solution in long double of the whitened problem: the distance of the pushforward
in L2, and that of the parameters.
"""

from importlib import metadata

import jax
import numpy as np
from refinement import refined
from timing import environment, median_seconds

import funcgrad as fg

jax.config.update("jax_enable_x64", True)

UNITS = 75  # p = 301
FREQUENCIES = 40.0  # of the first layer's waves; high enough for tangent functions that are independent
NODES_AN_AXIS = 316  # 99,856 nodes


def network(theta, point):
    """Return Σ_i v_i sin(w_i·x + b_i) + c, with the parameters in the order of `MLP`."""
    weights, rest = theta[: 2 * UNITS].reshape(UNITS, 2), theta[2 * UNITS :]
    return rest[UNITS : 2 * UNITS] @ jax.numpy.sin(weights @ point + rest[:UNITS]) + rest[2 * UNITS]


def main():
    print(f"{environment()}, jax {metadata.version('jax')}")
    model = fg.models.MLP((2, UNITS, 1), activation="sin")
    theta = model.initial(0)
    theta[: 2 * UNITS] *= FREQUENCIES
    grid = fg.Box([(-1, 1), (-1, 1)]).grid(NODES_AN_AXIS)
    loss = fg.PopulationLoss(lambda x, y: np.sin(3 * x) * np.cos(2 * y))

    gradients = jax.vmap(jax.grad(network), (None, 0))

    @jax.jit
    def script(parameters, x, w):
        values = jax.vmap(network, (None, 0))(parameters, x)
        residual = values - jax.numpy.sin(3 * x[:, 0]) * jax.numpy.cos(2 * x[:, 1])
        jacobian = gradients(parameters, x)
        weighted = w[:, None] * jacobian
        return jax.numpy.linalg.lstsq(jacobian.T @ weighted, weighted.T @ residual)[0]

    on_device = [jax.numpy.asarray(array) for array in (theta, grid.nodes, grid.weights)]
    root = np.sqrt(grid.weights)
    a = root[:, None] * model.jacobian(theta, grid.nodes)
    target = np.sin(3 * grid.nodes[:, 0]) * np.cos(2 * grid.nodes[:, 1])
    exact = refined(a, root * (model(theta, grid.nodes) - target))
    sigma = np.linalg.svd(np.linalg.qr(a, mode="r"), compute_uv=False)
    print(f"N = {len(grid)}, p = {model.n_parameters}, cond(A) = {sigma[0] / sigma[-1]:.1e}")

    steps = {
        "jax, lstsq of the Gram matrix": lambda: np.asarray(script(*on_device).block_until_ready()),
        "funcgrad, qr": lambda: fg.natural_gradient(loss, model, theta, fg.L2(), grid).direction,
        "funcgrad, cholesky if permitted": lambda: (
            fg.natural_gradient(loss, model, theta, fg.L2(), grid, solver="cholesky").direction
        ),
    }
    reference = None
    for name, step in steps.items():
        eta, seconds = step(), median_seconds(step)
        reference = reference or seconds
        pushed = np.linalg.norm(a @ (eta - exact)) / np.linalg.norm(a @ exact)
        off = np.linalg.norm(eta - exact) / np.linalg.norm(exact)
        print(
            f"  {name:32s} {seconds:6.3f} s, {seconds / reference:.2f} of the script; error of the "
            f"pushforward {pushed:.1e}, of the parameters {off:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
