"""Histories and models to draw, the same in every test."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.training import History


def history(epochs: int, start: float = 0.5, paths: tuple[str, ...] = ("0.weight", "0.bias", "2.weight")) -> History:
    return History(
        [
            {
                "epoch": e,
                "loss": 2.0 / e,
                "accuracy": 1 - (1 - start) / e,
                "validation_loss": 2.5 / e,
                "validation_accuracy": 0.9 - (0.9 - start) / e,
                "learning_rate": 0.1,
                "seconds": 0.5,
                "max_abs_weight": {path: 0.1 * e * (i + 1) for i, path in enumerate(paths)},
            }
            for e in range(1, epochs + 1)
        ]
    )


@pytest.fixture
def make_history():
    return history


@pytest.fixture
def linear_model():
    """Class 1 where feature 1 is larger than feature 2."""
    model = lg.nn.Linear(2, 2)
    model.load_state({"weight": np.array([[0, 4], [4, 0]], np.float32), "bias": np.zeros(2, np.float32)})
    return model
