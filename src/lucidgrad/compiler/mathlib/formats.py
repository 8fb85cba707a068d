"""What the functions of this package need to know of float32 and float64, and the steps they have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lucidgrad.compiler.assembly import F32, F64, I32, I64, Builder, Dtype, Reg


@dataclass(frozen=True)
class Format:
    """A kind of float: ``mantissa`` bits behind the point, exponents from ``bias``, bits read as ``integer``."""

    dtype: Dtype
    integer: Dtype
    mantissa: int
    bias: int

    @property
    def tiny(self) -> float:
        """The smallest number with a full mantissa."""
        return 2.0 ** (1 - self.bias)

    @property
    def magic(self) -> float:
        """1.5 * 2**mantissa: what is added to it is rounded to an integer, which then stands in the lowest bits."""
        return 1.5 * 2.0**self.mantissa

    def bits(self, number: float) -> int:
        """The bits of a number, read as an integer."""
        return int(np.array(number, self.dtype).view(self.integer))


FLOAT32 = Format(F32, I32, 23, 127)
FLOAT64 = Format(F64, I64, 52, 1023)


def format_of(x: Reg) -> Format:
    """The format of the number in a register."""
    return FLOAT32 if x.dtype == F32 else FLOAT64


def polynomial(c: Builder, x: Reg, coefficients: Sequence[float]) -> Reg:
    """``coefficients[0] + coefficients[1] x + ...`` by Horner's rule."""
    *rest, last = coefficients
    y = c.const(last, x.dtype, x.lanes)
    for coefficient in reversed(rest):
        y = c.fma(y, x, coefficient)
    return y


def at_least(c: Builder, x: Reg, low: float) -> Reg:
    """x, or ``low`` where x is below; NaN stays. A single instruction, which ``maximum`` is not on x86."""
    return c.select(c.compare("gt", c.like(low, x), x), low, x)


def at_most(c: Builder, x: Reg, high: float) -> Reg:
    """x, or ``high`` where x is above; NaN stays."""
    return c.select(c.compare("lt", c.like(high, x), x), high, x)


def power_of_two(c: Builder, exponent: Reg, f: Format) -> Reg:
    """2**exponent, for integers of the format's size and results with a full mantissa."""
    return c.bitcast(c.shl(c.add(exponent, f.bias), f.mantissa), f.dtype)


def split(number: str, f: Format, parts: int) -> list[float]:
    """A constant, given as digits, as a sum of ``parts`` numbers of the format, each rounded to nearest."""
    from fractions import Fraction

    rest, result = Fraction(number), []
    for _ in range(parts):
        exponent = math.frexp(float(rest))[1]
        scale = Fraction(2) ** (f.mantissa + 1 - exponent)
        part = round(rest * scale) / scale
        result.append(float(part))
        rest -= part
    return result
