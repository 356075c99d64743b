"""What a user finds documented: every public name, with an example that the doctests run."""

import doctest
import importlib
import inspect
import pathlib
import re

import pytest

from funcgrad.theorems.registry import catalogue

ROOT = pathlib.Path(__file__).parent.parent
MODULES = (
    "funcgrad",
    "funcgrad.data",
    "funcgrad.errors",
    "funcgrad.functionals",
    "funcgrad.gradients",
    "funcgrad.kernels",
    "funcgrad.metrics",
    "funcgrad.models",
    "funcgrad.models.bases",
    "funcgrad.operators",
    "funcgrad.operators.finite_differences",
    "funcgrad.operators.stencil_weights",
    "funcgrad.operators.summation_by_parts",
    "funcgrad.spaces",
    "funcgrad.spaces.quadrature",
    "funcgrad.spaces.surfaces",
    "funcgrad.testing",
    "funcgrad.testing.strategies",
    "funcgrad.theorems",
)


def public_names(module):
    """Return the classes and functions that a module offers: its `__all__`, or all that it defines."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return {name: getattr(module, name) for name in names if callable(getattr(module, name))}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring_with_an_example_that_runs(name):
    module = importlib.import_module(name)
    public, parser = public_names(module), doctest.DocTestParser()
    assert public
    without = [
        entry
        for entry, value in public.items()
        if "Examples\n" not in (inspect.getdoc(value) or "") or not parser.get_examples(value.__doc__)
    ]
    assert not without, f"{name}: no `Examples` in the docstrings of {', '.join(without)}"


@pytest.mark.parametrize("name", [name for name in MODULES if name != "funcgrad"])
def test_every_module_has_its_place_in_the_reference(name):
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "api").glob("*.md")]
    assert sum(f".. automodule:: {name}\n" in page for page in pages) == 1


def test_the_table_from_the_paper_leads_to_what_there_is():
    page = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    targets = re.findall(r"\(#(funcgrad[.\w]*)\)", page)
    assert len(targets) > 20
    for target in targets:
        assert resolved(target) is not None, target
    theorems = {theorem.id for theorem in catalogue()}
    assert set(re.findall(r"\[\]\(#([-\w]+)\)", page)) <= theorems


def resolved(target):
    """Return what a dotted name stands for: a module, or an attribute of one of its objects."""
    try:
        return importlib.import_module(target)
    except ImportError:
        owner, _, name = target.rpartition(".")
        return getattr(resolved(owner), name, None)


def test_pages_can_be_typed_line_by_line():
    """In Python's own prompt an empty line ends a class or a loop: no block has one within."""
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        lines = page.read_text(encoding="utf-8").splitlines()
        within = [i for i, line in enumerate(lines[:-1]) if line == "..." and lines[i + 1][:4] == "... "]
        assert not within, f"{page.name}, lines {within}"


def test_an_example_script_asserts_what_it_shows_and_says_what_it_asks():
    for script in (ROOT / "examples").glob("*.py"):
        text = script.read_text(encoding="utf-8")
        if text.split('"""')[1].splitlines()[1:2] == ["=" * len(text.split('"""')[1].splitlines()[0])]:
            assert "assert " in text, f"{script.name} asserts nothing"
            assert "plt.show()" in text, f"{script.name} shows no figure"
