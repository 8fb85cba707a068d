"""Examples of docstrings can be copied: each brings what it imports, and leans on nothing that its module alone has."""

from __future__ import annotations

import ast
import builtins
import doctest

import pytest

from tests.test_docstrings import Named, public

ALWAYS = {*vars(builtins), "_", "__name__"}


def names_from_nowhere(source: str) -> list[str]:
    """The names that a program uses and has not made itself."""
    made, used = set(ALWAYS), []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                used.append(node.id)
            else:
                made.add(node.id)
        elif isinstance(node, ast.alias):
            made.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and node.name:
            made.add(node.name)
    return sorted(set(used) - made)


def lacking(named: Named) -> list[str]:
    examples = doctest.DocTestParser().get_examples("\n\n".join(named.docs[:1]))
    return names_from_nowhere("".join(e.source for e in examples))


def test_what_an_example_has_not_made_itself_is_seen() -> None:
    assert names_from_nowhere("import numpy as np\nx = np.ones(3)\nprint(x, relu(x), [y for y in x])") == ["relu"]
    assert names_from_nowhere("def f(a):\n    return a\nf(1)\nwith open('a') as b:\n    b.read()") == []


@pytest.mark.parametrize("package", public())
def test_examples_bring_what_they_import(package: str) -> None:
    assert {named.name: names for named in public()[package] if (names := lacking(named))} == {}
