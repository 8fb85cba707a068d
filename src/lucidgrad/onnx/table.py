"""The columns of a table in ONNX: strings, numbers and dates become the numbers and codes that a network takes.

Each column that is used is an input of its own, by its name, of shape (batch,): numbers and truth values float64, with
NaN where they are missing; dates float64 too, in days since 1970-01-01 with fractions, as ONNX has no dates; categories
strings, as ``lucidgrad.data.table.read.names_of`` writes them, with "" where they are missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.data.table import TablePreprocessing
from lucidgrad.data.table.encodings import (
    BOUND,
    FARTHEST,
    FIRST,
    MISSING,
    OTHER,
    BooleanEncoding,
    CategoricalEncoding,
    DateEncoding,
    NumericEncoding,
    encoding_of,
)
from lucidgrad.data.table.read import TRUTHS
from lucidgrad.onnx.builder import Builder, Ref
from lucidgrad.onnx.pipeline import ML, STRINGS, Pipeline

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)
UNIX_EPOCH = 719162  # days from 0001-01-01 to 1970-01-01, in the calendar of today carried back


def table_inputs(pipeline: Pipeline, preprocessing: TablePreprocessing, dtype: Any) -> Ref:
    """Declare the inputs, and make of them what ``preprocessing.transform`` makes: numbers with the codes behind them.

    Returns
    -------
    Ref
        (batch, numeric + categorical) of ``dtype``; the sines and cosines of dates are never closer than float32.
    """
    used = [(column, encoding_of(column.encoding)) for column in preprocessing.columns if column.is_used]
    inputs = []
    for column, encoding in used:
        is_text = isinstance(encoding, BooleanEncoding) and column.dtype not in ("boolean", "number")
        strings = is_text or isinstance(encoding, CategoricalEncoding)
        inputs.append(pipeline.input(column.name, (), STRINGS if strings else FLOAT64))
    numbers, codes = [], []
    for (_, encoding), given in zip(used, inputs, strict=True):
        if isinstance(encoding, CategoricalEncoding):
            codes.append(_codes(pipeline.build, encoding, given))
        else:
            numbers += _numbers(pipeline.build, encoding, given)
    b = pipeline.build
    parts = [b("Unsqueeze", b.cast(x, np.dtype(dtype)), b.integers([1])) for x in (*numbers, *codes)]
    joined = b("Concat", *parts, axis=1)
    return Ref(joined.name, (inputs[0].shape[0], len(parts)), np.dtype(dtype))


def _codes(b: Builder, encoding: CategoricalEncoding, given: Ref) -> Ref:
    known = {"": MISSING} | {name: FIRST + i for i, name in enumerate(encoding.categories)}
    found = b(
        "LabelEncoder", given, domain=ML, keys_strings=list(known), values_int64s=list(known.values()),
        default_int64=OTHER,
    )  # fmt: skip
    return Ref(found.name, given.shape, INT64)


def _numbers(b: Builder, encoding: Any, given: Ref) -> list[Ref]:
    """The numbers of a column one after the other, each (batch,) of float64."""
    if isinstance(encoding, NumericEncoding):
        missing = b("IsNaN", given)
        made = [_scaled(b, encoding, b("Where", missing, b.like(given, encoding.center), given))]
    elif isinstance(encoding, BooleanEncoding):
        if given.dtype == STRINGS:
            given = _truths(b, given)
        missing = b("IsNaN", given)
        sign = b("Where", b("Greater", given, b.like(given, 0.0)), b.like(given, 1.0), b.like(given, -1.0))
        made = [b("Where", missing, b.like(given, 0.0), sign)]
    else:
        assert isinstance(encoding, DateEncoding)
        missing = b("IsNaN", given)
        days = b("Where", missing, b.like(given, 0.0), given)
        made = [b("Where", missing, b.like(given, 0.0), part) for part in _date_parts(b, encoding, days)]
    return [*made, b.cast(missing, FLOAT64)] if encoding.indicator else made


def _scaled(b: Builder, e: NumericEncoding, x: Ref) -> Ref:
    """As ``NumericEncoding.encode`` scales numbers, infinities being the ends of the range first."""
    x = b("Where", b("IsInf", x), b.clip(x, e.low, e.high), x)
    if e.scaling == "quantile":
        return _interpolated(b, x, e.knots, e.places)
    z = b.clip(b("Div", b("Sub", x, b.like(x, e.center)), b.like(x, e.scale)), -FARTHEST, FARTHEST)
    if e.scaling == "robust":
        share = b("Div", z, b.like(z, BOUND))
        z = b("Div", z, b("Sqrt", b("Add", b("Mul", share, share), b.like(z, 1.0))))
    return z


def _interpolated(b: Builder, x: Ref, knots: Any, places: Any) -> Ref:
    """``np.interp`` as a sum: the first place, and of each piece between knots what x has passed of it."""
    if not len(knots):
        return b("Mul", x, b.like(x, 0.0))
    gaps = np.diff(knots)
    rises = np.divide(np.diff(places), gaps, out=np.zeros_like(gaps), where=gaps > 0)
    if not len(gaps):
        return b("Add", b("Mul", x, b.like(x, 0.0)), b.like(x, float(places[0])))
    column = b("Unsqueeze", x, b.integers([1]))
    passed = b("Min", b("Max", b("Sub", column, b.constant(knots[:-1])), b.like(x, 0.0)), b.constant(gaps))
    risen = b("ReduceSum", b("Mul", passed, b.constant(rises)), b.integers([1]), keepdims=0)
    return Ref(b("Add", risen, b.like(x, float(places[0]))).name, x.shape, FLOAT64)


def _truths(b: Builder, given: Ref) -> Ref:
    known = {form: value for word, value in TRUTHS.items() for form in (word, word.upper(), word.title())}
    found = b(
        "LabelEncoder", given, domain=ML, keys_strings=list(known), values_floats=list(known.values()),
        default_float=float("nan"),
    )  # fmt: skip
    return b.cast(Ref(found.name, given.shape, np.dtype(np.float32)), FLOAT64)


def _date_parts(b: Builder, e: DateEncoding, days: Ref) -> list[Ref]:
    """What ``DateEncoding.encode`` makes of days since 1970, by the rules of the Gregorian calendar.

    Year, month and day are found as in Hinnant (2021), "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    """
    c = _Calculator(b, days)
    whole = c.floor(days)
    z = c.add(whole, 719468.0)  # from 0000-03-01 on
    era = c.floor(c.div(z, 146097.0))
    of_era = c.sub(z, c.mul(era, 146097.0))
    leap = c.sub(
        c.add(c.floor(c.div(of_era, 36524.0)), of_era),
        c.add(c.floor(c.div(of_era, 1460.0)), c.floor(c.div(of_era, 146096.0))),
    )
    year_of_era = c.floor(c.div(leap, 365.0))
    quarter, hundredth = c.floor(c.div(year_of_era, 4.0)), c.floor(c.div(year_of_era, 100.0))
    of_year = c.sub(c.add(of_era, hundredth), c.add(c.mul(year_of_era, 365.0), quarter))  # from March 1 on
    march = c.floor(c.div(c.add(c.mul(of_year, 5.0), 2.0), 153.0))  # months since March
    in_next = c.test("Greater", march, 9.5)  # January and February belong to the next year
    month = c.where(in_next, c.sub(march, 10.0), c.add(march, 2.0))  # 0 is January
    year = c.add(c.add(year_of_era, c.mul(era, 400.0)), b.cast(in_next, FLOAT64))
    before = c.sub(year, 1.0)
    leaps = c.sub(c.add(c.floor(c.div(before, 4.0)), c.floor(c.div(before, 400.0))), c.floor(c.div(before, 100.0)))
    new_year = c.sub(c.add(c.mul(before, 365.0), leaps), float(UNIX_EPOCH))
    weekday = c.sub(c.add(whole, 3.0), c.mul(c.floor(c.div(c.add(whole, 3.0), 7.0)), 7.0))
    shares = [c.div(c.sub(whole, new_year), 365.25), c.div(month, 12.0), c.div(weekday, 7.0)]
    shares += [c.sub(days, whole)] if e.has_time else []
    years = c.sub(c.sub(year, 1970.0), e.center / 365.2425)
    made = [c.div(c.sub(days, e.center), e.scale), c.div(years, max(e.scale / 365.2425, 1.0))]
    for share in shares:
        angle = b.cast(c.mul(share, 2 * np.pi), np.dtype(np.float32))  # runtimes have sines of float32 alone
        made += [b.cast(b(f, angle), FLOAT64) for f in ("Sin", "Cos")]
    return [*made, b.cast(c.test("Greater", weekday, 4.5), FLOAT64)]


class _Calculator:
    """Arithmetic on arrays (batch,) of float64 and numbers."""

    def __init__(self, b: Builder, like: Ref) -> None:
        self._b, self._like = b, like

    def _apply(self, operator: str, x: Ref, y: Ref | float) -> Ref:
        other = y if isinstance(y, Ref) else self._b.like(self._like, y)
        return self._b(operator, x, other)

    def add(self, x: Ref, y: Ref | float) -> Ref:
        return self._apply("Add", x, y)

    def sub(self, x: Ref, y: Ref | float) -> Ref:
        return self._apply("Sub", x, y)

    def mul(self, x: Ref, y: Ref | float) -> Ref:
        return self._apply("Mul", x, y)

    def div(self, x: Ref, y: Ref | float) -> Ref:
        return self._apply("Div", x, y)

    def floor(self, x: Ref) -> Ref:
        return self._b("Floor", x)

    def test(self, operator: str, x: Ref, y: float) -> Ref:
        return self._b(operator, x, self._b.like(x, y))

    def where(self, condition: Ref, x: Ref, y: Ref) -> Ref:
        return self._b("Where", condition, x, y)
