"""What losses and metrics both ask of the targets and the weights of samples, and why counting has no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, DataError, DtypeError, GradientError, ShapeError, counted, explain
from lucidgrad.ops.arrays import regular
from lucidgrad.ops.promotion import check_dtype
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


def array_of(x: Any) -> Array:
    """The elements of a Tensor, an array or a list: booleans, integers, or floats in the precision they have."""
    array = x.numpy() if isinstance(x, Tensor) else np.asarray(regular(x))
    check_dtype(array.dtype)
    return array


def as_tensor(x: Any, dtype: np.dtype[Any] | None = None) -> Tensor:
    """A Tensor as it is, anything else as a constant copy; in ``dtype``, or else the precision it has."""
    if isinstance(x, Tensor):
        return x if dtype is None else x.astype(dtype)
    with np.errstate(all="ignore"):  # what overflows a narrower dtype is found by the check for finite targets
        array = np.array(array_of(x), dtype=dtype)
    array.setflags(write=False)
    return Tensor.wrap(array)


def concrete(x: Tensor) -> Array | None:
    """The elements, where there are any to be checked; None while a function is traced."""
    return x.raw if isinstance(x.raw, np.ndarray) else None


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without a single last column: (batch, 1) and (batch,) mean the same."""
    return shape[:1] if len(shape) == 2 and shape[1] == 1 else shape


def check_same_shape(who: str, predictions: tuple[int, ...], targets: tuple[int, ...]) -> None:
    """Raise a ShapeError unless there is one target for each prediction: nothing is broadcast."""
    if squeezed(predictions) != squeezed(targets):
        raise ShapeError(
            explain(
                f"{who} expected targets in the shape of the predictions {predictions}",
                f"{targets}",
                "Reshape one of them; (batch, 1) and (batch,) are taken as the same, nothing is stretched",
            )
        )


def check_finite(who: str, values: Array) -> None:
    """Raise a DataError that names the first sample whose target is NaN or infinite."""
    if not np.isfinite(values).all():
        sample = int(np.nonzero(~np.isfinite(values))[0][0])
        raise DataError(
            explain(
                f"{who} expected finite targets",
                f"{values[sample]} for sample {sample}",
                "Drop such samples, or fill in what is missing, before training",
            )
        )


def check_labels(who: str, labels: Array, classes: int) -> None:
    """Raise a DataError that names the first label outside of 0 ... classes - 1."""
    if not (labels.min() >= 0 and labels.max() < classes):
        sample = int(np.nonzero((labels < 0) | (labels >= classes))[0][0])
        raise DataError(
            explain(
                f"{who} expected labels from 0 to {classes - 1} for {counted(classes, 'column')} of predictions",
                f"{labels[sample]} for sample {sample}",
                "Number the classes from 0, np.unique(labels, return_inverse=True)[1], "
                "and give the last layer one output for each",
            )
        )


def check_distribution(who: str, probabilities: Array) -> None:
    """Raise a DataError unless no probability is negative and each row adds up to 1 (within 0.001)."""
    off = ~(np.abs(probabilities.sum(axis=1, dtype=np.float64) - 1) <= 1e-3) | (probabilities.min(axis=1) < 0)
    if off.any():
        sample = int(np.flatnonzero(off)[0])
        raise DataError(
            explain(
                f"{who} expected class probabilities >= 0 that add up to 1 in each row",
                f"{probabilities[sample]} for sample {sample}",
                "Divide each row by its sum. For several classes at once use Logistic, a column for each",
            )
        )


def check_integers(who: str, dtype: np.dtype[Any]) -> None:
    """Raise a DtypeError for labels that are no integers."""
    if dtype.kind not in "iub":
        raise DtypeError(
            explain(
                f"{who} expected integer labels of shape (batch,)",
                f"dtype {dtype}",
                "Use labels.astype(np.int64) if they are class numbers; SquaredError is for quantities",
            )
        )


def check_weights(name: str, weights: Array) -> None:
    """Raise an ArgumentError unless the weights are finite and none is negative."""
    low, high = float(weights.min()), float(weights.max())
    if not (low >= 0 and high < np.inf):
        raise ArgumentError(
            explain(
                f"{name} expected finite numbers >= 0",
                f"numbers from {low:g} to {high:g}",
                "A weight says how often a sample counts; 0 leaves it out",
            )
        )


def check_total_weight(who: str, weight: float) -> None:
    """Raise an ArgumentError unless there is some weight to divide by."""
    if not weight > 0:
        raise ArgumentError(
            explain(
                f"{who} expected a sample of positive weight",
                f"weights that add up to {weight:g}",
                "Leave one sample at least; where most weights are 0 take larger batches",
            )
        )


def check_weight_shape(shape: tuple[int, ...], batch: int) -> None:
    """Raise a ShapeError unless there is one weight for each sample."""
    if shape != (batch,):
        raise ShapeError(
            explain(
                f"sample_weight expected shape ({batch},), one for each sample", f"{shape}", "Pass weights (batch,)"
            )
        )


def counting_has_no_gradient(what: str) -> GradientError:
    """The error for asking the gradient of something that counts right and wrong answers."""
    return GradientError(
        f"expected a loss that can be differentiated, got {what}. It counts right and wrong answers, so it is "
        "piecewise constant: its slope is 0 almost everywhere, which tells no weight where to go, and undefined at "
        "the jumps, where an answer changes. Train with CrossEntropy (or Logistic, for two classes), which falls as "
        f"answers get surer, and report {what} as a metric."
    )
