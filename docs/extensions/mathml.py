"""Mathematics as MathML, converted from LaTeX at build time: pages need neither scripts nor a network."""

import latex2mathml.converter
from docutils import nodes


def _inline(self, node):
    self.body.append(latex2mathml.converter.convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _block(self, node):
    mathml = latex2mathml.converter.convert(node.astext().strip(), display="block")
    self.body.append(f'<div class="math">{mathml}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
