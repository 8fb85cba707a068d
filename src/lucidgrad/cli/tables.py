"""What the commands for tables share: how files are read, and how tables of results are shown."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lucidgrad.data.table_file import TableFile, open_table
from lucidgrad.errors import counted
from lucidgrad.tables.measuring import Measured
from lucidgrad.tables.report import number, percent

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 110
"""Characters in a line where the output is no terminal."""
MOST_CLASSES = 40

Delimiter = Annotated[
    str | None,
    typer.Option(metavar="CHAR", help="What divides the fields of a text.", show_default="what fits: , ; tab or |"),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of a text, such as cp1252.", show_default="utf-8, or by its mark")
]
Missing = Annotated[
    str | None,
    typer.Option(metavar="TEXT,...", help="Further texts that stand for no value.", show_default="NA, null, ?, ..."),
]


def opened(path: Path, delimiter: str | None, encoding: str | None, missing: str | None) -> TableFile:
    """The table of a file, by these options."""
    words = () if missing is None else tuple(missing.split(","))
    return open_table(path, delimiter=delimiter, encoding=encoding, missing=words)


def model_of(path: Path) -> Any:
    """The fitted estimator in a model file."""
    from lucidgrad.io.model_file import load

    return load(path)


def console(error: bool = False) -> Console:
    """Where results are shown."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = shutil.get_terminal_size().columns if stream.isatty() else PIPE_WIDTH
    return Console(stderr=error, width=width, highlight=False, markup=False)


def warn(sentences: list[str]) -> None:
    """On standard error, so that what is piped stays clean."""
    for sentence in sentences:
        print(f"lucidgrad: {sentence}", file=sys.stderr)


def show_measured(where: Console, measured: Measured, training: Measured | None = None) -> None:
    """The measures with the baseline beside them, and a row for each class."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=None)
    table.add_column("measure")
    for heading in (counted(measured.rows, "row"), "baseline", *(["rows learned"] if training else [])):
        table.add_column(heading, justify="right")
    table.add_column("better is")
    own = {} if training is None else {s.name: s.model for s in training.scores}
    for i, score in enumerate(measured.scores):
        cells = [score.name, number(score.model), number(score.baseline)]
        cells += [number(own.get(score.name))] if training else []
        table.add_row(*cells, score.better, style="bold" if i == 0 else None)
    where.print(table)
    where.print(f"The baseline answers {measured.baseline}.", style="dim")
    if not measured.classes:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("class")
    for heading in ("precision", "recall", "F1", "rows"):
        table.add_column(heading, justify="right")
    for one in measured.classes[:MOST_CLASSES]:
        table.add_row(one.label, *map(percent, (one.precision, one.recall, one.f1)), f"{one.rows:,}")
    where.print(table)
    if len(measured.classes) > MOST_CLASSES:
        where.print(f"and {counted(len(measured.classes) - MOST_CLASSES, 'more class', 'more classes')}", style="dim")
