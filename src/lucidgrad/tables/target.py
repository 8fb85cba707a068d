"""The target of a table: whether it is classes or numbers, and as which labels or numbers it is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.data.table_file import TableFile
from lucidgrad.data.table_file.values import as_number
from lucidgrad.errors import DataError, counted, explain

if TYPE_CHECKING:
    import polars

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

TASKS = ("classification", "regression")

MOST_NUMBERED_CLASSES = 10
"""Whole numbers with at most so many different values are classes, unless it is told that they are amounts."""


def task_of(source: TableFile, target: polars.Series, told: str | None) -> tuple[str, str]:
    """Classes or numbers, and why."""
    import polars

    if told is not None:
        return told, "as told"
    distinct, rows = target.n_unique(), len(target)
    values = counted(distinct, "different value")
    if not target.dtype.is_numeric():
        if distinct > max(0.5 * rows, 100):
            raise DataError(
                explain(
                    f"{source.path} expected the target {target.name!r} to be classes or numbers",
                    f"text with {values} in {counted(rows, 'row')}",
                    "Name another target; --task classification insists",
                )
            )
        return (
            "classification",
            f"{'text' if target.dtype == polars.String else target.dtype}, {values}".lower(),
        )
    whole = target.dtype.is_integer() or bool((target.cast(float) % 1 == 0).all())
    if whole and distinct <= min(MOST_NUMBERED_CLASSES, max(2, rows // 5)):
        return "classification", f"whole numbers, {values}"
    return "regression", f"numbers, {values}"


def targets(source: TableFile, target: polars.Series, task: str, lines: Array) -> Array:
    """The target as labels or as float64.

    Raises
    ------
    DataError
        For regression, where there is no number.
    """
    import polars

    if task == "classification":
        if target.dtype == polars.String:
            return np.array(target.str.strip_chars().to_list(), dtype=object)
        if target.dtype == polars.Boolean:
            return np.asarray(target.to_numpy(), bool)
        if target.dtype.is_numeric():
            whole = target.dtype.is_integer() or bool((target.cast(polars.Float64) % 1 == 0).all())
            return target.cast(polars.Int64 if whole else polars.Float64).to_numpy()
        return np.array(target.cast(polars.String).to_list(), dtype=object)
    if target.dtype == polars.String:
        read = as_number(target, source.missing)
        bad = int(np.argmax(read.values.is_null().to_numpy()))
        if read.values.null_count():
            raise DataError(
                explain(
                    f"{source.path} {source.place(int(lines[bad]))}, column {target.name!r} expected a number",
                    repr(target[bad]),
                    "Mend it, name what stands for no value with --missing, or try --task classification",
                )
            )
        target = read.values
    values: Array = target.cast(polars.Float64).to_numpy()
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        raise DataError(
            explain(
                f"{source.path} {source.place(int(lines[bad]))}, column {target.name!r} expected a finite number",
                f"{values[bad]}",
                "Mend it or leave the row out",
            )
        )
    return values


def check_variety(source: TableFile, name: str, task: str, y: Array) -> None:
    """A target that is the same in all rows, or in too few of them, teaches nothing."""
    if len(y) < 5:
        raise DataError(explain(f"{source.path} expected at least 5 rows to learn from", f"{len(y)}", "Give more"))
    if task == "classification" and len(only := np.unique(y)) == 1:
        raise DataError(
            explain(
                f"{source.path} expected at least 2 classes in the target {name!r}",
                f"{only.tolist()[0]!r} in all {len(y):,} rows",
                "There is nothing to tell apart: name another target",
            )
        )
    if task == "regression" and np.ptp(y) == 0:
        got = f"{y[0]:g} in all {len(y):,} rows"
        raise DataError(
            explain(f"{source.path} expected the target {name!r} to vary", got, "Name another: the answer is known")
        )
