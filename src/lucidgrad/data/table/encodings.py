"""How the values of a column become numbers and codes: fitted once, applied to any table of the same columns.

Each encoding can say all it knows as plain data (``state``), and be made again from that (``encoding_of``): a closed
table of three kinds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np

from lucidgrad.data.table.frame import Array
from lucidgrad.data.table.quantiles import quantiles, spread
from lucidgrad.data.table.read import TRUTHS, days_of, missing_of, moments_of, names_of, numbers_of
from lucidgrad.errors import ArgumentError, explain

KNOTS = 128  # of the quantile scaling, at most
BOUND = 8.0  # of the robust scaling
QUARTILES = 1.3489795  # how far those of a standard normal distribution are from each other
FARTHEST = 1e6  # scales from the center that a number can be: no square of it overflows
MISSING, OTHER, FIRST = 0, 1, 2  # codes: no value; rare in training or never seen there; the first category


class Encoding(Protocol):
    """What every encoding has."""

    kind: ClassVar[str]

    @property
    def outputs(self) -> list[str]:
        """What stands behind the name of the column in the names of the numbers it becomes: "" for itself."""

    def encode(self, values: Array) -> Array:
        """The numbers (rows, outputs); for categories the codes (rows,)."""

    def state(self) -> dict[str, Any]:
        """All of it as numbers, strings, booleans, lists, and arrays."""


@dataclass(frozen=True)
class NumericEncoding:
    """A scaled number, and a second one that says where it was missing if any was in training.

    With ``scaling="standard"`` a value x becomes (x - center) / scale. ``"robust"``: z / sqrt(1 + (z / 8)^2) of
    z = (x - center) / scale, center the median and scale the distance of the quartiles over that of a standard normal
    distribution, so that no value is beyond 8 (after Holzmüller, Grinsztajn and Steinwart 2024, "Better by default",
    section 3, who leave the scale as it is and have 3 for 8). ``"quantile"``: interpolated between
    ``knots`` and the ``places`` they have in a normal distribution.

    Attributes
    ----------
    center, scale
        In the unit of the column.
    low, high
        The finite range of the training values, which stands in for infinities.
    indicator
        Whether there is a second number, 1 where the value is missing. Missing values themselves get the ``center``.
    knots, places : (k,)
        For ``"quantile"``; empty otherwise.
    """

    kind: ClassVar[str] = "numeric"
    scaling: str
    center: float
    scale: float
    low: float
    high: float
    indicator: bool
    knots: Array
    places: Array

    @classmethod
    def fit(cls, values: Array, scaling: str, weight: Array | None) -> NumericEncoding:
        """Look at the training values; ``weight`` (rows,) says how often each counts."""
        x = numbers_of(values)
        finite = np.isfinite(x)
        known, w = x[finite], None if weight is None else weight[finite]
        indicator = bool(np.isnan(x).any())
        empty = np.empty(0)
        if not len(known):
            return cls(scaling, 0.0, 1.0, 0.0, 0.0, indicator, empty, empty)
        low, high = float(known.min()), float(known.max())
        (center,) = quantiles(known, np.array([0.5]), w)
        if scaling == "quantile":
            knots, places = spread(known, w, KNOTS)
            return cls(scaling, float(center), 1.0, low, high, indicator, knots, places)
        if scaling == "standard":
            mean = float(np.average(known, weights=w))
            scale = float(np.sqrt(np.average((known - mean) ** 2, weights=w)))
            return cls(scaling, mean, scale or 1.0, low, high, indicator, empty, empty)
        first, third = quantiles(known, np.array([0.25, 0.75]), w)
        scale = float(third - first) / QUARTILES or float(np.sqrt(np.average((known - center) ** 2, weights=w)))
        return cls(scaling, float(center), scale or 1.0, low, high, indicator, empty, empty)

    @property
    def outputs(self) -> list[str]:
        """The number, and whether it is missing."""
        return ["", " is missing"] if self.indicator else [""]

    def encode(self, values: Array) -> Array:
        """(rows,) → (rows, outputs)."""
        x = numbers_of(values)
        missing = np.isnan(x)
        x = np.where(missing, self.center, np.where(np.isinf(x), np.clip(x, self.low, self.high), x))
        if self.scaling == "quantile":
            z = np.interp(x, self.knots, self.places) if len(self.knots) else np.zeros(len(x))
        else:
            z = np.clip((x - self.center) / self.scale, -FARTHEST, FARTHEST)
        if self.scaling == "robust":
            z = z / np.sqrt(1 + (z / BOUND) ** 2)
        return np.stack([z, missing], axis=1) if self.indicator else z[:, None]

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"encoding": self.kind, **asdict(self)}


@dataclass(frozen=True)
class CategoricalEncoding:
    """A code for each category: 0 where the value is missing, 1 for rare and for unseen ones, 2 for the first category.

    Attributes
    ----------
    categories
        As text, the most frequent first, or those with the largest weight.
    rare
        How many categories of the training data share the place of the unseen ones.
    """

    kind: ClassVar[str] = "categorical"
    categories: list[str]
    rare: int

    @classmethod
    def fit(cls, values: Array, least: int, most: int, weight: Array | None = None) -> CategoricalEncoding:
        """Give a place of its own to at most ``most`` categories that have at least ``least`` rows.

        ``weight`` (rows,) says how often each counts for the order.
        """
        names = names_of(values)
        counts = Counter(name for name in names if name is not None)
        weights: dict[str, float] = dict(counts)
        if weight is not None:
            weights = dict.fromkeys(counts, 0.0)
            for name, w in zip(names, weight.tolist(), strict=True):
                if name is not None:
                    weights[name] += w
        ordered = sorted(counts, key=lambda name: (-weights[name], name))
        kept = [name for name in ordered[:most] if counts[name] >= least]
        return cls(kept, len(ordered) - len(kept))

    @property
    def outputs(self) -> list[str]:
        """None: it becomes a code."""
        return []

    @property
    def places(self) -> int:
        """How many codes there are."""
        return FIRST + len(self.categories)

    @cached_property
    def _codes(self) -> dict[str, int]:
        """By name: there may be thousands, and rows may be asked about one by one."""
        return {name: FIRST + i for i, name in enumerate(self.categories)}

    def encode(self, values: Array) -> Array:
        """(rows,) → codes (rows,)."""
        codes = (MISSING if name is None else self._codes.get(name, OTHER) for name in names_of(values))
        return np.fromiter(codes, np.int64, len(values))

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"encoding": self.kind, **asdict(self)}


@dataclass(frozen=True)
class BooleanEncoding:
    """1 for true, -1 for false, 0 where it is missing, with a second number that says so if any was in training."""

    kind: ClassVar[str] = "boolean"
    indicator: bool

    @classmethod
    def fit(cls, values: Array) -> BooleanEncoding:
        """Look at the training values."""
        return cls(bool(np.isnan(_truths(values)).any()))

    @property
    def outputs(self) -> list[str]:
        """The number, and whether it is missing."""
        return ["", " is missing"] if self.indicator else [""]

    def encode(self, values: Array) -> Array:
        """(rows,) → (rows, outputs)."""
        x = _truths(values)
        z = np.where(np.isnan(x), 0.0, np.where(x > 0, 1.0, -1.0))
        return np.stack([z, np.isnan(x)], axis=1) if self.indicator else z[:, None]

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"encoding": self.kind, **asdict(self)}


@dataclass(frozen=True)
class DateEncoding:
    """When: the time since the mean of the training dates, and the places in the year, the month, the week and the day.

    Places on a circle of p parts become the sine and cosine of 2 pi times the share of the circle that has passed.

    Attributes
    ----------
    center, scale
        Mean and standard deviation of the training dates, in days since 1970-01-01.
    has_time
        Whether the training dates have times of day.
    indicator
        Whether there is a last number, 1 where the date is missing; all others are 0 there.
    format
        For text: ``"iso"`` or a pattern of ``strptime``.
    """

    kind: ClassVar[str] = "date"
    center: float
    scale: float
    has_time: bool
    indicator: bool
    format: str | None

    @classmethod
    def fit(cls, values: Array, form: str | None, weight: Array | None) -> DateEncoding:
        """Look at the training values."""
        days = days_of(moments_of(values, form))
        known = ~np.isnan(days)
        if not known.any():
            return cls(0.0, 1.0, False, True, form)
        w = None if weight is None else weight[known]
        mean = float(np.average(days[known], weights=w))
        scale = float(np.sqrt(np.average((days[known] - mean) ** 2, weights=w))) or 1.0
        return cls(mean, scale, bool((days[known] % 1 != 0).any()), bool((~known).any()), form)

    @property
    def outputs(self) -> list[str]:
        """Of circles the sine and the cosine."""
        circles = ["year", "month", "week", *(["day"] if self.has_time else [])]
        names = [" elapsed", " year", *(f" {f} of {c}" for c in circles for f in ("sine", "cosine")), " weekend"]
        return [*names, " is missing"] if self.indicator else names

    def encode(self, values: Array) -> Array:
        """(rows,) → (rows, outputs)."""
        moments = moments_of(values, self.format)
        days = days_of(moments)
        missing = np.isnan(days)
        moments = np.where(missing, np.datetime64(0, "us"), moments)
        days = np.where(missing, 0.0, days)
        year = moments.astype("datetime64[Y]")
        day, months = moments.astype("datetime64[D]"), moments.astype("datetime64[M]")
        whole, weekday = np.floor(days), (np.floor(days) + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
        shares = [
            (day - year.astype("datetime64[D]")).astype(np.float64) / 365.25,
            (months.astype(np.int64) % 12) / 12,
            weekday / 7,
            *([days - whole] if self.has_time else []),
        ]
        years = (year.astype(np.int64) - self.center / 365.2425) / max(self.scale / 365.2425, 1.0)
        made = [(days - self.center) / self.scale, years]
        for share in shares:
            made += [np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
        made.append((weekday >= 5).astype(np.float64))
        z = np.where(missing[:, None], 0.0, np.stack(made, axis=1))
        return np.column_stack([z, missing]) if self.indicator else z

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"encoding": self.kind, **asdict(self)}


ENCODINGS: dict[str, type[NumericEncoding | CategoricalEncoding | BooleanEncoding | DateEncoding]] = {
    kind.kind: kind for kind in (NumericEncoding, CategoricalEncoding, BooleanEncoding, DateEncoding)
}


def encoding_of(state: Any) -> Encoding:
    """Make an encoding of what its ``state`` gave.

    Raises
    ------
    ArgumentError
        When it is not the state of an encoding.
    """
    if not isinstance(state, dict):
        raise ArgumentError(explain("an encoding expected its state", repr(state)[:100], "Use what state() gave"))
    rest = dict(state)
    kind = ENCODINGS.get(rest.pop("encoding", None))
    if kind is None or rest.keys() != {f.name for f in fields(kind)}:
        raise ArgumentError(
            explain(
                f"an encoding expected to be one of {', '.join(ENCODINGS)}, with its own fields",
                f"{state.get('encoding')!r} with {sorted(rest)}",
                "Use what state() gave",
            )
        )
    made: Encoding = kind(**rest)
    return made


def _truths(values: Array) -> Array:
    """1, 0, and NaN where there is no truth value."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    names = (None if gone else str(v).strip().lower() for v, gone in zip(values, missing_of(values), strict=True))
    return np.fromiter((TRUTHS.get(name, np.nan) if name is not None else np.nan for name in names), np.float64)
