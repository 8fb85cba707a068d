"""A loss for quantiles: what a network is trained on that says within which bounds a quantity lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, explain
from lucidgrad.losses.base import Loss, Reduction, quantities
from lucidgrad.targets import as_tensor
from lucidgrad.tensor import Tensor


@final
class Quantile(Loss):
    """q max(y - f(x), 0) + (1 - q) max(f(x) - y, 0): the pinball loss.

    Its best constant prediction is the q-quantile of the targets (Koenker and Bassett 1978).

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.
    q
        A number in (0, 1), the same for all columns; or one for each column of the predictions, which then are that
        many quantiles of one target (batch,) or of a target each (batch, columns).

    Raises
    ------
    ArgumentError
        When a ``q`` is not in (0, 1).

    Notes
    -----
    Of the slopes that are possible where f(x) = y, 0 is taken. scikit-learn's mean_pinball_loss averages columns.

    Examples
    --------
    >>> from lucidgrad.losses import Quantile
    >>> Quantile(q=0.9).per_sample([1.0, 3.0], [2.0, 2.0])
    Tensor([0.9, 0.1], dtype=float64)
    >>> Quantile(q=(0.1, 0.9)).per_sample([[1.0, 3.0]], [2.0])
    Tensor([0.2], dtype=float64)
    """

    def __init__(self, reduction: Reduction = "mean", *, q: float | Sequence[float] = 0.5) -> None:
        super().__init__(reduction)
        values = np.asarray(q, np.float64)
        if values.ndim > 1 or not values.size or not ((values > 0) & (values < 1)).all():
            raise ArgumentError(
                explain("Quantile expected q in (0, 1), or several of them", repr(q), "The median is q=0.5")
            )
        self.q: float | tuple[float, ...] = tuple(values.tolist()) if values.ndim else float(values)

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Targets like the predictions, or one (batch,) for all the quantiles."""
        if isinstance(self.q, float):
            return predictions, quantities("Quantile", targets, predictions.shape, predictions.dtype)
        if predictions.ndim != 2 or predictions.shape[1] != len(self.q):
            raise ShapeError(
                explain(
                    f"Quantile expected predictions (batch, {len(self.q)}), a column for each q",
                    f"{predictions.shape}",
                    "Give the last layer as many outputs as there are quantiles",
                )
            )
        t = as_tensor(targets, predictions.dtype)
        shape = predictions.shape if t.ndim == 2 and t.shape[1] > 1 else (predictions.shape[0], 1)
        return predictions, quantities("Quantile", t, shape, predictions.dtype)

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The sum q max(d, 0) + (1 - q) max(-d, 0) with d = y - f(x)."""
        d = targets - predictions
        q = self.q if isinstance(self.q, float) else as_tensor(self.q, d.dtype)
        return q * d.relu() + (1.0 - q) * (-d).relu()


def quantile(
    predictions: Any,
    targets: Any,
    *,
    q: float | Sequence[float] = 0.5,
    sample_weight: Any = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """``Quantile`` in one call, a scalar.

    Parameters
    ----------
    predictions
        (batch,) or (batch, columns).
    targets
        In the shape of the predictions, or (batch,) beside a column for each q.
    q
        Which quantile, or one for each column; in (0, 1).
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import quantile
    >>> quantile([1.0], [3.0], q=0.75)
    Tensor(1.5, dtype=float64)
    """
    return Quantile(reduction, q=q)(predictions, targets, sample_weight)
