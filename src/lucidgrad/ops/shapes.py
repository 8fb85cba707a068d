"""Shape rules that rows share: from the shapes and dtypes of the inputs to those of the output."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError, ShapeError, counted
from lucidgrad.ops.op import Spec

Axes = int | tuple[int, ...] | None
BOOL = np.dtype(np.bool_)
INT64 = np.dtype(np.int64)


def broadcast(*specs: Any) -> tuple[int, ...]:
    """The common shape of the inputs under NumPy's broadcasting; numbers fit everything.

    Parameters
    ----------
    specs
        Of the inputs.

    Raises
    ------
    ShapeError
        When there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.ops import Spec, shapes
    >>> float32 = np.dtype(np.float32)
    >>> shapes.broadcast(Spec((2, 1), float32), Spec((3,), float32), 1.0)
    (2, 3)
    """
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
    """Broadcast the shapes, keep the (already common) dtype.

    Parameters
    ----------
    specs
        Of the inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.ops import Spec, shapes
    >>> print(shapes.elementwise(Spec((2, 1), np.dtype(np.float32)), Spec((3,), np.dtype(np.float32))))
    float32[2, 3]
    """
    dtype = next(s.dtype for s in specs if isinstance(s, Spec))
    return Spec(broadcast(*specs), dtype)


def compare(*specs: Any) -> Spec:
    """Broadcast the shapes; the answer is true or false.

    Parameters
    ----------
    specs
        Of the inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.ops import Spec, shapes
    >>> print(shapes.compare(Spec((2, 1), np.dtype(np.float32)), 0.0))
    bool[2, 1]
    """
    return Spec(broadcast(*specs), BOOL)


def normalize_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of non-negative numbers; None is all of them.

    Parameters
    ----------
    axis
        One, several, or None; negative ones count from the last.
    ndim
        How many axes there are.

    Raises
    ------
    ArgumentError
        When there is no such axis, or one is named twice.

    Examples
    --------
    >>> from lucidgrad.ops import shapes
    >>> shapes.normalize_axes((-1, 0), 3)
    (0, 2)
    """
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ArgumentError(
                f"expected an axis from {-ndim} to {ndim - 1}, got {a}. The array has {counted(ndim, 'axis', 'axes')}."
            )
    result = tuple(sorted(a % ndim for a in axes))
    if len(set(result)) != len(result):
        raise ArgumentError(f"expected every axis once, got {axis}. Name each axis a single time.")
    return result


def reduced(shape: tuple[int, ...], axis: Axes, keepdims: bool) -> tuple[int, ...]:
    """The shape after reducing ``axis``.

    Parameters
    ----------
    shape
        Before.
    axis
        One, several, or None for all.
    keepdims
        Leave each reduced axis in the shape, with size 1.

    Examples
    --------
    >>> from lucidgrad.ops import shapes
    >>> shapes.reduced((2, 3, 4), 1, keepdims=False)
    (2, 4)
    """
    axes = normalize_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def kept(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """The shape a reduction had if it had kept its axes as 1: what a vjp reshapes its cotangent to.

    Parameters
    ----------
    shape
        Before.
    axis
        One, several, or None for all.

    Examples
    --------
    >>> from lucidgrad.ops import shapes
    >>> shapes.kept((2, 3, 4), 1)
    (2, 1, 4)
    """
    return reduced(shape, axis, keepdims=True)


def reduce(x: Spec, *, axis: Axes = None, keepdims: bool = False) -> Spec:
    """Reduce over axes, keep the dtype.

    Parameters
    ----------
    x
        The input.
    axis, keepdims
        As in ``reduced``.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.ops import Spec, shapes
    >>> print(shapes.reduce(Spec((2, 3), np.dtype(np.float32)), axis=1))
    float32[2]
    """
    return Spec(reduced(x.shape, axis, keepdims), x.dtype)


def resolve_reshape(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    """Fill in a single -1 and check that no element is lost or made up.

    Parameters
    ----------
    old, new
        The two shapes; ``new`` may have a -1.

    Raises
    ------
    ShapeError
        When their products differ, or more than one size is open.

    Examples
    --------
    >>> from lucidgrad.ops import shapes
    >>> shapes.resolve_reshape((2, 6), (3, -1))
    (3, 4)
    """
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
            f"reshape expected a shape of {counted(size, 'element')}, got {new} for an array of shape {old}. "
            "Keep the product of the sizes; a single -1 is filled in for you."
        )
    return new
