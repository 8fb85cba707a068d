"""What columns of text are, for whoever passes a file on in parts: known when the last part was seen, and not before.

A column is a number, a truth value or a date where every value of it is one, and else stays text: nothing that is
passed on may be lost. So one odd value, a number with zeros in front (a code), a plus and more than six digits (a
telephone number), a whole number of more digits than a number holds, one too large or too small for a float, a minute's
60th second, and dates that may be read in two ways leave it as it is. But measured numbers are to stay numbers: what
has a point, a comma or an exponent becomes the float nearest to it, however many digits it has. And a moment in a zone
is told in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars

_DAY, _TIME = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,6})?)?"
_DAYS = {
    "%Y-%m-%d": rf"^{_DAY}$",
    "%Y/%m/%d": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "%d.%m.%Y": r"^\d{1,2}\.\d{1,2}\.\d{4}$",
    "%m/%d/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
    "%d/%m/%Y": r"^\d{1,2}/\d{1,2}/\d{4}$",
}
_WHOLE = r"(?:0|[1-9]\d{0,14})"  # whole numbers of up to 15 digits are exact among floats
_INTEGER = r"^(?:\+?0|-?[1-9]\d*|\+[1-9]\d{0,5})$"  # -0 is a float
_SIGNED = rf"(?:-?{_WHOLE}|\+(?:0|[1-9]\d{{0,5}}))"
_EXPONENT = r"[eE][+-]?\d+"
_NUMBER = rf"^(?:{_SIGNED}|[+-]?(?:(?:{_WHOLE}\.\d*|\.\d+)(?:{_EXPONENT})?|{_WHOLE}{_EXPONENT}|(?i:inf(?:inity)?)))$"


class Way(NamedTuple):
    """A way to read text.

    Attributes
    ----------
    pattern
        Of every value.
    read
        From text without blanks around it, null where there is no value, to values; null where it cannot be read.
    proof
        Of one value at least: 1,234 may be a thousand or one and a little, 1,25 is one and a quarter.
    """

    pattern: str
    read: Callable[[polars.Expr], polars.Expr]
    proof: str = ""


def _ways() -> dict[str, Way]:
    import polars

    def as_float(text: polars.Expr) -> polars.Expr:
        value = text.cast(polars.Float64, strict=False)
        is_too_large = value.is_infinite() & ~text.str.contains("(?i)inf")
        is_too_small = (value == 0) & text.str.contains("^[^eE]*[1-9]")
        return polars.when(~(is_too_large | is_too_small)).then(value)

    def as_day(form: str) -> Callable[[polars.Expr], polars.Expr]:
        return lambda text: text.str.to_date(form, strict=False)

    def as_moment(text: polars.Expr, zone: str = "") -> polars.Expr:
        plain = text.str.replace("T", " ", literal=True)
        forms = (f"%Y-%m-%d %H:%M:%S%.f{zone}", f"%Y-%m-%d %H:%M{zone}")
        return polars.coalesce(*(plain.str.to_datetime(form, strict=False, time_unit="us") for form in forms))

    return {
        "whole": Way(_INTEGER, lambda text: text.cast(polars.Int64, strict=False)),
        "number": Way(_NUMBER, as_float),
        "comma": Way(
            rf"^(?:{_SIGNED}|[+-]?{_WHOLE},\d+)$",
            lambda text: as_float(text.str.replace(",", ".", literal=True)),
            proof=r"^[+-]?0,|,(?:\d{1,2}|\d{4,})$",
        ),
        "truth": Way(r"^(?i:true|false)$", lambda text: text.str.to_lowercase() == "true"),
        **{form: Way(pattern, as_day(form)) for form, pattern in _DAYS.items()},
        "moment": Way(rf"^{_DAY}[T ]{_TIME}$", as_moment),
        "moment in a zone": Way(
            rf"^{_DAY}[T ]{_TIME}(?:Z|[+-]\d{{2}}:?\d{{2}})$", lambda text: as_moment(text, zone="%#z")
        ),
    }


class TypesInParts:
    """What columns of text are, as far as they were seen.

    Parameters
    ----------
    names
        The columns.
    missing
        Texts that stand for no value where there is none among numbers, truth values and dates.

    Examples
    --------
    >>> import polars
    >>> from lucidgrad.data.table_file.types_in_parts import TypesInParts
    >>> types = TypesInParts(["n", "day", "code"], missing=("", "NA"))
    >>> parts = [
    ...     polars.DataFrame({"n": ["1", "NA"], "day": ["2021-03-01", None], "code": ["7", "8"]}),
    ...     polars.DataFrame({"n": ["3"], "day": ["2021-03-02"], "code": ["09"]}),
    ... ]
    >>> for part in parts:
    ...     types.look(part)
    >>> polars.concat(parts).select(types.columns()).schema
    Schema([('n', Int64), ('day', Date), ('code', String)])
    """

    def __init__(self, names: Sequence[str], missing: Collection[str]) -> None:
        self._missing = list(missing)
        self._ways = _ways()
        self._left = {name: dict.fromkeys(self._ways, False) for name in names}
        """The ways to read each column that have not failed yet, and whether there was proof of them."""
        self._seen: set[str] = set()

    def look(self, part: polars.DataFrame) -> None:
        """See some rows more: columns of text, with nulls."""
        import polars

        for name, left in self._left.items():
            if not left:
                continue
            text = part.select(self._plain(name)).to_series().drop_nulls()
            if not len(text):
                continue
            self._seen.add(name)
            for key in list(left):
                way = self._ways[key]
                if (
                    not text.str.contains(way.pattern).all()
                    or text.to_frame().select(way.read(polars.col(name)).is_null().any()).item()
                ):
                    del left[key]
                elif way.proof and not left[key]:
                    left[key] = bool(text.str.contains(way.proof).any())

    def columns(self) -> list[polars.Expr]:
        """Each column as what it is, from text."""
        import polars

        made = []
        for name in self._left:
            way = self._way(name)
            if way is None:
                text = polars.col(name)
                is_blank = text.str.strip_chars() == ""
                made.append(polars.when(~is_blank).then(text).alias(name))
            else:
                made.append(way.read(self._plain(name)).alias(name))
        return made

    def _way(self, name: str) -> Way | None:
        """The way to read a column; None for text."""
        if name not in self._seen:
            return None
        left = [key for key, is_proved in self._left[name].items() if is_proved or not self._ways[key].proof]
        if not left or {"%m/%d/%Y", "%d/%m/%Y"} <= set(left):
            return None
        return self._ways[left[0]]

    def _plain(self, name: str) -> polars.Expr:
        import polars

        text = polars.col(name).str.strip_chars()
        return polars.when(~text.is_in(self._missing)).then(text).alias(name)
