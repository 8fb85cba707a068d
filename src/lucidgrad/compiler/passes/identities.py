"""Arithmetic that changes nothing, or says the same in more steps: only where IEEE 754 gives the same for every input.

So x * 1 is x; but x + 0 is not (-0.0 + 0 is 0), and neither is x * 0 (NaN).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lucidgrad.compiler.passes.rewrite import Rewriter, Rule, has_spec, is_number, number_of
from lucidgrad.graph import Value
from lucidgrad.ops import arithmetic as a
from lucidgrad.ops.arrays import frozen
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.transcendental import sqrt

Inputs = tuple[Any, ...]
Attrs = dict[str, Any]


def _times(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    for x, number in (inputs, inputs[::-1]):
        if not has_spec(x, spec) or spec.dtype.kind == "b":
            continue
        if is_number(number, 1):
            return x
        if is_number(number, -1) and spec.dtype.kind == "f":
            return r.emit(a.negative, (x,), {}, spec)
    return None


def _divided(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """By 1; and by a power of two, which is to multiply by another one, exactly."""
    x, number = inputs
    found = number_of(number)
    if found is None or not hasattr(x, "dtype") or spec.dtype.kind != "f":
        return None
    if is_number(number, 1) and has_spec(x, spec):
        return x
    with np.errstate(all="ignore"):
        divisor = float(spec.dtype.type(found))
    tiny = float(np.finfo(spec.dtype).smallest_normal)
    if abs(math.frexp(divisor)[0]) != 0.5 or not tiny <= abs(divisor) <= 1 / tiny:
        return None
    # A constant that has axes may be what gives the result its shape.
    is_array = isinstance(number, np.ndarray)
    inverse = frozen(np.full(number.shape, 1 / divisor, spec.dtype)) if is_array else 1 / divisor
    return r.emit(a.multiply, (x, inverse), {}, spec)


def _plus(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    for x, other in (inputs, inputs[::-1]):
        zero = -0.0 if spec.dtype.kind == "f" else 0
        if has_spec(x, spec) and spec.dtype.kind != "b" and is_number(other, zero):
            return x
    for x, other in (inputs, inputs[::-1]):
        made = r.maker(other, a.negative)
        if made is not None:
            return r.emit(a.subtract, (x, made.inputs[0]), {}, spec)
    return None


def _minus(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    x, other = inputs
    if has_spec(x, spec) and is_number(other, 0.0):
        return x
    made = r.maker(other, a.negative)
    return None if made is None else r.emit(a.add, (x, made.inputs[0]), {}, spec)


def _negated(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    made = r.maker(inputs[0], a.negative)
    return None if made is None else made.inputs[0]


def _power(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """The powers that NumPy does not leave to the general function either."""
    x, exponent = inputs
    if not has_spec(x, spec) or spec.dtype.kind != "f" or not isinstance(exponent, int | float):
        return None
    if exponent == 1:
        return x
    if exponent == 2:
        return r.emit(a.multiply, (x, x), {}, spec)
    if exponent == 0.5:
        return r.emit(sqrt, (x,), {}, spec)
    return r.emit(a.divide, (1.0, x), {}, spec) if exponent == -1 else None


def _chosen(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """Between two alike, or by a condition that is known."""
    condition, x, y = inputs
    if x is y and type(x) is Value:
        return r.stretched(x, spec.shape)
    known = number_of(condition)
    if known is None:
        return None
    picked = x if known else y
    return r.stretched(picked, spec.shape) if hasattr(picked, "dtype") and picked.dtype == spec.dtype else None


def _of_two_alike(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    return inputs[0] if inputs[0] is inputs[1] and has_spec(inputs[0], spec) else None


def _cast(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """To what it is; and back from a dtype that holds every number of the first."""
    (x,) = inputs
    if x.dtype == spec.dtype:
        return x
    made = r.maker(x, a.cast)
    if made is None:
        return None
    source = made.inputs[0]
    return source if source.dtype == spec.dtype and _holds(x.dtype, source.dtype) else None


def _holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    if wide.kind == "f" and narrow.kind in "iu":
        return np.finfo(wide).nmant >= 8 * narrow.itemsize
    return bool(np.can_cast(narrow, wide, "safe"))


RULES: dict[Op, tuple[Rule, ...]] = {
    a.multiply: (_times,),
    a.divide: (_divided,),
    a.add: (_plus,),
    a.subtract: (_minus,),
    a.negative: (_negated,),
    a.power: (_power,),
    a.where: (_chosen,),
    a.maximum: (_of_two_alike,),
    a.minimum: (_of_two_alike,),
    a.cast: (_cast,),
}
