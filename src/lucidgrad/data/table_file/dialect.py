"""How a file of text is laid out: what stands between the fields, and what the columns are called."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NamedTuple

from lucidgrad.errors import ArgumentError, DataError, explain

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
SAMPLED_ROWS = 50


class Layout(NamedTuple):
    """The delimiter, the names of the columns, and how many lines the header takes."""

    delimiter: str
    names: tuple[str, ...]
    header_lines: int


def read_layout(path: Path, sample: str, whole: bool, delimiter: str | None) -> Layout:
    """Find out from the beginning of a file how it is laid out.

    Parameters
    ----------
    path
        For messages; the ending .tsv or .tab says that tabs divide.
    sample
        The first lines.
    whole
        Whether there is no more in the file than the sample.
    delimiter
        What divides the fields, when it is known.

    Raises
    ------
    DataError
        When there is nothing in the file, or two columns have the same name.
    ArgumentError
        When the delimiter is not a single character.
    """
    if not sample.strip():
        raise DataError(explain(f"{path} expected a table", "an empty file", "The first line names the columns"))
    if delimiter is not None:
        delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise ArgumentError(explain("delimiter expected one character", repr(delimiter), "Try ',' or ';' or tab"))
    else:
        delimiter = _guess(path, sample, whole)
    rows = csv.reader(io.StringIO(sample, newline="\n"), delimiter=delimiter)
    header: list[str] = []
    try:
        while not header:  # blank lines in front are nobody's names
            header = next(rows)
    except csv.Error as error:
        raise DataError(
            explain(f"{path} line 1 expected the names of the columns", f"no text with fields ({error})", "Mend it")
        ) from None
    return Layout(delimiter, _names(path, header, rows.line_num), rows.line_num)


def _guess(path: Path, sample: str, whole: bool) -> str:
    """The delimiter by which most rows have as many fields as the header; of several the one with more fields."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if suffixes & {".tsv", ".tab"}:
        return "\t"
    if not whole and "\n" in sample:
        sample = sample[: sample.rindex("\n") + 1]  # the last line may be cut off
    best, chosen = (0.0, 1), ","
    for delimiter in DELIMITERS:
        widths = _widths(sample, delimiter)
        if not widths or widths[0] == 1:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best:
            best, chosen = score, delimiter
    return chosen


def _widths(sample: str, delimiter: str) -> list[int]:
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline="\n"), delimiter=delimiter):
            if row:
                widths.append(len(row))
            if len(widths) == SAMPLED_ROWS:
                break
    except csv.Error:
        pass
    return widths


def _names(path: Path, header: list[str], line: int) -> tuple[str, ...]:
    names = [name.strip() or f"column_{i}" for i, name in enumerate(header, 1)]
    if len(set(names)) < len(names):
        double = next(name for i, name in enumerate(names) if name in names[:i])
        first = names.index(double)
        raise DataError(
            explain(
                f"{path} line {line} expected a name of its own for each column",
                f"{double!r} for the columns {first + 1} and {names.index(double, first + 1) + 1}",
                "Rename one of them",
            )
        )
    return tuple(names)
