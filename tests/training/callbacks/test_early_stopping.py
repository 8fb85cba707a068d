"""EarlyStopping ends the run in time and gives back the best model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import nn
from lucidgrad.errors import ArgumentError
from lucidgrad.training import Callback, EarlyStopping, Run


class Remembers(Callback):
    """Keeps the model's state after each epoch."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []

    def on_epoch_end(self, run: Run) -> None:
        self.states.append({path: array.copy() for path, array in run.model.state().items()})


def is_state(run: Run, state: dict[str, Any]) -> bool:
    return all((array == state[path]).all() for path, array in run.model.state().items())


def test_early_stopping_restores_the_best_weights_and_buffers(train: Any, tells: Any) -> None:
    remembers = Remembers()
    lg.seed(1)
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm(4), nn.Linear(4, 2))
    stopping = EarlyStopping("score", patience=2)
    run = train(tells("score", [0.1, 0.9, 0.5, 0.6, 0.7]), stopping, remembers, model=model, epochs=5)
    assert run.epoch == 4
    assert run.stop_reason == "score was not better for 2 epochs"
    assert (stopping.best, stopping.best_epoch, stopping.wait) == (0.9, 2, 2)
    assert is_state(run, remembers.states[1])
    assert not is_state(run, remembers.states[3])
    assert "1.running_mean" in run.model.state()


@pytest.mark.parametrize(
    ("values", "patience", "min_delta", "epochs"),
    [
        ([5, 4, 3, 2, 1], 1, 0.0, 5),
        ([5, 5, 5, 5, 5], 1, 0.0, 2),
        ([5, 5, 5, 5, 5], 3, 0.0, 4),
        ([5, 6, 4, 6, 3], 2, 0.0, 5),
        ([5, 4.9, 4.8, 4.7, 1], 2, 0.5, 3),
        ([5, math.nan, math.nan, 1, 1], 2, 0.0, 3),
        ([math.nan, 5, 6, 7, 8], 2, 0.0, 4),
        ([math.inf, 5, 6, 7, 8], 2, 0.0, 4),
    ],
)
def test_it_waits_for_patience_epochs(
    train: Any, tells: Any, values: list[float], patience: int, min_delta: float, epochs: int
) -> None:
    run = train(tells("loss", values), EarlyStopping("loss", patience, min_delta), epochs=5)
    assert run.epoch == epochs


def test_the_best_is_restored_also_when_the_run_is_not_stopped_early_and_when_it_fails(train: Any, tells: Any) -> None:
    remembers = Remembers()
    run = train(tells("loss", [2.0, 1.0, 3.0]), EarlyStopping("loss"), remembers)
    assert is_state(run, remembers.states[1])

    class Fails(Callback):
        def on_epoch_end(self, run: Run) -> None:
            if run.epoch == 3:
                raise RuntimeError

    lg.seed(0)
    model = nn.Linear(2, 2)
    remembers = Remembers()
    with pytest.raises(RuntimeError):
        train(tells("loss", [2.0, 1.0, 3.0]), EarlyStopping("loss"), remembers, Fails(), model=model)
    assert all((a == remembers.states[1][path]).all() for path, a in model.state().items())


def test_without_restoring_the_last_weights_stay(train: Any, tells: Any) -> None:
    remembers = Remembers()
    run = train(tells("loss", [2.0, 1.0, 3.0]), EarlyStopping("loss", restore_best=False), remembers)
    assert is_state(run, remembers.states[2])


def test_where_no_epoch_has_a_number_the_weights_stay(train: Any, tells: Any) -> None:
    remembers = Remembers()
    run = train(tells("loss", [math.nan] * 3), EarlyStopping("loss"), remembers)
    assert is_state(run, remembers.states[2])


def test_a_column_that_is_not_there_is_named_with_those_that_are(train: Any) -> None:
    with pytest.raises(
        ArgumentError,
        match=r"EarlyStopping expected one of the columns epoch, loss, .*got 'validation_loss'. Pass validation=0.1",
    ):
        train(EarlyStopping())
    with pytest.raises(ArgumentError, match=r"got 'f1'. Name one of these"):
        train(EarlyStopping("f1"))
    with pytest.raises(ArgumentError, match="got 'max_abs_weight'"):
        train(EarlyStopping("max_abs_weight", mode="min"))


@pytest.mark.parametrize("options", [{"patience": 0}, {"min_delta": -1.0}, {"min_delta": math.nan}])
def test_numbers_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="patience >= 1 epochs and min_delta >= 0"):
        EarlyStopping("loss", **options)


def test_it_finds_the_epoch_before_a_large_network_fits_the_noise() -> None:
    """A run that is stopped early judges better on new data than the run that was not."""
    x, y = lg.data.moons(60, noise=0.4, seed=0)
    test_x, test_y = lg.data.moons(1000, noise=0.4, seed=1)
    found = {}
    for name, callbacks in (("early", [EarlyStopping(patience=20)]), ("late", [])):
        lg.seed(0)
        model = nn.Sequential(nn.Linear(2, 64), lg.functional.tanh, nn.Linear(64, 2))
        run = lg.fit(
            model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.02), epochs=300, batch_size=10,
            validation=0.4, callbacks=callbacks, progress=False,
        )  # fmt: skip
        found[name] = lg.evaluate(run.model, test_x, test_y, loss="cross_entropy")["loss"]
        assert (run.epoch < 300) == (name == "early")
    assert found["early"] < 0.8 * found["late"]
    assert np.isfinite(found["late"])
