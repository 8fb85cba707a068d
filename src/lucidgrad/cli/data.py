"""``lucidgrad data``: which data sets are on this machine, and where; and getting those that are not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lucidgrad.cli.values import name
from lucidgrad.data import Dataset
from lucidgrad.errors import DataError, DownloadError, counted
from lucidgrad.lab import TASKS

PUBLISHED = ("mnist", "fashion")


def data(
    which: Annotated[
        str | None,
        typer.Argument(metavar="[" + "|".join(TASKS) + "]", help="A data set to get and to check.", show_default=False),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Where its files are, or are to be.", show_default=False),
    ] = None,
    no_download: Annotated[bool, typer.Option("--no-download", help="Never ask the network.")] = False,
) -> None:
    """List the data sets and where they are; with a name, get it where it is missing, and check every byte."""
    if which is not None:
        chosen = name("[name]", which, TASKS)
        found = TASKS[chosen](folder, not no_download)
        print(f"{chosen}: {_origin(chosen, found)}\n{found.description}\n{_size(found)}")
        return
    damaged = False
    for task in TASKS:
        try:
            found = TASKS[task](folder, False)
            line = f"{_size(found)}; {_origin(task, found)}"
        except DownloadError:
            line = f"not on this machine; to fetch it: lucidgrad data {task}"
        except DataError as error:
            line, damaged = f"damaged: {' '.join(str(error).split())}", True
        print(f"{task:<8}  {line}")
    if folder is None and not any(os.environ.get(v) for v in ("LUCIDGRAD_DATA", "GRADLET_DATA")):
        print("\nFiles are looked for in the user's cache; LUCIDGRAD_DATA=FOLDER names another place.", file=sys.stderr)
    if damaged:
        raise typer.Exit(1)


def _origin(task: str, found: Dataset) -> str:
    if task in PUBLISHED:
        return f"checked, in {found.source}"
    return "comes with scikit-learn" if task == "digits" else "drawn from a seed"


def _size(found: Dataset) -> str:
    test = 0 if found.x_test is None else len(found.x_test)
    return (
        f"{len(found.x_train):,} training and {test:,} test samples of {counted(found.in_features, 'number')}, "
        f"{counted(len(found.class_names), 'class', 'classes')}"
    )
