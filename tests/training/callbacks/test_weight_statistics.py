"""The numbers about the weights are what NumPy says they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.training import WeightStatistics


def test_mean_deviation_largest_and_relative_update_of_each_parameter(train: Any) -> None:
    model = nn.Linear(2, 2, key=lg.Key(0))
    begin = {path: array.astype(float) for path, array in model.state().items()}
    run = train(WeightStatistics(), model=model, epochs=1)
    row, end = run.history.last, {path: array.astype(float) for path, array in model.state().items()}
    assert row["mean_weight"] == {path: w.mean() for path, w in end.items()}
    assert row["std_weight"] == {path: w.std() for path, w in end.items()}
    assert row["max_abs_weight"] == {path: np.abs(w).max() for path, w in end.items()}
    moved = np.linalg.norm(end["weight"] - begin["weight"]) / np.linalg.norm(begin["weight"])
    assert row["relative_update"]["weight"] == moved
    assert not begin["bias"].any()
    assert row["relative_update"]["bias"] == 1.0  # from zeros: by the norm at the end


def test_a_layer_that_does_not_learn_is_seen_and_later_epochs_begin_where_the_last_ended(train: Any) -> None:
    run = train(WeightStatistics(), epochs=2, optimizer=optim.SGD(lambda step: 0.1 if step < 3 else 0.0))
    assert all(value > 0 for value in run.history.rows[0]["relative_update"].values())
    assert set(run.history.rows[1]["relative_update"].values()) == {0.0}


def test_a_model_that_has_diverged_has_statistics_too(train: Any) -> None:
    model = nn.Linear(2, 2)
    model.weight.data = np.full((2, 2), np.inf, np.float32)
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = train(WeightStatistics(), model=model, epochs=1)
    assert not math.isfinite(run.history.last["mean_weight"]["weight"])
    assert ["training stopped" in str(w.message) for w in caught] == [True]
