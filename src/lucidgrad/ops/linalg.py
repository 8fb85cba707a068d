"""The row of the matrix product, batched over leading axes."""

from __future__ import annotations

import numpy as np

from lucidgrad.errors import ShapeError
from lucidgrad.ops.op import Op, Spec


def _matmul_shape(a: Spec, b: Spec) -> Spec:
    if min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul expected (..., n, k) @ (..., k, m), got {a.shape} @ {b.shape}. "
            "The last axis of the left must be as long as the last but one of the right; transpose or reshape one."
        )
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ShapeError(
            f"matmul expected leading axes that broadcast, got {a.shape} @ {b.shape}. "
            "Give both the same leading axes, or 1 where one is to be repeated."
        ) from None
    return Spec((*batch, a.shape[-2], b.shape[-1]), a.dtype)


# a^T g written as (g^T a)^T: the cotangent then lies in memory as b does, where b is the transposed weight of a layer.
matmul = Op("matmul", np.matmul, _matmul_shape, (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: (g.mT @ a).mT))
