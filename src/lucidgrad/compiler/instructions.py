"""Instructions: what can be done with numbers in registers, written as lines of LLVM's assembly language.

The instruction is picked by the kind of number. No flag that lets LLVM change a result is ever set (no ``fast``,
``nnan``, ``ninf``, ``nsz``, ``contract``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lucidgrad.compiler.registers import I1, I32, I64, LANES, U64, Dtype, Operand, Reg, literal, type_of


class Instructions:
    """Writes lines, each of which makes a value from others; ``Builder`` adds memory and control.

    ``lanes`` is how many elements the vectors of a function have; a kernel whose rows are short sets it to NARROW.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.lanes = LANES
        self._count = 0

    @contextmanager
    def of_width(self, lanes: int) -> Iterator[None]:
        """In the block vectors have so many lanes."""
        before, self.lanes = self.lanes, lanes
        yield
        self.lanes = before

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
        name = f"%r{self._count}"
        self.lines.append(f"  {name} = {text}")
        return Reg(name, dtype, lanes)

    def line(self, text: str) -> None:
        """An instruction that makes no value."""
        self.lines.append(f"  {text}")

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
        """A + b; of booleans: either."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "fadd", "or" if x.dtype.kind == "b" else "add")

    def sub(self, a: Operand, b: Operand) -> Reg:
        """A - b."""
        return self._binary(a, b, "fsub", "sub")

    def mul(self, a: Operand, b: Operand) -> Reg:
        """A * b; of booleans: both."""
        x, y = self._pair(a, b)
        return self._binary(x, y, "fmul", "and" if x.dtype.kind == "b" else "mul")

    def div(self, a: Operand, b: Operand) -> Reg:
        """A / b; of integers towards zero."""
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
        wide: Dtype = U64 if dtype == U64 else I64
        limit = 2.0**64 if dtype == U64 else 2.0**63
        if dtype in (I32,):
            wide, limit = I32, 2.0**31
        low = -1.0 if dtype == U64 else -limit
        fits = self.and_(self.compare("gt" if dtype == U64 else "ge", x, low), self.compare("lt", x, limit))
        inside = self.select(fits, x, 0.0)
        number = self._convert("fptoui" if dtype == U64 else "fptosi", inside, wide)
        return self.cast(
            self.select(fits, number, -(2**63) if wide == I64 else -(2**31) if wide == I32 else 2**63), dtype
        )

    # --- vectors ----------------------------------------------------------------------------------------------------

    def splat(self, x: Reg, lanes: int | None = None) -> Reg:
        """The scalar in each lane; None: of as many as the function's vectors have."""
        lanes = self.lanes if lanes is None else lanes
        if x.lanes == lanes:
            return x
        kind = type_of(x.dtype, lanes)
        first = self.emit(f"insertelement {kind} poison, {x.type} {x.text}, i64 0", x.dtype, lanes)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {kind} {first.text}, {kind} poison, {zeros}", x.dtype, lanes)

    def iota(self, dtype: Dtype = I64) -> Reg:
        """0, 1, 2 ... as a vector."""
        return self.vector(range(self.lanes), dtype)

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
