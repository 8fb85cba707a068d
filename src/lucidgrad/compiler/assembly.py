"""Builder: writes LLVM's assembly language as text, one function at a time.

Text instead of objects, because a reader can read it and because writing a line is ten times as quick as building
an object tree that is printed and parsed again. The builder picks the instruction by the kind of number, and never
sets a flag that lets LLVM change a result (no ``fast``, ``nnan``, ``ninf``, ``nsz``, ``contract``).

Vectors always have ``LANES`` elements, whatever the machine: LLVM splits or widens them, and results stay the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

LANES = 16
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
I1, I8, I32, I64 = np.dtype(np.bool_), np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)
U8, U32, U64 = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.uint64)


# LLVM halves vectors for some CPUs that run at a lower clock with wide ones; matrix products gain all the same.
_WIDE = '"prefer-vector-width"="512" "min-legal-vector-width"="512"'


class Pointer:
    """The dtype of addresses, which NumPy has no dtype for."""

    kind = "p"
    itemsize = 8
    name = "pointer"


PTR = Pointer()
Dtype = Any  # np.dtype or PTR


class Reg(NamedTuple):
    """A value in a register: its name or literal, its dtype, and how many lanes it has (1: a scalar)."""

    text: str
    dtype: Dtype
    lanes: int = 1

    @property
    def type(self) -> str:
        """Its type in LLVM's words."""
        return type_of(self.dtype, self.lanes)


Operand = Reg | int | float | bool


def type_of(dtype: Dtype, lanes: int = 1) -> str:
    """``float``, ``i64``, ``ptr``, ``<16 x float>`` ...; booleans are ``i1`` in registers."""
    name = _scalar_type(dtype)
    return name if lanes == 1 else f"<{lanes} x {name}>"


def _scalar_type(dtype: Dtype) -> str:
    if dtype.kind == "p":
        return "ptr"
    if dtype.kind == "f":
        return "float" if dtype.itemsize == 4 else "double"
    return "i1" if dtype.kind == "b" else f"i{8 * dtype.itemsize}"


def literal(value: Any, dtype: Dtype) -> str:
    """A scalar constant as LLVM writes it; floats by their bits, so that none is rounded."""
    if dtype.kind == "f":
        exact = float(np.asarray(value).astype(dtype))
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    if dtype.kind == "b":
        return "true" if value else "false"
    return str(int(value))


class Loop:
    """A loop under construction: its ``index``, and what it carries from one round to the next.

    Inside of the block ``values`` are the carried values of this round, and ``next`` is to be set to those of the
    next one; behind it ``values`` are the final ones.
    """

    def __init__(self, index: Reg, values: list[Reg]) -> None:
        self.index = index
        self.values = values
        self.next = list(values)


