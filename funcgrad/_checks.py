"""Input checks at the door: each returns the argument as a clean float64 array or number, or raises.

Every message names the argument in backticks, says what was expected and what was given.
"""

import difflib
import operator

import numpy as np

from funcgrad.errors import InvalidInput


def finite_array(x, name, ndim=None):
    """Return `x` as a float64 array; refuse complex, non-numeric, NaN and infinite entries."""
    try:
        raw = np.asarray(x)
    except ValueError as error:  # rows of different lengths
        raise InvalidInput(
            f"`{name}` must be an array of numbers; its rows have different lengths."
        ) from error
    if np.iscomplexobj(raw):
        raise InvalidInput(f"`{name}` must be real; got complex numbers.")
    try:
        array = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"`{name}` must be an array of numbers; got {type(x).__name__}.") from error
    if ndim is not None and array.ndim != ndim:
        raise InvalidInput(f"`{name}` must have {ndim} dimension(s); got shape {array.shape}.")
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        place = f" at index {where}" if where else ""
        raise InvalidInput(f"`{name}` must be finite; got {array[tuple(where)]}{place}.")
    return array


def finite_number(x, name):
    """Return `x` as a finite float."""
    array = finite_array(x, name)
    if array.ndim != 0:
        raise InvalidInput(f"`{name}` must be one number; got shape {array.shape}.")
    return float(array)


def positive_number(x, name):
    """Return `x` as a finite float above zero."""
    number = finite_number(x, name)
    if number <= 0:
        raise InvalidInput(f"`{name}` must be positive; got {number:g}.")
    return number


def whole_number(x, name, least=0):
    """Return `x` as an int that is at least `least`."""
    try:
        number = operator.index(x)
    except TypeError as error:
        raise InvalidInput(f"`{name}` must be a whole number; got {x!r}.") from error
    if number < least:
        raise InvalidInput(f"`{name}` must be at least {least}; got {number}.")
    return number


def point_array(x, dimension, name="x"):
    """Return points as a float64 array of shape ``(N, dimension)``.

    In one dimension a number or an array of shape ``(N,)`` is taken as well; in more dimensions a
    single point of shape ``(dimension,)`` is.
    """
    array = finite_array(x, name)
    if dimension == 1 and array.ndim <= 1:
        return array.reshape(-1, 1)
    if array.ndim == 1 and array.size == dimension:
        return array.reshape(1, dimension)
    if array.ndim == 2 and array.shape[1] == dimension:
        return array
    expected = "(N,) or (N, 1)" if dimension == 1 else f"(N, {dimension})"
    raise InvalidInput(f"`{name}` must be points of shape {expected}; got shape {array.shape}.")


def one_of(value, choices, name):
    """Return `value` if it is among `choices`; otherwise raise and suggest a near match."""
    if value in choices:
        return value
    raise InvalidInput(f"unknown {name} {value!r}{near_match(value, choices)}")


def near_match(value, choices):
    """Return the end of a message: the nearest of `choices` if one is near, else all of them."""
    near = difflib.get_close_matches(str(value), [str(c) for c in choices], n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return "; known: " + ", ".join(str(c) for c in choices) + "."
