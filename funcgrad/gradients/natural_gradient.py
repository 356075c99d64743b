"""Natural gradients of models and their pulled-back metrics."""

import warnings
from dataclasses import dataclass, field

import numpy as np

from funcgrad._checks import finite_array, finite_number, one_of
from funcgrad.errors import ConvergenceError, DegenerateModelWarning, DomainMismatch, InvalidInput
from funcgrad.gradients.arguments import require, require_problem
from funcgrad.gradients.least_squares import SOLVERS, solve_least_squares
from funcgrad.gradients.whitened_jacobian import WhitenedJacobian
from funcgrad.models.adapted import as_model
from funcgrad.spaces.domain import Domain
from funcgrad.spaces.function import Function

# Relative error of interpolation at which a grid resolves the tangent functions.
RESOLUTION = 1e-12
_LARGEST_GRID = 4096
_MOST_NODES = 2**16
# Operations (a tenth of a second) up to which the exact solution is computed to measure an approximation.
_LARGEST_CHECK = 1e9


@dataclass(frozen=True)
class NaturalGradient:
    """The natural gradient of F∘φ at θ: the η with <dφ(η), φ_i> = dF(φ_i) for every tangent function.

    Attributes
    ----------
    direction : ndarray, (p,)
        η = G⁻¹ ∂(F∘φ), of least norm if the model is degenerate. Descent goes along -η.
    pushforward : Function
        dφ(η) = Σ η_i φ_i: the projection of the gradient of F, where that exists.
    rank : int
        Of the tangent space; below p the model is not an immersion at θ (by "lsmr": of the part of it
        that was needed).
    condition : float
        Of the whitened Jacobian A = SJ on what was kept; cond(G) is its square.
    residual : float
        Relative distance of the whitened covector from the tangent space. It is the relative distance
        of ∇F from its projection where ∇F exists; otherwise it tends to 1 as the grid is refined.
    discarded : float or None
        Share of the whitened covector's square on the directions below the rank cut-off; None, not known,
        by "kronecker".
    singular_values : ndarray
        Of A, descending.
    error_bound : float
        Bound of the relative error of η by rounding, κε + κ²ερ, for the whitened problem as it is;
        infinite by "kronecker", an approximation.
    deviation : float or None
        Relative distance of dφ(η), in the metric, from that of the exact η: 0 by the solvers that have no
        error but rounding; measured for "kronecker" where an exact solution costs below 10⁹ operations,
        otherwise None.
    solver : str
        The algorithm that was used.
    reason : str
        Why it was.
    grid : Grid
        The grid that it was computed on.

    Examples
    --------
    >>> import funcgrad as fg
    >>> line, loss = fg.models.Polynomial(1), fg.PopulationLoss(lambda x: x)
    >>> step = fg.natural_gradient(loss, line, [1.0, 0.0], fg.L2(), fg.Interval(0, 1))
    >>> step.direction.round(12), round(step.pushforward(0.25), 12), step.rank
    (array([ 1., -1.]), 0.75, 2)
    """

    direction: np.ndarray
    pushforward: Function
    rank: int
    condition: float
    residual: float
    discarded: float | None
    singular_values: np.ndarray = field(repr=False)
    error_bound: float
    deviation: float | None
    solver: str
    reason: str
    grid: object = field(repr=False)


def model_function(model, theta):
    """Return f_θ as a callable of the n coordinate arrays."""
    return lambda *x: model(theta, np.column_stack(x))


