"""The table of metrics by name, and how ``metrics=`` of training is understood."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, final

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.metrics import classification, confusion, regression, zero_one
from lucidgrad.metrics.base import Metric, State, batch_of

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        classification.Accuracy(),
        classification.ZeroOne(),
        classification.TopK(5),
        classification.LogLoss(),
        confusion.Precision(),
        confusion.Recall(),
        confusion.F1(),
        regression.MeanAbsoluteError(),
        regression.MeanSquaredError(),
        regression.R2(),
    )
}

# Each function of the package is a call of one of these, so it needs not to see the whole set at once.
_FUNCTIONS: list[tuple[Callable[..., Any], Metric]] = [
    (classification.accuracy, METRICS["accuracy"]),
    (zero_one.zero_one_loss, METRICS["zero_one"]),
    (classification.top_k_accuracy, METRICS["top_5"]),
    (classification.log_loss, METRICS["log_loss"]),
    (confusion.confusion_matrix, confusion.ConfusionMatrix()),
    (confusion.precision, METRICS["precision"]),
    (confusion.recall, METRICS["recall"]),
    (confusion.f1, METRICS["f1"]),
    (regression.mean_absolute_error, METRICS["mae"]),
    (regression.mean_squared_error, METRICS["mse"]),
    (regression.r2_score, METRICS["r2"]),
]


for _function, _metric in _FUNCTIONS:  # a function given as a loss can say what is wrong with that
    _function.__dict__["not_differentiable"] = _metric.not_differentiable


def as_metric(metric: Any) -> tuple[str, Metric]:
    """The name and the Metric that is meant by a Metric, a name, or a function.

    Parameters
    ----------
    metric
        A name of ``METRICS``, or ``"top_3"`` with any number; a Metric; a function of this package; or a function of
        your own, called as ``f(predictions, targets)`` with the arrays of the whole set, which are kept for it.

    Raises
    ------
    ArgumentError
        For a name that is not known, or something that is no metric.

    Examples
    --------
    >>> from lucidgrad.metrics import as_metric
    >>> as_metric("top_3")
    ('top_3', TopK(k=3))
    >>> def largest_error(predictions, targets):
    ...     return abs(predictions - targets).max()
    >>> name, metric = as_metric(largest_error)
    >>> name, metric([1.0, 5.0], [1.0, 2.0])
    ('largest_error', 3.0)
    """
    if isinstance(metric, Metric):
        return metric.name, metric
    if isinstance(metric, str):
        return metric, _by_name(metric)
    if not callable(metric) or isinstance(metric, type):
        raise ArgumentError(
            explain("metrics expected names, Metrics, or functions (predictions, targets)", repr(metric), _NAMES)
        )
    name = getattr(metric, "__name__", type(metric).__name__)
    return name, next((m for function, m in _FUNCTIONS if metric is function), None) or OfWholeSet(name, metric)


_NAMES = f"The names are {', '.join(map(repr, METRICS))}"


def _by_name(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    if name.startswith("top_") and name[4:].isdecimal():
        return classification.TopK(int(name[4:]))
    close = get_close_matches(name, METRICS, n=1)
    raise ArgumentError(
        explain("metrics expected a name of METRICS", repr(name), f"Did you mean {close[0]!r}?" if close else _NAMES)
    )


@final
class OfWholeSet(Metric):
    """A function of all predictions and all targets: its state, unlike others, grows with the set.

    Sample weights are not handed on to it: it says itself what counts.
    """

    def __init__(self, name: str, function: Callable[[Any, Any], Any]) -> None:
        self.name = name
        self.function = function

    def init(self) -> State:
        """No batches."""
        return {}

    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """Keep one more batch."""
        n = len(state) // 2
        p, t = batch_of(self.name, predictions, targets)
        return {**state, f"predictions {n}": p, f"targets {n}": t}

    def result(self, state: State) -> Any:
        """What the function says about all of them."""
        if not state:
            raise ArgumentError(explain(f"{self.name} expected at least one sample", "none", "Update it first"))
        batches = range(len(state) // 2)
        p, t = (np.concatenate([state[f"{kind} {i}"] for i in batches]) for kind in ("predictions", "targets"))
        value = self.function(p, t)
        return value if np.ndim(value) else float(value)
