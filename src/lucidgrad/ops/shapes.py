"""Shape rules that rows share: from the shapes and dtypes of the inputs to those of the output."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.ops.op import Spec

Axes = int | tuple[int, ...] | None
BOOL = np.dtype(np.bool_)
INT64 = np.dtype(np.int64)


def broadcast(*specs: Any) -> tuple[int, ...]:
    """The common shape of the inputs under NumPy's broadcasting; numbers fit everything."""
    shapes = [s.shape for s in specs if isinstance(s, Spec)]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise ShapeError(
            f"expected shapes that broadcast (equal, or 1, counted from the last axis), got {listed}. "
            "Reshape one of them, for example x.reshape(-1, 1) for a column."
        ) from None


def elementwise(*specs: Any) -> Spec:
    """Broadcast the shapes, keep the (already common) dtype."""
    dtype = next(s.dtype for s in specs if isinstance(s, Spec))
    return Spec(broadcast(*specs), dtype)


def compare(*specs: Any) -> Spec:
    """Broadcast the shapes; the answer is true or false."""
    return Spec(broadcast(*specs), BOOL)


def normalize_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of non-negative numbers; None is all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ArgumentError(f"expected an axis from {-ndim} to {ndim - 1}, got {a}. The array has {ndim} axes.")
    result = tuple(sorted(a % ndim for a in axes))
    if len(set(result)) != len(result):
        raise ArgumentError(f"expected every axis once, got {axis}. Name each axis a single time.")
    return result


def reduced(shape: tuple[int, ...], axis: Axes, keepdims: bool) -> tuple[int, ...]:
    """The shape after reducing ``axis``."""
    axes = normalize_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def kept(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """The shape a reduction had if it had kept its axes as 1: what a vjp reshapes its cotangent to."""
    return reduced(shape, axis, keepdims=True)


def reduce(x: Spec, *, axis: Axes = None, keepdims: bool = False) -> Spec:
    """Reduce over axes, keep the dtype."""
    return Spec(reduced(x.shape, axis, keepdims), x.dtype)


def resolve_reshape(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    """Fill in a single -1 and check that no element is lost or made up."""
    size = 1
    for n in old:
        size *= n
    known = 1
    for n in new:
        known *= n if n != -1 else 1
    unknown = new.count(-1)
    if unknown == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in new)
    if unknown or known != size or min(new, default=0) < 0:
        raise ShapeError(
            f"reshape expected a shape of {size} elements, got {new} for an array of shape {old}. "
            "Keep the product of the sizes; a single -1 is filled in for you."
        )
    return new
