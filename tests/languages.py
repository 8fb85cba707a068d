"""What a translation has to leave as it is: the code but for its comments and strings, and the formulas."""

from __future__ import annotations

import ast
import re


def skeleton(source: str) -> str:
    """Code without comments, and without what its strings say."""

    class Silent(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Silent().visit(ast.parse(source)))


def formulas(text: str) -> list[str]:
    """What is between dollars, which is the same in every language."""
    return re.findall(r"\$\$?(.+?)\$\$?", text, flags=re.DOTALL)


def is_korean(text: str) -> bool:
    """Whether there is Hangul in it."""
    return re.search("[가-힣]", text) is not None
