"""The value of an expression at an index: what a kernel writes down for everything it does not read from memory.

Rows that are computed element by element become instructions, rows that move elements become other indices, and
what is in memory is read. Within one loop, what was computed for an index is not computed again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, Builder, Operand, Reg
from lucidgrad.compiler.buffers import Buffer, Frame
from lucidgrad.compiler.index import (
    Component,
    Index,
    Lane,
    Picked,
    broadcast_index,
    concatenated,
    expand_key,
    getitem_index,
    reshape_index,
    transpose_index,
)
from lucidgrad.compiler.kernels import philox
from lucidgrad.graph import Instruction, Value
from lucidgrad.ops.codegen import Elementwise

MOVES = {"reshape", "transpose", "broadcast_to", "getitem", "pad", "concatenate", "put", "fold_in"}


@dataclass(frozen=True)
class Reach:
    """The address of an element in a buffer, and how many elements further the next one along an axis is."""

    buffer: Buffer
    pointer: Reg
    stride: int | Reg

    def at(self, c: Builder, further: Operand) -> Reg:
        """The address of the element so many places further along the axis."""
        if isinstance(further, int) and isinstance(self.stride, int):
            return c.offset(self.pointer, further * self.stride, self.buffer.dtype)
        return c.offset(self.pointer, c.mul(self.stride, further), self.buffer.dtype)


class Expression:
    """Evaluates values of a graph inside of one kernel.

    Parameters
    ----------
    frame
        The kernel's.
    made_by
        The instruction that makes each value.
    stored
        The buffers of values that can be read.
    constants
        The buffer of a constant array.
    mirrors
        Second copies of matrices, for reading vectors along their other axis.
    """

    def __init__(
        self,
        frame: Frame,
        made_by: Mapping[Value, Instruction],
        stored: Mapping[Value, Buffer],
        constants: Callable[[np.ndarray[Any, Any]], Buffer],
        mirrors: Mapping[Value, Buffer] | None = None,
    ) -> None:
        self.frame = frame
        self.c: Any = frame.c
        self.made_by = made_by
        self.stored = stored
        self.constants = constants
        self.mirrors = mirrors or {}
        self.known: ChainMap[Any, Reg] = ChainMap()
        self.computed: set[Value] = set()  # stored values that this kernel computes itself

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is computed inside of the block is forgotten behind it: it belongs to the inside of a loop."""
        self.known = self.known.new_child()
        with self.frame.scope():
            yield
        self.known = self.known.parents

    def at(self, x: Any, index: Index, mask: Reg | None = None) -> Reg:
        """The element of an operand (a value or a constant array) at an index."""
        if isinstance(x, np.ndarray):
            if x.size == 1 or (x.size and all(isinstance(i, int) for i in index)):
                return self.register(x.reshape(())[()] if x.size == 1 else x[index], x.dtype)
            return self.frame.load(self.constants(x), index, mask)
        assert isinstance(x, Value)  # numbers are no operands to read
        key = (x, index, mask and mask.text)
        if key not in self.known:
            self.known[key] = self._read_or_compute(x, index, mask)
        return self.known[key]

    def reach(self, x: Value, index: Index, axis: int) -> Reach:
        """Where the element of a stored value (or of a transposition of one) at an index lies, and its neighbours."""
        made = None if x in self.stored else self.made_by[x]
        if made is not None:
            before = transpose_index(index, made.attrs["order"])
            return self.reach(made.inputs[0], before, made.attrs["order"][axis])
        buffer = self._copy_for(x, index)
        pointer, _ = self.frame.address(buffer, index)
        return Reach(buffer, pointer, self.frame.stride(buffer, axis, index))

    def _copy_for(self, x: Value, index: Index) -> Buffer:
        """Where a stored value is read at an index: where the lanes lie side by side."""
        mirror = self.mirrors.get(x)
        lanes = mirror is not None and mirror.panel is not None and isinstance(index[mirror.panel], Lane)
        return mirror if mirror is not None and lanes else self.stored[x]

    def define(self, x: Value, index: Index, value: Reg, mask: Reg | None = None) -> None:
        """Say what a value is at an index: the sum or product that the kernel has just finished."""
        self.known[(x, index, mask and mask.text)] = value

    def _read_or_compute(self, x: Value, index: Index, mask: Reg | None) -> Reg:
        if x in self.stored and x not in self.computed:
            return self.frame.load(self._copy_for(x, index), index, mask)
        instruction = self.made_by[x]
        name = instruction.op.name
        if name in MOVES and not isinstance(instruction.op.codegen, Elementwise):
            return getattr(self, f"_{name}")(instruction, index, mask)  # type: ignore[no-any-return]
        rule = instruction.op.codegen
        assert isinstance(rule, Elementwise), f"{instruction} is neither stored nor computed element by element"
        operands = [
            self.at(o, broadcast_index(index, o.shape), mask) if hasattr(o, "shape") else o for o in instruction.inputs
        ]
        value = rule.rule(self.c, *operands, **instruction.attrs)
        return self.register(value, x.dtype)

    def register(self, value: Any, dtype: Any) -> Reg:
        """What a rule gave, a register or a Python number, as a register."""
        made: Reg = value if isinstance(value, Reg) else self.c.const(value, dtype)
        return made

    # --- rows that move elements ------------------------------------------------------------------------------------

    def _reshape(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        (x,) = instruction.inputs
        return self.at(x, reshape_index(self.frame.math, index, instruction.output.shape, x.shape), mask)

    def _transpose(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        (x,) = instruction.inputs
        return self.at(x, transpose_index(index, instruction.attrs["order"]), mask)

    def _broadcast_to(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        (x,) = instruction.inputs
        return self.at(x, broadcast_index(index, x.shape), mask)

    def _getitem(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        x = instruction.inputs[0]
        components = getitem_index(self.frame.math, instruction, index)
        places = tuple(
            self._picked(instruction, p, n, mask) if isinstance(p, Picked) else p
            for p, n in zip(components, x.shape, strict=True)
        )
        return self.at(x, places, mask)

    def _picked(self, instruction: Instruction, picked: Picked, n: int, mask: Reg | None) -> Component:
        """Where an array of indices points; from the end where negative, and reported where outside."""
        return self.place_in(self.at(instruction.inputs[picked.number], picked.index, mask), n, mask)

    def place_in(self, given: Reg, n: int, mask: Reg | None) -> Reg:
        """A place along an axis of n from an index that a user gave."""
        c = self.c
        place = c.cast(given, I64)
        place = c.select(c.compare("lt", place, 0), c.add(place, n), place)
        outside = c.compare("ge", c.bitcast(place, np.dtype(np.uint64)), n)
        wrong = c.and_(outside, mask) if mask is not None and outside.lanes > 1 else outside
        self.frame.report(wrong, 1)
        return c.select(outside, 0, place)  # type: ignore[no-any-return]

    def _inside(self, tests: list[tuple[Component, int, int]]) -> tuple[Reg | None, list[Component]]:
        """Whether each component lies from start to stop; and the components, brought to 0 where one does not."""
        c, math = self.c, self.frame.math
        inside: Reg | None = None
        for x, start, stop in tests:
            if x is None:
                continue
            place = math.register(x)
            within = c.and_(c.compare("ge", place, start), c.compare("lt", place, stop))
            inside = within if inside is None else c.and_(inside, within)
        if inside is None:
            return None, [x for x, _, _ in tests]
        return inside, [x if x is None else c.select(inside, math.register(x), start) for x, start, _ in tests]

    def _choose(self, inside: Reg | None, value: Any, other: Any, dtype: Any) -> Reg:
        c = self.c
        value = value if isinstance(value, Reg) else c.const(value, dtype)
        return value if inside is None else c.select(inside, value, other)  # type: ignore[no-any-return]

    def _pad(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        (x,) = instruction.inputs
        dtype = instruction.output.dtype
        value = self.c.const(instruction.attrs.get("value", 0.0), dtype)
        if 0 in x.shape:
            return value  # type: ignore[no-any-return]
        padding = instruction.attrs["padding"]
        moved = [self.frame.math.add(i, -before) for i, (before, _) in zip(index, padding, strict=True)]
        tests = [
            (i, 0, n) if pair != (0, 0) else (None, 0, 0) for i, n, pair in zip(moved, x.shape, padding, strict=True)
        ]
        inside, clamped = self._inside(tests)
        places = tuple(m if i is None else i for i, m in zip(clamped, moved, strict=True))
        return self._choose(inside, self.at(x, places, mask), value, dtype)

    def _concatenate(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        axis, starts = concatenated(instruction)
        result: Any = None
        for x, start in zip(instruction.inputs, starts, strict=True):
            n = x.shape[axis]
            if not n:
                continue
            if result is None and n == instruction.output.shape[axis]:
                return self.at(x, index, mask)
            inside, (place,) = self._inside([(self.frame.math.add(index[axis], -start), 0, n)])
            value = self.at(x, (*index[:axis], place, *index[axis + 1 :]), mask)
            result = value if result is None else self._choose(inside, value, result, instruction.output.dtype)
        if result is None:  # nothing put together with nothing
            result = self.c.zero(instruction.output.dtype)
        return result  # type: ignore[no-any-return]

    def _put(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        """Zero but where the (static) key points: the inverse of its slices."""
        c, math = self.c, self.frame.math
        g = instruction.inputs[0]
        dtype = instruction.output.dtype
        if 0 in g.shape:
            return c.zero(dtype)  # type: ignore[no-any-return]
        inside: Reg | None = None
        places: list[Component] = []
        axis = 0
        for part in expand_key(instruction.attrs["key"], len(index)):
            if part is None:
                places.append(0)
                continue
            n = instruction.attrs["shape"][axis]
            x = index[axis]
            axis += 1
            start, stop, step = part.indices(n) if isinstance(part, slice) else (part % n, 0, 1)
            count = len(range(start, stop, step)) if isinstance(part, slice) else 1
            if isinstance(part, slice) and (start, step, count) == (0, 1, n):
                places.append(x)
                continue
            distance = math.register(math.add(x, -start))
            if step < 0:
                distance = c.sub(0, distance)
            hit = c.and_(c.compare("ge", distance, 0), c.compare("lt", distance, count * abs(step)))
            place = distance
            if abs(step) > 1:
                clamped = c.select(hit, distance, 0)
                hit = c.and_(hit, c.compare("eq", c.rem(clamped, abs(step)), 0))
                place = c.div(clamped, abs(step))
            inside = hit if inside is None else c.and_(inside, hit)
            if isinstance(part, slice):
                places.append(c.select(hit, place, 0))
        return self._choose(inside, self.at(g, tuple(places), mask), 0, dtype)

    def _fold_in(self, instruction: Instruction, index: Index, mask: Reg | None) -> Reg:
        (i,) = index
        words = self.words(instruction.output)
        if isinstance(i, int):
            return words[i]
        c = self.c
        second = c.compare("eq", self.frame.math.register(i), 1)
        return c.select(second, words[1], words[0])  # type: ignore[no-any-return]

    def words(self, key: Any) -> tuple[Reg, Reg]:
        """The two words of a key."""
        inside = isinstance(key, Value) and (key not in self.stored or key in self.computed)
        made = self.made_by.get(key) if inside else None
        if made is None or made.op.name != "fold_in":
            first, second = self.at(key, (0,)), self.at(key, (1,))
            return first, second
        known = (key, "words")
        if known not in self.known:
            inner, n = made.inputs
            number = self.at(n, ()) if hasattr(n, "shape") else self.c.const(int(n) % 2**64, np.dtype(np.uint64))
            number = self.c.cast(number, np.dtype(np.uint64))
            self.known[known] = philox.fold_in(self.c, *self.words(inner), number)  # type: ignore[assignment]
        return self.known[known]  # type: ignore[return-value]
