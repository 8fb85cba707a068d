"""Which dtype an operation works in: floats win over integers, the wider float over the narrower, numbers follow.

Unlike NumPy, an integer array beside a float32 array does not make float64: it becomes float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import DtypeError

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
SUPPORTED = frozenset(np.dtype(t) for t in ("?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"))


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether gradients can flow through arrays of this dtype."""
    return dtype.kind == "f"


def check_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype itself when lucidgrad works with it (booleans, integers, float32, float64)."""
    if dtype not in SUPPORTED:
        raise DtypeError(
            f"expected booleans, integers, float32 or float64, got dtype {dtype}. "
            "Convert it first, for example np.asarray(x, dtype=np.float32); encode text labels as integers."
        )
    return dtype


def common_dtype(operands: list[Any], needs_float: bool) -> np.dtype[Any] | None:
    """The dtype that arrays (anything with ``dtype``) and Python numbers meet in; None when there are no arrays."""
    dtypes = [x.dtype for x in operands if hasattr(x, "dtype")]
    if not dtypes:
        return None
    floats = [d for d in dtypes if d.kind == "f"]
    if floats:
        return FLOAT64 if FLOAT64 in floats else FLOAT32
    if needs_float or any(isinstance(x, float) for x in operands):
        return FLOAT32
    common = np.result_type(*dtypes)
    if common.kind == "f":  # NumPy's answer to int64 with uint64
        return np.dtype(np.int64)
    if common.kind == "b" and any(isinstance(x, int) and not isinstance(x, bool) for x in operands):
        return np.dtype(np.int64)
    return common
