"""The pages of one language as Sphinx wants them: docs/, with Korean pages in the place of English ones."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from docs.site.reference import write_reference

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
# What a page of Markdown refers to: [words](target), ![words](target), src="target".
LINK = re.compile(r"""(?P<before>\]\(|(?:src|href)=")(?P<target>(?!\w+:|#)[^)"#\s]+)""")

# How pages centre a picture on code-hosting sites; Sphinx does it by itself.
CENTRED = re.compile(r"""<p align="center"><img (.*?)></p>""", flags=re.DOTALL)


def pages() -> list[Path]:
    """Every English page, by its path in docs/: what is there is on the site."""
    found = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return sorted(page for page in found if page.parts[0] not in ("ko", "site"))


def translated() -> list[Path]:
    """The pages that are there in Korean, by the path of their English ones."""
    return sorted(path.relative_to(DOCS / "ko") for path in (DOCS / "ko").rglob("*.md"))


def assemble(language: str, target: Path) -> None:
    """Write the sources of one language, the reference included, into an empty folder."""
    shutil.rmtree(target, ignore_errors=True)
    for page in pages():
        own = DOCS / language / page
        source = own if own.exists() else DOCS / page
        written = target / page
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(relinked(source.read_text(encoding="utf-8"), source, page, target), encoding="utf-8")
    shutil.copytree(DOCS / "images", target / "images", dirs_exist_ok=True)
    write_reference(target / "api", language)


def relinked(text: str, source: Path, page: Path, target: Path) -> str:
    """The text of a page with its links made for where the page will be; files outside of docs/ come along."""

    def new(link: re.Match[str]) -> str:
        aim = (source.parent / link["target"]).resolve()
        if aim.is_relative_to(DOCS / "ko"):
            place = aim.relative_to(DOCS / "ko")
        elif aim.is_relative_to(DOCS):
            place = aim.relative_to(DOCS)
        elif aim.is_file() and aim.is_relative_to(ROOT):
            place = Path("files") / aim.relative_to(ROOT)
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(aim, target / place)
        else:
            return link[0]  # Sphinx says that it leads nowhere
        return link["before"] + Path(os.path.relpath(place, page.parent)).as_posix()

    return CENTRED.sub(r"<img align='center' \1>", LINK.sub(new, text))
