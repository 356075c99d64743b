"""What is given to strategies, checked: inner strategies, kinds."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from funcgrad._checks import one_of
from funcgrad.errors import InvalidInput


def inner(given, name, default):
    """Return an inner strategy, by default what `default()` makes.

    Raises
    ------
    InvalidInput
        For a value in the place of a strategy, with what to write.
    """
    if given is None:
        return default()
    if not isinstance(given, SearchStrategy):
        raise InvalidInput(
            f"`{name}` must be a hypothesis strategy; got {given!r}: write st.just(...) for one."
        )
    return given


def sampled_kinds(kinds, known, name="kinds", fits=None, where=""):
    """Return a strategy for those of the kinds that fit.

    Raises
    ------
    InvalidInput
        For no sequence of known kinds, or if none of them fits.
    """
    if isinstance(kinds, str) or not isinstance(kinds, Sequence) or not kinds:
        raise InvalidInput(f"`{name}` must be a sequence such as ({known[0]!r},); got {kinds!r}.")
    for kind in kinds:
        one_of(kind, known, f"entry of `{name}`")
    fitting = [kind for kind in kinds if fits is None or fits(kind)]
    if not fitting:
        raise InvalidInput(f"none of the `{name}` {tuple(kinds)} works {where}.")
    return st.sampled_from(fitting)
