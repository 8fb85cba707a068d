"""Loops over the places of an array, the innermost a vector at a time, split between threads where they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from lucidgrad.compiler.assembly import LANES, NARROW, Reg
from lucidgrad.compiler.buffers import Buffer, tail_mask
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Component, Index, Lane
from lucidgrad.graph import Value

Bounds = dict[int, tuple[int | Reg, int | Reg]]  # for an axis: from where to where its loop runs


def panel_axis(kernel: Kernel, stored: Mapping[Value, Buffer]) -> int | None:
    """The axis along which the kernel writes panels, if it does."""
    return next((b.panel for v in kernel.stored if (b := stored[v]).panel is not None), None)


def known(place: Component) -> Component:
    """The place as a number, where it is one."""
    return int(place.text) if isinstance(place, Reg) and not place.text.startswith("%") else place


def vector_axis(shape: Sequence[int]) -> int | None:
    """The last axis of more than one element: its places are neighbours in memory."""
    return next((a for a in reversed(range(len(shape))) if shape[a] != 1), None)


def width(columns: int) -> int:
    """How many lanes the vectors along rows of so many elements are to have."""
    return NARROW if columns <= NARROW else LANES


class Columns(NamedTuple):
    """Columns side by side that are a vector, how many lanes it has, and which of them are columns; None: all."""

    at: Lane
    lanes: int
    mask: Reg | None


def side_by_side(expression: Expression, first: Component, count: int) -> list[Columns]:
    """So many columns, in vectors; where no more than half of the last one would be of use, it is half as long."""
    c, math = expression.c, expression.frame.math
    found = []
    for further in range(0, count, LANES):
        with c.of_width(width(count - further)):
            found.append(Columns(Lane(math.add(first, further)), c.lanes, tail_mask(c, count - further)))
    return found


def part(expression: Expression, bounds: Bounds, axis: int, whole: int) -> tuple[int | Reg, int | Reg]:
    """What this thread has of the first ``whole`` places of an axis: a multiple of its grain."""
    if axis not in bounds:
        return 0, whole
    c = expression.c
    start, stop = map(expression.frame.math.register, bounds[axis])
    return c.minimum(start, whole), c.minimum(stop, whole)


@contextmanager
def rest(expression: Expression, bounds: Bounds, axis: int, whole: int) -> Iterator[None]:
    """The block is done by the thread that has the places from ``whole`` on: less than a grain of them."""
    c = expression.c
    if axis not in bounds:
        yield
        return
    start, stop = map(expression.frame.math.register, bounds[axis])
    with c.if_(c.and_(c.compare("le", start, whole), c.compare("gt", stop, whole))), expression.scope():
        yield


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
    if isinstance(start, int) and isinstance(stop, int):
        whole = start + (stop - start) // c.lanes * c.lanes
        if whole > start:
            with c.loop(start, whole, c.lanes) as loop, expression.scope():
                yield Lane(known(loop.index)), None
        if whole < stop:
            with expression.scope():
                yield Lane(whole), tail_mask(c, stop - whole)
        return
    math = expression.frame.math
    last = math.register(stop)
    with c.loop(start, stop, c.lanes) as loop, expression.scope():
        yield Lane(loop.index), tail_mask(c, c.sub(last, loop.index))
