"""Domains, metrics, losses and covectors from the words of a command line."""

import numpy as np

from funcgrad._checks import near_match
from funcgrad.errors import InvalidInput
from funcgrad.functionals import Density, PointEvaluation, PseudoHuber, SurfaceIntegral
from funcgrad.functionals.pointwise_losses import loss_named
from funcgrad.metrics import L2, RKHS, Sobolev
from funcgrad.spaces import Box, Circle, Euclidean, Interval, Sphere, Torus, surfaces

_DOMAINS = {
    "circle": "circle [LENGTH]",
    "interval": "interval A B [neumann|dirichlet|periodic]",
    "box": "box A1 B1 A2 B2 ... [neumann|dirichlet|periodic, one or one an axis]",
    "torus": "torus DIMENSION [LENGTH]",
    "sphere": "sphere",
    "euclidean": "euclidean DIMENSION",
}

_METRICS = {
    "l2": "l2",
    "sobolev": "sobolev ORDER [length SCALE]",
    "rkhs": "rkhs matern NU [length SCALE], rkhs gaussian [length SCALE]",
}
_LOSSES = {
    "squared": "squared",
    "pseudo-huber": "pseudo-huber [SCALE]",
    "logistic": "logistic",
    "poisson": "poisson",
}
_COVECTORS = {
    "point": "point [X ...] [derivative ORDER ...]",
    "density": "density FORMULA [derivative ORDER ...]",
    "line": "line [X ... to Y ...] [derivative ORDER] [density FORMULA]",
    "plane": "plane [derivative ORDER] [density FORMULA] (in three dimensions)",
    "sphere": "sphere [X ...] [radius R] [derivative ORDER] [density FORMULA] (in the plane a circle)",
}
# Nodes an axis at which a density on the domain is known.
_SAMPLES = {1: 512, 2: 64, 3: 24}


