"""What is public, in story order: read from the table of contents, so that the reference cannot forget a name."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

SOURCE = Path(__file__).parents[2] / "src" / "lucidgrad" / "__init__.py"


@dataclass
class Section:
    """A section of ``lucidgrad/__init__.py``: its number, its chapters (modules), and the names taken out of them."""

    number: int
    title: str
    chapters: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def sections() -> list[Section]:
    """The sections of the table of contents in story order; what can go wrong (0) comes last."""
    found: list[Section] = []
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"\s*# (\d+) ([A-Z]+)\b", line):
            found.append(Section(int(heading[1]), heading[2].lower()))
        elif chapter := re.match(r"\s*from lucidgrad import (\w+) as \1$", line):
            found[-1].chapters.append(chapter[1])
        elif name := re.match(r"\s*from lucidgrad\.[\w.]+ import (\w+) as \1$", line):
            found[-1].names.append(name[1])
    return sorted(found, key=lambda section: section.number or 99)


def chapter_names(chapter: str) -> list[str]:
    """The public names of a chapter in its order: its ``__all__``, or what it exports as itself."""
    module = importlib.import_module(f"lucidgrad.{chapter}")
    declared = getattr(module, "__all__", None)
    if declared is not None:
        return list(declared)
    path = Path(str(module.__file__))
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.name for alias in node.names if alias.asname == alias.name]
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and path.name != "__init__.py":
            names.append(node.name)
    return [name for name in names if not name.startswith("_")]


def public_objects() -> dict[str, Any]:
    """Every public function, class and module by its full name; what is public twice has the first of its names."""
    package = importlib.import_module("lucidgrad")
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def add(name: str, value: Any) -> None:
        if id(value) not in seen:
            seen.add(id(value))
            found[name] = value

    for section in sections():
        for name in section.names:
            add(f"lucidgrad.{name}", getattr(package, name))
        for chapter in section.chapters:
            module = importlib.import_module(f"lucidgrad.{chapter}")
            add(f"lucidgrad.{chapter}", module)
            for name in chapter_names(chapter):
                value = getattr(module, name)
                add(f"lucidgrad.{chapter}.{name}", value)
                if isinstance(value, ModuleType):
                    for inner in chapter_names(f"{chapter}.{name}"):
                        add(f"lucidgrad.{chapter}.{name}.{inner}", getattr(value, inner))
    return found


def members(owner: type, public: Mapping[str, Any]) -> dict[str, Any]:
    """The methods and properties of a public class: its own, and those of bases that are not public themselves."""
    kinds = (FunctionType, property, cached_property, staticmethod, classmethod)
    elsewhere = [value for value in public.values() if inspect.isclass(value) and value is not owner]
    found: dict[str, Any] = {}
    for base in owner.__mro__:
        if base.__module__.startswith("lucidgrad") and base not in elsewhere:
            for name, member in vars(base).items():
                if isinstance(member, kinds) and (name == "__call__" or not name.startswith("_")):
                    found.setdefault(name, member)
    return found


def is_constant(value: Any) -> bool:
    """Whether a public value is a table, a number or the name of a type, without parameters and a docstring."""
    return not (isinstance(value, ModuleType | type) or inspect.isroutine(value))


if __name__ == "__main__":
    sys.stdout.write("\n".join(public_objects()) + "\n")
