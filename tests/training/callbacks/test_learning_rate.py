"""The learning rate changes between epochs as it was told to."""

from __future__ import annotations

from typing import Any

import pytest

from lucidgrad import optim
from lucidgrad.errors import ArgumentError
from lucidgrad.optim import Plateau
from lucidgrad.training import LearningRate, ReduceOnPlateau


def test_a_factor_multiplies_the_rate_or_the_schedule_of_the_optimiser(train: Any) -> None:
    fixed = train(LearningRate(lambda epoch: 1 / (1 + epoch)), optimizer=optim.SGD(0.6))
    assert fixed.history["learning_rate"] == pytest.approx([0.6, 0.3, 0.2], rel=1e-15)
    scheduled = train(LearningRate(lambda epoch: 2.0**epoch), optimizer=optim.SGD(optim.step_decay(0.6, 3, 0.5)))
    assert scheduled.history["learning_rate"] == pytest.approx([0.6, 0.6, 0.6], rel=1e-15)


def test_an_absolute_rate_takes_the_place_of_the_optimisers(train: Any) -> None:
    run = train(LearningRate([0.3, 0.2, 0.1].__getitem__, absolute=True), optimizer=optim.Adam(0.07))
    assert run.history["learning_rate"] == pytest.approx([0.3, 0.2, 0.1], rel=1e-15)


def test_the_rate_is_the_one_that_steps_are_taken_with(train: Any) -> None:
    at_once = train(optimizer=optim.SGD(0.25), epochs=1)
    factor = train(LearningRate(lambda _: 0.5), optimizer=optim.SGD(0.5), epochs=1)
    assert factor.history["loss"] == at_once.history["loss"]
    assert all(
        (a == b).all() for a, b in zip(factor.model.state().values(), at_once.model.state().values(), strict=True)
    )


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_rate_that_is_no_rate_is_refused_with_its_epoch(train: Any, value: float) -> None:
    with pytest.raises(ArgumentError, match=f"finite number of at least 0, got {value} for epoch 1"):
        train(LearningRate(lambda epoch: value if epoch == 1 else 1.0))


@pytest.mark.parametrize("rate", [optim.constant(0.1), 0.0])
def test_absolute_needs_a_number_to_take_the_place_of(train: Any, rate: Any) -> None:
    with pytest.raises(ArgumentError, match="a number above 0"):
        train(LearningRate(lambda _: 0.1, absolute=True), optimizer=optim.SGD(rate))


def test_only_one_callback_sets_the_rate_and_only_where_there_is_one(train: Any) -> None:
    with pytest.raises(ArgumentError, match=r"\['LearningRate', 'ReduceOnPlateau'\]"):
        train(LearningRate(lambda _: 1.0), ReduceOnPlateau("loss"))
    with pytest.raises(ArgumentError, match="ReduceOnPlateau expected an optimiser with a learning rate, got LBFGS"):
        train(ReduceOnPlateau("loss"), optimizer=optim.LBFGS(), batch_size=None)


def test_the_rate_falls_when_the_column_does_not_get_better(train: Any, tells: Any) -> None:
    values = [0.5, 0.6, 0.6, 0.6, 0.6]
    rule = Plateau("max", factor=0.5, patience=1)
    run = train(tells("accuracy", values), ReduceOnPlateau("accuracy", rule), epochs=5, optimizer=optim.SGD(0.8))
    assert run.history["learning_rate"] == [0.8, 0.8, 0.8, 0.8, 0.4]


def test_the_direction_follows_from_the_name_of_the_column() -> None:
    assert ReduceOnPlateau("validation_accuracy").plateau.mode == "max"
    assert ReduceOnPlateau().plateau.mode == "min"
    with pytest.raises(ArgumentError, match="'min' or 'max' for 'mine'"):
        ReduceOnPlateau("mine")


def test_a_column_that_is_not_there_is_named(train: Any) -> None:
    with pytest.raises(ArgumentError, match="ReduceOnPlateau expected one of the columns"):
        train(ReduceOnPlateau())
