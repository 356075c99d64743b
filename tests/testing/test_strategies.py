"""What each strategy promises holds for what it draws; no health check fails; examples shrink."""

import configparser
import importlib
import math
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import funcgrad as fg
from funcgrad.testing import strategies

DRAWN = settings(max_examples=200 if settings.default.max_examples >= 200 else 20)
MAGNITUDE = 1 + 64 * np.finfo(float).eps


@DRAWN
@given(
    strategies.domains(
        kinds=("interval", "circle", "torus", "box", "sphere", "euclidean"), dimensions=(1, 2, 3)
    )
)
def test_domains_are_small_and_of_the_dimension_asked_for(domain):
    assert isinstance(domain, fg.Domain)
    assert 1 <= domain.dimension <= 3
    assert math.isinf(domain.volume) or 0.125 <= domain.volume <= 8 * np.pi * 64


@DRAWN
@given(strategies.domains(kinds=("interval", "box"), dimensions=(2,), boundaries=st.just("dirichlet")))
def test_domains_take_what_they_are_restricted_to(domain):
    assert isinstance(domain, fg.Box)
    assert domain.boundary == ("dirichlet", "dirichlet")


@DRAWN
@given(strategies.grids())
def test_grids_integrate_the_volume_with_few_nodes(grid):
    assert len(grid) <= 1152
    assert np.all(grid.weights > 0)
    assert np.sum(grid.weights) == pytest.approx(grid.domain.volume, rel=1e-13)


@DRAWN
@given(strategies.grids(spectral=True))
def test_spectral_grids_take_sobolev_metrics_of_every_order(grid):
    assert fg.Sobolev(1.3).norm(grid.function(lambda *x: 0 * x[0])) == 0


@DRAWN
@given(strategies.functions(magnitude=2.0))
def test_functions_are_bounded_by_their_magnitude(f):
    assert np.abs(f.values).max() <= 2.0 * MAGNITUDE


@DRAWN
@given(strategies.functions(grid=strategies.grids(spectral=True), smoothness=2.0))
def test_smooth_functions_are_bounded_in_their_sobolev_space(f):
    """Each of at most 5 modes has ‖.‖_s² <= (1+λ)^s · (1+λ)^{-s} (1/5)² volume, and they are orthogonal."""
    assert fg.Sobolev(2.0).norm(f) <= math.sqrt(f.grid.domain.volume) * (1 + 1e-9)


@DRAWN
@given(strategies.functions(zero_mean=True, nonzero=True))
def test_functions_of_mean_zero_have_mean_zero_and_do_not_vanish(f):
    assert abs(f.integral()) <= 1e-13 * f.grid.domain.volume
    assert np.abs(f.values).max() > 1e-3


DIRICHLET = strategies.grids(
    domain=strategies.domains(kinds=("interval",), boundaries=st.just("dirichlet")), nodes=st.integers(8, 16)
)


@DRAWN
@given(strategies.functions(grid=DIRICHLET, nonzero=True))
def test_functions_satisfy_the_dirichlet_condition(f):
    a, b = f.grid.domain.a, f.grid.domain.b
    assert np.abs(f([a, b])).max() <= 1e-12
    assert fg.Sobolev(1.0).norm(f) > 0 if f.grid.rule != "clenshaw-curtis" else True


NEUMANN = strategies.grids(
    domain=strategies.domains(kinds=("interval",), boundaries=st.just("neumann")), nodes=st.integers(8, 16)
)


@DRAWN
@given(strategies.functions(grid=NEUMANN))
def test_functions_satisfy_the_neumann_condition(f):
    a, b = f.grid.domain.a, f.grid.domain.b
    assert np.abs(f.derivative(1)([a, b])).max() <= 1e-10


@DRAWN
@given(strategies.functions(grid=NEUMANN, boundary="vanishing"))
def test_vanishing_functions_vanish_with_their_derivative(f):
    if f.grid.rule == "midpoint":  # a cosine series of a polynomial: approximate at the ends
        return
    a, b = f.grid.domain.a, f.grid.domain.b
    assert np.abs(f([a, b])).max() <= 1e-12
    assert np.abs(f.derivative(1)([a, b])).max() <= 1e-10


@DRAWN
@given(strategies.functions(components=3))
def test_functions_have_the_components_asked_for(f):
    assert f.values.shape == (len(f.grid), 3)


H1 = fg.Sobolev(1.0)
ON_LINES = strategies.grids(domain=strategies.domains(kinds=("circle",)))


