"""power: of floats as e^(b log |a|) with a logarithm of twice the digits, of integers by squaring.

The logarithm of a float64 is a sum of two numbers (Dekker 1971, "A floating-point technique for extending the
available precision", with fused multiply-adds in place of his splitting); that of a float32 is taken in float64.
Special cases are those of IEEE 754-2019, section 9.2.1.
"""

from __future__ import annotations

import math

from lucidgrad.compiler.assembly import F32, F64, Builder, Reg
from lucidgrad.compiler.mathlib.exponential import exp
from lucidgrad.compiler.mathlib.formats import FLOAT64, polynomial, split
from lucidgrad.compiler.mathlib.logarithm import decompose, log

# (log((1 + s) / (1 - s)) - 2 s - 2 s^3 / 3) / s^5, in s^2
FIFTH = (
    0.4, 0.2857142857142937, 0.22222222221652765, 0.18181818336099848, 0.1538459488700718, 0.1333480879881234,
    0.11706126464563398, 0.11724327060846748,
)  # fmt: skip
THIRD = split("0.66666666666666666666666666666666666666666666666666", FLOAT64, 2)
# Of 42 bits, so that multiples are exact; and the rest.
LOG_2_HIGH, LOG_2_LOW = 0.6931471805598903, 5.497923018708371e-14


def power(c: Builder, a: Reg, b: Reg) -> Reg:
    """a^b of floats, to 2 ulp."""
    size = c.abs(a)
    y = _of_narrow(c, size, b) if a.dtype == F32 else _of_wide(c, size, b)
    whole = c.compare("eq", c.rint(b), b)
    half = c.mul(b, 0.5)
    odd = c.and_(whole, c.compare("ne", c.rint(half), half))
    y = c.select(odd, c.copysign(y, a), y)
    undefined = c.and_(c.and_(c.compare("lt", a, 0.0), c.compare("gt", a, -math.inf)), c.not_(whole))
    # NaN in b is not whole either, and gives NaN here too.
    y = c.select(undefined, math.nan, y)
    endless = c.and_(c.compare("eq", a, -1.0), c.compare("eq", c.abs(b), math.inf))
    one = c.or_(c.or_(c.compare("eq", a, 1.0), c.compare("eq", b, 0.0)), endless)
    return c.select(one, 1.0, y)


def integer_power(c: Builder, a: Reg, b: Reg) -> Reg:
    """a^b of integers with b >= 0: from the lowest bit of b on, modulo 2^bits.

    NumPy raises where a b is negative; here it counts as b + 2^bits.
    """
    carried = [a, b, c.const(1, a.dtype, a.lanes)]
    with c.loop(0, 8 * a.dtype.itemsize, carried=carried) as loop:
        base, exponent, product = loop.values
        odd = c.compare("ne", c.and_(exponent, 1), 0)
        loop.next = [c.mul(base, base), c.lshr(exponent, 1), c.select(odd, c.mul(product, base), product)]
    return loop.values[2]


def whole_power(c: Builder, x: Reg, n: int) -> Reg:
    """x^n by multiplications, for an n > 0 that is known."""
    result = None
    while n:
        if n & 1:
            result = x if result is None else c.mul(result, x)
        n >>= 1
        x = c.mul(x, x) if n else x
    assert result is not None  # n > 0
    return result


def _of_narrow(c: Builder, size: Reg, b: Reg) -> Reg:
    return c.cast(exp(c, c.mul(log(c, c.cast(size, F64)), c.cast(b, F64))), F32)


def _of_wide(c: Builder, size: Reg, b: Reg) -> Reg:
    high, low = _long_log(c, size)
    product = c.mul(b, high)
    rest = c.fma(b, low, c.fma(b, high, c.neg(product)))
    # Where the product is so large that the result is 0 or infinite, or is no number, so is the rest.
    return exp(c, product, c.select(c.compare("lt", c.abs(product), 1e4), rest, 0.0))


def _long_log(c: Builder, x: Reg) -> tuple[Reg, Reg]:
    """log(x) as a sum of two numbers, of which the second is 2^-53 of the first or less."""
    exponent, mantissa = decompose(c, x, FLOAT64)
    f = c.sub(mantissa, 1.0)
    below = c.add(f, 2.0)
    below_rest = c.sub(f, c.sub(below, 2.0))
    s = c.div(f, below)
    rest = c.fma(c.neg(s), below_rest, c.fma(c.neg(s), below, f))
    s_rest = c.div(rest, below)
    # log = 2 s + s w with w = 2/3 z + z^2 (2/5 + ...), z = s^2
    z = c.mul(s, s)
    z_rest = c.fma(c.mul(s, 2.0), s_rest, c.fma(s, s, c.neg(z)))
    w, w_rest = _times_third(c, z, z_rest)
    w, error = _sum(c, w, c.mul(c.mul(z, z), polynomial(c, z, FIFTH)))
    w_rest = c.add(w_rest, error)
    cube = c.mul(s, w)
    cube_rest = c.fma(s_rest, w, c.fma(s, w_rest, c.fma(s, w, c.neg(cube))))
    high, error = _sum(c, c.mul(s, 2.0), cube)
    low = c.add(error, c.fma(s_rest, 2.0, cube_rest))
    total, error = _sum(c, c.mul(exponent, LOG_2_HIGH), high)
    low = c.add(c.fma(exponent, LOG_2_LOW, low), error)
    finite = c.compare("lt", x, math.inf)
    total = c.select(finite, total, x)
    return c.select(c.compare("eq", x, 0.0), -math.inf, total), c.select(finite, low, 0.0)


def _times_third(c: Builder, z: Reg, z_rest: Reg) -> tuple[Reg, Reg]:
    product = c.mul(z, THIRD[0])
    rest = c.fma(z, THIRD[1], c.fma(z, THIRD[0], c.neg(product)))
    return product, c.fma(z_rest, THIRD[0], rest)


def _sum(c: Builder, large: Reg, small: Reg) -> tuple[Reg, Reg]:
    """The sum and its rounding error, for |large| >= |small| or large = 0."""
    total = c.add(large, small)
    return total, c.sub(small, c.sub(total, large))
