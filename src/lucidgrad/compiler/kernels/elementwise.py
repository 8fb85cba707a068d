"""The kernel of values that are computed element by element."""

from __future__ import annotations

from lucidgrad.compiler.assembly import Reg
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Index
from lucidgrad.compiler.kernels.nest import Bounds, loops, panel_axis, vector_axis, vectors, width


def elementwise(expression: Expression, kernel: Kernel, bounds: Bounds) -> None:
    """Compute and store the kernel's values at every place."""
    shape = kernel.shape
    panel = panel_axis(kernel, expression.stored)
    last = vector_axis(shape) if panel is None or shape[panel] == 1 else panel
    if last is None:
        store_all(expression, kernel, (0,) * len(shape), None)
        return
    expression.c.lanes = width(shape[last])
    outer = [a for a in range(len(shape)) if a != last]
    start, stop = bounds.get(last, (0, shape[last]))
    with loops(expression, shape, outer, bounds) as index:
        for place, mask in vectors(expression, start, stop):
            store_all(expression, kernel, (*index[:last], place, *index[last + 1 :]), mask)


def store_all(expression: Expression, kernel: Kernel, index: Index, mask: Reg | None) -> None:
    """Compute what the kernel stores at an index, and write it."""
    frame = expression.frame
    values = [(v, expression.at(v, index, mask)) for v in kernel.stored]
    for value, register in values:
        frame.store(register, expression.stored[value], index, mask)
