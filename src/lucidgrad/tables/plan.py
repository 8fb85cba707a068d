"""What is to be learned from a table, and from which columns and rows: guessed, with reasons, unless it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.data.table import Column, guess_kinds
from lucidgrad.data.table_file import TableFile
from lucidgrad.data.table_file.values import as_number
from lucidgrad.errors import ArgumentError, DataError, counted, explain
from lucidgrad.tables.split import VALIDATION_FRACTION, split_parts
from lucidgrad.tables.target import check_variety, targets, task_of

if TYPE_CHECKING:
    import polars

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Wishes:
    """What is told, and not guessed.

    Parameters
    ----------
    target
        The column to predict.
    task
        ``"classification"``, ``"regression"``, or None: guess.
    kinds
        What columns are, by name: one of ``lucidgrad.data.table.KINDS``.
    test
        The share of the rows that is only measured; 0: none. None: a fifth, where there are rows enough.
    validation
        The share of the other rows that says when to stop.
    stratify
        Keep classes in proportion; None: for classes, yes.
    group
        A column: rows of a group stay together.
    time
        A column: the latest rows are held back, and those of one time together.
    weight
        A column: how much each row counts.
    seed
        Which rows are held back.

    Examples
    --------
    >>> from lucidgrad.tables import Wishes
    >>> wishes = Wishes("price", kinds={"postcode": "categorical"}, time="sold")
    >>> wishes.validation, wishes.test
    (0.2, None)
    """

    target: str
    task: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    test: float | None = None
    validation: float = VALIDATION_FRACTION
    stratify: bool | None = None
    group: str | None = None
    time: str | None = None
    weight: str | None = None
    seed: int = 0


@dataclass
class Plan:
    """What is learned from what, and why.

    Parameters
    ----------
    source
        The file.
    wishes
        What was told.
    task
        ``"classification"`` or ``"regression"``.
    task_reason
        Why, in words.
    columns
        What each column was taken for, but the target.
    kinds
        What the estimator is told about columns.
    x
        To learn from, (rows, columns).
    y
        The targets of these rows, (rows,): labels, or float64.
    weight
        How much each of them counts, (rows,), or None.
    held_back : (splits, rows), or None
        Which rows of ``x`` say when to stop; after that they may be learned from too, as there is a test.
    x_validation, y_validation, weight_validation
        Rows beside ``x`` that say when to stop, where ``held_back`` is None; they are never learned from.
    x_test, y_test
        Rows that are only measured; None where there are none, and the rows that say when to stop are measured.
    test_split, stop_split
        How the rows were chosen, in words.
    notes
        What the reader should know about the data.

    Examples
    --------
    >>> import tempfile, polars
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import Wishes, make_plan
    >>> fruit = polars.DataFrame({"weight": [120, 150, 8000], "fruit": ["apple", "apple", "melon"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     polars.concat([fruit] * 10).write_csv(f"{folder}/fruit.csv")
    ...     plan = make_plan(open_table(f"{folder}/fruit.csv"), Wishes("fruit"))
    >>> plan.rows
    {'training': 24, 'validation': 6, 'test': 0}
    >>> plan.split[0]
    'Test: none, as there are fewer than 100 rows'
    """

    source: TableFile
    wishes: Wishes
    task: str
    task_reason: str
    columns: list[Column]
    kinds: dict[str, str]
    x: polars.DataFrame
    y: Array
    weight: Array | None
    held_back: Array | None
    x_validation: polars.DataFrame | None
    y_validation: Array | None
    weight_validation: Array | None
    x_test: polars.DataFrame | None
    y_test: Array | None
    test_split: str
    stop_split: str
    notes: list[str]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each part has: ``training``, ``validation`` (they say when to stop) and ``test``."""
        inside = 0 if self.held_back is None else int(self.held_back[0].sum())
        beside = 0 if self.y_validation is None else len(self.y_validation)
        test = 0 if self.y_test is None else len(self.y_test)
        return {"training": len(self.y) - inside, "validation": inside + beside, "test": test}

    @property
    def split(self) -> list[str]:
        """Which rows are for what, in words."""
        rows = self.rows
        test = f"{counted(rows['test'], 'row')}, {self.test_split}" if rows["test"] else self.test_split
        return [f"Test: {test}", f"To say when to stop: {counted(rows['validation'], 'row')}, {self.stop_split}"]


def make_plan(
    source: TableFile, wishes: Wishes, validation: TableFile | None = None, test: TableFile | None = None
) -> Plan:
    """Read a table and decide what is learned from what.

    Parameters
    ----------
    source
        From ``lucidgrad.data.open_table``.
    wishes
        What is told.
    validation
        Rows that say when to stop, in a file of their own.
    test
        Rows that are only measured, in a file of their own.

    Raises
    ------
    DataError
        Where nothing can be learned: no rows, one class, a column that is not there.
    ArgumentError
        For wishes that go against each other.

    Examples
    --------
    >>> import tempfile, polars
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import Wishes, make_plan
    >>> fruit = polars.DataFrame({"weight": [120, 150, 8000], "fruit": ["apple", "apple", "melon"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     polars.concat([fruit] * 10).write_csv(f"{folder}/fruit.csv")
    ...     plan = make_plan(open_table(f"{folder}/fruit.csv"), Wishes("fruit"))
    >>> plan.task, plan.task_reason
    ('classification', 'text, 2 different values')
    >>> [f"{column.name}: {column.kind}, {column.reason}" for column in plan.columns]
    ['weight: numeric, numbers']
    """
    named = [wishes.target, *(n for n in (wishes.group, wishes.time, wishes.weight) if n), *wishes.kinds]
    for name in ("group", "time", "weight"):
        if getattr(wishes, name) == wishes.target:
            got = repr(wishes.target)
            raise ArgumentError(explain(f"--{name} expected a column beside the target", got, "Name another"))
    source.require([wishes.target], "as the target")
    source.require(named, "that the options name")
    table = _read(source, wishes)
    weight = None
    if wishes.weight is not None:
        table, weight = _without_rows_of_weight_0(table, _weights(source, table, wishes.weight))
    task, reason = task_of(source, table.target, wishes.task)
    y = targets(source, table.target, task, table.lines)
    check_variety(source, wishes.target, task, y)
    kinds = dict(wishes.kinds)
    kinds.update({name: "ignored" for name in (wishes.group, wishes.weight) if name and name not in kinds})
    columns = guess_kinds(table.x, kinds)
    notes = list(table.notes)
    is_classes = task == "classification"
    parts = split_parts(table.x, y, wishes, is_classes=is_classes, with_test=test is None, with_stop=validation is None)
    tested = (table.x[parts.test], y[parts.test]) if len(parts.test) else None
    if test is not None:
        tested = _other(test, source, wishes, task, table.x, notes)[:2]
    x, y, weight = table.x[parts.others], y[parts.others], None if weight is None else weight[parts.others]
    held_back, stop = parts.held_back, None
    if validation is not None:
        stop = _other(validation, source, wishes, task, table.x, notes)
    elif held_back is not None and tested is None:  # what is measured must not be learned from
        held, held_back = held_back[0], None
        stop = x.filter(held), y[held], None if weight is None else weight[held]
        x, y, weight = x.filter(~held), y[~held], None if weight is None else weight[~held]
    if is_classes:
        stop = _without_unknown(stop, y, notes)
        if tested is not None and (unknown := ~np.isin(tested[1], np.unique(y))).any():
            one = "row of the test is of a class that no other row is of: counted as wrong"
            several = "rows of the test are of classes that no other row is of: counted as wrong"
            notes.append(counted(int(unknown.sum()), one, several))
    for part, what, option in ((stop, "say when to stop", "validation"), (tested, "test on", "test")):
        if part is not None and not len(part[1]):
            expected, try_ = (
                f"{source.path} expected rows to {what}",
                f"Give more rows, or a larger --{option}-fraction",
            )
            raise DataError(explain(expected, "none", try_))
    stop_x, stop_y, stop_weight = stop or (None, None, None)
    test_x, test_y = tested or (None, None)
    return Plan(
        *(source, wishes, task, reason, columns, kinds, x, y, weight, held_back),
        *(stop_x, stop_y, stop_weight, test_x, test_y),
        f"the rows of {test.path}" if test is not None else parts.test_reason,
        f"the rows of {validation.path}" if validation is not None else parts.stop_reason,
        [*source.complaints(), *notes],
    )


def _other(
    file: TableFile, source: TableFile, wishes: Wishes, task: str, like: polars.DataFrame, notes: list[str]
) -> tuple[polars.DataFrame, Array, Array | None]:
    """The rows of a further file with the columns of the first, and how much each counts."""
    file.require(source.names, f"of {source.path}")
    table, weight = _read(file, wishes, like=like), None
    if wishes.weight is not None:
        table, weight = _without_rows_of_weight_0(table, _weights(file, table, wishes.weight))
    y = targets(file, table.target, task, table.lines)
    notes += [*table.notes, *file.complaints()]
    return table.x, y, weight


def _without_unknown(
    part: tuple[polars.DataFrame, Array, Array | None] | None, y: Array, notes: list[str]
) -> tuple[polars.DataFrame, Array, Array | None] | None:
    """Rows that say when to stop, without those of a class that cannot be learned."""
    if part is None or (known := np.isin(part[1], np.unique(y))).all():
        return part
    one = "held-back row is of a class without a row to learn from and is left out"
    several = "held-back rows are of classes without a row to learn from and are left out"
    notes.append(counted(int((~known).sum()), one, several))
    x, labels, weight = part
    return x.filter(known), labels[known], None if weight is None else weight[known]


@dataclass
class _Table:
    x: polars.DataFrame
    target: polars.Series
    lines: Array
    notes: list[str]


def _read(source: TableFile, wishes: Wishes, like: polars.DataFrame | None = None) -> _Table:
    """The columns and the target, without the rows in which it is missing."""
    import polars

    batch = source.read()
    if not batch.frame.height:
        raise DataError(explain(f"{source.path} expected rows", "a header alone", "Check how the file was written"))
    frame, lines, notes = batch.frame, batch.lines, []
    target = frame.get_column(wishes.target)
    gone = target.is_null().to_numpy()
    if target.dtype.is_float():
        gone = gone | target.is_nan().fill_null(value=True).to_numpy()
    if gone.all():
        raise DataError(
            explain(f"{source.path} expected values in the target {wishes.target!r}", "none in any row", "Name another")
        )
    if gone.any():
        where = source.place(int(lines[np.argmax(gone)]))
        without = f"without a {wishes.target}"
        one, several = f"row {without} is left out, on {where}", f"rows {without} are left out, the first on {where}"
        notes.append(counted(int(gone.sum()), one, several))
        frame, lines = frame.filter(polars.Series(~gone)), lines[~gone]
    made = []
    for column in (frame.drop(wishes.target) if like is None else frame.select(like.columns)).get_columns():
        told = wishes.kinds.get(column.name) == "numeric"
        wanted = like is not None and like.schema[column.name].is_numeric()
        if column.dtype == polars.String and (told or wanted):
            read = as_number(column, source.missing)
            column = source.told(read, column, lines)  # noqa: PLW2901
        elif like is not None and like.schema[column.name] == polars.String and column.dtype != polars.String:
            column = column.cast(polars.String)  # noqa: PLW2901
        made.append(column)
    if not made:
        got = f"{wishes.target!r} alone"
        raise DataError(explain(f"{source.path} expected columns beside the target", got, "There is nothing to ask"))
    return _Table(polars.DataFrame(made), frame.get_column(wishes.target), lines, notes)


def _weights(source: TableFile, table: _Table, name: str) -> Array:
    import polars

    column = table.x.get_column(name)
    values: Array = column.cast(polars.Float64, strict=False).to_numpy()
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        i = int(np.argmax(bad))
        raise ArgumentError(
            explain(
                f"{source.path} {source.place(int(table.lines[i]))}, column {name!r} expected a weight of at least 0",
                repr(column[i]),
                "Mend it, or leave --weight out",
            )
        )
    if not values.any():
        expected, got = f"{source.path}, column {name!r} expected a weight above 0", f"0 in all {len(values):,} rows"
        raise ArgumentError(explain(expected, got, "Weigh some rows, or leave --weight out"))
    return values


def _without_rows_of_weight_0(table: _Table, weight: Array) -> tuple[_Table, Array]:
    """They are as if they were not there, for what is measured too."""
    import polars

    counts = weight > 0
    if counts.all():
        return table, weight
    mask = polars.Series(counts)
    note = counted(int((~counts).sum()), "row of weight 0 is left out", "rows of weight 0 are left out")
    notes = [*table.notes, note]
    return _Table(table.x.filter(mask), table.target.filter(mask), table.lines[counts], notes), weight[counts]
