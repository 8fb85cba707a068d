"""The documentation site: built without a warning, whole in both languages, and searched from its files alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sphinx.util.inventory import InventoryFile

from docs.site.contents import members, public_objects
from docs.site.korean_search import SearchKorean
from docs.site.links import broken_links
from docs.site.sources import DOCS, assemble, pages, translated

ROOT = Path(__file__).parent.parent
# Pages that have to be there in Korean; more may be.
IN_KOREAN = {"index", "doctor", "seeing", "tables", *(f"story/{path.stem}" for path in (DOCS / "story").glob("*.md"))}


def built(folder: Path, *options: str) -> Path:
    """The site as `make docs` builds it."""
    command = [sys.executable, "-m", "docs.site.build", str(folder), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Korean half, which holds the whole reference, and in English whatever is not translated."""
    return built(tmp_path_factory.mktemp("docs") / "site", "--language", "ko") / "ko"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both halves, with the links between them checked."""
    return built(tmp_path_factory.mktemp("docs") / "site")


def test_every_page_of_docs_is_on_the_site(korean: Path) -> None:
    assert len([page for page in pages() if page.parts[0] == "story"]) == 8
    assert [page for page in pages() if not (korean / page).with_suffix(".html").exists()] == []


def test_the_story_and_the_pages_on_seeing_through_are_there_in_korean() -> None:
    assert {page.with_suffix("").as_posix() for page in translated()} >= IN_KOREAN
    assert set(translated()) <= set(pages()), "a Korean page without an English one"


@pytest.mark.long
def test_particles_stand_at_their_words_in_korean() -> None:
    """Behind bold type that ends in a bracket Markdown wants a space, and Korean none: 은닉층(hidden layer)을."""
    particles = "은|는|이|가|을|를|에|의|와|과|도|로|으로|만|라고|이라고|이고|입니다"
    for page in (DOCS / "ko").rglob("*.md"):
        apart = re.findall(rf"\S+\*\* (?:{particles})(?![가-힣])", page.read_text(encoding="utf-8"))
        assert apart == [], f"{page.name}: write **word**(English)particle"


def test_the_switch_of_every_page_leads_to_the_same_page_in_the_other_language(site: Path) -> None:
    for page in site.rglob("*.html"):
        link = re.search(r'class="language-switch" href="([^"]+)"', page.read_text(encoding="utf-8"))
        assert link, page
        there = (page.parent / link[1]).resolve()
        inside = page.relative_to(site)
        other = Path(*inside.parts[1:]) if inside.parts[0] == "ko" else Path("ko") / inside
        assert there == (site / other).resolve()
        assert there.exists()
    assert "(영어 원문)" in (site / "benchmarks.html").read_text(encoding="utf-8")
    assert "(영어 원문)" not in (site / "doctor.html").read_text(encoding="utf-8")


def test_a_page_that_is_not_translated_says_so(korean: Path) -> None:
    assert "영어 원문" in (korean / "benchmarks.html").read_text(encoding="utf-8")
    assert 'class="untranslated"' not in (korean / "doctor.html").read_text(encoding="utf-8")


def test_every_public_name_and_method_has_an_entry_in_the_reference(korean: Path) -> None:
    inventory = InventoryFile.loads((korean / "objects.inv").read_bytes(), uri="").data
    entries = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    public = public_objects()
    classes = {name: value for name, value in public.items() if isinstance(value, type)}
    methods = [f"{name}.{member}" for name, value in classes.items() for member in members(value, public)]
    assert [name for name in (*public, *methods) if name not in entries] == []


def test_names_in_the_pages_lead_to_the_reference_and_formulas_need_no_script(korean: Path) -> None:
    assert 'href="api/top-trained.html#lucidgrad.doctor"' in (korean / "doctor.html").read_text(encoding="utf-8")
    loss = (korean / "story" / "3-loss.html").read_text(encoding="utf-8")
    assert "<math" in loss
    assert re.findall(r"<script[^>]*http", loss) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("과적합", "7. 학습"),
        ("손실", "3. 손실 함수"),
        ("층", "2. 층"),
        ("활성화 함수", "2. 층"),
        ("momentum", "갱신: lucidgrad.optim"),
        ("find_learning_rate", "lucidgrad.find_learning_rate"),
    ],
)
def test_the_site_is_searched_from_files_in_korean_too(korean: Path, page: Any, query: str, found: str) -> None:
    assert any(found in title for title in search(korean, page, query))
    words = page.inner_text("#search-results").lower()
    assert any(word[:2] in words for word in query.split()), "what stands around the word"


@pytest.mark.long
@pytest.mark.parametrize(("query", "found"), [("overfitting", "7. Trained"), ("gradients", "4. Gradients")])
def test_the_english_site_is_searched_from_files(site: Path, page: Any, query: str, found: str) -> None:
    assert any(found in title for title in search(site, page, query))


def search(site: Path, page: Any, query: str) -> list[str]:
    """The titles of what a search finds, when the words around it are there too."""
    page.goto(f"{(site / 'search.html').as_uri()}?q={query}")
    page.wait_for_selector("#search-results ul.search li a")
    page.wait_for_selector("#search-results ul.search li p.context, #search-results ul.search li span")
    return [a.inner_text() for a in page.query_selector_all("#search-results ul.search li > a")]


def test_words_with_particles_are_found_by_their_stem() -> None:
    korean = SearchKorean({})
    assert {"손실", "실을"} <= set(korean.split("손실을 줄인다"))
    assert "층" in korean.split("층을 쌓는다")
    assert korean.stem("gradients") == "gradient"


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text('<p id="here"></p>', encoding="utf-8")
    (tmp_path / "index.html").write_text(
        '<a href="there.html#here"></a><a href="https://example.org/x"></a><a href="there.html#gone"></a>'
        '<a href="gone.html"></a><a href="https://nowhere"></a><script src="https://cdn.example.org/x.js"></script>',
        encoding="utf-8",
    )
    assert broken_links(tmp_path) == [
        "index.html: there.html#gone: has no such anchor",
        "index.html: gone.html: is not there",
        "index.html: https://nowhere: is no address",
        "index.html: https://cdn.example.org/x.js: would be loaded from the network",
    ]


def test_a_korean_page_stands_where_its_english_one_does_with_links_that_follow(tmp_path: Path) -> None:
    assemble("ko", tmp_path / "ko")
    chapter = (tmp_path / "ko" / "story" / "6-compiled.md").read_text(encoding="utf-8")
    assert "](../native.md)" in chapter
    assert "](7-trained.md)" in chapter
    assert 'src="images/learning_rate_ko.png"' in (tmp_path / "ko" / "doctor.md").read_text(encoding="utf-8")
