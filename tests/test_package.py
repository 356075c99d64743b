"""The package as a whole: what importing it costs, which layer knows which, how loops are compiled."""

import ast
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import funcgrad

ROOT = pathlib.Path(funcgrad.__file__).parent
LAYERS = [
    {"errors", "_checks", "_compiled", "data", "expression", "__init__"},
    {"spaces"},
    {"operators", "kernels"},
    {"metrics", "functionals"},
    {"models"},
    {"gradients"},
    {"theorems"},
    {"cli", "report", "plots", "testing", "specifications", "problems", "__main__"},
]
# Imports from above, made inside a function when it is called: drawing and printing oneself.
RENDERING = {"plots", "report"}


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_import_funcgrad_stays_light():
    code = (
        "import sys, funcgrad; "
        "heavy = {'numba', 'sympy', 'matplotlib', 'hypothesis', 'rich', 'scipy'} & set(sys.modules); "
        "print(sorted(heavy))"
    )
    result = run_python(code)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_the_function_space_layers_stay_light():
    code = (
        "import sys, numpy as np, funcgrad as fg; "
        "f = fg.Circle(1.0).grid(8).function(np.sin); "
        "fg.gradient(fg.EmpiricalLoss([0.3], [1.0]), f, fg.Sobolev(1.0)); "
        "print(sorted({'numba', 'sympy', 'matplotlib', 'hypothesis'} & set(sys.modules)))"
    )
    result = run_python(code)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def layer_of(module):
    part = module.split(".")[1] if "." in module else "__init__"
    return next(i for i, names in enumerate(LAYERS) if part in names), part


def test_a_file_imports_only_from_its_own_layer_and_those_below():
    wrong = []
    for path in ROOT.rglob("*.py"):
        module = ".".join(("funcgrad", *path.relative_to(ROOT).with_suffix("").parts))
        if module == "funcgrad.__init__":
            continue
        own, _ = layer_of(module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("funcgrad."):
                layer, part = layer_of(node.module)
                if layer > own and not (node.col_offset > 0 and part in RENDERING):
                    wrong.append(f"{module} imports {node.module}")
    assert not wrong


def test_numba_is_imported_in_files_of_compiled_loops_only():
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "_compiled" not in path.name
        and any(
            isinstance(node, (ast.Import, ast.ImportFrom))
            and any(
                (name or "").split(".")[0] == "numba"
                for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
            )
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]
    assert not elsewhere


def test_every_exported_name_exists():
    for name in funcgrad.__all__:
        assert getattr(funcgrad, name) is not None
    with pytest.raises(AttributeError, match="Sobolov"):
        _ = funcgrad.Sobolov


def test_version_is_read_from_one_place():
    from importlib.metadata import version

    assert version("funcgrad") == funcgrad.__version__


def test_compiled_functions_agree_with_their_source_and_survive_without_a_cache_folder(monkeypatch):
    import numba

    from funcgrad import _compiled

    def total(x):
        s = 0.0
        for i in range(x.size):
            s += x[i] * x[i]
        return s

    x = np.random.default_rng(0).normal(size=100)
    assert _compiled.compiled()(total)(x) == pytest.approx(total(x), rel=100 * np.finfo(float).eps)

    original = numba.njit

    def no_folder(*args, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return original(*args, **options)

    monkeypatch.setattr(numba, "njit", no_folder)
    assert _compiled.compiled()(total)(x) == pytest.approx(total(x), rel=100 * np.finfo(float).eps)
