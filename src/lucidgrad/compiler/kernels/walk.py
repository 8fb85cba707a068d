"""How a matrix product is walked through: which axis runs along vectors, and what is read for a tile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.buffers import GATHERED, Buffer
from lucidgrad.compiler.expression import Expression, Reach
from lucidgrad.compiler.fuse import Fusion, Kernel
from lucidgrad.compiler.index import Component, Index, broadcast_index
from lucidgrad.compiler.kernels.nest import Columns, panel_axis
from lucidgrad.graph import Instruction, Value

Array = np.ndarray[Any, np.dtype[Any]]


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

    @property
    def spread(self) -> Value | Array:
        """The operand of which an element is the same for a whole row of the tile."""
        return self.instruction.inputs[0 if self.down < self.across else 1]  # type: ignore[no-any-return]

    def scalar(
        self, expression: Expression, batch: Index, row: Component, k: Component, mask: Reg | None = None
    ) -> Reg:
        """An element of that operand; along a Lane, a vector of them."""
        x = self.spread
        index = (row, k) if self.down < self.across else (k, row)
        return expression.at(x, (*batch[len(batch) - x.ndim + 2 :], *index), mask)

    def scalars(self, expression: Expression, row: Component, k: Component, along: bool) -> Reach:
        """Where that element lies; ``along``: and its neighbours along the inner axis, else from row to row."""
        index, inner = ((row, k), 1) if self.down < self.across else ((k, row), 0)
        return expression.reach(self.spread, index, inner if along else 1 - inner)  # type: ignore[arg-type]

    def vectors(self, expression: Expression, lane: Component) -> Reach:
        """Where the first vector of the other operand lies, and those behind it along the inner axis."""
        left, right = self.instruction.inputs
        x, index, inner = (right, (0, lane), 0) if self.down < self.across else (left, (lane, 0), 1)
        return expression.reach(x, index, inner)

    def vectors_of(self, fusion: Fusion) -> tuple[Any, int]:
        """The matrix that vectors are read from, and along which of its axes."""
        x, axis = (self.instruction.inputs[1], 1) if self.down < self.across else (self.instruction.inputs[0], 0)
        matrix, turned = fusion.turned(x)
        return matrix, 1 - axis if turned else axis

    def data_set(self, expression: Expression) -> Buffer | None:
        """The data set whose rows the inner axis goes through, if it does: in the gradient of a first layer's weight.

        They come from far away. While this batch's are read, the next one's can be asked for.
        """
        right = self.instruction.inputs[1]
        buffer = expression.stored.get(right) if isinstance(right, Value) else None
        return buffer if buffer is not None and buffer.kind == GATHERED and len(buffer.shape) == 2 else None

    def vector(self, expression: Expression, batch: Index, k: Component, columns: Columns) -> Reg:
        """A vector of the other operand."""
        left, right = self.instruction.inputs
        x, index = (right, (k, columns.at)) if self.down < self.across else (left, (columns.at, k))
        with expression.c.of_width(columns.lanes):
            value = expression.at(x, (*batch[len(batch) - x.ndim + 2 :], *index), columns.mask)
            return expression.c.splat(value)  # type: ignore[no-any-return]


def each_by_each(c: Builder, scalars: Iterable[Reg], vectors: Sequence[Reg]) -> Iterator[tuple[Reg, Reg]]:
    """Each scalar, spread out, with each vector."""
    widths = dict.fromkeys(vector.lanes for vector in vectors)
    for scalar in scalars:
        spread = {lanes: c.splat(scalar, lanes) for lanes in widths}
        for vector in vectors:
            yield spread[vector.lanes], vector


def walk_of(kernel: Kernel, stored: Mapping[Value, Buffer]) -> Walk:
    """How the product that a kernel begins with is walked through."""
    assert kernel.anchor is not None  # the caller has looked
    last = len(kernel.shape) - 1
    panel = panel_axis(kernel, stored)
    across = last if panel is None else panel
    return Walk(kernel.anchor, across, 2 * last - 1 - across)
