"""The HTML page about a trained model: what was learned from what, how good it is, and on which columns it leans."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import counted
from lucidgrad.files.container import versions
from lucidgrad.page import Image, png_image, render
from lucidgrad.plot import (
    calibration,
    confusion_matrix,
    importances,
    loss_curves,
    png_bytes,
    predicted_against_true,
)
from lucidgrad.tables.measuring import Measured
from lucidgrad.tables.trained import Trained

MOST_CLASSES_DRAWN = 30
MOST_COLUMNS = 200


def write_report(trained: Trained, path: str | os.PathLike[str], *, command: str = "", model: str = "") -> None:
    """Write the page; it appears whole or not at all.

    Parameters
    ----------
    trained
        From ``train``.
    path
        The HTML file.
    command
        What was typed, for the page.
    model
        The name of the model file.

    Raises
    ------
    OSError
        When it cannot be written.

    Examples
    --------
    >>> import tempfile, polars
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import Wishes, make_plan, train, write_report
    >>> fruit = polars.DataFrame({"weight": [120, 150, 8000], "fruit": ["apple", "apple", "melon"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     polars.concat([fruit] * 10).write_csv(f"{folder}/fruit.csv")
    ...     trained = train(make_plan(open_table(f"{folder}/fruit.csv"), Wishes("fruit")), {"epochs": 1, "members": 1})
    ...     write_report(trained, f"{folder}/report.html")
    ...     with open(f"{folder}/report.html", encoding="utf-8") as page:
    ...         page.readline()
    '<!DOCTYPE html>...'
    """
    plan, estimator = trained.plan, trained.estimator
    kinds: dict[str, int] = {}
    for column in plan.columns:
        kinds[column.kind] = kinds.get(column.kind, 0) + 1
    page = render(
        "lucidgrad.tables",
        list(_images(trained)),
        trained=trained,
        plan=plan,
        cards=_cards(trained),
        scores=list(zip(trained.measured.scores, trained.training.scores, strict=False)),
        columns=plan.columns[:MOST_COLUMNS],
        kinds=kinds,
        number=number,
        percent=percent,
        command=command,
        model=model,
        network=estimator.model_.summary(),
        settings=_settings(trained),
        version=versions()["lucidgrad"],
        python=platform.python_version(),
        numpy=np.__version__,
    )
    with atomic_write(Path(path)) as file:
        file.write(page.encode())


def number(value: float | None) -> str:
    """A measure as text.

    >>> number(0.97314), number(-1e-9), number(1234567.0), number(None), number(float("nan"))
    ('0.9731', '0.0000', '1,234,567', '', 'undefined')
    """
    if value is None:
        return ""
    if not np.isfinite(value):
        return "undefined"
    return (
        f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}" if abs(value) >= 10 else f"{round(value, 4) + 0.0:.4f}"
    )


def percent(value: float) -> str:
    """A share as text.

    >>> percent(0.1234)
    '12.3 %'
    """
    return f"{100 * value:.1f} %"


def _cards(trained: Trained) -> list[tuple[str, str, str]]:
    """A heading, a number, and what is beside it."""
    plan, held = trained.plan, trained.measured
    first = held.scores[0]
    share = plan.task == "classification"
    show = percent if share else number
    best = "" if first.baseline is None else f"{show(first.baseline)} without looking at the row"
    used = sum(c.is_used for c in plan.columns)
    learned = counted(trained.training.rows, "row was learned from", "rows were learned from")
    return [
        ("accuracy" if share else "R², explained variance", show(first.model), best),
        ("rows of the test" if trained.part == "test" else "held-back rows", f"{held.rows:,}", learned),
        ("columns used", f"{used:,}", f"of {len(plan.columns):,}"),
        ("epochs", f"{len(trained.estimator.history_):,}", f"{trained.seconds:.1f} s of training"),
    ]


def _images(trained: Trained) -> Iterator[Image]:
    plan, held = trained.plan, trained.measured
    unit = "nats" if plan.task == "classification" else "of the scaled target"
    curves = loss_curves(trained.estimator.history_, unit=unit)
    yield png_image(
        "loss",
        "The loss of each epoch; the best one is where the loss of the rows that say when to stop is least.",
        "curves",
        png_bytes(curves),
    )
    if trained.importance:
        bars = importances(
            [one.column for one in trained.importance],
            [one.rise for one in trained.importance],
            [one.deviation for one in trained.importance],
            label="rise of the log loss" if held.classes else "rise of the root mean squared error",
        )
        caption = "A column that can be shuffled without harm is not needed, or another one says the same."
        yield png_image("importance", caption, "importance", png_bytes(bars))
    yield from _of_classes(held) if held.classes else _of_values(held, plan.wishes.target)


def _of_classes(held: Measured) -> Iterator[Image]:
    if len(held.classes) <= MOST_CLASSES_DRAWN and held.confusion is not None:
        names = [c.label if len(c.label) <= 20 else f"{c.label[:19]}…" for c in held.classes]
        figure = confusion_matrix(held.confusion, names=[name.replace("$", r"\$") for name in names])
        yield png_image("confusion", "How often each class was taken for each.", "mistakes", png_bytes(figure))
    known = held.y >= 0
    if held.probabilities is not None and known.any():
        figure = calibration(held.y[known], np.clip(held.probabilities[known], 0, 1))
        yield png_image("calibration", "Whether it is as sure as it is right.", "mistakes", png_bytes(figure))


def _of_values(held: Measured, target: str) -> Iterator[Image]:
    figure = predicted_against_true(held.y, held.predicted, name=target)
    caption = "Each measured row as a dot, on the line where the prediction is right; and how the errors are spread."
    yield png_image("predicted", caption, "mistakes", png_bytes(figure))


def _settings(trained: Trained) -> dict[str, Any]:
    hidden = {"kinds", "callbacks", "progress", "column_order", "early_stopping", "validation_fraction"}
    given = trained.estimator.get_params(deep=False)
    return {name.replace("_", " "): value for name, value in given.items() if name not in hidden}
