"""Functions without weights, composed of rows of the op table: what a model is made of besides its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.ops import arithmetic, movement
from lucidgrad.tensor import Tensor, tensor


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where ``condition`` is true and ``b`` elsewhere; the three broadcast. The other branch gets no gradient."""
    return _of_tensors(arithmetic.where, condition, a, b)


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two, element by element; a tie shares the gradient."""
    return _of_tensors(arithmetic.maximum, a, b)


def minimum(a: Any, b: Any) -> Tensor:
    """The smaller of two, element by element; a tie shares the gradient."""
    return _of_tensors(arithmetic.minimum, a, b)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays along an axis they have."""
    if not arrays:
        raise ArgumentError(explain("concatenate expected at least one array", "none", "Pass a list of tensors"))
    first = _tensor(arrays[0])
    return first.apply(movement.concatenate, (first, *arrays[1:]), {"axis": axis})


def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis."""
    tensors = [_tensor(a) for a in arrays]
    ndim = tensors[0].ndim + 1 if tensors else 1
    at = axis % ndim
    return concatenate([t.reshape((*t.shape[:at], 1, *t.shape[at:])) for t in tensors], axis=at)


def take(x: Any, indices: Any, axis: int = 0) -> Tensor:
    """The entries of ``x`` at ``indices`` along ``axis``: rows of an embedding, for example."""
    source = _tensor(x)
    return source[(slice(None),) * (axis % source.ndim) + (_tensor(indices),)]


def one_hot(labels: Any, classes: int, dtype: DTypeLike = np.float32) -> Tensor:
    """Labels (...) as vectors (..., classes) that are 1 at the label and 0 elsewhere."""
    return is_class(labels, classes).astype(dtype)


def is_class(labels: Any, classes: int) -> Tensor:
    """Labels (...) as masks (..., classes) that are true at the label."""
    column = _tensor(labels)
    return column.reshape((*column.shape, 1)) == tensor(np.arange(classes))


def zeros(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of zeros."""
    return tensor(np.zeros(tuple(shape)), dtype=dtype)


def ones(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of ones."""
    return tensor(np.ones(tuple(shape)), dtype=dtype)


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else tensor(x)


def _of_tensors(op: Any, *inputs: Any) -> Tensor:
    result = op(*(x if isinstance(x, Tensor | int | float) else tensor(x) for x in inputs))
    return result if isinstance(result, Tensor) else tensor(result)
