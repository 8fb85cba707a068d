"""Clipping: gradients that explode are shortened before an optimizer sees them."""

from __future__ import annotations

from typing import final

import numpy as np

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.optim.checks import check_number
from lucidgrad.optim.optimizer import Optimizer, Params
from lucidgrad.optim.transformed import Transformed
from lucidgrad.tensor import Tensor, tensor

# Weights of so many outputs lie along them in the memory of the native engine, as a rule, and their squares are added
# up that way. A table of embeddings, with many times as many rows as columns, lies row by row.
ALONG_OUTPUTS, TALL = 16, 8


def clipped(optimizer: Optimizer, *, max_norm: float | None = None, max_value: float | None = None) -> Optimizer:
    """Make an optimizer that clips the gradients and then does what ``optimizer`` does.

    Parameters
    ----------
    optimizer
        One that takes single steps.
    max_norm
        Scale all gradients together so that their norm, over all elements of all parameters, is at most this
        (Pascanu, Mikolov and Bengio 2013, Algorithm 1). The direction stays. As in PyTorch the divisor is
        norm + 1e-6. The norm is added up in float64, so that it does not overflow when gradients explode.
    max_value
        Bring every element into [-max_value, max_value]. The direction changes.

    Raises
    ------
    ArgumentError
        Unless exactly one of the two is given and positive, or when the optimizer is a full-batch one.

    Notes
    -----
    NaN stays NaN: clipping does not hide that training has diverged. Norm clipping keeps an infinity visible too (as
    NaN), value clipping makes ``max_value`` of it.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import SGD, clipped
    >>> optimizer = clipped(SGD(1.0), max_value=0.5)
    >>> optimizer
    clipped(SGD(learning_rate=1.0, momentum=0.0, nesterov=False, weight_decay=0.0), max_value=0.5)
    >>> params = {"w": lg.Tensor([1.0, 1.0])}
    >>> optimizer.update(params, {"w": lg.tensor([0.25, 9.0])}, optimizer.init(params))[0]
    {'w': Tensor([0.75, 0.5 ])}
    """
    if (max_norm is None) == (max_value is None):
        raise ArgumentError(
            explain(
                "clipped expected either max_norm or max_value",
                f"max_norm={max_norm}, max_value={max_value}",
                "Pass one, such as max_norm=1.0; for both wrap twice",
            )
        )
    if max_norm is not None:
        check_number("clipped(max_norm=...)", max_norm, "(0, inf)", "1.0 is usual; leave the wrapper out for no limit")
        return ClippedByNorm(optimizer, max_norm)
    check_number("clipped(max_value=...)", max_value, "(0, inf)", "0.5 is usual; leave the wrapper out for no limit")
    assert max_value is not None  # one of them is given
    return ClippedByValue(optimizer, max_value)


@final
class ClippedByNorm(Transformed):
    """What ``clipped(optimizer, max_norm=...)`` makes."""

    def __init__(self, optimizer: Optimizer, max_norm: float) -> None:
        super().__init__(optimizer, "clipped")
        self.max_norm = max_norm

    def transform(self, params: Params, grads: Params) -> Params:
        """Scale by min(1, max_norm / (norm + 1e-6))."""
        scale = (self.max_norm / (global_norm(grads) + 1e-6)).clip(None, 1.0)
        scales = {dtype: scale.astype(dtype) for dtype in dict.fromkeys(g.dtype for g in grads.values())}
        return {path: scales[g.dtype] * g for path, g in grads.items()}

    def __repr__(self) -> str:
        return f"clipped({self.optimizer!r}, max_norm={self.max_norm!r})"


@final
class ClippedByValue(Transformed):
    """What ``clipped(optimizer, max_value=...)`` makes."""

    def __init__(self, optimizer: Optimizer, max_value: float) -> None:
        super().__init__(optimizer, "clipped")
        self.max_value = max_value

    def transform(self, params: Params, grads: Params) -> Params:
        """Bring each element into [-max_value, max_value]."""
        return {path: g.clip(-self.max_value, self.max_value) for path, g in grads.items()}

    def __repr__(self) -> str:
        return f"clipped({self.optimizer!r}, max_value={self.max_value!r})"


def global_norm(grads: Params) -> Tensor:
    """The Euclidean norm over all elements of all tensors, a float64 scalar.

    Parameters
    ----------
    grads
        By path, each of any shape.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.optim import global_norm
    >>> global_norm({"a": lg.tensor([3.0]), "b": lg.tensor([[4.0]])})
    Tensor(5., dtype=float64)
    """
    total = tensor(0.0, dtype=np.float64)
    for g in grads.values():
        wide = g.astype(np.float64)
        squares = wide * wide
        if g.ndim == 2 and ALONG_OUTPUTS <= g.shape[0] <= TALL * g.shape[1]:
            squares = squares.T.sum(axis=0)
        total = total + squares.sum()
    return total.sqrt()
