"""Where values lie in memory, and how a kernel reads and writes them.

A kernel finds the address of each buffer in a table that the program is called with. A buffer is an array with
strides; or the rows of a data set in the order of an epoch; or a number for each step; or the weights of a layer in
panels: 64 columns side by side, one below the other, as the matrix product walks through them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I1, I64, LANES, PTR, Builder, Reg
from lucidgrad.compiler.index import Component, Index, IndexMath, Lane

PANEL = 64
ALIGNMENT = 64  # bytes

# How a buffer is reached: as one array; through the order of the epoch; from row ``start`` on; at the step's place;
# as a copy of its own for each thread.
ARRAY, GATHERED, ROWS, STREAM, PRIVATE = "array", "gathered", "rows", "stream", "private"


@dataclass(eq=False)
class Buffer:
    """Memory for a value.

    Attributes
    ----------
    slot
        Where its address stands in the table.
    shape, dtype
        Of the value.
    strides
        In elements, for each axis. Not looked at for panels.
    panel
        For a matrix in panels: the axis whose elements lie side by side.
    padded
        Whether whole vectors may be read and written at the end of a row: what is there is nobody's.
    kind
        How it is reached.
    place
        For memory of the arena: where it begins, in bytes; else None, and the address comes from outside.
    past_caches
        For a matrix in panels: whether it is written past the caches. Its memory begins at a line of theirs then.
    """

    slot: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    panel: int | None = None
    padded: bool = False
    kind: str = ARRAY
    place: int | None = None
    past_caches: bool = False

    @property
    def elements(self) -> int:
        """How many elements it has room for."""
        if self.panel is not None:
            return padded_size(self.shape[self.panel]) * self.shape[1 - self.panel]
        return prod(self.shape[:-1]) * self.strides[-2] if self.padded else prod(self.shape)

    @property
    def has_whole_rows(self) -> bool:
        """Whether whole vectors may be read and written at the end of a row."""
        return self.padded or self.panel is not None

    @property
    def size_bytes(self) -> int:
        """Bytes it takes (once)."""
        return (max(self.elements, 1) * self.dtype.itemsize + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def dense_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Row after row without gaps."""
    strides, size = [], 1
    for n in reversed(shape):
        strides.append(size)
        size *= max(n, 1)
    return tuple(reversed(strides))


def padded_size(n: int) -> int:
    """N rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def padded_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Rows rounded up to whole vectors, and one further where they would fall into the same sets of the cache."""
    row = padded_size(shape[-1])
    if row * itemsize % 1024 == 0:
        row += LANES
    return (*(s * row for s in dense_strides(shape[:-1])), 1)


