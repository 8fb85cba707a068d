"""Losses for classes: what a network is trained on when its targets are labels or probabilities."""

from __future__ import annotations

from typing import Any, final

from lucidgrad.errors import DataError
from lucidgrad.functional import is_class, where
from lucidgrad.losses.base import Loss, Reduction, as_tensor, concrete
from lucidgrad.tensor import Tensor


@final
class CrossEntropy(Loss):
    """-log softmax(logits)[label]: for one class out of several."""

    def __init__(
        self, reduction: Reduction = "mean", *, label_smoothing: float = 0.0, class_weight: Any = None
    ) -> None:
        super().__init__(reduction)
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Logits (batch, classes) and integer labels (batch,)."""
        labels = as_tensor(targets)
        values = concrete(labels)
        if values is not None and not (values.min() >= 0 and values.max() < predictions.shape[1]):
            raise DataError("labels")
        return predictions, labels

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Negative log-likelihood of the label."""
        # Subtract the maximum first: exp overflows float32 above 88, and after the subtraction the gap between large
        # logits is exact, while the logarithm of their sum would swallow it.
        shifted = predictions - predictions.detach().max(-1, keepdims=True)
        picked = where(is_class(targets, predictions.shape[1]), shifted, 0.0).sum(-1)
        return shifted.exp().sum(-1).log() - picked
