"""How the preprocessing of a table is kept in a model file: its own state, of which every part is looked at."""

from __future__ import annotations

from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from lucidgrad.data.table import KINDS, Column, TablePreprocessing
from lucidgrad.data.table.column import SCALINGS, USED
from lucidgrad.data.table.encodings import ENCODINGS
from lucidgrad.data.table.read import FORMATS
from lucidgrad.io.kinds import Kind, register
from lucidgrad.io.tree import Tree


def _to_tree(preprocessing: TablePreprocessing) -> Tree:
    return preprocessing.state()


def _from_tree(tree: Tree) -> TablePreprocessing:
    names = [_checked(column)["name"] for column in tree["columns"]]
    if len(set(names)) < len(names) or type(tree["columns"]) is not list or type(tree["named"]) is not bool:
        raise ValueError("columns have to be a list, each with a name of its own")
    return TablePreprocessing.from_state(tree)


def _checked(column: Any) -> dict[str, Any]:
    """A column of a file, when each of its fields has the type and the range it has to have."""
    _check_types(Column, column, "a column")
    used = column["kind"] in USED
    if column["kind"] not in KINDS or min(column["rows"], column["missing"], column["distinct"]) < 0:
        raise ValueError("a column has to have a kind and counts")
    encoding = dict(column["encoding"])
    if not used:
        if encoding:
            raise ValueError("a column that is left out has no encoding")
        return dict(column)
    kind = encoding.pop("encoding")
    if kind != column["kind"]:
        raise ValueError("a column has to have the encoding of its kind")
    _check_types(ENCODINGS[kind], encoding, "an encoding")
    if encoding.get("scaling", SCALINGS[0]) not in SCALINGS or encoding.get("scale", 1.0) <= 0:
        raise ValueError("a scaling has to have a name and a positive scale")
    if column["format"] not in (None, *FORMATS) or encoding.get("format") not in (None, *FORMATS):
        raise ValueError("dates have to be in a format that is known")
    if kind == "numeric":
        _check_knots(encoding["knots"], encoding["places"])
    return dict(column)


def _check_knots(knots: Any, places: Any) -> None:
    if knots.shape != places.shape or (np.diff(knots) < 0).any():
        raise ValueError("knots have to ascend, each with a place")


def _hints_of(cls: Any) -> dict[str, Any]:
    known = get_type_hints(cls)
    return {f.name: known[f.name] for f in fields(cls)}


# Once, when this is imported: Python evaluates the text of annotations, and nothing is evaluated while a file is read.
_HINTS: dict[type, dict[str, Any]] = {cls: _hints_of(cls) for cls in (Column, *ENCODINGS.values())}


def _check_types(cls: type, given: Any, what: str) -> None:
    hints = _HINTS[cls]
    if type(given) is not dict or given.keys() != hints.keys():
        raise ValueError(f"{what} has to have {', '.join(hints)}")
    for name, hint in hints.items():
        if not _has_type(given[name], hint):
            raise TypeError(f"{name} of {what} is no {hint}")


def _has_type(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_has_type(value, argument) for argument in arguments)
    if origin is np.ndarray:
        is_list = isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 1
        return is_list and bool(np.isfinite(value).all())
    if origin is list:
        return type(value) is list and all(_has_type(item, arguments[0]) for item in value)
    if hint is float:
        return type(value) is float and bool(np.isfinite(value))
    return type(value) is (origin or hint)


register(Kind("table", TablePreprocessing, _to_tree, _from_tree))
