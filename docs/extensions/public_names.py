"""The directive `{public-names}`: what `import funcgrad as fg` offers, with each first line."""

from sphinx.util.docutils import SphinxDirective

import funcgrad


class PublicNames(SphinxDirective):
    """A table of names, each with a link to where it is documented."""

    def run(self):
        """Return the nodes of the table."""
        rows = ["| name | what it is |", "|---|---|"]
        for name, module in sorted(funcgrad._EXPORTS.items()):
            value = getattr(funcgrad, name)
            role = "mod" if value.__class__.__name__ == "module" else "obj"
            target = value.__name__ if role == "mod" else f"{module}.{name}"
            first = (value.__doc__ or "").strip().splitlines()[0].replace("|", r"\|").replace("*", r"\*")
            rows.append(f"| {{py:{role}}}`fg.{name} <{target}>` | {first} |")
        return self.parse_text_to_nodes("\n".join(rows))


def setup(app):
    """Register the directive."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
