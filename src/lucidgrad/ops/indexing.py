"""Rows that pick elements and put them back: slices, integers, and arrays of integers.

An index is written as a static tuple ``key`` whose places for arrays hold ``ARRAY``; the arrays themselves are
inputs of the op, so that a traced program can be run again with other indices.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Any, Final

import numpy as np

from lucidgrad.errors import ArgumentError
from lucidgrad.ops.op import Op, Spec

ARRAY: Final = "array"
Key = tuple[int | slice | EllipsisType | None | str, ...]


def _fill(key: Key, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index NumPy understands: ``key`` with its places for arrays filled in order."""
    rest = iter(indices)
    return tuple(next(rest) if part is ARRAY or part == ARRAY else part for part in key)


def _getitem(x: Any, *indices: Any, key: Key) -> Any:
    try:
        return x[_fill(key, indices)]
    except IndexError as error:
        raise ArgumentError(
            f"expected an index inside of shape {x.shape}, but {error}. Count from 0, or from -1 at the end."
        ) from None


def _getitem_shape(x: Spec, *indices: Spec, key: Key) -> Spec:
    # NumPy knows the rules of indexing best: index an array of the right shape that occupies one element.
    stand_in = np.broadcast_to(np.zeros((), np.bool_), x.shape)
    zeros = tuple(np.broadcast_to(np.zeros((), np.int64), s.shape) for s in indices)
    if indices and 0 in x.shape:  # an index into nothing is only legal where it picks nothing
        stand_in = np.broadcast_to(np.zeros((), np.bool_), tuple(max(n, 1) for n in x.shape))
    return Spec(_getitem(stand_in, *zeros, key=key).shape, x.dtype)


def _put(g: Any, *indices: Any, key: Key, shape: tuple[int, ...]) -> Any:
    x = np.zeros(shape, g.dtype)
    index = _fill(key, indices)
    if indices:
        np.add.at(x, index, g)  # an element picked twice gets both cotangents
    else:
        x[index] = g
    return x


# put is the transpose of getitem: zeros everywhere but where the index points, added up where it points twice.
put = Op(
    "put",
    _put,
    lambda g, *indices, key, shape: Spec(shape, g.dtype),
    lambda i, g, y, x, *indices, key, shape: getitem(g, *indices, key=key) if i == 0 else None,
    same_dtype_from=None,
)

getitem: Op = Op(
    "getitem",
    _getitem,
    _getitem_shape,
    lambda i, g, y, x, *indices, key: put(g, *indices, key=key, shape=x.shape) if i == 0 else None,
    same_dtype_from=None,
)
