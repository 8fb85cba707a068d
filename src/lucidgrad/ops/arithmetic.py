"""Rows of arithmetic: sums, products, powers, comparisons, and choosing between two values element by element."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from lucidgrad.ops import shapes
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.promotion import FLOAT32

add = Op(
    "add",
    np.add,
    shapes.elementwise,
    (lambda g, y, a, b: g, lambda g, y, a, b: g),
    codegen=Elementwise(lambda c, a, b: c.add(a, b)),
    onnx="Add",
)

subtract = Op(
    "subtract",
    np.subtract,
    shapes.elementwise,
    (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    codegen=Elementwise(lambda c, a, b: c.sub(a, b)),
    onnx="Sub",
)

multiply = Op(
    "multiply",
    np.multiply,
    shapes.elementwise,
    (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    codegen=Elementwise(lambda c, a, b: c.mul(a, b)),
    onnx="Mul",
)

divide = Op(
    "divide",
    np.true_divide,
    shapes.elementwise,
    (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
    needs_float=True,
    codegen=Elementwise(lambda c, a, b: c.div(a, b)),
    onnx="Div",
)

negative = Op(
    "negative",
    np.negative,
    shapes.elementwise,
    (lambda g, y, x: -g,),
    codegen=Elementwise(lambda c, x: c.neg(x)),
    onnx="Neg",
)


def _power_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    # b a^(b-1). A constant (b = 0) is flat everywhere, also at a = 0, where a^-1 is infinite.
    if isinstance(b, int | float):
        return g * (b * a ** (b - 1)) if b else g * 0.0
    flat = b == 0
    return where(flat, 0.0, g * b * a ** (where(flat, 1.0, b) - 1))


def _power_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    # a^b log(a). At a = 0 the power is flat in b > 0, while log(0) is not finite.
    if isinstance(a, int | float):
        return g * y * math.log(a) if a > 0 else g * y * (0.0 if a == 0 else math.nan)
    zero = a == 0
    return where(zero, 0.0, g * y * where(zero, 1.0, a).log())


def _counted_as(dtype: np.dtype[Any]) -> Any:
    """A shape rule: elementwise, but NumPy counts booleans in ``dtype``."""

    def shape(*specs: Any) -> Spec:
        spec = shapes.elementwise(*specs)
        return spec._replace(dtype=dtype) if spec.dtype.kind == "b" else spec

    return shape


# The operator, not np.power: it squares by one multiplication.
power = Op(
    "power",
    operator.pow,
    _counted_as(np.dtype(np.int8)),
    (_power_base, _power_exponent),
    codegen=Elementwise(lambda c, a, b: c.power(a, b)),
    onnx="Pow",
)


def _share(g: Any, y: Any, mine: Any, other: Any) -> Any:
    # The chosen input gets the cotangent; a tie is shared evenly, as in PyTorch.
    return where(mine == other, 0.5 * g, where(mine == y, g, 0.0))


_choose_one = (lambda g, y, a, b: _share(g, y, a, b), lambda g, y, a, b: _share(g, y, b, a))
maximum = Op(
    "maximum",
    np.maximum,
    shapes.elementwise,
    _choose_one,
    codegen=Elementwise(lambda c, a, b: c.maximum(a, b)),
    onnx="Max",
)
minimum = Op(
    "minimum",
    np.minimum,
    shapes.elementwise,
    _choose_one,
    codegen=Elementwise(lambda c, a, b: c.minimum(a, b)),
    onnx="Min",
)

# max(x, 0) with slope 0 at 0, where `maximum` would share the tie.
relu = Op(
    "relu",
    lambda x: np.maximum(x, 0),
    _counted_as(shapes.INT64),
    (lambda g, y, x: where(y > 0, g, 0.0),),
    codegen=Elementwise(lambda c, x: c.relu(x)),
    onnx="Relu",
)

clip = Op(
    "clip",
    lambda x, *, low, high: np.clip(x, low, high, dtype=x.dtype),
    lambda x, **_: x,
    (lambda g, y, x, **_: where(x == y, g, 0.0),),  # inside, both ends included, the value is unchanged
    codegen=Elementwise(lambda c, x, *, low, high: c.clip(x, low, high)),
    onnx=lambda b, x, *, low, high: b.clip(x, low, high),
)

absolute = Op(
    "absolute",
    np.abs,
    shapes.elementwise,
    (lambda g, y, x: g * sign(x),),
    codegen=Elementwise(lambda c, x: c.abs(x)),
    onnx="Abs",
)

sign: Op = Op(
    "sign",
    np.sign,
    shapes.elementwise,
    (lambda g, y, x: g * 0.0,),
    codegen=Elementwise(lambda c, x: c.sign(x)),
    onnx="Sign",
)


def _where_forward(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b).astype(_chosen_dtype(a, b), copy=False)


def _chosen_dtype(a: Any, b: Any) -> np.dtype[Any]:
    for x in (a, b):
        if hasattr(x, "dtype"):
            return x.dtype  # type: ignore[no-any-return]
    # Two numbers, of which NumPy would make float64.
    return FLOAT32 if float in (type(a), type(b)) else np.dtype(np.result_type(type(a), type(b)))


def _where_shape(condition: Any, a: Any, b: Any) -> Spec:
    return Spec(shapes.broadcast(condition, a, b), _chosen_dtype(a, b))


where: Op = Op(
    "where",
    _where_forward,
    _where_shape,
    (None, lambda g, y, c, a, b: where(c, g, 0.0), lambda g, y, c, a, b: where(c, 0.0, g)),
    same_dtype_from=1,
    codegen=Elementwise(lambda c, condition, a, b: c.where(condition, a, b)),
    onnx="Where",
)

cast = Op(
    "cast",
    lambda x, *, dtype: np.asarray(x).astype(dtype),
    lambda x, *, dtype: Spec(x.shape, np.dtype(dtype)),
    (lambda g, y, x, *, dtype: g.astype(x.dtype),),
    codegen=Elementwise(lambda c, x, *, dtype: c.cast(x, np.dtype(dtype))),
    onnx=lambda b, x, *, dtype: b.cast(x, np.dtype(dtype)),
)


def _comparison(name: str, forward: Any, rule: Any, onnx: Any) -> Op:
    return Op(name, forward, shapes.compare, codegen=Elementwise(rule), onnx=onnx)


equal = _comparison("equal", np.equal, lambda c, a, b: c.compare("eq", a, b), "Equal")
not_equal = _comparison(
    "not_equal",
    np.not_equal,
    lambda c, a, b: c.compare("ne", a, b),
    lambda b, x, y: b("Not", b("Equal", *b.alike(x, y))),
)
less = _comparison("less", np.less, lambda c, a, b: c.compare("lt", a, b), "Less")
less_equal = _comparison("less_equal", np.less_equal, lambda c, a, b: c.compare("le", a, b), "LessOrEqual")
greater = _comparison("greater", np.greater, lambda c, a, b: c.compare("gt", a, b), "Greater")
greater_equal = _comparison("greater_equal", np.greater_equal, lambda c, a, b: c.compare("ge", a, b), "GreaterOrEqual")
logical_and = _comparison(
    "logical_and",
    np.logical_and,
    lambda c, a, b: c.and_(c.truth(a), c.truth(b)),
    lambda b, x, y: b("And", b.truth(x), b.truth(y)),
)
logical_or = _comparison(
    "logical_or",
    np.logical_or,
    lambda c, a, b: c.or_(c.truth(a), c.truth(b)),
    lambda b, x, y: b("Or", b.truth(x), b.truth(y)),
)
logical_not = _comparison(
    "logical_not", np.logical_not, lambda c, x: c.not_(c.truth(x)), lambda b, x: b("Not", b.truth(x))
)
