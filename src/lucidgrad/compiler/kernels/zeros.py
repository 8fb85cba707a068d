"""Products with a matrix that has many zeros: what would be multiplied by zero is left out, and no bit changes.

Dark pixels, one-hot columns and counts of words are zeros that a data set is full of; relu makes zeros of half of what
it is given, and its gradient has them at the same places. Before the product, a word of 64
bits is made for each tile and each 64 places of the inner axis: which of them are not zero in some row of the tile. The
chain of fused multiplications and additions then goes from one set bit to the next, in the same order as otherwise.

Adding 0 * b changes nothing (but -0, to which a chain can only come by underflow) unless b is infinite or NaN. So the
other matrix is looked through first: where it holds one of those, all bits are set and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from lucidgrad.compiler.assembly import I32, I64, LANES, NARROW, Builder, Operand, Reg
from lucidgrad.compiler.buffers import GATHERED, PANEL, Buffer, tail_mask
from lucidgrad.compiler.expression import Expression, Reach
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Component, Lane
from lucidgrad.compiler.kernels.nest import Bounds, known, part, rest
from lucidgrad.compiler.kernels.walk import Walk, walk_of
from lucidgrad.graph import Value

if TYPE_CHECKING:
    from lucidgrad.compiler.layout import Plan

BITS = 64
LINE = 64  # bytes that the cache fetches together
LEAST = 32  # of each axis: below, looking for zeros takes as long as multiplying by them


@dataclass(frozen=True)
class Listing:
    """Where the words of a product lie, and how many rows a tile has.

    ``along``: whether the inner axis is the one along which the matrix lies in memory; ``data``: the data set whose
    rows the matrix has, if it is read where that lies.
    """

    words: Buffer
    along: bool
    rows: int
    data: Buffer | None

    @property
    def blocks(self) -> int:
        """Words for each tile."""
        return self.words.shape[1]


def rows_together(kernel: Kernel, plan: Plan, registers: int) -> int:
    """How many rows of a tile share a word in the product that a kernel begins with; 0 where it leaves nothing out.

    Rows of different samples have few zeros in common, neighbouring places of one sample more. Two rows read each
    vector often enough; where registers are few, vectors are too, and fewer than four rows would make too few chains to
    keep the units busy. Of four rows half of which are zero, too few places are zero in all.
    """
    rows = 2 if registers >= 32 else 4
    zeros = plan.mostly_zeros | plan.half_zeros if rows == 2 else plan.mostly_zeros
    walk = walk_of(kernel, plan.buffer_of)
    matrix = plan.fusion.base(walk.spread)
    if len(kernel.shape) != 2 or walk.instruction.output.dtype.kind != "f":
        return 0
    if not isinstance(matrix, Value) or matrix not in zeros:
        return 0
    if min(walk.depth, *kernel.shape) < LEAST or kernel.shape[walk.across] <= NARROW:
        return 0
    # Both are read in vectors.
    read_in_vectors = _lies_along(plan, matrix, 1) and _lies_along(plan, *walk.vectors_of(plan.fusion))
    return rows if read_in_vectors else 0


def _lies_along(plan: Plan, x: Any, axis: int) -> bool:
    """Whether neighbours along an axis of a stored matrix are neighbours in memory."""
    copies = plan.copies_of(x) if isinstance(x, Value) else []
    return any(b.strides[axis] == 1 if b.panel is None else b.panel == axis for b in copies)


def listing(kernel: Kernel, plan: Plan, registers: int) -> Listing | None:
    """How the product that a kernel begins with leaves out zeros; None where it does not."""
    rows = rows_together(kernel, plan, registers)
    if not rows:
        return None
    walk = walk_of(kernel, plan.buffer_of)
    matrix, turned = plan.fusion.turned(walk.spread)
    along = (walk.down < walk.across) != turned
    buffer = plan.buffer_of[matrix]
    data = buffer if along and buffer.kind == GATHERED else None
    tiles = -(-kernel.shape[walk.down] // rows)
    return Listing(plan.private((tiles, -(-walk.depth // BITS)), I64), along, rows, data)


@dataclass
class Listed:
    """A product in which zeros are left out, inside of its kernel: made once, before the loops over the tiles."""

    expression: Expression
    walk: Walk
    listing: Listing
    fill: Reg  # -1 where nothing may be left out, else 0

    @classmethod
    def written(cls, expression: Expression, walk: Walk, listing: Listing, bounds: Bounds) -> Listed:
        """Look through both matrices, and write the words of this thread's rows down."""
        (_along if listing.along else _across)(expression, walk, listing, bounds)
        return cls(expression, walk, listing, _fill(expression, walk, bounds))

    def sums(self, rows: Sequence[Reg], lanes: Sequence[Lane], masks: Sequence[Reg | None]) -> list[Reg]:
        """The tile: of each row its vectors, one row after the other."""
        c, blocks = self.expression.c, self.listing.blocks
        first_word = c.mul(c.div(rows[0], self.listing.rows), blocks)
        last = self.walk.depth - (blocks - 1) * BITS  # places of the last block
        left, right = self._left(rows), self.walk.vectors(self.expression, lanes[0])
        dtype = right.buffer.dtype
        masks = [None if right.buffer.has_whole_rows else mask for mask in masks]
        zeros = [c.zero(dtype, c.lanes)] * (len(rows) * len(lanes))
        with c.loop(0, blocks, 1, zeros) as block:
            start = c.mul(block.index, BITS)
            self._fetch_ahead(rows, lanes[0].base, start)
            word = _load(self.expression, self.listing.words, c.add(first_word, block.index))
            rest_of = c.const(_ones(last), I64)
            valid = rest_of if blocks == 1 else c.select(c.compare("eq", block.index, blocks - 1), rest_of, -1)
            word = c.or_(word, c.and_(self.fill, valid))
            count = c.intrinsic("ctpop", [word])
            with c.loop(0, count, 1, [word, *block.values]) as loop, self.expression.scope():
                left_over, totals = loop.values[0], loop.values[1:]
                bit = c.emit(f"call i64 @llvm.cttz.i64(i64 {left_over.text}, i1 true)", I64)
                k = c.add(start, bit)
                scalars = [c.splat(x) for x in left(k)]
                base = right.at(c, k)
                vectors = [c.load(c.offset(base, v * LANES, dtype), dtype, LANES, m) for v, m in enumerate(masks)]
                pairs = [(x, y) for x in scalars for y in vectors]
                made = [c.fma(x, y, total) for (x, y), total in zip(pairs, totals, strict=True)]
                loop.next = [c.and_(left_over, c.sub(left_over, 1)), *made]
            block.next = loop.values[1:]
        return block.values  # type: ignore[no-any-return]

    def _left(self, rows: Sequence[Reg]) -> Callable[[Reg], list[Reg]]:
        """What gives the element of each row at a place of the inner axis."""
        c, expression, walk = self.expression.c, self.expression, self.walk
        if self.listing.along:
            starts = [walk.scalars(expression, row, 0, along=True) for row in rows]
            return lambda k: [c.load(start.at(c, k), start.buffer.dtype) for start in starts]

        def below(k: Reg) -> list[Reg]:
            first = walk.scalars(expression, rows[0], k, along=False)
            return [c.load(first.at(c, r), first.buffer.dtype) for r in range(len(rows))]

        return below

    def _fetch_ahead(self, rows: Sequence[Reg], column: Component, start: Reg) -> None:
        """Ask for a block of the next batch: so few multiplications do not hide how far away the data set lies."""
        c, frame, data = self.expression.c, self.expression.frame, self.listing.data
        if data is None:
            return
        size = data.dtype.itemsize
        with c.if_(c.compare("eq", frame.math.register(column), 0)), self.expression.scope():
            for row in rows:
                first = c.offset(frame.row_ahead(data, row), start, data.dtype)
                for further in range(0, min(BITS, self.walk.depth), LINE // size):
                    frame.fetch(c.offset(first, further, data.dtype))


def _ones(n: int) -> int:
    return -1 if n >= BITS else (1 << n) - 1


def _load(expression: Expression, words: Buffer, place: Reg) -> Reg:
    return expression.c.load(expression.c.offset(expression.frame.pointer(words), place, I64), I64)  # type: ignore[no-any-return]


def _store(expression: Expression, listing: Listing, tile: Reg, block: Component, word: Reg) -> None:
    c = expression.c
    place = c.add(c.mul(tile, listing.blocks), block)
    c.store(word, c.offset(expression.frame.pointer(listing.words), place, I64))


def _bits(c: Builder, truths: Reg) -> Reg:
    """Sixteen truths as the low bits of an int64."""
    return c.cast(c.emit(f"bitcast {truths.type} {truths.text} to i16", np.dtype(np.uint16)), I64)


def _along(expression: Expression, walk: Walk, listing: Listing, bounds: Bounds) -> None:
    """The words of tiles whose inner axis lies in vectors: a word is four of them."""
    c = expression.c
    n, height = walk.instruction.output.shape[walk.down], listing.rows
    start, stop = bounds.get(walk.down, (0, n))

    def word(rows: Sequence[Reach], first: Operand, count: int) -> Reg:
        starts = [row.at(c, first) for row in rows]
        made: list[Reg] = []
        for shift in range(0, count, LANES):
            mask = tail_mask(c, count - shift)
            dtype = rows[0].buffer.dtype
            read = [c.load(c.offset(start, shift, dtype), dtype, LANES, mask) for start in starts]
            found = reduce(c.or_, [c.compare("ne", vector, 0) for vector in read])
            made.append(c.shl(_bits(c, found), shift) if shift else _bits(c, found))
        return reduce(c.or_, made)

    with c.loop(start, stop, height) as loop, expression.scope():
        numbers = [c.minimum(c.add(loop.index, r), n - 1) if r else loop.index for r in range(height)]
        rows = [walk.scalars(expression, number, 0, along=True) for number in numbers]
        tile = c.div(loop.index, height)
        whole = walk.depth // BITS
        if whole:
            with c.loop(0, whole) as block, expression.scope():
                _store(expression, listing, tile, block.index, word(rows, c.mul(block.index, BITS), BITS))
        if walk.depth % BITS:
            _store(expression, listing, tile, whole, word(rows, whole * BITS, walk.depth % BITS))


def _across(expression: Expression, walk: Walk, listing: Listing, bounds: Bounds) -> None:
    """The words of tiles whose rows lie in vectors: those of sixteen rows at a time, a bit of each after the other."""
    n = walk.instruction.output.shape[walk.down]
    whole = n // LANES * LANES
    if whole:
        start, stop = part(expression, bounds, walk.down, whole)
        with expression.c.loop(start, stop, LANES) as loop, expression.scope():
            _sixteen(expression, walk, listing, known(loop.index), LANES)
    if whole < n:
        with rest(expression, bounds, walk.down, whole):
            _sixteen(expression, walk, listing, whole, n - whole)


def _sixteen(expression: Expression, walk: Walk, listing: Listing, first: Component, count: int) -> None:
    c, math = expression.c, expression.frame.math
    mask = tail_mask(c, count)

    def half(start: Component, places: int) -> Reg:
        """Thirty-two bits of each lane."""
        with c.loop(0, places, 1, [c.zero(I32, LANES), c.const(1, I32, LANES)]) as loop, expression.scope():
            found, bit = loop.values
            nonzero = c.compare(
                "ne", walk.scalar(expression, (), Lane(first), math.add(start, known(loop.index)), mask), 0
            )
            if mask is not None:  # behind a row of the arena there is anything
                nonzero = c.and_(nonzero, mask)
            loop.next = [c.or_(found, c.select(nonzero, bit, c.zero(I32, LANES))), c.shl(bit, 1)]
        return _of_tiles(c, loop.values[0], listing.rows)

    def words(block: Component, places: int) -> None:
        start = math.mul(block, BITS)
        made = half(start, min(places, BITS // 2))
        if places > BITS // 2:
            upper = half(math.add(start, BITS // 2), places - BITS // 2)
            made = c.or_(made, c.shl(upper, BITS // 2))
        tile = c.div(math.register(first), listing.rows)
        for t in range(-(-count // listing.rows)):
            _store(expression, listing, c.add(tile, t), block, c.extract(made, t))

    whole = walk.depth // BITS
    if whole:
        with c.loop(0, whole) as block, expression.scope():
            words(known(block.index), BITS)
    if walk.depth % BITS:
        words(whole, walk.depth % BITS)


def _of_tiles(c: Builder, lanes: Reg, height: int) -> Reg:
    """The bits of each row put together for the rows of a tile, as int64."""
    step = 1
    while step < height:
        lanes = c.or_(lanes, c.shuffle(lanes, None, [min(i + step, LANES - 1) for i in range(LANES)]))
        step *= 2
    firsts = c.shuffle(lanes, None, range(0, LANES, height))
    return c.cast(firsts._replace(dtype=np.dtype(np.uint32)), I64)


def _fill(expression: Expression, walk: Walk, bounds: Bounds) -> Reg:
    """-1 where a number that vectors are read from is not finite, in the columns of this thread; else 0."""
    c, math = expression.c, expression.frame.math
    n = walk.instruction.output.shape[walk.across]
    dtype = walk.instruction.output.dtype

    def down(sums: list[Reg], first: Component, count: int, depth: int | Reg) -> list[Reg]:
        """Zeros added up, or NaN."""
        with c.loop(0, depth, 1, sums) as loop, expression.scope():
            for v in range(-(-count // LANES)):
                mask = tail_mask(c, count - v * LANES)
                vector = walk.vector(expression, (), loop.index, Lane(math.add(first, v * LANES)), mask)
                if mask is not None:  # what fills a row up is nobody's number
                    vector = c.select(mask, vector, c.zero(dtype, c.lanes))
                loop.next[v] = c.fma(vector, 0.0, loop.values[v])
        return loop.values  # type: ignore[no-any-return]

    sums = [c.zero(dtype, c.lanes)] * (PANEL // LANES)
    whole = n // PANEL * PANEL
    if whole:
        start, stop = part(expression, bounds, walk.across, whole)
        with c.loop(start, stop, PANEL, sums) as panels, expression.scope():
            panels.next = down(panels.values, known(panels.index), PANEL, walk.depth)
        sums = panels.values
    if whole < n:
        depth: int | Reg = walk.depth
        if walk.across in bounds:
            start, stop = map(math.register, bounds[walk.across])
            mine = c.and_(c.compare("le", start, whole), c.compare("gt", stop, whole))
            depth = c.select(mine, c.const(depth, I64), 0)
        sums = down(sums, whole, n - whole, depth)
    total = c.add(c.add(sums[0], sums[1]), c.add(sums[2], sums[3]))
    return c.select(c.compare("ne", _bits(c, c.compare("ne", total, 0)), 0), c.const(-1, I64), 0)  # type: ignore[no-any-return]
