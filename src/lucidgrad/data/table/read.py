"""Text as numbers, dates and names of categories; what cannot be read counts as missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from lucidgrad.data.table.frame import Array, is_missing

WORDS_FOR_MISSING = {"na", "n/a", "nan", "null", "none", "?", "-", ""}
FORMATS = ("iso", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y")
"""In which dates are looked for, in this order."""


TRUTHS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0}
"""Words for truth values, whatever their case."""


def missing_of(values: Array) -> Array:
    """Where nothing is, (rows,)."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return np.fromiter((v is None for v in values), bool, len(values))
    return np.zeros(len(values), bool)


def numbers_of(values: Array) -> Array:
    """Any column as float64, NaN where there is no number; dates as days since 1970."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind == "M":
        return days_of(values)
    return np.fromiter((_number(v) for v in values), np.float64, len(values))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def is_word_for_missing(value: Any) -> bool:
    """Whether a text says that a number is not there."""
    return isinstance(value, str) and value.strip().lower() in WORDS_FOR_MISSING


def moments_of(values: Array, form: str | None) -> Array:
    """A column as ``datetime64[us]``: text in a format, NaT where it is not a date."""
    if values.dtype.kind == "M":
        return values
    if values.dtype.kind in "biuf":
        return np.full(len(values), np.datetime64("NaT", "us"))
    made = [np.datetime64("NaT", "us") if v is None else moment_of(str(v), form or "iso") for v in values]
    return np.array(made, "datetime64[us]")


def moment_of(text: str, form: str) -> np.datetime64:
    """One date."""
    try:
        read = datetime.fromisoformat(text.strip()) if form == "iso" else datetime.strptime(text.strip(), form)
    except ValueError:
        return np.datetime64("NaT", "us")
    if read.tzinfo is not None:
        read = read.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(read, "us")


def days_of(moments: Array) -> Array:
    """Days since 1970 with fractions, NaN for NaT."""
    days = moments.astype("datetime64[us]").astype(np.int64) / 86_400_000_000
    return np.where(np.isnat(moments), np.nan, days)


def names_of(values: Array) -> list[str | None]:
    """The categories as text: 3 and 3.0 are "3", booleans "true" and "false"; None where nothing is."""
    if values.dtype.kind == "O":
        return [_name(v) for v in values]
    if values.dtype.kind == "M":
        return [None if np.isnat(v) else str(v) for v in values]
    distinct, places = np.unique(values, return_inverse=True)
    names = [_name(v) for v in distinct.tolist()]
    return [names[i] for i in places]


def _name(value: Any) -> str | None:
    if is_missing(value):
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    number = float(value) if isinstance(value, float | np.floating) else 0.5
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else str(value).strip()
