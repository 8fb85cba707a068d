"""The 0-1 loss, which is reported: and the row that says why it has no gradient when it is asked for one."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.metrics.classification import ZeroOne
from lucidgrad.ops.op import Op, Spec
from lucidgrad.targets import counting_has_no_gradient
from lucidgrad.tensor import Tensor


def _refuse(*_: Any) -> Any:
    raise counting_has_no_gradient("the 0-1 loss")


_row = Op(
    "zero_one_loss",
    forward=lambda p, *rest: np.asarray(ZeroOne()(p, *rest), p.dtype),
    shape=lambda p, *rest: Spec((), p.dtype),
    vjp=_refuse,
    same_dtype_from=None,
)


def zero_one_loss(predictions: Any, targets: Any, sample_weight: Any = None) -> float | Tensor:
    """The share of samples whose class is predicted wrong: 1 - accuracy.

    Parameters
    ----------
    predictions, targets, sample_weight
        As ``accuracy``: (batch, classes) or (batch,); (batch,); and (batch,).

    Returns
    -------
    float or Tensor
        A scalar Tensor where the predictions are a Tensor that requires gradients. Asking for them is answered by a
        GradientError that explains why there are none and what to train on instead.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.metrics import zero_one_loss
    >>> zero_one_loss([[2.0, 1.0], [0.5, 3.0]], [0, 0])
    0.5
    >>> zero_one_loss(lg.Tensor([[2.0, 1.0], [0.5, 3.0]]), [0, 0]).backward()
    Traceback (most recent call last):
        ...
    lucidgrad.errors.GradientError: expected a loss that can be differentiated, got the 0-1 loss. It counts ...
    """
    if not (isinstance(predictions, Tensor) and predictions.requires_grad):
        return ZeroOne()(predictions, targets, sample_weight)  # type: ignore[no-any-return]
    rest = (targets,) if sample_weight is None else (targets, sample_weight)
    return predictions.apply(_row, (predictions, *rest), {})
