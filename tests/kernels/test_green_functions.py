"""Kernels are Green functions: the metrics' spectral (1 - ℓ²Δ)^s turns their samples into δ."""

import numpy as np
import pytest

import funcgrad as fg

CASES = [
    (fg.Circle(3.0), None, (32, 64, 128), [0.4], lambda x: np.exp(np.sin(2 * np.pi * x / 3))),
    (fg.Interval(0, 2, boundary="neumann"), "midpoint", (32, 64, 128), [0.7], lambda x: np.cos(np.pi * x)),
    (fg.Interval(0, 2, boundary="dirichlet"), "midpoint", (32, 64, 128), [0.7], lambda x: np.sin(np.pi * x)),
    (fg.Torus((1.0, 1.5)), None, (16, 32, 64), [0.3, 0.9], lambda x, y: np.cos(2 * np.pi * x) + 0.5),
    (fg.Sphere(), None, (16, 32, 64), [0.6, 0.0, 0.8], lambda x, y, z: x * z + y**2),
]


@pytest.mark.parametrize("excess", [0.8, 1.5])
@pytest.mark.parametrize(("domain", "rule", "sizes", "point", "v"), CASES, ids=lambda case: str(case)[:24])
def test_spectral_operator_turns_the_kernel_into_delta(domain, rule, sizes, point, v, excess):
    """<(1 - ℓ²Δ)^s k(., y), v> -> v(y) at the rate h^{2s} that aliasing of k leaves."""
    s = 0.5 * domain.dimension + excess
    metric = fg.Sobolev(s, 0.5)
    kernel = metric.green_kernel(domain)
    exact, errors = v(*point), []
    for n in sizes:
        grid = domain.grid(n, rule=rule)
        samples = kernel.gram(grid.nodes, np.reshape(point, (1, -1)))[:, 0]
        errors.append(abs(metric.inner(grid.function(samples), grid.function(v)) - exact))
    assert errors[-1] < 1e-4
    # Two refinements together: the error oscillates with the place of y between the nodes.
    assert 0.5 * np.log2(errors[0] / errors[-1]) > 2 * s - 0.7
