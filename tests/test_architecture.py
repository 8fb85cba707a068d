"""The house rules that a machine can check: imports run one way, files are short, public names are explained."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lucidgrad

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "lucidgrad"
FILES = sorted(PACKAGE.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])

SLOW_TO_IMPORT = {
    "scipy",
    "matplotlib",
    "sklearn",
    "rich",
    "typer",
    "jinja2",
    "torch",
    "pandas",
    "hypothesis",
    "onnx",
    "polars",
}


def run(*command: str) -> str:
    """What a Python process of its own prints, or a failure that shows it."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def imported_modules(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_imports_run_one_way():
    out = run("-c", "import sys; from importlinter.cli import lint_imports_command as main; sys.argv = ['']; main()")
    assert "Contracts: 1 kept, 0 broken." in out


def test_importing_the_package_loads_nothing_slow():
    out = run("-c", "import lucidgrad, sys; print(sorted({name.partition('.')[0] for name in sys.modules}))")
    assert not SLOW_TO_IMPORT & set(ast.literal_eval(out))


@every_file
def test_every_file_begins_with_the_sentence_that_says_why_it_exists(path: Path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    first = docstring.split("\n\n")[0]
    assert first.rstrip().endswith((".", ":")), f"not a sentence: {first}"


@every_file
def test_every_file_is_read_in_one_sitting(path: Path):
    assert len(path.read_text().splitlines()) <= 400


@every_file
def test_no_function_is_longer_than_60_lines(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


@every_file
def test_no_file_uses_pickle(path: Path):
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    tree = ast.parse(path.read_text())
    assert not forbidden & {name.partition(".")[0] for name in imported_modules(tree)}
    words = {n.arg for n in ast.walk(tree) if isinstance(n, ast.keyword)}
    allowed = [n for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "allow_pickle"]
    assert all(isinstance(n.value, ast.Constant) and n.value.value is False for n in allowed), words


@every_file
def test_nothing_is_left_for_later(path: Path):
    tree = ast.parse(path.read_text())
    raised = {
        getattr(getattr(n.exc, "func", n.exc), "id", "") for n in ast.walk(tree) if isinstance(n, ast.Raise) and n.exc
    }
    assert "NotImplementedError" not in raised
    assert not any(mark in path.read_text() for mark in ("TODO", "FIXME", "XXX"))


def test_there_are_no_drawers_for_odds_and_ends():
    assert not {"utils", "util", "helpers", "misc", "common"} & {p.stem for p in FILES}


def public_names() -> list[tuple[str, Any]]:
    """Everything a user can reach as ``lucidgrad.name``, and what its subpackages offer."""
    found = []
    for module in (lucidgrad, *(m for m in vars(lucidgrad).values() if inspect.ismodule(m))):
        for name, thing in vars(module).items():
            if not name.startswith("_") and _is_ours(thing):
                found.append((f"{module.__name__}.{name}", thing))
    return found


def _is_ours(thing: Any) -> bool:
    if isinstance(thing, ModuleType):
        return thing.__name__.startswith("lucidgrad")
    defined_in = getattr(thing, "__module__", "") or ""
    return (inspect.isclass(thing) or inspect.isfunction(thing)) and defined_in.startswith("lucidgrad")


@pytest.mark.parametrize(("name", "thing"), public_names(), ids=[name for name, _ in public_names()])
def test_every_public_name_is_explained(name: str, thing: Any):
    assert inspect.getdoc(thing), f"{name} has no docstring"
    if inspect.isclass(thing):
        for attribute, member in vars(thing).items():
            if not attribute.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                assert inspect.getdoc(getattr(thing, attribute)), f"{name}.{attribute} has no docstring"


def test_the_table_of_contents_names_what_it_takes():
    """``from x import y as y``: type checkers take such names as public, and nothing else gets in by accident."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    aliases = [
        alias
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lucidgrad")
        for alias in node.names
    ]
    assert aliases
    assert all(a.asname == a.name for a in aliases)
    assert {a.name for a in aliases} <= set(dir(lucidgrad))


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists()
