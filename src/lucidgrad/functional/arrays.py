"""Functions on arrays: choosing, joining and counting out; constants; and the sum that a layer is made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.functional.operands import apply_row, as_operand
from lucidgrad.ops import arithmetic, linalg, movement
from lucidgrad.ops.shapes import normalize_axes
from lucidgrad.tensor import Tensor, tensor


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where ``condition`` is true and ``b`` elsewhere; the three broadcast. The other branch gets no gradient.

    Parameters
    ----------
    condition, a, b
        Shapes that broadcast, such as (batch, columns) and (columns,); ``condition`` holds booleans.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.where([True, False], [1.0, 2.0], 0.0)
    Tensor([1., 0.])
    """
    return apply_row(arithmetic.where, condition, a, b)


def maximum(a: Any, b: Any) -> Tensor:
    """The larger of two, element by element; a tie shares the gradient.

    Parameters
    ----------
    a, b
        Shapes that broadcast, such as (batch, columns) and (columns,).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.maximum([1.0, 4.0], [3.0, 2.0])
    Tensor([3., 4.])
    """
    return apply_row(arithmetic.maximum, a, b)


def minimum(a: Any, b: Any) -> Tensor:
    """The smaller of two, element by element; a tie shares the gradient.

    Parameters
    ----------
    a, b
        Shapes that broadcast, such as (batch, columns) and (columns,).

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.minimum([1.0, 4.0], [3.0, 2.0])
    Tensor([1., 2.])
    """
    return apply_row(arithmetic.minimum, a, b)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays along an axis they have.

    Parameters
    ----------
    arrays
        At least one; shapes that differ along ``axis`` alone, such as (2, columns) and (3, columns).
    axis
        Which one; negative ones count from the last.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.concatenate([[1.0, 2.0], [3.0]])
    Tensor([1., 2., 3.])
    """
    operands = _at_least_one("concatenate", arrays)
    return apply_row(movement.concatenate, *operands, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Tensor:
    """Join arrays of one shape along a new axis.

    Parameters
    ----------
    arrays
        At least one, all of one shape, such as (columns,).
    axis
        Where the new axis stands in the result, (number of arrays, columns) for 0.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
    Tensor([[1., 3.],
            [2., 4.]])
    """
    operands = _at_least_one("stack", arrays)
    (at,) = normalize_axes(axis, operands[0].ndim + 1)
    new = (slice(None),) * at + (None,)
    return concatenate([x[new] for x in operands], axis=at)


def take(x: Any, indices: Any, axis: int = 0) -> Tensor:
    """The entries of ``x`` at ``indices`` along ``axis``: rows of an embedding, for example.

    Parameters
    ----------
    x
        (..., n, ...), with n entries along ``axis``.
    indices
        Integers from -n to n - 1, of any shape, which takes the place of n in the result.
    axis
        Along which entries are counted.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.take([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [2, 0])
    Tensor([[5., 6.],
            [1., 2.]])
    """
    source = as_operand(x)
    (at,) = normalize_axes(axis, source.ndim)
    return source[(slice(None),) * at + (as_operand(indices),)]


def one_hot(labels: Any, classes: int, dtype: DTypeLike = np.float32) -> Tensor:
    """Labels (...) as vectors (..., classes) that are 1 at the label and 0 elsewhere.

    Parameters
    ----------
    labels
        Integers (...) from 0 to classes - 1; another one becomes a vector of zeros.
    classes
        How many there are.
    dtype
        Of the result.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.one_hot([2, 0], 3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return is_class(labels, classes).astype(dtype)


def is_class(labels: Any, classes: int) -> Tensor:
    """Labels (...) as masks (..., classes) that are true at the label.

    Parameters
    ----------
    labels
        Integers (...) from 0 to classes - 1; another one is true nowhere.
    classes
        How many there are.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.functional.is_class([1, 0], 2)
    Tensor([[False,  True],
            [ True, False]])
    """
    column = as_operand(labels)
    return column.reshape((*column.shape, 1)) == _class_numbers(classes)


def zeros(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of zeros.

    Parameters
    ----------
    shape, dtype
        Of what is made.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.zeros((2, 3))
    Tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return tensor(np.zeros(tuple(shape)), dtype=dtype)


def ones(shape: Sequence[int], dtype: DTypeLike = np.float32) -> Tensor:
    """A constant of ones.

    Parameters
    ----------
    shape, dtype
        Of what is made.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.ones((3,), "float64")
    Tensor([1., 1., 1.], dtype=float64)
    """
    return tensor(np.ones(tuple(shape)), dtype=dtype)


def linear(x: Any, weight: Any, bias: Any) -> Tensor:
    """The sum x W^T + b that the layer ``Linear`` is made of.

    Parameters
    ----------
    x
        (..., in_features).
    weight
        (out_features, in_features).
    bias
        (out_features,).

    Returns
    -------
    (..., out_features).

    Examples
    --------
    >>> from lucidgrad.functional import linear
    >>> linear([[1.0, 2.0]], [[3.0, 4.0]], [0.5])
    Tensor([[11.5]])
    """
    return apply_row(linalg.linear, x, weight, bias)


@lru_cache(maxsize=64)
def _class_numbers(classes: int) -> Tensor:
    return tensor(np.arange(classes))


def _at_least_one(name: str, arrays: Sequence[Any]) -> list[Any]:
    if len(arrays) == 0:
        raise ArgumentError(explain(f"{name} expected at least one array", "none", "Pass a list of tensors"))
    return [x if isinstance(x, Tensor | np.ndarray) else tensor(x) for x in arrays]
