"""What the functions do with what they are given: Tensors as they are, anything else as constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.tensor import Tensor, tensor


def as_operand(x: Any) -> Tensor:
    """A Tensor of anything; an array of float64 stays one."""
    if isinstance(x, Tensor):
        return x
    return tensor(x, dtype=x.dtype if isinstance(x, np.ndarray) and x.dtype == np.float64 else None)


def apply_row(op: Any, *inputs: Any, **attrs: Any) -> Tensor:
    """Apply a row; arrays follow the tensors among the inputs in dtype, and without any become tensors."""
    for x in inputs:
        if isinstance(x, Tensor):
            return x.apply(op, inputs, attrs)
    result = op(*(x if isinstance(x, int | float) else tensor(x) for x in inputs), **attrs)
    return result if isinstance(result, Tensor) else tensor(result)
