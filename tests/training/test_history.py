"""History: rows in, columns out."""

from __future__ import annotations

import pytest

from lucidgrad.errors import ArgumentError
from lucidgrad.training import History

ROWS = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": float("nan")}, {"epoch": 3, "loss": 0.5, "accuracy": 0.9}]


def test_columns_are_lists_with_none_where_a_row_lacks_them() -> None:
    history = History(ROWS)
    assert history["epoch"] == [1, 2, 3]
    assert history["accuracy"] == [None, None, 0.9]
    assert history.columns == ["epoch", "loss", "accuracy"]
    assert "accuracy" in history
    assert "nothing" not in history


def test_best_passes_over_nan_and_missing_values() -> None:
    history = History(ROWS)
    assert history.best("loss")["epoch"] == 3
    assert history.best("loss", largest=True)["epoch"] == 1
    with pytest.raises(ArgumentError, match="at least one row"):
        history.best("validation_loss")


def test_an_unknown_column_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ArgumentError, match="epoch, loss, accuracy"):
        History(ROWS)["acuracy"]


def test_an_empty_history_is_empty() -> None:
    assert (len(History()), History().last, History()["loss"], repr(History())) == (0, {}, [], "History(no epochs)")


def test_the_table_is_aligned_and_leaves_out_nested_columns() -> None:
    text = repr(History([{"epoch": 1, "loss": 0.25, "max_abs_weight": {"0.weight": 1.0}}]))
    assert text.splitlines() == ["epoch  loss", "    1  0.25"]