def resolving_grid(domain, model, theta, rule=None):
    """Return a grid on which f_θ and the tangent functions are resolved to a relative 1e-12.

    The number of nodes along each axis is doubled until the interpolant agrees with the model between them
    (`interpolation_errors`). `rule` is the quadrature rule, the domain's default if None.

    Raises
    ------
    ConvergenceError
        If 4096 nodes on a line, or some 65,000 in more dimensions, do not do, as for functions that are not
        smooth, or not periodic on a circle.
    """
    n, most = 16, _LARGEST_GRID if domain.dimension == 1 else _MOST_NODES
    while 2**domain.dimension * n**domain.dimension <= most:
        n *= 2
        grid = domain.grid(n, rule)
        errors = interpolation_errors(grid, model, theta)
        if errors.max() <= RESOLUTION:
            return grid
    worst = int(np.argmax(errors))
    name = "f" if worst == 0 else f"the tangent function of parameter `{model.parameter_names[worst - 1]}`"
    hint = " Is it periodic?" if "periodic" in domain.boundary else " Is it smooth there?"
    raise ConvergenceError(
        f"{name} is not resolved on {domain}: relative interpolation error {errors[worst]:.2g} with "
        f"{len(grid)} nodes, wanted {RESOLUTION:.0e}.{hint}"
    )


def interpolation_errors(grid, model, theta):
    """Return the relative errors of the interpolants of f_θ and of each tangent function, (1 + p,).

    They are those between the nodes: in one dimension halfway, in more at 256 scrambled Sobol points.
    """
    if grid.domain.dimension == 1:
        x = (grid.nodes[:-1] + grid.nodes[1:]) / 2
    else:
        x = grid.domain.sobol_points(256, seed=0).nodes

    def columns(points):
        value, jacobian = model(theta, points), model.jacobian(theta, points)
        return np.concatenate([value[..., None], jacobian], axis=-1)

    at_nodes, exact = columns(grid.nodes), columns(x)
    interpolated = grid.evaluate(at_nodes.reshape(len(grid), -1), x).reshape(exact.shape)
    error = np.abs(interpolated - exact)
    axes = tuple(range(exact.ndim - 1))
    scale = np.abs(at_nodes).max(axis=axes)
    return error.max(axis=axes) / np.where(scale > 0, scale, 1.0)


def grid_for(domain, model, theta):
    """Return `domain` if it is a Grid, else the resolving grid of that Domain."""
    if isinstance(domain, Domain):
        if model.dimension != domain.n_coordinates:
            raise DomainMismatch(f"a model of {model.dimension} variable(s) on {domain}.")
        return resolving_grid(domain, model, theta)
    return domain


def whitened_jacobian(model, theta, metric, grid):
    """Return A = SJ, (M, p) with AᵀA = G: the tangent functions in coordinates where the metric is Euclidean.

    For a model with m outputs the rows of all components are stacked.
    """
    return WhitenedJacobian(model, theta, metric, grid).toarray()


