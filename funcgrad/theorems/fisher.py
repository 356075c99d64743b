"""The theorem fisher-is-l2: Fisher matrices are pulled back from L2, weighted by the information."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, gammaln, logsumexp, softmax

from funcgrad.gradients.natural_gradient import gram, resolving_grid
from funcgrad.metrics import L2, Bernoulli, Categorical, Fisher, Poisson, Sobolev
from funcgrad.models import Symbolic
from funcgrad.spaces import Circle, Interval
from funcgrad.theorems.common import EPS
from funcgrad.theorems.expectations import Order, Stagnant
from funcgrad.theorems.natural_gradients import model_instance, problem_instance, projection_instances
from funcgrad.theorems.record import Control, Residual, Theorem
from funcgrad.theorems.reference import fine_rule

_NOISE = 0.7
# The means here are below 5; a count above this has probability below 1e-40.
_MOST_COUNTS = 80


# --- likelihoods, written out here by their outcomes --------------------------------------------------


@dataclass(frozen=True)
class _Likelihood:
    """p(y | z), z (N, m): the library's metric, the outcomes of z as (probability, ∂log p), and KL.

    Probabilities are (N,) and scores (N, m); the divergence of p(. | z) from p(. | w) is (N,).
    """

    metric: object
    outcomes: object
    divergence: object


def _normal_outcomes(z):
    y, weights = np.polynomial.hermite_e.hermegauss(8)
    weights = weights / weights.sum()
    return [
        (np.full(len(z), w), np.full_like(z, noise / _NOISE)) for noise, w in zip(y, weights, strict=True)
    ]


def _bernoulli_outcomes(z):
    p = expit(z)
    return [(p[:, 0], 1 - p), (1 - p[:, 0], -p)]


def _poisson_outcomes(z):
    mean = np.exp(z)
    counts = range(_MOST_COUNTS)
    return [(np.exp(y * z[:, 0] - mean[:, 0] - gammaln(y + 1)), y - mean) for y in counts]


def _categorical_outcomes(z):
    p = softmax(z, axis=1)
    return [(p[:, k], np.eye(z.shape[1])[k] - p) for k in range(z.shape[1])]


_LIKELIHOODS = {
    "normal": _Likelihood(
        _NOISE**-2 * L2(), _normal_outcomes, lambda z, w: np.sum((z - w) ** 2, axis=1) / (2 * _NOISE**2)
    ),
    "Bernoulli": _Likelihood(
        Fisher(Bernoulli()),
        _bernoulli_outcomes,
        lambda z, w: (expit(z) * (z - w) + np.logaddexp(0, w) - np.logaddexp(0, z))[:, 0],
    ),
    "Poisson": _Likelihood(
        Fisher(Poisson()),
        _poisson_outcomes,
        lambda z, w: (np.exp(z) * (z - w + np.expm1(w - z)))[:, 0],
    ),
    "categorical": _Likelihood(
        Fisher(Categorical()),
        _categorical_outcomes,
        lambda z, w: (softmax(z, axis=1) * (z - w)).sum(axis=1) + logsumexp(w, axis=1) - logsumexp(z, axis=1),
    ),
}


def _instances(rng):
    normal = [
        replace(instance, data={"likelihood": "normal"})
        for instance in projection_instances(rng)
        if isinstance(instance.domain, Interval) and instance.metric == Sobolev(1.0)
    ]
    long, circle = Interval(0, 5), Circle(2 * np.pi)
    curve = Symbolic("a*(1 - exp(-b*x)) - c", "x", "a b c")
    wave = Symbolic("a*sin(x + b) + c", "x", "a b c")
    classes = Symbolic(["a*x", "b - c*x", "a*b*exp(-x)"], "x", "a b c")
    other = [
        ("Bernoulli", "Bernoulli outputs, saturation", long, curve, [2.0, 0.7, 1.0]),
        ("Bernoulli", "Bernoulli outputs, circle", circle, wave, [1.5, 0.4, -0.3]),
        ("Poisson", "Poisson outputs, saturation", long, curve, [2.0, 0.7, 0.5]),
        ("Poisson", "Poisson outputs, circle", circle, wave, [1.0, 0.4, 0.2]),
        ("categorical", "three classes", long, classes, [0.6, 1.0, 0.4]),
    ]
    return normal + [
        replace(model_instance(label, domain, None, None, model, theta), data={"likelihood": name})
        for name, label, domain, model, theta in other
    ]


def _rule(instance):
    """Nodes, and weights that sum to 1: x is uniform in the domain."""
    x, w = fine_rule(instance.domain, instance.data.get("nodes", 0))
    return x, w / instance.domain.volume


def _by_expectation(instance, likelihood, x, w):
    """E[∂log p ∂log pᵀ] over outputs y ~ p(. | f(x)) and x uniform, the rule (x, w) in x."""
    z = _columns(instance.model(instance.theta, x))
    jacobian = instance.model.jacobian(instance.theta, x).reshape(*z.shape, -1)
    fisher = 0.0
    for probability, score in likelihood.outcomes(z):
        of_theta = np.einsum("km,kmp->kp", score, jacobian)
        fisher = fisher + (of_theta.T * (w * probability)) @ of_theta
    return fisher


def _columns(z):
    return z.reshape(len(z), -1)


def _residual(instance, level, metric=None):
    """KL(θ, θ+εu) - ½ ε² uᵀFu with F = G/|M|, against uᵀFu; and F against its definition.

    The largest over directions u: each parameter in its own size, and all together. In one direction the
    third derivative may be small beside the fourth.
    """
    domain, model, theta = instance.domain, instance.model, instance.theta
    likelihood = _LIKELIHOODS[instance.data["likelihood"]]
    x, w = _rule(instance)
    grid = resolving_grid(domain, model, theta)
    fisher = gram(model, theta, likelihood.metric if metric is None else metric, grid) / domain.volume
    epsilon, sizes = 2.0**-level, np.where(theta != 0, np.abs(theta), 1.0)
    here, found = _columns(model(theta, x)), []
    for u in (sizes, *np.diag(sizes)):
        there = _columns(model(theta + epsilon * u, x))
        divergence, size = w @ likelihood.divergence(here, there), float(u @ fisher @ u)
        if size or divergence:  # else this parameter does nothing
            found.append((abs(divergence - epsilon**2 * size / 2) / max(size, EPS), size))
    definition = _by_expectation(instance, likelihood, x, w)
    scale = np.sqrt(np.outer(np.diag(definition), np.diag(definition)))
    mismatch = np.abs((fisher - definition) / np.where(scale > 0, scale, 1.0)).max()
    # A wrong F must show whatever its size; a right one differs by rounding only.
    defect, size = max(found)
    value = defect + (mismatch if mismatch > 1e3 * EPS else 0.0)
    if instance.data["likelihood"] == "normal":  # of a square ε²uᵀFu, whose root is a difference of f
        rounding = epsilon * np.sqrt(w @ here**2 / size).item() / _NOISE
    else:  # of logarithms, each right to an ulp of its own size
        rounding = 1 / size
    return Residual(float(value), 1.0, 1e2 * EPS * (1 + rounding), epsilon, len(theta))


def _problem(problem):
    instance = problem_instance(problem, L2())
    return replace(instance, data={**instance.data, "likelihood": "normal"})


FISHER_IS_L2 = Theorem(
    id="fisher-is-l2",
    statement="The Fisher matrix is G of L2(μ) weighted by the outputs' information, σ⁻² for normal noise, "
    "and KL(θ, θ+ε) = ½ εᵀFε + O(|ε|³).",
    latex=r"F=G_{L^2(I\mu)},\quad I=\sigma^{-2}\ \text{for normal noise},\qquad "
    r"\mathrm{KL}(\theta,\theta+\varepsilon)=\tfrac12\varepsilon^\top F\varepsilon+O(|\varepsilon|^3)",
    source="Amari 1998; Martens & Grosse 2015",
    hypotheses=(),
    instances=_instances,
    from_problem=_problem,
    levels=lambda instance: list(range(6, 14)),
    residual=_residual,
    expectation=lambda instance: Order(2.9, 4.1),
    controls=(
        Control(
            "L2 without the information as a weight",
            breaks="statement",
            residual=lambda instance, level: _residual(instance, level, metric=L2()),
            failure=lambda instance: Stagnant(1e-2),
        ),
    ),
)
