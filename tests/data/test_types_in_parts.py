"""Text that is passed on becomes numbers and moments where nothing is lost by it."""

from __future__ import annotations

from datetime import UTC, datetime
from math import copysign
from typing import Any

import polars
import pytest

from lucidgrad.data.table_file.types_in_parts import TypesInParts


def typed(*values: str) -> polars.Series:
    """A column that is seen a value at a time, as what it is."""
    whole = polars.DataFrame({"column": values})
    types = TypesInParts(["column"], missing=("", "NA"))
    for part in whole.iter_slices(1):
        types.look(part)
    return whole.select(types.columns()).to_series()


@pytest.mark.parametrize(
    "value",
    [
        "1e400",
        "-1.5E+309",
        "1e-400",
        "0," + "0" * 400 + "1",
        "1234567890123456.5",
        "2021-01-01 00:00:60",
        "2021-01-01T00:00:60.5",
        "2021-01-01 00:00:60Z",
        "2021-01-01 23:59:60+09:00",
    ],
)
def test_what_no_number_or_moment_holds_leaves_the_column_text(value: str) -> None:
    usual = "0,5" if "," in value else value.replace(":60", ":59") if ":" in value else "0.5"
    assert typed(usual).dtype != polars.String
    assert typed(usual, value).to_list() == [usual, value]


@pytest.mark.parametrize(
    ("values", "made"),
    [
        (("3.14159265358979323846", "NA"), [3.141592653589793, None]),  # as any reader of numbers rounds it
        ((f"{1.2345:.18e}", f"{0.1:.20f}"), [1.2345, 0.1]),  # as numpy.savetxt writes
        (("inf", "-Infinity"), [float("inf"), float("-inf")]),
        (("0.0", "0e9", "5e-324"), [0.0, 0.0, 5e-324]),
        (("+0", "-10"), [0, -10]),
        (("+120000", "-1234567"), [120000, -1234567]),
        (("+1234567.25", "+1e3", "+1234567e2"), [1234567.25, 1000.0, 123456700.0]),
        (("2021-01-01 00:00:59",), [datetime(2021, 1, 1, 0, 0, 59)]),
        (("2021-01-01 00:00:59+09:00",), [datetime(2020, 12, 31, 15, 0, 59, tzinfo=UTC)]),
    ],
)
def test_numbers_and_moments_are_the_nearest_that_there_are(values: tuple[str, ...], made: list[Any]) -> None:
    assert typed(*values).to_list() == made


def test_zero_keeps_its_sign() -> None:
    made = typed("-0", "1")
    assert made.dtype == polars.Float64
    assert copysign(1, made[0]) == -1


@pytest.mark.parametrize("number", ["+821012345678", "+1234567"])
def test_a_telephone_number_keeps_its_plus(number: str) -> None:
    assert typed(number, "+120000").to_list() == [number, "+120000"]
    assert typed(number, "0.5").to_list() == [number, "0.5"]
    assert typed(number, "0,5").to_list() == [number, "0,5"]
