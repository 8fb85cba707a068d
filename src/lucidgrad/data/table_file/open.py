"""A table in a file: its columns are known when it is opened, its rows are read whole or a part at a time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lucidgrad.data.checks import whole_number
from lucidgrad.data.table_file.dialect import DELIMITERS, Layout, read_layout
from lucidgrad.data.table_file.parquet import PARQUET_ROWS, parquet_names, read_parquet
from lucidgrad.data.table_file.records import Places, Rows, read_rows
from lucidgrad.data.table_file.source import Text, open_bytes
from lucidgrad.data.table_file.values import MISSING, Read, Type, as_type, guess_type
from lucidgrad.errors import DataError, counted, explain

if TYPE_CHECKING:
    import polars

BATCH_ROWS = 1 << 16


@dataclass
class Batch:
    """Some rows of a file.

    Parameters
    ----------
    frame
        The columns that were asked for, as a polars DataFrame.
    lines : (rows,)
        The line of the file on which each row begins, from 1; of Parquet, the number of the row.
    others
        What was asked for besides, as it stands in the file.

    Examples
    --------
    >>> import polars
    >>> import numpy as np
    >>> from lucidgrad.data.table_file import Batch
    >>> batch = Batch(polars.DataFrame({"town": ["Bonn", "Ulm"]}), np.array([2, 3]))
    >>> batch.frame.height, batch.lines
    (2, array([2, 3]))
    """

    frame: polars.DataFrame
    lines: Places
    others: polars.DataFrame | None = None


@dataclass
class TableFile:
    """An opened table; from ``open_table``.

    Parameters
    ----------
    path
        Where it is.
    names
        Of the columns, in order.
    layout
        How the text is laid out; None for Parquet.
    encoding
        Of the text, when it was named.
    missing
        Texts that stand where there is no number.
    bad
        How many values of columns of numbers were none so far, with the first of them, by column.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lucidgrad.data.table_file import TableFile
    >>> table = TableFile(Path("towns.parquet"), ("town", "people"))
    >>> table.description, table.place(7)
    ('Parquet', 'row 7')
    """

    path: Path
    names: tuple[str, ...]
    layout: Layout | None = None
    encoding: str | None = None
    missing: Collection[str] = MISSING
    bad: dict[str, tuple[int, str, int]] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """The format in words."""
        if self.layout is None:
            return "Parquet"
        divided = DELIMITERS.get(self.layout.delimiter, repr(self.layout.delimiter))
        return f"text with {divided} between the fields"

    def place(self, line: int) -> str:
        """Where a row is: ``line 7`` of a text, ``row 7`` of Parquet.

        Parameters
        ----------
        line
            One of the ``lines`` of a Batch.
        """
        return f"{'row' if self.layout is None else 'line'} {line}"

    def require(self, names: Sequence[str], purpose: str) -> None:
        """Be sure that columns are there.

        Parameters
        ----------
        names
            Those that are needed.
        purpose
            What for, as the error says it: ``"to predict from"``.

        Raises
        ------
        DataError
            With the names that are missing, and what is there instead.
        """
        gone = [name for name in names if name not in self.names]
        if not gone:
            return
        what = "the column " if len(gone) == 1 else "the columns "
        there = _some(self.names, 12)
        raise DataError(
            explain(
                f"{self.path} expected {what}{_some([repr(name) for name in gone], 10)} {purpose}",
                f"a table of {there}",
                self._advice(gone),
            )
        )

    def _advice(self, gone: Sequence[str]) -> str:
        from difflib import get_close_matches

        if len(gone) == 1 and (near := get_close_matches(gone[0], self.names, 1)):
            return f"Did you mean {near[0]!r}?"
        if len(self.names) == 1:
            return "There is one column alone: name what divides the fields with --delimiter (delimiter=)"
        if self.layout is not None and any(_is_number(n) for n in self.names):
            return "The first line has to name the columns, and there are numbers in it"
        return (
            "Add it, or rename the column that it is" if len(gone) == 1 else "Add them, or rename those that they are"
        )

    def read(self, columns: Sequence[str] | None = None) -> Batch:
        """All rows, in types that fit every value of a column.

        Parameters
        ----------
        columns
            Those to read, in this order. None: all.

        Raises
        ------
        DataError
            For a column that is not there, and rows that are malformed, with the line.
        """
        names = self.names if columns is None else tuple(columns)
        self.require(names, "to read")
        if self.layout is None:
            frame = read_parquet(self.path, names, None, None)
            return Batch(frame, np.arange(1, frame.height + 1))
        import polars

        lines, parts = [np.empty(0, np.int64)], []
        for rows in self._text_rows():
            lines.append(rows.lines)
            parts.append(rows.frame.select(names).get_columns()[::-1])
        numbers = np.concatenate(lines)
        made: list[polars.Series] = []
        for name in names:
            pieces = [part.pop() for part in parts]  # text is let go of, column for column
            text = polars.concat([polars.Series(name, [], polars.String), *pieces], rechunk=True)
            made.append(self.told(guess_type(text, self.missing), text, numbers))
        return Batch(polars.DataFrame(made), numbers)

    def batches(
        self, types: Mapping[str, Type], *, others: Sequence[str] = (), rows: int = BATCH_ROWS
    ) -> Iterator[Batch]:
        """The rows, ``rows`` of them at a time; no more of the file is in memory than a few millions of characters.

        Parameters
        ----------
        types
            The columns to read, with what they were in training.
        others
            Columns to read besides as they stand; one that is among ``types`` too is read both ways.
        rows
            At most so many in a batch.

        Raises
        ------
        DataError
            For a column that is not there; for rows that are malformed, and columns of numbers that hold something
            else, with the line.
        ArgumentError
            When ``rows`` is below 1.
        """
        others = list(dict.fromkeys(others))
        names = [*types, *(name for name in others if name not in types)]
        self.require(names, "to read")
        rows = whole_number("batches(rows)", rows, at_least=1)
        for part in self._parts(names):
            for start in range(0, part.frame.height, rows):
                frame, lines = part.frame.slice(start, rows), part.lines[start : start + rows]
                yield Batch(self._typed(frame, lines, types), lines, frame.select(others))

    def _parts(self, names: Sequence[str]) -> Iterator[Rows]:
        if self.layout is not None:
            for part in self._text_rows():
                yield Rows(part.frame.select(names), part.lines)
            return
        start = 0
        while (frame := read_parquet(self.path, names, start, PARQUET_ROWS)).height:
            yield Rows(frame, np.arange(start + 1, start + 1 + frame.height))
            start += frame.height

    def _typed(self, frame: polars.DataFrame, lines: Places, types: Mapping[str, Type]) -> polars.DataFrame:
        import polars

        made = []
        for name in frame.columns:
            column = frame.get_column(name)
            if name in types and column.dtype == polars.String:
                read = as_type(column, types[name], self.missing)
                present = len(column) - read.values.null_count() + len(read.bad)
                if len(read.bad) > max(0.5 * present, 1) and len(read.bad) >= min(present, 10):
                    i = read.bad[0]
                    raise DataError(
                        explain(
                            f"{self.path} {self.place(int(lines[i]))}, column {name!r} expected a {types[name]} "
                            "as in training",
                            repr(column[i]),
                            "Check that the column is the one it was; --missing names what stands for no value",
                        )
                    )
                column = self.told(read, column, lines)
            made.append(column)
        return polars.DataFrame(made)

    def told(self, read: Read, text: polars.Series, lines: Places) -> polars.Series:
        """Keep in mind what was no value."""
        if read.bad:
            count, first, line = self.bad.get(text.name, (0, text[read.bad[0]], int(lines[read.bad[0]])))
            self.bad[text.name] = (count + len(read.bad), first, line)
        return read.values

    def complaints(self) -> list[str]:
        """A sentence for each column in which something was no value and counts as missing."""
        return [
            f"{self.path}, column {name!r}: "
            + counted(count, "value is no number and counts as missing", "values are no number and count as missing")
            + f"; the first is {first!r} on {self.place(line)}"
            for name, (count, first, line) in self.bad.items()
        ]

    def _text_rows(self) -> Iterator[Rows]:
        assert self.layout is not None
        with open_bytes(self.path) as file:
            text = Text(self.path, file, self.encoding)
            yield from read_rows(self.path, text, self.layout, text.read())


def _some(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def open_table(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] = (),
) -> TableFile:
    r"""Open a table: CSV, TSV or other text with one row a line, or Parquet.

    Text may be packed (gzip, bzip2, xz, zstd), as the first bytes tell. Its first line names the columns.

    Parameters
    ----------
    path
        The file.
    delimiter
        What divides fields; by default the one of ``, ; tab |`` that fits the first rows.
    encoding
        By default UTF-8, or what a mark at the beginning says.
    missing
        Further texts that stand where there is no number, besides ``NA``, ``null``, ``?`` and their like.

    Raises
    ------
    DataError
        When it is not there, empty, or no table.
    ArgumentError
        When ``delimiter`` or ``encoding`` is none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lucidgrad.data import open_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "towns.csv"
    ...     _ = path.write_text("town;people\nBonn;336465\nUlm;NA\n")
    ...     table = open_table(path)
    ...     print(table.names, table.description)
    ...     print(table.read().frame.rows())
    ('town', 'people') text with a semicolon between the fields
    [('Bonn', 336465), ('Ulm', None)]
    """
    where = Path(path)
    with open_bytes(where) as file:
        start = file.peek(8)[:4] if hasattr(file, "peek") else b""
        if start != b"PAR1":
            text = Text(where, file, encoding)
            first = text.read()
            layout = read_layout(where, _sample(where, first), len(first) < 1 << 16, delimiter)
            words = (*MISSING, *(word.strip() for word in missing))
            return TableFile(where, layout.names, layout, encoding, words)
    return TableFile(where, parquet_names(where), missing=(*MISSING, *missing))


def _sample(path: Path, first: bytes) -> str:
    """The first block as text; the names of the columns have to be right, the rest is looked at later."""
    header = first[: first.find(b"\n") + 1 or len(first)]
    try:
        header.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            explain(
                f"{path} line 1 expected names of columns in UTF-8",
                f"the byte 0x{header[error.start]:02X}",
                "Name the encoding it was written in with --encoding (encoding=), such as cp1252, latin-1 or cp949",
            )
        ) from None
    return first.decode("utf-8", "replace")


def read_table(path: str | os.PathLike[str], **options: Any) -> polars.DataFrame:
    r"""Read a table whole.

    Parameters
    ----------
    path
        The file.
    **options
        Those of ``open_table``.

    Returns
    -------
    polars.DataFrame
        Columns whose values are numbers (with up to 5 % that are none) as numbers, true and false as booleans, the rest
        as text.

    Warns
    -----
    UserWarning
        For each column of numbers with values that are none, which are missing then.

    Raises
    ------
    DataError, ArgumentError
        As ``open_table``, and for rows that are malformed, with the line.

    Examples
    --------
    >>> import gzip, tempfile
    >>> from pathlib import Path
    >>> from lucidgrad.data import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "packed.csv.gz").write_bytes(gzip.compress(b"a,b\n1,x\n2,y\n"))
    ...     print(read_table(Path(folder) / "packed.csv.gz").rows())
    [(1, 'x'), (2, 'y')]
    """
    table = open_table(path, **options)
    frame = table.read().frame
    for complaint in table.complaints():
        warnings.warn(complaint, UserWarning, stacklevel=2)
    return frame


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
