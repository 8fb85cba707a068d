"""Rows of text with the line each begins on: cut at the ends of records, and checked before polars takes them.

Polars fills short rows up in silence and names no line. So NumPy looks at each block first: where records end, how
many fields each has, where quotations begin and end. A file with quotation marks in odd places, such as ``5" pipe``, is
read on by Python's csv module: slower, but it takes what can be taken, and says where the rest is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from lucidgrad.data.table_file.dialect import DELIMITERS, Layout
from lucidgrad.data.table_file.source import BLOCK_BYTES, Text
from lucidgrad.errors import DataError, counted, explain

if TYPE_CHECKING:
    import polars

Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

MOST_BYTES = 1 << 26
"""In one record; a quotation that is never closed ends here and not at the end of the memory."""
NEWLINE, QUOTE = 10, 34


class Rows(NamedTuple):
    """Some rows of a file, all columns as text, and the line on which each begins, from 1."""

    frame: polars.DataFrame
    lines: Places


def read_rows(path: Path, text: Text, layout: Layout, start: bytes) -> Iterator[Rows]:
    """The rows behind the header, as they come.

    Parameters
    ----------
    path
        For messages.
    text
        What comes behind ``start``.
    layout
        From ``read_layout``.
    start
        The first block, with the header.

    Raises
    ------
    DataError
        For a row with more or fewer fields than the header, text that is not UTF-8, and quotations that do not end.
    """
    cut = Cut(path, layout)
    rest = start
    for _ in range(layout.header_lines):
        rest = rest[rest.index(b"\n") + 1 :] if b"\n" in rest else b""
    line, ended = layout.header_lines + 1, False
    while rest or not ended:
        block = _until_enough(text, rest)
        ended = len(block) == len(rest) or not block
        if ended and block and not block.endswith(b"\n"):
            block += b"\n"
        found = _look(block, ord(layout.delimiter))
        if found is None or (ended and block and not len(found.ends)) or len(block) > MOST_BYTES:
            yield from cut.slowly(block, text, line)
            return
        end = int(found.ends[-1]) + 1 if len(found.ends) else 0
        if end:
            yield cut.quickly(block[:end], found, line)
            line += int(np.searchsorted(found.newlines, end))
        rest = block[end:]
        if ended and rest:  # a quotation that is open at the end of the file
            yield from cut.slowly(rest, text, line)
            return


def _until_enough(text: Text, rest: bytes) -> bytes:
    """What is left of the block before, and a block more."""
    new = text.read()
    return rest + new if rest else new


class _Look(NamedTuple):
    """Where something is in a block: all newlines, the ends of records, delimiters that divide, and quotation marks."""

    newlines: Places
    ends: Places
    delimiters: Places
    quotes: Places


def _look(block: bytes, delimiter: int) -> _Look | None:
    """Find the records of a block that begins with one; None where quotation marks stand in odd places."""
    codes = np.frombuffer(block, np.uint8)
    newlines, delimiters = np.flatnonzero(codes == NEWLINE), np.flatnonzero(codes == delimiter)
    if QUOTE not in block:
        return _Look(newlines, newlines, delimiters, newlines[:0])
    quotes = np.flatnonzero(codes == QUOTE)
    if not _in_place(codes, quotes, delimiter):
        return None
    ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return _Look(newlines, ends, delimiters[np.searchsorted(quotes, delimiters) % 2 == 0], quotes)


def _in_place(codes: Any, quotes: Places, delimiter: int) -> bool:
    """Whether each quotation mark begins a field, ends one, or is one of a pair inside of a quotation."""
    opening, closing = quotes[::2], quotes[1::2]
    before = codes[np.maximum(opening - 1, 0)]
    begins = (opening == 0) | (before == delimiter) | (before == NEWLINE)
    begins[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    closing = closing[closing < len(codes) - 1]
    after = codes[closing + 1]
    return bool(begins.all() and ((after == delimiter) | (after == NEWLINE) | (after == QUOTE)).all())


class Cut:
    """Takes records apart, and says what is wrong with them."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.names, self.delimiter = path, layout.names, layout.delimiter

    def quickly(self, block: bytes, found: _Look, line: int) -> Rows:
        """The rows of a block of whole records, of which the first begins on ``line``."""
        import polars

        starts = np.concatenate([[0], found.ends[:-1] + 1])
        within = found.delimiters[: np.searchsorted(found.delimiters, found.ends[-1])]
        widths = np.diff(np.searchsorted(within, found.ends), prepend=0) + 1
        lines = line + np.searchsorted(found.newlines, starts)
        filled = found.ends > starts
        wrong = np.flatnonzero((widths != len(self.names)) & filled)
        stop = starts[wrong[0]] if len(wrong) else len(block)
        self._check_text(block[:stop], starts, within, lines)
        if len(wrong):
            i = wrong[0]
            self._refuse(int(lines[i]), self._fields(block[starts[i] : found.ends[i]].decode("utf-8", "replace")))
        if not filled.all():
            block = b"".join(block[a : b + 1] for a, b in zip(starts[filled], found.ends[filled], strict=True))
            lines = lines[filled]
        if not len(lines):
            return Rows(self._frame([]), lines)
        frame = polars.read_csv(
            io.BytesIO(block),
            has_header=False,
            separator=self.delimiter,
            quote_char='"' if len(found.quotes) else None,
            schema=dict.fromkeys(self.names, polars.String),
        )
        if frame.height != len(lines):  # not a way of ours to lay a file out: take Python's
            text = io.StringIO(block.decode(), newline="\n")
            frame = self._frame([row for row in csv.reader(text, delimiter=self.delimiter) if row])
        return Rows(frame, lines)

    def slowly(self, block: bytes, text: Text, line: int) -> Iterator[Rows]:
        """All rows from ``block`` on to the end of the file, by the csv module."""
        reader = csv.reader(self._decoded_lines(block, text, line), delimiter=self.delimiter, strict=True)
        rows: list[list[str]] = []
        lines: list[int] = []
        size, began = 0, 0
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise self._misquoted(line + began, line + reader.line_num - 1, error) from None
            if row is None or size >= BLOCK_BYTES:
                yield Rows(self._frame(rows), np.array(lines, np.int64))
                rows, lines, size = [], [], 0
                if row is None:
                    return
            if row:
                if len(row) != len(self.names):
                    self._refuse(line + began, row)
                rows.append(row)
                lines.append(line + began)
                size += sum(map(len, row)) + 8 * len(row)
            began = reader.line_num

    def _frame(self, rows: list[list[str]]) -> polars.DataFrame:
        import polars

        columns: Any = zip(*rows, strict=True) if rows else ([] for _ in self.names)
        return polars.DataFrame(
            {name: polars.Series(name, list(c), polars.String) for name, c in zip(self.names, columns, strict=True)}
        )

    def _decoded_lines(self, block: bytes, text: Text, line: int) -> Iterator[str]:
        rest = block
        while True:
            *whole, rest = rest.split(b"\n")
            for one in whole:
                self._check_text(one, np.array([0]), np.empty(0, np.int64), np.array([line]))
                yield one.decode() + "\n"
                line += 1
            more = text.read()
            if not more and rest:
                more = b"\n"
            if not more:
                return
            rest += more
            if len(rest) > MOST_BYTES:
                got = f"one of more than {MOST_BYTES:,} bytes"
                raise DataError(explain(f"{self.path} line {line} expected a row", got, "Check that this is a table"))

    def _check_text(self, block: bytes, starts: Places, delimiters: Places, lines: Places) -> None:
        try:
            block.decode()
        except UnicodeDecodeError as error:
            i = int(np.searchsorted(starts, error.start, side="right")) - 1
            place = int(np.searchsorted(delimiters, error.start) - np.searchsorted(delimiters, starts[i]))
            if not len(delimiters):
                place = block[: error.start].count(self.delimiter.encode())
            name = self.names[min(place, len(self.names) - 1)]
            raise DataError(
                explain(
                    f"{self.path} line {lines[i]}, column {name!r} expected text in UTF-8",
                    f"the byte 0x{block[error.start]:02X}",
                    "Name the encoding it was written in with --encoding (encoding=), such as cp1252, latin-1 or cp949",
                )
            ) from None

    def _fields(self, record: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(record, newline="\n"), delimiter=self.delimiter), [])
        except csv.Error:  # a lone carriage return outside of quotation marks: the row is refused, and only shown
            return record.split(self.delimiter)

    def _refuse(self, line: int, fields: list[str]) -> None:
        """Tell of a row that is too short or too long."""
        n, width = len(self.names), len(fields)
        if width < n:
            got = f"{width} (there is nothing for {self.names[width]!r})"
        else:
            got = f"{width} ({_short(fields[n])} is behind the last column, {self.names[-1]!r})"
        what = DELIMITERS.get(self.delimiter, repr(self.delimiter))
        raise DataError(
            explain(
                f"{self.path} line {line} expected {counted(n, 'field')} as in the header",
                got,
                f'Put fields that hold {what} in quotation marks: "..."',
            )
        )

    def _misquoted(self, began: int, line: int, error: csv.Error) -> DataError:
        if "unexpected end" in str(error) or "field limit" in str(error):
            got = "one that is not closed"
        elif "new-line" in str(error):
            got = "a carriage return (\\r) outside of one"
        else:
            got = f"something behind the closing one, on line {line}"
        expected = f"{self.path} line {began + (began == 0)} expected a quotation that ends in front of the next field"
        return DataError(explain(expected, got, 'Close it with ", and write a quotation mark inside of one as ""'))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
