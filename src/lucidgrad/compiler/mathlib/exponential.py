"""exp and expm1: x = n log 2 + r with |r| <= log(2) / 2, a polynomial in r, and 2^n put into the exponent.

The reduction is that of Cody and Waite (1980, "Software manual for the elementary functions", chapter 6), with fused
multiply-adds. n is found by adding a number so large that nothing but the integer part is left, and is then read from
the lowest bits of the sum. Multiplying by 2^n in two halves lets results go over to denormals gradually. The
coefficients are our own: (exp(r) - 1 - r) / r^2 interpolated at Chebyshev nodes, in 60 digits.
"""

from __future__ import annotations

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.mathlib.formats import (
    FLOAT32,
    FLOAT64,
    Format,
    at_least,
    at_most,
    format_of,
    polynomial,
    power_of_two,
    split,
)

LOG2_E = 1.4426950408889634
LOG_2 = "0.693147180559945309417232121458176568075500134360255254120680009493393621969694716"

# (exp(r) - 1 - r) / r^2; relative errors of exp: 8e-9 and 1.3e-17.
TAIL = {
    FLOAT32: (0.5, 0.16666576969, 0.041666554617, 0.0083631790527, 0.0013926183588),
    FLOAT64: (
        0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717,
        0.00019841269863053618, 2.4801521295954376e-05, 2.7557268459997064e-06, 2.7620088445409746e-07,
        2.510038549551032e-08,
    ),
}  # fmt: skip
# Below: 0, and 0 - 1. Above: infinite.
ZERO_BELOW = {FLOAT32: -105.0, FLOAT64: -750.0}
MINUS_ONE_BELOW = {FLOAT32: -30.0, FLOAT64: -60.0}
INFINITE_ABOVE = {FLOAT32: 89.0, FLOAT64: 710.0}


def exp(c: Builder, x: Reg, tail: Reg | None = None) -> Reg:
    """e^x, to 1 ulp; of x + tail, where a tail (small beside x) is given."""
    f = format_of(x)
    x = at_most(c, at_least(c, x, ZERO_BELOW[f]), INFINITE_ABOVE[f])
    return _scaled(c, x, f, tail)


def exp_of_negative(c: Builder, x: Reg) -> Reg:
    """e^x where x <= 0 is known."""
    f = format_of(x)
    return _scaled(c, at_least(c, x, ZERO_BELOW[f]), f, None)


def expm1(c: Builder, x: Reg) -> Reg:
    """e^x - 1, to 2 ulp also where x is small; the zeros keep their sign."""
    f = format_of(x)
    bounded = at_most(c, at_least(c, x, MINUS_ONE_BELOW[f]), INFINITE_ABOVE[f])
    shifted, n, r = _reduce(c, bounded, f, 0)
    p = _expm1_of_reduced(c, r, f)
    # 2^n overflows before the result does: half of it is taken, and the sum doubled.
    half = power_of_two(c, c.sub(c.bitcast(shifted, f.integer), f.bits(f.magic) + 1), f)
    y = c.fma(half, p, c.sub(half, 0.5))
    return c.copysign(c.select(c.compare("eq", n, 0), p, c.add(y, y)), x)


def quick_exp_of_negative(c: Builder, x: Reg) -> Reg:
    """e^x where x <= 0 is known, and a result that is nothing beside 1 need not be exact."""
    f = format_of(x)
    shifted, _, r = _reduce(c, at_least(c, x, MINUS_ONE_BELOW[f]), f, f.bias)
    scale = c.bitcast(c.shl(c.bitcast(shifted, f.integer), f.mantissa), f.dtype)
    return c.mul(scale, polynomial(c, r, (1.0, 1.0, *TAIL[f])))


def _reduce(c: Builder, x: Reg, f: Format, offset: int) -> tuple[Reg, Reg, Reg]:
    """A float with n + offset in its lowest bits; n; r."""
    high, low = split(LOG_2, f, 2)
    shifted = c.fma(x, LOG2_E, f.magic + offset)
    n = c.sub(shifted, f.magic + offset)
    return shifted, n, c.fma(n, -low, c.fma(n, -high, x))


def _scaled(c: Builder, x: Reg, f: Format, tail: Reg | None) -> Reg:
    shifted, _, r = _reduce(c, x, f, 2 * f.bias)
    r = r if tail is None else c.add(r, tail)
    y = polynomial(c, r, (1.0, 1.0, *TAIL[f]))
    total = c.bitcast(shifted, f.integer)  # n + 2 bias, of which each half becomes an exponent
    first = c.lshr(total, 1)
    for exponent in (first, c.sub(total, first)):
        y = c.mul(y, c.bitcast(c.shl(exponent, f.mantissa), f.dtype))
    return y


def _expm1_of_reduced(c: Builder, r: Reg, f: Format) -> Reg:
    return c.fma(c.mul(r, r), polynomial(c, r, TAIL[f]), r)
