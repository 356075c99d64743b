"""What checks are given, looked at before anything is checked: a wrong argument is no wrong object."""

from collections.abc import Mapping

from funcgrad.errors import InvalidInput
from funcgrad.gradients.arguments import require


def require_instance(thing, what):
    """Raise `InvalidInput` if the class of an object is given in its place."""
    if isinstance(thing, type):
        raise InvalidInput(f"{what} is to be checked; got the class {thing.__name__} itself: call it.")


def require_grid(grid, name="grid"):
    """Raise `InvalidInput` unless a grid is one, or None."""
    if grid is not None and not (hasattr(grid, "nodes") and hasattr(grid, "weights")):
        raise InvalidInput(f"`{name}` must be a Grid, such as domain.grid(12); got {grid!r}.")


def require_domain(domain, dimension=None, of=None):
    """Raise `InvalidInput` unless a domain is one, whose points have as many coordinates; or None."""
    if domain is None:
        return
    require("domain", domain, "domain")
    coordinates = getattr(domain, "n_coordinates", domain.dimension)
    if dimension is not None and coordinates != dimension:
        raise InvalidInput(
            f"`domain` must have points of {dimension} coordinates, which {of!r} takes; those of {domain} "
            f"have {coordinates}."
        )


def require_function(f, name):
    """Raise `InvalidInput` unless a function on a grid is one, or None."""
    if f is not None:
        require("function", f, name)


def require_reasons(expected_failures):
    """Raise `InvalidInput` unless expected failures are a dict, or None."""
    if expected_failures is not None and not isinstance(expected_failures, Mapping):
        raise InvalidInput(
            f"`expected_failures` must be a dict from ids of checks to reasons; got {expected_failures!r}."
        )
