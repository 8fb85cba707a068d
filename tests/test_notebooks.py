"""The course: its notebooks run from a clean kernel, both languages say the same, and the lab's starter teaches.

What both languages share is compared, so that `make test` runs the longer notebooks, on little data, in one of them;
`make test-long` runs them in both, the lab with MNIST where it is found.
"""

from __future__ import annotations

import copy
import re
import warnings
from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.languages import formulas, is_korean, skeleton

FOLDER = Path(__file__).parent.parent / "notebooks"
LANGUAGES = ("en", "ko")
NAMES = sorted({path.name for path in FOLDER.glob("*/*.ipynb")})
FIRST = "01_build_your_own_framework.ipynb"
STARTER, SOLUTION = "02_mnist_lab_starter.ipynb", "02_mnist_lab_solution.ipynb"
MACHINE_CODE = "03_from_python_to_machine_code.ipynb"
TODOS = 6


def read(language: str, name: str):
    return nbformat.read(FOLDER / language / name, as_version=4)


def execute(notebook, folder: Path) -> list:
    """Run it from a clean kernel; all outputs. Nothing of ours may warn, and every letter of every picture is drawn."""
    client = nbclient.NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the machinery around the kernel
        client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    # Matplotlib warns about letters that no font has.
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
    return outputs


def test_there_are_notebooks_to_look_at():
    assert set(NAMES) == {FIRST, STARTER, SOLUTION, MACHINE_CODE}


@pytest.mark.parametrize("name", NAMES)
def test_the_languages_have_the_same_cells_code_and_formulas(name: str):
    english, korean = (read(language, name).cells for language in LANGUAGES)
    assert [(c.cell_type, c.id) for c in english] == [(c.cell_type, c.id) for c in korean]
    for a, b in zip(english, korean, strict=True):
        if a.cell_type == "code":
            assert skeleton(a.source) == skeleton(b.source)
        else:
            assert sorted(formulas(a.source)) == sorted(formulas(b.source))
            assert set(re.findall("`.+?`", a.source)) == set(re.findall("`.+?`", b.source))
            assert a.source.count("#") == b.source.count("#")


@pytest.mark.parametrize("name", NAMES)
def test_the_korean_notebook_is_korean(name: str):
    for cell in read("ko", name).cells:
        assert cell.cell_type == "code" or is_korean(cell.source), cell.source
    for cell in read("en", name).cells:
        assert not is_korean(cell.source), cell.source


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notebook_is_clean_and_asserts_what_it_says(language: str, name: str):
    notebook = read(language, name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code), "outputs are not stored: clear them"
    assert sum("assert" in cell.source for cell in code) >= 5


def numbers(outputs: list) -> list[str]:
    """The measured numbers that are printed, sorted: each language has its own order, and counts in words elsewhere.

    What is printed beside seconds is left out: a clock gave it.
    """
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return sorted(n for text in texts if "seconds" not in text for n in re.findall(r"\d+\.\d+(?:e-?\d+)?", text))


def test_the_first_notebook_runs_from_a_clean_kernel_and_prints_the_same_numbers_in_both_languages(tmp_path: Path):
    printed = []
    for language in LANGUAGES:
        outputs = execute(read(language, FIRST), tmp_path)
        moving = [output for output in outputs if "image/gif" in output.get("data", {}).get("text/html", "")]
        assert len(moving) == 1  # the boundary
        assert any("image/svg+xml" in output.get("data", {}) for output in outputs)  # the graph
        printed.append(numbers([output for output in outputs if output not in moving]))
    assert len(printed[0]) > 10
    assert printed[0] == printed[1]


@pytest.mark.parametrize("language", ["ko", pytest.param("en", marks=pytest.mark.long)])
def test_the_notebook_on_machine_code_runs_from_a_clean_kernel(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LUCIDGRAD_QUICK", "1")
    outputs = execute(read(language, MACHINE_CODE), tmp_path)
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 6
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_starter_and_solution_differ_only_in_the_pieces_that_are_to_be_filled_in(language: str):
    starter, solution = (read(language, name).cells for name in (STARTER, SOLUTION))
    assert [cell.id for cell in starter] == [cell.id for cell in solution]
    different = [a.id for a, b in zip(starter, solution, strict=True) if a.source != b.source]
    assert different == [starter[0].id, *(f"todo-{n}" for n in range(1, TODOS + 1))]
    for a, b in zip(starter, solution, strict=True):
        if a.id.startswith("todo-"):
            assert a.source.count("todo(") == 1
            assert "todo(" not in b.source


@pytest.mark.parametrize("language", ["ko", pytest.param("en", marks=pytest.mark.long)])
def test_each_missing_piece_of_the_starter_says_what_belongs_there_and_the_solution_fills_it(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The starter is run: each piece that is missing raises, then the solution's is run in its place, to the end."""
    monkeypatch.setenv("LUCIDGRAD_QUICK", "1")
    notebook, solution = read(language, STARTER), {cell.id: cell for cell in read(language, SOLUTION).cells}
    cells = []
    for cell in notebook.cells:
        if cell.id.startswith("todo-"):
            unfilled = copy.deepcopy(cell)
            unfilled.id = f"unfilled-{cell.id}"
            unfilled.metadata["tags"] = ["raises-exception"]
            cells.append(unfilled)
        cells.append(solution[cell.id])
    notebook.cells = cells
    execute(notebook, tmp_path)
    missing = [cell for cell in cells if cell.id.startswith("unfilled-")]
    assert len(missing) == TODOS
    for number, cell in enumerate(missing, 1):
        (error,) = (output for output in cell.outputs if output.output_type == "error")
        assert error.ename == "NotImplementedError"
        assert f"TODO {number}" in error.evalue
        assert len(error.evalue) > 80  # what it is that belongs there
        assert "todo(...)" in error.evalue  # and what to do


@pytest.mark.long
def test_the_whole_lab_runs_with_mnist_where_it_is_found_and_prints_the_same_numbers_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LUCIDGRAD_QUICK", raising=False)
    english, korean = (numbers(execute(read(language, SOLUTION), tmp_path)) for language in LANGUAGES)
    assert len(english) > 50
    assert english == korean


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_notebook_on_machine_code_runs(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LUCIDGRAD_QUICK", raising=False)
    execute(read(language, MACHINE_CODE), tmp_path)
