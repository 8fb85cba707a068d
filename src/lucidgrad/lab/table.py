"""The table of the compared networks: one list of rows, shown in the terminal and in the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lucidgrad.lab.evidence import Evidence, Network

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = (
    "network",
    "sizes",
    "parameters",
    "train accuracy",
    "test accuracy",
    "train loss",
    "test loss",
    "overfit gap",
    "max|w|",
    "time",
)
UNITS = ("", "", "", "%", "%", "nats", "nats", "points", "", "s")


@dataclass(frozen=True)
class TableRow:
    """A network and its numbers as text, in the order of ``HEADINGS``."""

    cells: tuple[str, ...]
    is_best: bool
    note: str


def table_rows(e: Evidence) -> list[TableRow]:
    """A row for each compared network, and for the one without an activation."""
    networks = list(e.networks)
    if e.linear is not None and e.linear.first.trial.group == "control":
        networks.append(e.linear)
    best = max((n.accuracy for n in e.sound), default=None)
    return [
        TableRow(_cells(e, n), n.accuracy == best and n in e.sound, "" if n.status == "done" else n.status)
        for n in networks
    ]


def _cells(e: Evidence, n: Network) -> tuple[str, ...]:
    digits = 2 if e.test_samples >= 5000 else 1
    return (
        n.label,
        "-".join(map(str, n.first.sizes)),
        f"{n.first.parameters:,}",
        _cell(n, "train_accuracy", digits, 100),
        _cell(n, "test_accuracy", digits, 100),
        _cell(n, "train_loss", 4),
        _cell(n, "test_loss", 4),
        f"{100 * n.mean('gap'):+.2f}",
        f"{n.mean('max_abs_weight'):.2f}",
        f"{n.mean('seconds'):.1f}",
    )


def _cell(n: Network, name: str, digits: int, factor: float = 1.0) -> str:
    """The mean over the seeds, with the standard deviation where there are several."""
    text = f"{factor * n.mean(name):.{digits}f}"
    return text if len(n.results) == 1 else f"{text} ± {factor * n.spread(name):.{digits}f}"


def rich_table(e: Evidence, width: int) -> Table:
    """The table for a terminal of ``width`` characters; where it is narrow, with fewer columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    rows = table_rows(e)
    titles = [f"{heading.replace(' ', chr(10))}\n{unit}".strip() for heading, unit in zip(HEADINGS, UNITS, strict=True)]
    cells = [[f"{row.cells[0]} ({row.note})" if row.note else row.cells[0], *row.cells[1:]] for row in rows]
    kept = _fitting([titles, *cells], width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for i in kept:
        table.add_column(titles[i], justify="left" if i < 2 else "right", no_wrap=True)
    for row, texts in zip(rows, cells, strict=True):
        table.add_row(*(texts[i] for i in kept), style="bold" if row.is_best else None)
    return table


def _fitting(table: list[list[str]], width: int) -> list[int]:
    """The numbers of the columns to show."""
    widths = [max(len(line) for text in column for line in text.split("\n")) + 3 for column in zip(*table, strict=True)]
    kept = list(range(len(HEADINGS)))
    for name in ("parameters", "train loss", "sizes", "test loss"):
        if sum(widths[i] for i in kept) > width:
            kept.remove(HEADINGS.index(name))
    return kept