@DRAWN
@given(strategies.covectors(grid=ON_LINES, bounded_in=H1))
def test_bounded_covectors_have_a_gradient(c):
    assert fg.gradient_exists(c, H1, domain_of(c)).exists is not False


@DRAWN
@given(strategies.covectors(grid=ON_LINES, unbounded_in=H1))
def test_unbounded_covectors_have_none(c):
    assert c.regularity.order == 1.5
    assert not c.regularity.admits(H1.order)


def domain_of(c):
    """Return a circle for the covector: that of its density, or one that holds its points."""
    return c.densities[0][0].grid.domain if c.densities else fg.Circle(8 * np.pi)


@DRAWN
@given(st.data())
def test_functionals_are_bounded_in_a_metric_or_not(data):
    grid = data.draw(strategies.grids(domain=strategies.domains(kinds=("circle", "torus", "box"))))
    metric = data.draw(st.sampled_from([fg.L2(), fg.Sobolev(0.75), fg.Sobolev(2.5)]))
    f = data.draw(strategies.functions(grid=st.just(grid)))
    bounded = data.draw(strategies.functionals(grid=st.just(grid), bounded_in=metric))
    unbounded = data.draw(strategies.functionals(grid=st.just(grid), unbounded_in=metric))
    n = grid.domain.dimension
    assert bounded.differential(f).regularity_in(n).admits(metric.order)
    assert not unbounded.differential(f).regularity_in(n).admits(metric.order)
    assert np.isfinite(bounded(f))


@DRAWN
@given(strategies.models())
def test_independent_models_are_immersions_by_a_margin(drawn):
    """Scaled to norm 1, the tangent functions have a condition number below 1e6 in L2."""
    rows = drawn.model.jacobian(drawn.theta, points_in(drawn.domain))
    sigma = np.linalg.svd(rows / np.linalg.norm(rows, axis=0), compute_uv=False)
    assert drawn.rank == drawn.model.n_parameters == len(sigma)
    assert sigma[-1] > 1e-6 * sigma[0]


@DRAWN
@given(strategies.models(dependent=True))
def test_dependent_models_have_one_parameter_too_many(drawn):
    rows = drawn.model.jacobian(drawn.theta, points_in(drawn.domain))
    sigma = np.linalg.svd(rows / np.linalg.norm(rows, axis=0), compute_uv=False)
    assert drawn.rank == drawn.model.n_parameters - 1
    assert sigma[-1] <= 1e-14 * sigma[0]
    assert drawn.rank == 0 or sigma[drawn.rank - 1] > 1e-6 * sigma[0]


@DRAWN
@given(strategies.models())
def test_models_are_bounded_on_their_domain(drawn):
    """e² of 2 on an interval of any length; a basis by its coefficients: exp(f) does not overflow."""
    values = drawn.model(drawn.theta, points_in(drawn.domain))
    assert np.abs(values).max() < 100


def points_in(domain):
    return domain.from_unit_cube(np.random.default_rng(0).uniform(size=(200, domain.dimension)))


@DRAWN
@given(strategies.problems(margin=0.25))
def test_problems_are_well_posed(problem):
    assert problem.margin >= 0.25
    assert problem.broken is None
    verdict = fg.gradient_exists(problem.functional, problem.metric, problem.domain, at=problem.f)
    assert verdict.exists
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = fg.natural_gradient(
            problem.functional, problem.model, problem.theta, problem.metric, problem.grid
        )
    assert step.rank == problem.model.n_parameters


@DRAWN
@given(strategies.broken_problems(broken="bounded"))
def test_problems_with_an_unbounded_differential_have_no_gradient(problem):
    assert problem.margin <= -0.25
    with pytest.raises(fg.GradientDoesNotExist):
        fg.gradient(problem.functional, problem.f, problem.metric)


@DRAWN
@given(strategies.broken_problems(broken="immersion"))
def test_problems_without_an_immersion_have_a_gradient_and_a_deficient_tangent_space(problem):
    assert fg.gradient_exists(problem.functional, problem.metric, problem.domain, at=problem.f).exists
    # Differentiation matrices leave N² ulp in what vanishes exactly: the cut-off must be above that.
    with pytest.warns(fg.DegenerateModelWarning):
        step = fg.natural_gradient(
            problem.functional, problem.model, problem.theta, problem.metric, problem.grid, rcond=1e-11
        )
    assert step.rank == problem.model.n_parameters - 1


