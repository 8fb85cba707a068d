"""Metrics of single answers: how often the class is right, and how probable the right class was held to be."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from lucidgrad.errors import ArgumentError, DataError, DtypeError, ShapeError, explain
from lucidgrad.metrics.base import SampleMean
from lucidgrad.metrics.labels import predicted_labels, true_labels
from lucidgrad.targets import Array, check_distribution, check_same_shape, counting_has_no_gradient


@final
class Accuracy(SampleMean):
    """The share of samples whose class is predicted right. See ``accuracy``.

    Examples
    --------
    >>> from lucidgrad.metrics import Accuracy
    >>> metric = Accuracy()
    >>> state = metric.update(metric.init(), [[2.0, 1.0]], [0])
    >>> metric.result(metric.update(state, [[0.5, 3.0]], [0]))
    0.5
    """

    name = "accuracy"
    not_differentiable = str(counting_has_no_gradient("accuracy"))

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """1 where the class is right."""
        right: Array = predicted_labels(predictions) == true_labels(self.name, predictions, targets)
        return right


@final
class ZeroOne(SampleMean):
    """The share of samples whose class is predicted wrong. See ``zero_one_loss``.

    Examples
    --------
    >>> from lucidgrad.metrics import ZeroOne
    >>> ZeroOne()([2, 0, 1, 1], [2, 0, 2, 1])
    0.25
    """

    name = "zero_one"
    not_differentiable = str(counting_has_no_gradient("the 0-1 loss"))

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """1 where the class is wrong."""
        wrong: Array = predicted_labels(predictions) != true_labels(self.name, predictions, targets)
        return wrong


@final
class TopK(SampleMean):
    """The share of samples whose class is among the k largest logits. See ``top_k_accuracy``.

    Parameters
    ----------
    k
        At least 1.

    Raises
    ------
    ArgumentError
        When ``k`` is smaller.

    Examples
    --------
    >>> from lucidgrad.metrics import TopK
    >>> TopK(2)([[3.0, 2.0, 1.0]], [1])
    1.0
    """

    not_differentiable = str(counting_has_no_gradient("the top-k accuracy"))

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ArgumentError(explain("top_k_accuracy expected k >= 1", repr(k), "k=1 is the accuracy"))
        self.k = k
        self.name = f"top_{k}"

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """1 where fewer than k classes come before the right one; of equal logits the first class does."""
        if predictions.ndim != 2 or predictions.shape[1] < max(self.k, 2):
            raise ShapeError(
                explain(
                    f"{self.name} expected logits (batch, classes) of at least {max(self.k, 2)} classes",
                    f"{predictions.shape}",
                    "Every answer is among the first as many as there are classes: take a smaller k",
                )
            )
        labels = true_labels(self.name, predictions, targets)[:, None]
        own = np.take_along_axis(predictions, labels, axis=1)
        first = np.arange(predictions.shape[1]) < labels
        before = (predictions > own) | ((predictions == own) & first)
        right: Array = (before.sum(axis=1) < self.k) & ~np.isnan(predictions.max(axis=1))
        return right


@final
class LogLoss(SampleMean):
    """-log of the probability that was given to the right class. See ``log_loss``.

    Parameters
    ----------
    probabilities
        Predictions are probabilities instead of logits.

    Examples
    --------
    >>> from lucidgrad.metrics import LogLoss
    >>> LogLoss(probabilities=True)([[0.5, 0.5]], [0])
    0.693...
    """

    name = "log_loss"

    def __init__(self, *, probabilities: bool = False) -> None:
        self.probabilities = probabilities

    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """The number -log p[y] of each sample, (batch,), in float64."""
        if predictions.dtype.kind != "f":
            raise DtypeError(
                explain("log_loss expected logits or probabilities", f"{predictions.dtype}", "Labels are not enough")
            )
        p = predictions.astype(np.float64)
        with np.errstate(divide="ignore", over="ignore"):
            if p.ndim == 2 and p.shape[1] > 1:
                return _of_classes(self._log_probabilities(p), true_shares(p, targets))
            check_same_shape(self.name, p.shape, targets.shape)
            return self._of_one_column(p.reshape(-1), targets.reshape(-1).astype(np.float64))

    def _log_probabilities(self, p: Array) -> Array:
        if self.probabilities:
            check_distribution("log_loss(probabilities=True)", p)
            return np.log(p)
        z: Array = p - p.max(axis=1, keepdims=True)  # exp overflows above 709
        log_p: Array = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return log_p

    def _of_one_column(self, p: Array, t: Array) -> Array:
        _check_share("targets", t)
        if self.probabilities:
            _check_share("log_loss(probabilities=True) predictions", p)
            return _of_classes(np.log(np.stack([1 - p, p], axis=1)), np.stack([1 - t, t], axis=1))
        loss: Array = t * np.logaddexp(0, -p) + (1 - t) * np.logaddexp(0, p)
        return loss


def true_shares(predictions: Array, targets: Array) -> Array:
    """The right distribution of each sample, (batch, classes): given, or all on the label."""
    if targets.shape == predictions.shape:
        check_distribution("log_loss", targets)
        return targets.astype(np.float64)
    return np.eye(predictions.shape[1])[true_labels("log_loss", predictions, targets)]


def _of_classes(log_p: Array, share: Array) -> Array:
    """- sum of share * log p, where a class without a share counts nothing, however improbable."""
    loss: Array = -(share * np.where(share > 0, log_p, 0)).sum(axis=1)
    return loss


def _check_share(who: str, values: Array) -> None:
    if not (values.min() >= 0 and values.max() <= 1):
        raise DataError(
            explain(
                f"{who} expected numbers from 0 to 1, the probability of class 1",
                f"numbers from {values.min():g} to {values.max():g}",
                "Logits are log_loss's default; write (y + 1) / 2 for targets -1 and +1",
            )
        )


def accuracy(predictions: Any, targets: Any, sample_weight: Any = None) -> float:
    """The share of samples whose class is predicted right: 1 - the 0-1 loss.

    Parameters
    ----------
    predictions
        Logits or probabilities (batch, classes): the largest column is the class, the first of several. Or one
        logit (batch,) or (batch, 1): class 1 above 0. Or integer labels (batch,). NaN is never right.
    targets
        Integer labels (batch,); (batch, classes) probabilities, of which the largest counts; -1 and +1, or 0 and 1,
        beside one logit.
    sample_weight
        (batch,), none negative and not all 0.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ShapeError, DataError, DtypeError
        Shapes that do not belong together, no sample at all, labels out of range or not integers.

    Examples
    --------
    >>> from lucidgrad.metrics import accuracy
    >>> accuracy([[2.0, 1.0], [0.5, 3.0]], [0, 0]), accuracy([-1.5, 0.5], [0, 1]), accuracy([2, 0, 1], [2, 0, 2])
    (0.5, 1.0, 0.666...)
    """
    return Accuracy()(predictions, targets, sample_weight)  # type: ignore[no-any-return]


def top_k_accuracy(predictions: Any, targets: Any, sample_weight: Any = None, *, k: int = 5) -> float:
    """The share of samples whose class is among the k largest logits.

    Parameters
    ----------
    predictions
        Logits or probabilities (batch, classes), at least k classes. Of equal ones the first class comes first, as
        in ``accuracy``, which this is for k = 1; scikit-learn takes the last.
    targets, sample_weight
        As ``accuracy``, both (batch,).
    k
        How many answers each sample has, at least 1.

    Examples
    --------
    >>> from lucidgrad.metrics import top_k_accuracy
    >>> top_k_accuracy([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], [1, 2], k=2)
    0.5
    """
    return TopK(k)(predictions, targets, sample_weight)  # type: ignore[no-any-return]


def log_loss(predictions: Any, targets: Any, sample_weight: Any = None, *, probabilities: bool = False) -> float:
    """The mean of -log of the probability given to the right class, in float64: cross-entropy as it is reported.

    Parameters
    ----------
    predictions
        Logits (batch, classes), or one logit (batch,) or (batch, 1) whose sigmoid is the probability of class 1.
    targets
        Integer labels (batch,), or probabilities (batch, classes); beside one logit 0, 1 or a probability.
    sample_weight
        (batch,), none negative and not all 0.
    probabilities
        Predictions are probabilities instead of logits. One of 0 for the right class gives infinity, where
        scikit-learn clips it to the smallest step of the dtype.

    Examples
    --------
    >>> from lucidgrad.metrics import log_loss
    >>> log_loss([[0.0, 0.0]], [1]), log_loss([[0.75, 0.25]], [0], probabilities=True)
    (0.693..., 0.287...)
    """
    return LogLoss(probabilities=probabilities)(predictions, targets, sample_weight)  # type: ignore[no-any-return]
