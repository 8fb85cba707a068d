"""The factor of the chain rule at each edge: what the derivative of an op is, in symbols and in numbers.

The numbers come from the op's own vjp rule, so that also an op from outside of the package has them; the table below
only says how a derivative is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.autograd import no_grad
from lucidgrad.ops import shapes
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.op import Op
from lucidgrad.seeing.readable import number
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


# How the derivative after each input is written: {y} is the output, {0} and {1} are the inputs.
_FORMS = {
    "add": ("1", "1"),
    "subtract": ("1", "−1"),
    "multiply": ("{1}", "{0}"),
    "divide": ("1/{1}", "−{y}/{1}"),
    "negative": ("−1",),
    "power": ("{1} · {0}^({1}−1)", "{y} · log {0}"),
    "maximum": ("[{0} ≥ {1}]", "[{1} ≥ {0}]"),
    "minimum": ("[{0} ≤ {1}]", "[{1} ≤ {0}]"),
    "relu": ("[{0} > 0]",),
    "clip": ("[{0} in range]",),
    "absolute": ("sign {0}",),
    "sign": ("0",),
    "where": ("", "[{0}]", "[not {0}]"),
    "cast": ("1",),
    "exp": ("{y}",),
    "expm1": ("{y} + 1",),
    "log": ("1/{0}",),
    "log1p": ("1/(1 + {0})",),
    "sqrt": ("1/(2 {y})",),
    "sin": ("cos {0}",),
    "cos": ("−sin {0}",),
    "tanh": ("1 − {y}²",),
    "sigmoid": ("{y} (1 − {y})",),
    "softplus": ("sigmoid({0})",),
    "erf": ("2/√π · exp(−{0}²)",),
    "sum": ("1",),
    "max": ("[{0} = {y}]",),
    "min": ("[{0} = {y}]",),
    "prod": ("{y}/{0}",),
    "logsumexp": ("softmax({0})",),
    "softmax": ("{y} ⊙ (I − {y})",),
    "log_softmax": ("I − softmax({0})",),
    "cross_entropy": ("softmax({0}) − onehot({1})",),
    "matmul": ("{1}ᵀ", "{0}ᵀ"),
    "linear": ("{1}", "{0}", "1"),
    "reshape": ("reshape",),
    "transpose": ("transpose",),
    "broadcast_to": ("1",),
    "pad": ("cut",),
    "getitem": ("put back",),
    "put": ("pick",),
    "concatenate": ("its part",),
}

# Each element of these inputs goes into one element of the output alone: the derivative is a number for each.
_LINES = {"sum", "max", "min", "prod", "logsumexp", "cross_entropy"}


def form(op: Op, place: int, names: dict[str, str], numbers: dict[int, Any]) -> str:
    """The derivative after the input at a place, in symbols; empty for an op that the table does not know."""
    forms = _FORMS.get(op.name, ())
    if op.name == "concatenate":
        forms = forms * (place + 1)
    if place >= len(forms):
        return ""
    if op.name == "power" and place == 0 and isinstance(exponent := numbers.get(1), int | float):
        return _power(names["0"], exponent)
    named = [names.get(str(i), "") for i in range(4)]
    return forms[place].format(*named, y=names["y"])


def _power(base: str, exponent: float) -> str:
    """The slope of base^exponent: 2 x of a square, as people write it."""
    if exponent == 2:
        return f"2 {base}"
    return f"{number(exponent)} {base}^{number(exponent - 1)}"


def is_elementwise(op: Op) -> bool:
    """Whether the derivative is one number for each element of the input, as of tanh and of a product of two."""
    return is_pointwise(op) or op.name in _LINES


def is_pointwise(op: Op) -> bool:
    """Whether each element of the output is made of one element of each input."""
    return isinstance(op.codegen, Elementwise) or op.shape is shapes.elementwise


def pulled(op: Op, place: int, values: tuple[Any, ...], output: Any, attrs: dict[str, Any], g: Any) -> Array:
    """What the op's vjp rule makes of a cotangent, before broadcasting is undone."""
    rule = op.rule(place)
    assert rule is not None  # asked for edges alone that a gradient goes back along
    wrapped = [Tensor.wrap(v) if hasattr(v, "dtype") else v for v in values]
    with no_grad(), np.errstate(all="ignore"):
        return np.asarray(rule(Tensor.wrap(g), Tensor.wrap(output), *wrapped, **attrs).numpy())


def slope(op: Op, place: int, values: tuple[Any, ...], output: Any, attrs: dict[str, Any]) -> Array | None:
    """The derivative in numbers: one for each element, or the other operand of a product; None where neither."""
    if is_elementwise(op):
        return pulled(op, place, values, output, attrs, np.ones(output.shape, output.dtype))
    if op.name == "matmul":
        return np.asarray(np.swapaxes(values[1 - place], -1, -2))
    if op.name == "linear":
        return np.asarray((values[1], values[0], np.ones((), output.dtype))[place])
    return None
