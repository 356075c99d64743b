"""Every named model against sympy's derivatives of the same formula, for all |α| <= 2."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from model_oracles import EPS, assert_products_agree, assert_same_derivatives

import funcgrad as fg
from funcgrad.errors import FuncgradError, InvalidInput
from funcgrad.models import (
    Fourier,
    GaussianMixture,
    Linear,
    Polynomial,
    RadialBasis,
    Rational,
    Symbolic,
    bases,
)

LINE = np.array([-0.7, 0.1, 0.9, 1.3])
PLANE = np.array([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.2], [0.0, 0.0]])


def legendre_formulas(degree, a, b):
    t = sympy.sympify(f"(2*x - ({a} + {b}))/({b} - {a})")
    return [str(sympy.legendre(k, t)) for k in range(degree + 1)]


BASES = [
    (bases.monomial(4), [f"x**{k}" for k in range(5)], "x"),
    (bases.monomial(2, dimension=2), ["1", "x", "y", "x**2", "x*y", "y**2"], "x y"),
    (bases.legendre(6, -1, 2), legendre_formulas(6, -1, 2), "x"),
    (
        bases.fourier(2, length=3.0),
        ["1", *(f"{f}(2*pi*{k}*x/3)" for k in (1, 2) for f in ("cos", "sin"))],
        "x",
    ),
    (
        bases.tensor_product(bases.fourier(1), bases.monomial(2)),
        [f"({f})*y**{k}" for f in ("1", "cos(x)", "sin(x)") for k in range(3)],
        "x y",
    ),
    (
        bases.kernel_sections(fg.kernels.Gaussian(0.5), [[0.0, 0.1], [1.0, -1.0]]),
        ["exp(-2*(x**2 + (y - 1/10)**2))", "exp(-2*((x - 1)**2 + (y + 1)**2))"],
        "x y",
    ),
]


@pytest.mark.parametrize(
    ("basis", "formulas", "names"), BASES, ids=[repr(basis)[:30] for basis, _, _ in BASES]
)
def test_a_named_basis_is_its_formulas(basis, formulas, names):
    x = LINE if basis.dimension == 1 else PLANE
    theta = np.cos(np.arange(len(basis)))
    # The sum of the values over p <= 9 functions; derivatives of P_6 sum terms up to 30 times the result.
    assert_same_derivatives(Linear(basis), Linear(formulas, x=names), theta, x, roundings=100)
    assert_products_agree(Linear(basis), theta, x)


def naive_spline(knots, i, degree, x, order):
    """Cox and de Boor's recursion and its derivative in rational numbers, at a point that is no knot."""
    if degree == 0:
        return Fraction(int(knots[i] <= x < knots[i + 1])) if order == 0 else Fraction(0)
    total = Fraction(0)
    for first, last, sign in ((i, i + degree, 1), (i + 1, i + degree + 1, -1)):
        if knots[last] == knots[first]:
            continue
        inner = naive_spline(knots, first, degree - 1, x, max(order - 1, 0))
        edge = knots[first] if sign == 1 else knots[last]
        width = knots[last] - knots[first]
        total += sign * (degree * inner if order else (x - edge) * inner) / width
    return total


@settings(max_examples=40)
@given(
    st.integers(0, 4),
    st.lists(st.integers(1, 8), min_size=1, max_size=5),
    st.integers(1, 15),
    st.integers(0, 2),
    st.booleans(),
)
def test_b_splines_agree_with_the_recursion(degree, gaps, position, order, clamped):
    inner = np.concatenate([[0], np.cumsum(gaps)])
    before, after = -np.arange(degree, 0, -1), inner[-1] + np.arange(1, degree + 1)
    if clamped:
        before, after = np.zeros(degree, int), np.full(degree, inner[-1])
    knots = np.concatenate([before, inner, after])
    x = Fraction(int(inner[-1])) * position / 16 + Fraction(1, 1024)
    if order > degree and len(gaps) > 1:
        with pytest.raises(InvalidInput, match="Raise the degree"):
            Linear(bases.bspline(knots, degree)).jacobian_derivative(
                np.ones(len(knots) - degree - 1), [0.5], order
            )
        return
    exact = [
        float(naive_spline([Fraction(int(k)) for k in knots], i, degree, x, order))
        for i in range(len(knots) - degree - 1)
    ]
    model = Linear(bases.bspline(knots, degree))
    jacobian = model.jacobian_derivative(np.ones(model.n_parameters), [float(x)], order)[0]
    # De Boor's algorithm combines convexly; a derivative multiplies by at most 2 degree (gaps are >= 1).
    assert (
        np.abs(jacobian - exact).max() <= 16 * (degree + 1) ** 2 * EPS * 2.0**order * max(degree, 1) ** order
    )


def test_b_splines_sum_to_one_up_to_both_ends():
    model = Linear(bases.bspline([0, 0, 0, 0, 1, 2, 3, 3, 3, 3]))
    np.testing.assert_allclose(model(np.ones(6), np.linspace(0, 3, 13)), 1.0, rtol=8 * EPS)
    for outside in (-0.1, 3.1):
        with pytest.raises(InvalidInput, match=r"`x` must lie in \[0, 3\]"):
            model(np.ones(6), [outside])


