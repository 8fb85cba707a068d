"""What a framework has to offer to be measured."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Trainer(ABC):
    """A network that one framework trains on one case, its data and its compiled code in place."""

    @abstractmethod
    def epoch(self) -> float:
        """Go over all rows once in a new random order; the mean training loss."""

    @abstractmethod
    def scores(self, x: Array) -> Array:
        """What predicts the classes of NumPy rows (n, features): an array (n, classes)."""

    def timed(self, epochs: int) -> float:
        """Seconds of so many epochs, one after the other."""
        start = time.perf_counter()
        for _ in range(epochs):
            self.epoch()
        return time.perf_counter() - start

    def accuracy(self, x: Array, y: Array) -> float:
        """The share of rows whose class is right."""
        return float(np.mean(np.argmax(self.scores(x), axis=1) == y))

    def close(self) -> None:  # noqa: B027 (most have nothing to end)
        """Let go of threads."""
