"""Deliberately wrong objects: each keeps its contract in all but one point."""

import numpy as np

import funcgrad as fg
from funcgrad.functionals import Covector, Density, Functional
from funcgrad.operators.finite_differences import DifferenceOperator, first_derivative
from funcgrad.operators.summation_by_parts import SummationByParts

# --- kernels -----------------------------------------------------------------------------------------------


class PlainKernel:
    """A kernel by its formula, of one coordinate; no subclass of the library's."""

    dimension = 1

    def formula(self, x, y):
        return np.exp(-((x - y) ** 2) / 2)

    def __call__(self, x, y):
        return self.formula(np.asarray(x)[:, 0], np.asarray(y)[:, 0])

    def gram(self, X, Y=None):
        Y = X if Y is None else Y
        return self.formula(np.asarray(X)[:, :1], np.asarray(Y)[:, 0])

    def __repr__(self):
        return type(self).__name__


class KernelNotQuitePositive(PlainKernel):
    """A Gaussian less 1e-6 of a wave that is rough in its space."""

    def formula(self, x, y):
        return super().formula(x, y) - 1e-6 * np.cos(9 * x) * np.cos(9 * y)


class AsymmetricKernel(PlainKernel):
    def formula(self, x, y):
        return super().formula(x, y) + 1e-9 * (x - y)


class KernelWithWrongDerivative(PlainKernel):
    """∂_y has the sign of ∂_x."""

    def derivative(self, alpha, beta=0):
        if (alpha, beta) not in ((1, 0), (0, 1), (1, 1)):
            raise fg.InvalidInput("no more derivatives")
        kernel = PlainKernel()
        if alpha + beta == 1:
            kernel.formula = lambda x, y: -(x - y) * np.exp(-((x - y) ** 2) / 2)
        else:
            kernel.formula = lambda x, y: (1 - (x - y) ** 2) * np.exp(-((x - y) ** 2) / 2)
        return kernel


class KernelWithWrongProduct(PlainKernel):
    """`matvec` leaves out the last block."""

    def matvec(self, X, Y, v):
        return self.gram(X, Y[:128]) @ v[:128]


class TorusKernelWithMissingImages(fg.kernels.TorusSobolev):
    """The kernel of R^n at the nearest image alone, as if the others were negligible."""

    def _evaluate(self, x, y):
        d = x - y
        d = d - self.lengths * np.round(d / self.lengths)
        return self._free._evaluate(d, np.zeros_like(d))

    def _gram(self, X, Y):
        return self._evaluate(X[:, None, :], Y[None, :, :])


class CouplingNotPositive(fg.kernels.MatrixKernel):
    """Components that correlate by more than 1: the coupling has a negative eigenvalue."""

    def __init__(self):
        self._set_terms(((np.array([[1.0, 1.01], [1.01, 1.0]]), fg.kernels.Gaussian()),))


class CouplingNotSymmetric(fg.kernels.MatrixKernel):
    """The first component hears of the second, and not the other way round."""

    def __init__(self):
        self._set_terms(((np.array([[1.0, 0.3], [0.0, 1.0]]), fg.kernels.Gaussian()),))


class GramByComponents(fg.kernels.MatrixKernel):
    """All first components before all second ones."""

    def _gram(self, X, Y):
        return sum(np.kron(B, kernel._gram(X, Y)) for B, kernel in self.terms)


class ProductWithoutCoupling(fg.kernels.MatrixKernel):
    """`matvec` takes the components for independent."""

    def _product(self, X, Y, v):
        return sum(kernel._product(X, Y, v) for _, kernel in self.terms)


class TentInThePlane:
    """max(1 - r, 0), which is positive definite on a line and not in the plane."""

    dimension = 2

    def __call__(self, x, y):
        return np.maximum(1 - np.linalg.norm(x - y, axis=1), 0)

    def gram(self, X, Y=None):
        Y = X if Y is None else Y
        return np.maximum(1 - np.linalg.norm(X[:, None] - Y[None], axis=2), 0)


