"""Rows that reduce axes: sums, extremes, products, and the logarithm of a sum of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.errors import ArgumentError
from lucidgrad.ops import shapes
from lucidgrad.ops.arithmetic import maximum, where
from lucidgrad.ops.codegen import Composed
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.shapes import INT64, Axes, kept


def _back(g: Any, x: Any, axis: Axes) -> Any:
    """The cotangent of a reduction with the reduced axes put back as 1, so that it broadcasts against x."""
    shape = kept(x.shape, axis)
    return g if g.shape == shape else g.reshape(shape)


def _sum_shape(x: Spec, *, axis: Axes = None, keepdims: bool = False) -> Spec:
    dtype = INT64 if x.dtype.kind in "bi" else np.dtype(np.uint64) if x.dtype.kind == "u" else x.dtype
    return Spec(shapes.reduced(x.shape, axis, keepdims), dtype)


sum = Op(  # noqa: A001 - the field's name for it
    "sum",
    lambda x, *, axis=None, keepdims=False: np.add.reduce(x, axis=axis, keepdims=keepdims),
    _sum_shape,
    (lambda g, y, x, *, axis=None, keepdims=False: _back(g, x, axis).broadcast_to(x.shape),),
    onnx=lambda b, x, **how: b.reduce("ReduceSum", x, **how),
)


def _extreme(name: str, ufunc: Any) -> Op:
    def shape(x: Spec, *, axis: Axes = None, keepdims: bool = False) -> Spec:
        _check_not_empty(name, x.shape, axis)
        return shapes.reduce(x, axis=axis, keepdims=keepdims)

    def vjp(g: Any, y: Any, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
        # Elements that tie for the extreme share the cotangent evenly, as PyTorch's amax does.
        chosen = (x == _back(y, x, axis)).astype(x.dtype)
        return chosen * (_back(g, x, axis) / chosen.sum(axis=axis, keepdims=True))

    return Op(
        name,
        lambda x, *, axis=None, keepdims=False: ufunc.reduce(x, axis=axis, keepdims=keepdims),
        shape,
        (vjp,),
        onnx=lambda b, x, **how: b.reduce(f"Reduce{name.capitalize()}", x, **how),
    )


def _check_not_empty(name: str, shape: tuple[int, ...], axis: Axes) -> None:
    if 0 in [shape[a] for a in shapes.normalize_axes(axis, len(shape))]:
        raise ArgumentError(
            f"{name} expected at least one element along axis {axis}, got shape {shape}. "
            "An empty set has no extreme; check the array before."
        )


max = _extreme("max", np.maximum)  # noqa: A001
min = _extreme("min", np.minimum)  # noqa: A001


def _products_of_others(x: Any) -> Any:
    """For each element of the last axis the product of all the others; right also where elements are 0.

    A tree of pairs: the product of the others is the product of the partner at each level on the way down.
    """
    n = x.shape[-1]
    if n <= 1:
        return x**0  # 1, also where x is infinite
    if n % 2:
        padding = ((0, 0),) * (x.ndim - 1) + ((0, 1),)
        return _products_of_others(x.pad(padding, value=1.0))[..., :n]
    pairs = x.reshape((*x.shape[:-1], n // 2, 2))
    above = _products_of_others(pairs[..., 0] * pairs[..., 1])
    return (above.reshape((*above.shape, 1)) * pairs[..., ::-1]).reshape(x.shape)


def _prod_vjp(g: Any, y: Any, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    axes = shapes.normalize_axes(axis, x.ndim)
    order = tuple(i for i in range(x.ndim) if i not in axes) + axes
    last = x.transpose(order)
    rows = tuple(x.shape[i] for i in order[: x.ndim - len(axes)])
    size = int(np.prod([x.shape[i] for i in axes], dtype=int))
    others = _products_of_others(last.reshape((*rows, size))).reshape(last.shape)
    return _back(g, x, axis) * others.transpose(tuple(int(i) for i in np.argsort(order)))


prod = Op(
    "prod",
    lambda x, *, axis=None, keepdims=False: np.multiply.reduce(x, axis=axis, keepdims=keepdims),
    _sum_shape,
    (_prod_vjp,),
    onnx=lambda b, x, **how: b.reduce("ReduceProd", x, **how),
)


def _logsumexp_forward(x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    axes = shapes.normalize_axes(axis, x.ndim)
    # Shift by the maximum: exp overflows float32 above 88. An infinite maximum would make inf - inf.
    m = np.maximum.reduce(x, axis=axes, keepdims=True, initial=-np.inf)
    m = np.where(np.isfinite(m), m, 0).astype(x.dtype, copy=False)
    y = m + np.log(np.add.reduce(np.exp(x - m), axis=axes, keepdims=True))
    return y if keepdims else y.reshape(shapes.reduced(x.shape, axes, keepdims=False))


def _logsumexp_vjp(g: Any, y: Any, x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    # Not exp(x - y): y is rounded, and at y = 1e4 that alone would cost half of the digits of a float32.
    return _back(g, x, axis) * softmax(x, axis=axis)


def _composed_logsumexp(x: Any, *, axis: Axes = None, keepdims: bool = False) -> Any:
    if _is_empty(x, axis):
        return x.exp().sum(axis, keepdims=keepdims).log()  # of 0
    m = x.max(axis, keepdims=True)
    m = where(m.abs() <= float(np.finfo(x.dtype).max), m, 0.0)
    y = m + (x - m).exp().sum(axis, keepdims=True).log()
    return y if keepdims else y.reshape(shapes.reduced(x.shape, axis, keepdims=False))


def _is_empty(x: Any, axis: Axes) -> bool:
    return 0 in [x.shape[a] for a in shapes.normalize_axes(axis, x.ndim)]


logsumexp = Op(
    "logsumexp",
    _logsumexp_forward,
    shapes.reduce,
    (_logsumexp_vjp,),
    needs_float=True,
    codegen=Composed(_composed_logsumexp),
    onnx=lambda b, x, **how: b.reduce("ReduceLogSumExp", x, **how),
)


def largest(x: Any, axis: Axes) -> Any:
    """The maximum over ``axis``, or the lowest finite number where there is none: what logits are shifted by."""
    return np.maximum.reduce(x, axis=axis, keepdims=True, initial=np.finfo(x.dtype).min)


def below_largest(x: Any, axis: Axes) -> Any:
    """``x - largest(x, axis)``, in the language of rules."""
    if _is_empty(x, axis):
        return x  # nothing to shift
    return x - maximum(x.max(axis, keepdims=True), float(np.finfo(x.dtype).min))


def _softmax_forward(x: Any, *, axis: Axes) -> Any:
    e = np.exp(x - largest(x, axis))
    # The largest element adds exp(0) = 1, so that only a row that is masked whole has a total below 1.
    return e / np.maximum(np.add.reduce(e, axis=axis, keepdims=True), 1)


def _composed_softmax(x: Any, *, axis: Axes) -> Any:
    e = below_largest(x, axis).exp()
    return e / maximum(e.sum(axis, keepdims=True), 1.0)


# exp(x) / sum(exp(x)) over the axes. A row of -inf alone (everything masked) has no weight to give: zeros, where
# PyTorch gives NaN.
softmax: Op = Op(
    "softmax",
    _softmax_forward,
    lambda x, *, axis: shapes.reduce(x, axis=axis, keepdims=True)._replace(shape=x.shape),
    (lambda g, y, x, *, axis: y * (g - (g * y).sum(axis, keepdims=True)),),
    needs_float=True,
    codegen=Composed(_composed_softmax),
    onnx=lambda b, x, *, axis: b.over_axis("Softmax", x, axis),
)


def _log_softmax_forward(x: Any, *, axis: Axes) -> Any:
    # The gap between large logits is exact after subtracting the largest; x - logsumexp(x) would round it away.
    z = x - largest(x, axis)
    return z - np.log(np.add.reduce(np.exp(z), axis=axis, keepdims=True))


def _composed_log_softmax(x: Any, *, axis: Axes) -> Any:
    z = below_largest(x, axis)
    return z - z.exp().sum(axis, keepdims=True).log()


# log(softmax(x)). A row of -inf alone has no softmax: its logarithm is NaN.
log_softmax = Op(
    "log_softmax",
    _log_softmax_forward,
    softmax.shape,
    (lambda g, y, x, *, axis: g - softmax(x, axis=axis) * g.sum(axis, keepdims=True),),
    needs_float=True,
    codegen=Composed(_composed_log_softmax),
    onnx=lambda b, x, *, axis: b.over_axis("LogSoftmax", x, axis),
)


def _arg(name: str, find: Any) -> Op:
    def shape(x: Spec, *, axis: int | None = None, keepdims: bool = False) -> Spec:
        _check_not_empty(name, x.shape, axis)
        return Spec(shapes.reduced(x.shape, axis, keepdims), INT64)

    return Op(
        name,
        lambda x, *, axis=None, keepdims=False: find(x, axis=axis, keepdims=keepdims),
        shape,
        onnx=lambda b, x, **how: b.arg(f"Arg{name[3:].capitalize()}", x, **how),
    )


argmax = _arg("argmax", np.argmax)
argmin = _arg("argmin", np.argmin)
