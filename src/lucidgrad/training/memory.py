"""Parameters, buffers and the optimiser's state where compiled programs look for them."""

from __future__ import annotations

from math import prod
from operator import attrgetter, is_
from typing import Any

from lucidgrad.compiler.buffers import Buffer, pack, unpack
from lucidgrad.compiler.program import Program, aligned
from lucidgrad.tensor import Tensor
from lucidgrad.training.samples import Array

_raw = attrgetter("raw")


class StateMemory:
    """Parameters, buffers and the optimiser's state as the programs lay them out; they share it."""

    def __init__(self, program: Program, count: int) -> None:
        plan = program.plan
        self._layout = plan.inputs[:count]
        self.arrays = [_memory(b) for b in self._layout]
        numbers = {v: i for i, v in enumerate(program.graph.inputs)}
        self.mirrors = {numbers[v]: _memory(b) for v, b in plan.mirrors.items()}
        self.seen: list[Any] = [None] * count  # the arrays that were read, or written, last

    def load(self, tensors: list[Tensor]) -> None:
        """Take over those that have changed since."""
        if all(map(is_, map(_raw, tensors), self.seen)):
            return
        for i, (tensor, buffer) in enumerate(zip(tensors, self._layout, strict=True)):
            if tensor.raw is not self.seen[i]:
                self.seen[i] = tensor.raw
                array, panel = tensor.numpy(), buffer.panel
                self.arrays[i][...] = array if panel is None else pack(array, panel)
                if i in self.mirrors and panel is not None:
                    self.mirrors[i][...] = pack(array, 1 - panel)

    def read(self) -> list[Tensor]:
        """Copies of what is in it."""
        made = []
        for array, buffer in zip(self.arrays, self._layout, strict=True):
            copy = array.copy() if buffer.panel is None else unpack(array, buffer.shape, buffer.panel)
            copy.setflags(write=False)
            made.append(Tensor.wrap(copy))
        return made


def _memory(buffer: Buffer) -> Array:
    """Zeros for what a buffer holds: as it is, or flat in panels."""
    made: Array = aligned(buffer.size_bytes).view(buffer.dtype)
    return (
        made.reshape(-1)[: prod(buffer.shape)].reshape(buffer.shape)
        if buffer.panel is None
        else made[: buffer.elements]
    )