class Builder:
    """Writes one function.

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
    >>> print(c.text())  # doctest: +ELLIPSIS
    define void @scale(ptr %x, i64 %n) "prefer-vector-width"="512" "min-legal-vector-width"="512" {
    ...
      %6 = load <16 x float>, ptr %5, align 4
      %7 = fmul <16 x float> %6, splat (float 0x4000000000000000)
    ...
    }
    """

    def __init__(
        self, name: str, params: Sequence[tuple[str, Dtype]] = (), returns: Dtype | None = None, internal: bool = False
    ) -> None:
        self.name = name
        self.params = [Reg(f"%{n}", t) for n, t in params]
        self.returns = returns
        self.internal = internal
        self.lines: list[str] = []
        self.block = "entry"
        self._count = 0

    # --- constants and plain lines ----------------------------------------------------------------------------------

    def const(self, value: Any, dtype: Dtype, lanes: int = 1) -> Reg:
        """A number as a register; with lanes, the same in each."""
        text = literal(value, dtype)
        return Reg(text if lanes == 1 else f"splat ({type_of(dtype)} {text})", dtype, lanes)

    def vector(self, values: Sequence[Any], dtype: Dtype) -> Reg:
        """A vector of given numbers."""
        kind = type_of(dtype)
        inner = ", ".join(f"{kind} {literal(v, dtype)}" for v in values)
        return Reg(f"<{inner}>", dtype, len(values))

    def zero(self, dtype: Dtype, lanes: int = 1) -> Reg:
        """0, or a vector of zeros."""
        return Reg("zeroinitializer", dtype, lanes) if lanes > 1 else self.const(0, dtype)

    def emit(self, text: str, dtype: Dtype, lanes: int = 1) -> Reg:
        """An instruction of your own that makes a value: ``%n = text``."""
        self._count += 1
        name = f"%{self._count}"
        self.lines.append(f"  {name} = {text}")
        return Reg(name, dtype, lanes)

    def line(self, text: str) -> None:
        """An instruction that makes no value."""
        self.lines.append(f"  {text}")

    def comment(self, text: str) -> None:
        """A remark for who reads the assembly."""
        self.lines.append(f"  ; {text}")

    def like(self, value: Operand, other: Reg) -> Reg:
        """The operand in the lanes (and, where it is a Python number, in the dtype) of the other."""
        if not isinstance(value, Reg):
            return self.const(value, other.dtype, other.lanes)
        return self.splat(value, other.lanes) if value.lanes != other.lanes else value

    def _pair(self, a: Operand, b: Operand) -> tuple[Reg, Reg]:
        if isinstance(a, Reg) and isinstance(b, Reg) and a.lanes != b.lanes:
            return (self.splat(a, b.lanes), b) if a.lanes == 1 else (a, self.splat(b, a.lanes))
        first = a if isinstance(a, Reg) else b
        assert isinstance(first, Reg)  # one of them is
        return self.like(a, first), self.like(b, first)

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def _binary(self, a: Operand, b: Operand, floats: str, ints: str) -> Reg:
        x, y = self._pair(a, b)
        name = floats if x.dtype.kind == "f" else ints
        return self.emit(f"{name} {x.type} {x.text}, {y.text}", x.dtype, x.lanes)

    def add(self, a: Operand, b: Operand) -> Reg:
        """a + b; of booleans: either."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "fadd", "or" if x.dtype.kind == "b" else "add")

    def sub(self, a: Operand, b: Operand) -> Reg:
        """a - b."""
        return self._binary(a, b, "fsub", "sub")

    def mul(self, a: Operand, b: Operand) -> Reg:
        """a * b; of booleans: both."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "fmul", "and" if x.dtype.kind == "b" else "mul")

    def div(self, a: Operand, b: Operand) -> Reg:
        """a / b; of integers towards zero."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "fdiv", "sdiv" if x.dtype.kind == "i" else "udiv")

    def rem(self, a: Operand, b: Operand) -> Reg:
        """The remainder of integers, with the sign of a."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "frem", "srem" if x.dtype.kind == "i" else "urem")

    def neg(self, x: Reg) -> Reg:
        """-x."""
        return self.emit(f"fneg {x.type} {x.text}", x.dtype, x.lanes) if x.dtype.kind == "f" else self.sub(0, x)

    def fma(self, a: Operand, b: Operand, x: Operand) -> Reg:
        """A * b + x, rounded once."""
        lanes = max(v.lanes for v in (a, b, x) if isinstance(v, Reg))
        like = next(v for v in (a, b, x) if isinstance(v, Reg))
        return self.intrinsic("fma", [self.like(v, Reg("", like.dtype, lanes)) for v in (a, b, x)])

    def intrinsic(self, name: str, args: Sequence[Reg]) -> Reg:
        """A function of LLVM's own that is overloaded by the type of its arguments."""
        x = args[0]
        suffix = ("f" if x.dtype.kind == "f" else "i") + str(1 if x.dtype.kind == "b" else 8 * x.dtype.itemsize)
        suffix = suffix if x.lanes == 1 else f"v{x.lanes}{suffix}"
        operands = ", ".join(f"{a.type} {a.text}" for a in args)
        return self.emit(f"call {x.type} @llvm.{name}.{suffix}({operands})", x.dtype, x.lanes)

    def maximum(self, a: Operand, b: Operand) -> Reg:
        """The larger; NaN where one is NaN, as in NumPy."""
        x, y = self._pair(a, b)
        return self.intrinsic({"f": "maximum", "i": "smax"}.get(x.dtype.kind, "umax"), [x, y])

    def minimum(self, a: Operand, b: Operand) -> Reg:
        """The smaller; NaN where one is NaN, as in NumPy."""
        x, y = self._pair(a, b)
        return self.intrinsic({"f": "minimum", "i": "smin"}.get(x.dtype.kind, "umin"), [x, y])

    def sqrt(self, x: Reg) -> Reg:
        """The root, correctly rounded."""
        return self.intrinsic("sqrt", [x])

    def abs(self, x: Reg) -> Reg:
        """The absolute value; of the smallest integer, itself."""
        if x.dtype.kind in "bu":
            return x
        if x.dtype.kind == "f":
            return self.intrinsic("fabs", [x])
        return self.select(self.compare("lt", x, 0), self.neg(x), x)

    def copysign(self, x: Reg, sign: Operand) -> Reg:
        """The size of x with the sign of the other."""
        return self.intrinsic("copysign", [x, self.like(sign, x)])

    def floor(self, x: Reg) -> Reg:
        """The largest integer below, still a float."""
        return self.intrinsic("floor", [x])

    def rint(self, x: Reg) -> Reg:
        """The nearest integer, ties to even, still a float."""
        return self.intrinsic("roundeven", [x])

    # --- bits and choices -------------------------------------------------------------------------------------------

    def _bits(self, name: str, a: Operand, b: Operand) -> Reg:
        x, y = self._pair(a, b)
        return self.emit(f"{name} {x.type} {x.text}, {y.text}", x.dtype, x.lanes)

    def and_(self, a: Operand, b: Operand) -> Reg:
        """Bitwise and."""
        return self._bits("and", a, b)

    def or_(self, a: Operand, b: Operand) -> Reg:
        """Bitwise or."""
        return self._bits("or", a, b)

    def xor(self, a: Operand, b: Operand) -> Reg:
        """Bitwise exclusive or."""
        return self._bits("xor", a, b)

    def not_(self, x: Reg) -> Reg:
        """All bits turned."""
        return self.xor(x, True if x.dtype.kind == "b" else -1)

    def shl(self, a: Operand, b: Operand) -> Reg:
        """Bits moved up; b below the number of bits."""
        return self._bits("shl", a, b)

    def lshr(self, a: Operand, b: Operand) -> Reg:
        """Bits moved down, zeros in."""
        return self._bits("lshr", a, b)

    def ashr(self, a: Operand, b: Operand) -> Reg:
        """Bits moved down, copies of the sign in."""
        return self._bits("ashr", a, b)

    def compare(self, how: str, a: Operand, b: Operand) -> Reg:
        """``how``: eq ne lt le gt ge. Comparisons with NaN are false, but ne is true."""
        x, y = self._pair(a, b)
        if x.dtype.kind == "f":
            text = f"fcmp {'une' if how == 'ne' else 'o' + how}"
        else:
            sign = "" if how in ("eq", "ne") else "s" if x.dtype.kind == "i" else "u"
            text = f"icmp {sign}{how}"
        return self.emit(f"{text} {x.type} {x.text}, {y.text}", I1, x.lanes)

    def select(self, condition: Reg, a: Operand, b: Operand) -> Reg:
        """A where the condition holds, else b; the other one is not looked at."""
        x, y = self._pair(a, b)
        if condition.lanes != x.lanes:
            if condition.lanes == 1:
                condition = self.splat(condition, x.lanes)
            else:
                x, y = self.splat(x, condition.lanes), self.splat(y, condition.lanes)
        return self.emit(
            f"select {condition.type} {condition.text}, {x.type} {x.text}, {y.type} {y.text}", x.dtype, x.lanes
        )

    def bitcast(self, x: Reg, dtype: Dtype) -> Reg:
        """The same bits as another dtype of the same size."""
        if type_of(x.dtype) == type_of(dtype):
            return x._replace(dtype=dtype)
        return self.emit(f"bitcast {x.type} {x.text} to {type_of(dtype, x.lanes)}", dtype, x.lanes)

    def _convert(self, how: str, x: Reg, dtype: Dtype) -> Reg:
        return self.emit(f"{how} {x.type} {x.text} to {type_of(dtype, x.lanes)}", dtype, x.lanes)

    def cast(self, x: Reg, dtype: Dtype) -> Reg:
        """The number as another dtype, as NumPy converts: floats to integers towards zero, modulo their size."""
        old, new = x.dtype.kind, dtype.kind
        if x.dtype == dtype:
            return x
        if new == "b":
            return self.compare("ne", x, 0)
        if old == "f" and new == "f":
            return self._convert("fpext" if dtype.itemsize > x.dtype.itemsize else "fptrunc", x, dtype)
        if old == "f":
            return self._to_integer(x, dtype)
        if new == "f":
            return self._convert("sitofp" if old == "i" else "uitofp", x, dtype)
        if old == "b" or dtype.itemsize > x.dtype.itemsize:
            return self._convert("sext" if old == "i" else "zext", x, dtype)
        return self._convert("trunc", x, dtype) if dtype.itemsize < x.dtype.itemsize else x._replace(dtype=dtype)

    def _to_integer(self, x: Reg, dtype: Dtype) -> Reg:
        # What does not fit (and NaN) is the smallest integer, as x86 converts; LLVM by itself leaves it undefined.
        wide = U64 if dtype == U64 else I64
        limit = 2.0**64 if dtype == U64 else 2.0**63
        if dtype in (I32,):
            wide, limit = I32, 2.0**31
        low = -1.0 if dtype == U64 else -limit
        fits = self.and_(self.compare("gt" if dtype == U64 else "ge", x, low), self.compare("lt", x, limit))
        inside = self.select(fits, x, 0.0)
        number = self._convert("fptoui" if dtype == U64 else "fptosi", inside, wide)
        return self.cast(self.select(fits, number, -(2**63) if wide == I64 else -(2**31) if wide == I32 else 2**63), dtype)

    # --- vectors ----------------------------------------------------------------------------------------------------

    def splat(self, x: Reg, lanes: int = LANES) -> Reg:
        """The scalar in each lane."""
        if x.lanes == lanes:
            return x
        kind = type_of(x.dtype, lanes)
        first = self.emit(f"insertelement {kind} poison, {x.type} {x.text}, i64 0", x.dtype, lanes)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {kind} {first.text}, {kind} poison, {zeros}", x.dtype, lanes)

    def iota(self, dtype: Dtype = I64, lanes: int = LANES) -> Reg:
        """0, 1, 2 ... as a vector."""
        return self.vector(range(lanes), dtype)

    def shuffle(self, a: Reg, b: Reg | None, indices: Sequence[int]) -> Reg:
        """The lanes of a (and, counted on, of b) that ``indices`` names."""
        second = "poison" if b is None else b.text
        mask = ", ".join(f"i32 {i}" for i in indices)
        text = f"shufflevector {a.type} {a.text}, {a.type} {second}, <{len(indices)} x i32> <{mask}>"
        return self.emit(text, a.dtype, len(indices))

    def extract(self, x: Reg, lane: int | Reg) -> Reg:
        """One lane."""
        at = f"i64 {lane.text}" if isinstance(lane, Reg) else f"i64 {lane}"
        return x if x.lanes == 1 else self.emit(f"extractelement {x.type} {x.text}, {at}", x.dtype)

    def insert(self, x: Reg, value: Operand, lane: int | Reg) -> Reg:
        """The vector with one lane replaced."""
        at = f"i64 {lane.text}" if isinstance(lane, Reg) else f"i64 {lane}"
        scalar = self.like(value, Reg("", x.dtype, 1))
        return self.emit(f"insertelement {x.type} {x.text}, {scalar.type} {scalar.text}, {at}", x.dtype, x.lanes)

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

    def store(self, value: Reg, pointer: Reg, mask: Reg | None = None, align: int | None = None) -> None:
        """Write an element, or consecutive ones, or (to a vector of addresses) one to each; only where the mask says."""
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
            self.line(f"store {value.type} {value.text}, ptr {pointer.text}, align {align}")
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
