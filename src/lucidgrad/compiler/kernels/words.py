"""Words of 64 bits: which places of a matrix are not zero, for some rows together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd

import numpy as np

from lucidgrad.compiler.assembly import I32, I64, LANES, Builder, Operand, Reg
from lucidgrad.compiler.buffers import Buffer, tail_mask
from lucidgrad.compiler.expression import Expression, Reach
from lucidgrad.compiler.index import Component, Lane
from lucidgrad.compiler.kernels.nest import Bounds, known, part, rest
from lucidgrad.compiler.kernels.walk import Walk

BITS = 64
TOGETHER = 8  # places that are looked at between two jumps


@dataclass(frozen=True)
class Words:
    """A word for each tile and each 64 places of the inner axis of a product.

    ``along``: whether the inner axis is the one along which the matrix lies in memory; ``rows``: of a tile.
    """

    buffer: Buffer
    along: bool
    rows: int

    @property
    def blocks(self) -> int:
        """Words for each tile."""
        return self.buffer.shape[1]

    def write(self, expression: Expression, walk: Walk, bounds: Bounds) -> None:
        """Look through the rows of this thread."""
        (_along if self.along else _across)(self, expression, walk, bounds)

    def load(self, expression: Expression, row: Reg, block: Operand) -> Reg:
        """The word of the tile that begins with a row."""
        return expression.c.load(self._place(expression, expression.c.div(row, self.rows), block), I64)  # type: ignore[no-any-return]

    def store(self, expression: Expression, tile: Reg, block: Component, word: Reg) -> None:
        """Write a word down."""
        expression.c.store(word, self._place(expression, tile, block))

    def _place(self, expression: Expression, tile: Reg, block: Component) -> Reg:
        c = expression.c
        return c.offset(expression.frame.pointer(self.buffer), c.add(c.mul(tile, self.blocks), block), I64)  # type: ignore[no-any-return]


def ones(n: int) -> int:
    """So many bits."""
    return -1 if n >= BITS else (1 << n) - 1


def bits(c: Builder, truths: Reg) -> Reg:
    """The truths of a vector's lanes as the low bits of an int64."""
    return c.cast(
        c.emit(f"bitcast {truths.type} {truths.text} to i{truths.lanes}", np.dtype(f"u{truths.lanes // 8}")), I64
    )


def _along(words: Words, expression: Expression, walk: Walk, bounds: Bounds) -> None:
    """The words of tiles whose rows are read in vectors: for each word, four vectors of each row.

    The last tile may have fewer rows: it has its last one several times, as nothing behind that may be read.
    """
    c = expression.c
    start, stop = bounds.get(walk.down, (0, walk.instruction.output.shape[walk.down]))
    last = c.sub(expression.frame.math.register(stop), 1)

    def word(rows: Sequence[Reach], first: Operand, count: int) -> Reg:
        dtype = rows[0].buffer.dtype
        assert dtype.kind == "f", "the highest bit of other numbers is no sign"
        begins = [row.at(c, first) for row in rows]
        made: list[Reg] = []
        for shift in range(0, count, LANES):
            mask = tail_mask(c, count - shift)
            vectors = [c.load(c.offset(begin, shift, dtype), dtype, LANES, mask) for begin in begins]
            # As patterns of bits, so that one comparison is enough; without that of the sign, as -0 is a zero too.
            pattern = reduce(c.or_, [c.bitcast(v, np.dtype(f"i{dtype.itemsize}")) for v in vectors])
            found = bits(c, c.compare("ne", c.shl(pattern, 1), 0))
            made.append(c.shl(found, shift) if shift else found)
        return reduce(c.or_, made)

    with c.loop(start, stop, words.rows) as loop, expression.scope():
        numbers = [c.minimum(c.add(loop.index, r), last) if r else loop.index for r in range(words.rows)]
        rows = [walk.scalars(expression, number, 0, along=True) for number in numbers]
        tile = c.div(loop.index, words.rows)
        whole = walk.depth // BITS
        if whole:
            with c.loop(0, whole) as block, expression.scope():
                words.store(expression, tile, block.index, word(rows, c.mul(block.index, BITS), BITS))
        if walk.depth % BITS:
            words.store(expression, tile, whole, word(rows, whole * BITS, walk.depth % BITS))


def _across(words: Words, expression: Expression, walk: Walk, bounds: Bounds) -> None:
    """The words of tiles whose rows lie in vectors: those of sixteen rows at a time, a bit of each after the other."""
    n = walk.instruction.output.shape[walk.down]
    whole = n // LANES * LANES
    if whole:
        start, stop = part(expression, bounds, walk.down, whole)
        with expression.c.loop(start, stop, LANES) as loop, expression.scope():
            _sixteen(words, expression, walk, known(loop.index), LANES)
    if whole < n:
        with rest(expression, bounds, walk.down, whole):
            _sixteen(words, expression, walk, whole, n - whole)


def _sixteen(words: Words, expression: Expression, walk: Walk, first: Component, count: int) -> None:
    c, math = expression.c, expression.frame.math
    mask = tail_mask(c, count)

    def half(start: Component, places: int) -> Reg:
        """Thirty-two bits of each lane."""
        step = gcd(places, TOGETHER)
        with c.loop(0, places, step, [c.zero(I32, LANES)]) as loop, expression.scope():
            found = c.zero(I32, LANES)
            for n in range(step):
                place = math.add(start, known(c.add(loop.index, n)))
                nonzero = c.compare("ne", walk.scalar(expression, (), Lane(first), place, mask), 0)
                if mask is not None:  # behind a row of the arena there is anything
                    nonzero = c.and_(nonzero, mask)
                found = c.select(nonzero, c.or_(found, 1 << n), found)
            loop.next = [c.or_(loop.values[0], c.shl(found, c.cast(loop.index, I32)))]
        return _of_tiles(c, loop.values[0], words.rows)

    def write(block: Component, places: int) -> None:
        start = math.mul(block, BITS)
        made = half(start, min(places, BITS // 2))
        if places > BITS // 2:
            upper = half(math.add(start, BITS // 2), places - BITS // 2)
            made = c.or_(made, c.shl(upper, BITS // 2))
        tile = c.div(math.register(first), words.rows)
        for t in range(-(-count // words.rows)):
            words.store(expression, c.add(tile, t), block, c.extract(made, t))

    whole = walk.depth // BITS
    if whole:
        with c.loop(0, whole) as block, expression.scope():
            write(known(block.index), BITS)
    if walk.depth % BITS:
        write(whole, walk.depth % BITS)


def _of_tiles(c: Builder, lanes: Reg, height: int) -> Reg:
    """The bits of each row put together for the rows of a tile, as int64."""
    step = 1
    while step < height:
        lanes = c.or_(lanes, c.shuffle(lanes, None, [min(i + step, LANES - 1) for i in range(LANES)]))
        step *= 2
    firsts = c.shuffle(lanes, None, range(0, LANES, height))
    return c.cast(firsts._replace(dtype=np.dtype(np.uint32)), I64)
