"""``lucidgrad predict``: what a model says of each row of a file, however large."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lucidgrad.cli.tables import Delimiter, Encoding, Missing, model_of, opened, warn
from lucidgrad.cli.values import check_output
from lucidgrad.errors import counted
from lucidgrad.tables import predict_file


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file: model.lucidgrad.", show_default=False)],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="CSV, TSV or Parquet, packed or not.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option(
            *("--output", "-o"),
            metavar="FILE",
            help="CSV, packed where it ends in .gz, Parquet where in .parquet; - is standard output.",
            show_default=False,
        ),
    ],
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Also that of each class.")] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, metavar="SHARE", help="Also an interval that holds so many of the true numbers: 0.9."
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,...",
            help="Columns to write in front, as they are in DATA; in Parquet with types.",
            show_default=False,
        ),
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    missing: Missing = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings alone.")] = False,
) -> None:
    """Write the prediction for each row of a table, a part at a time: the file may be larger than the memory.

    Columns may be in any order; the output appears whole or not at all.

    Exit codes: 0 done, 1 an error that is explained, 2 a command that was not understood, 130 after Ctrl-C.
    """
    to_pipe = str(output) == "-"
    if not to_pipe:
        check_output(output, [data, model])
    estimator = model_of(model)
    source = opened(data, delimiter, encoding, missing)
    kept = [] if keep is None else keep.split(",")
    rows = predict_file(
        estimator,
        source,
        None if to_pipe else output,
        probabilities=probabilities,
        interval=interval,
        keep=kept,
    )
    warn(source.complaints())
    if not to_pipe and not quiet:
        print(f"{output}: {counted(rows, 'row')}")
