"""The pages of the reference: one for each chapter, and one for the names that ``import lucidgrad`` gives directly."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from docs.site.contents import Section, is_constant, members, public_objects, sections
from docs.site.words import WORDS, section_title


def write_reference(folder: Path, language: str) -> None:
    """Write ``index.rst`` and the pages that it lists."""
    folder.mkdir(parents=True, exist_ok=True)
    objects = public_objects()
    pages: list[str] = []
    for section in sections():
        for page, text in section_pages(section, objects, language):
            (folder / f"{page}.rst").write_text(text, encoding="utf-8")
            pages.append(page)
    words = WORDS[language]
    listed = "".join(f"   {page}\n" for page in pages)
    text = f"{heading(words['reference'], '=')}{words['reference_intro']}\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}"
    (folder / "index.rst").write_text(text, encoding="utf-8")


def section_pages(section: Section, objects: dict[str, Any], language: str) -> list[tuple[str, str]]:
    """The pages of a section by name: first the names at the top of the package, then its chapters."""
    title = section_title(section.title, language)
    pages = []
    top = [f"lucidgrad.{name}" for name in section.names if f"lucidgrad.{name}" in objects]
    if top:
        text = f"{heading(f'{title}: lucidgrad', '=')}{entries(top, objects)}"
        pages.append((f"top-{section.title}", text))
    for chapter in section.chapters:
        name = f"lucidgrad.{chapter}"
        inside = [n for n in objects if n.startswith(f"{name}.") and n.count(".") == 2]
        plain = [n for n in inside if not isinstance(objects[n], ModuleType)]
        text = heading(f"{title}: {name}", "=") + about(importlib.import_module(name)) + entries(plain, objects)
        for module in (n for n in inside if isinstance(objects[n], ModuleType)):
            names = [n for n in objects if n.startswith(f"{module}.")]
            text += heading(module, "-") + about(objects[module]) + entries(names, objects)
        pages.append((chapter, text))
    return pages


def about(module: ModuleType) -> str:
    """The docstring of a module, as its page begins."""
    return f".. module:: {module.__name__}\n\n{inspect.getdoc(module) or ''}\n\n"


def entries(names: list[str], objects: dict[str, Any]) -> str:
    """A table of what there is, and then each of it in full."""
    table = "".join(f"   {listed(name)}\n" for name in names if not is_constant(objects[name]))
    text = f".. autosummary::\n   :nosignatures:\n\n{table}\n" if table else ""
    for name in names:
        value = objects[name]
        if is_constant(value):
            text += f".. py:data:: {listed(name)}\n\n   {constant(value)}\n\n"
        elif inspect.isclass(value):
            text += f".. autoclass:: {name}\n   :members:\n   :special-members: __call__\n   :show-inheritance:\n\n"
            text += "".join(inherited(name, value, objects))
        else:
            text += f".. autofunction:: {name}\n\n"
    return text


def inherited(name: str, value: type, objects: Mapping[str, Any]) -> Iterator[str]:
    """What a class has from bases that are not public: it stands nowhere else."""
    attributes = re.findall(r"^\w+", inspect.getdoc(value) or "", flags=re.MULTILINE)  # told with the class
    for member, found in members(value, objects).items():
        if member not in vars(value) and member not in attributes:
            kind = "autoproperty" if isinstance(found, property | cached_property) else "automethod"
            yield f"   .. {kind}:: {name}.{member}\n\n"


def listed(name: str) -> str:
    """A name as a table of its page lists it: without the module, which is that of the page."""
    return f"~{name}" if name.count(".") == 1 else name.rpartition(".")[2]


def constant(value: Any) -> str:
    """What a table, a number or the name of a type is, in words made from it."""
    if isinstance(value, Mapping):
        return "A table with the names " + ", ".join(f"``{key}``" for key in value) + "."
    return f"``{value!r}``".replace("lucidgrad.", "")


def heading(title: str, line: str) -> str:
    """A heading in reStructuredText; a Korean letter is as wide as two."""
    return f"{title}\n{line * (2 * len(title))}\n\n"
