"""Made-up measurements, and tasks so small that training takes no time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from lucidgrad.lab import Result, Task, Trial, load_task
from lucidgrad.training import History


def made_up(
    widths: Sequence[int] = (),
    activation: str = "",
    test: float = 0.9,
    *,
    group: str = "main",
    train: float | None = None,
    validation: Sequence[float] | None = None,
    losses: Sequence[float] = (0.5, 0.4, 0.3),
    weights: Sequence[tuple[float, float]] | None = None,
    gradients: Sequence[float] | None = None,
    optimizer: str = "adamw",
    batch_size: int | None = 32,
    seconds: float = 1.0,
    seed: int = 0,
    mistakes: list[int] | None = None,
    status: str = "done",
) -> Result:
    """A Result of 784 inputs and 10 classes; ``weights`` are max|w| at the start and at the end, layer by layer."""
    accuracies = list(validation or [test / 2, test, test])
    layers = [f"{2 * i}.weight" for i in range(len(widths) + 1)]
    spans = dict(zip(layers, weights or [(0.1, 0.4)] * len(layers), strict=True))
    rows = [
        {
            "epoch": i + 1,
            "loss": 1 / (i + 1),
            "accuracy": share,
            "training_loss": 1 / (i + 1),
            "training_accuracy": share,
            "validation_loss": losses[min(i, len(losses) - 1)],
            "validation_accuracy": share,
            "learning_rate": 0.1,
            "seconds": seconds / len(accuracies),
            "max_abs_weight": {
                path: low + (high - low) * (i + 1) / len(accuracies) for path, (low, high) in spans.items()
            },
        }
        for i, share in enumerate(accuracies)
    ]
    norms = list(gradients or [1.0] * len(layers))
    trial = Trial(group, tuple(widths), activation, optimizer, 0.1, "constant", len(rows), batch_size, seed)
    return Result(
        trial,
        (784, *widths, 10),
        1000 * len(layers),
        test if train is None else train,
        test,
        0.1,
        losses[-1],
        seconds,
        History(rows),
        {path: low for path, (low, _) in spans.items()},
        [dict(zip(layers, norms, strict=True))],
        mistakes,
        status,
    )


@pytest.fixture
def result():
    return made_up


@pytest.fixture(scope="session")
def small_digits() -> Task:
    """120 of the digits to train on and 60 to test on."""
    data = load_task("digits").data
    return Task(
        dataclasses.replace(
            data,
            x_train=data.x_train[:120],
            y_train=data.y_train[:120],
            x_test=data.x_test[:60],
            y_test=data.y_test[:60],
        )
    )
