"""Guessing what each column of a table is, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lucidgrad.data.table.column import Column, check_kind
from lucidgrad.data.table.frame import Array, Table, table_of
from lucidgrad.data.table.read import FORMATS, is_word_for_missing, missing_of, moment_of, names_of, numbers_of
from lucidgrad.errors import ArgumentError, counted, explain

SHARE = 0.95  # of the values that have to be numbers, or dates, for a column of text to be one
ENOUGH = 20  # rows from which on a column whose values are all different can be called an id
SAMPLED = 500  # values that are looked at before all are
_ID_NAME = re.compile(r"(^|[^a-z])(id|uuid|guid|key|index|idx|row|rowid|row_?number|nr|no)$", re.IGNORECASE)
_ID_ENDING = re.compile(r"[a-z](Id|ID|Uuid|UUID|Key|Index)$")


def guess_kinds(frame: Any, kinds: Mapping[str, str] | None = None) -> list[Column]:
    """Say of each column what it is, and why.

    Parameters
    ----------
    frame
        What ``table_of`` takes.
    kinds
        What is known already, by the name of the column; it overrules the guess.

    Returns
    -------
    A Column for each column, in order, without an encoding.

    Raises
    ------
    ArgumentError
        When ``kinds`` names a column that is not there, or a kind that is none.

    Examples
    --------
    >>> from lucidgrad.data.table import guess_kinds
    >>> table = {"price": [1.5, 2.5, 4.0], "town": ["Bonn", "Bonn", "Köln"], "unit": ["m", "m", "m"]}
    >>> for column in guess_kinds(table):
    ...     print(f"{column.name}: {column.kind}, {column.reason}")
    price: numeric, numbers
    town: categorical, text with 2 different values
    unit: constant, only one value: 'm'
    """
    table = table_of(frame)
    given = {str(name): check_kind(kind, str(name)) for name, kind in (kinds or {}).items()}
    unknown = sorted(given.keys() - set(table.names))
    if unknown:
        raise ArgumentError(
            explain(
                f"kinds expected names of columns ({_listed(table.names)})", f"{unknown[0]!r}", "Check the spelling"
            )
        )
    return [_column(table, i, given.get(name)) for i, name in enumerate(table.names)]


def _column(table: Table, place: int, given: str | None) -> Column:
    name, values = table.names[place], table.columns[place]
    missing = missing_of(values)
    present = values[~missing] if missing.any() else values
    distinct = _distinct(present)
    column = Column(name, "empty", "no values", _dtype(present), table.rows, int(missing.sum()), distinct)
    if given is not None:
        form = _date_format(present)[0] if given == "date" and column.dtype in ("text", "mixed") else None
        return replace(column, kind=given, reason="as told", format=form)
    if not len(present):
        return column
    if distinct == 1 and not column.missing:
        return replace(column, kind="constant", reason=f"only one value: {_shown(present[0])}")
    if column.dtype == "boolean":
        return replace(column, kind="boolean", reason="true or false")
    if column.dtype == "date":
        return replace(column, kind="date", reason="dates")
    if column.dtype == "number":
        is_id = table.named and _is_id(name, values, distinct)
        return replace(column, kind="id" if is_id else "numeric", reason=is_id or "numbers")
    return _text(column, name, present)


def _text(column: Column, name: str, present: Array) -> Column:
    """What a column of text is."""
    said = np.fromiter((is_word_for_missing(v) for v in present), bool, len(present))
    rest = present[~said]
    if len(rest):
        bad = _share_bad(rest, lambda part: np.isnan(numbers_of(part)))
        if bad <= 1 - SHARE:
            note = f", {bad:.1%} of them malformed and taken as missing" if bad else ""
            return replace(column, kind="numeric", reason=f"text that is numbers{note}")
    form, good = _date_format(rest)
    if form is not None:
        note = f", {1 - good:.1%} of them malformed and taken as missing" if good < 1 else ""
        written = "ISO 8601" if form == "iso" else form
        return replace(column, kind="date", format=form, reason=f"text that is dates ({written}){note}")
    n, distinct = len(present), column.distinct
    if n >= ENOUGH and distinct > 0.5 * n:
        words = float(np.mean([len(str(v).split()) for v in present[:SAMPLED]]))
        if words > 3:
            return replace(column, kind="text", reason=f"sentences of {words:.0f} words, {distinct} of {n} different")
        if distinct > SHARE * n:
            return replace(column, kind="id", reason=f"nearly every value is different: {distinct} of {n}")
    return replace(column, kind="categorical", reason=f"{column.dtype} with {counted(distinct, 'different value')}")


def _date_format(values: Array) -> tuple[str | None, float]:
    """The format in which most of the texts are dates, and the share that is; None where there is no such format."""
    best: tuple[str | None, float] = (None, 0.0)
    if not len(values):
        return best
    for form in FORMATS:
        bad = _share_bad(values, lambda part, f=form: np.array([np.isnat(moment_of(str(v), f)) for v in part]))
        if 1 - bad > max(best[1], SHARE - 1e-9):
            best = (form, 1 - bad)
    return best


def _share_bad(values: Array, is_bad: Any) -> float:
    """The share of values that are bad; a sample that is bad spares looking at the rest."""
    if len(values) > SAMPLED:
        share = float(np.mean(is_bad(values[:: len(values) // SAMPLED])))
        if share > 2 * (1 - SHARE):
            return share
    return float(np.mean(is_bad(values)))


def _is_id(name: str, values: Array, distinct: int) -> str:
    """Why a column of numbers says nothing but which row it is; "" where it says more."""
    if len(values) < ENOUGH or distinct < len(values) or values.dtype.kind not in "iu":
        return ""
    if (np.diff(values.astype(np.int64)) == 1).all():
        return "numbers the rows"
    if _ID_NAME.search(name) or _ID_ENDING.search(name):
        return "whole numbers, all different, under the name of an id"
    return ""


def _distinct(present: Array) -> int:
    if present.dtype.kind == "O":
        return len(set(names_of(present)))
    return len(np.unique(present))


def _dtype(present: Array) -> str:
    if present.dtype.kind in "iuf":
        return "number"
    if present.dtype.kind in "bM":
        return "boolean" if present.dtype.kind == "b" else "date"
    if all(isinstance(v, bool | np.bool_) for v in present):
        return "boolean"
    return "text" if all(isinstance(v, str) for v in present) else "mixed"


def _shown(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
