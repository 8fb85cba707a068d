"""tanh, sigmoid and softplus: from exponentials of negative numbers, which never overflow."""

from __future__ import annotations

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.mathlib.exponential import exp_of_negative, expm1_of_negative
from lucidgrad.compiler.mathlib.formats import at_least
from lucidgrad.compiler.mathlib.logarithm import log1p_of_ordinary


def tanh(c: Builder, x: Reg) -> Reg:
    """The hyperbolic tangent, to 2 ulp: -t / (2 + t) with t = e^(-2|x|) - 1; the zeros keep their sign."""
    t = expm1_of_negative(c, c.mul(c.abs(x), -2.0))
    return c.copysign(c.div(t, c.add(t, 2.0)), x)


def sigmoid(c: Builder, x: Reg) -> Reg:
    """1 / (1 + e^-x), to 2 ulp on both sides."""
    e = exp_of_negative(c, c.neg(c.abs(x)))
    return c.div(c.select(c.compare("lt", x, 0.0), e, 1.0), c.add(e, 1.0))


def softplus(c: Builder, x: Reg) -> Reg:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), to 2 ulp."""
    e = exp_of_negative(c, c.neg(c.abs(x)))
    return c.add(at_least(c, x, 0.0), log1p_of_ordinary(c, e))