class CutOffAtTheEnds(PlainKernel):
    """exp(-d) cut off at 0.9: on [0, 1] only points near the ends are so far apart."""

    def formula(self, x, y):
        d = np.abs(x - y)
        return np.where(d < 0.9, np.exp(-d), 0)


class KernelWithJitter(PlainKernel):
    """A Gram matrix of points with themselves has something for Cholesky on its diagonal."""

    def gram(self, X, Y=None):
        return super().gram(X, Y) + (1e-8 * np.eye(len(X)) if Y is None else 0.0)


# --- functionals -------------------------------------------------------------------------------------------


class HalfSquare(Functional):
    """½ ∫ f², spoilt by its subclasses."""

    def __call__(self, f):
        return 0.5 * float(f.grid.integrate(f.values**2))

    def differential(self, f):
        return Density(f)

    def __repr__(self):
        return type(self).__name__


class ForgottenWeight(HalfSquare):
    """½ Σ f_j², with the differential of that: no Taylor test sees it."""

    def __call__(self, f):
        return 0.5 * float(np.sum(f.values**2))

    def differential(self, f):
        return Density(f.grid.function(f.values / f.grid.weights))


class MeanOverNodes(HalfSquare):
    """½ the mean of f² over the nodes, which on Gauss's is another integral and converges."""

    def __call__(self, f):
        return 0.5 * float(np.mean(f.values**2))

    def differential(self, f):
        return Density(f.grid.function(f.values / (len(f.values) * f.grid.weights)))


class WrongOnOneWave(HalfSquare):
    """The differential has a wave too many, of a frequency that few directions contain."""

    def differential(self, f):
        return Density(f.grid.function(f.values + 0.5 * np.cos(9 * f.grid.nodes[:, 0])))


class DifferentialOffByFactor(HalfSquare):
    def differential(self, f):
        return Density(2 * f)


class FrozenDifferential(HalfSquare):
    """The differential at one f, right there, whatever it is asked for: F is taken for linear."""

    def __init__(self, f):
        self.f = f

    def differential(self, f):
        return Density(self.f)


class LinearValue(HalfSquare):
    """A linear value with the differential of another functional that agrees at one f."""

    def __init__(self, f):
        self.f = f

    def __call__(self, f):
        return float(f.grid.integrate(self.f.values * f.values))


class TooSmooth(Covector):
    """A point evaluation that says it is bounded in L2."""

    def __init__(self, c):
        super().__init__()
        self.terms = c.terms

    @property
    def regularity(self):
        return fg.functionals.Regularity(0.0, False, "it is claimed so")


# --- models ------------------------------------------------------------------------------------------------


class Wave:
    """a sin(bx) + c with its Jacobian, by hand; no subclass of the library's."""

    dimension, n_parameters, parameter_names = 1, 3, ("a", "b", "c")

    def __call__(self, theta, x):
        a, b, c = theta
        return a * np.sin(b * x[:, 0]) + c

    def jacobian(self, theta, x):
        a, b, _ = theta
        x = x[:, 0]
        return np.stack([np.sin(b * x), a * x * np.cos(b * x), np.ones_like(x)], axis=1)

    def __repr__(self):
        return type(self).__name__


class OneWrongSign(Wave):
    """The entry of b at the points beyond 0.5 has the wrong sign."""

    def jacobian(self, theta, x):
        jacobian = super().jacobian(theta, x)
        jacobian[x[:, 0] > 0.5, 1] *= -1
        return jacobian


class MutatingModel(Wave):
    def __call__(self, theta, x):
        theta[2] += 1e-3
        value = super().__call__(theta, x)
        return value


class StaleModel(Wave):
    """Keeps its value by the points alone."""

    def __init__(self):
        self._kept = None

    def __call__(self, theta, x):
        if self._kept is None or not np.array_equal(self._kept[0], x):
            self._kept = x.copy(), super().__call__(theta, x)
        return self._kept[1]


class NormalisedModel(Wave):
    """The value depends on which other points are asked for: it is centred over them."""

    def __call__(self, theta, x):
        value = super().__call__(theta, x)
        return value - value.mean()


class WrongAtTheEnd(Wave):
    """The last basis function counts twice where x is 1: a span is closed on both sides."""

    def jacobian(self, theta, x):
        jacobian = super().jacobian(theta, x)
        jacobian[x[:, 0] == 1.0, 2] *= 2
        return jacobian


class OneBuffer(Wave):
    """Every Jacobian of as many points is the same array."""

    def __init__(self):
        self._buffers = {}

    def jacobian(self, theta, x):
        buffer = self._buffers.setdefault(len(x), np.empty((len(x), 3)))
        buffer[...] = super().jacobian(theta, x)
        return buffer


class WrongSecondBlock(Wave):
    """Points are taken by hundreds, the second hundred without their factor a."""

    def jacobian(self, theta, x):
        jacobian = super().jacobian(theta, x)
        jacobian[100:, 1] /= 1 + theta[0]
        return jacobian


class ModelWithWrongSlope(Wave):
    """The derivative in x forgets the inner factor b."""

    def derivative(self, theta, x, alpha):
        a, b, _ = theta
        if sum(alpha) == 0:
            return self(theta, x)
        if sum(alpha) > 1:
            raise fg.InvalidInput("no more derivatives")
        return a * np.cos(b * x[:, 0])


# --- operators ---------------------------------------------------------------------------------------------


class WrongAdjointAtTheBoundary:
    """A one-sided derivative whose transpose is that of the periodic one."""

    shape = (16,)

    def __init__(self):
        self._derivative = first_derivative(16, 0.1, 2, boundary="one-sided")

    def apply(self, u):
        return self._derivative.apply(u)

    def transpose(self):
        return first_derivative(16, 0.1, 2, boundary="periodic").transpose()

    def __repr__(self):
        return type(self).__name__


class SecondTransposeWrong:
    """`apply_transpose` is right, `rmatvec` has its last row twice."""

    shape = (10,)

    def __init__(self):
        self.matrix_of = np.random.default_rng(0).normal(size=(10, 10))

    def apply(self, u):
        return self.matrix_of @ u

    def rmatvec(self, v):
        return np.append((self.matrix_of.T @ v)[:-1], 2 * self.matrix_of[:, -1] @ v)

    def apply_transpose(self, v):
        return self.matrix_of.T @ v

    def __repr__(self):
        return type(self).__name__


class WrongEndWeight:
    """A summation-by-parts pair whose first weight is that of the interior."""

    def __init__(self):
        self._pair = SummationByParts(12, 0.1, 2)
        self.shape, self.weights = self._pair.shape, self._pair.weights.copy()
        self.weights[0] *= 2

    def first_derivative(self, axis=0) -> DifferenceOperator:
        return self._pair.first_derivative(axis)

    def __repr__(self):
        return type(self).__name__


# --- domains -----------------------------------------------------------------------------------------------


class WrongEigenvalue(fg.Circle):
    """Eigenvalue 3 is off by a millionth."""

    def laplacian_spectrum(self, count):
        spectrum = super().laplacian_spectrum(count).copy()
        spectrum[3:4] *= 1 + 1e-6
        return spectrum


class WrongWeight(fg.Interval):
    """One node's weight is a hundredth too large."""

    def grid(self, n, rule=None):
        grid = super().grid(n, rule)
        weights = grid.weights.copy()
        weights[n // 3] *= 1.01
        grid.weights = weights
        return grid


class WrongVolume(fg.Circle):
    @property
    def volume(self):
        return self.length / 2


class ShortestNotRound(fg.Circle):
    """The distance along the coordinate, which does not know that the ends meet."""

    def distance(self, x, y):
        return np.abs(np.asarray(x) - np.asarray(y))[:, 0]
