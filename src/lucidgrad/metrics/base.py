"""What a metric is: something that is added up over batches in bounded memory, and then read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
State = TypeVar("State")


class Metric(ABC, Generic[State]):
    """A number that is reported: ``state = update(state, ...)`` for each batch, then ``result(state)``.

    The state is a value, of a size that does not depend on the number of samples. Calling the metric does all of
    it at once for a whole set; the functions of this package are such calls.
    """

    @abstractmethod
    def init(self) -> State:
        """The state before any sample."""

    @abstractmethod
    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """The state with one more batch in it."""

    @abstractmethod
    def result(self, state: State) -> Any:
        """The metric of all samples so far: a float, or an array of one for each class."""

    def __call__(self, predictions: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The metric of a whole set."""
        return self.result(self.update(self.init(), predictions, targets, sample_weight))


def array_of(x: Any) -> Array:
    """The elements of a Tensor, an array or a list."""
    return x.numpy() if isinstance(x, Tensor) else np.asarray(x)


def weights_of(sample_weight: Any, batch: int) -> Array:
    """The weight of each sample, float64 (batch,): 1 where none is given."""
    if sample_weight is None:
        return np.ones(batch)
    w = array_of(sample_weight).astype(np.float64)
    if w.shape != (batch,):
        raise ShapeError(
            explain(
                f"sample_weight expected one number for each sample, shape ({batch},)",
                f"{w.shape}",
                "Pass weights of shape (batch,)",
            )
        )
    if not (np.isfinite(w).all() and w.min(initial=0) >= 0):
        raise ArgumentError(
            explain("sample_weight expected finite numbers >= 0", f"{w.min()} to {w.max()}", "Use 0 to leave one out")
        )
    return w
