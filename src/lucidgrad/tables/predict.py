"""Ask a model about the rows of a file, a part at a time, so that a file larger than the memory can be asked about."""

from __future__ import annotations

import gzip
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lucidgrad.atomic import atomic_write, atomic_write_of_parts
from lucidgrad.data.table_file import Batch, TableFile
from lucidgrad.data.table_file.types_in_parts import TypesInParts
from lucidgrad.data.table_file.values import Type
from lucidgrad.errors import ArgumentError, DataError, counted, explain
from lucidgrad.estimators import TabularClassifier, TabularRegressor
from lucidgrad.estimators.intervals import is_enough, least_scores, worth
from lucidgrad.tables.measuring import Measured, measure
from lucidgrad.tables.target import targets
from lucidgrad.tables.trained import numbers_of_labels

if TYPE_CHECKING:
    import polars

NUMBERS_AT_ONCE = 1_000_000
"""In a batch: rows times columns."""
PREDICTION = "prediction"


def types_of(estimator: Any) -> dict[str, Type]:
    """The columns that a model needs, with what they were in training."""
    if not isinstance(estimator, TabularClassifier | TabularRegressor):
        got = type(estimator).__name__
        raise ArgumentError(
            explain("a model for tables expected", got, "Train one with lucidgrad train, or predict in Python")
        )
    made: dict[str, Type] = {}
    for column in estimator.columns_:
        if column.is_used:
            is_number = column.dtype == "number" or column.kind == "numeric"
            made[column.name] = "number" if is_number else "boolean" if column.dtype == "boolean" else "text"
    return made


