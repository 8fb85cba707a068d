"""A column of the history that callbacks watch, and what "better" means for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

from lucidgrad.errors import ArgumentError, explain

if TYPE_CHECKING:
    from lucidgrad.training.run import Run

Mode: TypeAlias = Literal["min", "max"]

_SMALLER_IS_BETTER = ("loss", "error", "mae", "mse", "zero_one")
_LARGER_IS_BETTER = ("accuracy", "top", "precision", "recall", "f1", "auc", "r2", "score")


def infer_mode(column: str, mode: Mode | None) -> Mode:
    """The given mode, or the one that the name of the column tells.

    >>> infer_mode("validation_loss", None), infer_mode("accuracy", None), infer_mode("my_number", "max")
    ('min', 'max', 'max')
    """
    if mode in ("min", "max"):
        return mode
    if mode is None and _has_word(column, _SMALLER_IS_BETTER):
        return "min"
    if mode is None and _has_word(column, _LARGER_IS_BETTER):
        return "max"
    raise ArgumentError(
        explain(
            f"mode expected 'min' or 'max' for {column!r}",
            repr(mode),
            "Say which is better: mode='min' for a loss, mode='max' for a score",
        )
    )


def _has_word(column: str, words: tuple[str, ...]) -> bool:
    return any(f"_{word}_" in f"_{column}_" for word in words)


def value_of(run: Run, column: str, who: str) -> float:
    """The number that the last epoch has in a column."""
    value = run.history.last.get(column)
    if not isinstance(value, int | float):
        numbers = [name for name, v in run.history.last.items() if isinstance(v, int | float)]
        hint = "Pass validation=0.1 to fit" if column.startswith("validation_") else "Name one of these columns"
        raise ArgumentError(explain(f"{who} expected one of the columns {', '.join(numbers)}", repr(column), hint))
    return float(value)


def is_better(value: float, best: float, mode: Mode, min_delta: float = 0.0) -> bool:
    """Whether ``value`` improves on ``best`` by more than ``min_delta``; NaN never does, and anything does on NaN."""
    if math.isnan(value) or math.isnan(best):
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta
