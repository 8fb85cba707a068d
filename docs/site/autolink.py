"""``lucidgrad.fit`` in a page leads to its entry in the reference, without anybody writing links."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

NAME = re.compile(r"(?:lucidgrad|lg)\.([\w.]+)(?:\(.*\))?", flags=re.DOTALL)
SHORT = re.compile(r"(\w+(?:\.\w+)*)(?:\(.*\))?", flags=re.DOTALL)


class LinkNames(SphinxPostTransform):
    """Turn names of the public API in code into links, outside of headings and of other links."""

    default_priority = 400

    def run(self, **_: Any) -> None:
        """Look at each piece of code in the running text."""
        objects = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            entry = named(literal.astext(), objects)
            if entry is None or inside(literal, nodes.reference, nodes.title):
                continue
            name, found = entry
            if found.docname == self.env.docname and "api/" not in found.docname:
                continue
            new = make_refnode(
                self.app.builder, self.env.docname, found.docname, found.node_id, literal.deepcopy(), name
            )
            literal.replace_self(new)


def named(text: str, objects: dict[str, Any]) -> tuple[str, Any] | None:
    """The entry of the reference that a piece of code names, or None."""
    full = NAME.fullmatch(text)
    if full:
        name = f"lucidgrad.{full[1]}"
        return (name, objects[name]) if name in objects else None
    short = SHORT.fullmatch(text)
    if short is None or not re.search("[A-Z]|\\.", short[1]):
        return None  # a single word in lower case may be anything
    ends = [n for n in objects if n.endswith(f".{short[1]}") and n.count(".") <= 2 + short[1].count(".")]
    return (ends[0], objects[ends[0]]) if len({objects[n].node_id for n in ends}) == 1 else None


def inside(node: nodes.Node, *kinds: type[nodes.Node]) -> bool:
    """Whether a node stands in one of these kinds."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def setup(app: Any) -> dict[str, bool]:
    """Register."""
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
