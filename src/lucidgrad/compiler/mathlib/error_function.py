"""erf: a polynomial near 0; further out 1 - e^(-x^2) R, where R = e^(x^2) erfc(x) changes slowly.

R is a polynomial in t = (x - k) / (x + k) (Shepherd and Laframboise 1981, "Chebyshev approximation of
(1 + 2x) exp(x^2) erfc x", without their factor). The coefficients are our own, interpolated at Chebyshev nodes in 60
digits.
"""

from __future__ import annotations

from lucidgrad.compiler.assembly import Builder, Reg
from lucidgrad.compiler.mathlib.exponential import quick_exp_of_negative
from lucidgrad.compiler.mathlib.formats import FLOAT32, FLOAT64, at_most, format_of, polynomial

# erf(x) / x - 1 in x^2, for |x| < 1
NEAR = {
    FLOAT32: (
        0.12837916584835093, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412, 0.005189087423433974,
        -0.000801686428716587, 7.875875062685488e-05,
    ),
    FLOAT64: (
        0.12837916709551256, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164225,
        -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-05, 1.6447424703317362e-06,
        -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
    ),
}  # fmt: skip
# e^(x^2) erfc(x) in t, from x = 1 to where erf rounds to 1
FAR = {
    FLOAT32: (
        0.25539567631050575, -0.4271859897684867, 0.2416582015255602, -0.07896830612793473, 0.0037323717589395444,
        0.006811140131085635, -0.0008379754387023134,
    ),
    FLOAT64: (
        0.17900115118138996, -0.3262335600430372, 0.24560380171233487, -0.15011593650077898, 0.07166583719747308,
        -0.024392499318915004, 0.004269136356961225, 0.0007077464666941425, -0.0005970624964924544,
        4.525434558991009e-05, 6.406279226046039e-05, -1.2845780030775907e-05, -8.00978093907608e-06,
        2.0135111426447427e-06, 1.2755818949624478e-06, 3.381355142042904e-09,
    ),
}  # fmt: skip
CENTER = {FLOAT32: 2.0, FLOAT64: 3.0}
ONE_ABOVE = {FLOAT32: 4.0, FLOAT64: 6.0}


def erf(c: Builder, x: Reg) -> Reg:
    """The error function, to 2 ulp; the zeros keep their sign."""
    f = format_of(x)
    size = c.abs(x)
    near = c.fma(size, polynomial(c, c.mul(x, x), NEAR[f]), size)
    bounded = at_most(c, size, ONE_ABOVE[f])
    t = c.div(c.sub(bounded, CENTER[f]), c.add(bounded, CENTER[f]))
    e = quick_exp_of_negative(c, c.neg(c.mul(bounded, bounded)))
    far = c.sub(1.0, c.mul(e, polynomial(c, t, FAR[f])))
    return c.copysign(c.select(c.compare("lt", size, 1.0), near, far), x)
