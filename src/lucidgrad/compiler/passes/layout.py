"""Movements of elements that move nothing, or that are one movement in several steps; sums of a single element."""

from __future__ import annotations

from math import prod
from typing import Any

from lucidgrad.compiler.passes.rewrite import Rewriter, Rule, has_spec
from lucidgrad.compiler.passes.stretch import only_adds_leading_ones
from lucidgrad.ops import indexing, movement, reduce
from lucidgrad.ops.arithmetic import add
from lucidgrad.ops.op import Op, Spec
from lucidgrad.ops.shapes import normalize_axes

Inputs = tuple[Any, ...]
Attrs = dict[str, Any]


def _reshaped(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    (x,) = inputs
    if x.shape == spec.shape:
        return x
    made = r.maker(x, movement.reshape)
    if made is not None:
        return r.emit(op, made.inputs, {"shape": spec.shape}, spec)
    return r.record(op, inputs, {"shape": spec.shape}, spec) if attrs["shape"] != spec.shape else None


def _transposed(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    order = attrs["order"]
    if order == tuple(range(len(order))):
        return inputs[0]
    made = r.maker(inputs[0], movement.transpose)
    if made is None:
        return None
    before = made.attrs["order"]
    return r.emit(op, made.inputs, {"order": tuple(before[i] for i in order)}, spec)


def _stretched(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    (x,) = inputs
    if x.shape == spec.shape:
        return x
    made = r.maker(x, movement.broadcast_to)
    if made is None:
        made = r.maker(x, movement.reshape)
        if made is None or not only_adds_leading_ones(made.inputs[0].shape, x):
            return None
    return r.emit(op, made.inputs, attrs, spec)


def _picked(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """All of it, in its order; and for ``put``, into zeros that are all written over."""
    whole = all(part is ... or (isinstance(part, slice) and part.step in (None, 1)) for part in attrs["key"])
    return inputs[0] if whole and len(inputs) == 1 and has_spec(inputs[0], spec) else None


def _of_one(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    return inputs[0] if len(inputs) == 1 else None


def _padded(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    return inputs[0] if has_spec(inputs[0], spec) else None


def _reduced(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    """Of single elements; and with the axes always written as a sorted tuple, so that like reductions look alike."""
    (x,) = inputs
    axes = normalize_axes(attrs.get("axis"), x.ndim)
    if x.dtype == spec.dtype and prod(x.shape[i] for i in axes) == 1:
        moved = r.emit(movement.reshape, inputs, {"shape": spec.shape}, spec)
        # NumPy adds to 0.0, so that the sum of -0.0 alone is 0.0.
        return r.emit(add, (moved, 0.0), {}, spec) if op is reduce.sum and spec.dtype.kind == "f" else moved
    plain = {"axis": axes, "keepdims": attrs.get("keepdims", False)}
    return None if attrs == plain else r.record(op, inputs, plain, spec)


def _normalized(r: Rewriter, op: Op, inputs: Inputs, attrs: Attrs, spec: Spec) -> Any:
    plain = {**attrs, "axis": normalize_axes(attrs.get("axis"), inputs[0].ndim)}
    return None if attrs == plain else r.record(op, inputs, plain, spec)


RULES: dict[Op, tuple[Rule, ...]] = {
    movement.reshape: (_reshaped,),
    movement.transpose: (_transposed,),
    movement.broadcast_to: (_stretched,),
    movement.concatenate: (_of_one,),
    movement.pad: (_padded,),
    indexing.getitem: (_picked,),
    indexing.put: (_picked,),
    reduce.sum: (_reduced,),
    reduce.max: (_reduced,),
    reduce.min: (_reduced,),
    reduce.prod: (_reduced,),
    reduce.logsumexp: (_normalized,),
    reduce.softmax: (_normalized,),
    reduce.log_softmax: (_normalized,),
}
