"""Arrays of our own: read-only copies, in a dtype lucidgrad works with, so that nobody changes what was recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import ShapeError, explain
from lucidgrad.ops.promotion import FLOAT32, check_dtype

Array = np.ndarray[Any, np.dtype[Any]]


def own_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """A read-only copy of numbers, nested lists or an array; floats become float32 unless ``dtype`` says otherwise."""
    target = None if dtype is None else check_dtype(_native(np.dtype(dtype)))
    array = np.asarray(regular(data))
    if array.dtype.kind not in "biuf":
        check_dtype(array.dtype)  # text and objects are not read as numbers
    if target is None:
        target = FLOAT32 if array.dtype.kind == "f" else check_dtype(_native(array.dtype))
    with np.errstate(all="ignore"):  # 1e300 is infinite in float32
        return frozen(array.astype(target))


def regular(data: Any) -> Array:
    """What NumPy makes of data, subclasses as they are; rows of different lengths are no array."""
    try:
        return np.asanyarray(data)
    except ValueError as error:
        got = f"rows of different lengths: {str(error).rstrip('.')}"
        raise ShapeError(explain("expected numbers in a regular grid", got, "Give all rows the same length")) from None


def frozen(array: Array) -> Array:
    """The array itself, which from now on cannot be written to."""
    array.setflags(write=False)
    return array


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype.newbyteorder("=")
