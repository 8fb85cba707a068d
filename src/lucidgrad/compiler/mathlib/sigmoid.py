"""tanh, sigmoid and softplus: from exponentials of negative numbers, which never overflow."""

from __future__ import annotations

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.mathlib.exponential import exp_of_negative, quick_exp_of_negative
from lucidgrad.compiler.mathlib.formats import FLOAT32, FLOAT64, at_least, format_of, polynomial
from lucidgrad.compiler.mathlib.logarithm import log1p_of_ordinary

# (tanh(x) - x) / x^3 in x^2, for |x| < NEAR: our own, interpolated at Chebyshev nodes in 50 digits.
NEAR = 0.55
TANH = {
    FLOAT32: (
        -0.33333332005700905, 0.1333311343166349, -0.05390937031637544, 0.021309029658556612, -0.0066095525737420655,
    ),
    FLOAT64: (
        -0.3333333333333333, 0.13333333333332711, -0.05396825396743151, 0.021869488493552625, -0.008863234395177999,
        0.003592110343931255, -0.0014556615522767396, 0.00058893468259176, -0.00023463067524526733,
        8.510647287642557e-05, -2.0598135435770385e-05,
    ),
}  # fmt: skip


def tanh(c: Builder, x: Reg) -> Reg:
    """The hyperbolic tangent, to 2 ulp: near 0 a polynomial, then 1 - 2e / (1 + e) with e = e^(-2|x|)."""
    f = format_of(x)
    size = c.abs(x)
    square = c.mul(x, x)
    near = c.fma(c.mul(size, square), polynomial(c, square, TANH[f]), size)
    e = quick_exp_of_negative(c, c.mul(size, -2.0))
    far = c.sub(1.0, c.div(c.add(e, e), c.add(e, 1.0)))
    return c.copysign(c.select(c.compare("lt", size, NEAR), near, far), x)


def sigmoid(c: Builder, x: Reg) -> Reg:
    """1 / (1 + e^-x), to 2.2 ulp on both sides."""
    e = exp_of_negative(c, c.neg(c.abs(x)))
    return c.div(c.select(c.compare("lt", x, 0.0), e, 1.0), c.add(e, 1.0))


def softplus(c: Builder, x: Reg) -> Reg:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), to 2.2 ulp."""
    e = exp_of_negative(c, c.neg(c.abs(x)))
    return c.add(at_least(c, x, 0.0), log1p_of_ordinary(c, e))