def batches(source: TableFile, types: Mapping[str, Type], others: Sequence[str] = ()) -> Iterator[Batch]:
    """The rows of a file with the columns that a model needs, in any order; others besides, as they stand."""
    source.require(list(types), "of training")
    rows = int(np.clip(NUMBERS_AT_ONCE // max(len(types), 1), 256, 1 << 14))
    return source.batches(types, others=others, rows=rows)


def predict_file(
    estimator: Any,
    source: TableFile,
    output: Path | None,
    *,
    probabilities: bool = False,
    interval: float | None = None,
    keep: Sequence[str] = (),
) -> int:
    r"""Write what a model says of each row of a file.

    Parameters
    ----------
    estimator
        A fitted TabularClassifier or TabularRegressor.
    source
        From ``lucidgrad.data.open_table``.
    output
        CSV, or Parquet where it ends in ``.parquet``, packed where in ``.gz``; it appears whole or not at all. None:
        CSV to standard output.
    probabilities
        Also the probability of each class.
    interval
        Also the ends of an interval that holds the number with this probability.
    keep
        Columns of the file to write in front, as they stand there. Parquet out of text gets them as the numbers, truth
        values and dates that all their values are, or else as text.

    Returns
    -------
    How many rows there were.

    Raises
    ------
    DataError
        When a column is missing or the file is malformed.
    ArgumentError
        When what is asked for does not go with the model; what to do is told by the options of ``lucidgrad predict``.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import predict_file
    >>> model = lg.TabularRegressor(hidden_layer_sizes=(8,), members=1, pieces=0, epochs=5, random_state=0)
    >>> _ = model.fit({"area": [50, 60, 70, 80] * 5}, [150, 180, 210, 240] * 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "new.csv"
    ...     _ = source.write_text("area,street\n55,Broadway\n75,Main Street")
    ...     predict_file(model, open_table(source), Path(folder) / "out.csv", keep=["street"])
    ...     (Path(folder) / "out.csv").read_text().splitlines()
    2
    ['street,prediction', 'Broadway,...', 'Main Street,...']
    """
    is_classifier = isinstance(estimator, TabularClassifier)
    if probabilities and not is_classifier:
        raise ArgumentError(explain("--probabilities expected classes", "a model of numbers", "Try --interval 0.9"))
    if probabilities:
        require_probabilities(estimator)
    if interval is not None and is_classifier:
        raise ArgumentError(explain("--interval expected numbers", "a model of classes", "Try --probabilities"))
    types_wanted = types_of(estimator)
    if interval is not None:
        _require_interval(estimator, interval)
    keep = list(dict.fromkeys(keep))
    source.require(keep, "to keep")
    made = _names(estimator, probabilities, interval)
    if double := [name for name in keep if name in made]:
        got = f"a column {double[0]!r} to keep"
        raise ArgumentError(explain(f"the output has a column {double[0]!r}", got, "Rename the one in the file"))
    rows = 0
    types = None if source.layout is None else TypesInParts(keep, source.missing)
    with open_output(output, types) as write:
        for batch in batches(source, types_wanted, keep):
            write(_answer(estimator, batch, made, probabilities, interval))
            rows += batch.frame.height
        if not rows:
            raise DataError(explain(f"{source.path} expected rows", "a header alone", "Check how it was written"))
    return rows


def require_probabilities(estimator: Any) -> None:
    """ArgumentError for classes that are told by their scores alone."""
    if not hasattr(estimator, "predict_proba"):
        raise ArgumentError(
            explain(
                "probabilities and the measures of them expected a model that was trained by a loss that knows them",
                f"loss={estimator.loss!r}",
                "lucidgrad predict gives its labels; what lucidgrad train makes, and loss='cross_entropy', knows them",
            )
        )


def _require_interval(estimator: TabularRegressor, share: float) -> None:
    """ArgumentError for a share that the model has no intervals of, with what the command line can do about it."""
    if not 0 < share < 1:
        got = f"{share:g}"
        raise ArgumentError(explain("--interval expected a share between 0 and 1", got, "--interval 0.9 is usual"))
    held, weight = estimator.residuals_, estimator._residual_weight
    if is_enough(held, weight, share):
        return
    known = 0.0 if held is None else float(len(held)) if weight is None else worth(weight)
    most = math.floor(1000 * known / (known + 1)) / 1000
    less = f"Ask for at most --interval {most:g}, or train" if most else "Train"
    raise ArgumentError(
        explain(
            f"--interval {share:g} expected a model with {counted(least_scores(share), 'row')} that said when to stop",
            f"one with {known:.3g}" if known else "one with none",
            f"{less} with more such rows: lucidgrad train --validation-fraction, or --validation-file",
        )
    )


def _names(estimator: Any, probabilities: bool, interval: float | None) -> list[str]:
    names = [PREDICTION]
    if probabilities:
        names += [f"probability of {label}" for label in estimator.classes_.tolist()]
    return names + (["low", "high"] if interval is not None else [])


def _answer(
    estimator: Any, batch: Batch, names: list[str], probabilities: bool, interval: float | None
) -> polars.DataFrame:
    import polars

    x = batch.frame
    if isinstance(estimator, TabularClassifier):
        p = estimator.predict_proba(x) if probabilities else None
        labels = estimator.predict(x) if p is None else estimator.classes_[p.argmax(axis=1)]
        values = [labels.tolist(), *([] if p is None else p.T)]
    else:
        values = [estimator.predict(x)]
        if interval is not None:
            values += list(estimator.predict_interval(x, interval).T)
    answers = [polars.Series(name, v) for name, v in zip(names, values, strict=True)]
    kept = [] if batch.others is None else batch.others.get_columns()
    return polars.DataFrame([*kept, *answers])


@contextmanager
def open_output(path: Path | None, types: TypesInParts | None = None) -> Iterator[Any]:
    """A function that writes frames one behind the other; what it makes appears at the end of the block, or not.

    Columns of text that ``types`` is asked about are in Parquet what they turn out to be.
    """
    if path is None:
        yield _csv_writer(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if path.suffix.lower() not in (".parquet", ".pq"):
        with atomic_write(path) as file:
            if path.suffix.lower() != ".gz":
                yield _csv_writer(file)
            else:
                with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
                    yield _csv_writer(packed)
        return
    import polars

    with atomic_write_of_parts(path) as (file, folder):
        parts: list[str] = []

        def write(frame: polars.DataFrame) -> None:
            parts.append(os.path.join(folder, f"{len(parts):08}.parquet"))  # noqa: PTH118 - text, for polars
            frame.write_parquet(parts[-1])
            if types is not None:
                types.look(frame)

        yield write
        whole = polars.scan_parquet(parts, glob=False)
        (whole if types is None else whole.with_columns(types.columns())).sink_parquet(file)


def _csv_writer(file: Any) -> Any:
    begun = False

    def write(frame: polars.DataFrame) -> None:
        nonlocal begun
        file.write(frame.write_csv(include_header=not begun).encode())
        begun = True

    return write


def evaluate_file(estimator: Any, source: TableFile, target: str) -> tuple[Measured, list[str]]:
    r"""Measure a model on the rows of a file that has the target.

    Parameters
    ----------
    estimator
        A fitted TabularClassifier or TabularRegressor.
    source
        From ``lucidgrad.data.open_table``.
    target
        The column with the true answers.

    Returns
    -------
    What was measured, and what the reader should know about the file.

    Raises
    ------
    DataError
        When a column is missing, or there is no row with a target.
    ArgumentError
        For a classifier whose loss knows no probabilities.

    Examples
    --------
    >>> import tempfile, lucidgrad as lg
    >>> from pathlib import Path
    >>> from lucidgrad.data import open_table
    >>> from lucidgrad.tables import evaluate_file
    >>> model = lg.TabularRegressor(hidden_layer_sizes=(8,), members=1, pieces=0, epochs=5, random_state=0)
    >>> _ = model.fit({"area": [50, 60, 70, 80] * 5}, [150, 180, 210, 240] * 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "sold.csv"
    ...     _ = source.write_text("area,price\n55,165\n75,225\n65,")
    ...     measured, notes = evaluate_file(model, open_table(source), "price")
    >>> measured.rows, notes
    (2, ['1 row without a price is left out'])
    """
    import polars

    source.require([target], "with the true answers")
    is_classifier = isinstance(estimator, TabularClassifier)
    if is_classifier:
        require_probabilities(estimator)
    wanted: Type = "number"
    if is_classifier:
        kind = estimator.classes_.dtype.kind
        wanted = "boolean" if kind == "b" else "number" if kind in "iuf" else "text"
    types = types_of(estimator) | {target: wanted}
    true, answers, gone = [], [], 0
    for batch in batches(source, types):
        there = batch.frame.get_column(target).is_not_null()
        gone += int((~there).sum())
        frame = batch.frame.filter(there)
        if not frame.height:
            continue
        column = frame.get_column(target)
        if wanted == "text" and column.dtype != polars.String:
            column = column.cast(polars.String)
        y = targets(source, column, "classification" if is_classifier else "regression", batch.lines[there.to_numpy()])
        true.append(numbers_of_labels(estimator, y) if is_classifier else y)
        answers.append(estimator.predict_proba(frame) if is_classifier else estimator.predict(frame))
    if not true:
        raise DataError(explain(f"{source.path} expected rows with a {target!r}", "none", "Check the file"))
    y, classes = np.concatenate(true), estimator.classes_ if is_classifier else None
    notes = source.complaints()
    if gone:
        notes.append(counted(gone, f"row without a {target} is left out", f"rows without a {target} are left out"))
    if is_classifier and (y < 0).any():
        one = "row is of a class that the model does not know, and counts as wrong"
        several = "rows are of classes that the model does not know, and count as wrong"
        notes.append(counted(int((y < 0).sum()), one, several))
    known = y[y >= 0] if is_classifier else y
    base = np.bincount(known, minlength=len(classes)) / max(len(known), 1) if classes is not None else [y.mean()]
    return measure(y, np.concatenate(answers), classes, np.asarray(base), "this file"), notes
