"""
What do the tangent kernels of a small network look like?
=========================================================

A network and a metric on its parameters give a kernel: the neural tangent kernel Θ for the Euclidean
metric, the generalised tangent kernel for a metric pulled back from functions. The latter is the
projection of the reproducing kernel of the function space onto what the network can express.
"""

import matplotlib.pyplot as plt
import numpy as np

import funcgrad as fg

interval, H1 = fg.Interval(-1, 1), fg.Sobolev(1.0, length_scale=0.3)
network = fg.models.MLP((1, 5, 1))
theta = 2.0 * network.initial(seed=4)
ntk = fg.tangent_kernel(network, theta)
gtk = fg.tangent_kernel(network, theta, H1, interval)
whole = H1.green_kernel(interval)

# %%
# Θ follows the parametrisation: scale a parameter and it changes. K_h does not, and stays below the
# kernel of the space, as a projection must.

x = np.linspace(-1, 1, 201)
scaled = network.reparametrise(lambda t: 3.0 * t, lambda t: 3.0 * np.eye(len(t)))
changed_ntk = fg.tangent_kernel(scaled, theta / 3)
changed_gtk = fg.tangent_kernel(scaled, theta / 3, H1, interval)
print(f"Θ    changes by a factor {(changed_ntk.gram(x) / ntk.gram(x)).mean():.3f}")
print(f"K_h  changes by {np.abs(changed_gtk.gram(x) - gtk.gram(x)).max():.1e}")
least = np.linalg.eigvalsh(whole.gram(x) - gtk.gram(x)).min()
print(f"K - K_h: least eigenvalue {least:.1e}; K_h has rank {np.linalg.matrix_rank(gtk.gram(x), tol=1e-6)}")

assert np.allclose(changed_ntk.gram(x), 9 * ntk.gram(x))
assert np.allclose(changed_gtk.gram(x), gtk.gram(x), atol=1e-6)
assert least > -1e-8

# %%
# A section K(x_0, ·) says where a function moves if a datum at x_0 pulls at it.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for x0, colour in ((-0.6, "C0"), (0.1, "C1"), (0.8, "C2")):
    axes[0].plot(x, ntk.gram([x0], x)[0], color=colour)
    axes[1].plot(x, gtk.gram([x0], x)[0], color=colour, label=f"x₀ = {x0}")
    axes[1].plot(x, whole.gram([x0], x)[0], color=colour, lw=0.8, ls="--")
    for ax in axes:
        ax.axvline(x0, color=colour, lw=0.5)
axes[0].set(title="Neural tangent kernel Θ(x₀, ·)", xlabel="x")
axes[1].set(title="K_h(x₀, ·) in H^1; dashed: the whole space", xlabel="x")
axes[1].legend(fontsize=8)
plt.show()
