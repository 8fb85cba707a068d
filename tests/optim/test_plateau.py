"""Plateau: when the rate falls, and what its state is."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidgrad.errors import ArgumentError
from lucidgrad.optim import Plateau


def factors(plateau: Plateau, metrics: list[float]) -> list[float]:
    state = plateau.init()
    found = []
    for metric in metrics:
        state = plateau.update(state, metric)
        found.append(state["factor"])
    return found


def test_the_rate_falls_after_more_bad_epochs_than_patience() -> None:
    assert factors(Plateau(factor=0.5, patience=2), [1.0, 1.0, 1.0, 1.0]) == [1.0, 1.0, 1.0, 0.5]


def test_a_better_epoch_starts_the_count_anew() -> None:
    assert factors(Plateau(factor=0.5, patience=1), [3.0, 3.0, 2.0, 2.0, 1.0]) == [1.0] * 5


def test_after_a_fall_the_cooldown_bears_bad_epochs() -> None:
    assert factors(Plateau(factor=0.5, patience=0, cooldown=2), [1.0] * 6) == [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_the_rate_does_not_fall_below_its_limit() -> None:
    assert factors(Plateau(factor=0.1, patience=0, min_factor=0.05), [1.0] * 4) == [1.0, 0.1, 0.05, 0.05]


def test_an_accuracy_is_better_when_larger() -> None:
    assert factors(Plateau("max", factor=0.5, patience=0), [0.5, 0.6, 0.6]) == [1.0, 1.0, 0.5]


def test_a_metric_of_nan_is_never_better() -> None:
    assert factors(Plateau(factor=0.5, patience=0), [1.0, float("nan")]) == [1.0, 0.5]
    assert factors(Plateau(factor=0.5, patience=0), [float("nan"), 1.0]) == [0.5, 0.5]


def test_the_state_can_be_saved_as_text() -> None:
    plateau = Plateau(patience=1)
    state = plateau.init()
    for metric in (1.0, 1.0, 1.0, 0.5):
        state = json.loads(json.dumps(state))
        new = plateau.update(state, metric)
        assert new is not state
        state = new
    assert state == {"factor": 0.1, "best": 0.5, "bad_epochs": 0, "cooldown": 0}


@given(st.lists(st.floats(-5, 5), max_size=30), st.integers(0, 3), st.integers(0, 3), st.floats(0.1, 0.9))
def test_update_is_pure_and_the_factor_never_rises(
    metrics: list[float], patience: int, cooldown: int, min_factor: float
) -> None:
    plateau = Plateau(factor=0.5, patience=patience, cooldown=cooldown, min_factor=min_factor)
    state = plateau.init()
    for metric in metrics:
        before = dict(state)
        new = plateau.update(state, metric)
        assert state == before
        assert new == plateau.update(state, metric)
        assert min_factor <= new["factor"] <= state["factor"]
        state = new


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: Plateau("lowest"), r"Plateau\(mode=...\) expected one of \('min', 'max'\), got 'lowest'"),  # type: ignore[arg-type]
    (lambda: Plateau(threshold_mode="x"), r"Plateau\(threshold_mode=...\) .* Use 'rel'"),  # type: ignore[arg-type]
    (lambda: Plateau(factor=1.0), r"Plateau\(factor=...\) expected a number in \(0, 1\), got 1.0"),
    (lambda: Plateau(patience=-1), r"Plateau\(patience=...\) expected an integer of at least 0, got -1"),
    (lambda: Plateau(threshold=-1.0), r"Plateau\(threshold=...\)"),
    (lambda: Plateau(cooldown=-1), r"Plateau\(cooldown=...\)"),
    (lambda: Plateau(min_factor=2.0), r"Plateau\(min_factor=...\)"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES, ids=[message.split(" ")[0] for _, message in MISTAKES])
def test_an_argument_that_makes_no_sense_is_refused_with_advice(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()
