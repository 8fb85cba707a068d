"""What a loss is: one number for each sample, added up or averaged; and the checks that every loss shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lucidgrad.errors import ArgumentError, DataError, ShapeError, explain
from lucidgrad.ops.promotion import FLOAT32, check_dtype
from lucidgrad.tensor import Tensor

Reduction: TypeAlias = Literal["mean", "sum"]


class Loss(ABC):
    """How far predictions are from targets, as one number that can be differentiated.

    Parameters
    ----------
    reduction
        ``"mean"`` divides the weighted sum over the samples by the sum of the weights; ``"sum"`` leaves it.

    Notes
    -----
    The loss of one sample is the *sum* over its columns (outputs), so that the lesson's sum abs(f(x) - y) means the
    same for one output and for several. PyTorch's "mean" divides by the number of elements instead, and
    scikit-learn averages the columns: there the value, and so the best learning rate, depends on their number.
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in get_args(Reduction):
            raise ArgumentError(
                explain(
                    f"{type(self).__name__} expected reduction 'mean' or 'sum'",
                    repr(reduction),
                    "The loss of each sample by itself is loss.per_sample(predictions, targets)",
                )
            )
        self.reduction: Reduction = reduction

    def __call__(self, predictions: Any, targets: Any, sample_weight: Any = None) -> Tensor:
        """The loss of a batch, a scalar of the dtype of the predictions.

        Parameters
        ----------
        predictions
            (batch,) or (batch, columns); what exactly, says each loss.
        targets
            As each loss says. A single column and none are the same: (batch, 1) meets (batch,).
        sample_weight
            (batch,), none negative and not all zero. A weight of 2 counts as the sample twice, 0 as not at all.

        Raises
        ------
        ShapeError
            Where shapes do not belong together: nothing is broadcast from (batch,) to (batch, batch).
        DataError, DtypeError
            Targets that are NaN or infinite, labels that are out of range or no integers. Not looked for while traced.
        ArgumentError
            Weights that are negative, not finite, or all zero. Not looked for while traced.
        """
        total, weight = self.sums(predictions, targets, sample_weight)
        return total / weight if self.reduction == "mean" else total

    def sums(self, predictions: Any, targets: Any, sample_weight: Any = None) -> tuple[Tensor, float | Tensor]:
        """The weighted sum over the samples, and the sum of the weights: what batches add up before they divide."""
        p, t = self.check(_predictions(predictions, type(self).__name__), targets)
        terms, own_weight = self.terms(p, t), self.own_weight(p, t)
        if sample_weight is None:
            return terms.sum(), float(len(p)) if own_weight is None else own_weight.sum()
        w = _sample_weight(sample_weight, p)
        return (sum_columns(terms) * w).sum(), (w if own_weight is None else w * own_weight).sum()

    def per_sample(self, predictions: Any, targets: Any) -> Tensor:
        """The loss of each sample, (batch,); class weights are in it, sample weights are not."""
        return sum_columns(self.terms(*self.check(_predictions(predictions, type(self).__name__), targets)))

    @abstractmethod
    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Both as tensors whose shapes and values fit together; or an error that says what does not."""

    @abstractmethod
    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """(batch,) or (batch, columns), after ``check``; the sum over its columns is the loss of a sample."""

    def own_weight(self, predictions: Tensor, targets: Tensor) -> Tensor | None:
        """What each sample counts in the mean, (batch,), where the loss itself weighs samples (by class)."""
        return None

    def __repr__(self) -> str:
        options = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"{type(self).__name__}({options})"


# --- for those who write a loss -----------------------------------------------------------------------------------


def sum_columns(x: Tensor) -> Tensor:
    """(batch, ...) -> (batch,): added up over everything that belongs to one sample."""
    return x if x.ndim == 1 else x.sum(tuple(range(1, x.ndim)))


def concrete(x: Tensor) -> np.ndarray[Any, np.dtype[Any]] | None:
    """The elements, where there are any to be checked; None while a function is traced."""
    return x.raw if isinstance(x.raw, np.ndarray) else None


def columns_like(predictions: Tensor, targets: Any, loss: str) -> Tensor:
    """Real targets in the shape and dtype of the predictions; finite, or a DataError."""
    t = as_tensor(targets, predictions.dtype)
    if t.shape != predictions.shape:
        if squeezed(t.shape) != squeezed(predictions.shape):
            raise ShapeError(
                explain(
                    f"{loss} expected targets in the shape of the predictions {predictions.shape}",
                    f"{t.shape}",
                    "Reshape one of them; a column (batch, 1) and (batch,) are taken as the same",
                )
            )
        t = t.reshape(predictions.shape)
    values = concrete(t)
    if values is not None and not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            explain(
                f"{loss} expected finite targets",
                f"{values.flat[bad]} at {np.unravel_index(bad, values.shape)[0]}",
                "Drop or fill in such samples first",
            )
        )
    return t


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without a single last column: (batch, 1) and (batch,) alike."""
    return shape[:1] if len(shape) == 2 and shape[1] == 1 else shape


def as_tensor(x: Any, dtype: np.dtype[Any] | None = None) -> Tensor:
    """A Tensor as it is, anything else as a constant copy; floats in ``dtype`` when given."""
    if not isinstance(x, Tensor):
        array = np.array(x, dtype=dtype)
        check_dtype(array.dtype)
        array.setflags(write=False)
        return Tensor.wrap(array)
    return x if dtype is None else x.astype(dtype)


def _predictions(predictions: Any, loss: str) -> Tensor:
    p = as_tensor(predictions)
    if not p.ndim or not p.shape[0]:
        raise ShapeError(
            explain(
                f"{loss} expected predictions of shape (batch,) or (batch, columns), for at least one sample",
                f"{p.shape}",
                "The first axis counts samples; put a single one in brackets",
            )
        )
    return p if p.dtype.kind == "f" else p.astype(FLOAT32)


def _sample_weight(weight: Any, predictions: Tensor) -> Tensor:
    w = as_tensor(weight, predictions.dtype)
    if w.shape != predictions.shape[:1]:
        raise ShapeError(
            explain(
                f"sample_weight expected one number for each sample, shape {predictions.shape[:1]}",
                f"{w.shape}",
                "Pass weights of shape (batch,)",
            )
        )
    values = concrete(w)
    if values is not None:
        check_weights(values, "sample_weight")
    return w


def check_weights(values: np.ndarray[Any, np.dtype[Any]], name: str) -> None:
    """Raise an ArgumentError unless the weights are finite, none is negative and at least one is positive."""
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and 0 < high < np.inf):
        raise ArgumentError(
            explain(
                f"{name} expected finite numbers >= 0, at least one of them positive",
                f"values from {low} to {high}",
                "A mean over no weight at all is not defined, and a negative weight would ask for wrong answers",
            )
        )
