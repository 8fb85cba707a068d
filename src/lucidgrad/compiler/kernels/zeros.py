"""Products with a matrix that has many zeros: what would be multiplied by zero is left out, and no number changes.

Dark pixels, one-hot columns and counts of words are zeros that a data set is full of; relu makes zeros of half of what
it is given, and its gradient has them at the same places. Before the product, a word of 64
bits is made for each tile and each 64 places of the inner axis: which of them are not zero in some row of the tile. The
chain of fused multiplications and additions then goes from one set bit to the next, in the same order as otherwise.

All rows go through 64 places of the inner axis before any of them goes on: what is read of the other matrix for so many
places fits the first cache, and rows find it there. Between the blocks, the sums wait in memory. Long rows leave out
their own zeros; where rows of the result are a vector or two, as where a layer tells ten classes apart, a tile is eight
of them, and leaves out what is zero in all: the edges of pictures, words that few texts have.

Adding 0 * b changes nothing (but -0, to which a chain can only come by underflow) unless b is infinite or NaN. So each
block of the other matrix is looked through first: where it holds one of those, nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import TYPE_CHECKING

from lucidgrad.compiler.assembly import I64, LANES, NARROW, Operand, Reg
from lucidgrad.compiler.buffers import GATHERED, PANEL, Buffer
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.kernels.nest import Bounds, Columns
from lucidgrad.compiler.kernels.walk import Walk, each_by_each, walk_of
from lucidgrad.compiler.kernels.words import BITS, Words, bits, ones
from lucidgrad.graph import Value

if TYPE_CHECKING:
    from lucidgrad.compiler.layout import Plan
    from lucidgrad.compiler.machine import Target

LINE = 64  # bytes that the cache fetches together
NEAR = 2**20  # bytes that the second cache has room for
LEAST = 32  # rows, and places of the inner axis: below, looking for zeros takes as long as multiplying by them
SHORT = 32  # columns: below, so do rows by themselves
ROWS = 8  # of a tile, where they are short; what threads share comes in multiples of it
CHAINS = 4  # sums side by side, where each would have to wait for the one before
WHOLE_ROW = 7  # vectors of a row that go through the inner axis together, rather than in two halves


@dataclass(frozen=True)
class Listing:
    """How a product leaves out zeros.

    Parameters
    ----------
    words
        Which places are not zero.
    columns
        Of a tile.
    kept
        Where the sums of a tile wait for the next block of the inner axis, if there is one.
    data
        The data set whose rows the matrix has, if this product asks for those of the next batch.
    check
        The word that says whether the other matrix is finite; None: the kernel looks.
    parts
        In how many parts the next block of the other matrix is asked for, by a tile each; 0: it is near.
    """

    words: Words
    columns: int
    kept: Buffer | None
    data: Buffer | None
    check: Buffer | None
    parts: int


def worth_looking(rows: int, depth: int, columns: int, checked: bool = False) -> bool:
    """Whether a product is large enough to look for zeros. ``checked``: the other matrix need not be looked through."""
    return depth >= LEAST and columns > NARROW and (rows >= LEAST or checked)


def tile(kernel: Kernel, plan: Plan, registers: int, shared: int | None) -> tuple[int, int] | None:
    """Rows and vectors of a tile in the product that a kernel begins with; None where it leaves nothing out.

    ``registers``: how many vectors they hold; half of them are for sums. ``shared``: the axis that threads share, by
    panels where it is the one along vectors. A row by itself leaves out most. Neighbouring places of one sample often
    are zero together, though, and two of them read each vector but once. Short rows are several in a tile.
    """
    walk = walk_of(kernel, plan.buffer_of)
    matrix = plan.fusion.base(walk.spread)
    if len(kernel.shape) != 2 or walk.instruction.output.dtype.kind != "f":
        return None
    if not isinstance(matrix, Value) or matrix not in plan.mostly_zeros | plan.half_zeros:
        return None
    other, axis = walk.vectors_of(plan.fusion)
    columns, rows = kernel.shape[walk.across], kernel.shape[walk.down]
    if not isinstance(other, Value) or not worth_looking(rows, walk.depth, columns, other in plan.checks):
        return None
    if _is_short(columns) and matrix not in plan.mostly_zeros:  # hardly a place that is zero in eight rows
        return None
    if not _lies_in_rows(plan.buffer_of[matrix]) or not any(_lies_along(b, axis) for b in plan.copies_of(other)):
        return None
    vectors, most = -(-columns // LANES), PANEL // LANES
    if _is_short(columns):
        fit = min(ROWS, rows, max(1, registers // (2 * vectors)))
        return 1 << (fit.bit_length() - 1), vectors  # a power of two, as words are put together in pairs
    together = registers >= 32 and matrix in plan.mostly_zeros and not _inner_lies_along(walk, plan)
    if registers >= 32 and vectors <= WHOLE_ROW and shared != walk.across:
        most = WHOLE_ROW
    return 2 if together else 1, max(1, min(vectors, most, registers // 2))


def _is_short(columns: int) -> bool:
    """Whether rows of a product are so short that by itself none makes up for looking for zeros."""
    return columns < SHORT


def _inner_lies_along(walk: Walk, plan: Plan) -> bool:
    """Whether the inner axis of a product is the one along which the matrix with the zeros lies in memory."""
    return (walk.down < walk.across) != plan.fusion.turned(walk.spread)[1]


def _lies_in_rows(buffer: Buffer) -> bool:
    """Whether a matrix lies row after row, so that it can be read in vectors along them, and from row to row."""
    return buffer.panel is None and buffer.strides[1] == 1


def _lies_along(buffer: Buffer, axis: int) -> bool:
    """Whether a matrix can be read in vectors along an axis, and step by step along the other one."""
    if buffer.kind == GATHERED:  # its rows are anywhere
        return False
    return buffer.strides[axis] == 1 if buffer.panel is None else buffer.panel == axis


def listing(kernel: Kernel, plan: Plan, registers: int, shared: int | None) -> Listing | None:
    """How the product that a kernel begins with leaves out zeros; None where it does not: see ``tile``."""
    chosen = tile(kernel, plan, registers, shared)
    if chosen is None:
        return None
    rows, vectors = chosen
    walk = walk_of(kernel, plan.buffer_of)
    along = _inner_lies_along(walk, plan)
    buffer = plan.buffer_of[plan.fusion.base(walk.spread)]
    down, blocks = kernel.shape[walk.down], -(-walk.depth // BITS)
    words = Words(plan.private((-(-down // rows), blocks), I64), along, rows)
    kept = plan.private((down, vectors * LANES), walk.instruction.output.dtype) if blocks > 1 else None
    ahead = buffer.kind == GATHERED and _fetches_ahead(kernel.shape[walk.across], along, buffer, plan)
    data = buffer if ahead else None
    other, _ = walk.vectors_of(plan.fusion)
    tiles = max(1, down // (rows * plan.threads))  # of a thread
    parts = 2 ** min(tiles.bit_length() - 1, BITS.bit_length() - 1) if plan.buffer_of[other].past_caches else 0
    return Listing(words, vectors * LANES, kept, data, plan.checks.get(other), parts)


def _fetches_ahead(columns: int, along: bool, batch: Buffer, plan: Plan) -> bool:
    """Whether a product with the rows of a data set asks for the next batch's.

    The one in which they are multiplied by a weight does. Of a large batch the gradient of the weight asks once more,
    for what has left the second cache in the meantime. Where rows of the product are short, it is over sooner than
    memory answers, and the gradient asks. Threads need both then, as each has some rows there and some columns here.
    """
    if not _is_short(columns):
        return along or batch.elements * batch.dtype.itemsize > NEAR
    return not along or plan.threads > 1


def read_in_blocks(kernel: Kernel, plan: Plan, target: Target, shared: int | None) -> Value | None:
    """The matrix that vectors are read from, where a kernel begins with a product that leaves out zeros of another.

    None where its rows are short: it is over before memory could bring a block that is asked for ahead.
    """
    anchor = kernel.anchor
    if anchor is None or anchor.op.name != "matmul":
        return None
    walk = walk_of(kernel, plan.buffer_of)
    columns = kernel.shape[walk.across]
    if _is_short(columns) or tile(kernel, plan, target.vectors(anchor.output.dtype), shared) is None:
        return None
    matrix, _ = walk.vectors_of(plan.fusion)
    return matrix  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Listed:
    """A product in which zeros are left out, inside of its kernel: made once, before the loops over the tiles."""

    expression: Expression
    walk: Walk
    listing: Listing

    @classmethod
    def written(cls, expression: Expression, walk: Walk, listing: Listing, bounds: Bounds) -> Listed:
        """Look through the matrix with the zeros, and write the words of this thread's rows down."""
        listing.words.write(expression, walk, bounds)
        return cls(expression, walk, listing)

    def block(self, number: Operand, vectors: Sequence[Columns]) -> Block:
        """A block of the inner axis, of some columns."""
        c, blocks = self.expression.c, self.listing.words.blocks
        start = c.mul(c.const(number, I64) if isinstance(number, int) else number, BITS)
        places = self.walk.depth - (blocks - 1) * BITS if isinstance(number, int) and number == blocks - 1 else BITS
        return Block(self, number, start, places, vectors)

    def keep(self, rows: Sequence[Reg], sums: Sequence[Reg]) -> None:
        """Put a tile away until the next block of the inner axis."""
        for total, place in zip(sums, self._places(rows, len(sums) // len(rows)), strict=True):
            self.expression.c.store(total, place)

    def kept(self, rows: Sequence[Reg], vectors: Sequence[Columns], block: Operand) -> list[Reg]:
        """What was put away; zeros at the beginning."""
        c, dtype = self.expression.c, self.walk.instruction.output.dtype
        zeros = [c.zero(dtype, lanes) for _, lanes, _ in vectors] * len(rows)
        if self.listing.kept is None:
            return zeros
        places = self._places(rows, len(vectors))
        kept = [c.load(place, dtype, zero.lanes) for place, zero in zip(places, zeros, strict=True)]
        if isinstance(block, int):  # the last one
            return kept
        first = c.compare("eq", block, 0)
        return [c.select(first, zero, x) for zero, x in zip(zeros, kept, strict=True)]

    def _places(self, rows: Sequence[Reg], vectors: int) -> list[Reg]:
        assert self.listing.kept is not None  # there are several blocks
        c, dtype = self.expression.c, self.listing.kept.dtype
        base = self.expression.frame.pointer(self.listing.kept)
        starts = [c.offset(base, c.mul(row, self.listing.columns), dtype) for row in rows]
        return [c.offset(start, v * LANES, dtype) for start in starts for v in range(vectors)]


class Block:
    """Some places of the inner axis, a word of them for each tile, and some columns of the product."""

    def __init__(
        self,
        listed: Listed,
        number: Operand,
        start: Reg,
        places: int,
        vectors: Sequence[Columns],
    ) -> None:
        self.listed, self.number, self.start, self.places, self.vectors = listed, number, start, places, vectors
        self._fill = listed.expression.c.and_(self._nothing_left_out(), ones(places))

    def _nothing_left_out(self) -> Reg:
        """-1 where a number that vectors are read from is not finite, else 0: zeros added up, or NaN.

        To look also brings the block into the first cache.
        """
        expression, walk, check = self.listed.expression, self.listed.walk, self.listed.listing.check
        c = expression.c
        if check is not None:
            return expression.frame.at_top(("check", check), lambda: expression.frame.load(check, (0,)))
        together = gcd(self.places, max(1, CHAINS // len(self.vectors)))
        zeros = [c.zero(walk.instruction.output.dtype, lanes) for _, lanes, _ in self.vectors]
        with c.loop(0, self.places, together, zeros * together) as loop, expression.scope():
            places = [c.add(self.start, c.add(loop.index, n)) for n in range(together)]
            vectors = [walk.vector(expression, (), k, columns) for k in places for columns in self.vectors]
            loop.next = [c.fma(x, 0.0, total) for x, total in zip(vectors, loop.values, strict=True)]
        wrong = []
        for n, (_, _, mask) in enumerate(self.vectors):
            found = c.compare("ne", reduce(c.add, loop.values[n :: len(self.vectors)]), 0)
            wrong.append(bits(c, found if mask is None else c.and_(found, mask)))  # what fills a row up is nobody's
        return c.select(c.compare("ne", reduce(c.or_, wrong), 0), c.const(-1, I64), 0)  # type: ignore[no-any-return]

    def sums(self, rows: Sequence[Reg]) -> list[Reg]:
        """The tile behind this block: of each row its vectors, one row after the other."""
        listed, expression = self.listed, self.listed.expression
        c = expression.c
        left, right = self._left(rows), self._right()
        self._fetch_ahead(rows)
        self._fetch_next(rows)
        word = c.or_(listed.listing.words.load(expression, rows[0], self.number), self._fill)
        before = listed.kept(rows, self.vectors, self.number)
        with c.loop(0, c.intrinsic("ctpop", [word]), 1, [word, *before]) as loop, expression.scope():
            left_over, totals = loop.values[0], loop.values[1:]
            bit = c.emit(f"call i64 @llvm.cttz.i64(i64 {left_over.text}, i1 true)", I64)
            k = c.add(self.start, bit)
            pairs = each_by_each(c, left(k), right(k))
            made = [c.fma(x, y, total) for (x, y), total in zip(pairs, totals, strict=True)]
            loop.next = [c.and_(left_over, c.sub(left_over, 1)), *made]
        return loop.values[1:]  # type: ignore[no-any-return]

    def _left(self, rows: Sequence[Reg]) -> Callable[[Reg], list[Reg]]:
        """What gives the element of each row at a place of the inner axis."""
        expression, walk = self.listed.expression, self.listed.walk
        c = expression.c
        if self.listed.listing.words.along:
            starts = [walk.scalars(expression, row, 0, along=True) for row in rows]
            return lambda k: [c.load(start.at(c, k), start.buffer.dtype) for start in starts]

        def below(k: Reg) -> list[Reg]:
            first = walk.scalars(expression, rows[0], k, along=False)
            return [c.load(first.at(c, r), first.buffer.dtype) for r in range(len(rows))]

        return below

    def _right(self) -> Callable[[Reg], list[Reg]]:
        """What gives the vectors at a place of the inner axis."""
        c = self.listed.expression.c
        buffer, places = self._places()

        def vectors(k: Reg) -> list[Reg]:
            masks = [None if buffer.has_whole_rows else mask for _, _, mask in self.vectors]
            widths = [lanes for _, lanes, _ in self.vectors]
            return [c.load(p, buffer.dtype, n, m) for p, n, m in zip(places(k), widths, masks, strict=True)]

        return vectors

    def _places(self) -> tuple[Buffer, Callable[[Reg], list[Reg]]]:
        """Where the other matrix lies, and what gives the addresses of its vectors at a place of the inner axis."""
        c, each = self.listed.expression.c, PANEL // LANES
        panels = [self.listed.walk.vectors(self.listed.expression, at) for at, _, _ in self.vectors[::each]]
        buffer = panels[0].buffer

        def places(k: Reg) -> list[Reg]:
            bases = [panel.at(c, k) for panel in panels]
            return [c.offset(bases[v // each], v % each * LANES, buffer.dtype) for v in range(len(self.vectors))]

        return buffer, places

    def _fetch_ahead(self, rows: Sequence[Reg]) -> None:
        """Ask for a block of the next batch: so few multiplications do not hide how far away the data set lies."""
        listed, frame = self.listed, self.listed.expression.frame
        c, data = frame.c, listed.listing.data
        if data is None:
            return
        once = c.compare("eq", frame.math.register(self.vectors[0].at.base), 0)  # not for all columns of the result
        with c.if_(once), listed.expression.scope():
            (self._fetch_rows if listed.listing.words.along else self._fetch_columns)(data, rows)

    def _fetch_rows(self, data: Buffer, rows: Sequence[Reg]) -> None:
        """Ask for a block of some rows of the next batch."""
        frame = self.listed.expression.frame
        for row in rows:
            first = frame.c.offset(frame.row_ahead(data, row), self.start, data.dtype)
            for further in range(0, min(BITS, self.listed.walk.depth), LINE // data.dtype.itemsize):
                frame.fetch(frame.c.offset(first, further, data.dtype))

    def _fetch_columns(self, data: Buffer, rows: Sequence[Reg]) -> None:
        """Ask for some columns of the next batch; tiles that share a line ask for it in some of its rows each."""
        frame, height = self.listed.expression.frame, self.listed.listing.words.rows
        c, sharing = frame.c, max(1, LINE // (data.dtype.itemsize * height))
        each = -(-self.places // sharing)
        first = c.mul(c.rem(c.div(rows[0], height), sharing), each)
        end = c.minimum(c.add(first, each), self.places)
        with c.loop(first, end) as loop, self.listed.expression.scope():
            row = frame.row_ahead(data, c.add(self.start, loop.index))
            frame.fetch(c.offset(row, rows[0], data.dtype))

    def _fetch_next(self, rows: Sequence[Reg]) -> None:
        """Ask for this tile's part of the next block of the other matrix, where that comes from memory."""
        frame, parts = self.listed.expression.frame, self.listed.listing.parts
        if isinstance(self.number, int) or not parts:  # the last one
            return
        c, (buffer, places) = frame.c, self._places()
        part = c.and_(c.div(rows[0], len(rows)), parts - 1)
        first = c.add(self.start, c.add(c.mul(part, BITS // parts), BITS))
        for k in range(BITS // parts):
            for place, (_, lanes, _) in zip(places(c.add(first, k)), self.vectors, strict=True):
                for further in range(0, lanes, LINE // buffer.dtype.itemsize):
                    frame.fetch(c.offset(place, further, buffer.dtype))
