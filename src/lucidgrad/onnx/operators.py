"""The ONNX operators that can be imported: a closed table, each written with lucidgrad's own functions and methods.

An operator is called as ``(inputs, attributes)`` with Tensors, or None for an input that was left out, and gives a
Tensor or, where it has several outputs, a tuple. Definitions: https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lucidgrad import functional as f
from lucidgrad.onnx.shaping import SHAPING, axes_of, static
from lucidgrad.tensor import Tensor, tensor

Inputs = list[Any]
Attributes = dict[str, Any]
Operator = Callable[[Inputs, Attributes], Any]


def _plain(function: Callable[..., Any]) -> Operator:
    """A function of the inputs alone."""
    return lambda x, a: function(*x)


def _with(function: Callable[..., Any], **defaults: float) -> Operator:
    """A function of one input and numbers that are attributes, in the order of their defaults."""
    return lambda x, a: function(x[0], *[a.get(name, default) for name, default in defaults.items()])


def _all(function: Callable[[Any, Any], Any]) -> Operator:
    """Any number of inputs, two at a time."""
    return lambda x, a: functools.reduce(function, x)


def _divide(a: Tensor, b: Tensor) -> Tensor:
    if a.dtype.kind == "f":
        return a / b
    return (a.astype(np.float64) / b.astype(np.float64)).astype(a.dtype)  # integers: towards 0


def _clip(x: Inputs, a: Attributes) -> Tensor:
    y, low, high = (*x, None, None)[:3]
    y = y if low is None else f.maximum(y, low)
    return y if high is None else f.minimum(y, high)


def _gemm(x: Inputs, a: Attributes) -> Any:
    left = x[0].mT if a.get("transA") else x[0]
    right = x[1].mT if a.get("transB") else x[1]
    product, alpha, beta = left @ right, a.get("alpha", 1.0), a.get("beta", 1.0)
    product = product if alpha == 1 else product * alpha
    if len(x) < 3 or x[2] is None:
        return product
    return product + (x[2] if beta == 1 else x[2] * beta)


def _matmul(a: Tensor, b: Tensor) -> Tensor:
    left = a.reshape((1, *a.shape)) if a.ndim == 1 else a
    right = b.reshape((*b.shape, 1)) if b.ndim == 1 else b
    product = left @ right
    shape = product.shape[:-2] + product.shape[-2:-1] * (a.ndim > 1) + product.shape[-1:] * (b.ndim > 1)
    return product if product.shape == shape else product.reshape(shape)


def _batch_normalization(x: Inputs, a: Attributes) -> Any:
    column = (1, -1, *([1] * (x[0].ndim - 2)))
    scale, bias, mean, var = (t.reshape(column) for t in x[1:5])
    return (x[0] - mean) * (scale / (var + a.get("epsilon", 1e-5)).sqrt()) + bias


def _layer_normalization(x: Inputs, a: Attributes) -> tuple[Tensor, Tensor, Tensor]:
    axes = tuple(range(a.get("axis", -1) % x[0].ndim, x[0].ndim))
    mean = x[0].mean(axes, keepdims=True)
    deviation = x[0] - mean
    inverse = 1.0 / ((deviation * deviation).mean(axes, keepdims=True) + a.get("epsilon", 1e-5)).sqrt()
    y = deviation * inverse * x[1]
    return (y if len(x) < 3 or x[2] is None else y + x[2]), mean, inverse


def _dropout(x: Inputs, a: Attributes) -> tuple[Tensor, Tensor]:
    return x[0], tensor(np.ones(x[0].shape, bool))


def _reduce(function: Callable[..., Any]) -> Operator:
    def run(x: Inputs, a: Attributes) -> Tensor:
        axes = axes_of(x, a)
        if axes is None and a.get("noop_with_empty_axes"):
            axes = ()
        y: Tensor = function(x[0], axes, bool(a.get("keepdims", 1)))
        return y.astype(x[0].dtype)

    return run


def _arg(name: str) -> Operator:
    def run(x: Inputs, a: Attributes) -> Tensor:
        axis, keepdims = a.get("axis", 0) % x[0].ndim, bool(a.get("keepdims", 1))
        if not a.get("select_last_index"):
            return getattr(x[0], name)(axis, keepdims=keepdims)  # type: ignore[no-any-return]
        backwards = x[0][(slice(None),) * axis + (slice(None, None, -1),)]
        return x[0].shape[axis] - 1 - getattr(backwards, name)(axis, keepdims=keepdims)  # type: ignore[no-any-return]

    return run


def _gelu(x: Inputs, a: Attributes) -> Tensor:
    return f.gelu(x[0], approximate=a.get("approximate") in ("tanh", b"tanh"))


def _cast(x: Inputs, a: Attributes) -> Tensor:
    return x[0].astype(a["to"])  # type: ignore[no-any-return]


def _gather(x: Inputs, a: Attributes) -> Tensor:
    return f.take(x[0], x[1], a.get("axis", 0))


def _softmax(function: Callable[..., Tensor]) -> Operator:
    return lambda x, a: function(x[0], axis=a.get("axis", -1))


OPERATORS: dict[str, Operator] = SHAPING | {
    "Add": _plain(lambda a, b: a + b), "Sub": _plain(lambda a, b: a - b), "Mul": _plain(lambda a, b: a * b),
    "Div": _plain(_divide), "Pow": _plain(lambda a, b: (a**b).astype(a.dtype)), "Neg": _plain(lambda x: -x),
    "Abs": _plain(Tensor.abs), "Sign": _plain(Tensor.sign), "Reciprocal": _plain(lambda x: 1.0 / x),
    "Sqrt": _plain(Tensor.sqrt), "Exp": _plain(Tensor.exp), "Log": _plain(Tensor.log), "Sin": _plain(Tensor.sin),
    "Cos": _plain(Tensor.cos), "Tanh": _plain(Tensor.tanh), "Sigmoid": _plain(Tensor.sigmoid),
    "Erf": _plain(Tensor.erf), "Softplus": _plain(Tensor.softplus), "Softsign": _plain(f.softsign),
    "Relu": _plain(lambda x: x.relu().astype(x.dtype)), "Mish": _plain(f.mish), "Gelu": _gelu,
    "LeakyRelu": _with(f.leaky_relu, alpha=0.01), "Elu": _with(f.elu, alpha=1.0),
    "Selu": lambda x, a: a.get("gamma", 1.0507009873554805) * f.elu(x[0], a.get("alpha", 1.6732632423543772)),
    "Celu": _with(lambda x, alpha: alpha * f.elu(x / alpha), alpha=1.0),
    "PRelu": _plain(lambda x, slope: f.where(x < 0, slope * x, x)),
    "ThresholdedRelu": _with(lambda x, alpha: f.where(x > alpha, x, 0.0), alpha=1.0),
    "HardSigmoid": _with(lambda x, alpha, beta: (alpha * x + beta).clip(0.0, 1.0), alpha=0.2, beta=0.5),
    "HardSwish": _plain(lambda x: x * (x / 6.0 + 0.5).clip(0.0, 1.0)),
    "Swish": _with(lambda x, alpha: x * (alpha * x).sigmoid(), alpha=1.0), "Clip": _clip,
    "Softmax": _softmax(f.softmax), "LogSoftmax": _softmax(f.log_softmax),
    "Equal": _plain(lambda a, b: a == b), "Less": _plain(lambda a, b: a < b), "Greater": _plain(lambda a, b: a > b),
    "LessOrEqual": _plain(lambda a, b: a <= b), "GreaterOrEqual": _plain(lambda a, b: a >= b),
    "And": _plain(lambda a, b: a & b), "Or": _plain(lambda a, b: a | b), "Xor": _plain(lambda a, b: a != b),
    "Not": _plain(lambda x: ~x), "Where": _plain(f.where), "Cast": _cast, "Gather": _gather,
    "CastLike": _plain(lambda x, like: x.astype(like.dtype)), "Identity": _plain(lambda x: x),
    "Max": _all(f.maximum), "Min": _all(f.minimum), "Sum": _all(lambda a, b: a + b),
    "Mean": lambda x, a: functools.reduce(lambda p, q: p + q, x) / float(len(x)),
    "MatMul": _plain(_matmul), "Gemm": _gemm, "Dropout": _dropout,
    "BatchNormalization": _batch_normalization, "LayerNormalization": _layer_normalization,
    "ReduceSum": _reduce(lambda x, axis, keep: x.sum(axis, keepdims=keep)),
    "ReduceMean": _reduce(lambda x, axis, keep: x.mean(axis, keepdims=keep)),
    "ReduceMax": _reduce(lambda x, axis, keep: x.max(axis, keepdims=keep)),
    "ReduceMin": _reduce(lambda x, axis, keep: x.min(axis, keepdims=keep)),
    "ReduceProd": _reduce(lambda x, axis, keep: x.prod(axis, keepdims=keep)),
    "ReduceLogSumExp": _reduce(lambda x, axis, keep: x.logsumexp(axis, keepdims=keep)),
    "ReduceLogSum": _reduce(lambda x, axis, keep: x.sum(axis, keepdims=keep).log()),
    "ReduceL1": _reduce(lambda x, axis, keep: x.abs().sum(axis, keepdims=keep)),
    "ReduceL2": _reduce(lambda x, axis, keep: (x * x).sum(axis, keepdims=keep).sqrt()),
    "ReduceSumSquare": _reduce(lambda x, axis, keep: (x * x).sum(axis, keepdims=keep)),
    "ArgMax": _arg("argmax"), "ArgMin": _arg("argmin"),
}  # fmt: skip


def refusal(operator: str, inputs: Inputs, attributes: Attributes) -> str | None:
    """What of an operator cannot be computed, in words; None for all that can."""
    if operator == "BatchNormalization" and attributes.get("training_mode"):
        return "BatchNormalization in training mode"
    if operator == "Dropout" and len(inputs) > 2 and inputs[2] is not None and static(inputs[2]).any():
        return "Dropout in training mode"
    if operator == "Pad" and attributes.get("mode", "constant") != "constant":
        return f"Pad of mode {attributes['mode']!r}"
    if not all(math.isfinite(v) for v in attributes.values() if isinstance(v, float)):
        return f"{operator} with an attribute that is not finite"
    return None
