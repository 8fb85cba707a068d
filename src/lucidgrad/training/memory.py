"""Parameters, buffers and the optimiser's state where compiled programs look for them."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from operator import attrgetter, is_
from typing import Any

import numpy as np

from lucidgrad.compiler.buffers import PANEL, Buffer, pack, padded_size, unpack
from lucidgrad.compiler.program import Program, aligned
from lucidgrad.tensor import Tensor
from lucidgrad.training.samples import Array

_raw = attrgetter("_data")  # what Tensor.raw gives, without a call of Python for each
# Up to so many bytes all state lies in one block: what an epoch of a tiny network makes is then read with one copy.
ONE_BLOCK = 2**16


class StateMemory:
    """Parameters, buffers and the optimiser's state as the programs lay them out; they share it."""

    def __init__(self, program: Program, count: int) -> None:
        plan = program.plan
        self._layout = plan.inputs[:count]
        starts = [0, *accumulate(b.size_bytes for b in self._layout)]
        self._block = aligned(starts[-1]) if 0 < starts[-1] <= ONE_BLOCK else None
        self._views = [_view(b, at) for b, at in zip(self._layout, starts, strict=False)]
        self.arrays = [
            _memory(b) if self._block is None else _shaped(self._block[at : at + b.size_bytes], b)
            for b, at in zip(self._layout, starts, strict=False)
        ]
        numbers = {v: i for i, v in enumerate(program.graph.inputs)}
        self.mirrors = {numbers[v]: _memory(b) for v, b in plan.mirrors.items()}
        self.checks = {numbers[v]: _memory(b) for v, b in plan.checks.items()}
        self.seen: list[Any] = [None] * count  # the arrays that were read, or written, last

    def load(self, tensors: list[Tensor]) -> None:
        """Take over those that have changed since."""
        if all(map(is_, map(_raw, tensors), self.seen)):
            return
        for i, (tensor, buffer) in enumerate(zip(tensors, self._layout, strict=True)):
            if (raw := tensor.raw) is not self.seen[i]:
                self.seen[i] = None  # Ctrl-C may come before all of it has been copied
                array, panel = tensor.numpy(), buffer.panel
                self.arrays[i][...] = array if panel is None else pack(array, panel)
                if i in self.mirrors and panel is not None:
                    self.mirrors[i][...] = pack(array, 1 - panel)
                if i in self.checks:
                    self.checks[i][...] = 0 if np.isfinite(array).all() else -1
                self.seen[i] = raw

    def read(self) -> list[Tensor]:
        """Copies of what is in it."""
        if self._block is not None:
            block = self._block.tobytes()
            return [Tensor.wrap(_read(block, *view)) for view in self._views]
        made = []
        for array, buffer in zip(self.arrays, self._layout, strict=True):
            copy = array.copy() if buffer.panel is None else unpack(array, buffer.shape, buffer.panel)
            copy.setflags(write=False)
            made.append(Tensor.wrap(copy))
        return made


def _memory(buffer: Buffer) -> Array:
    """Zeros for what a buffer holds."""
    return _shaped(aligned(buffer.size_bytes), buffer)


def _shaped(memory: Array, buffer: Buffer) -> Array:
    """The bytes as what the buffer holds: as it is, or flat in panels."""
    made: Array = memory.view(buffer.dtype)
    return (
        made.reshape(-1)[: prod(buffer.shape)].reshape(buffer.shape)
        if buffer.panel is None
        else made[: buffer.elements]
    )


def _view(buffer: Buffer, start: int) -> tuple[Any, ...]:
    """Of a buffer that begins at byte ``start`` of a block: what ``_read`` wants."""
    strides = None
    if buffer.panel is not None and buffer.shape[buffer.panel] <= PANEL:  # a single panel is a matrix with wide rows
        size = buffer.dtype.itemsize
        wide = size * padded_size(buffer.shape[buffer.panel])
        strides = (wide, size) if buffer.panel == 1 else (size, wide)
    return buffer, start, strides


def _read(block: bytes, buffer: Buffer, start: int, strides: tuple[int, int] | None) -> Array:
    """A read-only array of what the buffer held when its block was copied."""
    if strides is not None:
        there: Array = np.ndarray(buffer.shape, buffer.dtype, block, start, strides)
        if there.flags.c_contiguous:
            return there
        made = np.ascontiguousarray(there)
    elif buffer.panel is None:
        return np.ndarray(buffer.shape, buffer.dtype, block, start)
    else:
        flat: Array = np.ndarray((buffer.elements,), buffer.dtype, block, start)
        made = unpack(flat, buffer.shape, buffer.panel)
    made.setflags(write=False)
    return made
