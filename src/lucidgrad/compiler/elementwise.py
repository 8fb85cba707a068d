"""MathBuilder: the builder that rules of the op table speak to, which also knows exp, log, tanh and their kin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from lucidgrad.compiler import mathlib
from lucidgrad.compiler.assembly import F32, I1, I8, I64, Builder, Operand, Reg
from lucidgrad.ops.op import Op


class MathBuilder(Builder):
    """A Builder with the functions of ``mathlib`` as methods.

    Examples
    --------
    >>> from lucidgrad.compiler.assembly import F32
    >>> c = MathBuilder("logistic", [("x", F32)], returns=F32)
    >>> c.sigmoid(c.params[0]).type
    'float'
    """

    def exp(self, x: Reg) -> Reg:
        """e^x."""
        return mathlib.exp(self, x)

    def expm1(self, x: Reg) -> Reg:
        """e^x - 1."""
        return mathlib.expm1(self, x)

    def log(self, x: Reg) -> Reg:
        """The natural logarithm."""
        return mathlib.log(self, x)

    def log1p(self, x: Reg) -> Reg:
        """log(1 + x)."""
        return mathlib.log1p(self, x)

    def sin(self, x: Reg) -> Reg:
        """The sine."""
        return mathlib.sin(self, x)

    def cos(self, x: Reg) -> Reg:
        """The cosine."""
        return mathlib.cos(self, x)

    def tanh(self, x: Reg) -> Reg:
        """The hyperbolic tangent."""
        return mathlib.tanh(self, x)

    def sigmoid(self, x: Reg) -> Reg:
        """1 / (1 + e^-x)."""
        return mathlib.sigmoid(self, x)

    def softplus(self, x: Reg) -> Reg:
        """log(1 + e^x)."""
        return mathlib.softplus(self, x)

    def erf(self, x: Reg) -> Reg:
        """The error function."""
        return mathlib.erf(self, x)

    def compare(self, how: str, a: Operand, b: Operand) -> Reg:
        """As ``Builder.compare``; a Python integer may be one that the dtype of the other cannot hold, as in NumPy."""
        for x, number, larger in ((a, b, ("lt", "le")), (b, a, ("gt", "ge"))):
            if isinstance(x, Reg) and not isinstance(number, Reg) and _side(x.dtype, number):
                above = _side(x.dtype, number) > 0
                return self.const(how == "ne" or (how != "eq" and (how in larger) == above), I1, x.lanes)
        return super().compare(how, a, b)

    def like(self, value: Operand, other: Reg) -> Reg:
        """As ``Builder.like``; integers that the dtype cannot hold are refused, as in NumPy."""
        if not isinstance(value, Reg) and _side(other.dtype, value):
            raise OverflowError(f"Python integer {value} out of bounds for {other.dtype.name}")
        return super().like(value, other)

    def truth(self, x: Operand) -> Operand:
        """Whether x is not 0."""
        return self.cast(x, I1) if isinstance(x, Reg) else bool(x)

    def where(self, condition: Operand, a: Operand, b: Operand) -> Operand:
        """A where the condition is not 0, else b; integers are taken modulo the size of the dtype."""
        chosen = self.truth(condition)
        if not isinstance(chosen, Reg):
            return a if chosen else b
        dtype = next((x.dtype for x in (a, b) if isinstance(x, Reg)), None)
        if dtype is None:
            dtype = F32 if float in (type(a), type(b)) else np.result_type(type(a), type(b))
        x, y = (v if isinstance(v, Reg) else self.const(_wrapped(v, dtype), dtype, chosen.lanes) for v in (a, b))
        return self.select(chosen, x, y)

    def relu(self, x: Reg) -> Reg:
        """The larger of x and 0, and never -0; booleans are counted in int64."""
        x = self.cast(x, I64) if x.dtype.kind == "b" else x
        return self.select(self.compare("le", x, 0), 0, x)

    def clip(self, x: Reg, low: float | None, high: float | None) -> Reg:
        """X brought into [low, high]; NaN stays, and a bound that is NaN makes all NaN."""
        if any(bound is not None and math.isnan(bound) for bound in (low, high)):
            return self.const(math.nan, x.dtype, x.lanes)
        if x.dtype.kind in "iu":
            low, high = (bound and min(max(bound, _limits(x.dtype)[0]), _limits(x.dtype)[1]) for bound in (low, high))
        x = x if low is None else mathlib.at_least(self, x, low)
        return x if high is None else mathlib.at_most(self, x, high)

    def sign(self, x: Reg) -> Reg:
        """-1, 0 or 1, and NaN of NaN."""
        y = self.select(self.compare("eq", x, 0), 0, x)
        y = self.select(self.compare("gt", x, 0), 1, y)
        return y if x.dtype.kind == "u" else self.select(self.compare("lt", x, 0), -1, y)

    def shift_right(self, x: Reg, n: Operand) -> Reg:
        """Bits moved down; by as many as there are or more, none are left but copies of the sign."""
        last = 8 * x.dtype.itemsize - 1
        move = self.ashr if x.dtype.kind == "i" else self.lshr
        if isinstance(n, Reg):
            count = self.cast(n, x.dtype)
            moved = move(x, self.select(self.compare("gt", count, last), last, count))
            return moved if x.dtype.kind == "i" else self.select(self.compare("gt", count, last), 0, moved)
        if n > last and x.dtype.kind == "u":
            return self.zero(x.dtype, x.lanes)
        return move(x, min(n, last))

    def power(self, a: Operand, b: Operand) -> Reg:
        """a^b as Python's ``**`` on arrays; numbers as exponents are looked at, as in NumPy. Booleans count in int8."""
        a, b = (self.cast(v, I8) if isinstance(v, Reg) and v.dtype.kind == "b" else v for v in (a, b))
        if isinstance(a, Reg) and not isinstance(b, Reg):
            return self._known_power(a, b)
        x, y = self._pair(a, b)
        if x.dtype.kind == "f":
            return mathlib.power(self, x, y)
        return mathlib.integer_power(self, x, y)

    def _known_power(self, a: Reg, b: float) -> Reg:
        if a.dtype.kind != "f":
            if b < 0:
                raise ValueError("Integers to negative integer powers are not allowed.")  # NumPy's words
            return mathlib.integer_power(self, a, self.like(b, a))
        if b == 0:
            return self.const(1, a.dtype, a.lanes)
        if b == 0.5:
            return self.sqrt(a)
        if b == -1:
            return self.div(1.0, a)
        if b in (1, 2, 3, 4):
            return mathlib.whole_power(self, a, int(b))
        return mathlib.power(self, a, self.like(b, a))


def apply_rule(c: MathBuilder, op: Op, values: Sequence[Any], attrs: dict[str, Any], lanes: int) -> Reg:
    """The output of an elementwise row for these registers and Python numbers, as a register of that many lanes."""
    assert op.codegen is not None  # what has no rule is not compiled
    y = op.codegen.rule(c, *values, **attrs)
    if isinstance(y, Reg):
        return c.splat(y, lanes) if y.lanes != lanes else y
    return c.const(y, number_dtype(y), lanes)


@cache
def _limits(dtype: Any) -> tuple[int, int]:
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _side(dtype: Any, number: float) -> int:
    """Whether a Python number lies above (1) or below (-1) all that an integer dtype can hold."""
    if dtype.kind not in "iu":
        return 0
    low, high = _limits(dtype)
    return (number > high) - (number < low)


def _wrapped(number: float, dtype: Any) -> float:
    return int(np.array(number).astype(dtype)) if dtype.kind in "iu" else number


def number_dtype(value: Any) -> np.dtype[Any]:
    """What NumPy calls a Python number that has no array beside it, with float32 for floats."""
    if isinstance(value, float):
        return F32
    return np.dtype(np.bool_) if isinstance(value, bool) else I64
