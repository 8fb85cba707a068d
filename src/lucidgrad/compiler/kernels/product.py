"""The kernel of matrix products: tiles of the output stay in registers while the inner axis is walked through.

Each element is one chain of fused multiplications and additions in the order of the inner axis, so that tiles,
threads and machines make no difference to its bits. What follows the product (a bias, an activation, the rule of an
optimiser) is computed from the tile before it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lucidgrad.compiler.assembly import LANES, Reg
from lucidgrad.compiler.buffers import GATHERED, PANEL, Buffer, tail_mask
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Component, Index, Lane, broadcast_index
from lucidgrad.compiler.kernels.elementwise import store_all
from lucidgrad.compiler.kernels.nest import Bounds, known, loops, panel_axis, part, rest, width
from lucidgrad.graph import Instruction, Value


@dataclass(frozen=True)
class Tiles:
    """How many rows of how many vectors a tile has; the accumulators, a row of B and an element of A fit registers."""

    registers: int

    def vectors(self, columns: int) -> int:
        """Vectors side by side for so many columns."""
        most = 4 if self.registers >= 32 else 1
        return min(most, -(-columns // LANES))

    def rows(self, vectors: int) -> int:
        """Rows below each other."""
        if self.registers < 32:
            return 6 if self.registers >= 8 else 2
        # Eight chains keep two units busy; more rows that lie 4,096 bytes apart would push each other out of the cache.
        return 6 if vectors == 4 else 8


@dataclass(frozen=True)
class Walk:
    """A product as the kernel walks through it: which axis runs along vectors, which from row to row."""

    instruction: Instruction
    across: int  # the axis of the output whose places are lanes
    down: int

    @property
    def depth(self) -> int:
        """Elements of the inner axis."""
        return int(self.instruction.inputs[0].shape[-1])

    def output(self, batch: Index, row: Component, lane: Component) -> Index:
        """The index of the output; an axis of one element has the index 0, as everywhere."""
        index = (*batch, row, lane) if self.down < self.across else (*batch, lane, row)
        return broadcast_index(index, self.instruction.output.shape)

    def scalar(self, expression: Expression, batch: Index, row: Component, k: Component) -> Reg:
        """The element of the operand that is the same for a whole row of the tile."""
        left, right = self.instruction.inputs
        x, index = (left, (row, k)) if self.down < self.across else (right, (k, row))
        return expression.at(x, (*batch[len(batch) - x.ndim + 2 :], *index))

    def data_set(self, expression: Expression) -> Buffer | None:
        """The buffer of the operand that vectors are read from, where those are rows of a data set.

        They come from far away. While this batch's are read, the next one's can be asked for.
        """
        right = self.instruction.inputs[1]
        buffer = expression.stored.get(right) if self.down < self.across and isinstance(right, Value) else None
        return buffer if buffer is not None and buffer.kind == GATHERED and len(buffer.shape) == 2 else None

    def vector(self, expression: Expression, batch: Index, k: Component, lane: Component, mask: Reg | None) -> Reg:
        """A vector of the other operand."""
        left, right = self.instruction.inputs
        x, index = (right, (k, lane)) if self.down < self.across else (left, (lane, k))
        value = expression.at(x, (*batch[len(batch) - x.ndim + 2 :], *index), mask)
        return expression.c.splat(value)  # type: ignore[no-any-return]


def product(expression: Expression, kernel: Kernel, bounds: Bounds, registers: int) -> None:
    """Compute the product that the kernel begins with, and store what follows from it."""
    instruction = kernel.anchor
    assert instruction is not None  # the caller has looked
    shape = kernel.shape
    first = len(shape) - 2
    panel = panel_axis(kernel, expression.stored)
    across = first + 1 if panel is None else panel
    walk = Walk(instruction, across, 2 * first + 1 - across)
    tiles = Tiles(registers)
    expression.c.lanes = width(shape[across])
    with loops(expression, shape, range(first), bounds) as index:
        batch = index[:first]
        columns = PANEL if registers >= 32 else LANES
        n = shape[across]
        whole = n // columns * columns
        if whole:
            start, stop = part(expression, bounds, across, whole)
            with expression.c.loop(start, stop, columns) as loop, expression.scope():
                _rows(expression, kernel, walk, tiles, bounds, batch, known(loop.index), columns)
        if whole < n:
            with rest(expression, bounds, across, whole):
                for first_column in range(whole, n, tiles.vectors(n) * LANES):
                    count = min(n - first_column, tiles.vectors(n) * LANES)
                    _rows(expression, kernel, walk, tiles, bounds, batch, first_column, count)


def _rows(
    expression: Expression,
    kernel: Kernel,
    walk: Walk,
    tiles: Tiles,
    bounds: Bounds,
    batch: Index,
    column: Component,
    columns: int,
) -> None:
    """All rows of some columns: in whole tiles, then what is left over."""
    c = expression.c
    shape = kernel.shape
    start, stop = bounds.get(walk.down, (0, shape[walk.down]))
    height = tiles.rows(-(-columns // LANES))
    lanes = [Lane(expression.frame.math.add(column, v)) for v in range(0, columns, LANES)]
    masks = [tail_mask(c, columns - v) for v in range(0, columns, LANES)]
    fixed = isinstance(start, int) and isinstance(stop, int)
    heights = [height, (stop - start) % height] if fixed else [height, 4, 1]  # type: ignore[operator]
    at: int | Reg = start
    for rows in dict.fromkeys(h for h in heights if h):
        count = c.sub(expression.frame.math.register(stop), at)
        end = (
            at + (stop - at) // rows * rows
            if isinstance(at, int) and isinstance(stop, int)
            else c.add(c.mul(c.div(count, rows), rows), at)
        )
        if isinstance(end, int) and end == at:  # fewer rows than a tile has
            continue
        with c.loop(at, end, rows) as loop, expression.scope():
            _tile(
                expression,
                kernel,
                walk,
                batch,
                [c.add(loop.index, r) if r else loop.index for r in range(rows)],
                lanes,
                masks,
                ahead=fixed and at == start and stop - start <= 2 * rows,  # type: ignore[operator]
            )
        at = end


def _tile(
    expression: Expression,
    kernel: Kernel,
    walk: Walk,
    batch: Index,
    rows: Sequence[Reg],
    lanes: Sequence[Lane],
    masks: Sequence[Reg | None],
    ahead: bool,
) -> None:
    c = expression.c
    dtype = walk.instruction.output.dtype
    zero = c.const(0, dtype, c.lanes)
    with c.loop(0, walk.depth, 1, [zero] * (len(rows) * len(lanes))) as loop, expression.scope():
        vectors = [walk.vector(expression, batch, loop.index, at, m) for at, m in zip(lanes, masks, strict=True)]
        if ahead and (data := walk.data_set(expression)) is not None:
            for at in lanes:
                expression.frame.fetch_ahead(data, (loop.index, at))
        following = []
        for r, row in enumerate(rows):
            scalar = c.splat(walk.scalar(expression, batch, row, loop.index))
            for v, vector in enumerate(vectors):
                total = loop.values[r * len(lanes) + v]
                following.append(
                    c.fma(scalar, vector, total) if dtype.kind == "f" else c.add(total, c.mul(scalar, vector))
                )
        loop.next = following
    for r, row in enumerate(rows):
        for v, (at, mask) in enumerate(zip(lanes, masks, strict=True)):
            with expression.scope():
                index = walk.output(batch, row, at)
                expression.define(walk.instruction.output, index, loop.values[r * len(lanes) + v], mask)
                store_all(expression, kernel, index, mask)
