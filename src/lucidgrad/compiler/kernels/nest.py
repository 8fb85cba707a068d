"""Loops over the places of an array, the innermost a vector at a time, split between threads where they may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from lucidgrad.compiler.assembly import LANES, Reg
from lucidgrad.compiler.buffers import tail_mask
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.index import Component, Index, Lane

Bounds = dict[int, tuple[int | Reg, int | Reg]]  # for an axis: from where to where its loop runs


def vector_axis(shape: Sequence[int]) -> int | None:
    """The last axis of more than one element: its places are neighbours in memory."""
    return next((a for a in reversed(range(len(shape))) if shape[a] != 1), None)


@contextmanager
def loops(expression: Expression, shape: Sequence[int], axes: Sequence[int], bounds: Bounds) -> Iterator[Index]:
    """Loops over some axes, the first outermost: the index, with 0 for all other axes."""
    index: list[Component] = [0] * len(shape)
    with ExitStack() as stack:
        for axis in axes:
            start, stop = bounds.get(axis, (0, shape[axis]))
            if shape[axis] != 1 or axis in bounds:
                index[axis] = stack.enter_context(expression.c.loop(start, stop)).index
                stack.enter_context(expression.scope())
        yield tuple(index)


def vectors(
    expression: Expression, start: int | Reg, stop: int | Reg, one_by_one: bool = False
) -> Iterator[tuple[Component, Reg | None]]:
    """A loop of whole vectors from start to stop, then what is left over: the place, and which lanes count.

    It is iterated over twice at most, each time writing the same code for another number of lanes.
    """
    c = expression.c
    known = isinstance(start, int) and isinstance(stop, int)
    if known:
        assert isinstance(start, int)
        assert isinstance(stop, int)
        whole = start + (stop - start) // LANES * LANES
        if whole > start:
            with c.loop(start, whole, LANES) as loop, expression.scope():
                yield _lane(loop.index), None
        if whole < stop:
            with expression.scope():
                yield Lane(whole), tail_mask(c, stop - whole)
        return
    math = expression.frame.math
    last = math.register(stop)
    with c.loop(start, stop, LANES) as loop, expression.scope():
        yield Lane(loop.index), tail_mask(c, c.sub(last, loop.index))


def _lane(index: Reg) -> Lane:
    return Lane(int(index.text)) if not index.text.startswith("%") else Lane(index)
