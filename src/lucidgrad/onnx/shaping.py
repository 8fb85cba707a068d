"""The ONNX operators that change shapes: they take sizes and axes as arrays, which have to be known."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from lucidgrad import functional as f
from lucidgrad.errors import OnnxError, explain
from lucidgrad.tensor import Tensor, tensor

Inputs = list[Any]
Attributes = dict[str, Any]


def static(x: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """The elements of sizes or axes, which may follow from shapes but not from data."""
    if not isinstance(x.raw, np.ndarray):
        raise OnnxError(
            explain(
                "an imported network expected sizes and axes that follow from shapes",
                "some that follow from data",
                'Train it with engine="eager"',
            )
        )
    return x.raw


def integers(x: Tensor) -> list[int]:
    """A list of sizes or axes."""
    return [int(n) for n in static(x).reshape(-1)]


def axes_of(x: Inputs, a: Attributes) -> tuple[int, ...] | None:
    """Axes: an input since opset 13 or 18, an attribute before; None where they are left out."""
    if len(x) > 1 and x[1] is not None:
        return tuple(integers(x[1])) or None
    return tuple(a["axes"]) if "axes" in a else None


def _reshape(x: Inputs, a: Attributes) -> Tensor:
    sizes = integers(x[1])
    if not a.get("allowzero"):
        sizes = [x[0].shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return x[0].reshape(tuple(sizes))  # type: ignore[no-any-return]


def _flatten(x: Inputs, a: Attributes) -> Tensor:
    axis, shape = a.get("axis", 1), x[0].shape
    axis = axis + len(shape) if axis < 0 else axis
    return x[0].reshape((prod(shape[:axis]), prod(shape[axis:])))  # type: ignore[no-any-return]


def _squeeze(x: Inputs, a: Attributes) -> Tensor:
    shape, axes = x[0].shape, axes_of(x, a)
    gone = {i for i, n in enumerate(shape) if n == 1} if axes is None else {axis % len(shape) for axis in axes}
    return x[0].reshape(tuple(n for i, n in enumerate(shape) if i not in gone))  # type: ignore[no-any-return]


def _unsqueeze(x: Inputs, a: Attributes) -> Tensor:
    axes = axes_of(x, a) or ()
    rank = x[0].ndim + len(axes)
    new, rest = {axis % rank for axis in axes}, iter(x[0].shape)
    return x[0].reshape(tuple(1 if i in new else next(rest) for i in range(rank)))  # type: ignore[no-any-return]


def _transpose(x: Inputs, a: Attributes) -> Tensor:
    return x[0].transpose(tuple(a.get("perm", range(x[0].ndim)[::-1])))  # type: ignore[no-any-return]


def _slice(x: Inputs, a: Attributes) -> Tensor:
    data, starts, ends = x[0], integers(x[1]), integers(x[2])
    axes = integers(x[3]) if len(x) > 3 and x[3] is not None else list(range(len(starts)))
    steps = integers(x[4]) if len(x) > 4 and x[4] is not None else [1] * len(starts)
    key: list[Any] = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        key[axis] = _one_slice(start, end, step, data.shape[axis])
    return data[tuple(key)]  # type: ignore[no-any-return]


def _one_slice(start: int, end: int, step: int, size: int) -> slice:
    """As ONNX clamps; going backwards, an end before the first element is None in Python."""
    start, end = (n + size if n < 0 else n for n in (start, end))
    if step > 0:
        return slice(min(max(start, 0), size), min(max(end, 0), size), step)
    end = min(max(end, -1), size - 1)
    return slice(min(max(start, 0), size - 1), None if end < 0 else end, step)


def _pad(x: Inputs, a: Attributes) -> Tensor:
    data, pads = x[0], integers(x[1])
    axes = integers(x[3]) if len(x) > 3 and x[3] is not None else list(range(data.ndim))
    value = static(x[2]).item() if len(x) > 2 and x[2] is not None else 0.0
    padding, kept = [(0, 0)] * data.ndim, [slice(None)] * data.ndim
    for i, axis in enumerate(axes):
        before, after = pads[i], pads[i + len(axes)]
        padding[axis] = max(before, 0), max(after, 0)
        kept[axis] = slice(max(-before, 0), data.shape[axis] - max(-after, 0))
    return data[tuple(kept)].pad(padding, value)  # type: ignore[no-any-return]


def _expand(x: Inputs, a: Attributes) -> Tensor:
    return x[0].broadcast_to(np.broadcast_shapes(x[0].shape, tuple(integers(x[1]))))  # type: ignore[no-any-return]


def _shape(x: Inputs, a: Attributes) -> Tensor:
    return tensor(np.array(x[0].shape[slice(a.get("start", 0), a.get("end"))], np.int64))


SHAPING: dict[str, Callable[[Inputs, Attributes], Any]] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Slice": _slice,
    "Pad": _pad,
    "Expand": _expand,
    "Shape": _shape,
    "Size": lambda x, a: tensor(np.array(prod(x[0].shape), np.int64)),
    "Concat": lambda x, a: f.concatenate(x, axis=a["axis"]),
}
