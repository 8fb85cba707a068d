"""Checks the links of the built site: what stays inside is there, what leads outside looks like an address."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """What a page can be pointed at with, and what it points at."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, bool]] = []  # (target, whether a browser loads it by itself)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors and targets."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append((value, (tag, name) in LOADED or tag == "link"))


def broken_links(site: Path) -> list[str]:
    """Every link that leads nowhere, with its page; also what would be loaded from the network."""
    pages: dict[Path, Page] = {}
    for path in sorted(site.rglob("*.html")):
        pages[path.resolve()] = page = Page()
        page.feed(path.read_text(encoding="utf-8"))
    broken = []
    for path, page in pages.items():
        for target, loaded in page.links:
            reason = problem(target, loaded, path, pages)
            if reason:
                broken.append(f"{path.relative_to(site.resolve())}: {target}: {reason}")
    return broken


def problem(target: str, loaded: bool, path: Path, pages: dict[Path, Page]) -> str:
    """What is wrong with a link of a page, or ""."""
    parts = urlsplit(target)
    if parts.scheme in ("mailto", "data"):
        return ""
    if parts.scheme or parts.netloc:
        if loaded:
            return "would be loaded from the network"
        fine = parts.scheme in ("http", "https") and "." in parts.netloc and " " not in target
        return "" if fine else "is no address"
    aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not aim.exists():
        return "is not there"
    if parts.fragment and aim in pages and unquote(parts.fragment) not in pages[aim].anchors:
        return "has no such anchor"
    return ""
