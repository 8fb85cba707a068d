"""The examples of the READMEs, of CONTRIBUTING and of docs/ run and print what stands there, and the map is true."""

from __future__ import annotations

import doctest
import re
import shlex
import sys
import warnings
from pathlib import Path

import pytest

from lucidgrad.cli.main import main
from tests.languages import formulas, is_korean, skeleton

ROOT = Path(__file__).parent.parent
DOCS = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))
# Each Korean page with the English one that it translates.
KOREAN = {page: page.replace("docs/ko/", "docs/") for page in DOCS if page.startswith("docs/ko/")}
if (ROOT / "README.ko.md").exists():
    KOREAN["README.ko.md"] = "README.md"
PAGES = ("README.md", *(p for p in KOREAN if p == "README.ko.md"), "CONTRIBUTING.md", *DOCS)


# Pages whose shell commands run too, in the order in which they stand among the examples.
WITH_COMMANDS = ("docs/tables.md", "docs/ko/tables.md")


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The examples: their language, the code, and what the page says that it prints (a text right behind it), or ""."""
    block = r"```(python|sh)\n(.*?)```(?:\s*```text\n(.*?)```)?"
    found = re.findall(block, (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [one for one in found if one[0] == "python" or page in WITH_COMMANDS]


def python_blocks(page: str) -> list[tuple[str, str]]:
    """Those in Python."""
    return [(code, said) for language, code, said in blocks(page) if language == "python"]


def run_commands(lines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a terminal shows for commands of lucidgrad; one may fail where its exit code is asked for after it."""
    shown, code = "", 0
    for line in lines.splitlines():
        if line == "echo $?":
            shown, code = f"{shown}{code}\n", 0
            continue
        assert code == 0, shown
        words = shlex.split(line)
        words, target = (words[:-2], words[-1]) if ">" in words else (words, None)
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            main()
        code = int(left.value.code or 0)
        out, errors = capsys.readouterr()
        if target is not None:
            Path(target).write_text(out, encoding="utf-8")
        shown += errors if target is not None else out + errors
    assert code == 0, shown
    return shown


@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=pytest.mark.long) if p == WITH_COMMANDS[1] else p for p in PAGES]
)
def test_the_examples_of_a_page_run_one_after_the_other_and_print_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for language, block, said in blocks(page):
            capsys.readouterr()
            if language == "sh":
                printed = run_commands(block, monkeypatch, capsys)
            else:
                exec(compile(block, page, "exec"), names)
                printed = capsys.readouterr().out
            assert not said or doctest.OutputChecker().check_output(said, printed, flags), printed


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_and_picture_of_a_page_exists(page: str) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", (ROOT / page).read_text(encoding="utf-8"))
    targets += re.findall(r'src="(?!https?://)([^"]+)"', (ROOT / page).read_text(encoding="utf-8"))
    assert [t for t in targets if not ((ROOT / page).parent / t).exists()] == []


@pytest.mark.parametrize(("korean", "english"), KOREAN.items(), ids=KOREAN)
def test_a_korean_page_has_the_code_the_formulas_and_the_parts_of_the_english_one(korean: str, english: str) -> None:
    ours, theirs = python_blocks(korean), python_blocks(english)
    translated, original = ([(skeleton(code), bool(said)) for code, said in blocks] for blocks in (ours, theirs))
    if "story" not in korean and "README" not in korean:  # a guide may have grown in English
        original = original[: len(translated)]
    assert translated == original
    commands = [[code for language, code, _ in blocks(page) if language == "sh"] for page in (korean, english)]
    assert commands[0] == commands[1]
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in (korean, english)]
    prose = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in texts]
    assert sorted(formulas(prose[0])) == sorted(formulas(prose[1]))
    ranks = [re.findall(r"^#+(?= )", words, flags=re.MULTILINE) for words in prose]
    assert ranks[0] == ranks[1][: len(ranks[0])]
    paragraphs = [p for p in prose[0].split("\n\n") if re.search("[a-z]{4} [a-z]{2}", p) and "<" not in p]
    assert [p for p in paragraphs if not is_korean(p)] == []


def test_the_readmes_have_the_same_numbers_in_their_tables_and_the_same_pictures() -> None:
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "README.ko.md")]
    rows = [re.findall(r"^\|.*\|$", text, flags=re.MULTILINE) for text in texts]
    assert len(rows[0]) == len(rows[1])
    # Rows on chapters are sentences, which name numbers in the order of their language.
    numbers = [[re.findall(r"\d[\d.]*", row) for row in table if "`lucidgrad" not in row] for table in rows]
    assert numbers[0] == numbers[1]
    pictures = [re.findall(r'src="([^"]+?)(?:_ko)?\.\w+"', text) for text in texts]
    assert sorted(pictures[0]) == sorted(pictures[1])


def test_the_map_in_contributing_names_every_module() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folder = ROOT / "src" / "lucidgrad"
    modules = [f"{p.name}/" for p in folder.iterdir() if (p / "__init__.py").exists()]
    modules += [p.stem for p in folder.glob("*.py") if not p.stem.startswith("__")]
    assert [m for m in modules if f"`{m}`" not in page] == []


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = [re.split(r"[<>=~! ]", d)[0] for d in project["dependencies"]]
    assert [n for n in names if f"| {n} |" not in page] == []
