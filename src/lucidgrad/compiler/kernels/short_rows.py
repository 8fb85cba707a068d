"""The kernel of short rows: a softmax of few classes is computed for sixteen rows at a time, each in a lane.

A vector along a row of three elements has three lanes of use, and to add them up takes shuffles. So the lanes are rows
instead: a column is a vector, a sum along the rows is a sum of columns, and all that follows from it stays in
registers. The columns of sixteen rows are put together from memory by shuffles, and written back the same way. The
additions are those of the tree that joins the lanes of a row (``reduction.tree``), so that no bit is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lucidgrad.compiler.assembly import I64, LANES, Builder, Reg
from lucidgrad.compiler.buffers import ARRAY, ROWS, Buffer, tail_mask
from lucidgrad.compiler.expression import Expression
from lucidgrad.compiler.fuse import FEW, REDUCTIONS, Kernel
from lucidgrad.compiler.index import Component, Index, Lane
from lucidgrad.compiler.kernels.nest import Bounds, known, part, rest
from lucidgrad.compiler.kernels.reduction import COMBINE, better, neutral
from lucidgrad.graph import Instruction, Value


class ShortRows(Expression):
    """Evaluates values at the places (sixteen rows, a column); what is reduced along the rows, too."""

    rows = LANES  # how many of the sixteen there are

    def _read_or_compute(self, x: Value, index: Index, mask: Reg | None) -> Reg:
        if x in self.stored and x not in self.computed:
            buffer = self.stored[x]
            if _has_columns(buffer) and _are_neighbours(index[0]) and isinstance(index[1], int):
                for j, column in enumerate(self._columns(buffer, index[0])):
                    self.define(x, (index[0], j), column, mask)
                return self.at(x, index, mask)
        elif (made := self.made_by[x]).op.name in REDUCTIONS:
            return self._reduced(made, index[0], mask)
        return super()._read_or_compute(x, index, mask)

    def _reduced(self, instruction: Instruction, rows: Component, mask: Reg | None) -> Reg:
        """What the columns are together, joined as the lanes of a row are."""
        c, name = self.c, instruction.op.name
        (x,) = instruction.inputs
        columns: list[Reg] = [c.splat(self.at(x, (rows, j), mask)) for j in range(x.shape[1])]
        if name.startswith("arg"):
            which: Reg = c.const(0, I64, LANES)
            extreme = columns[0]
            for j, column in enumerate(columns[1:], 1):
                chosen = better(c, name, column, extreme)
                which, extreme = c.select(chosen, j, which), c.select(chosen, column, extreme)
            return which
        dtype, combine = instruction.output.dtype, COMBINE[name]
        joined = [combine(c, c.const(neutral(name, dtype), dtype, LANES), c.cast(v, dtype)) for v in columns]
        half = LANES
        while (half := half // 2) >= 1:
            pairs = zip(joined[:half], joined[half:], strict=False)
            alone = joined[max(0, len(joined) - half) : half]  # with nothing in the other half
            joined = [*(combine(c, a, b) for a, b in pairs), *alone]
        return joined[0]

    def _columns(self, buffer: Buffer, rows: Lane) -> list[Reg]:
        """The columns of sixteen rows that lie in memory; of fewer at the end, with anything behind them."""
        c, math = self.c, self.frame.math
        n, first = buffer.shape[1], math.register(rows.base)
        if not buffer.padded:
            pieces = []
            for j in range(n):
                mask = tail_mask(c, self.rows * n - j * LANES)
                at = c.offset(self.frame.pointer(buffer), c.add(c.mul(first, n), j * LANES), buffer.dtype)
                pieces.append(c.load(at, buffer.dtype, LANES, mask))
            return [picked(c, pieces, [i * n + j for i in range(LANES)]) for j in range(n)]
        wide = []  # four rows of four elements each
        for start in range(0, LANES, FEW):
            # There are always more than one: a row that is not there is read as the last that is.
            four = [self._row(buffer, first, min(start + i, self.rows - 1)) for i in range(FEW)]
            two = [c.shuffle(a, b, range(2 * FEW)) for a, b in zip(four[::2], four[1::2], strict=True)]
            wide.append(c.shuffle(*two, range(LANES)))
        return [picked(c, wide, [i * FEW + j for i in range(LANES)]) for j in range(n)]

    def _row(self, buffer: Buffer, first: Reg, row: int) -> Reg:
        """The first four elements of a row that is filled up."""
        return self.c.load(self._row_address(buffer, first, row), buffer.dtype, FEW)  # type: ignore[no-any-return]

    def _row_address(self, buffer: Buffer, first: Reg, row: int) -> Reg:
        c = self.c
        place = c.mul(c.add(first, row) if row else first, buffer.strides[0])
        return c.offset(self.frame.pointer(buffer), place, buffer.dtype)  # type: ignore[no-any-return]

    def store_columns(self, columns: Sequence[Reg], buffer: Buffer, rows: Lane) -> None:
        """Write the columns of sixteen rows, or of as many as there are."""
        c, n = self.c, len(columns)
        first = self.frame.math.register(rows.base)
        if not buffer.padded:
            for j in range(n):
                piece = picked(c, columns, [k % n * LANES + k // n for k in range(j * LANES, (j + 1) * LANES)])
                if self.rows * n > j * LANES:
                    at = c.offset(self.frame.pointer(buffer), c.add(c.mul(first, n), j * LANES), buffer.dtype)
                    c.store(piece, at, tail_mask(c, self.rows * n - j * LANES))
            return
        for start in range(0, self.rows, FEW):
            lanes = [min(j, n - 1) * LANES + start + i for i in range(FEW) for j in range(FEW)]
            four = picked(c, columns, lanes)
            for i in range(min(FEW, self.rows - start)):
                row = c.shuffle(four, None, range(i * FEW, (i + 1) * FEW))
                c.store(row, self._row_address(buffer, first, start + i))


def picked(c: Builder, vectors: Sequence[Reg], lanes: Sequence[int]) -> Reg:
    """The lanes of some vectors, counted through all of them: two at a time, and the results as two vectors more."""
    made: Reg | None = None
    for first in range(0, len(vectors), 2):
        low, two = first * LANES, list(vectors[first : first + 2])
        here = [max(0, lane - low) if lane - low < len(two) * LANES else 0 for lane in lanes]
        found = c.shuffle(two[0], two[1] if len(two) > 1 else None, here)
        if made is None:
            made = found
        else:
            made = c.shuffle(made, found, [i + LANES if lane >= low else i for i, lane in enumerate(lanes)])
    assert made is not None  # there are vectors
    return made


def _are_neighbours(rows: Component) -> bool:
    """Whether the rows lie one behind the other: where others are reshaped, it may be every second one."""
    return isinstance(rows, Lane) and rows.stride == 1


def _has_columns(buffer: Buffer) -> bool:
    """Whether it is a matrix of few columns whose rows lie one behind the other."""
    if len(buffer.shape) != 2 or not 2 <= buffer.shape[1] <= FEW or buffer.dtype.kind == "b":
        return False
    dense = buffer.strides == (buffer.shape[1], 1)
    return buffer.kind in (ARRAY, ROWS) and buffer.panel is None and (dense or buffer.padded)


def short_rows(expression: ShortRows, kernel: Kernel, bounds: Bounds) -> None:
    """Compute and store the kernel's values, sixteen rows at a time."""
    n = kernel.shape[0]
    whole = n // LANES * LANES
    if whole:
        start, stop = part(expression, bounds, 0, whole)
        with expression.c.loop(start, stop, LANES) as loop, expression.scope():
            _sixteen(expression, kernel, known(loop.index), LANES)
    if whole < n:
        with rest(expression, bounds, 0, whole):
            _sixteen(expression, kernel, whole, n - whole)


def _sixteen(expression: ShortRows, kernel: Kernel, first: Component, count: int) -> None:
    expression.rows = count
    mask, rows = tail_mask(expression.c, count), Lane(first)
    made: list[tuple[Value, list[Any]]] = []
    for value in kernel.stored:
        places = [(rows,)] if len(value.shape) == 1 else [(rows, j) for j in range(value.shape[1])]
        made.append((value, [(at, expression.c.splat(expression.at(value, at, mask))) for at in places]))
    for value, columns in made:  # all are computed before one is written: new state may lie over the old
        buffer = expression.stored[value]
        if _has_columns(buffer):
            expression.store_columns([register for _, register in columns], buffer, rows)
        else:
            for at, register in columns:
                expression.frame.store(register, buffer, at, mask)
