"""Builder: writes LLVM's assembly language as text, one function at a time.

Text instead of objects, because a reader can read it and because writing a line is ten times as quick as building
an object tree that is printed and parsed again.

Vectors have ``LANES`` elements (``NARROW`` where rows are short), whatever the machine: LLVM splits or widens them, and
results stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lucidgrad.compiler.instructions import Instructions
from lucidgrad.compiler.registers import F32 as F32
from lucidgrad.compiler.registers import F64 as F64
from lucidgrad.compiler.registers import I1 as I1
from lucidgrad.compiler.registers import I8 as I8
from lucidgrad.compiler.registers import I32 as I32
from lucidgrad.compiler.registers import I64 as I64
from lucidgrad.compiler.registers import LANES as LANES
from lucidgrad.compiler.registers import NARROW as NARROW
from lucidgrad.compiler.registers import PTR as PTR
from lucidgrad.compiler.registers import U8 as U8
from lucidgrad.compiler.registers import U32 as U32
from lucidgrad.compiler.registers import U64 as U64
from lucidgrad.compiler.registers import Dtype as Dtype
from lucidgrad.compiler.registers import Operand as Operand
from lucidgrad.compiler.registers import Reg as Reg
from lucidgrad.compiler.registers import literal as literal
from lucidgrad.compiler.registers import type_of as type_of

FEW = 3  # lanes
# LLVM halves vectors for some CPUs that run at a lower clock with wide ones; matrix products gain all the same.
_WIDE = '"prefer-vector-width"="512" "min-legal-vector-width"="512"'


class Loop:
    """A loop under construction: its ``index``, and what it carries from one round to the next.

    Inside of the block ``values`` are the carried values of this round, and ``next`` is to be set to those of the
    next one; behind it ``values`` are the final ones.
    """

    def __init__(self, index: Reg, values: list[Reg]) -> None:
        self.index = index
        self.values = values
        self.next = list(values)


class Builder(Instructions):
    r"""Writes one function.

    Parameters
    ----------
    name
        Of the function.
    params
        Names and dtypes of its parameters; ``self.params`` are the registers that hold them.
    returns
        The dtype of what it returns, or None.
    internal
        Whether only functions of the same module call it.

    Examples
    --------
    >>> c = Builder("scale", [("x", PTR), ("n", I64)])
    >>> x, n = c.params
    >>> with c.loop(0, n, LANES) as loop:
    ...     v = c.load(c.offset(x, loop.index, F32), F32, LANES)
    ...     c.store(c.mul(v, 2.0), c.offset(x, loop.index, F32))
    >>> print("\n".join(line for line in c.lines if "float" in line))
      %r6 = getelementptr float, ptr %x, i64 %r4
      %r7 = load <16 x float>, ptr %r6, align 4
      %r8 = fmul <16 x float> %r7, splat (float 0x4000000000000000)
      %r9 = getelementptr float, ptr %x, i64 %r4
      store <16 x float> %r8, ptr %r9, align 4
    """

    def __init__(
        self, name: str, params: Sequence[tuple[str, Dtype]] = (), returns: Dtype | None = None, internal: bool = False
    ) -> None:
        super().__init__()
        self.name = name
        self.params = [Reg(f"%{n}", t) for n, t in params]
        self.returns = returns
        self.internal = internal
        self.block = "entry"

    def select(self, condition: Reg, a: Operand, b: Operand) -> Reg:
        """A where the condition holds, else b; the other one is not looked at."""
        through = _lanes_through(condition)
        if not 0 < len(through) <= FEW or not isinstance(a, Reg) or a.lanes != condition.lanes:
            return super().select(condition, a, b)
        # As a select of quotients by a constant mask of so few lanes, LLVM 22 lets others through (SSE2): NaN of 0 / 0.
        made = self.like(b, a)
        for lane in through:
            made = self.insert(made, self.extract(a, lane), lane)
        return made

    # --- memory -----------------------------------------------------------------------------------------------------

    def offset(self, pointer: Reg, count: Operand, dtype: Dtype) -> Reg:
        """The address ``count`` elements further; with a vector of counts, as many addresses."""
        if not isinstance(count, Reg):
            if count == 0:
                return pointer
            count = self.const(count, I64)
        if count.dtype.itemsize < 8:
            count = self.cast(count, I64)
        element = "i8" if dtype.kind == "b" else type_of(dtype)
        text = f"getelementptr {element}, {pointer.type} {pointer.text}, {count.type} {count.text}"
        return self.emit(text, PTR, max(pointer.lanes, count.lanes))

    def load(
        self, pointer: Reg, dtype: Dtype, lanes: int = 1, mask: Reg | None = None, align: int | None = None
    ) -> Reg:
        """Read an element, or consecutive ones; where the mask is false nothing is read and the value is 0."""
        memory = I8 if dtype.kind == "b" else dtype
        align = align or memory.itemsize
        kind = type_of(memory, lanes)
        if mask is None:
            value = self.emit(f"load {kind}, ptr {pointer.text}, align {align}", memory, lanes)
        else:
            suffix = self._suffix(memory, lanes)
            text = (
                f"call {kind} @llvm.masked.load.{suffix}.p0(ptr align {align} {pointer.text}, "
                f"{mask.type} {mask.text}, {kind} zeroinitializer)"
            )
            value = self.emit(text, memory, lanes)
        return self.compare("ne", value, 0) if dtype.kind == "b" else value

    def gather(self, pointers: Reg, dtype: Dtype, mask: Reg | None = None) -> Reg:
        """Read an element from each address; where the mask is false nothing is read and the value is 0."""
        memory = I8 if dtype.kind == "b" else dtype
        lanes = pointers.lanes
        kind = type_of(memory, lanes)
        chosen = self.const(True, I1, lanes) if mask is None else mask
        text = (
            f"call {kind} @llvm.masked.gather.{self._suffix(memory, lanes)}.v{lanes}p0({pointers.type} "
            f"align {memory.itemsize} {pointers.text}, {chosen.type} {chosen.text}, {kind} zeroinitializer)"
        )
        value = self.emit(text, memory, lanes)
        return self.compare("ne", value, 0) if dtype.kind == "b" else value

    def store(
        self, value: Reg, pointer: Reg, mask: Reg | None = None, align: int | None = None, past: bool = False
    ) -> None:
        """Write an element, consecutive ones, or (to a vector of addresses) one to each; only where the mask says.

        ``past``: past the caches, into memory. Threads see what has been written so behind a barrier.
        """
        if value.dtype.kind == "b":
            value = self.cast(value, I8)
        align = align or value.dtype.itemsize
        if pointer.lanes > 1:
            chosen = self.const(True, I1, value.lanes) if mask is None else mask
            self.line(
                f"call void @llvm.masked.scatter.{self._suffix(value.dtype, value.lanes)}.v{value.lanes}p0("
                f"{value.type} {value.text}, {pointer.type} align {align} {pointer.text}, {chosen.type} {chosen.text})"
            )
        elif mask is None:
            hint = ", !nontemporal !{i32 1}" if past else ""
            self.line(f"store {value.type} {value.text}, ptr {pointer.text}, align {align}{hint}")
        elif (lane := _only_lane(mask)) is not None:
            # As a masked store of what was made narrower just before, LLVM 22 writes the lane as wide as it was then
            # (AVX-512: four bytes where one is meant), over whatever lies behind.
            self.store(self.extract(value, lane), self.offset(pointer, lane, value.dtype), align=align)
        else:
            self.line(
                f"call void @llvm.masked.store.{self._suffix(value.dtype, value.lanes)}.p0({value.type} {value.text}, "
                f"ptr align {align} {pointer.text}, {mask.type} {mask.text})"
            )

    @staticmethod
    def _suffix(dtype: Dtype, lanes: int) -> str:
        return f"v{lanes}{'f' if dtype.kind == 'f' else 'i'}{8 * dtype.itemsize}"

    # --- control ----------------------------------------------------------------------------------------------------

    def label(self, what: str) -> str:
        """A fresh name for a block."""
        self._count += 1
        return f"{what}{self._count}"

    def begin(self, label: str) -> None:
        """The lines from here on belong to the block ``label``."""
        self.lines.append(f"{label}:")
        self.block = label

    @contextmanager
    def loop(self, start: Operand, stop: Operand, step: int = 1, carried: Sequence[Reg] = ()) -> Iterator[Loop]:
        """For index from start to stop by step (int64; counted up): see ``Loop``."""
        first = start if isinstance(start, Reg) else self.const(start, I64)
        last = stop if isinstance(stop, Reg) else self.const(stop, I64)
        if not isinstance(start, Reg) and not isinstance(stop, Reg) and start < stop <= start + step:
            once = Loop(first, list(carried))  # a single round needs no loop
            yield once
            once.values = once.next
            return
        before, head, body, end = self.block, self.label("loop"), self.label("body"), self.label("done")
        self.line(f"br label %{head}")
        self.begin(head)
        phis = [self.emit("", x.dtype, x.lanes) for x in (first, *carried)]
        at = len(self.lines) - len(phis)
        inside = self.compare("lt", phis[0], last)
        self.line(f"br i1 {inside.text}, label %{body}, label %{end}")
        self.begin(body)
        loop = Loop(phis[0], phis[1:])
        yield loop
        following = [self.add(phis[0], step), *loop.next]
        latch = self.block
        self.line(f"br label %{head}")
        for i, (phi, old, new) in enumerate(zip(phis, (first, *carried), following, strict=True)):
            self.lines[at + i] = f"  {phi.text} = phi {phi.type} [ {old.text}, %{before} ], [ {new.text}, %{latch} ]"
        self.begin(end)

    @contextmanager
    def if_(self, condition: Reg) -> Iterator[None]:
        """The block is done only where the (scalar) condition holds; it makes no value."""
        then, end = self.label("then"), self.label("end")
        self.line(f"br i1 {condition.text}, label %{then}, label %{end}")
        self.begin(then)
        yield
        self.line(f"br label %{end}")
        self.begin(end)

    def call(self, name: str, args: Sequence[Reg], returns: Dtype | None = None) -> Reg | None:
        """Call a function of the module, or one declared in it."""
        operands = ", ".join(f"{a.type} {a.text}" for a in args)
        if returns is None:
            self.line(f"call void @{name}({operands})")
            return None
        return self.emit(f"call {type_of(returns)} @{name}({operands})", returns)

    def ret(self, value: Reg | None = None) -> None:
        """Return from the middle of the function; lines behind it need a block of their own."""
        self.line("ret void" if value is None else f"ret {value.type} {value.text}")

    def text(self, result: Reg | None = None) -> str:
        """The whole function, returning ``result``."""
        params = ", ".join(f"{p.type} {p.text}" for p in self.params)
        returns = "void" if self.returns is None else type_of(self.returns)
        end = "  ret void" if result is None else f"  ret {result.type} {result.text}"
        linkage = "internal " if self.internal else ""
        head = f"define {linkage}{returns} @{self.name}({params}) {_WIDE} {{"
        return "\n".join([head, "entry:", *self.lines, end, "}"])


def _lanes_through(mask: Reg) -> list[int]:
    """The lanes that a constant mask lets through; none for another mask."""
    lanes = mask.text.split(",") if mask.text.startswith("<") else []
    return [i for i, lane in enumerate(lanes) if "true" in lane]


def _only_lane(mask: Reg) -> int | None:
    """The lane that a constant mask lets through, if it is a single one."""
    through = _lanes_through(mask)
    return through[0] if len(through) == 1 else None
