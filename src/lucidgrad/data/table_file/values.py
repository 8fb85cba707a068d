"""Text of a file as numbers and booleans, decided by all values of a column; dates stay text for who knows formats."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

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

    whole = text.cast(polars.Int64, strict=False)
    if whole.null_count() == text.null_count() < len(text) and not text.str.contains(LEADING_ZERO).any():
        return Read(whole)  # what is most often there needs no second look
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


def _without(text: polars.Series, missing: Collection[str]) -> polars.Series:
    plain = text.str.strip_chars()
    return plain.set(plain.is_in(list(missing)).fill_null(value=False), None)


def _bad(values: polars.Series, plain: polars.Series) -> tuple[int, ...]:
    if values.null_count() == plain.null_count():
        return ()
    return tuple((values.is_null() & plain.is_not_null()).arg_true().to_list())
