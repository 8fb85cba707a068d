"""The course: each notebook runs from a clean kernel, and both languages have the same content."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import nbclient
import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
LANGUAGES = ("en", "ko")
NAMES = sorted({path.name for path in FOLDER.glob("*/*.ipynb")})


def read(language: str, name: str):
    return nbformat.read(FOLDER / language / name, as_version=4)


def skeleton(source: str) -> str:
    """Code without comments, and without what its strings say."""

    class Silent(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            return ast.Constant("") if isinstance(node.value, str) else node

    return ast.dump(Silent().visit(ast.parse(source)))


def words_between(text: str) -> list[str]:
    """What is between dollars: the formulas, which are the same in every language."""
    return re.findall(r"\$\$?(.+?)\$\$?", text, flags=re.DOTALL)


def test_there_are_notebooks_to_look_at():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_languages_have_the_same_cells_code_and_formulas(name: str):
    english, korean = (read(language, name).cells for language in LANGUAGES)
    assert [c.cell_type for c in english] == [c.cell_type for c in korean]
    for a, b in zip(english, korean, strict=True):
        if a.cell_type == "code":
            assert skeleton(a.source) == skeleton(b.source)
        else:
            assert sorted(words_between(a.source)) == sorted(words_between(b.source))
            assert a.source.count("#") == b.source.count("#")


@pytest.mark.parametrize("name", NAMES)
def test_the_korean_notebook_is_korean(name: str):
    for cell in read("ko", name).cells:
        assert cell.cell_type == "code" or re.search("[가-힣]", cell.source), cell.source


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_runs_from_a_clean_kernel(language: str, name: str, tmp_path: Path):
    notebook = read(language, name)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not stored: clear them"
    assert sum("assert" in cell.source for cell in notebook.cells if cell.cell_type == "code") >= 5
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the machinery around the kernel
        client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    # Nothing of ours warns, and every letter of every picture was drawn (matplotlib warns about missing ones).
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
