"""``lucidgrad evaluate``: how good a model is on the rows of a file with the true answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lucidgrad.cli.tables import Delimiter, Encoding, Missing, console, model_of, opened, show_measured, warn
from lucidgrad.page import to_json
from lucidgrad.tables import evaluate_file


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file: model.lucidgrad.", show_default=False)],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="CSV, TSV or Parquet with the target.", show_default=False)
    ],
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The true answers.", show_default="the target of training"),
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    missing: Missing = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs instead of tables.")] = False,
) -> None:
    """Measure a model on a table that has the true answers, beside a baseline that does not look at the row.

    Exit codes: 0 done, 1 an error that is explained, 2 a command that was not understood, 130 after Ctrl-C.
    """
    estimator = model_of(model)
    column = target or getattr(estimator, "target_name_", None)
    if column is None:
        raise typer.BadParameter("the model does not say what its target is called: name it", param_hint="--target")
    measured, notes = evaluate_file(estimator, opened(data, delimiter, encoding, missing), column)
    warn(notes)
    if as_json:
        print(to_json({"model": str(model), "data": str(data), "target": column, **measured.record()}), end="")
    else:
        show_measured(console(), measured)
