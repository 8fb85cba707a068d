"""Text of a file as numbers and booleans, decided by all values of a column; dates stay text for who knows formats."""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import polars

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "?")
"""What programs write where there is no number."""
Type: TypeAlias = Literal["number", "boolean", "text"]
MOST_BAD = 0.05
"""A column of numbers may have this share of values that are none; they count as missing, and this is told."""

LEADING_ZERO = r"^[+-]?0\d"
DECIMAL_COMMA = r"^[+-]?\d+,\d+(?:[eE][+-]?\d+)?$"


class Read(NamedTuple):
    """A column with a type, and where text stood that is no value of it: row numbers from 0."""

    values: polars.Series
    bad: tuple[int, ...] = ()


def guess_type(text: polars.Series, missing: Collection[str] = MISSING) -> Read:
    """A column of text as what it is.

    Whole numbers are Int64, others Float64, true and false Boolean, the rest text in which blanks are missing. Numbers
    with zeros in front, such as 01067, are codes and stay text.

    Examples
    --------
    >>> import polars
    >>> for values in (["1", "NA"], ["1.5", "2"], ["01067", "50667"], ["true", "False"], ["a", " "]):
    ...     print(guess_type(polars.Series("x", values)).values.to_list())
    [1, None]
    [1.5, 2.0]
    ['01067', '50667']
    [True, False]
    ['a', None]
    """
    import polars

    for wanted in (polars.Int64, polars.Float64):  # what is most often there needs no second look
        sure = _at_first_sight(text, wanted, missing)
        if sure is not None and sure.null_count() < len(text) and not text.str.contains(LEADING_ZERO).any():
            return Read(sure)
    plain = _without(text, missing)
    present = len(plain) - plain.null_count()
    if not present:
        return Read(plain.cast(polars.Float64))
    numbers = as_number(text, missing)
    if len(numbers.bad) <= MOST_BAD * present and not plain.str.contains(LEADING_ZERO).any():
        if not numbers.bad:
            whole = plain.cast(polars.Int64, strict=False)
            if whole.null_count() == plain.null_count():
                return Read(whole)
        return numbers
    if set(plain.drop_nulls().unique().str.to_lowercase()) <= {"true", "false"}:
        return as_boolean(text, missing)
    return Read(as_text(text))


def as_type(text: polars.Series, wanted: Type, missing: Collection[str] = MISSING) -> Read:
    """A column of text as what it was when a model was trained."""
    if wanted == "number":
        return as_number(text, missing)
    return as_boolean(text, missing) if wanted == "boolean" else Read(as_text(text))


def as_number(text: polars.Series, missing: Collection[str] = MISSING) -> Read:
    """Float64, null where there is no number; 3,14 is one too.

    >>> import polars
    >>> as_number(polars.Series("x", ["1e3", "3,14", "?", "about 5"]))
    Read(values=shape: (4,)
    Series: 'x' [f64]
    [
        1000.0
        3.14
        null
        null
    ], bad=(3,))
    """
    import polars

    if (sure := _at_first_sight(text, polars.Float64, missing)) is not None:
        return Read(sure)
    plain = _without(text, missing)
    numbers = plain.cast(polars.Float64, strict=False)
    if numbers.null_count() > plain.null_count():
        comma = plain.str.contains(DECIMAL_COMMA)
        if comma.any():
            read = plain.str.replace(",", ".", literal=True).cast(polars.Float64, strict=False)
            numbers = read.zip_with(comma.fill_null(value=False), numbers)
    return Read(numbers, _bad(numbers, plain))


def as_boolean(text: polars.Series, missing: Collection[str] = MISSING) -> Read:
    """Boolean, null where there is neither true nor false."""
    import polars

    plain = _without(text, missing)
    lower = plain.str.to_lowercase()
    known = lower.is_in(["true", "false"])
    values = polars.Series(text.name, lower == "true").set(~known.fill_null(value=False), None)
    return Read(values, _bad(values, plain))


def as_text(text: polars.Series) -> polars.Series:
    """The text as it stands, null where it is blank."""
    return text.set((text.str.strip_chars() == "").fill_null(value=False), None)


def _at_first_sight(text: polars.Series, wanted: type[polars.Int64 | polars.Float64], missing: Collection[str]) -> Any:
    """The numbers of a column in which all is a number, and none of them stands for no value; else None."""
    if _has_number(tuple(missing)):
        return None
    numbers = text.cast(wanted, strict=False)
    total = numbers.sum() if numbers.null_count() == text.null_count() else math.nan
    return None if math.isnan(total) else numbers  # NaN is a number to polars, and no value to us


@lru_cache
def _has_number(missing: tuple[str, ...]) -> bool:
    """Whether a number stands for no value, such as -999."""
    for word in missing:
        with suppress(ValueError):
            if not math.isnan(float(word)):
                return True
    return False


def _without(text: polars.Series, missing: Collection[str]) -> polars.Series:
    plain = text.str.strip_chars()
    return plain.set(plain.is_in(list(missing)).fill_null(value=False), None)


def _bad(values: polars.Series, plain: polars.Series) -> tuple[int, ...]:
    if values.null_count() == plain.null_count():
        return ()
    return tuple((values.is_null() & plain.is_not_null()).arg_true().to_list())
