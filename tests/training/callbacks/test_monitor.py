"""Which column is watched, and what better means there."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lucidgrad.errors import ArgumentError
from lucidgrad.metrics import METRICS
from lucidgrad.training.callbacks.monitor import infer_mode, is_better

FALLING = {"zero_one", "log_loss", "mae", "mse"}


@pytest.mark.parametrize("name", ["loss", *METRICS])
@pytest.mark.parametrize("prefix", ["", "validation_"])
def test_every_metric_of_the_package_says_which_way_is_better(prefix: str, name: str) -> None:
    assert infer_mode(prefix + name, None) == ("min" if name == "loss" or name in FALLING else "max")


def test_a_given_mode_goes_before_the_name_and_an_unknown_name_needs_one() -> None:
    assert infer_mode("loss", "max") == "max"
    with pytest.raises(ArgumentError, match=r"'min' or 'max' for 'closest', got None.*mode='min' for a loss"):
        infer_mode("closest", None)  # "loss" is a part of no word of it
    with pytest.raises(ArgumentError, match="got 'smaller'"):
        infer_mode("loss", "smaller")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "best", "mode", "min_delta", "better"),
    [
        (1.0, 2.0, "min", 0.0, True),
        (2.0, 2.0, "min", 0.0, False),
        (1.5, 2.0, "min", 0.5, False),
        (1.0, 2.0, "max", 0.0, False),
        (3.0, 2.0, "max", 0.5, True),
        (math.nan, 2.0, "min", 0.0, False),
        (math.nan, math.nan, "max", 0.0, False),
        (math.inf, math.nan, "min", 0.0, True),
        (-math.inf, 2.0, "min", 0.0, True),
    ],
)
def test_nan_is_never_better(value: float, best: float, mode: Any, min_delta: float, better: bool) -> None:
    assert is_better(value, best, mode, min_delta) is better