def test_derivatives_of_kernel_sections_end_at_the_smoothness():
    rough = Linear(bases.kernel_sections(fg.kernels.Sobolev(1.0, dimension=1), [0.0, 1.0]))
    np.testing.assert_allclose(rough.jacobian([0.0, 0.0], [0.5])[0], np.exp(-0.5) / 2, rtol=8 * EPS)
    with pytest.raises(FuncgradError, match="take a smoother kernel"):
        rough.derivative([1.0, 0.0], [0.5], 1)
    smooth = Linear(bases.kernel_sections(fg.kernels.Matern(2.5), [0.0, 1.0]))
    with mpmath.workdps(40):
        for order in (0, 1, 2):

            def formula(x):
                z = mpmath.sqrt(5) * abs(x - 1)
                return (1 + z + z**2 / 3) * mpmath.exp(-z)

            exact = float(mpmath.diff(formula, mpmath.mpf("0.25"), order))
            assert abs(smooth.jacobian_derivative([0.0, 0.0], [0.25], order)[0, 1] - exact) <= 64 * EPS * 5


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_fourier_derivatives_of_every_order(order):
    model, x = Fourier(2, length=4.0), np.linspace(0.0, 4.0, 9)
    w = np.pi / 2
    exact = [np.full(9, float(order == 0))]
    for k in (1, 2):
        exact += [(k * w) ** order * np.cos(k * w * x + order * np.pi / 2)]
        exact += [(k * w) ** order * np.sin(k * w * x + order * np.pi / 2)]
    scale = (2 * w) ** order
    # The phases, up to 4π + 5π/2, are rounded.
    np.testing.assert_allclose(
        model.jacobian_derivative(np.ones(5), x, order), np.transpose(exact), atol=64 * EPS * scale
    )


PROFILES = {"gaussian": "exp(-r/2)", "inverse multiquadric": "1/sqrt(1 + r)", "multiquadric": "sqrt(1 + r)"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("fixed_centres", [False, True])
@pytest.mark.parametrize("width", [None, 0.7])
def test_radial_basis_functions_are_their_formula(profile, dimension, fixed_centres, width):
    centres = np.array([[0.2, -0.3], [1.0, 0.5]])[:, :dimension]
    model = RadialBasis(2, dimension, profile, centres if fixed_centres else None, width)
    terms = []
    for k in (1, 2):
        coordinates = [
            f"(x{i} - {float(centres[k - 1, i - 1])!r})" if fixed_centres else f"(x{i} - c{k}_{i})"
            for i in range(1, dimension + 1)
        ]
        squared = " + ".join(f"{u}**2" for u in coordinates)
        radius = f"({squared})/(7/10)**2" if width else f"({squared})*exp(-2*log_width{k})"
        terms.append(
            f"w{k}*" + PROFILES[profile].replace("r", "(" + radius + ")", 1)
            if profile == "gaussian"
            else f"w{k}*" + PROFILES[profile].replace("1 + r", f"1 + {radius}")
        )
    names = " ".join(f"x{i}" for i in range(1, dimension + 1))
    oracle = Symbolic(" + ".join(terms), x=names, parameters=model.parameter_names)
    theta = model.initial(4) + 0.1
    x = LINE if dimension == 1 else PLANE
    # t is rounded where it is up to 10 and enters an exponential; widths down to e^-0 multiply derivatives.
    assert_same_derivatives(model, oracle, theta, x, roundings=200)
    assert_products_agree(model, theta, x)


def mixture_formula(n_components, dimension):
    logits = [f"exp(logit{k})" for k in range(1, n_components)] + ["1"]
    terms = []
    for k, logit in enumerate(logits, start=1):
        entry = {(i, i): f"exp(log_L{k}_{i})" for i in range(1, dimension + 1)}
        entry |= {(i, j): f"L{k}_{i}_{j}" for i in range(1, dimension + 1) for j in range(1, i)}
        z = [
            "(" + " + ".join(f"{entry[i, j]}*(x{i} - m{k}_{i})" for i in range(j, dimension + 1)) + ")"
            for j in range(1, dimension + 1)
        ]
        determinant = "*".join(entry[i, i] for i in range(1, dimension + 1))
        exponent = " + ".join(f"{entry_}**2" for entry_ in z)
        terms.append(f"{logit}*{determinant}*exp(-({exponent})/2)")
    return f"({' + '.join(terms)})/(({' + '.join(logits)})*(2*pi)**({dimension}/2))"


@pytest.mark.parametrize(("n_components", "dimension"), [(1, 1), (3, 1), (2, 2), (1, 3)])
def test_a_gaussian_mixture_is_its_formula(n_components, dimension):
    model = GaussianMixture(n_components, dimension)
    names = " ".join(f"x{i}" for i in range(1, dimension + 1))
    oracle = Symbolic(mixture_formula(n_components, dimension), x=names, parameters=model.parameter_names)
    theta = 0.5 * np.random.default_rng(1).standard_normal(model.n_parameters)
    x = np.random.default_rng(2).standard_normal((3, dimension))
    assert_same_derivatives(model, oracle, theta, x, roundings=300)
    assert_products_agree(model, theta, x)


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 2**20))
def test_a_gaussian_mixture_is_a_probability_density(n_components, seed):
    model = GaussianMixture(n_components)
    theta = np.random.default_rng(seed).standard_normal(model.n_parameters)
    # The trapezoidal rule on the line: a Gaussian of width σ is integrated to exp(-2π²σ²/h²). Here log(1/σ)
    # stays below 6, so h = 0.0005 leaves rounding alone; the tails beyond 12 widths of σ <= e^5 are cut.
    sharpest, widest = np.exp(theta[n_components::2].max()), np.exp(-theta[n_components::2].min())
    h = 0.5 / sharpest
    x = np.arange(-6 - 12 * widest, 6 + 12 * widest, h)
    density = model(theta, x)
    assert (density >= 0.0).all()
    assert abs(h * density.sum() - 1.0) <= 1e-12
    assert abs(model.weights(theta).sum() - 1.0) <= 4 * EPS
    # The mass is 1 for every θ, so the tangent functions have mean zero.
    assert np.abs(h * model.jacobian(theta, x).sum(axis=0)).max() <= 1e-11


