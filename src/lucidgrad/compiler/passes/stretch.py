"""Elementwise ops broadcast by themselves: nothing is stretched for them, and what is stretched, is so after them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from lucidgrad.compiler.passes.rewrite import Rewriter
from lucidgrad.graph import Value
from lucidgrad.ops import FAMILIES, arithmetic, transcendental
from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.movement import broadcast_to, reshape
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.random import shift_right

_ROWS = frozenset(
    row for family in FAMILIES if family in (arithmetic, transcendental) for row in vars(family).values()
    if isinstance(row, Op)
) | {shift_right}  # fmt: skip


def is_elementwise(op: Op) -> bool:
    """Whether each element of the output comes from the elements of the inputs at its place alone."""
    return op in _ROWS or isinstance(op.codegen, Elementwise)


def stretch_later(r: Rewriter, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec) -> Any:
    """Take operands as they were before they were stretched; stretch the result instead, where that is needed."""
    small = tuple([_before_stretching(r, x) for x in inputs])
    if all(map(operator.is_, small, inputs)):
        return None
    shape = np.broadcast_shapes(*[x.shape for x in small if hasattr(x, "shape")])
    return r.stretched(r.emit(op, small, attrs, Spec(shape, spec.dtype)), spec.shape)


def _before_stretching(r: Rewriter, x: Any) -> Any:
    """``x`` without axes along which it repeats itself, as far as broadcasting puts them back."""
    if isinstance(x, np.ndarray):
        return _without_repeats(x)
    while True:
        made = r.made_by.get(x)
        if made is None:
            return x
        if made.op is not broadcast_to and not (made.op is reshape and only_adds_leading_ones(made.inputs[0].shape, x)):
            return x
        x = made.inputs[0]
        if type(x) is not Value:
            return _without_repeats(x)


def only_adds_leading_ones(old: tuple[int, ...], new: Any) -> bool:
    """Whether a reshape from ``old`` is a broadcast."""
    lead = new.ndim - len(old)
    return bool(lead >= 0 and new.shape == (1,) * lead + old)


def _without_repeats(array: Any) -> Any:
    bits = array.view(f"u{array.itemsize}")  # NaN is equal to itself, and 0.0 is not -0.0
    small = array
    for axis, n in enumerate(array.shape):
        if n > 1:
            first = (slice(None),) * axis + (slice(0, 1),)
            if (bits[first].take(0, axis).ravel()[:1] == bits.take(-1, axis).ravel()[:1]).all() and (
                bits == bits[first]
            ).all():
                small, bits = small[first], bits[first]
    lead = next((i for i, n in enumerate(small.shape) if n != 1), small.ndim)
    return array if small is array and not lead else small.reshape(small.shape[lead:])
