"""Metrics: what is reported about predictions, and not differentiated."""

from lucidgrad.metrics.base import Metric as Metric
from lucidgrad.metrics.classification import Accuracy, accuracy

METRICS: dict[str, Metric[object]] = {"accuracy": Accuracy()}  # type: ignore[dict-item]

__all__ = ["METRICS", "Accuracy", "Metric", "accuracy"]
