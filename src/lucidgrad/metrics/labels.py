"""Which class is predicted, and which is right: read from logits, probabilities or labels."""

from __future__ import annotations

import numpy as np

from lucidgrad.errors import DataError, ShapeError, explain
from lucidgrad.targets import Array, check_distribution, check_integers, check_labels, check_same_shape

UNKNOWN = -1  # the class of a prediction that is NaN: never right


def predicted_labels(predictions: Array) -> Array:
    """The predicted class of each sample, int64 (batch,).

    From (batch, classes) that of the largest column, the first of several; from one column of floats, logits, class
    1 above 0; integers and booleans are the labels themselves.
    """
    if predictions.ndim == 2 and predictions.shape[1] > 1:
        labels = np.argmax(predictions, axis=1)
        return np.where(np.isnan(predictions.max(axis=1)), UNKNOWN, labels)
    column = predictions.reshape(len(predictions), -1)
    if column.shape[1] != 1:
        raise ShapeError(
            explain(
                "predictions of classes expected shape (batch, classes), (batch, 1) or (batch,)",
                f"{predictions.shape}",
                "Flatten further axes into samples first",
            )
        )
    single = column[:, 0]
    if single.dtype.kind != "f":
        return single.astype(np.int64)
    return np.where(np.isnan(single), UNKNOWN, single > 0)


def true_labels(who: str, predictions: Array, targets: Array) -> Array:
    """The right class of each sample, int64 (batch,), for predictions as above.

    Beside (batch, classes) labels, or probabilities of that shape, of which the largest counts; beside one column of
    logits 0 and 1, or -1 and +1.
    """
    classes = predictions.shape[1] if predictions.ndim == 2 else 1
    if classes > 1 and targets.shape == predictions.shape:
        check_distribution(who, targets)
        largest: Array = np.argmax(targets, axis=1)
        return largest
    check_same_shape(who, predictions.shape[:1], targets.shape)
    labels = targets.reshape(-1)
    if classes == 1 and predictions.dtype.kind == "f":
        return two_classes(who, labels)
    check_integers(who, labels.dtype)
    if classes > 1:
        check_labels(who, labels, classes)
    return labels.astype(np.int64)


def two_classes(who: str, labels: Array) -> Array:
    """0 and 1, or -1 and +1, as classes 0 and 1."""
    if not any(np.isin(labels, pair).all() for pair in ((0, 1), (-1, 1))):
        raise DataError(
            explain(
                f"{who} expected labels 0 and 1, or -1 and +1, beside a single logit for each sample",
                f"{np.unique(labels)[:4].tolist()}",
                "Give more classes a column of logits each",
            )
        )
    return (labels > 0).astype(np.int64)
