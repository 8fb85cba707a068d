"""Rows of exponentials, logarithms and their kin, in forms that neither overflow nor lose their slope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucidgrad.ops import shapes
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.op import Op


def _unary(name: str, forward: Any, vjp: Any, onnx: Any = None) -> Op:
    # The builder's method of the same name: ``c.exp(x)``.
    rule = Elementwise(lambda c, x: getattr(c, name)(x))
    return Op(name, forward, shapes.elementwise, (vjp,), needs_float=True, codegen=rule, onnx=onnx or name.capitalize())


exp = _unary("exp", np.exp, lambda g, y, x: g * y)
# The slope is not y + 1: that rounds to 0 for very negative x. ONNX has no expm1.
expm1 = _unary("expm1", np.expm1, lambda g, y, x: g * exp(x), lambda b, x: b("Sub", b("Exp", x), b.like(x, 1)))
log = _unary("log", np.log, lambda g, y, x: g / x)
log1p = _unary("log1p", np.log1p, lambda g, y, x: g / (1 + x), lambda b, x: b("Log", b("Add", x, b.like(x, 1))))
sqrt = _unary("sqrt", np.sqrt, lambda g, y, x: g / (2 * y))
sin = _unary("sin", np.sin, lambda g, y, x: g * cos(x))
cos: Op = _unary("cos", np.cos, lambda g, y, x: -g * sin(x))
tanh = _unary("tanh", np.tanh, lambda g, y, x: g * (1 - y * y))


def _sigmoid(x: Any) -> Any:
    # exp of a negative number only: it may underflow to 0, which is right, and never overflows.
    e = np.exp(-np.abs(x))
    return np.where(np.less(x, 0), e, 1) / (1 + e)


# 1 - sigmoid(x) is sigmoid(-x) without the cancellation: the slope stays right far out on both sides.
sigmoid: Op = _unary("sigmoid", _sigmoid, lambda g, y, x: g * y * sigmoid(-x))

# log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))
softplus = _unary("softplus", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda g, y, x: g * sigmoid(x))


def _erf(x: Any) -> Any:
    from scipy.special import erf as scipy_erf

    return scipy_erf(x)


def _erf_in_onnx(b: Any, x: Any) -> Any:
    # onnxruntime has Erf in float32 alone. In float64 it is called in float32 too, within 1.2e-7.
    return b.cast(b("Erf", b.cast(x, np.dtype(np.float32))), x.dtype)


erf = _unary("erf", _erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * exp(-x * x), _erf_in_onnx)
