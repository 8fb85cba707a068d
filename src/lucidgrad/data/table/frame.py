"""Tables of any library as named columns of NumPy arrays: pandas, polars, Arrow, dicts of columns, arrays.

A column is an array of numbers (NaN where missing), of booleans, of ``datetime64[us]`` (NaT where missing), or of
objects (None where missing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from lucidgrad.errors import DataError, DependencyError, explain

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Table:
    """Columns of equal length with names of their own.

    Attributes
    ----------
    names
        Of the columns, as text.
    columns
        The values (rows,) of each.
    rows
        How many there are.
    named
        Whether the names came with the data; those of an array are made up: x0, x1, ...

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.data.table import Table
    >>> Table(["height", "age"], [np.array([1.8, 1.6]), np.array([40, 50])], rows=2, named=True).columns[1]
    array([40, 50])
    """

    names: list[str]
    columns: list[Array]
    rows: int
    named: bool


def table_of(X: Any) -> Table:
    """Look at a data frame, a dict of columns or an array as a Table.

    Parameters
    ----------
    X
        A pandas or polars frame, an Arrow table, a dict of columns, or an array or list (rows, columns).

    Raises
    ------
    DataError
        For what is no table, and names that stand for two columns.

    Examples
    --------
    >>> from lucidgrad.data.table import table_of
    >>> table = table_of({"height": [1.8, None], "town": ["Bonn", "Köln"]})
    >>> table.names, table.columns[0]
    (['height', 'town'], array([1.8, nan]))
    """
    if isinstance(X, Table):
        return X
    if hasattr(X, "tocsr"):
        raise DataError(
            explain("a table expected columns", "sparse data", "Use X.toarray(), or lucidgrad.MLPClassifier")
        )
    library = type(X).__module__.partition(".")[0]
    if isinstance(X, Mapping):
        return _named(list(X), [_values(values, str(name)) for name, values in X.items()])
    if library == "pandas" and hasattr(X, "columns"):
        return _named(list(X.columns), [_of_pandas(X.iloc[:, i]) for i in range(X.shape[1])], len(X))
    if library == "polars" and hasattr(X, "collect"):
        X = X.collect()
    if library != "polars" and hasattr(X, "__arrow_c_stream__"):
        X, library = _by_polars(X), "polars"
    if library == "polars" and hasattr(X, "get_columns"):
        return _named(list(X.columns), [_of_polars(series) for series in X.get_columns()], X.height)
    return _of_array(X)


def _named(names: list[Any], columns: list[Array], rows: int | None = None) -> Table:
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        twice = next(name for name in texts if texts.count(name) > 1)
        raise DataError(
            explain("a table expected names that differ", f"two columns {twice!r}", "Rename one, or drop it")
        )
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise DataError(
            explain("a table expected columns of one length", f"{sorted(lengths)}", "Give each column a value a row")
        )
    return Table(texts, columns, lengths.pop() if lengths else rows or 0, named=True)


def _of_array(X: Any) -> Table:
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise DataError(
            explain("a table expected rows of one length", str(error), "Pass a data frame, or a 2-D array")
        ) from None
    if array.dtype.kind == "c":
        raise DataError(
            explain("Complex data not supported: a table expected real numbers", str(array.dtype), "Take X.real")
        )
    if array.ndim != 2:
        raise DataError(
            explain(
                f"Expected 2D array, got {array.ndim}D array instead: a table expected shape (rows, columns)",
                str(array.shape),
                "Reshape your data: X.reshape(-1, 1) for one column, X.reshape(1, -1) for one row",
            )
        )
    columns = [_values(array[:, i], f"x{i}") for i in range(array.shape[1])]
    return Table([f"x{i}" for i in range(array.shape[1])], columns, len(array), named=False)


# --- columns ------------------------------------------------------------------------------------------------------


def _of_pandas(series: Any) -> Array:
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        zoned = getattr(series.dtype, "tz", None) is not None
        return np.asarray((series.dt.tz_convert(None) if zoned else series).to_numpy("datetime64[us]"))
    if kind == "m":
        return np.asarray(series.dt.total_seconds(), np.float64)
    missing = np.asarray(series.isna())
    if kind in "biuf" and not (kind == "b" and missing.any()):
        if isinstance(series.dtype, np.dtype) or not missing.any():
            return np.asarray(series.to_numpy(dtype=f"{kind}{series.dtype.itemsize}" if kind != "b" else bool))
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    values = series.astype(object).to_numpy().copy()
    values[missing] = None
    return _of_objects(values)


def _of_polars(series: Any) -> Array:
    import polars

    dtype = series.dtype
    if dtype.is_nested() or dtype == polars.Binary or dtype == polars.Object:
        raise DataError(
            explain(
                f"the column {series.name!r} expected numbers, text, dates or booleans",
                f"{dtype}",
                "Unpack it into columns of its own, or drop it",
            )
        )
    if dtype == polars.Boolean and not series.null_count():
        return np.asarray(series.to_numpy())
    if dtype.is_numeric():
        whole = dtype.is_integer() and not series.null_count()
        return np.asarray((series if whole else series.cast(polars.Float64)).to_numpy())
    if dtype in (polars.Date, polars.Datetime):
        return np.asarray(series.cast(polars.Datetime("us")).to_numpy(), "datetime64[us]")
    if dtype in (polars.Duration, polars.Time):
        return np.asarray(series.cast(polars.Int64).cast(polars.Float64).to_numpy())
    return _of_objects(np.array([*series.to_list(), None], object)[:-1])


def _values(values: Any, name: str) -> Array:
    """A column of a dict or an array."""
    library = type(values).__module__.partition(".")[0]
    if library == "pandas" and hasattr(values, "isna"):
        return _of_pandas(values)
    if library == "polars" and hasattr(values, "null_count"):
        return _of_polars(values)
    array = values if isinstance(values, np.ndarray) else np.array([*values, None], object)[:-1]
    if array.ndim != 1:
        raise DataError(
            explain(f"the column {name!r} expected one value a row", f"shape {array.shape}", "Split it into columns")
        )
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]")
    if array.dtype.kind == "m":
        return np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "s"))
    if array.dtype.kind in "biuf":
        return array
    return _of_objects(array.astype(object))


def _of_objects(values: Array) -> Array:
    """Objects of one kind as an array of that kind; text and mixtures stay objects, with None where missing."""
    missing = np.fromiter((is_missing(v) for v in values), bool, len(values))
    kinds = {type(v) for v, gone in zip(values, missing, strict=True) if not gone}
    if not kinds or all(issubclass(k, str) for k in kinds):
        return _with_none(values, missing)
    if all(issubclass(k, bool | np.bool_) for k in kinds):
        return _with_none(values, missing) if missing.any() else values.astype(bool)
    if not missing.any() and all(issubclass(k, int | np.integer) and k is not bool for k in kinds):
        whole = np.array(values.tolist())
        return whole if whole.dtype.kind in "iu" else values.astype(np.float64)  # above 2^64
    if all(issubclass(k, int | float | np.number) and not issubclass(k, bool) for k in kinds):
        return np.array([np.nan if gone else float(v) for v, gone in zip(values, missing, strict=True)], np.float64)
    if all(k.__name__ == "Decimal" for k in kinds):
        return np.array([np.nan if gone else float(v) for v, gone in zip(values, missing, strict=True)], np.float64)
    if all(issubclass(k, date | np.datetime64) for k in kinds):
        return np.array([_moment(v, gone) for v, gone in zip(values, missing, strict=True)], "datetime64[us]")
    return _with_none(values, missing)


def _moment(value: Any, gone: bool) -> np.datetime64:
    if gone:
        return np.datetime64("NaT")
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = (value - value.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]
    return np.datetime64(value, "us")


def _with_none(values: Array, missing: Array) -> Array:
    if missing.any():
        values = values.copy()
        values[missing] = None
    return values


def is_missing(value: Any) -> bool:
    """None, NaN, NaT, pandas' NA, and text without a letter."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, float | np.floating):
        return bool(value != value)
    return type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, np.datetime64) and np.isnat(value))


def _by_polars(X: Any) -> Any:
    try:
        import polars
    except ImportError:
        raise DependencyError(
            explain("a table of Arrow expected polars", "an environment without it", "pip install polars")
        ) from None
    return polars.DataFrame(X)
