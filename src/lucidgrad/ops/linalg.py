"""Rows of matrix products: any two matrices, batched over leading axes, and a layer's inputs with its weights."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from lucidgrad.errors import ShapeError, explain
from lucidgrad.ops.codegen import Composed
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
matmul = Op(
    "matmul", np.matmul, _matmul_shape, (lambda g, y, a, b: g @ b.mT, lambda g, y, a, b: (g.mT @ a).mT), onnx="MatMul"
)


def _linear_shape(x: Spec, w: Spec, b: Spec) -> Spec:
    if not x.shape or len(w.shape) != 2 or x.shape[-1] != w.shape[1] or b.shape != w.shape[:1]:
        raise ShapeError(
            explain(
                "linear expected x (..., in_features), w (out_features, in_features) and b (out_features,)",
                f"{x.shape}, {w.shape} and {b.shape}",
                "Reshape x so that its last axis is in_features",
            )
        )
    return Spec((*x.shape[:-1], w.shape[0]), x.dtype)


def _linear(x: Any, w: Any, b: Any) -> Any:
    y = np.matmul(x, w.T)
    return np.add(y, b, out=y)


def _rows(x: Any) -> Any:
    """All samples as rows of one matrix."""
    return x if x.ndim == 2 else x.reshape((prod(x.shape[:-1]), x.shape[-1]))


def _composed(x: Any, w: Any, b: Any) -> Any:
    y = _rows(x) @ w.mT + b
    return y if x.ndim == 2 else y.reshape((*x.shape[:-1], w.shape[0]))


# x w^T + b. Said with matmul and add it is three steps forward and eight backward; as a row one and four.
linear = Op(
    "linear",
    _linear,
    _linear_shape,
    (
        lambda g, y, x, w, b: g @ w,
        lambda g, y, x, w, b: _rows(g).mT @ _rows(x),
        lambda g, y, x, w, b: g,  # stretched over the samples, so the walk adds it up over them
    ),
    codegen=Composed(_composed),
    onnx=lambda b, x, w, bias: (
        b("Gemm", x, w, bias, transB=1)
        if len(x.shape) == 2
        else b("Add", b("MatMul", x, b("Transpose", w, perm=[1, 0])), bias)
    ),
)
