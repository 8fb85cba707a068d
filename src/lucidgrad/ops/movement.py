"""Rows that move elements without changing them: reshape, transpose, broadcast, pad, join."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, counted
from lucidgrad.ops import shapes
from lucidgrad.ops.op import Op, Spec

Padding = tuple[tuple[int, int], ...]  # (before, after) for each axis

reshape = Op(
    "reshape",
    lambda x, *, shape: x.reshape(shape),
    lambda x, *, shape: Spec(shapes.resolve_reshape(x.shape, shape), x.dtype),
    (lambda g, y, x, *, shape: g.reshape(x.shape),),
    onnx=lambda b, x, *, shape: b.reshape(x, shape),
)


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(order.index(i) for i in range(len(order)))


def _transpose_shape(x: Spec, *, order: tuple[int, ...]) -> Spec:
    if sorted(order) != list(range(len(x.shape))):
        raise ArgumentError(
            f"transpose expected each axis from 0 to {len(x.shape) - 1} once, got {order}. "
            "x.transpose() without arguments reverses all axes."
        )
    return Spec(tuple(x.shape[i] for i in order), x.dtype)


transpose = Op(
    "transpose",
    lambda x, *, order: x.transpose(order),
    _transpose_shape,
    (lambda g, y, x, *, order: g.transpose(_inverse(order)),),
    onnx=lambda b, x, *, order: b("Transpose", x, perm=list(order)) if order else b("Identity", x),
)


def _broadcast_to_shape(x: Spec, *, shape: tuple[int, ...]) -> Spec:
    if shapes.broadcast(x, Spec(shape, x.dtype)) != shape:
        raise ShapeError(
            f"broadcast_to expected a shape that {x.shape} stretches to, got {shape}. "
            "Only axes of size 1 stretch, and new axes come in front."
        )
    return Spec(shape, x.dtype)


# The walk backwards sums the cotangent to the shape of x, here as for every op that broadcasts.
broadcast_to = Op(
    "broadcast_to",
    lambda x, *, shape: np.broadcast_to(x, shape),
    _broadcast_to_shape,
    (lambda g, y, x, *, shape: g,),
    onnx=lambda b, x, *, shape: b("Expand", x, b.shape(shape)),
)


def _pad_shape(x: Spec, *, padding: Padding, value: float = 0.0) -> Spec:
    if len(padding) != len(x.shape) or min((n for pair in padding for n in pair), default=0) < 0:
        raise ArgumentError(
            f"pad expected a pair (before, after) of sizes >= 0 for each of {counted(len(x.shape), 'axis', 'axes')}, "
            f"got {padding}. Write (0, 0) for an axis that stays as it is."
        )
    return Spec(tuple(n + a + b for n, (a, b) in zip(x.shape, padding, strict=True)), x.dtype)


def _unpad(g: Any, y: Any, x: Any, *, padding: Padding, value: float = 0.0) -> Any:
    return g[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, padding, strict=True))]


def _pad(x: Any, *, padding: Padding, value: float = 0.0) -> Any:
    padded = np.full(_pad_shape(Spec(x.shape, x.dtype), padding=padding).shape, value, x.dtype)
    padded[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, padding, strict=True))] = x
    return padded


pad = Op(
    "pad",
    _pad,
    _pad_shape,
    (_unpad,),
    onnx=lambda b, x, *, padding, value=0.0: (
        b("Pad", x, b.integers([n for pair in zip(*padding, strict=True) for n in pair]), b.like(x, value))
        if padding
        else b("Identity", x)
    ),
)


def _concatenate_shape(*xs: Spec, axis: int) -> Spec:
    (axis,) = shapes.normalize_axes(axis, len(xs[0].shape))
    others = {x.shape[:axis] + x.shape[axis + 1 :] for x in xs}
    if len(others) > 1 or len({len(x.shape) for x in xs}) > 1:
        raise ShapeError(
            f"concatenate expected arrays that agree in every axis but {axis}, got shapes "
            f"{', '.join(str(x.shape) for x in xs)}. Reshape or slice them to fit; stack() adds a new axis."
        )
    total = sum(x.shape[axis] for x in xs)
    return Spec((*xs[0].shape[:axis], total, *xs[0].shape[axis + 1 :]), xs[0].dtype)


def _concatenate_vjp(i: int, g: Any, y: Any, *xs: Any, axis: int) -> Any:
    (axis,) = shapes.normalize_axes(axis, y.ndim)
    start = sum(x.shape[axis] for x in xs[:i])
    return g[(slice(None),) * axis + (slice(start, start + xs[i].shape[axis]),)]


concatenate = Op(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis=axis),
    _concatenate_shape,
    _concatenate_vjp,
    onnx=lambda b, *xs, axis: b("Concat", *b.alike(*xs), axis=axis),
)
