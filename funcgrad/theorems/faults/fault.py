"""What a fault is, and how it is put into the library and taken out."""

import importlib
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

from funcgrad.errors import InvalidInput


@dataclass(frozen=True)
class Fault:
    """A fault: what is replaced by what, and which theorems should notice.

    Attributes
    ----------
    name : str
    what : str
        In words.
    target : str
        The function, as "module:name" or "module:Class.name", below ``funcgrad.``.
    broken : callable
        From the function to the one in its place.
    likely : tuple of str
        Ids of theorems, the likeliest and quickest to notice first.
    """

    name: str
    what: str
    target: str
    broken: Callable
    likely: tuple[str, ...]

    @contextmanager
    def injected(self):
        """Break the library while the context lasts."""
        module, _, path = self.target.partition(":")
        *owners, name = path.split(".")
        owner = importlib.import_module(f"funcgrad.{module}")
        for step in owners:
            owner = getattr(owner, step)
        original = vars(owner).get(name)
        if original is None:
            raise InvalidInput(f"the fault {self.name!r} has no target: funcgrad.{module} has no {path}.")
        forget()
        setattr(owner, name, self.broken(original))
        try:
            yield
        finally:
            setattr(owner, name, original)
            forget()


def forget():
    """Empty every cache of the library, so that nothing factored before hides a fault or outlives it."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "funcgrad":
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def scaled(factor):
    """Return what makes a function's result wrong by a factor."""
    return lambda original: lambda *args, **options: factor * original(*args, **options)


def after(change):
    """Return what changes a method's result by `change(result, self)`."""
    return lambda original: lambda self, *args, **options: change(original(self, *args, **options), self)
