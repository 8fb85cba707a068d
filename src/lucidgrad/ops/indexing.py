"""Rows that pick elements and put them back: slices, integers, and arrays of integers.

An index is written as a static tuple ``key`` whose places for arrays hold ``ARRAY``; the arrays themselves are
inputs of the op, so that a traced program can be run again with other indices.
"""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any, Final

import numpy as np

from lucidgrad.errors import ArgumentError, explain
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
    onnx=lambda b, x, *indices, key: b.getitem(x, *indices, key=key),
)


def split_index(index: Any, shape: tuple[int, ...], tensor: Callable[[Any], Any]) -> tuple[Key, list[Any]]:
    """An index into an array of ``shape`` as a static key and the arrays in it, made by ``tensor``.

    A mask of booleans becomes the places where it is true.
    """
    parts = [_part(part, tensor) for part in (index if isinstance(index, tuple) else (index,))]
    rest = len(shape) - sum(map(_axes_taken, parts))  # what an ellipsis stands for
    key: list[Any] = []
    arrays: list[Any] = []
    axis = 0
    for part in parts:
        if _is_static(part):
            key.append(part)
        else:
            places = _places(part, shape[axis : axis + part.ndim], tensor) if part.dtype.kind == "b" else [part]
            key.extend([ARRAY] * len(places))
            arrays.extend(places)
        axis += rest if part is Ellipsis else _axes_taken(part)
    return tuple(key), arrays


def _is_static(part: Any) -> bool:
    return part is None or part is Ellipsis or isinstance(part, slice | int)


def _part(part: Any, tensor: Callable[[Any], Any]) -> Any:
    """A slice, an integer, None or an ellipsis as it is; all else as a tensor of integers or booleans."""
    if isinstance(part, np.integer):
        return int(part)
    if _is_static(part) and not isinstance(part, bool):
        return part
    if isinstance(part, list) and np.size(part) == 0:
        part = np.asarray(part, dtype=np.int64)
    array = part if hasattr(part, "split_index") else tensor(part)
    if array.dtype.kind not in "biu" or (array.dtype.kind == "b" and not array.ndim):
        raise ArgumentError(
            explain(
                "an index expected slices, integers, or arrays of integers or booleans",
                f"{array.dtype} of shape {array.shape}",
                "Use x.astype(np.int64), or None for a new axis",
            )
        )
    return array


def _axes_taken(part: Any) -> int:
    """How many axes of the array one part of an index stands for (an ellipsis: not counted)."""
    if part is None or part is Ellipsis:
        return 0
    return 1 if _is_static(part) or part.dtype.kind != "b" else int(part.ndim)


def _places(mask: Any, shape: tuple[int, ...], tensor: Callable[[Any], Any]) -> list[Any]:
    """Where a mask is true: one array of indices for each of its axes."""
    if mask.shape != shape:
        raise ArgumentError(
            explain(
                f"a mask expected the shape {shape} of the axes it picks from",
                f"{mask.shape}",
                "Compare the same array",
            )
        )
    return [tensor(i) for i in np.nonzero(mask.numpy())]
