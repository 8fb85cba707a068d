"""Which rows the metrics of a model file are of: a measure is worth what the model had not seen of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.files.strict_json import shown, wrong

MeasuredOn: TypeAlias = dict[str, int]
"""How many rows of which part."""

PARTS = {
    "test": "of the test, which neither training nor stopping has seen",
    "validation": "that were not learned from but said when to stop: on new ones it may be worse",
    "training": "that it has learned from: on new ones it may be worse",
}
"""The parts of the data, and what was done with their rows."""


def in_words(measured_on: Mapping[str, int]) -> str:
    """The rows, and what they were used for.

    >>> in_words({"test": 1200})
    '1,200 rows of the test, which neither training nor stopping has seen'
    """
    return "; ".join(f"{rows:,} row{'s' * (rows != 1)} {PARTS[part]}" for part, rows in measured_on.items())


def given(measured_on: Any, metrics: Any) -> MeasuredOn:
    """What is to be saved, when it says what it has to."""
    expected = f"measured_on expected how many rows of {', '.join(PARTS)} the metrics are of"
    if metrics is None:
        raise ArgumentError(explain(expected, "no metrics", "Give both: metrics={'accuracy': 0.97}"))
    is_map = isinstance(measured_on, Mapping)
    made = {part: int(rows) if _is_whole(rows) else rows for part, rows in measured_on.items()} if is_map else None
    if not _is_sound(made):
        raise ArgumentError(explain(expected, repr(measured_on), "Name the rows: measured_on={'test': 1200}"))
    return made  # type: ignore[return-value]


def stored(value: Any, what: str) -> MeasuredOn:
    """What a file says, when it can be that."""
    if not _is_sound(value):
        raise wrong(what, f"measured_on to be numbers of rows of {', '.join(PARTS)}", shown(value))
    return value  # type: ignore[no-any-return]


def _is_sound(value: Any) -> bool:
    is_filled = type(value) is dict and len(value) > 0
    return is_filled and all(part in PARTS and type(rows) is int and 0 < rows < 2**63 for part, rows in value.items())


def _is_whole(rows: Any) -> bool:
    return isinstance(rows, int | np.integer) and not isinstance(rows, bool)
