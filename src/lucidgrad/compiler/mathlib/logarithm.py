"""log and log1p: the exponent times log 2, and a polynomial for the mantissa between sqrt(1/2) and sqrt(2).

For float64 the polynomial is in s = f / (2 + f), since log(1 + f) = log((1 + s) / (1 - s)) is odd in s, put together
so that the leading terms are exact (Tang 1990, "Table-driven implementation of the logarithm function in IEEE
floating-point arithmetic", and the division-free form for float32). The coefficients are our own, interpolated at
Chebyshev nodes in 60 digits.
"""

from __future__ import annotations

import math

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.mathlib.exponential import LOG_2
from lucidgrad.compiler.mathlib.formats import FLOAT32, Format, format_of, polynomial, split

ROOT_HALF = 0.7071067811865476

# (log(1 + f) - f + f^2/2) / f^3
DIRECT = (
    0.33333331180030046, -0.24999996957950882, 0.200007157488921, -0.16667802319501254, 0.1424905764569748,
    -0.12425687331451106, 0.1168541992348674, -0.11479733846637635, 0.06971611471451178,
)  # fmt: skip
# (log((1 + s) / (1 - s)) - 2 s) / s^3, in s^2
ODD = (
    0.666666666666667, 0.3999999999989889, 0.28571428626253836, 0.22222211089379496, 0.1818289243253687,
    0.15331611722055008, 0.14617807153417325,
)  # fmt: skip


def log(c: Builder, x: Reg) -> Reg:
    """The natural logarithm, to 2 ulp; -inf of 0, NaN of what is below."""
    f = format_of(x)
    exponent, mantissa = decompose(c, x, f)
    return _with_edges(c, x, _sum(c, exponent, c.sub(mantissa, 1.0), f))


def log1p(c: Builder, x: Reg) -> Reg:
    """log(1 + x), to 2 ulp also where x is small; the zeros keep their sign."""
    y = _with_edges(c, x, log1p_of_ordinary(c, x), -1.0)
    return c.copysign(y, x)


def log1p_of_ordinary(c: Builder, x: Reg) -> Reg:
    """log(1 + x) where x > -1 is known, or NaN, and not infinite."""
    f = format_of(x)
    total = c.add(x, 1.0)
    exponent, mantissa = _decompose_normal(c, total, f)
    lost = c.sub(x, c.sub(total, 1.0))  # what rounding the sum has cut off
    bounded = c.minimum(exponent, 64)  # above, nothing is lost
    scale = c.bitcast(c.sub(f.bits(1.0), c.shl(bounded, f.mantissa)), f.dtype)
    return _sum(c, c.cast(exponent, f.dtype), c.fma(lost, scale, c.sub(mantissa, 1.0)), f)


def decompose(c: Builder, x: Reg, f: Format) -> tuple[Reg, Reg]:
    """Exponent (as a float) and mantissa (near 1) of x = 2^exponent * mantissa, denormals too."""
    small = c.compare("lt", x, f.tiny)
    raised = c.select(small, c.mul(x, 2.0 ** (f.mantissa + 1)), x)
    exponent, mantissa = _decompose_normal(c, raised, f)
    number = c.cast(exponent, f.dtype)
    return c.select(small, c.sub(number, float(f.mantissa + 1)), number), mantissa


def _decompose_normal(c: Builder, x: Reg, f: Format) -> tuple[Reg, Reg]:
    shifted = c.sub(c.bitcast(x, f.integer), f.bits(ROOT_HALF))
    exponent = c.ashr(shifted, f.mantissa)
    mantissa = c.add(c.and_(shifted, (1 << f.mantissa) - 1), f.bits(ROOT_HALF))
    return exponent, c.bitcast(mantissa, f.dtype)


def _sum(c: Builder, exponent: Reg, over: Reg, f: Format) -> Reg:
    """``exponent`` log 2 + log(1 + over)."""
    high, low = split(LOG_2, f, 2)
    return c.fma(exponent, high, c.fma(exponent, low, _near_one(c, over, f)))


def _near_one(c: Builder, f: Reg, kind: Format) -> Reg:
    square = c.mul(f, f)
    if kind == FLOAT32:
        return c.fma(square, c.fma(f, polynomial(c, f, DIRECT), -0.5), f)
    s = c.div(f, c.add(f, 2.0))
    z = c.mul(s, s)
    half = c.mul(square, 0.5)
    return c.sub(f, c.sub(half, c.mul(s, c.fma(z, polynomial(c, z, ODD), half))))


def _with_edges(c: Builder, x: Reg, y: Reg, pole: float = 0.0) -> Reg:
    """For an ordinary number above the pole, y; -inf at it, NaN below, and inf and NaN as they are."""
    y = c.select(c.compare("lt", x, math.inf), y, x)
    y = c.select(c.compare("lt", x, pole), math.nan, y)
    return c.select(c.compare("eq", x, pole), -math.inf, y)
