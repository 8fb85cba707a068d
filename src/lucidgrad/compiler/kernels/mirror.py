"""The kernel that keeps a second copy of a matrix, in panels along its other axis: squares turned in registers."""

from __future__ import annotations

from lucidgrad.compiler.assembly import LANES, Builder, Reg
from lucidgrad.compiler.buffers import Buffer, Frame
from lucidgrad.compiler.index import Component, Lane


def mirror(frame: Frame, source: Buffer, target: Buffer, shared: bool) -> None:
    """Write the matrix in ``source`` to ``target``, whose panels run along the other axis."""
    c = frame.c
    assert source.panel is not None  # only such matrices have mirrors
    n, k = source.shape[source.panel], source.shape[1 - source.panel]
    whole_n, whole_k = n // LANES * LANES, k // LANES * LANES
    first, last = frame.slice(whole_k, LANES) if shared else (0, whole_k)

    def squares(across: Component, lines: int) -> None:
        if whole_k:
            with c.loop(first, last, LANES) as down:
                _square(frame, source, target, across, down.index, lines, LANES)
        if whole_k < k:
            _square(frame, source, target, across, c.const(whole_k, down_dtype), lines, k - whole_k)

    down_dtype = frame.start.dtype
    if whole_n:
        with c.loop(0, whole_n, LANES) as loop:
            squares(loop.index, LANES)
    if whole_n < n:
        squares(whole_n, n - whole_n)


def _square(
    frame: Frame, source: Buffer, target: Buffer, across: Component, down: Reg, lines: int, columns: int
) -> None:
    """Sixteen by sixteen elements, fewer at the edges."""
    c = frame.c
    start = int(across.text) if isinstance(across, Reg) and not across.text.startswith("%") else across
    rows = [
        frame.load(source, _index(source, Lane(start), c.add(down, i))) if i < columns else c.zero(source.dtype, LANES)
        for i in range(LANES)
    ]
    place = int(down.text) if not down.text.startswith("%") else down
    for i, row in enumerate(transposed(c, rows)[:lines]):
        frame.store(row, target, _index(target, Lane(place), frame.math.add(start, i)))


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