def domain_from(text):
    """Return the domain of "interval 0 1 dirichlet" or "circle 6.283".

    Examples
    --------
    >>> print(domain_from("interval 70 770"))
    the interval [70, 770] (neumann)
    """
    kind, words = _words(text, _DOMAINS, "domain")
    if kind == "circle" and len(words) <= 1:
        return Circle(*(_number(word, text) for word in words))
    if kind == "interval" and len(words) in (2, 3):
        return Interval(_number(words[0], text), _number(words[1], text), *words[2:])
    if kind == "box":
        conditions = [word for word in words if word.isalpha()]
        ends = [_number(word, text) for word in words[: len(words) - len(conditions)]]
        if ends and len(ends) % 2 == 0 and len(conditions) in (0, 1, len(ends) // 2):
            bounds = list(zip(ends[::2], ends[1::2], strict=True))
            return Box(
                bounds, *([conditions if len(conditions) > 1 else conditions[0]] if conditions else [])
            )
    if kind == "torus" and len(words) in (1, 2) and words[0].isdigit():
        return Torus([_number(words[1], text) if words[1:] else 2 * np.pi] * int(words[0]))
    if kind == "sphere" and not words:
        return Sphere()
    if kind == "euclidean" and len(words) == 1 and words[0].isdigit():
        return Euclidean(int(words[0]))
    raise _malformed(text, _DOMAINS[kind], "domain")


def metric_from(text):
    """Return the metric of "l2", "sobolev 1" or "sobolev 1 length 0.2".

    Examples
    --------
    >>> metric_from("sobolev 1 length 0.2")
    Sobolev(order=1.0, length_scale=0.2)
    """
    kind, words = _words(text, _METRICS, "metric")
    if kind == "l2" and not words:
        return L2()
    if kind == "sobolev" and len(words) == 1:
        return Sobolev(_number(words[0], text))
    if kind == "sobolev" and len(words) == 3 and words[1] == "length":
        return Sobolev(_number(words[0], text), _number(words[2], text))
    if kind == "rkhs":
        return _rkhs_from(text, words)
    raise _malformed(text, _METRICS[kind], "metric")


def _rkhs_from(text, words):
    from funcgrad import kernels

    words, lengths = _split(words, "length")
    scale = [_number(word, text) for word in lengths]
    if len(scale) <= 1 and len(words) == 2 and words[0] == "matern":
        return RKHS(kernels.Matern(_number(words[1], text), *scale))
    if len(scale) <= 1 and words == ["gaussian"]:
        return RKHS(kernels.Gaussian(*scale or [1.0]))
    raise _malformed(text, _METRICS["rkhs"], "metric")


def loss_from(text):
    """Return the pointwise loss of "squared", "pseudo-huber 0.5", "logistic" or "poisson".

    Examples
    --------
    >>> loss_from("pseudo-huber 0.5")
    PseudoHuber(scale=0.5)
    """
    kind, words = _words(text, _LOSSES, "loss")
    if kind == "pseudo-huber" and len(words) == 1:
        return PseudoHuber(_number(words[0], text))
    if not words:
        return loss_named(kind)
    raise _malformed(text, _LOSSES[kind], "loss")


def covector_from(text, domain):
    """Return the covector of "point", "point 0.3 0.5 derivative 1 0" or "line density 1 + x" on a domain.

    Without coordinates the point lies a third of the way along every axis (at the origin of Euclidean
    space). A single order in several dimensions is that along the first axis. Without coordinates, lines,
    planes and spheres lie in the middle third of the domain, a line and a plane along the last axes. A
    density is a formula in x, y and z: on a surface, or by itself on the domain.

    Examples
    --------
    >>> covector_from("point derivative 2", Circle(3.0)).atoms[0].derivative
    (2,)
    >>> covector_from("point 0 0 derivative 1", Euclidean(2)).atoms[0].derivative
    (1, 0)
    >>> round(covector_from("density exp(-x)", Interval(0, 1))(lambda x: np.exp(x)), 12)
    1.0
    """
    kind, words = _words(text, _COVECTORS, "covector")
    n = domain.n_coordinates
    words, orders = _split(words, "derivative")
    orders, formula = _split(orders, "density")
    if not formula:
        words, formula = _split(words, "density")
    allowed = (0, 1, n) if kind in ("point", "density") else (0, 1)
    if len(orders) not in allowed or not all(o.isdigit() for o in orders):
        raise _malformed(text, _COVECTORS[kind], "covector")
    orders = [int(order) for order in orders]
    if kind == "density" and words and not formula:
        return _density_from(" ".join(words), orders + [0] * (n - len(orders)), domain)
    if kind in ("line", "plane", "sphere"):
        density = _formula(" ".join(formula), domain) if formula else None
        return SurfaceIntegral(_surface_from(kind, words, domain, text), *orders, density=density)
    if kind == "density" or formula or len(words) not in (0, n):
        raise _malformed(text, _COVECTORS[kind], "covector")
    point = [_number(word, text) for word in words] or _default_point(domain)
    return PointEvaluation(point, orders + [0] * (n - len(orders)))


def _formula(text, domain):
    """Return the function of a formula in the coordinates x, y, z, as a callable of their arrays."""
    from funcgrad.models import Symbolic

    f = Symbolic(text, x=list("xyz"[: domain.n_coordinates]))
    return lambda *x: f((), np.column_stack(x))


def _density_from(text, orders, domain):
    if isinstance(domain, Euclidean) or domain.dimension not in _SAMPLES:
        raise InvalidInput(f"a density is known by samples on a grid, which {domain} has not; take a box.")
    return Density(domain.grid(_SAMPLES[domain.dimension]).function(_formula(text, domain)), tuple(orders))


def _surface_from(kind, words, domain, text):
    n, words = domain.dimension, words.copy()
    words, radii = _split(words, "radius")
    middle = _default_point(domain)
    # A third of the box, or of the unit cube in Euclidean space.
    edges = np.eye(n) / 3
    if not isinstance(domain, (Euclidean, Sphere)):
        edges = np.diag(domain.from_unit_cube(np.full((1, n), 2 / 3))[0] - middle)
    if isinstance(domain, Sphere) and kind == "sphere" and not words and len(radii) <= 1:
        return surfaces.SmallCircle([0, 0, 1], *([_number(radii[0], text)] if radii else [1.0]))
    if kind == "line" and n > 1 and not radii and not isinstance(domain, Sphere):
        if not words:
            return surfaces.Flat(middle, edges[-1], normal=edges[0])
        if len(words) == 2 * n + 1 and words[n] == "to":
            start, end = ([_number(word, text) for word in part] for part in (words[:n], words[n + 1 :]))
            return surfaces.Flat(start, np.subtract(end, start))
    if kind == "plane" and n == 3 and not words and not radii:
        return surfaces.Flat(middle, edges[1:])
    if kind == "sphere" and n in (2, 3) and len(words) in (0, n) and len(radii) <= 1:
        center = [_number(word, text) for word in words] or middle + np.diag(edges) / 2
        radius = _number(radii[0], text) if radii else np.diag(edges).min() / 2
        return surfaces.RoundSphere(center, radius)
    raise _malformed(text, _COVECTORS[kind], f"covector on {domain}")


def _split(words, word):
    """Return the words before and after one of them, that one left out; all and none if it does not occur."""
    if word not in words:
        return words, []
    at = words.index(word)
    return words[:at], words[at + 1 :] or [""]


def _default_point(domain):
    if isinstance(domain, Euclidean):
        return np.zeros(domain.dimension)
    return domain.from_unit_cube(np.full((1, domain.dimension), 1 / 3))[0]


def _words(text, known, what):
    words = text.lower().split()
    if not words:
        raise InvalidInput(f"the {what} is empty; write one of: {'; '.join(known.values())}.")
    if words[0] not in known:
        raise InvalidInput(f"unknown {what} {words[0]!r}{near_match(words[0], known)}")
    return words[0], words[1:]


def _number(word, text):
    try:
        return float(word)
    except ValueError:
        raise InvalidInput(f"{word!r} in {text!r} is not a number.") from None


def _malformed(text, form, what):
    return InvalidInput(f"cannot read the {what} {text!r}; write it as: {form}")
