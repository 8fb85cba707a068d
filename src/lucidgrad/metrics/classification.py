"""Metrics of classes: how often the prediction is right, and in which way it is wrong."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from lucidgrad.metrics.base import Array, Metric, array_of, weights_of


@final
class Accuracy(Metric[tuple[float, float]]):
    """The weighted share of samples whose class is predicted right."""

    def init(self) -> tuple[float, float]:
        """No weight right, of none."""
        return 0.0, 0.0

    def update(
        self, state: tuple[float, float], predictions: Any, targets: Any, sample_weight: Any = None
    ) -> tuple[float, float]:
        """Add a batch of logits (batch, classes) or labels (batch,)."""
        right = labels_of(predictions) == array_of(targets).reshape(-1)
        w = weights_of(sample_weight, len(right))
        return state[0] + float(w @ right), state[1] + float(w.sum())

    def result(self, state: tuple[float, float]) -> float:
        """The weight that is right by all weight."""
        return state[0] / state[1]


def accuracy(predictions: Any, targets: Any, sample_weight: Any = None) -> float:
    """The weighted share of samples whose class is predicted right."""
    return float(Accuracy()(predictions, targets, sample_weight))


def labels_of(predictions: Any) -> Array:
    """The predicted labels (batch,): where logits (batch, classes) are largest, or one logit is above 0."""
    p = array_of(predictions)
    if p.ndim == 2 and p.shape[1] > 1:
        return np.argmax(p, axis=1)
    flat = p.reshape(-1)
    return (flat > 0).astype(np.int64) if flat.dtype.kind == "f" else flat
