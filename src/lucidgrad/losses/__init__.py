"""Losses: how far predictions are from targets, as one number that training makes small."""

from lucidgrad.losses.base import Loss as Loss
from lucidgrad.losses.classification import CrossEntropy
from lucidgrad.losses.regression import AbsoluteError, SquaredError, absolute_error, squared_error

LOSSES: dict[str, type[Loss]] = {
    "absolute_error": AbsoluteError,
    "squared_error": SquaredError,
    "cross_entropy": CrossEntropy,
}

__all__ = ["LOSSES", "AbsoluteError", "CrossEntropy", "Loss", "SquaredError", "absolute_error", "squared_error"]
