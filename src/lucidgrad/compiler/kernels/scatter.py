"""Kernels that write where their inputs say: random bits by their number, sums at places that arrays point to."""

from __future__ import annotations

from math import prod

from lucidgrad.compiler.assembly import Reg
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Picked, picked_index
from lucidgrad.compiler.kernels import philox
from lucidgrad.compiler.kernels.nest import Bounds, loops


def draw(expression: Expression, kernel: Kernel, bounds: Bounds) -> None:
    """Random bits for the rows of the output that are this thread's."""
    assert kernel.anchor is not None
    c = expression.c
    (key,) = kernel.anchor.inputs
    (value,) = kernel.roots
    buffer = expression.stored[value]
    row = prod(value.shape[1:])
    start, stop = bounds.get(0, (0, value.shape[0])) if value.shape else (0, 1)
    first, last = (x * row if isinstance(x, int) else c.mul(x, row) for x in (start, stop))
    philox.random_bits(c, *expression.words(key), expression.frame.pointer(buffer), first, last)


def scatter(expression: Expression, kernel: Kernel) -> None:
    """Zeros, and then each cotangent added where the indices point, one after the other."""
    instruction = kernel.anchor
    assert instruction is not None
    c, frame = expression.c, expression.frame
    g, *arrays = instruction.inputs
    (value,) = kernel.roots
    buffer = expression.stored[value]
    with loops(expression, value.shape, range(len(value.shape)), {}) as index:
        frame.store(c.const(0, value.dtype), buffer, index)
    if 0 in value.shape:
        return
    with loops(expression, g.shape, range(len(g.shape)), {}) as index:
        components = picked_index(frame.math, instruction.attrs["key"], value.shape, [a.shape for a in arrays], index)
        places = []
        for component, n in zip(components, value.shape, strict=True):
            if isinstance(component, Picked):
                given = expression.at(arrays[component.number - 1], component.index)
                places.append(expression.place_in(_scalar(expression, given), n, None))
            else:
                places.append(component)
        at = tuple(places)
        frame.store(c.add(frame.load(buffer, at), expression.at(g, index)), buffer, at)


def _scalar(expression: Expression, given: Reg) -> Reg:
    return expression.c.extract(given, 0)  # type: ignore[no-any-return]
