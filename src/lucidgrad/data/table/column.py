"""What is known about a column of a table: its kind, why it was taken for that, and how its values become numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lucidgrad.errors import ArgumentError, explain

USED = ("numeric", "categorical", "date", "boolean")
LEFT_OUT = ("id", "text", "constant", "empty", "ignored")
KINDS = (*USED, *LEFT_OUT)
"""What a column can be; those from ``"id"`` on are left out of what the network sees."""

SCALINGS = ("robust", "quantile", "standard")
"""How numbers are brought to one size: see ``TablePreprocessing.fit``."""


@dataclass(frozen=True)
class Column:
    """A column and its place in the network's inputs: plain data.

    Attributes
    ----------
    name
        As in the table; names that are not text are written as text.
    kind
        One of ``KINDS``.
    reason
        Why, in words, with the counts that decided.
    dtype
        How the values were stored: ``"number"``, ``"boolean"``, ``"date"``, ``"text"``, ``"mixed"``.
    rows, missing, distinct
        Counts from the table it was seen in; ``distinct`` without missing values.
    format
        For dates written as text: ``"iso"`` or a pattern of ``strptime``.
    encoding
        How the values become numbers: empty until the preprocessing is fitted, and for columns that are left out.

    Examples
    --------
    >>> from lucidgrad.data.table import Column
    >>> column = Column("town", "categorical", "as told", dtype="text", rows=100, missing=3, distinct=12)
    >>> column.is_used, column.encoding
    (True, {})
    """

    name: str
    kind: str
    reason: str
    dtype: str
    rows: int
    missing: int
    distinct: int
    format: str | None = None
    encoding: dict[str, Any] = field(default_factory=dict)

    @property
    def is_used(self) -> bool:
        """Whether the network sees it."""
        return self.kind in USED


def check_kind(kind: Any, name: str) -> str:
    """The kind, or an error that lists what there is."""
    if kind not in KINDS:
        raise ArgumentError(
            explain(
                f"kinds expected one of {', '.join(KINDS)} for the column {name!r}",
                repr(kind),
                'Write kinds={"postcode": "categorical"}; "ignored" leaves a column out',
            )
        )
    return str(kind)
