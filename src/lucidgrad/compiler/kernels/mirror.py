"""The kernel that keeps a second copy of a matrix, in panels along its other axis: squares turned in registers."""

from __future__ import annotations

from lucidgrad.compiler.assembly import LANES, Builder, Reg
from lucidgrad.compiler.buffers import Buffer
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.index import Component, Lane
from lucidgrad.compiler.kernels.nest import Bounds, known, part, rest


def mirror(expression: Expression, source: Buffer, target: Buffer, bounds: Bounds) -> None:
    """Write the matrix in ``source`` to ``target``, whose panels run along the other axis."""
    assert source.panel is not None  # only such matrices have mirrors
    axis = source.panel
    n, k = source.shape[axis], source.shape[1 - axis]
    whole_n, whole_k = n // LANES * LANES, k // LANES * LANES

    def squares(across: Component, lines: int) -> None:
        if whole_k:
            first, last = part(expression, bounds, 1 - axis, whole_k)
            with expression.c.loop(first, last, LANES) as down:
                _square(expression, source, target, (across, known(down.index)), (lines, LANES))
        if whole_k < k:
            with rest(expression, bounds, 1 - axis, whole_k):
                _square(expression, source, target, (across, whole_k), (lines, k - whole_k))

    if whole_n:
        first, last = part(expression, bounds, axis, whole_n)
        with expression.c.loop(first, last, LANES) as loop:
            squares(known(loop.index), LANES)
    if whole_n < n:
        with rest(expression, bounds, axis, whole_n):
            squares(whole_n, n - whole_n)


def _square(
    expression: Expression,
    source: Buffer,
    target: Buffer,
    corner: tuple[Component, Component],
    size: tuple[int, int],
) -> None:
    """Sixteen by sixteen elements, fewer at the edges."""
    c, frame = expression.c, expression.frame
    (across, down), (lines, columns) = corner, size
    rows = [
        frame.load(source, _index(source, Lane(across), frame.math.add(down, i)))
        if i < columns
        else c.zero(source.dtype, LANES)
        for i in range(LANES)
    ]
    for i, row in enumerate(transposed(c, rows)[:lines]):
        frame.store(row, target, _index(target, Lane(down), frame.math.add(across, i)))


def _index(buffer: Buffer, lanes: Component, line: Component) -> tuple[Component, ...]:
    return (lanes, line) if buffer.panel == 0 else (line, lanes)


def transposed(c: Builder, rows: list[Reg]) -> list[Reg]:
    """The columns of sixteen rows: four rounds in which the first half is interleaved with the second."""
    half = LANES // 2
    low = [i // 2 + (i % 2) * LANES for i in range(LANES)]
    high = [x + half for x in low]
    for _ in range(4):
        rows = [c.shuffle(rows[i // 2], rows[i // 2 + half], high if i % 2 else low) for i in range(LANES)]
    return rows
