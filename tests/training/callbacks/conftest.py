"""A small run to hang callbacks into, and a callback that puts given numbers into the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.training import Callback, Run

X, Y = lg.data.xor(40, seed=0)


def train(*callbacks: Callback, **options: Any) -> Run:
    """Three epochs of three steps, unless the options say otherwise."""
    lg.seed(0)
    model = options.pop("model", None) or nn.Sequential(nn.Linear(2, 4), lg.functional.tanh, nn.Linear(4, 2))
    x, y = options.pop("data", (X, Y))
    given = {"loss": "cross_entropy", "optimizer": optim.SGD(0.5), "epochs": 3, "batch_size": 16, "progress": False}
    return lg.fit(model, x, y, callbacks=callbacks, **(given | options))


class Tells(Callback):
    """Puts one number after the other into a column, so that a test decides what the others see."""

    def __init__(self, column: str, values: list[float]) -> None:
        self.column, self.values = column, values

    def on_epoch_end(self, run: Run) -> None:
        run.history.last[self.column] = self.values[run.epoch - 1]


@pytest.fixture(name="train")
def train_fixture() -> Callable[..., Run]:
    return train


@pytest.fixture
def tells() -> type[Tells]:
    return Tells
