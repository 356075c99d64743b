"""The configuration of Sphinx. Build with `make docs`; the build needs no network."""

import ast
import re
import sys
from pathlib import Path

import funcgrad

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
sys.path.insert(0, str(HERE / "extensions"))

project = "funcgrad"
author = "The funcgrad developers"
copyright = "the funcgrad developers"
version = release = funcgrad.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "mathml",
    "public_names",
    "verdict",
]
exclude_patterns = [
    "_build",
    "extensions",
    "gallery/*.md5",
    "gallery/*.ipynb",
    "gallery/sg_execution_times.rst",
]

html_theme = "furo"
html_title = f"funcgrad {release}"
html_static_path = ["static"]
html_css_files = ["funcgrad.css"]
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

default_role = "literal"  # single backticks in a docstring: code; docstrings.py makes links of some
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # or properties are documented twice
napoleon_use_rtype = False


def without_title(path):
    """Return whether a script's docstring lacks the underlined title that makes it a page of the gallery."""
    lines = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    return len(lines) < 2 or not re.fullmatch(r"=+", lines[1])


sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": "|".join(re.escape(p.name) for p in EXAMPLES.glob("*.py") if without_title(p)) or r"$^",
    "within_subsection_order": "gallery_order.Story",
    "reset_argv": "gallery_order.quick_mode",
    "show_memory": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 5,
    "abort_on_example_error": False,
    "remove_config_comments": True,
}