@DRAWN
@given(strategies.broken_problems(broken="definite"))
def test_problems_with_a_metric_that_is_not_definite_have_too_small_a_rank(problem):
    with pytest.warns(fg.DegenerateModelWarning):
        step = fg.natural_gradient(
            problem.functional, problem.model, problem.theta, problem.metric, problem.grid
        )
    assert step.rank == 1 < problem.model.n_parameters


@DRAWN
@given(strategies.broken_problems())
def test_exactly_one_hypothesis_is_broken(problem):
    assert problem.broken in strategies.BREAKABLE
    assert (problem.margin > 0) == (problem.broken != "bounded")


def simplest(strategy, condition=lambda drawn: True):
    # Without the phase that explains, which traces every line.
    phases = [Phase.generate, Phase.shrink]
    chosen = settings(max_examples=20, database=None, derandomize=True, phases=phases)
    return find(strategy, condition, settings=chosen)


def test_strategies_shrink_to_readable_examples():
    assert simplest(strategies.domains()) == fg.Interval(0.0, 1.0)
    assert len(simplest(strategies.grids())) == 8
    f = simplest(strategies.functions(), lambda f: np.abs(f.values).max() > 0)
    assert len(set(np.round(f.values, 12).tolist())) == 1  # the constant, with the coefficient 1/8
    assert repr(simplest(strategies.kernels())) == "Matern(0.5, length_scale=1)"
    assert repr(simplest(strategies.matrix_kernels())) == "MatrixKernel([[1.0]], Matern(0.5, length_scale=1))"
    assert simplest(strategies.metrics()) == fg.L2()
    assert simplest(strategies.metric_fields()).field == fg.FisherRao()
    assert len(simplest(strategies.covectors()).terms) == 1
    assert repr(simplest(strategies.functionals())) == "EmpiricalLoss(1 points)"
    assert simplest(strategies.models()).model.n_parameters == 1
    assert simplest(strategies.operators()).shape == (12,)
    problem = simplest(strategies.problems())
    assert problem.model.n_parameters == 1
    assert repr(problem.functional) == "EmpiricalLoss(1 points)"


def test_arguments_are_keyword_only():
    for name in strategies.__all__:
        if name.islower() and name != "hypothesis_setup":
            with pytest.raises(TypeError):
                getattr(strategies, name)(1)
    with pytest.raises(fg.InvalidInput, match=r"unknown broken hypothesis 'bonded'; did you mean 'bounded'"):
        simplest(strategies.broken_problems(broken="bonded"))
    with pytest.raises(fg.InvalidInput, match="not both"):
        simplest(strategies.covectors(bounded_in=H1, unbounded_in=H1))


def entry_point():
    setup = configparser.ConfigParser()
    setup.read(pathlib.Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    _, _, target = setup["options.entry_points"]["hypothesis"].strip().partition("=")
    module, _, function = target.strip().partition(":")
    return getattr(importlib.import_module(module), function)


def test_types_are_registered_by_the_entry_point():
    entry_point()()
    from funcgrad.kernels import Kernel, MatrixValuedKernel
    from funcgrad.metrics import MetricField
    from funcgrad.models import Model

    any_one = settings(max_examples=2, phases=[Phase.generate], database=None)
    for kind in (
        fg.Covector,
        fg.Domain,
        fg.Function,
        fg.Functional,
        fg.Grid,
        fg.Metric,
        Kernel,
        Model,
        MetricField,
        MatrixValuedKernel,
    ):
        assert isinstance(find(st.from_type(kind), lambda drawn: True, settings=any_one), kind)


@pytest.mark.parametrize("first", ["import hypothesis", "from funcgrad.testing import strategies"])
def test_installed_either_may_be_imported_first(first, tmp_path):
    """Importing hypothesis calls the entry point, also while the strategies are only half imported."""
    target = "funcgrad.testing.hypothesis_types:hypothesis_setup"
    package = tmp_path / "installed_like_funcgrad-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-like-funcgrad\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[hypothesis]\nours = {target}\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {first}; import funcgrad as fg; "
        "from hypothesis import find, strategies as st; print(find(st.from_type(fg.Domain), lambda d: True))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert entry_point().__module__ == target.partition(":")[0]


def test_profiles_have_no_deadline():
    for name in ("funcgrad", "funcgrad-ci", "funcgrad-thorough"):
        assert settings.get_profile(name).deadline is None


def test_hypothesis_is_imported_by_the_strategies_only():
    code = (
        "import sys, funcgrad as fg; from funcgrad.testing import check_all; check_all(fg.L2()); "
        "print(sorted({'hypothesis', 'pytest', 'numba', 'sympy', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr
