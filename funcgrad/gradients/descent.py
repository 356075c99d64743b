"""Natural gradient descent, damped by Levenberg and Marquardt's rule or with a line search."""

import contextlib
import math
from dataclasses import dataclass, field, replace

import numpy as np

from funcgrad._checks import finite_array, finite_number, one_of, positive_number, whole_number
from funcgrad.errors import ConvergenceError, InvalidInput
from funcgrad.gradients.arguments import require_problem
from funcgrad.gradients.natural_gradient import grid_for
from funcgrad.gradients.solvers import KroneckerProblem, reduced, triangular_factor
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.models.adapted import as_model

HISTORY = np.dtype(
    [
        ("loss", float),
        ("norm", float),
        ("rank", int),
        ("condition", float),
        ("step", float),
        ("damping", float),
    ]
)
_ARMIJO = 1e-4
# What an exact pairing with the tangent functions may differ by from that on a grid that resolves them.
_RESOLVED = 1e-11
# A decrease below this share of the loss is lost in the rounding of the loss.
_INVISIBLE = 1e-13
# There the norm has to fall by this factor each step; where residuals are large it falls slowly.
_PROGRESS = 0.95

_MESSAGES = {
    "converged": "The gradient's norm in its own metric fell to the tolerance.",
    "rounding": "As close as rounding permits: steps change the loss by less than it is accurate to, and "
    "the gradient's norm no longer falls.",
    "iterations": "`max_iterations` steps were not enough. Raise it, or look at `.history`: a norm that "
    "falls slowly means a metric far from the loss's own curvature (try L2 on the data, or a Sobolev order "
    "nearer to the energy's); a large `damping` means a model far from linear.",
    "stalled": "No step along the natural gradient lowers the loss. Likely causes: a differential that does "
    "not belong to the functional's value (check it by differences), a model whose parameters run to "
    "infinity (look at `.theta`; reparametrise), or a loss at its rounding floor. Start elsewhere, or pass a "
    "larger `damping`.",
    "stopped": "The callback asked to stop.",
}


@dataclass(frozen=True)
class Descent:
    """The result of `descend`.

    Attributes
    ----------
    theta : ndarray, (p,)
    value : float
        F∘φ there.
    status : {"converged", "rounding", "iterations", "stalled", "stopped"}
    message : str
        What the status means, its likely causes and what to do.
    history : structured ndarray
        One row an iterate, the start first: `loss`; `norm` of the projected gradient in the metric;
        `rank` and `condition` of the tangent space; the `step` and `damping` that led to the next.

    Examples
    --------
    >>> import funcgrad as fg
    >>> loss = fg.EmpiricalLoss([0.0, 0.5, 1.0], [0.0, 1.0, 1.0])
    >>> found = fg.descend(loss, fg.models.Polynomial(1), [0.0, 0.0], fg.L2(), fg.Interval(0, 1))
    >>> found.success, found.theta.round(6), found.history["rank"].tolist()[0]
    (True, array([0.166667, 1.      ]), 2)
    """

    theta: np.ndarray
    value: float
    status: str
    message: str = field(repr=False)
    history: np.ndarray = field(repr=False)

    @property
    def success(self):
        """Whether a stationary point was reached, to the tolerance or to rounding."""
        return self.status in ("converged", "rounding")


def descend(
    F,
    model,
    theta,
    metric,
    domain,
    *,
    step="exact",
    damping="levenberg-marquardt",
    first_damping=1e-3,
    tolerance=1e-12,
    max_iterations=1000,
    rcond=None,
    solver="qr",
    callback=None,
    progress=False,
):
    """Minimise a functional of a model by natural gradient descent, θ ← θ - t η(θ).

    Parameters
    ----------
    F : Functional
    model : Model
    theta : array_like, (p,)
        Where to start.
    metric : Metric or MetricField
    domain : Domain or Grid
        As in `natural_gradient`; for a Domain a grid is chosen anew at each θ.
    step : "exact" or float
        t: "exact" minimises the quadratic model of F along the pushforward, t = dF(g)/D²F(g, g) with
        g = dφ(η); the curvature comes from the differential, so a functional needs no second derivative.
    damping : "levenberg-marquardt" or float
        By default min |Aη - r|² + λ|Dη|², with D the largest column norms of A so far, so that the step
        does not depend on the units of the parameters, and λ set by the gain ratio of actual to
        predicted decrease. With a number, which is added to G (0 for the natural gradient itself), t is
        halved until it satisfies Armijo's condition F(θ - tη) <= F(θ) - 10⁻⁴ t dF(dφ(η)).
    first_damping : float
        λ to start Levenberg and Marquardt's rule with. Larger for a model that is far from linear: the
        first steps are then shorter, and parameters less likely to run away.
    tolerance : float
        Stop when ‖dφ(η)‖, the norm in the metric of the gradient's projection onto the tangent space, is
        below this times its value at the start. It stops earlier when rounding permits no progress.
    max_iterations : int
    rcond : float, optional
        As in `natural_gradient`.
    solver : {"qr", "kronecker"}
        "kronecker" approximates each step, for models made of layers (`natural_gradient`); `norm` in the
        history is then that of the projection onto its direction, and the scale D that of its factors.
    callback : callable, optional
        Called with θ and the row of `history` after each step; stops the descent by returning True.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Descent

    Examples
    --------
    Fit a saturation curve to data: L2 on the data's points makes each step a Gauss-Newton step.

    >>> import numpy as np, funcgrad as fg
    >>> x = np.array([1.0, 2.0, 3.0, 5.0])
    >>> y = 2 * (1 - np.exp(-0.7 * x))
    >>> model = fg.models.Symbolic("a*(1 - exp(-b*x))", "x", "a b")
    >>> data = fg.PointSet(fg.Interval(0, 5), x)
    >>> fit = fg.descend(fg.EmpiricalLoss(x, y), model, [1.0, 1.0], fg.L2(), data)
    >>> fit.theta.round(9), fit.status
    (array([2. , 0.7]), 'converged')

    References
    ----------
    Moré, *The Levenberg-Marquardt algorithm: implementation and theory*, LNM 630, 1978 (the scaling D).
    Nielsen, *Damping parameter in Marquardt's method*, IMM-REP-1999-05, 1999 (the rule for λ).
    """
    require_problem(F, model, metric, domain)
    adaptive = damping == "levenberg-marquardt"
    if not adaptive and finite_number(damping, "damping") < 0:
        raise InvalidInput(f"`damping` must not be negative; got {damping:g}.")
    if step != "exact":
        positive_number(step, "step")
    tolerance = finite_number(tolerance, "tolerance")
    if tolerance < 0:
        raise InvalidInput(f"`tolerance` must not be negative; got {tolerance:g}.")
    max_iterations = whole_number(max_iterations, "max_iterations")

    one_of(solver, ("qr", "kronecker"), "solver")
    model = as_model(model, theta, domain)
    problem = _Problem(F, model, metric, domain, step, rcond, solver)
    first_damping = positive_number(first_damping, "first_damping")
    search = _LevenbergMarquardt(first_damping) if adaptive else _LineSearch(float(damping))
    point = problem.point(finite_array(theta, "theta", ndim=1))
    history, best, status = [], point, None
    with _progress_bar(progress, max_iterations) as advance:
        while status is None:
            row = point.row()
            history.append(row)
            advance(point.value, point.norm)
            progressed = point.norm <= _PROGRESS * best.norm or len(history) == 1
            if point.norm < best.norm or not point.at_rounding:
                best = point
            if point.norm <= tolerance * history[0]["norm"]:
                status = "converged"
            elif point.at_rounding and not progressed:
                status = "rounding"
            elif callback is not None and len(history) > 1 and callback(point.theta, row):
                status = "stopped"
            elif len(history) > max_iterations:
                status = "iterations"
            else:
                point, status = _next(problem, point, search, row)
    return Descent(best.theta, best.value, status, _MESSAGES[status], np.array(history))


def _next(problem, point, search, row):
    """Return the next point and None, or None and the status with which the descent ends."""
    length = problem.natural_length(point)
    if 0.5 * length * point.norm**2 > _INVISIBLE * abs(point.value):
        found = search(problem, point, length, row)
        return (None, "stalled") if found is None else (found, None)
    # The loss cannot tell any more; the full step is taken as long as the norm falls.
    row["step"] = length
    found = problem.attempt(point.theta - length * point.full.solution)
    if found is None:
        return None, "rounding"
    found.at_rounding = True
    return found, None


class _Problem:
    """What `descend` is given, and the values and points that it asks for."""

    def __init__(self, F, model, metric, domain, step, rcond, solver):
        self.F, self.model, self.metric, self.domain = F, model, metric, domain
        self.step, self.rcond, self.solver = step, rcond, solver

    def jacobian(self, theta):
        """Return the whitened Jacobian at θ; it is held if it is to be factored."""
        held = False if self.solver == "kronecker" else None
        return WhitenedJacobian(
            self.model, theta, self.metric, grid_for(self.domain, self.model, theta), held
        )

    def point(self, theta):
        return _Point(self, theta)

    def attempt(self, theta):
        """Return the point at θ, or None where the model, its Jacobian or the loss is not finite."""
        with np.errstate(all="ignore"), contextlib.suppress(InvalidInput, ConvergenceError):
            return self.point(theta)
        return None

    def value(self, theta):
        """Return F∘φ at θ, infinity where the model or the loss is not finite."""
        with np.errstate(all="ignore"), contextlib.suppress(InvalidInput, ConvergenceError):
            value = float(self.F(self.jacobian(theta).f))
            return value if math.isfinite(value) else math.inf
        return math.inf

    def natural_length(self, point):
        """Return t for the undamped direction; 1, the metric's own, where F curves down along it."""
        if self.step != "exact":
            return float(self.step)
        if point.norm == 0:
            return 1.0
        curvature = point.curvature(point.pushforward(point.full.solution))
        return point.norm**2 / curvature if curvature > 0 else 1.0


class _Point:
    """What is known at one θ: the loss, the whitened problem, and its damped solutions."""

    def __init__(self, problem, theta):
        self.theta, self._F, self._rcond = theta, problem.F, problem.rcond
        self._a = problem.jacobian(theta)
        self.f = self._a.f
        self.value = finite_number(self._F(self.f), "F(f)")
        c = self._F.differential(self.f)
        r = self._a.metric.whiten(c, self._a.grid).reshape(-1)
        if problem.solver == "kronecker":
            self._factored = KroneckerProblem(self._a, r)
        else:
            self._factored = _Triangle(self._a, r, c)
        self.full = self.damped()(0.0)
        self.norm = self.full.length
        self.at_rounding = False

    def row(self):
        """Return a row of the history."""
        row = np.zeros((), HISTORY)
        row["loss"], row["norm"] = self.value, self.norm
        row["rank"], row["condition"] = self.full.rank, self.full.condition
        return row

    def damped(self, scale=None):
        """Return the map from λ to the solution of min |Aη - r|² + λ|Dη|², D given by `scale`, or 1."""
        solve = self._factored.scaled(scale)
        return lambda damping: solve(damping, self._rcond)

    def column_norms(self):
        """Return what D may be made of: norms of the tangent functions, or of their factors."""
        return self._factored.column_norms()

    def pushforward(self, eta):
        return self._a.tangent(eta)

    def curvature(self, g):
        """Return D²F(g, g) at f, by a central difference of dF along g; exact for a quadratic F."""
        size, length = np.abs(self.f.values).max(), np.abs(g.values).max()
        h = 1e-4 * (size if size > 0 else 1.0) / length
        ahead, behind = (self._F.differential(self.f + t * g)(g) for t in (h, -h))
        return (ahead - behind) / (2 * h)


class _Triangle:
    """R of [A r] = QR: all that exact steps need of the whitened problem."""

    def __init__(self, a, r, c):
        self._factor, self._shape = triangular_factor(a, r), a.shape
        self._missing = self._missing_of(a, c)

    def _missing_of(self, a, c):
        """Return c(φ_i) - (Aᵀr)_i where it is more than rounding, (p,), else None.

        It is where tangent functions are differentiated exactly and the grid, among whose functions r
        is found, does not resolve them: what c makes of them decides.
        """
        if not a.jets:
            return None
        p = a.n_parameters
        seen = self._factor[:, :p].T @ self._factor[:, p]
        missing = a.pairing(c) - seen
        size = np.linalg.norm(self.column_norms()) * np.linalg.norm(self._factor[:, p])
        return missing if np.linalg.norm(missing) > _RESOLVED * size else None

    def column_norms(self):
        return np.linalg.norm(self._factor[:, :-1], axis=0)

    def scaled(self, scale):
        """Return the map from λ and rcond to the solution, damped by λ|Dη|² with D = diag(scale)."""
        if scale is None:
            return reduced(self._factor, self._shape, None, self._missing).solve
        scale = np.where(scale > 0, scale, 1.0)
        problem = reduced(self._factor, self._shape, scale, self._missing)

        def solve(damping, rcond):
            found = problem.solve(damping, rcond)
            return replace(found, solution=found.solution / scale)

        return solve


class _LevenbergMarquardt:
    """λ by the gain ratio: raised until a step is accepted, lowered as far as the model is good."""

    def __init__(self, damping):
        self.damping, self.scale = damping, None

    def __call__(self, problem, point, t, row):
        norms = point.column_norms()
        self.scale = norms if self.scale is None else np.maximum(self.scale, norms)
        damped, growth = point.damped(self.scale), 2.0
        while True:
            solution = damped(self.damping)
            theta = point.theta - t * solution.solution
            predicted = t * (solution.slope - 0.5 * solution.length**2)
            if predicted <= _INVISIBLE * abs(point.value):
                break
            row["step"], row["damping"] = t, self.damping
            gain = (point.value - problem.value(theta)) / predicted
            reached = problem.attempt(theta) if gain > _ARMIJO else None
            if reached is not None:
                self.damping *= max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3)
                return reached
            self.damping, growth = self.damping * growth, 2 * growth
        return None


class _LineSearch:
    """A fixed damping of G, and t halved until Armijo's condition holds."""

    def __init__(self, damping):
        self.damping = damping

    def __call__(self, problem, point, t, row):
        solution = point.damped()(self.damping)
        row["damping"] = self.damping
        while t * solution.slope > _INVISIBLE * abs(point.value):
            row["step"], theta = t, point.theta - t * solution.solution
            if problem.value(theta) <= point.value - _ARMIJO * t * solution.slope:
                reached = problem.attempt(theta)
                if reached is not None:
                    return reached
            t /= 2
        return None


@contextlib.contextmanager
def _progress_bar(shown, total):
    """Yield a function of loss and norm that advances the bar, if one is shown."""
    if not shown:
        yield lambda loss, norm: None
        return
    from rich.progress import Progress

    with Progress() as bar:
        task = bar.add_task("descend", total=total)

        def advance(loss, norm):
            bar.update(task, advance=1, description=f"loss {loss:.6g}, gradient {norm:.3g}")

        yield advance
