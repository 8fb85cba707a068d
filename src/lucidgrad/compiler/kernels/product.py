"""The kernel of matrix products: tiles of the output stay in registers while the inner axis is walked through.

Each element is one chain of fused multiplications and additions in the order of the inner axis, so that tiles,
threads and machines make no difference to its bits. What follows the product (a bias, an activation, the rule of an
optimiser) is computed from the tile before it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lucidgrad.compiler.assembly import LANES, Reg
from lucidgrad.compiler.buffers import PANEL
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.index import Component, Index
from lucidgrad.compiler.kernels.elementwise import store_all
from lucidgrad.compiler.kernels.nest import Bounds, Columns, known, loops, part, rest, side_by_side
from lucidgrad.compiler.kernels.walk import Walk, each_by_each, walk_of
from lucidgrad.compiler.kernels.zeros import Listed, Listing


@dataclass(frozen=True)
class Tiles:
    """How many rows of how many vectors a tile has; the accumulators, a row of B and an element of A fit registers."""

    registers: int

    def vectors(self, columns: int) -> int:
        """Vectors side by side for so many columns."""
        most = 4 if self.registers >= 32 else 1
        return min(most, max(1, -(-columns // LANES)))

    def rows(self, vectors: int) -> int:
        """Rows below each other."""
        if self.registers < 32:
            return 6 if self.registers >= 8 else 2
        # Eight chains keep two units busy; more rows that lie 4,096 bytes apart would push each other out of the cache.
        return 6 if vectors == 4 else 8


def product(
    expression: Expression, kernel: Kernel, bounds: Bounds, registers: int, listing: Listing | None = None
) -> None:
    """Compute the product that the kernel begins with, and store what follows from it.

    ``listing``: where it writes down which places are not zero, if it is to leave out the others.
    """
    walk = walk_of(kernel, expression.stored)
    shape, across = kernel.shape, walk.across
    first = len(shape) - 2
    tiles = Tiles(registers)
    listed = None if listing is None else Listed.written(expression, walk, listing, bounds)
    nest = _Product(expression, kernel, walk, tiles, bounds, listed)
    with loops(expression, shape, range(first), bounds) as index:
        batch = index[:first]
        n = shape[across]
        columns = listing.columns if listing is not None else tiles.vectors(n) * LANES
        assert across not in bounds or n <= columns or PANEL % columns == 0, "threads share whole tiles"
        whole = n // columns * columns
        if whole:
            start, stop = part(expression, bounds, across, whole)
            with expression.c.loop(start, stop, columns) as loop, expression.scope():
                nest.rows(batch, known(loop.index), columns)
        if whole < n:
            with rest(expression, bounds, across, whole):
                nest.rows(batch, whole, n - whole)


@dataclass(frozen=True)
class _Product:
    """A product inside of its kernel."""

    expression: Expression
    kernel: Kernel
    walk: Walk
    tiles: Tiles
    bounds: Bounds
    listed: Listed | None

    def rows(self, batch: Index, column: Component, columns: int) -> None:
        """All rows of some columns: in whole tiles, then what is left over."""
        expression, c, listed = self.expression, self.expression.c, self.listed
        vectors = side_by_side(expression, column, columns)
        if listed is None:
            for below, few in self._tiles(self.tiles.rows(len(vectors))):
                self._store(batch, below, vectors, self._sums(batch, below, vectors, few))
            return
        height, last = listed.listing.words.rows, listed.listing.words.blocks - 1
        if last:
            with c.loop(0, last) as loop, expression.scope():
                block = listed.block(loop.index, vectors)
                for below, _ in self._tiles(height):
                    listed.keep(below, block.sums(below))
        block = listed.block(last, vectors)
        for below, _ in self._tiles(height):
            self._store(batch, below, vectors, block.sums(below))

    def _tiles(self, height: int) -> Iterator[tuple[list[Reg], bool]]:
        """A loop over the rows of each tile, and whether there are two tiles of that height at most.

        It is iterated over three times at most: tiles of that height, and of fewer rows for what is left over.
        """
        expression, c, down = self.expression, self.expression.c, self.walk.down
        start, stop = self.bounds.get(down, (0, self.kernel.shape[down]))
        fixed = isinstance(start, int) and isinstance(stop, int)
        heights = [height, (stop - start) % height] if fixed else [height, 4, 1]  # type: ignore[operator]
        at: int | Reg = start
        for rows in sorted({h for h in heights if 0 < h <= height}, reverse=True):
            count = c.sub(expression.frame.math.register(stop), at)
            end = (
                at + (stop - at) // rows * rows
                if isinstance(at, int) and isinstance(stop, int)
                else c.add(c.mul(c.div(count, rows), rows), at)
            )
            if isinstance(end, int) and end == at:  # fewer rows than a tile has
                continue
            few = fixed and at == start and stop - start <= 2 * rows  # type: ignore[operator]
            with c.loop(at, end, rows) as loop, expression.scope():
                yield [c.add(loop.index, r) if r else loop.index for r in range(rows)], few
            at = end

    def _store(
        self,
        batch: Index,
        rows: Sequence[Reg],
        vectors: Sequence[Columns],
        sums: Sequence[Reg],
    ) -> None:
        expression, walk = self.expression, self.walk
        places = [(row, columns) for row in rows for columns in vectors]
        for (row, (at, lanes, mask)), total in zip(places, sums, strict=True):
            with expression.scope(), expression.c.of_width(lanes):
                index = walk.output(batch, row, at)
                expression.define(walk.instruction.output, index, total, mask)
                store_all(expression, self.kernel, index, mask)

    def _sums(
        self,
        batch: Index,
        rows: Sequence[Reg],
        vectors: Sequence[Columns],
        few: bool,
    ) -> list[Reg]:
        """The tile: of each row its vectors, one row after the other."""
        expression, c, walk = self.expression, self.expression.c, self.walk
        dtype = walk.instruction.output.dtype
        zeros = [c.zero(dtype, lanes) for _, lanes, _ in vectors]
        with c.loop(0, walk.depth, 1, zeros * len(rows)) as loop, expression.scope():
            read = [walk.vector(expression, batch, loop.index, columns) for columns in vectors]
            self._fetch_ahead(loop.index, rows, vectors, few)
            scalars = (walk.scalar(expression, batch, row, loop.index) for row in rows)
            loop.next = [
                c.fma(x, y, total) if dtype.kind == "f" else c.add(total, c.mul(x, y))
                for (x, y), total in zip(each_by_each(c, scalars, read), loop.values, strict=True)
            ]
        return loop.values  # type: ignore[no-any-return]

    def _fetch_ahead(self, k: Reg, rows: Sequence[Reg], vectors: Sequence[Columns], few: bool) -> None:
        """Ask for what the next batch has at a place of the inner axis, where few tiles would ask for the same."""
        data, frame = self.walk.data_set(self.expression), self.expression.frame
        if data is None:
            return
        if self.walk.down < self.walk.across:  # its rows are read along the vectors
            for at, _, _ in vectors if few else ():
                frame.fetch_ahead(data, (k, at))
        elif self.kernel.shape[self.walk.across] <= len(vectors) * LANES:  # from row to row of the tile, in one line
            frame.fetch_ahead(data, (k, rows[0]))