def pack(matrix: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """A matrix in panels along ``axis``: flat, with zeros where the last panel is filled up."""
    across = matrix if axis == 1 else matrix.T  # (k, n): panels of columns
    k, n = across.shape
    flat = np.zeros(padded_size(n) * k, matrix.dtype)
    for first in range(0, n, PANEL):
        width = min(PANEL, padded_size(n) - first)
        panel = flat[first * k : (first + width) * k].reshape(k, width)
        panel[:, : min(width, n - first)] = across[:, first : first + width]
    return flat


def unpack(flat: np.ndarray[Any, Any], shape: tuple[int, ...], axis: int) -> np.ndarray[Any, Any]:
    """The matrix of ``shape`` that lies in panels along ``axis``."""
    n, k = shape[axis], shape[1 - axis]
    across = np.empty((k, n), flat.dtype)
    for first in range(0, n, PANEL):
        width = min(PANEL, padded_size(n) - first)
        panel = flat[first * k : (first + width) * k].reshape(k, width)
        across[:, first : first + width] = panel[:, : n - first]
    return np.ascontiguousarray(across if axis == 1 else across.T)


class Frame:
    """What a kernel has in hand: its builder, the table, which thread it is, the step, and the rows of the batch."""

    PARAMETERS = (("table", PTR), ("thread", I64), ("threads", I64), ("step", I64), ("start", I64), ("rows", I64))

    def __init__(self, c: Builder, order_slot: int, error_slot: int, end_slot: int) -> None:
        self.c = c
        self.math = IndexMath(c)
        self.table, self.thread, self.threads, self.step, self.start, self.rows = c.params
        self._order_slot = order_slot
        self._error_slot = error_slot
        self._end_slot = end_slot
        self._pointers: dict[Any, Reg] = {}
        self.places: ChainMap[Any, Component] = ChainMap()
        self.prelude: list[str] = []

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Places that are computed inside of the block are forgotten behind it."""
        self.places = self.places.new_child()
        yield
        self.places = self.places.parents

    def finish(self) -> None:
        """Put what was found to be needed at the top of the function."""
        self.c.lines[:0] = self.prelude
        self.prelude = []

    def at_top(self, key: Any, make: Any) -> Reg:
        """A register that is made once, at the top of the function."""
        if key not in self._pointers:
            lines, self.c.lines = self.c.lines, []
            self._pointers[key] = make()
            self.prelude += self.c.lines
            self.c.lines = lines
        return self._pointers[key]

    def pointer(self, buffer: Buffer) -> Reg:
        """Where the buffer begins (for this thread)."""
        return self.at_top(buffer, lambda: self._load_pointer(buffer))

    def _load_pointer(self, buffer: Buffer) -> Reg:
        c = self.c
        base = self._slot(buffer.slot)
        if buffer.kind == PRIVATE:
            size = buffer.size_bytes
            return c.offset(base, c.mul(self.thread, size), np.dtype(np.int8))
        if buffer.kind == STREAM:
            return c.offset(base, self.step, buffer.dtype)
        if buffer.kind == ROWS:
            return c.offset(base, c.mul(self.start, buffer.strides[0]), buffer.dtype)
        return base

    def _slot(self, slot: int) -> Reg:
        return self.c.load(self.c.offset(self.table, slot, I64), PTR)

    def order(self) -> Reg:
        """Where the numbers of the batch's rows stand."""
        return self.at_top("order", lambda: self.c.offset(self._slot(self._order_slot), self.start, I64))

    def fetch_ahead(self, buffer: Buffer, index: Index) -> None:
        """Have the cache ask for the line of the element that is at this index in the next batch, if there is one."""
        row, *others = index
        place: Component = 0
        for i, stride in zip(others, buffer.strides[1:], strict=True):
            place = self.math.add(place, self.math.mul(i.base if isinstance(i, Lane) else i, stride))
        self.fetch(self.c.offset(self.row_ahead(buffer, row), self.math.register(place), buffer.dtype))

    def row_ahead(self, buffer: Buffer, row: Component) -> Reg:
        """Where that row of the next batch begins; of this batch, behind which none comes."""
        order = self.at_top("ahead", self._ahead)
        number = self.c.load(self.c.offset(order, self.math.register(row), I64), I64)
        return self.c.offset(self.pointer(buffer), self.c.mul(number, buffer.strides[0]), buffer.dtype)

    def fetch(self, pointer: Reg) -> None:
        """Have the cache ask for a line."""
        self.c.line(f"call void @llvm.prefetch.p0(ptr {pointer.text}, i32 0, i32 2, i32 1)")

    def _ahead(self) -> Reg:
        """Where the numbers of the next batch's rows stand; of this batch's, behind which none comes."""
        c = self.c
        last = c.sub(c.load(c.offset(self.table, self._end_slot, I64), I64), self.rows)
        return c.offset(self._slot(self._order_slot), c.maximum(c.minimum(c.add(self.start, self.rows), last), 0), I64)

    def report(self, wrong: Reg, code: int) -> None:
        """Note that an index points outside of its array; the program says so when it has ended."""
        c = self.c
        if wrong.lanes > 1:
            bits = c.emit(f"bitcast {wrong.type} {wrong.text} to i{wrong.lanes}", np.dtype(f"int{wrong.lanes}"))
            wrong = c.compare("ne", bits, 0)
        pointer = self.at_top("error", lambda: self._slot(self._error_slot))
        with c.if_(wrong):
            c.store(c.const(code, I64), pointer)

    def row(self, buffer: Buffer, row: Component) -> Component:
        """The row of the data set that is row ``row`` of the batch."""
        if buffer.kind != GATHERED:
            return row
        c = self.c
        if isinstance(row, Lane):
            return c.load(c.offset(self.order(), self.math.register(row.base), I64), I64, c.lanes)
        place = self.math.register(row)
        addresses = c.offset(self.order(), place, I64)
        return c.gather(addresses, I64) if place.lanes > 1 else c.load(addresses, I64)

    def place(self, buffer: Buffer, index: Index) -> Component:
        """The offset in elements from the beginning of the buffer; the same one in all that are laid out alike."""
        layout = (buffer.shape, buffer.strides, buffer.panel, buffer.kind == GATHERED, index)
        if layout not in self.places:
            self.places[layout] = self._place(buffer, index)
        return self.places[layout]

    def _place(self, buffer: Buffer, index: Index) -> Component:
        math = self.math
        if buffer.panel is not None:
            return self._panel_place(buffer, index)
        total: Component = 0
        for axis, (i, stride, n) in enumerate(zip(index, buffer.strides, buffer.shape, strict=True)):
            if n == 1 and not (axis == 0 and buffer.kind == GATHERED):
                continue
            total = math.add(total, math.mul(self.row(buffer, i) if axis == 0 else i, stride))
        return total

    def _panel_place(self, buffer: Buffer, index: Index) -> Component:
        math = self.math
        assert buffer.panel is not None
        j, k = index[buffer.panel], index[1 - buffer.panel]
        n, depth = buffer.shape[buffer.panel], buffer.shape[1 - buffer.panel]
        if n <= PANEL:
            return math.add(math.mul(k, padded_size(n)), j)
        base = math.register(j) if isinstance(j, Lane) and j.stride != 1 else j
        base, side_by_side = (base.base, True) if isinstance(base, Lane) else (base, False)
        panel = math.div(base, PANEL)
        within = Lane(math.mod(base, PANEL)) if side_by_side else math.mod(base, PANEL)
        width = self._panel_width(n, panel)
        down = math.mul(k, width) if isinstance(width, int) else self._times(k, width)
        return math.add(math.add(math.mul(panel, PANEL * depth), down), within)

    def _panel_width(self, n: int, panel: Component) -> int | Reg:
        """Columns of the panel with this number, of n columns in all: the last one may be narrower."""
        c, last = self.c, padded_size(n) % PANEL
        if not last:
            return PANEL
        full = n // PANEL
        if isinstance(panel, int):
            return last if panel == full else PANEL
        return c.select(c.compare("eq", panel, full), c.like(last, panel), c.like(PANEL, panel))

    def stride(self, buffer: Buffer, axis: int, index: Index) -> int | Reg:
        """How many elements lie between neighbours along an axis, from the element at an index (a place, or a Lane) on.

        Along the rows of a data set that are read in the order of an epoch there is no such number, nor across panels.
        """
        assert axis != buffer.panel
        assert axis or buffer.kind != GATHERED
        if buffer.panel is None:
            return buffer.strides[axis]
        n, across = buffer.shape[buffer.panel], index[buffer.panel]
        if n <= PANEL:
            return padded_size(n)
        return self._panel_width(n, self.math.div(across.base if isinstance(across, Lane) else across, PANEL))

    def _times(self, k: Component, width: Reg) -> Component:
        if isinstance(k, Lane):
            k = self.math.register(k)
        return self.math.mul(width, k) if isinstance(k, int) else self.c.mul(k, width)

    def address(self, buffer: Buffer, index: Index) -> tuple[Reg, bool]:
        """Where the element is, or those of a vector; and whether it is one address for consecutive elements."""
        place = self.place(buffer, index)
        pointer = self.pointer(buffer)
        if isinstance(place, Lane) and place.stride == 1:
            return self.c.offset(pointer, self.math.register(place.base), buffer.dtype), True
        if isinstance(place, int | Reg):
            return self.c.offset(pointer, place, buffer.dtype), False
        return self.c.offset(pointer, self.math.register(place), buffer.dtype), False

    def load(self, buffer: Buffer, index: Index, mask: Reg | None = None) -> Reg:
        """The element at an index, or a vector of them."""
        pointer, consecutive = self.address(buffer, index)
        if consecutive:
            whole = mask is None or buffer.has_whole_rows
            return self.c.load(pointer, buffer.dtype, self.c.lanes, mask=None if whole else mask)
        if pointer.lanes > 1:
            return self.c.gather(pointer, buffer.dtype, mask)
        return self.c.load(pointer, buffer.dtype)

    def store(self, value: Reg, buffer: Buffer, index: Index, mask: Reg | None = None) -> None:
        """Write the element at an index, or a vector of them."""
        pointer, consecutive = self.address(buffer, index)
        if consecutive:
            whole = mask is None or buffer.has_whole_rows
            if buffer.past_caches:  # in whole lines: what fills a row up is nobody's number
                line = [i % self.c.lanes for i in range(max(self.c.lanes, ALIGNMENT // buffer.dtype.itemsize))]
                self.c.store(self.c.shuffle(self.c.splat(value), None, line), pointer, align=ALIGNMENT, past=True)
            else:
                self.c.store(self.c.splat(value), pointer, mask=None if whole else mask)
        elif pointer.lanes > 1:
            self.c.store(self.c.splat(value), pointer, mask)
        else:
            self.c.store(self.c.extract(value, 0), pointer)

    def slice(self, n: int | Reg, grain: int) -> tuple[Reg, Reg]:
        """The part of n things that this thread does, in whole grains."""
        return self.at_top(("from", n, grain), lambda: self._bound(n, grain, 0)), self.at_top(
            ("to", n, grain), lambda: self._bound(n, grain, 1)
        )

    def _bound(self, n: int | Reg, grain: int, further: int) -> Reg:
        c = self.c
        total = n if isinstance(n, Reg) else c.const(n, I64)
        grains = c.div(c.add(total, grain - 1), grain)
        mine = c.div(c.mul(grains, c.add(self.thread, further)), self.threads)
        return c.minimum(c.mul(mine, grain), total)


def tail_mask(c: Builder, remaining: int | Reg) -> Reg | None:
    """Which lanes are inside when ``remaining`` elements are left; None: all, for sure."""
    if isinstance(remaining, int):
        return None if remaining >= c.lanes else c.vector([i < remaining for i in range(c.lanes)], I1)
    return c.compare("lt", c.iota(I64), c.splat(remaining))
