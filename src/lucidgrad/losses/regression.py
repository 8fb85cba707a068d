"""Losses for real numbers: what a network is trained on when its targets are quantities."""

from __future__ import annotations

from typing import Any, final

from lucidgrad.losses.base import Loss, Reduction, columns_like
from lucidgrad.tensor import Tensor


class _Regression(Loss):
    """Targets are real numbers in the shape of the predictions."""

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        return predictions, columns_like(predictions, targets, type(self).__name__)


@final
class AbsoluteError(_Regression):
    """sum |f(x) - y|: robust against outliers, with slope 0 where the prediction is exact."""

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """|f(x) - y|."""
        return (predictions - targets).abs()


@final
class SquaredError(_Regression):
    """sum (f(x) - y)^2."""

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """(f(x) - y)^2."""
        d = predictions - targets
        return d * d


def absolute_error(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``AbsoluteError`` in one call."""
    return AbsoluteError(reduction)(predictions, targets, sample_weight)


def squared_error(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``SquaredError`` in one call."""
    return SquaredError(reduction)(predictions, targets, sample_weight)
