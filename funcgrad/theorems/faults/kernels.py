"""Faults in kernels."""

from funcgrad.theorems.faults.fault import Fault, scaled


def _sign_of_images(original):
    def broken(self, *args, **options):
        original(self, *args, **options)
        self._sign = -self._sign

    return broken


def _larger_amplitude(original):
    def broken(self, *args, **options):
        original(self, *args, **options)
        self.amplitude *= 1 + 1e-8

    return broken


KERNELS = (
    Fault(
        "periodic-kernel-constant",
        "the kernel of the circle 1e-8 too large",
        "kernels.periodic:PeriodicSobolev._evaluate",
        scaled(1 + 1e-8),
        ("sobolev-kernel",),
    ),
    Fault(
        "interval-kernel-constant",
        "the kernel of the interval 1e-8 too large",
        "kernels.interval:IntervalSobolev._evaluate",
        scaled(1 + 1e-8),
        ("sobolev-kernel",),
    ),
    Fault(
        "kernel-constant",
        "the kernel of R^n 1e-8 too large",
        "kernels.matern:Sobolev.__init__",
        _larger_amplitude,
        ("sobolev-kernel",),
    ),
    Fault(
        "images-of-the-other-sign",
        "Neumann's images for Dirichlet's",
        "kernels.interval:IntervalSobolev.__init__",
        _sign_of_images,
        ("sobolev-kernel",),
    ),
    Fault(
        "kernel-without-length-scale",
        "ℓ = 1 in the kernel of the circle",
        "kernels.periodic:periodised",
        lambda original: lambda s, length, length_scale, order: original(s, length, 1.0, order),
        ("sobolev-kernel",),
    ),
    Fault(
        "limit-kernel",
        "the kernel of an infinitely wide network 10% too large",
        "kernels.network:ReLUTangent._evaluate",
        scaled(1.1),
        ("infinite-width",),
    ),
)