def test_a_gaussian_mixture_is_an_immersion():
    model = GaussianMixture(2)
    g = fg.gram(
        model, [0.3, -1.0, 0.0, 1.0, 0.2], fg.L2(), fg.Interval(-8, 8).grid(200, rule="gauss-legendre")
    )
    assert np.linalg.matrix_rank(g) == 5


@pytest.mark.parametrize(
    ("model", "formula", "names", "theta"),
    [
        (
            Rational(2, 3),
            "(a0 + a1*x + a2*x**2)/(1 + b1*x + b2*x**2 + b3*x**3)",
            "x",
            [1.0, -0.5, 2.0, 0.1, 0.9, 0.2],
        ),
        (
            Rational(1, 1, dimension=2),
            "(a0 + a1*x + a2*y)/(1 + b1*x + b2*y)",
            "x y",
            [1.0, 2.0, -1.0, 0.3, 0.2],
        ),
        (Rational(1, 0), "a0 + a1*x", "x", [1.0, 2.0]),
    ],
)
def test_a_rational_function_is_its_formula(model, formula, names, theta):
    oracle = Symbolic(formula, x=names, parameters=model.parameter_names)
    x = LINE if model.dimension == 1 else PLANE
    assert_same_derivatives(model, oracle, theta, x, roundings=200)
    assert_products_agree(model, theta, x)
    assert (model.initial(0)[model._top.size :] == 0.0).all()


def test_a_pole_is_refused_at_its_point():
    with pytest.raises(InvalidInput, match=r"value is inf at x = \[-2.0\]"):
        Rational(0, 1)([1.0, 0.5], [1.0, -2.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: bases.monomial(-1), "`degree` must be"),
        (lambda: bases.legendre(2, 1, 1), "`a` must be below `b`"),
        (lambda: bases.fourier(2, length=-1), "`length` must be positive"),
        (lambda: bases.bspline([0, 1, 2], 3), "`knots` must be at least 8"),
        (lambda: bases.bspline([0, 2, 1, 3], 1), "do not decrease"),
        (lambda: bases.tensor_product(), "one or more bases"),
        (lambda: bases.tensor_product(["x"]), "one or more bases"),
        (lambda: bases.kernel_sections(fg.kernels.Sobolev(2.0, dimension=2), [1.0, 2.0, 3.0]), "`centres`"),
        (lambda: Linear(bases.monomial(2), derivatives={}), "must be left out"),
        (lambda: Linear(bases.monomial(2), x="t"), "must be left out"),
        (lambda: Fourier(-1), "`n_frequencies` must be"),
        (lambda: RadialBasis(0), "`n_units` must be"),
        (lambda: RadialBasis(2, centres=[1.0]), "`centres` must hold 2 points"),
        (lambda: RadialBasis(2, width=0.0), "`width` must be positive"),
        (lambda: RadialBasis(2, profile="gauss"), "did you mean 'gaussian'"),
        (lambda: GaussianMixture(0), "`n_components` must be"),
        (lambda: Rational(-1, 2), "`degree` must be"),
    ],
)
def test_bad_definitions_are_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


@pytest.mark.parametrize(
    "model", [Polynomial(3), Fourier(2), RadialBasis(2), GaussianMixture(3, 2), Rational(2, 2), Linear(["x"])]
)
def test_initial_parameters_come_from_the_seed_and_the_repr_is_code(model):
    assert (model.initial(3) == model.initial(3)).all()
    assert model.initial(3).shape == (model.n_parameters,)
    assert repr(model).startswith(type(model).__name__)
    assert math.isfinite(model(model.initial(3), np.full((1, model.dimension), 0.1))[0])
