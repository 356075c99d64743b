"""Gradient flows: of a model's parameters in a metric, and of a function in an RKHS without a model."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import scipy.integrate

from funcgrad._checks import finite_array, point_array
from funcgrad.errors import ConvergenceError, DegenerateModelWarning, InvalidInput
from funcgrad.gradients.arguments import require_problem
from funcgrad.gradients.natural_gradient import grid_for, natural_gradient
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.metrics.rkhs import RKHS
from funcgrad.metrics.sobolev import Sobolev
from funcgrad.models.adapted import as_model
from funcgrad.spaces.grid import sample


@dataclass(frozen=True)
class Flow:
    """The result of `flow`.

    Attributes
    ----------
    t : ndarray, (T,)
    theta : ndarray, (T, p)
    value : ndarray, (T,)
        F∘φ along the flow.
    norm : ndarray, (T,)
        ‖dφ(η)‖ in the metric; dF/dt = -norm².
    status : {"finished", "event"}
    events : list of ndarray
        The times of each event.
    solution : scipy.integrate.OdeSolution or None
        t ↦ θ, if asked for by ``dense_output=True``.

    Examples
    --------
    >>> import funcgrad as fg
    >>> line, loss = fg.models.Polynomial(1), fg.PopulationLoss(lambda x: x)
    >>> found = fg.flow(loss, line, [1.0, 0.0], fg.L2(), fg.Interval(0, 1), (0.0, 1.0))
    >>> round(float(found.value[-1] / found.value[0]), 6)                     # e^{-2t}
    0.135335
    """

    t: np.ndarray
    theta: np.ndarray = field(repr=False)
    value: np.ndarray
    norm: np.ndarray
    status: str
    events: list = field(repr=False)
    solution: object = field(repr=False)


def flow(F, model, theta, metric, domain, t_span, *, rcond=None, rtol=1e-8, atol=1e-10, **options):
    """Follow the natural gradient flow θ' = -η(θ), along which dF/dt = -‖dφ(η)‖².

    Parameters
    ----------
    F, model, theta, metric, domain, rcond
        As in `natural_gradient`.
    t_span : (float, float)
    rtol, atol : float
        Tolerances for θ.
    **options
        Of `scipy.integrate.solve_ivp`: `method`, `t_eval`, `events` (functions of t and θ),
        `dense_output`, `max_step`.

    Returns
    -------
    Flow

    Raises
    ------
    ConvergenceError
        If the integration cannot go on.

    Warns
    -----
    DegenerateModelWarning
        Once, if the model was degenerate somewhere on the way.

    Examples
    --------
    For a linear model that contains the target, ½∫(f - y)² decays as e^{-2t} in L2, whatever the basis.

    >>> import numpy as np, funcgrad as fg
    >>> loss = fg.PopulationLoss(lambda x: 2 * x - 1)
    >>> path = fg.flow(loss, fg.models.Polynomial(1), [0, 0], fg.L2(), fg.Interval(0, 1), (0, 1))
    >>> bool(np.isclose(path.value[-1], np.exp(-2) * path.value[0], rtol=1e-7))
    True
    """
    require_problem(F, model, metric, domain)
    theta = finite_array(theta, "theta", ndim=1)
    model, ranks = as_model(model, theta, domain), []

    def step_at(theta):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DegenerateModelWarning)
            step = natural_gradient(F, model, theta, metric, domain, rcond=rcond)
        ranks.append(step.rank)
        return step

    found = _integrate(lambda t, theta: -step_at(theta).direction, t_span, theta, rtol, atol, options)
    path = found.y.T
    value, norm = np.empty(len(path)), np.empty(len(path))
    for k, point in enumerate(path):
        step = step_at(point)
        grid = grid_for(domain, model, point)
        a = WhitenedJacobian(model, point, metric, grid)
        value[k], norm[k] = F(a.f), a.metric.norm(step.pushforward)
    if min(ranks) < model.n_parameters:
        warnings.warn(
            f"the tangent space had rank {min(ranks)} with {model.n_parameters} parameters on the way; the "
            "flow of least norm was followed.",
            DegenerateModelWarning,
            stacklevel=2,
        )
    return Flow(found.t, path, value, norm, _status(found), found.t_events or [], found.sol)


@dataclass(frozen=True)
class KernelFlow:
    """The result of `kernel_flow`: f_t = f_0 + Σ_j a_j(t) K(x_j, .).

    Attributes
    ----------
    t : ndarray, (T,)
    coefficients : ndarray, (T, K) or (T, K, m)
        a.
    value : ndarray, (T,)
        F(f_t); dF/dt = -‖∇F‖².
    norm : ndarray, (T,)
        ‖∇F(f_t)‖ in the RKHS.
    points : ndarray, (K, n)
        The different points that F looks at.
    kernel : Kernel
    initial : callable
        f_0.
    status : {"finished", "event"}

    Examples
    --------
    >>> import funcgrad as fg
    >>> metric = fg.RKHS(fg.kernels.Sobolev(1.0, 1))
    >>> loss = fg.EmpiricalLoss([0.0], [1.0])
    >>> found = fg.kernel_flow(loss, lambda x: 0.0 * x, metric, fg.Euclidean(1), (0.0, 2.0))
    >>> round(float(found([0.0])[0]), 4)                                      # 1 - e^{-tK(0,0)}
    0.6321
    """

    t: np.ndarray
    coefficients: np.ndarray = field(repr=False)
    value: np.ndarray
    norm: np.ndarray
    points: np.ndarray = field(repr=False)
    kernel: object
    initial: object = field(repr=False)
    status: str

    def __call__(self, x, k=-1):
        """Return f_t at points x (L, n), at the k-th time: the last one if not given."""
        x = point_array(x, self.points.shape[1])
        return sample(self.initial, x) + self.kernel.gram(x, self.points) @ self.coefficients[k]


def kernel_flow(F, f0, metric, domain, t_span, *, rtol=1e-8, atol=1e-10, **options):
    """Follow the gradient flow f' = -∇F(f) in an RKHS, in function space and without a model.

    For a functional that looks at fixed points, ∇F(f) = Σ w_j K(x_j, .), so that f_t - f_0 stays in the
    span of the K(x_j, .) and the flow is one of their coefficients, a' = -w(f_0 + Ka): exact in space.

    Parameters
    ----------
    F : Functional
        With the points that it looks at in an attribute `x`, as `EmpiricalLoss`.
    f0 : callable
        Of the n coordinate arrays.
    metric : RKHS or metrics.Sobolev
        The latter by its Green function on the domain, of order above n/2.
    domain : Domain
    t_span, rtol, atol, **options
        As in `flow`. The flow is stiff for many points: ``method="LSODA"`` is the default.

    Returns
    -------
    KernelFlow

    Examples
    --------
    >>> import numpy as np, funcgrad as fg
    >>> loss = fg.EmpiricalLoss([0.2, 0.7], [1.0, -1.0])
    >>> line = fg.Interval(0, 1)
    >>> path = fg.kernel_flow(loss, lambda x: 0 * x, fg.Sobolev(1.0), line, (0, 200))
    >>> path([0.2, 0.7]).round(6)
    array([ 1., -1.])
    """
    kernel = _kernel_of(metric, domain)
    points = _points_of(F)
    # By coordinates: a point where dF happens to vanish has no atom.
    place = {tuple(point): j for j, point in enumerate(points.tolist())}
    gram, start = kernel.gram(points), sample(f0, points, "f0")

    def state(a):
        """Return f at the points, as a callable, and the weights of dF there."""
        f = _AtPoints(place, start + gram @ a.reshape(start.shape))
        weights = np.zeros(start.shape)
        for atom in _point_atoms(F.differential(f)):
            weights[f.place(atom.point)] = atom.weight
        return f, weights

    options = {"method": "LSODA", **options}
    zero = np.zeros(start.size)
    found = _integrate(lambda t, a: -state(a)[1].reshape(-1), t_span, zero, rtol, atol, options)
    value, norm = np.empty(len(found.t)), np.empty(len(found.t))
    for k, a in enumerate(found.y.T):
        f, weights = state(a)
        value[k] = F(f)
        norm[k] = np.sqrt(max(np.sum(weights * (gram @ weights)), 0.0))
    coefficients = found.y.T.reshape(-1, *start.shape)
    return KernelFlow(found.t, coefficients, value, norm, points, kernel, f0, _status(found))


class _AtPoints:
    """A function known at fixed points only, as a callable of coordinate arrays."""

    def __init__(self, places, values):
        self._places, self._values = places, values

    def place(self, point):
        if tuple(point) not in self._places:
            raise InvalidInput(f"`F` looks at {tuple(point)}, which is not among its points `F.x`.")
        return self._places[tuple(point)]

    def __call__(self, *x):
        return self._values[[self.place(point) for point in np.column_stack(x).tolist()]]


def _points_of(F):
    points = getattr(F, "x", None)
    if points is None:
        raise InvalidInput(
            f"`F` must be a functional that looks at fixed points, `F.x`, as an EmpiricalLoss; got {F!r}."
        )
    return np.unique(points, axis=0)


def _point_atoms(c):
    if c.densities or any(any(atom.derivative) for atom in c.atoms):
        raise InvalidInput("the differential of `F` must be point evaluations only, without derivatives.")
    return c.atoms


def _kernel_of(metric, domain):
    if isinstance(metric, RKHS):
        return metric.kernel
    if isinstance(metric, Sobolev):
        return metric.green_kernel(domain)
    raise InvalidInput(f"`metric` must be an RKHS, or Sobolev of order above n/2; got {metric}.")


def _integrate(velocity, t_span, start, rtol, atol, options):
    found = scipy.integrate.solve_ivp(velocity, t_span, start, rtol=rtol, atol=atol, **options)
    if found.status < 0:
        raise ConvergenceError(
            f"the flow stopped at t = {found.t[-1]:.6g}: {found.message} If it is stiff, try "
            '`method="LSODA"`; if the model degenerates there, pass `rcond`.'
        )
    return found


def _status(found):
    return "event" if found.status == 1 else "finished"
