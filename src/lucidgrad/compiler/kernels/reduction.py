"""Kernels of sums, products and extremes over axes.

Along the last axis 16 partial results, one in each lane, are joined by a fixed tree in the end. Along other axes
each lane is a place of the output and takes the elements in their order. So the bits depend neither on the machine
nor on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, LANES, Reg
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Component, Index, Lane
from lucidgrad.compiler.kernels.elementwise import store_all
from lucidgrad.compiler.kernels.nest import Bounds, loops, vector_axis, vectors
from lucidgrad.graph import Instruction
from lucidgrad.ops.shapes import normalize_axes

Combine = Callable[[Any, Reg, Reg], Reg]

COMBINE: dict[str, Combine] = {
    "sum": lambda c, a, b: c.add(a, b),
    "prod": lambda c, a, b: c.mul(a, b),
    "max": lambda c, a, b: c.maximum(a, b),
    "min": lambda c, a, b: c.minimum(a, b),
}


def neutral(name: str, dtype: np.dtype[Any]) -> Any:
    """What changes nothing when it is joined."""
    if name in ("sum", "prod"):
        return 0 if name == "sum" else 1
    if dtype.kind == "b":
        return name == "min"
    if dtype.kind == "f":
        return -math.inf if name == "max" else math.inf
    limits = np.iinfo(dtype)
    return limits.min if name == "max" else limits.max


def reduction(expression: Expression, kernel: Kernel, bounds: Bounds) -> None:
    """Compute the reduction that the kernel begins with, and store what follows from it."""
    instruction = kernel.anchor
    assert instruction is not None  # the caller has looked
    (x,) = instruction.inputs
    axes = normalize_axes(instruction.attrs.get("axis"), len(x.shape))
    last = vector_axis(x.shape)
    if instruction.op.name.startswith("arg"):
        _search(expression, kernel, bounds, axes)
    elif last is None or last in axes:
        _along_last(expression, kernel, bounds, axes, last)
    else:
        _across(expression, kernel, bounds, axes, last)


def input_index(instruction: Instruction, index: Index, inside: dict[int, Component]) -> Index:
    """The index into the input, from one into the output and the places along the reduced axes."""
    (x,) = instruction.inputs
    kept = instruction.attrs.get("keepdims", False)
    outer = iter([i for a, i in enumerate(index) if a not in inside] if kept else index)
    return tuple(inside[a] if a in inside else next(outer) for a in range(len(x.shape)))


def _element(expression: Expression, instruction: Instruction, index: Index, mask: Reg | None, lanes: int) -> Reg:
    c = expression.c
    (x,) = instruction.inputs
    value = expression.at(x, index, mask)
    dtype = instruction.output.dtype
    value = c.cast(value, dtype)
    value = c.splat(value, lanes) if lanes > 1 else value
    if mask is not None and lanes > 1:
        value = c.select(mask, value, neutral(instruction.op.name, dtype))
    return value  # type: ignore[no-any-return]


def _along_last(expression: Expression, kernel: Kernel, bounds: Bounds, axes: Sequence[int], last: int | None) -> None:
    """The vector runs along a reduced axis."""
    instruction = kernel.anchor
    assert instruction is not None
    c = expression.c
    (x,) = instruction.inputs
    name, dtype = instruction.op.name, instruction.output.dtype
    combine = COMBINE[name]
    outer = [a for a in axes if a != last]
    if last is not None and not outer and _in_step(kernel, x.shape, last):
        bounds = _rows_in_step(expression, kernel, bounds, last)
        whole, stop = bounds[last - 1]
        if isinstance(whole, int) and whole == stop:  # nothing is left over
            return
    with loops(expression, kernel.shape, range(len(kernel.shape)), bounds) as index:
        total = c.const(neutral(name, dtype), dtype, LANES)

        def inner(total: Reg, places: dict[int, Component]) -> Reg:
            if last is None:
                value = _element(expression, instruction, input_index(instruction, index, places), None, 1)
                first = c.insert(c.const(neutral(name, dtype), dtype, LANES), value, 0)
                return combine(c, total, first)
            n = x.shape[last]
            whole = n // LANES * LANES
            if whole:
                with c.loop(0, whole, LANES, [total]) as loop, expression.scope():
                    at = input_index(instruction, index, places | {last: Lane(loop.index)})
                    loop.next = [combine(c, loop.values[0], _element(expression, instruction, at, None, LANES))]
                (total,) = loop.values
            if whole < n:
                with expression.scope():
                    mask = c.vector([i < n - whole for i in range(LANES)], np.dtype(np.bool_))
                    at = input_index(instruction, index, places | {last: Lane(whole)})
                    total = combine(c, total, _element(expression, instruction, at, mask, LANES))
            return total

        total = _nested(expression, x.shape, outer, total, dict.fromkeys(axes, 0), inner)
        result = tree(c, total, combine)
        with expression.scope():
            expression.define(instruction.output, index, result)
            store_all(expression, kernel, index, None)


def _in_step(kernel: Kernel, shape: Sequence[int], last: int) -> bool:
    """Whether 16 short rows, a vector each, can be summed together: their results lie side by side."""
    rows = last - 1
    short = last == len(shape) - 1 and shape[last] <= LANES and rows >= 0 and shape[rows] >= LANES
    return short and all(v.dtype.kind != "b" for v in kernel.roots)


def _rows_in_step(expression: Expression, kernel: Kernel, bounds: Bounds, last: int) -> Bounds:
    """Sum 16 rows at a time; the bounds of what is left over.

    The tree that joins the lanes of a row is the usual one. But two rows need one vector for the halves of both, four
    for their quarters, and so on, so that 16 rows take 15 additions instead of 64.
    """
    instruction = kernel.anchor
    assert instruction is not None
    c, math = expression.c, expression.frame.math
    (x,) = instruction.inputs
    combine, n = COMBINE[instruction.op.name], x.shape[last]
    axis = last - 1
    start, stop = bounds.get(axis, (0, x.shape[axis]))
    if isinstance(start, int) and isinstance(stop, int):
        whole: int | Reg = start + (stop - start) // LANES * LANES
    else:
        first = math.register(start)
        whole = c.add(first, c.and_(c.sub(math.register(stop), first), -LANES))
    mask = c.vector([i < n for i in range(LANES)], np.dtype(np.bool_)) if n < LANES else None
    with loops(expression, kernel.shape, range(axis), bounds) as index, c.loop(start, whole, LANES) as loop:
        rows = []
        for row in range(LANES):
            with expression.scope():
                at = (*index[:axis], c.add(loop.index, row) if row else loop.index, *index[axis + 1 :])
                places: dict[int, Component] = {last: Lane(0)}
                total = c.const(neutral(instruction.op.name, instruction.output.dtype), instruction.output.dtype, LANES)
                element = _element(expression, instruction, input_index(instruction, at, places), mask, LANES)
                rows.append(combine(c, total, element))
        with expression.scope():
            at = (*index[:axis], Lane(loop.index), *index[axis + 1 :])
            expression.define(instruction.output, at, _joined(c, rows, n, combine))
            store_all(expression, kernel, at, None)
    return bounds | {axis: (whole, stop)}


def _joined(c: Any, rows: list[Reg], n: int, combine: Combine) -> Reg:
    """The vector of what ``tree`` makes of each of 16 vectors, of which no more than ``n`` lanes are not neutral."""
    width = LANES  # lanes of a row
    while width > 1:
        half = width // 2
        joined = []
        for a, b in zip(rows[::2], rows[1::2], strict=True):
            lanes = [start + i for start in range(0, 2 * LANES, width) for i in range(half)]
            low = c.shuffle(a, b, lanes)
            joined.append(combine(c, low, c.shuffle(a, b, [i + half for i in lanes])) if n > half else low)
        rows, width = joined, half
    return rows[0]


def tree(c: Any, total: Reg, combine: Combine) -> Reg:
    """All lanes joined: halves first, then quarters, eighths, and pairs."""
    lanes = total.lanes
    while lanes > 1:
        lanes //= 2
        low, high = c.shuffle(total, None, range(lanes)), c.shuffle(total, None, range(lanes, 2 * lanes))
        if lanes == 1:
            return combine(c, c.extract(total, 0), c.extract(total, 1))
        total = combine(c, low, high)
    return total


def _nested(
    expression: Expression,
    shape: Sequence[int],
    axes: Sequence[int],
    total: Reg,
    places: dict[int, Component],
    inner: Callable[[Reg, dict[int, Component]], Reg],
) -> Reg:
    """Loops over reduced axes that carry the total."""
    if not axes:
        return inner(total, places)
    axis, *rest = axes
    if shape[axis] == 1:
        return _nested(expression, shape, rest, total, places, inner)
    with expression.c.loop(0, shape[axis], 1, [total]) as loop, expression.scope():
        further = places | {axis: loop.index}
        loop.next = [_nested(expression, shape, rest, loop.values[0], further, inner)]
    (result,) = loop.values
    return result  # type: ignore[no-any-return]


def _across(expression: Expression, kernel: Kernel, bounds: Bounds, axes: Sequence[int], last: int) -> None:
    """The vector runs along an axis that stays."""
    instruction = kernel.anchor
    assert instruction is not None
    c = expression.c
    (x,) = instruction.inputs
    name, dtype = instruction.op.name, instruction.output.dtype
    combine = COMBINE[name]
    kept = instruction.attrs.get("keepdims", False)
    place_of_last = last if kept else last - sum(a < last for a in axes)
    shape = kernel.shape
    outer = [a for a in range(len(shape)) if a != place_of_last]
    start, stop = bounds.get(place_of_last, (0, shape[place_of_last]))
    with loops(expression, shape, outer, bounds) as index:
        for place, mask in vectors(expression, start, stop):
            at_output = (*index[:place_of_last], place, *index[place_of_last + 1 :])

            def inner(
                total: Reg, places: dict[int, Component], at_output: Index = at_output, mask: Reg | None = mask
            ) -> Reg:
                at = input_index(instruction, at_output, places)
                return combine(c, total, _element(expression, instruction, at, mask, LANES))

            total = c.const(neutral(name, dtype), dtype, LANES)
            total = _nested(expression, x.shape, axes, total, dict.fromkeys(axes, 0), inner)
            expression.define(instruction.output, at_output, total, mask)
            store_all(expression, kernel, at_output, mask)


def better(c: Any, name: str, value: Reg, extreme: Reg) -> Reg:
    """Whether argmax or argmin goes on with the value instead of what it has found so far."""
    chosen: Reg = c.compare("gt" if name == "argmax" else "lt", value, extreme)
    if value.dtype.kind == "f":
        unseen = c.and_(c.compare("ne", value, value), c.compare("eq", extreme, extreme))
        chosen = c.or_(chosen, unseen)
    return chosen


def _search(expression: Expression, kernel: Kernel, bounds: Bounds, axes: Sequence[int]) -> None:
    """Where the extreme is: the first, or the first NaN."""
    instruction = kernel.anchor
    assert instruction is not None
    c = expression.c
    (x,) = instruction.inputs
    with loops(expression, kernel.shape, range(len(kernel.shape)), bounds) as index:
        start = input_index(instruction, index, dict.fromkeys(axes, 0))
        best = [c.const(0, I64), c.const(0, I64), expression.at(x, start)]  # how many seen, which one, its value

        def search(axes: Sequence[int], state: list[Reg], places: dict[int, Component]) -> list[Reg]:
            if not axes:
                count, which, extreme = state
                value = expression.at(x, input_index(instruction, index, places))
                chosen = better(c, instruction.op.name, value, extreme)
                return [c.add(count, 1), c.select(chosen, count, which), c.select(chosen, value, extreme)]
            axis, *rest = axes
            with c.loop(0, x.shape[axis], 1, state) as loop, expression.scope():
                loop.next = search(rest, loop.values, places | {axis: loop.index})
            return loop.values  # type: ignore[no-any-return]

        _, which, _ = search(axes, best, {})
        with expression.scope():
            expression.define(instruction.output, index, which)
            store_all(expression, kernel, index, None)
