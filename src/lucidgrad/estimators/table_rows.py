"""What comes beside a table, a row for each of its own: targets, weights, and which are held back, all checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning

from lucidgrad.data.table.frame import is_missing
from lucidgrad.errors import ArgumentError, DataError, counted, explain

Array = np.ndarray[Any, np.dtype[Any]]


def rows_with_targets(y: Any, rows: int, estimator: Any, name: str) -> Array:
    """The targets as an array with as many rows as the table, none of them missing."""
    if y is None:
        raise ArgumentError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. Pass a target for each row."
        )
    expected = f"{name} expected a target for each of {counted(rows, 'row')}"
    try:
        values = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    except ValueError:
        raise DataError(
            explain(expected, "rows of different lengths", "Pass one a row, or a list of one length")
        ) from None
    if values.ndim == 2 and values.shape[1] == 1:
        message = "A column-vector y was passed when a 1d array was expected. Please use y.ravel()."
        warnings.warn(message, DataConversionWarning, stacklevel=3)
        values = values[:, 0]
    if values.ndim not in (1, 2) or len(values) != rows:
        raise DataError(explain(expected, f"shape {values.shape}", "Pass one a row"))
    flat = values.reshape(-1)
    gone = np.isnan(flat) if flat.dtype.kind == "f" else np.fromiter((is_missing(v) for v in flat), bool, len(flat))
    if flat.dtype.kind in "OfU" and gone.any():
        count = int(gone.reshape(len(values), -1).any(axis=1).sum())
        raise DataError(
            explain(
                f"{name} expected a target in every row (Input {name} contains NaN)",
                f"none in {count:,} of {counted(rows, 'row')}",
                "Leave these rows out: a row without a target teaches nothing",
            )
        )
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise DataError(
            explain(
                f"{name} expected finite targets (Input {name} contains infinity)",
                counted(int(np.isinf(values).sum()), "infinite one"),
                "Leave these rows out",
            )
        )
    return values


def counting_rows(weight: Array) -> Array:
    """The rows of a weight above 0: the others are as if they were not there."""
    if not weight.any():
        raise ArgumentError(explain("sample_weight expected a positive weight", "zeros only", "Weigh some rows"))
    return np.flatnonzero(weight)


def masks_of(held_back: Any, rows: int) -> Array:
    """Which rows say when to stop, (splits, rows)."""
    masks = np.asarray(held_back)
    if masks.dtype != bool or masks.ndim not in (1, 2) or masks.shape[-1] != rows or not masks.size:
        raise ArgumentError(
            explain(
                f"held_back expected a bool for each of {counted(rows, 'row')}, or several such lists",
                f"{masks.dtype} of shape {masks.shape}",
                "Say True for the rows that say when to stop",
            )
        )
    return masks.reshape(-1, rows)
