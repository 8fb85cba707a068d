"""sin and cos: how many quarters of a turn x is, and polynomials for what remains, between -pi/4 and pi/4.

Up to ``LIMIT`` the quarters are subtracted in three parts of pi/2 (Cody and Waite 1980), each by a fused multiply-add.
Beyond, x is multiplied by as many digits of 2/pi as matter (Payne and Hanek 1983, "Radian reduction for trigonometric
functions"), one element after the other: LLVM's integers may be as wide as that takes. The coefficients are our own,
interpolated at Chebyshev nodes in 60 digits.
"""

from __future__ import annotations

from lucidgrad.compiler.assembly import F64, I64, Builder, Reg
from lucidgrad.compiler.mathlib.formats import FLOAT32, FLOAT64, Format, format_of, polynomial, split

LIMIT = 131072.0
TWO_OVER_PI = 0.6366197723675814
HALF_PI = "1.5707963267948966192313216916397514420985846996875529104874722961539082031431044993"

# (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4, in r^2
SINE = {
    FLOAT32: (-0.16666664650292082, 0.008332745936380422, -0.00019587387068464455),
    FLOAT64: (
        -0.16666666666666666, 0.008333333333330925, -0.00019841269836722418, 2.755731608381636e-06,
        -2.5051127944014188e-08, 1.5917848524808262e-10,
    ),
}  # fmt: skip
COSINE = {
    FLOAT32: (0.04166666464745738, -0.00138883006969039, 2.45474372101932e-05),
    FLOAT64: (
        0.041666666666666664, -0.0013888888888887382, 2.480158729874307e-05, -2.7557317260008837e-07,
        2.0876143827993133e-09, -1.1382456778061306e-11,
    ),
}  # fmt: skip

# 2/pi without its point, in hexadecimal digits: 1216 bits.
_DIGITS = (
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1d"
    "eb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b"
    "5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b"
    "6bab"
)
_BITS = 4 * len(_DIGITS)
_FRACTION = 190  # bits behind the point in a product of 256 bits


def sin(c: Builder, x: Reg) -> Reg:
    """The sine, to 2 ulp up to LIMIT and beyond to a few; the zeros keep their sign."""
    return c.select(c.compare("eq", x, 0.0), x, _turned(c, x, 0))


def cos(c: Builder, x: Reg) -> Reg:
    """The cosine, to 2 ulp up to LIMIT and beyond to a few."""
    return _turned(c, x, 1)


def _turned(c: Builder, x: Reg, quarters: int) -> Reg:
    """sin(x + quarters * pi/2)."""
    f = format_of(x)
    quarter, r = _replace_large(c, x, *_reduce(c, x, f))
    quarter = c.add(quarter, quarters)
    square = c.mul(r, r)
    sine = c.fma(c.mul(square, r), polynomial(c, square, SINE[f]), r)
    cosine = c.fma(c.mul(square, square), polynomial(c, square, COSINE[f]), c.fma(square, -0.5, 1.0))
    y = c.select(c.compare("ne", c.and_(quarter, 1), 0), cosine, sine)
    sign = c.shl(c.lshr(quarter, 1), 8 * f.integer.itemsize - 1)
    return c.bitcast(c.xor(c.bitcast(y, f.integer), sign), f.dtype)


def _reduce(c: Builder, x: Reg, f: Format) -> tuple[Reg, Reg]:
    """The number of quarters (in its lowest bits), and the rest."""
    shifted = c.fma(x, TWO_OVER_PI, f.magic)
    n = c.sub(shifted, f.magic)
    r = x
    for part in split(HALF_PI, f, 3):
        r = c.fma(n, -part, r)
    return c.bitcast(shifted, f.integer), r


def _replace_large(c: Builder, x: Reg, quarter: Reg, r: Reg) -> tuple[Reg, Reg]:
    """The same, but the lanes where x is large are computed exactly, one after the other, if there are any."""
    large = c.compare("ge", c.abs(x), LIMIT)
    bits = c.emit(f"bitcast {large.type} {large.text} to i{x.lanes}", I64) if x.lanes > 1 else large
    some = f"icmp ne i{x.lanes} {bits.text}, {0 if x.lanes > 1 else 'false'}"
    count = c.select(c.emit(some, large.dtype), c.const(x.lanes, I64), 0)
    with c.loop(0, count, carried=[quarter, r]) as loop:
        exact_quarter, exact_r = _reduce_exactly(c, c.cast(c.extract(x, loop.index), F64))
        here = c.extract(large, loop.index)
        loop.next = [
            _put(c, old, c.select(here, c.cast(new, old.dtype), c.extract(old, loop.index)), loop.index)
            for old, new in zip(loop.values, (exact_quarter, exact_r), strict=True)
        ]
    quarter, r = loop.values
    return quarter, r


def _put(c: Builder, x: Reg, value: Reg, lane: Reg) -> Reg:
    return value if x.lanes == 1 else c.insert(x, value, lane)


def _reduce_exactly(c: Builder, x: Reg) -> tuple[Reg, Reg]:
    """For one float64 of LIMIT or more: infinities give NaN."""
    bits = c.bitcast(x, I64)
    exponent = c.and_(c.lshr(bits, 52), 0x7FF)
    mantissa = c.or_(c.and_(bits, (1 << 52) - 1), 1 << 52)  # |x| = mantissa * 2^(exponent - 1075)
    shift = c.sub(_BITS - _FRACTION + 1075, exponent)
    wide = _wide(c, f"zext i64 {shift.text} to i{_BITS}")
    window = _wide(c, f"lshr i{_BITS} {int(_DIGITS, 16)}, {wide}")
    window = _wide(c, f"trunc i{_BITS} {window} to i256")
    factor = _wide(c, f"zext i64 {mantissa.text} to i256")
    product = _wide(c, f"mul i256 {window}, {factor}")
    turned = _wide(c, f"shl i256 {product}, {254 - _FRACTION}")  # the quarters are the two highest bits
    nearest = _wide(c, f"add i256 {turned}, {1 << 253}")
    quarter = _word(c, _wide(c, f"lshr i256 {nearest}, 254"), 0)
    rest = _wide(c, f"shl i256 {turned}, 2")
    high = c.cast(_word(c, rest, 192), F64)
    low = c.cast(c.lshr(_word(c, rest, 128), 1), F64)
    r = c.mul(c.fma(low, 2.0**-63, high), float(HALF_PI) * 2.0**-64)
    negative = c.compare("lt", x, 0.0)
    r = c.select(negative, c.neg(r), r)
    return c.select(negative, c.neg(quarter), quarter), c.add(r, c.sub(x, x))


def _wide(c: Builder, text: str) -> str:
    return c.emit(text, I64).text


def _word(c: Builder, value: str, position: int) -> Reg:
    return c.emit(f"trunc i256 {_wide(c, f'lshr i256 {value}, {position}')} to i64", I64)
