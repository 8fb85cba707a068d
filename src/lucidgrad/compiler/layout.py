"""The plan of a program's memory: where each value lies, and which results are written where they belong at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler import buffers
from lucidgrad.compiler.assembly import I64
from lucidgrad.compiler.buffers import PANEL, Buffer, dense_strides, padded_size, padded_strides
from lucidgrad.compiler.fuse import Fusion, Kernel
from lucidgrad.compiler.index import own_index
from lucidgrad.compiler.kernels.zeros import worth_looking
from lucidgrad.compiler.passes.rewrite import number_of
from lucidgrad.graph import Instruction, Value
from lucidgrad.ops.codegen import Elementwise

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Place:
    """How an input comes to a program, or where an output of it goes.

    Parameters
    ----------
    kind
        ``buffers.ARRAY``; ``GATHERED``: rows of a data set, in the order of the epoch; ``ROWS``: the batch's rows of a
        larger output; ``STREAM``: a number for each step.
    strides
        In elements; None: row after row.
    state
        For an output: the number of the input that it replaces.
    panels
        For an input: whether a matrix that products walk through may be given in panels.
    zeros
        For an input: whether most of it is zero, so that products had better look for what is not.
    checked
        For an input: whether who fills it in says whether its numbers are finite (``Plan.checks``), so that products
        that leave out zeros of another matrix need not look.
    """

    kind: str = buffers.ARRAY
    strides: tuple[int, ...] | None = None
    state: int | None = None
    panels: bool = False
    zeros: bool = False
    checked: bool = False


# What is zero stays zero.
_KEEPS_ZEROS = {"reshape", "transpose", "cast", "multiply", "negative", "relu", "absolute", "sign", "sqrt"}


class Plan:
    """Buffers for the inputs, outputs, stored values and constants of a graph.

    Attributes
    ----------
    kernels
        In the order they run.
    buffer_of
        Of each value that is in memory.
    inputs, outputs
        A buffer for each input and each output of the graph; None for an output that is no value of a kernel, or
        state that is written in place.
    copies
        New state and where it is to be copied in the end of a step.
    checks
        For each input that is checked: a word, -1 where one of its numbers is not finite, else 0.
    mostly_zeros, half_zeros
        Values that are, as far as is known: of the inputs that are said to be, and what relu and its gradient give.
    """

    def __init__(
        self,
        fusion: Fusion,
        inputs: Sequence[Place] | None,
        outputs: Sequence[Place] | None,
        threads: int = 1,
    ) -> None:
        self.fusion = fusion
        self.threads = threads
        self.kernels = fusion.kernels
        self.buffers: list[Buffer] = []
        self.constants: list[tuple[Buffer, Array]] = []
        self._constant_of: dict[Any, Buffer] = {}
        self.slots = 0
        self.arena_bytes = 0
        self.buffer_of: dict[Value, Buffer] = {}
        self.copies: list[tuple[Buffer, Buffer]] = []
        self.order_slot, self.error_slot, self.barrier_slot = self._slot(), self._slot(), self._slot()
        self.end_slot = self._slot()  # no address: where the order ends
        graph = fusion.graph
        given = list(zip(graph.inputs, inputs or [Place()] * len(graph.inputs), strict=True))
        wanted = list(zip(graph.outputs, outputs or [Place()] * len(graph.outputs), strict=True))
        self.mostly_zeros = self._zero_with({v for v, p in given if p.zeros})
        self.half_zeros = self._zero_with({i.output for i in graph.instructions if _makes_zeros(i)})
        walked = self._walked_through({v for v, p in given if p.panels})
        changed = {graph.inputs[p.state] for _, p in wanted if p.state is not None}
        dear = self._beside_zeros() if threads == 1 else set(walked)
        self._panel_axis = {v.shape: _fuller(v.shape, axes, v in changed, v in dear) for v, axes in walked.items()}
        self.inputs = [self._outside(v.shape, v.dtype, p) for v, p in given]
        self.buffer_of.update(zip(graph.inputs, self.inputs, strict=True))
        self.mirrors = {v: self._mirror(v) for v, axes in walked.items() if set(axes) != {self._panel_axis[v.shape]}}
        self.checks = {v: self._outside((1,), I64, Place()) for v, p in given if p.checked}
        self._becomes_state = self._leading_to({v for v, p in wanted if p.state is not None and isinstance(v, Value)})
        self.outputs = [self._output(v, p) for v, p in wanted]
        for kernel in self.kernels:
            for value in kernel.stored:
                if value not in self.buffer_of:
                    self.buffer_of[value] = self._inside(value)
        for value, place in wanted:
            if place.state is not None and isinstance(value, Value):
                source, target = self.buffer_of[value], self.inputs[place.state]
                if source is not target:
                    self.copies.append((source, target))

    def _slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _add(self, buffer: Buffer) -> Buffer:
        self.buffers.append(buffer)
        return buffer

    def _outside(self, shape: tuple[int, ...], dtype: Any, place: Place) -> Buffer:
        strides = dense_strides(shape) if place.strides is None else place.strides
        panel = self._panel_axis.get(shape) if place.panels else None
        return self._add(Buffer(self._slot(), shape, dtype, strides, panel, kind=place.kind))

    def _walked_through(self, candidates: set[Value]) -> dict[Value, list[int]]:
        """The axes that products read vectors along, of each matrix among the candidates: the forward one first."""
        found: dict[Value, list[int]] = {}
        for instruction in self.fusion.graph.instructions:
            if instruction.op.name != "matmul":
                continue
            right = instruction.inputs[1]
            base = self.fusion.base(right)
            if isinstance(base, Value) and base in candidates and len(base.shape) == 2 and base.dtype.kind == "f":
                axes = found.setdefault(base, [])
                axis = 1 if right is base else 0
                if axis not in axes:
                    axes.append(axis)
        return found

    def _beside_zeros(self) -> set[Value]:
        """The matrices whose products leave out zeros of inputs that are mostly zeros."""
        found: set[Value] = set()
        for instruction in self.fusion.graph.instructions:
            if instruction.op.name == "matmul" and len(instruction.output.shape) == 2:
                left, right = (self.fusion.base(x) for x in instruction.inputs)
                sizes = *instruction.inputs[0].shape, instruction.output.shape[1]
                if isinstance(left, Value) and left in self.mostly_zeros and worth_looking(*sizes):
                    found.add(right)
        return found

    def _mirror(self, value: Value) -> Buffer:
        """A second copy of a matrix, for products that walk through it the other way."""
        panel = 1 - self._panel_axis[value.shape]
        return self._add(Buffer(self._slot(), value.shape, value.dtype, dense_strides(value.shape), panel))

    def _zero_with(self, found: set[Value]) -> set[Value]:
        """The values, and what is made of them and is zero where they are."""
        for instruction in self.fusion.graph.instructions if found else ():
            name, inputs = instruction.op.name, instruction.inputs
            kept = inputs if name in _KEEPS_ZEROS else inputs[:1] if name == "divide" else ()
            if any(x in found for x in kept if isinstance(x, Value)):
                found = found | {instruction.output}
        return found

    def _leading_to(self, state: set[Value]) -> set[Value]:
        """Gradients and what else becomes new state element by element: best laid out as the state is."""
        found = set(state)
        for instruction in reversed(self.fusion.graph.instructions):
            if instruction.output in found and isinstance(instruction.op.codegen, Elementwise):
                found.update(
                    x for x in instruction.inputs if isinstance(x, Value) and x.shape == instruction.output.shape
                )
        return found

    def _output(self, value: Any, place: Place) -> Buffer | None:
        if not isinstance(value, Value) or value not in self.fusion.made_by:
            return None
        if place.state is not None:
            if value not in self.buffer_of and self._in_place(value, self.fusion.graph.inputs[place.state]):
                self.buffer_of[value] = self.inputs[place.state]
            return None
        if value in self.buffer_of:  # the same value twice: the caller copies
            return self.buffer_of[value]
        buffer = self._outside(value.shape, value.dtype, place)
        self.buffer_of[value] = buffer
        return buffer

    def _inside(self, value: Value) -> Buffer:
        """Memory of the arena. Rows are filled up to whole vectors where nobody looks at them as one long row."""
        if value in self._becomes_state and value.shape in self._panel_axis and value.dtype.kind == "f":
            return self._in_arena(Buffer(self._slot(), value.shape, value.dtype, (), self._panel_axis[value.shape]))
        dense = (
            len(value.shape) < 2
            or value.shape[-1] == 1
            or self.fusion.made_by[value].op.name == "random_bits"
            or any(u.op.name == "reshape" for u in self.fusion.users.get(value, []))
        )
        if dense:
            return self._in_arena(Buffer(self._slot(), value.shape, value.dtype, dense_strides(value.shape)))
        strides = padded_strides(value.shape, value.dtype.itemsize)
        return self._in_arena(Buffer(self._slot(), value.shape, value.dtype, strides, padded=True))

    def _in_arena(self, buffer: Buffer) -> Buffer:
        buffer.place = self.arena_bytes
        self.arena_bytes += buffer.size_bytes * (self.threads if buffer.kind == buffers.PRIVATE else 1)
        return self._add(buffer)

    def _in_place(self, value: Value, old: Value) -> bool:
        """Whether new state may be written over the old: nobody reads the old one later, or at another place."""
        own = own_index(value.shape)
        kernel = self.fusion.kernel_of[value]
        if value.shape != old.shape or (kernel.anchor is not None and kernel.anchor.op.name in ("put", "random_bits")):
            return False
        later = self.kernels[self.kernels.index(kernel) :]
        for other in later:
            for root in other.roots:
                for read, index in self.fusion.reads(root):
                    if read is old and (other is not kernel or index != own):
                        return False
        return old not in self.fusion.graph.outputs

    def constant(self, array: Array) -> Buffer:
        """The buffer of a constant array; equal ones share it."""
        key = (array.shape, array.dtype.str, array.tobytes())
        if key not in self._constant_of:
            kept = np.ascontiguousarray(array)
            buffer = Buffer(self._slot(), array.shape, array.dtype, dense_strides(array.shape))
            self._constant_of[key] = self._add(buffer)
            self.constants.append((buffer, kept))
        return self._constant_of[key]

    def private(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """Memory for a kernel to work in, a part for each thread."""
        strides = dense_strides(shape)
        return self._in_arena(Buffer(self._slot(), shape, np.dtype(dtype), strides, kind=buffers.PRIVATE))

    def copies_of(self, value: Value) -> list[Buffer]:
        """Where a value lies: nowhere, once, or also in a mirror."""
        return [m[value] for m in (self.buffer_of, self.mirrors) if value in m]

    def scalars_of(self, kernel: Kernel) -> list[Value]:
        """Single numbers that the kernel uses and that do not change in its loops."""
        found: dict[Value, None] = {}
        seen: set[Value] = set()
        made_by = self.fusion.made_by

        def visit(x: Any) -> None:
            if not isinstance(x, Value) or x in seen:
                return
            seen.add(x)
            if not x.shape and x not in kernel.roots and (x in self.buffer_of or self._plain(x, kernel)):
                found[x] = None
            elif x in made_by and (x not in self.buffer_of or x in kernel.roots):
                for y in made_by[x].inputs:
                    visit(y)

        for root in kernel.roots:
            visit(root)
        return list(found)

    def _plain(self, x: Value, kernel: Kernel) -> bool:
        """Whether a number is computed from numbers alone that are there before the kernel begins."""
        if x in kernel.roots or (kernel.anchor is not None and x is kernel.anchor.output):
            return False
        if x in self.buffer_of:
            return True
        made = self.fusion.made_by[x]
        return all(not isinstance(y, Value) or (not y.shape and self._plain(y, kernel)) for y in made.inputs)


def _fuller(shape: tuple[int, ...], axes: Sequence[int], changed: bool, dear: bool) -> int:
    """Along which axis a matrix has its panels: the first of these, unless its vectors would be much emptier.

    The gradient and the update run along them too. They pay for a second copy, where the matrix has none anyway. It is
    dear where several threads read it: each line that one of them writes has to be taken out of the caches of the
    others; and where products leave out zeros, as the gradient can do so along the outputs only. Wide matrices that
    have a copy keep the columns that threads own.
    """
    first, other = axes[0], 1 - axes[0]
    copied = len(axes) > 1
    if not changed or (copied and shape[other] >= 2 * PANEL):
        return first
    elements = [shape[1 - a] * padded_size(shape[a]) for a in (first, other)]
    return other if (2.0 if copied or dear else 1.5) * elements[1] <= elements[0] else first


def _makes_zeros(instruction: Instruction) -> bool:
    """Whether half of what it gives is zero, as a rule: relu, and gradients where it let something through."""
    name = instruction.op.name
    return name == "relu" or (name == "where" and number_of(instruction.inputs[2]) == 0)
