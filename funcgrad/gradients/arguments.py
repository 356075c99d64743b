"""What gradients are asked about, looked at before anything is computed: arguments by their members."""

from funcgrad.errors import InvalidInput

# Alternatives of members, and what to give instead.
_KINDS = {
    "functional": ((("differential",),), "a functional, such as fg.EmpiricalLoss(x, y)"),
    "covector": (
        (("terms",), ("differential",)),
        "a covector or a functional, such as fg.PointEvaluation(0.3)",
    ),
    "function": ((("grid", "values"),), "a Function, made with `grid.function(...)`"),
    "metric": ((("riesz",), ("at",)), "a metric, such as fg.L2() or fg.Sobolev(1.0)"),
    "model": (
        (("jacobian",),),
        "a model, such as fg.models.Polynomial(2), or an object that is called with (theta, x) and has "
        "`jacobian(theta, x)`",
    ),
    "domain": (
        (("laplacian_spectrum", "dimension"),),
        "a domain, such as fg.Interval(0, 1)",
    ),
    "domain or grid": (
        (("laplacian_spectrum", "dimension"), ("nodes", "weights")),
        "a domain or a grid of one, such as fg.Interval(0, 1)",
    ),
}


def require(kind, value, name):
    """Raise `InvalidInput`, which says what to give, unless a value has the members of its kind."""
    alternatives, wanted = _KINDS[kind]
    if isinstance(value, type):
        raise InvalidInput(f"`{name}` must be {wanted}; got the class {value.__name__} itself: call it.")
    if not any(all(hasattr(value, member) for member in members) for members in alternatives):
        raise InvalidInput(f"`{name}` must be {wanted}; got {value!r}.")


def require_problem(functional, model, metric, domain):
    """Look at what a natural gradient is asked for, in the names that it has there."""
    require("functional", functional, "F")
    require("model", model, "model")
    require("metric", metric, "metric")
    require("domain or grid", domain, "domain")
