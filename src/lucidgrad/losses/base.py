"""What a loss is: one number for each sample, added up or averaged over the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.ops.promotion import FLOAT32
from lucidgrad.targets import (
    as_tensor,
    check_finite,
    check_same_shape,
    check_total_weight,
    check_weight_shape,
    check_weights,
    concrete,
)
from lucidgrad.tensor import Tensor

Reduction: TypeAlias = Literal["mean", "sum"]


class Loss(ABC):
    """How far predictions are from targets, as one number that can be differentiated.

    A concrete loss says what ``check`` asks of the targets and what the ``terms`` of its sum are; all else is here.

    Parameters
    ----------
    reduction
        ``"sum"`` adds up the weighted losses of the samples; ``"mean"`` divides that by the sum of the weights.

    Raises
    ------
    ArgumentError
        When an option is not one that the loss can mean.

    Notes
    -----
    The loss of one sample is the *sum* over its columns (outputs), so that the lesson's sum of abs(f(x) - y) means
    the same for one output and for several. PyTorch's "mean" divides by the number of elements instead, and
    scikit-learn averages the columns: there the value, and with it the best learning rate, depends on their number.

    Examples
    --------
    A loss of one's own says what it takes and what it adds up:

    >>> import lucidgrad as lg
    >>> from lucidgrad.losses import Loss, SquaredError
    >>> class Cubic(Loss):
    ...     def check(self, predictions, targets):
    ...         return SquaredError().check(predictions, targets)
    ...     def terms(self, predictions, targets):
    ...         return (predictions - targets).abs() ** 3
    >>> Cubic()(lg.Tensor([1.0, 4.0]), [1.0, 2.0])
    Tensor(4.)
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        if reduction not in get_args(Reduction):
            raise ArgumentError(
                explain(
                    f"{type(self).__name__} expected reduction 'mean' or 'sum'",
                    repr(reduction),
                    "For the loss of each sample by itself use loss.per_sample(predictions, targets)",
                )
            )
        self.reduction: Reduction = reduction

    def __call__(self, predictions: Any, targets: Any, sample_weight: Any = None) -> Tensor:
        """The loss of a batch: a scalar of the dtype of the predictions.

        Parameters
        ----------
        predictions
            (batch,) or (batch, columns); what they are, says each loss.
        targets
            As each loss says. One column and none mean the same, so (batch, 1) meets (batch,).
        sample_weight
            (batch,), none negative and not all 0. A weight of 2 counts the sample twice, 0 leaves it out.

        Raises
        ------
        ShapeError
            Where shapes do not belong together; (batch, 1) and (batch,) never become (batch, batch).
        DataError, DtypeError
            Targets that are NaN or infinite, labels out of range or not integers. Not looked for while traced.
        ArgumentError
            Weights that are negative, not finite, or all 0. Not looked for while traced.
        """
        return self.reduce(*self.sums(predictions, targets, sample_weight))

    def sums(self, predictions: Any, targets: Any, sample_weight: Any = None) -> tuple[Tensor, float | Tensor]:
        """The weighted sum over the samples and the sum of the weights, both scalars: to be added up over batches.

        Parameters
        ----------
        predictions, targets, sample_weight
            As in a call: (batch,) or (batch, columns), what fits to them, and (batch,).
        """
        p, t = self.checked(predictions, targets)
        return weighted_sums(p, self.terms(p, t), self.own_weight(p, t), sample_weight)

    def reduce(self, total: Tensor, weight: float | Tensor) -> Tensor:
        """The loss, from the sums of one batch or of several: a scalar.

        Parameters
        ----------
        total, weight
            Both a scalar, what ``sums`` gave.

        Raises
        ------
        ArgumentError
            When all weights are 0.
        """
        value = concrete(weight) if isinstance(weight, Tensor) else weight
        if value is not None:
            check_total_weight(type(self).__name__, float(value))
        return total / weight if self.reduction == "mean" else total

    def per_sample(self, predictions: Any, targets: Any) -> Tensor:
        """The loss of each sample, (batch,). Class weights are in it.

        Parameters
        ----------
        predictions, targets
            As in a call: (batch,) or (batch, columns), and what fits to them.
        """
        return sum_columns(self.terms(*self.checked(predictions, targets)))

    @abstractmethod
    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Both as tensors whose shapes and values fit together, or an error that says what does not.

        Parameters
        ----------
        predictions
            Floats, (batch,) or (batch, columns), at least one sample.
        targets
            As they were given, in the shape that each loss says.

        Raises
        ------
        ShapeError, DataError, DtypeError
            When the two do not fit together; values are not looked at while traced.
        """

    @abstractmethod
    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """What came through ``check`` to (batch,) or (batch, columns), whose columns add up to the loss of a sample.

        Parameters
        ----------
        predictions, targets
            What came through ``check``: (batch,) or (batch, columns), and what fits to them.
        """

    def own_weight(self, predictions: Tensor, targets: Tensor) -> Tensor | None:
        """What each sample counts in the mean, (batch,), where the loss itself weighs samples, as by their class.

        Parameters
        ----------
        predictions, targets
            What came through ``check``: (batch,) or (batch, columns), and what fits to them.
        """
        return None

    def checked(self, predictions: Any, targets: Any) -> tuple[Tensor, Tensor]:
        """``check``, for predictions of any kind: what ``terms`` can be applied to, (batch,) or (batch, columns).

        Parameters
        ----------
        predictions, targets
            As in a call: (batch,) or (batch, columns), and what fits to them.

        Raises
        ------
        ShapeError
            When there is no sample, or the two do not fit together.
        DataError, DtypeError
            As ``check``.
        """
        p = as_tensor(predictions)
        if not p.ndim or not p.shape[0]:
            raise ShapeError(
                explain(
                    f"{type(self).__name__} expected predictions (batch,) or (batch, columns) of at least one sample",
                    f"shape {p.shape}",
                    "The first axis counts samples; put a single prediction into brackets",
                )
            )
        return self.check(p if p.dtype.kind == "f" else p.astype(FLOAT32), targets)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def weighted_sums(
    predictions: Tensor, terms: Tensor, own_weight: Tensor | None, sample_weight: Any
) -> tuple[Tensor, float | Tensor]:
    """The weighted sum of the terms, and the sum of the weights."""
    if sample_weight is None:
        return terms.sum(), float(predictions.shape[0]) if own_weight is None else own_weight.sum()
    w = _sample_weight(sample_weight, predictions)
    return (sum_columns(terms) * w).sum(), (w if own_weight is None else own_weight * w).sum()


def sum_columns(terms: Tensor) -> Tensor:
    """(batch, ...) -> (batch,): added up over everything that belongs to one sample."""
    if not terms.ndim:
        raise ArgumentError(
            explain(
                "a loss for each sample, to be weighted or looked at, expected terms of shape (batch,)",
                "a scalar",
                "Let the loss function return one number for each sample instead of their mean",
            )
        )
    return terms if terms.ndim == 1 else terms.sum(tuple(range(1, terms.ndim)))


def quantities(who: str, targets: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    """Finite real targets in the given shape and dtype, those of the predictions."""
    t = as_tensor(targets, dtype)
    if t.shape != shape:
        check_same_shape(who, shape, t.shape)
        t = t.reshape(shape)
    values = concrete(t)
    if values is not None:
        check_finite(who, values)
    return t


def _sample_weight(weight: Any, predictions: Tensor) -> Tensor:
    w = as_tensor(weight, predictions.dtype)
    check_weight_shape(w.shape, predictions.shape[0])
    values = concrete(w)
    if values is not None:
        check_weights("sample_weight", values)
    return w
