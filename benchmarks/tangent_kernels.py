"""Gram matrices and products of the neural tangent kernel beside JAX.

Run from the repository: ``python benchmarks/tangent_kernels.py`` (extra ``bench``). The peer is
neural-tangents' empirical NTK where that can be imported (it needs TensorFlow, through tf2jax), and always
the plain JAX computation that it stands for: the Jacobian by ``vmap(grad)`` and JJᵀ for Gram matrices,
``vjp`` and ``jvp`` for products; all jitted, in float64, on the same cores.
"""

from importlib import metadata

import jax
import numpy as np
from jacobians import jax_network
from timing import environment, median_seconds

import funcgrad as fg

jax.config.update("jax_enable_x64", True)


def peers(widths):
    """Return the peers by name, functions of (θ, x) for Gram matrices."""
    network = jax_network(widths)
    rows = jax.vmap(jax.grad(network), (None, 0))

    def gram(theta, x):
        jacobian = rows(theta, x)
        return jacobian @ jacobian.T

    found = {"jax, JJᵀ": jax.jit(gram)}
    try:
        import neural_tangents
    except ImportError as error:
        print(f"  neural-tangents is left out: {error}")
        return found
    batched = jax.vmap(network, (None, 0))
    empirical = neural_tangents.empirical_ntk_fn(
        lambda theta, x: batched(theta, x)[:, None],
        vmap_axes=0,
        implementation=neural_tangents.NtkImplementation.JACOBIAN_CONTRACTION,
    )
    found["neural-tangents"] = jax.jit(lambda theta, x: empirical(x, None, theta))
    return found


def product(widths):
    """Return the JAX function (θ, x, v) ↦ J(Jᵀv)."""
    batched = jax.vmap(jax_network(widths), (None, 0))

    def apply(theta, x, v):
        def outputs(parameters):
            return batched(parameters, x)

        (covector,) = jax.vjp(outputs, theta)[1](v)
        return jax.jvp(outputs, (theta,), (covector,))[1]

    return jax.jit(apply)


def report(name, seconds, reference, error=None):
    agreement = "" if error is None else f"; largest difference {error:.1e} of the largest entry"
    print(
        f"  {name:22s} {1e3 * seconds:8.1f} ms, {seconds / reference:.2f} of the first{agreement}", flush=True
    )


def compare(widths, n_gram, n_product):
    model = fg.models.MLP(widths)
    theta, rng = model.initial(0), np.random.default_rng(0)
    kernel = fg.tangent_kernel(model, theta)
    print(f"tanh {'-'.join(map(str, widths))}, p = {model.n_parameters}")

    x = rng.standard_normal((n_gram, widths[0]))
    at, points = jax.numpy.asarray(theta), jax.numpy.asarray(x)
    print(f" Gram matrix, {n_gram} points")
    own = kernel.gram(x)
    reference = median_seconds(lambda: kernel.gram(x))
    report("funcgrad", reference, reference)
    for name, gram in peers(widths).items():
        difference = np.abs(np.asarray(gram(at, points)).reshape(own.shape) - own).max() / np.abs(own).max()
        report(
            name,
            median_seconds(lambda gram=gram: gram(at, points).block_until_ready()),
            reference,
            difference,
        )

    x, v = rng.standard_normal((n_product, widths[0])), rng.standard_normal(n_product)
    points, vector, apply = jax.numpy.asarray(x), jax.numpy.asarray(v), product(widths)
    print(f" product, {n_product} points")
    own = kernel.matvec(x, x, v)
    reference = median_seconds(lambda: kernel.matvec(x, x, v))
    report("funcgrad", reference, reference)
    difference = np.abs(np.asarray(apply(at, points, vector)) - own).max() / np.abs(own).max()
    report(
        "jax, vjp and jvp",
        median_seconds(lambda: apply(at, points, vector).block_until_ready()),
        reference,
        difference,
    )


def main():
    print(f"{environment()}, jax {metadata.version('jax')}")
    compare((2, 32, 1), 4000, 100_000)
    compare((2, 64, 64, 1), 2000, 20_000)


if __name__ == "__main__":
    main()
