"""Sums over batches, from which the loss and the metrics of an epoch or of an evaluation follow."""

from __future__ import annotations

from typing import Any

from lucidgrad.losses import Loss
from lucidgrad.metrics import Metric
from lucidgrad.tensor import Tensor


class Totals:
    """Weighted sums over the batches so far, so that a short batch counts as what it is.

    Parameters
    ----------
    loss
        What is averaged or added up; None: only the metrics are wanted.
    metrics
        By the name they are reported under.
    """

    def __init__(self, loss: Loss | None, metrics: dict[str, Metric]) -> None:
        self._loss = loss
        self._metrics = metrics
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self.loss = 0.0
        self.weight = 0.0
        self.seconds = 0.0
        self.states: dict[str, Any] = {name: metric.init() for name, metric in self._metrics.items()}

    def add(
        self, sums: tuple[Any, Any] | None, predictions: Tensor, targets: Tensor, sample_weight: Tensor | None
    ) -> None:
        """Add a batch: what ``loss.sums`` gave for it, and what the metrics look at."""
        if sums is not None:
            self.loss += float(sums[0])
            self.weight += float(sums[1])
        for name, metric in self._metrics.items():
            self.states[name] = metric.update(self.states[name], predictions, targets, sample_weight)

    def mean_loss(self) -> float:
        """The loss of all samples so far: their mean, or their sum where the loss is one."""
        assert self._loss is not None  # asked for only where there is a loss
        return self.loss / self.weight if self._loss.reduction == "mean" else self.loss

    def results(self) -> dict[str, Any]:
        """The loss, where there is one, and the metrics of the batches so far."""
        loss = {} if self._loss is None else {"loss": self.mean_loss()}
        return loss | {name: metric.result(self.states[name]) for name, metric in self._metrics.items()}

    def state(self) -> dict[str, Any]:
        """The sums, for a checkpoint."""
        return {"loss": self.loss, "weight": self.weight, "seconds": self.seconds, "metrics": self.states}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from saved sums."""
        self.loss, self.weight, self.seconds = state["loss"], state["weight"], state["seconds"]
        self.states = state["metrics"]
