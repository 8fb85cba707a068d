"""Rows of the cross-entropy between logits and integer labels, which keep the digits that composing would round away.

Composed, the loss of a sure and right answer is log(1 + others) computed as the logarithm of a number that was
already rounded to 1, and its slope is p - 1 with p rounded to 1: both come out as 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ShapeError, explain
from lucidgrad.ops.arithmetic import where
from lucidgrad.ops.codegen import Composed
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.reduce import below_largest, largest, softmax


def _parts(x: Any, labels: Any) -> tuple[Any, Any, Any, Any]:
    """Z = x - max(x), exp(z), the sum of exp(z) over the classes but the label, and where the labels are."""
    z = x - largest(x, -1)
    e = np.exp(z)
    at = (np.arange(len(labels)), labels)
    picked = e[at]
    e[at] = 0
    others = np.add.reduce(e, axis=-1)
    e[at] = picked
    return z, e, others, at


def _cross_entropy(x: Any, labels: Any) -> Any:
    z, e, others, at = _parts(x, labels)
    z_label = z[at]
    # Where the label is the largest, z = 0 there and the loss is log(1 + others), however small the others are.
    return np.where(z_label == 0, np.log1p(others), np.log(others + e[at]) - z_label)


def _slope(x: Any, labels: Any) -> Any:
    _, e, others, at = _parts(x, labels)
    total = others + e[at]
    e[at] = -others  # softmax - 1 at the label is -others / total
    return e / total[:, None]


def _composed_parts(x: Any, labels: Any) -> tuple[Any, Any, Any, Any]:
    """Z, exp(z), the mask of the labels, and the sum of exp(z) over the classes but the label, a column."""
    classes = x.shape[1]
    at = labels.reshape((labels.shape[0], 1)).astype(np.int64)
    if labels.dtype.kind == "i":
        at = where(at < 0, at + classes, at)  # as NumPy, -1 is the last class
    mask = at == np.arange(classes)
    z = below_largest(x, -1)
    e = z.exp()
    return z, e, mask, where(mask, 0.0, e).sum(-1, keepdims=True)


def _composed_cross_entropy(x: Any, labels: Any) -> Any:
    z, e, mask, others = _composed_parts(x, labels)
    z_label, e_label = (where(mask, v, 0.0).sum(-1, keepdims=True) for v in (z, e))
    loss = where(z_label == 0, others.log1p(), (others + e_label).log() - z_label)
    return loss.reshape(labels.shape)


def _composed_slope(x: Any, labels: Any) -> Any:
    _, e, mask, others = _composed_parts(x, labels)
    total = others + where(mask, e, 0.0).sum(-1, keepdims=True)
    return where(mask, -others, e) / total


def _shape(x: Spec, labels: Spec) -> Spec:
    if len(x.shape) != 2 or labels.shape != x.shape[:1]:
        raise ShapeError(
            explain(
                "cross_entropy expected logits (batch, classes) and labels (batch,)",
                f"{x.shape} and {labels.shape}",
                "Join further axes with reshape(-1, classes)",
            )
        )
    return Spec(labels.shape, x.dtype)


def _slope_vjp(g: Any, y: Any, x: Any, labels: Any) -> Any:
    p = softmax(x, axis=-1)  # the one-hot part of the slope is constant
    return p * (g - (g * p).sum(-1, keepdims=True))


# softmax(x) - one_hot(label): the slope of the cross-entropy.
cross_entropy_slope = Op(
    "cross_entropy_slope",
    _slope,
    lambda x, labels: x._replace(shape=(*_shape(x, labels).shape, x.shape[1])),
    (_slope_vjp, None),
    same_dtype_from=None,
    codegen=Composed(_composed_slope),
)

# -log softmax(x)[label], for each sample.
cross_entropy = Op(
    "cross_entropy",
    _cross_entropy,
    _shape,
    (lambda g, y, x, labels: g.reshape((*g.shape, 1)) * cross_entropy_slope(x, labels), None),
    same_dtype_from=None,
    codegen=Composed(_composed_cross_entropy),
)
