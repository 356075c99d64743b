"""Docstrings read as they are meant: |α| is a length, and the `name` of something public is a link."""

import functools
import importlib
import re

import funcgrad


def setup(app):
    """Process the docstrings after napoleon has."""
    app.connect("autodoc-process-docstring", _as_restructuredtext, priority=900)
    return {"parallel_read_safe": True}


@functools.cache
def _targets():
    """Return where each public name is documented; a name that two layers have is left out."""
    targets = {}
    for layer in (*funcgrad._SUBPACKAGES, "errors"):
        module = importlib.import_module(f"funcgrad.{layer}")
        for name in getattr(module, "__all__", [n for n in vars(module) if n[0].isupper()]):
            targets[name] = None if name in targets else f"funcgrad.{layer}.{name}"
    return targets


def _as_restructuredtext(app, what, name, obj, options, lines):
    example = table = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and line.strip() != "")
        table = line.lstrip().startswith("===") or (table and line.strip() != "")
        if field := re.match(r"\s*:(type [^:]*|rtype):", line):
            lines[i] = field[0] + " " + _type(line[field.end() :].strip())
        elif not example:
            parts = re.split("(``.*?``|`.*?`)", line)
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            if not table:  # whose columns must keep their widths
                parts[1::2] = [_linked(part) for part in parts[1::2]]
            lines[i] = "".join(parts)


def _type(text):
    """Return a type in words with its public names linked; Sphinx would guess what the other words are."""
    names = "|".join(name for name, target in _targets().items() if target)
    text = re.sub(r"([*|`\\])", r"\\\1", text)
    parts = [part for part in re.split(rf"\b({names})\b", text) if part]
    return r"\ ".join(
        f":py:obj:`{p} <{_targets()[p]}>`" if _targets().get(p) else _emphasis(p) for p in parts
    )


def _emphasis(text):
    inner = text.strip()
    before, after = text[: text.index(inner)], text[text.index(inner) + len(inner) :]
    return f"{before}*{inner}*{after}" if inner else text


def _linked(code):
    name = code.strip("`")
    target = None if code.startswith("``") else _targets().get(name)
    return f":py:obj:`{name} <{target}>`" if target else code