def gram(model, theta, metric, domain):
    """Return the pulled-back metric G_ij = <φ_i, φ_j>, (p, p).

    It is for looking at: solving with it loses twice the digits that `natural_gradient` does.

    Examples
    --------
    >>> import funcgrad as fg
    >>> fg.gram(fg.models.Polynomial(1), [0, 0], fg.L2(), fg.Interval(0, 1)).round(12)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    require("model", model, "model")
    require("metric", metric, "metric")
    require("domain or grid", domain, "domain")
    model = as_model(model, theta, domain)
    a = whitened_jacobian(model, theta, metric, grid_for(domain, model, theta))
    return a.T @ a


def natural_gradient(F, model, theta, metric, domain, *, solver="auto", damping=0.0, rcond=None):
    """Return the natural gradient of a functional of a model in a metric on functions.

    With A = SJ the whitened Jacobian and r the whitened covector dF, it solves min |Aη - r|, so the
    error grows with cond(A), not with cond(G) = cond(A)². It exists even where dF has no gradient in
    the metric: on the finite-dimensional tangent space every covector is bounded.

    Parameters
    ----------
    F : Functional
    model : Model or object
        Of an object that is no `Model`, ``model(theta, x)`` and ``model.jacobian(theta, x)`` do
        (`models.adapted.as_model`).
    theta : array_like, (p,)
    metric : Metric or MetricField
        One that depends on the base point is taken at f_θ.
    domain : Domain or Grid
        For a Domain a grid that resolves the tangent functions is chosen and reported. A `PointSet`
        stands for data: in L2 on it, for a squared loss at its points, η is the Gauss-Newton step.
    solver : {"auto", "qr", "cholesky", "kernel", "lsmr", "kronecker"}
        "qr" is Householder QR of [A r] over blocks of nodes, then the SVD of R; "auto" takes it unless
        there are fewer nodes than parameters, or too many of both, or so many that "cholesky" is worth
        trying first (`solve_least_squares`). In L2 a Jacobian beyond 1 GiB is not held but evaluated
        block by block. "kronecker" approximates G for models made of layers (`MLP`) by a Kronecker product
        in each; it is exact for one linear layer.
    damping : float
        Levenberg-Marquardt: η = (G + damping·I)⁻¹ ∂(F∘φ).
    rcond : float, optional
        Singular values of A up to rcond times the largest count as zero. By default max(M, p)·2⁻⁵², or more
        where S amplifies the rounding of the tangent functions: what it makes of an ulp of each, whitened
        with them.

    Returns
    -------
    NaturalGradient

    Warns
    -----
    DegenerateModelWarning
        If the tangent functions are dependent: η is then the solution of least norm.

    Examples
    --------
    >>> import funcgrad as fg
    >>> line = fg.models.Polynomial(1)
    >>> loss = fg.EmpiricalLoss(x=[0.0, 1.0], y=[1.0, 3.0])
    >>> step = fg.natural_gradient(loss, line, [0, 0], fg.Sobolev(1), fg.Interval(0, 1))
    >>> step.direction.round(12), step.rank
    (array([-3.53846154, -0.92307692]), 2)
    """
    require_problem(F, model, metric, domain)
    one_of(solver, SOLVERS, "solver")
    if finite_number(damping, "damping") < 0:
        raise InvalidInput(f"`damping` must not be negative; got {damping:g}.")
    if rcond is not None and not 0 <= finite_number(rcond, "rcond") < 1:
        raise InvalidInput(f"`rcond` must be at least 0 and below 1; got {rcond:g}.")
    theta = finite_array(theta, "theta", ndim=1)
    model = as_model(model, theta, domain)
    grid = grid_for(domain, model, theta)
    a = WhitenedJacobian(model, theta, metric, grid, held=False if solver == "kronecker" else None)
    r = a.metric.whiten(F.differential(a.f), grid).reshape(-1)
    if rcond is None and solver not in ("lsmr", "kronecker"):
        rcond = a.cutoff()
    solution = solve_least_squares(a, r, damping, rcond, solver)
    p = model.n_parameters
    # The rank by "lsmr" is that of its Krylov space, by "kronecker" that of an approximation.
    if solution.rank < p and solution.solver not in ("lsmr", "kronecker"):
        warnings.warn(
            f"the tangent space has rank {solution.rank} with {p} parameters (singular values "
            f"{solution.singular_values[0]:.3g} to {solution.singular_values[-1]:.3g}); the natural gradient "
            "of least norm is returned.",
            DegenerateModelWarning,
            stacklevel=2,
        )
    direction = solution.solution
    return NaturalGradient(
        direction=direction,
        pushforward=Function(grid, a.pushforward(direction)),
        rank=solution.rank,
        condition=solution.condition,
        residual=solution.residual,
        discarded=solution.discarded,
        singular_values=solution.singular_values,
        error_bound=solution.error_bound,
        deviation=_deviation(a, r, solution, damping, rcond),
        solver=solution.solver,
        reason=solution.reason,
        grid=grid,
    )


def _deviation(a, r, found, damping, rcond):
    """Return |A(η - η_exact)| / |A η_exact|, or None where the exact solution costs too much."""
    if found.solver != "kronecker":
        return 0.0
    rows, p = len(r), a.n_parameters
    if rows * p * min(rows, p) > _LARGEST_CHECK:
        return None
    exact = solve_least_squares(a, r, damping, rcond, "auto")
    off = np.linalg.norm(a.matvec(found.solution - exact.solution))
    return float(off / exact.length) if off else 0.0
