"""What a run has measured, an epoch a row: plain data that callbacks write and plots read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lucidgrad.errors import ArgumentError, explain

Row = dict[str, Any]


@dataclass
class History:
    """The rows of a run, one for each epoch that was completed.

    Each row holds ``epoch`` (from 1), ``loss`` and each training metric (over the epoch's batches, as the weights
    changed), ``validation_loss`` and ``validation_<metric>`` (after the epoch), ``learning_rate`` (of its last
    step), ``seconds`` (the epoch's duration), and ``max_abs_weight``: for each parameter by path its largest |w|.

    Parameters
    ----------
    rows
        A dict for each epoch.

    Examples
    --------
    >>> from lucidgrad import History
    >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 0.5}])
    >>> history["loss"]
    [2.0, 0.5]
    >>> history.best("loss")
    {'epoch': 2, 'loss': 0.5}
    """

    rows: list[Row] = field(default_factory=list)

    def __getitem__(self, key: str) -> list[Any]:
        """The values of one column, an epoch each."""
        if self.rows and not any(key in row for row in self.rows):
            raise ArgumentError(
                explain("a column expected one of " + ", ".join(self.columns), repr(key), "Ask for one of these")
            )
        return [row.get(key) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __contains__(self, key: str) -> bool:
        return any(key in row for row in self.rows)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in the order in which they first appeared."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    @property
    def last(self) -> Row:
        """The row of the last epoch; empty before the first is done."""
        return self.rows[-1] if self.rows else {}

    def best(self, key: str, *, largest: bool = False) -> Row:
        """The row where ``key`` is smallest (or largest), the first of several; NaN never wins.

        Parameters
        ----------
        key
            The name of a column.
        largest
            Whether more is better, as for an accuracy.

        Raises
        ------
        ArgumentError
            When no row has a number there.
        """
        rows = [row for row in self.rows if row.get(key) is not None and row[key] == row[key]]
        if not rows:
            raise ArgumentError(
                explain(f"best({key!r}) expected at least one row with a number", "none", "Train an epoch first")
            )
        return max(rows, key=lambda row: row[key]) if largest else min(rows, key=lambda row: row[key])

    def __repr__(self) -> str:
        if not self.rows:
            return "History(no epochs)"
        columns = [c for c in self.columns if not isinstance(self.last.get(c), dict)]
        table = [columns, *([_cell(row.get(c)) for c in columns] for row in self.rows)]
        widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
        return "\n".join("  ".join(f"{cell:>{w}}" for cell, w in zip(line, widths, strict=True)) for line in table)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
