"""Mathematics as MathML, converted from LaTeX at build time: pages need neither scripts nor a network."""

import re

import latex2mathml.converter
from docutils import nodes

# Relations that the converter takes for letters, so that browsers set them without space around.
_RELATIONS = {"&#x0007E;": "&#x0223C;", "&#x027FA;": "&#x027FA;", "&#x02AB0;": "&#x02AB0;"}


def converted(latex, display):
    """Return a formula as MathML, "inline" or "block"."""
    mathml = latex2mathml.converter.convert(latex.strip(), display=display)
    return re.sub(
        r"<mi>(&#x[0-9A-F]+;)</mi>",
        lambda m: f"<mo>{_RELATIONS[m[1]]}</mo>" if m[1] in _RELATIONS else m[0],
        mathml,
    )


def _inline(self, node):
    self.body.append(converted(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(self, node):
    self.body.append(f'<div class="math">{converted(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
